"""What the checker knows when it looks: one life of the desk, and what holds over all of its lives."""

import contextlib
import json
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import OrderState
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.sim.exchange import Exchange
from tests.simulation.feeds import Feeds
from tests.simulation.truth import Mark, PlaceFrame, Truth

NS_PER_S = 1_000_000_000
WIRE_MARGIN_S = 1.1
PAUSING = (ev.ParentSubmitted, ev.ParentPaused, ev.ParentInterrupted, ev.ParentResumed)
"""Events that say from when on a parent's schedule counts, and by how much it has moved."""


class Before(NamedTuple):
    """Of one order, what it was before the event that is looked at."""

    state: OrderState | None
    booked_lots: int


NOTHING = Before(None, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A reservation that the disk has: row, action, time, and the verdicts that were written with it."""

    seq: int
    action: str
    time_ns: int
    parent_id: str
    slice_number: int
    quote: dict[str, Any] | None


@dataclass(slots=True, kw_only=True)
class Life:
    """One life of the desk, from the opening of the journal to its close or to the death of the process."""

    manager: Any
    ledger: Ledger
    journal: Any
    broker: Any
    limits: Any
    own_prefix: str
    before: dict[str, Before] = field(default_factory=dict)
    families: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    cancels_owed: dict[str, float] = field(default_factory=dict)  # by orderRef, loop seconds of the asking
    fees_told: set[str] = field(default_factory=set)  # execution ids of the reports of fees that arrived
    reconciled: bool = False  # since the connection last changed, by the events alone

    @classmethod
    def of(cls, manager: Any, *, rooms: Mapping[str, Any]) -> Self:
        """The life of a manager and the rooms it was given."""
        return cls(
            manager=manager,
            ledger=manager.ledger,
            journal=rooms["journal"],
            broker=rooms["broker"],
            limits=rooms["gate"].limits,
            own_prefix=rooms["journal"].order_ref_prefix,
        )

    @property
    def is_at_work(self) -> bool:
        """Whether any parent is not over."""
        return any(not parent.status.is_over for parent in self.ledger.parents.values())

    @property
    def only_takes_down(self) -> bool:
        """Whether its desk closes and is past its cancels: what still comes in is kept, nothing is done about it."""
        return bool(self.manager._closing)

    def remember(self, record: OrderRecord) -> None:
        """Take an order's state down for the next look."""
        self.before[record.order_ref] = Before(record.state, record.booked_lots)

    def book(self, event: ev.ExecutionReported) -> None:
        """Book a fill with our own few lines: the highest revision of a family counts."""
        family, _, revision = event.exec_id.rpartition(".")
        known = self.families.setdefault(event.order_ref, {})
        if known.get(family, (-1, 0))[0] < int(revision):
            known[family] = (int(revision), event.lots)

    def own_booking(self, order_ref: str) -> int:
        """Lots of an order by our own few lines."""
        return sum(lots for _, lots in self.families.get(order_ref, {}).values())


class Facts:
    """Everything a rule may look at.

    Attributes
    ----------
    truth
        The exchange's account.
    life
        The present life; None between two.
    placed
        The first place frame of each orderRef, over all lives.
    latest
        The last place or modify frame of each orderRef.
    feeds
        The quotes of the present connection, by the wire alone.
    names
        OrderRef by (client id, order id), over all lives.
    frame_times
        Loop seconds of the frames of the last second.
    lost_since_s
        Loop seconds since which a direction of the present connection was seen to be lost; None where none is.
    held
        OrderRefs that were open when their parent was paused or interrupted.
    tripped
        Breakers that no person has re-armed, by name and contract, over all lives.
    marks
        By row of the journal, how much had happened at the exchange when it was written.
    """

    def __init__(self, truth: Truth, *, exchange: Exchange) -> None:
        self.truth = truth
        self.exchange = exchange
        self.life: Life | None = None
        self.placed: dict[str, PlaceFrame] = {}
        self.placed_in_this_life: set[str] = set()
        self.latest: dict[str, PlaceFrame] = {}
        self.feeds = Feeds()
        self.names: dict[tuple[int, int], str] = {}
        self.frame_times: deque[float] = deque()
        self.now_s = 0.0
        self.now_ns = 0  # by the gateway
        self.desk_now_ns = 0  # by the desk's own clock
        self.killed = False
        self.presses = 0
        self.press_stands = False
        self.tripped: dict[tuple[str, int | None], ev.BreakerTripped] = {}
        self.line_up = False
        self.servers_lost = False
        self.last_heard_s = 0.0
        self.lost_since_s: float | None = None
        self.held: set[str] = set()
        self.marks: dict[int, Mark] = {}
        self.begins_ns: dict[str, int] = {}
        self.shift_ns: dict[str, int] = {}
        self.paused_since: dict[str, int] = {}
        self._refs: dict[str, list[str]] = {}
        self._intents: dict[str, list[Intent]] = {}
        self._verdicts: dict[tuple[str, int, str, int], tuple[int, bool]] = {}
        self._reserved: set[tuple[int, int]] = set()
        self._read_events = 0
        self._read_decisions = 0

    # What a person has pressed

    def press(self) -> None:
        """Somebody kills."""
        self.presses += 1
        self.press_stands = True

    def lift(self, seen: int) -> None:
        """A re-arming has succeeded that was asked for after so many presses."""
        self.press_stands = self.press_stands and self.presses != seen

    # What the disk has

    def take_intent(self, content_hash: str) -> Intent | None:
        """Use up the oldest durable reservation of a content; None where the disk has none left."""
        self._read_disk()
        waiting = self._intents.get(content_hash)
        return waiting.pop(0) if waiting else None

    def is_reserved(self, client_id: int, order_id: int) -> bool:
        """Whether the disk has a reservation with this id: after a crash nobody knows whether it was sent."""
        self._read_disk()
        return (client_id, order_id) in self._reserved

    def verdict_of(self, intent: Intent) -> tuple[int, bool]:
        """How many checks were written for an intent, and whether all passed."""
        return self._verdicts.get((intent.parent_id, intent.slice_number, intent.action, intent.time_ns), (0, False))

    def _read_disk(self) -> None:
        if self.life is None:
            return
        for row in rows_after(self.life.journal, "events", self._read_events, kind="ChildReserved"):
            seq, _, _, parent_id, _, payload = row[:6]
            self._read_events = seq
            told = json.loads(payload)
            intent = Intent(
                seq=seq,
                action=told["action"],
                time_ns=told["time_ns"],
                parent_id=parent_id,
                slice_number=told["child"]["slice"],
                quote=told["quote"],
            )
            self._intents.setdefault(told["content_hash"], []).append(intent)
            self._reserved.add((told["client_id"], told["child"]["order_id"]))
        for row in rows_after(self.life.journal, "decisions", self._read_decisions):
            seq, time_ns, parent_id, slice_number, action, _, allowed = row[:7]
            self._read_decisions = seq
            key = (parent_id, slice_number or 0, action, time_ns)
            count, passed = self._verdicts.get(key, (0, True))
            self._verdicts[key] = (count + 1, passed and bool(allowed))

    # Exposure

    def may_fill(self, order_ref: str) -> int:
        """Lots of an order that may still fill in truth: live at the exchange, or on a way that may end there."""
        known = self.truth.orders.get(order_ref)
        if known is not None and known.views:
            return known.leaves
        frame = self.placed.get(order_ref)
        if frame is None:
            return 0
        expires_ns = frame.expires_ns or 0
        # A desk that opened on a false time has no other by which it could know better of what an earlier one sent.
        if self.truth.holds_back(frame.client_id, frame.order_id) and order_ref in self.placed_in_this_life:
            return (frame.lots or 0) if expires_ns > self.now_ns else 0
        # An expiry is written by the desk's clock, which a gateway that told a false time has led astray. A frame that
        # no order came of by then, and that the gateway does not hold back, was lost.
        return (frame.lots or 0) if expires_ns > max(self.now_ns, self.desk_now_ns) else 0

    def parent_lots(self, parent_id: str) -> int | None:
        """Lots ordered."""
        parent = self.life.ledger.parents.get(parent_id) if self.life is not None else None
        return None if parent is None else parent.plan.parent.lots

    def refs_of(self, parent_id: str) -> list[str]:
        """OrderRefs of a parent that were ever sent as new."""
        return self._refs.get(parent_id, [])

    def positions(self) -> dict[int, int]:
        """Signed lots of the account by contract, by the exchange."""
        return {position.con_id: position.lots for position in self.exchange.positions()}

    def shift_of(self, parent_id: str) -> int:
        """Nanoseconds by which pauses have moved a parent's schedule."""
        return self.shift_ns.get(parent_id, 0)

    def forget_pauses(self) -> None:
        """Know nothing of pauses any more."""
        self.begins_ns.clear()
        self.shift_ns.clear()
        self.paused_since.clear()

    def note_pause(self, event: ev.Event) -> None:
        """Take in what an event says of a parent's pauses."""
        match event:
            case ev.ParentSubmitted():
                # The id may be that of a parent which a crash forgot before anything of it was sent.
                self.begins_ns[event.parent_id] = event.plan.begins_ns(event.time_ns)
                self.shift_ns.pop(event.parent_id, None)
                self.paused_since.pop(event.parent_id, None)
            case ev.ParentPaused():
                self.paused_since.setdefault(event.parent_id, event.time_ns)
            case ev.ParentInterrupted():
                self.paused_since.setdefault(event.parent_id, event.since_ns)
            case ev.ParentResumed() if event.parent_id in self.paused_since:
                # A pause before the start of a parent that begins later moves nothing.
                since_ns = max(self.paused_since.pop(event.parent_id), self.begins_ns.get(event.parent_id, 0))
                shift_ns = max(0, event.time_ns - since_ns)
                self.shift_ns[event.parent_id] = self.shift_of(event.parent_id) + shift_ns

    def note_loss(self) -> None:
        """Look whether what one side of the present connection says is heard by the other."""
        if not (self.line_up and self.truth.is_line_lost):
            self.lost_since_s = None
        elif self.lost_since_s is None:
            self.lost_since_s = self.now_s

    def mark(self) -> None:
        """Note how far the exchange is as a row of the journal is written; one that a crash loses is replaced."""
        seq = self.life.journal._writer._last_seq if self.life is not None else 0
        self.marks[seq] = Mark(len(self.truth.log), self.now_ns, self.desk_now_ns)

    def note_place(self, frame: PlaceFrame) -> None:
        """Take a place or modify down, after the rules have seen it."""
        self.placed_in_this_life.add(frame.order_ref)
        if frame.order_ref not in self.placed:
            self.placed[frame.order_ref] = frame
            self._refs.setdefault(frame.parent_id, []).append(frame.order_ref)
        self.latest[frame.order_ref] = frame
        self.names.setdefault((frame.client_id, frame.order_id), frame.order_ref)


def rows_after(journal: Any, table: str, seq: int, *, kind: str | None = None) -> Iterator[tuple[Any, ...]]:
    """Rows that are in the database, and so durable: what is pending in memory is not among them."""
    writing: sqlite3.Connection = journal._connection
    if journal.path == ":memory:" and writing.in_transaction:
        return iter(())
    where = "seq > ?" if kind is None else "seq > ? AND kind = ?"
    values = (seq,) if kind is None else (seq, kind)
    with contextlib.ExitStack() as closing:
        reading = writing
        if journal.path != ":memory:":  # the desk's own connection may be the one that a broken disk breaks off
            reading = sqlite3.connect(f"{journal.path.absolute().as_uri()}?mode=ro", uri=True)
            closing.callback(reading.close)
        return iter(reading.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY seq", values).fetchall())  # noqa: S608
