"""The manager's core: folds an event, asks the strategies concerned, returns what they want done.

It neither sleeps nor sends and holds no clock: the same events in the same order give the same actions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.algos import twap
from hydra_nb.algos.actions import CoreAction, Record
from hydra_nb.algos.prices import MarketMemory
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus, SliceStatus
from hydra_nb.domain.units import Side
from hydra_nb.domain.values import replace
from hydra_nb.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentView:
    """Counts of one parent order.

    `due_lots` are the planned lots of slices whose ladder has ended, `shortfall_lots` those that no slice will work
    any more, `average_price` in the quoted unit.
    """

    parent_id: str
    status: ParentStatus
    reason: str
    lots: int
    filled_lots: int
    working_lots: int
    due_lots: int
    shortfall_lots: int
    average_price: Decimal | None
    arrival_mid: Decimal | None
    messages_used: int
    messages_budget: int


class ManagerCore:
    """Decides for all parent orders of one journal.

    Parameters
    ----------
    journal_id
        Id of the journal; orderRefs are ``hy:{journal_id}:{parent_id}:{slice}:{attempt}``.
    over
        Ids of parents that are known to end in the events to come: they are folded, and nothing is decided for them.
    ledger, memories
        What was folded before, and what parents remember of markets; nothing is decided for the parents in it. None
        begins with nothing.

    Attributes
    ----------
    memories
        What parents remember by contract and side: an order of one hides the others' touch from the next one too.
    """

    def __init__(
        self,
        *,
        journal_id: str,
        over: Collection[str] = (),
        ledger: Ledger | None = None,
        memories: Mapping[tuple[int, Side], MarketMemory] | None = None,
    ) -> None:
        self.ledger = Ledger() if ledger is None else ledger
        self.memories = dict(memories or {})
        self._journal_id = journal_id
        self._over = over
        self._running: dict[str, twap.ParentState] = {}
        self._now_ns = 0

    def step(self, event: ev.Event, now_ns: int) -> tuple[CoreAction, ...]:
        """Fold `event`, then let the parents that it concerns decide; actions are in the order to be done."""
        self._now_ns = now_ns
        booked_before = self._booked_lots(event)
        self.ledger.apply(event)
        if isinstance(event, ev.ParentSubmitted) and event.parent_id not in self._over:
            prefix = f"hy:{self._journal_id}:{event.parent_id}"
            seen = self.memories.get((event.plan.parent.contract.con_id, event.plan.parent.side), MarketMemory())
            self._running[event.parent_id] = twap.begin(event, ref_prefix=prefix, seen=seen)
        actions: tuple[CoreAction, ...] = ()
        if isinstance(event, ev.ExecutionReported) and self._booked_lots(event) > booked_before:
            actions = self._overfill_alarm(event)
        for parent_id in self._concerned(event):
            state = self._running[parent_id]
            own: dict[Decimal, int] = {}
            if isinstance(event, ev.Woke):
                own = self.ledger.own_lots(state.terms.con_id, side=state.terms.side)
            state, asked = twap.decide(
                state, event, now_ns=now_ns, orders=self.ledger.orders, connection=self._connection(event), own=own
            )
            self.memories[state.terms.con_id, state.terms.side] = state.memory
            if state.over:
                del self._running[parent_id]
            else:
                self._running[parent_id] = state
            actions += asked
        return actions

    def forget_timers(self) -> None:
        """Take the timers of interrupted parents as gone, after a replay: they died with the process that set them.

        Any other parent loses its timer when it is interrupted; one that is interrupted already is not once more.
        """
        for parent_id, state in self._running.items():
            if self.ledger.parents[parent_id].status is ParentStatus.INTERRUPTED:
                self._running[parent_id] = replace(state, wake_ns=None)

    def timers_to_set(self) -> dict[str, int]:
        """Market time of the timer that each running parent waits for, by id; to be set anew after a replay."""
        return {key: state.wake_ns for key, state in self._running.items() if state.wake_ns is not None}

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of the parents that are not over, in order of submission."""
        return tuple(self._running)

    def parent_view(self, parent_id: str) -> ParentView:
        """Counts of a parent as of the last step; KeyError for an unknown id."""
        record = self.ledger.parents[parent_id]
        orders = [self.ledger.orders[ref] for ref in record.order_refs]
        booked = sum(order.booked_lots for order in orders)
        value = sum(
            (order.average_price * order.booked_lots for order in orders if order.average_price is not None),
            start=Decimal(0),
        )
        lots = record.plan.parent.lots
        state = self._running.get(parent_id)
        return ParentView(
            parent_id=parent_id,
            status=record.status,
            reason=record.reason,
            lots=lots,
            filled_lots=booked,
            working_lots=sum(order.working_lots for order in orders),
            due_lots=self.due_lots(parent_id, now_ns=self._now_ns),
            shortfall_lots=max(0, lots - booked) if state is None else state.pool_lots,
            average_price=value / booked if booked else None,
            arrival_mid=record.arrival_mid,
            messages_used=record.messages,
            messages_budget=record.plan.messages_budget,
        )

    def slice_lots(self, parent_id: str) -> dict[int, int]:
        """Lots that each slice to come, or at work, has to do, carried ones among them, by its number."""
        state = self._running.get(parent_id)
        return {} if state is None else {one.number: one.lots for one in (*state.active, *state.waiting)}

    def _connection(self, event: ev.Event) -> ConnectionState:
        """State of the connection; whoever interrupts a parent has none, whatever was last said of an earlier one."""
        return ConnectionState.DOWN if isinstance(event, ev.ParentInterrupted) else self.ledger.connection

    def _booked_lots(self, event: ev.Event) -> int:
        """Booked lots of the order that an execution is of."""
        order = self.ledger.orders.get(event.order_ref) if isinstance(event, ev.ExecutionReported) else None
        return 0 if order is None else order.booked_lots

    def _overfill_alarm(self, event: ev.ExecutionReported) -> tuple[CoreAction, ...]:
        """Lock the contract in the same step where an order, or its parent, filled more than its lots."""
        order = self.ledger.orders[event.order_ref]
        parent = self.ledger.parents.get(order.child.parent_id)
        contract = order.child.contract
        if contract.con_id in self.ledger.locked:
            return ()
        if order.booked_lots > order.total_lots:
            what, filled, lots = order.order_ref, order.booked_lots, order.total_lots
        elif parent is not None and parent.filled_lots > parent.plan.parent.lots:
            what, filled, lots = parent.parent_id, parent.filled_lots, parent.plan.parent.lots
        else:
            return ()
        locked = ev.ContractLocked(
            time_ns=self._now_ns,
            con_id=contract.con_id,
            local_symbol=contract.local_symbol,
            order_ref=event.order_ref,
            reason=f"{what} filled {filled} lots, {lots} were ordered: compare with the broker's statement",
        )
        return (Record(event=locked),)

    def due_lots(self, parent_id: str, *, now_ns: int) -> int:
        """Planned lots of the slices that are over, or whose ladder has ended; cancelled ones never came due."""
        record = self.ledger.parents[parent_id]
        over = {
            one.number
            for one in record.slices
            if one.done_ns is not None and (one.sent_ns is not None or one.status is not SliceStatus.CANCELLED)
        }
        state = self._running.get(parent_id)
        if state is not None:
            over |= {one.number for one in (*state.active, *state.waiting) if one.end_ns <= now_ns}
        return sum(planned.lots for planned in record.plan.slices if planned.number in over)

    def _concerned(self, event: ev.Event) -> tuple[str, ...]:
        """Running parents that an event concerns; that a person was told of one is nothing to it."""
        if isinstance(event, (ev.AlertRaised, ev.AlertCleared)):
            return ()
        if isinstance(event, (ev.Killed, ev.BreakerTripped, ev.ConnectionChanged, ev.LoopStalled)):
            return tuple(self._running)
        if isinstance(event, ev.ContractLocked):
            return tuple(key for key, state in self._running.items() if state.terms.con_id == event.con_id)
        parent_id = getattr(event, "parent_id", None)
        if isinstance(event, ev.ChildReserved):
            parent_id = event.child.parent_id
        elif parent_id is None:
            order = self.ledger.orders.get(getattr(event, "order_ref", None) or "")
            parent_id = order.child.parent_id if order is not None else None
        return (parent_id,) if parent_id in self._running else ()
