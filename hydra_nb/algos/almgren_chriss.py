"""Lots by the optimum of Almgren and Chriss: the sooner they are traded the dearer, the later the riskier.

R. Almgren and N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2000), sections 1
and 2 in their discrete form. With n_k lots in slot k and x_k left after it,

    E = ½γX² + ε Σ n_k + (η̃/τ) Σ n_k²,    V = σ² τ Σ x_k²,

and E + λV is least where

    x_j = X sinh(κ(T − t_j)) / sinh(κT),    2(cosh(κτ) − 1) / τ² = λσ²/η̃.

Pure arithmetic: no prices, no clock, no dice.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.plan import PlannedSlice, Prediction
from hydra_nb.domain.trajectory import AlmgrenChriss, LinearImpact
from hydra_nb.domain.values import replace
from hydra_nb.errors import invariant

PERMANENT_SHARE = 0.5
"""Share of the predicted impact that is taken for permanent.

Farmer, Gerig, Lillo and Waelbroeck, "How efficiency shapes market impact" (2013): after an order the price comes to
rest where the order has traded on average. What the whole order moved the price for good is then as much as a lot of
it paid, and in a linear market a lot pays half of that on the way.
"""


def linear_impact(
    prediction: Prediction,
    *,
    deviation: float,
    contract: FutureContract,
    lots: int,
    slots: int,
    horizon_days: float,
) -> LinearImpact:
    """The linear market in which even slots cost what is predicted.

    The prediction, I cash a lot of impact for X lots whatever their pace, is halved: γ = I/X, and η̃ = I·T/(2X).

    Parameters
    ----------
    prediction
        Of the whole order; what of it is no impact is the half spread.
    deviation
        Standard deviation of the price over one day of trading, in price units.
    contract
        What a price is worth.
    lots, slots, horizon_days
        The order, and the time that it has.
    """
    value = float(contract.point_value)
    impact_cash = float(prediction.impact) * value
    permanent_cash = 2 * PERMANENT_SHARE * impact_cash / lots
    effective_cash = (1 - PERMANENT_SHARE) * impact_cash * horizon_days / lots
    return LinearImpact(
        half_spread_cash=float(prediction.formula_slippage - prediction.impact) * value,
        temporary_cash=effective_cash + permanent_cash * horizon_days / slots / 2,
        permanent_cash=permanent_cash,
        deviation_cash=deviation * value,
    )


def urgency(terms: AlmgrenChriss) -> float:
    """κτ: by how much of e the lots that are left shrink in one slot; 0 is even, infinity all at once."""
    # cosh(κτ) − 1 = 2 sinh²(κτ/2), which loses no digits where κτ is small.
    ratio = terms.risk_aversion * (terms.impact.deviation_cash / terms.effective_cash) * terms.impact.deviation_cash
    return 2 * math.asinh(terms.slot_days * math.sqrt(ratio) / 2)


def aversion_of(urgency: float, *, terms: AlmgrenChriss) -> float:
    """The risk aversion that gives an urgency in the market and time of `terms`; the inverse of `urgency`."""
    root = 2 * math.sinh(urgency / 2) / terms.slot_days / terms.impact.deviation_cash
    return root * root * terms.effective_cash


def optimal_lots(lots: int, *, terms: AlmgrenChriss) -> tuple[float, ...]:
    """n_k: the optimum, in fractions of lots; never rising from slot to slot, and summing to the lots."""
    slots, pace = terms.slots, urgency(terms)
    left = [lots * _share_left(slot, slots=slots, urgency=pace) for slot in range(slots + 1)]
    return tuple(before - after for before, after in pairwise(left))


def _share_left(slot: int, *, slots: int, urgency: float) -> float:
    """x_j / X = sinh(κ(T − t_j)) / sinh(κT), as exponentials of what is negative: none of them can overflow."""
    if slot in (0, slots):
        return 1.0 if slot == 0 else 0.0
    if urgency == 0:
        return (slots - slot) / slots
    return math.exp(-urgency * slot) * math.expm1(-2 * urgency * (slots - slot)) / math.expm1(-2 * urgency * slots)


def whole_lots(parts: Sequence[float], *, lots: int) -> tuple[int, ...]:
    """Whole lots nearest to the parts, by their largest remainders.

    Returns
    -------
    tuple
        They sum to `lots` and never rise. Slots of no lots, which are always the last ones, are left out.
    """
    floors = [math.floor(part) for part in parts]
    # Parts that are even but for the last digit of a float: the earlier slot has the lot.
    by_remainder = sorted(range(len(parts)), key=lambda at: (-round(parts[at] - floors[at], 9), at))
    missing = lots - sum(floors)
    invariant(0 <= missing <= len(parts), f"{missing} lots left over of {len(parts)} parts")
    for at in by_remainder[:missing]:
        floors[at] += 1
    sizes = tuple(size for size in sorted(floors, reverse=True) if size > 0)
    invariant(sum(sizes) == lots, f"{sum(sizes)} lots in slots, {lots} to divide")
    return sizes


def divide(lots: int, *, terms: AlmgrenChriss) -> tuple[int, ...]:
    """Whole lots of the optimum, in at most as many slices as it has slots."""
    return whole_lots(optimal_lots(lots, terms=terms), lots=lots)


def resized(
    planned: Sequence[PlannedSlice], *, sizes: Sequence[int], duration_ns: int
) -> tuple[tuple[PlannedSlice, ...], int]:
    """Slices with other lots at the same times; those at the end that would have none are left out.

    Returns
    -------
    tuple
        The slices, and the duration until the last of them ends.
    """
    invariant(0 < len(sizes) <= len(planned), f"{len(sizes)} sizes for {len(planned)} slices")
    kept = tuple(replace(one, lots=size) for one, size in zip(planned, sizes, strict=False))
    return kept, duration_ns if len(kept) == len(planned) else planned[len(kept)].offset_ns


def expected_cost_cash(sizes: Sequence[float], *, terms: AlmgrenChriss) -> float:
    """E: expected cost of lots by slot against the mid at the beginning; slots beyond the last have none."""
    impact, total = terms.impact, math.fsum(sizes)
    squares = math.fsum(size * size for size in sizes)
    return (
        impact.permanent_cash * total * total / 2
        + impact.half_spread_cash * math.fsum(map(abs, sizes))
        + terms.effective_cash / terms.slot_days * squares
    )


def deviation_cash(sizes: Sequence[float], *, terms: AlmgrenChriss) -> float:
    """√V: standard deviation of that cost, by what is left after each slot."""
    left, squares = math.fsum(sizes), []
    for size in sizes:
        left -= size
        squares.append(left * left)
    return terms.impact.deviation_cash * math.sqrt(terms.slot_days * math.fsum(squares))


def half_life_s(terms: AlmgrenChriss) -> float:
    """1/κ: the time in which the lots that are left shrink by a factor e, were there no end; infinity is even.

    The name is the paper's, though what is left by then is less than a half.
    """
    pace = urgency(terms)
    return math.inf if pace == 0 else terms.horizon_s / terms.slots / pace
