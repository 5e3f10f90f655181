"""`Runner`: once each trading day a person's function is asked for targets, and they are traded."""

import asyncio
import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from hydra_nb.desk import surroundings
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.runner import card
from hydra_nb.desk.runner.asking import Function
from hydra_nb.desk.runner.cycle import Phase
from hydra_nb.desk.runner.schedule import Schedule
from hydra_nb.desk.runner.settings import Settings
from hydra_nb.errors import InvalidOrder, LiveNotConfirmed


class AlreadyRun(UserWarning):
    """The cycle of the day has begun before; nothing was run now."""


class Runner:
    """A daily cycle of one function on one desk.

    Each trading day at its time: the link and the comparison with the broker are waited for, the function is called
    with a `Day`, what it returns is previewed as a basket, checked by the gate, sent, and waited for; all of it is in
    the journal. A day that has begun is never begun again, whatever becomes of its cycle.

    Parameters
    ----------
    desk
        Whose orders it sends. Closing the desk stops its runners.
    function
        Takes a `Day` and returns a DataFrame of targets or orders, as `Desk.preview_basket` takes it, or None. An
        async function runs on the desk's loop, any other in a thread.
    at
        ``"08:45"`` at the exchange of `calendar`; counted from its sessions, ``"open+15m"`` or ``"settle-30m"``; or a
        trigger of APScheduler.
    calendar
        Symbol or month whose listed sessions say which days are trading days.
    dry_run
        Stop after the preview. It does not stand in the way of the real cycle of the day.
    catch_up
        What becomes of a time that passed while nothing ran: ``"skip"`` has it journalled as missed, ``"run"`` runs
        it at once where the session of the day is still open. Yesterday is never caught up.
    time_limit_s
        Seconds that the function may take, of the computer's own time.
    on_refusal
        ``"continue"`` with the other rows of the basket, or ``"stop"``.
    name
        Tells runners of one desk apart, in the journal as well.
    reports
        Folder for the page of each day; None writes none.
    **how
        Settings of all orders, as `Desk.preview` takes them.

    Raises
    ------
    InvalidOrder
        An argument is malformed.
    """

    def __init__(
        self,
        desk: Desk,
        function: Function,
        *,
        at: Any = "08:45",
        calendar: str = "ZO",
        dry_run: bool = False,
        catch_up: str = "skip",
        time_limit_s: float = 60.0,
        on_refusal: str = "continue",
        name: str = "daily",
        reports: str | Path | None = None,
        **how: Any,
    ) -> None:
        if not isinstance(desk, Desk):
            raise InvalidOrder(
                f"a runner needs a desk, not a {type(desk).__name__}; await hydra_nb.connect() gives one"
            )
        self._desk = desk
        self.settings = Settings(
            function=function,
            at=at,
            calendar=calendar,
            dry_run=dry_run,
            catch_up=catch_up,
            time_limit_s=time_limit_s,
            on_refusal=on_refusal,
            name=name,
            reports=None if reports is None else Path(reports).expanduser(),
            how=how,
        )

    @property
    def is_running(self) -> bool:
        """Whether a runner of this name waits for further days, also that of an earlier cell with other settings."""
        known = self._known
        return known is not None and known.is_running

    @property
    def next(self) -> Any:
        """When the next cycle of this name is due, a pandas Timestamp in UTC; NaT where none is.

        Right after `start` it is NaT too, until the broker has told the hours of the calendar.
        """
        known = self._known
        due_ns = None if known is None else known.due_ns
        return pd.NaT if due_ns is None else pd.Timestamp(due_ns, unit="ns", tz="UTC")

    def start(self) -> "Runner":
        """Wait for the days from now on, on the running loop, and give the runner itself.

        An equal runner that is at work already, as after a cell was run again, is left alone.

        Raises
        ------
        DeskBusy
            Another runner of this name is at work on the desk.
        LiveNotConfirmed
            The account is live, and the environment does not say that a runner may trade it.
        """
        schedule = self._schedule()
        if not schedule.is_running:
            schedule.begin()
        return self

    async def run_once(self, day: dt.date | str | None = None) -> pd.DataFrame:
        """Run the cycle of today now, wait for its end, and give its row of `history`.

        A day that has begun is not begun again: then the row is that of the earlier cycle, with an `AlreadyRun`
        warning. A dry run may be repeated. Cancelling the wait cancels no order.

        Parameters
        ----------
        day
            Today's trade date at the exchange, for who wants to be sure of it.

        Raises
        ------
        DeskBusy, LiveNotConfirmed
            As `start`.
        InvalidOrder
            `day` is not today, or the runner was stopped before the cycle began.
        """
        schedule = self._schedule()
        over = set(self.history().query("status != 'running'")["cycle"])
        try:
            cycle_id = await schedule.run_now(day)
        except asyncio.CancelledError:
            if schedule.cycle is not None and surroundings.kernel() is not None:
                print(f"{schedule.cycle.cycle_id} goes on. Interrupt does not stop it; await runner.stop() does.")
            raise
        row = self._desk.runners.cycles(cycle_id=cycle_id)
        if cycle_id in over:
            words = f"{cycle_id} of {row['day'].iloc[0]} has begun before ({row['status'].iloc[0]}); nothing was run."
            # Each time, and without the file of the caller: what a cell shows is saved with the notebook.
            warnings.warn_explicit(AlreadyRun(words), AlreadyRun, filename="hydra_nb", lineno=1)
        return row

    async def stop(self) -> str:
        """Begin no other cycle of this name, and say in words what becomes of one at work.

        It stops whichever runner has the name, as after a cell was edited and run again without a stop.
        Between two cycles it stops at once. One that has sent nothing yet ends as ``interrupted``; the orders of any
        other go on, and its end is still journalled.
        """
        known = self._known
        if known is None or known.is_idle:
            return f"{self.settings.name} was not running"
        who = (
            f"the runner {self.settings.name} of an earlier cell" if self.is_of_an_earlier_cell else self.settings.name
        )
        known.stop()
        await known.settle()
        cycle = known.cycle
        if cycle is None or cycle.phase is not Phase.WORKING:
            return f"{who} has stopped"
        return (
            f"{who} has stopped; the orders of {cycle.cycle_id} go on:"
            f" desk.basket({cycle.basket_id!r}) shows and cancels them"
        )

    async def wait(self) -> None:
        """Wait until the runner of this name was stopped, or has no time any more, and its last cycle is over."""
        known = self._known
        if known is not None:
            await known.wait()

    def history(self) -> pd.DataFrame:
        """One row a cycle of this name, from the journal: those that ran, and why others did not."""
        return self._desk.runners.cycles(name=self.settings.name)

    @property
    def is_of_an_earlier_cell(self) -> bool:
        """Whether what is at work under this name has other settings or another function than this runner."""
        known = self._known
        return known is not None and not known.is_idle and not known.settings.is_same(self.settings)

    @property
    def _known(self) -> Schedule | None:
        return self._desk.runners.known(self.settings.name)

    def _schedule(self) -> Schedule:
        if not self._desk.is_open:
            raise InvalidOrder("this desk was closed; open one with hydra_nb.connect()")
        obstacle = None if self.settings.dry_run else surroundings.runner_obstacle(self._desk.account)
        if self._desk.badge == "LIVE" and obstacle is not None:
            raise LiveNotConfirmed(obstacle)
        return self._desk.runners.schedule(self.settings)

    def __repr__(self) -> str:
        """Say what it waits for, in one line."""
        return f"<Runner {self.settings.name}: {card.state_words(self)}>"

    def _repr_html_(self) -> str:
        return card.runner_card(self, badge=self._desk.badge, masked_account=self._desk.masked_account)
