"""What the wire reports, completed and handed on: to the sink, to the quotes, to whoever asked.

Everything arrives here as domain values; what the client library itself makes of orders is not used.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from hydra_nb.broker.asking import OpenOrdersReply, TimeRequests
from hydra_nb.broker.completed import CompletedOrder, CompletedOrders
from hydra_nb.broker.emergency import HeardStatus
from hydra_nb.broker.executions import ExecutionBook
from hydra_nb.broker.holdings import Holdings
from hydra_nb.broker.link import LOST_SERVERS, NO_SERVERS, RESTORED_DATA_LOST, Farms, Link
from hydra_nb.broker.quotes import QuoteBoard
from hydra_nb.broker.sent import SentOrders
from hydra_nb.clock import Clock
from hydra_nb.domain.events import (
    AccountReported,
    BrokerErrorReported,
    ChildReserved,
    CommissionReported,
    ConnectionChanged,
    Event,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    TaskFailed,
)
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import Action

RECALLED: tuple[type[Event], ...] = (
    ChildReserved,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    CommissionReported,
)
"""Events of the journal that `Inbox.recall` takes in."""

Sink = Callable[[Event], None]
QuoteSink = Callable[[Quote, FutureContract], None]

CLIENT_ID_IN_USE = 326
NO_SUCH_SUBSCRIPTION = 300
"""Answer to the cancel of a subscription that the gateway has refused or ended: it is gone, as was asked."""
OUR_NOTICE = 0
"""Code of errors that we report ourselves; the broker has none such."""
_HELD_EVENTS = 1_000  # between open and start only notices arrive; the bound is for a gateway gone mad


class Inbox:
    """Where all that the broker says goes through.

    Parameters
    ----------
    clock
        Market time.
    client_id
        Ours; order ids of other clients mean other orders.

    Attributes
    ----------
    orders, executions, board, holdings, open_orders, times, link, farms
        What is known so far, each in its own keeping.
    glances
        Boards of requests that look at a contract for a few seconds only, by request id.
    unread
        How many messages could not be read.
    on_client_id_in_use
        Called while a handshake is under way, where another connection holds our id.
    """

    def __init__(self, *, clock: Clock, client_id: int) -> None:
        self._clock = clock
        self._client_id = client_id
        self.orders = SentOrders()
        self.executions = ExecutionBook()
        self.board = QuoteBoard(clock.now_ns)
        self.glances: dict[int, QuoteBoard] = {}
        self.holdings = Holdings("")
        self.account = ""
        self.open_orders = OpenOrdersReply()
        self.completed = CompletedOrders()
        self.times = TimeRequests(clock)
        self.link = Link()
        self.farms = Farms()
        self.unread = 0
        self._ticks: dict[int, Decimal] = {}
        self._commissions: dict[str, CommissionReported] = {}
        self._held: deque[Event] = deque(maxlen=_HELD_EVENTS)
        self._sink: Sink | None = None
        self._quote_sink: QuoteSink | None = None
        self._on_data_lost: Callable[[], None] | None = None
        self.on_client_id_in_use: Callable[[str], None] | None = None

    def deliver_to(self, sink: Sink, *, quote_sink: QuoteSink, on_data_lost: Callable[[], None]) -> None:
        """From now on hand events on, those first that were held until now."""
        self._sink, self._quote_sink, self._on_data_lost = sink, quote_sink, on_data_lost
        held, self._held = tuple(self._held), deque(maxlen=_HELD_EVENTS)
        for event in held:  # the clock may have been set by the broker's only after they came
            self.tell(replace(event, time_ns=self.now_ns()))

    def now_ns(self) -> int:
        """Market time."""
        return self._clock.now_ns()

    def recall(self, event: Event) -> None:
        """Take in one event of the journal: what an earlier run of this client sent and heard."""
        if isinstance(event, ChildReserved) and event.client_id == self._client_id:
            if event.action is Action.PLACE or self.orders.ref_of_order(event.child.order_id) is not None:
                self.orders.note(event.child)
        elif isinstance(event, ExecutionReported):
            self.executions.add(event)
        elif isinstance(event, OpenOrderReported):
            self.orders.learn_perm(event.perm_id, order_ref=event.order_ref)
        elif isinstance(event, OrderStatusReported):
            self.orders.learn_status(event.order_ref, status=event.status)
        elif isinstance(event, PositionReported):
            self.holdings.recall(event)
        elif isinstance(event, CommissionReported):
            self._commissions[event.exec_id] = event

    def use_account(self, account: str) -> None:
        """Hear reports of this account only."""
        if account != self.account:
            self.account = account
            self.holdings = Holdings(account)

    def board_of(self, req_id: int) -> QuoteBoard:
        """Where the ticks of a request belong."""
        return self.glances.get(req_id, self.board)

    def learn_contract(self, contract: FutureContract) -> None:
        """Prices of this contract are multiples of its tick."""
        self._ticks[contract.con_id] = contract.tick

    def tick_of(self, con_id: int) -> Decimal | None:
        """Tick of a contract, where known."""
        return self._ticks.get(con_id)

    def tell(self, event: Event) -> None:
        """Hand an event on. The client library swallows what is raised here, so it is made an event of its own."""
        if self._sink is None:
            self._held.append(event)
            return
        try:
            self._sink(event)
        except Exception as error:  # noqa: BLE001  The edge of our house: beyond it an error would only be logged.
            failure = TaskFailed(time_ns=self.now_ns(), parent_id=None, where="inbox", error=repr(error))
            self._sink(failure)

    def order_status(self, report: OrderStatusReported, *, client_id: int) -> None:
        """Raw order status; it names no reference."""
        order_ref = self._ref(report.order_id, report.perm_id, client_id=client_id)
        if order_ref is None:
            return
        self.orders.learn_perm(report.perm_id, order_ref=order_ref)
        self.orders.learn_status(order_ref, status=report.status)
        self.tell(replace(report, order_ref=order_ref))

    def heard_elsewhere(self, heard: HeardStatus) -> None:
        """Order status that came on another socket of this client id, while ours was gone."""
        report = OrderStatusReported(
            time_ns=self.now_ns(),
            order_ref="",
            order_id=heard.order_id,
            perm_id=heard.perm_id,
            status=heard.status,
            filled_lots=heard.filled_lots,
            remaining_lots=heard.remaining_lots,
        )
        self.order_status(report, client_id=self._client_id)

    def open_order(self, report: OpenOrderReported, *, client_id: int, account: str) -> None:
        """Raw open order: news of one of ours, or a line of a reply."""
        if account not in ("", self.account):
            return
        order_ref = report.order_ref or self._ref(report.order_id, report.perm_id, client_id=client_id) or ""
        report = replace(report, order_ref=order_ref)
        self.open_orders.line(report)
        if client_id == self._client_id or self.orders.knows(order_ref):
            self.orders.learn_perm(report.perm_id, order_ref=order_ref)
            self.tell(report)

    def completed_order(self, told: CompletedOrder, *, account: str) -> None:
        """A line of the broker's list of completed orders; without a reference its permanent id finds it."""
        if account in ("", self.account):
            self.completed.line(
                replace(told, order_ref=told.order_ref or self._ref(0, told.perm_id, client_id=-1) or "")
            )

    def execution(self, report: ExecutionReported, *, client_id: int, account: str) -> None:
        """An execution, as news or in a reply; each id is handed on once."""
        if account not in ("", self.account) or self.executions.knows(report.exec_id):
            return
        order_ref = report.order_ref or self._ref(report.order_id, report.perm_id, client_id=client_id) or ""
        report = replace(report, order_ref=order_ref, quote=self.board.quote(report.con_id))
        self.executions.add(report)
        self.tell(report)

    def commission(self, report: CommissionReported) -> None:
        """Fees; it may come before its execution, and again with every reply."""
        before = self._commissions.get(report.exec_id)
        if before is None or replace(before, time_ns=report.time_ns) != report:
            self._commissions[report.exec_id] = report
            self.tell(report)

    def position(self, report: PositionReported, *, account: str) -> None:
        """The broker's position of one contract."""
        if account == self.account and self.holdings.set_position(report):
            self.tell(report)

    def positions_complete(self) -> None:
        """The broker has told all its positions."""
        for flat in self.holdings.positions_complete():
            self.tell(replace(flat, time_ns=self.now_ns()))

    def error(self, req_id: int, *, code: int, message: str, has_asker: bool) -> None:
        """An error, warning or notice; its id is an order's only where we sent an order with it.

        Parameters
        ----------
        req_id
            Order or request id, −1 for none.
        code, message
            As the broker says them.
        has_asker
            Whether somebody waits for a request with this id, and so learns of it by himself.
        """
        if code == CLIENT_ID_IN_USE and self.on_client_id_in_use is not None:
            self.on_client_id_in_use(message)
            return
        order_ref = self.orders.ref_of_order(req_id)
        board = self.board_of(req_id)
        contract = board.contract_of(req_id)
        if order_ref is None and (has_asker or (code == NO_SUCH_SUBSCRIPTION and contract is None)):
            return
        if order_ref is None and contract is not None:
            message = f"{contract.local_symbol} market data: {message}"
            board.refuse(req_id)
        self.tell(BrokerErrorReported(time_ns=self.now_ns(), order_ref=order_ref, code=code, message=message))
        self.farms.heard(code, message)
        if code in (LOST_SERVERS, NO_SERVERS):
            self.completed.outdate()
            lost = self.link.servers(present=False) if code == LOST_SERVERS else self.link.begins_without_servers()
            self.note_link(changed=lost, message=message)
        elif self.link.is_restored_by(code):
            if code == RESTORED_DATA_LOST and self._on_data_lost is not None:
                self._on_data_lost()
            # Restored although we knew of no loss: what happened meanwhile is as unknown, and is compared as well.
            changed = self.link.servers(present=True) or self.link.state is ConnectionState.UP
            self.note_link(changed=changed, message=message)

    def unreadable(self, what: str) -> None:
        """A message could not be read; the client library only writes that to a log."""
        self.unread += 1
        self.note(f"a message of the gateway could not be read: {what}")

    def note(self, message: str) -> None:
        """Hand on an error about the broker that the broker did not report itself."""
        self.tell(BrokerErrorReported(time_ns=self.now_ns(), order_ref=None, code=OUR_NOTICE, message=message))

    def note_link(self, *, changed: bool, message: str) -> None:
        """Hand on that the state of the connection changed."""
        if changed:
            self.tell(ConnectionChanged(time_ns=self.now_ns(), state=self.link.state, message=message))

    def lost(self, message: str) -> None:
        """The connection is gone: nobody will be answered, and what the broker held for us is unknown."""
        self.board.unsubscribe_all()
        self.open_orders.lost()
        self.completed.lost()
        self.times.lost()
        self.holdings.forget()
        self.farms.forget()
        self.note_link(changed=self.link.closed(), message=message)

    def batch_done(self) -> None:
        """A network batch was handled: hand on where equity has moved, and the changed quotes, one a contract."""
        if self._quote_sink is None:
            return
        news = self.holdings.news()
        if news is not None:
            self.tell(
                AccountReported(
                    time_ns=self.now_ns(),
                    currency=news.currency,
                    equity=news.equity,
                    realised_pnl=news.realised_pnl,
                    unrealised_pnl=news.unrealised_pnl,
                )
            )
        for quote, contract in self.board.changed():
            try:
                self._quote_sink(quote, contract)
            except Exception as error:  # noqa: BLE001  As in `tell`.
                self.tell(TaskFailed(time_ns=self.now_ns(), parent_id=None, where="quotes", error=repr(error)))

    def _ref(self, order_id: int, perm_id: int, *, client_id: int) -> str | None:
        by_order = self.orders.ref_of_order(order_id) if client_id == self._client_id else None
        return by_order or self.orders.ref_of_perm(perm_id)


class UnreadableMessages(logging.Handler):
    """Hears what the client library only logs: that a message could not be read."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(logging.ERROR)
        self._inbox = inbox

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of records that come with an exception."""
        if record.exc_info and record.exc_info[1] is not None:
            self._inbox.unreadable(repr(record.exc_info[1]))
