"""One plan on a tape by both rules of fills: its cost lies between, as nobody knows its place in the queue."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from hydra_nb.analysis import monte_carlo, rehearsal_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.monte_carlo import Reals
from hydra_nb.errors import AnalysisError, InvalidOrder
from hydra_nb.rehearsal import path_frames
from hydra_nb.rehearsal.impacted import ImpactedMarket
from hydra_nb.rehearsal.market import Market
from hydra_nb.rehearsal.path_frames import QUANTITIES, Quantity
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.rehearse import Rehearsable, Way, must_be_plan, run_all, seed_of, stage_all
from hydra_nb.rehearsal.running import Tell
from hydra_nb.rehearsal.tape_market import TapeMarket
from hydra_nb.sim.models.tape import FillRule
from hydra_nb.widgets.rehearsal_card import bounds_card

_COMPLETED = Quantity(name="completed", unit="1", read=lambda path, _: float(path.finished), has_worst=False)
BOUNDED: Final = (*QUANTITIES, _COMPLETED)
"""Quantities of which both rules are told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FillBounds:
    """One plan, from the same instants of a tape, by both rules of fills.

    Parameters
    ----------
    touch
        Orders that rest fill as if first in the queue.
    through
        They fill as if last in it.

    Raises
    ------
    AnalysisError
        Both are not of one plan on the same seeds.
    """

    touch: Rehearsal = field(repr=False)
    through: Rehearsal = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be held against each other path by path."""
        one, other = self.touch, self.through
        is_one_plan = one.seeds == other.seeds and one.rehearsed.plan_id == other.rehearsed.plan_id
        if not is_one_plan or "fills by touch" not in one.rehearsed.model:
            raise AnalysisError(
                f"{one.rehearsed.label} and {other.rehearsed.label} are no bounds of one plan on the same seeds; "
                "take both from rehearse_bounds(plan)"
            )

    def frame(self) -> pd.DataFrame:
        """One row a quantity, by both rules and their difference path by path.

        Returns
        -------
        pandas.DataFrame
            Columns of ``rehearsal.bounds`` in ``docs/columns.md``. What the order comes to lies between ``touch`` and
            ``through`` as far as the tape and the errors tell. ``touch`` never fills less of one order, yet a plan that
            fills early goes on otherwise: either may be the larger.
        """
        return make_frame(rehearsal_columns.BOUNDS, self._rows())

    def __repr__(self) -> str:
        """Say in one line between what the cost lies."""
        rehearsed, cost = self.touch.rehearsed, self.frame().set_index("quantity").loc["all_lots_ticks"]
        return (
            f"<FillBounds {rehearsed.side} {rehearsed.lots} {rehearsed.local_symbol}, {rehearsed.label}: all lots "
            f"{cost['touch']:+.1f} ticks by touch, {cost['through']:+.1f} by through>"
        )

    def _repr_html_(self) -> str:
        one, other = self.touch, self.through
        return bounds_card(one.rehearsed, other.rehearsed, frame=self.frame(), seed=one.seed, paths=len(one.outcomes))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for quantity in BOUNDED:
            touch, through = (_figures(quantity, one) for one in (self.touch, self.through))
            is_known = np.isfinite(touch) & np.isfinite(through)
            touch, through = touch[is_known], through[is_known]
            by_touch, by_through = monte_carlo.mean(touch), monte_carlo.mean(through)
            apart, interval = monte_carlo.mean(through - touch), monte_carlo.mean_range(through - touch)
            yield {
                "quantity": quantity.name,
                "unit": quantity.unit,
                "paths": len(touch),
                "unknown": int((~is_known).sum()),
                "touch": by_touch.value,
                "touch_error": by_touch.error,
                "through": by_through.value,
                "through_error": by_through.error,
                "difference": apart.value,
                "error": apart.error,
                "low": interval.low,
                "high": interval.high,
            }


async def rehearse_bounds(
    plan: Rehearsable,
    n: int = 1000,
    *,
    market: Market,
    seed: int | None = None,
    executor: Executor | None = None,
    progress: bool | Tell = True,
) -> FillBounds:
    """Rehearse a plan on a tape by both rules of fills, path by path from the same instants.

    Parameters
    ----------
    market
        A `TapeMarket`, or an `ImpactedMarket` of one; whichever rule it has, both are taken.
    n, seed, executor, progress
        As of `rehearse`; `n` counts the paths of each rule.

    Raises
    ------
    InvalidOrder
        The market is no tape, or as for `rehearse`.
    RehearsalFailed
        A path could not be run.
    """
    if isinstance(plan, Sequence):
        raise InvalidOrder("bounds are those of one plan; give it alone, not a list")
    must_be_plan(plan, name="plan")
    markets = (filling(market, FillRule.TOUCH), filling(market, FillRule.THROUGH))
    way = Way(n=n, seed=seed, executor=executor, progress=progress)
    staged = await stage_all([(plan, one) for one in markets], way=way)
    touch, through = await run_all(staged, seed=seed_of(plan, way=way), way=way)
    return FillBounds(touch=touch, through=through)


def filling(market: object, rule: FillRule) -> Market:
    """Give a tape, or an impact before one, with a rule of fills; `InvalidOrder` of any other market."""
    if isinstance(market, TapeMarket):
        return market.filling(rule)
    if isinstance(market, ImpactedMarket) and market.market is not None:
        return replace(market, market=filling(market.market, rule))
    raise InvalidOrder(
        f"market={market!r:.60} knows the place of each order in the queue; bounds of fills are those of a TapeMarket"
    )


def _figures(quantity: Quantity, one: Rehearsal) -> Reals:
    return path_frames.draws(quantity, one.outcomes, rehearsed=one.rehearsed)
