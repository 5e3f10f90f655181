"""Rows of the frames, by column: one fill, parent, slice or position of a history, one alert."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from hydra_nb import cost
from hydra_nb.analysis.history import Fill, History
from hydra_nb.analysis.plan_frames import indicative_by_stage, schedule_rows
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.board import Breaker
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.events import AlertRaised, CalibrationChanged
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.plan import PlannedSlice
from hydra_nb.ledger import ParentRecord, SliceRecord

NS_PER_MS = 1_000_000


def fill_row(fill: Fill, *, history: History) -> dict[str, Any]:
    """Facts of one fill; slippage is against the mid at arrival, positive is a cost."""
    latest, child, quote = fill.latest, fill.terms.child, fill.first.quote
    record, contract = history.ledger.parents[child.parent_id], child.contract
    arrival = record.arrival_mid
    slippage = None if arrival is None else child.side.sign * (latest.price - arrival)
    fee = history.fees.get(latest.family)
    order_quote, plan = fill.terms.quote, record.plan
    predicted, half_spread = (
        fill.terms.predicted_slippage,
        None if plan.prediction is None else plan.prediction.half_spread,
    )
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
        "decision_mid": plan.decision_mid,
        "arrival_mid": arrival,
        "order_mid": None if order_quote is None else order_quote.mid,
        "bid": None if quote is None else quote.bid,
        "ask": None if quote is None else quote.ask,
        "slippage_ticks": cost.in_ticks(slippage, contract=contract),
        "slippage_bps": cost.in_bps(slippage, mid=arrival),
        "slippage_cash": cost.in_cash(slippage, contract=contract, lots=latest.lots),
        "predicted_slippage_bps": cost.in_bps(predicted, mid=arrival),
        "predicted_slippage": predicted,
        "predicted_slippage_ticks": cost.in_ticks(predicted, contract=contract),
        "predicted_slippage_cash": cost.in_cash(predicted, contract=contract, lots=latest.lots),
        "half_spread_ticks": cost.in_ticks(half_spread, contract=contract),
        "impact_scale_ticks": cost.in_ticks(cost.impact_scale(plan), contract=contract),
        "predictor_version": fill.terms.predictor_version,
        "commission": None if fee is None else fee.report.commission,
        "currency": contract.currency,
        "latency_ms": None if fill.sent_ns is None else (fill.first.time_ns - fill.sent_ns) / NS_PER_MS,
    }


def execution_row(record: ParentRecord, *, history: History) -> dict[str, Any]:
    """Facts of one parent order."""
    parent = record.plan.parent
    contract, arrival = parent.contract, record.arrival_mid
    booked = history.fills_of(record.parent_id)
    average = _average(booked)
    slippage = None if arrival is None or average is None else parent.side.sign * (average - arrival)
    fees = [
        history.fees[fill.latest.family].report.commission
        for fill in booked
        if fill.latest.lots > 0 and fill.latest.family in history.fees
    ]
    return {
        "parent_id": record.parent_id,
        "submitted": record.submitted_ns,
        "finished": record.finished_ns,
        "symbol": contract.symbol,
        "local_symbol": contract.local_symbol,
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
        "slippage_cash": cost.in_cash(slippage, contract=contract, lots=record.filled_lots),
        "commission": sum(fees) if fees else None,
        "currency": contract.currency,
        "tag": parent.tag,
        "plan_id": record.plan.plan_id,
    }


def _average(booked: Iterable[Fill]) -> Decimal | None:
    """Average price of fills by their lots; None without any."""
    latest = [fill.latest for fill in booked]
    lots = sum(one.lots for one in latest)
    return sum((one.price * one.lots for one in latest), start=Decimal(0)) / lots if lots else None


def slice_rows(record: ParentRecord, *, history: History) -> Iterator[dict[str, Any]]:
    """Schedule of a parent, shifted by its pauses, and what became of each slice."""
    parent_id, plan = record.parent_id, record.plan
    indicative = indicative_by_stage(plan, quote=history.arrivals[parent_id])

    def submitted_ns(planned: PlannedSlice) -> int:
        return record.submitted_ns + history.paused_before(parent_id, record.submitted_ns + planned.offset_ns)

    def limit(planned: PlannedSlice, stage: Stage) -> Decimal | None:
        return history.limits.get((parent_id, planned.number, stage), indicative[stage])

    for scheduled, one in zip(schedule_rows(plan, submitted_ns=submitted_ns, limit=limit), record.slices, strict=True):
        yield scheduled | _outcome(parent_id, one, history=history)


def _outcome(parent_id: str, one: SliceRecord, *, history: History) -> dict[str, Any]:
    """What became of one slice."""
    booked = [fill for fill in history.fills_of(parent_id) if fill.terms.child.slice == one.number]
    return {
        "parent_id": parent_id,
        "sent": one.sent_ns,
        "done": one.done_ns,
        "filled_lots": one.filled_lots,
        "carried_lots": one.carried_lots,
        "average_price": _average(booked),
        "stage": one.stage,
        "expires": one.expires_ns,
        "messages": one.messages,
        "reason": one.reason,
        "status": one.status,
    }


def position_row(con_id: int, *, history: History, quote: Quote | None) -> dict[str, Any]:
    """One contract: what the broker reported, what of ours works, and what it is worth."""
    reported = history.ledger.positions.get(con_id)
    contract: FutureContract | None = history.contracts.get(con_id)
    named = reported if contract is None else contract
    position = history.ledger.booked_position(con_id) if reported is None else reported.lots
    buys, sells = history.ledger.working(con_id)
    mid = None if quote is None else quote.mid
    return {
        "account": mask_account(history.reader.account),
        "symbol": None if named is None else named.symbol,
        "local_symbol": None if named is None else named.local_symbol,
        "position": position,
        "working_buy": buys,
        "working_sell": sells,
        "worst_long": position + buys,
        "worst_short": position - sells,
        "average_cost": None if reported is None else reported.average_cost,
        "mid": mid,
        "value": None if contract is None or mid is None else contract.cash(mid, lots=position),
        "currency": None if contract is None else contract.currency,
    }


def breaker_row(one: Breaker) -> dict[str, Any]:
    """One circuit breaker: what it reads, its state, and why it is in it."""
    return {
        "breaker": one.check,
        "state": one.state,
        "observed": one.observed,
        "limit": one.limit,
        "unit": one.unit,
        "since": one.since_ns,
        "reason": one.reason,
        "rearmed": one.rearmed_ns,
        "local_symbol": one.local_symbol or None,
    }


def calibration_row(accepted: CalibrationChanged, held: SlippageCalibration) -> dict[str, Any]:
    """One calibration in force, with its evidence and the words of who accepted it."""
    return {
        "symbol": held.symbol,
        "k": held.k,
        "k_low": held.k_low,
        "k_high": held.k_high,
        "spread_factor": held.spread_factor,
        "spread_factor_low": held.spread_factor_low,
        "spread_factor_high": held.spread_factor_high,
        "level": held.level,
        "n": held.n_fills,
        "orders": held.n_orders,
        "residual_low_ticks": held.residual_low_ticks,
        "residual_high_ticks": held.residual_high_ticks,
        "residual_level": held.residual_level,
        "calibrated": held.calibrated_ns,
        "accepted": accepted.time_ns,
        "reason": accepted.reason,
        "version": held.version,
    }


def alert_row(raised: AlertRaised) -> dict[str, Any]:
    """A row of an alert that stands."""
    return {
        "time": raised.time_ns,
        "cleared": None,
        "kind": raised.kind,
        "severity": raised.severity,
        "local_symbol": raised.local_symbol,
        "parent_id": raised.parent_id,
        "message": raised.sentence,
    }
