"""Recovery from prefixes of the journal: a ledger folded from each, and reconciled with what was true.

Each drawn prefix is a crash in the instant in which its last event was on the disk. The ledger folded from it is
reconciled twice by the package's own reconciliation: with what the exchange knew in that instant, and with what became
of the orders of the prefix by the end, once every expiry has passed: who crashed has sent no others. The broker that is
asked here tells nothing but the truth, at once.
"""

import copy
import random
from collections.abc import Container, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.domain.events import (
    ConnectionChanged,
    DeathProbed,
    Event,
    OpenOrderReported,
    PositionReported,
)
from hydra_nb.domain.market import AccountState, ConnectionState
from hydra_nb.domain.orders import ChildOrder
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.reconcile import Reconciler
from hydra_nb.rehearsal.reports import of_execution
from hydra_nb.sim.records import Executed, Execution, OrderChanged, OrderStatus
from tests.simulation.facts import NS_PER_S, Facts, Life
from tests.simulation.truth import OWN, TrueOrder

MOST_PREFIXES = 48
"""Prefixes of one journal that are tried; all of a journal with fewer events."""
LATER_NS = 10 * NS_PER_S


@dataclass(slots=True, kw_only=True)
class TrueState:
    """What the exchange knew after some of its events."""

    now_ns: int
    desk_now_ns: int
    orders: dict[str, TrueOrder] = field(default_factory=dict)
    fills: list[Execution] = field(default_factory=list)
    families: dict[str, Execution] = field(default_factory=dict)

    def note(self, happened: OrderChanged | Executed) -> None:
        """Take an event in."""
        if isinstance(happened, OrderChanged):
            view = happened.order
            if view.terms.order_ref.startswith(OWN):
                self.orders.setdefault(view.terms.order_ref, TrueOrder()).views[view.perm_id] = view
            return
        fill = happened.execution
        self.fills.append(fill)
        family = fill.exec_id.rpartition(".")[0]
        self.families[family] = fill
        if fill.order_ref.startswith(OWN):
            self.orders.setdefault(fill.order_ref, TrueOrder()).families[family] = fill.lots

    def is_live(self, order_ref: str) -> bool:
        """Whether an order may still trade, with those whose expiry has passed left out."""
        views = self.orders[order_ref].live_views() if order_ref in self.orders else []
        return any((view.terms.good_till_ns or 0) > self.now_ns for view in views)

    def without_later(self, known: Container[str], *, families: Container[str]) -> Self:
        """The same without our orders that are not known, and without fills of others that are not among `families`."""
        left = {family: fill for family, fill in self.families.items() if fill.order_ref in known or family in families}
        return replace(
            self,
            orders={ref: order for ref, order in self.orders.items() if ref in known},
            fills=[fill for fill in self.fills if fill.exec_id.rpartition(".")[0] in left],
            families=left,
        )

    def may_need_a_person(self, con_id: int) -> bool:
        """Whether what is true of a contract may lock it.

        Others traded in it, which nobody watched and may look as if it were ours and untold; or a modify made two
        orders of one, each of which counts the fills of before.
        """
        own = [list(order.views.values()) for order in self.orders.values()]
        return any(_is_foreign(fill, con_id) for fill in self.families.values()) or any(
            len(views) > 1 and views[0].terms.con_id == con_id for views in own
        )

    def positions(self) -> dict[int, int]:
        """Signed lots of the account by contract."""
        lots: dict[int, int] = {}
        for fill in self.families.values():
            lots[fill.con_id] = lots.get(fill.con_id, 0) + _signed(fill)
        return lots


class Truthful:
    """A broker that answers every question of the reconciliation at once, with the truth; and its clock."""

    state = ConnectionState.UP

    def __init__(self, true: TrueState, *, ledger: Ledger) -> None:
        self._true = true
        self._ledger = ledger

    def now_ns(self) -> int:
        """The desk's own time."""
        return self._true.desk_now_ns

    async def sleep(self, _seconds: float) -> None:
        """Nothing changes meanwhile."""

    def account_state(self) -> AccountState:
        """Nothing is told of results."""
        return AccountState(account="", currency="USD")

    async def refresh_positions(self) -> None:
        """They are the latest in any case."""

    @property
    def unread(self) -> int:
        """It speaks clearly."""
        return 0

    async def fetch_executions(self) -> None:
        """All of them, those that are booked already too."""
        for fill in self._true.fills:
            report = of_execution(fill, quote=None, now_ns=self.now_ns())
            if fill.order_ref.startswith(OWN):  # an order of others is no order of the journal, and changes nothing
                self._ledger.apply(report)

    async def open_orders(self) -> tuple[OpenOrderReported, ...]:
        """Our own live orders; those of others concern nobody here."""
        return tuple(
            OpenOrderReported(
                time_ns=self.now_ns(),
                order_ref=view.terms.order_ref,
                order_id=view.terms.order_id,
                perm_id=view.perm_id,
                status=view.status.value,
                lots=view.terms.lots,
                limit_price=view.terms.limit_price,
                expires_ns=view.terms.good_till_ns,
                con_id=view.terms.con_id,
            )
            for ref, order in self._true.orders.items()
            if self._true.is_live(ref)
            for view in order.live_views()
        )

    async def completed_orders(self) -> tuple[CompletedOrder, ...]:
        """Our own orders that are over."""
        return tuple(line for ref in self._true.orders for line in self._completed(ref))

    def _completed(self, order_ref: str) -> Iterator[CompletedOrder]:
        true = self._true.orders.get(order_ref)
        if true is None or self._true.is_live(order_ref):
            return
        for view in true.views.values():
            yield CompletedOrder(
                order_ref=order_ref,
                perm_id=view.perm_id,
                con_id=view.terms.con_id,
                local_symbol="",
                status="Filled" if view.status is OrderStatus.FILLED else "Cancelled",
                filled_lots=view.filled_lots,
                expires_ns=view.terms.good_till_ns,
            )

    async def probe_death(self, child: ChildOrder) -> DeathProbed:
        """What is true of one order."""
        true = self._true.orders.get(child.order_ref)
        completed = [line.told_lots(child.lots) for line in self._completed(child.order_ref)]
        return DeathProbed(
            time_ns=self.now_ns(),
            order_ref=child.order_ref,
            still_open=self._true.is_live(child.order_ref),
            executed_lots=0 if true is None else true.filled_lots,
            broker_ns=self._true.now_ns // NS_PER_S * NS_PER_S,
            completed_lots=sum(completed) if completed else None,
        )

    def positions(self) -> tuple[PositionReported, ...]:
        """The account's."""
        return tuple(
            PositionReported(
                time_ns=self.now_ns(), con_id=con_id, local_symbol="", symbol="", lots=lots, average_cost=0
            )
            for con_id, lots in self._true.positions().items()
            if lots
        )


def recovery_gives_the_state(facts: Facts, life: Life) -> str | None:
    """16. Recovery from any prefix of the journal, then reconciliation, gives the state of the undisturbed run."""
    events = list(life.journal.events())
    drawn = _drawn([seq for seq, _ in events if seq in facts.marks])
    folded, true, done = Ledger(), TrueState(now_ns=0, desk_now_ns=0), 0
    at_end = _at_end(facts, life.ledger)
    misled: set[str] = set()
    for seq, event in events:
        folded.apply(event)
        if isinstance(event, DeathProbed) and _is_misled(folded.orders.get(event.order_ref), event.time_ns):
            misled.add(event.order_ref)
        if seq not in drawn:
            continue
        mark = facts.marks[seq]
        for happened in facts.truth.log[done : mark.events]:
            true.note(happened)
        done = max(done, mark.events)
        true.now_ns, true.desk_now_ns = mark.now_ns, mark.desk_now_ns
        words = _recover(
            folded, true=true, at_end=at_end, undisturbed=life.ledger, own_prefix=life.own_prefix, misled=misled
        )
        if words is not None:
            return f"recovered from the first {seq} of {events[-1][0]} events: {words}"
    return None


def _drawn(seqs: list[int]) -> set[int]:
    """Some of the prefixes; the last of all is always among them."""
    dice = random.Random(f"prefixes of {len(seqs)}")  # noqa: S311  repeatable, not secret
    if len(seqs) <= MOST_PREFIXES:
        return set(seqs)
    return {seqs[-1], *dice.sample(seqs, MOST_PREFIXES - 1)}


def _at_end(facts: Facts, ledger: Ledger) -> TrueState:
    """What is true once all has happened, at a time when every order has expired."""
    last_ns = max((record.expires_ns for record in ledger.orders.values()), default=0)
    true = TrueState(
        now_ns=max(facts.now_ns, last_ns) + LATER_NS, desk_now_ns=max(facts.desk_now_ns, last_ns) + LATER_NS
    )
    for happened in facts.truth.log:
        true.note(happened)
    return true


def _recover(
    folded: Ledger,
    *,
    true: TrueState,
    at_end: TrueState,
    undisturbed: Ledger,
    own_prefix: str,
    misled: Container[str],
) -> str | None:
    ledger = _copied(folded)
    _reconcile(ledger, true, own_prefix=own_prefix)
    words = _wrong_at_once(ledger, true, misled=misled)
    if words is not None:
        return f"at once, {words}"
    at_end = at_end.without_later(ledger.orders, families=true.families)
    _reconcile(ledger, at_end, own_prefix=own_prefix)
    words = next(_wrong_at_last(ledger, undisturbed=undisturbed, at_end=at_end), None)
    return None if words is None else f"after its end, {words}"


def _copied(ledger: Ledger) -> Ledger:
    """A ledger that goes a way of its own; its records are values and need no copies."""
    fresh = Ledger()
    for name, value in vars(ledger).items():
        if name != "_fold":  # those are methods of the ledger itself
            setattr(fresh, name, copy.copy(value))
    return fresh


def _reconcile(ledger: Ledger, true: TrueState, *, own_prefix: str) -> None:
    broker: Any = Truthful(true, ledger=ledger)
    # Nobody has watched until now.
    ledger.apply(ConnectionChanged(time_ns=true.desk_now_ns, state=ConnectionState.UP, message="here again"))

    def ingest(event: Event) -> None:
        ledger.apply(event)

    _run(Reconciler(ledger, broker=broker, clock=broker, own_prefix=own_prefix, ingest=ingest).run())


def _run(work: Coroutine[Any, Any, Any]) -> None:
    """Run what waits for nothing to its end."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a reconciliation with a broker that answers at once waited for something")


def _is_misled(record: OrderRecord | None, time_ns: int) -> bool:
    """Whether an order is over whose expiry had passed by a desk's own time.

    A desk that opened on a false time has no other to know better by. Nor does a later one revive what that one took
    for dead: it finds it open at the broker, and asks for a person.
    """
    return record is not None and record.state.is_over and record.expires_ns <= time_ns


def _wrong_at_once(ledger: Ledger, true: TrueState, *, misled: Container[str]) -> str | None:
    """A crash and a look in one instant: every order is known, every fill booked, and what lives is not over."""
    for ref, order in true.orders.items():
        record = ledger.orders.get(ref)
        if record is None:
            return f"{ref} is at the exchange, and was forgotten"
        if record.booked_lots != order.filled_lots:
            return f"{ref}: {record.booked_lots} lots booked, {order.filled_lots} filled in truth"
        is_misled = ref in misled or _is_misled(record, true.desk_now_ns)
        if record.state.is_over and order.leaves and true.is_live(ref) and not is_misled:
            return f"{ref} is {record.state} with us and lives at the exchange"
    return None


def _wrong_at_last(ledger: Ledger, *, undisturbed: Ledger, at_end: TrueState) -> Iterator[str]:
    for ref, record in ledger.orders.items():
        other = undisturbed.orders.get(ref)
        if other is None:
            yield f"{ref} is not in the undisturbed ledger"
            continue
        if _bookings(record) != _bookings(other):
            yield f"{ref}: {_bookings(record)} booked, undisturbed {_bookings(other)}"
        # Who saw it open after its expiry by both clocks waits for the wire's word, which fell after the crash.
        is_left = at_end.may_need_a_person(record.child.contract.con_id) or record.outlived
        if other.state.is_over and not record.state.is_over and not is_left:
            yield f"{ref} is {record.state}, undisturbed {other.state}"
    for con_id, lots in at_end.positions().items():
        ours = ledger.booked_position(con_id)
        others = sum(_signed(one) for one in at_end.families.values() if _is_foreign(one, con_id))
        if ours + others != lots:
            yield f"contract {con_id}: {ours} lots of ours and {others} of others are booked, {lots} true"
    for con_id, locked in ledger.locked.items():
        outlived = any(one.outlived for one in ledger.open_orders(con_id))
        explained = at_end.may_need_a_person(con_id) or _was_overfilled(undisturbed, con_id) or outlived
        if con_id not in undisturbed.locked and not explained:
            yield f"contract {con_id} is locked, where the undisturbed one is not: {locked.reason}"


def _bookings(record: Any) -> dict[str, tuple[int, int, Any]]:
    return {family: (one.revision, one.lots, one.price) for family, one in record.executions.items()}


def _signed(fill: Execution) -> int:
    return fill.lots if fill.side == "BUY" else -fill.lots


def _is_foreign(fill: Execution, con_id: int) -> bool:
    return fill.con_id == con_id and not fill.order_ref.startswith(OWN)


def _was_overfilled(ledger: Ledger, con_id: int) -> bool:
    """Whether a person may have unlocked the contract of an overfill, who is not asked here."""
    orders = [record for record in ledger.orders.values() if record.child.contract.con_id == con_id]
    parents = [one for one in ledger.parents.values() if one.plan.parent.contract.con_id == con_id]
    overfilled = any(one.filled_lots > one.plan.parent.lots for one in parents)
    return overfilled or any(record.overfilled for record in orders)
