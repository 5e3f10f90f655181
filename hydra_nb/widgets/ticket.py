"""The order ticket: fill in, preview, rehearse, arm, send.

It sees the desk through `DeskPort` only, and decides nothing about orders; what may be armed and sent `arming` decides.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.ports import DeskPort, ExecutionPort, PlanPort
from hydra_nb.errors import InvalidOrder, PlanExpired
from hydra_nb.widgets.arming import Arming, Phase, Sight
from hydra_nb.widgets.fields import Fields, make_fields
from hydra_nb.widgets.parts import State, in_words
from hydra_nb.widgets.ticket_buttons import TicketButtons
from hydra_nb.widgets.ticket_form import TicketForm, switch
from hydra_nb.widgets.ticket_plan import PlanPane
from hydra_nb.widgets.ticket_rehearsing import RehearsingTicket
from hydra_nb.widgets.ticket_risk import Use
from hydra_nb.widgets.ticket_strip import Market, quote_strip, usual_spread
from hydra_nb.widgets.ticket_view import ViewPlace
from hydra_nb.widgets.ticket_watch import Watch, later, market_of, sight_of
from hydra_nb.widgets.ticket_words import (
    CHANGED,
    INTERRUPTED,
    LAST_FOUR,
    NO_PLAN,
    NOT_ARMED,
    PlanWords,
    foot,
    header,
    plan_words,
    sent_state,
    ticket_state,
)


class OrderTicket(RehearsingTicket):
    """A form for one parent order, its plan, and the way from there to the market: Preview, Rehearse, Arm, Send.

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
    arming : Arming
        Where the ticket is between its first field and its order.
    fields : Fields
        The form's fields, also to be set by code: ``ticket.fields.lots.value = 13``.
    buttons : TicketButtons
        What a person presses, ``ticket.buttons.send`` for one.
    quote_view : ipywidgets.HTML
        The quote, ADV, position and session.
    form, plan_pane
        The left and the right side.
    """

    def __init__(self, desk: DeskPort, symbol: str) -> None:
        self.plan: PlanPort | None = None
        self.execution: ExecutionPort | None = None
        self.arming = Arming()
        self._contract: FutureContract | None = None
        self._usual_ticks: dict[int, float | None] = {}
        self._words: PlanWords | None = None
        self._sent: tuple[int, bool] = (0, False)
        self._revision = 0
        self._is_retired = False
        self._confirmed = desk.badge != "LIVE"
        self._host_s = time.monotonic
        self._thread = threading.get_ident()
        self._watch = Watch(self._look_again)
        super().__init__(desk)
        self.fields: Fields = make_fields(symbol, options=desk.known_instruments())
        self.form = TicketForm(self.fields, put=self.put)
        self.plan_pane = PlanPane(put=self.put, on_use=self._use, is_live=desk.badge == "LIVE")
        self.buttons = TicketButtons()
        self.quote_view = ipywidgets.HTML()
        sides = ipywidgets.Box((self.form, self.plan_pane), _dom_classes=("hy-columns",))
        self.compose(body=(self.quote_view, sides), foot=self.buttons.all)
        switch(self, "hy-live", on=desk.badge == "LIVE")
        self._place = ViewPlace(self, on_new=self.new_plan)
        self._listen_to_fields()
        self.start()
        self.run(self._look_up())

    def _listen_to_fields(self) -> None:
        for field in self.fields.all:
            field.observe(lambda _: self._on_own_thread(self._edited), names="value")
        self.fields.instrument.observe(lambda _: self._on_own_thread(self._instrument_changed), names="value")
        self.fields.tag.on_msg(self._last_field_key)
        self.guard.on_msg(self._tick_key)
        for end in (self.disarm, self._stop_run):
            self.kill_button.on_click(lambda _, end=end: self._on_own_thread(end))
        buttons = self.buttons
        buttons.preview.on_click(lambda _: self.run(self.preview(), tells_itself=True))
        buttons.rehearse.on_click(lambda _: self.run(self.rehearse(), tells_itself=True))
        self.plan_pane.stop_button.on_click(lambda _: self._on_own_thread(self.stop_rehearsal))
        buttons.arm.observe(self._arm_toggled, names="value")
        buttons.send.on_click(lambda _: self.run(self.send(), tells_itself=True))
        buttons.open.on_click(lambda _: self.run(self._open_view()))
        buttons.new.on_click(lambda _: self._on_own_thread(self.new_plan))

    # Gestures, for people and for code

    async def preview(self) -> PlanPort | None:
        """Draw a plan from the fields and show it; nothing is sent.

        Returns
        -------
        PlanPort or None
            The plan; None where a field was edited meanwhile, or while an order is on its way.

        Raises
        ------
        OrderError
            Where the fields cannot be an order; its sentence is shown too.
        """
        self._revision += 1
        revision = self._revision
        if self.arming.phase is Phase.SENDING:
            return None
        self.plan = self._words = None
        self._drop_rehearsal()
        self._step(self.arming.drawing())
        try:
            side = self.fields.required_side()
            plan = await self._desk.preview(side.value, self.fields.lots.value, self.fields.code, **self.fields.how())
        except (Exception, asyncio.CancelledError) as error:
            if revision == self._revision:
                self.plan_pane.forget()
                told = "The preview was interrupted." if not isinstance(error, Exception) else in_words(error).sentence
                self._step(self.arming.failed(told))
            raise
        if revision != self._revision:
            if self.arming.phase is Phase.QUOTING:  # else a later preview is on its way and will tell
                self._say_and_draw(CHANGED)
            return None
        self._contract = plan.parent.contract
        self._usual_ticks[self._contract.con_id] = usual_spread(plan.quotes, tick=self._contract.tick)
        quote = self._desk.latest_quote(self._contract)
        self.plan, self._words = plan, plan_words(plan, quote=quote)
        self.plan_pane.show(plan, quote=quote)
        self._step(self.arming.drawn(self._words.terms))
        return plan

    def arm(self, *, last_four: str | None = None) -> bool:
        """Allow Send for 30 s.

        Parameters
        ----------
        last_four
            On a live account, before the first time: the account's last four characters. Without them the ticket asks.

        Returns
        -------
        bool
            Whether the plan is armed; where it is not, the state line says why.

        Raises
        ------
        InvalidOrder
            `last_four` is not how the account ends.
        """
        if not self._confirmed and last_four is not None:
            if not self._desk.confirms_account(last_four):
                raise InvalidOrder(f"the account {self._desk.masked_account} ends with other characters; not armed")
            self._confirmed = True
        if not self._confirmed and self.arming.may_arm:
            self.ask(LAST_FOUR, self._arm_confirmed)
            self._draw_buttons()
            return False
        self._step(self.arming.arm(self._sight()))
        if self.arming.phase is Phase.ARMED:
            self.run(self._watch.begin())
        return self.arming.phase is Phase.ARMED

    def disarm(self) -> None:
        """Take the permission to send back; the plan stays."""
        self._step(self.arming.disarmed())

    async def send(self) -> ExecutionPort | None:
        """Submit the armed plan, once.

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
        plan, armed = self.plan, self.arming.phase is Phase.ARMED
        if self.arming.phase is Phase.SENT and self.execution is not None:
            self._sent = (self._sent[0], True)
            self._redraw()
            return self.execution
        self._step(self.arming.send(self._sight()))
        if plan is None or not armed or self.arming.phase is not Phase.SENDING:
            if self.arming.phase in (Phase.EMPTY, Phase.QUOTING, Phase.PLANNED) and not self.arming.why:
                state = ticket_state(self.arming, self._words)
                self._say_and_draw(State(words=state.words, sentence=NO_PLAN if plan is None else NOT_ARMED))
            return None
        self._stop_run()
        began_ns = self._desk.now_ns()
        try:
            execution = await self._desk.submit(plan)
        except PlanExpired:
            self._step(self.arming.expired())
            raise
        except asyncio.CancelledError:
            self._step(self.arming.failed(INTERRUPTED))
            raise
        except Exception as error:
            self._step(self.arming.failed(in_words(error).sentence))
            raise
        self.execution = execution
        self._sent = (execution.submitted_ns, execution.submitted_ns < began_ns)
        self._step(self.arming.sent())
        self.guard.focus(".hy-open button, button.hy-open")
        return execution

    def new_plan(self) -> None:
        """Start again with the fields as they are; the order that was sent goes on."""
        self._place.close()
        self._forget_plan()
        self.guard.focus(".hy-preview")

    def retire(self) -> None:
        """Leave the ticket on the page for reading: its desk was closed, and nothing can be pressed."""
        if self._is_retired:
            return
        self.disarm()
        self._watch.stop()
        self._is_retired = True
        super().retire()

    def close(self) -> None:
        """Stop listening to the desk and take the ticket off the page; orders go on."""
        if self._is_made:
            self._watch.stop()
            self._place.discard()
            super().close()

    # What widgets tell

    def _on_own_thread(self, work: Callable[[], None]) -> None:
        """Do it at once on the desk's own thread; from another, on which some kernels handle clicks, on its loop."""
        if threading.get_ident() == self._thread:
            work()
        else:
            self.run(later(work))

    def _edited(self) -> None:
        """Any edit makes the shown plan worthless: it was drawn for another order."""
        self._revision += 1
        if self.arming.phase is not Phase.SENDING:
            self._forget_plan()

    def _forget_plan(self) -> None:
        self.plan = self._words = None
        self._drop_rehearsal()
        self.plan_pane.forget()
        self.dismiss()
        self._step(self.arming.edited(complete=self.fields.complete))

    def _instrument_changed(self) -> None:
        self._contract = None
        self.run(self._look_up())

    async def _look_up(self) -> None:
        """Find the contract that the instrument field names, so that its quote is watched and its volume known."""
        wanted = self.fields.code
        if not wanted:
            return
        contract = await self._desk.instrument(wanted)
        if wanted != self.fields.code:
            return
        self._contract = contract
        self._redraw()
        await self._desk.statistics(contract)
        self.fields.instrument.options = self._desk.known_instruments()
        self._redraw()

    def _last_field_key(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("event") == "submit" and self.fields.complete:  # Enter in the last field
            self.run(self.preview(), tells_itself=True)

    def _tick_key(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        market = self._market()
        if content.get("ticks") in (1, -1) and market is not None:
            self.fields.step_limit(market.contract, up=content["ticks"] > 0, mid=market.mid)

    def _use(self, use: Use) -> None:
        """Enter a value that would pass; a person previews it."""
        if use.field == "limit":
            self.fields.limit.value = use.value
        else:
            self.fields.lots.value = int(use.value)
        self.guard.focus(".hy-preview")

    def _arm_toggled(self, change: dict[str, Any]) -> None:
        if bool(change["new"]) is (self.arming.phase is Phase.ARMED):
            return  # the ticket's own doing
        if change["new"]:
            self.run(self._arm_pressed())
        else:
            self._on_own_thread(self.disarm)

    async def _arm_pressed(self) -> None:
        self.arm()
        self._draw_buttons()  # the toggle goes back where nothing was armed

    async def _arm_confirmed(self, text: str) -> None:
        self.guard.focus(".hy-arm")
        self.arm(last_four=text)

    async def _open_view(self) -> None:
        if self.execution is not None:
            self._place.open(self.execution.view())

    # Looking

    def tell_of(self, answer: State) -> None:
        """Show what came of a gesture until the next one, or until the ticket's own changes."""
        self._say_and_draw(answer)

    def _market(self) -> Market | None:
        contract = self._contract if self.plan is None else self.plan.parent.contract
        if contract is None:
            return None
        return market_of(self._desk, contract, usual_ticks=self._usual_ticks.get(contract.con_id))

    def _sight(self) -> Sight:
        return sight_of(self._desk, self._market(), host_s=self._host_s())

    def _look_again(self) -> bool:
        self._redraw()
        return self.arming.phase is Phase.ARMED

    # Drawing

    def _step(self, arming: Arming) -> None:
        self.arming = arming
        self._told = None
        self._redraw()

    def draw(self) -> None:
        """Bring everything up to date, after a look at what may have disarmed the plan."""
        if self._is_retired:
            return
        before, self.arming = self.arming, self.arming.looked(self._sight())
        self._told = self._told if before.phase is self.arming.phase else None
        self._draw_rehearsal()
        market, side, lots = self._market(), self.fields.chosen_side(), self.fields.lots.value
        contract = None if market is None else market.contract
        self.time_zone = "UTC" if contract is None else contract.time_zone
        state = self._told or self._state()
        until_s, typed = self.arming.armed_until_s, self.fields.instrument.value
        armed_s = None if until_s is None else until_s - self._host_s()
        self.put(self.header, header(self._desk, contract=contract, typed=typed, state=state, armed_s=armed_s))
        self.put(self.quote_view, "" if market is None else quote_strip(market, side=side, lots=lots))
        words = self._words
        self.form.show(market, contract=contract, refused=frozenset() if words is None else words.refused_fields)
        order = "" if words is None else words.order
        self.put(self.state_line, foot(state, side=side, lots=lots, contract=contract, order=order))
        self.set_side(side)
        self._draw_buttons()

    def _state(self) -> State:
        if self.arming.phase is Phase.SENT and self.execution is not None:
            return sent_state(self.execution, sent_ns=self._sent[0], again=self._sent[1])
        return ticket_state(self.arming, self._words)

    def _draw_buttons(self) -> None:
        self.buttons.show(self.arming, self.fields, is_killed=self._desk.killed is not None, paths=self.paths)
        switch(self, "hy-armed", on=self.arming.phase is Phase.ARMED)
