"""Refitting the slippage formula: known constants come back, intervals hold, and no figure flatters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb import SlippageReconciler
from hydra_nb.analysis import columns, slippage_columns
from hydra_nb.analysis.slippage import fitting
from hydra_nb.domain.calibration import MOST_K, MOST_SPREAD_FACTOR
from hydra_nb.errors import InvalidFrame

from .simulated_fills import HALF_SPREADS, Truth, simulated_fills

EXACT = Truth(spread_factor=0.6, k=0.25, fill_noise=0, order_noise=0)
SEEDS = 100
AT_LEAST = 90
LEVEL = 0.95


def row_of(fills: pd.DataFrame) -> pd.Series:
    """The row of the first symbol."""
    return SlippageReconciler(fills, unit="ticks").refit().table.iloc[0]


def test_constants_without_noise_come_back_exactly() -> None:
    """To the last digits, with intervals of no width, and nothing is left to explain."""
    row = row_of(simulated_fills(EXACT, seed=1))

    assert (row["k"], row["spread_factor"]) == (pytest.approx(0.25), pytest.approx(0.6))
    assert (row["k_low"], row["k_high"]) == (pytest.approx(0.25), pytest.approx(0.25))
    assert row["rmse_held_out"] == pytest.approx(0, abs=1e-9)
    assert (row["k_before"], row["spread_factor_before"], row["proposed"], row["reason"]) == (0.1, 1.0, True, "")


def test_a_known_bias_and_k_lie_in_their_own_intervals_for_90_of_100_seeds() -> None:
    """Bias, k and the factor each by themselves, at 95 %, with fills of an order that share their luck."""
    truth, held = Truth(), dict.fromkeys(("bias", "k", "spread_factor"), 0)

    for seed in range(SEEDS):
        reconciler = SlippageReconciler(simulated_fills(truth, seed=seed), unit="ticks", level=LEVEL, seed=seed)
        found = {**reconciler.summary().iloc[1].to_dict(), **reconciler.refit().table.iloc[0].to_dict()}
        for name in held:
            held[name] += bool(found[f"{name}_low"] <= getattr(truth, name) <= found[f"{name}_high"])

    print(f"of {SEEDS} seeds, within its own {LEVEL:.0%} interval: {held}")
    assert min(held.values()) >= AT_LEAST


def test_the_intervals_are_narrow_enough_to_tell_something() -> None:
    """From 40 orders: k of 0.3 is told from the assumed 0.1, and a factor of 0.7 from 1."""
    told = [row_of(simulated_fills(Truth(fill_noise=0.5, order_noise=0.2), seed=seed)) for seed in range(20)]

    assert sum(row["k_low"] > 0.1 for row in told) >= 18
    assert sum(row["spread_factor_high"] < 1.0 for row in told) >= 18


def test_few_orders_still_hold_their_level() -> None:
    """A dozen orders: at least 90 % of 200, where a robust variance would hold 87 %."""
    truth, held = Truth(), 0

    for seed in range(200):
        [sample] = fitting.samples(simulated_fills(truth, seed=seed, orders=12))
        fitted = fitting.fit(sample, kept_k=None)
        _, of_k = fitting.ranges(sample, fitted, kept_k=None, level=LEVEL)
        assert of_k is not None
        held += of_k.low <= truth.k <= of_k.high

    print(f"{held} of 200")
    assert held >= 180


def test_neither_constant_is_ever_negative() -> None:
    """Fills that get cheaper with size have k 0, and the factor is then the best by itself."""
    fills = simulated_fills(EXACT, seed=1)
    fills["slippage_ticks"] = 3 * fills["half_spread_ticks"] - 0.1 * fills["impact_scale_ticks"]

    row = row_of(fills)

    weight, half = fills["lots"], fills["half_spread_ticks"]
    assert row["k"] == 0.0
    assert row["spread_factor"] == pytest.approx(
        (weight * half * fills["slippage_ticks"]).sum() / (weight * half**2).sum()
    )
    assert row["k_low"] == 0.0
    assert row["spread_factor_low"] <= row["spread_factor"] <= row["spread_factor_high"]


def test_where_spread_and_impact_move_together_k_stays() -> None:
    """Always the same spread and size: only what both cost together is known, and it says so."""
    fills = simulated_fills(Truth(), seed=1)
    fills = fills.assign(half_spread_ticks=2.0, impact_scale_ticks=6.0, predicted_slippage_ticks=2.6)

    row = row_of(fills)

    mean = np.average(fills["slippage_ticks"], weights=fills["lots"])
    assert row["k"] == 0.1
    assert np.isnan(row["k_low"])
    assert row["spread_factor"] == pytest.approx((mean - 0.1 * 6.0) / 2.0)
    assert row["spread_factor_low"] < row["spread_factor"] < row["spread_factor_high"]
    assert row["reason"] == "half spread and impact cannot be told apart: k stays at 0.1"
    assert row["proposed"]


def test_a_k_that_stays_is_the_one_in_force() -> None:
    """Not the assumed one, once another was accepted."""
    fitted = SlippageReconciler(simulated_fills(EXACT, seed=1), unit="ticks").refit().calibrations
    fills = simulated_fills(Truth(), seed=1).assign(half_spread_ticks=2.0, impact_scale_ticks=6.0)

    table = SlippageReconciler(fills, unit="ticks", in_force=fitted).refit().table

    assert table["k"][0] == table["k_before"][0] == pytest.approx(0.25)
    assert table["spread_factor_before"][0] == pytest.approx(0.6)


def test_an_order_does_not_predict_itself() -> None:
    """What is held out does not know the fills that it is held against; the fit on all of them does."""
    fills = simulated_fills(Truth(), seed=1)
    [sample] = fitting.samples(fills)
    [shocked] = fitting.samples(
        fills.assign(slippage_ticks=fills["slippage_ticks"] + 50.0 * (fills["parent_id"] == "P-0007"))
    )
    of_it = sample.orders == 7

    before, after = (fitting.held_out(one, kept_k=None) for one in (sample, shocked))

    np.testing.assert_array_equal(before[of_it], after[of_it])
    assert not np.array_equal(before[~of_it], after[~of_it])


def test_in_sample_flatters_and_held_out_does_not() -> None:
    """Of noise alone the fit on its own fills is better than held out, and the row says that nothing was won."""
    pure_noise = Truth(spread_factor=1.0, k=0.1, fill_noise=3.0, order_noise=2.0)

    rows = [row_of(simulated_fills(pure_noise, seed=seed, orders=12)) for seed in range(20)]

    assert all(row["rmse_in_sample"] < row["rmse_held_out"] for row in rows)
    no_better = [row for row in rows if row["rmse_held_out"] >= row["rmse_before"]]
    assert len(no_better) > 10
    assert all("held out it is no better than before" in row["reason"] for row in no_better)


def test_before_is_what_was_stored_with_the_orders() -> None:
    """Over lots: a fill of four counts four times."""
    fills = simulated_fills(Truth(), seed=1)

    row = row_of(fills)

    errors, lots = fills["slippage_ticks"] - fills["predicted_slippage_ticks"], fills["lots"]
    assert row["bias_before"] == pytest.approx(np.average(errors, weights=lots))
    assert row["rmse_before"] == pytest.approx(np.sqrt(np.average(errors**2, weights=lots)))


@pytest.mark.parametrize(
    ("m", "level", "below", "reached"), [(10, 0.95, 1, 9 / 11), (39, 0.95, 1, 0.95), (99, 0.9, 5, 0.9)]
)
def test_the_interval_of_an_order_is_as_sure_as_its_evidence(m: int, level: float, below: int, reached: float) -> None:
    """Ten orders can hold the next with 82 %, whatever is asked; the level given is the one that is reached."""
    residuals = np.random.default_rng(0).permutation(np.arange(1.0, m + 1))

    around, sure = fitting.residual_range(residuals, level=level)

    assert (around.low, around.high) == (below, m + 1 - below)
    assert sure == pytest.approx(reached)


def test_the_interval_of_an_order_holds_the_next_one_as_often_as_it_says() -> None:
    """Orders that were not there when it was fitted, in 200 markets; of 24 orders at 90 % it says 92 %."""
    held, said = 0, 0.0

    for seed in range(200):
        fills = simulated_fills(Truth(), seed=seed, orders=25)
        last = fills["parent_id"] == "P-0024"
        [made] = SlippageReconciler(fills[~last], unit="ticks", level=0.9).refit().calibrations.values()
        new = fills[last]
        paid = np.average(new["slippage_ticks"], weights=new["lots"])
        point = made.spread_factor * new["half_spread_ticks"].iloc[0] + made.k * new["impact_scale_ticks"].iloc[0]
        held += made.residual_low_ticks <= paid - point <= made.residual_high_ticks
        said = made.residual_level

    print(f"{held} of 200, said {said:.0%}")
    assert said == pytest.approx(0.92)
    assert abs(held / 200 - said) < 0.06


@pytest.mark.parametrize(
    ("orders", "fills", "words"),
    [(3, 9, "9 fills; at least 10 are needed"), (4, 12, "fills of 4 orders; of at least 5 are needed")],
)
def test_without_evidence_nothing_is_proposed(orders: int, fills: int, words: str) -> None:
    """The row says what lacks, and has no constants."""
    whole = simulated_fills(Truth(), seed=1).head(fills)
    whole["parent_id"] = [f"P-{number % orders}" for number in range(fills)]

    refit = SlippageReconciler(whole, unit="ticks").refit()

    row = refit.table.iloc[0]
    assert dict(refit.calibrations) == {}
    assert (row["reason"], row["proposed"], row["n"]) == (words, False, fills)
    assert np.isnan(row["k"])
    assert repr(refit) == "<Refit: nothing to propose>"


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (Truth(k=MOST_K * 1.2, fill_noise=0, order_noise=0), "k 3.6 is above 3"),
        (Truth(spread_factor=MOST_SPREAD_FACTOR * 1.2, fill_noise=0, order_noise=0), "spread factor 6 is above 5"),
    ],
)
def test_what_is_not_to_be_believed_is_shown_and_not_proposed(truth: Truth, words: str) -> None:
    """A fault in the data, such as a tick or a volume that is wrong, is more likely."""
    refit = SlippageReconciler(simulated_fills(truth, seed=1), unit="ticks").refit()

    assert refit.table["reason"][0].startswith(words)
    assert not refit.table["proposed"][0]
    assert dict(refit.calibrations) == {}


def test_symbols_are_fitted_by_themselves() -> None:
    """Each has its own constants, evidence and version; the other changes nothing."""
    oats, hogs = simulated_fills(EXACT, seed=1), simulated_fills(Truth(k=0.5), seed=2, symbol="HE")

    both = SlippageReconciler(pd.concat([oats, hogs]), unit="ticks").refit()
    alone = SlippageReconciler(hogs, unit="ticks").refit()

    assert list(both.table["symbol"]) == ["HE", "ZO"]
    assert both.calibrations["HE"] == alone.calibrations["HE"]
    assert both.calibrations["ZO"].version != both.calibrations["HE"].version
    assert both.calibrations["ZO"].version.startswith("sqrt-1.fit-2026030")


def test_fills_that_lack_a_figure_are_counted_and_left_out() -> None:
    """Without a half spread, or a time, a fill cannot be fitted."""
    fills = simulated_fills(EXACT, seed=1)
    fills.loc[0, "half_spread_ticks"] = np.nan
    fills.loc[1, "time"] = pd.NaT

    row = row_of(fills)

    assert (row["left_out"], row["n"]) == (2, len(fills) - 2)
    assert row["k"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"half_spread_ticks": -1.0}, "cannot be negative"),
        ({"time": "noon"}, "column 'time' holds no times"),
        ({"impact_scale_ticks": np.inf}, "holds an infinite number"),
    ],
)
def test_bad_columns_are_refused(changed: dict[str, object], words: str) -> None:
    """Before anything is fitted."""
    fills = simulated_fills(Truth(), seed=1).assign(**changed)

    with pytest.raises(InvalidFrame, match=words):
        SlippageReconciler(fills, unit="ticks").refit()


def test_a_frame_without_what_a_fit_needs_names_it() -> None:
    """Fills from elsewhere have a summary all the same."""
    fills = simulated_fills(Truth(), seed=1).drop(columns=["half_spread_ticks", "impact_scale_ticks"])
    reconciler = SlippageReconciler(fills, unit="ticks")

    with pytest.raises(InvalidFrame, match="a refit needs the columns half_spread_ticks, impact_scale_ticks"):
        reconciler.refit()
    assert reconciler.summary()["n"][0] == len(fills)


def test_the_table_has_its_columns_and_shows_in_a_notebook() -> None:
    """Also where there is no row; what it says in words is text, not HTML."""
    empty = SlippageReconciler(columns.make_frame(columns.FILLS, [])).refit()
    full = SlippageReconciler(simulated_fills(Truth(), seed=1, symbol="<ZO>"), unit="ticks").refit()

    page = full._repr_html_()

    assert list(empty.table.columns) == list(full.table.columns) == [one.name for one in slippage_columns.REFIT]
    assert list(empty.table.dtypes) == list(full.table.dtypes)
    assert "Nothing is in force yet" in page
    assert "&lt;ZO&gt;" in page
    assert "<ZO>" not in page


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.25, 12.5, 1e4]))
def test_a_finer_tick_changes_no_constant(seed: int, scale: float) -> None:
    """Factor and k are pure numbers; what is in ticks scales."""
    fills = simulated_fills(Truth(), seed=seed, orders=14)
    finer = fills.assign(**{name: fills[name] * scale for name in fills if str(name).endswith("_ticks")})

    row, other = row_of(fills), row_of(finer)

    for name in ("k", "k_low", "k_high", "spread_factor", "spread_factor_low", "spread_factor_high"):
        assert other[name] == pytest.approx(row[name], rel=1e-6, abs=1e-9)
    for name in ("rmse_held_out", "residual_low_ticks", "bias_before"):
        assert other[name] == pytest.approx(row[name] * scale, rel=1e-6, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_may_come_in_any_order(seed: int) -> None:
    """They are put in order of time."""
    fills = simulated_fills(Truth(), seed=seed, orders=len(HALF_SPREADS) * 3)
    shuffled = fills.sample(frac=1, random_state=seed)

    assert SlippageReconciler(shuffled, unit="ticks").refit().calibrations == pytest.approx(
        SlippageReconciler(fills, unit="ticks").refit().calibrations
    )
