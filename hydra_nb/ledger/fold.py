"""The ledger: one fold of journalled events, for live running, recovery, rehearsal and analysis alike.

How an order's state follows from events is the table in `hydra_nb.ledger.orders`. Here the events find their
orders, parents and account figures. No clock is read and nothing is written.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.domain.values import replace
from hydra_nb.ledger import orders as fold_order
from hydra_nb.ledger.breakers import BreakerBook
from hydra_nb.ledger.limits import LimitsRecord
from hydra_nb.ledger.records import NOT_TRADED, BookedExecution, OrderRecord, ParentRecord, SliceRecord, Traded
from hydra_nb.ledger.sameness import equal_parent

_DAY_NS = 86_400 * NS_PER_S


class Ledger:
    """Orders, parents, exposure and account, folded from events; it can be pickled, and so be taken along as it stands.

    Attributes
    ----------
    orders
        Every child order ever reserved, by orderRef; records are frozen and replaced.
    parents
        Every parent ever submitted, by id, in order of submission.
    positions
        The broker's own last report of each position, by contract id.
    commissions
        The broker's report of fees, by execution id, of whatever execution.
    killed
        The reason of the kill in force, or None.
    killed_orders
        Orders that were not over when it came.
    connection_changes
        How often the connection was told to have changed.
    reconciled
        Whether ledger and broker were compared since the connection last came up, and nothing holds up all.
    locked
        Why nothing may be sent in a contract, by contract id.
    unlocked_ns
        When a contract was last unlocked, by contract id: what had happened until then was explained.
    others_lots
        Lots of the account's position in a contract that are not ours, by contract id, as last adopted.
    limits
        Limits given and in force.
    calibrations
        The calibration of the slippage formula in force, by symbol, as it was accepted.
    baskets
        Every basket ever submitted, by id, in order of submission.
    strangers
        Latest revision of each execution that names an order that was never reserved here, by family.
    equity, peak_equity, day_start_equity
        Account equity, its highest, and the first of the UTC day, in `currency`. `Rearmed` starts the
        last two anew, so that a breaker that a person released does not trip on the same loss again.
    breakers
        Which breakers are tripped, and how the desk has fared with gate, broker and fills.
    """

    def __init__(self) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.parents: dict[str, ParentRecord] = {}
        self.positions: dict[int, ev.PositionReported] = {}
        self.breakers = BreakerBook(self.positions)
        self.commissions: dict[str, ev.CommissionReported] = {}
        self.killed: str | None = None
        self.killed_orders: tuple[str, ...] = ()
        self.connection_changes = 0
        self.reconciled = False
        self.locked: dict[int, ev.ContractLocked] = {}
        self.unlocked_ns: dict[int, int] = {}
        self.others_lots: dict[int, int] = {}
        self.limits = LimitsRecord()
        self.calibrations: dict[str, ev.CalibrationChanged] = {}
        self.baskets: dict[str, ev.BasketSubmitted] = {}
        self.strangers: dict[str, ev.ExecutionReported] = {}
        self.connection = ConnectionState.DOWN
        self.currency = ""
        self.equity: Decimal | None = None
        self.peak_equity: Decimal | None = None
        self.day_start_equity: Decimal | None = None
        self._equity_day: int | None = None
        self._open: dict[str, OrderRecord] = {}
        self._booked: dict[int, int] = {}
        self._traded: dict[int, dict[int, Traded]] = {}  # by UTC day, then by contract id
        self._last_order_ids: dict[int, int] = {}
        self._finished: list[str] = []
        self._since_rearmed = 0
        self._fold: Mapping[type[ev.Event], Callable[[Any], None]] = {
            ev.ParentSubmitted: self._parent_submitted,
            ev.ParentBegan: self._parent_began,
            ev.ParentRefused: self._parent_refused,
            ev.ParentFinished: self._parent_finished,
            ev.ParentPaused: self._parent_paused,
            ev.ParentResumed: self._parent_resumed,
            ev.ParentInterrupted: self._parent_interrupted,
            ev.SliceDelayed: self._slice_delayed,
            ev.SliceFinished: self._slice_finished,
            ev.ChildReserved: self._child_reserved,
            ev.ChildSent: self._child_sent,
            ev.SendFailed: partial(self._fold_order, fold_order.send_failed),
            ev.CancelRequested: self._cancel_requested,
            ev.AckTimedOut: partial(self._fold_order, fold_order.ack_timed_out),
            ev.OrderStatusReported: partial(self._fold_order, fold_order.status),
            ev.OpenOrderReported: partial(self._fold_order, fold_order.open_order),
            ev.BrokerErrorReported: partial(self._fold_order, fold_order.broker_error),
            ev.DeathProbed: self._death_probed,
            ev.ExecutionReported: self._executed,
            ev.CommissionReported: self._commission,
            ev.PositionReported: self._position,
            ev.AccountReported: self._account,
            ev.ConnectionChanged: self._connection_changed,
            ev.Reconciled: self._reconciled_event,
            ev.ContractLocked: self._contract_locked,
            ev.ContractUnlocked: self._contract_unlocked,
            ev.PositionAdopted: self._position_adopted,
            ev.Killed: self._killed_event,
            ev.Rearmed: self._rearmed,
            ev.LimitsOpened: self.limits.opened,
            ev.LimitsChanged: self.limits.changed,
            ev.CalibrationChanged: self._calibration_changed,
            ev.BasketSubmitted: self._basket_submitted,
        }

    def apply(self, event: ev.Event) -> None:
        """Fold one event; an event that concerns no order or parent of ours changes nothing."""
        fold = self._fold.get(type(event))
        if fold is not None:
            fold(event)
        self.breakers.apply(event)

    # What others ask

    def open_orders(self, con_id: int | None = None) -> Iterator[OrderRecord]:
        """Orders that are not over, of one contract or of all."""
        return (r for r in self._open.values() if con_id is None or r.child.contract.con_id == con_id)

    def working(self, con_id: int, *, without: str | None = None) -> tuple[int, int]:
        """Worst-case working lots (buy, sell) of a contract, leaving out the order named `without`."""
        buy = sell = 0
        for record in self.open_orders(con_id):
            if record.order_ref == without:
                continue
            if record.child.side is Side.BUY:
                buy += record.working_lots
            else:
                sell += record.working_lots
        return buy, sell

    def own_lots(self, con_id: int, *, side: Side) -> dict[Decimal, int]:
        """Our working lots of one side of a contract by limit price; a pending modify counts at both prices."""
        lots: dict[Decimal, int] = {}
        for record in self.open_orders(con_id):
            if record.child.side is side and record.sent_ns is not None:
                for price in {record.child.limit_price, record.terms.limit_price}:
                    lots[price] = lots.get(price, 0) + record.working_lots
        return lots

    def own_lots_at(self, price: Decimal, *, con_id: int, side: Side) -> int:
        """Our working lots of one side of a contract at one limit price; see `own_lots`."""
        lots = 0
        for record in self._open.values():  # with every quote: a loop costs half of what a sum over a generator does
            child = record.child
            if child.side is side and record.sent_ns is not None and child.contract.con_id == con_id:
                pending = record.pending
                if price == child.limit_price or (pending is not None and price == pending.limit_price):
                    lots += record.working_lots
        return lots

    def booked_position(self, con_id: int) -> int:
        """Signed lots of a contract by our own fills alone."""
        return self._booked.get(con_id, 0)

    @property
    def contracts(self) -> Mapping[int, FutureContract]:
        """Contracts of all parents ever submitted, by contract id."""
        return self.breakers.contracts

    def calibration(self, symbol: str) -> SlippageCalibration | None:
        """How the slippage formula is calibrated in a symbol; None where it is as assumed."""
        accepted = self.calibrations.get(symbol)
        return None if accepted is None else accepted.calibration

    def traded_on(self, time_ns: int) -> Mapping[int, Traded]:
        """What we traded in the UTC day of `time_ns`, by the broker's time of each execution, by contract id."""
        return self._traded.get(time_ns // _DAY_NS, {})

    def untold_lots(self, record: OrderRecord, told_lots: int) -> int:
        """Lots that the broker calls filled otherwise, and of which no execution told; see `orders.untold_lots`."""
        unlocked_ns = self.unlocked_ns.get(record.child.contract.con_id)
        return fold_order.untold_lots(record, told_lots, unlocked_ns=unlocked_ns)

    def held_lots(self, parent_id: str, *, without: str | None = None) -> int:
        """Lots that orders of a parent, other than `without`, may still fill."""
        return sum(
            record.working_lots
            for order_ref, record in self._open.items()
            if record.child.parent_id == parent_id and order_ref != without
        )

    def parent_open_lots(self, parent_id: str, *, without: str | None = None) -> int:
        """Lots of a parent neither booked nor held by an order of its own other than `without`."""
        parent = self.parents[parent_id]
        return max(0, parent.plan.parent.lots - parent.filled_lots - self.held_lots(parent_id, without=without))

    def last_order_id(self, client_id: int) -> int:
        """Highest order id ever reserved for a client id; 0 where there is none."""
        return self._last_order_ids.get(client_id, 0)

    def knows_day_start(self, now_ns: int) -> bool:
        """Whether equity was told in the UTC day of `now_ns`: an equity that stays the same begins a new day too."""
        return now_ns // _DAY_NS == self._equity_day

    def last_parent_pnl(self, rate: Callable[[str], Decimal | None]) -> Decimal | None:
        """Realised P&L of the last finished parent that closed lots, since the last `Rearmed`; None without one.

        `rate` gives what a unit of a currency is worth in that of the account; where it gives none the result is NaN.
        """
        for parent_id in reversed(self._finished[self._since_rearmed :]):
            told = [
                commission.realised_pnl * self._worth_of(commission.currency, rate=rate)
                for ref in self.parents[parent_id].order_refs
                for booking in self.orders[ref].executions.values()
                if (commission := self.commissions.get(booking.exec_id)) and commission.realised_pnl is not None
            ]
            if told:
                return sum(told, start=Decimal(0))
        return None

    def _worth_of(self, currency: str, *, rate: Callable[[str], Decimal | None]) -> Decimal:
        known = Decimal(1) if currency == self.currency else rate(currency)
        return Decimal("NaN") if known is None else known

    def equal_parent(self, plan: ExecutionPlan, *, now_ns: int) -> str | None:
        """Id of the parent of the same plan, or of an equal order of the same UTC day; see `sameness`."""
        return equal_parent(plan, parents=self.parents, now_ns=now_ns)

    # Parents

    def _parent_submitted(self, event: ev.ParentSubmitted) -> None:
        begins_later = event.plan.begins_ns(event.time_ns) > event.time_ns
        self.parents[event.parent_id] = ParentRecord(
            parent_id=event.parent_id,
            plan=event.plan,
            submitted_ns=event.time_ns,
            began_ns=None if begins_later else event.time_ns,
            arrival_mid=None if begins_later or event.quote is None else event.quote.mid,
            slices=tuple(SliceRecord(number=planned.number) for planned in event.plan.slices),
        )

    def _parent_began(self, event: ev.ParentBegan) -> None:
        mid = event.quote.mid if event.quote is not None else None
        self._change_parent(event.parent_id, began_ns=event.time_ns, arrival_mid=mid)

    def _change_parent(self, parent_id: str, **changes: object) -> None:
        record = self.parents.get(parent_id)
        if record is not None and not record.status.is_over:
            self.parents[parent_id] = replace(record, **changes)  # type: ignore[arg-type]

    def _change_slice(self, parent: ParentRecord, number: int, *, changes: Mapping[str, object], **of: object) -> None:
        """Change one slice of a parent, and with it what `of` tells of the parent itself."""
        changed = replace(parent.slices[number - 1], **changes)  # type: ignore[arg-type]
        slices = (*parent.slices[: number - 1], changed, *parent.slices[number:])
        self.parents[parent.parent_id] = replace(parent, slices=slices, **of)  # type: ignore[arg-type]

    def _parent_refused(self, event: ev.ParentRefused) -> None:
        self._change_parent(event.parent_id, status=ParentStatus.REFUSED, reason=event.message)

    def _parent_finished(self, event: ev.ParentFinished) -> None:
        record = self.parents.get(event.parent_id)
        if record is None or record.finished_ns is not None:
            return
        self.parents[event.parent_id] = replace(
            record, status=event.status, reason=event.reason, finished_ns=event.time_ns
        )
        self._finished.append(event.parent_id)

    def _parent_paused(self, event: ev.ParentPaused) -> None:
        self._change_parent(event.parent_id, status=ParentStatus.PAUSED)

    def _parent_resumed(self, event: ev.ParentResumed) -> None:
        record = self.parents.get(event.parent_id)
        if record is not None:
            status = ParentStatus.WORKING if record.order_refs else ParentStatus.SCHEDULED
            self._change_parent(event.parent_id, status=status, reason="")

    def _parent_interrupted(self, event: ev.ParentInterrupted) -> None:
        self._change_parent(event.parent_id, status=ParentStatus.INTERRUPTED, reason=event.reason)

    def _slice_delayed(self, event: ev.SliceDelayed) -> None:
        parent = self.parents.get(event.parent_id)
        if parent is not None and parent.slices[event.slice - 1].done_ns is None:
            words = f"{ev.delay_words(event.slice, late_ns=event.late_ns)}."
            self._change_slice(parent, event.slice, changes={"reason": words})

    def _slice_finished(self, event: ev.SliceFinished) -> None:
        parent = self.parents.get(event.parent_id)
        if parent is not None:
            changes = {
                "status": event.status,
                "carried_lots": event.carried_lots,
                "reason": event.reason,
                "done_ns": event.time_ns,
            }
            self._change_slice(parent, event.slice, changes=changes)

    # Orders

    def _put(self, record: OrderRecord) -> None:
        self.orders[record.order_ref] = record
        if record.state.is_over:
            self._open.pop(record.order_ref, None)
        else:
            self._open[record.order_ref] = record

    def _fold_order(self, fold: Callable[[OrderRecord, Any], OrderRecord], event: Any) -> None:
        record = self.orders.get(event.order_ref)
        if record is not None:
            self._put(fold(record, event))

    def _child_reserved(self, event: ev.ChildReserved) -> None:
        child = event.child
        known = self.orders.get(child.order_ref)
        self._put(fold_order.reserve(known, event))
        self._last_order_ids[event.client_id] = max(self._last_order_ids.get(event.client_id, 0), child.order_id)
        parent = self.parents.get(child.parent_id)
        if parent is None:
            return
        refs = parent.slices[child.slice - 1].order_refs
        changes = {
            "status": SliceStatus.WORKING,
            "order_refs": refs if known is not None else (*refs, child.order_ref),
            "stage": child.stage,
            "expires_ns": child.expires_ns,
        }
        status = ParentStatus.WORKING if parent.status is ParentStatus.SCHEDULED else parent.status
        self._change_slice(parent, child.slice, changes=changes, status=status)

    def _count_message(self, record: OrderRecord, *, sent_ns: int | None) -> None:
        child = record.child
        parent = self.parents.get(child.parent_id)
        if parent is None:
            return
        one = parent.slices[child.slice - 1]
        first_ns = one.sent_ns if one.sent_ns is not None else sent_ns
        changes = {"messages": one.messages + 1, "sent_ns": first_ns}
        self._change_slice(parent, child.slice, changes=changes, messages=parent.messages + 1)

    def _child_sent(self, event: ev.ChildSent) -> None:
        record = self.orders.get(event.order_ref)
        if record is not None:
            self._put(fold_order.sent(record, event))
            self._count_message(record, sent_ns=event.time_ns if event.action is Action.PLACE else None)

    def _cancel_requested(self, event: ev.CancelRequested) -> None:
        record = self.orders.get(event.order_ref)
        if record is not None:
            self._put(fold_order.cancel_requested(record, event))
            self._count_message(record, sent_ns=None)

    def _death_probed(self, event: ev.DeathProbed) -> None:
        record = self.orders.get(event.order_ref)
        if record is not None:
            told_lots = max(event.completed_lots or 0, record.told_lots)
            if self.untold_lots(record, told_lots):
                # Executions are missing: other lots than those that are booked prove nothing.
                event = replace(event, executed_lots=told_lots)
            self._put(fold_order.death_probed(record, event))

    def _executed(self, event: ev.ExecutionReported) -> None:
        record = self.orders.get(event.order_ref)
        if record is None:
            known = self.strangers.get(event.family)
            if known is None or known.revision < event.revision:
                self.strangers[event.family] = event
            return
        folded = fold_order.executed(record, event)
        self._put(folded)
        for sign, told in ((-1, record), (1, folded)):
            self._trade(told.child.contract.con_id, told.executions.get(event.family), sign=sign)
        self.breakers.slippage.revised(folded, family=event.family, before=record.executions.get(event.family))
        gained = folded.booked_lots - record.booked_lots
        child = record.child
        self._booked[child.contract.con_id] = self.booked_position(child.contract.con_id) + child.side.sign * gained
        parent = self.parents.get(child.parent_id)
        if parent is not None and gained:
            changes = {"filled_lots": parent.slices[child.slice - 1].filled_lots + gained}
            self._change_slice(parent, child.slice, changes=changes, filled_lots=parent.filled_lots + gained)

    def _trade(self, con_id: int, booking: BookedExecution | None, *, sign: int) -> None:
        """Count an execution in its day, or take an earlier revision of it back."""
        if booking is not None:
            day = self._traded.setdefault(booking.executed_ns // _DAY_NS, {})
            known = day.get(con_id, NOT_TRADED)
            points = sign * booking.lots * abs(booking.price)
            day[con_id] = Traded(lots=known.lots + sign * booking.lots, points=known.points + points)

    # Account and desk

    def _commission(self, event: ev.CommissionReported) -> None:
        self.commissions[event.exec_id] = event

    def _position(self, event: ev.PositionReported) -> None:
        self.positions[event.con_id] = event

    def _account(self, event: ev.AccountReported) -> None:
        self.currency = event.currency
        if event.equity is None:
            return
        self.equity = event.equity
        self.peak_equity = event.equity if self.peak_equity is None else max(self.peak_equity, event.equity)
        day = event.time_ns // _DAY_NS
        if day != self._equity_day:
            self._equity_day, self.day_start_equity = day, event.equity

    def _connection_changed(self, event: ev.ConnectionChanged) -> None:
        self.connection_changes += 1
        self.connection = event.state
        self.reconciled = False

    def _reconciled_event(self, event: ev.Reconciled) -> None:
        self.reconciled = event.breaks == 0

    def _contract_locked(self, event: ev.ContractLocked) -> None:
        self.locked[event.con_id] = event

    def _contract_unlocked(self, event: ev.ContractUnlocked) -> None:
        self.locked.pop(event.con_id, None)
        self.unlocked_ns[event.con_id] = event.time_ns

    def _position_adopted(self, event: ev.PositionAdopted) -> None:
        self.others_lots[event.con_id] = event.others_lots

    def _killed_event(self, event: ev.Killed) -> None:
        self.killed = event.reason
        self.killed_orders = tuple(dict.fromkeys((*self.killed_orders, *self._open)))

    def _calibration_changed(self, event: ev.CalibrationChanged) -> None:
        if event.calibration is None:
            self.calibrations.pop(event.symbol, None)
        else:
            self.calibrations[event.symbol] = event

    def _basket_submitted(self, event: ev.BasketSubmitted) -> None:
        self.baskets[event.basket_id] = event

    def _rearmed(self, event: ev.Rearmed) -> None:
        if event.breaker is None:
            self.killed = None
            self.killed_orders = ()
        if event.breaker in (None, BreakerName.DRAWDOWN):
            self.peak_equity = self.equity
        if event.breaker in (None, BreakerName.DAILY_LOSS):
            self.day_start_equity = self.equity
        if event.breaker in (None, BreakerName.LAST_TRADE_LOSS):
            self._since_rearmed = len(self._finished)
