"""The live view of one parent order: how far it is, what it cost, where it filled, what happened, what can be done."""

import time
from typing import Any

import ipywidgets

from hydra_nb.domain.ports import DeskPort, ExecutionPort
from hydra_nb.errors import InvalidOrder
from hydra_nb.widgets import execution_figure, numbers
from hydra_nb.widgets.execution_log import Line, lines, log_pane
from hydra_nb.widgets.execution_parts import figures_pane, fills_pane, progress_pane, slice_table
from hydra_nb.widgets.execution_state import (
    AGAIN,
    CANCEL,
    FILLS,
    PAUSE,
    RECONCILE,
    RESUME,
    TELLS_LINK,
    ShownState,
    Surroundings,
    shown_state,
)
from hydra_nb.widgets.execution_tape import Change, QuoteTape
from hydra_nb.widgets.frame import Frame
from hydra_nb.widgets.parts import STRATEGY_NAMES, State, badge, clock, escape, rows, said, side_words

FIGURE_EVERY_S = 5.0
"""Host seconds after which the figure is drawn again for quotes and time alone."""

_FIGURE_TITLE = (
    '<div class="hy-title hy-figure-title"><b>Fills on quotes</b><span class="hy-muted">● mid ■ step ◆ cross · '
    "grey: bid to ask · below: lots filled (blue), due to open (grey)</span></div>"
)


class ExecutionView(Frame):
    """An execution that follows the desk at most twice a second, and sends only what has changed.

    Parameters
    ----------
    desk
        Tells of changes, the time, the account and quotes.
    execution
        The parent order that is shown.

    Attributes
    ----------
    progress, figures, slice_view, log_view : ipywidgets.HTML
        The panes.
    figure : plotly.graph_objects.FigureWidget
        Fills on quotes, and lots filled against due and open.
    pause_button, resume_button, cancel_button : ipywidgets.Button
        What can be done while it runs.
    fills_button, again_button, reconcile_button : ipywidgets.Button
        What can be done when it is over.
    """

    def __init__(self, desk: DeskPort, execution: ExecutionPort) -> None:
        super().__init__(desk, kind="execution")
        self._execution = execution
        self._contract = execution.parent.contract
        self.time_zone = self._contract.time_zone
        self._checks = 0
        self._revision: int | None = None
        self._slices: list[dict[str, Any]] = []
        self._fills: list[dict[str, Any]] = []
        self._lines: list[Line] = []
        self._shows_fills = False
        self._figure_facts: object = None
        self._figure_s = 0.0
        self._tape = QuoteTape(
            Change(int(row["time"].as_unit("ns").value), float(row["bid"]), float(row["ask"]))
            for row in rows(execution.quotes)
        )
        self.progress, self.figures, self.slice_view, self.log_view = (ipywidgets.HTML() for _ in range(4))
        self._make_gestures()
        self._read()
        self._picture = execution_figure.LiveFigure(self._shown())
        self.figure = self._picture.widget
        self._arrange()
        self.set_side(execution.parent.side)
        self.start()

    def _make_gestures(self) -> None:
        made = {name: ipywidgets.Button(description=name) for name in (PAUSE, RESUME, CANCEL, FILLS, AGAIN, RECONCILE)}
        made[PAUSE].description, made[RESUME].description = "❚❚ Pause", "► Resume"
        made[CANCEL].description, made[FILLS].description = "✕ Cancel order", "Fills"
        made[RECONCILE].description = "Reconcile"
        self.pause_button, self.resume_button, self.cancel_button = made[PAUSE], made[RESUME], made[CANCEL]
        self.fills_button, self.again_button, self.reconcile_button = made[FILLS], made[AGAIN], made[RECONCILE]
        self._gestures = made
        self.pause_button.on_click(lambda _: self.run(self._execution.pause()))
        self.resume_button.on_click(lambda _: self.run(self._execution.resume()))
        self.cancel_button.on_click(lambda _: self.run(self._execution.cancel()))
        self.fills_button.on_click(lambda _: self._swap_log())
        self.again_button.on_click(lambda _: self.run(self._plan_again()))
        self.reconcile_button.on_click(lambda _: self.run(self._reconcile()))

    def _arrange(self) -> None:
        top = ipywidgets.HBox((self.progress, self.figures))
        bottom = ipywidgets.HBox((self.slice_view, self.log_view))
        picture = ipywidgets.VBox((ipywidgets.HTML(value=_FIGURE_TITLE), self.figure))
        for box, name in ((top, "hy-halves"), (bottom, "hy-thirds"), (picture, "hy-figure")):
            box.add_class(name)
        self.compose(body=(top, picture, bottom), foot=tuple(self._gestures.values()))

    # Drawing

    def draw(self) -> None:
        """Bring every part up to date; what has not changed is neither read nor sent again."""
        execution, now_ns = self._execution, self._desk.now_ns()
        quote = self._desk.latest_quote(self._contract)
        if not execution.status.is_over:
            self._tape.note(quote)
        if execution.revision != self._revision:
            self._read()
        around = Surroundings(now_ns=now_ns, quote_ns=None if quote is None else quote.time_ns, slices=self._slices)
        state = shown_state(execution, around)
        self.put(self.header, self._header(state, now_ns=now_ns))
        self.put(self.progress, progress_pane(execution, now_ns=now_ns, slices=self._slices, running=True))
        self.put(self.slice_view, slice_table(execution, self._slices, worked=execution.slice_lots, now_ns=now_ns))
        told = self.answered(state.words)
        self.put(self.state_line, _said(state) if told is None else said(told))
        # A kill, or what came of a gesture, takes the place of the state: the banner tells the link meanwhile.
        self.tells_lost_link = execution.status in TELLS_LINK and self._desk.killed is None and told is None
        self._draw_gestures(state)
        self._draw_figure()

    def _read(self) -> None:
        """Read what only facts change: frames and the story."""
        execution = self._execution
        self._revision = execution.revision
        self._slices, self._fills = rows(execution.slices), rows(execution.fills)
        if not self._checks:
            decisions = execution.decisions
            self._checks = int(((decisions["action"] == "parent") & decisions["allowed"]).sum())
        self._lines = lines(execution.story, execution.parent, checks=self._checks)
        self.put(self.figures, figures_pane(execution))
        self._draw_log()

    def _draw_log(self) -> None:
        if self._shows_fills:
            self.put(self.log_view, fills_pane(self._execution, self._fills))
        else:
            self.put(self.log_view, log_pane(self._lines, time_zone=self.time_zone))

    def _header(self, state: ShownState, *, now_ns: int) -> str:
        parent, desk = self._execution.parent, self._desk
        contract = parent.contract
        tick_cash = numbers.cash(contract.tick_value, currency=contract.currency)
        facts = [
            contract.local_symbol,
            numbers.quote_unit(contract),
            f"tick {numbers.price(contract.tick, decimals=contract.decimals)} = {tick_cash}",
            *([f"tag {parent.tag}"] if parent.tag else []),
        ]
        name = f"{contract.name} {numbers.contract_month(contract.contract_month)}"
        killed = desk.killed is not None and not self._execution.status.is_over
        tone, state_words = ("bad", "■ Killed") if killed else (state.tone, state.words)
        time_words = "" if self._execution.status.is_over else clock(now_ns, time_zone=self.time_zone)
        return (
            f'<div class="hy-head">{badge(desk.badge)}<span class="hy-side">'
            f"{escape(side_words(parent.side, parent.lots))}</span>"
            f'<span class="hy-name">{escape(STRATEGY_NAMES[parent.strategy])}</span>'
            f'<span class="hy-clip"><b>{escape(name)}</b><span class="hy-muted hy-optional"> · '
            f"{escape(' · '.join(facts))}</span></span>"
            f'<span class="hy-right"><span class="hy-state hy-{tone}">{state_words}</span>'
            f'<span class="hy-muted">{time_words}</span>'
            f'<span class="hy-muted">{escape(desk.masked_account)}</span></span></div>'
        )

    def _draw_gestures(self, state: ShownState) -> None:
        """Pause, Resume and Cancel while it runs, else what can follow; a gesture that makes no sense is off."""
        running = not self._execution.status.is_over
        for name, button in self._gestures.items():
            offered = name in state.actions
            hidden = not (running if name in (PAUSE, RESUME, CANCEL) else offered)
            if hidden:
                button.add_class("hy-hidden")
            else:
                button.remove_class("hy-hidden")
            button.disabled = not offered
        short = max(0, self._execution.parent.lots - self._execution.filled_lots)
        self.again_button.description = f"New plan for {numbers.lots(short)}"
        self.fills_button.description = "What happened" if self._shows_fills else "Fills"

    def _draw_figure(self) -> None:
        """Draw the figure on a fill or a stage, and each few seconds for the quotes; once over, not any more."""
        shown_s = time.monotonic()
        facts = (
            self._execution.status,
            len(self._fills),
            [(order.slice, order.stage, order.lots, order.limit_price) for order in self._execution.resting],
            [(row["start"], row["status"]) for row in self._slices],
        )
        waits = self._execution.status.is_over or shown_s - self._figure_s < FIGURE_EVERY_S
        if facts == self._figure_facts and waits:
            return
        first = self._figure_facts is None
        self._figure_facts, self._figure_s = facts, shown_s
        if not first:  # it was made a moment ago
            self._picture.draw(self._shown())

    def _shown(self) -> execution_figure.Shown:
        execution = self._execution
        until_ns = execution.finished_ns
        return execution_figure.Shown(
            slices=self._slices,
            fills=self._fills,
            resting=execution.resting,
            quotes=self._tape.thinned(execution_figure.room_for_quotes(self._slices, self._fills)),
            arrival_mid=execution.arrival_mid,
            until_ns=self._desk.now_ns() if until_ns is None else until_ns,
            is_over=execution.status.is_over,
            side=execution.parent.side,
            decimals=self._contract.decimals,
            time_zone=self.time_zone,
        )

    # Gestures

    def _swap_log(self) -> None:
        """Show the fills in place of the log, and back."""
        self._shows_fills = not self._shows_fills
        self._draw_log()
        self.fills_button.description = "What happened" if self._shows_fills else "Fills"

    async def _reconcile(self) -> None:
        """Compare with the broker, and say what was found."""
        found = await self._desk.reconcile()
        if len(found):
            raise InvalidOrder(f"{numbers.plural(len(found), 'difference')} to the broker: {found['message'].iloc[0]}")
        self.tell_of(_NO_DIFFERENCE)

    async def _plan_again(self) -> None:
        """Open a ticket below, filled in with the lots that are left; nothing is previewed or sent.

        It closes an earlier one, which goes from here by that; so it does where a ticket of a cell closes it.
        """
        ticket = self._execution.ticket_for_the_rest()
        ticket.observe(self._drop_ticket, names="comm")
        self.children = (*self.children, ticket)

    def _drop_ticket(self, change: dict[str, Any]) -> None:
        """Let a closed ticket go: what holds it cannot be told to a page any more."""
        if change["new"] is None and self._is_made:
            self.children = tuple(part for part in self.children if part is not change["owner"])


_NO_DIFFERENCE = State(
    words="✓ Reconciled", sentence="Ledger and broker agree. The state of this order stays as it ended.", tone="good"
)


def _said(state: ShownState) -> str:
    """State and sentence as a region that screen readers announce; ages in it run in the page."""
    live = "assertive" if state.role == "alert" else "polite"
    return (
        f'<div class="hy-say" role="{state.role}" aria-live="{live}"><span class="hy-state hy-{state.tone}">'
        f"{state.words}</span><span>{state.sentence}</span></div>"
    )
