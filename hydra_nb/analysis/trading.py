"""What became of parents, slices and fills, folded in bulk from the fields that the frames show.

A journal of years holds hundreds of thousands of events. The frames of executions, slices and fills need few of their
fields, and neither events nor orders of the ledger; so this fold reads those alone. It follows the rules of the ledger
and of the events themselves, and a test holds it against a fold of the events on simulated sessions with faults.
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import nan
from typing import Any, Final, NamedTuple

from hydra_nb.analysis.pauses import Pauses
from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote, mid_of
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.journal import JournalReading
from hydra_nb.journal.collector import without_collector
from hydra_nb.journal.fields import ReadFields, fields_of, whole_of

UNKNOWN_NS: Final = -(2**63)
"""An unknown time among whole numbers; numpy's NaT."""

_READS: Mapping[type[ev.Event], ReadFields] = {
    ev.ParentSubmitted: whole_of(ev.ParentSubmitted),
    ev.ParentRefused: fields_of(ev.ParentRefused, "parent_id"),
    ev.ParentFinished: fields_of(ev.ParentFinished, "time_ns", "parent_id", "status"),
    ev.ParentPaused: fields_of(ev.ParentPaused, "time_ns", "parent_id"),
    ev.ParentResumed: fields_of(ev.ParentResumed, "time_ns", "parent_id"),
    ev.ParentInterrupted: fields_of(ev.ParentInterrupted, "parent_id", "since_ns"),
    ev.SliceDelayed: fields_of(ev.SliceDelayed, "parent_id", "slice", "late_ns"),
    ev.SliceFinished: fields_of(ev.SliceFinished, "time_ns", "parent_id", "slice", "carried_lots", "status", "reason"),
    ev.ChildReserved: fields_of(
        ev.ChildReserved,
        "action",
        "child.order_ref",
        "child.parent_id",
        "child.slice",
        "child.contract",
        "child.side",
        "child.limit_price",
        "child.expires_ns",
        "child.stage",
        "quote.bid",
        "quote.bid_size",
        "quote.ask",
        "quote.ask_size",
        "predicted_slippage",
        "predictor_version",
    ),
    ev.ChildSent: fields_of(ev.ChildSent, "time_ns", "order_ref", "action"),
    ev.SendFailed: fields_of(ev.SendFailed, "order_ref"),
    ev.CancelRequested: fields_of(ev.CancelRequested, "order_ref"),
    ev.ExecutionReported: fields_of(
        ev.ExecutionReported,
        "time_ns",
        "order_ref",
        "family",
        "revision",
        "lots",
        "price",
        "executed_ns",
        "quote.bid",
        "quote.ask",
    ),
    ev.CommissionReported: fields_of(ev.CommissionReported, "exec_id", "commission"),
}

decimal_of = lru_cache(maxsize=100_000)(Decimal)
"""A decimal of its text; few prices come again and again."""


class Terms(NamedTuple):
    """Terms of a place or a modify as they were gated, numbers as their text; the quote is what the gate saw."""

    parent_id: str
    slice: int
    contract: FutureContract
    side: str
    stage: str
    bid: str | None
    bid_size: str | None
    ask: str | None
    ask_size: str | None
    predicted_slippage: str | None
    predictor_version: str | None

    @property
    def order_mid(self) -> Decimal | None:
        """Mid that the gate saw."""
        if self.bid is None or self.bid_size is None or self.ask is None or self.ask_size is None:
            return None
        return mid_of(decimal_of(self.bid), int(self.bid_size), decimal_of(self.ask), int(self.ask_size))


@dataclass(slots=True)
class _Order:
    """A child order; terms are places among all terms.

    What is booked are its fills; `strays` holds revision and lots, by execution family, of what is no fill of it:
    booked where nothing was known to be sent, or named by another order first.
    """

    parent_id: str
    slice: int
    reserved: int | None = None  # gated, not known to be sent
    in_force: int | None = None  # gated and sent
    sent_ns: int = UNKNOWN_NS
    strays: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class SliceFacts:
    """What became of one slice; the fields are those of the ledger's `SliceRecord`."""

    number: int
    status: SliceStatus = SliceStatus.PLANNED
    filled_lots: int = 0
    carried_lots: int = 0
    stage: str | None = None
    expires_ns: int | None = None
    sent_ns: int | None = None
    done_ns: int | None = None
    messages: int = 0
    reason: str = ""


@dataclass(slots=True)
class ParentFacts:
    """What became of one parent; the fields are those of the ledger's `ParentRecord`, `quote` is that of arrival."""

    parent_id: str
    plan: ExecutionPlan
    submitted_ns: int
    quote: Quote | None
    arrival_mid: Decimal | None
    slices: tuple[SliceFacts, ...]
    status: ParentStatus = ParentStatus.SCHEDULED
    finished_ns: int | None = None
    filled_lots: int = 0
    has_orders: bool = False


@dataclass(slots=True)
class Fills:
    """Execution families of own orders in the order of their first report, by column; busts, of zero lots, among them.

    `received_ns`, `bids` and `asks` are of the first report, `executed_ns`, `lots` and `prices` of the highest
    revision; `terms` is the place, among all terms, of those in force at the first report, `orders` whose they are, and
    `sent_ns` when that was placed. `places` finds a family, `by_parent` those of a parent.
    """

    families: list[str] = field(default_factory=list)
    orders: list[_Order] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    by_parent: dict[str, list[int]] = field(default_factory=dict)
    revisions: list[int] = field(default_factory=list)
    prices: list[str] = field(default_factory=list)
    received_ns: "array[int]" = field(default_factory=lambda: array("q"))
    executed_ns: "array[int]" = field(default_factory=lambda: array("q"))
    sent_ns: "array[int]" = field(default_factory=lambda: array("q"))
    lots: "array[int]" = field(default_factory=lambda: array("q"))
    terms: "array[int]" = field(default_factory=lambda: array("q"))
    bids: "array[float]" = field(default_factory=lambda: array("d"))
    asks: "array[float]" = field(default_factory=lambda: array("d"))


class Trading:
    """Fold of a journal for executions, slices and fills; `catch_up` carries it on as the journal grows.

    Attributes
    ----------
    parents
        By id, in order of submission.
    fills
        By column.
    terms
        All that were gated, in order.
    fees
        Commission of the highest revision, as text, by execution family.
    limits
        Limit price last gated, as text, by parent, slice and stage.
    pauses
        Of all parents.
    """

    def __init__(self, reader: JournalReading) -> None:
        self.parents: dict[str, ParentFacts] = {}
        self.fills = Fills()
        self.terms: list[Terms] = []
        self.fees: dict[str, str] = {}
        self.limits: dict[tuple[str, int, str], str] = {}
        self.pauses = Pauses()
        self._reader = reader
        self._orders: dict[str, _Order] = {}
        self._fee_revisions: dict[str, int] = {}
        self._last_seq = 0
        self._fold: dict[str, Callable[..., None]] = {
            "ParentSubmitted": self._parent_submitted,
            "ParentRefused": self._parent_refused,
            "ParentFinished": self._parent_finished,
            "ParentPaused": self._parent_paused,
            "ParentResumed": self._parent_resumed,
            "ParentInterrupted": self._parent_interrupted,
            "SliceDelayed": self._slice_delayed,
            "SliceFinished": self._slice_finished,
            "ChildReserved": self._child_reserved,
            "ChildSent": self._child_sent,
            "SendFailed": self._send_failed,
            "CancelRequested": self._cancel_requested,
            "ExecutionReported": self._executed,
            "CommissionReported": self._charged,
        }

    def catch_up(self) -> None:
        """Fold what was journalled since the last time."""
        with without_collector():
            for seq, kind, fields in self._reader.bulk.event_fields(_READS, after=self._last_seq):
                self._fold[kind](*fields)
                self._last_seq = seq

    # Parents and slices

    def _parent_submitted(self, event: ev.ParentSubmitted) -> None:
        self.parents[event.parent_id] = ParentFacts(
            parent_id=event.parent_id,
            plan=event.plan,
            submitted_ns=event.time_ns,
            quote=event.quote,
            arrival_mid=None if event.quote is None else event.quote.mid,
            slices=tuple([SliceFacts(planned.number) for planned in event.plan.slices]),
        )

    def _set_status(self, parent_id: str, status: ParentStatus) -> None:
        parent = self.parents.get(parent_id)
        if parent is not None and not parent.status.is_over:
            parent.status = status

    def _parent_refused(self, parent_id: str) -> None:
        self._set_status(parent_id, ParentStatus.REFUSED)

    def _parent_finished(self, time_ns: str, parent_id: str, status: str) -> None:
        self.pauses.finish(parent_id)
        parent = self.parents.get(parent_id)
        if parent is not None and parent.finished_ns is None:
            parent.status, parent.finished_ns = ParentStatus(status), int(time_ns)

    def _parent_paused(self, time_ns: str, parent_id: str) -> None:
        self.pauses.begin(parent_id, int(time_ns))
        self._set_status(parent_id, ParentStatus.PAUSED)

    def _parent_resumed(self, time_ns: str, parent_id: str) -> None:
        self.pauses.resume(parent_id, int(time_ns))
        parent = self.parents.get(parent_id)
        if parent is not None:
            self._set_status(parent_id, ParentStatus.WORKING if parent.has_orders else ParentStatus.SCHEDULED)

    def _parent_interrupted(self, parent_id: str, since_ns: str) -> None:
        self.pauses.begin(parent_id, int(since_ns))
        self._set_status(parent_id, ParentStatus.INTERRUPTED)

    def _slice_of(self, parent_id: str, number: int) -> SliceFacts | None:
        parent = self.parents.get(parent_id)
        return None if parent is None else parent.slices[number - 1]

    def _slice_delayed(self, parent_id: str, number: str, late_ns: str) -> None:
        one = self._slice_of(parent_id, int(number))
        if one is not None and one.done_ns is None:
            one.reason = f"{ev.delay_words(one.number, late_ns=int(late_ns))}."

    def _slice_finished(
        self, time_ns: str, parent_id: str, number: str, carried_lots: str, status: str, reason: str
    ) -> None:
        one = self._slice_of(parent_id, int(number))
        if one is not None:
            one.status, one.reason = SliceStatus(status), reason
            one.carried_lots, one.done_ns = int(carried_lots), int(time_ns)

    # Orders

    def _child_reserved(
        self,
        action: str,
        order_ref: str,
        parent_id: str,
        number: str,
        contract: FutureContract,
        side: str,
        limit_price: str,
        expires_ns: str,
        stage: str,
        *seen: Any,
    ) -> None:
        slice_number = int(number)
        order = self._orders.get(order_ref)
        if order is None:
            order = self._orders[order_ref] = _Order(parent_id, slice_number)
        elif action == Action.PLACE:
            order = self._orders[order_ref] = _Order(parent_id, slice_number, in_force=order.in_force)
        order.reserved = len(self.terms)
        self.terms.append(Terms(parent_id, slice_number, contract, side, stage, *seen))
        self.limits[parent_id, slice_number, stage] = limit_price
        parent = self.parents.get(parent_id)
        if parent is None:
            return
        parent.has_orders = True
        if parent.status is ParentStatus.SCHEDULED:
            parent.status = ParentStatus.WORKING
        one = parent.slices[slice_number - 1]
        one.status, one.stage, one.expires_ns = SliceStatus.WORKING, stage, int(expires_ns)

    def _child_sent(self, time_ns: str, order_ref: str, action: str) -> None:
        order = self._orders.get(order_ref)
        if order is None:
            return
        if order.reserved is not None:
            order.in_force, order.reserved = order.reserved, None
        if action == Action.PLACE:
            order.sent_ns = int(time_ns)
        one = self._slice_of(order.parent_id, order.slice)
        if one is not None:
            one.messages += 1
            if action == Action.PLACE and one.sent_ns is None:
                one.sent_ns = order.sent_ns

    def _send_failed(self, order_ref: str) -> None:
        order = self._orders.get(order_ref)
        if order is not None:
            order.reserved = None

    def _cancel_requested(self, order_ref: str) -> None:
        order = self._orders.get(order_ref)
        one = None if order is None else self._slice_of(order.parent_id, order.slice)
        if one is not None:
            one.messages += 1

    # Executions

    def _executed(
        self,
        time_ns: str,
        order_ref: str,
        family: str,
        revision_text: str,
        lots_text: str,
        price: str,
        executed_ns: str,
        bid: str | None,
        ask: str | None,
    ) -> None:
        order = self._orders.get(order_ref)
        if order is None:
            return
        revision, lots = int(revision_text), int(lots_text)
        fills = self.fills
        place = fills.places.get(family)
        # Where a crash came between the sending and its note, the reservation is all that is known of the terms.
        terms = order.reserved if order.in_force is None else order.in_force
        self._book(order, family, revision, lots, may_be_fill=place is not None or terms is not None)
        if place is not None:
            if revision > fills.revisions[place]:
                fills.revisions[place], fills.prices[place] = revision, price
                fills.executed_ns[place], fills.lots[place] = int(executed_ns), lots
        elif terms is not None:
            fills.places[family] = place = len(fills.families)
            fills.by_parent.setdefault(self.terms[terms].parent_id, []).append(place)
            fills.families.append(family)
            fills.orders.append(order)
            fills.revisions.append(revision)
            fills.prices.append(price)
            fills.received_ns.append(int(time_ns))
            fills.executed_ns.append(int(executed_ns))
            fills.sent_ns.append(order.sent_ns)
            fills.lots.append(lots)
            fills.terms.append(terms)
            fills.bids.append(nan if bid is None else float(bid))
            fills.asks.append(nan if ask is None else float(ask))

    def _book(self, order: _Order, family: str, revision: int, lots: int, *, may_be_fill: bool) -> None:
        """Add the lots of an execution, or what a higher revision makes of them, to slice and parent."""
        place, known = self.fills.places.get(family), order.strays.get(family)
        is_fill = may_be_fill and known is None and (place is None or self.fills.orders[place] is order)
        if is_fill and place is not None:
            known = self.fills.revisions[place], self.fills.lots[place]
        if known is not None and known[0] >= revision:
            return
        if not is_fill:
            order.strays[family] = revision, lots
        parent = self.parents.get(order.parent_id)
        if parent is not None:
            gained = lots if known is None else lots - known[1]
            parent.filled_lots += gained
            parent.slices[order.slice - 1].filled_lots += gained

    def _charged(self, exec_id: str, commission: str) -> None:
        family, _, last = exec_id.rpartition(".")
        revision = int(last) if last.isdigit() else 0
        if revision >= self._fee_revisions.get(family, revision):
            self.fees[family], self._fee_revisions[family] = commission, revision
