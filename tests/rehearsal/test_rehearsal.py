"""What a rehearsal says of its paths: frames, a summary with its errors, completion, a card; bad input is refused."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from hydra_nb.analysis import rehearsal_columns
from hydra_nb.analysis.columns import Column
from hydra_nb.errors import AnalysisError, InvalidOrder
from tests.rehearsal.made_up import LOTS, drawn, fill, outcome, refused, rehearsal, stage

CHEAP = outcome(1, *(fill(after_s=60.0 * n, slice=n, slippage_ticks=1.0) for n in (1, 2, 3, 4)))
DEAR = outcome(2, fill(slippage_ticks=3.0, lots=2), fill(after_s=1500.0, slice=3, slippage_ticks=7.0, passive=False))
NOTHING = outcome(3, opportunity_ticks=20.0)


def figures(frame: pd.DataFrame, quantity: str) -> pd.Series:
    """The one row of a quantity."""
    return frame.set_index("quantity").loc[quantity]


def has_columns(frame: pd.DataFrame, columns: tuple[Column, ...]) -> bool:
    """Whether a frame has these columns, in order, in their dtypes."""
    return [(name, str(dtype)) for name, dtype in frame.dtypes.items()] == [
        (one.name, str(one.kind)) for one in columns
    ]


def test_paths_have_one_row_each_with_the_cost_of_all_their_lots() -> None:
    """Three filled of four at 13/3 ticks, the fourth at what it missed: 21 ticks over four lots."""
    frame = rehearsal(CHEAP, DEAR, NOTHING).paths

    assert has_columns(frame, rehearsal_columns.PATHS)
    assert frame["seed"].tolist() == [1, 2, 3]
    assert frame["finished"].tolist() == [True, False, False]
    assert frame["shortfall_lots"].tolist() == [0, 1, 4]
    assert frame["slippage_ticks"].tolist() == pytest.approx([1.0, 13 / 3, math.nan], nan_ok=True)
    assert frame["slippage_cash"].tolist() == pytest.approx([50.0, 162.5, math.nan], nan_ok=True)
    assert frame["passive_share"].tolist() == pytest.approx([1.0, 2 / 3, math.nan], nan_ok=True)
    assert frame["all_lots_ticks"].tolist() == pytest.approx([1.0, 21 / 4, 20.0])


def test_the_summary_counts_what_has_no_cost_and_values_all_lots_beside() -> None:
    """Who fills nothing does not make the rest look cheap: of the filled lots two paths, of all lots three."""
    told = rehearsal(CHEAP, DEAR, NOTHING).summary()

    assert has_columns(told, rehearsal_columns.SUMMARY)
    filled, whole = figures(told, "slippage_ticks"), figures(told, "all_lots_ticks")
    assert (filled["paths"], filled["unknown"], whole["paths"], whole["unknown"]) == (2, 1, 3, 0)
    assert filled["mean"] == pytest.approx((1 + 13 / 3) / 2)
    assert filled["mean_error"] == pytest.approx(abs(1 - 13 / 3) / 2)
    assert whole["mean"] == pytest.approx((1 + 21 / 4 + 20) / 3)
    assert figures(told, "cost_cash")["mean"] == pytest.approx((50 + 10 + 162.5 + 7.5) / 2)
    cash = [1.0 * 4 * 12.5 + 10, 21 / 4 * 4 * 12.5 + 7.5, 20 * 4 * 12.5]
    assert figures(told, "all_lots_cash")["mean"] == pytest.approx(np.mean(cash))
    assert figures(told, "shortfall_lots")["p95"] == 4.0


def test_the_summary_tells_completion_by_quarters_of_the_duration() -> None:
    """One of three is complete after four minutes, of forty; the others never."""
    told = rehearsal(CHEAP, DEAR, NOTHING).summary()

    late = rehearsal(outcome(1, *(fill(after_s=600.0 * n) for n in (1, 2, 3, 4)))).summary()

    names = ["completed_quarter", "completed_half", "completed_three_quarters", "completed"]
    assert [figures(told, name)["mean"] for name in names] == pytest.approx([1 / 3] * 4)
    assert all(0 < figures(told, name)["mean_error"] < 0.3 for name in names)
    assert [figures(late, name)["mean"] for name in names] == [0.0, 0.0, 0.0, 1.0]


def test_more_paths_make_the_errors_smaller_by_their_root() -> None:
    """Sixteen times as many paths, a quarter of the error; the deviation, which is no error, stays."""
    few = rehearsal(*(drawn(seed) for seed in range(200))).summary()
    many = rehearsal(*(drawn(seed) for seed in range(3_200))).summary()

    for name in ("mean", "p50", "deviation"):
        few_error, many_error = (figures(told, "slippage_ticks")[f"{name}_error"] for told in (few, many))
        assert few_error / many_error == pytest.approx(4.0, rel=0.35)
    few_deviation, many_deviation = (figures(told, "slippage_ticks")["deviation"] for told in (few, many))
    assert few_deviation == pytest.approx(many_deviation, rel=0.12)


def test_slices_tell_how_often_a_stage_was_entered_and_what_filled_in_it() -> None:
    """Of four paths three reached the step of slice 2; of these two filled one lot, of two, after 5 and 15 s."""
    entered = {"slice": 2, "open_lots": 2}
    step = [
        stage(stage="step", entered_s=300.0, filled_lots=1, first_fill_s=5.0, **entered),
        stage(stage="step", entered_s=300.0, filled_lots=1, first_fill_s=15.0, **entered),
        stage(stage="step", entered_s=300.0, **entered),
    ]
    mid = stage(**entered)
    done = stage(slice=2, open_lots=2, filled_lots=2, first_fill_s=1.0)
    paths = [outcome(seed, stages=(mid, one)) for seed, one in enumerate(step)]

    frame = rehearsal(*paths, outcome(9, stages=(done,))).slices

    assert has_columns(frame, rehearsal_columns.SLICES)
    assert frame[["slice", "stage"]].to_numpy().tolist() == [[2, "mid"], [2, "step"]]
    first, second = frame.to_dict("records")
    assert (first["paths"], first["reached"], first["fill_probability"], first["whole_probability"]) == (
        4,
        1,
        0.25,
        0.25,
    )
    assert (second["paths"], second["reached"], second["open_lots"]) == (3, 0.75, 2.0)
    assert (second["fill_probability"], second["whole_probability"]) == (pytest.approx(2 / 3), 0.0)
    assert second["filled_lots"] == pytest.approx(2 / 3)
    assert (second["first_fill_median_s"], second["first_fill_p90_s"]) == (5.0, 15.0)
    assert 0 < second["fill_probability_error"] < 0.3


def test_a_second_order_in_the_same_stage_goes_on_with_it() -> None:
    """One lot after 10 s, the other by a new order 50 s after the first began: entered once, two lots, 10 s."""
    orders = (
        stage(open_lots=2, filled_lots=1, first_fill_s=10.0),
        stage(open_lots=1, filled_lots=1, entered_s=40.0, first_fill_s=10.0),
    )

    (row,) = rehearsal(outcome(1, stages=orders)).slices.to_dict("records")

    assert (row["paths"], row["open_lots"], row["filled_lots"], row["whole_probability"]) == (1, 2.0, 2.0, 1.0)
    assert row["first_fill_median_s"] == 10.0


def test_completion_rises_from_nothing_to_what_the_paths_say() -> None:
    """Shares only grow, lie within their intervals, end where the summary ends; half of the lots come by half-time."""
    told = rehearsal(*(drawn(seed) for seed in range(300)))

    frame = told.completion

    assert has_columns(frame, rehearsal_columns.COMPLETION)
    assert (frame["after_s"].iloc[0], frame["completed"].iloc[0], frame["filled_share"].iloc[0]) == (0.0, 0.0, 0.0)
    assert frame["completed"].is_monotonic_increasing
    assert frame["filled_share"].is_monotonic_increasing
    assert (frame["low"] <= frame["completed"]).all()
    assert (frame["completed"] <= frame["high"]).all()
    assert frame["completed"].iloc[-1] == pytest.approx(figures(told.summary(), "completed")["mean"])
    half = frame.loc[(frame["after_s"] - 1_200.0).abs().idxmin(), "filled_share"]
    assert half == pytest.approx(0.45, abs=0.03)


def test_a_plan_that_is_refused_has_no_cost_and_says_which_check_refused_it() -> None:
    """Frames keep their dtypes, figures of costs are unknown, and the card names the check."""
    told = rehearsal(*(refused(seed) for seed in range(20)))

    cost = figures(told.summary(), "all_lots_ticks")

    assert (cost["paths"], cost["unknown"], math.isnan(cost["mean"])) == (0, 20, True)
    assert figures(told.summary(), "completed")["mean"] == 0.0
    assert has_columns(told.slices, rehearsal_columns.SLICES)
    assert told.slices.empty
    assert told.completion["completed"].max() == 0.0
    assert "The check max_lots refused, or ended, 20 paths." in told._repr_html_()
    assert repr(told) == "<Rehearsal BUY 4 ZOH7, patient: 20 paths, – ticks a lot, 0\u2009% completed>"


def test_one_path_has_figures_and_no_errors() -> None:
    """Nothing can be said of how surely, and the card says so."""
    told = rehearsal(CHEAP)

    row = figures(told.summary(), "slippage_ticks")

    assert (row["mean"], row["p95"], row["worst"]) == (1.0, 1.0, 1.0)
    assert row[[name for name in row.index if name.endswith("_error")]].isna().all()
    assert "One path tells no error" in told._repr_html_()


def test_outcomes_that_do_not_belong_together_are_refused() -> None:
    """None at all, one market twice, another order's."""
    with pytest.raises(AnalysisError, match="no path of patient was rehearsed"):
        rehearsal()
    with pytest.raises(AnalysisError, match="2 paths have 1 seeds"):
        rehearsal(CHEAP, outcome(1, fill()))
    with pytest.raises(AnalysisError, match="seed 1 is of 4 lots, patient of 6"):
        rehearsal(CHEAP, lots=6)


def test_the_card_says_what_it_rests_on_and_what_it_leaves_out() -> None:
    """Cost with its error, paths and seed, prediction and model; no markup from outside gets in."""
    told = rehearsal(
        *(drawn(seed) for seed in range(400)), label="<b>mine</b>", leaves_out="Nobody reacts to your orders."
    )

    card = told._repr_html_()

    mean, error = (figures(told.summary(), "slippage_ticks")[name] for name in ("mean", "mean_error"))
    assert f"{mean:+.1f} ticks</b> <small>± {error:.2f}</small>".replace("-", "−") in card
    assert "400 paths · seed 7" in card
    assert "The formula predicts +2.0 ticks a lot." in card
    assert "Nobody reacts to your orders." in card
    assert "&lt;b&gt;mine&lt;/b&gt;" in card
    assert "<b>mine</b>" not in card


def test_no_text_of_the_card_is_taken_for_a_formula() -> None:
    """JupyterLab typesets what stands between two dollar signs of one text."""
    card = rehearsal(*(drawn(seed) for seed in range(50)))._repr_html_().partition("</style>")[2]

    assert max(text.count("$") for text in re.split(r"<[^>]*>", card)) == 1


def test_messages_over_their_budget_are_told() -> None:
    """Sixteen are budgeted; where one path in twenty sends more, a notice says so."""
    busy = [outcome(seed, fill(), messages=20) for seed in range(40)]

    assert "20 messages or more; 16 are budgeted" in rehearsal(*busy)._repr_html_()
    assert "are budgeted" not in rehearsal(CHEAP, DEAR)._repr_html_()


def test_a_share_of_the_paths_is_done_by_the_first_time_by_which_so_many_are() -> None:
    """Of every lot, not of some; never where too few paths come that far; a share that is none is refused."""
    whole = [outcome(seed, *(fill(after_s=60.0 * seed, lots=1) for _ in range(LOTS))) for seed in range(1, 6)]
    short = [outcome(seed, fill(after_s=1.0)) for seed in range(6, 11)]
    found = rehearsal(*whole, *short)

    times = [found.done_by_s(share) for share in (0.1, 0.11, 0.5, 0.51)]

    assert times[:3] == [60.0, 120.0, 300.0]
    assert math.isnan(times[3])
    for share in (0, 1.01, math.nan):
        with pytest.raises(InvalidOrder, match="above 0 and at most 1"):
            found.done_by_s(share)


@pytest.mark.parametrize("done", [7, 14, 28, 55, 56])
def test_a_share_that_is_reached_exactly_is_done(done: int) -> None:
    """Of 100 paths 55 are 55 %, though in floats 100 x 0.55 is a little more than 55."""
    whole = (outcome(seed, fill(lots=LOTS, after_s=10.0 * seed)) for seed in range(1, done + 1))
    found = rehearsal(*whole, *(outcome(seed) for seed in range(done + 1, 101)))

    by_s = found.done_by_s(done / 100)

    assert by_s == 10.0 * done


def test_a_path_is_done_by_its_last_lot_and_not_by_what_a_fault_filled_beyond_it() -> None:
    """Four lots after a minute; two more come when the order is long over."""
    late = outcome(1, fill(lots=LOTS), fill(lots=2, after_s=900.0), shortfall_lots=0, overfilled_lots=2, finished=True)

    found = rehearsal(late)

    assert found.done_by_s(1.0) == 60.0
    assert found.completion["completed"].iloc[-1] == 1.0


def test_an_overfilled_path_completes_no_more_than_its_lots() -> None:
    """A fault by wire can fill more than was ordered; that is told in the paths, not as a share above all."""
    told = rehearsal(
        outcome(1, fill(lots=LOTS + 2), shortfall_lots=0, overfilled_lots=2, finished=True), outcome(2, fill())
    )

    assert told.completion["filled_share"].max() == (1 + 1 / LOTS) / 2
    assert told.completion["filled_p95"].max() == 1.0
