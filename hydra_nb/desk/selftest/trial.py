"""Two orders of one lot, far from the market, through preview, gate and journal: one expires, one is cancelled.

The first is left unattended once it rests, as by a kernel that died: only its expiry at the broker ends it. The second
is modified by its strategy and cancelled by us. What fills is told, and never traded back.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.selftest.finding import READ_ONLY, READ_ONLY_REMEDY, Finding, Findings
from hydra_nb.domain.events import OrderStatusReported, ParentCancelAsked
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.units import NS_PER_S, floor_to_tick
from hydra_nb.errors import HydraError, OrderError
from hydra_nb.ledger import OrderRecord
from hydra_nb.ledger.orders import CANCELLED_WORDS
from hydra_nb.risk.limits import Limits

if TYPE_CHECKING:
    from hydra_nb.desk.ordering import Ordering

PATIENCE_S = 20.0
"""The shortest ladder: its first order expires 30 s after it was sent, 5 s before its strategy would cancel it."""
ANSWER_S = 10.0
"""Market seconds within which an order, a modify or a cancel is answered."""
EXPIRY_S = 2.0
"""Seconds by which an expiry may seem off: one as both clocks are told in whole seconds, one on the way."""
LATE_S = 15.0
"""Market seconds after its expiry for which an order is waited for."""
END_S = 60.0
"""Market seconds that the proof of an end may take: of an order that nobody answered for, its expiry is the proof."""
REACH = Decimal("0.8")
"""How far into the gate's collar the orders are priced."""
LOOK_S = 0.1

CHECKS = {
    "order_taken": "acknowledged",
    "order_expires": f"by itself, within {EXPIRY_S:g} s of its expiry",
    "order_modified": "a later expiry, acknowledged",
    "order_cancelled": f"within {ANSWER_S:g} s",
    "nothing_left": "no order of this test is open",
    "position_kept": "as before",
}


class Trial:
    """The orders of one self-test.

    Parameters
    ----------
    desk
        Previews and submits.
    rooms
        Of the desk.
    contract
        What is bought, one lot at a time.
    findings
        Get the rows.
    """

    def __init__(self, desk: "Ordering", rooms: Rooms, contract: FutureContract, findings: Findings) -> None:
        self._desk = desk
        self._rooms = rooms
        self._contract = contract
        self._findings = findings
        self._clock = rooms.clock
        self._tags: set[str] = set()

    def pass_over(self, message: str, *, names: tuple[str, ...] = tuple(CHECKS)) -> None:
        """Say of checks that they were not tried."""
        for name in names:
            found = Finding(holds=None, expected=CHECKS[name], observed="not tried", message=message)
            self._findings.add(name, found)

    async def run(self) -> None:
        """Try all of it; whatever ends this early, an interrupt too, has what is still at work cancelled."""
        before = self._desk.position_lots(self._contract)
        try:
            await self._try_orders()
        finally:
            self._cancel_own()
        if self._own:
            await self._until(self._all_over, within_s=END_S)
            await self._take("nothing_left", self._nothing_left)
            await self._take("position_kept", lambda: self._position_unchanged(before))

    async def _try_orders(self) -> None:
        first, refusal = await self._submit("expiry")
        if first is None:
            self.pass_over(refusal)
            return
        taken = await self._take("order_taken", lambda: self._taken(first))
        if not taken.holds:
            self.pass_over(taken.message, names=("order_expires", "order_modified", "order_cancelled"))
            return
        await self._take("order_expires", lambda: self._expires(first))
        self._cancel_own()
        await self._until(self._all_over, within_s=END_S)
        second, refusal = await self._submit_second()
        if second is None:
            self.pass_over(refusal, names=("order_modified", "order_cancelled"))
            return
        await self._take("order_modified", lambda: self._modified(second))
        await self._take("order_cancelled", lambda: self._cancelled(second))

    async def _submit_second(self) -> tuple[str | None, str]:
        """Hand the second order over, if the first has ended without a fill."""
        parents = [self._rooms.manager.ledger.parents[parent_id] for parent_id in self._own]
        if not self._all_over():
            return None, "The first order has not ended: no second is sent beside it"
        if any(parent.filled_lots for parent in parents):
            return None, "The first order filled: no second is sent"
        return await self._submit("cancel")

    async def _take(self, name: str, work: Callable[[], Awaitable[Finding]]) -> Finding:
        return await self._findings.take(name, work, expected=CHECKS[name])

    # One order

    async def _submit(self, purpose: str) -> tuple[str | None, str]:
        """Hand an order over and give its parent's id; None with the reason where it is not sent."""
        limits = self._rooms.gate.limits.for_symbol(self._contract.symbol)
        price = resting_price(self._desk.latest_quote(self._contract), contract=self._contract, limits=limits)
        if price is None:
            return None, f"{self._contract.local_symbol} shows no two sides to price an order by: try in session"
        tag = f"selftest {purpose} {self._clock.now_ns() // NS_PER_S}"  # else it equals that of a test before
        self._tags.add(tag)
        how = {"strategy": "limit_patience", "patience": PATIENCE_S, "limit": price, "tag": tag}
        try:
            plan = await self._desk.preview("BUY", 1, self._contract, **how)
            refused = [decision.message for decision in plan.decisions if not decision.allowed]
            if refused:
                return None, f"The gate refuses it, nothing was sent: {'; '.join(refused)}"
            execution = await self._desk.submit(plan)
        except HydraError as error:
            return None, f"Nothing was sent: {error}"
        await self._until(lambda: self._is_answered(execution.parent_id), within_s=ANSWER_S)
        return execution.parent_id, ""

    @property
    def _own(self) -> list[str]:
        """Ids of the parents of this test, also of one that an interrupt kept us from hearing of."""
        parents = self._rooms.manager.ledger.parents
        return [parent_id for parent_id, parent in parents.items() if parent.plan.parent.tag in self._tags]

    def _record(self, parent_id: str) -> OrderRecord | None:
        refs = self._rooms.manager.ledger.parents[parent_id].order_refs
        return self._rooms.manager.ledger.orders[refs[-1]] if refs else None

    def _is_answered(self, parent_id: str) -> bool:
        record = self._record(parent_id)
        is_told = record is not None and (record.acked_ns is not None or record.last_error is not None)
        return is_told or self._rooms.manager.ledger.parents[parent_id].status.is_over

    async def _taken(self, parent_id: str) -> Finding:
        record, expected = self._record(parent_id), CHECKS["order_taken"]
        if record is None:
            reason = self._rooms.manager.ledger.parents[parent_id].reason
            return Finding(holds=None, expected=expected, observed="not sent", message=f"The gate refused it: {reason}")
        if record.acked_ns is None:
            error = record.last_error or "no answer"
            words = READ_ONLY_REMEDY if error.startswith(f"{READ_ONLY}:") else "Look at the message"
            return Finding(holds=False, expected=expected, observed=f"refused, {error}", message=words)
        took_s = (record.acked_ns - (record.sent_ns or record.acked_ns)) / NS_PER_S
        return Finding(holds=True, expected=expected, observed=f"acknowledged after {took_s:.3f} s")

    async def _expires(self, parent_id: str) -> Finding:
        """Leave the order alone until its expiry, and see who ends it when."""
        expected = CHECKS["order_expires"]
        with self._rooms.manager.unattended(parent_id):
            record = self._must(parent_id)
            until_ns = record.expires_ns + round(LATE_S * NS_PER_S)
            await self._until(lambda: self._has_ended(parent_id), within_s=(until_ns - self._clock.now_ns()) / NS_PER_S)
        record = self._must(parent_id)
        if record.booked_lots:
            return Finding(holds=None, expected=expected, observed="filled", message="It filled before it could expire")
        if not record.wire_cancelled:
            return Finding(
                holds=False,
                expected=expected,
                observed=f"open {LATE_S:g} s after its expiry",
                message="No timed expiry is kept: after a dead kernel this order would work on. Do not trade here",
            )
        late_s = (self._ended_ns(record) - record.expires_ns) / NS_PER_S
        holds = abs(late_s) <= EXPIRY_S and record.cancel_requested_ns is None
        words = "" if holds else f"It ended otherwise ({record.last_error or record.last_status}): look at the message"
        return Finding(holds=holds, expected=expected, observed=f"{late_s:+.2f} s from its expiry", message=words)

    async def _modified(self, parent_id: str) -> Finding:
        expected, first = CHECKS["order_modified"], self._must(parent_id)

        def is_modified() -> bool:
            return self._has_ended(parent_id) or self._must(parent_id).child.expires_ns > first.child.expires_ns

        await self._until(is_modified, within_s=PATIENCE_S + ANSWER_S)
        record = self._must(parent_id)
        if record.child.expires_ns > first.child.expires_ns:
            moved_s = (record.child.expires_ns - first.child.expires_ns) / NS_PER_S
            return Finding(holds=True, expected=expected, observed=f"expiry moved by {moved_s:g} s")
        words = "Later stages are skipped like this, and orders rest at their first price"
        return Finding(holds=False, expected=expected, observed=record.last_error or "no answer", message=words)

    async def _cancelled(self, parent_id: str) -> Finding:
        expected = CHECKS["order_cancelled"]
        if self._has_ended(parent_id):
            return Finding(holds=None, expected=expected, observed="over before", message="It had ended by itself")
        self._cancel_own()
        await self._until(lambda: self._has_ended(parent_id), within_s=ANSWER_S)
        record = self._must(parent_id)
        asked_ns = record.cancel_requested_ns
        if asked_ns is None or not record.wire_cancelled:
            observed = record.last_error or "no answer"
            words = "Orders cannot be taken back: do not trade, and look them up in the broker's own program"
            return Finding(holds=False, expected=expected, observed=observed, message=words)
        took_s = (self._ended_ns(record) - asked_ns) / NS_PER_S
        return Finding(holds=True, expected=expected, observed=f"after {took_s:.3f} s")

    def _must(self, parent_id: str) -> OrderRecord:
        record = self._record(parent_id)
        if record is None:
            raise OrderError(f"{parent_id} has no order: {self._rooms.manager.ledger.parents[parent_id].reason}")
        return record

    def _has_ended(self, parent_id: str) -> bool:
        record = self._must(parent_id)
        return record.wire_cancelled or record.state.is_over

    def _ended_ns(self, record: OrderRecord) -> int:
        """When the wire first called an order cancelled."""
        told = (event for _, event in self._rooms.journal.events(kinds=(OrderStatusReported,)))
        times = (
            event.time_ns
            for event in told
            if isinstance(event, OrderStatusReported)
            and event.order_ref == record.order_ref
            and event.status in CANCELLED_WORDS
        )
        return next(times, self._clock.now_ns())

    # The end

    def _cancel_own(self) -> None:
        """Ask for the end of all own parents that are at work; it is sent at once, and nothing is waited for."""
        ledger = self._rooms.manager.ledger
        for parent_id in self._own:
            if not ledger.parents[parent_id].status.is_over:
                asked = ParentCancelAsked(
                    time_ns=self._clock.now_ns(), parent_id=parent_id, reason="the self-test is over"
                )
                self._rooms.manager.ingest(asked)

    def _all_over(self) -> bool:
        ledger = self._rooms.manager.ledger
        return all(ledger.parents[parent_id].status.is_over for parent_id in self._own)

    async def _nothing_left(self) -> Finding:
        ledger = self._rooms.manager.ledger
        own = {ref for parent_id in self._own for ref in ledger.parents[parent_id].order_refs}
        told = [one.order_ref for one in await self._rooms.broker.open_orders() if one.order_ref in own]
        left = sorted({*told, *(ref for ref in own if not ledger.orders[ref].state.is_over)})
        return Finding(
            holds=not left,
            expected=CHECKS["nothing_left"],
            observed=", ".join(left) or "none",
            message="Look them up in the broker's own program, and cancel them there" if left else "",
        )

    async def _position_unchanged(self, before: int | None) -> Finding:
        after = self._desk.position_lots(self._contract)
        traded = sum(self._rooms.manager.ledger.parents[parent_id].filled_lots for parent_id in self._own)
        holds = before is not None and after == before and not traded
        return Finding(
            holds=holds,
            expected=CHECKS["position_kept"],
            observed=f"{before} before, {after} after, {traded} filled",
            message="" if holds else "What filled is yours to close: this test sends no order against it",
        )

    async def _until(self, holds: Callable[[], bool], *, within_s: float) -> None:
        deadline_ns = self._clock.now_ns() + round(within_s * NS_PER_S)
        while not holds() and self._clock.now_ns() < deadline_ns:
            await self._clock.sleep(LOOK_S)


def resting_price(quote: Quote | None, *, contract: FutureContract, limits: Limits) -> Decimal | None:
    """A price to buy at that rests: well below the mid, below the bid, and inside the gate's collar if that can be.

    None without two sides.
    """
    mid = None if quote is None else quote.mid
    if quote is None or quote.bid is None or mid is None:
        return None
    by_ticks = Decimal(str(limits.collar_ticks)) * contract.tick
    by_percent = Decimal(str(limits.collar_percent)) / 100 * abs(mid)
    far = mid - REACH * min(by_ticks, by_percent)
    return floor_to_tick(min(far, quote.bid - contract.tick), tick=contract.tick)
