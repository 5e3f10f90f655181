"""What the gate looks at, taken in one step of the loop from ledger, broker and clock."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ChildOrder, ParentOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side
from hydra_nb.journal import Journal
from hydra_nb.ledger import Ledger
from hydra_nb.risk.snapshot import RiskSnapshot

OWN_TOUCH_MEMORY_S = 600
"""How long the touch that others made before we joined may stand in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    price: Decimal
    time_ns: int


class ReferencePrices:
    """The mid that others make: without our own orders, and remembered while a side is empty."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sides: dict[tuple[int, Side], _Seen] = {}
        self._mids: dict[int, _Seen] = {}

    def note(self, quote: Quote) -> None:
        """Remember the sides of `quote` that are not ours alone."""
        for side, price, size in ((Side.BUY, quote.bid, quote.bid_size), (Side.SELL, quote.ask, quote.ask_size)):
            if price is not None and size > 0 and not self._is_ours(quote.con_id, side=side, price=price, size=size):
                self._sides[quote.con_id, side] = _Seen(price=price, time_ns=quote.time_ns)
        mid = self._others_mid(quote)
        if mid is not None:
            self._mids[quote.con_id] = _Seen(price=mid, time_ns=quote.time_ns)

    def mid(self, quote: Quote | None, *, now_ns: int) -> tuple[Decimal | None, float | None]:
        """Reference mid in price units and its age in seconds; None where nothing is known."""
        if quote is None:
            return None, None
        mid = self._others_mid(quote)
        if mid is not None:
            return mid, quote.age_s(now_ns)
        seen = self._mids.get(quote.con_id)
        return (seen.price, (now_ns - seen.time_ns) / 1e9) if seen else (None, None)

    def _others_mid(self, quote: Quote) -> Decimal | None:
        if quote.mid is None:
            return None
        bid = self._others_side(quote, side=Side.BUY, price=quote.bid, size=quote.bid_size)
        ask = self._others_side(quote, side=Side.SELL, price=quote.ask, size=quote.ask_size)
        return None if bid is None or ask is None else (bid + ask) / 2

    def _others_side(self, quote: Quote, *, side: Side, price: Decimal | None, size: int) -> Decimal | None:
        if price is None or not self._is_ours(quote.con_id, side=side, price=price, size=size):
            return price
        seen = self._sides.get((quote.con_id, side))
        if seen is None or quote.time_ns - seen.time_ns > OWN_TOUCH_MEMORY_S * 1_000_000_000:
            return None
        return seen.price

    def _is_ours(self, con_id: int, *, side: Side, price: Decimal, size: int) -> bool:
        """Whether our working orders are the whole touch."""
        ours = sum(
            record.working_lots
            for record in self._ledger.working_orders(con_id)
            if record.child.side is side and record.child.limit_price == price
        )
        return ours >= size > 0


class SnapshotTaker:
    """Takes a `RiskSnapshot` for a parent or one of its children."""

    def __init__(self, *, ledger: Ledger, broker: BrokerPort, journal: Journal, clock: Clock) -> None:
        self._ledger = ledger
        self._broker = broker
        self._journal = journal
        self._clock = clock
        self._statistics: dict[int, MarketStatistics] = {}
        self.references = ReferencePrices(ledger)

    def learn(self, statistics: MarketStatistics) -> None:
        """Keep volume and volatility of a contract for the checks to come."""
        self._statistics[statistics.con_id] = statistics

    def of_parent(self, parent: ParentOrder, *, plan: ExecutionPlan | None = None) -> RiskSnapshot:
        """Take the snapshot in which a whole parent order is checked."""
        now_ns = self._clock.now_ns()
        equal = None if plan is None else self._ledger.equal_parent(plan, now_ns)
        return self._take(parent, now_ns=now_ns, open_lots=parent.lots, without=None, equal_parent=equal)

    def of_child(self, child: ChildOrder, *, parent: ParentOrder) -> RiskSnapshot:
        """Take the snapshot in which a child, or its modify, is checked: everything reserved but itself."""
        held = sum(
            record.booked_lots + record.working_lots
            for record in self._ledger.orders_of(child.parent_id)
            if record.child.order_ref != child.order_ref
        )
        return self._take(
            parent,
            now_ns=self._clock.now_ns(),
            open_lots=parent.lots - held,
            without=child.order_ref,
            equal_parent=None,
        )

    def _take(
        self, parent: ParentOrder, *, now_ns: int, open_lots: int, without: str | None, equal_parent: str | None
    ) -> RiskSnapshot:
        contract = parent.contract
        ledger = self._ledger
        record = None if without is None else ledger.orders.get(without)
        quote = self._broker.quote(contract.con_id)
        reference_mid, reference_age_s = self.references.mid(quote, now_ns=now_ns)
        buys, sells = self._working(contract, without=without)
        statistics = self._statistics.get(contract.con_id)
        account = self._broker.account_state()
        return RiskSnapshot(
            now_ns=now_ns,
            host_ns=self._clock.host_ns(),
            account=self._broker.account,
            currency=account.currency,
            quote=quote,
            reference_mid=reference_mid,
            reference_age_s=reference_age_s,
            position_lots=self._broker.position(contract.con_id),
            working_buy_lots=buys,
            working_sell_lots=sells,
            parent_open_lots=open_lots,
            order_booked_lots=0 if record is None else record.booked_lots,
            caller_limit=parent.limit,
            equity=ledger.equity,
            peak_equity=ledger.peak_equity,
            day_start_equity=ledger.day_start_equity,
            last_parent_pnl=ledger.last_parent_pnl,
            adv_lots=None if statistics is None else statistics.adv_lots,
            adv_source="unknown" if statistics is None else statistics.source,
            caller_adv_lots=parent.caller_adv_lots,
            lots_today=ledger.lots_today(contract.con_id, now_ns) + buys + sells,
            connection=self._broker.state,
            reconciled=ledger.reconciled,
            killed=ledger.killed,
            journal_healthy=self._journal.healthy,
            clock_skew_s=self._broker.clock_skew_s(),
            messages_last_second=self._broker.messages_last_second(),
            equal_parent=equal_parent,
        )

    def _working(self, contract: FutureContract, *, without: str | None) -> tuple[int, int]:
        """Worst-case working lots (buy, sell) of the contract, without one order."""
        buys = sells = 0
        for record in self._ledger.working_orders(contract.con_id):
            if record.child.order_ref == without:
                continue
            if record.child.side is Side.BUY:
                buys += record.working_lots
            else:
                sells += record.working_lots
        return buys, sells
