"""Orders that begin later: on the way through gate, journal and market, over restarts, pauses and the end of a desk."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.risk.limits import Limits
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import Script, ScriptedExchange, Stack, on_a_desk, steady

OATS = steady("370.00", "372.00")
HOUR_S = 3600.0
TWAP = {"strategy": "twap", "slices": 2, "duration": "20m"}


def rising(seconds: float) -> Any:
    """A book that stands two points higher after half an hour."""
    up = 2 if seconds >= HOUR_S / 2 else 0
    return (f"{370 + up}.00", 5), (f"{372 + up}.00", 5)


def market(script: Script = OATS, *, start: dt.time | None = None) -> ScriptedExchange:
    """Oats in a book of the test."""
    return ScriptedExchange(script=script, start=start)


async def begun(stack: Stack, *, start: str = "10:00", side: str = "BUY", lots: int = 4, **how: Any) -> Any:
    """A TWAP submitted at nine in Chicago for a later time."""
    return await stack.desk.submit(await stack.desk.preview(side, lots, "ZO", start=start, **{**TWAP, **how}))


def test_nothing_is_sent_before_the_start_and_fills_are_measured_from_there() -> None:
    """Its schedule, its arrival and its frames count from its start; the wait before is what delay cost."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        plan = await desk.preview("BUY", 4, "ZO", start="10:00", **TWAP)
        start = pd.Timestamp(plan.terms.start_ns, tz="UTC")
        assert (
            plan.schedule["start"].iloc[0]
            == start
            == pd.Timestamp(desk.now_ns(), tz="UTC").floor("h") + pd.Timedelta("1h")
        )
        assert plan.passes
        assert "It begins" in plan.notices[0]

        execution = await desk.submit(plan)
        await stack.sleep(HOUR_S - 60)
        assert execution.status is ParentStatus.SCHEDULED
        assert not stack.core.placed()
        assert pd.isna(desk.executions()["began"].iloc[0])
        await execution

        assert execution.filled_lots == 4
        first = stack.orders()[0]
        # The broker's word on its margin is an hour old, and asked for anew: a transient refusal, tried again in 5 s.
        assert 0 <= first.submitted_ns - start.value < 6e9
        (row,) = desk.executions().to_dict("records")
        assert row["began"].floor("ms") == start
        assert (row["decision_mid"], row["arrival_mid"]) == (371.0, 373.0)
        assert desk.slices()["start"].iloc[0] == start
        (cost,) = desk.tca(level="parent").to_dict("records")
        assert cost["delay_cash"] == pytest.approx(2 * 50 * 4)

    on_a_desk(scenario, exchange=market(rising))


def test_a_start_in_a_session_to_come_is_accepted_while_the_market_is_closed() -> None:
    """At noon in Chicago lumber is open and oats' evening is not: the gate looks at the session of the start."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        await stack.sleep(5.5 * HOUR_S)  # 14:30, oats closed at 13:20
        now = await desk.preview("BUY", 1, "ZO")
        later = await desk.preview("BUY", 1, "ZO", start="open+15m")
        assert not now.passes
        assert later.passes

        execution = await desk.submit(later)
        assert execution.status is ParentStatus.SCHEDULED
        await execution

        assert execution.status is ParentStatus.FILLED
        assert pd.Timestamp(execution.begins_ns, tz="UTC").tz_convert("America/Chicago").time() == dt.time(19, 15)

    on_a_desk(scenario, exchange=market())


def test_a_hard_refusal_is_not_put_off() -> None:
    """What no time cures is refused at submission, as of any order."""

    async def scenario(stack: Stack) -> None:
        execution = await begun(stack, lots=40)

        assert execution.status is ParentStatus.REFUSED
        assert not stack.core.placed()

    on_a_desk(scenario, exchange=market(), limits=Limits(max_lots_per_parent=10))


def test_a_schedule_past_the_close_is_refused_or_shortened() -> None:
    """Oats close at 13:20; 30 s before are kept clear, and the lots are the same."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(InvalidOrder, match=r"runs past .* 13:20:00 CST"):
            await stack.desk.preview("BUY", 4, "ZO", start="13:00", strategy="twap", slices=4, duration="1h")
        plan = await stack.desk.preview(
            "BUY", 4, "ZO", start="13:00", strategy="twap", slices=4, duration="1h", overrun="shorten"
        )

        assert plan.terms.duration_ns == (20 * 60 - 30) * 10**9
        assert int(plan.schedule["lots"].sum()) == 4

    on_a_desk(scenario, exchange=market())


def test_a_pause_before_the_start_moves_nothing(tmp_path: Path) -> None:
    """One that reaches over the start moves it by what reached over; frames and core agree."""

    async def scenario(stack: Stack) -> None:
        execution, over = await begun(stack), await begun(stack, start="11:00", tag="second")
        start_ns, over_ns = execution.begins_ns, over.begins_ns
        await stack.sleep(600)
        await execution.pause()
        await stack.sleep(600)
        await execution.resume()
        await stack.sleep(HOUR_S)
        await over.pause()
        await stack.sleep(2 * HOUR_S - 1800)
        await over.resume()
        resumed_ns = stack.desk.now_ns()
        await execution
        await over

        first, second = (one.slices["start"].iloc[0].value for one in (execution, over))
        assert first == start_ns
        assert second == resumed_ns > over_ns
        assert execution.filled_lots == over.filled_lots == 4

    on_a_desk(scenario, exchange=market(), journal=tmp_path / "journal.sqlite")


@pytest.mark.parametrize("away_s", [60, 1.5 * HOUR_S])
def test_a_scheduled_order_survives_a_restart(tmp_path: Path, away_s: float) -> None:
    """Back before the start it begins by itself; back after it, nobody decides but a person."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await begun(stack)
        await stack.sleep(600)
        await lives.kill(stack)
        await asyncio.sleep(away_s)

        stack = await lives.open()
        execution = stack.desk.execution("P-0001")
        if away_s > HOUR_S:
            assert execution.status is ParentStatus.INTERRUPTED
            await stack.sleep(HOUR_S)
            assert not stack.core.placed()
            await stack.desk.resume("P-0001")
        else:
            assert execution.status is ParentStatus.SCHEDULED
        await execution

        assert execution.status is ParentStatus.FILLED
        assert stack.lots_filled() == 4
        (told,) = stack.journalled(ev.ParentBegan)
        assert told.time_ns >= execution.begins_ns
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=market())


def test_killed_between_its_timer_and_its_beginning_it_begins_once(tmp_path: Path) -> None:
    """The disk holds that the timer fired, and not that it began."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await begun(stack)
        kept = lives.keep_at(stack, lambda event: isinstance(event, ev.ParentBegan))
        await stack.until(lambda: bool(kept), within_s=2 * HOUR_S)
        await lives.kill(stack, kept=kept[0])

        stack = await lives.open()
        execution = await stack.desk.resume("P-0001")
        await execution

        assert execution.status is ParentStatus.FILLED
        assert execution.arrival_mid == 371.0
        assert len(stack.journalled(ev.ParentBegan)) == 1
        assert stack.lots_filled() == 4
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=market())


@pytest.mark.parametrize("stop", ["cancel", "kill", "close"])
def test_a_scheduled_order_is_stopped_like_any_other(stop: str) -> None:
    """By its own cancel, by the kill switch, and by a desk that is closed."""

    async def scenario(stack: Stack) -> None:
        execution = await begun(stack)
        match stop:
            case "cancel":
                await execution.cancel()
            case "kill":
                await stack.desk.kill("enough")
            case _:
                await stack.desk.close()

        assert execution.status is ParentStatus.CANCELLED
        await asyncio.sleep(2 * HOUR_S)
        assert not stack.core.placed()

    on_a_desk(scenario, exchange=market())
