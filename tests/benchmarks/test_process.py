"""What the program costs as a process: its import, its memory, and the demonstration as a whole."""

import statistics
import subprocess
import sys
from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

from .figures import Figure, Turns, timed

GOAL_MS = 60.0
_IMPORT = "import hydra_nb"
_DESK = "import hydra_nb; hydra_nb.connect"
_LARGEST_PARTS = "import pandas, plotly.graph_objects"
_DEMO = "import sys; sys.argv[1:] = ['demo']; from hydra_nb.cli import main; main()"
# A process inherits the peak of the one that started it, so a small one stands between.
_WATCH = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _run(*words: str) -> str:
    ran = subprocess.run([sys.executable, "-c", *words], capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout


def _watch(program: str) -> tuple[str, float]:
    """What a program says, and its largest resident memory in MB of 1,048,576 bytes; Linux counts it by 1,024."""
    said, _, peak = _run(_WATCH, program).rstrip().rpartition("\n")
    return said, int(peak) / 1024


def test_import_costs_little_time(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """``import hydra_nb`` in a fresh process, above a process that imports nothing."""
    turns = Turns()
    ours, bare = timed(lambda: _run(_IMPORT), turns.ours), timed(lambda: _run(""), turns.bare)

    benchmark.pedantic(ours, setup=bare, rounds=15)

    loaded = set(_run(f"{_IMPORT}, sys; print(*sys.modules)").split())
    assert "hydra_nb" in loaded
    assert not loaded & {"pandas", "ib_async", "plotly", "ipywidgets"}
    if benchmark.enabled:
        note(_difference(turns, "import of hydra_nb above bare Python"))


def test_desk_costs_what_it_loads(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """All that a desk needs, loaded, over its two largest parts alone."""
    turns = Turns()
    ours, bare = timed(lambda: _run(_DESK), turns.ours), timed(lambda: _run(_LARGEST_PARTS), turns.bare)

    benchmark.pedantic(ours, setup=bare, rounds=5)

    peaks = {program: _watch(program)[1] for program in ("", _IMPORT, _LARGEST_PARTS, _DESK)}
    assert peaks[_IMPORT] < 2 * peaks[""]
    assert peaks[_DESK] < 2 * peaks[_LARGEST_PARTS]
    if benchmark.enabled:
        note(turns.figure("import of a desk over pandas and plotly alone"))
        detail = f"bare Python {peaks['']:.0f} MB"
        note(Figure(name="peak memory of import hydra_nb", value=peaks[_IMPORT], unit="MB", detail=detail))
        detail = f"pandas and plotly alone {peaks[_LARGEST_PARTS]:.0f} MB"
        note(Figure(name="peak memory of a desk's imports", value=peaks[_DESK], unit="MB", detail=detail))


def test_demo_ends_soon(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """``hydra-nb demo`` as a process of its own, from its start to its end."""
    said, peak_mb = benchmark.pedantic(lambda: _watch(_DEMO), rounds=5)

    assert "13 of 13 lots" in said
    assert peak_mb < 500
    if benchmark.enabled:
        stats = benchmark.stats.stats
        detail = f"median of {stats.rounds}; least {stats.min:.2f} s"
        note(Figure(name="hydra-nb demo, whole process", value=stats.median, unit="s", detail=detail))
        note(Figure(name="peak memory of hydra-nb demo", value=peak_mb, unit="MB"))


def _difference(turns: Turns, name: str) -> Figure:
    ours, bare = min(turns.ours), min(turns.bare)
    middle = statistics.median(turns.ours) - statistics.median(turns.bare)
    detail = f"least {ours * 1e3:.0f} ms less {bare * 1e3:.0f} ms; of the medians {middle * 1e3:.0f} ms"
    return Figure(name=name, value=(ours - bare) * 1e3, unit="ms", goal=GOAL_MS, detail=detail)
