"""Fits the constants of the slippage formula to fills of one symbol.

A lot that filled cost ``spread factor · half spread + k · scale + error`` ticks against arrival, where the scale is
daily volatility · mid · sqrt(lots of the order / average daily volume), all known at preview. Factor and k are the
non-negative least squares over lots (Lawson and Hanson, "Solving Least Squares Problems", 1974; `scipy.optimize.nnls`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from hydra_nb.analysis.slippage.evidence import REFIT, Codes, Flags, Reals, order_codes, reals, renumbered, require
from hydra_nb.errors import InvalidFrame

MOST_CONDITION: Final = 30.0
"""Condition index from which half spread and scale are not told apart.

That of the columns at unit length; from 30 on dependence is strong (Belsley, Kuh and Welsch, "Regression Diagnostics",
1980, section 3.2).
"""

FOLDS: Final = 10
"""Parts into which the orders are dealt for the figures held out; one order each where there are fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Fills of one symbol as a fit reads them, in order of time; differences are ticks a lot.

    `orders` numbers the parent orders by their first fill; `left_out` counts the fills that lack a figure.
    """

    symbol: str
    half_spread: Reals
    scale: Reals
    paid: Reals
    predicted: Reals
    lots: Reals
    orders: Codes
    times_ns: Codes
    left_out: int

    @property
    def n_orders(self) -> int:
        """Parent orders that the fills are of."""
        return int(self.orders.max()) + 1 if self.orders.size else 0

    def part(self, wanted: Flags) -> "Sample":
        """Some of the fills; the numbers of their orders stay."""
        return Sample(
            symbol=self.symbol,
            half_spread=self.half_spread[wanted],
            scale=self.scale[wanted],
            paid=self.paid[wanted],
            predicted=self.predicted[wanted],
            lots=self.lots[wanted],
            orders=self.orders[wanted],
            times_ns=self.times_ns[wanted],
            left_out=self.left_out,
        )

    def mean(self, values: Reals) -> float:
        """Mean over lots."""
        return float(np.average(values, weights=self.lots))

    def sums(self, values: Reals) -> Reals:
        """Sum over the lots of each order, in order of their numbers."""
        return np.bincount(self.orders, weights=values * self.lots).astype(np.float64)

    def by_order(self, values: Reals) -> Reals:
        """Mean over the lots of each order, in order of their numbers."""
        return self.sums(values) / self.sums(np.ones_like(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Constants of the formula."""

    k: float
    spread_factor: float

    def predict(self, sample: Sample) -> Reals:
        """Predicted slippage of each fill, ticks a lot."""
        return self.spread_factor * sample.half_spread + self.k * sample.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Ends of an interval."""

    low: float
    high: float


def samples(fills: pd.DataFrame) -> list[Sample]:
    """One sample a symbol, from a frame that was `checked`.

    Raises
    ------
    InvalidFrame
        A column that a fit needs is missing, or holds no numbers or times.
    """
    require(fills, REFIT, wanted="a refit")
    columns = {name: reals(fills, name) for name in REFIT[2:]}
    try:
        moments = pd.DatetimeIndex(pd.to_datetime(fills["time"], utc=True)).as_unit("ns")
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"column 'time' holds no times: {error}") from error
    if any((columns[name] < 0).any() for name in ("half_spread_ticks", "impact_scale_ticks")):
        raise InvalidFrame("half_spread_ticks and impact_scale_ticks cannot be negative")
    known = np.logical_and.reduce([np.isfinite(values) for values in columns.values()]) & ~np.asarray(moments.isna())
    times_ns, orders, symbols = moments.asi8, order_codes(fills), fills["symbol"].to_numpy(dtype=object)
    found = []
    for symbol in sorted(set(symbols)):
        wanted = (symbols == symbol) & known
        rows = np.flatnonzero(wanted)
        rows = rows[np.argsort(times_ns[rows], kind="stable")]
        found.append(
            Sample(
                symbol=symbol,
                half_spread=columns["half_spread_ticks"][rows],
                scale=columns["impact_scale_ticks"][rows],
                paid=columns["slippage_ticks"][rows],
                predicted=columns["predicted_slippage_ticks"][rows],
                lots=columns["lots"][rows],
                orders=renumbered(orders[rows]),
                times_ns=times_ns[rows],
                left_out=int((symbols == symbol).sum() - rows.size),
            )
        )
    return found


def are_told_apart(sample: Sample) -> bool:
    """Whether half spread and scale vary apart from each other, so that k can be fitted beside the factor."""
    regressors = _weighted(sample, sample.half_spread, sample.scale)
    lengths = np.sqrt((regressors**2).sum(axis=0))
    return bool((lengths > 0).all()) and float(np.linalg.cond(regressors / lengths)) < MOST_CONDITION


def fit(sample: Sample, *, kept_k: float | None) -> Constants:
    """Fit the factor and k, or, where k is kept, the factor alone."""
    from scipy.optimize import nnls

    if kept_k is None:
        (factor, k), _ = nnls(_weighted(sample, sample.half_spread, sample.scale), _weighted(sample, sample.paid)[:, 0])
        return Constants(k=float(k), spread_factor=float(factor))
    rest = sample.paid - kept_k * sample.scale
    (factor,), _ = nnls(_weighted(sample, sample.half_spread), _weighted(sample, rest)[:, 0])
    return Constants(k=kept_k, spread_factor=float(factor))


def ranges(sample: Sample, fitted: Constants, *, kept_k: float | None, level: float) -> tuple[Range, Range | None]:
    """Give the intervals of factor and k; None for a k that was kept.

    From the least squares without the bound, made anew without each order in turn: the variance that the jackknife over
    orders gives, with Student's t over their number less one. It holds its level with few and unequal orders, where
    robust variances are too small (MacKinnon, Nielsen and Webb, "Leverage, influence, and the jackknife in clustered
    regression models", 2023, CV3). Cut at zero, below which the truth cannot be, and stretched where the bound has
    moved the estimate out of it.
    """
    from scipy import stats

    regressors = [sample.half_spread] if kept_k is not None else [sample.half_spread, sample.scale]
    paid = sample.paid if kept_k is None else sample.paid - kept_k * sample.scale
    gram = np.array([[sample.sums(one * other) for other in regressors] for one in regressors])
    right = np.array([[sample.sums(one * paid)] for one in regressors])
    whole = _solved(gram.sum(axis=-1)[..., np.newaxis], right.sum(axis=-1)[..., np.newaxis])[0]
    without = _solved(gram.sum(axis=-1)[..., np.newaxis] - gram, right.sum(axis=-1)[..., np.newaxis] - right)
    m = sample.n_orders
    error = np.sqrt((m - 1) / m * ((without - whole) ** 2).sum(axis=0)) * stats.t.ppf((1 + level) / 2, m - 1)
    ends = [
        Range(low=min(max(0.0, float(centre - far)), estimate), high=max(float(centre + far), estimate))
        for centre, far, estimate in zip(whole, error, (fitted.spread_factor, fitted.k), strict=False)
    ]
    return ends[0], None if kept_k is not None else ends[1]


def _solved(gram: Reals, right: Reals) -> Reals:
    """Solve normal equations, those of one sample in the last place of each array; gives a row of coefficients each."""
    grams, rights = np.moveaxis(gram, -1, 0), np.moveaxis(right, -1, 0)
    return np.asarray((np.linalg.pinv(grams, hermitian=True) @ rights)[..., 0])


def held_out(sample: Sample, *, kept_k: float | None) -> Reals:
    """Predict each fill with the constants that the orders of other folds give, ticks a lot.

    Orders are dealt to the folds in turn, by time, so that each fold holds old ones and new ones.
    """
    predicted = np.empty_like(sample.paid)
    folds = sample.orders % min(FOLDS, sample.n_orders)
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        predicted[out] = fit(sample.part(~out), kept_k=kept_k).predict(sample.part(out))
    return predicted


def residual_range(residuals: Reals, *, level: float) -> tuple[Range, float]:
    """Give order statistics that hold the next residual, and the probability that they do.

    Of m residuals and one more of their kind, the next lies between the j-th from below and the j-th from above with
    probability 1 − 2j / (m + 1) (Wilks, "Determination of sample sizes for setting tolerance limits", 1941). The
    largest j is taken that reaches `level`; few residuals reach less, with the outermost.
    """
    m = residuals.size
    j = max(1, int((m + 1) * (1 - level) / 2 + 1e-9))  # what is 1 to the last digit is 1
    ordered = np.sort(residuals) + 0.0  # no minus zero
    return Range(low=float(ordered[j - 1]), high=float(ordered[m - j])), 1 - 2 * j / (m + 1)


def _weighted(sample: Sample, *columns: Reals) -> Reals:
    """Columns with the root of the lots, so that every lot counts once."""
    return np.column_stack(columns) * np.sqrt(sample.lots)[:, np.newaxis]
