"""What the program costs as a process: its import, its memory, and the demonstration as a whole."""

import statistics
import subprocess
import sys
from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

from .figures import Figure, Turns, timed

GOAL_MS = 60.0
_DEMO = "import sys; sys.argv[1:] = ['demo']; from hydra_nb.cli import main; main()"
# A process inherits the peak of the one that started it, so a small one stands between.
_WATCH = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _run(*words: str) -> str:
    ran = subprocess.run([sys.executable, "-c", *words], capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout


def _peak_mb(program: str) -> float:
    """Largest resident memory of a program, in MB of 1,048,576 bytes; Linux counts it by 1,024."""
    return int(_run(_WATCH, program)) / 1024


def test_import_costs_little_time(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """``import hydra_nb`` in a fresh process, above a process that imports nothing."""
    turns = Turns()
    ours, bare = timed(lambda: _run("import hydra_nb"), turns.ours), timed(lambda: _run(""), turns.bare)

    benchmark.pedantic(ours, setup=bare, rounds=15)

    loaded = _run("import hydra_nb, sys; print(*sys.modules)").split()
    assert "hydra_nb" in loaded
    assert not {"pandas", "ib_async", "plotly", "ipywidgets"} & set(loaded)
    if benchmark.enabled:
        note(_difference(turns, "import of hydra_nb above bare Python", goal=GOAL_MS))


def test_connect_costs_what_it_loads(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """Everything that a desk needs, loaded; pandas and plotly are the most of it."""
    loads = "import hydra_nb; hydra_nb.connect"
    turns = Turns()
    ours = timed(lambda: _run(loads), turns.ours)
    bare = timed(lambda: _run("import pandas, plotly.graph_objects"), turns.bare)

    benchmark.pedantic(ours, setup=bare, rounds=5)

    assert "hydra_nb.desk.connect" in _run(f"{loads}\nimport sys; print(*sys.modules)").split()
    if benchmark.enabled:
        note(turns.figure("import of a desk over pandas and plotly"))


def test_memory_stays_small(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """Largest resident memory of the import, of what a desk loads, and of the whole demonstration."""
    bare, package = _peak_mb(""), _peak_mb("import hydra_nb")
    desk = _peak_mb("import hydra_nb; hydra_nb.connect")
    demo = benchmark.pedantic(lambda: _peak_mb(_DEMO), rounds=1)

    assert 0 < package < 2 * bare
    assert demo < 1_000
    if benchmark.enabled:
        detail = f"bare Python {bare:.0f} MB"
        note(Figure(name="peak memory of import hydra_nb", value=package, unit="MB", detail=detail))
        note(Figure(name="peak memory of a desk's imports", value=desk, unit="MB"))
        note(Figure(name="peak memory of hydra-nb demo", value=demo, unit="MB"))


def test_demo_ends_soon(benchmark: BenchmarkFixture, note: Callable[[Figure], None]) -> None:
    """``hydra-nb demo`` as a process of its own, from its start to its end."""
    said = benchmark.pedantic(lambda: _run(_DEMO))

    assert "13 of 13 lots" in said
    if benchmark.enabled:
        stats = benchmark.stats.stats
        note(Figure(name="hydra-nb demo, whole process", value=stats.min, unit="s", detail=f"least of {stats.rounds}"))


def _difference(turns: Turns, name: str, *, goal: float) -> Figure:
    ours, bare = min(turns.ours), min(turns.bare)
    middle = statistics.median(turns.ours) - statistics.median(turns.bare)
    detail = f"least {ours * 1e3:.0f} ms less {bare * 1e3:.0f} ms; of the medians {middle * 1e3:.0f} ms"
    return Figure(name=name, value=(ours - bare) * 1e3, unit="ms", goal=goal, detail=detail)
