"""What a market asks of its order flow: the one Protocol behind which all models stand."""

import datetime as dt
from typing import Protocol

from hydra_nb.sim.book import Book, Entry
from hydra_nb.sim.records import SimSide

SIGN = {SimSide.BUY: 1, SimSide.SELL: -1}
OTHER = {SimSide.BUY: SimSide.SELL, SimSide.SELL: SimSide.BUY}
ALL_DAY = (dt.time(0), dt.time(23, 59))


class KnowsBusyHours(Protocol):
    """What a market needs of a model's parameters."""

    @property
    def busy(self) -> tuple[dt.time, dt.time] | None:
        """Begin and end of the busy hours, in exchange time; None where all are."""


class FlowModel(Protocol):
    """The order flow of one contract, acting on its book.

    Its orders have negative keys and the owner ``FLOW``; the keys of clients are positive. It draws from one generator
    that nobody else draws from, so that one seed gives one market.

    Attributes
    ----------
    absent : SimSide or None
        A side on which there is neither quoter nor taker, as in a market locked at its limit.
    fair_ticks : float
        Where the model puts the worth of the contract, in ticks. Who moves it moves the market by as much, from the
        next act on.
    """

    absent: SimSide | None
    fair_ticks: float

    @property
    def parameters(self) -> KnowsBusyHours:
        """Everything that the model depends on, but its dice."""

    def open(self, book: Book, *, now_ns: int) -> None:
        """Start a session in a book without orders of clients."""

    def close(self, book: Book) -> None:
        """End a session: take all orders of the flow away."""

    def wait_ns(self, *, busy: bool) -> int:
        """Draw the time from the last act, or the opening, until the next, in nanoseconds, at least 1."""

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:
        """Do the next thing; gives what each order that entered did, in order."""

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Hear what an order of anybody did in the book, before its prints are noted."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Hear of a print whose taker was on ``side``."""
