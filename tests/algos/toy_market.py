"""A toy exchange and a plain loop around the manager's core: deterministic from a seed, with faults by choice."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hydra_nb.algos.actions import CancelChild, CoreAction, ProbeDeath, Propose, Record, WakeAt
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import Action, ChildOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.core import ManagerCore

from .making import OATS, PARENT_ID, START_NS, steady_quote


@dataclass
class Faults:
    """Chances of faults, each from 0 to 1, and how the toy exchange fills."""

    fill: float = 0.0  # that an order fills at all, at a random time of its life
    partial: float = 0.0  # that such a fill is of some of the lots only
    refuse: float = 0.0  # transient refusal of the gate
    refuse_hard: float = 0.0
    send_failed: float = 0.0
    place_lost: float = 0.0  # the frame never arrives
    ack_lost: float = 0.0  # the order works, silently
    modify_refused: float = 0.0
    modify_lost: float = 0.0
    cancel_lost: float = 0.0
    crossing_fill: float = 0.0  # a fill between our cancel and its confirmation
    early_cancel: float = 0.0  # the broker ends the order by itself
    execution_lost: float = 0.0  # told only when asked for
    twice: float = 0.0  # a report comes twice
    late_report_s: float = 0.0  # reports are late by up to so much, each by its own
    stall: float = 0.0  # a timer is late by up to 400 s
    never_dead: bool = False  # the broker shows the order as open for ever


@dataclass
class ToyOrder:
    """What is true of one order."""

    child: ChildOrder
    open: bool = True
    filled: int = 0
    executions: list[ev.ExecutionReported] = field(default_factory=list)
    told: set[str] = field(default_factory=set)


class ToyDesk:
    """Core, toy exchange and timers in one plain loop; `check` runs after every event."""

    def __init__(
        self,
        plan: ExecutionPlan,
        *,
        seed: int = 1,
        faults: Faults | None = None,
        quote: Callable[[int], Quote | None] | None = None,
        check: Callable[["ToyDesk"], None] | None = None,
    ) -> None:
        self.plan = plan
        self.core = ManagerCore(journal_id="J")
        self.rng = random.Random(seed)  # noqa: S311  nor is a toy market
        self.faults = faults or Faults()
        self.quote = quote or steady_quote
        self.check = check
        self.now_ns = START_NS
        self.orders: dict[str, ToyOrder] = {}
        self.journal: list[ev.Event] = []
        self.asked: list[tuple[int, CoreAction]] = []
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._queue: deque[ev.Event | CoreAction] = deque()
        self._busy = False
        self._next_id = 100
        self._timer_ns: int | None = None

    # The loop

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Call later, in order of time and of asking."""
        self._count += 1
        heapq.heappush(self._heap, (max(time_ns, self.now_ns), self._count, call))

    def tell(self, event_type: type[ev.Event], **fields: object) -> None:
        """Let an event happen now."""
        self.ingest(event_type(time_ns=self.now_ns, **fields))

    def tell_at(self, seconds: float, event_type: type[ev.Event], **fields: object) -> None:
        """Let an event happen so many seconds after the start."""
        self.at(START_NS + round(seconds * NS_PER_S), lambda: self.tell(event_type, **fields))

    def ingest(self, item: ev.Event | CoreAction) -> None:
        """Journal, step, and carry out what is asked, first in first out."""
        self._queue.append(item)
        if self._busy:
            return
        self._busy = True
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, ev.Event):
                self.journal.append(item)
                actions = self.core.step(item, item.time_ns)
                self.asked.extend((self.now_ns, action) for action in actions)
                self._queue.extend(actions)
                if self.check is not None:
                    self.check(self)
            else:
                self._carry_out(item)
        self._busy = False

    def run(self, *, until_s: float = 1e6) -> None:
        """Run from submission until nothing is left to happen."""
        self.tell(ev.ConnectionChanged, state=ConnectionState.UP, message="connected")
        self.tell(ev.Reconciled, breaks=0, message="equal")
        self.tell(ev.ParentSubmitted, parent_id=PARENT_ID, plan=self.plan, quote=self.quote(self.now_ns))
        steps_at, at_ns = 0, 0
        while self._heap and self._heap[0][0] <= START_NS + until_s * NS_PER_S:
            time_ns, _, call = heapq.heappop(self._heap)
            steps_at = steps_at + 1 if time_ns == at_ns else 0
            at_ns = time_ns
            assert steps_at < 200, f"the loop is stuck at {time_ns}"
            self.now_ns = time_ns
            call()

    # What is asked of desk and broker

    def _carry_out(self, action: CoreAction) -> None:
        match action:
            case Record():
                self.ingest(action.event)
            case WakeAt():
                late_ns = self.rng.randrange(400 * NS_PER_S) if self._hits(self.faults.stall) else 0
                self._wake_at(action.parent_id, max(action.time_ns, self.now_ns) + late_ns)
            case Propose():
                self._gate(action)
            case CancelChild():
                self._cancel(action)
            case ProbeDeath():
                self.at(self.now_ns + 200_000_000, lambda: self._probe(action.order_ref))

    def _wake_at(self, parent_id: str, time_ns: int) -> None:
        """Keep one timer, the earliest asked for."""
        if self._timer_ns is None or time_ns < self._timer_ns:
            self._timer_ns = time_ns
            self.at(time_ns, lambda: self._wake(parent_id, time_ns))

    def _wake(self, parent_id: str, time_ns: int) -> None:
        if self._timer_ns != time_ns or parent_id not in self.core.running:
            return
        self._timer_ns = None
        self.tell(ev.Woke, parent_id=parent_id, quote=self.quote(self.now_ns))

    def _hits(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance

    def _gate(self, asked: Propose) -> None:
        hard = self._hits(self.faults.refuse_hard)
        if hard or self._hits(self.faults.refuse) or self.quote(self.now_ns) is None:
            self.tell(
                ev.ChildRefused,
                action=asked.action,
                parent_id=asked.parent_id,
                slice=asked.slice,
                order_ref=asked.order_ref,
                check="max_lots" if hard else "quote_age",
                transient=not hard,
                message="refused",
            )
            return
        placing = asked.action is Action.PLACE
        self._next_id += 1
        child = ChildOrder(
            order_ref=asked.order_ref,
            order_id=self._next_id if placing else self.orders[asked.order_ref].child.order_id,
            parent_id=asked.parent_id,
            slice=asked.slice,
            account="SIM1234567",
            contract=OATS,
            side=self.plan.parent.side,
            lots=asked.lots,
            limit_price=asked.limit_price,
            expires_ns=asked.expires_ns,
            stage=asked.stage,
        )
        self.tell(
            ev.ChildReserved,
            action=asked.action,
            child=child,
            client_id=1,
            content_hash=child.content_hash,
            quote=self.quote(self.now_ns),
            predicted_slippage=None,
            predictor_version=None,
        )
        self.at(self.now_ns + 1_000_000, lambda: self._send(child, asked.action))

    def _send(self, child: ChildOrder, action: Action) -> None:
        if self._hits(self.faults.send_failed):
            self.tell(ev.SendFailed, order_ref=child.order_ref, action=action, reason="the quote is too old")
            return
        self.tell(ev.ChildSent, order_ref=child.order_ref, action=action, content_hash=child.content_hash)
        if action is Action.MODIFY:
            self._modify(child)
        elif not self._hits(self.faults.place_lost):
            self._open(child)

    def _open(self, child: ChildOrder) -> None:
        assert child.order_ref not in self.orders, "an orderRef was sent as new twice"
        order = self.orders[child.order_ref] = ToyOrder(child=child)
        if not self._hits(self.faults.ack_lost):
            self._report(self._status(order, "Submitted"))
        self.at(child.expires_ns, lambda: self._expire(order))
        life_ns = child.expires_ns - self.now_ns
        if self._hits(self.faults.fill):
            self.at(self.now_ns + self.rng.randrange(1, max(2, life_ns)), lambda: self._fill(order))
        if self._hits(self.faults.early_cancel):
            self.at(self.now_ns + self.rng.randrange(1, max(2, life_ns)), lambda: self._end(order))

    def _modify(self, child: ChildOrder) -> None:
        order = self.orders.get(child.order_ref)
        if order is None or not order.open or self._hits(self.faults.modify_lost):
            return
        if self._hits(self.faults.modify_refused):
            self.tell(ev.BrokerErrorReported, order_ref=child.order_ref, code=201, message="modify rejected")
            return
        order.child = child
        self.at(child.expires_ns, lambda: self._expire(order))
        self._report(
            ev.OpenOrderReported(
                time_ns=self.now_ns,
                order_ref=child.order_ref,
                order_id=child.order_id,
                perm_id=child.order_id + 5000,
                status="Submitted",
                lots=child.lots,
                limit_price=child.limit_price,
                expires_ns=child.expires_ns,
            )
        )

    def _cancel(self, asked: CancelChild) -> None:
        self.tell(ev.CancelRequested, order_ref=asked.order_ref, reason=asked.reason)
        order = self.orders.get(asked.order_ref)
        if order is None or self._hits(self.faults.cancel_lost):
            return
        if self._hits(self.faults.crossing_fill):
            self._fill(order)
        self.at(self.now_ns + 50_000_000, lambda: self._end(order))

    def _expire(self, order: ToyOrder) -> None:
        if self.now_ns >= order.child.expires_ns:
            self._end(order)

    def _end(self, order: ToyOrder) -> None:
        if order.open:
            order.open = False
            self._report(self._status(order, "Cancelled"))

    def _fill(self, order: ToyOrder) -> None:
        left = order.child.lots - order.filled
        if not order.open or left <= 0:
            return
        lots = self.rng.randint(1, left) if self._hits(self.faults.partial) else left
        order.filled += lots
        number = len(order.executions) + 1
        family = f"{order.child.order_ref}/{number}"
        execution = ev.ExecutionReported(
            time_ns=self.now_ns,
            order_ref=order.child.order_ref,
            order_id=order.child.order_id,
            perm_id=order.child.order_id + 5000,
            exec_id=f"{family}.01",
            family=family,
            revision=1,
            con_id=OATS.con_id,
            side=order.child.side,
            lots=lots,
            price=order.child.limit_price,
            executed_ns=self.now_ns // NS_PER_S * NS_PER_S,
            quote=None,
        )
        order.executions.append(execution)
        full = order.filled == order.child.lots
        order.open = order.open and not full
        if not self._hits(self.faults.execution_lost):
            self._report(execution)
        self._report(self._status(order, "Filled" if full else "Submitted"))

    def _status(self, order: ToyOrder, word: str) -> ev.OrderStatusReported:
        return ev.OrderStatusReported(
            time_ns=self.now_ns,
            order_ref=order.child.order_ref,
            order_id=order.child.order_id,
            perm_id=order.child.order_id + 5000,
            status=word,
            filled_lots=order.filled,
            remaining_lots=order.child.lots - order.filled,
        )

    def _report(self, event: ev.Event) -> None:
        for _ in range(2 if self._hits(self.faults.twice) else 1):
            late_ns = round(self.rng.random() * self.faults.late_report_s * NS_PER_S)
            self.at(self.now_ns + 10_000_000 + late_ns, lambda: self._tell_again(event))

    def _tell_again(self, event: ev.Event) -> None:
        fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
        self.ingest(type(event)(**{**fields, "time_ns": self.now_ns}))

    def _probe(self, order_ref: str) -> None:
        order = self.orders.get(order_ref)
        for execution in order.executions if order is not None else ():
            self._tell_again(execution)
        still_open = order is not None and (order.open or self.faults.never_dead)
        executed = order.filled if order is not None else 0
        self.tell(
            ev.DeathProbed, order_ref=order_ref, still_open=still_open, executed_lots=executed, broker_ns=self.now_ns
        )

    # What tests look at

    def events(self, kind: type[ev.Event]) -> list[ev.Event]:
        """Journalled events of one kind."""
        return [event for event in self.journal if type(event) is kind]

    def actions(self, kind: type[CoreAction]) -> list[CoreAction]:
        """What the core asked for, of one kind."""
        return [action for _, action in self.asked if type(action) is kind]

    @property
    def finished(self) -> ev.ParentFinished:
        """How the parent ended."""
        (event,) = self.events(ev.ParentFinished)
        assert isinstance(event, ev.ParentFinished)
        return event

    @property
    def true_lots(self) -> int:
        """Lots that the toy exchange has filled."""
        return sum(order.filled for order in self.orders.values())


def replay(events: Iterable[ev.Event]) -> tuple[ManagerCore, list[tuple[int, CoreAction]]]:
    """Feed journalled events through a fresh core."""
    core = ManagerCore(journal_id="J")
    return core, [(event.time_ns, action) for event in events for action in core.step(event, event.time_ns)]
