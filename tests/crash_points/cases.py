"""Which cases are run, their verdicts, and the table of what came of them."""

import multiprocessing
import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash_points.instants import Blow, Instant, Phase
from tests.crash_points.life import Bars, Case, Run, Told, live
from tests.crash_points.verdict import judge

SEEDS = (7, 8, 9)
STRIDE = 24
"""Per change a task is cancelled, or interrupted, at every so manieth instant, beside those that always are."""
MOST_KILLS = 60
FIRST_BLOWS = 3
"""Kills whose recovery is struck again per change."""
FIRST_BLOWS_FULLY = 6
SECOND_STRIDE = 9
CHUNK = 10
"""Cases that a worker takes at a time."""
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  durable writes there cost nothing


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one case came to, once its folder is gone.

    Attributes
    ----------
    wrong
        What must not be; see `verdict.judge`.
    human
        Contracts that a person had to unlock on the way, with the reasons.
    instants
        All of an undisturbed life; of one with one blow those of the recovery from it.
    """

    case: Case
    struck: Instant | None
    struck_again: Instant | None
    instants: tuple[Instant, ...]
    told: Told | None
    lives: int
    wrong: tuple[str, ...]
    human: tuple[str, ...]
    messages: Counter[str]

    def outcome(self, undisturbed: "Result") -> str:
        """The end in words, beside the one that nothing disturbed."""
        if self.wrong or self.told is None:
            return "WRONG"
        mine, its = self.told, undisturbed.told
        if its is not None and (mine.status, mine.fills) == (its.status, its.fills):
            return "the same fills"
        if its is not None and (mine.status, mine.filled_lots) == (its.status, its.filled_lots):
            return "as many lots"
        return f"{mine.status}, other lots"


def run(case: Case, *, bars: Bars | None = None) -> Result:
    """Live through a case in a folder of its own, and judge it; `bars` spare the next case the drawing of them."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        lived = live(case, folder=Path(folder), bars={} if bars is None else bars)
        return Result(
            case=case,
            struck=lived.struck,
            struck_again=lived.struck_again,
            instants=_worth_keeping(lived),
            told=lived.told,
            lives=lived.lives,
            wrong=tuple(judge(lived)),
            human=tuple(lived.human),
            messages=_messages(lived),
        )


def _worth_keeping(lived: Run) -> tuple[Instant, ...]:
    """Instants at which a case that follows from this one can strike."""
    if lived.case.blow is None:
        return tuple(lived.instants)
    if lived.struck is None or lived.recovered is None or lived.case.again is not None:
        return ()
    return tuple(lived.instants[lived.struck.number + 1 : lived.recovered])


def run_all(cases: Sequence[Case]) -> list[Result]:
    """Live through cases in all processes of the machine; each gives what it gives alone, in the order of the cases."""
    chunks = [cases[start : start + CHUNK] for start in range(0, len(cases), CHUNK)]
    workers = min(len(chunks), os.cpu_count() or 1)
    if workers < 2:
        return _run_chunk(cases)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        return [result for chunk in pool.map(_run_chunk, chunks) for result in chunk]


def _run_chunk(cases: Sequence[Case]) -> list[Result]:
    bars: Bars = {}
    return [run(case, bars=bars) for case in cases]


def _messages(lived: Run) -> Counter[str]:
    """What the gateway was sent about orders: new ones, changed ones, cancels."""
    placed = lived.core.placed()
    new = len({request.order_ref for request in placed})
    return Counter(place=new, modify=len(placed) - new, cancel=len(lived.core.heard(4)))


def every(instants: Sequence[Instant], *, seed: int) -> Iterator[Case]:
    """Every blow at every instant where it can fall."""
    for instant in instants:
        for blow in Blow:
            if blow is Blow.INTERRUPT and instant.phase is Phase.WAITS:
                continue  # an interrupt is raised in code that runs
            for restarts in (True,) if blow is Blow.KILL else (True, False):
                yield Case(seed=seed, number=instant.number, blow=blow, restarts=restarts)


def some(instants: Sequence[Instant], *, seed: int) -> Iterator[Case]:
    """Choose from `every`: every kill, up to a number; of the rest all while an order is in flight or a desk closes."""
    kill_stride = 1 + len(instants) // MOST_KILLS
    for case in every(instants, seed=seed):
        instant = instants[case.number]
        if instant.in_flight or (is_closing(instant) and case.blow is not Blow.KILL):
            yield case
        elif case.blow is Blow.KILL:
            if case.number % kill_stride == 0:
                yield case
        elif case.number % STRIDE == 0 and case.restarts is bool(case.number // STRIDE % 2):
            yield case


def first_blows(instants: Sequence[Instant], *, seed: int, count: int) -> list[Case]:
    """Kills spread over a life, one of them while an order is in flight, as drawn from the seed."""
    dice = random.Random(f"second blows of {seed}")  # noqa: S311  repeatable, not secret
    in_flight = [instant.number for instant in instants if instant.in_flight]
    width = len(instants) // count
    spread = [start * width + dice.randrange(width) for start in range(count)]
    spread[count // 2] = dice.choice(in_flight)
    return [Case(seed=seed, number=number, blow=Blow.KILL) for number in sorted(set(spread))]


def second_blows(first: Result, *, stride: int) -> Iterator[Case]:
    """Every blow at each, or at every so manieth, instant of a recovery."""
    for instant in first.instants[first.case.number % stride :: stride]:
        for one in every([instant], seed=first.case.seed):
            yield replace(first.case, restarts=one.restarts, again=one.blow, again_number=instant.number)


def is_closing(instant: Instant) -> bool:
    """Whether the person waits for the desk to close."""
    return instant.place.startswith("desk.desk.Desk.close")


def table(results: Sequence[Result], *, undisturbed: Result) -> str:
    """Kinds and outcomes by the place where the blow fell."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    instants: dict[str, set[int]] = defaultdict(set)
    for result in results:
        struck = result.struck if result.case.again is None else result.struck_again
        where = "never reached" if struck is None else struck.function
        instants[where].add(-1 if struck is None else struck.number)
        rows[where][result.case.kind] += 1
        rows[where][result.outcome(undisturbed)] += 1
    kinds = sorted({result.case.kind for result in results})
    outcomes = sorted({result.outcome(undisturbed) for result in results})
    heads = ["instants", *kinds, *outcomes]
    width = max(len(where) for where in rows)
    lines = [f"{'where':{width}} {' '.join(heads)}"]
    total: Counter[str] = Counter()
    for where, counts in sorted(rows.items()):
        counts["instants"] = len(instants[where])
        total += counts
        lines.append(_line(where, counts, heads=heads, width=width))
    return "\n".join([*lines, _line("all", total, heads=heads, width=width)])


def _line(where: str, counts: Counter[str], *, heads: Sequence[str], width: int) -> str:
    return " ".join([f"{where:{width}}", *(f"{counts[head]:>{len(head)}}" for head in heads)])
