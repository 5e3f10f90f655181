"""Frames of a plan that is not sent: its schedule, its dry run, what would pass, what it is expected to cost."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from hydra_nb import cost
from hydra_nb.algos.prices import indicative_limits
from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, Stage
from hydra_nb.domain.plan import ExecutionPlan, PlannedSlice
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.verdict import Decision, WouldPass


def schedule(plan: ExecutionPlan, *, start_ns: int, quote: Quote | None) -> pd.DataFrame:
    """One row a slice of a plan, as if submitted at `start_ns` (UTC nanoseconds); limits indicative on `quote`."""
    limits = indicative_by_stage(plan, quote=quote)
    rows = schedule_rows(plan, begins_ns=lambda _: start_ns, limit=lambda _, stage: limits[stage])
    return make_frame(columns.SCHEDULE, rows)


def decisions_frame(
    decisions: Sequence[Decision],
    *,
    time_ns: int,
    parent_id: str | None = None,
    slice: int | None = None,  # noqa: A002, the word of the desk
    action: Action = Action.PARENT,
) -> pd.DataFrame:
    """One row a check, for decisions that are not journalled, such as those of a dry run."""
    return make_frame(
        columns.DECISIONS,
        (
            {
                "time": time_ns,
                "parent_id": parent_id,
                "slice": slice,
                "action": action,
                "check": made.check,
                "allowed": made.allowed,
                "observed": made.observed,
                "limit": made.limit,
                "unit": made.unit,
                "message": made.message,
                "source": made.source,
                "would_pass": made.would_pass,
            }
            for made in decisions
        ),
    )


def would_pass(allowed: WouldPass) -> pd.DataFrame:
    """One row: the largest lots, nearest price and earliest time that all checks together would allow."""
    return make_frame(columns.WOULD_PASS, [{"lots": allowed.lots, "price": allowed.price, "time": allowed.time_ns}])


def expected_cost(
    plan: ExecutionPlan, *, quote: Quote | None, interval: cost.CostInterval | None = None
) -> pd.DataFrame:
    """One row: what a plan is expected to cost against the mid at its preview, and what crossing `quote` would.

    `interval` is that of the calibration which made the prediction, unless another is given.
    """
    parent, prediction = plan.parent, plan.prediction
    contract = parent.contract
    interval = cost.interval_of(prediction, contract=contract) if interval is None else interval
    slippage = None if prediction is None else prediction.slippage
    row = {
        "slippage_ticks": cost.in_ticks(slippage, contract=contract),
        "slippage_bps": cost.in_bps(slippage, mid=plan.decision_mid),
        "slippage_cash": cost.in_cash(slippage, contract=contract, lots=parent.lots),
        "low_ticks": interval.low_ticks,
        "high_ticks": interval.high_ticks,
        "level": interval.level,
        "cross_now_ticks": cost.in_ticks(cost.cross_now(quote), contract=contract),
        "commission": cost.estimated_commission(parent.lots),
        "currency": contract.currency,
        "n_evidence": interval.n_evidence,
        "source": interval.note,
        "predictor_version": None if prediction is None else prediction.version,
    }
    return make_frame(columns.EXPECTED_COST, [row])


def indicative_by_stage(plan: ExecutionPlan, *, quote: Quote | None) -> dict[Stage, Decimal | None]:
    """Limit prices that the stages of a plan would have on a quote."""
    parent = plan.parent
    limits = indicative_limits(quote, side=parent.side, tick=parent.contract.tick, step=plan.step, limit=parent.limit)
    return {Stage.MID: limits.mid, Stage.STEP: limits.step, Stage.CROSS: limits.cross}


def schedule_rows(
    plan: ExecutionPlan,
    *,
    begins_ns: Callable[[PlannedSlice], int],
    limit: Callable[[PlannedSlice, Stage], Decimal | None],
) -> Iterator[dict[str, Any]]:
    """Rows of the columns of a schedule.

    `begins_ns` gives the time from which a slice's offsets count, `limit` the price of a slice in a stage.
    """
    cumulative = 0
    for planned in plan.slices:
        cumulative += planned.lots
        from_ns = begins_ns(planned)
        yield {
            "slice": planned.number,
            "start": from_ns + planned.offset_ns,
            "earliest": from_ns + planned.earliest_ns,
            "latest": from_ns + planned.latest_ns,
            "lots": planned.lots,
            "cumulative_lots": cumulative,
            "limit_mid": limit(planned, Stage.MID),
            "limit_step": limit(planned, Stage.STEP),
            "limit_cross": limit(planned, Stage.CROSS),
            "wait_mid_s": planned.ladder.mid_ns / NS_PER_S,
            "wait_step_s": planned.ladder.step_ns / NS_PER_S,
            "wait_cross_s": planned.ladder.cross_ns / NS_PER_S,
            "participation": plan.participation * planned.lots / plan.parent.lots,
        }
