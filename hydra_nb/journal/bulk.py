"""Reading very many rows of a journal: in chunks, and of each row only what is asked for."""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from hydra_nb.domain.events import Event
from hydra_nb.errors import JournalUnreadable
from hydra_nb.journal.fields import Fields, ReadFields
from hydra_nb.journal.rows import DecisionRow, EventRow, Pending, QuoteRow, nothing_pending

_FEW_KINDS = 3  # kinds of events that are found by the index, not by reading all
_CHUNK = 2_000  # rows read at a time, so that a long journal is never held whole and the writer never waits long


class BulkReader:
    """Rows of a journal by the thousand.

    Parameters
    ----------
    connection
        Where the rows are; used under `lock` only.
    pending
        Gives the rows that are not committed yet.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        lock: threading.Lock,
        pending: Callable[[], Pending] = nothing_pending,
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._pending = pending

    def event_fields(
        self, reads: Mapping[type[Event], ReadFields], *, after: int = 0
    ) -> Iterator[tuple[int, str, Fields]]:
        """Sequence numbers, kinds and fields of events in order, with what is not committed yet.

        Parameters
        ----------
        reads
            The classes of events, and what reads the fields of each; see `hydra_nb.journal.fields`.
        after
            Only events after this sequence number.

        Raises
        ------
        JournalUnreadable
            A row is not the event it says it is.
        """
        read_of = {kind.__name__: read for kind, read in reads.items()}
        pending = self._pending().events
        conditions, what = [is_one_of(read_of)], "seq, kind, payload"
        kept = self._chunks("events", what, conditions=conditions, values={}, after=after, pending=pending)
        last = [(row.seq, row.kind, row.payload) for row in pending if row.seq > after and row.kind in read_of]
        for chunk in itertools.chain(kept, [last]):
            for seq, kind, payload in chunk:
                try:
                    fields = read_of[kind](payload)
                except ValueError as error:
                    raise unreadable_event(seq, error) from error
                yield seq, kind, fields

    def quotes_chunks(
        self,
        *names: str,
        since_ns: int | None = None,
        until_ns: int | None = None,
        con_id: int | None = None,
        local_symbols: Collection[str] | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Quotes in order, with what is not committed yet, many at a time.

        Parameters
        ----------
        *names
            Fields of `QuoteRow`, in its order, that are given of each quote after its number.
        since_ns, until_ns
            Only quotes between these, both included.
        con_id, local_symbols
            Only quotes of this contract, of these local symbols.
        """
        conditions, values = between(since_ns, until_ns)
        if con_id is not None:
            conditions.append("con_id = :con_id")
            values["con_id"] = con_id
        if local_symbols is not None:
            named = {f"symbol_{number}": symbol for number, symbol in enumerate(sorted(local_symbols))}
            conditions.append(f"local_symbol IN ({', '.join(f':{name}' for name in named)})")
            values |= named
        pending = [
            row
            for row in self._pending().quotes
            if is_between(row.time_ns, since_ns, until_ns)
            and con_id in (None, row.con_id)
            and (local_symbols is None or row.local_symbol in local_symbols)
        ]
        what = ", ".join(("seq", *names))
        yield from self._chunks("quotes", what, conditions=conditions, values=values, pending=pending)
        yield [(row.seq, *(getattr(row, name) for name in names)) for row in pending]

    def quoted_symbols(self) -> frozenset[str]:
        """Local symbols of all quotes."""
        pending = {row.local_symbol for row in self._pending().quotes}
        kept, damage = self._chunk("SELECT DISTINCT local_symbol FROM quotes", values={})
        if damage is not None:
            raise JournalUnreadable(f"a row of its quotes cannot be read: {damage}")
        return frozenset(pending | {symbol for (symbol,) in kept})

    def last_seq_before(self, time_ns: int) -> int:
        """Number of the last event before a market time, UTC nanoseconds; 0 where there is none."""
        pending = [row.seq for row in self._pending().events if row.time_ns < time_ns]
        query = "SELECT seq FROM events WHERE time_ns < :time_ns ORDER BY seq DESC LIMIT 1"
        kept, damage = self._chunk(query, values={"time_ns": time_ns})
        if damage is not None:
            raise JournalUnreadable(f"a row of its events cannot be read: {damage}")
        return max([*pending, *(seq for (seq,) in kept)], default=0)

    def _chunks(
        self,
        table: str,
        what: str,
        *,
        conditions: Sequence[str],
        values: Mapping[str, Any],
        pending: Sequence[EventRow] | Sequence[DecisionRow] | Sequence[QuoteRow],
        after: int = 0,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a table in order, many at a time, up to the first pending one; `what` begins with their number.

        `pending` was taken before the table is read, so that a row on its way to the disk is seen once: whatever
        is not pending any more is in the table, and whatever is both is taken from the pending.
        """
        before = {"before": pending[0].seq} if pending else {}
        where = " AND ".join(["seq > :after", *("seq < :before" for _ in before), *conditions])
        query = f"SELECT {what} FROM {table} WHERE {where} ORDER BY seq LIMIT {_CHUNK}"  # noqa: S608, names are our own
        seen = after
        while True:
            chunk, damage = self._chunk(query, values={**values, **before, "after": seen})
            yield chunk
            seen = chunk[-1][0] if chunk else seen
            if damage is not None:
                # Rows that were not asked for may lie between the last one read and the first that cannot be.
                which = f"a row from {seen + 1} on" if conditions else f"row {seen + 1}"
                raise JournalUnreadable(f"{which} of its {table} cannot be read: {damage}")
            if len(chunk) < _CHUNK:
                return

    def _chunk(
        self, query: str, *, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], sqlite3.DatabaseError | None]:
        """Rows of a query, and what kept the rest from being read."""
        chunk: list[tuple[Any, ...]] = []
        with self._lock:
            try:
                chunk.extend(self._connection.execute(query, values))
            except sqlite3.DatabaseError as error:
                return chunk, error
        return chunk, None


def unreadable_event(seq: int, error: ValueError) -> JournalUnreadable:
    """What is raised for a row that is no event."""
    return JournalUnreadable(f"row {seq} of the journal's events cannot be read: {error}")


def is_one_of(names: Collection[str]) -> str:
    """Condition for kinds of events."""
    quoted = ",".join(f"'{name}'" for name in sorted(names))
    # Of many kinds the index would give no order, and every chunk would be sorted anew.
    return f"{'+' if len(names) > _FEW_KINDS else ''}kind IN ({quoted})"


def between(since_ns: int | None, until_ns: int | None) -> tuple[list[str], dict[str, Any]]:
    """Conditions and values for times, both ends included."""
    conditions = ["time_ns >= :since_ns"] if since_ns is not None else []
    conditions += ["time_ns <= :until_ns"] if until_ns is not None else []
    return conditions, {"since_ns": since_ns, "until_ns": until_ns}


def is_between(time_ns: int, since_ns: int | None, until_ns: int | None) -> bool:
    """Whether a time lies between the two, both ends included."""
    return (since_ns is None or time_ns >= since_ns) and (until_ns is None or time_ns <= until_ns)
