"""Orders on the exchange, from submission to their end, and the refusals of bad ones."""

from decimal import Decimal

import pytest

from hydra_nb.sim.records import (
    Executed,
    OrderChanged,
    OrderRejected,
    OrderStatus,
    SimSide,
    TimeInForce,
    TopChanged,
    Traded,
)

from .exchange_floor import TO_THE_CLOSE, Floor, S, codes, fills, statuses


def test_a_crossing_order_fills_at_the_resting_price_and_partly() -> None:
    """Lots at the ask trade at the ask; the rest stands at our limit and is the new bid."""
    floor = Floor()
    ask, size = floor.touch(SimSide.SELL), floor.top().ask_size

    events = floor.submit(lots=size + 2, limit_price=ask)

    assert statuses(events)[0] == (OrderStatus.SUBMITTED, 0)
    assert statuses(events)[-1] == (OrderStatus.SUBMITTED, size)
    assert {price for price, _ in fills(events)} == {ask}
    assert sum(lots for _, lots in fills(events)) == size
    assert floor.top().bid == ask
    assert floor.top().bid_size == 2
    assert isinstance(events[-1], TopChanged)


def test_each_fill_is_an_execution_a_commission_and_a_change_of_the_order() -> None:
    """What the fills say adds up to the order; ids are unique; prints show the same lots."""
    floor = Floor()

    events = floor.submit(lots=7, limit_price=floor.touch(SimSide.SELL) + 20)

    executed = [event for event in events if isinstance(event, Executed)]
    order = floor.exchange.order(1, 1)
    assert order is not None
    assert order.status is OrderStatus.FILLED
    assert len(executed) > 1
    assert [e.execution.cumulative_lots for e in executed][-1] == 7
    assert order.average_price == sum(e.execution.price * e.execution.lots for e in executed) / 7
    assert len({e.execution.exec_id for e in executed}) == len(executed)
    assert all(e.execution.exec_id.endswith(".01") for e in executed)
    assert all(e.commission.exec_id == e.execution.exec_id for e in executed)
    assert sum(e.commission.commission for e in executed) == 7 * Decimal("2.52")
    assert sum(e.size for e in events if isinstance(e, Traded)) == 7
    assert floor.exchange.executions() == [(e.execution, e.commission) for e in executed]
    assert [view.perm_id for view in floor.exchange.completed_orders()] == [order.perm_id]
    assert floor.exchange.open_orders() == []
    assert 9 <= len(str(order.perm_id)) <= 10


def test_a_gtd_order_leaves_exactly_at_its_time() -> None:
    """It is there one nanosecond before and cancelled at the instant itself."""
    floor = Floor()
    end_ns = floor.start_ns + 300 * S
    floor.submit(tif=TimeInForce.GTD, good_till_ns=end_ns)

    before = statuses(floor.exchange.advance(end_ns - 1))
    at_the_end = [e for e in floor.exchange.advance(end_ns) if isinstance(e, OrderChanged)]

    assert before == []
    assert [(e.order.status, e.time_ns, e.order.completed_ns) for e in at_the_end] == [
        (OrderStatus.CANCELLED, end_ns, end_ns)
    ]
    assert at_the_end[0].order.remaining_lots == 0


def test_a_modified_expiry_replaces_the_earlier_one() -> None:
    """The order survives its first end and leaves at the second; the next event is never later than that."""
    floor = Floor()
    first_ns, second_ns = floor.start_ns + 60 * S, floor.start_ns + 120 * S
    floor.submit(tif=TimeInForce.GTD, good_till_ns=first_ns)

    floor.submit(after_ns=S, tif=TimeInForce.GTD, good_till_ns=second_ns)

    assert statuses(floor.exchange.advance(first_ns)) == []
    due_ns = floor.exchange.next_event_ns()
    assert due_ns is not None
    assert due_ns <= second_ns
    assert statuses(floor.exchange.advance(second_ns)) == [(OrderStatus.CANCELLED, 0)]


MODIFIES = [
    # changes to the first of two own bids ahead of the market, which of them trades first
    ("a smaller size keeps the place", {"lots": 1}, 1),
    ("a larger size goes to the back", {"lots": 3}, 2),
    ("another expiry keeps the place", {"tif": TimeInForce.DAY}, 1),
]


@pytest.mark.parametrize(("changes", "first"), [row[1:] for row in MODIFIES], ids=[row[0] for row in MODIFIES])
def test_a_modify_keeps_priority_only_when_its_size_falls(changes: dict[str, object], first: int) -> None:
    """Both stand a tick above the bid; takers come until one of them trades."""
    floor = Floor()
    price = floor.touch(SimSide.BUY) + floor.oats.min_tick
    floor.submit(1, limit_price=price)
    floor.submit(2, limit_price=price)

    modified = floor.submit(1, after_ns=1, **({"limit_price": price} | changes))
    events = floor.exchange.advance(floor.start_ns + TO_THE_CLOSE - S)

    assert statuses(modified) == [(OrderStatus.SUBMITTED, 0)]
    executed = [event.execution for event in events if isinstance(event, Executed)]
    assert executed[0].order_id == first
    assert executed[0].maker


def test_a_modify_that_crosses_trades_at_once_and_counts_what_was_filled() -> None:
    """The total includes earlier fills; equal to them it ends the order; below them it is refused."""
    floor = Floor()
    ask, size = floor.touch(SimSide.SELL), floor.top().ask_size
    floor.submit(lots=size + 2, limit_price=Decimal("100.00"))

    crossed = floor.submit(after_ns=1, lots=size + 2, limit_price=ask)
    refused = floor.submit(after_ns=1, lots=size - 1, limit_price=ask)
    still = floor.exchange.order(1, 1)
    ended = floor.submit(after_ns=2, lots=size, limit_price=ask)

    assert sum(lots for _, lots in fills(crossed)) == size
    assert codes(refused) == [201]
    assert still is not None
    assert (still.status, still.remaining_lots) == (OrderStatus.SUBMITTED, 2)
    assert statuses(ended) == [(OrderStatus.FILLED, size)]
    assert floor.touch(SimSide.BUY) < ask


def test_own_orders_do_not_trade_with_each_other() -> None:
    """The resting one is cancelled, and no print is made."""
    floor = Floor()
    price = floor.touch(SimSide.BUY) + floor.oats.min_tick
    floor.submit(1, limit_price=price)

    events = floor.submit(2, side=SimSide.SELL, limit_price=price)

    assert fills(events) == []
    assert statuses(events) == [(OrderStatus.SUBMITTED, 0), (OrderStatus.CANCELLED, 0)]
    assert [order.terms.order_id for order in floor.exchange.open_orders()] == [2]
    assert floor.touch(SimSide.SELL) == price


REFUSALS: list[tuple[str, dict[str, object], int, str]] = [
    ("unknown contract", {"con_id": 1}, 200, "No security definition"),
    ("another account", {"account": "DU1"}, 321, "DU1"),
    ("off the tick", {"limit_price": Decimal("100.10")}, 110, "minimum price variation"),
    ("no lots", {"lots": 0}, 201, "order size 0 lots"),
    ("too many lots", {"lots": 10_001}, 201, "10000"),
    ("not a price", {"limit_price": Decimal("NaN")}, 201, "NaN"),
    ("no end of prices", {"limit_price": Decimal("1E+300")}, 201, "not a price"),
    ("good till when", {"tif": TimeInForce.GTD}, 201, "missing"),
    ("good till the past", {"tif": TimeInForce.GTD, "good_till_ns": 1}, 201, "passed"),
]


@pytest.mark.parametrize(("changes", "code", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_bad_terms_are_refused_with_their_code_new_and_as_modify(
    changes: dict[str, object], code: int, words: str
) -> None:
    """A refused order leaves no trace, a refused modify leaves the order as it was."""
    floor = Floor()
    floor.submit(1)
    unchanged = floor.exchange.order(1, 1)

    new = floor.submit(2, after_ns=S, **changes)
    modify = floor.submit(1, after_ns=S, **changes)

    refusal = next(event for event in new if isinstance(event, OrderRejected))
    assert (refusal.code, refusal.order_id) == (code, 2)
    assert words in refusal.message
    assert floor.exchange.order(1, 2) is None
    # The contract of an order cannot change, whatever else is wrong with the new one.
    assert codes(modify) == [105 if {"con_id", "account"} & set(changes) else code]
    assert floor.exchange.order(1, 1) == unchanged


def test_done_and_unknown_orders_are_neither_cancelled_nor_modified() -> None:
    """10147 and 10148 for cancels, 104 for a modify, 103 for a used id, 105 for another side."""
    floor = Floor()
    floor.submit(1)
    floor.submit(2, lots=1, limit_price=floor.touch(SimSide.SELL))
    now_ns = floor.start_ns

    floor.exchange.cancel(1, 1, now_ns)
    unknown = floor.exchange.cancel(2, 1, now_ns)
    cancelled = floor.exchange.cancel(1, 1, now_ns)
    filled = floor.exchange.cancel(1, 2, now_ns)

    assert codes(unknown) == [10147]
    assert [(e.code, e.message) for e in [*cancelled, *filled] if isinstance(e, OrderRejected)] == [
        (10148, "OrderId 1 that needs to be cancelled cannot be cancelled, state: Cancelled."),
        (10148, "OrderId 2 that needs to be cancelled cannot be cancelled, state: Filled."),
    ]
    assert codes(floor.submit(1, lots=3)) == [104]
    assert codes(floor.submit(1, side=SimSide.SELL)) == [103]
    floor.submit(3)
    assert codes(floor.submit(3, side=SimSide.SELL)) == [105]


def test_time_goes_on_to_the_next_news_as_it_does_instant_by_instant() -> None:
    """Four hours of a watched market and of an order in it: the same events, each list of one instant."""
    one_by_one, by_news = Floor(), Floor()
    floors = one_by_one, by_news
    for floor in floors:
        floor.submit(lots=3, limit_price=floor.touch(SimSide.BUY))
    until_ns = one_by_one.exchange.start_ns + 4 * 3600 * S

    told, news = [], []
    while (time_ns := one_by_one.exchange.next_event_ns()) is not None and time_ns <= until_ns:
        if events := one_by_one.exchange.advance(time_ns):
            told.append((time_ns, events))
    while (heard := by_news.exchange.advance_to_news(until_ns))[1]:
        news.append(heard)

    assert news == told
    assert any(isinstance(event, Executed) for _, events in news for event in events)
