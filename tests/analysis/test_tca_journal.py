"""Transaction cost analysis of a journal: at rest, of a desk, and after corrections."""

import asyncio
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.analysis import frames
from hydra_nb.analysis.tca import journal_tca, tca
from hydra_nb.desk.connect import connect
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.sim.loop import run_virtual

from .story import OATS, Story, plan_for, top


def story_of(*told: tuple[str, int, str]) -> Story:
    """One parent of two slices of 3 lots, whose executions are told as id, lots and price."""
    story, quote = Story(), top(OATS, "370.25", "370.75")
    plan = plan_for(OATS, 3, 3, mid="370.25")
    story.submitted("P-0001", plan, quote)
    for number in (1, 2):
        ref = story.gated("P-0001", number, plan=plan, price="370.75", quote=quote, at=100 * number - 99)
        story.sent(ref, at=100 * number - 98.5)
        for exec_id, lots, price in told:
            if exec_id.startswith(f"000{number}"):
                story.filled(ref, exec_id, lots, price, at=100 * number - 90, quote=quote)
                story.charged(exec_id, "2.52", at=100 * number - 89)
    story.over("P-0001", status=ParentStatus.PARTIAL, at=210)
    return story


@settings(deadline=None, max_examples=30)  # each writes two journals
@given(first=st.integers(1, 3), then=st.integers(0, 3), price=st.integers(1_400, 1_600))
def test_a_correction_is_as_if_it_had_always_been_so(first: int, then: int, price: int) -> None:
    """Lots, price and cost of the later revision; a bust is as if nothing had filled."""
    later = str(price / 4)
    corrected = story_of(("0001.01.01", first, "370.5"), ("0001.01.02", then, later), ("0002.01.01", 1, "371.0"))
    always = story_of(*([("0001.01.02", then, later)] if then else []), ("0002.01.01", 1, "371.0"))

    for level in ("fill", "parent"):
        made, expected = (journal_tca(one.journal, level=level) for one in (corrected, always))
        pd.testing.assert_frame_equal(made, expected)


def test_the_parts_of_a_parent_come_out_of_its_journal() -> None:
    """Decided at 370.25, arrived at 370.5, filled 2 of 6 at 370.75, fees told; nothing was recorded of the end."""
    story = story_of(("0001.01.01", 2, "370.75"))

    row = journal_tca(story.journal, level="parent").iloc[0]

    assert (row["delay_cash"], row["trading_cash"], row["fees_cash"]) == (25.0, 25.0, 2.52)
    assert row["notional_cash"] == 370.25 * 50 * 6
    assert pd.isna(row["opportunity_cash"])
    assert "price missed at" in row["lacks"]


def test_a_desk_and_its_journal_at_rest_say_the_same(tmp_path: Path) -> None:
    """A TWAP, an order of patience and one that is never filled; every level, live and from the file."""
    path = tmp_path / "journal.sqlite"

    async def trade() -> dict[str, pd.DataFrame]:
        async with connect(seed=3, speed="max", journal=path) as desk:
            plans = [
                await desk.preview("BUY", 13, "ZO", slices=5, duration="50m"),
                await desk.preview("SELL", 6, "OJ", slices=3, duration="30m"),
                await desk.preview("BUY", 1, "ZR"),
            ]
            for execution in [await desk.submit(plan) for plan in plans]:
                await execution
            await asyncio.sleep(2_000)
            return {level: desk.tca(level=level) for level in ("fill", "slice", "parent")} | {
                "frames": tca(
                    desk.fills(), desk.quotes(), executions=desk.executions(), instruments=desk.instruments()
                ),
                "stage": desk.tca(by="stage"),
                "oats": desk.tca(symbol="ZO", level="parent"),
            }

    live = run_virtual(lambda _loop: trade())

    with JournalReader.open(path) as reader:
        fills = frames.fills(reader)
        for level in ("fill", "slice", "parent"):
            pd.testing.assert_frame_equal(live[level], journal_tca(reader, level=level))
    pd.testing.assert_frame_equal(live["fill"], live["frames"])
    _agrees_with_fills(live["fill"], fills)
    parents = live["parent"]
    assert parents["filled_lots"].sum() == fills["lots"].sum()
    whole = parents.dropna(subset=["shortfall_cash"])
    parts = whole[["delay_cash", "trading_cash", "opportunity_cash", "fees_cash"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(whole["shortfall_cash"].to_numpy())
    assert len(whole) == len(parents)
    assert live["stage"]["filled_lots"].sum() == fills["lots"].sum()
    assert live["oats"]["symbol"].tolist() == ["ZO"]
    assert (parents["participation"].dropna() <= 1).all()


def _agrees_with_fills(made: pd.DataFrame, fills: pd.DataFrame) -> None:
    """Slippage against arrival stands in both frames."""
    for ours, theirs in (
        ("arrival_slippage_ticks", "slippage_ticks"),
        ("arrival_slippage_bps", "slippage_bps"),
        ("arrival_slippage_cash", "slippage_cash"),
    ):
        assert made[ours].to_numpy() == pytest.approx(fills[theirs].to_numpy(), abs=1e-9), ours


@pytest.mark.parametrize("by", ["symbol", "side", "strategy", "stage", "hour", ["symbol", "hour"], "tag"])
def test_any_column_groups(by: Any) -> None:
    """Also the caller's words, which only parents have."""
    story = story_of(("0001.01.01", 2, "370.75"), ("0002.01.01", 1, "371.0"))

    made = journal_tca(story.journal, by=by)

    assert made["filled_lots"].sum() == 3
    assert list(made.columns[: len(by) if isinstance(by, list) else 1]) == (by if isinstance(by, list) else [by])
