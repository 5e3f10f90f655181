"""Monte-Carlo errors are what they say: how far a figure moves when all is drawn anew."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from hydra_nb.analysis import monte_carlo
from hydra_nb.analysis.monte_carlo import Estimate, Reals

FIGURES: dict[str, Callable[[Reals], Estimate]] = {
    "mean": monte_carlo.mean,
    "deviation": monte_carlo.deviation,
    "median": lambda draws: monte_carlo.quantile(draws, 0.5),
    "95 %": lambda draws: monte_carlo.quantile(draws, 0.95),
    "worst": monte_carlo.worst,
}


def skewed(dice: Generator, size: int) -> Reals:
    """Draws of costs as they are: most of them small, some large."""
    return dice.gamma(2.0, 3.0, size=size)


@pytest.mark.parametrize("name", FIGURES)
def test_an_error_is_how_far_a_figure_moves_when_all_is_drawn_anew(name: str) -> None:
    """Over 400 samples of 400 draws, the figures spread as their errors say in the mean, within 12 %."""
    dice, figure = Generator(PCG64(11)), FIGURES[name]

    told = [figure(skewed(dice, 400)) for _ in range(400)]

    spread = np.std([one.value for one in told], ddof=1)
    assert np.mean([one.error for one in told]) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_and_its_error_hold_the_truth_as_often_as_they_should(name: str) -> None:
    """Within two errors lies the figure of 200,000 draws in 91 to 98 of 100 samples of a thousand."""
    dice, figure = Generator(PCG64(12)), FIGURES[name]
    truth = figure(skewed(dice, 200_000)).value

    told = [figure(skewed(dice, 1_000)) for _ in range(300)]

    held = np.mean([abs(one.value - truth) <= 2 * one.error for one in told])
    assert 0.91 <= held <= 0.98


def test_the_error_of_a_quantile_is_that_of_all_resamples() -> None:
    """Nine draws: every resample, each as often as it comes, gives the same as the formula."""
    draws = np.array([1.0, 2.0, 4.0, 7.0, 8.0, 12.0, 13.0, 20.0, 40.0])
    n = len(draws)

    medians, chances = [], []
    for bars in itertools.combinations(range(2 * n - 1), n - 1):
        edges = (-1, *bars, 2 * n - 1)
        counts = [edges[at + 1] - edges[at] - 1 for at in range(n)]
        medians.append(np.repeat(draws, counts)[4])
        chances.append(math.factorial(n) / math.prod(map(math.factorial, counts)) / n**n)
    middle = np.dot(chances, medians)

    assert sum(chances) == pytest.approx(1.0)
    found = monte_carlo.quantile(draws, 0.5)
    assert found.value == 8.0
    assert found.error == pytest.approx(math.sqrt(np.dot(chances, (np.array(medians) - middle) ** 2)), rel=1e-9)


def test_the_worst_are_the_mean_of_the_highest_twentieth() -> None:
    """Of 1 to 200 the highest ten are 191 to 200."""
    assert monte_carlo.worst(np.arange(1.0, 201.0)).value == pytest.approx(195.5)


@pytest.mark.parametrize(
    ("hits", "draws", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_of_wilson(hits: int, draws: int, low: float, high: float) -> None:
    """The worked examples of Newcombe, "Two-sided confidence intervals for the single proportion" (1998), method 3."""
    found = monte_carlo.share_range(hits, draws)

    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    """Twelve draws of a normal distribution each, 4,000 times: 95 % of the intervals hold its mean, within 1 %."""
    dice = Generator(PCG64(13))

    intervals = [monte_carlo.mean_range(dice.normal(2.0, 5.0, size=12)) for _ in range(4_000)]

    assert np.mean([one.low <= 2.0 <= one.high for one in intervals]) == pytest.approx(0.95, abs=0.01)


def test_a_share_of_all_is_not_certain() -> None:
    """A thousand of a thousand: the error is small, and not 0; the interval ends at 1."""
    assert 0.0 < monte_carlo.share(1_000, 1_000).error < 0.001
    assert monte_carlo.share_range(1_000, 1_000).high == 1.0


def test_what_draws_cannot_tell_is_unknown() -> None:
    """No draw has no figure, one has no error, and four beyond a quantile do not tell how sure it is."""
    nothing, one, some = np.array([]), np.array([3.0]), np.arange(80.0)

    assert all(math.isnan(figure(nothing).value) for figure in FIGURES.values())
    assert math.isnan(monte_carlo.share(0, 0).value)
    assert (monte_carlo.mean(one).value, monte_carlo.quantile(one, 0.5).value) == (3.0, 3.0)
    assert all(math.isnan(figure(one).error) for figure in FIGURES.values())
    assert math.isnan(monte_carlo.mean_range(one).low)
    assert monte_carlo.quantile(some, 0.05).value == 3.0
    assert math.isnan(monte_carlo.quantile(some, 0.05).error)
    assert math.isnan(monte_carlo.worst(some).error)
    assert monte_carlo.quantile(np.arange(100.0), 0.05).error > 0
