"""Predicted slippage and expected cost: the formula, by hand, and what is not known."""

import dataclasses
import datetime as dt
import math
from decimal import Decimal

import pytest

from hydra_nb import cost
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.errors import InvariantBroken

OATS = FutureContract(
    con_id=101,
    symbol="ZO",
    local_symbol="ZOK6",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    tick=Decimal("0.25"),
    multiplier=Decimal(5000),
    price_magnifier=100,
    contract_month="202605",
    last_trade_date=dt.date(2026, 5, 14),
    time_zone="America/Chicago",
)
QUOTE = Quote(con_id=101, time_ns=1, bid=Decimal("398.00"), bid_size=2, ask=Decimal("402.00"), ask_size=2)
STATISTICS = MarketStatistics(con_id=101, adv_lots=400.0, daily_volatility=0.02, days=20, source="bars")


def test_slippage_is_half_the_spread_and_the_square_root_of_the_share():
    """0.1 of a daily move of 8 cents, times sqrt(4 / 400), is 0.08 on top of 2 cents."""
    prediction = cost.predict(QUOTE, statistics=STATISTICS, lots=4)

    assert prediction is not None
    assert prediction.half_spread == 2
    assert float(prediction.impact) == pytest.approx(0.08)
    assert prediction.slippage == prediction.half_spread + prediction.impact
    assert prediction.version == cost.PREDICTOR_VERSION


def test_four_times_the_lots_have_twice_the_impact():
    """The square root."""
    small, large = (cost.predict(QUOTE, statistics=STATISTICS, lots=lots) for lots in (4, 16))

    assert small is not None
    assert large is not None
    assert float(large.impact) == pytest.approx(2 * float(small.impact))


def test_the_volume_given_takes_the_place_of_the_bars():
    """A quarter of the volume has twice the impact, and the prediction says which was used."""
    prediction = cost.predict(QUOTE, statistics=STATISTICS, lots=4, adv_lots=100.0)

    assert prediction is not None
    assert float(prediction.impact) == pytest.approx(0.16)
    assert prediction.adv_lots == 100.0


def test_a_market_below_zero_costs_as_much():
    """Impact is a cost at any sign of the price."""
    quote = dataclasses.replace(QUOTE, bid=Decimal("-402.00"), ask=Decimal("-398.00"))

    prediction = cost.predict(quote, statistics=STATISTICS, lots=4)

    assert prediction is not None
    assert float(prediction.slippage) == pytest.approx(2.08)


@pytest.mark.parametrize(
    ("quote", "statistics"),
    [
        (None, STATISTICS),
        (dataclasses.replace(QUOTE, bid=None), STATISTICS),
        (dataclasses.replace(QUOTE, ask_size=0), STATISTICS),
        (dataclasses.replace(QUOTE, bid=Decimal("402.00")), STATISTICS),
        (QUOTE, None),
        (QUOTE, dataclasses.replace(STATISTICS, adv_lots=None)),
        (QUOTE, dataclasses.replace(STATISTICS, adv_lots=0.0)),
        (QUOTE, dataclasses.replace(STATISTICS, adv_lots=math.nan)),
        (QUOTE, dataclasses.replace(STATISTICS, daily_volatility=None)),
        (QUOTE, dataclasses.replace(STATISTICS, daily_volatility=math.nan)),
        (QUOTE, dataclasses.replace(STATISTICS, daily_volatility=-0.01)),
    ],
)
def test_where_a_part_is_not_known_there_is_no_prediction(quote, statistics):
    """Half a formula would be taken for the whole."""
    assert cost.predict(quote, statistics=statistics, lots=4) is None


def calibration(**changes):
    """Constants that own fills spoke for: 0.5 half spreads, and twice the assumed impact."""
    made = SlippageCalibration(
        symbol="ZO",
        k=0.2,
        k_low=0.1,
        k_high=0.4,
        spread_factor=0.5,
        spread_factor_low=0.3,
        spread_factor_high=0.7,
        level=0.95,
        n_fills=42,
        n_orders=17,
        residual_low_ticks=-6.0,
        residual_high_ticks=9.0,
        residual_level=0.88,
        calibrated_ns=1_772_550_000_000_000_000,
        version="sqrt-1.fit-20260303-abcdef",
    )
    return dataclasses.replace(made, **changes)


def test_a_calibration_takes_the_place_of_the_assumed_constants():
    """Half of 2 cents, and 0.16 of impact; what was assumed is kept beside it."""
    prediction = cost.predict(QUOTE, statistics=STATISTICS, lots=4, calibration=calibration())

    assert prediction is not None
    assert float(prediction.slippage) == pytest.approx(0.5 * 2 + 0.16)
    assert (prediction.half_spread, float(prediction.impact)) == (2, pytest.approx(0.16))
    assert float(prediction.assumed_slippage) == pytest.approx(2.08)
    assert prediction.version == "sqrt-1.fit-20260303-abcdef"


def test_without_a_calibration_nothing_is_kept_beside_it():
    """Assumed and predicted are the same."""
    prediction = cost.predict(QUOTE, statistics=STATISTICS, lots=4)

    assert prediction is not None
    assert prediction.calibration is None
    assert prediction.assumed_slippage is None


def test_the_interval_of_a_calibrated_prediction_carries_its_evidence():
    """4.64 ticks, from 6 less to 9 more, of 42 fills until the third of March."""
    prediction = cost.predict(QUOTE, statistics=STATISTICS, lots=4, calibration=calibration())

    interval = cost.interval_of(prediction, contract=OATS)

    assert interval.low_ticks == pytest.approx(1.16 / 0.25 - 6)
    assert interval.high_ticks == pytest.approx(1.16 / 0.25 + 9)
    assert (interval.level, interval.n_evidence) == (0.88, 42)
    assert interval.note == "own fills of 17 orders, calibrated 2026-03-03"


def test_an_assumed_prediction_has_no_interval():
    """Nor has none."""
    assumed = cost.predict(QUOTE, statistics=STATISTICS, lots=4)

    assert cost.interval_of(assumed, contract=OATS) is cost.NO_EVIDENCE
    assert cost.interval_of(None, contract=OATS) is cost.NO_EVIDENCE


@pytest.mark.parametrize(
    "changes",
    [
        {"k": -0.1, "k_low": -0.2},
        {"k": 0.5},
        {"k": math.nan},
        {"k_low": None},
        {"spread_factor": 0.8},
        {"spread_factor": -0.1, "spread_factor_low": -0.2},
        {"spread_factor_high": math.inf},
        {"residual_low_ticks": 10.0},
        {"residual_high_ticks": math.nan},
        {"level": 1.0},
        {"residual_level": 0.0},
        {"n_orders": 43},
        {"n_orders": 0},
    ],
    ids=str,
)
def test_a_calibration_that_could_not_be_is_refused(changes):
    """A gain from trading more, an interval without its estimate, more orders than fills."""
    with pytest.raises(InvariantBroken, match="ZO"):
        calibration(**changes)


def test_no_lots_have_no_prediction():
    """An order has lots."""
    with pytest.raises(InvariantBroken):
        cost.predict(QUOTE, statistics=STATISTICS, lots=0)


def test_crossing_now_costs_half_the_spread():
    """None where a side is empty."""
    assert cost.cross_now(QUOTE) == 2
    assert cost.cross_now(dataclasses.replace(QUOTE, ask=None)) is None
    assert cost.cross_now(None) is None


def test_a_price_difference_in_ticks_bps_and_cash():
    """Two cents of oats are 8 ticks, 50 bps of 400, and 1,300 dollars over 13 lots: the magnifier counts once."""
    difference = Decimal(2)

    assert cost.in_ticks(difference, contract=OATS) == 8
    assert cost.in_bps(difference, mid=Decimal(400)) == 50
    assert cost.in_cash(difference, contract=OATS, lots=13) == 1_300


@pytest.mark.parametrize("mid", [None, Decimal(0), Decimal(-400)])
def test_basis_points_need_a_positive_mid(mid):
    """NaN, not a number with the wrong sign."""
    assert math.isnan(cost.in_bps(Decimal(2), mid=mid))


def test_an_unknown_difference_is_nan_in_every_unit():
    """Unknown is not zero."""
    assert math.isnan(cost.in_ticks(None, contract=OATS))
    assert math.isnan(cost.in_bps(None, mid=Decimal(400)))
    assert math.isnan(cost.in_cash(None, contract=OATS, lots=1))


def test_commission_is_by_the_lot():
    """The assumption, to the cent."""
    assert cost.estimated_commission(13) == Decimal("32.76")


def test_without_own_fills_there_is_no_interval():
    """None is made up."""
    interval = cost.NO_EVIDENCE

    assert math.isnan(interval.low_ticks)
    assert math.isnan(interval.high_ticks)
    assert math.isnan(interval.level)
    assert interval.n_evidence == 0
    assert interval.note == "Not enough own fills"
