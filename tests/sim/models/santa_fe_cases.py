"""The three books of zero intelligence whose mean spread is known, and the formula printed for all of them."""

from dataclasses import dataclass, replace

from hydra_nb.sim.book import Book
from hydra_nb.sim.models.santa_fe import SantaFe, SantaFeParameters
from hydra_nb.sim.records import SimSide
from tests.sim.models.watching import Estimate, dice, spread_ticks, time_mean

SCALE_TICKS = 61
"""μ/2α: so many ticks that a smaller tick would change nothing that is seen."""
_FAIR_TICKS = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """ε = 2δσ/μ, the mean spread that is expected in units of μ/α, and the window in characteristic prices."""

    epsilon: float
    spread: float
    window: int


CASES = (
    Case(epsilon=0.02, spread=0.250, window=4),
    Case(epsilon=0.1, spread=0.318, window=5),
    Case(epsilon=0.5, spread=0.556, window=14),
)


def parameters(case: Case, *, order_lots: int = 1) -> SantaFeParameters:
    """One market order a second and side; the rest follows."""
    return SantaFeParameters(
        limit_per_s_tick=1 / SCALE_TICKS,
        market_per_s=2.0,
        cancel_per_s=case.epsilon,
        window_ticks=case.window * SCALE_TICKS,
        order_lots=order_lots,
    )


def mean_spread(case: Case, *, seconds: float, seed: int) -> Estimate:
    """Time-weighted mean spread in units of μ/α."""
    model = SantaFe(parameters(case), dice=dice(seed), fair_ticks=_FAIR_TICKS)
    ticks = time_mean(model, seconds=seconds, observe=spread_ticks)
    unit = 2 * SCALE_TICKS
    return Estimate(mean=ticks.mean / unit, standard_error=ticks.standard_error / unit, acts=ticks.acts)


def far_depth(case: Case, *, seconds: float, seed: int, order_lots: int = 1) -> Estimate:
    """Time-weighted mean lots at a price four to six characteristic prices above the bid, over α/δ.

    The window is of twelve: prices at its end come into it and leave it as the touch moves, and hold less.
    """
    given = parameters(replace(case, window=12), order_lots=order_lots)
    near, far = 4 * SCALE_TICKS, 6 * SCALE_TICKS
    model = SantaFe(given, dice=dice(seed), fair_ticks=_FAIR_TICKS)
    seen = 0.0
    acts = 0

    def lots_a_price(book: Book) -> float:
        # Far from the touch little changes between two acts: looking at one in a hundred leaves the mean as it is.
        nonlocal seen, acts
        acts += 1
        if acts % 100 == 1:
            touch = book.best(SimSide.BUY)
            ask = 0 if touch is None else touch[0]
            seen = sum(lots for ticks, lots in book.depth(SimSide.SELL) if near < ticks - ask <= far) / (far - near)
        return seen / given.far_lots

    return time_mean(model, seconds=seconds, observe=lots_a_price)


def printed_spread(epsilon: float) -> float:
    """Mean spread in units of μ/α by the formula of Daniels et al. (2003) and Farmer, Patelli and Zovko (2005)."""
    return 0.28 + 1.86 * epsilon**0.75
