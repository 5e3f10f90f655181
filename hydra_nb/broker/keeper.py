"""Keeps the connection honest: asks the time, notices silence, and connects again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.skew import TimeReply
from hydra_nb.domain.events import TaskFailed
from hydra_nb.errors import BrokerError, NoReply, NotConnected

HEARTBEAT_S = 10.0
"""Host seconds between two time requests, and before the first attempts to connect again."""
LONGEST_WAIT_S = 30.0
"""Host seconds between two attempts, once several have failed."""
MOST_ATTEMPTS = 2_880
"""Attempts after which nobody tries any more, about a day: then a person opens the desk again."""
MISSES_TO_HANG_UP = 2
"""Time requests without an answer after which the connection counts as half open and is closed."""


class HeldTasks:
    """Tasks that are held until they end; their failures become events, and an interrupt begins them anew.

    A person who interrupts a cell means the cell, but Python raises the interrupt in whatever runs at that instant.

    Parameters
    ----------
    inbox
        Told of failures.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._tasks: dict[asyncio.Task[None], None] = {}  # in the order of their beginnings, as they end in it
        self._is_stopped = False

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Run what `work` gives; `where` names it in the event of its failure."""
        task = asyncio.get_running_loop().create_task(self._guard(work, where))
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._over(ended, work, where))

    def _over(self, ended: asyncio.Task[None], work: Callable[[], Coroutine[Any, Any, None]], where: str) -> None:
        del self._tasks[ended]
        if not ended.cancelled() and isinstance(ended.exception(), KeyboardInterrupt) and not self._is_stopped:
            self.start(work, where=where)

    async def stop(self) -> None:
        """Cancel all that run and wait for their ends; the caller's own task is left alone."""
        self._is_stopped = True
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]], where: str) -> None:
        try:
            await work()
        except NotConnected:
            return  # the loss of the connection was told already, and whoever connects again begins anew
        except Exception as error:  # noqa: BLE001  a task's edge
            failed = TaskFailed(time_ns=self._inbox.now_ns(), parent_id=None, where=where, error=repr(error))
            self._inbox.tell(failed)


class Keeper:
    """Beats as long as it runs.

    Parameters
    ----------
    inbox
        Holds the state of the link.
    is_connected
        Whether the socket is open.
    ask_time
        Asks the broker its time.
    hang_up
        Closes the socket, with a reason in words.
    connect_again
        Opens it again, and asks for all that was subscribed.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        is_connected: Callable[[], bool],
        ask_time: Callable[[], Awaitable[TimeReply]],
        hang_up: Callable[[str], Awaitable[None]],
        connect_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._inbox = inbox
        self._is_connected = is_connected
        self._ask_time = ask_time
        self._hang_up = hang_up
        self._connect_again = connect_again
        self._misses = 0
        self._attempts = 0
        self._obstacle = ""
        self._due_s: float | None = None  # of the loop; None once the beat that was due is over
        self._nap: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Beat until cancelled, or until connecting again has failed too often.

        Begun anew after an interrupt it beats when the one before would have: silence is not noticed later for it.
        """
        while self._attempts < MOST_ATTEMPTS:
            await self._rest()
            if self._is_connected():
                await self._beat()
            else:
                await self._try_again()
            self._due_s = None
        self._inbox.note(
            f"{self._attempts} attempts to connect again have failed, and no more are made: open the desk again"
        )

    def hurry(self) -> None:
        """Look after the connection now, not at the next beat."""
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)

    async def _rest(self) -> None:
        """Wait until a beat is due, or until there is a hurry."""
        loop = asyncio.get_running_loop()
        if self._due_s is None:
            self._due_s = loop.time() + wait_s(self._attempts)
        self._nap = loop.create_future()
        timer = loop.call_at(self._due_s, self.hurry)
        try:
            await self._nap
        finally:
            timer.cancel()

    async def _beat(self) -> None:
        link = self._inbox.link
        try:
            await self._ask_time()
        except NoReply as silence:
            self._misses += 1
            self._inbox.note_link(changed=link.answers(heard=False), message=str(silence))
            if self._misses >= MISSES_TO_HANG_UP:
                await self._hang_up(f"{self._misses} time requests without an answer")
        except NotConnected:
            return
        else:
            self._misses = 0
            self._inbox.note_link(changed=link.answers(heard=True), message="the gateway answers again")

    async def _try_again(self) -> None:
        self._misses = 0
        self._attempts += 1
        try:
            await self._connect_again()
        except BrokerError as error:
            if str(error) != self._obstacle:  # told once, not at every beat
                self._obstacle = str(error)
                self._inbox.note(f"cannot connect again: {error}")
        else:
            self._attempts = 0
            self._obstacle = ""


def wait_s(attempts: int) -> float:
    """Host seconds to wait after so many attempts to connect again that failed: 10, 10, 20, then 30."""
    return min(HEARTBEAT_S * max(attempts, 1), LONGEST_WAIT_S)
