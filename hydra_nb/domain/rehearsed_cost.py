"""What a rehearsal says that an order costs, as a plan keeps it beside what the formula says."""

import math
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.errors import invariant


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedCost:
    """Cost of the filled lots over the paths of a rehearsal, with what it came from; the mean is the prediction's own.

    Attributes
    ----------
    paths, known_paths
        Paths of the rehearsal, and those that have a cost: a fill, and a mid when the order began.
    mean_error_ticks
        Monte-Carlo error of the mean: how far it would move with other markets of the same model.
    low_ticks, high_ticks
        Between which a single order comes, ticks a lot against the mid when it began; positive is a cost.
    level
        Share of the paths that lie in there.
    completed
        Share of the paths in which every lot was filled.
    market, world
        The kind of market, and the digest of all that its paths had in common but for their seeds.
    seed
        The one that the seeds of all paths were drawn from.
    formula_slippage
        What the formula predicts a lot to cost, in price units, with the constants in force.
    """

    paths: int
    known_paths: int
    mean_error_ticks: float
    low_ticks: float
    high_ticks: float
    level: float
    completed: float
    market: str
    world: str
    seed: int
    formula_slippage: Decimal

    def __post_init__(self) -> None:
        """Refuse what is evidence of nothing."""
        invariant(0 < self.known_paths <= self.paths, f"{self.known_paths} of {self.paths} paths have a cost")
        ordered = math.isfinite(self.low_ticks) and self.low_ticks <= self.high_ticks and math.isfinite(self.high_ticks)
        invariant(ordered, f"an interval from {self.low_ticks} to {self.high_ticks} ticks")
        invariant(0 < self.level < 1, f"level {self.level} is not between 0 and 1")
        invariant(0 <= self.completed <= 1, f"{self.completed} of the paths completed")

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        unknown = self.paths - self.known_paths
        without = f", {unknown:,} without a cost" if unknown else ""
        return (
            f"rehearsal of {self.paths:,} paths in {self.market} {self.world}{without}; "
            f"every lot filled in {100 * self.completed:.0f} % of them"
        )
