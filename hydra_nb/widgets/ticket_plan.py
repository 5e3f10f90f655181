"""The right side of the ticket: a plan's schedule as picture and table, its risk decisions, its expected cost."""

from collections.abc import Callable, Sequence

import ipywidgets

from hydra_nb.domain.market import Quote
from hydra_nb.domain.ports import PlanPort
from hydra_nb.widgets.parts import rows, title
from hydra_nb.widgets.plan_parts import cost_pane, notices, schedule_table, short_id
from hydra_nb.widgets.ticket_picture import SchedulePicture
from hydra_nb.widgets.ticket_risk import Refusal, Use, passing_tables, refusal_boxes, refusals, risk_head

MOST_SLICES_SHOWN = 6  # rows of the schedule before the later ones are folded
_ROW, _HEAD, _NOTICE, _PICTURE_AND_TABLE = 23, 24, 25, 292  # px: of a row, a table's head, a notice, and of all parts
_LEAST_PICTURE, _MOST_PICTURE = 104, 210  # px
_LIVE_BAND = 26  # px that the picture gives up for the band over a live ticket
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
    schedule_head, schedule_view, risk_head, passing_view, cost_view : ipywidgets.HTML
        The parts that are text.
    picture : SchedulePicture
        The schedule as a figure.
    use_buttons : tuple of ipywidgets.Button
        One for each refusal that a value cures.
    is_shown : bool
        Whether a plan is shown.
    """

    def __init__(self, *, put: Put, on_use: Callable[[Use], None], is_live: bool) -> None:
        self._put = put
        self._on_use = on_use
        self._band_height = _LIVE_BAND if is_live else 0
        self.picture = SchedulePicture()  # heavy: made in the cell of the ticket, so that no preview stalls the loop
        self.is_shown = False
        self.use_buttons: tuple[ipywidgets.Button, ...] = ()
        self.schedule_head, self.schedule_view, self.risk_head, self.passing_view, self.cost_view = (
            ipywidgets.HTML() for _ in range(5)
        )
        self._empty = ipywidgets.HTML(value=_EMPTY)
        self._empty.add_class("hy-nothing")
        self._picture_box = ipywidgets.VBox((self.picture.figure,), _dom_classes=("hy-picture-box",))
        self._refusals = ipywidgets.VBox(_dom_classes=("hy-refusals",))
        schedule = ipywidgets.VBox(
            (self.schedule_head, self._picture_box, self.schedule_view), _dom_classes=("hy-pane", "hy-schedule")
        )
        risk = ipywidgets.VBox((self.risk_head, self._refusals, self.passing_view), _dom_classes=("hy-pane", "hy-risk"))
        split = ipywidgets.Box((risk, self.cost_view), _dom_classes=("hy-split",))
        self.cost_view.add_class("hy-cost")
        super().__init__(children=(self._empty, schedule, split), _dom_classes=("hy-plan", "hy-unplanned"))

    def show(self, plan: PlanPort, *, quote: Quote | None) -> None:
        """Show a plan; `quote` tells how much room a price to use leaves."""
        refused = refusals(plan, quote=quote)
        self._put(self.schedule_head, title("Schedule", note=_NOTE, right=f"plan {short_id(plan)}"))
        self._draw_picture(plan, refused)
        self._put(self.schedule_view, schedule_table(plan, most=MOST_SLICES_SHOWN) + notices(plan))
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
            self.is_shown = False

    def _draw_picture(self, plan: PlanPort, refused: list[Refusal]) -> None:
        shown = min(MOST_SLICES_SHOWN, len(rows(plan.schedule)))
        height = _PICTURE_AND_TABLE - _HEAD - _ROW * shown - _NOTICE * len(plan.notices) - self._band_height
        borders = [one.border for one in refused if one.border is not None]
        self._picture_box.layout.height = f"{min(_MOST_PICTURE, max(_LEAST_PICTURE, height))}px"
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
