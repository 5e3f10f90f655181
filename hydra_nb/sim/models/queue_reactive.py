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
_SIDES = (SimSide.BUY, SimSide.SELL)
_LEAST_WEIGHT = 1e-12
"""Where the tail of a law is cut, as a share of its largest weight."""
_MOST_SIZES = 10_000

Rates = tuple[tuple[float, ...], ...]
"""Events in a second by distance from the reference price, from 1 on, then by size of the queue in orders, from 0."""


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
            stuck = any(self.shrink_per_s(distance, size=size) == 0 for size in range(1, _MOST_SIZES))
            if fills == 0 or grows >= shrinks or stuck:
                raise ValueError(
                    f"the queue at distance {distance} has no law: it must fill when empty, shrink from every size, "
                    f"and when large grow ({grows} a second) more slowly than it shrinks ({shrinks} a second)"
                )
        for name in ("move_probability", "redraw_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a probability lies between 0 and 1")
        if not 0 < self.quiet < math.inf:
            raise ValueError(f"quiet is {self.quiet}: a finite number above zero is needed")
        if type(self.order_lots) is not int or self.order_lots < 1:
            raise ValueError(f"order_lots is {self.order_lots}: a whole number from 1 is needed")

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


_Event = tuple[SimSide, int, _Kind]
"""The side and distance of a queue, and what comes to it."""
_State = tuple[int, ...]
"""Of each side: sizes by distance, then distance (0 where none is in reach) and size of the best queue."""


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
        self._bid_ticks = math.floor(fair_ticks)
        """The price at distance 1 on the side of the bids; the asks' is one tick higher."""
        self.fair_ticks = self._bid_ticks + 0.5
        self._reach = len(parameters.limit_per_s)
        self._laws = [list(accumulate(parameters.law(distance))) for distance in range(1, self._reach + 1)]
        self._events: list[_Event] = [
            event
            for side in _SIDES
            for event in (
                *((side, distance, _Kind.LIMIT) for distance in range(1, self._reach + 1)),
                *((side, distance, _Kind.CANCEL) for distance in range(1, self._reach + 1)),
                (side, 0, _Kind.MARKET),
            )
        ]
        self._bounds_per_s: list[float] = []
        """Rates of the events in the present state, added up."""
        self._drawn_per_s = 0.0
        """Rate of all events when the wait for the next act was drawn."""
        self._state: _State
        self._settle((0,) * (2 * self._reach + 4))

    def open(self, book: Book, *, now_ns: int) -> None:  # noqa: ARG002  the rates know no time
        """Draw the whole book from its law."""
        self._bid_ticks = math.floor(self.fair_ticks)
        self._redraw(book)
        self._settle(self._look(book))

    def close(self, book: Book) -> None:
        """Take all orders away."""
        for side in _SIDES:
            for order in book.queue(side):
                if order.owner is Owner.FLOW:
                    book.cancel(order.key)

    def wait_ns(self, *, busy: bool) -> int:
        """Draw the time until the next act, at the rates of the queues as they stand after the last one."""
        self._drawn_per_s = self._bounds_per_s[-1]
        rate_per_s = self._drawn_per_s * (1.0 if busy else self.parameters.quiet)
        return 1 + int(self._dice.expovariate(rate_per_s) * _NS_PER_S)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  of all hours alike, but in pace
        """Let one event happen, at the rates of the queues as they are now.

        Where clients have made the rates smaller since the wait was drawn, none may happen, which keeps them exact;
        where they made them larger, that takes effect with the next wait.
        """
        entries = self._follow(book)
        entries += self._react(book)
        rate_per_s = self._bounds_per_s[-1]
        dice = self._dice.random() * max(rate_per_s, self._drawn_per_s)
        if dice < rate_per_s:
            entries += self._do(self._events[bisect_right(self._bounds_per_s, dice)], book)
            entries += self._react(book)
        return entries

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Queues are looked at, orders are not."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Nor are trades."""

    def _price_ticks(self, side: SimSide, distance: int) -> int:
        return self._bid_ticks + 1 - distance if side is SimSide.BUY else self._bid_ticks + distance

    def _look(self, book: Book) -> _State:
        order_lots = self.parameters.order_lots
        state: list[int] = []
        for side in _SIDES:
            near_ticks, behind = self._price_ticks(side, 1), -SIGN[side]
            state += [-(-book.lots_at(side, near_ticks + behind * steps) // order_lots) for steps in range(self._reach)]
            best = book.best(side)
            # An order of a client may stand ahead of distance 1: it counts as there.
            distance = 0 if best is None else max(1, 1 + behind * (best[0] - near_ticks))
            if best is None or distance > self._reach:
                state += [0, 0]
            else:
                state += [distance, -(-best[1] // order_lots)]
        return tuple(state)

    def _settle(self, state: _State) -> None:
        """Take a state for the present one, and count its rates."""
        given = self.parameters
        rates: list[float] = []
        for start in (0, self._reach + 2):
            sizes = state[start : start + self._reach]
            distance, size = state[start + self._reach : start + self._reach + 2]
            rates += map(rate_at, given.limit_per_s, sizes)
            rates += map(rate_at, given.cancel_per_s, sizes)
            rates.append(rate_at(given.market_per_s[distance - 1], size) if distance else 0.0)
        self._state = state
        self._bounds_per_s = list(accumulate(rates))

    def _react(self, book: Book) -> list[Entry]:
        """Take in what became of the queues; the reference price may follow one at distance 1 that is gone."""
        state = self._look(book)
        if state == self._state:
            return []
        before, entries = self._state, []
        self._settle(state)
        for side, near in zip(_SIDES, (0, self._reach + 2), strict=True):
            is_gone = before[near] and not state[near]
            if is_gone and self._dice.random() < self.parameters.move_probability:
                by_ticks = -SIGN[side]
                self.fair_ticks += by_ticks
                if self._dice.random() < self.parameters.redraw_probability:
                    self._bid_ticks += by_ticks
                    entries = self._redraw(book)
                else:
                    entries = self._shift(book, by_ticks)
                self._settle(self._look(book))
                break
        return entries

    def _follow(self, book: Book) -> list[Entry]:
        """Bring the reference price to where it was moved from outside."""
        by_ticks = math.floor(self.fair_ticks) - self._bid_ticks
        if by_ticks == 0:
            return []
        entries = self._shift(book, by_ticks)
        self._settle(self._look(book))
        return entries

    def _do(self, event: _Event, book: Book) -> list[Entry]:
        side, distance, kind = event
        if kind is _Kind.MARKET:
            best = book.best(side)
            if best is None or OTHER[side] is self.absent:
                return []
            return [self._enter(book, OTHER[side], best[0], rests=False)]
        price_ticks = self._price_ticks(side, distance)
        if kind is _Kind.LIMIT:
            return [] if side is self.absent else [self._enter(book, side, price_ticks)]
        # Any order of the queue is as likely as another; those of clients are not the flow's to cancel.
        orders = book.orders_at(side, price_ticks)
        order = orders[int(self._dice.random() * len(orders))]
        if order.owner is Owner.FLOW:
            book.cancel(order.key)
        return []

    def _shift(self, book: Book, by_ticks: int) -> list[Entry]:
        """Move the reference price; queues keep their prices, what is out of reach goes, and far queues are drawn."""
        self._bid_ticks += by_ticks
        for side in _SIDES:
            nearest, farthest = (SIGN[side] * self._price_ticks(side, distance) for distance in (1, self._reach))
            for order in book.queue(side):
                if order.owner is Owner.FLOW and not farthest <= SIGN[side] * order.price_ticks <= nearest:
                    book.cancel(order.key)
        gained = SimSide.SELL if by_ticks > 0 else SimSide.BUY
        first = max(1, self._reach + 1 - abs(by_ticks))
        return [
            entry for distance in range(first, self._reach + 1) for entry in self._draw_queue(book, gained, distance)
        ]

    def _redraw(self, book: Book) -> list[Entry]:
        self.close(book)
        return [
            entry
            for distance in range(1, self._reach + 1)
            for side in _SIDES
            for entry in self._draw_queue(book, side, distance)
        ]

    def _draw_queue(self, book: Book, side: SimSide, distance: int) -> list[Entry]:
        if side is self.absent:
            return []
        law = self._laws[distance - 1]
        size = bisect_right(law, self._dice.random() * law[-1])
        price_ticks = self._price_ticks(side, distance)
        return [self._enter(book, side, price_ticks) for _ in range(min(size, len(law) - 1))]

    def _enter(self, book: Book, side: SimSide, price_ticks: int, *, rests: bool = True) -> Entry:
        self._last_key -= 1
        lots = self.parameters.order_lots
        return book.enter(self._last_key, owner=Owner.FLOW, side=side, price_ticks=price_ticks, lots=lots, rests=rests)
