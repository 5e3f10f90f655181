"""How late the loop is now: while a cell holds it, right after, and once it runs on time again."""

import asyncio
import time
from typing import Any

import pytest

from hydra_nb.desk.pulse import BEAT_S, Pulse
from hydra_nb.risk.checks_traffic import loop_lag
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.loop import run_virtual
from tests.risk.making import make_case, make_snapshot


def test_a_loop_that_is_held_up_is_late_while_it_is_and_until_the_next_beat() -> None:
    """In the cell that holds it, in what runs first after it, and no more once a beat has come on time."""

    async def scenario(loop: Any) -> None:
        seen: dict[str, float] = {}
        pulse = Pulse(lambda: None)
        await asyncio.sleep(1.0)
        seen["before"] = pulse.lag_now_ms()

        loop.jump(5)
        seen["held"] = pulse.lag_now_ms()
        await asyncio.sleep(BEAT_S / 2)  # the late beat has come by now, and the one after it has not
        seen["after"] = pulse.lag_now_ms()
        await asyncio.sleep(2 * BEAT_S)
        seen["on time"] = pulse.lag_now_ms()
        pulse.stop()

        assert seen["before"] == pytest.approx(0, abs=0.01)
        assert 4_900 <= seen["held"] <= 5_000
        assert 4_900 <= seen["after"] <= 5_000
        assert seen["on time"] == pytest.approx(0, abs=0.01)

    run_virtual(scenario)


def test_a_loop_of_the_host_that_a_cell_blocks_is_refused_by_the_gate_and_then_not() -> None:
    """A true block on a true loop: by its own measure the check waits, and passes when the loop is on time again."""

    async def scenario() -> None:
        limits = Limits(max_loop_lag_ms=200)

        def passes() -> bool:
            return loop_lag(make_case(limits=limits, snapshot=make_snapshot(loop_lag_ms=pulse.lag_now_ms()))).allowed

        pulse = Pulse(lambda: None)
        try:
            for _ in range(100):  # a busy machine may be late by itself at first
                await asyncio.sleep(BEAT_S)
                if passes():
                    break
            time.sleep(0.5)  # noqa: ASYNC251  as a cell does
            held = (pulse.lag_now_ms(), passes())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            after = (pulse.lag_now_ms(), passes())
            for _ in range(100):
                await asyncio.sleep(BEAT_S)
                if passes():
                    break

            assert held[0] >= 400
            assert after[0] >= 400
            assert (held[1], after[1]) == (False, False)
            assert passes()
        finally:
            pulse.stop()

    asyncio.run(scenario())


def test_before_its_first_beat_a_pulse_tells_how_long_that_is_overdue() -> None:
    """Not late while it is not due, and late from then on: there need be no beat to know."""

    async def scenario(loop: Any) -> None:
        pulse = Pulse(lambda: None)

        early = pulse.lag_now_ms()
        loop.jump(3)
        late = pulse.lag_now_ms()
        pulse.stop()

        assert early == 0.0
        assert late == pytest.approx(3_000 - BEAT_S * 1e3, abs=1)

    run_virtual(scenario)
