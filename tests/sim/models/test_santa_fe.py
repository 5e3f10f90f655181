"""Zero intelligence against what is known of it: spread, depth, and rates that are what they are said to be."""

import os

import pytest

from hydra_nb.sim.book import Book, Owner
from hydra_nb.sim.models.santa_fe import SantaFe, SantaFeParameters
from hydra_nb.sim.records import SimSide
from tests.sim.models.santa_fe_cases import CASES, Case, far_depth, mean_spread, parameters, printed_spread
from tests.sim.models.watching import dice

IS_FULL = os.environ.get("HYDRA_FULL") == "1"
QUICK, WIDE = CASES[-1], CASES[1]


def test_the_mean_spread_is_the_known_one_in_a_short_run() -> None:
    """Half as many cancels as trades: within 4 standard errors, which are below 2 %."""
    spread = mean_spread(QUICK, seconds=3_000, seed=1)

    assert abs(spread.mean - QUICK.spread) < 4 * spread.standard_error
    assert spread.standard_error < 0.02 * QUICK.spread


@pytest.mark.skipif(not IS_FULL, reason="millions of events: set HYDRA_FULL=1, or run python -m tests.sim.models")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"epsilon={case.epsilon}")
def test_the_mean_spread_is_the_known_one_within_two_percent(case: Case) -> None:
    """Over millions of events, at three shares of cancels; and it is not what the printed formula gives."""
    spread = mean_spread(case, seconds=60_000, seed=2)

    assert spread.mean == pytest.approx(case.spread, rel=0.02)
    assert spread.standard_error < 0.006 * case.spread
    assert abs(printed_spread(case.epsilon) - spread.mean) > 0.3 * spread.mean


def test_far_from_the_spread_a_price_holds_alpha_over_delta_lots() -> None:
    """In lots, where each order is of three."""
    depth = far_depth(WIDE, seconds=1_500, seed=1, order_lots=3)

    assert abs(depth.mean - 1) < 4 * depth.standard_error
    assert depth.standard_error < 0.05


def test_events_come_at_the_rates_asked_for() -> None:
    """Limit orders, trades and cancels of ten minutes on the book are within 4 deviations of their Poisson laws."""
    given = parameters(WIDE)
    model, book = SantaFe(given, dice=dice(5), fair_ticks=1000.0), Book()
    model.open(book, now_ns=0)
    limits, trades, cancels, lives_s, now_ns = 0, 0, 0, 0.0, 0

    while now_ns < 600 * 10**9:
        resting = sum(lots for side in SimSide for _, lots in book.depth(side))
        held_ns = model.wait_ns(busy=True)
        lives_s += resting * held_ns / 1e9
        now_ns += held_ns
        entries = model.act(book, now_ns=now_ns, busy=True)
        limits += sum(entry.rested_lots for entry in entries)
        trades += sum(bool(entry.matches) for entry in entries)
        after = sum(lots for side in SimSide for _, lots in book.depth(side))
        cancels += not entries and after < resting

    seconds = now_ns / 1e9
    expected = {
        "limits": (limits, 2 * given.window_ticks * given.limit_per_s_tick * seconds),
        "trades": (trades, given.market_per_s * seconds),
        "cancels": (cancels, given.cancel_per_s * lives_s),
    }
    for name, (seen, mean) in expected.items():
        assert abs(seen - mean) < 4 * mean**0.5, name


def test_an_order_of_a_client_is_a_touch_like_any_other() -> None:
    """A bid far above the market: sells come above it only, until somebody takes it."""
    model, book = SantaFe(parameters(WIDE), dice=dice(3), fair_ticks=1000.0), Book()
    model.open(book, now_ns=0)
    ask = book.best(SimSide.SELL)
    assert ask is not None
    book.enter(1, owner=Owner.CLIENT, side=SimSide.BUY, price_ticks=ask[0] - 1, lots=1)

    entries = [one for _ in range(400) for one in model.act(book, now_ns=0, busy=True)]

    taken = next(n for n, one in enumerate(entries) if any(match.resting_key == 1 for match in one.matches))
    asked = [order.price_ticks for order in book.queue(SimSide.SELL)]
    assert entries[taken].matches[0].price_ticks == ask[0] - 1
    assert entries[taken].side is SimSide.SELL
    assert asked == sorted(asked)


def test_impossible_rates_are_refused_by_name() -> None:
    """Zero, infinite, a part of a lot, and so many orders that no machine would hold them."""
    good = {"limit_per_s_tick": 0.1, "market_per_s": 1.0, "cancel_per_s": 0.1, "window_ticks": 50}

    for name, value in (
        ("market_per_s", 0.0),
        ("cancel_per_s", float("nan")),
        ("window_ticks", -1),
        ("order_lots", 1.5),
    ):
        with pytest.raises(ValueError, match=name):
            SantaFeParameters(**{**good, name: value})
    with pytest.raises(ValueError, match="would rest"):
        SantaFeParameters(**{**good, "cancel_per_s": 1e-6})
