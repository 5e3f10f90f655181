"""A journal as it stood at the end of a day: what was told later is not there.

So the report of a day that is over says the same whenever it is made, and every frame gives the state of that evening.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import takewhile
from typing import Any

from hydra_nb.domain.events import Event
from hydra_nb.journal import DecisionRow, EventRow, JournalReading, QuoteRow
from hydra_nb.journal.fields import Fields, ReadFields
from hydra_nb.journal.rows import BulkReading


class Until:
    """The part of a journal before a moment, to be read like one.

    Parameters
    ----------
    reading
        The journal.
    until_ns
        The moment, UTC nanoseconds; what was told then is left out.
    """

    def __init__(self, reading: JournalReading, until_ns: int) -> None:
        self.account = reading.account
        self.journal_id = reading.journal_id
        self._reading = reading
        self._last_ns = until_ns - 1
        self._last_seq = reading.bulk.last_seq_before(until_ns)

    @property
    def bulk(self) -> BulkReading:
        """Itself, which reads many rows too."""
        return self

    def events(
        self, *, kinds: Collection[type[Event]] | None = None, parent_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Event]]:
        """Sequence numbers and events, in order."""
        told = self._reading.events(kinds=kinds, parent_id=parent_id, after=after)
        return takewhile(lambda one: one[0] <= self._last_seq, told)

    def event_rows(
        self, *, parent_id: str | None = None, after: int = 0, kinds: Collection[type[Event]] | None = None
    ) -> Iterator[EventRow]:
        """Rows of events as they are kept, in order."""
        told = self._reading.event_rows(parent_id=parent_id, after=after, kinds=kinds)
        return takewhile(lambda row: row.seq <= self._last_seq, told)

    def event_fields(
        self, reads: Mapping[type[Event], ReadFields], *, after: int = 0
    ) -> Iterator[tuple[int, str, Fields]]:
        """Sequence numbers, kinds and fields of events, in order."""
        return takewhile(lambda one: one[0] <= self._last_seq, self._reading.bulk.event_fields(reads, after=after))

    def decisions_rows(
        self, *, parent_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
    ) -> list[DecisionRow]:
        """Decisions of the gate, in order."""
        return self._reading.decisions_rows(parent_id=parent_id, since_ns=since_ns, until_ns=self._sooner(until_ns))

    def quotes_rows(self, *, since_ns: int | None = None, until_ns: int | None = None) -> list[QuoteRow]:
        """Quotes, in order."""
        return self._reading.quotes_rows(since_ns=since_ns, until_ns=self._sooner(until_ns))

    def quotes_chunks(
        self,
        *names: str,
        since_ns: int | None = None,
        until_ns: int | None = None,
        con_id: int | None = None,
        local_symbols: Collection[str] | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Quotes in order, many at a time: their numbers and some of their fields."""
        return self._reading.bulk.quotes_chunks(
            *names,
            since_ns=since_ns,
            until_ns=self._sooner(until_ns),
            con_id=con_id,
            local_symbols=local_symbols,
        )

    def quoted_symbols(self) -> frozenset[str]:
        """Local symbols of all quotes, those that were first quoted later among them."""
        return self._reading.bulk.quoted_symbols()

    def last_seq_before(self, time_ns: int) -> int:
        """Number of the last event before a moment; 0 where there is none."""
        return min(self._last_seq, self._reading.bulk.last_seq_before(time_ns))

    def last_time_ns(self) -> int | None:
        """When it last told of anything, UTC nanoseconds; None where it tells nothing."""
        times = [row.time_ns for row in self.event_rows(after=self._last_seq - 1)] if self._last_seq else []
        for chunk in self.quotes_chunks("time_ns", since_ns=max(times, default=None)):
            times += [time_ns for _, time_ns in chunk]
        return max(times, default=None)

    def _sooner(self, until_ns: int | None) -> int:
        return self._last_ns if until_ns is None else min(until_ns, self._last_ns)
