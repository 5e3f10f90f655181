"""The broker of a rehearsal: the exchange core itself, spoken to in domain values instead of on a wire.

It tells what the simulated gateway would tell its client, at the same market times and in the same order, but for what
only a wire needs: heartbeats, renewed subscriptions, comparisons unasked, and frames that tell nothing new.
"""

from collections.abc import Callable, Sequence

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import AccountState, ConnectionState, FeedType, Quote
from hydra_nb.domain.orders import ChildOrder, MarginQuestion
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.domain.values import replace
from hydra_nb.journal import Receipt
from hydra_nb.rehearsal import reports
from hydra_nb.rehearsal.agenda import Agenda, Entry, Nap
from hydra_nb.rehearsal.quiet import QuietRounds, is_renewed
from hydra_nb.rehearsal.record import Record
from hydra_nb.rehearsal.standing import Books, Standing
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.risk.verdict import Approved
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import (
    ExchangeEvent,
    Executed,
    OrderChanged,
    OrderRejected,
    OrderStatus,
    OrderTerms,
    SimSide,
    TimeInForce,
    Top,
    TopChanged,
    Traded,
)

CLIENT_ID = 1
ACCOUNT_NS = 180 * NS_PER_S
"""Market time between two reports of account values without a fill (IB: "Account updates", every three minutes)."""
LATENCY_NS = 500_000
"""Time that a message takes to the exchange, as on the simulated gateway in memory."""


_SIDES = {Side.BUY: SimSide.BUY, Side.SELL: SimSide.SELL}


class ExchangeBroker:
    """An `OrderPort` over one contract of an `Exchange`.

    Parameters
    ----------
    exchange
        The market, which this broker alone trades on.
    contract
        What is traded.
    agenda
        Market time, and where messages wait on their way.
    gate, record
        Whose approvals and receipts are redeemed, as before every order.
    latency_ns
        Time from sending until the exchange has it; answers come back at once.
    ahead_ns
        By how much the desk's clock is ahead of the exchange's.
    standing
        Account, positions and margin to go on from; None begins with the simulated account, which knows them all.
    """

    client_id = CLIENT_ID

    def __init__(
        self,
        exchange: Exchange,
        *,
        contract: FutureContract,
        agenda: Agenda,
        gate: RiskGate,
        record: Record,
        latency_ns: int = LATENCY_NS,
        ahead_ns: int = 0,
        standing: Standing | None = None,
    ) -> None:
        self.exchange = exchange
        self.state = ConnectionState.UP if standing is None else standing.state
        self.contract = contract
        self.account = exchange.account
        self._con_id = contract.con_id
        self._agenda = agenda
        self._gate = gate
        self._record = record
        self._latency_ns = latency_ns
        self._ahead_ns = ahead_ns
        self._sink: Callable[[ev.Event], None] | None = None
        self._quote_sink: Callable[[Quote, FutureContract], None] | None = None
        self._last_order_id = 0
        self._children: dict[int, ChildOrder] = {}
        self._sent_ns: list[int] = []
        self._top: Top | None = None
        self._quote: Quote | None = None
        self._has_traded = False
        self._standing = standing
        self._books = Books(exchange, contract=contract, standing=standing)
        self._account = self._books.account_before
        self._position = self._books.lots_before
        self._refresh: Entry | None = None
        self._rounds: QuietRounds | None = None

    # Beginning, and the market's own time

    def start(
        self,
        *,
        sink: Callable[[ev.Event], None],
        quote_sink: Callable[[Quote, FutureContract], None],
        is_traded: Callable[[], bool],
    ) -> None:
        """Watch the contract, and hand on events and quotes from now on; see `QuietRounds` for `is_traded`."""
        self._sink, self._quote_sink = sink, quote_sink
        standing = self._standing
        if standing is None or is_renewed(state=standing.state, feed=standing.feed, halted=standing.halted):
            self._rounds = QuietRounds(self.contract, is_traded=is_traded, from_ns=self._agenda.now_ns())
        self.exchange.watch(self._con_id, self._exchange_ns())
        self._top = self.exchange.top(self._con_id)
        self._books.begin(self._top)
        self._tell_account()
        self._tell_quote()

    def run_market(self, until_ns: int | None) -> bool:
        """Let the market move up to and including a time, or until there is something to decide on.

        Parameters
        ----------
        until_ns
            By the desk's clock; None goes on for as long as the market moves.

        Returns
        -------
        bool
            Whether it told of an order, which may have something done before that time.
        """
        last_ns = None if until_ns is None else until_ns - self._ahead_ns
        while True:
            time_ns, events = self.exchange.advance_to_news(last_ns)
            if not events:
                return False
            self._agenda.pass_to(time_ns + self._ahead_ns)
            if self._hear(events):
                return True

    # What is known

    def quote(self, con_id: int) -> Quote | None:
        """The quote as of the last tick; a quiet one counts as asked for anew, as it is where a desk trades."""
        if con_id != self._con_id:
            return None if self._standing is None else self._standing.quotes.get(con_id)
        self._renew()
        return self._quote

    def account_state(self) -> AccountState:
        """Account values as last told."""
        return self._account

    def position(self, con_id: int) -> int | None:
        """Signed lots; None where the broker had not told its positions."""
        if not self._books.knows_positions:
            return None
        if con_id == self._con_id:
            return self._position
        return sum(held.lots for held in self._books.others if held.con_id == con_id)

    def positions(self) -> tuple[ev.PositionReported, ...] | None:
        """The positions that are not flat; None where the broker had not told them."""
        books = self._books
        if not books.knows_positions:
            return None
        held = books.position(self._agenda.now_ns())
        return books.others if not held.lots else (*books.others, held)

    def clock_skew_s(self) -> float:
        """Both clocks are known: nothing is off that could be proven."""
        return 0.0

    def messages_last_second(self) -> int:
        """Order messages of the last second."""
        since_ns = self._agenda.now_ns() - NS_PER_S
        self._sent_ns = [sent_ns for sent_ns in self._sent_ns if sent_ns > since_ns]
        return len(self._sent_ns)

    # The door for orders

    def reserve_order_id(self) -> int:
        """An id for a new order."""
        self._last_order_id += 1
        return self._last_order_id

    def place(self, approved: Approved, receipt: Receipt) -> None:
        """Redeem both, and let the order go on its way."""
        now_ns = self._agenda.now_ns()
        self._record.redeem(receipt, self._gate.redeem(approved, host_ns=now_ns))
        child = approved.child
        self._children[child.order_id] = child
        terms = OrderTerms(
            client_id=CLIENT_ID,
            order_id=child.order_id,
            account=child.account,
            con_id=child.contract.con_id,
            side=_SIDES[child.side],
            lots=child.lots,
            limit_price=child.limit_price,
            tif=TimeInForce.GTD,
            good_till_ns=child.expires_ns,
            order_ref=child.order_ref,
        )
        self._send(lambda: self.exchange.submit(terms, self._exchange_ns()))

    def cancel(self, child: ChildOrder) -> None:
        """Let a cancel go on its way."""
        self._send(lambda: self.exchange.cancel(CLIENT_ID, child.order_id, self._exchange_ns()))

    async def what_if(self, question: MarginQuestion) -> MarginTold | None:
        """What the broker would answer, by what it answered last; None where it gave no answer.

        That was beside the lots that were held then: once all of them are closed, the exchange answers.
        """
        await self._way()
        before = float(self._account.initial_margin or 0)
        if self._standing is not None and not self._is_closed_out():
            margin = self._standing.margin
            if margin is None:
                return None
            return MarginTold(lots=question.lots, before=before, change=margin.change / margin.lots * question.lots)
        terms = OrderTerms(
            client_id=CLIENT_ID,
            order_id=0,
            account=self.account,
            con_id=question.contract.con_id,
            side=_SIDES[question.side],
            lots=question.lots,
            limit_price=question.limit_price,
            tif=TimeInForce.DAY,
            good_till_ns=None,
            order_ref="",
        )
        change, _ = self.exchange.would_margin(terms)
        return MarginTold(lots=question.lots, before=before, change=float(change * self._books.rate))

    async def probe_death(self, child: ChildOrder) -> ev.DeathProbed:
        """Time, open orders and executions, asked one after the other."""
        broker_ns = None
        if self._agenda.now_ns() >= child.expires_ns:
            await self._way()
            broker_ns = self._exchange_ns() // NS_PER_S * NS_PER_S
        await self._way()
        order = self.exchange.order(CLIENT_ID, child.order_id)
        still_open = order is not None and order.status not in (OrderStatus.FILLED, OrderStatus.CANCELLED)
        await self._way()
        order = self.exchange.order(CLIENT_ID, child.order_id)
        return ev.DeathProbed(
            time_ns=self._agenda.now_ns(),
            order_ref=child.order_ref,
            still_open=still_open,
            executed_lots=0 if order is None else order.filled_lots,
            broker_ns=broker_ns,
        )

    # Inside

    def _exchange_ns(self) -> int:
        return self._agenda.now_ns() - self._ahead_ns

    def _is_closed_out(self) -> bool:
        """Whether lots were held at the beginning, and none of them any more."""
        before = self._books.lots_before
        return before != 0 and self._position * before <= 0

    def _way(self) -> Nap:
        return Nap(self._agenda.now_ns() + self._latency_ns)

    def _send(self, arrive: Callable[[], list[ExchangeEvent]]) -> None:
        now_ns = self._agenda.now_ns()
        self._sent_ns.append(now_ns)

        def arrived() -> None:
            self._hear(arrive())

        self._agenda.call_at(now_ns + self._latency_ns, arrived)

    def _hear(self, events: Sequence[ExchangeEvent]) -> bool:
        """Tell of one batch: orders and fills in order, then account values where there were fills, then the quote.

        Gives whether it told of an order.
        """
        now_ns = self._agenda.now_ns()
        has_fills = has_ticks = has_orders = False
        for event in events:
            if isinstance(event, TopChanged):
                if event.top.con_id == self._con_id:
                    self._top, has_ticks = event.top, True
                    if not self._books.has_begun:
                        self._books.begin(event.top)
            elif isinstance(event, Traded):
                has_ticks = self._has_traded = True
            elif isinstance(event, OrderChanged):
                self._tell(*reports.of_order(event.order, local_symbol=self.contract.local_symbol, now_ns=now_ns))
                has_orders = True
            elif isinstance(event, Executed):
                self._tell(reports.of_execution(event.execution, quote=self._quote, now_ns=now_ns))
                self._tell(reports.of_commission(event.commission, now_ns=now_ns))
                has_fills = True
            else:
                self._tell_rejection(event)
                has_orders = True
        if has_fills:
            self._tell_account()
        if has_ticks:
            self._tell_quote()
        return has_orders

    def _tell(self, *told: ev.Event) -> None:
        if self._sink is not None:
            for event in told:
                self._sink(event)

    def _tell_rejection(self, event: OrderRejected) -> None:
        child = self._children.get(event.order_id)
        self._tell(
            ev.BrokerErrorReported(
                time_ns=self._agenda.now_ns(),
                order_ref=None if child is None else child.order_ref,
                code=event.code,
                message=event.message,
            )
        )

    def _tell_account(self) -> None:
        """Tell the position and equity where they changed, now and again after three minutes without a fill."""
        if self._refresh is not None:
            self._refresh.cancel()
        now_ns = self._agenda.now_ns()
        self._refresh = self._agenda.call_at(now_ns + ACCOUNT_NS, self._tell_account)
        held = self._books.position(now_ns)
        if held.lots != self._position:
            self._position = held.lots
            self._tell(held)
        before, self._account = self._account, self._books.account()
        if self._account.equity != before.equity:
            self._tell(
                ev.AccountReported(
                    time_ns=now_ns,
                    currency=self._account.currency,
                    equity=self._account.equity,
                    realised_pnl=self._account.realised_pnl,
                    unrealised_pnl=self._account.unrealised_pnl,
                )
            )

    def _renew(self) -> None:
        """Let the quote be as young as the rounds until now have made it."""
        if (quote := self._quote) is not None and self._rounds is not None:
            told_ns = self._rounds.told_ns(quote.time_ns, now_ns=self._agenda.now_ns())
            if told_ns != quote.time_ns:
                self._quote = replace(quote, time_ns=told_ns)

    def _tell_quote(self) -> None:
        top = self._top
        if top is None or self._quote_sink is None:
            return
        self._renew()
        self._quote = Quote(
            con_id=self._con_id,
            time_ns=self._agenda.now_ns(),
            bid=top.bid,
            bid_size=top.bid_size,
            ask=top.ask,
            ask_size=top.ask_size,
            last=top.last,
            last_size=top.last_size,
            volume=top.volume if self._has_traded else None,
            settlement=top.close,
            feed=FeedType.LIVE if self._standing is None else self._standing.feed,
            halted=self._standing is not None and self._standing.halted,
        )
        self._quote_sink(self._quote, self.contract)
