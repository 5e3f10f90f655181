"""Fill survival: the estimate of Kaplan and Meier, worked by hand, and a band that lots of one order do not narrow."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from hydra_nb.analysis.patience_columns import SURVIVAL, TIME_TO_FILL
from hydra_nb.analysis.survival import (
    FEWEST_ORDERS,
    _observed,
    _product_limit,
    _weighted_curve,
    survival,
    time_to_fill,
)
from hydra_nb.errors import InvalidFrame


def stage_of(
    order: str,
    lots: int,
    *,
    fills: tuple[tuple[int, float], ...] = (),
    worked_s: float,
    stage: str = "mid",
    **more: Any,
) -> dict[str, Any]:
    """One row of stages: lots and seconds of its fills, and how long it lasted."""
    return {
        "order_ref": order,
        "stage": stage,
        "lots": lots,
        "filled_lots": sum(filled for filled, _ in fills),
        "worked_s": worked_s,
        "filled_at": " ".join(f"{filled}@{time_s:.6f}" for filled, time_s in fills),
        "spread_ticks": 4.0,
        "hour": 9,
        **more,
    }


def frame_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows as a frame of stages."""
    return pd.DataFrame(rows).astype({"lots": "Int64", "filled_lots": "Int64"})


def by_hand() -> pd.DataFrame:
    """Ten lots of four orders; 2 fill at 5 s, 1 at 10 s, 2 at 20 s, and the others are censored at 10, 20 and 30 s."""
    return frame_of(
        stage_of("a", 3, fills=((2, 5.0), (1, 10.0)), worked_s=10),
        stage_of("b", 2, worked_s=10),
        stage_of("c", 4, fills=((2, 20.0),), worked_s=20),
        stage_of("d", 1, worked_s=30),
    )


FILLS = st.lists(st.tuples(st.integers(1, 4), st.floats(0.5, 300).map(lambda s: round(s, 1))), max_size=4)
ORDERS = st.lists(st.tuples(FILLS, st.integers(0, 3), st.floats(300, 400)), min_size=1, max_size=12)


def drawn(orders: list[tuple[list[tuple[int, float]], int, float]]) -> pd.DataFrame:
    """Stages of drawn fills, each with some lots left at its end."""
    rows = [
        stage_of(f"o{at}", sum(lots for lots, _ in fills) + left, fills=tuple(fills), worked_s=worked_s)
        for at, (fills, left, worked_s) in enumerate(orders)
    ]
    return frame_of(*rows)


def test_a_curve_worked_by_hand() -> None:
    """8/10 after 5 s; times 7/8 after 10 s, where three were at risk no more; times 3/5 after 20 s."""
    curve = survival(by_hand())

    assert curve["time_s"].tolist() == [0, 5, 10, 20, 30]
    assert curve["at_risk"].tolist() == [10, 10, 8, 5, 1]
    assert curve["filled"].tolist() == [0, 2, 1, 2, 0]
    assert curve["censored"].tolist() == [0, 0, 2, 2, 1]
    assert curve["unfilled"].tolist() == pytest.approx([1, 0.8, 0.8 * 7 / 8, 0.8 * 7 / 8 * 3 / 5, 0.42])
    assert curve["orders"].tolist() == [4, 4, 4, 2, 1]
    assert curve["group"].tolist() == ["all"] * 5


def test_orders_as_units_count_once_and_when_their_last_lot_filled() -> None:
    """Of four orders only the first filled whole, after 10 s, when all four were at work."""
    curve = survival(by_hand(), unit="orders")

    assert curve["time_s"].tolist() == [0, 10, 30]
    assert curve["at_risk"].tolist() == [4, 4, 1]
    assert curve["unfilled"].tolist() == [1, 0.75, 0.75]


def test_times_to_fill_are_where_the_curve_gets_down_to_the_level() -> None:
    """A quarter after 10 s (0.70), half after 20 s (0.42), three quarters never."""
    told = time_to_fill(by_hand()).iloc[0]

    assert (told["orders"], told["lots"], told["filled_lots"], told["fill_ratio"]) == (4, 10, 5, 0.5)
    assert (told["quarter_s"], told["median_s"]) == (10, 20)
    assert np.isnan(told["three_quarters_s"])


@settings(max_examples=60, deadline=None)
@given(ORDERS)
def test_without_censoring_it_is_the_share_not_filled_yet(orders: list[Any]) -> None:
    """The estimate is then the empirical distribution."""
    whole = drawn([(fills, 0, worked_s) for fills, _, worked_s in orders if fills] or [([(1, 5.0)], 0, 300.0)])

    curve = survival(whole, resamples=0)

    fills = [part.split("@") for row in whole["filled_at"] for part in row.split()]
    lots, times = np.array([int(n) for n, _ in fills]), np.array([float(s) for _, s in fills])
    expected = [lots[times > time_s].sum() / lots.sum() for time_s in curve["time_s"]]
    assert curve["unfilled"].tolist() == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_of_no_matter_and_no_lot_is_lost(orders: list[Any], dice: Any) -> None:
    """Shuffled rows give the same frame, band included; who was at risk filled, was censored, or is at risk still."""
    stages = drawn(orders)
    shuffled = stages.sample(frac=1, random_state=dice.randrange(1_000))

    curve, other = survival(stages, resamples=50), survival(shuffled, resamples=50)

    pd.testing.assert_frame_equal(curve, other)
    assert (curve["at_risk"].diff().iloc[1:] == -(curve["filled"] + curve["censored"]).shift().iloc[1:]).all()
    assert not len(curve) or curve["filled"].sum() + curve["censored"].sum() == stages["lots"].sum()
    assert curve["unfilled"].is_monotonic_decreasing


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.integers(0, 1_000))
def test_the_curve_of_a_draw_is_the_library_s_for_those_orders(orders: list[Any], seed: int) -> None:
    """What is drawn for the band goes through the same estimate, weights and all."""
    seen = _observed(drawn(orders), unit="lots")
    times_s, share = _product_limit(seen)
    counts = np.random.default_rng(seed).multinomial(len(orders), [1 / len(orders)] * len(orders))

    weights = counts[seen.order] * seen.lots
    mine = _weighted_curve(seen, times_s, weights=weights)

    assert _weighted_curve(seen, times_s, weights=seen.lots) == pytest.approx(share, abs=1e-9)
    drawn_ones = weights > 0
    if (drawn_ones & seen.is_filled).any():
        theirs = SurvfuncRight(
            seen.time_s[drawn_ones], seen.is_filled[drawn_ones].astype(int), freq_weights=weights[drawn_ones]
        )
        at = np.searchsorted(times_s, theirs.surv_times)
        assert mine[at] == pytest.approx(theirs.surv_prob, abs=1e-9)


def clustered(seed: int, *, orders: int = 40, lots: int = 8) -> pd.DataFrame:
    """Orders whose lots all fill together, after an exponential time of mean 100 s; stages end after 150 s."""
    waits = np.random.default_rng(seed).exponential(100, size=orders)
    rows = [
        stage_of(f"o{at:03}", lots, fills=((lots, wait),) if wait < 150 else (), worked_s=min(wait, 150))
        for at, wait in enumerate(waits)
    ]
    return frame_of(*rows)


def test_the_band_holds_the_truth_although_lots_fill_together() -> None:
    """In at least 90 of 100 seeds; lots taken for independent witnesses would hold it in fewer than 70."""
    at_s, truth = 70.0, np.exp(-0.7)
    held, naive = 0, 0

    for seed in range(100):
        stages = clustered(seed)
        curve = survival(stages, resamples=200, seed=seed)
        row = curve[curve["time_s"] <= at_s].iloc[-1]
        held += row["low"] <= truth <= row["high"]
        error = np.sqrt(row["unfilled"] * (1 - row["unfilled"]) / stages["lots"].sum())
        naive += abs(row["unfilled"] - truth) <= 1.96 * error

    assert held >= 90
    assert naive < 70


def test_the_band_is_no_narrower_for_an_order_told_in_many_fills() -> None:
    """Eight lots that fill within eight thousandths of a second are one witness, as eight at once are."""
    at_once = clustered(4)
    waits = [float(row.split("@")[1]) if row else None for row in at_once["filled_at"]]
    rows = [
        stage_of(
            f"o{at:03}",
            8,
            fills=() if wait is None else tuple((1, wait + lot / 1_000) for lot in range(8)),
            worked_s=150 if wait is None else wait + 0.007,
        )
        for at, wait in enumerate(waits)
    ]

    whole, parted = (survival(stages) for stages in (at_once, frame_of(*rows)))

    widths = [(curve["high"] - curve["low"])[curve["time_s"].between(60, 100)].mean() for curve in (whole, parted)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_a_seed_gives_one_band_and_few_orders_give_none() -> None:
    """The same draws each time; of nine orders nothing is claimed."""
    stages = clustered(3)

    once, again, other = (survival(stages, seed=seed) for seed in (5, 5, 6))
    few = survival(stages.head(FEWEST_ORDERS - 1))

    pd.testing.assert_frame_equal(once, again)
    assert not once["low"].equals(other["low"])
    inner = once.iloc[2:-2]
    assert (inner["low"] <= inner["unfilled"]).all()
    assert (inner["unfilled"] <= inner["high"]).all()
    assert few["low"].isna().all()
    assert few["unfilled"].notna().all()


def test_where_nothing_filled_the_band_claims_nothing() -> None:
    """Twelve orders without a fill: the curve stays at 1, and how sure that is no draw can tell."""
    stages = frame_of(*(stage_of(f"o{at}", 2, worked_s=60) for at in range(12)))

    curve, told = survival(stages), time_to_fill(stages).iloc[0]

    assert curve["unfilled"].tolist() == [1, 1]
    assert np.isnan(curve["low"].iloc[-1])
    assert np.isnan(told["median_s"])
    assert told["fill_ratio"] == 0


def test_groups_are_in_the_order_in_which_a_trader_thinks_of_them() -> None:
    """Stages along the ladder, hours as numbers, spreads binned; what lacks it comes last."""
    stages = frame_of(
        stage_of("a", 1, worked_s=9, stage="cross", hour=10, spread_ticks=12.0),
        stage_of("b", 1, worked_s=9, stage="mid", hour=9, spread_ticks=1.0),
        stage_of("c", 1, worked_s=9, stage="step", hour=13, spread_ticks=4.0),
        stage_of("d", 1, worked_s=9, stage="mid", hour=9, spread_ticks=5.0),
        stage_of("e", 1, worked_s=9, stage="mid", hour=9, spread_ticks=np.nan),
    )

    assert time_to_fill(stages, by="stage")["group"].tolist() == ["mid", "step", "cross"]
    assert time_to_fill(stages, by="hour")["group"].tolist() == ["9", "10", "13"]
    binned = time_to_fill(stages, by="spread")
    assert binned["group"].tolist() == ["1 tick", "4–5 ticks", "over 10 ticks", "unknown"]
    assert binned["lots"].tolist() == [1, 2, 1, 1]
    assert list(dict.fromkeys(survival(stages, by="stage")["group"])) == ["mid", "step", "cross"]


def test_nothing_gives_the_same_columns() -> None:
    """Empty in, empty out, with their dtypes; so do stages with nothing open."""
    nothing = by_hand().iloc[:0]
    overdone = frame_of(stage_of("a", 0, worked_s=5))

    for stages in (nothing, overdone):
        for made, columns in ((survival(stages, by="stage"), SURVIVAL), (time_to_fill(stages), TIME_TO_FILL)):
            assert made.empty
            assert {name: str(dtype) for name, dtype in made.dtypes.items()} == {
                one.name: str(one.kind) for one in columns
            }


def test_frames_from_elsewhere_need_times_of_fills_only_where_there_were_several() -> None:
    """Where first and last agree nothing lacks; else no time is made up."""
    one = (
        by_hand()
        .drop(columns="filled_at")
        .assign(first_fill_s=[5.0, np.nan, 20.0, np.nan], last_fill_s=[5.0, np.nan, 20.0, np.nan])
    )

    assert survival(one)["time_s"].tolist() == [0, 5, 20, 30]
    with pytest.raises(InvalidFrame, match="a, mid: filled_at is missing"):
        survival(one.assign(last_fill_s=[10.0, np.nan, 20.0, np.nan]))


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda s: s.drop(columns="worked_s"), "stages lack worked_s"),
        (lambda s: pd.concat([s, s.head(2)]), "2 stages are there more than once"),
        (lambda s: s.assign(worked_s=[1.0, np.nan, np.nan, 1.0]), "2 stages lack a value"),
        (lambda s: s.assign(worked_s=-1.0), "4 stages have negative lots or lasted less than 0 s"),
        (lambda s: s.assign(filled_lots=1), "does not tell the 1 filled lots"),
    ],
)
def test_what_would_give_a_wrong_number_is_refused_with_a_count(spoilt: Any, words: str) -> None:
    """Columns that lack, rows there twice, values unknown, and rows that contradict themselves."""
    with pytest.raises(InvalidFrame, match=words):
        survival(spoilt(by_hand()))


def test_the_library_is_loaded_by_those_who_ask_only() -> None:
    """It takes most of a second, which no desk waits for when it opens."""
    program = (
        "import sys; import hydra_nb.analysis.survival, hydra_nb.desk.connect; print('statsmodels' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"


def test_a_group_or_unit_that_there_is_not_is_refused() -> None:
    """A misspelt column gives no single group."""
    with pytest.raises(InvalidFrame, match="stages lack colour"):
        survival(by_hand(), by="colour")
    with pytest.raises(InvalidFrame, match="neither 'lots' nor 'orders'"):
        survival(by_hand(), unit="fills")  # type: ignore[arg-type]
