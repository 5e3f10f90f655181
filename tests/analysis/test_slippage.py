"""Predicted against actual slippage: exact figures, intervals that hold, and frames that are refused."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb import SlippageReconciler
from hydra_nb.analysis import columns, slippage_columns
from hydra_nb.analysis.slippage import LEAST_FILLS
from hydra_nb.analysis.slippage.scores import expanded
from hydra_nb.errors import AnalysisError, InvalidFrame

from .simulated_fills import Truth, simulated_fills, with_prices

FIGURES = [
    *("mean_predicted", "median_predicted", "p95_predicted", "mean_actual", "median_actual", "p95_actual", "rmse"),
    *(f"{name}{end}" for name in ("bias", "correlation", "multiplier") for end in ("", "_low", "_high")),
]


def paid(actual: list[float], predicted: list[float], **more: Any) -> pd.DataFrame:
    """Fills of one symbol, each of an order of its own, in ticks."""
    frame = {"symbol": "ZO", "slippage_ticks": actual, "predicted_slippage_ticks": predicted}
    return pd.DataFrame(frame | more)


def figures(fills: pd.DataFrame, *, symbol: str = "ZO", unit: str = "ticks", **how: Any) -> pd.Series:
    """One row of the summary."""
    table = SlippageReconciler(fills, unit=unit, **how).summary()
    return table[table["symbol"] == symbol].iloc[0]


class TestFigures:
    """What the summary says of fills that can be counted by hand."""

    def test_every_figure_of_ten_fills(self) -> None:
        """Predicted 1 to 10, paid 2 more than twice that: a line, so that correlation is 1."""
        predicted = [float(one) for one in range(1, 11)]

        row = figures(paid([2 + 2 * one for one in predicted], predicted))

        assert (row["n"], row["orders"], row["left_out"], row["reason"]) == (10, 10, 0, "")
        assert (row["mean_predicted"], row["median_predicted"]) == (5.5, 5.5)
        assert row["p95_predicted"] == pytest.approx(9.55)
        assert (row["mean_actual"], row["median_actual"], row["bias"]) == (13.0, 13.0, 7.5)
        assert row["p95_actual"] == pytest.approx(21.1)
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean([(2 + one) ** 2 for one in predicted])))
        assert row["correlation"] == pytest.approx(1.0)
        assert row["multiplier"] == pytest.approx(13 / 5.5)

    def test_all_symbols_come_first_then_each(self) -> None:
        """The figure of all is over all fills, not over symbols."""
        fills = pd.concat([paid([2.0] * 30, [1.0] * 30), paid([5.0] * 10, [1.0] * 10).assign(symbol="HE")])

        table = SlippageReconciler(fills, unit="ticks").summary()

        assert list(table["symbol"]) == ["*", "HE", "ZO"]
        assert list(table["bias"]) == [1.75, 4.0, 1.0]
        assert list(table["n"]) == [40, 10, 30]

    @pytest.mark.parametrize("fills", [0, 1, LEAST_FILLS - 1])
    def test_below_ten_fills_it_says_so(self, fills: int) -> None:
        """NaN in every figure, with the count; frames keep their columns and dtypes."""
        few, enough = paid([1.0] * fills, [1.0] * fills), paid([1.0] * 10, [1.0] * 10)

        tables = [SlippageReconciler(frame, unit="ticks").summary() for frame in (few, enough)]

        assert tables[0][FIGURES].isna().all(axis=None)
        assert set(tables[0]["reason"]) == {f"{fills} fills; at least 10 are needed"}
        assert list(tables[0].dtypes) == list(tables[1].dtypes)
        assert list(tables[0].columns) == [one.name for one in slippage_columns.SLIPPAGE]

    def test_an_empty_frame_of_fills_has_the_row_of_all(self) -> None:
        """A desk that has not traded yet."""
        empty = columns.make_frame(columns.FILLS, [])

        table = SlippageReconciler(empty).summary()

        assert list(table["symbol"]) == ["*"]
        assert list(table["n"]) == [0]

    def test_fills_without_a_prediction_or_an_arrival_are_counted_and_left_out(self) -> None:
        """NaN of either counts as not known, never as 0."""
        row = figures(paid([*[2.0] * 12, np.nan, 3.0], [*[1.0] * 12, 1.0, np.nan]))

        assert (row["n"], row["left_out"], row["bias"]) == (12, 2, 1.0)

    @pytest.mark.parametrize(
        ("actual", "predicted", "word"),
        [
            (np.arange(12.0), np.full(12, 0.1), "predicted slippage is the same"),
            (np.full(12, 0.1), np.arange(1, 13.0), "actual slippage is the same"),
            (np.full(12, 0.3), np.full(12, 0.1), "predicted and actual slippage is the same"),
        ],
    )
    def test_what_does_not_vary_correlates_with_nothing(self, actual: Any, predicted: Any, word: str) -> None:
        """0 with a word and without an interval, as it was not measured; no warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            row = figures(paid(list(actual), list(predicted)))

        assert row["correlation"] == 0.0
        assert np.isnan(row["correlation_low"])
        assert row["reason"].startswith(word)
        assert row["bias_low"] <= row["bias"] <= row["bias_high"]

    def test_a_prediction_of_nothing_has_no_multiplier(self) -> None:
        """Division by nothing, or by a gain, would be a number without a meaning."""
        row = figures(paid([1.0, 2.0] * 6, [0.0] * 12))

        assert np.isnan(row["multiplier"])
        assert "the mean prediction is not positive" in row["reason"]

    def test_cash_of_two_currencies_and_prices_of_two_symbols_do_not_add_up(self) -> None:
        """Of all together there is no figure; of each symbol there is."""
        fills = with_prices(simulated_fills(Truth(), seed=1))
        both = pd.concat([fills, fills.assign(symbol="GE", currency="EUR", fill_id=fills["fill_id"] + "b")])

        cash, price = (SlippageReconciler(both, unit=unit).summary() for unit in ("cash", "price"))

        assert cash["reason"][0] == "cash in EUR and USD does not add up; use bps or ticks"
        assert price["reason"][0] == "prices of 2 symbols do not add up; use bps or cash"
        for table in (cash, price):
            assert np.isnan(table["bias"][0])
            assert table["bias"][1] == table["bias"][2] != 0

    def test_predictions_of_two_versions_are_told(self) -> None:
        """They are counted together, as what the desk said, and a word says that it is not one predictor's."""
        fills = paid([2.0] * 12, [1.0] * 12, predictor_version=["sqrt-1"] * 6 + ["sqrt-1.fit-20260303-abcdef"] * 6)

        mixed, one = figures(fills), figures(fills.assign(predictor_version="sqrt-1"))

        assert "predictions of 2 versions are mixed" in mixed["reason"]
        assert "versions" not in one["reason"]
        assert mixed["n"] == one["n"] == 12

    def test_the_summary_given_away_is_a_copy(self) -> None:
        """What a caller does to it does not come back."""
        reconciler = SlippageReconciler(paid([2.0] * 10, [1.0] * 10), unit="ticks")

        given = reconciler.summary()
        given["bias"] = 9.0

        assert reconciler.summary()["bias"][0] == 1.0


class TestIntervals:
    """Bootstrap over orders."""

    def test_equal_seeds_give_equal_intervals(self) -> None:
        """And another seed nearly the same."""
        fills = simulated_fills(Truth(), seed=3)

        first, again, other = (figures(fills, seed=seed) for seed in (5, 5, 6))

        pd.testing.assert_series_equal(first, again)
        assert first["bias_low"] != other["bias_low"]
        assert first["bias_low"] == pytest.approx(other["bias_low"], abs=0.05)

    def test_fills_of_one_order_are_not_taken_for_independent(self) -> None:
        """Thirty fills of six orders say as much as six: the interval is twice as wide, or more."""
        shared = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 5)
        fills = paid(list(shared + 1), [1.0] * 30)

        apart = figures(fills)
        together = figures(fills.assign(parent_id=np.repeat(list("abcdef"), 5)))

        width_apart, width_together = (one["bias_high"] - one["bias_low"] for one in (apart, together))
        assert (apart["orders"], together["orders"]) == (30, 6)
        assert width_together > 1.8 * width_apart
        assert together["method"].startswith("BCa bootstrap of 4,999 draws by order")

    def test_few_orders_have_figures_and_no_interval(self) -> None:
        """Twenty fills of four orders: it says why."""
        row = figures(paid([1.0, 2.0] * 10, [1.0] * 20, parent_id=list("aaaaabbbbbcccccddddd")))

        assert row["bias"] == 0.5
        assert np.isnan(row["bias_low"])
        assert row["reason"].endswith("fills of 4 orders: no interval from fewer than 5")

    def test_many_orders_are_drawn_in_blocks_and_say_the_same(self) -> None:
        """Of 1,200 orders the interval of the bias is that of a mean of so many, within a tenth."""
        fills = simulated_fills(Truth(order_noise=0, fill_noise=1), seed=1, orders=1_200).drop_duplicates("parent_id")

        row = figures(fills)

        errors = fills["slippage_ticks"] - fills["predicted_slippage_ticks"]
        width = 2 * 1.96 * errors.std() / np.sqrt(len(fills))
        assert row["orders"] == 1_200
        assert row["method"] == "BCa bootstrap of 4,999 draws by 500 blocks of orders"
        assert row["bias_high"] - row["bias_low"] == pytest.approx(width, rel=0.1)

    @pytest.mark.parametrize(("orders", "level"), [(8, 0.98853), (40, 0.95948), (100_000, 0.95)])
    def test_of_few_orders_the_draws_are_read_further_out(self, orders: int, level: float) -> None:
        """For 8 orders t is 2.3646, times the root of 8 / 7: 2.5279 of a normal's deviations."""
        assert expanded(0.95, orders=orders) == pytest.approx(level, abs=2e-5)

    def test_a_higher_level_is_a_wider_interval(self) -> None:
        """99 % holds 80 %."""
        fills = simulated_fills(Truth(), seed=4)

        narrow, wide = figures(fills, level=0.8), figures(fills, level=0.99)

        for name in ("bias", "correlation", "multiplier"):
            assert wide[f"{name}_low"] < narrow[f"{name}_low"] < narrow[name]
            assert narrow[name] < narrow[f"{name}_high"] < wide[f"{name}_high"]


class TestVerdict:
    """Whether predictions may be believed."""

    def test_within_both_bounds_it_is_true_and_says_why(self) -> None:
        """Bias, interval, evidence and bounds are in the words."""
        verdict = SlippageReconciler(
            simulated_fills(Truth(spread_factor=1, k=0.1), seed=2), unit="ticks"
        ).is_calibrated(1.0, 0.1)

        assert verdict
        assert "of 40 orders, within ±1; correlation of * 0." in verdict.reason
        assert str(verdict).startswith("calibrated: bias of *")

    def test_a_bias_within_its_bound_whose_interval_is_not_is_told(self) -> None:
        """The bound is on the estimate; the doubt is in the words."""
        fills = simulated_fills(Truth(), seed=2)
        row = figures(fills)
        bound = (abs(row["bias"]) + row["bias_high"]) / 2

        verdict = SlippageReconciler(fills, unit="ticks").is_calibrated(bound, -1)

        assert verdict
        assert "though its interval is not" in verdict.reason

    @pytest.mark.parametrize(
        ("max_bias", "min_correlation", "word"), [(0.1, 0.1, "beyond ±0.1"), (5.0, 0.99, "below 0.99")]
    )
    def test_beyond_a_bound_it_is_false(self, max_bias: float, min_correlation: float, word: str) -> None:
        """Either is enough."""
        verdict = SlippageReconciler(simulated_fills(Truth(), seed=2), unit="ticks").is_calibrated(
            max_bias, min_correlation
        )

        assert not verdict
        assert word in verdict.reason

    def test_opposite_biases_do_not_cancel(self) -> None:
        """Together they are right on average, and each is wrong."""
        rising = [float(one) for one in range(10)]
        dear, cheap = paid([one + 4 for one in rising], rising), paid([one - 4 for one in rising], rising)
        reconciler = SlippageReconciler(pd.concat([dear, cheap.assign(symbol="HE")]), unit="ticks")

        verdict = reconciler.is_calibrated(1.0, 0.0)

        assert reconciler.summary()["bias"][0] == 0.0
        assert not verdict
        assert "bias of HE -4 ticks" in verdict.reason
        assert "bias of ZO +4 ticks" in verdict.reason

    def test_too_few_fills_are_not_calibrated(self) -> None:
        """With the reason of the summary."""
        verdict = SlippageReconciler(paid([1.0] * 3, [1.0] * 3), unit="ticks").is_calibrated(9, 0)

        assert not verdict
        assert verdict.reason == "*: 3 fills; at least 10 are needed"

    @pytest.mark.parametrize(
        "asked",
        [
            {"max_bias": -1, "min_correlation": 0},
            {"max_bias": float("nan"), "min_correlation": 0},
            {"max_bias": 1, "min_correlation": 2},
            {"max_bias": 1, "min_correlation": 0, "symbol": "HE"},
        ],
    )
    def test_bounds_that_are_none_are_refused(self, asked: dict[str, Any]) -> None:
        """And so is a symbol that was never traded."""
        with pytest.raises(AnalysisError):
            SlippageReconciler(paid([1.0] * 10, [1.0] * 10), unit="ticks").is_calibrated(**asked)


class TestFrames:
    """A frame that would give a wrong number is refused, with what is wrong with it."""

    @pytest.mark.parametrize(
        ("fills", "words"),
        [
            ([1, 2], "fills are a list"),
            (paid([1.0], [1.0]).drop(columns="predicted_slippage_ticks"), "needs the columns predicted_slippage_ticks"),
            (paid([1.0, 1.0], [1.0, 1.0], fill_id="0001.01"), "fill 0001.01 is there twice"),
            (paid([1.0], [np.inf]), "column 'predicted_slippage_ticks' holds an infinite number"),
            (paid(["dear"], [1.0]), "column 'slippage_ticks' holds no numbers"),  # type: ignore[list-item]  that is it
            (paid([1.0], [1.0], lots=0), "a fill has no lots"),
            (paid([1.0], [1.0]).assign(symbol=None), "1 fills have no symbol"),
            (paid([1.0], [1.0]).assign(symbol=5), "symbols must be text"),
            (pd.concat([paid([1.0], [1.0])] * 2, axis=1), "is there twice"),
        ],
    )
    def test_bad_frames(self, fills: Any, words: str) -> None:
        """Value and remedy are in the message."""
        with pytest.raises(InvalidFrame, match=words):
            SlippageReconciler(fills, unit="ticks")

    def test_a_side_that_is_none(self) -> None:
        """Prices need it for the sign."""
        fills = with_prices(simulated_fills(Truth(), seed=1)).assign(side="LONG")

        with pytest.raises(InvalidFrame, match="side must be BUY or SELL"):
            SlippageReconciler(fills, unit="price")

    @pytest.mark.parametrize("how", [{"unit": "pips"}, {"level": 0}, {"level": 95}])
    def test_settings_that_are_none(self, how: dict[str, Any]) -> None:
        """The message says what may be given."""
        with pytest.raises(AnalysisError, match="is none; "):
            SlippageReconciler(paid([1.0], [1.0]), **{"unit": "ticks", **how})


@st.composite
def traded(draw: st.DrawFn) -> pd.DataFrame:
    """Ten to thirty fills of a few orders, in all units."""
    seed, orders = draw(st.integers(0, 10_000)), draw(st.integers(8, 14))
    return with_prices(simulated_fills(Truth(order_noise=draw(st.floats(0, 3))), seed=seed, orders=orders))


@settings(max_examples=15, deadline=None)
@given(fills=traded())
def test_buys_and_sells_mirror(fills: pd.DataFrame) -> None:
    """The same cost on the other side of the mid is the same cost."""
    mirrored = fills.assign(
        side=fills["side"].map({"BUY": "SELL", "SELL": "BUY"}), price=2 * fills["arrival_mid"] - fills["price"]
    )

    row, other = (figures(frame, unit="price") for frame in (fills, mirrored))

    for name in FIGURES:
        assert row[name] == pytest.approx(other[name], rel=1e-6, abs=1e-9, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(fills=traded(), scale=st.sampled_from([2.0**-4, 4.0, 2.0**20]))
def test_a_larger_unit_scales_what_has_one_and_leaves_what_has_none(fills: pd.DataFrame, scale: float) -> None:
    """Correlation and multiplier are pure numbers. By powers of two, so that no draw is rounded otherwise."""
    scaled = fills.assign(
        slippage_ticks=fills["slippage_ticks"] * scale,
        predicted_slippage_ticks=fills["predicted_slippage_ticks"] * scale,
    )

    row, other = (figures(frame) for frame in (fills, scaled))

    for name in FIGURES:
        times = 1.0 if name.startswith(("correlation", "multiplier")) else scale
        assert other[name] == pytest.approx(row[name] * times, rel=1e-6, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(fills=traded())
def test_units_agree_through_tick_and_mid(fills: pd.DataFrame) -> None:
    """A quarter cent a tick at a mid of 400 is 6.25 bps; the multiplier over fills is the same in all three."""
    ticks, price, bps = (figures(fills, unit=unit) for unit in ("ticks", "price", "bps"))

    assert price["bias"] == pytest.approx(ticks["bias"] * 0.25)
    assert bps["bias"] == pytest.approx(ticks["bias"] * 6.25)
    assert ticks["multiplier"] == pytest.approx(bps["multiplier"]) == pytest.approx(price["multiplier"])
