"""A model run on a book of its own, from act to act, and time-weighted means of what is seen between."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.sim.book import Book
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.records import SimSide

NS_PER_S = 1_000_000_000
Observable = Callable[[Book], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its standard error by batch means; `acts` of the model made it."""

    mean: float
    standard_error: float
    acts: int


def dice(seed: int) -> random.Random:
    """A generator that repeats."""
    return random.Random(seed)  # noqa: S311  numbers that repeat, not secrets


def time_mean(model: FlowModel, *, seconds: float, observe: Observable, batches: int = 30) -> Estimate:
    """Open the model's market, let it run, and average over time what stands in the book between two acts.

    The standard error is that of the means of `batches` stretches of equal length, each of which must be long beside
    the memory of what is observed.
    """
    book = Book()
    model.open(book, now_ns=0)
    wait_ns, act = model.wait_ns, model.act
    length_ns = int(seconds / batches * NS_PER_S)
    now_ns, acts, means = 0, 0, []
    for batch in range(1, batches + 1):
        ends_ns, since_ns, total = batch * length_ns, now_ns, 0.0
        while now_ns < ends_ns:
            held_ns = wait_ns(busy=True)
            total += observe(book) * held_ns
            now_ns += held_ns
            act(book, now_ns=now_ns, busy=True)
            acts += 1
        means.append(total / (now_ns - since_ns))
    mean = math.fsum(means) / batches
    variance = math.fsum((one - mean) ** 2 for one in means) / (batches - 1)
    return Estimate(mean=mean, standard_error=math.sqrt(variance / batches), acts=acts)


def spread_ticks(book: Book) -> float:
    """Best ask less best bid."""
    bid, ask = book.best(SimSide.BUY), book.best(SimSide.SELL)
    if bid is None or ask is None:
        raise AssertionError("a side of the book is empty: the window is too narrow for this model")
    return ask[0] - bid[0]
