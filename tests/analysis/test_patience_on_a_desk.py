"""Stages, survival, spread clock and regret of orders that a desk worked in virtual time, from its journal alone."""

import itertools
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.analysis import frames
from hydra_nb.analysis.from_journal import regret_of, spread_clock_of
from hydra_nb.analysis.spread_clock import suggest_window
from hydra_nb.analysis.survival import survival, time_to_fill
from hydra_nb.errors import InvalidFrame
from hydra_nb.journal import JournalReader
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

STILL = steady("370.00", "372.00")
"""Five or six lots on each side of a spread of 8 ticks, and nobody trades."""


async def one_of_patience(stack: Stack) -> dict[str, pd.DataFrame]:
    """Buy four lots with patience, then look at what the desk tells."""
    desk = stack.desk
    await desk.execute("BUY", 4, "ZO", strategy="limit_patience", adv=10_000)
    await stack.sleep(3_000)  # the feed goes on, so that a TWAP can be told
    return {
        "stages": desk.stages(),
        "regret": desk.regret(),
        "clock": desk.spread_clock("ZO"),
        "executions": desk.executions(),
    }


def test_patience_in_a_still_market_rests_twice_and_crosses() -> None:
    """300 s at mid, 150 s a step better, then the ask: no lot before, all four there, as the regret of it says."""
    told = on_a_desk(one_of_patience, exchange=ScriptedExchange(script=STILL))

    stages = told["stages"]
    assert stages["stage"].tolist() == ["mid", "step", "cross"]
    assert stages["limit_price"].tolist() == [371.0, 371.25, 372.0]
    assert stages["filled_lots"].tolist() == [0, 0, 4]
    assert stages["ended_by"].tolist() == ["next_stage", "next_stage", "filled"]
    assert stages["worked_s"].iloc[:2].tolist() == pytest.approx([300, 150], abs=1)
    regrets = told["regret"].set_index("alternative")
    assert regrets["actual_ticks"].tolist() == [4, 4, 4]
    assert regrets.loc["patience", ["regret_low_ticks", "regret_high_ticks"]].tolist() == [0, 0]
    assert regrets.loc["cross_at_once", ["regret_low_ticks", "regret_high_ticks"]].tolist() == [0, 0]
    assert regrets.loc["twap", ["cost_low_ticks", "cost_high_ticks"]].tolist() == [4, 4]


def test_the_clock_of_a_desk_sees_its_own_orders_too() -> None:
    """From 09:00 in Chicago on: 8 ticks while others stand alone, less while we improve the bid, all of it quoted."""
    clock = on_a_desk(one_of_patience, exchange=ScriptedExchange(script=STILL))["clock"]

    assert clock["hour"].tolist()[0] == 9
    assert clock["median_ticks"].iloc[0] == 8
    assert 6 < clock["mean_ticks"].iloc[0] < 8
    assert clock["quoted_share"].min() == 1
    assert suggest_window(clock, hours=1)["from_hour"].notna().all()


async def there_and_back(stack: Stack) -> pd.DataFrame:
    """Buy and sell four lots with patience, and see what patience would have cost."""
    for side in ("BUY", "SELL"):
        await stack.desk.execute(side, 4, "ZO", strategy="limit_patience", adv=10_000)
    await stack.sleep(600)
    told = stack.desk.regret()
    return told[told["alternative"] == "patience"]


@pytest.mark.parametrize("seed", range(1, 9))
def test_what_patience_did_cost_lies_within_what_it_would_have_cost(seed: int) -> None:
    """The simulated market fills orders by rules that the bounds know nothing of, and holds itself to them."""
    told = on_a_desk(there_and_back, seed=seed)

    assert len(told) == 2
    assert (told["filled_low_lots"] <= told["filled_lots"]).all()
    assert (told["filled_lots"] <= told["filled_high_lots"]).all()
    assert (told["cost_low_ticks"] - 1e-9 <= told["actual_ticks"]).all()
    assert (told["actual_ticks"] <= told["cost_high_ticks"] + 1e-9).all()


async def several(stack: Stack) -> tuple[int, dict[str, pd.DataFrame]]:
    """Work three orders in the simulated market, one after another; lots that the exchange filled, and the frames."""
    desk = stack.desk
    await desk.execute("BUY", 6, "ZO", strategy="twap", slices=3, duration="15m", patience=60)
    await desk.execute("SELL", 4, "ZO", strategy="twap", slices=2, duration="10m", patience=60)
    await desk.execute("BUY", 2, "ZO", strategy="limit_patience", adv=10_000, patience=120)
    return stack.lots_filled(), {"stages": desk.stages(), "fills": desk.fills(), "regret": desk.regret()}


def test_every_lot_that_the_exchange_filled_is_in_one_stage(tmp_path: Path) -> None:
    """By stage as by the fills; each order's stages follow on each other; the file says the same as the open desk."""
    path = tmp_path / "journal.sqlite"

    filled, told = on_a_desk(several, journal=path)

    stages, fills = told["stages"], told["fills"]
    assert filled == stages["filled_lots"].sum() == fills["lots"].sum() > 0
    by_stage = stages.groupby("stage")["filled_lots"].sum()
    assert by_stage[by_stage > 0].to_dict() == fills.groupby("stage")["lots"].sum().to_dict()
    for _, order in stages.groupby("order_ref"):
        for (_, before), (_, after) in itertools.pairwise(order.iterrows()):
            assert before["ended"] == after["begun"]
            assert before["lots"] - before["filled_lots"] == after["lots"]
    with JournalReader.open(path) as reader:
        pd.testing.assert_frame_equal(frames.stages(reader), stages)
        pd.testing.assert_frame_equal(regret_of(reader), told["regret"])
        assert len(regret_of(reader, parent_id="P-0001")) == 3
        assert regret_of(reader, parent_id="P-9999").empty
        with pytest.raises(InvalidFrame, match="the journal has no order in it, HE"):
            spread_clock_of(reader, "HE")


def test_the_curves_of_a_journal_hold_all_its_lots() -> None:
    """What filled and what was censored is what was open; the table has the ratios of the frame."""
    _, told = on_a_desk(several)

    curves, times = survival(told["stages"], by="stage"), time_to_fill(told["stages"], by="stage")

    sums = curves.groupby("group")[["filled", "censored"]].sum().sum(axis=1)
    lots = told["stages"].groupby("stage")["lots"].sum()
    assert sums.sort_index().to_dict() == lots.sort_index().to_dict()
    assert times.set_index("group")["lots"].to_dict() == lots.to_dict()


def test_one_seed_gives_one_story() -> None:
    """Frames of two runs are equal to the last digit, orderRefs of their own journals aside."""
    runs = [on_a_desk(several)[1] for _ in range(2)]

    first, second = ([run["stages"].drop(columns="order_ref"), run["regret"]] for run in runs)
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)
