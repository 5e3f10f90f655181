"""All models behind the one Protocol: on the exchange, from a seed, with a client's orders among theirs."""

import math
from collections.abc import Callable
from decimal import Decimal

import pytest

from hydra_nb.sim.book import Book, Owner
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.market import Market, thin_flow
from hydra_nb.sim.models.impact import Impacted, ImpactParameters
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.models.queue_reactive import QueueReactive, QueueReactiveParameters
from hydra_nb.sim.models.santa_fe import SantaFe, SantaFeParameters
from hydra_nb.sim.models.tape import FillRule, Tape, TapeParameters
from hydra_nb.sim.models.tape_rows import TapeRow
from hydra_nb.sim.records import ExchangeEvent, Executed, OrderTerms, SimSide, TimeInForce, TopChanged, Traded
from hydra_nb.sim.seeds import stream
from tests.sim.models.watching import NS_PER_S, dice

SANTA_FE = SantaFeParameters(limit_per_s_tick=0.01, market_per_s=0.1, cancel_per_s=0.02, window_ticks=40)
QUEUES = QueueReactiveParameters(
    limit_per_s=((0.5, 0.3), (0.4, 0.3)),
    cancel_per_s=((0.0, 0.05, 0.1, 0.2, 0.4), (0.0, 0.1, 0.2, 0.4)),
    market_per_s=((0.0, 0.1), (0.0, 0.1)),
    move_probability=0.6,
    redraw_probability=0.1,
)


def santa_fe(month: Month) -> FlowModel:
    """Zero intelligence on a month."""
    return SantaFe(SANTA_FE, dice=stream(1, "test", month.listing.con_id), fair_ticks=month.settlement_ticks)


def queue_reactive(month: Month) -> FlowModel:
    """Two queues a side on a month."""
    return QueueReactive(QUEUES, dice=stream(1, "test", month.listing.con_id), fair_ticks=month.settlement_ticks)


def tape(month: Month) -> FlowModel:
    """A touch that goes up and down, with a trade now and then at the bid or the ask."""
    at = month.settlement_ticks
    rows = []
    for second in range(0, 4000, 5):
        bid = at + round(3 * math.sin(second / 300))
        printed = 1 if second % 60 == 0 else 0
        last = bid if second % 120 else bid + 4
        rows.append(
            TapeRow(
                time_ns=second * NS_PER_S,
                bid_ticks=bid,
                bid_lots=3 + second % 2,
                ask_ticks=bid + 4,
                ask_lots=2,
                last_ticks=last,
                printed_lots=printed,
            )
        )
    return Tape(rows, parameters=TapeParameters(fills=FillRule.TOUCH))


def impacted(month: Month) -> FlowModel:
    """The thin market's own flow with impact and adverse selection."""
    impact = ImpactParameters(coefficient=1, daily_ticks=40, daily_lots=400, half_life_s=600, adverse_ticks=1)
    return Impacted(thin_flow(month, seed=1), impact=impact)


MODELS = [santa_fe, queue_reactive, tape, impacted]
Maker = Callable[[Month], FlowModel]


def terms(exchange: Exchange, con_id: int, *, order_id: int, side: SimSide, price: Decimal, lots: int) -> OrderTerms:
    """A limit order that stays."""
    return OrderTerms(
        client_id=1,
        order_id=order_id,
        account=exchange.account,
        con_id=con_id,
        side=side,
        lots=lots,
        limit_price=price,
        tif=TimeInForce.GTC,
        good_till_ns=None,
        order_ref="",
    )


def an_hour(flow: Maker | None) -> list[ExchangeEvent]:
    """An hour of oats in which a client buys passively and sells by taking, from the exchange of seed 3."""
    exchange = Exchange(seed=3) if flow is None else Exchange(seed=3, flow=flow)
    listing = next(one for one in exchange.listings if one.symbol == "ZO")
    now_ns = exchange.start_ns
    exchange.watch(listing.con_id, now_ns)
    events = exchange.advance(now_ns + NS_PER_S)
    for number in range(12):
        now_ns += 300 * NS_PER_S
        events += exchange.advance(now_ns)
        top = exchange.top(listing.con_id)
        if top is None or top.bid is None or top.ask is None:
            continue
        side, price = (SimSide.BUY, top.bid) if number % 3 else (SimSide.SELL, top.bid - 4 * listing.min_tick)
        order = terms(exchange, listing.con_id, order_id=number + 1, side=side, price=price, lots=2)
        events += exchange.submit(order, now_ns)
    return events


@pytest.mark.parametrize("flow", MODELS)
def test_a_model_makes_a_market_that_a_client_trades_in(flow: Maker) -> None:
    """Quotes are never crossed, trades print, both passive and taking orders fill, and the hour repeats exactly."""
    events = an_hour(flow)

    again = an_hour(flow)

    tops = [one.top for one in events if isinstance(one, TopChanged)]
    fills = [one.execution for one in events if isinstance(one, Executed)]
    assert all(top.bid < top.ask for top in tops if top.bid is not None and top.ask is not None)
    assert sum(isinstance(one, Traded) for one in events) > 10
    assert {fill.maker for fill in fills} == {True, False}
    assert repr(events) == repr(again)


def test_a_market_without_a_model_is_the_thin_one_and_impact_that_is_off_changes_no_draw() -> None:
    """The same events whether the flow is the default, named, or wrapped with all impact at zero."""
    default = an_hour(None)

    named = an_hour(lambda month: thin_flow(month, seed=3))
    wrapped = an_hour(lambda month: Impacted(thin_flow(month, seed=3), impact=ImpactParameters()))

    assert repr(named) == repr(default)
    assert repr(wrapped) == repr(default)


@pytest.mark.parametrize("flow", [santa_fe, queue_reactive])
def test_a_fair_value_that_is_moved_moves_the_market(flow: Maker) -> None:
    """Forty ticks up: with the next act the old market is below the new one."""
    month = _oats()
    model, book = flow(month), Book()
    model.open(book, now_ns=0)
    before = book.best(SimSide.SELL)

    model.fair_ticks += 40
    model.act(book, now_ns=NS_PER_S, busy=True)
    for second in range(2, 200):
        model.act(book, now_ns=second * NS_PER_S, busy=True)

    after = book.best(SimSide.BUY)
    assert before is not None
    assert after is not None
    assert after[0] > before[0]


@pytest.mark.parametrize("flow", MODELS)
def test_a_closed_market_holds_no_order_of_the_flow(flow: Maker) -> None:
    """Everything goes at the close, and a client's order stays."""
    month = _oats()
    model, book = flow(month), Book()
    model.open(book, now_ns=NS_PER_S)
    for second in range(1, 50):
        model.act(book, now_ns=second * NS_PER_S, busy=True)
    book.enter(1, owner=Owner.CLIENT, side=SimSide.BUY, price_ticks=month.settlement_ticks - 500, lots=2)

    model.close(book)

    assert [order.key for side in SimSide for order in book.queue(side)] == [1]


@pytest.mark.parametrize("flow", MODELS)
def test_a_market_that_was_stopped_before_its_session_begins_where_it_is_resumed(flow: Maker) -> None:
    """It acts on while it is stopped, to no effect, and within a minute of the resume there is news."""
    month = _oats()
    market = Market(month, seed=3, flow=flow(month))
    start_ns = Exchange(seed=3).start_ns
    session = month.calendar.session_after(start_ns)
    assert session is not None
    market.stop()
    market.open(session, now_ns=start_ns)
    now_ns, stopped = start_ns, 0

    while now_ns < start_ns + 30 * NS_PER_S:
        stopped += len(market.act(now_ns=now_ns))
        now_ns = market.next_act_ns(now_ns) or session.close_ns
    market.resume(now_ns=now_ns)
    ends_ns, entries = now_ns + 60 * NS_PER_S, []
    while now_ns < ends_ns:
        entries += market.act(now_ns=now_ns)
        now_ns = market.next_act_ns(now_ns) or session.close_ns

    assert stopped == 0
    assert entries
    assert market.top().bid is not None


@pytest.mark.parametrize("flow", [santa_fe, queue_reactive, tape])
def test_on_an_absent_side_nothing_new_comes(flow: Maker) -> None:
    """Locked against buyers: no order of the flow buys, neither resting nor taking."""
    model, book = flow(_oats()), Book()
    model.absent = SimSide.BUY
    model.open(book, now_ns=0)

    entries = [one for second in range(1, 300) for one in model.act(book, now_ns=second * NS_PER_S, busy=True)]

    assert entries
    assert all(one.side is SimSide.SELL for one in entries)
    assert book.depth(SimSide.BUY) == ()


def test_quiet_hours_are_slower_by_their_share() -> None:
    """A tenth of the rates makes waits ten times as long, from the same dice."""
    quiet = SantaFeParameters(limit_per_s_tick=0.01, market_per_s=0.1, cancel_per_s=0.02, window_ticks=40, quiet=0.1)

    busy_ns = SantaFe(quiet, dice=dice(1), fair_ticks=100.0).wait_ns(busy=True)
    quiet_ns = SantaFe(quiet, dice=dice(1), fair_ticks=100.0).wait_ns(busy=False)

    assert quiet_ns == pytest.approx(10 * busy_ns, rel=1e-6)


def _oats() -> Month:
    exchange = Exchange(seed=3)
    return next(month for month in exchange._months.values() if month.listing.symbol == "ZO")
