"""Impact of our own orders: the square root of what we took, its decay, and a drift behind passive fills."""

import datetime as dt
import math

import pytest

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.flow import Flow, FlowParameters
from hydra_nb.sim.models.impact import Impacted, ImpactParameters
from hydra_nb.sim.records import SimSide
from tests.sim.models.watching import NS_PER_S, dice

BUY, SELL = SimSide.BUY, SimSide.SELL
CALM = FlowParameters(
    spread_ticks=4,
    daily_ticks=0,
    volatility_ticks=0,
    quote_s=1,
    taker_s=60,
    taker_lots=2,
    quote_lots=4,
    daily_lots=400,
    impact_ticks=0.5,
    busy=(dt.time(9), dt.time(13)),
)
"""A market whose fair value stands still but for trades."""


def made(**impact: float) -> tuple[Impacted, Book]:
    """The calm market, open at 1000 ticks, behind an impact."""
    model, book = Impacted(Flow(CALM, dice=dice(1), fair_ticks=1000.0), impact=ImpactParameters(**impact)), Book()
    model.open(book, now_ns=0)
    return model, book


def take(model: Impacted, book: Book, side: SimSide, *, lots: int, now_s: float = 0.0) -> None:
    """Let a client take lots that stand there for it, as a market does: heeded first, then printed."""
    price = 1000
    other = SELL if side is BUY else BUY
    for order in book.queue(other):
        book.cancel(order.key)
    book.enter(-10_000, owner=Owner.FLOW, side=other, price_ticks=price, lots=lots)
    entry = book.enter(1, owner=Owner.CLIENT, side=side, price_ticks=price, lots=lots, rests=False)
    model.heed(entry, now_ns=round(now_s * NS_PER_S))
    for match in entry.matches:
        model.note_trade(side, lots=match.lots)


def filled_passively(model: Impacted, side: SimSide, *, now_s: float) -> None:
    """Let a client's resting order of a side be hit by the flow."""
    book, taker = Book(), SELL if side is BUY else BUY
    book.enter(1, owner=Owner.CLIENT, side=side, price_ticks=1000, lots=1)
    entry: Entry = book.enter(-1, owner=Owner.FLOW, side=taker, price_ticks=1000, lots=1, rests=False)
    model.heed(entry, now_ns=round(now_s * NS_PER_S))


def fair_at(model: Impacted, second: float) -> float:
    """The fair value as it is at a time, of a model whose market does nothing."""
    model._pass_to(round(second * NS_PER_S))
    return model.fair_ticks


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
def test_a_take_displaces_by_the_square_root_law_and_recovers_by_halves(side: SimSide, sign: int) -> None:
    """A hundredth of the day's volume is a tenth of the day's volatility, half of it after the half-life."""
    model, book = made(coefficient=0.8, daily_ticks=50, daily_lots=400, half_life_s=600)

    take(model, book, side, lots=4)

    assert model.fair_ticks == pytest.approx(1000 + sign * 0.8 * 50 * 0.1)
    assert fair_at(model, 600) == pytest.approx(1000 + sign * 2)
    assert fair_at(model, 1200) == pytest.approx(1000 + sign * 1)


def test_many_small_takes_displace_as_one_of_their_sum() -> None:
    """Ten of one lot are one of ten; what was bought and sold again leaves nothing."""
    model, book = made(coefficient=1, daily_ticks=50, daily_lots=400)

    for _ in range(10):
        take(model, book, BUY, lots=1)
    after_ten = model.fair_ticks
    take(model, book, SELL, lots=10)

    assert after_ten == pytest.approx(1000 + 50 * math.sqrt(10 / 400))
    assert model.fair_ticks == pytest.approx(1000)


def test_a_displaced_fair_value_moves_the_quotes() -> None:
    """The touch follows by the ticks of the impact within a minute of the market's acts."""
    model, book = made(coefficient=1, daily_ticks=200, daily_lots=400)
    take(model, book, BUY, lots=25)

    for second in range(1, 120):
        model.act(book, now_ns=second * NS_PER_S, busy=True)

    bid, ask = book.best(BUY), book.best(SELL)
    assert bid is not None
    assert ask is not None
    assert (bid[0] + ask[0]) / 2 == pytest.approx(1050, abs=4)


def test_a_clients_take_counts_once() -> None:
    """With impact of its own the model's is not added; without, the model is told as ever, and of others always."""
    with_impact, book = made(coefficient=1, daily_ticks=50, daily_lots=400)
    without, other_book = made()

    take(with_impact, book, BUY, lots=1)
    take(without, other_book, BUY, lots=1)
    own_ticks = with_impact.fair_ticks
    with_impact.heed(Entry(key=-1, owner=Owner.FLOW, side=BUY), now_ns=0)
    with_impact.note_trade(BUY, lots=2)

    assert own_ticks == pytest.approx(1000 + 50 * math.sqrt(1 / 400))
    assert without.fair_ticks == 1000.5
    assert with_impact.fair_ticks == pytest.approx(own_ticks + 1)


@pytest.mark.parametrize(("side", "sign"), [(BUY, -1), (SELL, 1)])
def test_behind_a_passive_fill_the_fair_value_drifts_against_it(side: SimSide, sign: int) -> None:
    """Evenly over the horizon, and no further."""
    model, _ = made(adverse_ticks=3, adverse_horizon_s=60)

    filled_passively(model, side, now_s=10)

    assert fair_at(model, 10) == pytest.approx(1000)
    assert fair_at(model, 40) == pytest.approx(1000 + sign * 1.5)
    assert fair_at(model, 500) == pytest.approx(1000 + sign * 3)


def test_each_of_many_fills_has_the_same_drift_behind_it() -> None:
    """A fill every 20 s: over the minute after each of the first, three ticks, and not three for each."""
    model, _ = made(adverse_ticks=3, adverse_horizon_s=60)
    seen = {}

    for second in range(0, 200, 20):
        seen[second] = fair_at(model, second)
        filled_passively(model, BUY, now_s=second)

    drifts = [seen[second + 60] - seen[second] for second in range(0, 140, 20)]
    assert drifts == pytest.approx([-3] * 7)


REFUSED = [
    ("coefficient", -1.0),
    ("daily_lots", 0.0),
    ("half_life_s", 0.0),
    ("adverse_ticks", math.nan),
    ("adverse_horizon_s", -5.0),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_impossible_impact_is_refused_by_name(name: str, value: float) -> None:
    """What could not be a coefficient, a volume or a time."""
    with pytest.raises(ValueError, match=name):
        ImpactParameters(**{name: value})
