"""What a path of a rehearsal costs, by the direct driver and over the wire, and a thousand from a notebook."""

import asyncio
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import psutil
from pytest_benchmark.fixture import BenchmarkFixture

import hydra_nb
from hydra_nb.rehearsal.running import draw_seeds
from hydra_nb.rehearsal.script import run_paths
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from tests.rehearsal.both_ways import directly, over_the_wire

from .figures import Figure

TICKET = {"side": "BUY", "lots": 3, "instrument": "ZO"}
SIXTY = {"side": "BUY", "lots": 60, "instrument": "ZO", "strategy": "twap", "slices": 60, "duration": "2h"}
WIDE = {
    "max_lots_per_parent": 100,
    "max_messages_per_parent": 1_000,
    "max_position_lots": 100,
    "max_position_percent_of_equity": 500.0,
    "max_adv_percent": 50.0,
    "max_adv_percent_per_parent": 50.0,
}
ANSWER_GOAL_S = 5.0
LAG_GOAL_MS = 20.0
TICKET_GOAL_MS = 5.0
"""A path of a ticket's order, on one of two processors that together run 400 a second."""
SIXTY_GOAL_MS = 20.0
MEMORY_GOAL_MB = 150.0
FLAT_MB = 5.0
"""What the second half of the paths may add: caches of bounded size fill during the first two thousand."""


def _packed(how: dict[str, Any], **limits: float) -> bytes:
    """Stage a plan on a desk that has watched for two minutes."""
    found: list[bytes] = []

    async def main(_loop: VirtualLoop) -> None:
        limit = hydra_nb.Limits(**limits)
        async with hydra_nb.connect("sim", seed=7, speed="max", journal=":memory:", limits=limit) as desk:
            await desk.instrument("ZO")
            await desk._rooms.clock.sleep(120)
            plan = await desk.preview(**how)
            assert plan.passes, plan.risk.check[~plan.risk.allowed].tolist()
            found.append(plan.stage(None).packed)

    run_virtual(main)
    return found[0]


def _path_s(packed: bytes, *, paths: int) -> tuple[float, float]:
    """Processor seconds of a path in the mean, and its order messages."""
    began = time.process_time()
    outcomes = run_paths(packed, draw_seeds(paths, seed=1))
    return (time.process_time() - began) / paths, statistics.mean(path.messages for path in outcomes)


def test_a_path_of_a_ticket(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """Oats with patience: about nine minutes and 280 acts of the market."""
    packed = _packed(TICKET)

    seconds, messages = benchmark.pedantic(lambda: _path_s(packed, paths=200 if benchmark.enabled else 2), rounds=1)

    assert messages >= 1
    if benchmark.enabled:
        detail = f"{1 / seconds:.0f} a second on one processor"
        note(
            Figure(
                name="a path, 3 oats with patience", value=1e3 * seconds, unit="ms", goal=TICKET_GOAL_MS, detail=detail
            )
        )


def test_a_path_of_sixty_slices(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """60 lots in 60 slices over two hours."""
    packed = _packed(SIXTY, **WIDE)

    seconds, messages = benchmark.pedantic(lambda: _path_s(packed, paths=20 if benchmark.enabled else 1), rounds=1)

    assert messages >= 60
    if benchmark.enabled:
        detail = f"{1 / seconds:.1f} a second on one processor, {messages:.0f} messages each"
        note(
            Figure(
                name="a path, 60 oats in 60 slices", value=1e3 * seconds, unit="ms", goal=SIXTY_GOAL_MS, detail=detail
            )
        )


def test_direct_driver_over_the_wire(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """The same order on the same market both ways, the desk's opening and closing included."""
    how = {**TICKET, "strategy": "twap", "slices": 3, "duration": "90min"}
    wire_s, direct_s = [], []

    def both() -> None:
        began = time.process_time()
        wired = over_the_wire(7, how)
        between = time.process_time()
        told = directly(7, wired)
        direct_s.append(time.process_time() - between)
        wire_s.append(between - began)
        assert wired.told.differences(told) == []

    benchmark.pedantic(both, rounds=5)

    if benchmark.enabled:
        ours, wire = min(direct_s), min(wire_s)
        detail = f"{1e3 * ours:.0f} ms over {1e3 * wire:.0f} ms of the processor"
        note(Figure(name="a path directly, over the same by wire", value=ours / wire, unit="×", detail=detail))


def test_a_thousand_paths_from_a_notebook(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """In real time, as from a ticket: until the answer is there, and by how much the loop is late meanwhile."""
    lags_s: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            lags_s.append(time.perf_counter() - began - 0.005)

    async def answer(paths: int) -> tuple[float, int]:
        async with hydra_nb.connect("sim", seed=7, speed=60, journal=":memory:") as desk:
            await desk.instrument("ZO")
            await asyncio.sleep(1)
            plan = await desk.preview(**TICKET)
            beating = asyncio.ensure_future(beat())
            began = time.perf_counter()
            rehearsal = await plan.rehearse(paths, progress=False)
            took_s = time.perf_counter() - began
            beating.cancel()
            return took_s, len(rehearsal.outcomes)

    paths = 1_000 if benchmark.enabled else 4
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took_s, found = benchmark.pedantic(lambda: asyncio.run(answer(paths)), rounds=1)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024

    assert found == paths
    if benchmark.enabled:
        note(Figure(name="rehearse(n=1000) from a ticket on oats", value=took_s, unit="s", goal=ANSWER_GOAL_S))
        note(Figure(name="the loop meanwhile, latest", value=1e3 * max(lags_s), unit="ms", goal=LAG_GOAL_MS))
        note(Figure(name="memory of it in the notebook", value=grown_mb, unit="MB", goal=MEMORY_GOAL_MB))


def _grown_mb(packed: bytes, paths: int) -> list[float]:
    """Memory of this process after each tenth of the paths, above what it has once the package is imported."""
    process, seeds, tenth = psutil.Process(), draw_seeds(paths, seed=1), paths // 10
    imported = process.memory_info().rss
    grown_mb = []
    for first in range(0, paths, tenth):
        run_paths(packed, seeds[first : first + tenth])
        grown_mb.append((process.memory_info().rss - imported) / 2**20)
    return grown_mb


def test_memory_of_a_worker(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """Of a process that has imported the package and then runs paths: it keeps nothing of one but its outcome."""
    packed, paths = _packed(TICKET), 1_000 if benchmark.enabled else 10

    def in_a_worker() -> list[float]:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
            return worker.submit(_grown_mb, packed, paths).result()

    grown_mb = benchmark.pedantic(in_a_worker, rounds=1)

    assert 0 < max(grown_mb) <= MEMORY_GOAL_MB
    assert grown_mb[-1] - grown_mb[4] <= FLAT_MB
    if benchmark.enabled:
        detail = f"{grown_mb[-1] - grown_mb[4]:.1f} MB of it over the second half"
        figure = Figure(
            name="memory of a worker over 1,000 paths",
            value=max(grown_mb),
            unit="MB",
            goal=MEMORY_GOAL_MB,
            detail=detail,
        )
        note(figure)
