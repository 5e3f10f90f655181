"""The function of a person: called with a day, limited in time, and blamed by line."""

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.desk.runner.asking import Answer, Day, ask, read_answer
from hydra_nb.desk.runner.blame import error_words
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from tests.runner.scenes import oats

DAY: Any = None
"""Nothing of the day is looked at here."""


def answer_of(function: Callable[[Day], Any], *, limit_s: float = 60.0) -> tuple[Answer, float]:
    """Ask under virtual time; gives the answer and the virtual seconds that passed."""

    async def whole(loop: VirtualLoop) -> tuple[Answer, float]:
        return await ask(function, DAY, limit_s=limit_s), loop.time()

    return run_virtual(whole)


class AsyncObject:
    """An object that is called as an async function is."""

    async def __call__(self, _day: Day) -> pd.DataFrame:
        """Wait, and answer."""
        await asyncio.sleep(1)
        return oats(3)


async def waits(_day: Day) -> pd.DataFrame:
    """Wait for a minute, and answer."""
    await asyncio.sleep(60)
    return oats(3)


def hands_on(day: Day) -> Any:
    """Give the coroutine of another function."""
    return waits(day)


@pytest.mark.parametrize(
    "function",
    [lambda _: oats(3), waits, hands_on, AsyncObject(), functools.partial(waits)],
    ids=["sync", "async", "hands on", "object", "partial"],
)
def test_functions_of_all_kinds_answer(function: Any) -> None:
    """Async or not, by themselves or through another."""
    answer, _ = answer_of(function, limit_s=90)

    assert answer.failure is None
    assert answer.frame is not None
    assert answer.frame["target"].tolist() == [3]


def test_a_function_that_is_not_async_leaves_the_loop_to_others() -> None:
    """It runs in a thread of its own."""
    threads: list[str] = []

    answer_of(lambda _: threads.append(threading.current_thread().name))

    assert threads == ["hydra_nb-runner"]


def test_an_async_function_is_cancelled_at_its_limit() -> None:
    """And may clean up."""
    ends: list[str] = []

    async def endless(_day: Day) -> None:
        try:
            await asyncio.sleep(10_000)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    answer, passed_s = answer_of(endless, limit_s=20)

    assert ends == ["cancelled"]
    assert answer.failure == (
        "the function took longer than the 20 s allowed (time_limit_s) and was cancelled; nothing was sent"
    )
    assert 20 <= passed_s < 21


def test_an_async_function_that_will_not_be_cancelled_is_left_alone() -> None:
    """After a grace; the cycle is not held up by it."""

    async def stubborn(_day: Day) -> None:
        while True:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                await asyncio.sleep(100)
                return

    answer, passed_s = answer_of(stubborn, limit_s=20)

    assert answer.failure is not None
    assert 25 <= passed_s < 26


def test_a_thread_is_waited_for_in_time_of_the_host_and_then_dropped() -> None:
    """Virtual time stands while it works, so that a timer of the loop would never end the wait."""
    goes_on = threading.Event()

    def slow(_day: Day) -> pd.DataFrame:
        goes_on.wait(20)
        return oats(3)

    begun_s = time.monotonic()
    answer, passed_s = answer_of(slow, limit_s=0.2)
    took_s = time.monotonic() - begun_s
    goes_on.set()

    assert answer.failure == (
        "the function took longer than the 0.2 s allowed (time_limit_s): a thread cannot be stopped, so what it still"
        " returns is dropped; nothing was sent"
    )
    assert took_s < 10
    assert passed_s < 1


def fails(_day: Day) -> None:
    """Fail in another's code, which was called from here."""
    pd.DataFrame({"a": [1]})["b"]


async def fails_later(day: Day) -> None:
    """Fail in the same way, on the loop."""
    await asyncio.sleep(1)
    fails(day)


@pytest.mark.parametrize("function", [fails, fails_later])
def test_an_error_is_told_with_the_line_of_the_person(function: Any) -> None:
    """The last one that is neither ours nor of an installed package, by file and line, without its folder."""
    answer, _ = answer_of(function)

    line = fails.__code__.co_firstlineno + 2
    assert answer.failure == f"KeyError: 'b' (test_asking.py, line {line})"


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("is_async", [True, False])
def test_an_interrupt_in_the_function_is_not_swallowed(error: type[BaseException], is_async: bool) -> None:
    """It is no answer."""

    def interrupted(_day: Day) -> None:
        raise error

    async def interrupted_later(_day: Day) -> None:
        await asyncio.sleep(1)
        raise error

    with pytest.raises(error):
        answer_of(interrupted_later if is_async else interrupted)


def leaves(_day: Day) -> None:
    """End the program, or so it thinks."""
    sys.exit(3)


async def leaves_later(day: Day) -> None:
    """Likewise, on the loop."""
    await asyncio.sleep(1)
    leaves(day)


@pytest.mark.parametrize("function", [leaves, leaves_later])
def test_a_function_that_exits_does_not_end_the_program(function: Any) -> None:
    """Orders of others may be at work in it."""
    answer, _ = answer_of(function)

    line = leaves.__code__.co_firstlineno + 2
    assert answer.failure == f"SystemExit: 3 (test_asking.py, line {line})"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ZO", "str 'ZO'"),
        (pd.Series([1, 2]), "Series"),
        ([{"instrument": "ZO", "target": 1}], "list"),
        (3, "int 3"),
        (float("nan"), "float nan"),
        ({"ZO": 1}, "dict"),
        (True, "bool True"),
        (oats, "function"),
    ],
)
def test_rubbish_is_told_with_what_is_wanted(value: Any, kind: str) -> None:
    """By its kind, and what a function returns instead."""
    answer = read_answer(value)

    assert answer.frame is None
    assert answer.failure == (
        f"the function returned {kind}; it returns a pandas DataFrame with the columns instrument and target (or side"
        " and lots), or None where nothing is to be done"
    )


@pytest.mark.parametrize("value", [None, pd.DataFrame(), oats(1).iloc[:0]])
def test_nothing_to_do_is_no_error(value: Any) -> None:
    """None, or a frame without rows."""
    answer = read_answer(value)

    assert (answer.frame, answer.failure) == (None, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file", "/home/jane/work/x.csv"), "FileNotFoundError: No such file: x.csv"),
        (FileNotFoundError(2, "No such file", b"/home/jane/x.csv"), "FileNotFoundError: No such file: x.csv"),
        (OSError(18, "Cross-device link", "/home/jane/a.csv", None, "/mnt/b"), "OSError: Cross-device link: a.csv: b"),
        (OSError(9, "Bad file descriptor", 7), "OSError: Bad file descriptor: 7"),
        (PermissionError(13, "Denied", r"C:\Users\Jane Doe\x.csv"), "PermissionError: Denied: x.csv"),
        (OSError("nothing"), "OSError: nothing"),
        (ValueError("/home/jane/work/x.csv is empty"), "ValueError: x.csv is empty"),
        (ValueError("none in '/home/Jane Doe/my work/x y.csv', line 3"), "ValueError: none in 'x y.csv', line 3"),
        (ValueError(r"none in C:\Users\jane\x.csv"), "ValueError: none in x.csv"),
        (ValueError("none (~/work/x.csv)"), "ValueError: none (x.csv)"),
        (
            ValueError("see https://example.org/a/b, in cents/bu"),
            "ValueError: see https://example.org/a/b, in cents/bu",
        ),
        (ValueError("3/4 and/or, 1 / 2 of 'a/b'"), "ValueError: 3/4 and/or, 1 / 2 of 'a/b'"),
    ],
    ids=str,
)
def test_an_error_names_files_and_not_their_folders(error: Exception, words: str) -> None:
    """What is journalled, shown and written into pages is shared; a folder has the name of a person, or more."""
    assert error_words(error) == words


def test_folders_with_blanks_are_left_out_where_they_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in which a person works."""
    folder = tmp_path / "Jane Doe"
    folder.mkdir()
    monkeypatch.chdir(folder)

    words = error_words(ValueError(f"{folder / 'signals' / 'x.csv'} is empty"))

    assert words == "ValueError: x.csv is empty"


def test_a_file_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    """The line on which Python stumbled."""
    path = tmp_path / "mine.py"
    path.write_text("a = 1\nb = = 2\n", encoding="utf-8")

    try:
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
    except SyntaxError as error:
        words = error_words(error)

    assert words == "SyntaxError: invalid syntax (mine.py, line 2)"
