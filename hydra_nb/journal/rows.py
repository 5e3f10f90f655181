"""Rows of a journal: what is kept of an event, of a decision and of a quote, and the hashes that guard them."""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from hydra_nb.domain.events import DecisionsSeal, Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.journal.fields import Fields, ReadFields
from hydra_nb.risk.verdict import Decision

_BETWEEN_FIELDS, _BETWEEN_ROWS = "\x1f", "\x1e"  # ASCII's own separators, which no check writes


class EventRow(NamedTuple):
    """A row of the table of events."""

    seq: int
    time_ns: int
    kind: str
    parent_id: str | None
    order_ref: str | None
    payload: str
    hash: str


class DecisionRow(NamedTuple):
    """One check of the gate; `observed`, `limit` and `would_pass` are in `unit`."""

    seq: int
    time_ns: int
    parent_id: str
    slice: int | None
    action: str
    check: str
    allowed: int
    observed: float | None
    limit: float | None
    unit: str
    message: str
    source: str
    would_pass: float | None
    transient: int


class QuoteRow(NamedTuple):
    """Top of the book as our feed showed it, in the quoted unit."""

    seq: int
    time_ns: int
    con_id: int
    local_symbol: str
    bid: float | None
    bid_size: int
    ask: float | None
    ask_size: int
    last: float | None
    last_size: int
    volume: int | None


class Pending(NamedTuple):
    """Rows of the live journal that are not committed yet, oldest first."""

    events: Sequence[EventRow] = ()
    decisions: Sequence[DecisionRow] = ()
    quotes: Sequence[QuoteRow] = ()


Row = TypeVar("Row", EventRow, DecisionRow, QuoteRow)


class BulkReading(Protocol):
    """What analysis may ask of a journal where it wants very many rows: columns, and no objects of them."""

    def event_fields(
        self, reads: Mapping[type[Event], ReadFields], *, after: int = 0
    ) -> Iterator[tuple[int, str, Fields]]:
        """Sequence numbers, kinds and fields of events, in order."""

    def quotes_chunks(
        self,
        *names: str,
        since_ns: int | None = None,
        until_ns: int | None = None,
        con_id: int | None = None,
        local_symbols: Collection[str] | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Quotes in order, many at a time: their numbers and some of their fields."""

    def quoted_symbols(self) -> frozenset[str]:
        """Local symbols of all quotes."""

    def last_seq_before(self, time_ns: int) -> int:
        """Number of the last event before a market time; 0 where there is none."""


class JournalReading(Protocol):
    """What analysis may ask of a journal, live or at rest."""

    @property
    def bulk(self) -> BulkReading:
        """The same journal, for reading very many rows."""

    @property
    def account(self) -> str:
        """The account whose journal it is."""

    @property
    def journal_id(self) -> str:
        """Name of the journal in every orderRef."""

    def events(
        self, *, kinds: Collection[type[Event]] | None = None, parent_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Event]]:
        """Sequence numbers and events, in order."""

    def event_rows(
        self, *, parent_id: str | None = None, after: int = 0, kinds: Collection[type[Event]] | None = None
    ) -> Iterator[EventRow]:
        """Rows of events as they are kept, in order."""

    def decisions_rows(
        self, *, parent_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
    ) -> list[DecisionRow]:
        """Decisions of the gate, in order."""

    def quotes_rows(self, *, since_ns: int | None = None, until_ns: int | None = None) -> list[QuoteRow]:
        """Quotes, in order."""

    def last_time_ns(self) -> int | None:
        """Market time of the newest event or quote; None in an empty journal."""


def nothing_pending() -> Pending:
    """Rows not yet committed of a journal that nobody is writing through this object: none."""
    return Pending()


def decision_rows(
    decisions: Sequence[Decision],
    *,
    first: int,
    time_ns: int,
    parent_id: str,
    slice: int | None,  # noqa: A002, the word of the desk
    action: Action,
) -> list[DecisionRow]:
    """Rows of the gate's decisions, numbered from `first`; see `Journal.append_decisions`."""
    action_name = action.value
    return [
        DecisionRow(
            seq,
            time_ns,
            parent_id,
            slice,
            action_name,
            made.check,
            int(made.allowed),
            _as_kept(made.observed),
            _as_kept(made.limit),
            made.unit,
            made.message,
            made.source,
            _as_kept(made.would_pass),
            int(made.transient),
        )
        for seq, made in enumerate(decisions, first)
    ]


def _as_kept(value: float | None) -> float | None:
    """A figure as SQLite gives it back: a float, zero without a sign, and what is no number as unknown."""
    return None if value is None or math.isnan(value) else float(value) + 0.0


def quote_row(quote: Quote, local_symbol: str, *, seq: int) -> QuoteRow:
    """Row of a quote."""
    return QuoteRow(
        seq=seq,
        time_ns=quote.time_ns,
        con_id=quote.con_id,
        local_symbol=local_symbol,
        bid=None if quote.bid is None else float(quote.bid),
        bid_size=quote.bid_size,
        ask=None if quote.ask is None else float(quote.ask),
        ask_size=quote.ask_size,
        last=None if quote.last is None else float(quote.last),
        last_size=quote.last_size,
        volume=quote.volume,
    )


def seal_of(rows: Sequence[DecisionRow]) -> DecisionsSeal:
    """What an event holds of the decisions that led to it; `rows` are theirs, at least one, in order.

    The digest is SHA-256 over all their columns, so that the chain of the events guards the decisions too.
    """
    content = _BETWEEN_ROWS.join([_BETWEEN_FIELDS.join(map(str, row)) for row in rows])
    return DecisionsSeal(first=rows[0].seq, last=rows[-1].seq, digest=hashlib.sha256(content.encode()).hexdigest())


def first_hash(*, journal_id: str, account: str) -> str:
    """What the chain begins with, so that rows of one journal do not pass in another."""
    return hashlib.sha256(f"{journal_id}|{account}".encode()).hexdigest()


def chained_hash(previous: str, row: EventRow) -> str:
    """Hash of a row: SHA-256 over the hash before it and all its other columns."""
    content = f"{previous}|{row.seq}|{row.time_ns}|{row.kind}|{row.parent_id}|{row.order_ref}|{row.payload}"
    return hashlib.sha256(content.encode()).hexdigest()
