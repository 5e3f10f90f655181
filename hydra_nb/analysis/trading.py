"""What became of parents, slices and fills, folded in bulk from the fields that the frames show.

A journal of years holds hundreds of thousands of events. The frames of executions, slices and fills need few of their
fields, and neither events nor orders of the ledger; so this fold reads those alone. It follows the rules of the ledger
and of the events themselves, and a test holds it against a fold of the events on simulated sessions with faults.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import nan
from typing import ClassVar

from hydra_nb.analysis.pauses import Pauses
from hydra_nb.analysis.trading_facts import (
    Fills,
    OrderFacts,
    ParentFacts,
    SliceFacts,
    Terms,
    decimals_of,
)
from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import mid_of
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus
from hydra_nb.journal import JournalReading
from hydra_nb.journal.collector import without_collector
from hydra_nb.journal.fields import ReadFields, fields_of, whole_of

_READS: Mapping[type[ev.Event], ReadFields] = {
    ev.ParentSubmitted: whole_of(ev.ParentSubmitted),
    ev.ParentBegan: whole_of(ev.ParentBegan),
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
        self._orders: dict[str, OrderFacts] = {}
        self._fee_revisions: dict[str, int] = {}
        self._last_seq = 0

    def catch_up(self) -> None:
        """Fold what was journalled since the last time."""
        with without_collector():
            for seq, kind, fields in self._reader.bulk.event_fields(_READS, after=self._last_seq):
                self._FOLD[kind](self, *fields)
                self._last_seq = seq

    # Parents and slices

    def _parent_submitted(self, event: ev.ParentSubmitted) -> None:
        begins_later = event.plan.begins_ns(event.time_ns) > event.time_ns
        self.parents[event.parent_id] = ParentFacts(
            parent_id=event.parent_id,
            plan=event.plan,
            submitted_ns=event.time_ns,
            quote=event.quote,
            arrival_mid=None if event.quote is None or begins_later else event.quote.mid,
            began_ns=None if begins_later else event.time_ns,
            slices=tuple([SliceFacts(planned.number) for planned in event.plan.slices]),
        )

    def _parent_began(self, event: ev.ParentBegan) -> None:
        parent = self.parents.get(event.parent_id)
        if parent is None:
            return
        parent.quote = event.quote
        if not parent.status.is_over:
            parent.began_ns = event.time_ns
            parent.arrival_mid = None if event.quote is None else event.quote.mid

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
        parent = self.parents.get(parent_id)
        self.pauses.resume(parent_id, int(time_ns), begins_ns=0 if parent is None else parent.begins_ns)
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
        bid: str | None,
        bid_size: str | None,
        ask: str | None,
        ask_size: str | None,
        predicted_slippage: str | None,
        predictor_version: str | None,
    ) -> None:
        slice_number = int(number)
        order = self._orders.get(order_ref)
        if order is None:
            order = self._orders[order_ref] = OrderFacts(parent_id, slice_number)
        elif action == Action.PLACE:
            order = self._orders[order_ref] = OrderFacts(parent_id, slice_number, in_force=order.in_force)
        order.reserved = len(self.terms)
        order_mid = mid_of(_decimal(bid), int(bid_size or 0), _decimal(ask), int(ask_size or 0))
        predicted = _decimal(predicted_slippage)
        self.terms.append(
            Terms(parent_id, slice_number, contract, side, stage, order_mid, predicted, predictor_version)
        )
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
        self._book(order, family, revision, lots)
        if place is not None:
            if revision > fills.revisions[place]:
                fills.revisions[place], fills.executed_ns[place] = revision, int(executed_ns)
                fills.lots[place], fills.prices[place], fills.exact_prices[place] = lots, float(price), price
                fills.decimals = max(fills.decimals, decimals_of(price))
        elif terms is not None:
            fills.places[family] = place = len(fills.families)
            fills.by_parent.setdefault(self.terms[terms].parent_id, []).append(place)
            fills.families.append(family)
            fills.revisions.append(revision)
            fills.prices.append(float(price))
            fills.exact_prices.append(price)
            fills.decimals = max(fills.decimals, decimals_of(price))
            fills.fees.append(float(self.fees.get(family, nan)))
            fills.received_ns.append(int(time_ns))
            fills.executed_ns.append(int(executed_ns))
            fills.sent_ns.append(order.sent_ns)
            fills.lots.append(lots)
            fills.terms.append(terms)
            fills.bids.append(nan if bid is None else float(bid))
            fills.asks.append(nan if ask is None else float(ask))

    def _book(self, order: OrderFacts, family: str, revision: int, lots: int) -> None:
        """Add the lots of an execution, or what a higher revision makes of them, to slice and parent."""
        known = order.booked.get(family)
        if known is not None and known[0] >= revision:
            return
        order.booked[family] = revision, lots
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
            place = self.fills.places.get(family)
            if place is not None:
                self.fills.fees[place] = float(commission)

    # Not bound to the object, which would then hold itself and outlive its use.
    _FOLD: ClassVar[Mapping[str, Callable[..., None]]] = {
        "ParentSubmitted": _parent_submitted,
        "ParentBegan": _parent_began,
        "ParentRefused": _parent_refused,
        "ParentFinished": _parent_finished,
        "ParentPaused": _parent_paused,
        "ParentResumed": _parent_resumed,
        "ParentInterrupted": _parent_interrupted,
        "SliceDelayed": _slice_delayed,
        "SliceFinished": _slice_finished,
        "ChildReserved": _child_reserved,
        "ChildSent": _child_sent,
        "SendFailed": _send_failed,
        "CancelRequested": _cancel_requested,
        "ExecutionReported": _executed,
        "CommissionReported": _charged,
    }


def _decimal(text: str | None) -> Decimal | None:
    """A decimal of its text; None where there is none."""
    return None if text is None else Decimal(text)
