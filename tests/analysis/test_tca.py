"""Transaction cost analysis by hand: what each column says of fills whose market is known to the tick."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis.tca import implementation_shortfall, tca
from hydra_nb.analysis.tca.columns import DIFFERENCES
from hydra_nb.domain.units import Side

from .tca_frames import OATS, TERMS, at, fills_frame, parent_frame, quotes_frame, trades_frame


def one_row(frame: pd.DataFrame) -> dict[str, Any]:
    """The only row of a frame."""
    assert len(frame) == 1
    return dict(frame.iloc[0])


QUOTES = quotes_frame(
    (-5, 399.75, 400.25),
    (60, 400.25, 400.75),
    (130, 400.5, 401.0),
    (400, 401.5, 402.0),
    (1_500, 402, 402.5),
    (2_000, 402.5, 403.0),
)
"""Mids 400, 400.5, 400.75, 401.75, 402.25, 402.75."""


def test_a_fill_is_held_against_the_mids_before_and_after_it() -> None:
    """Bought at 400.75 two minutes after arrival at 400: three ticks, and the market went on rising."""
    fills = fills_frame((120, "BUY", 2, 400.75), order_mid=400.5)

    row = one_row(tca(fills, QUOTES, executions=parent_frame(until=600, lots=2), instruments=TERMS))

    assert (row["arrival_mid"], row["fill_mid"], row["quote_age_s"]) == (400.0, 400.5, 60.0)
    assert (row["arrival_slippage_ticks"], row["order_slippage_ticks"], row["effective_spread_ticks"]) == (3, 1, 2)
    assert row["arrival_slippage_cash"] == 0.75 * 50 * 2
    assert row["arrival_slippage_bps"] == pytest.approx(0.75 / 400 * 10_000)
    assert [row[f"markout_{name}_ticks"] for name in ("10s", "1min", "5min", "30min")] == [0, 0, 4, 6]
    assert row["realised_spread_ticks"] == -8
    assert (row["weekday"], row["hour"]) == (1, 9)


def test_the_interval_has_its_time_weighted_mid_and_its_trades() -> None:
    """From arrival to the end: a mid counts by its time, a trade by its lots, and what was printed before does not."""
    fills = fills_frame((120, "BUY", 2, 400.75))
    trades = trades_frame((-1, 300.0, 50), (0, 310.0, 50), (30, 400.0, 6), (120, 400.75, 2), (601, 500.0, 9))

    parent = one_row(
        tca(fills, QUOTES, trades, executions=parent_frame(until=600, lots=4), instruments=TERMS, level="parent")
    )

    assert parent["twap"] == pytest.approx((60 * 400 + 70 * 400.5 + 270 * 400.75 + 200 * 401.75) / 600)
    assert parent["vwap"] == pytest.approx((6 * 400 + 2 * 400.75) / 8)
    assert (parent["volume_lots"], parent["participation"]) == (8, 0.25)
    assert parent["vwap_slippage_ticks"] == pytest.approx((400.75 - parent["vwap"]) / 0.25)
    assert (parent["fill_ratio"], parent["first_fill_s"], parent["end_mid"]) == (0.5, 120.0, 401.75)


def test_slices_are_held_against_their_own_time() -> None:
    """The second slice began when the market had moved; its time-weighted mid says so, its arrival does not."""
    fills = fills_frame((30, "BUY", 1, 400.0), (300, "BUY", 3, 401.0)).assign(slice=[1, 2])
    slices = pd.DataFrame({"parent_id": "P-0001", "slice": [1, 2, 3], "lots": [1, 4, 2]}).assign(
        sent=[at(0), at(200), pd.NaT], done=[at(60), at(390), pd.NaT], local_symbol=OATS
    )

    made = tca(
        fills, QUOTES, executions=parent_frame(until=600, lots=7), slices=slices, instruments=TERMS, level="slice"
    )

    assert made["twap"].iloc[:2].tolist() == [400.0, 400.75]
    assert made["twap_slippage_ticks"].iloc[:2].tolist() == [0, 1]
    assert made["arrival_slippage_ticks"].iloc[:2].tolist() == [0, 4]
    assert made["fill_ratio"].tolist() == [1, 0.75, 0]
    assert made["filled_lots"].tolist() == [1, 3, 0]
    assert made["first_fill_s"].iloc[1] == 100.0


def test_a_parent_has_the_parts_of_its_shortfall() -> None:
    """The worked example as frames: one lot is worth one, and the market ends at 10.30."""
    fills = fills_frame((60, "BUY", 60, 10.10), (90, "BUY", 20, 10.20), commission=2.0, currency="USD")
    quotes = quotes_frame((-1, 10.04, 10.06), (100, 10.29, 10.31))
    terms = pd.DataFrame({"local_symbol": [OATS], "tick": [0.01], "multiplier": [1.0], "price_magnifier": [1]})

    parent = one_row(
        tca(
            fills,
            quotes,
            executions=parent_frame(until=120, lots=100, decision_mid=10.0),
            instruments=terms,
            level="parent",
        )
    )

    parts = [parent[f"{part}_cash"] for part in ("delay", "trading", "opportunity", "fees")]
    assert parts == pytest.approx([4, 6, 6, 4])
    assert parent["shortfall_cash"] == pytest.approx(20)
    assert parent["shortfall_bps"] == pytest.approx(200)


prices = st.integers(380, 420).map(lambda ticks: ticks / 4)


@given(
    side=st.sampled_from(Side),
    booked=st.lists(st.tuples(st.integers(1, 9), prices), max_size=5),
    left=st.integers(0, 9),
    decision=prices,
    arrival=prices,
    end=prices,
    fee=st.integers(-5, 30),
)
def test_the_parts_of_any_parent_are_those_of_the_exact_reckoning(
    side: Side,
    booked: list[tuple[int, float]],
    left: int,
    decision: float,
    arrival: float,
    end: float,
    fee: int,
) -> None:
    """Both sides, any fills, any fees, with magnifier and multiplier once: the frame says what decimals say."""
    lots = sum(count for count, _ in booked) + left
    if lots == 0:
        return
    rows = [(60 + number, str(side), count, price) for number, (count, price) in enumerate(booked)]
    fills = fills_frame(*rows, commission=float(fee)).astype({"side": "str"})
    quotes = quotes_frame((-1, arrival - 0.25, arrival + 0.25), (590, end - 0.25, end + 0.25))
    executions = parent_frame(until=600, lots=lots, decision_mid=decision, side=str(side))

    parent = one_row(tca(fills, quotes, executions=executions, instruments=TERMS, level="parent"))

    exact = implementation_shortfall(
        side=side,
        lots=lots,
        decision_price=decision,
        arrival_price=arrival,
        fills=booked,
        end_price=end,
        fees=fee * len(booked),
        point_value=50,
    )
    for part in ("delay", "trading", "opportunity", "fees"):
        assert parent[f"{part}_cash"] == pytest.approx(float(getattr(exact, part)), abs=1e-6), part
    assert parent["shortfall_cash"] == pytest.approx(float(exact.total), abs=1e-6)
    assert parent["shortfall_bps"] == pytest.approx(float(exact.bps or 0), abs=1e-6)


@given(rows=st.lists(st.tuples(st.integers(1, 1_500), st.integers(1, 5), prices), min_size=1, max_size=8))
def test_sells_mirror_buys(rows: list[tuple[int, int, float]]) -> None:
    """The same fills on the other side cost what these earned, in every difference and every unit."""
    bought = fills_frame(*[(time, "BUY", lots, price) for time, lots, price in rows], order_mid=100.0)
    sold = bought.assign(side="SELL")
    executions = parent_frame(until=1_600, lots=99)

    frames = [tca(one, QUOTES, executions=executions, instruments=TERMS) for one in (bought, sold)]

    for name in (f"{stem}_{unit}" for stem in DIFFERENCES for unit in ("ticks", "bps", "cash")):
        np.testing.assert_array_equal(frames[0][name].to_numpy(), -frames[1][name].to_numpy(), err_msg=name)


def test_magnifier_and_multiplier_count_once() -> None:
    """Ticks do not know them, cash does: dollars instead of cents are worth a hundred times as much."""
    fills = fills_frame((120, "BUY", 2, 400.75))
    executions = parent_frame(until=600, lots=2)
    in_dollars = TERMS.assign(price_magnifier=1)

    cents = one_row(tca(fills, QUOTES, executions=executions, instruments=TERMS))
    dollars = one_row(tca(fills, QUOTES, executions=executions, instruments=in_dollars))

    assert dollars["arrival_slippage_cash"] == 100 * cents["arrival_slippage_cash"]
    assert dollars["arrival_slippage_ticks"] == cents["arrival_slippage_ticks"]
    assert dollars["arrival_slippage_bps"] == cents["arrival_slippage_bps"]


def test_the_order_of_rows_does_not_matter_and_the_last_quote_of_a_moment_counts() -> None:
    """Shuffled and repeated quotes say what sorted ones say."""
    fills = fills_frame((120, "BUY", 2, 400.75), (200, "SELL", 1, 400.5), order_mid=400.0)
    executions = parent_frame(until=600, lots=3)
    repeated = pd.concat([QUOTES.assign(bid=1.0, ask=2.0), QUOTES], ignore_index=True)

    plain = tca(fills, QUOTES, executions=executions, instruments=TERMS)
    shuffled = tca(fills, QUOTES.iloc[::-1], executions=executions, instruments=TERMS)
    twice = tca(fills, repeated, executions=executions, instruments=TERMS)

    pd.testing.assert_frame_equal(plain, shuffled)
    pd.testing.assert_frame_equal(plain, twice)


def test_the_zone_in_which_times_are_given_does_not_matter() -> None:
    """Chicago's nine o'clock is the fifteenth hour of UTC."""
    fills, executions = fills_frame((120, "BUY", 2, 400.75)), parent_frame(until=600, lots=2)
    there = QUOTES.assign(time=QUOTES["time"].dt.tz_convert("Asia/Tokyo").dt.as_unit("us"))

    plain = tca(fills, QUOTES, executions=executions, instruments=TERMS)
    moved = tca(
        fills.assign(time=fills["time"].dt.tz_convert("America/Chicago").dt.as_unit("s")),
        there,
        executions=executions,
        instruments=TERMS,
    )

    pd.testing.assert_frame_equal(plain, moved)


def test_fills_may_come_from_anywhere() -> None:
    """Five columns are enough; what the rest would tell is NaN, and said."""
    bare = fills_frame((120, "BUY", 2, 400.75), (150, "SELL", 2, 401.0)).drop(columns="parent_id")

    made = tca(bare, QUOTES)

    assert made["fill_mid"].tolist() == [400.5, 400.75]
    assert made["effective_spread_ticks"].isna().all()
    assert made["effective_spread_bps"].isna().all()
    assert "tick" in made["lacks"].iloc[0]
    assert "mid at arrival" in made["lacks"].iloc[0]
    assert tca(bare, QUOTES, instruments=TERMS)["effective_spread_ticks"].tolist() == [2, -2]


def test_groups_are_weighted_by_lots_and_add_up() -> None:
    """By side, by stage, by a column of one's own; cash adds up to that of all."""
    fills = fills_frame(
        (120, "BUY", 3, 400.75), (150, "BUY", 1, 401.75), (160, "SELL", 2, 400.0), commission=2.0, currency="USD"
    ).assign(stage=["mid", "cross", "mid"], desk=["east", "west", "west"], arrival_mid=400.0, parent_id=["A", "A", "B"])

    by_stage = tca(fills, QUOTES, instruments=TERMS, by="stage").set_index("stage")
    by_desk = tca(fills, QUOTES, instruments=TERMS, by=["desk", "side"])
    by_side = tca(fills, QUOTES, instruments=TERMS, by="side").set_index("side")

    assert by_stage.loc["mid", "arrival_slippage_ticks"] == (3 * 3 + 2 * 0) / 5
    assert by_stage["trading_cash"].sum() == 0.75 * 150 + 1.75 * 50
    assert by_stage["parents"].to_dict() == {"cross": 1, "mid": 2}
    assert by_desk[["desk", "side"]].to_numpy().tolist() == [["east", "BUY"], ["west", "BUY"], ["west", "SELL"]]
    assert by_side["parents"].to_dict() == {"BUY": 1, "SELL": 1}
    assert by_side.loc["BUY", "fees_cash"] != by_side.loc["BUY", "fees_cash"]  # of a shortfall that is not known


def test_cash_of_several_currencies_is_not_added() -> None:
    """A group that holds dollars and euros has ticks and basis points, and no cash."""
    fills = fills_frame((120, "BUY", 1, 400.75), (150, "BUY", 1, 400.75)).assign(
        currency=["USD", "EUR"], arrival_mid=400.0
    )

    row = one_row(tca(fills, QUOTES, instruments=TERMS, by="stage"))

    assert np.isnan(row["arrival_slippage_cash"])
    assert row["arrival_slippage_ticks"] == 3
    assert "several currencies" in row["lacks"]


@pytest.mark.parametrize("level", ["fill", "slice", "parent"])
def test_an_empty_analysis_has_the_columns_of_a_full_one(level: Any) -> None:
    """Nothing traded is no error."""
    full = fills_frame((120, "BUY", 2, 400.75), slice=1, currency="USD")
    executions = parent_frame(until=600, lots=2)

    empty = tca(full.iloc[:0], QUOTES.iloc[:0], executions=executions.iloc[:0], level=level)
    some = tca(full, QUOTES, executions=executions, level=level)

    assert empty.empty
    assert empty.dtypes.to_dict() == some.dtypes.to_dict()
    assert tca(full.iloc[:0], by="symbol").empty
