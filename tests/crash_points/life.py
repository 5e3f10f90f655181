"""A person at a notebook who runs a TWAP, cancels its end, and runs the notebook again whenever something ended it."""

import asyncio
import contextlib
import random
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hydra_nb
from hydra_nb.desk import connect as composition
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import HydraError, InvalidOrder
from hydra_nb.order_manager import AlreadySent
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import decode
from hydra_nb.sim.messages import parse
from hydra_nb.sim.records import DailyBar
from hydra_nb.sim.requests import PlaceOrder
from hydra_nb.sim.session import Session
from tests.crash_points.instants import Blow, Instant, InstantLoop, SlowJournal
from tests.simulation.host import crash_journal, forget_process
from tests.simulation.process import Killed, Process
from tests.whole_stack import SERVER_VERSION, WitnessCore

SYMBOL = "ZR"
LOTS = 9
SLICES = 3
DURATION = "4m"
PATIENCE_S = 20.0
CANCEL_FROM_LOTS = 6
"""Once so many lots are filled and others rest, the person cancels what is left."""
MOST_PARENTS = 4
REFUSED_WAIT_S = 1.0
"""An order that is refused, for instance for want of a quote, is sent again after so long."""
CLIENT_ID = 1
Bars = dict[tuple[int, ...], list[DailyBar]]
AWAY_S = (1.0, 60.0)
PATIENCE_OF_THE_PERSON_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """What befalls one run.

    Attributes
    ----------
    number
        Of the instant at which it falls; -1 where nothing does.
    restarts
        Whether the process ends a while after a task was cancelled or interrupted, and a new one takes over; else the
        person goes on in the same. A kill ends it at once.
    again, again_number
        What befalls the recovery from the first blow, and at which instant, counted from the beginning of all.
    """

    seed: int
    number: int = -1
    blow: Blow | None = None
    restarts: bool = True
    again: Blow | None = None
    again_number: int = -1

    @property
    def kind(self) -> str:
        """What happens, in words."""
        if self.blow is None:
            return "undisturbed"
        last = self.again or self.blow
        then = "killed" if last is Blow.KILL else f"{last}, {'restarted' if self.restarts else 'goes on'}"
        return then if self.again is None else f"then {then}"


@dataclass(kw_only=True)
class Told:
    """What the last desk told before it was closed."""

    parent_id: str
    status: ParentStatus
    filled_lots: int
    shortfall_lots: int
    working_lots: int
    fills: list[tuple[str, int, int, float]]
    breaks: int
    locked: dict[str, str]


@dataclass(kw_only=True)
class Run:
    """What one run came to, for the verdict.

    Attributes
    ----------
    undurable
        Place frames that came to the gateway before the disk held their intents.
    raised
        What was raised to the person, or past the edge of a task, and is not the blow itself.
    human
        Contracts that were locked for a person to look at, with the reasons.
    recovered
        How many instants there had been when the first recovery was through, from connecting to resuming.
    """

    case: Case
    core: WitnessCore
    journal: Path
    instants: list[Instant] = field(default_factory=list)
    struck: Instant | None = None
    struck_again: Instant | None = None
    recovered: int | None = None
    lives: int = 0
    told: Told | None = None
    undurable: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    human: list[str] = field(default_factory=list)


class RememberingExchange(Exchange):
    """The market as it is, which draws its bars of the past once for all lives of a seed."""

    def __init__(self, *, seed: int, bars: Bars) -> None:
        super().__init__(seed=seed)
        self._bars = bars

    def daily_bars(self, con_id: int, days: int, now_ns: int) -> list[DailyBar]:
        """Give the bars, from memory where they were drawn on that day before."""
        key = self.seed, con_id, days, now_ns // (3600 * NS_PER_S)
        if key not in self._bars:
            self._bars[key] = super().daily_bars(con_id, days, now_ns)
        return self._bars[key]


class AuditCore(WitnessCore):
    """The gateway, which looks at the disk whenever an order comes in."""

    def __init__(self, exchange: Exchange, *, journal: Path) -> None:
        super().__init__(exchange)
        self._journal = journal
        self.undurable: list[str] = []

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Ask the disk for the intent, then act."""
        if data[4:6] == b"3\0":
            request = parse(decode(data[4:]), server_version=SERVER_VERSION)
            if isinstance(request, PlaceOrder) and not (request.what_if or self._is_durable(request.order_ref)):
                self.undurable.append(request.order_ref)
        super().receive(session, data, now_ns)

    def _is_durable(self, order_ref: str) -> bool:
        """Whether the disk holds as many intents of this order as came in, this one included."""
        came = 1 + sum(request.order_ref == order_ref for request in self.placed())
        query = "SELECT count(*) FROM events WHERE kind = 'ChildReserved' AND order_ref = ?"
        with contextlib.closing(sqlite3.connect(f"{self._journal.as_uri()}?mode=ro", uri=True)) as disk:
            (held,) = disk.execute(query, (order_ref,)).fetchone()
        return bool(held >= came)


class _Deaf:
    """Listens to no line."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_heard: None


class Notebook:
    """The person, the processes in which the notebook runs, and the market that outlives them."""

    def __init__(self, run: Run, *, loop: InstantLoop) -> None:
        self._run = run
        self._loop = loop
        self._case = run.case
        # Up to a second blow the life must be the very one that had only the first.
        key = f"{self._case.seed} {self._case.number} {self._case.blow}"
        self._dice = random.Random(key)  # noqa: S311  repeatable, not secret
        self._away_s = self._dice.uniform(*AWAY_S)
        self._process: Process | None = None
        self._journals: list[Any] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        loop.stand(run.core)
        loop.strike = self._strike
        loop.set_exception_handler(self._unhandled)

    async def live(self) -> None:
        """Run the notebook, and again from its top whenever something ended it, until it came to its end."""
        async with asyncio.timeout(PATIENCE_OF_THE_PERSON_S):
            while self._run.told is None:
                if self._process is None or not self._process.alive:
                    self._process = Process(self._loop, client_id=CLIENT_ID, ears=_Deaf())
                    self._run.lives += 1
                try:
                    await self._from_the_top(self._process)
                except Killed:
                    await asyncio.sleep(self._away_s)
                except (asyncio.CancelledError, KeyboardInterrupt):
                    if self._is_over_patience() or self._run.struck is None:
                        raise
                    await asyncio.sleep(self._away_s / 2)

    def _is_over_patience(self) -> bool:
        current = asyncio.current_task()
        return current is not None and current.cancelling() > 0

    async def _from_the_top(self, process: Process) -> None:
        desk = await process.run(self._connect())
        parents = desk._rooms.manager.ledger.parents
        while len(parents) < MOST_PARENTS and all(one.status is ParentStatus.REFUSED for one in parents.values()):
            plan = await process.run(
                desk.preview(
                    "BUY",
                    LOTS,
                    SYMBOL,
                    strategy="twap",
                    slices=SLICES,
                    duration=DURATION,
                    patience=PATIENCE_S,
                    seed=self._case.seed,
                )
            )
            await process.run(desk.submit(plan))
            await asyncio.sleep(REFUSED_WAIT_S)
        execution = desk.execution(next(reversed(parents)))
        if execution.status is ParentStatus.INTERRUPTED:
            await self._resume(process, desk, execution.parent_id)
        if process.alive and self._run.struck is not None and self._run.recovered is None:
            self._run.recovered = len(self._loop.instants)
        process.start(_watch(execution))
        await self._until(process, lambda: execution.status.is_over or _is_time_to_cancel(execution))
        if not execution.status.is_over:
            await process.run(execution.cancel())
        breaks = await process.run(desk.reconcile())
        told = Told(
            parent_id=execution.parent_id,
            status=execution.status,
            filled_lots=execution.filled_lots,
            shortfall_lots=execution.shortfall_lots,
            working_lots=execution.working_lots + sum(1 for _ in desk._rooms.manager.ledger.open_orders()),
            fills=[(row.fill_id, int(row.slice), int(row.lots), float(row.price)) for row in desk.fills().itertuples()],
            breaks=len(breaks),
            locked=desk.locked,
        )
        await process.run(desk.close())
        self._run.told = told

    async def _connect(self) -> Any:
        return await hydra_nb.connect(seed=self._case.seed, speed="max", journal=self._run.journal, client_id=CLIENT_ID)

    async def _resume(self, process: Process, desk: Any, parent_id: str) -> None:
        """Take the parent up; what is locked, a person looks up at the broker first."""
        try:
            await process.run(desk.resume(parent_id))
        except InvalidOrder:
            for symbol, reason in desk.locked.items():
                self._run.human.append(reason)
                await process.run(desk.unlock(symbol, reason="compared with the broker's statement"))
            await process.run(desk.resume(parent_id))

    @staticmethod
    async def _until(process: Process, holds: Callable[[], bool]) -> None:
        while not holds():
            await asyncio.sleep(0.5)
            if not process.alive:
                raise Killed

    def opened(self, journal: Any) -> None:
        """A journal was opened, and is lost with its process."""
        self._journals.append(journal)

    def _strike(self, instant: Instant) -> Blow | None:
        if instant.number == self._case.number:
            self._run.struck, blow = instant, self._case.blow
        elif instant.number == self._case.again_number:
            self._run.struck_again, blow = instant, self._case.again
        else:
            return None
        if blow is Blow.KILL:
            self.kill()
        elif self._case.restarts:
            task = self._loop.create_task(self._end_later(), context=self._loop._market_context.copy())
            self._tasks.add(task)
        return blow

    async def _end_later(self) -> None:
        await asyncio.sleep(self._away_s)
        if self._run.told is None:
            self.kill()

    def kill(self) -> None:
        """End the process that the notebook runs in; what is durable stays."""
        if self._process is not None and self._process.alive:
            self._process.kill()
        for journal in self._journals:
            if not journal._closed:
                crash_journal(journal, dice=self._dice)
                journal._closed = True
        self._journals.clear()
        forget_process(self._loop)

    def _unhandled(self, _loop: Any, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), KeyboardInterrupt):
            self._run.raised.append(f"{context.get('message')}: {context.get('exception')!r}")


async def _watch(execution: Any) -> None:
    """A cell that waits for the end of the order while another cancels it."""
    with contextlib.suppress(asyncio.CancelledError):
        await execution


def _is_time_to_cancel(execution: Any) -> bool:
    return execution.filled_lots >= CANCEL_FROM_LOTS and execution.working_lots > 0


def live(case: Case, *, folder: Path, bars: Bars) -> Run:
    """Live through one case, from an empty folder to a closed desk; `bars` are shared by the lives of all cases."""
    journal = folder / "journal.sqlite"
    core = AuditCore(RememberingExchange(seed=case.seed, bars=bars), journal=journal)
    run = Run(case=case, core=core, journal=journal)
    loop = InstantLoop()
    notebook = Notebook(run, loop=loop)
    try:
        asyncio.set_event_loop(loop)
        with _opening_through(notebook), warnings.catch_warnings():
            warnings.simplefilter("ignore", AlreadySent)
            try:
                _run_through_interrupts(loop, loop.create_task(notebook.live()))
            except HydraError as error:
                run.raised.append(f"to the person: {error!r}")
            except TimeoutError:
                run.raised.append("the notebook did not come to its end")
        run.instants = loop.instants
    finally:
        _leave(loop, notebook)
    run.undurable = core.undurable
    return run


def _run_through_interrupts(loop: InstantLoop, main: "asyncio.Task[None]") -> None:
    """Run to the end; an interrupt comes out of the loop, and a notebook's kernel goes on with it."""
    while not main.done():
        try:
            loop.run_until_complete(main)
        except KeyboardInterrupt:
            if main.done():
                raise


def _leave(loop: InstantLoop, notebook: Notebook) -> None:
    try:
        notebook.kill()
        loop.run_until_complete(loop.bury_tasks())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextlib.contextmanager
def _opening_through(notebook: Notebook) -> Iterator[None]:
    """Have every desk open its journal on a slow disk, and tell the notebook of it."""

    class HeardJournal(SlowJournal):
        """A journal that is heard of."""

        @classmethod
        def open(cls, path: Any, **how: Any) -> Any:
            journal = super().open(path, **how)
            notebook.opened(journal)
            return journal

    usual = composition.Journal
    composition.Journal = HeardJournal  # type: ignore[misc]
    try:
        yield
    finally:
        composition.Journal = usual  # type: ignore[misc]
