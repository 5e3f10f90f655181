"""No sequence of places, modifies, fills and cancels passes the gate and ends over a limit.

The gate, the ledger and what takes snapshots are the package's own. The market beside them is a model that knows only
what is true: what may still fill of each order, with whatever a modify on its way may have made of it. The broker tells
positions when it likes: before the fills that made them, after them, or never.
"""

import dataclasses
import itertools
import os
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hydra_nb.domain import events as ev
from hydra_nb.domain.market import AccountState, ConnectionState, MarketStatistics, Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder, Stage, Strategy
from hydra_nb.domain.plan import PlannedSlice
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager.snapshot import SnapshotTaker
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.risk.verdict import Approved
from tests.ledger.making import LADDER, PLAN
from tests.risk.making import NOW_NS, OATS

ACCOUNT = "SIM1234567"
JULY = dataclasses.replace(OATS, con_id=103, local_symbol="ZON6", contract_month="202607")
PALLADIUM = dataclasses.replace(
    OATS, con_id=102, symbol="PA", local_symbol="PAM6", tick=Decimal("0.50"), multiplier=Decimal(100), price_magnifier=1
)
MIDS = {OATS.con_id: Decimal(400), JULY.con_id: Decimal(400), PALLADIUM.con_id: Decimal(1_000)}
"""A lot of oats is worth 20,000 dollars, one of palladium 100,000; nobody else trades."""
CONTRACTS = (OATS, JULY, PALLADIUM)
EQUITY = Decimal(1_000_000)
VOLATILITY = 0.02
ADV_LOTS = 400.0
LIMITS = Limits(
    max_lots_per_order=4,
    max_lots_per_parent=7,
    max_position_lots=6,
    max_position_lots_per_symbol=8,
    max_adv_percent=4.0,
    max_notional_per_order=350_000,
    max_notional_per_day=1_200_000,
    max_gross_percent_of_equity=60,
    max_equity_at_risk_percent=2.5,
    max_active_orders=2,
    max_messages_per_parent=6,
    max_messages_per_lot=100,
)
IS_FULL = os.environ.get("HYDRA_FULL") == "1"
OFFSETS = st.integers(-8, 8)
"""Ticks from the mid: all inside the collars, some across the book."""


@dataclass(kw_only=True)
class Resting:
    """An order in truth: what it may come to, with whatever is on its way to it."""

    terms: list[ChildOrder]
    filled: int = 0
    is_over: bool = False

    @property
    def child(self) -> ChildOrder:
        """The order as it was sent last."""
        return self.terms[-1]

    @property
    def leaves(self) -> int:
        """Lots that may fill still."""
        return 0 if self.is_over else max(0, max(one.lots for one in self.terms) - self.filled)

    @property
    def dearest(self) -> Decimal:
        """The largest price at which it may trade."""
        return max(one.limit_price for one in self.terms)


@dataclass(kw_only=True)
class Broker:
    """What the broker has told; a clock and a healthy journal as well."""

    now: int = NOW_NS
    told: dict[int, ev.PositionReported] = field(default_factory=dict)
    state: ConnectionState = ConnectionState.UP
    account: str = ACCOUNT
    healthy: bool = True

    def now_ns(self) -> int:
        """Market time."""
        return self.now

    host_ns = now_ns

    def account_state(self) -> AccountState:
        """Equity never moves."""
        return AccountState(account=ACCOUNT, currency="USD", equity=EQUITY, initial_margin=Decimal(0))

    def quote(self, con_id: int) -> Quote:
        """A book that others keep eight ticks wide, with many lots."""
        half = 4 * next(one.tick for one in CONTRACTS if one.con_id == con_id)
        mid = MIDS[con_id]
        return Quote(con_id=con_id, time_ns=self.now, bid=mid - half, bid_size=99, ask=mid + half, ask_size=99)

    def position(self, con_id: int) -> int:
        """As told."""
        return self.told[con_id].lots if con_id in self.told else 0

    def positions(self) -> tuple[ev.PositionReported, ...]:
        """As told."""
        return tuple(self.told.values())

    @staticmethod
    def clock_skew_s() -> float:
        """None."""
        return 0.0

    @staticmethod
    def messages_last_second() -> int:
        """Each order has a second of its own."""
        return 0


class Desk(RuleBasedStateMachine):
    """Everything that may befall orders, one thing after another."""

    def __init__(self) -> None:
        super().__init__()
        self.broker: Any = Broker()
        self.ledger = Ledger()
        self.gate = RiskGate(LIMITS)
        self.snapshots = SnapshotTaker(ledger=self.ledger, broker=self.broker, journal=self.broker, clock=self.broker)
        self.snapshots.margins.told = lambda *_, lots, **__: MarginTold(lots=lots, before=0.0, change=0.0)  # type: ignore[method-assign]
        self.parents: dict[str, ParentOrder] = {}
        self.orders: dict[str, Resting] = {}
        self.unheard: list[ev.Event] = []
        self.position = dict.fromkeys(MIDS, 0)
        self.traded = dict.fromkeys(MIDS, 0)
        self.notional = 0.0
        self.messages: dict[str, int] = {}
        self.numbers = itertools.count(1)

    @initialize()
    def begin(self) -> None:
        """Account, connection and comparison as a desk finds them."""
        for event in (
            ev.AccountReported(
                time_ns=NOW_NS, currency="USD", equity=EQUITY, realised_pnl=Decimal(0), unrealised_pnl=Decimal(0)
            ),
            ev.ConnectionChanged(time_ns=NOW_NS, state=ConnectionState.UP, message=""),
            ev.Reconciled(time_ns=NOW_NS, breaks=0, message=""),
        ):
            self.ledger.apply(event)
        for contract in CONTRACTS:
            self.snapshots.references.note(self.broker.quote(contract.con_id))
            self.snapshots.learn(
                MarketStatistics(
                    con_id=contract.con_id, adv_lots=ADV_LOTS, daily_volatility=VOLATILITY, source="bars", days=20
                )
            )

    # Orders

    @rule(contract=st.sampled_from(CONTRACTS), side=st.sampled_from(Side), lots=st.integers(1, 9))
    def submit(self, contract: Any, side: Side, lots: int) -> None:
        """A parent order, if the gate lets it pass."""
        self.tick()
        number = next(self.numbers)
        parent = ParentOrder(
            account=ACCOUNT, contract=contract, side=side, lots=lots, strategy=Strategy.TWAP, tag=str(number)
        )
        planned = PlannedSlice(number=1, lots=lots, offset_ns=0, earliest_ns=0, latest_ns=0, ladder=LADDER)
        plan = dataclasses.replace(PLAN, parent=parent, slices=(planned,))
        mid = MIDS[contract.con_id]
        decisions = self.gate.check_parent(
            parent, snapshot=self.snapshots.of_parent(plan), first_price=mid, worst_price=mid, messages=3
        )
        if self.gate.verdict(decisions) is None:
            name = f"P-{number:04}"
            self.parents[name], self.messages[name] = parent, 0
            self.ledger.apply(
                ev.ParentSubmitted(
                    time_ns=self.broker.now, parent_id=name, plan=plan, quote=self.broker.quote(contract.con_id)
                )
            )

    @precondition(lambda self: self.parents)
    @rule(data=st.data(), lots=st.integers(1, 5), ticks=OFFSETS)
    def place(self, data: st.DataObject, lots: int, ticks: int) -> None:
        """An order of a parent."""
        name = data.draw(st.sampled_from(sorted(self.parents)))
        parent, number = self.parents[name], next(self.numbers)
        child = ChildOrder(
            order_ref=f"hy:J:{name}:1:{number}",
            order_id=number,
            parent_id=name,
            slice=1,
            account=ACCOUNT,
            contract=parent.contract,
            side=parent.side,
            lots=lots,
            limit_price=MIDS[parent.contract.con_id] + ticks * parent.contract.tick,
            expires_ns=self.broker.now + 300 * NS_PER_S,
            stage=Stage.MID,
        )
        if self.send(child, Action.PLACE):
            self.orders[child.order_ref] = Resting(terms=[child])

    @precondition(lambda self: self.resting())
    @rule(data=st.data(), lots=st.integers(1, 5), ticks=OFFSETS)
    def modify(self, data: st.DataObject, lots: int, ticks: int) -> None:
        """Other lots and another price for an order; the old ones may fill until the modify has arrived."""
        order = self.orders[data.draw(st.sampled_from(self.resting()))]
        old = order.child
        price = MIDS[old.contract.con_id] + ticks * old.contract.tick
        child = dataclasses.replace(old, lots=lots, limit_price=price, stage=Stage.STEP)
        if self.send(child, Action.MODIFY):
            order.terms.append(child)

    def send(self, child: ChildOrder, action: Action) -> bool:
        """Ask the gate; what it approves is reserved and sent."""
        self.tick()
        snapshot = self.snapshots.of_child(child, parent=self.parents[child.parent_id])
        verdict = self.gate.check(child, action=action, snapshot=snapshot)
        if not isinstance(verdict, Approved):
            return False
        content_hash = self.gate.redeem(verdict, host_ns=self.broker.now)
        self.ledger.apply(
            ev.ChildReserved(
                time_ns=self.broker.now,
                action=action,
                child=child,
                client_id=1,
                content_hash=content_hash,
                quote=None,
                predicted_slippage=None,
                predictor_version=None,
            )
        )
        self.ledger.apply(
            ev.ChildSent(time_ns=self.broker.now, order_ref=child.order_ref, action=action, content_hash=content_hash)
        )
        self.messages[child.parent_id] += 1
        return True

    # What becomes of them

    @precondition(lambda self: self.resting())
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        """The broker holds an order as it was sent last, and says so."""
        order = self.orders[data.draw(st.sampled_from(self.resting()))]
        order.terms = order.terms[-1:]
        child = order.child
        if child.lots <= order.filled:
            order.is_over = True
        self.hear_all()
        self.ledger.apply(
            ev.OpenOrderReported(
                time_ns=self.broker.now,
                order_ref=child.order_ref,
                order_id=child.order_id,
                perm_id=child.order_id,
                status="Filled" if order.is_over else "Submitted",
                lots=child.lots,
                limit_price=child.limit_price,
                expires_ns=child.expires_ns,
                con_id=child.contract.con_id,
            )
        )

    @precondition(lambda self: self.resting())
    @rule(data=st.data(), heard=st.booleans(), told_first=st.booleans())
    def fill(self, data: st.DataObject, heard: bool, told_first: bool) -> None:
        """Lots of an order trade; the desk hears of it now or later, before the position or after it."""
        order = self.orders[data.draw(st.sampled_from(self.resting()))]
        lots = data.draw(st.integers(1, order.leaves))
        child, number = order.child, next(self.numbers)
        con_id = child.contract.con_id
        order.filled += lots
        self.position[con_id] += child.side.sign * lots
        self.traded[con_id] += lots
        self.notional += float(child.contract.notional(order.dearest, lots=lots))
        self.unheard.append(
            ev.ExecutionReported(
                time_ns=self.broker.now,
                order_ref=child.order_ref,
                order_id=child.order_id,
                perm_id=child.order_id,
                exec_id=f"e{number}.01",
                family=f"e{number}",
                revision=1,
                con_id=con_id,
                side=child.side,
                lots=lots,
                price=order.dearest,
                executed_ns=self.broker.now,
                quote=None,
            )
        )
        if told_first:
            self.tell_positions()
        if heard:
            self.hear_all()

    @rule()
    def hear_all(self) -> None:
        """What was filled is told."""
        for event in self.unheard:
            self.ledger.apply(event)
        self.unheard.clear()

    @rule()
    def tell_positions(self) -> None:
        """The broker tells the positions that have changed."""
        for contract in CONTRACTS:
            lots = self.position[contract.con_id]
            if lots != self.broker.position(contract.con_id):
                report = ev.PositionReported(
                    time_ns=self.broker.now,
                    con_id=contract.con_id,
                    local_symbol=contract.local_symbol,
                    symbol=contract.symbol,
                    lots=lots,
                    average_cost=Decimal(20_000),
                )
                self.broker.told[contract.con_id] = report
                self.ledger.apply(report)

    @precondition(lambda self: self.resting())
    @rule(data=st.data(), dead=st.booleans())
    def cancel(self, data: st.DataObject, dead: bool) -> None:
        """A cancel, which may take a while; once the broker says so, nothing fills any more."""
        order = self.orders[data.draw(st.sampled_from(self.resting()))]
        child = order.child
        self.ledger.apply(ev.CancelRequested(time_ns=self.broker.now, order_ref=child.order_ref, reason="asked"))
        if dead:
            self.hear_all()
            order.is_over = True
            self.ledger.apply(
                ev.OrderStatusReported(
                    time_ns=self.broker.now,
                    order_ref=child.order_ref,
                    order_id=child.order_id,
                    perm_id=child.order_id,
                    status="Cancelled",
                    filled_lots=order.filled,
                    remaining_lots=child.lots - order.filled,
                )
            )

    # What must hold

    @invariant()
    def positions_stay_within_their_limits(self) -> None:
        """Whatever fills of what may fill, of a contract, and of a symbol over its months."""
        for contract in CONTRACTS:
            assert self.worst([contract]) <= LIMITS.max_position_lots
        assert self.worst([OATS, JULY]) <= LIMITS.max_position_lots_per_symbol

    @invariant()
    def cash_stays_within_its_limits(self) -> None:
        """The value of all positions, and what a bad day would cost, at the mid that never moves."""
        gross = sum(self.worst([one]) * float(one.notional(MIDS[one.con_id], lots=1)) for one in CONTRACTS)
        assert gross <= 0.6 * float(EQUITY) + 1e-6
        assert gross * VOLATILITY * 2.326_347_874 <= 0.025 * float(EQUITY) + 1e-3

    @invariant()
    def a_day_stays_within_its_limits(self) -> None:
        """Lots of each contract, and cash, that were traded or may be."""
        open_cash = 0.0
        for contract in CONTRACTS:
            leaves = sum(one.leaves for one in self.orders.values() if one.child.contract is contract)
            assert self.traded[contract.con_id] + leaves <= ADV_LOTS * LIMITS.max_adv_percent / 100
            open_cash += sum(
                float(contract.notional(one.dearest, lots=one.leaves))
                for one in self.orders.values()
                if one.child.contract is contract
            )
        assert self.notional + open_cash <= LIMITS.max_notional_per_day + 1e-6

    @invariant()
    def an_order_stays_within_its_limits(self) -> None:
        """And its parent: lots, messages, and orders at once."""
        for name, parent in self.parents.items():
            own = [one for one in self.orders.values() if one.child.parent_id == name]
            assert sum(one.filled + one.leaves for one in own) <= parent.lots <= LIMITS.max_lots_per_parent
            assert self.messages[name] <= LIMITS.max_messages_per_parent
        for contract, side in itertools.product(CONTRACTS, Side):
            own = [one.child for one in self.orders.values() if one.leaves]
            at_work = [one for one in own if one.contract is contract and one.side is side]
            assert len(at_work) <= LIMITS.max_active_orders
            assert all(one.lots <= LIMITS.max_lots_per_order for one in at_work)

    @invariant()
    def no_own_orders_meet(self) -> None:
        """A buy never rests at or above a sell of ours."""
        for contract in CONTRACTS:
            own = [one for one in self.orders.values() if one.leaves and one.child.contract is contract]
            bids = [one.dearest for one in own if one.child.side is Side.BUY]
            offers = [min(term.limit_price for term in one.terms) for one in own if one.child.side is Side.SELL]
            assert not (bids and offers) or max(bids) < min(offers)

    # Small things

    def worst(self, contracts: list[Any]) -> int:
        """Largest position, without sign, that one side of what may fill could make."""
        ids = {one.con_id for one in contracts}
        held = sum(self.position[con_id] for con_id in ids)
        leaves = dict.fromkeys(Side, 0)
        for one in self.orders.values():
            if one.child.contract.con_id in ids:
                leaves[one.child.side] += one.leaves
        return max(held + leaves[Side.BUY], leaves[Side.SELL] - held)

    def resting(self) -> list[str]:
        """Orders of which something may fill."""
        return [ref for ref, order in self.orders.items() if order.leaves]

    def tick(self) -> None:
        """A second passes."""
        self.broker.now += NS_PER_S


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=4_000 if IS_FULL else 140, stateful_step_count=60, deadline=None)
