"""The order ticket: fill in, preview, send. It sees the desk through `DeskPort` only, and decides nothing about orders.

A plan may be sent once, while it is the last one previewed, passes every check, is not too old, and no field has
changed since. Everything else keeps Send off and says why. Nothing that reduces risk is ever disabled.
"""

from collections.abc import Coroutine, Iterator
from typing import Any

import ipywidgets

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.ports import DeskPort, ExecutionPort, PlanPort
from hydra_nb.errors import HydraError, OrderError, PlanExpired
from hydra_nb.widgets import numbers
from hydra_nb.widgets.fields import Fields, make_fields
from hydra_nb.widgets.follow import Follower
from hydra_nb.widgets.parts import (
    State,
    badge,
    contract_line,
    escape,
    live_band,
    order_value,
    quote_strip,
    side_style,
    side_words,
    state_words,
)
from hydra_nb.widgets.plan_parts import order_sentence, plan_state
from hydra_nb.widgets.render import execution_body, plan_body
from hydra_nb.widgets.style import STYLE

EMPTY = State(words="○ Empty", sentence="Pick a contract, a side and lots.")
QUOTING = State(words="◌ Quoting", sentence="Preview draws the schedule and asks the risk gate. Nothing is sent.")
DRAWING = State(words="◌ Drawing", sentence="The schedule is being drawn. Nothing is sent.")
EXPIRED = State(words="○ Expired", sentence="This plan is 5 minutes old; prices have moved on. Preview again.")
CLOSED = State(words="○ Closed", sentence="The desk of this ticket was closed. Open a desk, and a new ticket.")
CHANGED = State(words="◌ Quoting", sentence="The order changed while its plan was drawn. Preview again.")
EMPTY_PLAN = '<div class="hy-empty">Preview shows the schedule, the risk checks and the expected cost here.</div>'


class OrderTicket(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A form for one parent order, its plan, and the order as it runs.

    Parameters
    ----------
    desk
        The desk that previews and submits.
    symbol
        What the instrument field shows first.

    Attributes
    ----------
    plan : PlanPort | None
        The last plan previewed; None after any edit.
    execution : ExecutionPort | None
        The last order sent from this ticket.
    fields : Fields
        The form's fields, also to be set by code: ``ticket.fields.lots.value = 13``.
    preview_button, send_button, kill_button : ipywidgets.Button
        What a person presses.
    header, quote_view, value_view, plan_view, state_line, execution_view : ipywidgets.HTML
        What a person reads.
    """

    _follower: Follower | None = None
    _is_made = False  # a ticket that failed on the way has nothing to close

    def __init__(self, desk: DeskPort, symbol: str) -> None:
        self.plan: PlanPort | None = None
        self.execution: ExecutionPort | None = None
        self._desk = desk
        self._contract: FutureContract | None = None
        self._state = EMPTY
        self._revision = 0
        self._sent_plans: dict[str, tuple[ExecutionPort | None, int]] = {}
        self.fields: Fields = make_fields(symbol)
        self._make_views()
        super().__init__(children=self._arrange(), _dom_classes=("hy", "hy-ticket"))
        for field in self.fields.all:
            field.observe(self._edited, names="value")
        self.fields.instrument.observe(self._instrument_changed, names="value")
        self.preview_button.on_click(lambda _: self._start(self.preview(), tells_itself=True))
        self.send_button.on_click(lambda _: self._start(self.send(), tells_itself=True))
        self.kill_button.on_click(lambda _: self._start(self._kill()))
        self._follower = Follower(desk, draw=self._draw)
        self._is_made = True
        self._show()
        self._start(self._look_up())

    def _make_views(self) -> None:
        self.header = ipywidgets.HTML()
        self.quote_view = ipywidgets.HTML()
        self.value_view = ipywidgets.HTML()
        self.plan_view = ipywidgets.HTML(value=EMPTY_PLAN)
        self.state_line = ipywidgets.HTML()
        self.execution_view = ipywidgets.HTML()
        self.preview_button = ipywidgets.Button(description="Preview")
        self.send_button = ipywidgets.Button(description="Send", disabled=True)
        self.kill_button = ipywidgets.Button(description="■ Kill all", tooltip="Halt the desk, cancel all own orders")
        self.execution_view.add_class("hy-execution")
        for button, style in (
            (self.preview_button, "hy-preview"),
            (self.send_button, "hy-send"),
            (self.kill_button, "hy-kill"),
        ):
            button.add_class("hy-push")
            button.add_class(style)

    def _arrange(self) -> tuple[ipywidgets.DOMWidget, ...]:
        fields = self.fields
        for wide in (fields.instrument, fields.side, fields.strategy, self.value_view):
            wide.add_class("hy-wide")
        fields.side.add_class("hy-sides")
        boxes = (
            (ipywidgets.HBox((self.header, self.kill_button)), "hy-top"),
            (ipywidgets.Box((ipywidgets.Box((*fields.all, self.value_view)), self.plan_view)), "hy-body"),
            (ipywidgets.HBox((self.state_line, self.preview_button, self.send_button)), "hy-actions"),
        )
        for box, style in boxes:
            box.add_class(style)
        top, body, actions = (box for box, _ in boxes)
        body.children[0].add_class("hy-form")
        return (
            ipywidgets.HTML(value=STYLE + live_band(self._desk.badge)),
            top,
            self.quote_view,
            body,
            actions,
            self.execution_view,
        )

    async def preview(self) -> PlanPort | None:
        """Draw a plan from the fields and show it; nothing is sent.

        Returns
        -------
        PlanPort or None
            The plan; None where a field was edited meanwhile.

        Raises
        ------
        OrderError
            Where the fields cannot be an order; its sentence is shown too.
        """
        self._revision += 1
        revision = self._revision
        self._forget_plan(DRAWING)
        try:
            side = self.fields.required_side()
            instrument, lots = self.fields.instrument.value.strip(), self.fields.lots.value
            plan = await self._desk.preview(side.value, lots, instrument, **self.fields.how())
        except Exception as error:
            if revision == self._revision:
                self._tell(error)
            raise
        if revision != self._revision:
            if self._state is not DRAWING:  # else a later preview is on its way and will tell
                self._show_state(CHANGED)
            return None
        self.plan, self._contract = plan, plan.parent.contract
        self.plan_view.value = plan_body(plan)
        self._state = plan_state(plan)
        if plan.passes:
            words = f"{order_sentence(plan)} {self._state.sentence}"
            self._state = State(words=self._state.words, sentence=words)
        self._show()
        return plan

    async def send(self) -> ExecutionPort | None:
        """Submit the plan that is shown, once.

        Returns
        -------
        ExecutionPort or None
            The order; the earlier one where this plan was sent before; None where nothing may be sent, which the
            state line explains.

        Raises
        ------
        HydraError
            Where the desk cannot submit; its sentence is shown too. The plan stays used up: preview again.
        """
        plan = self.plan
        if plan is None:
            self._show_state(State(words=self._state.words, sentence="There is no plan to send: preview first."))
            return None
        if plan.plan_id in self._sent_plans:
            return self._show_already_sent(plan)
        if not self._may_send():
            self._show()
            return None
        self._sent_plans[plan.plan_id] = (None, self._desk.now_ns())
        self._show_state(State(words="◌ Sending", sentence="The plan is handed to the desk."))
        try:
            execution = await self._desk.submit(plan)
        except Exception as error:
            self._tell(error)
            raise
        known_ns = self._sent_ns(execution)
        sent_ns = self._desk.now_ns() if known_ns is None else known_ns
        self._sent_plans[plan.plan_id] = (execution, sent_ns)
        self.execution = execution
        if known_ns is not None:
            self._show_already_sent(plan)
        else:
            sentence = f"Parent {execution.parent_id} is accepted. This plan cannot be sent a second time."
            self._show_state(State(words=f"✓ Sent {self._time(sent_ns)}", sentence=sentence, tone="good"))
        self._show_live()
        return execution

    def retire(self) -> None:
        """Leave the ticket on the page as it is, for reading: its desk was closed, and nothing can be pressed."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
            self._draw()
            self._show_state(CLOSED)
            for control in (*self.fields.all, self.preview_button, self.send_button, self.kill_button):
                control.disabled = True

    def close(self) -> None:
        """Stop listening to the desk and take the widget off the page; orders go on."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if self._is_made:
            self._is_made = False
            for part in list(_parts(self)):
                part.close()
            super().close()

    def _start(self, work: Coroutine[Any, Any, object], *, tells_itself: bool = False) -> None:
        self._desk.spawn(self._guarded(work, tells_itself=tells_itself))

    async def _guarded(self, work: Coroutine[Any, Any, object], *, tells_itself: bool) -> None:
        """Await a gesture's work and show its failure; a wrong field ends here, the rest the desk reports."""
        try:
            await work
        except Exception as error:
            if not tells_itself:
                self._tell(error)
            if not isinstance(error, OrderError):
                raise

    async def _kill(self) -> None:
        self._show_state(State(words="■ Halting", sentence="All own orders are being cancelled.", tone="bad"))
        await self._desk.kill("Kill all was pressed in the order ticket")
        self._show()

    async def _look_up(self) -> None:
        """Find the contract that the instrument field names, so that its quote is watched and shown."""
        wanted = self.fields.instrument.value.strip()
        if not wanted:
            return
        contract = await self._desk.instrument(wanted)
        if wanted == self.fields.instrument.value.strip():
            self._contract = contract
            self._show()

    def _instrument_changed(self, _: object) -> None:
        self._contract = None
        self._start(self._look_up())

    def _edited(self, _: object) -> None:
        """Any edit makes the shown plan worthless: it was drawn for another order."""
        self._revision += 1
        self._forget_plan(QUOTING if self.fields.complete else EMPTY)

    def _forget_plan(self, state: State) -> None:
        self.plan = None
        self.plan_view.value = EMPTY_PLAN
        self._show_state(state)

    def _draw(self) -> None:
        """Bring everything up to date after a change of the desk; a failure is told in words, and the desk hears it."""
        try:
            self._show()
            self._show_live()
        except Exception as error:
            self._tell(error)
            raise

    def _may_send(self) -> bool:
        """Whether Send is on: the last plan passes, is unsent and young, and no kill is in force."""
        plan = self.plan
        return (
            plan is not None
            and plan.passes
            and plan.plan_id not in self._sent_plans
            and not self._is_expired(plan)
            and self._desk.killed is None
        )

    def _is_expired(self, plan: PlanPort) -> bool:
        return bool(self._desk.now_ns() > plan.valid_until.value)

    def _time(self, time_ns: int) -> str:
        zone = "UTC" if self._contract is None else self._contract.time_zone
        return numbers.clock_time(time_ns, time_zone=zone)

    def _sent_ns(self, execution: ExecutionPort) -> int | None:
        """When this ticket sent an order before; None where it did not. The desk knows equal orders, and gives them."""
        known = self._sent_plans.values()
        return next((ns for sent, ns in known if sent is not None and sent.parent_id == execution.parent_id), None)

    def _show_already_sent(self, plan: PlanPort) -> ExecutionPort | None:
        execution, sent_ns = self._sent_plans[plan.plan_id]
        named = f" as {execution.parent_id}" if execution is not None else ""
        sentence = f"Already sent at {self._time(sent_ns)}{named}; nothing was sent."
        self._show_state(State(words=f"✓ Sent {self._time(sent_ns)}", sentence=sentence, tone="good"))
        return execution

    def _tell(self, error: Exception) -> None:
        """An error in words: its own sentence where it is ours, its kind where it is not; never a traceback."""
        if isinstance(error, PlanExpired):
            self._show_state(EXPIRED)
        elif isinstance(error, HydraError):
            text = str(error).strip().rstrip(".")
            self._show_state(State(words="✕ Not possible", sentence=f"{text[:1].upper()}{text[1:]}.", tone="bad"))
        else:
            sentence = f"The ticket failed ({type(error).__name__}); orders go on. See the journal."
            self._show_state(State(words="✕ Failed", sentence=sentence, tone="bad"))

    def _show_state(self, state: State) -> None:
        self._state = state
        self._show()

    def _shown_state(self) -> State:
        """The state with what has happened since: a kill in force, a plan grown old."""
        killed = self._desk.killed
        if killed is not None:
            sentence = f"“{killed}”. Nothing is sent until a person re-arms the desk with a reason."
            return State(words="■ Killed", sentence=sentence, tone="bad")
        plan = self.plan
        if plan is not None and plan.plan_id not in self._sent_plans and self._is_expired(plan):
            return EXPIRED
        return self._state

    def _show(self) -> None:
        """Bring header, quote, state line and buttons up to date; equal HTML is not sent again."""
        state, side = self._shown_state(), self.fields.chosen_side()
        contract, name = self._contract, self._desk.badge
        named = escape(self.fields.instrument.value) if contract is None else contract_line(contract)
        self.header.value = (
            f'<div class="hy-head">{badge(name)}<span>{named}</span><span class="hy-right">'
            f'{state_words(state)}<span class="hy-muted">{escape(self._desk.masked_account)}</span></span></div>'
        )
        quote = None if contract is None else self._desk.latest_quote(contract)
        self.quote_view.value = "" if contract is None else quote_strip(contract, quote)
        self.value_view.value = "" if contract is None else order_value(contract, quote, lots=self.fields.lots.value)
        role = "alert" if self._desk.killed is not None else "status"
        chosen = (
            "" if side is None else f'<span class="hy-side">{escape(side_words(side, self.fields.lots.value))}</span>'
        )
        self.state_line.value = (
            f'<div role="{role}" class="hy-row" style="align-items:center;flex-wrap:nowrap">{chosen}'
            f"<span>{state_words(state)} {escape(state.sentence)}</span></div>"
        )
        self._show_buttons(side_style(side))

    def _show_buttons(self, style: str) -> None:
        for other in ("hy-buy", "hy-sell"):
            if other != style:
                self.remove_class(other)
        if style:
            self.add_class(style)
        self.preview_button.disabled = not self.fields.complete
        sent = self.plan is not None and self.plan.plan_id in self._sent_plans
        side = self.fields.chosen_side()
        sign, words = side_words(side, self.fields.lots.value).split(" ", 1) if side is not None else ("", "")
        if sent and self.plan is not None:
            self.send_button.description = f"✓ Sent {self._time(self._sent_plans[self.plan.plan_id][1])}"
        else:
            self.send_button.description = f"{sign} Send {words}".strip()
        self.send_button.disabled = not self._may_send()

    def _show_live(self) -> None:
        execution = self.execution
        if execution is not None:
            self.execution_view.value = execution_body(
                execution,
                badge=self._desk.badge,
                masked_account=self._desk.masked_account,
                now_ns=self._desk.now_ns(),
            )


def _parts(box: ipywidgets.Box) -> Iterator[ipywidgets.DOMWidget]:
    """All widgets inside a box, at any depth."""
    for child in box.children:
        if isinstance(child, ipywidgets.Box):
            yield from _parts(child)
        yield child
