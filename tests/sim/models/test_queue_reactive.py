"""Queue-reactive flow: the rates of its tables, the race of two queues, and a reference price that moves as said."""

import dataclasses
import os

import pytest

from hydra_nb.sim.book import Book, Owner
from hydra_nb.sim.models.queue_reactive import QueueReactive, QueueReactiveParameters, rate_at
from hydra_nb.sim.records import SimSide
from tests.sim.models.queue_cases import RACE, RACES, THREE, observe, set_up, up_exactly, up_on_the_book
from tests.sim.models.watching import dice

IS_FULL = os.environ.get("HYDRA_FULL") == "1"


@pytest.mark.parametrize("start", RACES)
def test_the_next_move_of_two_racing_queues_is_up_as_often_as_published(start: tuple[int, int]) -> None:
    """On the book itself, within 4 standard errors of the exact figure, which rounds to the published one."""
    exact = up_exactly(*start)

    share, error = up_on_the_book(*start, races=3_000, seed=1)

    assert exact == pytest.approx(RACES[start], abs=0.0006)
    assert abs(share - exact) < 4 * error


@pytest.mark.skipif(not IS_FULL, reason="a million events: set HYDRA_FULL=1, or run python -m tests.sim.models")
@pytest.mark.parametrize("start", RACES)
def test_the_next_move_of_two_racing_queues_is_up_within_a_hundredth(start: tuple[int, int]) -> None:
    """Of the published figure, over so many races that the standard error is a quarter of that."""
    share, error = up_on_the_book(*start, races=40_000, seed=2)

    assert share == pytest.approx(RACES[start], abs=0.01)
    assert error < 0.0026


def test_events_come_to_each_queue_at_the_rates_of_the_tables() -> None:
    """By distance and size, limit orders and what takes away, within four deviations of their Poisson laws."""
    model = QueueReactive(THREE, dice=dice(4), fair_ticks=100.5)

    seen = observe(model, distances=3, order_lots=2, acts=25_000)

    compared = 0
    for (distance, size, is_best), cell in seen.items():
        market = rate_at(THREE.market_per_s[distance - 1], size) if is_best else 0.0
        for count, rate in (
            (cell.limits, rate_at(THREE.limit_per_s[distance - 1], size)),
            (cell.shrinks, rate_at(THREE.cancel_per_s[distance - 1], size) + market),
        ):
            mean = rate * cell.seconds
            assert abs(count - mean) <= 4 * max(mean, 1.0) ** 0.5, (distance, size, is_best)
            compared += mean > 25
    assert compared > 20


def test_a_queue_is_drawn_from_its_law() -> None:
    """Mean size of the opening queues at distance 1, which is also what it holds in the long run of a best queue."""
    law = THREE.law(1)
    mean = sum(size * share for size, share in enumerate(law))
    variance = sum(size * size * share for size, share in enumerate(law)) - mean**2
    model, book, total, draws = QueueReactive(THREE, dice=dice(6), fair_ticks=100.5), Book(), 0, 3_000

    for _ in range(draws // 2):
        model.close(book)
        model.open(book, now_ns=0)
        total += (book.lots_at(SimSide.BUY, 100) + book.lots_at(SimSide.SELL, 101)) // 2

    assert sum(law) == pytest.approx(1)
    assert abs(total / draws - mean) < 4 * (variance / draws) ** 0.5


@pytest.mark.parametrize("redraws", [0.0, 1.0])
def test_the_reference_price_follows_an_emptied_queue_as_often_as_asked(redraws: float) -> None:
    """Toward the queue that is gone: six times in ten, within four deviations, with and without a new book."""
    given = dataclasses.replace(THREE, move_probability=0.6, redraw_probability=redraws)
    model, book = QueueReactive(given, dice=dice(8), fair_ticks=100.5), Book()
    model.open(book, now_ns=0)
    emptied = moved = 0

    for _ in range(12_000):
        bid, ask = model._price_ticks(SimSide.BUY, 1), model._price_ticks(SimSide.SELL, 1)
        had = {SimSide.BUY: book.lots_at(SimSide.BUY, bid), SimSide.SELL: book.lots_at(SimSide.SELL, ask)}
        before = model.fair_ticks
        model.wait_ns(busy=True)
        model.act(book, now_ns=0, busy=True)
        by = model.fair_ticks - before
        left = {SimSide.BUY: book.lots_at(SimSide.BUY, bid), SimSide.SELL: book.lots_at(SimSide.SELL, ask)}
        gone = [side for side in SimSide if had[side] and not left[side]]
        emptied += bool(by or gone)
        moved += bool(by)
        # With a new book the queue that was gone may be there again, on the other side of the reference price.
        assert not by or redraws or gone == [SimSide.SELL if by > 0 else SimSide.BUY]

    assert emptied > 300
    assert abs(moved - 0.6 * emptied) < 4 * (0.24 * emptied) ** 0.5


def test_a_client_who_takes_the_last_lot_moves_the_reference_price() -> None:
    """The market reacts to a queue that a client emptied as to any other."""
    given = dataclasses.replace(RACE, move_probability=1.0)
    model, book = QueueReactive(given, dice=dice(2), fair_ticks=100.5), Book()
    model.open(book, now_ns=0)
    set_up(model, book, bid=3, ask=2)
    book.enter(1, owner=Owner.CLIENT, side=SimSide.BUY, price_ticks=101, lots=2, rests=False)

    model.act(book, now_ns=0, busy=True)

    assert model.fair_ticks == 101.5


def test_a_client_who_improves_the_touch_is_who_gets_taken() -> None:
    """Ahead of the nearest queue, market orders of that distance come to the client's order."""
    given = dataclasses.replace(RACE, limit_per_s=((0.01,),), cancel_per_s=((0.0,),))
    model, book = QueueReactive(given, dice=dice(2), fair_ticks=100.5), Book()
    model.open(book, now_ns=0)
    set_up(model, book, bid=2, ask=0)
    book.enter(1, owner=Owner.CLIENT, side=SimSide.BUY, price_ticks=101, lots=1)

    matches = [match for _ in range(20) for one in model.act(book, now_ns=0, busy=True) for match in one.matches]

    assert matches[0].resting_key == 1
    assert matches[0].price_ticks == 101


REFUSED = [
    ("takes 0.5", {"cancel_per_s": ((0.5,),)}),
    ("same distances", {"market_per_s": ((0.0, 0.94), (0.0, 0.1))}),
    ("has no law", {"cancel_per_s": ((0.0,),), "market_per_s": ((0.0, 1.85),)}),
    ("has no law", {"limit_per_s": ((0.0,),)}),
    ("shrink from every size", {"cancel_per_s": ((0.0, 0.0, 2.0),), "market_per_s": ((0.0, 0.0, 0.0),)}),
    ("finite rates", {"limit_per_s": ((-1.0,),)}),
    ("probability", {"move_probability": 1.5}),
    ("order_lots", {"order_lots": 0}),
    ("order_lots is 1.5: a whole number", {"order_lots": 1.5}),
]


@pytest.mark.parametrize(("message", "change"), REFUSED)
def test_impossible_tables_are_refused_by_name(message: str, change: dict[str, object]) -> None:
    """Each row of the table says what is wrong with it."""
    fields = {field.name: getattr(RACE, field.name) for field in dataclasses.fields(RACE)}

    with pytest.raises(ValueError, match=message):
        QueueReactiveParameters(**{**fields, **change})
