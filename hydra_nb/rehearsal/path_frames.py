"""Frames of the paths of one rehearsal: paths, slices, summary, completion. Pure functions of their outcomes."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from hydra_nb.analysis import monte_carlo, rehearsal_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.monte_carlo import UNKNOWN, Reals
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.units import Side
from hydra_nb.rehearsal.outcome import PathOutcome

POINTS: Final = 121
"""Times at which completion is told."""
QUARTERS: Final = {"completed_quarter": 0.25, "completed_half": 0.5, "completed_three_quarters": 0.75}
"""Shares of the plan's duration at which the summary tells completion."""

_STAGES = [stage.value for stage in Stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What was rehearsed.

    Attributes
    ----------
    label
        A few words that tell the plan from others beside it.
    side, lots, local_symbol, currency
        The order.
    tick, tick_value_cash
        Of the contract, in the quoted unit and in cash a lot.
    duration_s, slices, patience_s
        Of the schedule: its length, the number of its slices, the length of a first stage.
    messages_budget
        Order messages that the plan allows.
    predicted_ticks
        What the formula predicts a lot to cost; None where it does not.
    model
        The market model, in a line.
    leaves_out
        What that leaves out of a real market, in a line.
    world
        Digest of all that the markets of the paths have in common but for their seeds, the touch and the instant that
        they begin with among it.
    market
        The kind of market, by the name of its class.
    plan_id
        Of the plan.
    fidelity, with_faults
        What ran the paths, and whether faults were made meanwhile.
    """

    label: str
    side: Side
    lots: int
    local_symbol: str
    currency: str
    tick: float
    tick_value_cash: float
    duration_s: float
    slices: int
    messages_budget: int
    patience_s: float
    predicted_ticks: float | None
    model: str
    leaves_out: str
    world: str = ""
    market: str = ""
    plan_id: str = ""
    fidelity: str = "direct"
    with_faults: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something that each path has a figure of: its name, its unit, and how to read it; NaN where it is not known."""

    name: str
    unit: str
    read: Callable[[PathOutcome, Rehearsed], float]
    has_worst: bool = True


def all_lots_ticks(outcome: PathOutcome, rehearsed: Rehearsed) -> float:
    """Cost of all lots, a lot: those with a fill at their slippage, those without at what they missed by the end.

    NaN where either is not known and counts. A figure of the filled lots alone flatters whoever fills only what is
    cheap (Perold, "The implementation shortfall: paper versus reality", 1988).
    """
    filled = outcome.slippage_ticks * outcome.filled_lots if outcome.filled_lots else 0.0
    missed = outcome.opportunity_ticks * outcome.shortfall_lots if outcome.shortfall_lots else 0.0
    return (filled + missed) / rehearsed.lots


def passive_share(outcome: PathOutcome, _rehearsed: Rehearsed) -> float:
    """Filled lots that had rested, over all filled."""
    return outcome.passive_lots / outcome.filled_lots if outcome.filled_lots else math.nan


def all_lots_cash(outcome: PathOutcome, rehearsed: Rehearsed) -> float:
    """Cost of all lots in cash, with commissions."""
    ticks = all_lots_ticks(outcome, rehearsed)
    return ticks * rehearsed.lots * rehearsed.tick_value_cash + outcome.commission


QUANTITIES: Final = (
    Quantity(name="slippage_ticks", unit="ticks", read=lambda path, _: path.slippage_ticks),
    Quantity(name="slippage_cash", unit="cash", read=lambda path, _: path.slippage_cash),
    Quantity(name="cost_cash", unit="cash", read=lambda path, _: path.slippage_cash + path.commission),
    Quantity(name="all_lots_ticks", unit="ticks", read=all_lots_ticks),
    Quantity(name="all_lots_cash", unit="cash", read=all_lots_cash),
    Quantity(name="shortfall_lots", unit="lots", read=lambda path, _: float(path.shortfall_lots)),
    Quantity(name="messages", unit="messages", read=lambda path, _: float(path.messages)),
    Quantity(name="refusals", unit="refusals", read=lambda path, _: float(path.refusals)),
    Quantity(name="passive_share", unit="1", read=passive_share, has_worst=False),
)


def draws(quantity: Quantity, outcomes: Sequence[PathOutcome], *, rehearsed: Rehearsed) -> Reals:
    """A figure of each path, in order; NaN where it is not known."""
    return np.array([quantity.read(path, rehearsed) for path in outcomes], dtype=np.float64)


def paths_frame(outcomes: Sequence[PathOutcome], *, rehearsed: Rehearsed) -> pd.DataFrame:
    """One row a path."""
    rows = (
        {name: getattr(path, name) for name in PathOutcome.__slots__}
        | {"passive_share": passive_share(path, rehearsed), "all_lots_ticks": all_lots_ticks(path, rehearsed)}
        for path in outcomes
    )
    return make_frame(rehearsal_columns.PATHS, rows)


# Slices


@dataclass(slots=True, kw_only=True)
class _Entered:
    """A stage of a slice in one path, however many orders it took."""

    entered_s: float
    open_lots: int
    filled_lots: int
    first_fill_s: float


def slices_frame(outcomes: Sequence[PathOutcome]) -> pd.DataFrame:
    """One row a slice and stage that any path entered, in order."""
    entered: dict[tuple[int, str], list[_Entered]] = {}
    for path in outcomes:
        for key, one in _stages_of(path).items():
            entered.setdefault(key, []).append(one)
    order = sorted(entered, key=lambda key: (key[0], _STAGES.index(key[1])))
    rows = (
        {"slice": number, "stage": stage} | _stage_row(entered[number, stage], paths=len(outcomes))
        for number, stage in order
    )
    return make_frame(rehearsal_columns.SLICES, rows)


def _stages_of(path: PathOutcome) -> dict[tuple[int, str], _Entered]:
    """Stages of a path by slice and name; where a second order repeats a stage, it goes on with it."""
    found: dict[tuple[int, str], _Entered] = {}
    for stage in path.stages:
        key = (stage.slice, stage.stage)
        one = found.setdefault(
            key,
            _Entered(entered_s=stage.entered_s, open_lots=stage.open_lots, filled_lots=0, first_fill_s=math.inf),
        )
        one.filled_lots += stage.filled_lots
        if stage.first_fill_s is not None:
            one.first_fill_s = min(one.first_fill_s, stage.entered_s - one.entered_s + stage.first_fill_s)
    return found


def _stage_row(entered: Sequence[_Entered], *, paths: int) -> dict[str, Any]:
    some = monte_carlo.share(sum(one.filled_lots > 0 for one in entered), len(entered))
    whole = monte_carlo.share(sum(one.filled_lots >= one.open_lots for one in entered), len(entered))
    reached = monte_carlo.share(len(entered), paths)
    filled = monte_carlo.mean(np.array([one.filled_lots for one in entered], dtype=np.float64))
    waits_s = np.array([one.first_fill_s for one in entered if one.filled_lots > 0], dtype=np.float64)
    return {
        "paths": len(entered),
        "reached": reached.value,
        "reached_error": reached.error,
        "open_lots": float(np.mean([one.open_lots for one in entered])),
        "filled_lots": filled.value,
        "filled_lots_error": filled.error,
        "fill_probability": some.value,
        "fill_probability_error": some.error,
        "whole_probability": whole.value,
        "whole_probability_error": whole.error,
        "first_fill_median_s": monte_carlo.quantile(waits_s, 0.5).value,
        "first_fill_p90_s": monte_carlo.quantile(waits_s, 0.9).value,
    }


# Summary and completion


def summary_rows(outcomes: Sequence[PathOutcome], *, rehearsed: Rehearsed) -> Iterator[dict[str, Any]]:
    """Rows of the summary: each quantity, then the chance to be complete by quarters of the duration and in the end."""
    for quantity in QUANTITIES:
        told = draws(quantity, outcomes, rehearsed=rehearsed)
        known = told[~np.isnan(told)]
        figures = {
            "mean": monte_carlo.mean(known),
            "deviation": monte_carlo.deviation(known),
            "p5": monte_carlo.quantile(known, 0.05),
            "p50": monte_carlo.quantile(known, 0.5),
            "p95": monte_carlo.quantile(known, 0.95),
            "worst": monte_carlo.worst(known) if quantity.has_worst else UNKNOWN,
        }
        yield _summary_row(quantity.name, quantity.unit, figures, paths=len(known), unknown=len(told) - len(known))
    completed_s = _completed_s(outcomes)
    by_s = {name: part * rehearsed.duration_s for name, part in QUARTERS.items()} | {"completed": math.inf}
    for name, until_s in by_s.items():
        hits = int(np.sum((completed_s <= until_s) & np.isfinite(completed_s)))
        share = monte_carlo.share(hits, len(outcomes))
        yield _summary_row(name, "1", {"mean": share}, paths=len(outcomes), unknown=0)


def _summary_row(
    name: str, unit: str, figures: dict[str, monte_carlo.Estimate], *, paths: int, unknown: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"quantity": name, "unit": unit, "paths": paths, "unknown": unknown}
    for figure in ("mean", "deviation", "p5", "p50", "p95", "worst"):
        estimate = figures.get(figure, UNKNOWN)
        row |= {figure: estimate.value, f"{figure}_error": estimate.error}
    return row


def completion_frame(outcomes: Sequence[PathOutcome], *, rehearsed: Rehearsed) -> pd.DataFrame:
    """Completion at even times from the beginning to the end of the longest path, or of the plan."""
    end_s = max(rehearsed.duration_s, *(path.finished_s for path in outcomes))
    times_s = np.linspace(0.0, end_s, POINTS)
    filled = _filled_shares(outcomes, times_s=times_s, lots=rehearsed.lots)
    hits = np.sum(_completed_s(outcomes)[:, None] <= times_s, axis=0).astype(int).tolist()
    ranges = [monte_carlo.share_range(some, len(outcomes)) for some in hits]
    low, high = np.quantile(filled, [0.05, 0.95], axis=0, method="inverted_cdf")
    rows = {
        "after_s": times_s,
        "completed": np.array(hits) / len(outcomes),
        "low": [one.low for one in ranges],
        "high": [one.high for one in ranges],
        "filled_share": filled.mean(axis=0),
        "filled_p5": low,
        "filled_p95": high,
    }
    return make_frame(
        rehearsal_columns.COMPLETION, ({name: rows[name][at] for name in rows} for at in range(len(times_s)))
    )


def _completed_s(outcomes: Sequence[PathOutcome]) -> Reals:
    """When the last lot of each path filled, overfills of a fault left aside; infinite where it never did."""
    return np.array([_filled_after_s(path) for path in outcomes], dtype=np.float64)


def _filled_after_s(path: PathOutcome) -> float:
    left = path.filled_lots - path.overfilled_lots
    for fill in path.fills if path.finished else ():
        left -= fill.lots
        if left <= 0:
            return fill.after_s
    return math.inf


def done_by_s(outcomes: Sequence[PathOutcome], *, share: float) -> float:
    """When every lot was filled in this share of the paths; NaN where it never was."""
    by_s = float(np.sort(_completed_s(outcomes))[monte_carlo.rank_of(len(outcomes), share) - 1])
    return by_s if math.isfinite(by_s) else math.nan


def _filled_shares(outcomes: Sequence[PathOutcome], *, times_s: Reals, lots: int) -> Reals:
    """Filled lots over all lots, a row a path and a column a time."""
    fills = [(number, fill.after_s, fill.lots) for number, path in enumerate(outcomes) for fill in path.fills]
    shares = np.zeros((len(outcomes), len(times_s)))
    if fills:
        path_numbers, after_s, filled = (np.array(one) for one in zip(*fills, strict=True))
        at = np.minimum(np.searchsorted(times_s, after_s, side="left"), len(times_s) - 1)
        np.add.at(shares, (path_numbers, at), filled)
    return np.minimum(np.cumsum(shares, axis=1) / lots, 1.0)  # an overfill is told in the paths
