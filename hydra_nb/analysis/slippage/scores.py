"""Figures of predictions against what was paid, with bootstrap intervals over parent orders.

Fills of one parent order share its arrival, its prediction and the market of that hour: they are not independent, and
an interval that took them for it would be too narrow. Whole orders are drawn, with all their fills (the cluster
bootstrap, Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). Intervals are
bias-corrected and accelerated (BCa; Efron, "Better Bootstrap Confidence Intervals", 1987), by `scipy.stats.bootstrap`,
and expanded for few orders (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 5.3.3).
"""

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hydra_nb.analysis.slippage.evidence import LEAST_FILLS, LEAST_ORDERS, Codes, Evidence, Reals

RESAMPLES: Final = 4_999
MOST_DRAWN: Final = 500
"""Orders that are drawn one by one; of more, neighbours are drawn together in so many blocks.

Blocks are as good as orders: their number alone says how well the width of an interval is known, here to 3 %. The draws
of a hundred thousand orders would take minutes.
"""

_DRAWN_AT_ONCE = 1_000_000  # orders, so that memory stays at some tens of megabytes
_NEARLY_NOTHING = 1e-12  # of a variance, relative: what rounding leaves of a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval of one figure; NaN where it has none."""

    low: float = np.nan
    high: float = np.nan
    is_bca: bool = True


NO_INTERVAL = Interval()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Bias, correlation and multiplier of one `Evidence` with their intervals, and what is to be said of them."""

    bias: float
    correlation: float
    multiplier: float
    intervals: tuple[Interval, Interval, Interval]
    method: str
    reason: str


def summary_row(evidence: Evidence, *, unit: str, level: float, seed: int) -> dict[str, Any]:
    """One row of the summary: the columns of `slippage_columns.SLIPPAGE`."""
    n = evidence.actual.size
    row: dict[str, Any] = dict.fromkeys(_FIGURES) | {
        "symbol": evidence.symbol,
        "unit": unit,
        "n": n,
        "orders": evidence.n_orders,
        "left_out": evidence.left_out,
        "level": level,
        "method": "",
    }
    if evidence.mixed or n < LEAST_FILLS:
        return row | {"reason": evidence.mixed or f"{n} fills; at least {LEAST_FILLS} are needed"}
    predicted, actual = evidence.predicted, evidence.actual
    scores = score(evidence, level=level, seed=seed)
    bias, correlation, multiplier = scores.intervals
    return row | {
        "mean_predicted": predicted.mean(),
        "median_predicted": np.median(predicted),
        "p95_predicted": np.percentile(predicted, 95),
        "mean_actual": actual.mean(),
        "median_actual": np.median(actual),
        "p95_actual": np.percentile(actual, 95),
        "bias": scores.bias,
        "bias_low": bias.low,
        "bias_high": bias.high,
        "rmse": np.sqrt(np.mean((actual - predicted) ** 2)),
        "correlation": scores.correlation,
        "correlation_low": correlation.low,
        "correlation_high": correlation.high,
        "multiplier": scores.multiplier,
        "multiplier_low": multiplier.low,
        "multiplier_high": multiplier.high,
        "method": scores.method,
        "reason": scores.reason,
    }


_FIGURES = (
    *(f"{figure}_{of}" for of in ("predicted", "actual") for figure in ("mean", "median", "p95")),
    *(f"{figure}{end}" for figure in ("bias", "correlation", "multiplier") for end in ("", "_low", "_high")),
    "rmse",
)


def score(evidence: Evidence, *, level: float, seed: int) -> Scores:
    """Bias, correlation and multiplier of enough fills, with their intervals."""
    sums = _Sums.of(evidence)
    bias, correlation, multiplier = (float(figure) for figure in sums.figures(sums.all_orders))
    words = [] if len(evidence.versions) < 2 else [f"predictions of {len(evidence.versions)} versions are mixed"]
    constant = [name for name in ("predicted", "actual") if _is_constant(getattr(evidence, name))]
    if constant:
        words.append(f"{' and '.join(constant)} slippage is the same in all fills: correlation counts as 0")
    if np.isnan(multiplier):
        words.append("the mean prediction is not positive: no multiplier")
    intervals, method = (NO_INTERVAL,) * 3, ""
    if evidence.n_orders < LEAST_ORDERS:
        words.append(f"fills of {evidence.n_orders} orders: no interval from fewer than {LEAST_ORDERS}")
    else:
        intervals = sums.intervals(level=level, seed=seed)
        method = _method(intervals, orders=evidence.n_orders)
    return Scores(
        bias=bias,
        correlation=correlation,
        multiplier=multiplier,
        intervals=intervals,
        method=method,
        reason="; ".join(words),
    )


def _is_constant(values: Reals) -> bool:
    return bool(np.ptp(values) <= _NEARLY_NOTHING * np.abs(values).max())


def _method(intervals: tuple[Interval, Interval, Interval], *, orders: int) -> str:
    simple = [
        name
        for name, one in zip(("bias", "correlation", "multiplier"), intervals, strict=True)
        if not one.is_bca and not np.isnan(one.low)
    ]
    drawn = "order" if orders <= MOST_DRAWN else f"{MOST_DRAWN} blocks of orders"
    words = f"BCa bootstrap of {RESAMPLES:,} draws by {drawn}"
    if len(simple) == len(intervals):
        return words.replace("BCa", "percentile")
    return f"{words}, percentile for {' and '.join(simple)}" if simple else words


def expanded(level: float, *, orders: int) -> float:
    """Level at which to read the draws of so many orders, so that the interval holds `level`.

    Draws are narrower than the truth by sqrt(1 − 1 / orders), and have no tails of Student's t; for a mean this makes
    up for both. At 95 % it is 98.9 % of 8 orders, and 96 % of 40.
    """
    from scipy import stats

    far = stats.t.ppf((1 + level) / 2, orders - 1) * np.sqrt(orders / (orders - 1))
    return float(1 - 2 * stats.norm.sf(far))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What bias, correlation and multiplier are made of, summed by order or block, so that one is drawn as one number.

    Rows of `by_order`: fills, predicted, actual, and the two squares and the product of what is above the means.
    """

    by_order: Reals
    mean_predicted: float
    mean_actual: float
    is_constant: bool

    @classmethod
    def of(cls, evidence: Evidence) -> "_Sums":
        """Sums of the fills of each order; centred first, so that squares lose no digits."""
        mean_predicted, mean_actual = float(evidence.predicted.mean()), float(evidence.actual.mean())
        predicted, actual = evidence.predicted - mean_predicted, evidence.actual - mean_actual
        rows = (np.ones_like(actual), predicted, actual, predicted**2, actual**2, predicted * actual)
        drawn = evidence.orders
        if evidence.n_orders > MOST_DRAWN:
            drawn = drawn * MOST_DRAWN // evidence.n_orders
        return cls(
            by_order=np.stack([np.bincount(drawn, weights=row) for row in rows]),
            mean_predicted=mean_predicted,
            mean_actual=mean_actual,
            is_constant=_is_constant(evidence.predicted) or _is_constant(evidence.actual),
        )

    @property
    def all_orders(self) -> Codes:
        """Every order once."""
        return np.arange(self.by_order.shape[1])

    def figures(self, drawn: Codes, axis: int = -1) -> Reals:
        """Bias, correlation and multiplier of drawn orders, one a row; a correlation of what does not vary is 0."""
        n, p, a, pp, aa, pa = self.by_order[:, drawn].sum(axis=axis)
        mean_predicted, mean_actual = self.mean_predicted + p / n, self.mean_actual + a / n
        spread_p, spread_a = pp - p * p / n, aa - a * a / n
        varies = (spread_p > _NEARLY_NOTHING * pp) & (spread_a > _NEARLY_NOTHING * aa) & (not self.is_constant)
        product = np.sqrt(np.where(varies, spread_p * spread_a, 1.0))
        correlation = np.where(varies, (pa - p * a / n) / product, 0.0)
        multiplier = mean_actual / np.where(mean_predicted > 0, mean_predicted, np.nan)
        return np.stack([mean_actual - mean_predicted, np.clip(correlation, -1.0, 1.0), multiplier])

    def intervals(self, *, level: float, seed: int) -> tuple[Interval, Interval, Interval]:
        """Bootstrap intervals of the three; where BCa does not exist, the percentiles of the draws."""
        from scipy import stats

        size = self.by_order.shape[1]
        drawn_level = expanded(level, orders=size)
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter(
                "ignore", stats.DegenerateDataWarning
            )  # where it has no interval, the percentiles have
            found = stats.bootstrap(
                (self.all_orders,),
                self.figures,
                n_resamples=RESAMPLES,
                batch=max(1, _DRAWN_AT_ONCE // size),
                vectorized=True,
                confidence_level=drawn_level,
                method="BCa",
                rng=seed,
            )
        drawn: Reals = found.bootstrap_distribution
        tails = np.quantile(drawn, ((1 - drawn_level) / 2, (1 + drawn_level) / 2), axis=-1)
        given = np.stack([found.confidence_interval.low, found.confidence_interval.high])
        exists = np.asarray(np.isfinite(given).all(axis=0))
        low, high = np.where(exists, given, tails)
        if self.is_constant:  # a correlation that counts as 0 was not measured
            low[1] = high[1] = np.nan
        first, second, third = (
            Interval(low=float(low[i]), high=float(high[i]), is_bca=bool(exists[i])) for i in range(3)
        )
        return first, second, third
