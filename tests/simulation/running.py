"""Runs seeds, one after the other or in all processes of the machine, and gives what came of them as values."""

import gc
import hashlib
import multiprocessing
import os
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.simulation import scenario as drawing
from tests.simulation.checker import Checker
from tests.simulation.process import WorldLoop, run_world
from tests.simulation.rivals import memories_of_their_own
from tests.simulation.telling import tell_last
from tests.simulation.witness import witnessed
from tests.simulation.world import World

CHUNK = 10
"""Seeds that a worker takes at a time."""

Pair = tuple[str, str]
"""A kind of fault and the state of an order that it met."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one seed."""

    seed: int
    violations: list[tuple[str, str]] = field(default_factory=list)  # number, sentence and words
    last: list[str] = field(default_factory=list)
    faults: int = 0
    virtual_s: float = 0.0
    wall_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    pairs: Counter[Pair] = field(default_factory=Counter)
    digest: str = ""

    @property
    def failed(self) -> bool:
        """Whether a rule was broken."""
        return bool(self.violations)


def run_seed(seed: int, *, kinds: tuple[str, ...] = (), limits: Mapping[str, Any] | None = None) -> Outcome:
    """Live one seed through.

    Parameters
    ----------
    kinds
        The only kinds of faults of the gateway; empty for all, see `scenario.narrow`.
    limits
        Limits that go before those that the seed draws.
    """
    began = time.perf_counter()
    outcome = Outcome(seed=seed)
    drawn = drawing.narrow(drawing.draw(seed), kinds)
    drawn = replace(drawn, limits={**drawn.limits, **(limits or {})})
    with tempfile.TemporaryDirectory(prefix="hydra_nb-simulation-", dir=_fast_folder()) as folder:

        async def main(loop: WorldLoop) -> None:
            world = World(drawn, loop=loop, folder=Path(folder))
            with memories_of_their_own(), world.wall.installed(), witnessed(world):
                try:
                    await world.live()
                except Exception:  # noqa: BLE001  a defect of the simulation itself is told with its seed, like any other
                    world.checker.violate("0", "0. The simulation itself runs.", traceback.format_exc())
                _fill_in(outcome, world, loop=loop)
                world.leave()

        try:
            run_world(main)
        except Exception:  # noqa: BLE001  as above
            outcome.violations.append(("0", f"0. The simulation itself runs. {traceback.format_exc()}"))
    outcome.wall_s = time.perf_counter() - began
    return outcome


def _fill_in(outcome: Outcome, world: World, *, loop: WorldLoop) -> None:
    checker = world.checker
    outcome.violations = [(found.number, str(found)) for found in checker.violations]
    outcome.last = tell_last(checker.last) if checker.violations else []
    outcome.virtual_s = loop.time()
    outcome.counts = checker.counts + world.errors
    log = world.core.fault_log
    outcome.faults = len(log) + sum(world.happened.values())
    outcome.pairs.update((entry.kind, state) for entry in log for state in entry.states)
    outcome.pairs.update(world.host_faults)
    outcome.digest = _digest(checker)


def _digest(checker: Checker) -> str:
    return hashlib.sha256(b"|".join(checker.trace)).hexdigest()


def _fast_folder() -> str | None:
    """A folder in memory where there is one: nothing here asks the disk to be a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  a folder of its own is made inside


def run_many(
    seeds: Iterable[int],
    *,
    workers: int | None = None,
    kinds: tuple[str, ...] = (),
    limits: Mapping[str, Any] | None = None,
) -> Iterator[Outcome]:
    """Run seeds in processes of their own; outcomes come in the order of the seeds."""
    workers = workers or os.cpu_count() or 1
    run = partial(run_seed, kinds=kinds, limits=limits)
    if workers == 1:
        yield from map(run, seeds)
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_settle_in) as pool:
        yield from pool.map(run, seeds, chunksize=CHUNK)


def _settle_in() -> None:
    """What was imported before the fork is never collected again."""
    gc.freeze()
