"""What a rehearsal asks of a market: to begin at what the screen shows, and to say what it is and leaves out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.errors import InvalidOrder
from hydra_nb.sim.sources import FlowSource

BUSY_S = 21_600.0
"""The busiest six hours of a day, in which an order is taken to work; a day, where the broker lists no session."""
SPREAD_TICKS = 4.0
"""Taken where neither a usual spread nor a quote with both sides is known."""

Shown = tuple[Decimal, int]
"""A side of the touch: price and lots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a desk shows of a contract when its markets begin.

    Attributes
    ----------
    contract
        What is traded.
    quote
        The quote without the desk's own orders, with one price at least.
    statistics
        Volume and volatility of its daily bars.
    usual_spread
        Spread in the quoted unit that it usually shows; None where that is not known yet.
    longest_s
        Market seconds that the longest path is to last.

    Raises
    ------
    InvalidOrder
        No price is known.
    """

    contract: FutureContract
    quote: Quote | None
    statistics: MarketStatistics
    usual_spread: Decimal | None
    longest_s: float

    def __post_init__(self) -> None:
        """Refuse a screen without a price."""
        if price_of(self.quote, spread=self.spread) is None:
            raise InvalidOrder(f"no price of {self.contract.local_symbol} is known; a market cannot begin without one")

    @property
    def price(self) -> Decimal:
        """Mid, or half a spread from the side that shows alone, else last, else settlement; in the quoted unit."""
        return price_of(self.quote, spread=self.spread) or Decimal(0)

    @property
    def price_ticks(self) -> float:
        """The same in ticks."""
        return float(self.price / self.contract.tick)

    @property
    def spread(self) -> Decimal:
        """The usual spread, or one that is assumed, in the quoted unit."""
        return Decimal(SPREAD_TICKS) * self.contract.tick if self.usual_spread is None else self.usual_spread

    @property
    def notes(self) -> tuple[str, ...]:
        """Where a market begins, in words, if the screen does not show both sides."""
        quote, (bid, ask) = self.quote, touch_of(self.quote)
        if bid is not None and ask is not None:
            return ()
        how = "assumed" if self.usual_spread is None else "usual"
        spread = f"the {how} {float(self.spread / self.contract.tick):g} ticks"
        if bid is not None:
            return (f"no ask is shown and taken to stand {spread} above the bid of {bid[0]}",)
        if ask is not None:
            return (f"no bid is shown and taken to stand {spread} below the ask of {ask[0]}",)
        which = "settlement" if quote is None or quote.last is None else "last trade"
        return (f"no bid below an ask is shown, begun around the {which} of {self.price}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A market at its beginning.

    Attributes
    ----------
    source
        Gives the order flow of each path.
    model
        What it is, in words and figures.
    leaves_out
        What it leaves out of a real market, in a sentence or some.
    takes_stay
        Whether what we take stays gone from its book, by which it answers: that cannot be left out.
    """

    source: FlowSource
    model: str
    leaves_out: str
    takes_stay: bool = False


@runtime_checkable
class Market(Protocol):
    """A market to rehearse in, in a trader's figures: frozen, and equal to another of the same figures."""

    def begin(self, screen: Screen) -> Begun:
        """Give it as it begins at what the screen shows.

        Raises
        ------
        InvalidOrder, InvalidFrame
            It is no market of this contract, or none for so long.
        """
        ...


def is_market(value: object) -> bool:
    """Whether it is a market; the class of one is not."""
    return isinstance(value, Market) and not isinstance(value, type)


def touch_of(quote: Quote | None) -> tuple[Shown | None, Shown | None]:
    """Bid and ask where they show; neither where they cross, as nobody can tell which of both stands."""
    if quote is None or quote.is_crossed:
        return None, None
    bid = None if quote.bid is None or quote.bid_size <= 0 else (quote.bid, quote.bid_size)
    ask = None if quote.ask is None or quote.ask_size <= 0 else (quote.ask, quote.ask_size)
    return bid, ask


def price_of(quote: Quote | None, *, spread: Decimal) -> Decimal | None:
    """Mid, or half of `spread` from the side that shows alone, else last, else settlement; None where none is known.

    The last trade may be hours old in a thin month: a side that shows says more.
    """
    if quote is None:
        return None
    bid, ask = touch_of(quote)
    alone = None if bid is None else bid[0] + spread / 2
    if alone is None and ask is not None:
        alone = ask[0] - spread / 2
    return next((one for one in (quote.mid, alone, quote.last, quote.settlement) if one is not None), None)


def open_seconds(contract: FutureContract) -> float:
    """Seconds of trading in a day: the mean over the days that the broker lists."""
    total_s = sum(one.close_ns - one.open_ns for one in contract.sessions) / 1e9
    days = {one.close_ns // 86_400_000_000_000 for one in contract.sessions}
    return total_s / max(1, len(days)) or BUSY_S
