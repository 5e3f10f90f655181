"""Calls the function that a person wrote, with a limit of time, and says in words what went wrong with it."""

import asyncio
import contextlib
import datetime as dt
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from hydra_nb.desk.runner.blame import error_words

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk

CANCEL_GRACE_S = 5.0
"""Seconds that an async function may take to clean up once it was cancelled at its limit."""

WANTED = (
    "a pandas DataFrame with the columns instrument and target (or side and lots), or None where nothing is to be done"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """What a runner's function is given; frames are copies, made when it was called.

    Attributes
    ----------
    date
        The trade date; a session of the evening counts for the day after.
    now
        Market time, UTC.
    positions, breakers, cycles
        As `Desk.positions`, `Desk.breakers` and `Desk.cycles` tell.
    equity
        Of the account, in `currency`; NaN where it was not told.
    desk
        For async functions, which run on its loop; None for others, which run beside it in a thread.
    """

    date: dt.date
    now: pd.Timestamp
    positions: pd.DataFrame
    equity: float
    currency: str
    breakers: pd.DataFrame
    cycles: pd.DataFrame
    desk: "Desk | None"


Function = Callable[[Day], object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What the function gave: a frame, nothing to do (None), or why it has no answer."""

    frame: pd.DataFrame | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Outcome:
    """How a call ended; an error is carried as a value, as futures and tasks cannot carry each kind."""

    value: object = None
    error: BaseException | None = None


def is_async(function: Function) -> bool:
    """Whether calling the function gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  an object with an async __call__ is one as well
    )


async def ask(function: Function, day: Day, *, limit_s: float) -> Answer:
    """Call the function and read its answer.

    A function that is not async runs in a thread, so that orders at work are looked after meanwhile. Its limit is
    time of the host, as the work is, also under virtual time, which stands while a thread works; that of an async
    function is time of the loop. A `KeyboardInterrupt` or `asyncio.CancelledError` in it is raised here.

    Parameters
    ----------
    function, day
        What is called with what.
    limit_s
        Seconds; not of the market, which may run faster.
    """
    if is_async(function):
        called = await _awaited(function, day, limit_s=limit_s)
    else:
        called = await _in_thread(function, day, limit_s=limit_s)
        if called is not None and inspect.isawaitable(called.value):  # a function that hands on another's coroutine
            awaitable = called.value
            called = await _awaited(lambda _: awaitable, day, limit_s=limit_s)
    if called is None:
        return Answer(failure=_too_late(function, limit_s))
    if isinstance(called.error, Exception | SystemExit):  # who calls exit() means the function, not orders at work
        return Answer(failure=error_words(called.error))
    if called.error is not None:
        raise called.error
    return read_answer(called.value)


def read_answer(value: object) -> Answer:
    """Tell a frame from nothing to do, and from what is neither."""
    if value is None:
        return Answer()
    if isinstance(value, pd.DataFrame):
        return Answer(frame=None if value.empty else value)
    return Answer(failure=f"the function returned {_kind(value)}; it returns {WANTED}")


def _kind(value: object) -> str:
    text = " ".join(repr(value).split())
    shown = f" {text[:60]}{'…' if len(text) > 60 else ''}" if isinstance(value, str | int | float | bool) else ""
    return f"{type(value).__name__}{shown}"


def _too_late(function: Function, limit_s: float) -> str:
    words = f"the function took longer than the {limit_s:g} s allowed (time_limit_s)"
    if is_async(function):
        return f"{words} and was cancelled; nothing was sent"
    return f"{words}: a thread cannot be stopped, so what it still returns is dropped; nothing was sent"


async def _awaited(function: Function, day: Day, *, limit_s: float) -> _Outcome | None:
    """Await an async function; None where its time was over."""

    async def call() -> _Outcome:
        try:
            return _Outcome(value=await cast("Awaitable[object]", function(day)))
        except BaseException as error:
            own = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and own is not None and own.cancelling():
                raise  # by us, at the limit or as the cycle was stopped
            return _Outcome(error=error)

    task = asyncio.ensure_future(call())
    try:
        await asyncio.wait({task}, timeout=limit_s)
        if task.done():
            return task.result()
    finally:
        if not task.done():
            task.cancel()
    await asyncio.wait({task}, timeout=CANCEL_GRACE_S)
    return None


async def _in_thread(function: Function, day: Day, *, limit_s: float) -> _Outcome | None:
    """Call a function in a thread of its own; None where its time was over."""

    def call() -> _Outcome:
        try:
            return _Outcome(value=function(day))
        except BaseException as error:  # noqa: BLE001  told as a value by who reads it
            return _Outcome(error=error)

    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(_OneThread(), call)
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = not future.done()
        future.cancel()

    def time_is_over() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(give_up)

    # Not a timer of the loop: virtual time stands while a thread works, and would never end a wait for it.
    timer = threading.Timer(limit_s, time_is_over)
    timer.daemon = True
    timer.start()
    try:
        return await future
    except asyncio.CancelledError:
        if is_late:
            return None
        raise
    finally:
        timer.cancel()


class _OneThread(Executor):
    """One call in a thread of its own, for which the end of the program does not wait."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Begin at once."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(
            target=lambda: future.set_result(fn(*args, **kwargs)), name="hydra_nb-runner", daemon=True
        ).start()
        return future
