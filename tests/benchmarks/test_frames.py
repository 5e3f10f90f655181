"""How long the frames of years of trading take, from a file and from a history that is kept up to date."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.analysis import frames
from hydra_nb.analysis.history import History
from hydra_nb.analysis.tca import journal_tca
from hydra_nb.analysis.tca.analysis import Level
from hydra_nb.journal import JournalReader
from tests.analysis.by_event import ByEvent

from .figures import Figure
from .journal_of_fills import Written, write

FILLS, QUOTES = 100_000, 500_000
FEW_FILLS, FEW_QUOTES = 2_000, 10_000
"""Where only the result is looked at."""
GOAL_S = 0.5
TCA_GOAL_S = 2.0
LEVELS: tuple[Level, ...] = ("fill", "slice", "parent")
ROUNDS = 5

Read = Callable[[JournalReader | History], pd.DataFrame]


def least(read: Read, source: JournalReader | History, *, rounds: int) -> tuple[pd.DataFrame, float, float]:
    """A frame, and the least time that it took: by the clock, and of the processor."""
    frame, clock_s, cpu_s = pd.DataFrame(), list[float](), list[float]()
    for _ in range(rounds):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        frame = read(source)
        clock_s.append(time.perf_counter() - began_s)
        cpu_s.append(time.process_time() - began_cpu_s)
    return frame, min(clock_s), min(cpu_s)


def test_frames_of_a_hundred_thousand_fills(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None], tmp_path: Path
) -> None:
    """Fills, executions, slices and quotes, cold and warm, and the fold of every event beside them."""
    fills, quotes = (FILLS, QUOTES) if benchmark.enabled else (FEW_FILLS, FEW_QUOTES)
    rounds = ROUNDS if benchmark.enabled else 1
    written = write(tmp_path / "years.sqlite", fills=fills, quotes=quotes)
    with closing(JournalReader.open(tmp_path / "years.sqlite")) as reader:
        history = History(reader)
        cold, cold_s, cold_cpu_s = least(frames.fills, reader, rounds=rounds)
        history.trading.catch_up()
        timed = {
            f"fills of {fills:,} fills, warm": (frames.fills, GOAL_S),
            f"executions of {written.parents:,} parents, warm": (frames.executions, None),
            f"slices of {written.parents:,} parents, warm": (frames.slices, None),
            f"quotes, {quotes:,}": (frames.quotes, None),
        }
        read = {name: (*least(one, history, rounds=rounds), goal) for name, (one, goal) in timed.items()}
        costs = {f"tca of {fills:,} fills, a row a {one}, warm": costs_of(history, one, rounds) for one in LEVELS}
        began_s = time.process_time()
        plain = benchmark.pedantic(lambda: ByEvent(reader).frames(), rounds=1)
        plain_cpu_s = time.process_time() - began_s

    warm, executions, slices, quoted = (frame for frame, *_ in read.values())
    assert [len(frame) for frame, *_ in costs.values()] == [written.fills, len(slices), written.parents]
    for shown, reference in ((cold, "fills"), (warm, "fills"), (executions, "executions"), (slices, "slices")):
        pd.testing.assert_frame_equal(shown, plain[reference], check_exact=True)
    assert (len(cold), cold["lots"].sum(), len(quoted)) == (written.fills, written.lots, written.quotes)
    if benchmark.enabled:
        tell(note, written, cold=(cold_s, cold_cpu_s), plain_cpu_s=plain_cpu_s)
        for name, (_, clock_s, cpu_s, goal) in {**read, **costs}.items():
            detail = f"least of {rounds}; of the processor {cpu_s:.2f} s"
            note(Figure(name=name, value=clock_s, unit="s", goal=goal, detail=detail))


def costs_of(history: History, level: Level, rounds: int) -> tuple[pd.DataFrame, float, float, float]:
    """A frame of transaction cost analysis, the least times that it took, and the goal."""
    return *least(lambda source: journal_tca(source, level=level), history, rounds=rounds), TCA_GOAL_S


def tell(note: Callable[[Figure], None], written: Written, *, cold: tuple[float, float], plain_cpu_s: float) -> None:
    """The figures of a cold reading, and how many times as long the fold of every event takes."""
    clock_s, cpu_s = cold
    detail = f"least of {ROUNDS}; of the processor {cpu_s:.2f} s"
    note(Figure(name=f"fills of {FILLS:,} fills, cold", value=clock_s, unit="s", goal=GOAL_S, detail=detail))
    ratio = f"{cpu_s:.2f} s over {plain_cpu_s:.1f} s of the processor, for all three frames; {written.fills:,} rows"
    note(Figure(name="fills cold, over a fold of every event", value=cpu_s / plain_cpu_s, unit="×", detail=ratio))
