"""Prices on tick within a band, and the words for where a price lies."""

import functools
from decimal import Decimal

from hydra_nb.domain.units import ceil_to_tick, floor_to_tick


def nearest_within(price: Decimal, *, low: Decimal, high: Decimal, tick: Decimal) -> Decimal | None:
    """Price on tick from `low` to `high` that is nearest to `price`, rounded down; None where no tick is so near."""
    low, high = ceil_to_tick(low, tick=tick), floor_to_tick(high, tick=tick)
    if low > high:
        return None
    return min(max(floor_to_tick(price, tick=tick), low), high)


def reach_of(percent: float, *, anchor: Decimal, tick: Decimal) -> Decimal:
    """Distance of so many percent of an anchor, never less than a tick: near zero there would be no price at all."""
    return max(_share(percent) * abs(anchor), tick)


@functools.lru_cache(maxsize=64)
def _share(percent: float) -> Decimal:
    """The fraction that so many percent are, exactly as a person wrote them."""
    return Decimal(repr(percent)) / 100


def percent_of(distance: Decimal, *, anchor: Decimal) -> float | None:
    """What share of an anchor a distance is, in percent; None of an anchor of 0."""
    return float(distance / abs(anchor) * 100) if anchor else None


def where(away: Decimal) -> str:
    """Which side of the anchor."""
    return "above" if away > 0 else "below"
