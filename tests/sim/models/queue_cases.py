"""The race of two queues of Cont, Stoikov and Talreja (2010), exactly and on the book; and larger tables."""

import math
from dataclasses import dataclass

import numpy as np

from hydra_nb.sim.book import Book
from hydra_nb.sim.models.queue_reactive import QueueReactive, QueueReactiveParameters
from hydra_nb.sim.records import SimSide
from tests.sim.models.watching import NS_PER_S, dice

ARRIVALS_PER_S, TAKES_PER_S, CANCELS_PER_S = 1.85, 0.94, 0.71
"""Limit orders at the touch, market orders, and cancels of each order, of one side."""
RACES = {(1, 1): 0.500, (1, 2): 0.335, (2, 2): 0.500}
"""Probability that the next move of the mid is up, by lots at the bid and at the ask, as published."""
MOST = 30
"""Sizes of the tables; queues of these rates are never so large."""

RACE = QueueReactiveParameters(
    limit_per_s=((ARRIVALS_PER_S,),),
    cancel_per_s=(tuple(CANCELS_PER_S * size for size in range(MOST)),),
    market_per_s=((0.0, TAKES_PER_S),),
    move_probability=0.0,
    redraw_probability=0.0,
)
THREE = QueueReactiveParameters(
    limit_per_s=((0.9, 0.7, 0.5, 0.4), (0.6, 0.5), (0.5,)),
    cancel_per_s=((0.0, 0.1, 0.3, 0.5, 0.8), (0.0, 0.2, 0.4, 0.8), (0.0, 0.3, 0.7)),
    market_per_s=((0.0, 0.3, 0.2), (0.0, 0.1), (0.0, 0.05)),
    move_probability=0.0,
    redraw_probability=0.0,
    order_lots=2,
)


def up_exactly(bid: int, ask: int, *, most: int = 30) -> float:
    """Probability that the ask empties before the bid, by the linear system of first steps, below `most` lots."""
    places = {(b, a): n for n, (b, a) in enumerate((b, a) for b in range(1, most) for a in range(1, most))}
    matrix, right = np.eye(len(places)), np.zeros(len(places))
    for (b, a), row in places.items():
        steps = {
            (min(b + 1, most - 1), a): ARRIVALS_PER_S,
            (b, min(a + 1, most - 1)): ARRIVALS_PER_S,
            (b - 1, a): TAKES_PER_S + CANCELS_PER_S * b,
            (b, a - 1): TAKES_PER_S + CANCELS_PER_S * a,
        }
        total = sum(steps.values())
        for to, rate in steps.items():
            if to in places:
                matrix[row, places[to]] -= rate / total
            elif to[1] == 0:
                right[row] += rate / total
    return float(np.linalg.solve(matrix, right)[places[bid, ask]])


def up_on_the_book(bid: int, ask: int, *, races: int, seed: int) -> tuple[float, float]:
    """Share of races on a book of one level a side in which the ask empties first, and its standard error."""
    model = QueueReactive(RACE, dice=dice(seed), fair_ticks=100.5)
    book, ups = Book(), 0
    for _ in range(races):
        set_up(model, book, bid=bid, ask=ask)
        while book.best(SimSide.BUY) is not None and book.best(SimSide.SELL) is not None:
            model.wait_ns(busy=True)
            model.act(book, now_ns=0, busy=True)
        ups += book.best(SimSide.SELL) is None
    share = ups / races
    return share, math.sqrt(share * (1 - share) / races)


def set_up(model: QueueReactive, book: Book, *, bid: int, ask: int) -> None:
    """Leave so many orders of one lot on each side."""
    model.close(book)
    for side, lots in ((SimSide.BUY, bid), (SimSide.SELL, ask)):
        for _ in range(lots):
            model._enter(book, side, model._price_ticks(side, 1))
    model._settle(model._look(book))


@dataclass(slots=True)
class Seen:
    """How long a queue was seen at a size, and how often a kind of event came to it meanwhile."""

    seconds: float = 0.0
    limits: int = 0
    shrinks: int = 0


def observe(model: QueueReactive, *, distances: int, order_lots: int, acts: int) -> dict[tuple[int, int, bool], Seen]:
    """Run a model and see, by distance, size and whether it was the best of its side, what came to each queue.

    What is seen is the book alone: an order that came to rest, or lots that are gone.
    """
    book = Book()
    model.open(book, now_ns=0)
    prices = {
        (side, distance): model._price_ticks(side, distance) for side in SimSide for distance in range(1, distances + 1)
    }
    seen: dict[tuple[int, int, bool], Seen] = {}
    for _ in range(acts):
        held_s = model.wait_ns(busy=True) / NS_PER_S
        best = {side: (top[0] if (top := book.best(side)) else None) for side in SimSide}
        before = {place: book.lots_at(place[0], price) // order_lots for place, price in prices.items()}
        model.act(book, now_ns=0, busy=True)
        for (side, distance), size in before.items():
            price = prices[side, distance]
            cell = seen.setdefault((distance, size, best[side] == price), Seen())
            cell.seconds += held_s
            change = book.lots_at(side, price) // order_lots - size
            cell.limits += change > 0
            cell.shrinks += change < 0
    return seen
