"""The right side of the ticket: a plan's schedule as picture and table, its risk decisions, its expected cost."""

import math
from collections.abc import Callable, Sequence

import ipywidgets

from hydra_nb.domain.market import Quote
from hydra_nb.domain.ports import PlanPort
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import rows, title
from hydra_nb.widgets.plan_parts import cost_pane, notices, schedule_table, short_id
from hydra_nb.widgets.rehearsal_pane import Shown, progress
from hydra_nb.widgets.ticket_form import switch
from hydra_nb.widgets.ticket_picture import SchedulePicture
from hydra_nb.widgets.ticket_risk import Refusal, Use, passing_tables, refusal_boxes, refusals, risk_head

MOST_SLICES_SHOWN = 6  # rows of the schedule before the later ones are folded
_ROW, _HEAD, _NOTICE, _PICTURE_AND_TABLE = 23, 24, 25, 292  # px: of a row, a table's head, a notice, and of all parts
_LEAST_PICTURE, _MOST_PICTURE = 104, 210  # px
_RESULT, _WARNING = 118, 22  # px: of what a rehearsal came to, and of each warning in it
_LIVE_BAND = 26  # px that the picture gives up for the band over a live ticket
_RUNNING, _OVER = "Rehearsing", "Rehearsed"
_REHEARSED = "this very plan in simulated markets; ± is the Monte-Carlo error"
_NOTE = "blue: stage prices, lots below · shaded: jitter window · grey: bid to ask so far"
_EMPTY = '<div class="hy-empty">Preview shows the schedule, the risk checks and the expected cost here.</div>'

Put = Callable[[ipywidgets.HTML, str], None]


class PlanPane(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """What is shown of a plan; empty until there is one. It keeps its place, so that nothing moves.

    Parameters
    ----------
    put
        Shows HTML in a part.
    on_use
        Called with a value that would pass, when its button is pressed.
    is_live
        Whether the ticket has a band over its whole width, for which the picture makes room.

    Attributes
    ----------
    schedule_head, schedule_view, risk_head, passing_view, cost_view, run_view : ipywidgets.HTML
        The parts that are text; `run_view` tells of the rehearsal, in the place of the schedule's picture.
    picture : SchedulePicture
        The schedule as a figure.
    use_buttons : tuple of ipywidgets.Button
        One for each refusal that a value cures.
    stop_button : ipywidgets.Button
        Ends the rehearsal under way.
    picture_button : ipywidgets.ToggleButton
        Shows the picture where a rehearsal took its place.
    is_shown : bool
        Whether a plan is shown.
    """

    def __init__(self, *, put: Put, on_use: Callable[[Use], None], is_live: bool) -> None:
        self._put = put
        self._on_use = on_use
        self._plan: PlanPort | None = None
        self._run_title = ""  # empty while nothing is rehearsed
        self._result: Shown | None = None
        self._room = _MOST_PICTURE
        self._band_height = _LIVE_BAND if is_live else 0
        self.picture = SchedulePicture()  # heavy: made in the cell of the ticket, so that no preview stalls the loop
        self.is_shown = False
        self.use_buttons: tuple[ipywidgets.Button, ...] = ()
        self.schedule_head, self.schedule_view, self.risk_head, self.passing_view, self.cost_view, self.run_view = (
            ipywidgets.HTML() for _ in range(6)
        )
        self.stop_button = ipywidgets.Button(description="Stop", tooltip="End the rehearsal; nothing of it is kept")
        self.picture_button = ipywidgets.ToggleButton(description="Picture", tooltip="Show the schedule's picture")
        self.stop_button.add_class("hy-stop")
        self.picture_button.observe(lambda _: self._arrange(), names="value")
        self._empty = ipywidgets.HTML(value=_EMPTY)
        self._empty.add_class("hy-nothing")
        self._picture_box = ipywidgets.VBox((self.picture.figure,), _dom_classes=("hy-picture-box",))
        self._refusals = ipywidgets.VBox(_dom_classes=("hy-refusals",))
        head = ipywidgets.HBox((self.schedule_head, self.picture_button), _dom_classes=("hy-schedule-head",))
        self._run_box = ipywidgets.HBox((self.run_view, self.stop_button), _dom_classes=("hy-run-box",))
        self._schedule = ipywidgets.VBox(
            (head, self._run_box, self._picture_box, self.schedule_view), _dom_classes=("hy-pane", "hy-schedule")
        )
        risk = ipywidgets.VBox((self.risk_head, self._refusals, self.passing_view), _dom_classes=("hy-pane", "hy-risk"))
        split = ipywidgets.Box((risk, self.cost_view), _dom_classes=("hy-split",))
        self.cost_view.add_class("hy-cost")
        super().__init__(children=(self._empty, self._schedule, split), _dom_classes=("hy-plan", "hy-unplanned"))
        self._arrange()

    def show(self, plan: PlanPort, *, quote: Quote | None) -> None:
        """Show a plan; `quote` tells how much room a price to use leaves."""
        refused = refusals(plan, quote=quote)
        self._plan = plan
        self._draw_picture(plan, refused)
        self._run_title = ""
        self._arrange()
        self._put(self.risk_head, risk_head(plan))
        self._show_refusals(refused)
        self._put(self.passing_view, f'<div class="hy-bare">{passing_tables(plan)}</div>')
        self._put(self.cost_view, cost_pane(plan))
        self.remove_class("hy-unplanned")
        self.is_shown = True

    def forget(self) -> None:
        """Show no plan."""
        if self.is_shown:
            self.add_class("hy-unplanned")
            self._show_refusals(())
            self.end_run()
            self.is_shown = False

    def show_progress(self, done: int, total: int, *, elapsed_s: float) -> None:
        """Show how far the rehearsal of the plan is, in the place of the picture."""
        self._put(self.run_view, progress(done, total, elapsed_s=elapsed_s))
        if self._run_title != _RUNNING:
            self._run_title = _RUNNING
            self.picture_button.value = False
            self._arrange()

    def show_result(self, result: Shown) -> None:
        """Show what the rehearsal of the plan came to."""
        self._run_title, self._result = _OVER, result
        self._put(self.run_view, result.html)
        self._arrange()

    def end_run(self) -> None:
        """Show the picture again: there is no rehearsal, or none any more."""
        if self._run_title:
            self._run_title = ""
            self._put(self.run_view, "")
            self._arrange()

    def _arrange(self) -> None:
        """Show the picture, or what was rehearsed in its place, for which the table gives up rows, so that all fits."""
        is_covered, plan = bool(self._run_title) and not self.picture_button.value, self._plan
        switch(self._schedule, "hy-covered", on=is_covered)
        switch(self.picture_button, "hy-hidden", on=not self._run_title)
        switch(self.stop_button, "hy-hidden", on=self._run_title != _RUNNING)
        if plan is None:
            return
        name, note, needed = ("Schedule", _NOTE, 0)
        if is_covered:
            name, note = self._run_title, _REHEARSED
        if is_covered and name == _OVER and self._result is not None:
            note = f"{numbers.plural(self._result.paths, 'path')} of {_REHEARSED}"
            needed = _RESULT + _WARNING * self._result.warnings
        shown, taken = _rows_shown(plan), max(0, math.ceil((needed - self._room) / _ROW))
        most = max(min(2, shown), shown - taken)
        self._run_box.layout.min_height = f"{self._room + (shown - most) * _ROW}px"  # so that nothing moves
        self._put(self.schedule_head, title(name, note=note, right=f"plan {short_id(plan)}"))
        self._put(self.schedule_view, schedule_table(plan, most=most) + notices(plan))

    def _draw_picture(self, plan: PlanPort, refused: list[Refusal]) -> None:
        height = _PICTURE_AND_TABLE - _HEAD - _ROW * _rows_shown(plan) - _NOTICE * len(plan.notices) - self._band_height
        borders = [one.border for one in refused if one.border is not None]
        self._room = min(_MOST_PICTURE, max(_LEAST_PICTURE, height))
        self._picture_box.layout.height = f"{self._room}px"
        self.picture.show(plan, borders=borders)

    def _show_refusals(self, refused: Sequence[Refusal]) -> None:
        """Show what refuses, with a button where a value would pass."""
        old, self.use_buttons = self._refusals.children, ()
        boxes = []
        for one in refusal_boxes(refused):
            text = ipywidgets.HTML(value=one.html)
            parts = [text] if one.use is None else [text, self._use_button(one.use)]
            boxes.append(ipywidgets.HBox(parts, _dom_classes=("hy-refusal",)))
        self._refusals.children = tuple(boxes)
        for box in old:
            for part in (*box.children, box):
                part.close()

    def _use_button(self, use: Use) -> ipywidgets.Button:
        button = ipywidgets.Button(description=use.label, tooltip=f"Enter it as the {use.field}")
        button.on_click(lambda _: self._on_use(use))
        self.use_buttons = (*self.use_buttons, button)
        return button


def _rows_shown(plan: PlanPort) -> int:
    """Rows of the schedule's table beside its picture, of which the last may tell of those that are folded."""
    return min(MOST_SLICES_SHOWN, len(rows(plan.schedule)))
