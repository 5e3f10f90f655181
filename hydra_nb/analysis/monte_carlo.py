"""Figures of independent draws, each with its Monte-Carlo error: how far it would move, were all drawn anew.

Nothing here draws: every error is a formula, so that the same draws give the same error.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special  # not stats, which takes a second to load

Reals = NDArray[np.float64]

LEVEL: Final = 0.95
"""Of the intervals."""
WORST: Final = 0.05
"""Share of the draws that count as the worst."""
FEWEST_IN_TAIL: Final = 5
"""Draws that must lie in a tail for its figure to have an error: the extremes of fewer say nothing of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and its standard error; NaN where the draws cannot tell it."""

    value: float = math.nan
    error: float = math.nan


UNKNOWN: Final = Estimate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An interval of one figure; NaN where it has none."""

    low: float = math.nan
    high: float = math.nan


def mean(draws: Reals) -> Estimate:
    """Mean, with s / √n."""
    n = len(draws)
    if not n:
        return UNKNOWN
    error = float(np.std(draws, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(value=float(np.mean(draws)), error=error)


def deviation(draws: Reals) -> Estimate:
    """Standard deviation s, with √(m₄ − m₂²) / (2 s √n): by the variance of the second moment, whatever the form."""
    n = len(draws)
    if n < 2:
        return UNKNOWN
    s, centred = float(np.std(draws, ddof=1)), draws - np.mean(draws)
    second, fourth = float(np.mean(centred**2)), float(np.mean(centred**4))
    error = math.sqrt(max(0.0, fourth - second**2) / n) / (2 * s) if s > 0 else 0.0
    return Estimate(value=s, error=error)


def quantile(draws: Reals, share: float) -> Estimate:
    """The smallest draw that so large a share of the draws does not exceed, with its bootstrap error.

    The error is that of infinitely many resamples, which has a form of its own: a resampled order statistic is the
    i-th draw with a probability that the beta distribution tells (Maritz and Jarrett, "A note on estimating the
    variance of the sample median", 1978; Hutson and Ernst, "The exact bootstrap mean and variance of an L-estimator",
    2000). NaN with fewer than `FEWEST_IN_TAIL` draws on either side.
    """
    n = len(draws)
    if not n:
        return UNKNOWN
    ordered, rank = np.sort(draws), rank_of(n, share)
    value = float(ordered[rank - 1])
    if min(rank, n - rank + 1) < FEWEST_IN_TAIL:
        return Estimate(value=value)
    chances = np.diff(special.betainc(rank, n - rank + 1, np.arange(n + 1) / n))
    middle = float(chances @ ordered)
    return Estimate(value=value, error=math.sqrt(float(chances @ (ordered - middle) ** 2)))


def rank_of(n: int, share: float) -> int:
    """Rank of a quantile, from 1; a product that is whole but for its last digits counts as whole."""
    return min(n, max(1, math.ceil(n * share - 1e-9)))


def worst(draws: Reals) -> Estimate:
    """Mean of the highest `WORST` of the draws: expected shortfall at 95 %.

    By Rockafellar and Uryasev, "Conditional value-at-risk for general loss distributions" (2002), it is the mean of
    q + max(x − q, 0) / `WORST` at the quantile q, where it is flat in q: the error of that mean is its error to first
    order. NaN with fewer than `FEWEST_IN_TAIL` draws in the tail.
    """
    n = len(draws)
    if not n:
        return UNKNOWN
    at = float(np.sort(draws)[rank_of(n, 1 - WORST) - 1])
    found = mean(at + np.maximum(draws - at, 0.0) / WORST)
    return found if n * WORST >= FEWEST_IN_TAIL else Estimate(value=found.value)


def share(hits: int, draws: int) -> Estimate:
    """Share of draws that hit, with half the width of the Wilson interval of one deviation.

    Unlike √(p (1 − p) / n) it is not 0 where all draws agree.
    """
    if not draws:
        return UNKNOWN
    _, reach = _wilson(hits, draws, z=1.0)
    return Estimate(value=hits / draws, error=reach)


def share_range(hits: int, draws: int) -> Range:
    """Interval of 95 % around a share, by Wilson, "Probable inference, the law of succession" (1927)."""
    if not draws:
        return Range()
    middle, reach = _wilson(hits, draws, z=float(special.ndtri((1 + LEVEL) / 2)))
    return Range(low=0.0 if not hits else middle - reach, high=1.0 if hits == draws else middle + reach)


def mean_range(draws: Reals) -> Range:
    """Interval of 95 % around the mean, by Student's t; it needs two draws."""
    if len(draws) < 2:
        return Range()
    found = mean(draws)
    reach = float(special.stdtrit(len(draws) - 1, (1 + LEVEL) / 2)) * found.error
    return Range(low=found.value - reach, high=found.value + reach)


def _wilson(hits: int, draws: int, *, z: float) -> tuple[float, float]:
    """Middle of the Wilson interval and its reach to either side."""
    p, weight = hits / draws, 1 + z * z / draws
    reach = z * math.sqrt(p * (1 - p) / draws + z * z / (4 * draws * draws)) / weight
    return (p + z * z / (2 * draws)) / weight, reach
