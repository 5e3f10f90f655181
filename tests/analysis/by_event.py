"""The frames of executions, slices and fills, event by event and row by row, with the ledger's own fold.

This is how they were made before they were folded in bulk: slow, and plain enough to be believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pandas as pd

from hydra_nb import cost
from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.plan_frames import indicative_by_stage, schedule_rows
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.plan import PlannedSlice
from hydra_nb.journal import JournalReading
from hydra_nb.ledger import Ledger, ParentRecord, SliceRecord

FRAMES = ("executions", "slices", "fills")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution family: its first report and its highest revision, and the terms in force when the first came."""

    first: ev.ExecutionReported
    latest: ev.ExecutionReported
    terms: ev.ChildReserved
    sent_ns: int | None


class ByEvent:
    """Fold of all events of a journal."""

    def __init__(self, reading: JournalReading) -> None:
        self.ledger = Ledger()
        self.fills: dict[str, Fill] = {}
        self.fees: dict[str, tuple[int, Decimal]] = {}
        self.arrivals: dict[str, Quote | None] = {}
        self.pauses: dict[str, list[tuple[int, int]]] = {}
        self.limits: dict[tuple[str, int, Stage], Decimal] = {}
        self._families: dict[str, list[str]] = {}  # of each parent
        self._paused_ns: dict[str, int] = {}
        self._reserved: dict[str, ev.ChildReserved] = {}
        self._in_force: dict[str, ev.ChildReserved] = {}
        for _, event in reading.events():
            self.ledger.apply(event)
            self._note(event)

    def frames(self) -> dict[str, pd.DataFrame]:
        """All three."""
        parents = self.ledger.parents
        shown = [fill for fill in self.fills.values() if fill.latest.lots > 0 and fill.terms.child.parent_id in parents]
        return {
            "executions": make_frame(columns.EXECUTIONS, (self._execution(one) for one in parents.values())),
            "slices": make_frame(columns.SLICES, (row for one in parents.values() for row in self._slices(one))),
            "fills": make_frame(columns.FILLS, (self._fill(fill) for fill in shown)),
        }

    def _note(self, event: ev.Event) -> None:
        match event:
            case ev.ParentSubmitted():
                self.arrivals[event.parent_id] = event.quote
            case ev.ParentBegan():
                self.arrivals[event.parent_id] = event.quote
            case ev.ParentPaused():
                self._paused_ns.setdefault(event.parent_id, event.time_ns)
            case ev.ParentInterrupted():
                self._paused_ns.setdefault(event.parent_id, event.since_ns)
            case ev.ParentFinished():
                self._paused_ns.pop(event.parent_id, None)
            case ev.ParentResumed():
                known = self.ledger.parents.get(event.parent_id)
                begins_ns = 0 if known is None else known.begins_ns
                paused_ns = max(self._paused_ns.pop(event.parent_id, event.time_ns), begins_ns)
                self.pauses.setdefault(event.parent_id, []).append((paused_ns, max(paused_ns, event.time_ns)))
            case ev.ChildReserved(child=child):
                self._reserved[child.order_ref] = event
                self.limits[child.parent_id, child.slice, child.stage] = child.limit_price
            case ev.ChildSent() if event.order_ref in self._reserved:
                self._in_force[event.order_ref] = self._reserved.pop(event.order_ref)
            case ev.SendFailed():
                self._reserved.pop(event.order_ref, None)
            case ev.ExecutionReported() if event.order_ref in self.ledger.orders:
                self._note_execution(event)
            case ev.CommissionReported():
                self._note_commission(event)

    def _note_execution(self, event: ev.ExecutionReported) -> None:
        known = self.fills.get(event.family)
        if known is None:
            terms = self._in_force.get(event.order_ref) or self._reserved.get(event.order_ref)
            if terms is not None:
                sent_ns = self.ledger.orders[event.order_ref].sent_ns
                self.fills[event.family] = Fill(first=event, latest=event, terms=terms, sent_ns=sent_ns)
                self._families.setdefault(terms.child.parent_id, []).append(event.family)
        elif event.revision > known.latest.revision:
            self.fills[event.family] = replace(known, latest=event)

    def _note_commission(self, event: ev.CommissionReported) -> None:
        family, _, last = event.exec_id.rpartition(".")
        revision = int(last) if last.isdigit() else 0
        if family not in self.fees or revision >= self.fees[family][0]:
            self.fees[family] = revision, event.commission

    def _of(self, parent_id: str) -> list[Fill]:
        return [self.fills[family] for family in self._families.get(parent_id, ())]

    def _fill(self, fill: Fill) -> dict[str, Any]:
        latest, child, quote = fill.latest, fill.terms.child, fill.first.quote
        record, contract = self.ledger.parents[child.parent_id], child.contract
        arrival = record.arrival_mid
        slippage = None if arrival is None else child.side.sign * (latest.price - arrival)
        plan, predicted = record.plan, fill.terms.predicted_slippage
        half_spread = None if plan.prediction is None else plan.prediction.half_spread
        return {
            "time": latest.executed_ns,
            "received_time": fill.first.time_ns,
            "fill_id": latest.family,
            "parent_id": child.parent_id,
            "slice": child.slice,
            "stage": child.stage,
            "symbol": contract.symbol,
            "local_symbol": contract.local_symbol,
            "side": child.side,
            "lots": latest.lots,
            "price": latest.price,
            "decision_mid": record.plan.decision_mid,
            "arrival_mid": arrival,
            "order_mid": None if fill.terms.quote is None else fill.terms.quote.mid,
            "bid": None if quote is None else quote.bid,
            "ask": None if quote is None else quote.ask,
            "slippage_ticks": cost.in_ticks(slippage, contract=contract),
            "slippage_bps": cost.in_bps(slippage, mid=arrival),
            "slippage_cash": cost.in_cash(slippage, contract=contract, lots=latest.lots),
            "predicted_slippage_bps": cost.in_bps(predicted, mid=arrival),
            "predicted_slippage": predicted,
            "predicted_slippage_ticks": cost.in_ticks(predicted, contract=contract),
            "predicted_slippage_cash": cost.in_cash(predicted, contract=contract, lots=1) * latest.lots,
            "half_spread_ticks": cost.in_ticks(half_spread, contract=contract),
            "impact_scale_ticks": cost.in_ticks(cost.impact_scale(plan), contract=contract),
            "predictor_version": fill.terms.predictor_version,
            "commission": self.fees.get(latest.family, (0, None))[1],
            "currency": contract.currency,
            "tick": contract.tick,
            "point_value": contract.point_value,
            "latency_ms": None if fill.sent_ns is None else (fill.first.time_ns - fill.sent_ns) / 1_000_000,
        }

    def _execution(self, record: ParentRecord) -> dict[str, Any]:
        parent, arrival = record.plan.parent, record.arrival_mid
        average = _average(self._of(record.parent_id))
        slippage = None if arrival is None or average is None else parent.side.sign * (average - arrival)
        families = [fill.latest.family for fill in self._of(record.parent_id) if fill.latest.lots > 0]
        fees = [self.fees[family][1] for family in families if family in self.fees]
        return {
            "parent_id": record.parent_id,
            "submitted": record.submitted_ns,
            "began": record.began_ns,
            "finished": record.finished_ns,
            "symbol": parent.contract.symbol,
            "local_symbol": parent.contract.local_symbol,
            "side": parent.side,
            "lots": parent.lots,
            "filled_lots": record.filled_lots,
            "shortfall_lots": max(0, parent.lots - record.filled_lots) if record.status.is_over else 0,
            "strategy": parent.strategy,
            "status": record.status,
            "average_price": average,
            "decision_mid": record.plan.decision_mid,
            "arrival_mid": arrival,
            "slippage_bps": cost.in_bps(slippage, mid=arrival),
            "slippage_cash": cost.in_cash(slippage, contract=parent.contract, lots=record.filled_lots),
            "commission": sum(fees) if fees else None,
            "currency": parent.contract.currency,
            "tag": parent.tag,
            "plan_id": record.plan.plan_id,
        }

    def _slices(self, record: ParentRecord) -> Iterator[dict[str, Any]]:
        parent_id, plan = record.parent_id, record.plan
        indicative = indicative_by_stage(plan, quote=self.arrivals[parent_id])

        def begins_ns(planned: PlannedSlice) -> int:
            moved_ns = 0
            for paused_ns, resumed_ns in self.pauses.get(parent_id, ()):
                if record.begins_ns + planned.offset_ns + moved_ns >= paused_ns:
                    moved_ns += resumed_ns - paused_ns
            return record.begins_ns + moved_ns

        def limit(planned: PlannedSlice, stage: Stage) -> Decimal | None:
            return self.limits.get((parent_id, planned.number, stage), indicative[stage])

        scheduled = schedule_rows(plan, begins_ns=begins_ns, limit=limit)
        for row, one in zip(scheduled, record.slices, strict=True):
            yield row | self._outcome(parent_id, one)

    def _outcome(self, parent_id: str, one: SliceRecord) -> dict[str, Any]:
        return {
            "parent_id": parent_id,
            "sent": one.sent_ns,
            "done": one.done_ns,
            "filled_lots": one.filled_lots,
            "carried_lots": one.carried_lots,
            "average_price": _average([fill for fill in self._of(parent_id) if fill.terms.child.slice == one.number]),
            "stage": one.stage,
            "expires": one.expires_ns,
            "messages": one.messages,
            "reason": one.reason,
            "status": one.status,
        }


def _average(fills: list[Fill]) -> Decimal | None:
    lots = sum(fill.latest.lots for fill in fills)
    return sum((fill.latest.price * fill.latest.lots for fill in fills), start=Decimal(0)) / lots if lots else None


def difference(told: dict[str, pd.DataFrame], reading: JournalReading) -> str | None:
    """How frames differ from those by event, to the last bit; None where they do not."""
    for name, frame in ByEvent(reading).frames().items():
        try:
            pd.testing.assert_frame_equal(told[name], frame, check_exact=True, obj=name)
        except AssertionError as error:
            return str(error)
    return None
