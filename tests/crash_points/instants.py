"""Every instant at which a coroutine of the package begins, begins to wait, or goes on; and what befalls it there.

A task of the package runs from one await to the next without a break, so that these are all the instants at which it
can be ended. Each coroutine that a process makes into a task is wrapped, and each of its steps counted; commits go to a
disk that takes its time, in virtual time, so that the await between intent and send is one too.
"""

import asyncio
import contextlib
import gc
import inspect
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import CodeType
from typing import Any

import hydra_nb
from hydra_nb.journal import Journal
from tests.simulation.process import _PROCESS, Process, WorldLoop

ROOMS = ("desk", "order_manager", "broker", "journal", "reconcile")
WRITE_S = 0.0005
"""Virtual seconds until the disk has taken a commit, and again until the loop hears of it."""
MOST_AWAITS_TO_THE_END = 50
"""Times that a coroutine may wait although it is told to end."""

_PACKAGE = str(Path(hydra_nb.__file__).parent) + "/"
_SEND = "order_manager.dispatch.Dispatcher._send"


class Phase(StrEnum):
    """Where between two awaits a coroutine is."""

    BEGINS = "begins"
    WAITS = "begins to wait"
    GOES_ON = "goes on"


class Blow(StrEnum):
    """What befalls a task, or the process, at an instant."""

    KILL = "killed"
    CANCEL = "cancelled"
    INTERRUPT = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One instant of a life.

    Attributes
    ----------
    number
        Its place among all, from 0.
    place
        Room, module and function of the package that the task runs, and those of the innermost one that waits, with the
        line: ``order_manager.dispatch.Dispatcher._send > journal.writer.Writer.commit:125``.
    in_flight
        Whether an order is between its intent and its sending.
    """

    number: int
    phase: Phase
    place: str
    in_flight: bool

    @property
    def function(self) -> str:
        """The place without its line."""
        return self.place.rpartition(":")[0]


class Disk(Executor):
    """Stands in for the journal's thread; `InstantLoop` gives it its time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Do it now: for callers that wait without an await."""
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  handed to whoever asks for the result
            done.set_exception(error)
        return done


class SlowJournal(Journal):
    """The journal as it is, whose commits are awaited as they are outside of virtual time."""

    @classmethod
    def open(cls, path: Any, **how: Any) -> Any:
        """Open it, with a disk that takes its time."""
        journal = super().open(path, **how)
        journal._writer._worker = Disk()  # type: ignore[assignment]
        return journal


class InstantLoop(WorldLoop):
    """Counts the instants of the tasks of every process, and strikes at one of them.

    Attributes
    ----------
    instants
        Those so far.
    strike
        Told every instant as it comes, with the task's coroutine; gives the blow that falls there, or None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.instants: list[Instant] = []
        self.strike: Callable[[Instant], Blow | None] = lambda _instant: None
        self.in_flight: set[Steps] = set()
        self.under_way: set[Steps] = set()
        self.set_task_factory(_make_task)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Write after a while, and tell of it after another; a write that was asked for is not called off."""
        if not isinstance(executor, Disk):
            return super().run_in_executor(executor, func, *args)
        heard: asyncio.Future[Any] = self.create_future()

        def write() -> None:
            self.call_later(WRITE_S, tell, executor.submit(func, *args))

        def tell(written: "Future[Any]") -> None:
            error = written.exception()
            if heard.done():
                return
            if error is None:
                heard.set_result(written.result())
            else:
                heard.set_exception(error)

        self.call_later(WRITE_S, write)
        return heard

    async def bury_tasks(self) -> None:
        """End what dead processes left, where it stands: to run on, as `bury` has it, would take what was dropped."""
        self.set_exception_handler(lambda _loop, _context: None)
        for steps in tuple(self.under_way):
            steps.end()
        left = [task for task in asyncio.all_tasks(self) if not isinstance(task.get_coro(), Steps)]
        left.remove(asyncio.current_task(self))  # type: ignore[arg-type]  # it is inside of one
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)

    def pass_through(self, phase: Phase, *, place: str) -> Blow | None:
        """Count an instant; gives what befalls it."""
        instant = Instant(number=len(self.instants), phase=phase, place=place, in_flight=bool(self.in_flight))
        self.instants.append(instant)
        return self.strike(instant)


def _make_task(loop: Any, coro: Any, context: Context | None = None) -> "asyncio.Task[Any]":
    process = _PROCESS.get() if context is None else context.get(_PROCESS)
    if process is None or not inspect.iscoroutine(coro):
        return asyncio.Task(coro, loop=loop, context=context)
    steps = Steps(coro, loop=loop, process=process)
    steps.task = asyncio.Task(steps, loop=loop, context=context)
    return steps.task


class Steps(Coroutine[Any, Any, Any]):
    """A task's coroutine, step by step."""

    def __init__(self, coro: Any, *, loop: InstantLoop, process: Process) -> None:
        self._coro = coro
        self._loop = loop
        self._process = process
        self._place = _place(coro)
        self._has_begun = False
        self.task: asyncio.Task[Any] | None = None
        loop.under_way.add(self)
        if _SEND in _names(coro):
            loop.in_flight.add(self)

    def send(self, value: Any) -> Any:
        """Go on with a value to the next await."""
        blow = self._resumes()
        match blow:
            case Blow.KILL:
                return self._never()
            case Blow.CANCEL:
                return self._step(lambda: self._coro.throw(asyncio.CancelledError()))
            case Blow.INTERRUPT:
                return self._step(lambda: self._coro.throw(KeyboardInterrupt()))
        return self._step(lambda: self._coro.send(value))

    def throw(self, *error: Any) -> Any:
        """Go on with an error to the next await."""
        if self._resumes() is Blow.KILL:
            return self._never()
        return self._step(lambda: self._coro.throw(*error))

    def __await__(self) -> Any:
        """Nobody waits for it but its task, step by step."""
        raise NotImplementedError

    def close(self) -> None:
        """End without another step."""
        self._coro.close()

    def end(self) -> None:
        """Come to the end without waiting for anything any more."""
        frame = getattr(self._coro, "cr_frame", None)
        work = None if frame is None else frame.f_locals.get("work")
        if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
            work.close()  # whoever was to await it has not begun
        with contextlib.suppress(BaseException):
            for _ in range(MOST_AWAITS_TO_THE_END):
                self._coro.throw(asyncio.CancelledError())

    def _resumes(self) -> Blow | None:
        phase = Phase.GOES_ON if self._has_begun else Phase.BEGINS
        self._has_begun = True
        if self._place is None or not self._process.alive:
            return None
        return self._loop.pass_through(phase, place=self._place)

    def _step(self, go: Callable[[], Any]) -> Any:
        try:
            awaited = go()
        except BaseException:
            self._loop.in_flight.discard(self)
            self._loop.under_way.discard(self)
            raise
        self._place = _place(self._coro)
        if self._place is not None and self._process.alive:
            blow = self._loop.pass_through(Phase.WAITS, place=self._place)
            if blow is Blow.CANCEL and self.task is not None:
                self.task.cancel()
        return awaited

    def _never(self) -> Any:
        """Something to wait for that does not come: the process is dead, and what follows is never run."""
        self._loop.in_flight.discard(self)
        nothing: Any = self._loop.create_future()
        nothing._asyncio_future_blocking = True
        return nothing


def _chain(coro: Any) -> Iterator[Any]:
    """A coroutine and those that it waits for, from the innermost on outwards."""
    found = []
    while coro is not None:
        found.append(coro)
        if isinstance(coro, Steps):
            coro = coro._coro
        elif inspect.iscoroutine(coro):
            coro = coro.cr_await if coro.cr_frame is not None else None
        elif inspect.isgenerator(coro):
            coro = coro.gi_yieldfrom
        elif type(coro).__name__ == "coroutine_wrapper":  # of an object's __await__; it names its coroutine nowhere
            coro = next((one for one in gc.get_referents(coro) if inspect.iscoroutine(one)), None)
        else:
            break
    return reversed(found)


def _places(coro: Any) -> Iterator[str]:
    """Where coroutines of the package wait, from the innermost on outwards."""
    for one in _chain(coro):
        frame = getattr(one, "cr_frame", None)
        if frame is None:
            continue
        work = frame.f_locals.get("work")
        name = _name(frame.f_code)
        if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED and work.cr_frame:
            name, frame = _name(work.cr_frame.f_code) or name, work.cr_frame
        if name is not None:
            yield f"{name}:{frame.f_lineno}"


def _place(coro: Any) -> str | None:
    """The outermost function of the package's own, and the innermost with its line; None outside of the package."""
    everywhere = list(_places(coro))
    places = [place for place in everywhere if "._guard:" not in place] or everywhere
    if not places:
        return None
    outermost, innermost = places[-1].rpartition(":")[0], places[0]
    return innermost if innermost.startswith(f"{outermost}:") else f"{outermost} > {innermost}"


def _names(coro: Any) -> set[str]:
    return {place.rpartition(":")[0] for place in _places(coro)}


def _name(code: CodeType) -> str | None:
    """Room, module and function; None outside of the rooms that are looked at."""
    if not code.co_filename.startswith(_PACKAGE):
        return None
    module = code.co_filename.removeprefix(_PACKAGE).removesuffix(".py").replace("/", ".")
    return f"{module}.{code.co_qualname}" if module.split(".")[0] in ROOMS else None
