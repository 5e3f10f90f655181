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
        if price_of(self.quote) is None:
            raise InvalidOrder(f"no price of {self.contract.local_symbol} is known; a market cannot begin without one")

    @property
    def price(self) -> Decimal:
        """Mid, else last, else settlement, in the quoted unit."""
        return price_of(self.quote) or Decimal(0)

    @property
    def price_ticks(self) -> float:
        """The same in ticks."""
        return float(self.price / self.contract.tick)


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


def price_of(quote: Quote | None) -> Decimal | None:
    """Mid, else last, else settlement, in the quoted unit; None where nothing is known."""
    if quote is None:
        return None
    return next((one for one in (quote.mid, quote.last, quote.settlement) if one is not None), None)


def open_seconds(contract: FutureContract) -> float:
    """Seconds of trading in a day: the mean over the days that the broker lists."""
    total_s = sum(one.close_ns - one.open_ns for one in contract.sessions) / 1e9
    days = {one.close_ns // 86_400_000_000_000 for one in contract.sessions}
    return total_s / max(1, len(days)) or BUSY_S
