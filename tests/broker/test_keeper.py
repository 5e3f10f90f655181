"""Tasks of the connection, which outlive the interrupt of a cell."""

import asyncio
import contextlib

import pytest

from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.keeper import HeldTasks
from hydra_nb.desk.clocks import LoopClock


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
