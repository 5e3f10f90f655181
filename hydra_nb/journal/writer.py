"""Rows on their way to the disk: kept in memory, written in groups, kept on when the disk does not take them."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from hydra_nb.errors import JournalUnwritable
from hydra_nb.journal.heads import Days
from hydra_nb.journal.rows import DecisionRow, EventRow, Pending, QuoteRow, chained_hash

QUOTES_WRITTEN_AT = 500  # pending quotes that are written without waiting for another commit
QUOTES_KEPT = 20_000  # pending quotes beyond which the oldest are dropped, while the disk takes none
_INSERT = {
    "events": "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
    "decisions": "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "quotes": "INSERT INTO quotes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


class Mark(NamedTuple):
    """How far a commit reaches: the last row of each table, the last request settled, the count of all appended."""

    event: int
    decision: int
    quote: int
    settled: int
    appended: int


class Writer:
    """Appends rows to an open journal; the only one who writes through `connection`.

    Parameters
    ----------
    connection
        In autocommit mode; used under `database`, and from the worker's thread only unless `inline`.
    path
        Where the journal is, for messages.
    last_event
        Sequence number and hash of the last event there.
    inline
        Write in the calling thread.
    days
        Told each event that is appended, to know the last of each day.

    Attributes
    ----------
    database
        Held while the connection is in use.
    next_decision, next_quote
        Sequence numbers for the rows to be added next.
    healthy, failure
        False, and what went wrong, from a write that failed until one succeeds.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        path: Path | str,
        last_event: tuple[int, str],
        inline: bool,
        days: Days,
    ) -> None:
        self._connection = connection
        self._days = days
        self._path = path
        self._worker = None if inline else ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._state = threading.Lock()  # over what is pending and what is counted
        self.database = threading.Lock()
        self._events: list[EventRow] = []
        self._decisions: list[DecisionRow] = []
        self._quotes: list[QuoteRow] = []
        self._last_seq, self._last_hash = last_event
        self.next_decision = _last_seq(connection, "decisions") + 1
        self.next_quote = _last_seq(connection, "quotes") + 1
        self._settled = 0  # kill requests up to this id are settled
        self._appended = 0  # rows and marks appended since opening
        self._committed = 0  # how many of them are durable
        self._reach = Mark(0, 0, 0, 0, 0)  # how far the last commit asked for reaches
        self._in_doubt = False  # a write did not come to its end: look at what is there before the next
        self.healthy = True
        self.failure: str | None = None

    def add_event(self, *, time_ns: int, kind: str, parent_id: str | None, order_ref: str | None, payload: str) -> int:
        """Append an event and chain it to the one before; gives its sequence number."""
        with self._state:
            unhashed = EventRow(self._last_seq + 1, time_ns, kind, parent_id, order_ref, payload, "")
            self._last_seq, self._last_hash = unhashed.seq, chained_hash(self._last_hash, unhashed)
            row = EventRow(*unhashed[:-1], self._last_hash)
            self._events.append(row)
            self._days.note(row)
            self._appended += 1
            return unhashed.seq

    def add_decisions(self, rows: Sequence[DecisionRow]) -> None:
        """Append decisions, numbered from `next_decision`."""
        with self._state:
            self._decisions.extend(rows)
            self.next_decision += len(rows)
            self._appended += len(rows)

    def add_quote(self, row: QuoteRow) -> None:
        """Append a quote, numbered `next_quote`; once quotes are many they are written without anybody waiting."""
        with self._state:
            self._quotes.append(row)
            self.next_quote += 1
            self._appended += 1
            del self._quotes[:-QUOTES_KEPT]
        if row.seq % QUOTES_WRITTEN_AT == 0:
            self._write_aside()

    def settle_requests(self, through: int) -> None:
        """Mark the requests up to this id as settled, with the next commit."""
        with self._state:
            self._settled = through
            self._appended += 1

    def pending(self) -> Pending:
        """A copy of the rows that are not committed yet."""
        with self._state:
            return Pending(tuple(self._events), tuple(self._decisions), tuple(self._quotes))

    async def commit(self) -> None:
        """Make everything appended so far durable; see `Journal.commit`."""
        target = self._mark()
        if self._committed >= target:
            return
        if self._worker is None:
            self._write_through(target)
        else:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._write_through, target)

    def commit_now(self) -> None:
        """`commit`, holding up the caller."""
        target = self._mark()
        if self._worker is None:
            self._write_through(target)
        else:
            self._worker.submit(self._write_through, target).result()

    async def aside(self, work: Callable[[], None]) -> None:
        """Do something else that waits for the disk, where writes are done, after those under way."""
        if self._worker is None:
            work()
        else:
            await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def aside_now(self, work: Callable[[], None]) -> None:
        """`aside`, holding up the caller."""
        if self._worker is None:
            work()
        else:
            self._worker.submit(work).result()

    def stop(self) -> None:
        """End the worker's thread, after what it was given."""
        if self._worker is not None:
            self._worker.shutdown()

    def _mark(self) -> int:
        """Let writes reach up to here; gives the count of all appended.

        No write reaches beyond the last mark, so that what was appended in one step of the caller is never
        torn apart by a write that happens to be under way.
        """
        with self._state:
            self._reach = Mark(
                self._last_seq, self.next_decision - 1, self.next_quote - 1, self._settled, self._appended
            )
            return self._appended

    def _write_aside(self) -> None:
        """Write what is pending without anybody waiting; a failure shows in `healthy` and in the next commit."""

        def write(target: int) -> None:
            with contextlib.suppress(JournalUnwritable):
                self._write_through(target)

        if self._worker is None:
            write(self._mark())
        else:
            self._worker.submit(write, self._mark())

    def _write_through(self, target: int) -> None:
        """Write all up to the last mark in one transaction, unless an earlier write took `target` along."""
        with self.database:
            if self._committed >= target:
                return
            with self._state:
                reach = self._reach
                pending = Pending(
                    [row for row in self._events if row.seq <= reach.event],
                    [row for row in self._decisions if row.seq <= reach.decision],
                    [row for row in self._quotes if row.seq <= reach.quote],
                )
            try:
                self._transaction(pending, reach.settled)
            except (sqlite3.Error, OverflowError) as error:  # the second where a number has more than 64 bits
                self.failure = f"journal {self._path} cannot be written: {error}"
                self.healthy = False
                raise JournalUnwritable(f"{self.failure}; nothing may be sent until it can") from error
            with self._state:
                self._committed = reach.appended
                self._events = [row for row in self._events if row.seq > reach.event]
                self._decisions = [row for row in self._decisions if row.seq > reach.decision]
                self._quotes = [row for row in self._quotes if row.seq > reach.quote]
            self._in_doubt = False
            self.healthy, self.failure = True, None

    def _transaction(self, pending: Pending, settled: int) -> None:
        """Insert rows and settle requests, all or nothing.

        A write that was interrupted after its commit, or failed late, may be there already: in doubt the rows that
        are there are left out.
        """
        connection, in_doubt, self._in_doubt = self._connection, self._in_doubt, True
        try:
            connection.execute("BEGIN IMMEDIATE")
            for table, insert in _INSERT.items():
                rows: Sequence[EventRow | DecisionRow | QuoteRow] = getattr(pending, table)
                written = _last_seq(connection, table) if in_doubt else 0
                connection.executemany(insert, [row for row in rows if row.seq > written])
            if settled:
                connection.execute("UPDATE requests SET settled = 1 WHERE settled = 0 AND id <= ?", (settled,))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")


def _last_seq(connection: sqlite3.Connection, table: str) -> int:
    """The last sequence number of a table, 0 where it is empty."""
    (last,) = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {table}").fetchone()  # noqa: S608, names are our own
    return int(last)
