"""Queue-reactive flow: rates of limit orders, cancels and market orders that depend on the queue that stands there.

What it does
    The model of Huang, Lehalle and Rosenbaum (JASA 110, 107, 2015), their Model I with a moving reference price. On
    each side there is a queue at every distance of 1, 2, ... from a reference price between two ticks. Into each come
    limit orders, out of it cancels, and out of the best one of a side market orders, at rates that are tables of
    distance and size of the queue. When a queue at distance 1 empties, the reference price moves a tick toward it with
    probability θ, and with probability θ_reinit the whole book is then drawn anew from the law that each queue has in
    the long run.

What it leaves out
    Queues are independent of each other and of the other side, orders are of one size, and rates have no memory: no
    trend, no clusters of trades. Nothing stands further from the reference price than the tables reach. A queue counts
    the orders of clients like all others: that much the market reacts to them. An order of a client ahead of distance 1
    stands for distance 1.
"""

import datetime as dt
import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.models.port import ALL_DAY, OTHER, SIGN
from hydra_nb.sim.records import SimSide

_NS_PER_S = 1_000_000_000
_LEAST_WEIGHT = 1e-12
"""Where the tail of a law is cut, as a share of its largest weight."""
_MOST_SIZES = 10_000

Rates = tuple[tuple[float, ...], ...]
"""Events in a second by distance from the reference price, from 1 on, then by size of the queue in orders, from 0 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReactiveParameters:
    """The tables of rates, and how the reference price moves.

    Sizes are counted in orders of `order_lots`, begun ones as whole. The last rate of a row holds for all larger queues
    too. All three tables have a row for each distance.

    Attributes
    ----------
    limit_per_s, cancel_per_s, market_per_s : tuple of tuple of float
        Events in a second, of one side. Cancels and market orders of an empty queue are 0. Market orders come only to
        the best queue of a side. The largest queues must shrink faster than they grow.
    move_probability : float
        θ: that the reference price moves when a queue at distance 1 empties.
    redraw_probability : float
        θ_reinit: that the whole book is drawn anew where it moved.
    order_lots : int
        Lots of every order.
    busy : tuple of time
        Busy hours in exchange time.
    quiet : float
        All rates outside the busy hours, as a share of those within.
    """

    limit_per_s: Rates
    cancel_per_s: Rates
    market_per_s: Rates
    move_probability: float
    redraw_probability: float
    order_lots: int = 1
    busy: tuple[dt.time, dt.time] = ALL_DAY
    quiet: float = 1.0

    def __post_init__(self) -> None:
        tables = {name: getattr(self, name) for name in ("limit_per_s", "cancel_per_s", "market_per_s")}
        if not self.limit_per_s or len({len(rates) for rates in tables.values()}) != 1:
            raise ValueError("limit_per_s, cancel_per_s and market_per_s need a row for each of the same distances")
        for name, rates in tables.items():
            for distance, row in enumerate(rates, 1):
                if not row or not all(0 <= rate < math.inf for rate in row):
                    raise ValueError(f"{name} at distance {distance} is {row}: finite rates of 0 or more are needed")
                if name != "limit_per_s" and row[0] != 0:
                    raise ValueError(
                        f"{name} at distance {distance} takes {row[0]} a second from an empty queue: only 0 can be"
                    )
        for distance in range(1, len(self.limit_per_s) + 1):
            fills, grows = self.limit_per_s[distance - 1][0], self.limit_per_s[distance - 1][-1]
            shrinks = self.shrink_per_s(distance, size=_MOST_SIZES)
            if fills == 0 or grows >= shrinks:
                raise ValueError(
                    f"the queue at distance {distance} has no law: it must fill when empty, and when large grow "
                    f"({grows} a second) more slowly than it shrinks ({shrinks} a second)"
                )
        for name in ("move_probability", "redraw_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a probability lies between 0 and 1")
        for name in ("quiet", "order_lots"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}: a finite number above zero is needed")

    def shrink_per_s(self, distance: int, *, size: int) -> float:
        """Cancels and market orders together, of a queue of a size, were it the best of its side."""
        return rate_at(self.cancel_per_s[distance - 1], size) + rate_at(self.market_per_s[distance - 1], size)

    def law(self, distance: int) -> list[float]:
        """Give the probability of each size that a queue has in the long run, from size 0 on."""
        weights = [1.0]
        for size in range(1, _MOST_SIZES):
            grows = rate_at(self.limit_per_s[distance - 1], size - 1)
            weights.append(weights[-1] * grows / self.shrink_per_s(distance, size=size))
            if weights[-1] < _LEAST_WEIGHT * max(weights):
                break
        total = math.fsum(weights)
        return [weight / total for weight in weights]


def rate_at(row: tuple[float, ...], size: int) -> float:
    """Give the rate of a size; the last one holds for all larger."""
    return row[size] if size < len(row) else row[-1]


class _Kind(Enum):
    LIMIT = "limit"
    CANCEL = "cancel"
    MARKET = "market"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One kind of event at one queue; ``most_per_s`` is the largest of its rates."""

    side: SimSide
    distance: int
    kind: _Kind
    row: tuple[float, ...]
    most_per_s: float


class QueueReactive:
    """Queue-reactive flow on the book of one contract.

    Parameters
    ----------
    parameters
        The tables.
    dice
        A generator that nobody else draws from.
    fair_ticks
        Where the market starts; the reference price is the nearest half between two ticks.
    """

    def __init__(self, parameters: QueueReactiveParameters, *, dice: random.Random, fair_ticks: float) -> None:
        self.parameters = parameters
        self.absent: SimSide | None = None
        self._dice = dice
        self._last_key = 0
        self._best_bid_ticks = math.floor(fair_ticks)
        self.fair_ticks = self._best_bid_ticks + 0.5
        self._distances = range(1, len(parameters.limit_per_s) + 1)
        self._laws = {distance: list(accumulate(parameters.law(distance))) for distance in self._distances}
        self._slots = self._list_slots()
        self._bounds_per_s = list(accumulate(slot.most_per_s for slot in self._slots))
        self._has_near = dict.fromkeys(SimSide, False)

    def open(self, book: Book, *, now_ns: int) -> None:  # noqa: ARG002  the rates know no time
        """Draw the whole book from its law."""
        self._best_bid_ticks = math.floor(self.fair_ticks)
        self._redraw(book)
        self._note_near(book)

    def close(self, book: Book) -> None:
        """Take all orders away."""
        for side in SimSide:
            for order in book.queue(side):
                if order.owner is Owner.FLOW:
                    book.cancel(order.key)

    def wait_ns(self, *, busy: bool) -> int:
        """Draw the time until something may happen: at the largest rates, of which `act` does the share that is due."""
        rate_per_s = self._bounds_per_s[-1] * (1.0 if busy else self.parameters.quiet)
        return 1 + int(self._dice.expovariate(rate_per_s) * _NS_PER_S)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  of all hours alike, but in pace
        """Let one event happen, or none where the queues are such that its rate is below its largest.

        That makes the rates exact at every moment, also where clients have changed a queue since the last act.
        """
        entries = self._follow(book)
        dice = self._dice.random() * self._bounds_per_s[-1]
        number = min(bisect_right(self._bounds_per_s, dice), len(self._slots) - 1)
        slot = self._slots[number]
        level_per_s = self._bounds_per_s[number] - dice
        if not self._can_come(slot, book):
            return entries
        size = self._size(book, slot)
        if level_per_s >= rate_at(slot.row, size):
            return entries
        entries += self._do(slot, book)
        entries += self._move_where_emptied(book)
        return entries

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Queues are looked at, orders are not."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Nor are trades."""

    def _list_slots(self) -> list[_Slot]:
        tables = {
            _Kind.LIMIT: self.parameters.limit_per_s,
            _Kind.CANCEL: self.parameters.cancel_per_s,
            _Kind.MARKET: self.parameters.market_per_s,
        }
        return [
            _Slot(side=side, distance=distance, kind=kind, row=row, most_per_s=max(row))
            for kind, table in tables.items()
            for distance, row in enumerate(table, 1)
            for side in SimSide
            if max(row) > 0
        ]

    def _price_ticks(self, side: SimSide, distance: int) -> int:
        if side is SimSide.BUY:
            return self._best_bid_ticks + 1 - distance
        return self._best_bid_ticks + distance

    def _can_come(self, slot: _Slot, book: Book) -> bool:
        """Tell whether such an event can come to this queue now: market orders come to the best of a side."""
        if slot.kind is _Kind.CANCEL:
            return True
        if slot.kind is _Kind.LIMIT:
            return slot.side is not self.absent
        best = book.best(slot.side)
        if best is None or OTHER[slot.side] is self.absent:
            return False
        ahead_ticks = SIGN[slot.side] * (best[0] - self._price_ticks(slot.side, slot.distance))
        return ahead_ticks == 0 or (ahead_ticks > 0 and slot.distance == 1)

    def _size(self, book: Book, slot: _Slot) -> int:
        """Size of the queue that an event is about, in orders."""
        if slot.kind is _Kind.MARKET and (best := book.best(slot.side)) is not None:
            lots = best[1]
        else:
            lots = book.lots_at(slot.side, self._price_ticks(slot.side, slot.distance))
        return -(-lots // self.parameters.order_lots)

    def _do(self, slot: _Slot, book: Book) -> list[Entry]:
        price_ticks = self._price_ticks(slot.side, slot.distance)
        if slot.kind is _Kind.LIMIT:
            return [self._enter(book, slot.side, price_ticks)]
        if slot.kind is _Kind.CANCEL:
            # Any order of the queue is as likely as another; those of clients are not the flow's to cancel.
            orders = book.orders_at(slot.side, price_ticks)
            order = orders[int(self._dice.random() * len(orders))]
            if order.owner is Owner.FLOW:
                book.cancel(order.key)
            return []
        best = book.best(slot.side)
        limit_ticks = price_ticks if best is None else best[0]
        return [self._enter(book, OTHER[slot.side], limit_ticks, rests=False)]

    def _move_where_emptied(self, book: Book) -> list[Entry]:
        """Let the reference price follow a queue at distance 1 that is gone since this was last asked."""
        had_near = self._has_near.copy()
        self._note_near(book)
        entries: list[Entry] = []
        for side in SimSide:
            is_gone = had_near[side] and not self._has_near[side]
            if is_gone and self._dice.random() < self.parameters.move_probability:
                by_ticks = -SIGN[side]
                self.fair_ticks += by_ticks
                if self._dice.random() < self.parameters.redraw_probability:
                    self._best_bid_ticks += by_ticks
                    entries += self._redraw(book)
                else:
                    entries += self._shift(book, by_ticks)
                self._note_near(book)
                break
        return entries

    def _note_near(self, book: Book) -> None:
        for side in SimSide:
            self._has_near[side] = book.lots_at(side, self._price_ticks(side, 1)) > 0

    def _follow(self, book: Book) -> list[Entry]:
        """Bring the reference price to where it was moved from outside, and heed what clients emptied meanwhile."""
        entries: list[Entry] = []
        by_ticks = math.floor(self.fair_ticks) - self._best_bid_ticks
        if by_ticks:
            entries += self._shift(book, by_ticks)
            self._note_near(book)
        return entries + self._move_where_emptied(book)

    def _shift(self, book: Book, by_ticks: int) -> list[Entry]:
        """Move the reference price; queues keep their prices, what is out of reach goes, and far queues are drawn."""
        self._best_bid_ticks += by_ticks
        for side in SimSide:
            nearest, farthest = (
                SIGN[side] * self._price_ticks(side, distance) for distance in (1, self._distances[-1])
            )
            for order in book.queue(side):
                if order.owner is Owner.FLOW and not farthest <= SIGN[side] * order.price_ticks <= nearest:
                    book.cancel(order.key)
        gained = SimSide.SELL if by_ticks > 0 else SimSide.BUY
        entries: list[Entry] = []
        for distance in self._distances[-abs(by_ticks) :]:
            entries += self._draw_queue(book, gained, distance)
        return entries

    def _redraw(self, book: Book) -> list[Entry]:
        self.close(book)
        entries: list[Entry] = []
        for distance in self._distances:
            for side in SimSide:
                entries += self._draw_queue(book, side, distance)
        return entries

    def _draw_queue(self, book: Book, side: SimSide, distance: int) -> list[Entry]:
        if side is self.absent:
            return []
        law = self._laws[distance]
        size = bisect_right(law, self._dice.random() * law[-1])
        price_ticks = self._price_ticks(side, distance)
        return [self._enter(book, side, price_ticks) for _ in range(min(size, len(law) - 1))]

    def _enter(self, book: Book, side: SimSide, price_ticks: int, *, rests: bool = True) -> Entry:
        self._last_key -= 1
        lots = self.parameters.order_lots
        return book.enter(self._last_key, owner=Owner.FLOW, side=side, price_ticks=price_ticks, lots=lots, rests=rests)
