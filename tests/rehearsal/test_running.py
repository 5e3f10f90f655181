"""Paths over an executor that is not as it should be."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from hydra_nb.errors import InvalidOrder, RehearsalFailed
from hydra_nb.rehearsal.outcome import PathOutcome
from hydra_nb.rehearsal.rehearse import Way
from hydra_nb.rehearsal.running import RunPaths, run_scripts
from tests.rehearsal.made_up import outcome

PIECES = 3
Outcomes = tuple[tuple[PathOutcome, ...], ...]


def paths_on(executor: Executor, *, run: RunPaths) -> "asyncio.Task[Outcomes]":
    """Have one path run by each of three pieces of work, in a task of its own."""
    running = run_scripts(
        [b""] * PIECES, seeds=[1], duration_s=1.0, executor=executor, tell=lambda _done, _total: None, run=run
    )
    return asyncio.get_running_loop().create_task(running)


class Taking(ThreadPoolExecutor):
    """One thread, which says when it was given all pieces of work."""

    def __init__(self) -> None:
        super().__init__(1)
        self.left, self.has_all = PIECES, threading.Event()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Take a piece."""
        piece = super().submit(fn, *args, **kwargs)
        self.left -= 1
        if not self.left:
            self.has_all.set()
        return piece


class Pieces:
    """Pieces of work that are over when the test says so, and how many were begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, _script: bytes, seeds: Sequence[int]) -> tuple[PathOutcome, ...]:
        """Run paths, as the executor's worker does."""
        self.begun += 1
        self.has_begun.set()
        self.go_on.wait(timeout=10)
        return tuple(outcome(seed) for seed in seeds)


@pytest.mark.parametrize("executor", [42, "threads", ThreadPoolExecutor])
def test_what_is_no_executor_is_refused(executor: object) -> None:
    """The class of one is none either."""
    with pytest.raises(InvalidOrder, match=r"executor=.* is no concurrent\.futures\.Executor"):
        Way(n=1, executor=executor)  # type: ignore[arg-type]


def test_an_executor_that_was_shut_down_is_told_in_words() -> None:
    """Before it was given."""
    closed = ThreadPoolExecutor(1)
    closed.shutdown()

    async def main() -> None:
        await paths_on(closed, run=Pieces())

    with pytest.raises(RehearsalFailed, match=r"takes no paths \(.* after shutdown\); give one that is open"):
        asyncio.run(main())


def test_an_executor_that_is_shut_down_meanwhile_is_no_cancelled_cell() -> None:
    """Its pieces are cancelled; whoever waits is not, and hears what happened."""
    pieces, executor = Pieces(), Taking()

    async def main() -> None:
        rehearsing = paths_on(executor, run=pieces)
        await asyncio.to_thread(executor.has_all.wait)
        executor.shutdown(wait=False, cancel_futures=True)
        pieces.go_on.set()
        await rehearsing

    with pytest.raises(RehearsalFailed, match="was shut down, or took paths back, before all were run"):
        asyncio.run(main())


@pytest.mark.parametrize("times", [1, 3])
def test_however_often_it_is_cancelled_it_takes_back_what_has_not_begun(times: int) -> None:
    """By when it is raised: the first piece is let go on, and none comes after it."""
    pieces, executor = Pieces(), Taking()

    async def main() -> None:
        rehearsing = paths_on(executor, run=pieces)
        await asyncio.to_thread(executor.has_all.wait)
        await asyncio.to_thread(pieces.has_begun.wait)
        for _ in range(times):
            rehearsing.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await rehearsing
        pieces.go_on.set()
        await asyncio.to_thread(executor.shutdown)

    asyncio.run(main())

    assert pieces.begun == 1
