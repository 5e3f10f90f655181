"""Figures, units and words of the breakers beyond their verdicts: of positions, of trips, and on a screen."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from hydra_nb.domain.board import Breaker
from hydra_nb.domain.breakers import BreakerName, BreakerState
from hydra_nb.domain.events import BreakerTripped, Rearmed
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.breakers import READINGS, Reading, held_words, over_words, position_readings, position_trip, trip
from hydra_nb.risk.breakers_shown import Exposure, shown_breakers
from hydra_nb.risk.limits import Limits

from .making import NOW_NS, OATS, make_snapshot

OWN = Limits(symbols={"ZO": {"max_position_lots": 7, "max_position_percent_of_equity": 20.0}})


def test_a_position_is_read_against_the_limits_of_its_symbol_at_the_rate_of_exchange() -> None:
    """Three lots short at 370 are 55,500 dollars, or 27,750 pounds, of a hundred thousand."""
    readings = position_readings(OATS, OWN, lots=-3, mid=Decimal(370), rate=Decimal("0.5"), equity=Decimal(100_000))

    assert readings == {
        BreakerName.POSITION_LOTS: Reading(3, 7, "lots"),
        BreakerName.POSITION_SHARE: Reading(27.75, 20.0, "% of equity"),
    }


@pytest.mark.parametrize(
    ("mid", "rate", "equity", "share"),
    [
        (None, "1", "1", None),
        ("370", None, "1", None),
        ("370", "1", None, None),
        ("370", "1", "NaN", None),
        ("370", "1", "0", None),
        ("370", "1", "1", 5_550_000.0),
    ],
)
def test_a_share_of_equity_needs_a_mid_a_rate_and_some_equity(mid, rate, equity, share):  # type: ignore[no-untyped-def]
    """One dollar is some."""
    told = [None if one is None else Decimal(one) for one in (mid, rate, equity)]

    readings = position_readings(OATS, Limits(), lots=3, mid=told[0], rate=told[1], equity=told[2])

    assert readings[BreakerName.POSITION_SHARE].observed == share


@pytest.mark.parametrize(
    ("breaker", "words"),
    [
        ("daily_loss", "Lost 1,234.50 u today, 0.25 allowed"),
        ("drawdown", "Equity 1,234.5 % below its peak, 0.25 % allowed"),
        ("last_trade_loss", "The last trade lost 1,234.50 u, 0.25 allowed"),
        ("position_lots", "A position of 1,234.5 lots, 0.25 allowed"),
        ("position_share", "A position of 1,234.5 % of equity, 0.25 % allowed"),
        ("consecutive_refusals", "1,234.5 hard refusals in a row, 0.25 allowed"),
        ("reject_rate", "The broker rejected 1,234.5 % of the last hour's messages, 0.25 % allowed"),
        ("slippage_breach", "Today's fills cost 1,234.5 ticks a lot, 0.25 allowed by their prediction"),
    ],
)
def test_each_breaker_says_in_its_own_words_how_far_it_is_over(breaker: str, words: str) -> None:
    """Cash to the cent, other figures without needless decimals."""
    assert over_words(breaker, Reading(1_234.5, 0.25, "u")) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (20.0, "20"), (100.0, "100"), (5.00001, "5"), (5.0001, "5.0001"), (0.5, "0.5")]
)
def test_a_figure_loses_no_zero_that_counts(value: float, words: str) -> None:
    """Twenty is not two."""
    assert over_words("drawdown", Reading(value, 1.0, "%")).startswith(f"Equity {words} % below")


@pytest.mark.parametrize("name", list(READINGS))
def test_a_trip_keeps_what_was_read(name: BreakerName) -> None:
    """Breaker, figures, unit, time, and the words; a figure that is not known is none."""
    tripped = trip(name, Reading(12.5, 10, "cats"), time_ns=7)

    assert tripped == BreakerTripped(
        time_ns=7,
        breaker=str(name),
        observed=12.5,
        limit=10.0,
        unit="cats",
        reason=over_words(name, Reading(12.5, 10.0, "cats")),
    )
    assert type(tripped.breaker) is str
    assert trip(name, Reading(None, 10, "cats"), time_ns=7).observed == 0.0
    assert over_words(name, Reading(None, 10, "cats")) == over_words(name, Reading(0.0, 10, "cats"))


@pytest.mark.parametrize(
    ("lots", "word", "side"), [(1, "long", Side.BUY), (60, "long", Side.BUY), (-1, "short", Side.SELL)]
)
def test_the_trip_of_a_position_keeps_contract_and_side(lots: int, word: str, side: Side) -> None:
    """The side is that of the orders which would add to it."""
    tripped = position_trip(
        BreakerName.POSITION_LOTS, Reading(abs(lots), 0.5, "lots"), contract=OATS, lots=lots, time_ns=7
    )

    assert tripped == BreakerTripped(
        time_ns=7,
        breaker="position_lots",
        observed=float(abs(lots)),
        limit=0.5,
        unit="lots",
        reason=f"ZOK6 {word}. A position of {abs(lots)} lots, 0.5 allowed",
        con_id=101,
        local_symbol="ZOK6",
        side=side,
    )
    nothing = position_trip(BreakerName.POSITION_LOTS, Reading(None, 1, ""), contract=OATS, lots=lots, time_ns=7)
    assert nothing.observed == 0.0


@pytest.fixture
def machine_in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time is five and a half hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_in_kolkata")
def test_a_trip_is_told_in_utc_wherever_the_machine_stands() -> None:
    """To the second at which it came, with what it reads now to two decimals."""
    tripped = trip(BreakerName.DRAWDOWN, Reading(6.0, 5.0, "%"), time_ns=NOW_NS + NS_PER_S - 1)

    words = held_words(tripped, now=Reading(3.14159, 5.0, "%"))

    assert words == (
        "Equity 6 % below its peak, 5 % allowed: tripped 2026-03-03 15:00:00 UTC, now 3.14 %; "
        'once you know why, say await desk.rearm("why", breaker="drawdown")'
    )


# On a screen


def show(
    *exposures: Exposure,
    limits: Limits | None = None,
    tripped: dict[tuple[str, int | None], BreakerTripped] | None = None,
    rearmed: dict[tuple[str, int | None], Rearmed] | None = None,
    equity: Decimal | None = Decimal(1_000_000),
) -> dict[str, Breaker]:
    """The breakers by name; of one that has more rows, the last."""
    shown = shown_breakers(
        make_snapshot(equity=equity),
        limits or Limits(),
        exposures=exposures,
        tripped=tripped or {},
        rearmed=rearmed or {},
    )
    return {one.check: one for one in shown}


def exposed(symbol: str, *, lots: int, value: int | None = 0) -> Exposure:
    """A position of a symbol."""
    return Exposure(
        symbol=symbol, local_symbol=f"{symbol}K6", lots=lots, value=None if value is None else Decimal(value)
    )


def test_a_closed_breaker_shows_figures_and_nothing_else() -> None:
    """Of no position at all: nothing of the limit of all symbols."""
    shown = show()

    assert shown["position_lots"] == Breaker(
        check="position_lots",
        observed=0,
        limit=50.0,
        unit="lots",
        allowed=True,
        state=BreakerState.CLOSED,
        since_ns=None,
        reason="",
        rearmed_ns=None,
        local_symbol="",
    )
    assert (shown["position_share"].observed, shown["position_share"].limit) == (0.0, 50.0)
    assert shown["position_share"].unit == "% of equity"
    assert type(shown["position_lots"].check) is str


def test_the_position_that_uses_most_of_its_own_limit_is_shown() -> None:
    """Six of seven lots are more than forty of fifty; one dollar of a fifth of equity less than another's half."""
    shown = show(exposed("ZO", lots=6, value=180_000), exposed("KE", lots=40, value=400_000), limits=OWN)

    assert (shown["position_lots"].observed, shown["position_lots"].limit) == (6, 7.0)
    assert (shown["position_share"].observed, shown["position_share"].limit) == (18.0, 20.0)
    assert (shown["position_lots"].unit, shown["position_share"].unit) == ("lots", "% of equity")


@pytest.mark.parametrize(("lots", "shown_lots"), [(0, 30), (1, 1)])
def test_any_lot_of_a_symbol_that_may_have_none_uses_all(lots: int, shown_lots: int) -> None:
    """And no lot of it uses nothing."""
    none = Limits(symbols={"ZO": {"max_position_lots": 0}})

    shown = show(exposed("ZO", lots=lots), exposed("KE", lots=30), limits=none)

    assert shown["position_lots"].observed == shown_lots


def test_no_lot_of_a_symbol_that_may_have_none_is_less_than_any_of_another() -> None:
    """Nothing of nothing is no use of a limit."""
    none = Limits(symbols={"ZO": {"max_position_lots": 0}})

    shown = show(exposed("ZO", lots=0), exposed("KE", lots=0), limits=none)
    turned = show(exposed("KE", lots=0), exposed("ZO", lots=0), limits=none)

    assert shown["position_lots"].limit == 0.0
    assert turned["position_lots"].limit == 50.0


@pytest.mark.parametrize(("equity", "observed"), [(None, None), ("0", None), ("-1", None), ("1", 1_800_000.0)])
def test_a_share_of_unknown_or_no_equity_is_not_shown_as_a_figure(equity: str | None, observed: float | None) -> None:
    """It is refused, and its limit and unit are shown all the same."""
    share = show(exposed("ZO", lots=1, value=18_000), equity=None if equity is None else Decimal(equity))[
        "position_share"
    ]

    assert (share.observed, share.limit, share.unit, share.allowed) == (observed, 50.0, "% of equity", False)


def test_a_rearmed_breaker_shows_the_last_rearming() -> None:
    """Of several contracts' the latest, whatever the order in which they stand."""
    rearmed = {
        ("position_lots", 1): Rearmed(time_ns=5, reason="first"),
        ("position_lots", 2): Rearmed(time_ns=9, reason="last"),
        ("position_lots", 3): Rearmed(time_ns=7, reason="between"),
        ("drawdown", None): Rearmed(time_ns=20, reason="another"),
    }

    lots = show(rearmed=rearmed)["position_lots"]

    assert (lots.state, lots.since_ns, lots.rearmed_ns, lots.reason) == (BreakerState.REARMED, 9, 9, "last")
