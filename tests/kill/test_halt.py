"""The halt flag between threads: once it is set nothing leaves any more, whatever was under way."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from hydra_nb.broker.halt import HaltFlag
from hydra_nb.domain.orders import Action
from hydra_nb.errors import SendRefused
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE, CANCEL = 3, 4


def test_nothing_is_sent_after_the_flag_is_set() -> None:
    """Four threads send as fast as they can; what each sent last, it sent before `set` returned."""
    flag, sent_s = HaltFlag(), [0.0] * 4

    def send(number: int) -> None:
        deadline_s = time.monotonic() + 5
        while time.monotonic() < deadline_s:
            try:
                with flag.sending():
                    time.sleep(0.0005)  # the frame is being written
                    sent_s[number] = time.monotonic()
            except SendRefused:
                return

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    flag.set("drill", wait_s=5)
    set_s = time.monotonic()
    for thread in threads:
        thread.join()

    assert max(sent_s) <= set_s
    assert max(sent_s) > 0


def test_who_sets_it_is_not_held_up_by_a_send_that_hangs() -> None:
    """The wait is bounded; what hangs is refused at its next turn."""
    flag = HaltFlag()
    entered, leave = threading.Event(), threading.Event()

    def hang() -> None:
        with flag.sending():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=hang)
    thread.start()
    entered.wait(5)
    began_s = time.monotonic()

    flag.set("drill", wait_s=0.05)

    assert time.monotonic() - began_s < 1
    assert flag.is_set
    leave.set()
    thread.join()
    with pytest.raises(SendRefused, match="halted: drill"), flag.sending():
        pytest.fail("sent")


def test_a_flag_that_was_cleared_lets_orders_leave_again() -> None:
    """As after re-arming."""
    flag = HaltFlag()
    flag.clear(seen=flag.set("drill"))

    with flag.sending():
        sent = True

    assert sent
    assert not flag.is_set


def test_who_clears_it_clears_what_it_has_seen_only() -> None:
    """A second kill from another thread came meanwhile: it is not lifted by who knew of the first."""
    flag = HaltFlag()
    seen = flag.set("drill")
    assert flag.set("it burns") == flag.times == seen + 1

    flag.clear(seen=seen)

    assert flag.is_set


def test_places_and_modifies_ask_the_flag_and_cancels_do_not() -> None:
    """With all else in order, connection, approval and receipt, only the flag stands before the frame."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)
        room.broker.halt.set("drill")

        with pytest.raises(SendRefused, match="halted: drill"):
            await room.send(room.child(contract, price=bid - 9 * contract.tick))
        with pytest.raises(SendRefused, match="halted: drill"):
            await room.send(replace(child, limit_price=bid - 8 * contract.tick), action=Action.MODIFY)
        assert len(room.core.frames(PLACE)) == 1

        room.broker.cancel(child)
        await asyncio.sleep(1)
        assert len(room.core.frames(CANCEL)) == 1
        assert room.core.exchange.open_orders() == []

        room.broker.halt.clear(seen=1)
        await room.send(room.child(contract, price=bid - 9 * contract.tick))
        assert len(room.core.frames(PLACE)) == 2

    in_virtual_time(scenario)
