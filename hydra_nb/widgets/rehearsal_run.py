"""One rehearsal at a time: its task is held, and ended where nobody wants the answer any more."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor

from hydra_nb.domain.ports import PlanPort
from hydra_nb.domain.rehearsal_ports import RehearsalPort
from hydra_nb.widgets.rehearsal_pane import Shown, result

Result = tuple[RehearsalPort, Shown]
"""What came out, and how it is shown."""


class RehearsalRun:
    """Rehearses a plan beside all else; whoever waits for it owns its task, and `stop` ends it.

    Parameters
    ----------
    tell
        Called on the loop as paths come.

    Attributes
    ----------
    done, total : int
        Paths that are done, and all there are.
    """

    def __init__(self, *, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._task: asyncio.Task[Result] | None = None
        self._is_unwanted = False
        self._began_s = 0.0
        self.done = self.total = 0

    @property
    def is_running(self) -> bool:
        """Whether there is a rehearsal whose answer is wanted."""
        return self._task is not None and not self._is_unwanted

    @property
    def elapsed_s(self) -> float:
        """Seconds of the host since it began."""
        return time.monotonic() - self._began_s

    async def ended(self) -> None:
        """Wait for one that was stopped: its processes take a moment to end."""
        while self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)  # whoever ran it takes its end first

    async def run(self, plan: PlanPort, *, n: int, executor: Executor | None) -> Result | None:
        """Rehearse a plan, and give what came out; None where it was stopped. None may be under way.

        Where whoever waits is cancelled, it is ended first, with its processes.
        """
        self.done, self.total, self._began_s, self._is_unwanted = 0, n, time.monotonic(), False
        self._task = asyncio.get_running_loop().create_task(self._work(plan, n=n, executor=executor))
        try:
            found = await self._task
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if self._is_unwanted and (waiting is None or not waiting.cancelling()):
                return None
            raise
        else:
            return None if self._is_unwanted else found
        finally:
            self._task = None

    def stop(self) -> None:
        """End it, and keep nothing; its processes end within a second or two. Called again it changes nothing."""
        if self._task is not None and not self._is_unwanted:
            self._is_unwanted = True
            self._task.cancel()

    async def _work(self, plan: PlanPort, *, n: int, executor: Executor | None) -> Result:
        found = await plan.rehearse(n, executor=executor, progress=self._heard)
        return found, await asyncio.to_thread(result, found, contract=plan.parent.contract)

    def _heard(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._tell()
