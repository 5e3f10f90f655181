"""Tries mutants against the tests of their room: a process for each, forked where everything is ready to run.

A function's mutant is tried on collected tests, its code put in the place of the original's, and by the tests that call
it. What runs at import (tables, defaults, and the functions that make them) is tried by importing it all anew.
"""

import contextlib
import gc
import importlib.abc
import importlib.metadata
import importlib.util
import json
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import hypothesis
import pytest

from tests.mutants.mutants import ROOM, ROOT, Mutant

TESTS = ROOT / "tests" / "risk"
FIRST = tuple(
    str(TESTS / name) for name in ("test_table.py", "test_limits.py", "test_package.py", "test_limit_words.py")
)
"""Tests that look at tables, and so are asked first about a mutant of one."""
LONG_S, SLOW_S = 2.0, 0.1
"""Tests that take longer are asked only about `ASKED_AT_LENGTH`, and last."""
ASKED_AT_LENGTH = ("whole_order.py",)
"""What a whole order would pass is found by trying everything, which is long, and says little of a single check."""
CPU_S = 60
"""Processor time that the tests of one mutant may take; they take less than 20 s where nothing is wrong."""
WALL_S = 300
MEMORY_BYTES = 4 << 30
_PYTEST = (
    "-x",
    "-q",
    "-s",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-o",
    "timeout=0",
    "-W",
    "ignore",
    "--rootdir",
    str(ROOT),
)
_QUICK = ("--ignore", str(TESTS / "test_golden_table.py"), "-k", "not trying_everything")
"""Leaves out what takes seconds: a whole desk, and every number of lots."""
_SURVIVED, _KILLED = 0, 1

Place = tuple[str, str]
"""A file of the room and the qualified name of a function."""


class Outcome(StrEnum):
    """What became of a mutant; that nobody calls it, is a way to survive."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNCALLED = "uncalled"


def in_processes(
    mutants: Sequence[Mutant],
    trial: Callable[[Mutant], bool],
    *,
    workers: int,
    tell: Callable[[Mutant, Outcome], None],
) -> None:
    """Try mutants, each in a process forked from this one; `trial` says there whether it was noticed."""
    gc.collect()
    gc.freeze()  # what is shared with the processes stays shared, as no collection touches it
    waiting, running = list(reversed(mutants)), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _be_tried(mutant, trial)
            running[pid] = mutant
        pid, status = os.wait()
        if pid in running:
            tell(running.pop(pid), _outcome(status))


def _be_tried(mutant: Mutant, trial: Callable[[Mutant], bool]) -> None:
    """Run one trial in this process, in silence and within bounds, and end it."""
    status = _KILLED
    try:
        gc.disable()
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL_S)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        status = _KILLED if trial(mutant) else _SURVIVED
    finally:
        os._exit(status)  # nothing of the parent's may be written or closed here a second time


def _outcome(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        slow = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
        return Outcome.TIMEOUT if slow else Outcome.KILLED
    return Outcome.SURVIVED if os.WEXITSTATUS(status) == _SURVIVED else Outcome.KILLED


# Functions, on collected tests


class OnCollectedTests:
    """Plugin of pytest that, where the tests would run, tries mutants with them instead.

    Parameters
    ----------
    mutants
        Those of functions.
    workers
        Processes at a time.
    tell
        Told the outcome of each.
    """

    def __init__(self, mutants: Sequence[Mutant], *, workers: int, tell: Callable[[Mutant, Outcome], None]) -> None:
        self._mutants, self._workers, self._tell = mutants, workers, tell
        self._at_import: set[Place] = set()

    def collect_and_try(self) -> int:
        """Import and collect with an eye on which functions of the room run already; then try all mutants."""
        with _calls_seen(self._at_import):
            return int(pytest.main([*_PYTEST, str(TESTS)], plugins=[self]))

    def pytest_collection_modifyitems(self) -> None:
        """Look away again: what runs from here on, runs in a test."""
        sys.setprofile(None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Find out which tests call which functions, then try each mutant with those, the quickest first."""
        callers = _callers_of(session)
        fresh: list[Mutant] = []
        called: list[Mutant] = []
        for mutant in self._mutants:
            place = (mutant.file, mutant.place)
            if place in callers:
                called.append(mutant)
            elif place in self._at_import:
                fresh.append(mutant)
            else:
                self._tell(mutant, Outcome.UNCALLED)

        def trial(mutant: Mutant) -> bool:
            _put_in_place(mutant)
            return _some_fails([session.items[at] for at in callers[mutant.file, mutant.place]])

        def told(mutant: Mutant, outcome: Outcome) -> None:
            if outcome is Outcome.SURVIVED and (mutant.file, mutant.place) in self._at_import:
                fresh.append(mutant)
            else:
                self._tell(mutant, outcome)

        in_processes(called, trial, workers=self._workers, tell=told)
        self.fresh = fresh
        return True


def _callers_of(session: pytest.Session) -> dict[Place, list[int]]:
    """Which tests call each function of the room, in the order in which to ask them; told by a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            found: list[tuple[float, list[Place]]] = []
            failed = []
            for item, following in zip(session.items, [*session.items[1:], None], strict=True):
                seen: set[Place] = set()
                _forget()  # or a function that remembers would be called by the first test alone
                began_s = time.process_time()
                with _calls_seen(seen):
                    if _fails(item, following):
                        failed.append(item.nodeid)
                found.append((time.process_time() - began_s, sorted(seen)))
            with os.fdopen(writing, "w", encoding="utf-8") as answer:
                json.dump({"failed": failed, "found": found}, answer)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        told = json.load(answer)
    os.waitpid(pid, 0)
    if told["failed"]:
        raise SystemExit(f"tests fail without any mutant: {', '.join(told['failed'])}")
    callers: dict[Place, list[int]] = {}
    for number, (took_s, called) in enumerate(told["found"]):
        for file, place in called:
            if took_s < LONG_S or file in ASKED_AT_LENGTH:
                callers.setdefault((file, place), []).append(number)
    for (file, _), numbers in callers.items():
        numbers.sort(
            key=lambda at: (told["found"][at][0] > SLOW_S, Path(file).stem not in session.items[at].nodeid, at)
        )
    return callers


def _some_fails(items: Sequence[pytest.Item]) -> bool:
    return any(_fails(item, following) for item, following in zip(items, [*items[1:], None], strict=True))


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test with its fixtures, and without the reports, which would take most of the time."""
    state = item.session._setupstate
    try:
        state.setup(item)
        item.runtest()
    except pytest.skip.Exception:
        return False
    except BaseException:  # noqa: BLE001 (an interrupt that a mutant raises is a failure as well)
        return True
    finally:
        with contextlib.suppress(Exception):
            state.teardown_exact(following)
    return False


@contextlib.contextmanager
def _calls_seen(seen: set[Place]) -> Iterator[None]:
    """Note the functions of the room that are called meanwhile, by this thread or those that it starts."""
    folder = f"{ROOM}{os.sep}"

    def look(frame: types.FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(folder):
            seen.add((code.co_filename[len(folder) :], code.co_qualname.partition(".<locals>")[0]))

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)


def _put_in_place(mutant: Mutant) -> None:
    """Give the function that lives the code and defaults of the mutant."""
    live = sys.modules[f"hydra_nb.risk.{Path(mutant.file).stem}"]
    other = types.ModuleType(live.__name__)
    other.__file__ = live.__file__
    exec(compile(mutant.source, str(ROOM / mutant.file), "exec"), other.__dict__)  # noqa: S102 (our own source)
    old, new = _function(live, mutant.place), _function(other, mutant.place)
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    _forget()


def _forget() -> None:
    """Clear what the functions of the room remember."""
    for name, module in list(sys.modules.items()):
        if name.startswith("hydra_nb.risk"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _function(module: types.ModuleType, place: str) -> types.FunctionType:
    """The plain function by its qualified name, under whatever decorates it."""
    holder, _, name = place.rpartition(".")
    found: object = vars(getattr(module, holder) if holder else module)[name]
    while not isinstance(found, types.FunctionType):
        # A property has its function in fget; a class method, and a function that remembers, know what they wrap.
        found = getattr(found, "fget" if isinstance(found, property) else "__wrapped__")
    return found


# What runs at import, by importing it anew


class _MutatedFile(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives a mutant's source where its module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        stem = Path(mutant.file).stem
        self._module = "hydra_nb.risk" if stem == "__init__" else f"hydra_nb.risk.{stem}"

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> object:
        if fullname != self._module:
            return None
        place = str(ROOM / self._mutant.file)
        inside = [str(ROOM)] if self._mutant.file == "__init__.py" else None
        return importlib.util.spec_from_file_location(fullname, place, loader=self, submodule_search_locations=inside)

    def get_source(self, _fullname: str) -> str:
        return self._mutant.source

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._mutant.source, str(ROOM / self._mutant.file), "exec"), module.__dict__)  # noqa: S102


def import_the_rest() -> None:
    """Import what the trials below need and no mutant is in."""
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, phases=tuple(hypothesis.Phase)[:3]
    )
    hypothesis.settings.load_profile("mutants")
    for module in ("asyncio", "pandas", "hydra_nb.domain.board", "hydra_nb.domain.events", "hydra_nb.domain.orders"):
        importlib.import_module(module)
    for plugin in importlib.metadata.entry_points(group="pytest11"):
        plugin.load()


def by_importing_anew(mutant: Mutant) -> bool:
    """Whether a test fails with the mutant in the source: those of the tables first, then all but the slow ones."""
    assert not any(name.startswith("hydra_nb.risk") for name in sys.modules)
    sys.meta_path.insert(0, _MutatedFile(mutant))
    first = [path for path in FIRST if Path(path).exists()]
    return _noticed(first) or _noticed([str(TESTS), *_QUICK])


def _noticed(selection: Sequence[str]) -> bool:
    loop = _Loop()
    return int(pytest.main([*_PYTEST, "--assert=plain", *selection], plugins=[loop])) != 0 or loop.noticed


class _Loop:
    """Plugin of pytest that runs the tests until one fails."""

    noticed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """No report is made."""
        if session.testsfailed:  # an error at collection
            self.noticed = True
        else:
            self.noticed = _some_fails(session.items)
        return True
