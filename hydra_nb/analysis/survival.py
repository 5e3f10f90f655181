"""Fill survival: which share of the lots put into the market is still open after a time, and how sure that is.

Nobody sees how long a lot would have rested that was cancelled, moved to the next stage, or expired: it is censored
there, which the estimator of Kaplan and Meier counts rightly as long as what ended the stage did not know of fills to
come. The end of a stage by the clock does not; a person who cancels because the market runs away does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.random import PCG64, Generator

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.patience_columns import SURVIVAL, TIME_TO_FILL
from hydra_nb.analysis.stage_fills import fills_of_stage
from hydra_nb.domain.orders import Stage
from hydra_nb.errors import InvalidFrame

Unit = Literal["lots", "orders"]

FEWEST_ORDERS: Final = 10
"""A band rests on at least so many orders; of fewer there is none."""

LEVEL: Final = 0.95
SPREAD_BINS: Final = {
    "1 tick": 1,
    "2 ticks": 2,
    "3 ticks": 3,
    "4–5 ticks": 5,
    "6–10 ticks": 10,
    "over 10 ticks": np.inf,
}
"""Spread when the stage was gated, by the largest spread of each group."""

UNKNOWN: Final = "unknown"
"""Group of the rows that lack what parts the groups."""

_NEEDED = ("order_ref", "stage", "lots", "filled_lots", "worked_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observations:
    """What was seen: how long so many lots of an order lay open, and whether they filled then.

    `order` numbers the orders from 0; all arrays have one entry an observation.
    """

    order: np.ndarray
    time_s: np.ndarray
    lots: np.ndarray
    is_filled: np.ndarray

    @property
    def orders(self) -> int:
        """Orders that were seen."""
        return len(np.unique(self.order))


def survival(
    stages: pd.DataFrame,
    by: str | None = None,
    *,
    unit: Unit = "lots",
    resamples: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of lots that is still open a time after its stage began.

    Parameters
    ----------
    stages
        Frame with the columns of ``desk.stages()``; the order of its rows does not matter.
    by
        Column whose values part the groups, such as ``"stage"`` or ``"hour"``; ``"spread"`` bins ``spread_ticks``; None
        makes one group of all.
    unit
        ``"lots"``: each lot counts. ``"orders"``: a stage of an order counts once, as filled when its last lot filled.
    resamples
        How often the orders are drawn anew for the band; 0 gives none.
    seed
        Of those draws: the same seed gives the same band.

    Returns
    -------
    pandas.DataFrame
        Columns of ``survival`` in ``docs/columns.md``: of each group a row at 0 s, a row at each time at which lots
        filled, and one at the end of the longest stage.

    Raises
    ------
    InvalidFrame
        A column is missing, or rows are there twice or contradict themselves.

    Notes
    -----
    The curve is the product-limit estimate (Kaplan and Meier, "Nonparametric estimation from incomplete observations",
    1958), by statsmodels. Lots of one order rest at one price and often fill together: they are no independent
    witnesses, and a band that takes them for such is too narrow. Whole orders with all their stages are therefore drawn
    with replacement (Efron, "Censored data and the bootstrap", 1981; by cluster, Davison and Hinkley, "Bootstrap
    methods and their application", 1997, chapter 3.8), and the band holds the middle 95 % of their curves at each time.
    It is NaN with fewer than 10 orders, and where all draws agree, since then they say nothing. Orders of one day may
    depend on each other still.
    """
    rows: list[dict[str, Any]] = []
    for group, members in _groups(stages, by=by):
        seen = _observed(members, unit=unit)
        if len(seen.order):
            rows += _curve(seen, group=group, resamples=resamples, seed=seed)
    return make_frame(SURVIVAL, rows)


def time_to_fill(stages: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Fill ratio of each group, and when a quarter, half and three quarters of its lots had filled.

    Lots count in each stage in which they were open: in the whole of all stages, those that went on to a next one count
    again.

    Parameters
    ----------
    stages, by
        As in `survival`.

    Returns
    -------
    pandas.DataFrame
        Columns of ``time_to_fill`` in ``docs/columns.md``. A time is the first at which the share still open, by the
        estimate of Kaplan and Meier, is down to the level; NaN where it never is.

    Raises
    ------
    InvalidFrame
        As in `survival`.
    """
    rows = []
    for group, members in _groups(stages, by=by):
        seen = _observed(members, unit="lots")
        if not len(seen.order):
            continue
        times_s, open_share = _product_limit(seen)
        lots, filled = int(seen.lots.sum()), int(seen.lots[seen.is_filled].sum())
        reached = {
            name: next((time for time, share in zip(times_s, open_share, strict=True) if share <= level + 1e-12), None)
            for name, level in (("quarter_s", 0.75), ("median_s", 0.5), ("three_quarters_s", 0.25))
        }
        rows.append(
            {
                "group": group,
                "orders": seen.orders,
                "lots": lots,
                "filled_lots": filled,
                "fill_ratio": filled / lots,
                **reached,
            }
        )
    return make_frame(TIME_TO_FILL, rows)


# What was seen


def _groups(stages: pd.DataFrame, *, by: str | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Groups by name, in the order of what parts them; those that lack it come last."""
    _must_be_sound(stages, by=by)
    ordered = stages.sort_values(["order_ref", "stage"], kind="stable")  # so that draws do not depend on the order
    if by is None:
        yield "all", ordered
        return
    keys = _spread_bins(ordered["spread_ticks"]) if by == "spread" else ordered[by]
    names: list[Any] = list(keys.dropna().unique())
    known = list(SPREAD_BINS) if by == "spread" else [str(stage) for stage in Stage] if by == "stage" else []
    names.sort(key=lambda name: (known.index(name) if name in known else len(known), name))
    for name in names:
        yield str(name), ordered[(keys == name).fillna(value=False).to_numpy(dtype=bool)]
    unknown = ordered[keys.isna().to_numpy(dtype=bool)]
    if not unknown.empty:
        yield UNKNOWN, unknown


def _spread_bins(spread_ticks: pd.Series) -> pd.Series:
    """The bin of each spread, as text; missing where the spread is."""
    edges = [-np.inf, *SPREAD_BINS.values()]
    return pd.cut(spread_ticks, bins=edges, labels=list(SPREAD_BINS)).astype("str").where(spread_ticks.notna())


def _must_be_sound(stages: pd.DataFrame, *, by: str | None) -> None:
    """Refuse a frame from which a wrong number would come."""
    key = "spread_ticks" if by == "spread" else by
    missing = [name for name in (*_NEEDED, *([] if key is None else [key])) if name not in stages.columns]
    if missing:
        raise InvalidFrame(f"stages lack {', '.join(missing)}; take them from desk.stages()")
    twice = int(stages.duplicated(["order_ref", "stage"]).sum())
    if twice:
        raise InvalidFrame(
            f"{twice} stages are there more than once; use stages.drop_duplicates(['order_ref', 'stage'])"
        )
    unknown = int(stages[list(_NEEDED)].isna().any(axis=1).sum())
    if unknown:
        raise InvalidFrame(f"{unknown} stages lack a value of {', '.join(_NEEDED)}; leave them out")
    negative = int((stages[["lots", "filled_lots", "worked_s"]] < 0).any(axis=1).sum())
    if negative:
        raise InvalidFrame(f"{negative} stages have negative lots or lasted less than 0 s")


def _observed(stages: pd.DataFrame, *, unit: Unit) -> _Observations:
    """Observations of one group; stages with nothing open give none."""
    if unit not in ("lots", "orders"):
        raise InvalidFrame(f"unit {unit!r} is neither 'lots' nor 'orders'")
    order, _ = pd.factorize(stages["order_ref"])
    seen: list[tuple[int, float, int, bool]] = []
    for number, row in zip(order.tolist(), stages.to_dict("records"), strict=True):
        lots, fills = int(row["lots"]), fills_of_stage(row)
        left = max(0, lots - sum(filled for filled, _ in fills))
        if unit == "lots":
            seen += [(number, time_s, filled, True) for filled, time_s in fills]
            seen += [(number, float(row["worked_s"]), left, False)] if left else []
        elif lots > 0:
            is_done = left == 0
            seen.append((number, max(time_s for _, time_s in fills) if is_done else float(row["worked_s"]), 1, is_done))
    return _Observations(
        order=np.array([number for number, _, _, _ in seen], dtype=np.int64),
        time_s=np.array([time_s for _, time_s, _, _ in seen], dtype=np.float64),
        lots=np.array([lots for _, _, lots, _ in seen], dtype=np.int64),
        is_filled=np.array([is_filled for _, _, _, is_filled in seen], dtype=np.bool_),
    )


# Curves


def _product_limit(seen: _Observations) -> tuple[np.ndarray, np.ndarray]:
    """Times at which lots filled, and the share open after each."""
    from statsmodels.duration.survfunc import SurvfuncRight  # takes 0.7 s, and not everybody asks

    if not seen.is_filled.any():
        return np.array([]), np.array([])
    fitted = SurvfuncRight(seen.time_s, seen.is_filled.astype(np.int64), freq_weights=seen.lots)
    return fitted.surv_times, fitted.surv_prob


def _curve(seen: _Observations, *, group: str, resamples: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of one curve with its band."""
    times_s, open_share = _product_limit(seen)
    low, high = _band(seen, times_s, resamples=resamples, seed=seed)
    if not len(times_s) or times_s[0] > 0:
        times_s, open_share = np.append(0.0, times_s), np.append(1.0, open_share)
        certain = 1.0 if np.isfinite(low).any() else np.nan  # at 0 s all is open; but no band has no beginning
        low, high = np.append(certain, low), np.append(certain, high)
    end_s = seen.time_s.max()
    if end_s > times_s[-1]:
        times_s, open_share = np.append(times_s, end_s), np.append(open_share, open_share[-1])
        was_seen = len(times_s) > 2
        low, high = (np.append(edge, edge[-1] if was_seen else np.nan) for edge in (low, high))
    at_risk, filled, censored = _counts(seen, times_s)
    longest_s = pd.Series(seen.time_s).groupby(seen.order).max().sort_values().to_numpy()
    orders = len(longest_s) - np.searchsorted(longest_s, times_s, side="left")
    columns = {
        "time_s": times_s,
        "at_risk": at_risk,
        "filled": filled,
        "censored": censored,
        "unfilled": open_share,
        "low": low,
        "high": high,
        "orders": orders,
    }
    for at in range(len(times_s)):
        yield {"group": group} | {name: column[at] for name, column in columns.items()}


def _counts(seen: _Observations, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lots at risk just before each time, and those filled and censored from it until the next."""
    at = np.searchsorted(times_s, seen.time_s, side="right") - 1
    filled, censored = (
        np.bincount(at[kind], weights=seen.lots[kind], minlength=len(times_s)).astype(np.int64)
        for kind in (seen.is_filled, ~seen.is_filled)
    )
    gone = np.cumsum(filled + censored)
    return seen.lots.sum() - np.append(0, gone[:-1]), filled, censored


def _band(seen: _Observations, times_s: np.ndarray, *, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the band at each time, from curves of orders drawn with replacement; NaN where they cannot tell."""
    nothing = np.full(len(times_s), np.nan)
    if resamples <= 0 or seen.orders < FEWEST_ORDERS or not len(times_s):
        return nothing, nothing
    dice = Generator(PCG64(seed))
    _, order = np.unique(seen.order, return_inverse=True)
    chances = np.full(seen.orders, 1 / seen.orders)
    curves = np.array(
        [
            _weighted_curve(seen, times_s, weights=dice.multinomial(seen.orders, chances)[order] * seen.lots)
            for _ in range(resamples)
        ]
    )
    low, high = np.quantile(curves, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    told = high - low > 1e-12  # the product may differ in its last digit
    return np.where(told, low, np.nan), np.where(told, high, np.nan)


def _weighted_curve(seen: _Observations, times_s: np.ndarray, *, weights: np.ndarray) -> np.ndarray:
    """Product-limit estimate at all of `times_s`, also where a draw has nothing at risk there: then nothing changes."""
    at = np.searchsorted(times_s, seen.time_s, side="right")  # at risk at the times before this one
    leaving = np.bincount(at, weights=weights, minlength=len(times_s) + 1)
    at_risk = np.cumsum(leaving[::-1])[::-1][1:]
    kind = seen.is_filled
    filled = np.bincount(at[kind] - 1, weights=weights[kind], minlength=len(times_s))
    share = np.divide(filled, at_risk, out=np.zeros(len(times_s)), where=at_risk > 0)
    return np.asarray(np.cumprod(1 - share))
