"""Lots by Almgren and Chriss: the paper's example, the optimum found another way, and what rounding may not break."""

import itertools
import math
import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hydra_nb.algos.almgren_chriss import (
    aversion_of,
    deviation_cash,
    divide,
    expected_cost_cash,
    half_life_s,
    linear_impact,
    optimal_lots,
    resized,
    urgency,
    whole_lots,
)
from hydra_nb.algos.schedule import plan_slices, split_lots
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import Prediction
from hydra_nb.domain.trajectory import AlmgrenChriss, LinearImpact
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.domain.values import replace
from hydra_nb.errors import InvariantBroken

from .making import OATS

DAY_S = 86_400
SHARES = 1_000_000
PAPER = LinearImpact(half_spread_cash=0.0625, temporary_cash=2.5e-6, permanent_cash=2.5e-7, deviation_cash=0.95)
"""The market of the paper's example: cash a share, days."""
OATS_NOW = LinearImpact(half_spread_cash=87.5, temporary_cash=0.017, permanent_cash=0.6, deviation_cash=450.0)
"""A lot of oats as the simulated market has it, for an order of 13 lots in 50 minutes."""


def five_days(risk_aversion: float, *, slots: int = 5, impact: LinearImpact = PAPER) -> AlmgrenChriss:
    """Five days in equal slots."""
    return AlmgrenChriss(
        risk_aversion=risk_aversion, impact=impact, slots=slots, horizon_s=5.0 * DAY_S, day_s=float(DAY_S)
    )


def fifty_minutes(risk_aversion: float, *, slots: int = 5) -> AlmgrenChriss:
    """Fifty minutes of a trading day of oats, in equal slots."""
    return AlmgrenChriss(risk_aversion=risk_aversion, impact=OATS_NOW, slots=slots, horizon_s=3_000.0, day_s=63_300.0)


def cost_by_hand(lots: Sequence[float], *, terms: AlmgrenChriss) -> tuple[float, float]:
    """Expected cost and variance as the market makes them, lot by lot; not by the closed form of the paper."""
    impact, tau = terms.impact, terms.horizon_s / terms.day_s / terms.slots
    left, cost, variance = float(sum(lots)), 0.0, 0.0
    for size in lots:
        left -= size
        # What is left is worth less by γ for each lot sold; what is sold pays ε and η of its pace.
        cost += left * impact.permanent_cash * size + size * (
            impact.half_spread_cash + impact.temporary_cash * size / tau
        )
        variance += impact.deviation_cash**2 * tau * left**2
    return cost, variance


def exact_optimum(lots: float, *, terms: AlmgrenChriss) -> np.ndarray:
    """The lots that make cost + λ · variance least: the linear system of that quadratic programme."""
    n, impact = terms.slots, terms.impact
    tau = terms.horizon_s / terms.day_s / n
    after = np.triu(np.ones((n, n)), 1)  # what is left after each slot, of the lots by slot
    hessian = (
        2 * impact.temporary_cash / tau * np.eye(n)
        + impact.permanent_cash * (after + after.T)
        + 2 * terms.risk_aversion * impact.deviation_cash**2 * tau * after.T @ after
    )
    system = np.block([[hessian, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    return np.linalg.solve(system, np.append(np.zeros(n), lots))[:n]


def test_the_even_example_costs_662_500_with_a_deviation_of_1_040_673() -> None:
    """A million shares in five days without an aversion, to the dollar, by hand and by the formulas."""
    terms = five_days(0.0)

    lots = optimal_lots(SHARES, terms=terms)

    assert lots == (200_000,) * 5
    assert expected_cost_cash(lots, terms=terms) == pytest.approx(662_500, abs=0.01)
    assert round(deviation_cash(lots, terms=terms)) == 1_040_673
    assert cost_by_hand(lots, terms=terms) == pytest.approx((662_500, 1_040_672.859**2), rel=1e-9)


@pytest.mark.parametrize("slots", [2, 5, 40])
@pytest.mark.parametrize("risk_aversion", [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 2e-4])
def test_the_trajectory_is_the_exact_discrete_optimum(risk_aversion: float, slots: int) -> None:
    """Lots, cost and deviation are those of the quadratic programme solved outright, to a share and to the dollar."""
    terms = five_days(risk_aversion, slots=slots)
    optimum = exact_optimum(SHARES, terms=terms)

    lots = optimal_lots(SHARES, terms=terms)

    cost, variance = cost_by_hand(optimum.tolist(), terms=terms)
    assert lots == pytest.approx(optimum.tolist(), abs=0.01)
    assert expected_cost_cash(lots, terms=terms) == pytest.approx(cost, abs=1)
    assert deviation_cash(lots, terms=terms) == pytest.approx(math.sqrt(variance), abs=1)


def test_aversion_of_a_millionth_trades_nearly_half_at_once() -> None:
    """The paper's example: a half-life of 1.65 days, dearer by 248,727 and a deviation of 603,431."""
    terms = five_days(1e-6)

    lots = optimal_lots(SHARES, terms=terms)

    assert divide(SHARES, terms=terms) == (458_044, 252_101, 141_957, 85_756, 62_142)
    assert half_life_s(terms) / DAY_S == pytest.approx(1.6472, abs=1e-4)
    assert round(expected_cost_cash(lots, terms=terms)) == 911_227
    assert round(deviation_cash(lots, terms=terms)) == 603_431


@settings(deadline=None, max_examples=150)
@given(
    lots=st.integers(1, 2_000),
    slots=st.integers(1, 100),
    risk_aversion=st.floats(0, 1e3) | st.floats(-30, 3).map(lambda power: 10.0**power),
    is_thin=st.booleans(),
)
@example(lots=2_000, slots=100, risk_aversion=1e3, is_thin=False)
@example(lots=1, slots=100, risk_aversion=5e-324, is_thin=True)
def test_whole_lots_are_conserved_positive_and_never_rise(
    lots: int, slots: int, risk_aversion: float, is_thin: bool
) -> None:
    """Whatever the aversion: an exact sum, no slice of zero, none above the one before, each within a lot."""
    terms = fifty_minutes(risk_aversion, slots=slots) if is_thin else five_days(risk_aversion, slots=slots)

    parts, sizes = optimal_lots(lots, terms=terms), divide(lots, terms=terms)

    assert math.fsum(parts) == pytest.approx(lots)
    assert all(part >= 0 for part in parts)
    assert sum(sizes) == lots
    assert 1 <= len(sizes) <= min(lots, slots)
    assert all(type(size) is int and size >= 1 for size in sizes)
    assert all(before >= after for before, after in itertools.pairwise(sizes))
    padded = (*sizes, *(0,) * (slots - len(sizes)))
    assert all(abs(size - part) < 1 + 1e-6 for size, part in zip(padded, parts, strict=True))


def test_without_an_aversion_lots_are_those_of_even_slices() -> None:
    """The remainder goes to the first slices; so it does for an aversion too small to matter."""
    for lots, slots in itertools.product(range(1, 81), range(1, 31)):
        even = split_lots(lots, slices=slots)
        assert divide(lots, terms=fifty_minutes(0.0, slots=slots)) == even
        assert divide(lots, terms=fifty_minutes(1e-18, slots=slots)) == even


def test_the_limits_of_aversion_are_even_and_all_at_once() -> None:
    """Nothing is divided by zero at the smallest aversion, and nothing overflows at the largest."""
    wild = LinearImpact(half_spread_cash=0, temporary_cash=1e-300, permanent_cash=0, deviation_cash=1e150)

    assert optimal_lots(10, terms=fifty_minutes(5e-324)) == pytest.approx((2.0,) * 5)
    assert optimal_lots(10, terms=fifty_minutes(1e300)) == pytest.approx((10.0, 0.0, 0.0, 0.0, 0.0), abs=1e-12)
    assert optimal_lots(10, terms=five_days(1e300, impact=wild)) == (10.0, 0.0, 0.0, 0.0, 0.0)
    assert divide(10, terms=fifty_minutes(1e3)) == (10,)
    assert deviation_cash((10,), terms=fifty_minutes(1e3)) == 0
    assert half_life_s(fifty_minutes(0.0)) == math.inf


def test_more_aversion_is_dearer_and_safer() -> None:
    """Along the optimum the cost never falls, the deviation never rises, and the first slot never shrinks."""
    all_terms = [fifty_minutes(10.0**power, slots=7) for power in np.linspace(-8, 2, 60)]

    optima = [optimal_lots(31, terms=terms) for terms in all_terms]

    costs, deviations, firsts = (
        [expected_cost_cash(lots, terms=terms) for lots, terms in zip(optima, all_terms, strict=True)],
        [deviation_cash(lots, terms=terms) for lots, terms in zip(optima, all_terms, strict=True)],
        [lots[0] for lots in optima],
    )
    assert costs == sorted(costs)
    assert deviations == sorted(deviations, reverse=True)
    assert firsts == sorted(firsts)
    assert costs[-1] > costs[0]


@given(pace=st.floats(1e-6, 20))
def test_the_aversion_of_an_urgency_gives_that_urgency(pace: float) -> None:
    """There and back."""
    terms = fifty_minutes(0.0)

    assert urgency(replace(terms, risk_aversion=aversion_of(pace, terms=terms))) == pytest.approx(pace)


@pytest.mark.parametrize(
    ("parts", "sizes"),
    [
        ((2.6, 2.6, 2.6, 2.6, 2.6), (3, 3, 3, 2, 2)),
        ((8.9, 2.8, 0.9, 0.3, 0.1), (9, 3, 1)),
        ((5.5, 4.5, 3.0), (6, 4, 3)),
        ((4.4, 3.4, 2.4, 1.4, 1.4), (5, 4, 2, 1, 1)),
        ((13.0, 0.0), (13,)),
        ((2.9999999999999996, 3.0, 3.0, 3.0000000000000004), (3, 3, 3, 3)),
    ],
)
def test_the_largest_remainders_have_the_lots_left_over(parts: tuple[float, ...], sizes: tuple[int, ...]) -> None:
    """By hand; of equal remainders the earlier; slots without a lot are left out."""
    assert whole_lots(parts, lots=sum(sizes)) == sizes


def test_slices_keep_their_times_and_the_empty_ones_are_left_out() -> None:
    """Starts, windows and ladders are those of even slices; the duration ends where the first empty one would begin."""
    planned, duration_ns = plan_slices(
        13,
        strategy=Strategy.TWAP,
        slices=5,
        duration_ns=3_000 * NS_PER_S,
        patience_ns=300 * NS_PER_S,
        jitter=0.2,
        rng=random.Random(3),  # noqa: S311  a schedule is no secret
    )

    fewer, ends_ns = resized(planned, sizes=(9, 3, 1), duration_ns=duration_ns)
    same, same_ns = resized(planned, sizes=(5, 3, 2, 2, 1), duration_ns=duration_ns)

    assert fewer == tuple(replace(one, lots=lots) for one, lots in zip(planned[:3], (9, 3, 1), strict=True))
    assert ends_ns == planned[3].offset_ns >= fewer[-1].ends_ns
    assert [one.lots for one in same] == [5, 3, 2, 2, 1]
    assert same_ns == duration_ns


@pytest.mark.parametrize("slots", [1, 5, 13])
def test_even_slices_cost_what_is_predicted(slots: int) -> None:
    """1.75 cents of spread and 0.16 of impact over 13 lots at 50 dollars a cent; half of the impact is for good."""
    prediction = Prediction(
        slippage=Decimal("1.91"),
        half_spread=Decimal("1.75"),
        impact=Decimal("0.16"),
        daily_volatility=0.02,
        adv_lots=400.0,
        version="sqrt-1",
    )
    horizon_s, day_s = 3_000.0, 63_300.0

    impact = linear_impact(
        prediction, deviation=7.4, contract=OATS, lots=13, slots=slots, horizon_days=horizon_s / day_s
    )

    terms = AlmgrenChriss(risk_aversion=0.0, impact=impact, slots=slots, horizon_s=horizon_s, day_s=day_s)
    assert impact.half_spread_cash == pytest.approx(1.75 * 50)
    assert impact.permanent_cash * 13 == pytest.approx(0.16 * 50)
    assert impact.deviation_cash == pytest.approx(370)
    assert expected_cost_cash((13 / slots,) * slots, terms=terms) == pytest.approx(1.91 * 50 * 13)


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk_aversion": -1e-9},
        {"risk_aversion": math.nan},
        {"risk_aversion": math.inf},
        {"slots": 0},
        {"horizon_s": 0.0},
        {"day_s": math.nan},
        {"impact": replace(PAPER, temporary_cash=0.0)},
        {"impact": replace(PAPER, permanent_cash=1e-5)},
    ],
    ids=str,
)
def test_what_has_no_optimum_is_no_trajectory(wrong: dict[str, object]) -> None:
    """Among them an impact that is all permanent, where the first lots would be traded for nothing."""
    with pytest.raises(InvariantBroken):
        replace(five_days(1e-6), **wrong)


@pytest.mark.parametrize("field", ["half_spread_cash", "temporary_cash", "permanent_cash", "deviation_cash"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_market_has_no_negative_or_unknown_cost(field: str, value: float) -> None:
    """Each of its figures is known, and none is a gain."""
    with pytest.raises(InvariantBroken):
        replace(PAPER, **{field: value})


def test_whole_lots_cost_at_most_a_hair_more_than_the_optimum() -> None:
    """Of all ways to divide 7 lots among 4 slots the rounded one is among the best twentieth, at every aversion."""
    ways = [way for way in itertools.product(range(8), repeat=4) if sum(way) == 7]
    for power in range(-6, 0):
        terms = fifty_minutes(10.0**power, slots=4)

        def value(sizes: Sequence[float], terms: AlmgrenChriss = terms) -> float:
            return (
                expected_cost_cash(sizes, terms=terms) + terms.risk_aversion * deviation_cash(sizes, terms=terms) ** 2
            )

        values = [value(way) for way in ways]
        rank = Fraction(sum(one < value(divide(7, terms=terms)) - 1e-9 for one in values), len(ways))
        assert rank <= Fraction(1, 20), f"aversion {terms.risk_aversion}"
        assert value(optimal_lots(7, terms=terms)) <= min(values) + 1e-9
