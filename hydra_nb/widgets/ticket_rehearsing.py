"""The part of a ticket that has its plan rehearsed, beside all else; it neither arms nor sends."""

from concurrent.futures import Executor

from hydra_nb.domain.ports import DeskPort, PlanPort
from hydra_nb.domain.rehearsal_ports import RehearsalPort
from hydra_nb.errors import HydraError, InvalidOrder, NotConnected
from hydra_nb.widgets import numbers
from hydra_nb.widgets.arming import Arming
from hydra_nb.widgets.frame import Frame
from hydra_nb.widgets.parts import State, in_words
from hydra_nb.widgets.rehearsal_run import RehearsalRun
from hydra_nb.widgets.ticket_plan import PlanPane
from hydra_nb.widgets.ticket_watch import fail_with

PATHS = 1000
"""Markets in which a press of Rehearse runs the plan."""


class RehearsingTicket(Frame):
    """A ticket whose plan can be rehearsed; the plan stays what it is, and so does what may be done with it.

    Attributes
    ----------
    rehearsal : RehearsalPort | None
        What the rehearsal of the plan that is shown came to; None after any edit, as the plan is.
    paths : int
        Markets in which a press of Rehearse runs the plan, for a long plan to be set lower: ``ticket.paths = 200``.
    """

    plan: PlanPort | None
    arming: Arming
    plan_pane: PlanPane
    _revision: int
    _is_retired: bool

    def __init__(self, desk: DeskPort) -> None:
        self.rehearsal: RehearsalPort | None = None
        self.paths = PATHS
        self._asked: tuple[int, object] | None = None  # the revision for which a rehearsal was asked, and by whom
        self._run = RehearsalRun(tell=self._heard_of_paths)
        super().__init__(desk, kind="ticket")

    async def preview(self) -> PlanPort | None:
        """Draw a plan from the fields; the subclass does."""
        raise NotImplementedError

    async def rehearse(self, n: int | None = None, *, executor: Executor | None = None) -> RehearsalPort | None:
        """Run the plan that is shown in many simulated markets, and show what comes of it; nothing is sent.

        Where there is no plan, or one that is too old, it is drawn first, as by `preview`. What Send would send stays
        the same. An edit, another preview, a kill, Send and the end of the ticket stop it; nothing of it is kept.

        Parameters
        ----------
        n
            Markets; None is `paths`.
        executor
            Where they run, as for `plan.rehearse`; None takes processes of this machine.

        Returns
        -------
        RehearsalPort or None
            What came out, to be kept or for `plan.with_expected_cost`; None where it was stopped, or runs already.

        Raises
        ------
        HydraError
            Where the plan cannot be drawn or rehearsed; its sentence is shown too.
        """
        self._redraw()  # with a look at whether the plan is still open
        if self._asked is not None and self._asked[0] == self._revision:
            return None  # pressed twice: the one that runs answers both
        asked = self._asked = self._revision + (not self.arming.has_open_plan), object()  # as `preview` will count
        try:
            self._must_be_allowed()
            plan = self.plan if self.arming.has_open_plan else await self.preview()
            paths = self.paths if n is None else n
            if plan is None:
                return None
            await self._run.ended()
            return await self._rehearsed(plan, n=paths, executor=executor) if self._is_wanted(asked, plan) else None
        finally:
            if self._asked is asked:
                self._asked = None

    def stop_rehearsal(self) -> None:
        """End the rehearsal under way, and keep nothing of it; the plan stays."""
        if not self._run.is_running:
            self._asked = None  # it waits for the end of one before it, and need not begin
            return
        paths = f"{numbers.lots(self._run.done)} of {numbers.plural(self._run.total, 'path')}"
        self._stop_run()
        self._say_of_rehearsal(f"The rehearsal was stopped at {paths}; nothing of it is kept. The plan is as it was.")
        self.guard.focus(".hy-rehearse")

    def retire(self) -> None:
        """Leave the ticket to be read; a rehearsal under way ends, one that is over stays on the page."""
        self._stop_run()
        super().retire()

    def close(self) -> None:
        """Take the ticket off the page, and end its rehearsal."""
        self._run.stop()
        super().close()

    def _must_be_allowed(self) -> None:
        error: HydraError | None = None
        if self._is_retired or not self._is_made:
            error = NotConnected("this ticket, or its desk, was closed; open a desk, and a new ticket")
        elif self._desk.killed is not None:
            error = InvalidOrder("nothing is rehearsed after a kill; re-arm the desk first")
        if error is not None:
            self._tell_of_rehearsal(error)
            raise error

    def _is_wanted(self, asked: object, plan: PlanPort) -> bool:
        """Whether nothing has ended it since it was asked for."""
        is_open = self._is_made and not self._is_retired and self._desk.killed is None
        return is_open and self._asked is asked and plan is self.plan

    async def _rehearsed(self, plan: PlanPort, *, n: int, executor: Executor | None) -> RehearsalPort | None:
        self.rehearsal = None
        self.plan_pane.show_progress(0, n, elapsed_s=0.0)
        try:
            found = await self._run.run(plan, n=n, executor=executor)
        except Exception as error:
            self._tell_of_rehearsal(error)
            raise
        else:
            if found is not None and plan is self.plan:
                self.rehearsal, shown = found
                self.plan_pane.show_result(shown)
            return self.rehearsal
        finally:
            if self.rehearsal is None and self._is_made and not self._run.is_running:
                self.plan_pane.end_run()

    def _heard_of_paths(self) -> None:
        """Paths came: draw soon, unless nobody may trade any more."""
        if self._desk.killed is not None:
            self._stop_run()
        self.redraw()

    def _draw_rehearsal(self) -> None:
        """Show how far it is; a kill ends it."""
        if self._desk.killed is not None:
            self._stop_run()
        if self._run.is_running:
            self.plan_pane.show_progress(self._run.done, self._run.total, elapsed_s=self._run.elapsed_s)

    def _stop_run(self) -> None:
        """End what is under way, or asked for; what came out before stays."""
        self._asked = None
        if self._run.is_running:
            self._run.stop()
            self.plan_pane.end_run()

    def _drop_rehearsal(self) -> None:
        """Forget the rehearsal, under way or over: the plan that it is of is not shown any more."""
        self._run.stop()
        self.rehearsal = None
        self.plan_pane.end_run()

    # What the ticket says

    def _tell_of_rehearsal(self, error: Exception) -> None:
        """Say in words why nothing was rehearsed; the plan stays what it was."""
        if isinstance(error, HydraError):
            text = str(error).strip().rstrip(".")
            self._say_of_rehearsal(f"Not rehearsed: {text}.", tone="bad")
        else:
            self._say_of_rehearsal(in_words(error).sentence, tone="bad")

    def _say_of_rehearsal(self, sentence: str, *, tone: str = "") -> None:
        """Say it under the words of the state that the ticket is in."""
        self._say_and_draw(State(words=self._state().words, sentence=sentence, tone=tone))

    def _say_and_draw(self, state: State) -> None:
        """Show a state until the next gesture, or until the ticket's own changes."""
        self._told = state
        self._redraw()

    def _redraw(self) -> None:
        """Draw now; a failure is shown, and handed to the desk, which journals it: a gesture is not lost by it."""
        try:
            self._bring_up_to_date()
        except Exception as error:  # noqa: BLE001  the edge of a gesture
            self._desk.spawn(fail_with(error))

    def _state(self) -> State:
        """The state that the ticket is in; the subclass knows."""
        raise NotImplementedError
