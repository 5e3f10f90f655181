"""A limit order book on integer ticks with price-time priority.

The book knows nothing of time, money or sessions. Orders of clients and orders of the simulated
flow stand in the same queues; who owns an order matters in one place only: all clients trade for
one account, so their orders never trade with each other. A client's order that would meet another
client's order cancels the resting one and goes on (the rule that exchanges call "cancel resting").
The flow may trade with itself: its takers hit its quotes.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from hydra_nb.sim.records import SimSide


class Owner(Enum):
    """Whose order it is."""

    CLIENT = "client"
    FLOW = "flow"


@dataclass(slots=True)
class Resting:
    """An order in the book; its lots fall as it trades."""

    key: int
    owner: Owner
    side: SimSide
    price_ticks: int
    lots: int


class Match(NamedTuple):
    """Lots that changed hands, at the price of the resting order."""

    resting_key: int
    resting_owner: Owner
    price_ticks: int
    lots: int


class Entry(NamedTuple):
    """What became of an order on its way into the book; a tuple, as one is made with every act of a market.

    ``displaced`` are the keys of resting client orders that were cancelled because the incoming
    order, of the same account, would have traded with them.
    """

    key: int
    owner: Owner
    side: SimSide
    matches: tuple[Match, ...] = ()
    displaced: tuple[int, ...] = ()
    rested_lots: int = 0


class _Level:
    """All orders of one side at one price, in order of arrival."""

    __slots__ = ("lots", "orders", "price_ticks")

    def __init__(self, price_ticks: int) -> None:
        self.price_ticks = price_ticks
        self.lots = 0
        self.orders: dict[int, Resting] = {}


class _Half:
    """One side of the book; ``sign`` is +1 for bids and −1 for asks, so that the best rank is the last.

    ``best`` is the price in ticks and the lots of the best level, None where there is none. It is kept, as it is asked
    for after each act of a market, and few of them change it.
    """

    __slots__ = ("best", "levels", "ranks", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.ranks: list[int] = []
        self.levels: dict[int, _Level] = {}
        self.best: tuple[int, int] | None = None

    def add(self, order: Resting) -> None:
        rank = self.sign * order.price_ticks
        level = self.levels.get(rank)
        if level is None:
            level = self.levels[rank] = _Level(order.price_ticks)
            insort(self.ranks, rank)
        level.orders[order.key] = order
        level.lots += order.lots
        if rank == self.ranks[-1]:
            self.best = level.price_ticks, level.lots

    def resize(self, order: Resting, lots: int) -> None:
        """Give an order other lots: with more it goes behind all others at its price, with none it goes out.

        A level without orders goes with its last.
        """
        rank = self.sign * order.price_ticks
        level = self.levels[rank]
        was_best = rank == self.ranks[-1]
        if lots > order.lots:
            level.orders[order.key] = level.orders.pop(order.key)
        elif lots == 0:
            del level.orders[order.key]
            if not level.orders:
                del self.levels[rank]
                del self.ranks[bisect_left(self.ranks, rank)]
        level.lots += lots - order.lots
        order.lots = lots
        if was_best:
            best = self.levels[self.ranks[-1]] if self.ranks else None
            self.best = None if best is None else (best.price_ticks, best.lots)


class Book:
    """The queues of one contract."""

    def __init__(self) -> None:
        self._orders: dict[int, Resting] = {}
        self._bids = _Half(1)
        self._asks = _Half(-1)

    def get(self, key: int) -> Resting | None:
        """Give the resting order with this key, None when it has gone."""
        return self._orders.get(key)

    def __contains__(self, key: int) -> bool:
        return key in self._orders

    def best(self, side: SimSide) -> tuple[int, int] | None:
        """Give price in ticks and lots of a side's best level, None when the side is empty."""
        return self._half(side).best

    def touch(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Give ``best`` of the bids and of the asks."""
        return self._bids.best, self._asks.best

    def depth(self, side: SimSide) -> tuple[tuple[int, int], ...]:
        """Give (price in ticks, lots) of all levels of a side, best first."""
        half = self._half(side)
        return tuple((half.levels[rank].price_ticks, half.levels[rank].lots) for rank in reversed(half.ranks))

    def lots_at(self, side: SimSide, price_ticks: int) -> int:
        """Give the lots of a side at one price, 0 where there are none."""
        half = self._half(side)
        level = half.levels.get(half.sign * price_ticks)
        return 0 if level is None else level.lots

    def orders_at(self, side: SimSide, price_ticks: int) -> tuple[Resting, ...]:
        """Give the orders of a side at one price, in the order in which they would trade."""
        half = self._half(side)
        level = half.levels.get(half.sign * price_ticks)
        return () if level is None else tuple(level.orders.values())

    def queue(self, side: SimSide) -> tuple[Resting, ...]:
        """Give a side's orders in the order in which they would trade."""
        half = self._half(side)
        return tuple(order for rank in reversed(half.ranks) for order in half.levels[rank].orders.values())

    def enter(self, key: int, *, owner: Owner, side: SimSide, price_ticks: int, lots: int, rests: bool = True) -> Entry:
        """Match an order against the other side, then let the rest stand.

        Parameters
        ----------
        key
            Identity of the order; must not be in the book.
        owner, side
            Whose order, and which way.
        price_ticks
            Limit price in ticks; it may be negative.
        lots
            Lots to trade, at least 1.
        rests
            False drops what does not trade at once.

        Returns
        -------
        Entry
            Matches in order, each at its resting order's price.

        Raises
        ------
        ValueError
            When the key already rests or there are no lots.
        """
        if lots < 1 or key in self._orders:
            raise ValueError(f"order {key} with {lots} lots cannot enter: needs a new key and at least 1 lot")
        own, other = (self._bids, self._asks) if side is SimSide.BUY else (self._asks, self._bids)
        limit_rank = other.sign * price_ticks
        if rests and not (other.ranks and other.ranks[-1] >= limit_rank):
            self._rest(own, Resting(key, owner, side, price_ticks, lots))
            return Entry(key, owner, side, rested_lots=lots)
        matches: list[Match] = []
        displaced: list[int] = []
        left = lots
        while left and other.ranks and other.ranks[-1] >= limit_rank:
            resting = next(iter(other.levels[other.ranks[-1]].orders.values()))
            if owner is Owner.CLIENT and resting.owner is Owner.CLIENT:
                self.cancel(resting.key)
                displaced.append(resting.key)
                continue
            traded = min(left, resting.lots)
            left -= traded
            matches.append(
                Match(
                    resting_key=resting.key,
                    resting_owner=resting.owner,
                    price_ticks=resting.price_ticks,
                    lots=traded,
                )
            )
            self._resize(other, resting, resting.lots - traded)
        rested = left if rests else 0
        if rested:
            self._rest(own, Resting(key, owner, side, price_ticks, rested))
        return Entry(key, owner, side, matches=tuple(matches), displaced=tuple(displaced), rested_lots=rested)

    def amend(self, key: int, *, price_ticks: int, lots: int) -> Entry:
        """Change a resting order; it keeps its place only when nothing but its size falls.

        Parameters
        ----------
        key
            A resting order.
        price_ticks
            The new limit price in ticks.
        lots
            The new lots that are left to trade, at least 1.

        Returns
        -------
        Entry
            As of ``enter``: a new price that crosses trades at once.

        Raises
        ------
        KeyError
            When no such order rests.
        ValueError
            When there are no lots.
        """
        order = self._orders[key]
        if lots < 1:
            raise ValueError(f"order {key} cannot be amended to {lots} lots: at least 1")
        if price_ticks == order.price_ticks:
            self._half(order.side).resize(order, lots)
            return Entry(key, order.owner, order.side, rested_lots=lots)
        self.cancel(key)
        return self.enter(key, owner=order.owner, side=order.side, price_ticks=price_ticks, lots=lots)

    def cancel(self, key: int) -> int:
        """Take an order out of the book and give the lots it had left; 0 when it does not rest."""
        order = self._orders.get(key)
        if order is None:
            return 0
        lots = order.lots
        self._resize(self._half(order.side), order, 0)
        return lots

    def _rest(self, half: _Half, order: Resting) -> None:
        self._orders[order.key] = order
        half.add(order)

    def _half(self, side: SimSide) -> _Half:
        return self._bids if side is SimSide.BUY else self._asks

    def _resize(self, half: _Half, order: Resting, lots: int) -> None:
        half.resize(order, lots)
        if lots == 0:
            del self._orders[order.key]
