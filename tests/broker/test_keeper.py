"""Tasks of the connection, which outlive the interrupt of a cell."""

import asyncio
import contextlib

import pytest

from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.keeper import HEARTBEAT_S, HeldTasks, Keeper
from hydra_nb.broker.skew import TimeReply
from hydra_nb.desk.clocks import LoopClock
from hydra_nb.sim.loop import VirtualLoop


def test_an_interrupt_that_falls_on_the_heartbeat_does_not_end_it() -> None:
    """The person meant a cell; without the heartbeat nobody would notice a connection that is lost."""
    beats: list[int] = []
    held: list[HeldTasks] = []

    async def beat() -> None:
        for number in range(3):
            await asyncio.sleep(0.001)
            beats.append(number)
            if len(beats) == 2:
                raise KeyboardInterrupt

    async def cell() -> None:
        held.append(HeldTasks(Inbox(clock=LoopClock(asyncio.get_running_loop(), speed=1.0), client_id=1)))
        held[0].start(beat, where="keeper")
        await asyncio.sleep(0.1)

    with contextlib.closing(asyncio.new_event_loop()) as loop:
        waiting = loop.create_task(cell())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(waiting)
        loop.run_until_complete(waiting)
        loop.run_until_complete(held[0].stop())

    assert beats == [0, 1, 0, 1, 2]


def test_what_was_stopped_is_not_begun_anew() -> None:
    """An interrupt while a desk closes: the task is over for good."""
    begun: list[int] = []
    held: list[HeldTasks] = []

    async def stubborn() -> None:
        begun.append(len(begun))
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyboardInterrupt

    async def closing() -> None:
        held.append(HeldTasks(Inbox(clock=LoopClock(asyncio.get_running_loop(), speed=1.0), client_id=1)))
        held[0].start(stubborn, where="keeper")
        await asyncio.sleep(0.001)
        await held[0].stop()

    with contextlib.closing(asyncio.new_event_loop()) as loop:
        end = loop.create_task(closing())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(end)
        with contextlib.suppress(KeyboardInterrupt):
            loop.run_until_complete(end)
        loop.run_until_complete(asyncio.sleep(0.01))

    assert begun == [0]


def test_an_interrupt_in_a_beat_does_not_put_the_next_one_off() -> None:
    """Half a connection is to be noticed within two beats, however often a person presses the stop button."""
    asked_s: list[float] = []
    loop = VirtualLoop()

    async def ask_time() -> TimeReply:
        asked_s.append(loop.time())
        if len(asked_s) == 2:
            await asyncio.sleep(3)
            raise KeyboardInterrupt
        return TimeReply(server_s=0, asked_ns=0, heard_ns=0, asked_host_ns=0, heard_host_ns=0)

    async def nothing(*_words: str) -> None:
        """Nobody hangs up, nor connects."""

    async def main() -> HeldTasks:
        inbox = Inbox(clock=LoopClock(loop, speed=1.0), client_id=1)
        held = HeldTasks(inbox)
        keeper = Keeper(inbox, is_connected=lambda: True, ask_time=ask_time, hang_up=nothing, connect_again=nothing)
        held.start(keeper.run, where="keeper")
        return held

    with contextlib.closing(loop):
        held = loop.run_until_complete(main())
        waiting = loop.create_task(asyncio.sleep(3.5 * HEARTBEAT_S))
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(waiting)
        loop.run_until_complete(waiting)
        loop.run_until_complete(held.stop())

    first, interrupted, at_once, later = asked_s[:4]
    assert round(interrupted - first) == HEARTBEAT_S
    assert round(at_once - interrupted) == 3  # the time of the interrupt itself
    assert round(later - at_once) == HEARTBEAT_S
