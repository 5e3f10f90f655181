"""The journal of one account: append-only SQLite, durable before anything is sent.

Appending costs microseconds and touches memory only. A commit writes all that is pending in one transaction, on a
thread of its own, so that the disk never holds up the event loop; commits asked for while one is under way share the
next. What could not be written stays pending and goes with the next commit: nothing that was journalled is lost while
the process lives, and nothing is sent, because no receipt is given.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from hydra_nb.domain.events import ChildReserved, DecisionsSeal, Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.errors import JournalUnreadable, JournalUnwritable, SendRefused
from hydra_nb.journal.codec import encode_event
from hydra_nb.journal.file import MEMORY, READ_ONLY_ADVICE, open_file, request_kill, take_lock
from hydra_nb.journal.heads import DAY_NS, HeadExport
from hydra_nb.journal.lock import JournalLock
from hydra_nb.journal.reader import JournalReader, connect_read_only, read_meta, while_reading
from hydra_nb.journal.rows import DecisionRow, EventRow, QuoteRow, decision_rows, quote_row, seal_of
from hydra_nb.journal.writer import Writer
from hydra_nb.risk.verdict import Decision


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """The journal's word that one intent is durable; valid once, for this very object.

    Only `Journal.seal` makes one that `Journal.redeem` accepts: the journal keeps its own table, keyed by
    identity, so that a copy or a hand-made object does not pass.
    """

    seq: int
    content_hash: str


class Journal:
    """The journal of one account, made by `open`; append from one thread only.

    Attributes
    ----------
    path
        The file, or ``":memory:"``.
    account
        The account whose journal it is.
    journal_id
        Its name in every orderRef; letters and digits.
    order_ref_prefix
        How the orderRef of each of its own orders begins.
    contradiction
        How the journal, as it was opened, differs from the heads that were exported of it; None where it does not.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, path: Path | str, lock: JournalLock | None, inline: bool
    ) -> None:
        self._connection = connection
        self._lock = lock
        meta = read_meta(connection)
        self.path = path
        self.account = meta["account"]
        self.journal_id = meta["journal_id"]
        self.order_ref_prefix = f"hy:{self.journal_id}:"
        heads = self._heads = HeadExport(path, journal_id=self.journal_id)
        try:
            reader = JournalReader(connection, lock=threading.Lock())
            last_event = reader.verify(heads.days.note, heads.comparison.note)
        except JournalUnreadable as error:
            raise JournalUnreadable(f"journal {path}: {error}; {READ_ONLY_ADVICE}") from error
        found = heads.comparison.contradiction()
        self.contradiction = None if found is None else found.message
        self._writer = Writer(connection, path=path, last_event=last_event, inline=inline, days=heads.days)
        self._reader = self._open_reader()
        self._reader_at_rest: JournalReader | None = None
        self._intents: dict[int, str] = {}  # content hash by seq, reserved and not sealed
        self._receipts: dict[int, tuple[Receipt, str]] = {}  # with what was recorded, by identity
        self._kill_seen = self._kill_settled = 0
        self._closed = False

    @classmethod
    def open(
        cls, path: Path | str, *, account: str, now_ns: int, journal_id: str | None = None, inline: bool = False
    ) -> Self:
        """Open the journal of an account, or begin one, and hold it.

        Parameters
        ----------
        path
            The file; its folder is made where it is missing. ``":memory:"`` lives as long as the object.
        account
            The account; a journal belongs to one and refuses another.
        now_ns
            Market time, UTC nanoseconds: when a new journal began.
        journal_id
            Name for a new journal, letters and digits; by default drawn from account and time. A journal that exists
            keeps its own.
        inline
            Commit in the calling thread, for virtual time.

        Raises
        ------
        JournalLocked
            Another desk holds it.
        JournalUnwritable
            The folder cannot be made, the file not written, or it lies on a network file system.
        JournalUnreadable
            The file is no journal, is torn, or was changed.
        JournalOfAnotherAccount, JournalTooNew
            As they say.
        """
        lock = None
        with contextlib.ExitStack() as undo:
            if path != MEMORY:
                path = Path(path)
                lock = take_lock(path)
                undo.callback(lock.release)
            connection = open_file(path, account=account, now_ns=now_ns, journal_id=journal_id)
            undo.callback(connection.close)
            with while_reading(path):
                journal = cls(connection, path=path, lock=lock, inline=inline)
            undo.pop_all()
        return journal

    @property
    def healthy(self) -> bool:
        """False from a write that failed until one succeeds."""
        return self._writer.healthy

    @property
    def failure(self) -> str | None:
        """What went wrong, in words; None while healthy."""
        return self._writer.failure

    # Appending: memory only

    def append(self, event: Event) -> int:
        """Take down an event; gives its sequence number. Durable with the next commit.

        Raises
        ------
        JournalUnwritable
            The journal is closed.
        """
        self._refuse_when_closed()
        payload = encode_event(event)
        order_ref: str | None = getattr(event, "order_ref", None)
        parent_id: str | None = getattr(event, "parent_id", None)
        intent = None
        if isinstance(event, ChildReserved):
            order_ref, parent_id = event.child.order_ref, event.child.parent_id
            intent = event.child.content_hash
        elif parent_id is None and order_ref is not None and order_ref.startswith(self.order_ref_prefix):
            parent_id = order_ref.split(":")[2]
        seq = self._writer.add_event(
            time_ns=event.time_ns,
            kind=type(event).__name__,
            parent_id=parent_id,
            order_ref=order_ref,
            payload=payload,
        )
        if intent is not None:
            self._intents[seq] = intent
        return seq

    def append_decisions(
        self,
        decisions: Sequence[Decision],
        *,
        time_ns: int,
        parent_id: str,
        slice: int | None,  # noqa: A002, the word of the desk
        action: Action,
    ) -> DecisionsSeal:
        """Take down the gate's decisions, at least one, on a parent, a place or a modify; `slice` None on a parent's.

        What it gives belongs into the event that follows from them: so the chain guards the decisions too.
        """
        self._refuse_when_closed()
        first = self._writer.next_decision
        rows = decision_rows(decisions, first=first, time_ns=time_ns, parent_id=parent_id, slice=slice, action=action)
        self._writer.add_decisions(rows)
        return seal_of(rows)

    def append_quote(self, quote: Quote, local_symbol: str) -> None:
        """Take down a quote for analysis. Quotes go with the next commit, or, once they are many, by themselves."""
        self._refuse_when_closed()
        self._writer.add_quote(quote_row(quote, local_symbol, seq=self._writer.next_quote))

    # Committing

    async def commit(self) -> None:
        """Make everything appended so far durable.

        Raises
        ------
        JournalUnwritable
            It could not be written; it stays pending, and `healthy` is False until a commit succeeds.
        """
        self._refuse_when_closed()
        await self._writer.commit()

    def commit_now(self) -> None:
        """`commit`, holding up the caller until the disk has it."""
        self._refuse_when_closed()
        self._writer.commit_now()

    async def seal(self, seq: int, content_hash: str) -> Receipt:
        """Make the reservation with this sequence number durable, with all before it, and give its receipt.

        Parameters
        ----------
        seq
            What `append` gave for the `ChildReserved`; sealed once.
        content_hash
            The content that the caller is about to send.

        Raises
        ------
        SendRefused
            No reservation with this number waits for its seal, or its content is another.
        JournalUnwritable
            See `commit`.
        """
        stored = self._intents.get(seq)
        if stored is None:
            raise SendRefused(f"event {seq} of the journal is no reservation that waits for its seal")
        if stored != content_hash:
            raise SendRefused(f"content {content_hash[:12]} is not what event {seq} reserved, {stored[:12]}")
        await self.commit()
        if self._intents.pop(seq, None) is None:
            raise SendRefused(f"event {seq} of the journal was sealed before")
        receipt = Receipt(seq, stored)
        self._receipts[id(receipt)] = receipt, stored
        return receipt

    def redeem(self, receipt: Receipt, content_hash: str) -> None:
        """Use up a receipt for the content that goes out now.

        Raises
        ------
        SendRefused
            The receipt is not the very object that `seal` gave, was used before, or is for another content.
        """
        kept, recorded_hash = self._receipts.pop(id(receipt), (None, ""))
        if kept is None or kept is not receipt:
            raise SendRefused("this receipt was not given by this journal, or was used before; record the order anew")
        if recorded_hash != content_hash:
            raise SendRefused(f"content {content_hash[:12]} is not what the journal recorded for this receipt")

    # The heads of its days, beside it

    async def export_heads(self, *, now_ns: int | None = None) -> str | None:
        """Write the head of each UTC day that is over at `now_ns` beside the journal, or of all days.

        Returns
        -------
        str or None
            Why the file cannot be read or written, in words; asked again, it is tried again.

        Raises
        ------
        JournalUnwritable
            Rows could not be made durable, so that there is no head of them yet.
        """
        due = self._heads.due(before=None if now_ns is None else now_ns // DAY_NS)
        if due:
            await self.commit()
            await self._writer.aside(partial(self._heads.write, due))
        return self._heads.failure

    # Reading, with what is not committed yet

    @property
    def bulk(self) -> JournalReader:
        """Its reader, for very many rows."""
        return self._reading()

    def events(
        self, *, kinds: Collection[type[Event]] | None = None, parent_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Event]]:
        """Sequence numbers and events in order; see `JournalReader.events`."""
        return self._reading().events(kinds=kinds, parent_id=parent_id, after=after)

    def event_rows(
        self, *, parent_id: str | None = None, after: int = 0, kinds: Collection[type[Event]] | None = None
    ) -> Iterator[EventRow]:
        """Rows of events as they are kept, in order; see `JournalReader.events`."""
        return self._reading().event_rows(parent_id=parent_id, after=after, kinds=kinds)

    def decisions_rows(
        self, *, parent_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
    ) -> list[DecisionRow]:
        """Decisions of the gate in order; see `JournalReader.decisions_rows`."""
        return self._reading().decisions_rows(parent_id=parent_id, since_ns=since_ns, until_ns=until_ns)

    def quotes_rows(self, *, since_ns: int | None = None, until_ns: int | None = None) -> list[QuoteRow]:
        """Quotes in order; see `JournalReader.quotes_rows`."""
        return self._reading().quotes_rows(since_ns=since_ns, until_ns=until_ns)

    def events_to_recover(self) -> tuple[frozenset[str], Iterator[Event]]:
        """Ids of the parents that are over, and all events but the timers that only their strategies would have needed.

        Refusals of theirs are among them: the breaker that counts those in a row outlives parents and processes.
        """
        reading = self._reading()
        over = reading.finished_parents()
        found = reading.events(leave_out=lambda kind, parent_id: kind == "Woke" and parent_id in over)
        return over, (event for _, event in found)

    def last_time_ns(self) -> int | None:
        """Market time of the newest event or quote; None in an empty journal."""
        return self._reading().last_time_ns()

    def verify(self) -> None:
        """Raise `JournalUnreadable`, naming the row, where the chain of hashes is broken."""
        self._reading().verify()

    # Kill requests of other processes

    @staticmethod
    def request_kill(path: Path | str, reason: str) -> int:
        """Ask the desk that holds the journal, now or next, to halt; gives the number of the request.

        Raises
        ------
        JournalUnreadable, JournalTooNew
            There is no journal at `path` that this version can read.
        JournalUnwritable
            The request could not be written.
        """
        return request_kill(Path(path), reason)

    def pending_kill(self) -> str | None:
        """Reason of a kill that another process asked for and that is not settled; to be polled.

        Raises
        ------
        JournalUnreadable
            Nobody knows whether there is one; ask again.
        """
        found = self._reading().pending_kill(after=self._kill_settled)
        if found is None:
            return None
        self._kill_seen = found[0]
        return found[1]

    def settle_kill(self) -> None:
        """Note that the desk acted on the kill last told; call it right after appending `Killed`.

        It becomes durable in the same commit, so that no crash between the two loses or repeats the kill.
        """
        self._refuse_when_closed()
        self._kill_settled = self._kill_seen
        self._writer.settle_requests(self._kill_settled)

    def close(self) -> None:
        """Write what is pending, close the file cleanly and give the lock back; harmless when repeated.

        Raises
        ------
        JournalUnwritable
            What was pending could not be written and is lost; the file is closed all the same.
        """
        if self._closed:
            return
        try:
            self._writer.commit_now()
            self._writer.aside_now(partial(self._heads.write, self._heads.due()))  # its failure loses no row
        finally:
            self._closed = True
            self._writer.stop()
            if self.path != MEMORY:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._reader.close()
                self._connection.close()
            if self._lock is not None:
                self._lock.release()

    def _open_reader(self) -> JournalReader:
        """Reader of the live journal: of a file by a connection of its own, so that it never waits for the writer."""
        if self.path == MEMORY:
            return JournalReader(self._connection, lock=self._writer.database, pending=self._writer.pending)
        connection = connect_read_only(Path(self.path))
        return JournalReader(connection, lock=threading.Lock(), pending=self._writer.pending)

    def _reading(self) -> JournalReader:
        """The reader; after closing one of the file at rest, made when first asked for."""
        if self._closed and self.path != MEMORY and self._reader_at_rest is None:
            self._reader_at_rest = JournalReader.open(self.path)
        return self._reader_at_rest or self._reader

    def _refuse_when_closed(self) -> None:
        """Nothing can be taken down any more once the file is closed."""
        if self._closed:
            raise JournalUnwritable(f"journal {self.path} is closed")
