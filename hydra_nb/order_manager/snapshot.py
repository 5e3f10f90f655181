"""What the gate looks at, taken in one step of the loop from ledger, broker and clock."""

from decimal import Decimal
from typing import NamedTuple

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ChildOrder, ParentOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.journal import Journal
from hydra_nb.ledger import Ledger
from hydra_nb.risk.snapshot import RiskSnapshot

DAY_NS = 86_400 * NS_PER_S

OWN_TOUCH_MEMORY_S = 600
"""How long the touch that others made before we joined may stand in for it."""


class _Seen(NamedTuple):
    """A price and when it showed; a tuple, as three are made with every quote."""

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
        mid = self._others_mid(quote, noting=True)
        if mid is not None:
            self._mids[quote.con_id] = _Seen(mid, quote.time_ns)

    def mid(self, quote: Quote | None, *, now_ns: int) -> tuple[Decimal | None, float | None]:
        """Reference mid in price units and its age in seconds; None where nothing is known."""
        if quote is None:
            return None, None
        mid = self._others_mid(quote)
        if mid is not None:
            return mid, quote.age_s(now_ns)
        seen = self._mids.get(quote.con_id)
        return (seen.price, (now_ns - seen.time_ns) / 1e9) if seen else (None, None)

    def _others_mid(self, quote: Quote, *, noting: bool = False) -> Decimal | None:
        bid = self._others_side(quote, side=Side.BUY, price=quote.bid, size=quote.bid_size, noting=noting)
        ask = self._others_side(quote, side=Side.SELL, price=quote.ask, size=quote.ask_size, noting=noting)
        return None if bid is None or ask is None or quote.mid is None else (bid + ask) / 2

    def _others_side(
        self, quote: Quote, *, side: Side, price: Decimal | None, size: int, noting: bool
    ) -> Decimal | None:
        if price is None:
            return None
        if not self._is_ours(quote.con_id, side=side, price=price, size=size):
            if noting:
                self._sides[quote.con_id, side] = _Seen(price, quote.time_ns)
            return price
        seen = self._sides.get((quote.con_id, side))
        if seen is None or quote.time_ns - seen.time_ns > OWN_TOUCH_MEMORY_S * NS_PER_S:
            return None
        return seen.price

    def _is_ours(self, con_id: int, *, side: Side, price: Decimal, size: int) -> bool:
        """Whether our working orders are the whole touch."""
        return self._ledger.own_lots(con_id, side=side).get(price, 0) >= size


class SnapshotTaker:
    """Takes a `RiskSnapshot` for a parent or one of its children."""

    def __init__(self, *, ledger: Ledger, broker: BrokerPort, journal: Journal, clock: Clock) -> None:
        self._ledger = ledger
        self._broker = broker
        self._journal = journal
        self._clock = clock
        self._statistics: dict[int, MarketStatistics] = {}
        self._positions: dict[int, tuple[int, int]] = {}
        self.references = ReferencePrices(ledger)

    def learn(self, statistics: MarketStatistics) -> None:
        """Keep volume and volatility of a contract for the checks to come."""
        self._statistics[statistics.con_id] = statistics

    def of_parent(self, plan: ExecutionPlan) -> RiskSnapshot:
        """Take the snapshot in which a whole parent order is checked."""
        equal = self._ledger.equal_parent(plan, now_ns=self._clock.now_ns())
        return self._take(plan.parent, open_lots=plan.parent.lots, child=None, equal_parent=equal)

    def of_child(self, child: ChildOrder, *, parent: ParentOrder) -> RiskSnapshot:
        """Take the snapshot in which a child, or its modify, is checked: everything reserved but itself."""
        own = self._ledger.orders.get(child.order_ref)
        open_lots = self._ledger.parent_open_lots(child.parent_id, without=child.order_ref)
        return self._take(
            parent,
            open_lots=open_lots + (0 if own is None else own.booked_lots),
            child=child,
            equal_parent=None,
        )

    def _take(
        self, parent: ParentOrder, *, open_lots: int, child: ChildOrder | None, equal_parent: str | None
    ) -> RiskSnapshot:
        con_id = parent.contract.con_id
        ledger, now_ns = self._ledger, self._clock.now_ns()
        own = None if child is None else ledger.orders.get(child.order_ref)
        quote = self._broker.quote(con_id)
        reference_mid, reference_age_s = self.references.mid(quote, now_ns=now_ns)
        buys, sells = ledger.working(con_id, without=None if child is None else child.order_ref)
        statistics, locked = self._statistics.get(con_id), ledger.locked.get(con_id)
        return RiskSnapshot(
            now_ns=now_ns,
            host_ns=self._clock.host_ns(),
            account=self._broker.account,
            currency=self._broker.account_state().currency,
            quote=quote,
            reference_mid=reference_mid,
            reference_age_s=reference_age_s,
            position_lots=self.position(con_id),
            working_buy_lots=buys,
            working_sell_lots=sells,
            parent_open_lots=open_lots,
            order_booked_lots=0 if own is None else own.booked_lots,
            caller_limit=parent.limit,
            equity=ledger.equity,
            peak_equity=ledger.peak_equity,
            day_start_equity=ledger.day_start_equity,
            last_parent_pnl=ledger.last_parent_pnl,
            adv_lots=None if statistics is None else statistics.adv_lots,
            adv_source="unknown" if statistics is None else statistics.source,
            caller_adv_lots=parent.caller_adv_lots,
            lots_today=ledger.booked_since(con_id, since_ns=now_ns - now_ns % DAY_NS) + buys + sells,
            connection=self._broker.state,
            reconciled=ledger.reconciled,
            locked=None if locked is None else locked.reason,
            killed=ledger.killed,
            journal_healthy=self._journal.healthy,
            clock_skew_s=self._broker.clock_skew_s(),
            messages_last_second=self._broker.messages_last_second(),
            equal_parent=equal_parent,
            conduct=ledger.breakers.conduct(now_ns),
            breakers=ledger.breakers.of(con_id),
        )

    def position(self, con_id: int) -> int | None:
        """Give the broker's position with the executions of ours that came after it was told."""
        told = self._broker.position(con_id)
        if told is None:
            return None
        booked = self._ledger.booked_position(con_id)
        seen, booked_then = self._positions.get(con_id, (None, 0))
        if seen != told:
            self._positions[con_id] = (told, booked)
            return told
        return told + booked - booked_then
