"""The usual spread: the median over the time that spreads stood, not over the number of quotes."""

from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.spreads import LEAST_SAMPLES, MOST_SAMPLES, SAMPLE_S, UsualSpreads


def quote(at_s: float, width: int, **changes: Any) -> Quote:
    """A quote so many ticks of 0.25 wide."""
    fields: dict[str, Any] = {
        "con_id": 101,
        "time_ns": round(at_s * NS_PER_S),
        "bid": Decimal(370),
        "bid_size": 1,
        "ask": Decimal(370) + width * Decimal("0.25"),
        "ask_size": 1,
    }
    return Quote(**(fields | changes))


def seen(*quotes: Quote) -> Decimal | None:
    """What is usual after these quotes."""
    spreads = UsualSpreads()
    for one in quotes:
        spreads.note(one)
    return spreads.usual(101)


def test_nothing_is_usual_before_a_minute_was_seen() -> None:
    """One sample less than enough, and enough."""
    enough_s = LEAST_SAMPLES * SAMPLE_S

    assert seen(quote(0, 4), quote(enough_s - 0.1, 4)) is None
    assert seen(quote(0, 4), quote(enough_s, 4)) == Decimal(1)
    assert seen() is None


def test_a_spread_counts_for_as_long_as_it_stood() -> None:
    """A hundred narrow flickers within a second weigh less than one wide minute."""
    flickers = [quote(60 + n / 100, 2) for n in range(100)]

    assert seen(quote(0, 8), *flickers, quote(61, 8), quote(120, 8)) == Decimal(2)


@pytest.mark.parametrize(
    "changes",
    [
        {"feed": FeedType.DELAYED},
        {"halted": True},
        {"ask": None},
        {"bid_size": 0},
        {"ask": Decimal(370)},
        {"ask": Decimal(369)},
    ],
)
def test_what_cannot_be_traded_on_is_no_spread(changes: dict[str, Any]) -> None:
    """Delayed, halted, one-sided, locked and crossed quotes stand, and say nothing."""
    wide = [quote(60 + 60 * n, 40, **changes) for n in range(5)]

    assert seen(quote(0, 4), *wide, quote(400, 4)) == Decimal(1)


def test_old_spreads_are_forgotten() -> None:
    """Memory holds half an hour: after it only the new width is usual, and nothing grows."""
    spreads = UsualSpreads()
    for second in range(0, MOST_SAMPLES * SAMPLE_S, SAMPLE_S):
        spreads.note(quote(second, 2))
    assert spreads.usual(101) == Decimal("0.50")

    for second in range(MOST_SAMPLES * SAMPLE_S, 2 * MOST_SAMPLES * SAMPLE_S + SAMPLE_S, SAMPLE_S):
        spreads.note(quote(second, 6))

    assert spreads.usual(101) == Decimal("1.50")
    samples = spreads._samples[101]
    assert len(samples.by_time) == len(samples.by_size) == MOST_SAMPLES
    assert samples.by_size == sorted(samples.by_time)
