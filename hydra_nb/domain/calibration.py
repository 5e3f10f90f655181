"""How the slippage formula fits own fills in one symbol, with its evidence."""

import math
from dataclasses import dataclass
from typing import Final

from hydra_nb.errors import invariant

MOST_K: Final = 3.0
"""Impact, in daily volatilities, above which a fit is taken for a fault of its data; it is reported to be near 1."""

MOST_SPREAD_FACTOR: Final = 5.0
"""Half spreads a lot above which a fit is taken for a fault of its data; crossing the whole spread costs 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlippageCalibration:
    """Constants of the slippage formula in one symbol, fitted to own fills.

    Attributes
    ----------
    symbol
        Symbol of the future; it holds for all months.
    k, k_low, k_high
        Impact in daily volatilities of trading a whole day's volume, and its interval. No interval where it was not
        fitted: `k` is then what it was before.
    spread_factor, spread_factor_low, spread_factor_high
        Half spreads that a lot costs before any impact, and the interval.
    level
        Confidence of both intervals.
    n_fills, n_orders
        Own fills that were fitted, and the parent orders that they are of.
    residual_low_ticks, residual_high_ticks
        Where the cost of an order lay around its prediction, ticks a lot, each order predicted from the others.
    residual_level
        Probability with which the next order lies in there, if it is like those.
    calibrated_ns
        Time of the last fill that was fitted, UTC nanoseconds.
    version
        Version of the predictor that this makes.
    """

    symbol: str
    k: float
    k_low: float | None
    k_high: float | None
    spread_factor: float
    spread_factor_low: float
    spread_factor_high: float
    level: float
    n_fills: int
    n_orders: int
    residual_low_ticks: float
    residual_high_ticks: float
    residual_level: float
    calibrated_ns: int
    version: str

    def __post_init__(self) -> None:
        """Refuse what could predict nothing, or a gain from trading more."""
        invariant((self.k_low is None) == (self.k_high is None), f"half an interval of k of {self.symbol}")
        k_low, k_high = (self.k if end is None else end for end in (self.k_low, self.k_high))
        for name, low, value, high in (
            ("k", k_low, self.k, k_high),
            ("spread factor", self.spread_factor_low, self.spread_factor, self.spread_factor_high),
            ("residual", self.residual_low_ticks, self.residual_low_ticks, self.residual_high_ticks),
        ):
            ordered = math.isfinite(low) and low <= value <= high and math.isfinite(high)
            invariant(ordered, f"{name} {value} of {self.symbol} is not between {low} and {high}")
        invariant(self.k >= 0, f"k {self.k} of {self.symbol} is negative")
        invariant(self.spread_factor >= 0, f"spread factor {self.spread_factor} of {self.symbol} is negative")
        for level in (self.level, self.residual_level):
            invariant(0 < level < 1, f"level {level} of {self.symbol} is not between 0 and 1")
        invariant(0 < self.n_orders <= self.n_fills, f"{self.n_fills} fills of {self.n_orders} orders in {self.symbol}")

    @property
    def is_k_fitted(self) -> bool:
        """Whether k comes from the fills; else it is what it was before."""
        return self.k_low is not None
