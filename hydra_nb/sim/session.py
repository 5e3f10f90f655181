"""The gateway's side of the wire, without I/O: bytes in, bytes out, time as an argument.

`GatewayCore` joins one exchange to any number of `Session` objects, one for each connection. Whoever owns sockets and
timers feeds it: `receive` for bytes that came in, `advance` when time has passed, and `Session.take_output` for bytes
to send. Orders belong to the client id that placed them; their reports go to the session with that id, if one is open.
"""

from collections.abc import Iterable

from hydra_nb.sim import account_streams, answers, order_replies, replies
from hydra_nb.sim import requests as ask
from hydra_nb.sim.account_streams import AccountStream
from hydra_nb.sim.codes import FARM_NOTICES, Code, Refusal
from hydra_nb.sim.connection import Session, StreamKey
from hydra_nb.sim.contract_search import listed, the_one
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults.injector import FaultInjector
from hydra_nb.sim.faults.log import FaultEntry
from hydra_nb.sim.faults.script import FaultScript
from hydra_nb.sim.framing import WireError, decode, parse_versions
from hydra_nb.sim.messages import parse
from hydra_nb.sim.order_entry import order_terms
from hydra_nb.sim.records import ExchangeEvent, Executed, OrderChanged, OrderRejected, OrderStatus, TopChanged, Traded
from hydra_nb.sim.ticks import OPEN_INTEREST_ASKED, TickStream

LIVE = 1  # the market data type that every subscription gets, whatever was asked for
MAX_TICK_STREAMS = 100  # of one connection, as IB allows an account without further fees
MAX_ACCOUNT_STREAMS = 100
_POSITIONS = ("positions", replies.NO_REQUEST)
_ACCOUNT = ("account", replies.NO_REQUEST)


class GatewayCore:
    """Routes requests to the exchange, and what happens there to the sessions.

    Times must not go back from one call to the next.

    Parameters
    ----------
    exchange
        The market, its account and its clock.
    faults
        What goes wrong; None for a gateway that does not fail.

    Attributes
    ----------
    sessions
        The open connections.
    next_order_ids
        The next valid order id of each client id that has sent orders.
    """

    def __init__(self, exchange: Exchange, *, faults: FaultScript | None = None) -> None:
        self.exchange = exchange
        self.sessions: list[Session] = []
        self.next_order_ids: dict[int, int] = {}
        self._faults = None if faults is None else FaultInjector(faults, core=self)
        self._tick_streams: dict[int, list[tuple[Session, TickStream]]] = {}
        self._refresh_ns: int | None = None

    def connect(self) -> Session:
        """A new connection, which has said nothing yet."""
        session = Session() if self._faults is None else self._faults.connect()
        self.sessions.append(session)
        return session

    def disconnect(self, session: Session) -> None:
        """Forget a connection; its orders go on working, and its client id is free again."""
        session.closed = True
        if session in self.sessions:
            self.sessions.remove(session)
            self.drop_ticks(session)
            session.account_streams.clear()

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Take bytes from a client and act on every whole message among them.

        A message that cannot be read is answered with an error; bytes that are no frames close the session.
        """
        self.advance(now_ns)
        if self._faults is not None and not self._faults.hears(session):
            return
        session.decoder.feed(data)
        try:
            while not session.closed and (payload := session.decoder.next_frame()) is not None:
                if session.server_version:
                    self._receive_message(session, payload, now_ns)
                else:
                    session.server_version = parse_versions(payload).agreed()
                    session.send(replies.handshake(server_version=session.server_version, now_ns=now_ns))
        except WireError:
            session.closed = True

    def advance(self, now_ns: int) -> None:
        """Let the market run up to ``now_ns`` and report what happened."""
        if self._faults is not None:
            self._faults.advance(now_ns)
        self.report(self.exchange.advance(now_ns), now_ns)
        if self._refresh_ns is not None and now_ns >= self._refresh_ns:
            self._refresh_accounts(now_ns, only_due=True)

    def next_event_ns(self) -> int | None:
        """When `advance` next has something to do; None if never."""
        next_ns = self.exchange.next_event_ns()
        if self._refresh_ns is not None and (next_ns is None or self._refresh_ns < next_ns):
            next_ns = self._refresh_ns
        if self._faults is not None:
            fault_ns = self._faults.next_event_ns()
            if fault_ns is not None and (next_ns is None or fault_ns < next_ns):
                return fault_ns
        return next_ns

    @property
    def fault_log(self) -> list[FaultEntry]:
        """What went wrong so far, in order; empty without faults."""
        return [] if self._faults is None else self._faults.log

    def heal(self, now_ns: int) -> None:
        """End all faults now: what was held back is delivered, mute connections are closed, nothing else goes wrong."""
        if self._faults is not None:
            self.advance(now_ns)
            self._faults.heal(now_ns)

    def report(self, events: Iterable[ExchangeEvent], now_ns: int) -> None:
        """Tell what happened at the exchange, and refresh the accounts where there were fills."""
        has_fills = False
        for event in events:
            self.route(event)
            has_fills = has_fills or isinstance(event, Executed)
        if has_fills:
            self._refresh_accounts(now_ns, only_due=False)

    def route(self, event: ExchangeEvent) -> None:
        """Tell one event to the sessions it concerns."""
        if isinstance(event, TopChanged):
            for session, stream in self._tick_streams.get(event.top.con_id, ()):
                session.send(stream.top_changed(event.top))
        elif isinstance(event, Traded):
            for session, stream in self._tick_streams.get(event.con_id, ()):
                session.send(stream.traded(event))
        elif isinstance(event, OrderChanged):
            self._route_order(event)
        elif isinstance(event, Executed):
            self._route_execution(event)
        else:
            self._route_rejection(event)

    def _owner(self, client_id: int) -> Session | None:
        for session in self.sessions:
            if session.client_id == client_id and not session.closed:
                return session
        return None

    def _route_order(self, event: OrderChanged) -> None:
        order = event.order
        session = self._owner(order.terms.client_id)
        if session is None:
            return
        if order.status is OrderStatus.CANCELLED:
            session.error(order.terms.order_id, Code.ORDER_CANCELLED, "Order Canceled - reason:")
        else:
            listing = listed(self.exchange, order.terms.con_id)
            session.send(order_replies.open_order(order, listing=listing, server_version=session.server_version))
        session.send(replies.order_status(order))

    def _route_execution(self, event: Executed) -> None:
        fill = event.execution
        session = self._owner(fill.client_id)
        if session is not None:
            listing = listed(self.exchange, fill.con_id)
            version = session.server_version
            session.send(replies.execution(replies.NO_REQUEST, fill=fill, listing=listing, server_version=version))
            session.send(replies.commission_report(event.commission))

    def _route_rejection(self, event: OrderRejected) -> None:
        session = self._owner(event.client_id)
        if session is not None:
            session.error(event.order_id, event.code, event.message)

    def _refresh_accounts(self, now_ns: int, *, only_due: bool) -> None:
        for session in self.sessions:
            for stream in session.account_streams.values():
                if not only_due or stream.due_ns <= now_ns:
                    session.send(stream.changes(now_ns))
        self._schedule_refresh()

    def _schedule_refresh(self) -> None:
        due = [stream.due_ns for session in self.sessions for stream in session.account_streams.values()]
        self._refresh_ns = min(due, default=None)

    def _receive_message(self, session: Session, payload: bytes, now_ns: int) -> None:
        try:
            request = parse(decode(payload), server_version=session.server_version)
        except WireError as error:
            session.error(replies.NO_REQUEST, Code.CANNOT_READ, f"Error reading request: {error}")
            return
        if self._faults is None or not self._faults.takes(session, request, now_ns):
            self.handle(session, request, now_ns)

    def handle(self, session: Session, request: ask.Request, now_ns: int) -> None:
        """Act on one request of a client."""
        if isinstance(request, ask.StartApi):
            self._start(session, request)
        elif session.client_id is None:
            session.error(replies.NO_REQUEST, Code.NOT_CONNECTED, "Not connected")
        else:
            self._act(session, request, now_ns)

    def _act(self, session: Session, request: ask.Request, now_ns: int) -> None:
        match request:
            case ask.PlaceOrder():
                self._place(session, request, now_ns)
            case ask.CancelOrder():
                self.report(self.exchange.cancel(_client_id(session), request.order_id, now_ns), now_ns)
            case ask.GlobalCancel():
                self.report(self.exchange.cancel_all(now_ns), now_ns)
            case ask.MarketData():
                self._subscribe_ticks(session, request, now_ns)
            case ask.MarketDataType():
                for req_id in session.tick_streams:
                    session.send(replies.market_data_type(req_id, data_type=LIVE))
            case ask.AccountUpdates() | ask.AccountUpdatesMulti() | ask.AccountSummary() | ask.ProfitAndLoss():
                self._subscribe_account(session, request, now_ns)
            case ask.Positions(subscribe=True):
                self._begin(session, _POSITIONS, account_streams.positions(self.exchange), now_ns)
            case ask.Positions():
                self._end(session, _POSITIONS)
            case ask.Stop(stream="ticks"):
                self._drop_ticks(session, request.req_id)
            case ask.Stop():
                self._end(session, (request.stream, request.req_id))
            case ask.CurrentTime():
                session.send(replies.current_time(now_ns))
            case ask.NextIds():
                session.send(replies.next_valid_id(self._next_order_id(session)))
            case ask.ManagedAccounts():
                session.send(replies.managed_accounts(self.exchange.account))
            case ask.Unserved():
                _refuse_unserved(session, request)
            case ask.Unknown():
                session.error(
                    replies.NO_REQUEST,
                    Code.UNKNOWN_MESSAGE,
                    f"Fatal Error: Unknown message id {request.message_id!r}.",
                )
            case _:
                self._answer(session, request, now_ns)

    def _answer(self, session: Session, request: ask.Request, now_ns: int) -> None:
        version = session.server_version
        req_id = replies.NO_REQUEST
        answer: answers.Answer = []
        match request:
            case ask.ContractDetailsQuery(req_id=req_id):
                answer = answers.contract_details(self.exchange, request, now_ns, version)
            case ask.MarketRuleQuery():
                answer = answers.market_rule(self.exchange, request)
            case ask.HistoricalData(req_id=req_id):
                answer = answers.historical_data(self.exchange, request, now_ns)
            case ask.ExecutionsQuery(req_id=req_id):
                answer = answers.executions(self.exchange, request, now_ns, version)
            case ask.OpenOrdersQuery():
                answer = answers.open_orders(self.exchange, request, _client_id(session), version)
            case ask.CompletedOrdersQuery():
                answer = answers.completed_orders(self.exchange, version)
        if isinstance(answer, Refusal):
            session.error(req_id, answer.code, answer.message)
        else:
            session.send(b"".join(answer))

    def _start(self, session: Session, request: ask.StartApi) -> None:
        if session.client_id is not None:
            return
        if self._owner(request.client_id) is not None:
            message = "Unable to connect as the client id is already in use. Retry with a unique client id."
            session.error(replies.NO_REQUEST, Code.CLIENT_ID_IN_USE, message)
            session.closed = True
            return
        session.client_id = request.client_id
        session.send(replies.managed_accounts(self.exchange.account))
        session.send(replies.next_valid_id(self._next_order_id(session)))
        for code, message in FARM_NOTICES:
            session.error(replies.NO_REQUEST, code, message)

    def _next_order_id(self, session: Session) -> int:
        return self.next_order_ids.get(_client_id(session), 1)

    def _place(self, session: Session, request: ask.PlaceOrder, now_ns: int) -> None:
        client_id = _client_id(session)
        self.next_order_ids[client_id] = max(self._next_order_id(session), request.order_id + 1)
        listing = the_one(self.exchange.listings, query=request.contract)
        if isinstance(listing, Refusal):
            session.error(request.order_id, listing.code, listing.message)
            return
        terms = order_terms(request, client_id=client_id, account=self.exchange.account, listing=listing)
        if isinstance(terms, Refusal):
            session.error(request.order_id, terms.code, terms.message)
        elif request.what_if:
            session.send(answers.what_if(self.exchange, terms, session.server_version))
        else:
            self.report(self.exchange.submit(terms, now_ns), now_ns)

    def _subscribe_ticks(self, session: Session, request: ask.MarketData, now_ns: int) -> None:
        listing = the_one(self.exchange.listings, query=request.contract)
        if isinstance(listing, Refusal):
            session.error(request.req_id, listing.code, listing.message)
            return
        if request.req_id not in session.tick_streams and len(session.tick_streams) >= MAX_TICK_STREAMS:
            session.error(request.req_id, Code.TOO_MANY_TICKERS, "Max number of tickers has been reached.")
            return
        self.exchange.watch(listing.con_id, now_ns)
        stream = TickStream(req_id=request.req_id, con_id=listing.con_id)
        tick = listing.told_tick
        session.send(replies.tick_parameters(request.req_id, min_tick=tick, exchange=listing.exchange))
        session.send(replies.market_data_type(request.req_id, data_type=LIVE))
        top = self.exchange.top(listing.con_id)
        if top is not None:
            session.send(stream.top_changed(top))
        open_lots = self.exchange.open_interest(listing.con_id, now_ns)
        if OPEN_INTEREST_ASKED in request.generic and open_lots is not None:
            session.send(stream.open_interest(open_lots))
        if request.snapshot:
            session.send(replies.snapshot_end(request.req_id))
            return
        self._drop_ticks(session, request.req_id)
        session.tick_streams[request.req_id] = stream
        self._tick_streams.setdefault(listing.con_id, []).append((session, stream))

    def show_tops(self, session: Session) -> None:
        """Send every quote of a connection anew, whole."""
        for stream in session.tick_streams.values():
            top = self.exchange.top(stream.con_id)
            if top is not None:
                stream.forget()
                session.send(stream.top_changed(top))

    def drop_ticks(self, session: Session) -> None:
        """Forget which quotes a connection asked for."""
        for req_id in list(session.tick_streams):
            self._drop_ticks(session, req_id)

    def _drop_ticks(self, session: Session, req_id: int) -> None:
        stream = session.tick_streams.pop(req_id, None)
        if stream is not None:
            self._tick_streams[stream.con_id].remove((session, stream))

    def _subscribe_account(
        self,
        session: Session,
        request: ask.AccountUpdates | ask.AccountUpdatesMulti | ask.AccountSummary | ask.ProfitAndLoss,
        now_ns: int,
    ) -> None:
        if not isinstance(request, ask.AccountSummary) and request.account not in {"", self.exchange.account}:
            req_id = replies.NO_REQUEST if isinstance(request, ask.AccountUpdates) else request.req_id
            message = f"Error validating request: account {request.account!r} is not managed here"
            session.error(req_id, Code.CANNOT_VALIDATE, message)
            return
        match request:
            case ask.AccountUpdates(subscribe=False):
                self._end(session, _ACCOUNT)
            case ask.AccountUpdates():
                self._begin(session, _ACCOUNT, account_streams.account_updates(self.exchange), now_ns)
            case ask.AccountUpdatesMulti(req_id=req_id, model=model):
                stream = account_streams.account_updates_multi(self.exchange, req_id=req_id, model=model)
                self._begin(session, ("values", req_id), stream, now_ns)
            case ask.AccountSummary(req_id=req_id, tags=tags):
                stream = account_streams.account_summary(self.exchange, req_id=req_id, tags=tags)
                self._begin(session, ("summary", req_id), stream, now_ns)
            case ask.ProfitAndLoss(req_id=req_id, con_id=con_id):
                stream = account_streams.profit_and_loss(self.exchange, req_id=req_id, con_id=con_id)
                self._begin(session, ("pnl" if con_id is None else "pnl of one", req_id), stream, now_ns)

    def _begin(self, session: Session, key: StreamKey, stream: AccountStream, now_ns: int) -> None:
        if key not in session.account_streams and len(session.account_streams) >= MAX_ACCOUNT_STREAMS:
            message = "Error processing request: Maximum number of account streams exceeded"
            session.error(key[1], Code.TOO_MANY_STREAMS, message)
            return
        session.account_streams[key] = stream
        session.send(stream.first(now_ns))
        self._schedule_refresh()

    def _end(self, session: Session, key: StreamKey) -> None:
        session.account_streams.pop(key, None)
        self._schedule_refresh()


def _client_id(session: Session) -> int:
    if session.client_id is None:
        raise WireError("a request came before the client had started")
    return session.client_id


def _refuse_unserved(session: Session, request: ask.Unserved) -> None:
    tick_by_tick = 97
    if request.message_id == tick_by_tick:
        session.error(request.req_id, Code.NO_TICK_BY_TICK, "Failed to request tick-by-tick data: not served here")
    else:
        message = f"Requested market data is not subscribed: request {request.message_id} is not served here"
        session.error(request.req_id, Code.NOT_SUBSCRIBED, message)
