"""The view of a whole desk: tiles, parents, orders in the market, positions, breakers, log; and what can be done."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import ipywidgets

from hydra_nb.domain.board import Board, ParentLine
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.ports import DeskPort, ExecutionPort
from hydra_nb.widgets import desk_parts, numbers
from hydra_nb.widgets.desk_choice import OrderButtons, OrderList
from hydra_nb.widgets.frame import Frame
from hydra_nb.widgets.parts import State, escape, header

MOST_PARENTS, MOST_ORDERS, MOST_POSITIONS = 6, 3, 4
"""Rows that fit an output cell without a scroll bar; a button shows all."""

ALL_ROWS = 20
"""Rows that are shown of anything at most: more would cost more than 40 kB a second."""

_NAMES = {"SIM": "simulated market", "PAPER": "paper account", "LIVE": "live account"}
_RUNNING = (ParentStatus.SCHEDULED, ParentStatus.WORKING)
_STANDING = (ParentStatus.PAUSED, ParentStatus.INTERRUPTED)


class DeskView(Frame):
    """What a desk does, on one screen; made by `Desk.view`, which closes the one before.

    Parameters
    ----------
    desk
        What is shown.

    Attributes
    ----------
    chooser : OrderList
        The parent that is chosen; its value is the id.
    pause_button, resume_button, cancel_button, open_button : ipywidgets.Button
        What can be done with it; another parent has others. Cancelling is never off while a parent is chosen.
    reconcile_button : ipywidgets.Button
        Compares ledger and broker.
    opened : ipywidgets.VBox
        Holds the view of a parent that was opened here.
    """

    def __init__(self, desk: DeskPort) -> None:
        super().__init__(desk, kind="desk")
        self.tiles, self.parents_head, self.parents = (ipywidgets.HTML() for _ in range(3))
        self.orders, self.positions, self.breakers, self.happened = (ipywidgets.HTML() for _ in range(4))
        self.filter = ipywidgets.ToggleButtons(options=tuple(desk_parts.FILTERS))
        self.all_rows = ipywidgets.ToggleButton(description="All rows")
        self.chooser = OrderList(on_pick=self._picked)
        self._statuses: Mapping[str, ParentStatus] = {}
        self._buttons: dict[str, OrderButtons] = {}
        self._acts = ipywidgets.HBox(_dom_classes=("hy-acts",))
        self.reconcile_button = ipywidgets.Button(description="Reconcile")
        self.opened = ipywidgets.VBox()
        self._listen_to_gestures()
        head = ipywidgets.HBox((self.parents_head, self.filter, self.all_rows))
        upper = ipywidgets.VBox((head, self.parents))
        left = ipywidgets.VBox((self.orders, self.positions))
        right = ipywidgets.VBox((self.breakers, self.happened))
        lower = ipywidgets.HBox((left, right))
        names = ((head, "hy-d-head"), (upper, "hy-pane"), (left, "hy-pane"), (right, "hy-pane"), (lower, "hy-d-lower"))
        for box, name in names:
            box.add_class(name)
        self.compose(body=(self.tiles, upper, lower), foot=(self.chooser, self._acts, self.reconcile_button))
        self.opened.add_class("hy-opened")
        self.children = (*self.children, self.opened)
        self.start()

    def _listen_to_gestures(self) -> None:
        for control in (self.filter, self.all_rows):
            control.observe(lambda _: self.redraw(), names="value")
        self.reconcile_button.on_click(lambda _: self.run(self._reconcile()))

    def draw(self) -> None:
        """Show the board of now."""
        board = self._desk.board()
        self.time_zone = zone = desk_parts.time_zone_of(board)
        state = desk_parts.desk_state(board, killed=self._desk.killed is not None)
        self.alarm = desk_parts.lost_link(board, time_zone=zone)
        opened = numbers.clock_time(board.opened_ns, time_zone=zone)
        left = (
            '<span class="hy-name">Desk</span><span class="hy-muted hy-optional">'
            f"{escape(_NAMES[self._desk.badge])} · opened {opened}</span>"
        )
        self.put(self.header, header(self._desk, left=left, state=state, time_zone=zone))
        self.put(self.tiles, desk_parts.tiles(board, time_zone=zone))
        self._draw_parents(board)
        most_orders, most_positions = (ALL_ROWS, ALL_ROWS) if self.all_rows.value else (MOST_ORDERS, MOST_POSITIONS)
        self.put(
            self.orders, desk_parts.orders_pane(board.orders, most=most_orders, now_ns=board.now_ns, time_zone=zone)
        )
        self.put(self.positions, desk_parts.positions_pane(board.positions, most=most_positions))
        self.put(self.breakers, desk_parts.breakers_pane(board.breakers, time_zone=zone))
        self.put(self.happened, desk_parts.log_pane(board.happenings, time_zone=zone))
        self.say(self.answered(state.words) or State(words="", sentence=state.sentence, tone=state.tone))
        self._draw_foot(board)

    def _draw_parents(self, board: Board) -> None:
        wanted = [line for line in board.parents if desk_parts.FILTERS[self.filter.value](line)]
        shown = wanted[: ALL_ROWS if self.all_rows.value else MOST_PARENTS]
        self.put(self.parents_head, desk_parts.parents_title(board, shown=len(shown), of=len(wanted)))
        self.put(self.parents, desk_parts.parents_table(shown, now_ns=board.now_ns, time_zone=self.time_zone))

    def _draw_foot(self, board: Board) -> None:
        at_work = [line for line in reversed(board.parents) if not line.status.is_over]
        self._statuses = {line.parent_id: line.status for line in at_work}
        self.chooser.renew({line.parent_id: self._named(line) for line in at_work})
        self._show_buttons()

    def _show_buttons(self) -> None:
        """Show the buttons of the parent that is picked, and let be pressed what makes sense."""
        shown = self._buttons_of(self.chooser.picked)
        for each in self._buttons.values():
            if each is not shown:
                each.box.add_class("hy-hidden")
        shown.box.remove_class("hy-hidden")
        status = self._statuses.get(self.chooser.value)
        shown.pause.disabled = status not in _RUNNING
        shown.resume.disabled = status not in _STANDING
        shown.cancel.disabled = shown.open.disabled = status is None

    def _buttons_of(self, parent_id: str) -> OrderButtons:
        """The buttons of one parent, made when it is first picked: a press that comes late must mean that one still."""
        if parent_id not in self._buttons:
            made = self._buttons[parent_id] = OrderButtons()
            made.pause.on_click(lambda _: self._act(parent_id, lambda one: one.pause(), "Paused"))
            made.resume.on_click(lambda _: self._act(parent_id, lambda one: one.resume(), "Resumed"))
            made.cancel.on_click(lambda _: self._act(parent_id, lambda one: one.cancel(), "Cancelled"))
            made.open.on_click(lambda _: self._open_view(parent_id))
            self._acts.children = (*self._acts.children, made.box)
        return self._buttons[parent_id]

    @property
    def pause_button(self) -> ipywidgets.Button:
        """Pauses the parent that is chosen."""
        return self._buttons_of(self.chooser.picked).pause

    @property
    def resume_button(self) -> ipywidgets.Button:
        """Lets the parent that is chosen go on."""
        return self._buttons_of(self.chooser.picked).resume

    @property
    def cancel_button(self) -> ipywidgets.Button:
        """Cancels the parent that is chosen."""
        return self._buttons_of(self.chooser.picked).cancel

    @property
    def open_button(self) -> ipywidgets.Button:
        """Opens the view of the parent that is chosen."""
        return self._buttons_of(self.chooser.picked).open

    def close(self) -> None:
        """Take the view off the page, with the one that was opened in it; orders go on."""
        self._put_away()
        super().close()

    def _put_away(self) -> None:
        opened, self.opened.children = self.opened.children, ()
        for view in opened:
            view.close()

    def _named(self, line: ParentLine) -> str:
        time = numbers.clock_time(line.submitted_ns, time_zone=self.time_zone)
        parent = line.parent
        return f"{time}  {parent.side} {parent.lots} {parent.contract.local_symbol}  {parent.tag or ''}".rstrip()

    # Gestures

    def _picked(self) -> None:
        self._show_buttons()
        self.redraw()

    def _is_meant(self, parent_id: str) -> bool:
        """Whether the parent whose button was pressed is the one that is chosen; says so where it is not."""
        if parent_id and parent_id != self.chooser.value:
            sentence = f"That was the button of {parent_id}, which is not chosen any more. Press again."
            self.tell_of(State(words="✕ Not done", sentence=sentence, tone="warn"))
        return bool(parent_id) and parent_id == self.chooser.value

    def _act(self, parent_id: str, gesture: Callable[[ExecutionPort], Awaitable[object]], done: str) -> None:
        if self._is_meant(parent_id):
            self.run(self._acted(gesture, self._desk.execution(parent_id), done))

    async def _acted(
        self, gesture: Callable[[ExecutionPort], Awaitable[object]], execution: ExecutionPort, done: str
    ) -> None:
        self.tell_of(State(words="◌", sentence=f"Asked for {execution.parent_id} …"))
        await gesture(execution)
        time = numbers.clock_time(self._desk.now_ns(), time_zone=self.time_zone)
        self.tell_of(State(words=f"✓ {done} {time}", sentence=f"{execution.parent_id}, by you.", tone="good"))

    def _open_view(self, parent_id: str) -> None:
        """Show the view of the chosen parent below, in place of the last."""
        if self._is_meant(parent_id):
            self._put_away()
            view = self._desk.execution(parent_id).view()
            view.observe(self._drop_view, names="comm")
            self.opened.children = (view,)

    def _drop_view(self, change: dict[str, Any]) -> None:
        """Let a view go that a cell closed by showing another: what holds it cannot be told to a page any more."""
        if change["new"] is None and self._is_made:
            self.opened.children = tuple(view for view in self.opened.children if view is not change["owner"])

    async def _reconcile(self) -> None:
        self.tell_of(State(words="◌ Reconciling", sentence="Ledger and broker are compared."))
        found = await self._desk.reconcile()
        words = "They agree." if found.empty else f"{numbers.plural(len(found), 'difference')}: see desk.breaks."
        self.tell_of(State(words="✓ Reconciled", sentence=words, tone="good" if found.empty else "warn"))
