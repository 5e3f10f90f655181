"""Looks for the seed in which the checker catches a bug, and makes the table of all."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.museum.exhibits import PACKAGE, Exhibit, copy_package, spoil

ROOT = Path(__file__).parent.parent.parent
_VIOLATION = re.compile(r"^ {2}invariant (.+?) At [\d.]+ s: ", re.MULTILINE)
_LONGEST_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of some seeds, up to the first that failed.

    Attributes
    ----------
    failed_seed, invariant
        The seed, and the sentence of the rule that it broke first; None where every seed passed.
    output
        All that was printed.
    """

    failed_seed: int | None
    invariant: str | None
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """One row of the table: seeds needed, and the rule that was broken; None where no seed of those tried sufficed."""

    exhibit: Exhibit
    seeds: int | None
    invariant: str | None


def simulate(folder: Path, seeds: range, *, faults: Sequence[str] = ()) -> Run:
    """Run seeds, in a process of its own, with the package that `folder` holds, until one fails.

    Raises
    ------
    AssertionError
        The simulation could not run, or ran with another package.
    """
    command = [sys.executable, "-m", "tests.simulation", "--package", str(folder), "--workers", "1"]
    command += ["--kinds", ",".join(faults)] if faults else []
    command += ["seeds", "--first", str(seeds.start), "--count", str(len(seeds)), "--stop-at-failure"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    lines = done.stdout.splitlines()
    if done.returncode not in (0, 1) or not lines or not lines[-1].startswith("{"):
        raise AssertionError(f"the simulation did not run: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    if str(folder / PACKAGE.name) not in lines[0]:
        raise AssertionError(f"the simulation ran with another package: {lines[0]}")
    failures = json.loads(lines[-1])["failures"]
    found = _VIOLATION.search(done.stdout)
    seed = next((int(seed) for seed in failures), None)
    return Run(failed_seed=seed, invariant=found and found.group(1), output=done.stdout)


class Sound:
    """Seeds in which the package as it is breaks a rule: none, unless it has a bug of its own. Run when asked about."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._next: dict[tuple[str, ...], int] = {}
        self._failed: dict[tuple[str, ...], set[int]] = {}
        self._turn: dict[tuple[str, ...], threading.Lock] = {}
        self._door = threading.Lock()

    def holds(self, seed: int, *, faults: tuple[str, ...]) -> bool:
        """Whether a seed passes; all seeds before it are run as well."""
        with self._door:
            turn = self._turn.setdefault(faults, threading.Lock())
        with turn:
            failed = self._failed.setdefault(faults, set())
            while left := range(self._next.get(faults, self._first), seed + 1):
                run = simulate(PACKAGE.parent, left, faults=faults)
                if run.failed_seed is not None:
                    failed.add(run.failed_seed)
                self._next[faults] = left.stop if run.failed_seed is None else run.failed_seed + 1
            return seed not in failed


def hunt(exhibit: Exhibit, *, seeds: range, sound: Sound) -> Catch:
    """Look for the first seed in which a rule catches a bug, and the package as it is breaks none."""
    with tempfile.TemporaryDirectory(prefix="hydra_nb-museum-") as folder:
        copy = copy_package(Path(folder))
        spoil(exhibit, copy)
        left = seeds
        while left:
            run = simulate(copy, left, faults=exhibit.faults)
            if run.failed_seed is None:
                break
            if not _is_breakdown(run) and sound.holds(run.failed_seed, faults=exhibit.faults):
                needed = run.failed_seed - seeds.start + 1
                return Catch(exhibit=exhibit, seeds=needed, invariant=run.invariant)
            left = range(run.failed_seed + 1, seeds.stop)
    return Catch(exhibit=exhibit, seeds=None, invariant=None)


def _is_breakdown(run: Run) -> bool:
    """Whether the simulation itself fell over, which proves nothing about the rules."""
    return run.invariant is None or "The simulation itself" in run.invariant


def hunt_all(shown: Iterable[Exhibit], *, seeds: range) -> Iterator[Catch]:
    """Look for each of the bugs, as many at a time as the machine has processors; rows come in the order given."""
    sound = Sound(seeds.start)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(partial(hunt, seeds=seeds, sound=sound), shown)


def page(catches: Sequence[Catch], *, seeds: range) -> str:
    """The table with what it means, as Markdown."""
    caught = sum(row.seeds is not None for row in catches)
    first, last = seeds.start, seeds.stop - 1
    return f"""# The museum of bugs

Each bug is a patch of a few lines in `tests/museum/patches`, applied to a copy of the package, which itself has no
switch for it. The simulation then lives seeds through, from {first} to {last} at most, until a rule of its checker is
broken: "seeds needed" counts them. A seed in which the package as it is breaks a rule too does not count. "Faults"
names the only faults of the gateway that the seeds draw, where it does not say "all"; `kill@reserved` is a person who
kills the desk while an order is on its way to the disk, `kill_rearming@working` one who kills again while it is armed
again, and `submit_closing@working` one who sends an order while it closes.

Made by `python -m tests.museum`; {caught} of {len(catches)} bugs are caught.

{table(catches)}
"""


def table(catches: Iterable[Catch]) -> str:
    """The rows as Markdown."""
    lines = ["| bug | faults | seeds needed | invariant |", "|---|---|---:|---|"]
    for row in catches:
        number, _, name = row.exhibit.name.partition("-")
        bug = f"**{number} {name.replace('-', ' ')}.** {row.exhibit.words}"
        faults = ", ".join(row.exhibit.faults) or "all"
        lines.append(f"| {bug} | {faults} | {row.seeds or '–'} | {row.invariant or 'not caught'} |")
    return "\n".join(lines)
