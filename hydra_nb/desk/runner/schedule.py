"""Waits for the days of a runner, one after the other, and has each begin at most one cycle."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, cast

from hydra_nb.analysis.cycles import CycleBook, CycleRecord
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.runner import days
from hydra_nb.desk.runner.cycle import Cycle, Phase
from hydra_nb.desk.runner.settings import Settings
from hydra_nb.domain.events import CycleEnded, CycleStatus
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError, InvalidOrder, UnknownInstrument, invariant

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk

LATE_S = 300.0
"""Seconds after its time, at the market's speed, from which a cycle counts as missed: a cell held up the notebook."""
NAP_S = 60.0
"""Host seconds between two looks at the clock: after the machine slept, a cycle is late by as much at most."""
_ASK_AGAIN_S = 30.0
_HOURS_WAIT_S = 900.0
_LOOKED_AHEAD = 14


class Schedule:
    """The waiting of one runner on its desk; `begin` makes its task, which the desk's manager owns.

    Attributes
    ----------
    due_ns
        When a cycle is next due on a trading day, as far as days are listed, market time; None where that is not known,
        or there is none any more.
    cycle
        The one at work; None between two.
    """

    def __init__(self, settings: Settings, *, desk: "Desk", rooms: Rooms, book: CycleBook) -> None:
        self.settings = settings
        self.due_ns: int | None = None
        self.cycle: Cycle | None = None
        self._desk = desk
        self._rooms = rooms
        self._book = book
        self._timetable = days.parse_at(settings.at, settles=self._settles)
        self._previous_ns: int | None = None
        self._begun_ns = 0
        self._contract: FutureContract | None = None
        self._task: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._is_running = False
        self._beginnings = 0
        self._stops = 0
        self._asking: set[asyncio.Future[FutureContract]] = set()
        self._over = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether it waits for further days."""
        return self._is_running

    @property
    def is_idle(self) -> bool:
        """Whether it neither waits nor has a cycle at work, nor is about to begin one by hand."""
        is_at_work = self.cycle is not None and self.cycle.phase is not Phase.OVER
        return not (self._is_running or is_at_work or self._asking)

    def begin(self) -> None:
        """Wait for the days from now on."""
        self._is_running = True
        self._over.clear()
        self._begun_ns = self._rooms.clock.now_ns()
        self._beginnings = number = self._beginnings + 1
        self._rooms.manager.tasks.keep(lambda: self._run(number), where="runner")

    async def wait(self) -> None:
        """Wait until it has been stopped, or no cycle is due any more, and the last one is over."""
        await self._over.wait()
        if self._work is not None:
            await asyncio.wait({self._work})

    def stop(self) -> None:
        """Begin no other cycle; one that has sent nothing yet ends, and the orders of any other go on."""
        self._retire()
        self._stops += 1
        for question in self._asking:
            question.cancel()
        self._asking.clear()
        if self._task is not None:
            self._task.cancel()
        if self._work is not None and self.cycle is not None and self.cycle.phase is Phase.PREPARING:
            self._work.cancel()

    async def settle(self) -> None:
        """Wait until a cycle that was stopped has ended, and one that hands over its orders just now has done so."""
        if self.cycle is not None:
            await self.cycle.settled.wait()

    async def run_now(self, wanted: dt.date | str | None) -> str:
        """Run the cycle of today at once, and give its id; that of an earlier one where the day has begun.

        One of today that is at work is waited for; while one of another day is, today's is skipped.

        Raises
        ------
        InvalidOrder
            `wanted` is not today, or the runner was stopped before the cycle began.
        """
        self._tell_of_those_left()
        contract = await self._hours_unless_stopped()
        # From here to the start nothing is awaited: what is looked up now still holds then.
        now_ns = self._rooms.clock.now_ns()
        day = days.day_of(now_ns, contract)
        if wanted is not None and str(wanted) != str(day):
            raise InvalidOrder(f"day={wanted} is not today: it is {day} at the exchange; other days are never run")
        at_work = self.cycle
        if at_work is not None and at_work.day != day:
            return self._note(CycleStatus.SKIPPED, _at_work_words(at_work), day=day)
        earlier = None if self.settings.dry_run else self._begun(day)
        if at_work is None and earlier is not None:
            return earlier.cycle_id
        if at_work is None and not contract.is_open(now_ns):
            return self._note(CycleStatus.SKIPPED, days.closed_words(now_ns, contract), day=day)
        cycle = at_work or self._start(day, due_ns=None)
        if self._work is not None:
            await asyncio.wait({self._work})
        return cycle.cycle_id

    async def _hours_unless_stopped(self) -> FutureContract:
        """Ask for the hours, before a cycle by hand; whoever stops the runner meanwhile ends the question."""
        stops = self._stops
        question = asyncio.ensure_future(self._desk.trading_hours(self.settings.calendar))
        self._asking.add(question)
        try:
            await asyncio.wait({question})
        finally:
            self._asking.discard(question)
            question.cancel()
        if self._stops != stops:
            raise InvalidOrder(f"{self.settings.name} was stopped before its cycle began; nothing was run")
        return question.result()

    # Waiting

    async def _run(self, number: int) -> None:
        if not self._is_running or number != self._beginnings:  # stopped, and begun anew, before this task could run
            return
        self._task = asyncio.current_task()
        try:
            self._tell_of_those_left()
            await self._wait_for_all()
        except Exception:  # journalled by the keeper of tasks; it runs no more, and must not say that it does
            self._retire()
            raise
        self._retire()

    async def _wait_for_all(self) -> None:
        try:
            self._contract = await self._first_hours()
        except UnknownInstrument as error:
            day = dt.datetime.fromtimestamp(self._begun_ns // NS_PER_S, tz=dt.UTC).date()
            self._note(CycleStatus.FAILED, f"calendar: {error}. The runner has stopped", day=day)
            return
        while await self._wait_for_the_next():
            pass

    def _retire(self) -> None:
        self._is_running = False
        self.due_ns = None
        self._over.set()

    async def _wait_for_the_next(self) -> bool:
        """Wait for the next time, or for the next date, and do what is due; False where nothing will be any more."""
        contract, now_ns = self._known, self._rooms.clock.now_ns()
        since_ns = now_ns
        if self._previous_ns is None:  # what was due earlier on the day on which it was started counts as well
            session = days.session_at(self._begun_ns, contract)
            since_ns = days.midnight_ns(days.local_day(self._begun_ns, contract), contract)
            since_ns = since_ns if session is None else min(since_ns, session.open_ns)
        due_ns = self._timetable.due_ns(contract, previous_ns=self._previous_ns, now_ns=since_ns)
        if due_ns is None and self._timetable.may_end:
            return False
        self.due_ns = self._first_wanted(due_ns)
        tomorrow_ns = days.midnight_ns(days.local_day(now_ns, contract) + dt.timedelta(days=1), contract)
        if due_ns is None or due_ns > tomorrow_ns:
            await self._sleep_until(tomorrow_ns)
            await self._refresh(until_ns=tomorrow_ns)  # the broker lists a few days, and changes them
            return True
        await self._sleep_until(due_ns)
        await self._heed(due_ns)
        self._previous_ns = due_ns
        return True

    def _first_wanted(self, due_ns: int | None) -> int | None:
        """The first time on a trading day, as far as the broker lists them; for people, as all are waited for."""
        contract = self._known
        for _ in range(_LOOKED_AHEAD):
            if due_ns is None or not days.lists_until(due_ns, contract):
                break
            if days.sessions_of(days.day_of(due_ns, contract), contract):
                break
            due_ns = self._timetable.due_ns(contract, previous_ns=due_ns, now_ns=due_ns)
        return due_ns

    @property
    def _known(self) -> FutureContract:
        invariant(self._contract is not None, "the hours are known before anything waits for them")
        return cast("FutureContract", self._contract)

    async def _sleep_until(self, time_ns: int) -> None:
        """Wait for a market time in naps, as the timers of a loop do not count the time that the machine sleeps."""
        clock = self._rooms.clock
        while (left_ns := time_ns - clock.now_ns()) > 0:
            await clock.sleep(min(left_ns / NS_PER_S, NAP_S * clock.speed))

    def _settles(self, contract: FutureContract) -> dt.time | None:
        told = self._rooms.manager.snapshots.facts.get(contract.local_symbol)
        return None if told is None else told.settles

    async def _first_hours(self) -> FutureContract:
        while True:
            try:
                return await self._desk.trading_hours(self.settings.calendar)
            except BrokerError:
                await self._rooms.clock.sleep(_ASK_AGAIN_S)

    async def _refresh(self, *, until_ns: int) -> bool:
        """Ask for the hours anew; gives whether what is known of them reaches beyond a time."""
        deadline_ns = self._rooms.clock.now_ns() + round(_HOURS_WAIT_S * NS_PER_S)
        while True:
            try:
                self._contract = await self._desk.trading_hours(self.settings.calendar)
            except (BrokerError, UnknownInstrument):
                if days.lists_until(until_ns, self._known):
                    return True
            else:
                return True
            if self._rooms.clock.now_ns() >= deadline_ns:
                return False
            await self._rooms.clock.sleep(_ASK_AGAIN_S)

    # What is due

    async def _heed(self, due_ns: int) -> None:
        """Do what is due: a cycle, or a line in the journal that says why there is none; nothing on other days."""
        before, late_ns = self._known, self._rooms.clock.now_ns() - due_ns
        is_known = await self._refresh(until_ns=due_ns)
        # From here on nothing is awaited: the day may have begun by hand meanwhile, or be another than was listed.
        contract = self._known
        day = days.day_of(due_ns, before if days.session_at(due_ns, contract) is None else contract)
        if not is_known:
            words = "whether it is a trading day is not known: the broker does not tell the hours"
            self._note_once(CycleStatus.FAILED, f"{words}. Not begun: await runner.run_once()", day=day)
            return
        if not any(days.sessions_of(day, listed) for listed in (before, contract)):
            return
        if late_ns > round(LATE_S * NS_PER_S * max(1.0, self._rooms.clock.speed)):
            self._heed_late(due_ns, day=day)
        elif not contract.is_open(due_ns):
            self._note_once(CycleStatus.SKIPPED, days.closed_words(due_ns, contract), day=day)
        else:
            self._start_if_free(day, due_ns=due_ns)

    def _heed_late(self, due_ns: int, *, day: dt.date) -> None:
        """Its time passed while nothing ran, or while a cell held up the notebook: only today is caught up."""
        contract, now_ns = self._known, self._rooms.clock.now_ns()
        is_possible = contract.is_open(now_ns) and day == days.day_of(now_ns, contract)
        if is_possible and self.settings.catch_up == "run":
            self._start_if_free(day, due_ns=due_ns)
            return
        words = f"{days.time_words(due_ns, contract)} passed while nothing ran"
        words += "; to run it now: await runner.run_once()" if is_possible else ", and the session of that day is over"
        self._note_once(CycleStatus.MISSED, words, day=day)

    def _start_if_free(self, day: dt.date, *, due_ns: int) -> None:
        if self._begun(day) is not None:
            return
        if self.cycle is None:
            self._start(day, due_ns=due_ns)
        elif self.cycle.day != day:
            self._note_once(CycleStatus.SKIPPED, _at_work_words(self.cycle), day=day)

    def _begun(self, day: dt.date) -> CycleRecord | None:
        return self._book.begun(day, name=self.settings.name, dry_run=self.settings.dry_run)

    def _start(self, day: dt.date, *, due_ns: int | None) -> Cycle:
        """Run a cycle in a task of its own, so that one which lasts holds up no other day."""
        cycle = self._cycle(day, due_ns=due_ns)
        self.cycle = cycle
        self._work = self._rooms.manager.tasks.start(cycle.run(), where="runner")
        self._work.add_done_callback(lambda _: self._is_done(cycle))
        return cycle

    def _is_done(self, cycle: Cycle) -> None:
        cycle.journal_end(CycleStatus.INTERRUPTED, "stopped before it began")
        if self.cycle is cycle:
            self.cycle = None

    def _note_once(self, status: CycleStatus, words: str, *, day: dt.date) -> None:
        """Say why there is no cycle on a day, unless the journal tells of one already."""
        if not self._book.of_day(day, name=self.settings.name, dry_run=self.settings.dry_run):
            self._note(status, words, day=day)

    def _note(self, status: CycleStatus, words: str, *, day: dt.date) -> str:
        cycle = self._cycle(day, due_ns=None)
        cycle.journal_end(status, words)
        return cycle.cycle_id

    def _cycle(self, day: dt.date, *, due_ns: int | None) -> Cycle:
        return Cycle(self.settings, desk=self._desk, rooms=self._rooms, book=self._book, day=day, due_ns=due_ns)

    def _tell_of_those_left(self) -> None:
        """Journal the end of cycles that an earlier process left, so that they are shown and alerted."""
        running = () if self.cycle is None else (self.cycle.cycle_id,)
        for left in self._book.left(name=self.settings.name, running=running):
            self._rooms.manager.ingest(
                CycleEnded(
                    time_ns=self._rooms.clock.now_ns(),
                    cycle_id=left.cycle_id,
                    name=left.name,
                    day=left.day,
                    dry_run=left.dry_run,
                    status=CycleStatus.INTERRUPTED,
                    basket_id=left.basket_id,
                    orders=left.orders,
                    message=left.left_words,
                )
            )


def _at_work_words(cycle: Cycle) -> str:
    return f"{cycle.cycle_id} of {cycle.day} is still at work"
