"""What is known of a market: the top of its book, its volume and volatility, and the account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class FeedType(StrEnum):
    """How the broker feeds quotes; only live quotes are traded on."""

    LIVE = "live"
    FROZEN = "frozen"
    DELAYED = "delayed"
    DELAYED_FROZEN = "delayed_frozen"


def mid_of(bid: Decimal | None, bid_size: int, ask: Decimal | None, ask_size: int) -> Decimal | None:
    """Half way between bid and ask; None unless both sides show and do not cross."""
    if bid is None or ask is None or bid_size <= 0 or ask_size <= 0 or bid >= ask:
        return None
    return (bid + ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Top of the book of one contract; None where a side is empty or a figure is unknown.

    `time_ns` is the market time at which the last tick of any kind arrived.
    """

    con_id: int
    time_ns: int
    bid: Decimal | None = None
    bid_size: int = 0
    ask: Decimal | None = None
    ask_size: int = 0
    last: Decimal | None = None
    last_size: int = 0
    volume: int | None = None
    settlement: Decimal | None = None
    feed: FeedType = FeedType.LIVE
    halted: bool = False

    @property
    def has_both_sides(self) -> bool:
        """Whether both sides show a price and a size."""
        return self.bid is not None and self.ask is not None and self.bid_size > 0 and self.ask_size > 0

    @property
    def is_crossed(self) -> bool:
        """Whether the bid is at or above the ask (locked counts as crossed)."""
        return self.bid is not None and self.ask is not None and self.bid >= self.ask

    @property
    def has_mid(self) -> bool:
        """Whether both sides show, and do not cross."""
        return self.has_both_sides and not self.is_crossed

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask; None unless both sides show and do not cross."""
        return mid_of(self.bid, self.bid_size, self.ask, self.ask_size)

    def age_s(self, now_ns: int) -> float:
        """Seconds since the last tick."""
        return (now_ns - self.time_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What was told of a contract in a few seconds; None where the broker did not tell."""

    con_id: int
    quote: Quote | None = None
    open_interest: int | None = None  # lots, of the last evening that the exchange has published


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStatistics:
    """Volume and volatility from daily bars.

    `adv_lots` is the mean of the daily volumes, `daily_volatility` the standard deviation of
    `returns` daily log returns (a fraction), both over `days` days; None where the bars do not tell.
    Where closes are missing there are fewer returns than days; 0 where their number is not known.
    """

    con_id: int
    adv_lots: float | None
    daily_volatility: float | None
    days: int
    source: str  # "bars", "simulated bars", "caller"
    returns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The broker's account values, in its base currency; None where not told yet.

    `rates` are units of the base currency for one of another, by currency.
    """

    account: str
    currency: str
    equity: Decimal | None = None
    realised_pnl: Decimal | None = None
    unrealised_pnl: Decimal | None = None
    initial_margin: Decimal | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def rate(self, currency: str) -> Decimal | None:
        """What one unit of a currency is worth in the base currency; None where the broker told no rate."""
        if currency and currency == self.currency:
            return Decimal(1)
        return self.rates.get(currency)


class ConnectionState(StrEnum):
    """State of the way to the broker."""

    UP = "up"
    DEGRADED = "degraded"  # 1100: the gateway lost IB's servers
    DOWN = "down"


CLOSED_BY_US = "closed by us"
"""What is said of a connection that a desk ended with itself: it was not lost."""
