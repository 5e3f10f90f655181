"""Faults of the connection, on the wire of a client that does nothing to help."""

import pytest

from hydra_nb.sim.framing import WireError
from hydra_nb.sim.records import OrderStatus

from .faults_floor import FaultyFloor, fault

OPEN_ORDER, STATUS, EXECUTION, COMMISSION = "5", "3", "11", "59"
FILLED_AT_ONCE = [OPEN_ORDER, STATUS, EXECUTION, COMMISSION, OPEN_ORDER, STATUS]


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


@pytest.mark.parametrize("listed", ["another", "one more"])
def test_the_gateway_comes_back_with_another_account(listed: str):
    """All are dropped; the right account is missing from the list, or not alone in it, until the fault ends."""
    floor = FaultyFloor(fault("wrong_account", at_s=5, duration_s=30.0, listed=listed))
    right = floor.exchange.account

    floor.wait(6)
    was_dropped = floor.client.session.was_reset
    [wrong] = [fields for fields in floor.reconnect().greeting if fields[0] == "15"]
    floor.wait(30)
    was_dropped_again = floor.client.session.was_reset
    [told] = [fields for fields in floor.reconnect().greeting if fields[0] == "15"]

    assert was_dropped
    assert was_dropped_again
    assert wrong[2] != right
    assert (right in wrong[2].split(",")) is (listed == "one more")
    assert told[2] == right
    assert floor.struck() == [("wrong_account", ("none",))]


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
