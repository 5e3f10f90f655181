"""What the gate looks at, taken in one step of the loop from ledger, broker and clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from hydra_nb.broker.port import OrderPort
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import NO_FACTS, ContractFacts
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ChildOrder, ParentOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.domain.values import replace
from hydra_nb.journal import JournalPort
from hydra_nb.ledger import Ledger
from hydra_nb.ledger.records import NOT_TRADED
from hydra_nb.order_manager.exposure import ContractExposure, Exposures, best_opposite
from hydra_nb.order_manager.margins import Margins
from hydra_nb.order_manager.planned import Planned, of_ledger, of_plans
from hydra_nb.order_manager.spreads import UsualSpreads
from hydra_nb.risk.snapshot import RiskSnapshot

OWN_TOUCH_MEMORY_S = 600
"""How long the touch that others made before we joined may stand in for it."""


class _Seen(NamedTuple):
    """A price and when it showed; a tuple, as three are made with every quote."""

    price: Decimal
    time_ns: int


@dataclass(slots=True, kw_only=True)
class SeenPrices:
    """What was seen of markets: the sides and mids that others made last, and usual spreads."""

    sides: dict[tuple[int, Side], _Seen] = field(default_factory=dict)
    mids: dict[int, _Seen] = field(default_factory=dict)
    spreads: UsualSpreads = field(default_factory=UsualSpreads)


class ReferencePrices:
    """The mid that others make: without our own orders, and remembered while a side is empty.

    Attributes
    ----------
    seen
        What it has seen; another's may be put in its place before anything is asked.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.seen = SeenPrices()

    def note(self, quote: Quote) -> None:
        """Remember the sides of `quote` that are not ours alone, and what the spread was."""
        self.seen.spreads.note(quote)
        mid = self._others_mid(quote, noting=True)
        if mid is not None:
            self.seen.mids[quote.con_id] = _Seen(mid, quote.time_ns)

    def mid(self, quote: Quote | None, *, now_ns: int) -> tuple[Decimal | None, float | None]:
        """Reference mid in price units and its age in seconds; None where nothing is known."""
        if quote is None:
            return None, None
        mid = self._others_mid(quote)
        if mid is not None:
            return mid, quote.age_s(now_ns)
        seen = self.seen.mids.get(quote.con_id)
        return (seen.price, (now_ns - seen.time_ns) / 1e9) if seen else (None, None)

    def last_mid(self, con_id: int) -> Decimal | None:
        """The last mid that was remembered, however old."""
        seen = self.seen.mids.get(con_id)
        return None if seen is None else seen.price

    def _others_mid(self, quote: Quote, *, noting: bool = False) -> Decimal | None:
        bid = self._others_side(quote, side=Side.BUY, price=quote.bid, size=quote.bid_size, noting=noting)
        ask = self._others_side(quote, side=Side.SELL, price=quote.ask, size=quote.ask_size, noting=noting)
        return None if bid is None or ask is None or not quote.has_mid else (bid + ask) / 2

    def _others_side(
        self, quote: Quote, *, side: Side, price: Decimal | None, size: int, noting: bool
    ) -> Decimal | None:
        if price is None:
            return None
        if not self._is_ours(quote.con_id, side=side, price=price, size=size):
            if noting:
                self.seen.sides[quote.con_id, side] = _Seen(price, quote.time_ns)
            return price
        seen = self.seen.sides.get((quote.con_id, side))
        if seen is None or quote.time_ns - seen.time_ns > OWN_TOUCH_MEMORY_S * NS_PER_S:
            return None
        return seen.price

    def _is_ours(self, con_id: int, *, side: Side, price: Decimal, size: int) -> bool:
        """Whether our working orders are the whole touch."""
        return self._ledger.own_lots_at(price, con_id=con_id, side=side) >= size


class SnapshotTaker:
    """Takes a `RiskSnapshot` for a parent or one of its children."""

    def __init__(self, *, ledger: Ledger, broker: OrderPort, journal: JournalPort, clock: Clock) -> None:
        self._ledger = ledger
        self._broker = broker
        self._journal = journal
        self._clock = clock
        self._statistics: dict[int, MarketStatistics] = {}
        self.references = ReferencePrices(ledger)
        self.margins = Margins(broker=broker, clock=clock)
        self.facts: Mapping[str, ContractFacts] = {}
        self.loop_lag_ms: Callable[[], float | None] = lambda: None
        self._exposures = Exposures(
            ledger=ledger,
            broker=broker,
            span=self.span,
            mid=self.references.last_mid,
            volume=self._statistics.get,
        )

    def learn(self, statistics: MarketStatistics) -> None:
        """Keep volume and volatility of a contract for the checks to come."""
        self._statistics[statistics.con_id] = statistics

    @property
    def statistics(self) -> tuple[MarketStatistics, ...]:
        """What was learnt of volume and volatility."""
        return tuple(self._statistics.values())

    def of_parent(self, plan: ExecutionPlan, *, beside: Sequence[ExecutionPlan] | None = None) -> RiskSnapshot:
        """Take the snapshot in which a whole parent order is checked.

        Parameters
        ----------
        plan
            The plan of the order.
        beside
            Plans that count as if they worked, and with them all that parents at work may still do; None counts
            only what works.
        """
        equal = self._ledger.equal_parent(plan, now_ns=self._clock.now_ns())
        at_work = sum(parent.status.is_waited_for for parent in self._ledger.parents.values())
        taken = self._take(
            plan.parent,
            open_lots=plan.parent.lots,
            child=None,
            equal_parent=equal,
            at_work=at_work + len(beside or ()),
            planned=() if beside is None else (*self.planned(), *of_plans(beside, mid=self.references.last_mid)),
        )
        begins_ns = plan.begins_ns(taken.now_ns)
        return replace(taken, begins_ns=begins_ns) if begins_ns > taken.now_ns else taken

    def planned(self) -> tuple[Planned, ...]:
        """What parents at work, or held, may still do, beyond what rests."""
        return tuple(of_ledger(self._ledger, mid=self.references.last_mid))

    def exposures(self, plans: Sequence[ExecutionPlan]) -> tuple[ContractExposure, ...]:
        """What each contract may come to, if plans run beside all that works and is to be worked."""
        return tuple(
            self._exposures.lines(
                account=self._broker.account_state(),
                working=self.planned(),
                planned=tuple(of_plans(plans, mid=self.references.last_mid)),
            )
        )

    def of_child(self, child: ChildOrder, *, parent: ParentOrder) -> RiskSnapshot:
        """Take the snapshot in which a child, or its modify, is checked: everything reserved but itself."""
        own = self._ledger.orders.get(child.order_ref)
        open_lots = self._ledger.parent_open_lots(child.parent_id, without=child.order_ref)
        return self._take(
            parent,
            open_lots=open_lots + (0 if own is None else own.booked_lots),
            child=child,
            equal_parent=None,
            at_work=0,
        )

    def margins_of(self, plans: Sequence[ExecutionPlan]) -> dict[int, float | None]:
        """Change of initial margin that plans would make, by contract id; None where an answer is wanting."""
        found: dict[int, float | None] = {}
        for one in of_plans(plans, mid=self.references.last_mid):
            needed, known = self.margins.needed(one), found.get(one.contract.con_id, 0.0)
            found[one.contract.con_id] = None if needed is None or known is None else known + needed
        return found

    def _take(
        self,
        parent: ParentOrder,
        *,
        open_lots: int,
        child: ChildOrder | None,
        equal_parent: str | None,
        at_work: int,
        planned: Sequence[Planned] = (),
    ) -> RiskSnapshot:
        contract, con_id = parent.contract, parent.contract.con_id
        lots = parent.lots if child is None else child.lots
        ledger, now_ns = self._ledger, self._clock.now_ns()
        without = None if child is None else child.order_ref
        own = None if without is None else ledger.orders.get(without)
        record = None if child is None else ledger.parents.get(child.parent_id)
        account, facts = self._broker.account_state(), self.facts.get(contract.local_symbol, NO_FACTS)
        usual, rate = self.references.seen.spreads.usual(con_id), account.rate(contract.currency)
        quote = self._broker.quote(con_id)
        reference_mid, reference_age_s = self.references.mid(quote, now_ns=now_ns)
        buys, sells = _with_planned(ledger.working(con_id, without=without), planned, con_id=con_id)
        traded = ledger.traded_on(now_ns).get(con_id, NOT_TRADED)
        span, is_buy = self.span(con_id), parent.side is Side.BUY
        statistics, locked = self._statistics.get(con_id), ledger.locked.get(con_id)
        return RiskSnapshot(
            now_ns=now_ns,
            host_ns=self._clock.host_ns(),
            account=self._broker.account,
            currency=account.currency,
            exchange_rate=None if rate is None else float(rate),
            quote=quote,
            reference_mid=reference_mid,
            reference_age_s=reference_age_s,
            position_lots=None if span is None else span[is_buy],
            working_buy_lots=buys,
            working_sell_lots=sells,
            parent_open_lots=open_lots,
            order_booked_lots=0 if own is None else own.booked_lots,
            modify_pending=own is not None and own.pending is not None,
            parent_messages=0 if record is None else record.messages,
            caller_limit=parent.limit,
            arrival_mid=None if record is None else record.arrival_mid,
            equity=ledger.equity,
            peak_equity=ledger.peak_equity,
            day_start_equity=ledger.day_start_equity,
            last_parent_pnl=ledger.last_parent_pnl(account.rate),
            adv_lots=None if statistics is None else statistics.adv_lots,
            adv_source="unknown" if statistics is None else statistics.source,
            caller_adv_lots=parent.caller_adv_lots,
            daily_volatility=None if statistics is None else statistics.daily_volatility,
            lots_today=traded.lots + buys + sells,
            notional_today=self._exposures.notional_today(now_ns, account=account, without=without, beside=planned),
            exposure=self._exposures.of(contract, side=parent.side, account=account, without=without, beside=planned),
            margin=self.margins.beside(
                self.margins.told(contract, side=parent.side, lots=lots, initial=account.initial_margin), planned
            ),
            usual_spread_ticks=None if usual is None else float(usual / contract.tick),
            notice_date=facts.first_notice,
            daily_limit=facts.daily_limit,
            active_orders=sum(
                one.child.side is parent.side and one.order_ref != without for one in ledger.open_orders(con_id)
            ),
            opposite_price=best_opposite(ledger, con_id, side=parent.side),
            parents_at_work=at_work,
            loop_lag_ms=self.loop_lag_ms(),
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
        """Lots of a contract in the account; None where the broker has not told its positions.

        Of what this desk trades it is what others hold and our fills, as soon as ledger and broker were compared: a
        position and the executions that made it are told by different ways, so that the broker's word may be ahead of
        our fills, or behind them. Else it is the broker's word.
        """
        told, ledger = self._broker.position(con_id), self._ledger
        is_explained = ledger.reconciled and con_id in ledger.contracts and con_id not in ledger.locked
        return told if told is None or not is_explained else self._explained(con_id)

    def span(self, con_id: int) -> tuple[int, int] | None:
        """The least and the most lots that a position can be, by the broker's word and by our fills; None if unknown.

        A fill that the broker's position holds already, and of which no execution was told, counts with the working
        lots of its order too.
        """
        told = self._broker.position(con_id)
        if told is None:
            return None
        explained = self._explained(con_id)
        return min(told, explained), max(told, explained)

    def _explained(self, con_id: int) -> int:
        return self._ledger.others_lots.get(con_id, 0) + self._ledger.booked_position(con_id)


def _with_planned(working: tuple[int, int], planned: Sequence[Planned], *, con_id: int) -> tuple[int, int]:
    """Lots (buy, sell) of a contract that work or are planned."""
    buys, sells = working
    for one in planned:
        if one.contract.con_id == con_id:
            buys, sells = (buys + one.lots, sells) if one.side is Side.BUY else (buys, sells + one.lots)
    return buys, sells
