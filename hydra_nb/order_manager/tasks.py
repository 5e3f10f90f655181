"""Every task that is made is held, awaited, and its failure reported."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

Report = Callable[[str | None, str, Exception], None]
"""Called with the parent's id (or None), the place and the error where a task fails."""


class TaskRunner(Protocol):
    """What runs work that waits: tasks of an event loop, or a driver with an agenda of its own."""

    def start(self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None = None) -> Any:
        """Run `work` from its next turn on; gives what stands for it."""
        ...

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Run what `work` gives, for as long as its owner lives."""
        ...

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back once the present step is over."""
        ...

    async def close(self) -> None:
        """End what is left."""
        ...


class TaskKeeper:
    """Holds the tasks of one owner.

    Parameters
    ----------
    report
        Called where a task fails.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        # In the order of their beginnings, so that they end in the same order in every run.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._loop = asyncio.get_running_loop()
        self._is_closed = False

    def start(
        self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None = None
    ) -> "asyncio.Task[None]":
        """Run `work` on the owner's loop, and give its task; call from that loop only."""
        return self._begin(work, where=where, parent_id=parent_id)

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Run what `work` gives, and anew where an interrupt ended it.

        A person who interrupts a cell means the cell, but Python raises the interrupt in whatever runs at that instant.
        """

        def again(ended: "asyncio.Task[None]") -> None:
            if not ended.cancelled() and isinstance(ended.exception(), KeyboardInterrupt) and not self._is_closed:
                self.keep(work, where=where)

        self._begin(work(), where=where, parent_id=None).add_done_callback(again)

    def _begin(self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None) -> "asyncio.Task[None]":
        task = self._loop.create_task(self._guard(work, where=where, parent_id=parent_id))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        task.add_done_callback(lambda _: work.close())  # a task cancelled before its first step never awaits it
        return task

    async def _guard(self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  the edge of a task: reported, never swallowed
            self._report(parent_id, where, error)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back on the loop once the present step is over."""
        self._loop.call_soon(callback)

    async def settle(self) -> None:
        """Wait until no task is left, those included that tasks start."""
        while pending := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(pending)  # which leaves them alone where the wait is cancelled

    async def close(self) -> None:
        """Cancel what is left and wait for its end; an interrupt of the wait is raised once they are over."""
        self._is_closed = True
        try:
            await self._end_all()
        finally:  # what goes on beyond the close would meet a journal that is closed
            await self._end_all()

    async def _end_all(self) -> None:
        for task in self._tasks:
            if not task.cancelling():  # else it is at its last words already
                task.cancel()
        await self.settle()


async def wait_for_all(works: Iterable[Coroutine[Any, Any, None]], *, timeout_s: float) -> None:
    """Run works side by side until all are over or the time is; none of them goes on afterwards, even if cancelled.

    Parameters
    ----------
    works
        Coroutines; their errors are not raised.
    timeout_s
        Host seconds.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
