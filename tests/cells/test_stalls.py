"""A cell that blocks the loop: what it delays is told and re-spread, never fired in a burst."""

import asyncio
import time

import pytest

import hydra_nb
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.pulse import Pulse
from hydra_nb.domain.events import ChildReserved, LoopStalled, SliceDelayed
from hydra_nb.domain.orders import Action, ParentStatus, Stage
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.loop import run_virtual
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

MINUTE_SLICES = {"slices": 5, "duration": "5m", "seed": 3}


def stalled(at_slice: int, seconds: float, *, lead_s: float = 0.0, lots: int = 13) -> tuple[Stack, Execution]:
    """Buy in five slices of a minute with a loop that stands still around the start of one of them.

    Parameters
    ----------
    at_slice
        The slice whose start falls into the stall.
    seconds
        From the slice's start to the end of the stall.
    lead_s
        From the stall's begin to the slice's start.
    """

    async def scenario(stack: Stack) -> tuple[Stack, Execution]:
        plan = await stack.desk.preview("BUY", lots, "ZO", strategy="twap", **MINUTE_SLICES)
        execution = await stack.desk.submit(plan)
        start_ns = execution.submitted_ns + plan.terms.slices[at_slice - 1].offset_ns
        await stack.sleep((start_ns - stack.desk.now_ns()) / NS_PER_S - lead_s - 0.5)
        stack.loop.jump((start_ns - stack.desk.now_ns()) / NS_PER_S + seconds)
        return stack, await execution

    return on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00", lots=50), volume=1_000))


def places(stack: Stack) -> list[ChildReserved]:
    """What was approved to be placed, in order."""
    return [event for event in stack.journalled(ChildReserved) if event.action is Action.PLACE]


def test_a_slice_whose_patient_time_is_gone_leaves_its_lots_to_later_ones() -> None:
    """In the very words of the screens: in the journal, in the slices frame, and for whoever reads it later."""
    stack, execution = stalled(3, 41)

    frame = execution.slices.set_index("slice")
    assert frame.loc[3, "reason"] == "A busy cell delayed slice 3 by 41 s; its lots were re-spread."
    assert (frame.loc[3, "status"], frame.loc[3, "carried_lots"]) == ("missed", 3)
    assert [(event.child.slice, event.child.lots) for event in places(stack)] == [(1, 3), (2, 3), (4, 4), (5, 3)]
    assert execution.status is ParentStatus.FILLED
    [late] = [event for event in stack.journalled(SliceDelayed) if event.slice == 3]
    assert round(late.late_ns / NS_PER_S) == 41
    assert len(stack.journalled(LoopStalled)) == 1


def test_a_slice_that_comes_a_little_late_is_worked_in_the_time_left() -> None:
    """Its patience is shorter, its stage that of the time, and its lots its own."""
    stack, execution = stalled(3, 10)

    frame = execution.slices.set_index("slice")
    assert frame.loc[3, "reason"] == "A busy cell delayed slice 3 by 10 s; filled"
    assert [(event.child.slice, event.child.lots, event.child.stage) for event in places(stack)][2] == (3, 3, Stage.MID)
    assert [event.child.lots for event in places(stack)] == [3, 3, 3, 2, 2]
    assert execution.status is ParentStatus.FILLED


@pytest.mark.parametrize("seconds", [1.5, 30, 75, 130, 300])
@pytest.mark.parametrize("at_slice", [1, 2, 4])
def test_no_stall_is_caught_up_in_a_burst(at_slice: int, seconds: float) -> None:
    """However many starts it covers: never more than twice a slice's planned lots, and every lot is accounted for."""
    stack, execution = stalled(at_slice, seconds)

    planned = {one.number: one.lots for one in execution._record.plan.slices}
    assert all(event.child.lots <= 2 * planned[event.child.slice] for event in places(stack))
    assert execution.filled_lots + execution.shortfall_lots == 13
    assert stack.lots_filled() == execution.filled_lots
    late = execution.slices[execution.slices["reason"].str.startswith("A busy cell delayed")]
    assert len(late)


def test_a_stall_over_several_starts_places_only_the_slice_whose_time_it_is() -> None:
    """Slices 2 and 3 have passed; of the lots in the market at once none are theirs."""
    stack, execution = stalled(2, 150)

    after = [event for event in places(stack) if event.child.slice > 1]
    assert [event.child.slice for event in after] == [4, 5] or [event.child.slice for event in after] == [5]
    frame = execution.slices.set_index("slice")
    assert set(frame.loc[[2, 3], "status"]) == {"missed"}
    assert frame["carried_lots"].sum() > 0


def test_the_last_slice_is_worked_late_rather_than_not_at_all() -> None:
    """Nobody comes after it who could take its lots."""
    stack, execution = stalled(5, 41)

    assert places(stack)[-1].child.slice == 5
    assert execution.status is ParentStatus.FILLED


def test_a_paused_order_is_not_delayed() -> None:
    """Its slices wait for a person, not for the loop."""

    async def scenario(stack: Stack) -> int:
        plan = await stack.desk.preview("BUY", 13, "ZO", strategy="twap", **MINUTE_SLICES)
        execution = await stack.desk.submit(plan)
        await stack.sleep(20)
        await execution.pause()
        await stack.sleep(20)
        stack.loop.jump(120)
        await stack.sleep(20)
        await execution.resume()
        await execution
        return len(stack.journalled(SliceDelayed))

    assert on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00"), volume=1_000)) == 0


def test_a_loop_on_time_delays_nothing() -> None:
    """No order that runs as planned is told to be late."""

    async def scenario(stack: Stack) -> tuple[int, int]:
        await stack.desk.execute("BUY", 13, "ZO", strategy="twap", **MINUTE_SLICES)
        return len(stack.journalled(LoopStalled)), len(stack.journalled(SliceDelayed))

    assert on_a_desk(scenario) == (0, 0)


def test_the_pulse_tells_a_stall_with_the_beats_that_it_swallowed() -> None:
    """Half a minute in one cell is the worst lag, most of the lags of the minute, and a stall of its own."""

    async def scenario(loop: object) -> None:
        pulse = Pulse(lambda: None)
        await asyncio.sleep(60)
        quiet = (pulse.worst_lag_ms, pulse.p99_lag_ms, pulse.stalls)
        loop.jump(30)  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        busy = (pulse.worst_lag_ms, pulse.p99_lag_ms)
        [(ago_s, held_s)] = pulse.stalls
        await asyncio.sleep(61)
        healed = (pulse.worst_lag_ms, pulse.p99_lag_ms)
        pulse.stop()

        assert quiet == (pytest.approx(0, abs=0.01), pytest.approx(0, abs=0.01), ())
        assert busy[0] == pytest.approx(30_000, abs=200)
        assert 29_000 < busy[1] < 30_000
        assert held_s == pytest.approx(30, abs=0.2)
        assert ago_s == pytest.approx(1, abs=0.2)
        assert healed == (pytest.approx(0, abs=0.01), pytest.approx(0, abs=0.01))

    run_virtual(scenario)


def test_a_desk_tells_the_lag_of_its_loop() -> None:
    """In host milliseconds, and once a cell has blocked it, for how long."""

    async def scenario() -> dict[str, object]:
        async with hydra_nb.connect(journal=":memory:") as desk:
            await asyncio.sleep(0.3)
            time.sleep(1.3)  # noqa: ASYNC251  this is what is measured
            await asyncio.sleep(0.2)
            return desk.status

    status = asyncio.run(scenario())

    assert 1_100 < status["loop_lag_ms"] < 3_000
    assert 1_000 < status["loop_lag_p99_ms"] <= status["loop_lag_ms"]
    [(_, held_s)] = status["stalls"]
    assert 1.1 < held_s < 3.0
