"""Facts become durable in the background, many at a time; intents wait for their own commit."""

from collections.abc import Callable

from hydra_nb.clock import Clock
from hydra_nb.errors import JournalError
from hydra_nb.journal import JournalPort
from hydra_nb.order_manager.tasks import TaskRunner

JOURNAL_RETRY_S = 1.0
"""Market seconds between two attempts to write a journal that could not be written."""
SIGN_OF_LIFE_S = 30.0
"""Market seconds between two commits while a parent is at work and nothing else is committed."""


class Committer:
    """Commits soon after it was asked to, once for all who asked meanwhile.

    Parameters
    ----------
    on_failure
        Called after each attempt that failed, so that a person sees that nothing is sent.
    """

    def __init__(
        self, journal: JournalPort, *, clock: Clock, tasks: TaskRunner, on_failure: Callable[[], None]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._tasks = tasks
        self._on_failure = on_failure
        self._is_at_it = False

    def soon(self) -> None:
        """Commit in a task of its own, unless one is at it."""
        if not self._is_at_it:
            self._is_at_it = True
            self._tasks.start(self._commit(), where="journal")

    async def keep_up(self, is_at_work: Callable[[], bool]) -> None:
        """Commit now and then while there is work, so that the disk tells how long the process lived."""
        while True:
            await self._clock.sleep(SIGN_OF_LIFE_S)
            if is_at_work():
                self.soon()

    async def _commit(self) -> None:
        """Commit; a disk that takes nothing is asked again and again, while the gate refuses every order."""
        try:
            while not await self._committed():
                self._on_failure()
                await self._clock.sleep(JOURNAL_RETRY_S)
        finally:
            self._is_at_it = False

    async def _committed(self) -> bool:
        try:
            await self._journal.commit()
        except JournalError:
            return False
        return True
