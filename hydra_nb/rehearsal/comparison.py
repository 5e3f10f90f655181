"""Several plans in the same markets, path by path: what differs, and how surely."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import monte_carlo, rehearsal_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.monte_carlo import Reals
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.analysis.rehearsal_plots import Against, frontier_figure
from hydra_nb.errors import AnalysisError, must_be_one_of
from hydra_nb.rehearsal import path_frames
from hydra_nb.rehearsal.path_frames import QUANTITIES, Quantity
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.widgets.rehearsal_card import comparison_card

Cost = Literal["all_lots_ticks", "slippage_ticks"]

COMPARED: Final = (*("slippage_ticks", "cost_cash", "all_lots_ticks", "all_lots_cash", "shortfall_lots", "messages"),)
"""Quantities of which less is better."""

_SETTINGS: Final[tuple[Against, ...]] = ("patience_s", "duration_s")
_NEARLY_NOTHING: Final = 1e-9  # what adding up in another order leaves of equal figures
_BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Plans rehearsed in the same markets; the first is the one that the others are compared with.

    Where plans meet the same market, much of what happens is common to both and falls out of their difference: fewer
    paths tell plans apart than would by two rehearsals of their own (common random numbers; Glasserman, "Monte Carlo
    Methods in Financial Engineering", 2003, section 4.2).

    Parameters
    ----------
    rehearsals
        In order; their labels are told apart by a number where they are equal.

    Raises
    ------
    AnalysisError
        There is none, or they are not of one contract and side in the same markets.
    """

    rehearsals: tuple[Rehearsal, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be compared path by path."""
        if not self.rehearsals:
            raise AnalysisError("there is no rehearsal to compare; take at least one")
        first, *others = self.rehearsals
        for other in others:
            one, another = first.rehearsed, other.rehearsed
            if (one.local_symbol, one.side) != (another.local_symbol, another.side):
                raise AnalysisError(
                    f"{another.label} is {another.side} {another.local_symbol}, {one.label} {one.side} "
                    f"{one.local_symbol}; compare plans of one contract and side"
                )
            if first.seeds != other.seeds or (one.model, one.world) != (another.model, another.world):
                raise AnalysisError(
                    f"{another.label} was rehearsed in other markets than {one.label}: {_apart(first, other)}; "
                    f"rehearse them together with {_together(first, other)}"
                )

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each plan, in order, no two alike."""
        given = [one.rehearsed.label for one in self.rehearsals]
        return tuple(
            f"{label} ({given[: place + 1].count(label)})" if given.count(label) > 1 else label
            for place, label in enumerate(given)
        )

    def summary(self) -> pd.DataFrame:
        """Summaries of all plans, one below the other: columns of ``comparison.summary`` in ``docs/columns.md``."""
        rows = (
            {"plan": label} | row
            for label, one in zip(self.labels, self.rehearsals, strict=True)
            for row in path_frames.summary_rows(one.outcomes, rehearsed=one.rehearsed)
        )
        return make_frame(rehearsal_columns.COMPARISON_SUMMARY, rows)

    def compare(self) -> pd.DataFrame:
        """Each plan less the first in the same market, in the mean over the markets.

        Returns
        -------
        pandas.DataFrame
            Columns of ``comparison.compare`` in ``docs/columns.md``, one row a plan after the first and a quantity of
            `COMPARED`. The interval holds 95 % by Student's t on the differences, which are independent from market to
            market. Markets in which one of both is not known are left out and counted: where plans leave lots without a
            fill, look at ``all_lots_ticks``.
        """
        return make_frame(rehearsal_columns.PAIRED, self._paired_rows())

    def frontier(self, *, cost: Cost | None = None) -> pd.DataFrame:
        """One row a plan: its mean cost with an interval, its deviation, and what it leaves.

        Parameters
        ----------
        cost
            ``"all_lots_ticks"``, or ``"slippage_ticks"`` of the filled lots; None takes the former where every plan has
            it in some path.

        Raises
        ------
        InvalidOrder
            `cost` is none of these.
        """
        taken: Cost = self._known_cost() if cost is None else cost
        must_be_one_of(taken, get_args(Cost), name="cost")
        return make_frame(rehearsal_columns.FRONTIER, self._frontier_rows(taken))

    def plot(
        self, *, against: Against | None = None, cost: Cost | None = None, theme: Theme | None = None
    ) -> go.Figure:
        """Mean cost of each plan with its interval; `frontier` says the same.

        Parameters
        ----------
        against
            What the cost is drawn against: ``"patience_s"``, ``"duration_s"``, ``"shortfall_lots"`` or
            ``"deviation_ticks"``. None takes patience or duration where the plans differ in it, else the deviation.
        cost
            As in `frontier`.
        theme
            As in `Rehearsal.plot`.

        Raises
        ------
        InvalidOrder
            `against`, `cost` or `theme` is none of these.
        """
        rehearsed = self.rehearsals[0].rehearsed
        frame = self.frontier(cost=cost)
        varying: tuple[Against, ...] = tuple(name for name in _SETTINGS if frame[name].nunique() > 1)
        drawn: Against = (*varying, "deviation_ticks")[0] if against is None else against
        must_be_one_of(drawn, get_args(Against), name="against")
        title = f"{rehearsed.side} {rehearsed.local_symbol}, {len(self.rehearsals[0].outcomes):,} common markets"
        return frontier_figure(frame, against=drawn, title=title, theme=theme)

    def __repr__(self) -> str:
        """Say in one line what is compared."""
        first = self.rehearsals[0]
        return f"<Comparison of {', '.join(self.labels)}: {len(first.outcomes):,} common markets>"

    def _repr_html_(self) -> str:
        first = self.rehearsals[0]
        return comparison_card(
            first.rehearsed,
            frontier=self.frontier(),
            paired=self.compare(),
            seed=first.seed,
            paths=len(first.outcomes),
        )

    def _paired_rows(self) -> Iterator[dict[str, Any]]:
        first, *others = self.rehearsals
        name_of_first, *names = self.labels
        for label, other in zip(names, others, strict=True):
            for name in COMPARED:
                quantity = _BY_NAME[name]
                difference = _figures(quantity, other) - _figures(quantity, first)
                yield {
                    "plan": label,
                    "against": name_of_first,
                    "quantity": name,
                    "unit": quantity.unit,
                } | _paired_row(difference)

    def _known_cost(self) -> Cost:
        quantity = _BY_NAME["all_lots_ticks"]
        is_known = all(bool(np.isfinite(_figures(quantity, one)).any()) for one in self.rehearsals)
        return "all_lots_ticks" if is_known else "slippage_ticks"

    def _frontier_rows(self, cost: Cost) -> Iterator[dict[str, Any]]:
        for label, one in zip(self.labels, self.rehearsals, strict=True):
            told = _figures(_BY_NAME[cost], one)
            known = told[np.isfinite(told)]
            interval, deviation = monte_carlo.mean_range(known), monte_carlo.deviation(known)
            yield {
                "plan": label,
                "slices": one.rehearsed.slices,
                "duration_s": one.rehearsed.duration_s,
                "patience_s": one.rehearsed.patience_s,
                "cost": cost,
                "paths": len(known),
                "cost_ticks": monte_carlo.mean(known).value,
                "low_ticks": interval.low,
                "high_ticks": interval.high,
                "deviation_ticks": deviation.value,
                "deviation_error": deviation.error,
                "shortfall_lots": float(np.mean([path.shortfall_lots for path in one.outcomes])),
                "completed": float(np.mean([path.finished for path in one.outcomes])),
                "messages": float(np.mean([path.messages for path in one.outcomes])),
            }


def _figures(quantity: Quantity, one: Rehearsal) -> Reals:
    return path_frames.draws(quantity, one.outcomes, rehearsed=one.rehearsed)


def _paired_row(difference: Reals) -> dict[str, Any]:
    """Figures of differences, path by path; NaN where one of both is not known."""
    known = difference[~np.isnan(difference)]
    mean, interval = monte_carlo.mean(known), monte_carlo.mean_range(known)
    is_less, is_equal = known < -_NEARLY_NOTHING, np.abs(known) <= _NEARLY_NOTHING
    less = monte_carlo.share(int(is_less.sum()), len(known))
    return {
        "paths": len(known),
        "unknown": len(difference) - len(known),
        "difference": mean.value,
        "error": mean.error,
        "low": interval.low,
        "high": interval.high,
        "less_share": less.value,
        "less_error": less.error,
        "equal_share": float(is_equal.mean()) if len(known) else math.nan,
    }


def _apart(first: Rehearsal, other: Rehearsal) -> str:
    """In what the markets of two rehearsals differ."""
    one, another = first.rehearsed, other.rehearsed
    found = []
    if len(first.seeds) != len(other.seeds):
        found.append(f"{len(other.seeds):,} paths, not {len(first.seeds):,}")
    elif first.seeds != other.seeds:
        is_told = first.seed != other.seed
        found.append(f"seed {other.seed}, not {first.seed}" if is_told else "paths of other seeds, or in another order")
    if one.model != another.model:
        found.append(f"model {another.model!r}, not {one.model!r}")
    if one.world != another.world:
        found.append(f"begun at another instant or price, world {another.world}, not {one.world}")
    return " and ".join(found)


def _together(first: Rehearsal, other: Rehearsal) -> str:
    """The call that gives both in the same markets."""
    one, another = first.rehearsed, other.rehearsed
    if one.plan_id == another.plan_id and one.with_faults != another.with_faults:
        return "hydra_nb.rehearse_faults(plan, faults=...)"
    return "hydra_nb.rehearse(plans)" + (", all by one fidelity" if one.fidelity != another.fidelity else "")
