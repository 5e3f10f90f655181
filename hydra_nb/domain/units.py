"""Units and the arithmetic of ticks.

Prices are ``Decimal`` in the instrument's quoted unit, times UTC nanoseconds, lots whole numbers.
Prices may be negative or zero; nothing here assumes a sign.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

NS_PER_S = 1_000_000_000


class Side(StrEnum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, −1 for SELL; a cost is ``sign * (paid - reference)``."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


def floor_to_tick(price: Decimal, *, tick: Decimal) -> Decimal:
    """Largest multiple of `tick` that is not above `price`."""
    return (price / tick).to_integral_value(rounding=ROUND_FLOOR) * tick


def ceil_to_tick(price: Decimal, *, tick: Decimal) -> Decimal:
    """Smallest multiple of `tick` that is not below `price`."""
    return (price / tick).to_integral_value(rounding=ROUND_CEILING) * tick


def round_passive(price: Decimal, *, side: Side, tick: Decimal) -> Decimal:
    """Round away from the market: down for BUY, up for SELL."""
    return floor_to_tick(price, tick=tick) if side is Side.BUY else ceil_to_tick(price, tick=tick)


def round_aggressive(price: Decimal, *, side: Side, tick: Decimal) -> Decimal:
    """Round toward the market: up for BUY, down for SELL."""
    return ceil_to_tick(price, tick=tick) if side is Side.BUY else floor_to_tick(price, tick=tick)


def is_on_tick(price: Decimal, *, tick: Decimal) -> bool:
    """Whether `price` is a whole multiple of `tick`."""
    return price.is_finite() and price % tick == 0


def more_aggressive(first: Decimal, second: Decimal, *, side: Side) -> Decimal:
    """The price nearer to, or further through, the opposite side: the higher for BUY."""
    return max(first, second) if side is Side.BUY else min(first, second)


def less_aggressive(first: Decimal, second: Decimal, *, side: Side) -> Decimal:
    """The price further from the opposite side: the lower for BUY."""
    return min(first, second) if side is Side.BUY else max(first, second)


def seconds_ns(seconds: float) -> int:
    """Seconds as nanoseconds, rounded."""
    return round(seconds * NS_PER_S)
