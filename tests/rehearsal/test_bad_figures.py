"""What is no figure, frame, contract, plan or word is refused at the door, before any path could meet it."""

import asyncio
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hydra_nb
from hydra_nb import ImpactedMarket, QueueReactiveMarket, SantaFeMarket, TapeMarket, ThinMarket
from hydra_nb.errors import AnalysisError, InvalidFrame, InvalidOrder
from hydra_nb.rehearsal.comparison import Comparison
from hydra_nb.rehearsal.market import Market
from tests.rehearsal.made_up import fill, outcome, rehearsal
from tests.rehearsal.test_markets import OATS, RATES, quotes, screen, world

THIN = {
    "spread_ticks": 4.0,
    "touch_lots": 2.0,
    "quote_s": 1.0,
    "taker_s": 60.0,
    "taker_lots": 2.0,
    "daily_volatility": 0.01,
    "impact_ticks": 0.1,
}
ZERO = {"taker_s": 20.0, "far_lots": 1.0, "rest_s": 120.0, "order_lots": 1, "window_ticks": 40}
MOVED = {
    "coefficient": 0.5,
    "half_life_s": 600.0,
    "adverse_ticks": 1.0,
    "adverse_horizon_s": 60.0,
    "daily_volatility": 0.01,
    "adv_lots": 400.0,
}


def replayed(**how: Any) -> TapeMarket:
    """A tape of half an hour."""
    return TapeMarket.of(quotes(hours=0.5, every_s=60.0), OATS, **how)


def one_rate(**how: Any) -> QueueReactiveMarket:
    """Queues of which one rate is given."""
    return QueueReactiveMarket(**RATES | {"limit_per_s": [[0.2, 0.15, how["rate"], 0.05]] * 3})


def queues(**how: Any) -> QueueReactiveMarket:
    """Queues of which all but the rates may be given."""
    return QueueReactiveMarket(**RATES | how)


ASKED: list[tuple[str, Callable[..., Market], str]] = [
    *(("thin", lambda **how: ThinMarket(**THIN | how), name) for name in THIN),
    *(("zero", lambda **how: SantaFeMarket(**ZERO | how), name) for name in ZERO),
    *(("moved", lambda **how: ImpactedMarket(**MOVED | how), name) for name in MOVED),
    *(("queues", queues, name) for name in ("order_lots", "move_probability", "redraw_probability")),
    ("queues", one_rate, "rate"),
    ("tape", replayed, "gap_s"),
]
MAY_BE_NONE = ("window_ticks", "daily_volatility of moved", "adv_lots")
NO_FIGURES: list[object] = ["4", "", True, np.bool_(1), Decimal(4), math.nan, -math.inf, 1e300, 10**400, object(), [4]]
NO_FIGURES += [None, np.timedelta64(4, "s"), np.array([1.0, 2.0]), quotes(hours=0.1)]


@pytest.mark.parametrize(("kind", "make", "name"), ASKED, ids=[f"{kind}-{name}" for kind, _, name in ASKED])
def test_what_is_no_figure_is_refused_by_name(kind: str, make: Callable[..., Market], name: str) -> None:
    """Text, True, a Decimal, NaN, what no float holds, nothing at all: with the argument, and what is wanted."""
    named = r"limit_per_s\[0\]\[2\]" if name == "rate" else name
    may_be_none = name in MAY_BE_NONE or f"{name} of {kind}" in MAY_BE_NONE

    for value in NO_FIGURES:
        if value is None and may_be_none:
            continue
        with pytest.raises(InvalidOrder, match=rf"(?s){named}=.* is no .*; give .*(number|zero)"):
            make(**{name: value})


@pytest.mark.parametrize(("kind", "make", "name"), ASKED, ids=[f"{kind}-{name}" for kind, _, name in ASKED])
def test_numbers_of_any_kind_are_figures(kind: str, make: Callable[..., Market], name: str) -> None:
    """One of NumPy and one of Python make the same market, and the same world by its digest."""
    makes = [make(**{name: value}) for value in (1.0, 1, np.float32(1), np.int64(1), np.float64(1))]

    assert len(set(makes)) == 1
    assert len({repr(one) for one in makes}) == 1
    if kind not in ("moved", "tape"):  # whose figures these tests choose begin on no screen, or not for so long
        assert len({world(one, screen()).digest for one in makes}) == 1


@pytest.mark.parametrize("lots", [1.5, 0, -1, math.inf])
def test_lots_of_an_order_are_whole(lots: float) -> None:
    """A part of one would be found out in a path."""
    for make in (queues, lambda **how: SantaFeMarket(**ZERO | how)):
        with pytest.raises(InvalidOrder, match=rf"order_lots={lots} is no figure of a market; give a whole number"):
            make(order_lots=lots)


@pytest.mark.parametrize(
    "figures",
    [
        {"taker_s": 1e-300, "far_lots": 1e-300, "rest_s": 1e5},
        {"taker_s": 1e-5, "far_lots": 1e-308, "rest_s": 1e5},
        {"taker_s": 1e-9, "far_lots": 1e-9, "rest_s": 1e9, "order_lots": 1_000_000_000},
    ],
)
def test_figures_of_which_quotients_are_none_are_refused(figures: dict[str, Any]) -> None:
    """Each is a positive number; what follows of them was beyond all floats, or is a book without end."""
    with pytest.raises(InvalidOrder, match=r"is no figure of a market|would rest"):
        SantaFeMarket(**figures)


@pytest.mark.parametrize("calibration", [None, pd.DataFrame(), pd.DataFrame, "frame", pd.DataFrame({"parameter": []})])
def test_what_is_no_calibration_is_refused(calibration: Any) -> None:
    """With what it lacks."""
    with pytest.raises(InvalidFrame, match=r"is no frame; give what|lacks the columns .*value, source"):
        ThinMarket.of(calibration)


@pytest.mark.parametrize("value", ["a", None, Decimal(4)])
def test_a_figure_of_a_calibration_is_one_too(value: object) -> None:
    """It is named."""
    values = pd.Series(THIN | {"quote_s": value}, dtype=object)
    calibration = pd.DataFrame({"parameter": values.index, "value": values.to_numpy(), "source": "quotes"})

    with pytest.raises(InvalidOrder, match="quote_s="):
        ThinMarket.of(calibration)


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"quotes": None}, InvalidFrame, r"quotes=None is no frame; give desk\.quotes\(\)"),
        ({"bars": "x"}, InvalidFrame, "bars='x' is no frame; give daily bars"),
        ({"bars": pd.DataFrame({"close": ["a"]})}, InvalidFrame, "closes of bars are no numbers"),
        ({"instrument": "ZO"}, InvalidOrder, r"instrument='ZO' is no contract; give what `await desk\.instrument"),
        ({"quotes": quotes(bid="a")}, InvalidFrame, "no time, or no number: could not convert"),
        ({"quotes": quotes(last="a")}, InvalidFrame, "no time, or no number: could not convert"),
        ({"quotes": quotes(time="noon")}, InvalidFrame, "no time, or no number"),
        ({"quotes": quotes(time=pd.NaT)}, InvalidFrame, "the time of row 0 is not known"),
        *(
            ({"hours": hours}, InvalidOrder, "hours=.* from 1 to 10,000")
            for hours in (math.nan, "1", 0, 0.9, 1e9, None)
        ),
    ],
)
def test_what_cannot_be_calibrated_on_is_refused(how: dict[str, Any], error: type[Exception], words: str) -> None:
    """Before anything is simulated."""
    given: dict[str, Any] = {"bars": None, "quotes": quotes(), "instrument": OATS, "hours": 1.0} | how
    bars, frame, instrument = (given.pop(name) for name in ("bars", "quotes", "instrument"))

    with pytest.raises(error, match=words):
        hydra_nb.calibrate(bars, frame, instrument, **given)


def test_a_tape_is_of_a_contract() -> None:
    """Not of a symbol."""
    with pytest.raises(InvalidOrder, match="instrument='ZO' is no contract"):
        TapeMarket.of(quotes(), "ZO")  # type: ignore[arg-type]


@pytest.mark.parametrize("plans", [[1], "ab", [None, None], [hydra_nb.Plan], (rehearsal(outcome(1, fill())),)])
def test_what_is_no_plan_is_not_rehearsed(plans: Any) -> None:
    """Whichever it is."""
    with pytest.raises(InvalidOrder, match=r"plans\[0\]=.* is no plan; give what `await desk\.preview"):
        asyncio.run(hydra_nb.rehearse(plans, 1))
    with pytest.raises(InvalidOrder, match=r"plan=1 is no plan"):
        asyncio.run(hydra_nb.rehearse_bounds(1, 1, market=replayed()))  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [5, None, "ab", [5], THIN])
def test_what_is_no_rehearsal_is_not_compared(other: Any) -> None:
    """Alone or in a list."""
    one = rehearsal(outcome(1, fill()))

    with pytest.raises(AnalysisError, match=r"is no rehearsal; give what `await plan\.rehearse\(\)` gave"):
        one.compare(other)


@pytest.mark.parametrize("share", ["x", None, True, Decimal("0.5")])
def test_what_is_no_share_is_refused(share: Any) -> None:
    """As one above 1 is."""
    with pytest.raises(InvalidOrder, match=r"share=.* is no share of the paths; give a number above 0 and at most 1"):
        rehearsal(outcome(1, fill())).done_by_s(share)


@pytest.mark.parametrize("word", ["foo", "", 5, ["light"]])
def test_what_is_none_of_the_words_is_refused_with_them(word: Any) -> None:
    """Of frontier and of both figures."""
    one = rehearsal(outcome(1, fill()))
    both = Comparison(rehearsals=(one,))

    for draw in (lambda: both.frontier(cost=word), lambda: both.plot(cost=word)):
        with pytest.raises(InvalidOrder, match=r"cost=.*; say 'all_lots_ticks' or 'slippage_ticks'"):
            draw()
    with pytest.raises(InvalidOrder, match=r"against=.*; say 'patience_s' or 'duration_s' or 'shortfall_lots' or"):
        both.plot(against=word)
    for draw in (lambda: both.plot(theme=word), lambda: one.plot(theme=word)):
        with pytest.raises(InvalidOrder, match=r"theme=.*; say 'light' or 'dark'"):
            draw()
