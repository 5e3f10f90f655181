"""One cycle of a day: look whether the desk can trade, ask the function, preview, send, wait for the end, report."""

import asyncio
import datetime as dt
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from hydra_nb.analysis.cycles import CycleBook
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.runner.asking import Answer, Day, ask, is_async
from hydra_nb.desk.runner.blame import error_words, without_folders
from hydra_nb.desk.runner.results import Result, result_of, verdict_of
from hydra_nb.desk.runner.settings import Settings
from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.domain.events import CycleBegan, CycleEnded, CycleOrdered, CycleStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import HydraError, JournalError

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk

READY_WAIT_S = 900.0
"""Market seconds that a cycle waits for the link and for ledger and broker to be compared."""
_LOOK_S = 1.0
_LONGEST = 2_000

_NOT_BEGUN = "stopped before it began; await runner.run_once() still runs that day while it lasts"
_STOPPED = "stopped before anything was sent; no other begins that day"
_WATCHED_NO_MORE = "nobody watches its orders for the runner any more; desk.basket({basket_id!r}) tells of them"


class Phase(Enum):
    """How far a cycle is: while it prepares, it can be stopped without a trace in the market."""

    PREPARING = "preparing"
    SENDING = "sending"
    WORKING = "working"
    OVER = "over"


class Cycle:
    """One run of a runner's function and of the orders that come of it.

    Attributes
    ----------
    cycle_id
        In the journal.
    day
        The trade date.
    phase
        How far it is.
    settled
        Set once its orders are handed over, or it is over.
    """

    def __init__(
        self, settings: Settings, *, desk: "Desk", rooms: Rooms, book: CycleBook, day: dt.date, due_ns: int | None
    ) -> None:
        self.cycle_id = book.next_id()
        self.day = day
        self.phase = Phase.PREPARING
        self.settled = asyncio.Event()
        self._settings = settings
        self._desk = desk
        self._rooms = rooms
        self._book = book
        self._due_ns = due_ns
        self._has_begun = False
        self._basket_id: str | None = None
        self._orders = 0
        self._has_ended = False
        self._has_report = False

    @property
    def basket_id(self) -> str | None:
        """Id of its basket; None before there is one."""
        return self._basket_id

    def journal_end(self, status: CycleStatus, message: str) -> None:
        """Journal that it is over, or that it does not begin, and why."""
        if self._has_ended:
            return
        self._has_ended = True
        self.phase = Phase.OVER
        self.settled.set()
        self._rooms.manager.ingest(
            CycleEnded(
                time_ns=self._rooms.clock.now_ns(),
                cycle_id=self.cycle_id,
                name=self._settings.name,
                day=self.day,
                dry_run=self._settings.dry_run,
                status=status,
                basket_id=self._basket_id,
                orders=self._orders,
                message=_short(mask_accounts(message, account=self._desk.account)),
            )
        )

    async def run(self) -> None:
        """Carry it out; whatever happens, the journal tells how it ended."""
        try:
            result = await self._carry_out()
        except Exception as error:  # noqa: BLE001  the edge of a task: journalled and shown, the next day comes
            result = Result(status=CycleStatus.FAILED, message=error_words(error))
        except BaseException as interrupt:
            self.journal_end(CycleStatus.INTERRUPTED, self._interrupted_words(interrupt))
            raise
        self.journal_end(result.status, result.message)
        if self._has_report:
            self._save_report()  # once more, now that the journal tells how the cycle ended

    def _interrupted_words(self, interrupt: BaseException) -> str:
        kind = "" if isinstance(interrupt, asyncio.CancelledError) else f"{type(interrupt).__name__}: "
        if not self._has_begun:
            return kind + _NOT_BEGUN
        if self._basket_id is None or self._settings.dry_run:
            return kind + _STOPPED
        return kind + _WATCHED_NO_MORE.format(basket_id=self._basket_id)

    async def _carry_out(self) -> Result:
        obstacle = await self._obstacle() or self._twice
        if obstacle is not None:
            return obstacle
        try:
            await self._begin()
        except JournalError:  # its words name a file; an alert of its own says what to do
            return Result(status=CycleStatus.FAILED, message="the journal cannot be written: nothing was asked or sent")
        answer = await self._ask()
        if answer.failure is not None:
            return Result(status=CycleStatus.FAILED, message=answer.failure)
        result = Result(status=self._well, message="nothing to do today")
        if answer.frame is not None:
            result = await self._order(answer.frame)
        return self._with_report(result)

    @property
    def _well(self) -> CycleStatus:
        return CycleStatus.DRY_RUN if self._settings.dry_run else CycleStatus.DONE

    # Before it begins

    async def _obstacle(self) -> Result | None:
        """Why it cannot begin; waits a while for the link and for the comparison."""
        deadline_ns = self._rooms.clock.now_ns() + round(READY_WAIT_S * NS_PER_S)
        while (why := self._unready) is not None:
            if self._rooms.clock.now_ns() >= deadline_ns:
                words = f"waited {READY_WAIT_S / 60:g} min: {why}. Not begun: await runner.run_once() once it is mended"
                return Result(status=CycleStatus.FAILED, message=words)
            await self._rooms.clock.sleep(_LOOK_S)
        if self._desk.killed is not None:
            words = f"the desk is killed: {self._desk.killed}. Once all is clear: desk.rearm(reason), runner.run_once()"
            return Result(status=CycleStatus.SKIPPED, message=words)
        return None

    @property
    def _twice(self) -> Result | None:
        """Why it does not begin where its day has begun while it waited."""
        if self._settings.dry_run:
            return None
        earlier = self._book.begun(self.day, name=self._settings.name, dry_run=False)
        if earlier is None:
            return None
        return Result(status=CycleStatus.SKIPPED, message=f"{self.day} has begun already, as {earlier.cycle_id}")

    @property
    def _unready(self) -> str | None:
        if self._desk.killed is not None:
            return None  # then nothing is sent anyway
        if not self._desk.is_connected:
            return "there is no link to the broker"
        if not self._rooms.manager.ledger.reconciled:
            return "ledger and broker are not compared; look at desk.breaks"
        return None

    async def _begin(self) -> None:
        """Have it on disk that the day has begun, before the person's code is called."""
        self._rooms.manager.ingest(
            CycleBegan(
                time_ns=self._rooms.clock.now_ns(),
                cycle_id=self.cycle_id,
                name=self._settings.name,
                day=self.day,
                dry_run=self._settings.dry_run,
                due_ns=self._due_ns,
            )
        )
        self._has_begun = True
        await self._rooms.journal.commit()

    # The person's function, and its orders

    async def _ask(self) -> Answer:
        desk, ledger, function = self._desk, self._rooms.manager.ledger, self._settings.function
        day = Day(
            date=self.day,
            now=pd.Timestamp(self._rooms.clock.now_ns(), unit="ns", tz="UTC"),
            positions=desk.positions(),
            equity=float("nan") if ledger.equity is None else float(ledger.equity),
            currency=ledger.currency,
            breakers=desk.breakers(),
            cycles=desk.cycles(),
            desk=desk if is_async(function) else None,
        )
        return await ask(function, day, limit_s=self._settings.time_limit_s)

    async def _order(self, frame: pd.DataFrame) -> Result:
        """Preview what is wanted, hand it over as one basket, and wait for its end."""
        try:
            basket: Any = await self._desk.preview_basket(frame, **self._settings.how)
        except HydraError as error:
            return Result(status=CycleStatus.FAILED, message=f"nothing was sent: {without_folders(str(error))}")
        self._orders = len(basket.plans)
        if self._settings.dry_run:
            self._basket_id = basket.basket_id
            return verdict_of(basket)
        if not basket.plans:
            return Result(status=CycleStatus.DONE, message="all positions are at their targets")
        # From here on the journal names the basket, so that a process which ends now leaves a trail to its orders.
        self._basket_id = basket.basket_id
        self.phase = Phase.SENDING
        self._rooms.manager.ingest(
            CycleOrdered(
                time_ns=self._rooms.clock.now_ns(),
                cycle_id=self.cycle_id,
                basket_id=basket.basket_id,
                orders=self._orders,
            )
        )
        execution: Any = await self._desk.submit(basket, on_refusal=self._settings.on_refusal)
        self.phase = Phase.WORKING
        self.settled.set()
        return result_of(await execution)

    def _with_report(self, result: Result) -> Result:
        """Write the page of the day, where there is a folder for it; its failure is said, and harms nothing else."""
        if self._settings.reports is None or self._settings.dry_run:
            return result
        try:
            self._save_report()
        except Exception as error:  # noqa: BLE001  the orders are over: what fails here is told beside them
            return Result(status=result.status, message=f"{result.message}; no report: {error_words(error)}")
        self._has_report = True
        return result

    def _save_report(self) -> None:
        folder = cast("Path", self._settings.reports)
        folder.mkdir(parents=True, exist_ok=True)
        self._desk.daily_report(self.day).save(folder / f"{self.day}.html")


def _short(text: str) -> str:
    """Words of others in one line that a table can hold."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
