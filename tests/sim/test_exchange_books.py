"""The exchange as a whole: queries, books that add up, and one seed giving one market."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import (
    ExchangeEvent,
    Executed,
    OrderChanged,
    OrderStatus,
    SimSide,
    TopChanged,
)

from .exchange_floor import HOUR, Floor, S, fills


def test_queries_answer_before_anything_runs() -> None:
    """Listings, bars, rules, hours and prices need no running market; unknown ids have no answer."""
    exchange = Exchange(seed=9)
    oats = next(item for item in exchange.listings if item.symbol == "ZO")

    bars = exchange.daily_bars(oats.con_id, 30, exchange.start_ns)

    assert exchange.listing(oats.con_id) == oats
    assert exchange.listing(1) is None
    assert exchange.top(oats.con_id) is None
    assert exchange.next_event_ns() is None
    assert len(bars) == 30
    assert bars[-10:] == exchange.daily_bars(oats.con_id, 10, exchange.start_ns)
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert all(bar.date.weekday() < 5 and bar.volume > 0 and bar.close % oats.min_tick == 0 for bar in bars)
    assert [bar.date for bar in bars] == sorted({bar.date for bar in bars})
    assert exchange.market_price(oats.con_id) == bars[-1].close
    assert exchange.market_price(1) is None
    assert exchange.daily_bars(1, 5, exchange.start_ns) == []
    assert exchange.market_rule(oats.market_rule_id) == ((Decimal(0), Decimal("0.0025")),)
    assert exchange.market_rule(1) == ()
    assert exchange.trading_hours(oats.con_id, exchange.start_ns, 1).endswith("1320")
    assert all(exchange.is_open(item.con_id, exchange.start_ns) for item in exchange.listings)
    assert exchange.account_values()["NetLiquidation"] == 1_000_000


def test_a_position_is_valued_at_the_market() -> None:
    """Bought at the ask it stands at the mid: the loss of half a spread, in cents a bushel times $50."""
    floor = Floor()
    events = floor.submit(lots=1, limit_price=floor.touch(SimSide.SELL))

    paid = fills(events)[0][0]
    mid = floor.exchange.market_price(floor.oats.con_id)
    values = floor.exchange.account_values()

    assert mid == (floor.touch(SimSide.BUY) + floor.touch(SimSide.SELL)) / 2
    assert floor.exchange.positions()[0].average_cost == paid * 50
    assert values["UnrealizedPnL"] == (mid - paid) * 50
    assert values["NetLiquidation"] == 1_000_000 + (mid - paid) * 50 - Decimal("2.52")
    assert floor.exchange.would_margin(floor.terms(side=SimSide.SELL, lots=1))[0] == -values["InitMarginReq"]


@pytest.mark.parametrize("how", ["a halt", "an empty side", "a pause"])
def test_a_position_is_valued_at_the_last_mid_where_none_shows(how: str) -> None:
    """Not at the settlement of the day before, which would tell a loss or a gain that nobody made."""
    floor = Floor()
    floor.submit(lots=1, limit_price=floor.touch(SimSide.SELL))
    exchange, con_id, now_ns = floor.exchange, floor.oats.con_id, floor.start_ns + 22 * HOUR + 45 * 60 * S
    if how == "a pause":  # from 07:45 until 08:30
        exchange.advance(now_ns - 1)
    value, mid = exchange.account_values()["NetLiquidation"], exchange.market_price(con_id)
    settlement = floor.top().close

    if how == "a halt":
        exchange.interventions.stop(con_id, told=True, now_ns=floor.start_ns)
    elif how == "an empty side":
        exchange.interventions.lock(con_id, absent=SimSide.SELL, now_ns=floor.start_ns)
    else:
        exchange.advance(now_ns)

    assert floor.top().ask is None
    assert mid != settlement
    assert exchange.market_price(con_id) == mid
    assert exchange.account_values()["NetLiquidation"] == value


def session_of_orders(seed: int, choices: list[tuple[int, int, int, int, int]]) -> tuple[Exchange, list[ExchangeEvent]]:
    """Play a list of (seconds to wait, verb, order id, ticks from the bid, lots) on a floor."""
    floor = Floor(seed)
    tick = floor.oats.min_tick
    events: list[ExchangeEvent] = []
    now_ns = floor.start_ns
    for wait_s, verb, order_id, ticks, lots in choices:
        now_ns += wait_s * S
        side = SimSide.BUY if order_id % 2 else SimSide.SELL
        price = (floor.top().bid or floor.top().close) + ticks * tick
        if verb == 0:
            events += floor.exchange.cancel(1, order_id, now_ns)
        else:
            terms = floor.terms(order_id, side=side, limit_price=price, lots=lots)
            events += floor.exchange.submit(terms, now_ns)
    return floor.exchange, events + floor.exchange.advance(now_ns + 600 * S)


CHOICES = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(0, 3), st.integers(1, 8), st.integers(-10, 30), st.integers(1, 6)),
    max_size=25,
)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 50), CHOICES)
def test_any_play_of_orders_keeps_the_books_straight(seed: int, choices: list[tuple[int, int, int, int, int]]) -> None:
    """Events in order of time, fills within totals, views that follow events, no cross, books that add up."""
    exchange, events = session_of_orders(seed, choices)

    assert [event.time_ns for event in events] == sorted(event.time_ns for event in events)
    executions = [event.execution for event in events if isinstance(event, Executed)]
    assert executions == [execution for execution, _ in exchange.executions()]
    views = {view.perm_id: view for view in [*exchange.open_orders(), *exchange.completed_orders()]}
    for perm_id, view in views.items():
        mine = [item for item in executions if item.perm_id == perm_id]
        last = [e.order for e in events if isinstance(e, OrderChanged) and e.order.perm_id == perm_id][-1]
        assert last == view
        assert sum(item.lots for item in mine) == view.filled_lots <= view.terms.lots
        assert (view.status is OrderStatus.FILLED) == (view.filled_lots == view.terms.lots)
        assert [item.cumulative_lots for item in mine] == [
            sum(item.lots for item in mine[: n + 1]) for n in range(len(mine))
        ]
    position = sum(item.lots if item.side is SimSide.BUY else -item.lots for item in executions)
    assert sum(item.lots for item in exchange.positions()) == position
    for event in events:
        if isinstance(event, TopChanged) and event.top.bid is not None and event.top.ask is not None:
            assert event.top.bid < event.top.ask


def test_one_seed_and_the_same_calls_give_identical_events() -> None:
    """Twice the same, also when time is cut into other pieces; another seed is another market."""
    choices = [(30, 1, 1, 3, 4), (100, 1, 2, 40, 3), (2, 2, 1, 5, 2), (500, 0, 2, 0, 1)]

    _, once = session_of_orders(7, choices)
    _, twice = session_of_orders(7, choices)
    _, other = session_of_orders(8, choices)
    whole, pieces = Floor(7), Floor(7)
    in_one = whole.exchange.advance(whole.start_ns + HOUR)
    cut: list[ExchangeEvent] = []
    for second in range(0, 3601, 7):
        cut += pieces.exchange.advance(pieces.start_ns + second * S)
    cut += pieces.exchange.advance(pieces.start_ns + HOUR)

    assert once == twice
    assert once != other
    assert in_one == cut
    assert len(in_one) > 1000


CALLS: list[tuple[str, Callable[[Floor, int], object]]] = [
    ("submit", lambda floor, now_ns: floor.exchange.submit(floor.terms(5), now_ns)),
    ("cancel", lambda floor, now_ns: floor.exchange.cancel(1, 5, now_ns)),
    ("watch", lambda floor, now_ns: floor.exchange.watch(floor.exchange.listings[-1].con_id, now_ns)),
]


@pytest.mark.parametrize("call", [row[1] for row in CALLS], ids=[row[0] for row in CALLS])
def test_time_never_runs_back(call: Callable[[Floor, int], object]) -> None:
    """A call with an earlier instant counts as one at the latest instant seen."""
    floor = Floor()
    floor.exchange.advance(floor.start_ns + HOUR)

    call(floor, floor.start_ns)

    due_ns = floor.exchange.next_event_ns()
    assert due_ns is not None
    assert due_ns >= floor.start_ns + HOUR
    assert all(order.submitted_ns == floor.start_ns + HOUR for order in floor.exchange.open_orders())
