# The client library leaves many of its functions without types.
# mypy: allow-untyped-calls
"""The one connection to the broker: orders out, facts in, and nothing out without approval and receipt."""

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal

from ib_async import IB, Contract, ExecutionFilter
from ib_async.client import Client

from hydra_nb.broker import translate
from hydra_nb.broker.asking import REPLY_S, Requests
from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.broker.connection import Connection
from hydra_nb.broker.daily import DailyBar
from hydra_nb.broker.glances import Glances
from hydra_nb.broker.inbox import RECALLED, Inbox, QuoteSink, Sink, UnreadableMessages
from hydra_nb.broker.instruments import ContractQuery, Instruments, ListedMonth
from hydra_nb.broker.orders_out import OrdersOut
from hydra_nb.broker.pacing import Pace
from hydra_nb.broker.renewals import Renewals
from hydra_nb.broker.told import Told
from hydra_nb.clock import Clock
from hydra_nb.domain.events import DeathProbed, Event, OpenOrderReported
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Glance, MarketStatistics
from hydra_nb.domain.orders import ChildOrder, MarginQuestion
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import SendRefused, invariant
from hydra_nb.journal import Journal, Receipt
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.risk.verdict import Approved


class _CountingClient(Client):
    """Counts every frame where it leaves, and never gives an id twice, whatever a gateway says after its restart."""

    def __init__(self, wrapper: translate.RawWrapper, *, pace: Pace, logger: logging.Logger) -> None:
        self._pace = pace
        super().__init__(wrapper)
        self._logger = logger
        self.decoder = translate.RawDecoder(wrapper, logger=logger)

    def reset(self) -> None:
        """Forget the connection, but not which ids were given."""
        next_id = getattr(self, "_reqIdSeq", 0)
        super().reset()
        self._reqIdSeq = next_id

    def next_id(self) -> int:
        """A fresh id, also while there is no connection."""
        fresh: int = self._reqIdSeq
        self._reqIdSeq += 1
        return fresh

    def sendMsg(self, msg: str) -> None:  # noqa: N802  as the client library calls it
        """Send one frame. Our own pace is stricter, so the library's queue stays empty."""
        if msg:
            self._pace.count()
        super().sendMsg(msg)


class _Wire:
    """The client library with our ears (`inbox`), its frames counted (`pace`), behind requests in our own terms.

    What its methods promise is said in `ConnectionWire`, `OrderWire` and `InstrumentWire`.
    """

    def __init__(self, *, inbox: Inbox, pace: Pace) -> None:
        # The library logs what a person need not see, and logs only what we must hear.
        logger = logging.Logger("hydra_nb.broker.wire")
        logger.parent = logging.getLogger("hydra_nb.broker")
        logger.addHandler(UnreadableMessages(inbox))
        self._ib = IB()
        self._wrapper = translate.RawWrapper(self._ib, inbox=inbox, logger=logger)
        self._client = _CountingClient(self._wrapper, pace=pace, logger=logger)
        self._ib.wrapper, self._ib.client = self._wrapper, self._client

    @property
    def is_open(self) -> bool:
        return bool(self._client.isReady())

    @property
    def server_version(self) -> int:
        return int(self._client.serverVersion())

    @property
    def has_socket(self) -> bool:
        return self._client.conn.transport is not None

    @property
    def has_talked(self) -> bool:
        return bool(self._client.conn.numBytesSent)

    @property
    def takes_orders(self) -> bool:
        transport = self._client.conn.transport
        return self.is_open and transport is not None and not transport.is_closing()

    def on_closed(self, callback: Callable[[], None]) -> Callable[[], None]:
        def listener(_message: str) -> None:
            callback()

        self._client.conn.disconnected += listener
        return lambda: self._client.conn.disconnected.disconnect(listener)

    def on_ended(self, callback: Callable[[], None]) -> None:
        """Call back whenever the gateway closes an open connection."""
        self._client.apiEnd.connect(callback, keep_ref=True)

    async def connect(self, host: str, port: int, *, client_id: int, timeout_s: float) -> None:
        await self._client.connectAsync(host, port, client_id, timeout_s)

    def drop(self) -> None:
        self._client.disconnect()
        self._wrapper.connectionClosed()

    def cut(self) -> None:
        """Shut the socket, from any thread; the loop then learns of it as of any lost connection."""
        transport = self._client.conn.transport
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def accounts(self) -> list[str]:
        return list(self._client.getAccounts())

    def next_id(self) -> int:
        return self._client.next_id()

    def raise_ids(self, lowest: int) -> None:
        """Give no id below."""
        self._client.updateReqId(lowest)

    async def account_values(self, account: str) -> None:
        await self._ib.reqAccountUpdatesAsync(account)

    async def positions(self) -> None:
        await self._ib.reqPositionsAsync()

    async def executions(self, account: str) -> None:
        await self._ib.reqExecutionsAsync(ExecutionFilter(acctCode=account))

    def send_time_request(self) -> None:
        self._client.reqCurrentTime()

    def send_open_orders_request(self) -> None:
        self._client.reqAllOpenOrders()

    def send_completed_orders_request(self) -> None:
        self._client.reqCompletedOrders(False)  # those typed by hand as well

    def send_market_data_request(self, req_id: int, contract: FutureContract, *, generic: str = "") -> None:
        self._client.reqMktData(req_id, translate.wire_contract(contract), generic, False, False, [])

    def send_market_data_cancel(self, req_id: int) -> None:
        self._client.cancelMktData(req_id)

    async def details(self, query: ContractQuery) -> tuple[ListedMonth, ...]:
        listed = await self._ib.reqContractDetailsAsync(translate.wire_query(query))
        return tuple(translate.listed_month(details) for details in listed)

    async def rule_tick(self, rule: int) -> Decimal | None:
        # The library's own request gives up after a second and would have us take a finer tick than is allowed.
        answer = self._wrapper.startReq(f"marketRule-{rule}")
        self._client.reqMarketRule(rule)
        return translate.rule_tick(await answer)

    async def daily_bars(self, contract: FutureContract) -> tuple[DailyBar, ...]:
        named = translate.wire_contract(contract)
        bars = await self._ib.reqHistoricalDataAsync(named, "", "30 D", "1 day", "TRADES", useRTH=True, timeout=0)
        return translate.daily_bars(bars)

    def place(self, child: ChildOrder, *, content_hash: str) -> None:
        """Send a fresh order, if what is about to leave is what was approved and recorded.

        The client writes the very frame that `IB.placeOrder` would. That one keeps a Trade beside, asserts that it is
        not done only after sending, and gets slower with every line of the Trade's log; nobody here reads it.
        """
        contract, order = translate.wire_contract(child.contract), translate.wire_order(child)
        if translate.hash_of_frame(contract, order) != content_hash:
            raise SendRefused("what would leave is not what was approved and recorded; nothing was sent")
        self._client.placeOrder(order.orderId, contract, order)

    def send_what_if(self, question: MarginQuestion, *, account: str) -> Awaitable[MarginTold | None]:
        """Ask what an order would change; the frame is that of an order, with the flag that keeps it from being one."""
        order, order_id = translate.wire_what_if(question, account=account), self._client.next_id()
        invariant(order.whatIf, "a what-if without its flag would be an order")
        answer: Awaitable[MarginTold | None] = self._wrapper.startReq(order_id)
        self._client.placeOrder(order_id, translate.wire_contract(question.contract), order)
        return answer

    def cancel(self, order_id: int) -> None:
        self._client.cancelOrder(order_id, "")

    def cancel_everything(self) -> None:
        self._client.reqGlobalCancel()


class BrokerGateway(Told):
    """One account of one gateway: the only user of ib_async.

    Parameters
    ----------
    clock
        Market time and host time.
    client_id
        Id of the connection at the gateway; also an attribute.
    gate
        Whose approvals are redeemed.
    """

    def __init__(self, *, clock: Clock, client_id: int, gate: RiskGate) -> None:
        self.client_id = client_id
        super().__init__(Inbox(clock=clock, client_id=client_id))
        self._pace = Pace(lambda: clock.host_ns() / NS_PER_S)
        self._wire = _Wire(inbox=self._inbox, pace=self._pace)
        requests = Requests(self._pace, is_open=lambda: self._wire.is_open)
        self._connection = Connection(
            self._wire, inbox=self._inbox, pace=self._pace, requests=requests, client_id=client_id
        )
        self._wire.on_ended(self._connection.ended)
        self._orders = OrdersOut(
            self._wire,
            inbox=self._inbox,
            pace=self._pace,
            requests=requests,
            ask_time=self._connection.ask_time,
            gate=gate,
            clock=clock,
            halt=self.halt,
        )
        self._renewals = Renewals(self._wire, inbox=self._inbox, pace=self._pace, clock=clock)
        self._glances = Glances(self._wire, inbox=self._inbox, pace=self._pace, clock=clock)
        self._has_recalled = False
        self._instruments = Instruments(self._wire, requests=requests, clock=clock, learn=self._inbox.learn_contract)

    async def open(
        self,
        host: str,
        port: int,
        *,
        account: str | None = None,
        confirm_live: str | None = None,
        live_obstacle: str | None = None,
        timeout_s: float = REPLY_S,
    ) -> str:
        """Connect, look at the account list before anything else is asked, and give the account.

        Parameters
        ----------
        host, port
            Where the gateway listens.
        account, confirm_live, live_obstacle
            See `hydra_nb.broker.access.choose_account`.
        timeout_s
            Host seconds for connecting, and again for the handshake.

        Raises
        ------
        GatewayUnreachable
            Nobody listens, or the connection is closed during the handshake.
        ClientIdInUse
            Another connection holds the client id.
        NoReply
            The handshake is not answered in time.
        AccountRefused, LiveNotConfirmed, LiveNotAllowedHere
            The socket was closed right after the account list.
        """
        return await self._connection.open(
            host, port, account=account, confirm_live=confirm_live, live_obstacle=live_obstacle, timeout_s=timeout_s
        )

    def recall(self, event: Event) -> None:
        """Take in an event of the journal, before `start`: what an earlier run of this client id sent and heard."""
        self._has_recalled = True
        self._inbox.recall(event)

    async def start(self, *, journal: Journal, sink: Sink, quote_sink: QuoteSink, next_order_id: int) -> None:
        """Begin to hand events on, and wait until account values, positions and the time are known.

        Parameters
        ----------
        journal
            Whose receipts are redeemed; it is read for what `recall` takes in, unless that was called.
        sink, quote_sink
            Get every event, and every changed quote once for each network batch.
        next_order_id
            Order ids below it are never given.

        Raises
        ------
        NoReply, NotConnected
            The broker does not answer, or is gone.
        """
        self._orders.use_journal(journal)
        if not self._has_recalled:
            for _, event in journal.events(kinds=RECALLED):
                self._inbox.recall(event)
        self._wire.raise_ids(next_order_id)
        self._inbox.deliver_to(sink, quote_sink=quote_sink, on_data_lost=self._connection.data_lost)
        await self._connection.begin()

    async def close(self) -> None:
        """End the connection and all that runs for it; harmless when it is closed already."""
        await self._connection.close()

    def reserve_order_id(self) -> int:
        """An id for a new order, never given twice; it can be had without a connection too."""
        return self._wire.next_id()

    def place(self, approved: Approved, receipt: Receipt) -> None:
        """Send a place or a modify, with the gate's and the journal's own objects, neither redeemed before.

        What is raised was certainly not sent.

        Raises
        ------
        NotConnected
            The connection is down or degraded.
        SendRefused
            Approval, receipt, content, order or pace do not allow it.
        """
        self._orders.place(approved, receipt)

    def cancel(self, child: ChildOrder) -> None:
        """Send a cancel, before anything else that waits; also while the connection is degraded or all is killed.

        Raises
        ------
        NotConnected
            There is no socket to send it on.
        """
        self._orders.cancel(child)

    def cancel_everything(self) -> None:
        """Have the broker cancel all open orders of all clients, and those typed by hand; raises as `cancel`."""
        self._orders.cancel_everything()

    def cut(self) -> None:
        """Shut the socket, from any thread, where the loop cannot."""
        self._wire.cut()

    def connect_soon(self) -> None:
        """Connect again now, not at the next beat; without effect while connected."""
        self._connection.hurry()

    async def what_if(self, question: MarginQuestion) -> MarginTold | None:
        """Ask what an order would change in the account's initial margin; nothing is placed.

        Returns
        -------
        MarginTold or None
            In the account's currency; None where the broker's answer lacks a figure.

        Raises
        ------
        BrokerError
            It does not answer within 5 s, refuses, is not connected, or the desk is halted.
        """
        return await self._orders.what_if(question)

    async def open_orders(self) -> tuple[OpenOrderReported, ...]:
        """Open orders of all clients, as the broker tells them now; foreign ones with their own references."""
        return await self._orders.open_orders()

    async def completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        """Orders of all clients that the broker calls over; None where it does not answer on this connection."""
        return await self._orders.completed_orders()

    async def refresh_positions(self) -> None:
        """Have the broker tell all its positions anew; without effect where it did not answer that before."""
        await self._connection.refresh_positions()

    async def fetch_executions(self) -> None:
        """Hand on the account's executions since midnight that were not heard of before."""
        await self._orders.fetch_executions()

    async def probe_death(self, child: ChildOrder) -> DeathProbed:
        """Ask for open orders, then for executions, and tell what they say of one; a `BrokerError` proves nothing."""
        return await self._orders.probe_death(child)

    async def contracts(self, symbol: str) -> tuple[FutureContract, ...]:
        """All listed months of a symbol, nearest last trade date first; `UnknownInstrument` where there are none."""
        return await self._instruments.look_up(ContractQuery(symbol=symbol.strip().upper()))

    async def contract(self, key: object) -> FutureContract:
        """One listed month.

        Parameters
        ----------
        key
            Contract id, local symbol such as ``"ZOH7"``, an ib_async ``Contract``, or a `FutureContract`.

        Raises
        ------
        UnknownInstrument
            There is none, or more than one.
        InvalidOrder
            The key is of another kind.
        """
        query = translate.read_query(key) if isinstance(key, Contract) else key
        return await self._instruments.find(query)

    async def statistics(self, contract: FutureContract) -> MarketStatistics:
        """Average daily volume and daily volatility of the last 20 complete days; None where not computable."""
        source = "simulated bars" if self.is_simulated else "broker bars"
        return await self._instruments.statistics(contract, source=source)

    def watch(self, contract: FutureContract) -> None:
        """Keep a live quote of a contract; calling it again changes nothing."""
        self._inbox.learn_contract(contract)
        self._connection.watch(contract)

    async def glance(self, contract: FutureContract, *, wait_s: float) -> Glance:
        """Look at a contract for some market seconds at most, on a line of its own that is then given back."""
        self._inbox.learn_contract(contract)
        return await self._glances.look(contract, wait_s=wait_s)

    def keep_fresh(self, traded: Callable[[], Iterable[FutureContract]]) -> None:
        """Until `close` ask anew for quiet quotes of the contracts that `traded` gives."""
        self._connection.keep(lambda: self._renewals.run(traded), where="quotes")

    @property
    def server_version(self) -> int | None:
        """Version of the protocol that the gateway agreed to; None while there is no connection."""
        return self._wire.server_version if self._wire.is_open else None

    async def server_time_ns(self) -> int:
        """The broker's time now, UTC nanoseconds, within half a second, as it tells whole seconds only."""
        return (await self._connection.ask_time()).server_s * NS_PER_S + NS_PER_S // 2

    def clock_skew_s(self) -> float | None:
        """Seconds by which our clock is provably off the broker's, without sign; None before the first answer."""
        return self._connection.clock_skew_s

    def messages_last_second(self) -> int:
        """Frames sent within the last second of host time."""
        return self._pace.last_second()
