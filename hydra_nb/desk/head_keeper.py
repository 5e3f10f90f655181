"""Has the head of each UTC day written beside the journal when the day is over, and at the end of the desk."""

import logging
from collections.abc import Callable

from hydra_nb.clock import Clock
from hydra_nb.domain.events import Event, HeadExportFailed, JournalContradicted
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import JournalError
from hydra_nb.journal import Journal
from hydra_nb.journal.heads import DAY_NS

AFTER_MIDNIGHT_S = 2.0
"""Market seconds after the turn of a UTC day until its head is written."""
HEADS_RETRY_S = 60.0
"""Market seconds between two attempts to write heads that could not be written."""
LONGEST_NAP_S = 600.0
"""Market seconds after which the clock is looked at: timers stand while the machine sleeps, and days turn."""


class HeadKeeper:
    """Sees to the heads of one journal.

    Whatever goes wrong is journalled, shown and tried again; it holds up nothing that is traded.

    Parameters
    ----------
    journal, clock
        Whose heads, and where time comes from.
    ingest
        The door for events.

    Attributes
    ----------
    trouble
        Why the heads could not be written, or how the journal contradicts them, in words; None where all is well.
    """

    def __init__(self, journal: Journal, *, clock: Clock, ingest: Callable[[Event], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._ingest = ingest
        self._failure: str | None = None

    @property
    def trouble(self) -> str | None:
        """See the class."""
        return self._failure or self._journal.contradiction

    def begin(self) -> None:
        """Tell where the journal, as it was opened, is not what was exported of it."""
        contradiction = self._journal.contradiction
        if contradiction is not None:
            logging.getLogger("hydra_nb.desk").warning("the journal is not what was exported of it: %s", contradiction)
            self._ingest(JournalContradicted(time_ns=self._clock.now_ns(), reason=contradiction))

    async def run(self) -> None:
        """Write heads whenever a day is over, those of earlier days first; until cancelled."""
        while True:
            is_done = await self._export(now_ns=self._clock.now_ns())
            day_s, gone_s = DAY_NS / NS_PER_S, self._clock.now_ns() % DAY_NS / NS_PER_S
            nap_s = day_s - gone_s + AFTER_MIDNIGHT_S if is_done else HEADS_RETRY_S
            await self._clock.sleep(min(nap_s, LONGEST_NAP_S))

    async def finish(self) -> None:
        """Write the head of the day that is not over, as nothing more comes; the closing journal tries again."""
        await self._export(now_ns=None)

    async def _export(self, *, now_ns: int | None) -> bool:
        """Write what is due; whether nothing is left to be written."""
        try:
            failure = await self._journal.export_heads(now_ns=now_ns)
        except JournalError:  # its rows come first, and that they cannot be written is told where they are
            return False
        if failure is not None and failure != self._failure:
            self._ingest(HeadExportFailed(time_ns=self._clock.now_ns(), reason=failure))
        self._failure = failure
        return failure is None
