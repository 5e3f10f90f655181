"""Orders and cancels on their way out, and the questions that prove an order dead."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from hydra_nb.broker.asking import Requests
from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.broker.deaths import SharedRounds
from hydra_nb.broker.halt import HaltFlag
from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.pacing import Pace
from hydra_nb.broker.sent import WIRE_OVER
from hydra_nb.broker.skew import TimeReply
from hydra_nb.clock import Clock
from hydra_nb.domain.events import DeathProbed, OpenOrderReported
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ChildOrder, MarginQuestion
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import NoReply, NotConnected, SendRefused
from hydra_nb.journal import Journal, Receipt
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.risk.verdict import Approved

WHAT_IF_S = 5.0
"""Host seconds after which a what-if counts as unanswered."""
COMPLETED_S = 5.0
"""Host seconds after which the list of completed orders is done without."""
ALL_ORDERS = 0
"""Stands for the id of an order where all are cancelled; no order has it."""


class OrderWire(Protocol):
    """The frames of orders."""

    @property
    def takes_orders(self) -> bool:
        """Whether what is written now can still go out."""
        ...

    def place(self, child: ChildOrder, *, content_hash: str) -> None:
        """Send a fresh order, if what is about to leave has this hash; `SendRefused` where it has not."""
        ...

    def send_what_if(self, question: MarginQuestion, *, account: str) -> Awaitable[MarginTold | None]:
        """Ask what an order would change; nothing is placed. Gives what the answer will be."""
        ...

    def cancel(self, order_id: int) -> None:
        """Send a cancel."""
        ...

    def cancel_everything(self) -> None:
        """Send the cancel of all orders of all clients."""
        ...

    def send_open_orders_request(self) -> None:
        """Ask for the open orders of all clients."""
        ...

    def send_completed_orders_request(self) -> None:
        """Ask for the orders of all clients that are over."""
        ...

    async def executions(self, account: str) -> None:
        """Ask for an account's executions since midnight; returns when all have been told."""
        ...


class OrdersOut:
    """The only door for orders; see `BrokerGateway` for what its methods promise."""

    def __init__(
        self,
        wire: OrderWire,
        *,
        inbox: Inbox,
        pace: Pace,
        requests: Requests,
        ask_time: Callable[[], Awaitable[TimeReply]],
        gate: RiskGate,
        clock: Clock,
        halt: HaltFlag,
    ) -> None:
        self._wire = wire
        self._inbox = inbox
        self._pace = pace
        self._requests = requests
        self._gate = gate
        self._clock = clock
        self._halt = halt
        self._journal: Journal | None = None
        self._times, self._looks = SharedRounds(ask_time), SharedRounds(self._look)

    def use_journal(self, journal: Journal) -> None:
        """From now on redeem receipts of this journal."""
        self._journal = journal

    def place(self, approved: Approved, receipt: Receipt) -> None:
        """Redeem approval and receipt, look at every field once more, send."""
        journal, state = self._journal, self._inbox.link.state
        if journal is None or state is not ConnectionState.UP or not self._wire.takes_orders:
            raise NotConnected(f"the connection is {state}; nothing new is sent")
        if not self._pace.takes_order:
            raise SendRefused(f"{self._pace.last_second()} frames in the last second; the rest is kept for cancels")
        content_hash = self._gate.redeem(approved, host_ns=self._clock.host_ns())
        journal.redeem(receipt, content_hash)
        child = approved.child
        if child.account != self._inbox.account:
            raise SendRefused(f"{child.order_ref} is for another account")
        self._inbox.orders.check(child, action=approved.action)
        try:
            with self._halt.sending():
                self._wire.place(child, content_hash=content_hash)
        except ConnectionError as error:
            raise NotConnected(f"{child.order_ref} was not sent: {error}") from error
        self._inbox.orders.note(child)

    async def what_if(self, question: MarginQuestion) -> MarginTold | None:
        """Ask for margin, at the pace of a request; not while halted, as its frame is that of an order."""

        async def ask() -> MarginTold | None:
            with self._halt.sending():
                answer = self._wire.send_what_if(question, account=self._inbox.account)
            return await answer

        return await self._requests.ask("margin", ask, timeout_s=WHAT_IF_S)

    def cancel(self, child: ChildOrder) -> None:
        """Send a cancel before all else that waits."""
        if not self._wire.takes_orders:
            raise NotConnected(f"{child.order_ref} cannot be cancelled: the gateway is not connected")
        self._pace.cancel_first(lambda: self._wire.cancel(child.order_id), order_id=child.order_id)

    def cancel_everything(self) -> None:
        """Send the global cancel before all else that waits."""
        if not self._wire.takes_orders:
            raise NotConnected("nothing can be cancelled: the gateway is not connected")
        self._pace.cancel_first(self._wire.cancel_everything, order_id=ALL_ORDERS)

    async def open_orders(self) -> tuple[OpenOrderReported, ...]:
        """Open orders of all clients, each as it was last told: news may come while the reply is under way."""
        send = self._wire.send_open_orders_request
        lines = await self._requests.ask("open orders", lambda: self._inbox.open_orders.ask(send))
        latest = {(line.order_ref, line.perm_id): line for line in lines}
        return tuple(line for line in latest.values() if line.status not in WIRE_OVER)

    async def fetch_executions(self) -> None:
        """Have the inbox hear the executions that it missed."""
        await self._requests.ask("executions", lambda: self._wire.executions(self._inbox.account))

    async def completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        """What is over by the broker's word; None where it does not answer, which is waited for once a connection."""
        completed = self._inbox.completed

        async def ask() -> None:
            if not completed.gave_up:  # it may have been while this request waited for its turn
                await completed.ask(self._wire.send_completed_orders_request)

        try:
            await self._requests.ask("completed orders", ask, timeout_s=COMPLETED_S)
        except NoReply:  # there are gateways that never answer it; it is one witness more, not one that must be heard
            completed.gave_up = True
        return None if completed.gave_up else completed.lines()

    async def probe_death(self, child: ChildOrder) -> DeathProbed:
        """The time first, as an expiry is by the broker's clock; open orders before executions: no fill is missed."""
        broker_ns = None
        if self._clock.now_ns() >= child.expires_ns:
            broker_ns = (await self._times.answer()).server_s * NS_PER_S
        still_open = child.order_ref in await self._looks.answer()
        return DeathProbed(
            time_ns=self._clock.now_ns(),
            order_ref=child.order_ref,
            still_open=still_open,
            executed_lots=self._inbox.executions.executed_lots(child.order_ref),
            broker_ns=broker_ns,
            completed_lots=self._completed_lots(child),
        )

    async def _look(self) -> frozenset[str]:
        """Names of all open orders; the executions that were fetched after them are the inbox's."""
        if not (self._inbox.completed.is_told or self._inbox.completed.gave_up):
            await self.completed_orders()
        listed = frozenset(report.order_ref for report in await self.open_orders())
        await self.fetch_executions()
        return listed

    def _completed_lots(self, child: ChildOrder) -> int | None:
        lines = self._inbox.completed.of(child.order_ref)
        return sum(line.told_lots(child.lots) for line in lines) if lines else None
