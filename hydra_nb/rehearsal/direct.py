"""The direct driver: the very order manager of a desk over the exchange core, without event loop, socket or disk."""

import contextlib
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from hydra_nb.algos.prices import MarketMemory
from hydra_nb.domain.events import ConnectionChanged, Event, Reconciled, TaskFailed
from hydra_nb.domain.instrument import ContractFacts, FutureContract
from hydra_nb.domain.market import ConnectionState, MarketStatistics, Quote
from hydra_nb.domain.orders import ParentOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side
from hydra_nb.errors import RehearsalFailed, invariant
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager import ManagerCore, OrderManager
from hydra_nb.rehearsal.agenda import Agenda, AgendaTasks
from hydra_nb.rehearsal.exchange_broker import LATENCY_NS, ExchangeBroker
from hydra_nb.rehearsal.record import Record
from hydra_nb.rehearsal.standing import Standing
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.exchange import Exchange

JOURNAL_ID = "rehearsal"


class DirectDesk:
    """Manager, gate, ledger and strategies as they trade, driven by an agenda instead of an event loop.

    Parameters
    ----------
    exchange
        The market, at its beginning; nobody else trades on it.
    contract
        What is traded; listed on `exchange`.
    limits
        What the gate holds orders against.
    statistics
        Volume and volatility, as the desk that rehearses knows them, of this contract and of others.
    facts
        What a person told of contracts, by local symbol.
    latency_ns, ahead_ns, standing
        See `ExchangeBroker`.
    ledger, memories
        What a desk has folded until now, and what its parents remember of markets, to go on from; None begins anew,
        connected and reconciled.

    Attributes
    ----------
    manager, broker, record, agenda
        The parts, for who looks on.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        contract: FutureContract,
        limits: Limits,
        statistics: Sequence[MarketStatistics],
        facts: Mapping[str, ContractFacts] | None = None,
        latency_ns: int = LATENCY_NS,
        ahead_ns: int = 0,
        standing: Standing | None = None,
        ledger: Ledger | None = None,
        memories: Mapping[tuple[int, Side], MarketMemory] | None = None,
    ) -> None:
        self._goes_on = ledger is not None
        self.agenda = Agenda(exchange.start_ns + ahead_ns)
        self.record = Record()
        gate = RiskGate(limits)
        self.broker = ExchangeBroker(
            exchange,
            contract=contract,
            agenda=self.agenda,
            gate=gate,
            record=self.record,
            latency_ns=latency_ns,
            ahead_ns=ahead_ns,
            standing=standing,
        )
        self.manager = OrderManager(
            ManagerCore(journal_id=JOURNAL_ID, ledger=ledger, memories=memories),
            journal=self.record,
            gate=gate,
            broker=self.broker,
            clock=self.agenda,
            tasks=partial(AgendaTasks, agenda=self.agenda),
        )
        for known in statistics:
            self.manager.snapshots.learn(known)
        self.manager.snapshots.facts = facts or {}
        self._failures: list[TaskFailed] = []
        self.manager.observers.append(self._heard)

    def begin(self) -> None:
        """Watch the contract from now on; connect, as it were, unless a ledger knows how that stands."""
        if not self._goes_on:
            self.manager.ingest(self._now(ConnectionChanged, state=ConnectionState.UP, message="rehearsed"))
        self.broker.start(sink=self.manager.ingest, quote_sink=self._on_quote, is_traded=self._is_traded)
        if not self._goes_on:
            self.manager.ingest(self._now(Reconciled, breaks=0, message="ledger and broker agree"))

    def run_to(self, time_ns: int) -> None:
        """Let everything happen that is due before a market time, and stop there."""
        while True:
            mine_ns = self.agenda.next_ns()
            until_ns = time_ns - 1 if mine_ns is None else min(mine_ns, time_ns - 1)
            if not self.broker.run_market(until_ns):
                if mine_ns is None or mine_ns >= time_ns:
                    break
                self.agenda.do_next()
        self.agenda.pass_to(time_ns)

    def ask_margin(self, parent: ParentOrder) -> None:
        """Ask what an order would need of margin, as a preview does."""
        self._finish(self.manager.snapshots.margins.refresh(parent.contract, side=parent.side, lots=parent.lots))

    def submit(self, plan: ExecutionPlan, *, handed_ns: int | None = None) -> str:
        """Hand a plan over and give its parent's id; see `OrderManager.submit`."""
        submitted: list[str] = []

        async def hand_over() -> None:
            submitted.append(await self.manager.submit(plan, handed_ns=handed_ns))

        self._finish(hand_over())
        return submitted[0]

    def finish(self, parent_id: str) -> None:
        """Let the market run until a parent is over, or rests."""
        parents = self.manager.ledger.parents
        while parents[parent_id].status.is_waited_for:
            self._go_on(parent_id)

    def close(self) -> None:
        """End what still waits; nothing of the market is asked."""
        with contextlib.suppress(StopIteration):
            self.manager.stop().send(None)

    def _go_on(self, who_waits: str) -> None:
        """Let the market move until something is to be decided, or is due, and do what is due.

        Raises
        ------
        RehearsalFailed
            Something in the manager failed: what a path comes to afterwards says nothing of the plan.
        """
        if self._failures:
            failed = self._failures[0]
            raise RehearsalFailed(f"an unexpected error in {failed.where}: {failed.error}")
        mine_ns = self.agenda.next_ns()
        if self.broker.run_market(mine_ns):
            return
        invariant(mine_ns is not None, f"{who_waits} waits, and nothing is due any more")
        self.agenda.do_next()

    def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Run one piece of work to its end, and the market beside it."""
        is_over: list[bool] = []

        async def to_its_end() -> None:
            await work
            is_over.append(True)

        self.manager.tasks.start(to_its_end(), where="rehearsal")
        while not is_over:
            self._go_on("work")

    def _heard(self, event: Event) -> None:
        if isinstance(event, TaskFailed):
            self._failures.append(event)

    def _on_quote(self, quote: Quote, contract: FutureContract) -> None:
        self.manager.on_quote(quote, contract)

    def _is_traded(self) -> bool:
        """Whether a parent of the contract is at work."""
        parents, con_id = self.manager.ledger.parents, self.broker.contract.con_id
        return any(parents[busy].plan.parent.contract.con_id == con_id for busy in self.manager.busy_parents)

    def _now(self, kind: Any, **values: object) -> Event:
        event: Event = kind(time_ns=self.agenda.now_ns(), **values)
        return event
