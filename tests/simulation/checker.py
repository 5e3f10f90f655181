"""Holds the rules against every event, every frame and every move of the exchange; keeps the last of them to tell."""

import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hydra_nb.algos.actions import CancelChild, CoreAction
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import OrderState
from hydra_nb.journal.codec import encode_event
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import ExchangeEvent
from tests.simulation import truth as wire
from tests.simulation.facts import NOTHING, PAUSING, Facts, Life
from tests.simulation.rules_fold import STEP_RULES, Step
from tests.simulation.rules_wire import PLACE_RULES, SentPlace, cancels_first, names_own_order, paced

TOLD_EVENTS = 30
_LATE_CANCEL_S = 1.2
_NUMBER = re.compile(r"[\dL]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that did not hold: its number in the list of invariants, its sentence, and what was seen."""

    number: str
    sentence: str
    words: str
    at_s: float

    def __str__(self) -> str:
        """One line."""
        return f"invariant {self.sentence} At {self.at_s:.3f} s: {self.words}"


class Checker:
    """The rules, and the facts they look at.

    Parameters
    ----------
    truth, exchange
        The exchange's account.
    clock
        Gives loop seconds, the gateway's time, and the desk's own time (nanoseconds).
    on_violation
        Called once, at the first violation.
    """

    def __init__(
        self,
        truth: wire.Truth,
        *,
        exchange: Exchange,
        clock: Callable[[], tuple[float, int, int]],
        on_violation: Callable[[], None],
    ) -> None:
        self.facts = Facts(truth, exchange=exchange)
        self.violations: list[Violation] = []
        self.last: deque[tuple[float, str, Any]] = deque(maxlen=TOLD_EVENTS)
        self.counts: Counter[str] = Counter()
        self.trace: list[bytes] = []
        self._clock = clock
        self._on_violation = on_violation
        truth.on_event = self._exchange_moved

    # The lives of the desk

    def begin(self, life: Life) -> None:
        """A desk opens its journal: what it folded from there is what is known."""
        self._tick()
        self.facts.life = life
        self.facts.feeds.watched.clear()
        self.facts.placed_in_this_life.clear()
        for _, event in life.journal.events(kinds=[ev.ExecutionReported]):
            life.book(event)
        # A kill, a pause or its end that the disk did not get is as if it had never been.
        self.facts.killed = self.facts.press_stands = life.ledger.killed is not None
        self.facts.tripped = dict(life.ledger.breakers.tripped)
        self.facts.forget_pauses()
        for _, event in life.journal.events(kinds=PAUSING):
            self.facts.note_pause(event)
        for record in life.ledger.orders.values():
            life.remember(record)
        self.last.append((self.facts.now_s, "life", "a desk opens"))

    def end(self) -> None:
        """The desk is closed or dead."""
        self._tick()
        self.facts.life = None
        self.last.append((self.facts.now_s, "life", "the desk is gone"))

    # What happens

    def stepped(self, life: Life, event: ev.Event, actions: tuple[CoreAction, ...]) -> None:
        """An event was folded."""
        if life is not self.facts.life:
            return
        self._tick()
        self.counts["events"] += 1
        self.facts.mark()
        self.trace.append(f"{type(event).__name__} {encode_event(event)}".encode())
        self.last.append((self.facts.now_s, "event", (event, actions)))
        self._note(life, event, actions)
        ref = getattr(event, "order_ref", None)
        if isinstance(event, ev.ChildReserved):
            ref = event.child.order_ref
        record = life.ledger.orders.get(ref) if ref else None
        before = life.before.get(ref, NOTHING) if ref else NOTHING
        step = Step(event=event, actions=actions, record=record, before=before, life=life)
        for rule in STEP_RULES:
            self._judge(rule, rule(self.facts, step))
        if record is not None:
            life.remember(record)

    def _note(self, life: Life, event: ev.Event, actions: tuple[CoreAction, ...]) -> None:
        facts = self.facts
        match event:
            case ev.ExecutionReported():
                life.book(event)
            case ev.Killed():
                facts.killed = True
            case ev.ConnectionChanged():
                life.reconciled = False
            case ev.Reconciled():
                life.reconciled = event.breaks == 0
            case ev.BreakerTripped():
                facts.tripped[event.breaker, event.con_id] = event
                self.counts["trips"] += 1
            case ev.Rearmed():
                facts.killed = facts.killed and event.breaker is not None
                facts.tripped = {
                    key: trip for key, trip in facts.tripped.items() if event.breaker not in (None, key[0])
                }
            case ev.ParentPaused() | ev.ParentInterrupted():
                facts.held |= {
                    one.order_ref for one in life.ledger.open_orders() if one.child.parent_id == event.parent_id
                }
        facts.note_pause(event)
        for asked in actions:
            if isinstance(asked, CancelChild):
                self._owe_cancel(life, asked.order_ref)

    def _owe_cancel(self, life: Life, ref: str) -> None:
        if life.only_takes_down:
            return
        record = life.ledger.orders.get(ref)
        if record is not None and record.sent_ns is not None and not record.state.is_over and self.facts.line_up:
            life.cancels_owed.setdefault(ref, self.facts.now_s)

    def _exchange_moved(self, event: ExchangeEvent) -> None:
        self._tick()
        self.last.append((self.facts.now_s, "exchange", event))

    # The wire; called by the process

    def connected(self, _line: Any) -> None:
        """A socket is open."""
        self.facts.last_heard_s = self._clock()[0]
        self.facts.line_up, self.facts.servers_lost = True, False
        self.facts.feeds.forget()

    def disconnected(self, _line: Any) -> None:
        """A socket is closed."""
        self.facts.line_up = False
        if self.facts.life is not None:
            self.facts.life.cancels_owed.clear()

    def stalled(self, seconds: float) -> None:
        """The loop stood still: in that time nobody could ask, nor notice that no answer came."""
        self.facts.last_heard_s += seconds
        if self.facts.lost_since_s is not None:
            self.facts.lost_since_s += seconds

    def received(self, _line: Any, payload: bytes) -> None:
        """A frame of the gateway reached the client."""
        self.facts.last_heard_s = self._clock()[0]
        self.facts.feeds.heard(payload, now_s=self.facts.last_heard_s)
        code = wire.error_code(payload)
        if code == wire.RESTORED_DATA_LOST:
            self.facts.feeds.data_lost(now_s=self.facts.last_heard_s)
        if code in (wire.LOST_SERVERS, wire.RESTORED_DATA_LOST, wire.RESTORED):
            self.facts.servers_lost = code == wire.LOST_SERVERS
        fees = wire.told_fees(payload)
        if fees is not None and self.facts.life is not None:
            self.facts.life.fees_told.add(fees)

    def sent(self, line: Any, payload: bytes) -> None:
        """A frame was written to the socket."""
        self._tick()
        self.counts["frames"] += 1
        self.trace.append(b"%d %s" % (round(self.facts.now_s * 1e9), payload))
        facts, message = self.facts, wire.message_id(payload)
        facts.frame_times.append(facts.now_s)
        while facts.frame_times and facts.frame_times[0] <= facts.now_s - 1:
            facts.frame_times.popleft()
        self._judge(paced, paced(facts, message))
        self._judge(cancels_first, cancels_first(facts, message))
        if message == wire.PLACE and wire.is_what_if(payload):
            self.counts["what-ifs"] += 1
        elif message == wire.PLACE:
            self._sent_place(payload, client_id=line.process.client_id)
        elif message == wire.CANCEL:
            self._sent_cancel(payload, client_id=line.process.client_id)
        elif message in (wire.MARKET_DATA, wire.END_MARKET_DATA):
            facts.feeds.asked(payload, now_s=facts.now_s)
        elif message == wire.GLOBAL_CANCEL:
            self._judge(names_own_order, "a global cancel, which reaches the orders of everybody")

    def _sent_place(self, payload: bytes, *, client_id: int) -> None:
        facts, life = self.facts, self.facts.life
        frame = wire.read_place(payload, client_id=client_id)
        self.last.append((facts.now_s, "frame", frame))
        if frame is None or life is None:
            self._judge(names_own_order, "a place frame that cannot be read, or from nobody")
            return
        self.counts["places"] += 1
        sent = SentPlace(frame=frame, intent=facts.take_intent(frame.content_hash), life=life)
        for rule in PLACE_RULES:
            self._judge(rule, rule(facts, sent))
        facts.note_place(frame)

    def _sent_cancel(self, payload: bytes, *, client_id: int) -> None:
        order_id = wire.cancelled_id(payload)
        self.last.append((self.facts.now_s, "frame", f"cancel {order_id}"))
        self._judge(names_own_order, names_own_order(self.facts, client_id=client_id, order_id=order_id))
        ref = self.facts.names.get((client_id, order_id))
        if ref is not None and self.facts.life is not None:
            self.facts.life.cancels_owed.pop(ref, None)

    def open_states(self) -> set[OrderState]:
        """States of the orders that are not over, as the ledger has them."""
        life = self.facts.life
        return set() if life is None else {record.state for record in life.ledger.open_orders()}

    # The verdict

    def refresh(self) -> None:
        """Look at the clocks."""
        self._tick()

    def _tick(self) -> None:
        facts = self.facts
        facts.now_s, facts.now_ns, facts.desk_now_ns = self._clock()
        facts.note_loss()
        if facts.life is not None and facts.life.cancels_owed:
            self._overdue(facts.life)

    def _overdue(self, life: Life) -> None:
        for ref, asked_s in list(life.cancels_owed.items()):
            record = life.ledger.orders.get(ref)
            if record is None or record.state.is_over:
                del life.cancels_owed[ref]
            elif self.facts.now_s - asked_s > _LATE_CANCEL_S:
                del life.cancels_owed[ref]
                self.violate("12", "12. Cancels are never blocked.", f"no cancel for {ref} in {_LATE_CANCEL_S} s")

    def _judge(self, rule: Callable[..., Any], words: str | None) -> None:
        if words is not None:
            sentence = (rule.__doc__ or "").split("\n")[0]
            self.violate(_NUMBER.match(sentence)[0], sentence, words)  # type: ignore[index]

    def violate(self, number: str, sentence: str, words: str) -> None:
        """Take a violation down; the first one ends the run."""
        self.violations.append(Violation(number=number, sentence=sentence, words=words, at_s=self.facts.now_s))
        if len(self.violations) == 1:
            self._on_violation()
