"""One look at ledger and broker: everything on which they differ, and the proof asked for where an order is missing."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import Event, OpenOrderReported
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import NotConnected
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.reconcile.finding import Break, Finding

UNEXPLAINED_NS = 120 * NS_PER_S
"""How long after its expiry an order that is not over needs a person."""


class Look:
    """Compares; journals nothing but the answers that the broker gave about missing orders.

    Parameters
    ----------
    own_prefix
        How the references of this journal's orders begin.
    """

    def __init__(
        self, ledger: Ledger, *, broker: BrokerPort, clock: Clock, own_prefix: str, ingest: Callable[[Event], None]
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._own_prefix = own_prefix
        self._ingest = ingest
        self._completed: dict[str, list[CompletedOrder]] | None = None
        # Of what a process that ended reserved, nobody can say whether it was sent.
        self._inherited = {record.order_ref for record in ledger.open_orders()}

    async def take(self, *, prove: Callable[[OrderRecord], bool]) -> list[Finding]:
        """Ask for completed orders, positions, executions and open orders, and give what differs.

        Parameters
        ----------
        prove
            Whether the death of an order that the broker does not list is to be asked for; else it is only told.

        Raises
        ------
        BrokerError
            See `Reconciler.run`.
        """
        known = tuple(self._ledger.open_orders())
        self._completed = self._own_completed(await self._broker.completed_orders())
        await self._broker.refresh_positions()
        await self._broker.fetch_executions()
        orders = await self._broker.open_orders()
        listed = {order.order_ref: order for order in orders if self._is_own(order)}
        missing = [r for r in known if self._lacks(r, listed) and not self._ledger.orders[r.order_ref].state.is_over]
        untold = list(self._untold_fills(listed))
        findings = [*self._positions(missing), *self._overfills(), *self._stray_fills(), *untold]
        moved = {one.con_id for one in findings if one.unexplained and one.found.kind == "position"}
        shown = {one.found.order_ref for one in untold}
        # What a position that moved may hide must not be proven dead by a reply that may be cut at midnight.
        missing = [r for r in missing if r.child.contract.con_id not in moved and r.order_ref not in shown]
        findings += [await self._missing(r) if prove(r) else self._unlisted(r) for r in missing]
        findings += [self._outlived(r) for r in known if r.order_ref in listed and self._is_overdue(r)]
        findings += [self._stray_order(order) for order in listed.values() if self._is_stray(order)]
        findings += [self._foreign(order) for order in orders if not self._is_own(order)]
        return findings

    @property
    def heard_completed(self) -> bool:
        """Whether the broker listed its completed orders at the last look."""
        return self._completed is not None

    def _is_own(self, order: OpenOrderReported | CompletedOrder) -> bool:
        return order.order_ref.startswith(self._own_prefix)

    def _own_completed(self, told: tuple[CompletedOrder, ...] | None) -> dict[str, list[CompletedOrder]] | None:
        """Lines about orders of this journal, by reference; None where the broker does not tell them."""
        if told is None:
            return None
        own: dict[str, list[CompletedOrder]] = {}
        for line in told:
            if self._is_own(line):
                own.setdefault(line.order_ref, []).append(line)
        return own

    def _lacks(self, record: OrderRecord, listed: dict[str, OpenOrderReported]) -> bool:
        """Whether an order that was, or may have been, sent is not listed."""
        perhaps_sent = record.sent_ns is not None or record.order_ref in self._inherited
        return perhaps_sent and record.order_ref not in listed

    async def _missing(self, record: OrderRecord) -> Finding:
        """The broker lists no order where we hold one for working: ask for the proof."""
        self._ingest(await self._broker.probe_death(record.child))
        known = self._ledger.orders[record.order_ref]
        unexplained = self._is_overdue(record)
        then = f"now {known.state}"
        if unexplained:
            then = "and its end cannot be proven: look it up in the broker's own program, then unlock"
        elif not known.state.is_over:
            then = "its lots stay reserved until its expiry has passed"
        return self._finding(
            "order",
            record=record,
            ours=record.working_lots,
            brokers=0,
            unexplained=unexplained,
            resolved=known.state.is_over,
            words=f"{record.order_ref}: {_word(record)} with us, {self._word_of_broker(record)}; {then}",
        )

    def _unlisted(self, record: OrderRecord) -> Finding:
        """The broker lists no order where we hold one for working; news of it may be on the way."""
        finding = self._finding(
            "order",
            record=record,
            ours=record.working_lots,
            brokers=0,
            words=f"{record.order_ref}: {_word(record)} with us, {self._word_of_broker(record)}; looked at again",
        )
        return replace(finding, unproven=True)

    def _word_of_broker(self, record: OrderRecord) -> str:
        """What the broker says of an order that it does not list as open."""
        if self._completed is None:
            return "not open at the broker, which does not tell its completed orders"
        said = " and ".join(line.status for line in self._completed.get(record.order_ref, ()))
        return (
            f"not open at the broker, whose list of completed orders says {said}" if said else "not open at the broker"
        )

    def _is_overdue(self, record: OrderRecord) -> bool:
        """Whether an order that should have ended long ago is not over."""
        known = self._ledger.orders[record.order_ref]
        return not known.state.is_over and self._clock.now_ns() >= known.expires_ns + UNEXPLAINED_NS

    def _outlived(self, record: OrderRecord) -> Finding:
        """The broker keeps an order open beyond its expiry."""
        return self._finding(
            "order",
            record=record,
            ours=record.working_lots,
            brokers=record.working_lots,
            unexplained=True,
            words=(
                f"{record.order_ref}: open at the broker long after its expiry:"
                " cancel it in the broker's own program, then reconcile"
            ),
        )

    def _is_stray(self, order: OpenOrderReported) -> bool:
        record = self._ledger.orders.get(order.order_ref)
        return record is None or record.state.is_over

    def _stray_order(self, order: OpenOrderReported) -> Finding:
        record = self._ledger.orders.get(order.order_ref)
        ours = "not in this journal" if record is None else f"{_word(record)} with us"
        return self._finding(
            "stray_order",
            record=record,
            con_id=order.con_id,
            local_symbol=order.local_symbol,
            order_ref=order.order_ref,
            ours=0,
            brokers=order.lots,
            unexplained=True,
            words=(
                f"{order.order_ref}: open at the broker, {ours}: cancel it in the broker's own program, then reconcile"
            ),
        )

    def _foreign(self, order: OpenOrderReported) -> Finding:
        return self._finding(
            "foreign_order",
            con_id=order.con_id,
            local_symbol=order.local_symbol,
            order_ref=order.order_ref,
            ours=None,
            brokers=order.lots,
            words=f"an order of {order.lots} lots {order.local_symbol} that is not ours; it is left alone",
        )

    def _overfills(self) -> Iterator[Finding]:
        """Parents and orders that filled more than their lots since their contract was last unlocked.

        What a bust took back needs no person any more.
        """
        for parent in self._ledger.parents.values():
            ordered = parent.plan.parent
            if parent.filled_lots > ordered.lots and self._is_news(
                ordered.contract.con_id, self._last_fill_ns(parent.order_refs)
            ):
                yield self._finding(
                    "overfill",
                    con_id=ordered.contract.con_id,
                    local_symbol=ordered.contract.local_symbol,
                    ours=ordered.lots,
                    brokers=parent.filled_lots,
                    unexplained=True,
                    words=(
                        f"{parent.parent_id}: {parent.filled_lots} lots filled, {ordered.lots} ordered:"
                        " compare with the broker's statement, then unlock"
                    ),
                )
        for record in self._ledger.orders.values():
            if record.booked_lots > record.total_lots and self._is_news(
                record.child.contract.con_id, self._last_fill_ns((record.order_ref,))
            ):
                yield self._finding(
                    "overfill",
                    record=record,
                    ours=record.total_lots,
                    brokers=record.booked_lots,
                    unexplained=True,
                    words=(
                        f"{record.order_ref}: {record.booked_lots} lots filled, {record.total_lots} ordered:"
                        " compare with the broker's statement, then unlock"
                    ),
                )

    def _last_fill_ns(self, order_refs: tuple[str, ...]) -> int:
        """When the newest execution of these orders was heard."""
        heard = (one.received_ns for ref in order_refs for one in self._ledger.orders[ref].executions.values())
        return max(heard, default=0)

    def _stray_fills(self) -> Iterator[Finding]:
        """Executions of this journal's orders that it does not know: its end was lost."""
        for execution in self._ledger.strangers.values():
            if execution.order_ref.startswith(self._own_prefix) and self._is_news(execution.con_id, execution.time_ns):
                yield self._finding(
                    "stray_fill",
                    con_id=execution.con_id,
                    local_symbol=self._symbol(execution.con_id),
                    order_ref=execution.order_ref,
                    ours=0,
                    brokers=execution.lots,
                    unexplained=True,
                    words=(
                        f"{execution.order_ref}: {execution.lots} lots filled of an order that is not in this journal:"
                        " its end was lost; compare with the broker's statement, then unlock"
                    ),
                )

    def _untold_fills(self, listed: dict[str, OpenOrderReported]) -> Iterator[Finding]:
        """Orders that filled by the list of completed orders, but not by executions, which are cut at midnight."""
        for order_ref, lines in (self._completed or {}).items():
            record = self._ledger.orders.get(order_ref)
            if record is None:
                yield from self._untold_stranger(lines)
                continue
            told_lots = sum(line.told_lots(record.total_lots) for line in lines)
            if order_ref not in listed and self._ledger.untold_lots(record, told_lots):
                yield self._finding(
                    "untold_fill",
                    record=record,
                    ours=record.booked_lots,
                    brokers=told_lots,
                    unexplained=True,
                    words=(
                        f"{order_ref}: {told_lots} lots filled by the broker's list of completed orders,"
                        f" {record.booked_lots} by its executions, which may be cut at midnight:"
                        " compare with the broker's statement, then unlock"
                    ),
                )

    def _untold_stranger(self, lines: list[CompletedOrder]) -> Iterator[Finding]:
        """An order of this journal that it does not know and of which no execution told: its end was lost."""
        first = lines[0]
        heard = sum(one.lots for one in self._ledger.strangers.values() if one.order_ref == first.order_ref)
        told_lots = sum(line.told_lots(1) for line in lines)
        if told_lots > heard and self._is_news(first.con_id, first.expires_ns or 0):
            yield self._finding(
                "untold_fill",
                con_id=first.con_id,
                local_symbol=first.local_symbol,
                order_ref=first.order_ref,
                ours=heard,
                brokers=told_lots,
                unexplained=True,
                words=(
                    f"{first.order_ref}: {told_lots} lots filled by the broker's list of completed orders, of an order"
                    " that is not in this journal: its end was lost; compare with the broker's statement, then unlock"
                ),
            )

    def _is_news(self, con_id: int, time_ns: int) -> bool:
        """Whether something came after a person last explained the contract."""
        unlocked_ns = self._ledger.unlocked_ns.get(con_id)
        return unlocked_ns is None or time_ns > unlocked_ns

    def _positions(self, missing: list[OrderRecord]) -> Iterator[Finding]:
        """Contracts whose position is not that of others plus our fills.

        Raises
        ------
        NotConnected
            The broker has not told its positions.
        """
        told = self._broker.positions()
        if told is None:
            raise NotConnected("the broker has not told its positions yet")
        lots = {position.con_id: position.lots for position in told}
        booked = {record.child.contract.con_id for record in self._ledger.orders.values()}
        for con_id in sorted({*lots, *booked, *self._ledger.others_lots}):
            others, ours = self._ledger.others_lots.get(con_id, 0), self._ledger.booked_position(con_id)
            moved = lots.get(con_id, 0) - others - ours
            if moved:
                hidden = self._may_hide(moved, con_id=con_id, missing=missing)
                words = "an order of ours may have filled more than its executions tell" if hidden else "others traded"
                yield self._finding(
                    "position",
                    con_id=con_id,
                    local_symbol=self._symbol(con_id),
                    ours=others + ours,
                    brokers=lots.get(con_id, 0),
                    unexplained=hidden or con_id in self._ledger.locked,
                    adopt_lots=others + moved,
                    words=(
                        f"{self._symbol(con_id)}: the broker shows {lots.get(con_id, 0)} lots,"
                        f" {others} of others and our fills of {ours} explain {others + ours}: {words}"
                    ),
                )

    def _may_hide(self, moved: int, *, con_id: int, missing: list[OrderRecord]) -> bool:
        """Whether a position that moved may be fills of own orders that no execution told; a status may have."""
        orders = (one for one in self._ledger.orders.values() if one.child.contract.con_id == con_id)
        if any(self._ledger.untold_lots(one, one.told_lots) for one in orders):
            return True
        side = Side.BUY if moved > 0 else Side.SELL
        could_fill = sum(r.working_lots for r in missing if r.child.contract.con_id == con_id and r.child.side is side)
        return abs(moved) <= could_fill

    def _symbol(self, con_id: int) -> str:
        """Local symbol of a contract as far as anybody told it."""
        told = self._ledger.positions.get(con_id)
        if told is not None:
            return told.local_symbol
        named = (r.child.contract for r in self._ledger.orders.values() if r.child.contract.con_id == con_id)
        return next((contract.local_symbol for contract in named), f"contract {con_id}")

    def _finding(
        self,
        kind: str,
        *,
        ours: float | None,
        brokers: float | None,
        words: str,
        record: OrderRecord | None = None,
        con_id: int = 0,
        local_symbol: str = "",
        order_ref: str = "",
        unexplained: bool = False,
        resolved: bool | None = None,
        adopt_lots: int | None = None,
    ) -> Finding:
        contract = None if record is None else record.child.contract
        return Finding(
            found=Break(
                time_ns=self._clock.now_ns(),
                kind=kind,
                local_symbol=local_symbol if contract is None else contract.local_symbol,
                order_ref=order_ref if record is None else record.order_ref,
                ours=ours,
                brokers=brokers,
                resolved=not unexplained if resolved is None else resolved,
                message=words,
            ),
            con_id=con_id if contract is None else contract.con_id,
            unexplained=unexplained,
            adopt_lots=adopt_lots,
        )


def _word(record: OrderRecord) -> str:
    """State of an order in words."""
    return record.state.value.replace("_", " ")
