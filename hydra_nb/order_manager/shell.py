"""The asyncio shell around the sans-IO core: it owns every task, and is the one door for facts.

Everything that happens enters by `OrderManager.ingest`: it is journalled, folded, and only then acted
on. Timers, the disk and the wire come back through the same door.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from hydra_nb.algos.actions import CancelChild, CoreAction, ProbeDeath, Propose, Record, WakeAt
from hydra_nb.broker.port import OrderPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import (
    ConnectionChanged,
    Event,
    Killed,
    ParentCancelAsked,
    ParentFinished,
    ParentInterrupted,
    ParentPaused,
    ParentRefused,
    ParentResumed,
    ParentSubmitted,
    Rearmed,
    TaskFailed,
    Woke,
)
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.domain.plan import PLAN_VALID_S, ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import NotConnected, PlanExpired
from hydra_nb.journal import JournalPort
from hydra_nb.order_manager.already_sent import say_already_sent
from hydra_nb.order_manager.breaker_watch import BreakerWatch
from hydra_nb.order_manager.committing import Committer
from hydra_nb.order_manager.core import ManagerCore
from hydra_nb.order_manager.dispatch import Dispatcher
from hydra_nb.order_manager.listeners import Listeners
from hydra_nb.order_manager.snapshot import SnapshotTaker
from hydra_nb.order_manager.tasks import Report, TaskKeeper, TaskRunner, wait_for_all
from hydra_nb.order_manager.timers import Timers
from hydra_nb.order_manager.turns import Turns
from hydra_nb.order_manager.whole_plan import WholePlan
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.verdict import Decision

KILL_WAIT_S = 15.0
"""Host seconds to wait for the proof that cancelled orders are dead; the cancels themselves never wait."""


class OrderManager:
    """Runs parent orders, on the event loop that it was made on or by another driver.

    Parameters
    ----------
    core
        The sans-IO core, with the journal already replayed into it.
    journal, gate, broker, clock
        Where facts are kept, orders approved, orders sent, and where time comes from.
    tasks
        What runs the work that waits, given whom to tell of failures: tasks of the running loop, unless another driver
        of the same manager brings its own.

    Attributes
    ----------
    on_step
        Called with every event and the actions that the core answered it with.
    observers
        Called with every event once it is folded; they look, and raise nothing.
    committer
        Makes facts durable in the background.
    on_link_up
        Awaited, in a task of its own, whenever the connection has come up again.
    """

    def __init__(
        self,
        core: ManagerCore,
        *,
        journal: JournalPort,
        gate: RiskGate,
        broker: OrderPort,
        clock: Clock,
        tasks: Callable[[Report], TaskRunner] = TaskKeeper,
    ) -> None:
        self.core = core
        self.ledger = core.ledger
        self.on_step: Callable[[Event, tuple[CoreAction, ...]], None] | None = None
        self.observers: list[Callable[[Event], None]] = []
        self.on_link_up: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._journal = journal
        self._broker = broker
        self._clock = clock
        self.tasks = tasks(self._task_failed)
        self.snapshots = SnapshotTaker(ledger=core.ledger, broker=broker, journal=journal, clock=clock)
        self.whole_plan = WholePlan(gate=gate, broker=broker, snapshots=self.snapshots)
        self._breakers = BreakerWatch(core.ledger, gate=gate, broker=broker)
        self._dispatch = Dispatcher(
            core.ledger,
            journal=journal,
            gate=gate,
            broker=broker,
            clock=clock,
            snapshots=self.snapshots,
            watch=self._breakers,
            tasks=self.tasks,
            record=self._record,
            ingest=self.ingest,
        )
        self._queue: deque[Event | CoreAction] = deque()
        self._draining = False
        self._timers = Timers(clock, wake=self._wake)
        self._turns = Turns(core.ledger.parents)
        self._listeners = Listeners(
            soon=self.tasks.soon, on_failure=lambda error: self._task_failed(None, "view", error)
        )
        self.committer = Committer(journal, clock=clock, tasks=self.tasks, on_failure=self.tell_listeners)
        self._closers = 0
        self._closing = False
        self.snapshots.margins.on_wanted = self._ask_margin

    # The one door

    def ingest(self, event: Event) -> None:
        """Journal a fact, fold it, and do what the core then asks for."""
        self._enqueue(event)

    def _enqueue(self, item: Event | CoreAction) -> None:
        stall = None if self._draining else self._timers.stall()
        if stall is not None:  # the strategies hear of it before anything that it delayed
            self._queue.append(stall)
        self._queue.append(item)
        if self._draining:
            return
        self._draining = True
        try:
            while self._queue:
                self._handle(self._queue.popleft())
        finally:
            self._draining = False
        if not self._closing:  # then it is written when the journal closes
            self.committer.soon()
        self.tell_listeners()

    def _handle(self, item: Event | CoreAction) -> None:
        if self._closing and not isinstance(item, Event | Record):
            return  # what still comes in is taken down, and nothing is done about it any more
        try:
            match item:
                case Propose():
                    self._dispatch.propose(item)
                case CancelChild():
                    self._dispatch.cancel(item)
                case ProbeDeath():
                    self._dispatch.probe(item)
                case WakeAt():
                    self._timers.wake_at(item.parent_id, time_ns=item.time_ns)
                case Record():
                    self._record(item.event)
                case Event():
                    self._record(item)
        except Exception as error:
            if isinstance(item, TaskFailed):
                raise
            if isinstance(item, Killed):  # whatever failed: nothing of ours goes on working
                self._queue.extend(self._cancels())
            self._queue.append(self._failure(item, error))

    def _record(self, event: Event) -> int:
        seq = self._journal.append(event)
        actions = self.core.step(event, event.time_ns)
        if self.on_step is not None:
            self.on_step(event, actions)
        self._queue.extend(actions)
        for observe in self.observers:
            observe(event)
        if isinstance(event, ParentFinished | ParentInterrupted):
            self._turns.come(event.parent_id)
        elif isinstance(event, Killed):
            self._queue.extend(self._cancels())
        elif isinstance(event, ConnectionChanged) and event.state is ConnectionState.UP:
            self._link_up()
        for tripped in self._breakers.after(event):
            self._record(tripped)
        return seq

    def _link_up(self) -> None:
        """Back on the line: cancels of a killed desk first, then what was missed meanwhile."""
        if self.ledger.killed is not None:
            self._queue.extend(self._cancels())
        if self.on_link_up is not None:
            self.tasks.keep(self.on_link_up, where="reconcile")

    def _failure(self, item: Event | CoreAction, error: Exception) -> TaskFailed:
        parent_id = getattr(item, "parent_id", None)
        record = self.ledger.orders.get(getattr(item, "order_ref", ""))
        if parent_id is None and record is not None:
            parent_id = record.child.parent_id
        return self._failed(parent_id, where=type(item).__name__, error=error)

    def _failed(self, parent_id: str | None, *, where: str, error: Exception) -> TaskFailed:
        return TaskFailed(
            time_ns=self._clock.now_ns(), parent_id=parent_id, where=where, error=f"{type(error).__name__}: {error}"
        )

    def _task_failed(self, parent_id: str | None, where: str, error: Exception) -> None:
        self.ingest(self._failed(parent_id, where=where, error=error))

    def on_quote(self, quote: Quote, contract: FutureContract) -> None:
        """Remember the mid that others make; the journal keeps quotes in batches of its own."""
        self.snapshots.references.note(quote)
        self._journal.append_quote(quote, contract.local_symbol)
        self.tell_listeners()

    def _ask_margin(self, contract: FutureContract, side: Side, lots: int) -> None:
        if not self._closing:
            self.tasks.start(self.snapshots.margins.ask(contract, side=side, lots=lots), where="margin")

    # Timers, the disk, and those who watch

    def _wake(self, parent_id: str) -> None:
        stall = self._timers.stall()
        if stall is not None:
            self.ingest(stall)
        due_ns = self._timers.take(parent_id)
        parent = self.ledger.parents[parent_id]
        if not parent.status.is_over:
            quote = self._broker.quote(parent.plan.parent.contract.con_id)
            # A loop may fire a timer a clock tick early; to the strategy its time has come.
            self.ingest(Woke(time_ns=max(self._clock.now_ns(), due_ns), parent_id=parent_id, quote=quote))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the loop after something changed, coalesced; gives the way to stop it."""
        return self._listeners.add(listener)

    def tell_listeners(self) -> None:
        """Call those who listen, soon and once for all that happens until then."""
        self._listeners.tell()

    # What a person asks for

    @property
    def busy_parents(self) -> tuple[str, ...]:
        """Ids of the parents at work: not over, nor interrupted with nothing left in the market."""
        parents = ((key, self.ledger.parents[key]) for key in self.core.running)  # not the whole journal's, each time
        return tuple(
            key
            for key, parent in parents
            if parent.status.is_waited_for or (not parent.status.is_over and self.core.parent_view(key).working_lots)
        )

    def check_plan(self, plan: ExecutionPlan, *, beside: Sequence[ExecutionPlan] | None = None) -> tuple[Decision, ...]:
        """Ask the gate about a whole plan at the prices and the account of now; nothing is sent; see `WholePlan`."""
        for news in self._dispatch.news():
            self.ingest(news)
        return self.whole_plan.check(plan, beside=beside)

    async def submit(self, plan: ExecutionPlan, *, jointly: bool = False, handed_ns: int | None = None) -> str:
        """Hand a plan over to run and give its parent's id, at once.

        The same plan, or an equal order of the same day, gives the earlier id with an `AlreadySent`
        warning and sends nothing. A refusal is a result: the parent ends as ``refused``. `jointly` has the gate count
        all that other parents may still do, not only what works of them. `handed_ns` is when it was handed over with
        others, so that none of them expires while the ones before it are looked at.

        Raises
        ------
        PlanExpired
            The preview is older than its validity.
        NotConnected
            The desk is being closed.
        """
        self.must_take_orders()
        now_ns = self._clock.now_ns()
        earlier = self.ledger.equal_parent(plan, now_ns=now_ns)
        if earlier is not None:
            say_already_sent(self.ledger.parents[earlier])
            return earlier
        if (now_ns if handed_ns is None else handed_ns) > plan.valid_until_ns:
            age_s = (now_ns - plan.previewed_ns) / NS_PER_S
            raise PlanExpired(f"this plan is {age_s:.0f} s old, {PLAN_VALID_S} s are allowed; preview again")
        decisions = self.check_plan(plan, beside=() if jointly else None)
        parent_id = self.parent_id_to_come()
        seal = self._journal.append_decisions(
            decisions, time_ns=now_ns, parent_id=parent_id, slice=None, action=Action.PARENT
        )
        quote = self._broker.quote(plan.parent.contract.con_id)
        self.ingest(ParentSubmitted(time_ns=now_ns, parent_id=parent_id, plan=plan, quote=quote, decisions=seal))
        refusal = self.whole_plan.refusal(plan, decisions=decisions, now_ns=now_ns)
        if refusal is not None:
            self.ingest(
                ParentRefused(
                    time_ns=now_ns,
                    parent_id=parent_id,
                    check=refusal.decisive.check,
                    message=refusal.decisive.message,
                    transient=refusal.transient,
                )
            )
        return parent_id

    def must_take_orders(self) -> None:
        """Refuse, once the desk is being closed, what would be worked by nobody: `NotConnected` is raised."""
        if self._closers or self._closing:
            raise NotConnected("this desk is being closed, and takes no order; open another with hydra_nb.connect()")

    def parent_id_to_come(self, *, after: int = 0) -> str:
        """Id that the next parent gets once so many others were submitted."""
        return f"P-{len(self.ledger.parents) + after + 1:04d}"

    async def wait(self, parent_id: str) -> None:
        """Wait until a parent is over, or interrupted, or the desk closed; cancelling this wait cancels no order."""
        await self._turns.wait(parent_id)

    async def cancel(self, parent_id: str, *, reason: str) -> None:
        """Cancel a parent, interrupted ones too, and wait until its orders are proven dead.

        Raises
        ------
        NotConnected
            The desk was closed before they were.
        """
        if not self.ledger.parents[parent_id].status.is_over:
            self.ingest(ParentCancelAsked(time_ns=self._clock.now_ns(), parent_id=parent_id, reason=reason))
            await self._turns.wait_until_over(parent_id)

    def pause(self, parent_id: str) -> None:
        """Cancel what rests and hold the schedule."""
        parent = self.ledger.parents[parent_id]
        if parent.status in (ParentStatus.SCHEDULED, ParentStatus.WORKING):
            self.ingest(ParentPaused(time_ns=self._clock.now_ns(), parent_id=parent_id))

    @contextlib.contextmanager
    def unattended(self, parent_id: str) -> Iterator[None]:
        """Wake a parent's strategy no more, as if this process were dead: what rests is left to its expiry."""
        self._timers.hold(parent_id)
        try:
            yield
        finally:
            self._timers.let_go(parent_id)

    def resume(self, parent_id: str) -> None:
        """Go on after a pause or an interruption; what remains of the schedule shifts by it.

        Raises
        ------
        NotConnected
            The desk is being closed.
        """
        self.must_take_orders()
        if self.ledger.parents[parent_id].status in (ParentStatus.PAUSED, ParentStatus.INTERRUPTED):
            self.ingest(ParentResumed(time_ns=self._clock.now_ns(), parent_id=parent_id))

    async def kill(self, reason: str) -> None:
        """Halt everything and cancel all own orders; waits a while for the proof that they are dead.

        Raises
        ------
        JournalUnwritable
            The kill is in force and the cancels were sent, but the journal could not keep it.
        """
        # In an emergency the reason may be an exception, or nothing: a kill never fails for its words.
        self.ingest(Killed(time_ns=self._clock.now_ns(), reason=str(reason)))
        await self.see_kill_through()

    async def see_kill_through(self) -> None:
        """Wait a while for the proof that what was killed is dead; see `kill`."""
        await self._journal.commit()
        await wait_for_all([self._turns.wait_until_over(one) for one in self.busy_parents], timeout_s=KILL_WAIT_S)

    def heed_requests(self) -> None:
        """Carry out a kill that another process wrote into the journal; to be called now and then."""
        reason = self._journal.pending_kill()
        if reason is not None:
            self.ingest(Killed(time_ns=self._clock.now_ns(), reason=reason))
            self._journal.settle_kill()

    def _cancels(self) -> tuple[CancelChild, ...]:
        """Give a cancel for every order that is not over."""
        reason = f"killed: {self.ledger.killed}"
        return tuple(CancelChild(order_ref=record.order_ref, reason=reason) for record in self.ledger.open_orders())

    def interrupt_all(self, *, since_ns: int, reason: str) -> None:
        """Interrupt every parent at work, whose schedules stand still since a market time, for a reason in words.

        One whose start is still to come has no schedule that could stand still: it stays scheduled.
        """
        now_ns = self._clock.now_ns()
        for parent_id in self.busy_parents:
            if not self.ledger.parents[parent_id].is_to_begin(now_ns):
                self.ingest(ParentInterrupted(time_ns=now_ns, parent_id=parent_id, since_ns=since_ns, reason=reason))

    @property
    def scheduled_contracts(self) -> tuple[FutureContract, ...]:
        """The contracts of parents whose start is still to come, each once."""
        now_ns = self._clock.now_ns()
        waiting = (one.plan.parent.contract for one in self.ledger.parents.values() if one.is_to_begin(now_ns))
        return tuple({contract.con_id: contract for contract in waiting}.values())

    def set_timers(self) -> None:
        """Set the timers that a replay found: those of parents whose start is still to come."""
        for parent_id, time_ns in self.core.timers_to_set().items():
            self._timers.wake_at(parent_id, time_ns=time_ns)

    def cancel_orphans(self, *, interrupted_too: bool = False) -> None:
        """Cancel orders in the market whose parent is over, as after a process that ended.

        Parameters
        ----------
        interrupted_too
            Those also whose parent waits for a person, as where the desk is closed and nobody would watch them.
        """
        for record in list(self.ledger.open_orders()):
            status = self.ledger.parents[record.child.parent_id].status
            if status.is_over or (interrupted_too and status is ParentStatus.INTERRUPTED):
                self._enqueue(CancelChild(order_ref=record.order_ref, reason=f"its parent order is {status}"))

    async def rearm(self, reason: str, *, breaker: str | None = None) -> None:
        """Allow orders again after a kill and tripped breakers, or after one breaker."""
        self.ingest(Rearmed(time_ns=self._clock.now_ns(), reason=reason, breaker=breaker))
        await self._journal.commit()

    async def stop(self) -> None:
        """Drop timers, tasks and listeners, asking nothing of the market."""
        self._closing = True
        self._timers.clear()
        self._listeners.clear()
        await self.tasks.close()

    async def wind_down(self, *, cancels: bool) -> None:
        """Cancel working parents and wait a while for their ends, or leave their orders to expire; then call `end`.

        No order is taken from here on: what was taken while the others end would be worked by nobody. Where whoever
        waits is interrupted, the desk stays open, and takes orders again.
        """
        self._closers += 1
        try:
            if cancels:
                going = [one for one in self.core.running if self.ledger.parents[one].status.is_waited_for]
                ends = [self.cancel(parent_id, reason="the desk was closed") for parent_id in going]
                await wait_for_all(ends, timeout_s=KILL_WAIT_S)
                self.cancel_orphans(interrupted_too=True)
        except BaseException:
            self._closers -= 1
            raise

    async def end(self) -> None:
        """Stop, and interrupt what is still at work, also where whoever waits is interrupted: nothing works it now."""
        try:
            await self.stop()
        finally:
            self.interrupt_all(since_ns=self._clock.now_ns(), reason="the desk was closed while it worked")
            self._turns.end()
