"""Schedules: lots are conserved, gaps stay in their bounds, ladders fit."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.algos.schedule import plan_slices, split_lots
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import Ladder, PlannedSlice
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import DurationTooShort, InvalidOrder


def make_schedule(
    lots: int = 13,
    *,
    strategy: Strategy = Strategy.TWAP,
    slices: int = 5,
    duration_s: float | None = None,
    patience_s: float = 300,
    jitter: Decimal | float = 0.20,
    seed: int = 1,
) -> tuple[tuple[PlannedSlice, ...], int]:
    """Draw a schedule from a seed."""
    return plan_slices(
        lots,
        strategy=strategy,
        slices=slices,
        duration_ns=None if duration_s is None else round(duration_s * NS_PER_S),
        patience_ns=round(patience_s * NS_PER_S),
        jitter=jitter,
        rng=random.Random(seed),  # noqa: S311  a schedule is no secret
    )


def test_the_remainder_goes_to_the_first_slices() -> None:
    """13 over 5 is 3, 3, 3, 2, 2."""
    assert split_lots(13, slices=5) == (3, 3, 3, 2, 2)


def test_lots_are_conserved_and_never_behind_the_straight_line() -> None:
    """For all lots to 200 and slices to 60: exact sums, no zero, on or a little ahead of lots·i/n."""
    for lots in range(1, 201):
        for slices in range(1, 61):
            sizes = split_lots(lots, slices=slices)
            n, rest = len(sizes), lots % len(sizes)
            assert n == min(lots, slices)
            assert sum(sizes) == lots
            assert min(sizes) >= 1
            done = 0
            for i, size in enumerate(sizes, start=1):
                done += size
                # Ahead of the line by done - lots·i/n, at most r(1 - r/n); both sides times n.
                assert 0 <= done * n - lots * i <= rest * (n - rest)


@settings(deadline=None)
@given(
    lots=st.integers(1, 200),
    slices=st.integers(1, 60),
    each_s=st.integers(80, 5000),
    odd_ns=st.integers(0, 999),
    jitter=st.sampled_from([0, 0.05, 0.2, Decimal("0.2"), 0.5]),
    seed=st.integers(0, 2**32),
)
def test_gaps_fill_the_duration_exactly_within_their_bounds(
    lots: int, slices: int, each_s: int, odd_ns: int, jitter: Decimal | float, seed: int
) -> None:
    """Starts lie in their windows, gaps within jitter (to the nanosecond), ladders end 5 s before the next start."""
    n = min(lots, slices)
    wanted_ns = n * each_s * NS_PER_S + odd_ns

    planned, duration_ns = make_schedule(lots, slices=slices, duration_s=wanted_ns / NS_PER_S, jitter=jitter, seed=seed)

    ends = [*(one.offset_ns for one in planned[1:]), duration_ns]
    gaps = [end - one.offset_ns for one, end in zip(planned, ends, strict=True)]
    even, share = Fraction(duration_ns, n), Fraction(str(jitter))
    assert planned[0].offset_ns == 0
    assert sum(gaps) == duration_ns
    assert [one.number for one in planned] == list(range(1, n + 1))
    for one, gap in zip(planned, gaps, strict=True):
        assert abs(gap - even) <= share * even + 1
        assert one.earliest_ns <= one.offset_ns <= one.latest_ns
        assert one.ladder.total_ns <= gap - 5 * NS_PER_S
        assert one.ladder.total_ns == min(525 * NS_PER_S, gap - 5 * NS_PER_S)
        assert one.ladder.total_ns >= 35 * NS_PER_S


def test_windows_are_the_feasible_ones() -> None:
    """Three even gaps of 600 s with 20 %: the second start between 480 and 720, the third too, from its end."""
    planned, duration_ns = make_schedule(3, slices=3)

    windows = [(one.earliest_ns / NS_PER_S, one.latest_ns / NS_PER_S) for one in planned]
    assert duration_ns == 1800 * NS_PER_S
    assert windows == [(0.0, 0.0), (480.0, 720.0), (1080.0, 1320.0)]


def test_the_draw_follows_the_seed_and_jitters() -> None:
    """One seed gives one schedule, another gives another; without jitter starts are even."""
    assert make_schedule(seed=1) == make_schedule(seed=1)
    assert make_schedule(seed=1) != make_schedule(seed=2)
    assert [one.offset_ns for one in make_schedule(jitter=0)[0]] == [i * 600 * NS_PER_S for i in range(5)]


def test_fewer_lots_than_slices_shorten_the_default_duration() -> None:
    """Two lots over five slices are two slices in 1200 s."""
    planned, duration_ns = make_schedule(2)

    assert [one.lots for one in planned] == [1, 1]
    assert duration_ns == 1200 * NS_PER_S


def test_patience_is_one_slice_with_the_full_ladder() -> None:
    """300, 150 and 75 s, and 5 s to cancel; a given duration shortens it in the same proportions."""
    (only,), duration_ns = make_schedule(7, strategy=Strategy.LIMIT_PATIENCE)
    (short,), short_ns = make_schedule(7, strategy=Strategy.LIMIT_PATIENCE, duration_s=75)

    assert (only.lots, only.offset_ns, duration_ns) == (7, 0, 530 * NS_PER_S)
    assert only.ladder == Ladder(mid_ns=300 * NS_PER_S, step_ns=150 * NS_PER_S, cross_ns=75 * NS_PER_S)
    assert short.ladder == Ladder(mid_ns=40 * NS_PER_S, step_ns=20 * NS_PER_S, cross_ns=10 * NS_PER_S)
    assert short_ns == 75 * NS_PER_S


@pytest.mark.parametrize("seed", range(20))
def test_a_duration_is_judged_by_its_shortest_gap_whatever_is_drawn(seed: int) -> None:
    """Five slices with 20 % need 250 s: a second less is refused under every seed, 250 s under none."""
    make_schedule(duration_s=250, seed=seed)

    with pytest.raises(DurationTooShort, match=r"249 s .* 5 slices.* at least 250 s, or at most 4 slices"):
        make_schedule(duration_s=249, seed=seed)


def test_a_ladder_under_35_seconds_is_refused() -> None:
    """Also where the patience itself, or a single slice, is too short."""
    with pytest.raises(DurationTooShort, match="patience of at least 20 s"):
        make_schedule(patience_s=19)
    with pytest.raises(DurationTooShort, match="at least 40 s"):
        make_schedule(strategy=Strategy.LIMIT_PATIENCE, duration_s=39)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lots": 0},
        {"slices": 0},
        {"jitter": 1.0},
        {"jitter": -0.1},
        {"jitter": float("nan")},
        {"patience_s": 0},
        {"duration_s": 0},
    ],
)
def test_numbers_that_cannot_be_a_schedule_are_refused(wrong: dict[str, float]) -> None:
    """Each is an InvalidOrder."""
    with pytest.raises(InvalidOrder):
        make_schedule(**wrong)  # type: ignore[arg-type]
