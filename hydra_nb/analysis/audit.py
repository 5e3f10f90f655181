"""The life of one parent order, fact by fact, as the journal has it: for whoever has to account for it.

A life holds every event that names the parent, one of its orders or one of its executions; between the first and the
last of them (up to the end of the journal while it runs) every fact of the whole desk that concerned it: connection,
kills, reconciliations, account, clock, locks and positions of its contract; and before all of them what stood when it
began. Each check of the gate is a row of its own, in front of the event that came of it.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.analysis import columns
from hydra_nb.analysis.audit_words import UNSHOWN, decision_words, local_text, utc_text, words_of
from hydra_nb.analysis.columns import make_frame
from hydra_nb.domain import events as ev
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action
from hydra_nb.errors import InvalidOrder
from hydra_nb.journal import DecisionRow, EventRow, JournalReading
from hydra_nb.journal.reader import event_of

STANDING = (ev.ConnectionChanged, ev.Reconciled, ev.AccountReported, ev.ClockMeasured, ev.Killed, ev.Rearmed)
"""Facts whose last one before a life begins still holds in it."""

_OF_ONE_ORDER = (ev.OrderStatusReported, ev.OpenOrderReported, ev.ExecutionReported)
_OF_A_CONTRACT = frozenset({"ContractLocked", "ContractUnlocked"})  # they may name the order of another parent
_STANDING = frozenset(kind.__name__ for kind in STANDING)


@dataclass(slots=True)
class Life:
    """Where the facts of one parent are; `note` is to be told rows of events, those of the parent in order.

    Attributes
    ----------
    parents
        Ids of all parents that were noted, in order.
    first
        Number of the first row that names the parent; None before it.
    """

    parent_id: str
    parents: dict[str, None] = field(default_factory=dict)
    first: int | None = None
    _last: int = 0
    _is_over: bool = False
    _families: set[str] = field(default_factory=set)
    _fees: list[tuple[int, str]] = field(default_factory=list)
    _before: dict[str, EventRow] = field(default_factory=dict)

    def note(self, row: EventRow) -> None:
        """Take in one row; whatever says nothing of the parent is passed over."""
        if row.kind == "ParentSubmitted" and row.parent_id is not None:
            self.parents[row.parent_id] = None
        if row.parent_id == self.parent_id:
            self.first = row.seq if self.first is None else self.first
            self._last = max(self._last, row.seq)
            self._is_over = self._is_over or row.kind == "ParentFinished"
            if row.kind == "ExecutionReported":
                self._families.add(_family(row))
        elif row.kind == "CommissionReported":
            self._fees.append((row.seq, _family(row)))
        elif row.kind in _STANDING and (self.first is None or row.seq < self.first):
            self._before[row.kind] = row

    @property
    def last(self) -> int | None:
        """Number of its last row; None while it runs."""
        return max([self._last, *self.fees]) if self._is_over else None

    @property
    def fees(self) -> frozenset[int]:
        """Numbers of the rows with commissions of its executions, which name no order."""
        return frozenset(seq for seq, family in self._fees if family in self._families)

    @property
    def before(self) -> list[EventRow]:
        """What stood when it began, in order; a kill that was lifted, and its lifting, do not."""
        standing = dict(self._before)
        killed, rearmed = standing.get("Killed"), standing.pop("Rearmed", None)
        if killed is not None and rearmed is not None and killed.seq < rearmed.seq:
            del standing["Killed"]
        return sorted(standing.values(), key=lambda row: row.seq)


def _family(row: EventRow) -> str:
    """The execution that a report, or its fees, are of, whatever its revision."""
    event = event_of(row)
    return (
        event.family
        if isinstance(event, ev.ExecutionReported)
        else str(getattr(event, "exec_id", "")).rpartition(".")[0]
    )


def find_life(reading: JournalReading, parent_id: str) -> Life:
    """Find the life of a parent by the indices of a journal.

    Raises
    ------
    InvalidOrder
        The journal has no such parent; the message lists those that it has.
    """
    life = known_life(reading, parent_id)
    for row in reading.event_rows(parent_id=parent_id):
        life.note(row)
    for kind in (ev.CommissionReported, *STANDING):
        for row in reading.event_rows(kinds=[kind]):
            life.note(row)
    return life


def known_life(reading: JournalReading, parent_id: str) -> Life:
    """The life of a parent of which nothing but its being there is noted.

    Raises
    ------
    InvalidOrder
        The journal has no such parent; the message lists those that it has.
    """
    life = Life(parent_id)
    for row in reading.event_rows(kinds=[ev.ParentSubmitted]):
        life.parents[str(row.parent_id)] = None
    must_be_known(life)
    return life


def must_be_known(life: Life) -> None:
    """Raise `InvalidOrder`, with the parents that there are, where a journal has nothing of this one."""
    if life.parent_id not in life.parents:
        known = ", ".join(life.parents) or "none"
        raise InvalidOrder(f"no parent order {life.parent_id!r} in this journal; known: {known}")


def audit(reading: JournalReading, parent_id: str) -> pd.DataFrame:
    """One row a fact or a check in the life of a parent, in order; see `hydra_nb.analysis.columns`.

    Raises
    ------
    InvalidOrder
        The journal has no such parent.
    """
    life = find_life(reading, parent_id)
    return make_frame(columns.AUDIT, rows_of(reading, life, decisions=reading.decisions_rows(parent_id=parent_id)))


def rows_of(
    reading: JournalReading, life: Life, *, decisions: Iterable[DecisionRow], through: int | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a life, by the names of the columns of `AUDIT`; the account is masked in all of them.

    Parameters
    ----------
    reading
        The journal.
    life
        Whose life, and where it is.
    decisions
        The parent's own, in order.
    through
        Number of the last row to be believed; all where None.
    """
    if life.first is None or (through is not None and through < life.first):
        return
    last = min((end for end in (life.last, through) if end is not None), default=None)
    told = [(row, event_of(row)) for row in _rows_between(reading, life, last=last)]
    begin = next((event for _, event in told if isinstance(event, ev.ParentSubmitted)), None)
    if begin is None:
        return
    contract = begin.plan.parent.contract
    groups = Groups(decisions)
    account = reading.account
    telling = _Telling(life, contract=contract, account=account, masked=mask_account(account))
    before = [(row, event_of(row)) for row in life.before]
    for row, event in before:
        yield telling.event(row, event, about="before")
    for row, event in told:
        about = telling.about(row, event)
        if about is not None:
            yield from (telling.decision(one, of=row) for one in groups.of(event))
            yield telling.event(row, event, about=about)
    if through is None:
        yield from (telling.decision(one, of=None) for one in groups.left())


def _rows_between(reading: JournalReading, life: Life, *, last: int | None) -> Iterator[EventRow]:
    """Rows of a life and, among them, of the desk; what names another parent is left out unread."""
    for row in reading.event_rows(after=(life.first or 1) - 1):
        if row.parent_id in (None, life.parent_id) or row.kind in _OF_A_CONTRACT:
            yield row
        if last is not None and row.seq >= last:  # what comes behind may not even be readable
            return


class Groups:
    """The decisions of a parent, by the event that came of them.

    Newer events say which they rest on. Those of a journal that an older version wrote are found by their time.
    """

    def __init__(self, decisions: Iterable[DecisionRow]) -> None:
        self._rows = {row.seq: row for row in decisions}
        self._by_time: dict[tuple[str, int | None, int], deque[list[DecisionRow]]] = {}
        key, checks = None, set[str]()
        for row in self._rows.values():
            one = (row.action, row.slice, row.time_ns)
            groups = self._by_time.setdefault(one, deque())
            if one != key or row.check in checks:
                key, checks = one, set()
                groups.append([])
            groups[-1].append(row)
            checks.add(row.check)

    def of(self, event: ev.Event) -> list[DecisionRow]:
        """The decisions that led to an event, given once; none for most events."""
        if not isinstance(event, ev.ParentSubmitted | ev.ChildReserved | ev.ChildRefused):
            return []
        seal = event.decisions
        if seal is not None:
            found = [self._rows[seq] for seq in range(seal.first, seal.last + 1) if seq in self._rows]
        else:
            groups = self._by_time.get(_key(event))
            found = groups.popleft() if groups else []
        for row in found:
            self._rows.pop(row.seq, None)
        return found

    def left(self) -> list[DecisionRow]:
        """Decisions that no event tells of."""
        return list(self._rows.values())


def _key(event: ev.ParentSubmitted | ev.ChildReserved | ev.ChildRefused) -> tuple[str, int | None, int]:
    """What the decisions that led to an event have in common."""
    if isinstance(event, ev.ParentSubmitted):
        return Action.PARENT.value, None, event.time_ns
    number = event.child.slice if isinstance(event, ev.ChildReserved) else event.slice
    return event.action.value, number, event.time_ns


class _Telling:
    """Makes the rows of one life, and carries on what was last measured of the clock."""

    def __init__(self, life: Life, *, contract: FutureContract, account: str, masked: str) -> None:
        self._parent_id = life.parent_id
        self._fees = life.fees
        self._contract = contract
        self._zone = ZoneInfo(contract.time_zone)
        self._account, self._masked = account, masked
        self._clock: ev.ClockMeasured | None = None

    def about(self, row: EventRow, event: ev.Event) -> str | None:
        """``parent`` or ``desk`` for what belongs to the life; None for what concerns others alone."""
        if row.parent_id == self._parent_id or row.seq in self._fees:
            return "parent"
        if isinstance(event, ev.CommissionReported):
            return None
        con_id = getattr(event, "con_id", None)
        if con_id not in (None, 0):
            return "desk" if con_id == self._contract.con_id else None
        if isinstance(event, _OF_ONE_ORDER) or getattr(event, "order_ref", None):
            return None
        symbol = getattr(event, "symbol", None)
        is_ours = not symbol or symbol in (self._contract.symbol, self._contract.local_symbol)
        return "desk" if is_ours else None

    def event(self, row: EventRow, event: ev.Event, *, about: str) -> dict[str, Any]:
        """The row of an event."""
        if isinstance(event, ev.ClockMeasured):
            self._clock = event
        child = event.child if isinstance(event, ev.ChildReserved) else None
        action = getattr(event, "action", None)
        return self._row(
            seq=row.seq,
            time_ns=row.time_ns,
            kind=row.kind,
            about=about,
            slice=getattr(event, "slice", None) if child is None else child.slice,
            order_ref=row.order_ref,
            action=None if action is None else str(action),
            words=self._mask(words_of(event, self._contract)),
            facts=self._facts(row.payload),
            hash=row.hash,
        )

    def decision(self, made: DecisionRow, *, of: EventRow | None) -> dict[str, Any]:
        """The row of a check; `of` is the event that came of it."""
        return self._row(
            seq=None if of is None else of.seq,
            decision=made.seq,
            time_ns=made.time_ns,
            kind="Decision",
            about="parent",
            slice=made.slice,
            action=made.action,
            check=made.check,
            allowed=bool(made.allowed),
            observed=made.observed,
            limit=made.limit,
            unit=made.unit,
            source=made.source,
            would_pass=made.would_pass,
            words=self._mask(("" if of is not None else "No event came of it: ") + decision_words(made)),
        )

    def _row(self, *, time_ns: int, **known: Any) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(_NAMES)
        row |= {"time": time_ns, "local_time": local_text(time_ns, self._zone)}
        if self._clock is not None:
            row |= {"clock_low_s": self._clock.low_s, "clock_high_s": self._clock.high_s}
        return row | known

    def _facts(self, payload: str) -> str:
        """All fields of an event as JSON that every reader takes: what is no number is unknown."""
        fields = json.loads(payload, parse_constant=lambda _: None)
        shown = {name: value for name, value in fields.items() if name not in UNSHOWN}
        return self._mask(json.dumps(shown, ensure_ascii=False))

    def _mask(self, text: str) -> str:
        return text.replace(self._account, self._masked)


_NAMES = tuple(column.name for column in columns.AUDIT)


def as_json(row: Mapping[str, Any]) -> str:
    """A row as one JSON object on a line, in ASCII: the columns in their order, `facts` as an object.

    Times are UTC, ``time`` to the microsecond for people and ``time_ns`` whole.
    """
    time_ns = row["time"]
    facts = None if row["facts"] is None else json.loads(row["facts"])
    return json.dumps({**row, "time": utc_text(time_ns), "facts": facts, "time_ns": time_ns})
