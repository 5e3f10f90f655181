"""Rows of the frames, by column: one parent, slice or position of a journal, one alert."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from hydra_nb import cost
from hydra_nb.analysis.history import History
from hydra_nb.analysis.plan_frames import indicative_by_stage, schedule_rows
from hydra_nb.analysis.trading import Trading
from hydra_nb.analysis.trading_facts import Fills, ParentFacts, SliceFacts, decimal_of
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.board import Breaker
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.events import AlertRaised, CalibrationChanged
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.plan import PlannedSlice


def execution_row(parent: ParentFacts, *, trading: Trading) -> dict[str, Any]:
    """Facts of one parent order."""
    order = parent.plan.parent
    contract, arrival = order.contract, parent.arrival_mid
    fills, places = trading.fills, trading.fills.by_parent.get(parent.parent_id, [])
    average = _average(places, fills=fills)
    slippage = None if arrival is None or average is None else order.side.sign * (average - arrival)
    families = [fills.families[place] for place in places if fills.lots[place] > 0]
    fees = [decimal_of(trading.fees[family]) for family in families if family in trading.fees]
    return {
        "parent_id": parent.parent_id,
        "submitted": parent.submitted_ns,
        "began": parent.began_ns,
        "finished": parent.finished_ns,
        "symbol": contract.symbol,
        "local_symbol": contract.local_symbol,
        "side": order.side,
        "lots": order.lots,
        "filled_lots": parent.filled_lots,
        "shortfall_lots": max(0, order.lots - parent.filled_lots) if parent.status.is_over else 0,
        "strategy": order.strategy,
        "status": parent.status,
        "average_price": average,
        "decision_mid": parent.plan.decision_mid,
        "arrival_mid": arrival,
        "slippage_bps": cost.in_bps(slippage, mid=arrival),
        "slippage_cash": cost.in_cash(slippage, contract=contract, lots=parent.filled_lots),
        "commission": sum(fees) if fees else None,
        "currency": contract.currency,
        "tag": order.tag,
        "plan_id": parent.plan.plan_id,
    }


def _average(places: Iterable[int], *, fills: Fills) -> Decimal | None:
    """Average price by lots of the fills at these places; None without any."""
    told = [(decimal_of(fills.exact_prices[place]), fills.lots[place]) for place in places]
    lots = sum(some for _, some in told)
    return sum((price * some for price, some in told), start=Decimal(0)) / lots if lots else None


def slice_rows(parent: ParentFacts, *, trading: Trading) -> Iterator[dict[str, Any]]:
    """Schedule of a parent, shifted by its pauses, and what became of each slice."""
    parent_id, plan = parent.parent_id, parent.plan
    indicative = indicative_by_stage(plan, quote=parent.quote)
    places: dict[int, list[int]] = {}
    for place in trading.fills.by_parent.get(parent_id, ()):
        places.setdefault(trading.terms[trading.fills.terms[place]].slice, []).append(place)

    def begins_ns(planned: PlannedSlice) -> int:
        return parent.begins_ns + trading.pauses.moved_ns(parent_id, parent.begins_ns + planned.offset_ns)

    def limit(planned: PlannedSlice, stage: Stage) -> Decimal | None:
        gated = trading.limits.get((parent_id, planned.number, stage))
        return indicative[stage] if gated is None else decimal_of(gated)

    for scheduled, one in zip(schedule_rows(plan, begins_ns=begins_ns, limit=limit), parent.slices, strict=True):
        average = _average(places.get(one.number, ()), fills=trading.fills)
        yield scheduled | _outcome(parent_id, one, average=average)


def _outcome(parent_id: str, one: SliceFacts, *, average: Decimal | None) -> dict[str, Any]:
    """What became of one slice."""
    return {
        "parent_id": parent_id,
        "sent": one.sent_ns,
        "done": one.done_ns,
        "filled_lots": one.filled_lots,
        "carried_lots": one.carried_lots,
        "average_price": average,
        "stage": one.stage,
        "expires": one.expires_ns,
        "messages": one.messages,
        "reason": one.reason,
        "status": one.status,
    }


def position_row(con_id: int, *, history: History, quote: Quote | None, days: int | None) -> dict[str, Any]:
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
        "days_to_close_out": days,
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
