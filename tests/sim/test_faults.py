"""Each kind of fault on the wire of a client that does nothing to help."""

from collections import Counter
from decimal import Decimal

import ib_async
import pytest

from hydra_nb.sim.faults import FAULTS, STATES, Level, illegal_pairs
from hydra_nb.sim.faults.handlers import ON_MESSAGE, ON_ORDER, ON_QUERY, ON_REQUEST, ON_START, ON_TIME
from hydra_nb.sim.framing import WireError
from hydra_nb.sim.records import OrderStatus

from .faults_floor import FaultyFloor, PatientClient, S, fault

OPEN_ORDER, STATUS, EXECUTION, COMMISSION = "5", "3", "11", "59"
ACCEPTED = [OPEN_ORDER, STATUS]
FILLED_AT_ONCE = [OPEN_ORDER, STATUS, EXECUTION, COMMISSION, OPEN_ORDER, STATUS]


def test_every_kind_of_the_table_has_one_handler_and_no_handler_is_without_a_kind():
    """The table and what is done agree."""
    handlers = Counter([*ON_TIME, *ON_START, *ON_REQUEST, *ON_MESSAGE, *ON_ORDER, *ON_QUERY])

    assert set(handlers) == set(FAULTS)
    assert set(handlers.values()) == {1}


def test_at_most_a_quarter_of_all_pairs_of_fault_and_state_is_illegal():
    """And each of those has its reason."""
    illegal = illegal_pairs()

    assert 0 < len(illegal) <= len(FAULTS) * len(STATES) / 4
    assert all(reason for _, _, reason in illegal)


def test_a_gateway_with_an_empty_script_says_what_one_without_says():
    """A fault that is not there changes nothing."""
    floor = FaultyFloor()

    floor.place(crosses=True)

    assert floor.said()[: len(FILLED_AT_ONCE)] == FILLED_AT_ONCE
    assert floor.core.fault_log == []


# The connection.


def test_segments_are_cut_anywhere_and_lose_nothing():
    """Pieces end within frames, and together they are the frames."""
    floor = FaultyFloor(fault("segments", at_s=1, duration_s=20.0, pause_s=0.2))
    floor.wait(2)
    floor.client.take()

    floor.place(crosses=True)
    said, pieces = [], []
    for _ in range(200):
        floor.wait(0.1)
        said += [fields[0] for fields in floor.client.take() if fields[0] not in {"1", "2"}]
        pieces += floor.client.pieces

    assert len(pieces) > 5
    assert said == FILLED_AT_ONCE
    assert floor.struck() == [("segments", ("none",))]


def test_a_reset_comes_in_mid_frame():
    """Half of the openOrder leaves, then the socket is gone; the order works on."""
    floor = FaultyFloor(fault("reset_mid_frame"))

    floor.place()

    data = floor.client.session.take_output()
    assert 4 < len(data) < 4 + int.from_bytes(data[:4], "big")
    assert floor.client.session.closed
    assert floor.client.session.was_reset
    assert floor.order().status is OrderStatus.SUBMITTED
    assert floor.struck() == [("reset_mid_frame", ("pending",))]


def test_a_connection_closes_after_the_order_was_read_and_before_its_answer():
    """The exchange has the order; the client hears nothing."""
    floor = FaultyFloor(fault("closed_after_read"))

    floor.place()

    assert floor.said() == []
    assert floor.client.session.closed
    assert floor.order().status is OrderStatus.SUBMITTED


def test_a_connection_closes_before_the_order_was_read():
    """The exchange never hears of it."""
    floor = FaultyFloor(fault("closed_before_read"))

    floor.place()

    assert floor.said() == []
    assert floor.client.session.closed
    assert floor.exchange.order(1, 1) is None
    assert floor.struck() == [("closed_before_read", ("pending",))]


def test_a_half_open_connection_is_mute_and_deaf_until_it_is_reset():
    """Orders sent into it are lost, and so are answers."""
    floor = FaultyFloor(fault("half_open", at_s=5, duration_s=60.0))
    floor.place()
    floor.wait(6)
    floor.client.take()

    floor.place(2)
    floor.client.reqCurrentTime()
    floor.wait(50)

    assert floor.said() == []
    assert floor.exchange.order(1, 2) is None
    assert not floor.client.session.closed
    floor.wait(10)
    assert floor.client.session.was_reset
    assert floor.struck() == [("half_open", ("submitted",))]


@pytest.mark.parametrize(
    ("direction", "is_accepted", "is_told"), [("to client", True, False), ("to gateway", False, False)]
)
def test_one_direction_is_lost(direction: str, is_accepted: bool, is_told: bool):
    """What is lost on the way in never happened; what is lost on the way out did."""
    floor = FaultyFloor(fault("one_way_loss", at_s=1, direction=direction))
    floor.wait(2)
    floor.client.take()

    floor.place()

    assert (floor.exchange.order(1, 1) is not None) == is_accepted
    assert bool(floor.said()) == is_told


def test_a_bad_length_ends_what_can_be_read():
    """The stream is garbage from there on, and is reset later."""
    floor = FaultyFloor(fault("bad_length", length=0, duration_s=10.0))

    floor.place()

    with pytest.raises(WireError):
        floor.client.take()
    floor.wait(11)
    assert floor.client.session.was_reset


def test_fields_are_cut_off_in_a_frame_that_is_whole():
    """The next message can be read again."""
    floor = FaultyFloor(fault("truncated_fields", fields=4))

    floor.place()

    first, second = floor.client.take()
    assert (first[0], len(first)) == (OPEN_ORDER, 4)
    assert (second[0], len(second)) == (STATUS, 12)


def test_a_message_that_nobody_knows():
    """Between others that are known."""
    floor = FaultyFloor(fault("unknown_message", at_s=1, message_id=777))

    floor.wait(2)

    assert "777" in floor.said()


# Messages.


def test_order_messages_come_late_and_in_order():
    """While the fault lasts."""
    floor = FaultyFloor(fault("delayed", at_s=1, duration_s=10.0, delay_s=3.0))
    floor.wait(2)
    floor.client.take()

    floor.place(crosses=True)
    at_once = floor.said()
    floor.wait(2.9)
    before = floor.said()
    floor.wait(0.2)

    assert at_once == before == []
    assert floor.said() == FILLED_AT_ONCE


def test_types_of_order_messages_overtake_each_other():
    """Each type keeps its own order."""
    floor = FaultyFloor(fault("reordered", at_s=1, duration_s=10.0, delay_s=3.0), seed=2)
    floor.wait(2)
    floor.client.take()

    floor.place(crosses=True)
    floor.wait(10)
    said = floor.said()

    assert said != FILLED_AT_ONCE
    assert sorted(said) == sorted(FILLED_AT_ONCE)


def test_a_request_is_acted_on_late_and_others_for_the_order_wait_behind_it():
    """A cancel does not overtake its order."""
    floor = FaultyFloor(fault("request_delayed", delay_s=3.0))

    floor.place()
    floor.cancel()
    floor.wait(2.9)
    before = floor.said()
    floor.wait(0.2)

    assert before == []
    assert floor.said() == [*ACCEPTED, "202", STATUS]
    assert floor.struck() == [("request_delayed", ("pending",))]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("status_twice", [OPEN_ORDER, STATUS, STATUS]), ("status_never", [OPEN_ORDER])],
)
def test_a_status_comes_twice_or_never(kind: str, said: list[str]):
    """The status that follows the openOrder."""
    floor = FaultyFloor(fault(kind))

    floor.place()

    assert floor.said() == said
    assert floor.struck() == [(kind, ("submitted",))]


def test_an_execution_comes_before_the_open_order():
    """What was held follows it."""
    floor = FaultyFloor(fault("execution_first"))

    floor.place(crosses=True, lots=1)

    assert floor.said() == [EXECUTION, OPEN_ORDER, STATUS, COMMISSION, OPEN_ORDER, STATUS]


def test_an_open_order_does_not_wait_for_ever_for_an_execution():
    """A resting order is told of in the end."""
    floor = FaultyFloor(fault("execution_first", duration_s=5.0))

    floor.place()
    before = floor.said()
    floor.wait(6)

    assert before == []
    assert floor.said() == ACCEPTED


def test_an_execution_comes_twice():
    """The same one, later."""
    floor = FaultyFloor(fault("execution_twice", delay_s=2.0))

    floor.place(crosses=True, lots=1)
    [first] = floor.client.take(EXECUTION)
    floor.wait(3)

    assert floor.client.take(EXECUTION) == [first]
    assert len(floor.exchange.executions()) == 1


def test_a_commission_comes_before_its_execution():
    """Both come, at once."""
    floor = FaultyFloor(fault("commission_first"))

    floor.place(crosses=True, lots=1)

    assert [one for one in floor.said() if one in {EXECUTION, COMMISSION}] == [COMMISSION, EXECUTION]


@pytest.mark.parametrize(("kind", "later"), [("commission_late", 1), ("commission_never", 0)])
def test_a_commission_comes_late_or_never(kind: str, later: int):
    """The execution does not wait for it."""
    floor = FaultyFloor(fault(kind))

    floor.place(crosses=True, lots=1)
    at_once = floor.said()
    floor.wait(30)

    assert EXECUTION in at_once
    assert COMMISSION not in at_once
    assert len(floor.client.take(COMMISSION)) == later


@pytest.mark.parametrize("code", [103, 104, 105, 110, 161, 201, 202, 399, 2102, 2109, 10147, 10148, 10349])
def test_an_error_is_said_of_an_order_that_goes_on_working(code: int):
    """The code is all that happens."""
    floor = FaultyFloor(fault(f"error_{code}", at_s=5, state="submitted"))
    floor.place()
    floor.client.take()

    floor.wait(6)

    assert floor.client.errors() == [(1, code)]
    assert floor.order().status is OrderStatus.SUBMITTED
    assert floor.struck() == [(f"error_{code}", ("submitted",))]


@pytest.mark.parametrize("state", [state for state in STATES if state != "none"])
def test_an_error_can_be_said_in_any_state(state: str):
    """From the moment at which the order was read to after its end."""
    delay = [fault("request_delayed", order_ref="ref-1", state=state)] if state.startswith("pending") else []
    floor = FaultyFloor(*delay, fault("error_201", state=state))

    floor.place(2, lots=1, crosses=True)
    floor.place(3, lots=50, crosses=True)
    floor.place(1)
    floor.wait(5)
    floor.place(1, ticks=1)
    floor.wait(5)
    floor.cancel(1)
    floor.wait(5)

    assert ("error_201", (state,)) in floor.struck()


@pytest.mark.parametrize(
    ("kind", "code", "has_quotes"), [("outage_1101", "1101", False), ("outage_1102", "1102", True)]
)
def test_an_outage_holds_requests_and_ends_with_or_without_subscriptions(kind: str, code: str, has_quotes: bool):
    """A cancel sent into it is acted on at its end."""
    floor = FaultyFloor(fault(kind, at_s=5, duration_s=30.0))
    floor.client.reqMktData(9, floor.contract, "", False, False, [])
    floor.place()
    floor.wait(6)
    assert "1100" in floor.said()

    floor.cancel()
    floor.wait(20)
    during = floor.client.take()
    still = floor.order().status
    floor.wait(10)
    after = floor.said()
    floor.wait(60)

    assert during == []
    assert still is OrderStatus.SUBMITTED
    assert after[:3] == [code, "202", STATUS]
    assert bool(floor.client.take("1", "2")) == has_quotes


@pytest.mark.parametrize(
    ("lost", "back"), [(2103, 2104), (2105, 2106), (2107, 2106), (2108, 2104), (2110, 2104), (2157, 2158)]
)
def test_a_farm_flaps(lost: int, back: int):
    """Lost and back, as often as wanted."""
    floor = FaultyFloor(fault("farm_flap", at_s=1, code=lost, flaps=2))

    floor.wait(20)

    assert floor.client.errors() == [(-1, lost), (-1, back)] * 2


def test_the_next_id_rolls_back_and_jumps():
    """To 1, and ahead, as the client is told when it starts."""
    floor = FaultyFloor(fault("next_id_back", at_s=1), fault("next_id_jump", at_s=1, ids=500))
    floor.place(40)
    floor.wait(2)

    first = floor.reconnect().greeting
    second = floor.reconnect().greeting

    assert [fields[2] for fields in (*first, *second) if fields[0] == "9"] == ["1", "501"]


def test_a_client_id_is_said_to_be_in_use():
    """And the connection closed; the next start is let in."""
    floor = FaultyFloor(fault("client_id_in_use", at_s=1))
    floor.wait(2)
    floor.core.disconnect(floor.client.session)

    refused = PatientClient(floor.core, client_id=1)
    taken = PatientClient(floor.core, client_id=1)

    assert [fields[3] for fields in refused.greeting] == ["326"]
    assert refused.session.closed
    assert taken.greeting[0][0] == "15"


def test_executions_are_answered_without_their_end_or_cut_at_midnight():
    """Each question meets one of the faults, and then none."""
    floor = FaultyFloor(
        fault("executions_without_end", at_s=10), fault("executions_cut", at_s=20, since_midnight_s=5.0)
    )
    floor.place(crosses=True, lots=1)
    answers = []

    for _ in range(3):
        floor.wait(11)
        floor.client.take()
        floor.client.reqExecutions(5, ib_filter())
        answers.append([fields[0] for fields in floor.client.take(EXECUTION, COMMISSION, "55")])

    assert answers == [[EXECUTION, COMMISSION], ["55"], [EXECUTION, COMMISSION, "55"]]


def ib_filter() -> ib_async.ExecutionFilter:
    """A filter that lets all executions pass."""
    return ib_async.ExecutionFilter()


def test_an_open_order_is_left_out_of_the_answer():
    """The list ends as if it were whole; the next one is."""
    floor = FaultyFloor(fault("open_orders_partial"))
    floor.place(1)
    floor.place(2, ticks=1)
    floor.client.take()

    floor.client.reqOpenOrders()
    partial = floor.said()
    floor.client.reqOpenOrders()

    assert partial == [*ACCEPTED, "53"]
    assert floor.said() == [*ACCEPTED, *ACCEPTED, "53"]


def test_the_gateways_clock_jumps_and_comes_back():
    """Only what it tells; the market's time goes on."""
    floor = FaultyFloor(fault("clock_jump", at_s=1, duration_s=10.0, offset_s=-3600.0))
    off = []

    for _ in range(2):
        floor.wait(8)
        floor.client.reqCurrentTime()
        off.append(int(floor.client.take("49")[0][2]) - floor.client.now_ns // S)

    assert off == [-3600, 0]


# The venue.


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


def test_the_table_has_faults_of_every_level():
    """Connection, messages and venue."""
    assert {kind.level for kind in FAULTS.values()} == set(Level)
