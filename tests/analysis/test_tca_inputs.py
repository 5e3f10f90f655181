"""Frames that would give wrong numbers are refused; what is merely not there is NaN, and said."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hydra_nb.analysis.tca import tca, trades_of
from hydra_nb.errors import InvalidFrame

from .tca_frames import OATS, TERMS, fills_frame, parent_frame, quotes_frame, trades_frame

FILLS = fills_frame((120, "BUY", 2, 400.75), (200, "SELL", 1, 400.5)).assign(fill_id=["a", "b"])
QUOTES = quotes_frame((-5, 399.75, 400.25), (150, 400.25, 400.75), (900, 400.25, 400.75))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({"fills": FILLS.drop(columns=["side", "price"])}, "fills lacks side, price"),
        ({"fills": FILLS.assign(time=FILLS["time"].dt.tz_localize(None))}, "without a time zone in time"),
        ({"fills": FILLS.assign(time=["2027-02-01 15:00", "2027-02-01 15:01"])}, "of dtype str"),
        ({"fills": FILLS.assign(time=[pd.NaT, FILLS["time"][1]])}, "1 of 2 rows without a time: row 0"),
        ({"fills": FILLS.assign(side=["BUY", "Buy"])}, "neither BUY nor SELL: row 1"),
        ({"fills": FILLS.assign(lots=[2, 0])}, "lots are not positive"),
        ({"fills": FILLS.assign(lots=[2, np.nan])}, "lots are not positive"),
        ({"fills": FILLS.assign(price=[1.0, np.nan])}, "without a price: row 1"),
        ({"fills": FILLS.assign(price=["1", "much"])}, "no number in price"),
        ({"fills": FILLS.assign(fill_id="a")}, "more than once: row 0, 1"),
        ({"fills": FILLS.assign(local_symbol=[OATS, None])}, "without a local symbol: row 1"),
        ({"fills": FILLS.assign(tick=[0.25, 0.5])}, "tell terms of a month which others tell otherwise"),
        ({"fills": FILLS.assign(tick=-0.25)}, "whose tick is not positive"),
        ({"quotes": QUOTES.drop(columns="ask")}, "quotes lacks ask"),
        ({"quotes": QUOTES.assign(time=QUOTES["time"].dt.tz_localize(None))}, "without a time zone"),
        ({"trades": FILLS[["time", "local_symbol", "price"]]}, "trades lacks lots"),
        ({"trades": trades_frame((1, 400.0, -1))}, "lots are unknown or below zero"),
        ({"executions": pd.concat([parent_frame(until=600, lots=3)] * 2)}, "told more than once"),
        ({"executions": parent_frame(until=600, lots=3).drop(columns="submitted")}, "executions lacks submitted"),
        ({"instruments": pd.concat([TERMS, TERMS])}, "a month told more than once"),
        ({"instruments": TERMS.assign(multiplier=0)}, "multiplier is not positive"),
        ({"instruments": TERMS.drop(columns="price_magnifier")}, "instruments lacks price_magnifier"),
        ({"by": []}, "by= names no column"),
        ({"by": "colour"}, "no column 'colour' to group by"),
        ({"level": "order"}, "level='order'"),
        ({"fills": None}, "fills=None is no frame; give a DataFrame, such as desk.fills()"),
        ({"fills": [1, 2]}, "fills=[1, 2] is no frame"),
        ({"quotes": 5}, "quotes=5 is no frame; give a DataFrame, such as desk.quotes()"),
        ({"trades": "much"}, "trades='much' is no frame; give a DataFrame, such as hydra_nb.analysis.tca.trades_of("),
        ({"executions": 5}, "executions=5 is no frame"),
        ({"slices": 5}, "slices=5 is no frame"),
        ({"instruments": {}}, "instruments={} is no frame"),
    ],
)
def test_what_would_give_a_wrong_number_is_refused(frames: dict[str, Any], words: str) -> None:
    """The message names frame, column and rows."""
    with pytest.raises(InvalidFrame) as caught:
        tca(**{"fills": FILLS, "quotes": QUOTES, **frames})

    assert words in str(caught.value)


def test_no_quotes_tell_no_trades() -> None:
    """Nothing at all is refused as a frame that lacks columns is."""
    with pytest.raises(InvalidFrame, match=r"quotes=None is no frame; give a DataFrame, such as desk.quotes\(\)"):
        trades_of(None)  # type: ignore[arg-type]


def test_quotes_that_do_not_tell_leave_nan_and_a_count() -> None:
    """Before the first quote, after a gap, one-sided, crossed, and beyond the end of the record."""
    fills = fills_frame(
        (10, "BUY", 1, 400.0),
        (20, "BUY", 1, 400.0),
        (30, "BUY", 1, 400.0),
        (40, "BUY", 1, 400.0),
        (700, "BUY", 1, 400.0),
    )
    quotes = quotes_frame((15, 399.75, 400.25), (25, 399.75, None), (35, 401.0, 400.0), (45, 399.75, 400.25))

    made = tca(fills, quotes, instruments=TERMS)
    row = dict(tca(fills, quotes, instruments=TERMS, by="local_symbol").iloc[0])

    assert made["fill_mid"].notna().tolist() == [False, True, False, False, False]
    assert made["markout_10s_ticks"].notna().tolist() == [True, False, False, False, False]
    assert made["markout_1min_ticks"].isna().all()
    assert "mid just before the fill (4 of 5 fills)" in row["lacks"]
    assert "mid 30min after (5 of 5 fills)" in row["lacks"]
    assert row["effective_spread_ticks"] == 0.0


def test_a_gap_in_the_quotes_leaves_no_time_weighted_mid() -> None:
    """Half of the interval must be covered: 600 s of a quote that stood for 2,000 s are not."""
    fills, quotes = fills_frame((120, "BUY", 2, 400.75)), quotes_frame((0, 399.75, 400.25), (2_000, 400.75, 401.25))

    covered = tca(fills, quotes, executions=parent_frame(until=1_200, lots=2), level="parent")
    gap = tca(fills, quotes, executions=parent_frame(until=1_900, lots=2), level="parent")

    assert covered["twap"].tolist() == [400.0]
    assert gap["twap"].isna().all()
    assert "time-weighted mid meanwhile" in gap["lacks"][0]


def test_a_month_without_volume_has_no_participation() -> None:
    """Neither zero trades nor none recorded become a share."""
    executions = parent_frame(until=600, lots=3)
    elsewhere = trades_frame((50, 400.0, 5)).assign(local_symbol="KEH7")
    before = trades_frame((-50, 400.0, 5))

    never = tca(FILLS, QUOTES, elsewhere, executions=executions, level="parent").iloc[0]
    not_meanwhile = tca(FILLS, QUOTES, before, executions=executions, level="parent").iloc[0]

    assert np.isnan(never["volume_lots"])
    assert "volume" in never["lacks"]
    assert not_meanwhile["volume_lots"] == 0
    assert np.isnan(not_meanwhile["participation"])
    assert np.isnan(not_meanwhile["vwap"])


def test_a_parent_at_work_has_no_opportunity_cost_yet() -> None:
    """What is not over is not missed."""
    executions = parent_frame(until=None, lots=9, decision_mid=400.0)

    row = tca(FILLS.assign(side="BUY"), QUOTES, executions=executions, instruments=TERMS, level="parent").iloc[0]

    assert np.isnan(row["opportunity_cash"])
    assert np.isnan(row["shortfall_cash"])
    assert row["ended"] is pd.NaT
    assert "it is at work" in row["lacks"]
    assert row["delay_cash"] == 0.0


def test_a_fee_that_was_not_told_is_not_nothing() -> None:
    """One of two fills has its fee: the parent's fees are not known, and no total is made up."""
    fills = FILLS.assign(side="BUY", commission=[2.5, np.nan])
    executions = parent_frame(until=600, lots=3, decision_mid=400.0)

    row = tca(fills, QUOTES, executions=executions, instruments=TERMS, level="parent").iloc[0]

    assert np.isnan(row["fees_cash"])
    assert np.isnan(row["shortfall_cash"])
    assert "fees (1 of 2 fills)" in row["lacks"]


def test_trades_are_the_growth_of_the_volume() -> None:
    """A new day begins anew; across a gap the lots are known and their price is not; other months are others."""
    quotes = quotes_frame(
        (0, 1, 2), (10, 1, 2), (20, 1, 2), (1_000, 1, 2), (1_010, 1, 2), (1_020, 1, 2),
        volume=[100.0, 103.0, 103.0, 110.0, 4.0, np.nan],
        last=[400.0, 400.5, 400.5, 401.0, 402.0, 402.0],
    )  # fmt: skip
    other = quotes.assign(local_symbol="KEH7", volume=5.0)

    made = trades_of(pd.concat([quotes, other]).sort_values("time"))

    assert made["local_symbol"].unique().tolist() == [OATS]
    assert made["lots"].tolist() == [3, 7, 4]
    assert made["price"].fillna(-1).tolist() == [400.5, -1, 402.0]


def test_the_order_of_rows_of_one_moment_makes_no_trades() -> None:
    """Read backwards, a volume of one moment seems to fall; that is no new day."""
    quotes = quotes_frame(
        (0, 1, 2), (10, 1, 2), (10, 1, 2), (20, 1, 2), volume=[100.0, 103.0, 105.0, 106.0], last=400.0
    )

    forward, backward = trades_of(quotes), trades_of(quotes.iloc[::-1])

    assert forward["lots"].tolist() == [3, 2, 1]
    pd.testing.assert_frame_equal(forward, backward)


def test_a_parent_of_an_unknown_side_missed_nothing_that_is_known() -> None:
    """Nobody told whether it would have bought or sold; taken for either, the opportunity would have a wrong sign."""
    executions = parent_frame(until=600, lots=3, decision_mid=390.0).drop(columns="side").assign(parent_id="P-0009")

    made = tca(FILLS, QUOTES, executions=executions, instruments=TERMS, level="parent").set_index("parent_id")

    assert np.isnan(made.loc["P-0009", "opportunity_cash"])
    assert "price missed at" in made.loc["P-0009", "lacks"]


def test_a_multiplier_without_its_magnifier_is_worth_nothing_known() -> None:
    """Oats are quoted in cents: taken for 1, the magnifier would make every amount a hundredfold."""
    fills = FILLS.assign(multiplier=5_000.0, tick=0.25, arrival_mid=400.0)

    made = tca(fills, QUOTES)

    assert made["arrival_slippage_cash"].isna().all()
    assert made["arrival_slippage_ticks"].notna().all()
    assert made["lacks"].str.contains("value of a point").all()


@pytest.mark.parametrize("by", ["currency", "lots", ["symbol", "currency"]])
def test_a_key_that_is_a_column_of_groups_too_stands_there_once(by: Any) -> None:
    """Two columns of one name cannot be told apart, or exported."""
    fills = FILLS.assign(currency="USD", symbol="ZO")

    made = tca(fills, QUOTES, executions=parent_frame(until=600, lots=3), by=by)

    assert made.columns.is_unique
    assert made["filled_lots"].sum() == 3


def test_prices_below_zero_have_no_basis_points() -> None:
    """Ticks and cash are as ever."""
    fills = fills_frame((120, "BUY", 2, -1.0), arrival_mid=-2.0)

    row = tca(fills, instruments=TERMS).iloc[0]

    assert row["arrival_slippage_ticks"] == 4
    assert row["arrival_slippage_cash"] == 100
    assert np.isnan(row["arrival_slippage_bps"])
    assert "arrival mid is not positive" in row["lacks"]
