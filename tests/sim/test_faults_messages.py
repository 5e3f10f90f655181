"""Faults of messages, on the wire of a client that does nothing to help."""

import ib_async
import pytest

from hydra_nb.sim.faults import STATES
from hydra_nb.sim.records import OrderStatus

from .faults_floor import FaultyFloor, PatientClient, S, fault

OPEN_ORDER, STATUS, EXECUTION, COMMISSION = "5", "3", "11", "59"
ACCEPTED = [OPEN_ORDER, STATUS]
FILLED_AT_ONCE = [OPEN_ORDER, STATUS, EXECUTION, COMMISSION, OPEN_ORDER, STATUS]


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
