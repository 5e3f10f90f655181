"""Lookups of the last value before a moment, held against those of a well-kept library."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis.tca import asof
from hydra_nb.analysis.tca.asof import Groups, Tape

moments = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=40)


def split(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Times and keys."""
    array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return array[:, 0].copy(), array[:, 1].copy()


@given(quotes=moments, fills=moments, tolerance=st.none() | st.integers(0, 20))
def test_the_last_value_is_the_one_that_polars_finds(
    quotes: list[tuple[int, int]], fills: list[tuple[int, int]], tolerance: int | None
) -> None:
    """In any order, with any repetitions, and with a greatest age: the last row of a moment counts."""
    times, keys = split(quotes)
    at, at_keys = split(fills)
    values = np.arange(len(times), dtype=np.float64)

    found = asof(at, at_keys, times, keys, values, tolerance_ns=tolerance)

    right = pl.DataFrame({"t": times, "k": keys, "v": values}).sort("t", maintain_order=True)
    left = pl.DataFrame({"t": at, "k": at_keys, "row": np.arange(len(at))}).sort("t", maintain_order=True)
    theirs = left.join_asof(right, on="t", by="k", tolerance=tolerance, check_sortedness=False).sort("row")["v"]
    expected = theirs.cast(pl.Float64).fill_null(np.nan).to_numpy()
    np.testing.assert_array_equal(found, expected)


def test_a_value_at_the_very_moment_counts_only_where_it_may() -> None:
    """The quote that a fill itself made is not what stood just before it."""
    tape = Tape(np.array([10, 20]), np.array([0, 0]), np.array([1.0, 2.0]), count=1)
    groups = Groups(np.array([0]), count=1)

    at = tape.at(np.array([20]), groups)
    before = tape.at(np.array([20]), groups, strictly_before=True)

    assert (at[0], before[0]) == (2.0, 1.0)
    assert tape.age_ns(np.array([20]), groups, strictly_before=True)[0] == 10


def test_a_symbol_that_was_never_quoted_has_no_value() -> None:
    """Not that of another."""
    tape = Tape(np.array([10]), np.array([0]), np.array([1.0]), count=2)
    groups = Groups(np.array([1, -1]), count=2)

    found = tape.at(np.array([20, 20]), groups)

    assert np.isnan(found).all()
    assert np.isnan(tape.age_ns(np.array([20, 20]), groups)).all()


@pytest.mark.parametrize("count", [1, 127, 128, 300, 40_000])
def test_rows_are_grouped_however_many_keys_there_are(count: int) -> None:
    """The narrow integers that sort fastest hold every key, and the −1 of none."""
    keys = np.array([count - 1, -1, 0, count - 1])

    groups = dict(Groups(keys, count=count))

    assert groups[count - 1].tolist() == ([0, 3] if count > 1 else [0, 2, 3])
    assert sum(len(rows) for rows in groups.values()) == 3
