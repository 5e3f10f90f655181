"""Reading a journal: at rest, while a desk is writing it, or live with what is not committed yet."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from hydra_nb.domain.events import Event
from hydra_nb.errors import JournalTooNew, JournalUnreadable
from hydra_nb.journal.bulk import BulkReader, between, is_between, is_one_of, unreadable_event
from hydra_nb.journal.codec import decode_event
from hydra_nb.journal.rows import (
    DecisionRow,
    EventRow,
    Pending,
    QuoteRow,
    Row,
    chained_hash,
    first_hash,
    nothing_pending,
)

APPLICATION_ID = 1213813826
SCHEMA_VERSION = 1


class JournalReader(BulkReader):
    """Read-only view of a journal, made by `open`; the live journal holds one of its own.

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
        super().__init__(connection, lock=lock, pending=pending)
        with while_reading():
            meta = read_meta(connection)
        self.account = meta["account"]
        self.journal_id = meta["journal_id"]

    @classmethod
    def open(cls, path: Path | str, *, even_torn: bool = False) -> Self:
        """Open a journal for reading, also while a desk is writing it; takes no lock.

        Parameters
        ----------
        path
            The file.
        even_torn
            Open one whose end was torn off, too: what is left can be read up to there.

        Raises
        ------
        JournalUnreadable
            There is no such file, or it is no journal.
        JournalTooNew
            A later version wrote it.
        """
        return cls(connect_read_only(Path(path), even_torn=even_torn), lock=threading.Lock())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bulk(self) -> Self:
        """Itself, which reads many rows too."""
        return self

    def finished_parents(self) -> frozenset[str]:
        """Ids of the parents that ended, as far as the disk knows."""
        rows = self._fetch("SELECT parent_id FROM events WHERE kind = 'ParentFinished'")
        return frozenset(parent_id for (parent_id,) in rows)

    def events(
        self,
        *,
        kinds: Collection[type[Event]] | None = None,
        parent_id: str | None = None,
        after: int = 0,
        leave_out: Callable[[str, str | None], bool] | None = None,
    ) -> Iterator[tuple[int, Event]]:
        """Sequence numbers and events in order, with what is not committed yet.

        Parameters
        ----------
        kinds
            Classes of events; all where None.
        parent_id
            Only events that name this parent or one of its orders.
        after
            Only events after this sequence number.
        leave_out
            Told kind and parent's id of each event, before it is read, says whether to pass it over.

        Raises
        ------
        JournalUnreadable
            A row is not the event it says it is.
        """
        rows = self.event_rows(parent_id=parent_id, after=after, kinds=kinds)
        for row in rows if leave_out is None else (row for row in rows if not leave_out(row.kind, row.parent_id)):
            yield row.seq, event_of(row)

    def event_rows(
        self, *, parent_id: str | None = None, after: int = 0, kinds: Collection[type[Event]] | None = None
    ) -> Iterator[EventRow]:
        """Rows of events as they are kept, in order; see `events`."""
        names = None if kinds is None else {kind.__name__ for kind in kinds}
        conditions, values = [] if names is None else [is_one_of(names)], {"parent_id": parent_id}
        if parent_id is not None:
            conditions.append("parent_id = :parent_id")
        pending = self._pending().events
        for row in self._rows("events", EventRow, conditions=conditions, values=values, after=after, pending=pending):
            if (names is None or row.kind in names) and (parent_id is None or row.parent_id == parent_id):
                yield row

    def decisions_rows(
        self, *, parent_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
    ) -> list[DecisionRow]:
        """Decisions of the gate in order, from `since_ns` up to and including `until_ns`."""
        return list(self.each_decision(parent_id=parent_id, since_ns=since_ns, until_ns=until_ns))

    def each_decision(
        self, *, parent_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
    ) -> Iterator[DecisionRow]:
        """`decisions_rows` one by one: where one cannot be read, those before it were given."""
        conditions, values = between(since_ns, until_ns)
        if parent_id is not None:
            conditions.append("parent_id = :parent_id")
            values["parent_id"] = parent_id
        pending = [
            row
            for row in self._pending().decisions
            if (parent_id is None or row.parent_id == parent_id) and is_between(row.time_ns, since_ns, until_ns)
        ]
        return self._rows("decisions", DecisionRow, conditions=conditions, values=values, pending=pending)

    def quotes_rows(self, *, since_ns: int | None = None, until_ns: int | None = None) -> list[QuoteRow]:
        """Quotes in order, from `since_ns` up to and including `until_ns`."""
        conditions, values = between(since_ns, until_ns)
        pending = [row for row in self._pending().quotes if is_between(row.time_ns, since_ns, until_ns)]
        return list(self._rows("quotes", QuoteRow, conditions=conditions, values=values, pending=pending))

    def last_time_ns(self) -> int | None:
        """Market time of the newest event or quote; None in an empty journal."""
        times: list[int] = []
        for table in ("events", "quotes"):
            newest = self._fetch(f"SELECT time_ns FROM {table} ORDER BY seq DESC LIMIT 1")  # noqa: S608, names are our own
            times += [time_ns for (time_ns,) in newest]
        pending = self._pending()
        times += [event.time_ns for event in pending.events[-1:]] + [quote.time_ns for quote in pending.quotes[-1:]]
        return max(times, default=None)

    def pending_kill(self, *, after: int = 0) -> tuple[int, str] | None:
        """Id and reason of the newest kill request that is not settled, if it came after request `after`."""
        newest = self._fetch(
            "SELECT id, reason FROM requests"
            " WHERE kind = 'kill' AND settled = 0 AND id > :after ORDER BY id DESC LIMIT 1",
            values={"after": after},
        )
        return (newest[0][0], newest[0][1]) if newest else None

    def newest_kill(self, *, after: int) -> tuple[int, str] | None:
        """Id and reason of the newest kill request, settled or not, if it came after request `after`."""
        newest = self._fetch(
            "SELECT id, reason FROM requests WHERE kind = 'kill' AND id > :after ORDER BY id DESC LIMIT 1",
            values={"after": after},
        )
        return (newest[0][0], newest[0][1]) if newest else None

    def settled_kill(self) -> int:
        """Id of the newest kill request that was settled; 0 where none was."""
        newest = self._fetch("SELECT MAX(id) FROM requests WHERE kind = 'kill' AND settled = 1")
        return newest[0][0] or 0

    def verify(self, *note: Callable[[EventRow], None]) -> tuple[int, str]:
        """Check the whole chain of hashes; gives the last sequence number and hash.

        What was cut off at the end, or written anew with all its hashes, cannot be seen from the chain; the heads that
        were exported tell, see `hydra_nb.journal.proof`.

        Parameters
        ----------
        *note
            Each is told every row that follows from the one before, in order.

        Raises
        ------
        JournalUnreadable
            A row was changed, added or taken out; the message names it.
        """
        seq, chained = 0, first_hash(journal_id=self.journal_id, account=self.account)
        pending = self._pending().events
        for row in self._rows("events", EventRow, conditions=[], values={}, pending=pending):
            if row.seq != seq + 1:
                raise JournalUnreadable(f"the journal is broken: row {seq + 1} of its events is missing")
            seq, chained = row.seq, chained_hash(chained, row)
            if row.hash != chained:
                raise JournalUnreadable(f"the journal is broken: row {row.seq} of its events ({row.kind}) was changed")
            for tell in note:
                tell(row)
        return seq, chained

    def _rows(
        self,
        table: str,
        row_type: Callable[..., Row],
        *,
        conditions: Sequence[str],
        values: Mapping[str, Any],
        pending: Sequence[Row],
        after: int = 0,
    ) -> Iterator[Row]:
        """Rows of a table in order, the pending ones last; see `_chunks`."""
        for chunk in self._chunks(table, "*", conditions=conditions, values=values, pending=pending, after=after):
            for values_of_row in chunk:
                yield row_type(*values_of_row)
        yield from (row for row in pending if row.seq > after)

    def _fetch(self, query: str, *, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query that gives few."""
        with self._lock, while_reading():
            return self._connection.execute(query, values or {}).fetchall()


@contextlib.contextmanager
def while_reading(name: Path | str = "the journal") -> Iterator[None]:
    """Raise whatever SQLite finds wrong while reading as `JournalUnreadable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{name} cannot be read: {error}") from error


def connect_read_only(path: Path, *, even_torn: bool = False) -> sqlite3.Connection:
    """Connection that cannot write, checked to be a journal; see `JournalReader.open` for the errors."""
    if not path.is_file():
        raise JournalUnreadable(f"there is no journal at {path}")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with while_reading(path):
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    if even_torn:  # SQLite then takes a file for as long as it is; of this connection nothing is written
        connection.execute("PRAGMA writable_schema = ON")
    try:
        check_is_journal(connection, path=path)
    except JournalUnreadable:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # At rest in a folder where nothing may be written, SQLite has no place for the index of its log.
        with while_reading(path):
            connection = sqlite3.connect(f"{uri}&immutable=1", uri=True, check_same_thread=False)
        with contextlib.ExitStack() as closing:
            closing.callback(connection.close)
            check_is_journal(connection, path=path)
            closing.pop_all()
    return connection


def check_is_journal(connection: sqlite3.Connection, *, path: Path | str) -> None:
    """Raise `JournalUnreadable` or `JournalTooNew` where this version cannot read the file."""
    try:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        if application_id != APPLICATION_ID:
            raise JournalUnreadable(f"{path} is an SQLite file, but not a journal of hydra_nb")
        version = int(read_meta(connection)["schema_version"])
    except (sqlite3.DatabaseError, KeyError) as error:
        raise JournalUnreadable(f"{path} cannot be read as a journal: {error}") from error
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"journal {path} has schema version {version}; this version of hydra_nb knows {SCHEMA_VERSION}: update it"
        )


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """The table of what the journal says of itself."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def event_of(row: EventRow) -> Event:
    """The event of a row; `JournalUnreadable` where it is none that this version knows."""
    try:
        return decode_event(row.kind, row.payload)
    except ValueError as error:
        raise unreadable_event(row.seq, error) from error
