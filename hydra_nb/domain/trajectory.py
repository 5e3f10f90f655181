"""By what the lots of a plan were divided, where that was not evenly: what trading costs, and what waiting risks."""

import math
from dataclasses import dataclass

from hydra_nb.errors import invariant


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearImpact:
    """The market of Almgren and Chriss, "Optimal execution of portfolio transactions" (2000), in cash a lot.

    Cash is in the contract's currency; time is counted in days of trading.

    Attributes
    ----------
    half_spread_cash
        ε: what a lot costs at any pace.
    temporary_cash
        η: what a lot costs besides for each lot a day of the pace.
    permanent_cash
        γ: by how much each lot that is traded moves the value of a lot for good.
    deviation_cash
        σ: standard deviation of the value of a lot over one day.
    """

    half_spread_cash: float
    temporary_cash: float
    permanent_cash: float
    deviation_cash: float

    def __post_init__(self) -> None:
        """Refuse what is no market."""
        for name, value in (
            ("half spread", self.half_spread_cash),
            ("temporary impact", self.temporary_cash),
            ("permanent impact", self.permanent_cash),
            ("deviation", self.deviation_cash),
        ):
            invariant(math.isfinite(value) and value >= 0, f"{name} of {value} cash a lot")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlmgrenChriss:
    """A time to trade in, cut into equal slots, and how much its risk is minded.

    Attributes
    ----------
    risk_aversion
        λ: cash that a cash² of variance is worth, 1/cash; 0 is even.
    slots
        N: equal intervals in which lots may be traded.
    horizon_s
        T: all of them together.
    day_s
        Seconds of trading that a day of `impact` has.
    """

    risk_aversion: float
    impact: LinearImpact
    slots: int
    horizon_s: float
    day_s: float

    def __post_init__(self) -> None:
        """Refuse what has no optimum."""
        invariant(
            math.isfinite(self.risk_aversion) and self.risk_aversion >= 0, f"a risk aversion of {self.risk_aversion}"
        )
        invariant(self.slots >= 1, f"{self.slots} slots")
        for name, value in (("horizon", self.horizon_s), ("day", self.day_s)):
            invariant(math.isfinite(value) and value > 0, f"a {name} of {value} s")
        invariant(self.effective_cash > 0, f"an effective temporary impact of {self.effective_cash} cash a lot")

    @property
    def slot_days(self) -> float:
        """τ: the length of one slot, in days of trading."""
        return self.horizon_s / self.day_s / self.slots

    @property
    def effective_cash(self) -> float:
        """η̃ = η − γτ/2: the temporary impact, less what of the permanent one a slot of this length does not pay."""
        return self.impact.temporary_cash - self.impact.permanent_cash * self.slot_days / 2
