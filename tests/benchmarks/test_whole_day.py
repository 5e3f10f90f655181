"""Six hours of a TWAP in virtual time, from the first connection to the last fill, through every room."""

import time
from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.desk.connect import connect
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.sim.loop import run_virtual

from .figures import Figure

GOAL_S = 0.5
SEED = 2


async def _work() -> tuple[ParentStatus, int, int, int]:
    async with connect(seed=SEED, speed="max", journal=":memory:") as desk:
        plan = await desk.preview("BUY", 20, "LBR", slices=20, duration="6h")
        execution = await (await desk.submit(plan))
        return execution.status, execution.filled_lots, len(plan.terms.slices), len(desk.quotes())


def test_six_hours_of_a_twap_are_worked_at_once(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """20 lots of lumber in 20 slices, the desk opened and closed; quotes change more often than every two seconds."""
    cpu_s = []

    def work() -> tuple[ParentStatus, int, int, int]:
        began = time.process_time()
        outcome = run_virtual(lambda _loop: _work())
        cpu_s.append(time.process_time() - began)
        return outcome

    status, filled_lots, slices, quotes = benchmark.pedantic(work, rounds=7)

    assert (status, filled_lots, slices) == (ParentStatus.FILLED, 20, 20)
    assert quotes > 10_000
    if benchmark.enabled:
        stats = benchmark.stats.stats
        detail = f"least of {stats.rounds}; median {stats.median:.2f} s, least of the processor {min(cpu_s):.2f} s"
        note(Figure(name="6 h TWAP, 20 slices, virtual time", value=stats.min, unit="s", goal=GOAL_S, detail=detail))
