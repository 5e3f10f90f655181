"""Faults of the venue, on the wire and in the books of the exchange."""

from decimal import Decimal

import pytest

from hydra_nb.sim.records import OrderStatus

from .faults_floor import FaultyFloor, fault

OPEN_ORDER, STATUS, EXECUTION, COMMISSION = "5", "3", "11", "59"
ACCEPTED = [OPEN_ORDER, STATUS]


def test_a_correction_changes_the_books_and_comes_as_a_revision():
    """Position and cost are those of the later revision."""
    floor = FaultyFloor(fault("correction", at_s=5, ticks=4, lots_less=1))
    floor.place(crosses=True, lots=2)
    floor.client.take()
    before = floor.exchange.true_fills()

    floor.wait(6)

    [message] = floor.client.take(EXECUTION)
    [new] = [fill for fill in floor.exchange.true_fills() if fill.exec_id.endswith(".02")]
    [old] = [fill for fill in before if fill.exec_id[:-3] == new.exec_id[:-3]]
    assert message[14] == new.exec_id
    assert new.price == old.price + 4 * floor.oats.min_tick
    assert new.lots == max(1, old.lots - 1)
    [position] = floor.exchange.positions()
    truth = floor.exchange.true_fills()
    assert position.lots == sum(fill.lots for fill in truth)
    paid = sum((fill.lots * fill.price for fill in truth), Decimal(0))
    assert position.average_cost == paid / position.lots * 50


def test_a_bust_takes_the_fill_away():
    """Revision .02 of 0 lots; the position is flat again."""
    floor = FaultyFloor(fault("bust", at_s=5))
    floor.place(crosses=True, lots=1)
    floor.client.take()

    floor.wait(6)

    [message] = floor.client.take(EXECUTION)
    assert (message[14][-3:], message[19]) == (".02", "0")
    assert floor.exchange.true_fills() == []
    assert floor.exchange.positions() == []
    assert floor.exchange.account_values()["NetLiquidation"] == 1_000_000


def test_a_cancelled_order_is_filled():
    """After its Cancelled has been said."""
    floor = FaultyFloor(fault("fill_after_cancel", delay_s=2.0, lots=2))
    floor.place()

    floor.cancel()
    told = floor.said()
    floor.wait(3)

    assert told[-2:] == ["202", STATUS]
    assert len(floor.client.take(EXECUTION)) == 1
    assert floor.order().filled_lots == 2
    assert floor.struck() == [("fill_after_cancel", ("cancelled",))]


def test_a_cancel_is_refused_and_the_order_then_filled():
    """10148, then the fill."""
    floor = FaultyFloor(fault("cancel_refused_filled", delay_s=2.0))
    floor.place()
    floor.client.take()

    floor.cancel()
    refused = floor.said()
    floor.wait(3)

    assert refused == ["10148"]
    assert EXECUTION in floor.said()
    assert floor.order().status is OrderStatus.FILLED


def test_a_fill_crosses_a_modify():
    """It is told before the modify is."""
    floor = FaultyFloor(fault("fill_crosses_modify", lots=1))
    floor.place()
    floor.client.take()

    floor.place(ticks=1)

    said = floor.said()
    assert said.index(EXECUTION) < len(said) - 2
    assert floor.order().filled_lots == 1
    assert floor.struck() == [("fill_crosses_modify", ("pending modify",))]


def test_a_fill_crosses_a_cancel():
    """It is told before the cancel's answer, with its commission, and answers nothing itself."""
    late = fault("commission_late", state="pending cancel", delay_s=5.0)
    floor = FaultyFloor(fault("fill_crosses_cancel", lots=1), late)
    floor.place()
    floor.client.take()

    floor.cancel()
    said = floor.said()
    floor.wait(6)

    assert said.index(EXECUTION) < said.index("202")
    assert COMMISSION not in said
    assert COMMISSION in floor.said()
    assert (floor.order().filled_lots, floor.order().status) == (1, OrderStatus.CANCELLED)
    assert floor.struck() == [("fill_crosses_cancel", ("pending cancel",)), ("commission_late", ("pending cancel",))]


def test_a_modify_leaves_two_orders_that_take_a_cancel_each():
    """Two permanent ids for one order id, both working."""
    floor = FaultyFloor(fault("two_perm_ids"))
    floor.place()

    floor.place(ticks=1)
    both = floor.exchange.open_orders()
    floor.cancel()
    one = floor.exchange.open_orders()
    floor.cancel()

    assert [order.terms.order_id for order in both] == [1, 1]
    assert len({order.perm_id for order in both}) == 2
    assert one == [both[0]]
    assert floor.exchange.open_orders() == []


@pytest.mark.parametrize(("by_hand", "client_id"), [(True, 0), (False, 990)])
def test_an_order_of_somebody_else_appears(by_hand: bool, client_id: int):
    """Among the open orders of all clients, and not told to this one as its own."""
    floor = FaultyFloor(fault("foreign_order", at_s=1, by_hand=by_hand))
    floor.wait(2)
    told = floor.said()

    floor.client.reqAllOpenOrders()

    [order] = floor.exchange.open_orders()
    assert told == []
    assert floor.said() == [*ACCEPTED, "53"]
    assert order.terms.client_id == client_id
    assert bool(order.terms.order_ref) != by_hand


@pytest.mark.parametrize(("crosses", "state"), [(False, "submitted"), (True, "filled")])
def test_an_order_is_overfilled(crosses: bool, state: str):
    """More lots than it ever had, in the exchange's own books."""
    floor = FaultyFloor(fault("overfill", at_s=5, lots=3, state=state))
    floor.place(lots=1, crosses=crosses)

    floor.wait(6)

    assert sum(fill.lots for fill in floor.exchange.true_fills()) == 4
    assert floor.order().status is OrderStatus.FILLED
    assert [order for order in floor.exchange.open_orders() if order.terms.client_id == 1] == []
    assert floor.client.take(STATUS)[-1][2:5] == ["Filled", "4", "0"]


def test_the_nightly_restart_drops_everybody_and_rolls_ids_back():
    """New connections are refused for a while; orders work on."""
    floor = FaultyFloor(fault("nightly_restart", at_s=5, duration_s=30.0))
    floor.place(12)
    floor.wait(6)

    refused = floor.core.connect()
    floor.wait(30)
    greeting = floor.reconnect().greeting

    assert refused.closed
    assert [fields[2] for fields in greeting if fields[0] == "9"] == ["1"]
    assert floor.order(12).status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(("cancels", "status"), [(True, OrderStatus.SUBMITTED), (False, OrderStatus.CANCELLED)])
def test_a_read_only_account_refuses_orders(cancels: bool, status: OrderStatus):
    """With 321, and cancels too if wanted."""
    floor = FaultyFloor(fault("read_only", at_s=5, duration_s=10.0, cancels=cancels))
    floor.place(1)
    floor.wait(6)
    floor.client.take()

    floor.place(2)
    floor.cancel(1)
    refused = floor.said()
    floor.wait(10)
    floor.place(3)

    assert refused[0] == "321"
    assert floor.exchange.order(1, 2) is None
    assert floor.order(1).status is status
    assert floor.said() == ACCEPTED


def ticks(floor: FaultyFloor) -> dict[str, str]:
    """Last price of each tick type that came."""
    return {fields[3]: fields[4] for fields in floor.client.take("1")}


@pytest.mark.parametrize("kind", ["quotes_frozen", "quotes_empty", "quotes_crossed", "quotes_delayed"])
def test_quotes_go_wrong_and_are_whole_again_at_the_end(kind: str):
    """Frozen, -1, crossed or delayed; then the whole top."""
    floor = FaultyFloor(fault(kind, at_s=5, duration_s=60.0))
    floor.client.reqMktData(9, floor.contract, "", False, False, [])
    floor.wait(4.9)
    floor.client.take()

    floor.wait(0.2)
    first = floor.client.take()
    prices = {fields[3]: fields[4] for fields in first if fields[0] == "1"}
    floor.wait(50)
    later = ticks(floor)
    floor.wait(10)
    top = floor.exchange.top(floor.oats.con_id)
    assert top is not None
    after = ticks(floor)

    match kind:
        case "quotes_frozen":
            assert (first, later) == ([], {})
        case "quotes_empty":
            assert (prices["1"], prices["2"], later) == ("-1", "-1", {})
        case "quotes_crossed":
            assert float(prices["1"]) > float(prices["2"])
            assert later == {}
        case "quotes_delayed":
            assert ["58", "1", "9", "3"] in first
            assert {"66", "67"} <= set(later)
            assert not {"1", "2"} & set(later)
    assert (after["1"], after["2"]) == (str(top.bid), str(top.ask))


def test_a_halt_is_told_as_a_tick_and_stops_trades():
    """Orders stay as they are, and trade again afterwards."""
    floor = FaultyFloor(fault("halt", at_s=5, duration_s=60.0))
    floor.client.reqMktData(9, floor.contract, "", False, False, [])
    floor.place(1)
    floor.wait(6)
    told = floor.client.take("45")

    status = floor.order(1).status
    floor.client.take()
    top = floor.exchange.top(floor.oats.con_id)
    floor.wait(50)
    during = floor.client.take("1", "2")
    floor.wait(10)

    assert told == [["45", "6", "9", "49", "1.0"]]
    assert status is OrderStatus.SUBMITTED
    assert top is not None
    assert top.bid is None
    assert during == []
    assert floor.client.take("45") == [["45", "6", "9", "49", "0.0"]]
    top = floor.exchange.top(floor.oats.con_id)
    assert top is not None
    assert top.bid is not None
    floor.place(2, lots=1, crosses=True)
    assert floor.order(2).status is OrderStatus.FILLED


def test_a_session_breaks_and_its_orders_are_held():
    """PreSubmitted while it lasts; an order that comes meanwhile enters afterwards."""
    floor = FaultyFloor(fault("session_break", at_s=5, duration_s=60.0))
    floor.place(1)
    floor.wait(4)
    floor.client.take()

    floor.wait(2)
    told = floor.client.take(STATUS)
    floor.wait(60)

    assert [fields[2] for fields in told] == ["PreSubmitted"]
    assert floor.order(1).status is OrderStatus.SUBMITTED


def test_a_market_is_locked_at_its_limit():
    """One side is empty until the end."""
    floor = FaultyFloor(fault("limit_lock", at_s=5, duration_s=600.0, absent="SELL"))
    asks = []

    for _ in range(10):
        floor.wait(60)
        top = floor.exchange.top(floor.oats.con_id)
        assert top is not None
        asks.append((top.bid is not None, top.ask is not None))
    floor.wait(60)

    top = floor.exchange.top(floor.oats.con_id)
    assert asks == [(True, False)] * 10
    assert top is not None
    assert top.ask is not None


def test_an_order_is_held_until_later():
    """PreSubmitted and 399, out of the book; then it trades."""
    floor = FaultyFloor(fault("order_held", duration_s=60.0))

    floor.place(crosses=True, lots=1, ticks=20)
    floor.wait(50)
    held, said = floor.order().status, floor.said()
    floor.wait(20)

    assert held is OrderStatus.PRE_SUBMITTED
    assert said == [*ACCEPTED, "399"]
    assert floor.order().status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("then", "ends", "says"),
    [
        ("submitted", OrderStatus.SUBMITTED, ACCEPTED),
        ("cancelled", OrderStatus.CANCELLED, ["202", STATUS]),
        ("filled", OrderStatus.FILLED, [EXECUTION, COMMISSION, *ACCEPTED]),
    ],
)
def test_an_order_that_is_called_inactive_is_not_dead(then: str, ends: OrderStatus, says: list[str]):
    """It is out of the book, still open, and then works again, is cancelled, or filled."""
    floor = FaultyFloor(fault("order_inactive", at_s=5, duration_s=20.0, then=then))
    floor.place()
    floor.client.take()

    floor.wait(10)
    told = floor.client.take(STATUS)
    aside = floor.order()
    listed = [order.perm_id for order in floor.exchange.open_orders()]
    floor.wait(20)

    assert [fields[2] for fields in told] == ["Inactive"]
    assert (aside.status, aside.remaining_lots) == (OrderStatus.INACTIVE, aside.terms.lots)
    assert listed == [aside.perm_id]
    assert floor.order().status is ends
    assert floor.said()[: len(says)] == says
    assert floor.struck() == [("order_inactive", ("submitted",))]


def test_an_inactive_order_trades_with_nobody_and_can_be_cancelled():
    """Its price crosses the market's after a modify, and yet it is not filled; a cancel ends it."""
    floor = FaultyFloor(fault("order_inactive", at_s=5, duration_s=60.0))
    floor.place()
    floor.wait(10)

    floor.place(crosses=True, ticks=20)
    floor.wait(10)
    aside = floor.order()
    floor.cancel()
    floor.wait(60)

    assert (aside.status, aside.filled_lots) == (OrderStatus.INACTIVE, 0)
    assert floor.order().status is OrderStatus.CANCELLED
