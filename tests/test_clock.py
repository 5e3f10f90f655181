"""The desk's clock: it counts the seconds that the machine slept, and its timers come when they are due."""

import asyncio

from hydra_nb.desk.clocks import LONGEST_NAP_S, LoopClock, host_seconds
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from hydra_nb.sim.session import GatewayCore

START_NS = 1_800_000_000 * NS_PER_S
HOUR_S = 3_600


def test_market_time_goes_on_while_the_machine_sleeps() -> None:
    """The timers of the loop stand, the desk's now does not; nor does the market."""

    async def main(loop: VirtualLoop) -> tuple[float, int, int]:
        gateway = loop.attach(GatewayCore(Exchange(seed=7)))
        clock = LoopClock(loop, speed=1.0)
        clock.anchor(gateway.now_ns())

        loop.suspend(HOUR_S)

        return loop.time(), clock.now_ns(), gateway.now_ns()

    loop_s, desk_ns, market_ns = run_virtual(main)

    assert loop_s == 0
    assert desk_ns == market_ns
    assert desk_ns >= HOUR_S * NS_PER_S


def test_a_timer_that_came_due_in_the_sleep_fires_soon_after() -> None:
    """Within the longest nap of a timer, not an hour late."""

    async def main(loop: VirtualLoop) -> tuple[float, int]:
        clock, fired = LoopClock(loop, speed=1.0), loop.create_future()
        clock.anchor(START_NS)
        clock.call_at(START_NS + 600 * NS_PER_S, lambda: fired.set_result(None))

        await asyncio.sleep(60)
        loop.suspend(HOUR_S)
        await fired

        return loop.time(), clock.now_ns()

    loop_s, now_ns = run_virtual(main)

    assert 60 <= loop_s <= 60 + LONGEST_NAP_S + 0.1
    assert now_ns >= START_NS + HOUR_S * NS_PER_S


def test_a_timer_fires_at_its_market_time_where_nobody_sleeps() -> None:
    """However many naps it takes, and at any speed of the market."""

    async def main(loop: VirtualLoop) -> int:
        clock, fired = LoopClock(loop, speed=60.0), loop.create_future()
        clock.anchor(START_NS)
        clock.call_at(START_NS + 3_123 * NS_PER_S, lambda: fired.set_result(clock.now_ns()))
        clock.call_at(START_NS + 3_000 * NS_PER_S, lambda: fired.set_result(0)).cancel()
        return int(await fired)

    fired_ns = run_virtual(main)

    assert abs(fired_ns - START_NS - 3_123 * NS_PER_S) < NS_PER_S // 1_000


def test_the_clock_of_the_host_is_one_that_nobody_sets() -> None:
    """It runs with the loop's own, from whatever moment, as long as the machine is awake."""

    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        read = host_seconds(loop)
        began_s, began_loop_s = read(), loop.time()
        await asyncio.sleep(0.05)
        return read() - began_s, loop.time() - began_loop_s

    elapsed_s, loop_s = asyncio.run(main())

    assert abs(elapsed_s - loop_s) < 0.02
