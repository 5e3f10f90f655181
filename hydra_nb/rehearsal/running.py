"""Many paths over an executor: in pieces, so that whoever waits sees them come, and can stop.

What comes out depends on the seeds alone, not on who ran them, nor on how many did.
"""

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures import CancelledError as TakenBack
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue

from hydra_nb.errors import InvalidOrder, RehearsalFailed
from hydra_nb.rehearsal.outcome import PathOutcome
from hydra_nb.rehearsal.script import run_paths

MOST_PATHS = 100_000
PIECE_S = 0.25
"""Processor seconds that a piece of work should take, about: a cancelled rehearsal waits for those under way."""
MOST_IN_PIECE = 25
LOOK_S = 0.1
"""Host seconds between two looks at whether the caller still wants the answer."""
_PATH_S = 0.004
_S_PER_MARKET_S = 3e-5
"""What a path costs, and a second of its market, on a processor of 2024; only the size of the pieces hangs on it."""

Tell = Callable[[int, int], None]
"""Called with the paths that are done and all that there are, as they come."""
Piece = Future[tuple[PathOutcome, ...]]
RunPaths = Callable[[bytes, Sequence[int]], tuple[PathOutcome, ...]]
"""Runs a packed script on seeds, in whatever process: a function that workers find by its name."""


def draw_seeds(n: int, *, seed: int) -> tuple[int, ...]:
    """Give the seeds of paths: equal arguments give equal ones, a larger `n` more of the same.

    Raises
    ------
    InvalidOrder
        `n` is not a whole number from 1 to 100,000.
    """
    if type(n) is not int or not 1 <= n <= MOST_PATHS:
        raise InvalidOrder(f"n={n!r} paths; give a whole number from 1 to {MOST_PATHS:,}")
    dice = random.Random(f"paths of {seed}")  # noqa: S311  repeats
    return tuple(dice.getrandbits(62) for _ in range(n))


async def run_scripts(
    scripts: Sequence[bytes],
    *,
    seeds: Sequence[int],
    duration_s: float,
    executor: Executor | None,
    tell: Tell,
    run: RunPaths = run_paths,
    cost: float = 1.0,
) -> tuple[tuple[PathOutcome, ...], ...]:
    """Run every script on every seed, and give the outcomes of each, in order of the seeds.

    A thread hands the work over and waits for it, so that the loop of the caller is free; where the caller is
    cancelled, however often, what has not begun is taken back, and the processes of our own have ended when that is
    raised.

    Parameters
    ----------
    scripts
        Of `pack`.
    duration_s
        Length of the longest plan, market seconds.
    executor
        Where the paths run; it is left open. None makes processes of this machine, and ends them.
    tell
        Hears on the loop how far it is.
    run
        What runs the paths of a script.
    cost
        How dear a path is, where 1 is one by the direct driver; only the size of the pieces hangs on it.

    Raises
    ------
    RehearsalFailed
        A process died, the executor was shut down, or a path could not be run.
    """
    size = max(1, min(MOST_IN_PIECE, round(PIECE_S / cost / (_PATH_S + _S_PER_MARKET_S * duration_s))))
    pieces = [tuple(seeds[start : start + size]) for start in range(0, len(seeds), size)]
    loop = asyncio.get_running_loop()
    tell(0, len(scripts) * len(seeds))
    errand = _Errand(
        work=[(script, piece) for script in scripts for piece in pieces],
        total=len(scripts) * len(seeds),
        run_paths=run,
        tell=lambda done, total: loop.call_soon_threadsafe(tell, done, total),
    )
    running = loop.run_in_executor(None, errand.run, executor)
    try:
        found = await asyncio.shield(running)
    except asyncio.CancelledError:
        errand.unwanted.set()
        await _over(running)
        with contextlib.suppress(RehearsalFailed):
            running.result()
        raise
    of_script = [found[number : number + len(pieces)] for number in range(0, len(found), len(pieces))]
    return tuple(tuple(path for piece in of_one for path in piece) for of_one in of_script)


async def _over(running: "asyncio.Future[list[tuple[PathOutcome, ...]]]") -> None:
    """Wait until the thread is over; who is cancelled meanwhile goes on waiting, as it will be over soon."""
    while not running.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([running])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """What the thread does; `unwanted` is set when nobody waits for it any more."""

    work: list[tuple[bytes, tuple[int, ...]]]
    total: int
    run_paths: RunPaths
    tell: Callable[[int, int], object]
    unwanted: threading.Event = field(default_factory=threading.Event)

    def run(self, executor: Executor | None) -> list[tuple[PathOutcome, ...]]:
        """Run all of it, and leave no process of our own."""
        if executor is not None:
            return self._run_on(executor)
        with _processes() as own:
            return self._run_on(own)

    def _run_on(self, executor: Executor) -> list[tuple[PathOutcome, ...]]:
        found: list[tuple[PathOutcome, ...]] = [()] * len(self.work)
        waiting: dict[Piece, int] = {}
        try:
            for number, (script, seeds) in enumerate(self.work):
                waiting[self._submit(executor, script, seeds)] = number
            self._collect(waiting, found)
        except BrokenExecutor as error:
            raise RehearsalFailed(
                f"a process that ran paths died ({error}). A program of its own must keep what it does under "
                "`if __name__ == '__main__':`, as its processes read it too; else look whether memory is short"
            ) from error
        except TakenBack as error:  # to asyncio it would be the caller who was cancelled
            raise RehearsalFailed(
                "the executor was shut down, or took paths back, before all were run; leave it open until they are"
            ) from error
        finally:
            for piece in waiting:
                piece.cancel()
        return found

    def _submit(self, executor: Executor, script: bytes, seeds: tuple[int, ...]) -> Piece:
        try:
            return executor.submit(self.run_paths, script, seeds)
        except BrokenExecutor:
            raise
        except RuntimeError as error:
            raise RehearsalFailed(f"the executor takes no paths ({error}); give one that is open") from error

    def _collect(self, waiting: dict[Piece, int], found: list[tuple[PathOutcome, ...]]) -> None:
        """Take pieces as they come; the first failure is raised."""
        done: SimpleQueue[Piece] = SimpleQueue()
        for piece in waiting:
            piece.add_done_callback(done.put)
        left, count = len(waiting), 0
        while left and not self.unwanted.is_set():
            try:
                piece = done.get(timeout=LOOK_S)
            except Empty:
                continue
            paths = piece.result()
            found[waiting[piece]] = paths
            left, count = left - 1, count + len(paths)
            self.tell(count, self.total)


def _processes() -> ProcessPoolExecutor:
    """Processes of this machine, made anew: a notebook has threads, which a fork would take along half."""
    return ProcessPoolExecutor(
        max_workers=os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_be_led_by_the_parent,
    )


def _be_led_by_the_parent() -> None:
    """Leave interrupts to the parent, and end with it: a kernel that is killed leaves nobody behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
