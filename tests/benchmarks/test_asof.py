"""What it costs to look up a million fills among five million quotes, held against polars and pandas."""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import polars as pl
from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.analysis.tca.asof import Groups, Tape
from hydra_nb.domain.units import NS_PER_S

from .figures import Figure, Turns, timing

QUOTES, FILLS, SYMBOLS = 5_000_000, 1_000_000, 12
FEW = 100
"""How many times fewer there are where only the result is looked at."""
HORIZONS_S = (0, 10, 60, 300)
"""Arrival, and three markouts."""
DAYS = 20
GOAL, MEMORY_GOAL_MB = 1.15, 200.0
ROUNDS = 5


@dataclass(frozen=True)
class Arrays:
    """Fills and quotes of a month of trading, in order of time."""

    shrink: int

    def __post_init__(self) -> None:
        """Draw them, before anything is timed."""
        _ = self.quotes, self.fills

    @cached_property
    def quotes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, symbols and mids."""
        dice = np.random.default_rng(1)
        count = QUOTES // self.shrink
        times = np.sort(dice.integers(0, DAYS * 86_400 * NS_PER_S, count))
        return times, dice.integers(0, SYMBOLS, count), 400 + np.cumsum(dice.normal(0, 0.01, count))

    @cached_property
    def fills(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and symbols."""
        dice = np.random.default_rng(2)
        count = FILLS // self.shrink
        return np.sort(dice.integers(0, DAYS * 86_400 * NS_PER_S, count)), dice.integers(0, SYMBOLS, count)

    def by_ours(self) -> np.ndarray:
        """Mids at every horizon, of shape (horizons, fills)."""
        times, symbols, mids = self.quotes
        at, at_symbols = self.fills
        tape, groups = Tape(times, symbols, mids, count=SYMBOLS), Groups(at_symbols, count=SYMBOLS)
        return np.stack([tape.at(at + horizon_s * NS_PER_S, groups) for horizon_s in HORIZONS_S])

    def by_polars(self) -> np.ndarray:
        """The same by its `join_asof`."""
        times, symbols, mids = self.quotes
        at, at_symbols = self.fills
        quotes = pl.DataFrame({"time": times, "symbol": symbols, "mid": mids}).set_sorted("time")
        found = []
        for horizon_s in HORIZONS_S:
            fills = pl.DataFrame({"time": at + horizon_s * NS_PER_S, "symbol": at_symbols}).set_sorted("time")
            joined = fills.join_asof(quotes, on="time", by="symbol", check_sortedness=False)
            found.append(joined["mid"].to_numpy())
        return np.stack(found)

    def by_pandas(self) -> np.ndarray:
        """The same by `pandas.merge_asof`."""
        times, symbols, mids = self.quotes
        at, at_symbols = self.fills
        quotes = pd.DataFrame({"time": times, "symbol": symbols, "mid": mids})
        found = []
        for horizon_s in HORIZONS_S:
            fills = pd.DataFrame({"time": at + horizon_s * NS_PER_S, "symbol": at_symbols})
            found.append(pd.merge_asof(fills, quotes, on="time", by="symbol")["mid"].to_numpy())
        return np.stack(found)


def test_a_million_fills_find_their_quotes_as_fast_as_by_polars(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None]
) -> None:
    """Arrival and three markouts over twelve symbols, grouping included; equal to both libraries."""
    arrays = Arrays(1 if benchmark.enabled else FEW)
    turns, slow = Turns(), Turns()

    def join() -> None:
        with timing(turns.ours):
            arrays.by_ours()
        with timing(turns.bare):
            arrays.by_polars()

    benchmark.pedantic(join, rounds=ROUNDS)

    ours = arrays.by_ours()
    np.testing.assert_allclose(ours, arrays.by_polars(), rtol=0, atol=1e-9)
    with timing(slow.bare):
        theirs = arrays.by_pandas()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    above_mb = peak_mb(arrays.by_ours)
    if benchmark.enabled:
        slow.ours = turns.ours
        note(turns.figure("as-of joins over polars", goal=GOAL))
        note(slow.figure("as-of joins over pandas"))
        note(Figure(name="as-of joins: memory above the inputs", value=above_mb, unit="MB", goal=MEMORY_GOAL_MB))


def peak_mb(work: Callable[[], object]) -> float:
    """Most memory that numpy and Python held while working, results among it."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6
