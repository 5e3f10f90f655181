"""1, 20 and 200 parent orders at work at once in real time: the loop's lag, the pace of frames, and cancels first."""

import asyncio
from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.broker.pacing import CANCEL_FRAMES

from .figures import Figure
from .many_parents import Seen, busiest_second, quantile, work

COUNTS, SPEED = (1, 20, 200), 4.0
FEW, FAST = (3,), 60.0
"""In the ordinary run of the tests, whose matter is that all of it works."""


def test_many_parents_at_work_at_once(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """On the embedded gateway over TCP; half are cancelled as all are to be modified, and a second later all killed."""
    counts, speed = (COUNTS, SPEED) if benchmark.enabled else (FEW, FAST)

    async def all_of_them() -> list[Seen]:
        return [await work(count, speed=speed) for count in counts]

    everything = benchmark.pedantic(lambda: asyncio.run(all_of_them()), rounds=1)

    for seen in everything:
        assert busiest_second(seen.tap.frames) <= CANCEL_FRAMES
        assert seen.tap.overtaken() == []
        assert seen.left_over == 0
        assert sum(seen.statuses.values()) == seen.parents
        if benchmark.enabled:
            for figure in _figures(seen):
                note(figure)


def _figures(seen: Seen) -> list[Figure]:
    orders, delays_s = seen.tap.orders(), seen.tap.cancel_delays_s()
    submitting = f"{seen.parents} submissions in one step held it {sum(seen.submit_ms):.0f} ms"
    lag = f"p50 {quantile(seen.lags_ms, 0.5):.1f}, max {max(seen.lags_ms):.0f} ms; {submitting}"
    pace = f"largest {busiest_second(orders)} in any second, of all frames {busiest_second(seen.tap.frames)} of 45"
    worst = f"{len(delays_s)} cancels, p50 {quantile(delays_s, 0.5):.2f} s; none overtaken"
    ended = f"{seen.most_at_work} at work by then; processor {seen.cpu_s:.1f} of {seen.seconds:.1f} s"
    name = f"{seen.parents} parents"
    return [
        Figure(name=f"{name}: loop lag p99", value=quantile(seen.lags_ms, 0.99), unit="ms", detail=lag),
        Figure(name=f"{name}: order messages a second", value=len(orders) / seen.seconds, unit="", detail=pace),
        Figure(
            name=f"{name}: cancel handed over to written, p99", value=quantile(delays_s, 0.99), unit="s", detail=worst
        ),
        Figure(name=f"{name}: kill to all proven dead", value=seen.kill_s, unit="s", detail=ended),
    ]
