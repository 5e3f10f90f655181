"""The way of one child order: snapshot, gate, reservation, durable intent, last look, wire."""

from collections.abc import Callable, Iterator

from hydra_nb.algos.actions import CancelChild, ProbeDeath, Propose
from hydra_nb.broker.port import OrderPort
from hydra_nb.clock import Clock
from hydra_nb.domain.breakers import stops
from hydra_nb.domain.events import (
    AccountReported,
    CancelRequested,
    ChildRefused,
    ChildReserved,
    ChildSent,
    DecisionsSeal,
    Event,
    SendFailed,
)
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ChildOrder, OrderState
from hydra_nb.errors import BrokerError, JournalError
from hydra_nb.journal import JournalPort
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager.breaker_watch import BreakerWatch
from hydra_nb.order_manager.snapshot import SnapshotTaker
from hydra_nb.order_manager.tasks import TaskRunner
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.verdict import Approved, Refused

RESEND_CANCEL_S = 1.0
"""A cancel that found no connection is tried again this often, until its order's expiry."""


class Dispatcher:
    """Carries out what the core asks for, with the gate and the journal in between.

    Parameters
    ----------
    ledger, journal, gate, broker, clock, snapshots, watch, tasks
        The rooms on the way.
    record
        Journals and folds an event inside the present step of the loop and gives its sequence number.
    ingest
        The door for events that begin a step of their own.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        journal: JournalPort,
        gate: RiskGate,
        broker: OrderPort,
        clock: Clock,
        snapshots: SnapshotTaker,
        watch: BreakerWatch,
        tasks: TaskRunner,
        record: Callable[[Event], int],
        ingest: Callable[[Event], None],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._gate = gate
        self._broker = broker
        self._clock = clock
        self._snapshots = snapshots
        self._watch = watch
        self._tasks = tasks
        self._record = record
        self._ingest = ingest
        self._unsent: set[str] = set()  # order refs approved and on their way to the disk
        self._withdrawn: set[str] = set()  # of those, the ones that must not be sent any more

    def propose(self, proposal: Propose) -> None:
        """Snapshot, gate, reservation and seal in one step of the loop, without an await."""
        plan = self._ledger.parents[proposal.parent_id].plan
        prediction = plan.prediction
        child = self._child(proposal)
        for news in self.news():
            self._record(news)
        verdict = self._gate.check(
            child, action=proposal.action, snapshot=self._snapshots.of_child(child, parent=plan.parent)
        )
        now_ns = self._clock.now_ns()
        seal = self._journal.append_decisions(
            verdict.decisions, time_ns=now_ns, parent_id=child.parent_id, slice=child.slice, action=proposal.action
        )
        if isinstance(verdict, Refused):
            self._record(_refusal(child, action=proposal.action, verdict=verdict, now_ns=now_ns, seal=seal))
            return
        seq = self._record(
            ChildReserved(
                time_ns=now_ns,
                action=proposal.action,
                child=child,
                client_id=self._broker.client_id,
                content_hash=verdict.content_hash,
                quote=self._broker.quote(child.contract.con_id),
                predicted_slippage=None if prediction is None else prediction.slippage,
                predictor_version=None if prediction is None else prediction.version,
                decisions=seal,
                assumed_slippage=None if prediction is None else prediction.assumed_slippage,
            )
        )
        self._unsent.add(child.order_ref)
        self._tasks.start(self._send(verdict, seq), where="send", parent_id=child.parent_id)

    def _child(self, proposal: Propose) -> ChildOrder:
        parent = self._ledger.parents[proposal.parent_id].plan.parent
        placing = proposal.action is Action.PLACE
        order_id = (
            self._broker.reserve_order_id() if placing else self._ledger.orders[proposal.order_ref].child.order_id
        )
        return ChildOrder(
            order_ref=proposal.order_ref,
            order_id=order_id,
            parent_id=proposal.parent_id,
            slice=proposal.slice,
            account=parent.account,
            contract=parent.contract,
            side=parent.side,
            lots=proposal.lots,
            limit_price=proposal.limit_price,
            expires_ns=proposal.expires_ns,
            stage=proposal.stage,
        )

    async def _send(self, approved: Approved, seq: int) -> None:
        """Make the intent durable, look once more, send; a failure releases the reservation.

        However this ends, be it by a person's interrupt in any of its lines, what became of the order is told: before
        it is handed over nothing was sent, and from then on it may have been.
        """
        failure: str | None = "its task was ended on the way to the disk"
        try:
            receipt = await self._journal.seal(seq, approved.content_hash)
            failure = self._last_look(approved.child)
            if failure is None:
                self._broker.place(approved, receipt)
        except JournalError:  # what it says names files, and a reason is shown and kept
            failure = "the journal took no record of it; nothing is sent until it does"
        except BrokerError as error:
            failure = str(error)
        except GeneratorExit:  # dropped with a loop that runs no more: there is nobody to tell
            raise
        except BaseException:
            self._tell_sent(approved, failure=failure)
            raise
        self._tell_sent(approved, failure=failure)

    def _tell_sent(self, approved: Approved, *, failure: str | None) -> None:
        """Tell that an order was handed over, or why not; one that was withdrawn meanwhile is cancelled."""
        order_ref, now_ns = approved.child.order_ref, self._clock.now_ns()
        self._unsent.discard(order_ref)
        withdrawn = order_ref in self._withdrawn
        self._withdrawn.discard(order_ref)
        if failure is None:
            sent = ChildSent(
                time_ns=now_ns, order_ref=order_ref, action=approved.action, content_hash=approved.content_hash
            )
            self._ingest(sent)
        else:
            self._ingest(SendFailed(time_ns=now_ns, order_ref=order_ref, action=approved.action, reason=failure))
        if withdrawn:
            self.cancel(CancelChild(order_ref=order_ref, reason="cancelled while it was on the way"))

    def _last_look(self, child: ChildOrder) -> str | None:
        """Back from the disk: why this child may not be sent after all; None where it may."""
        if self._ledger.killed is not None:
            return f"killed: {self._ledger.killed}"
        if child.order_ref in self._withdrawn:
            return "withdrawn before it was sent"
        if self._broker.state is not ConnectionState.UP:
            return f"the connection is {self._broker.state}"
        if not self._ledger.reconciled:  # the connection may have been lost and come back meanwhile
            return "ledger and broker are not reconciled"
        for tripped in self._ledger.breakers.of(child.contract.con_id).values():
            if stops(tripped, con_id=child.contract.con_id, side=child.side):
                return f"the breaker {tripped.breaker} has tripped"
        quote = self._broker.quote(child.contract.con_id)
        allowed_s = self._gate.limits.for_symbol(child.contract.symbol).max_quote_age_s
        if quote is None or quote.age_s(self._clock.now_ns()) > allowed_s:
            return f"the quote is older than {allowed_s:g} s"
        return None

    def news(self) -> Iterator[Event]:
        """Give what a coming decision will look at and the journal does not hold yet; each is to be recorded at once.

        These are the account values, and then the breakers that are over their limits without an event that told so.
        """
        account = self.account_news()
        if account is not None:
            yield account
        yield from self._watch.now(self._clock.now_ns())

    def account_news(self) -> AccountReported | None:
        """Give the account values of now, where the journal does not hold them yet."""
        account = self._broker.account_state()
        now_ns = self._clock.now_ns()
        if account.equity is None:
            return None
        if account.equity == self._ledger.equity and self._ledger.knows_day_start(now_ns):
            return None
        return AccountReported(
            time_ns=now_ns,
            currency=account.currency,
            equity=account.equity,
            realised_pnl=account.realised_pnl,
            unrealised_pnl=account.unrealised_pnl,
        )

    def cancel(self, action: CancelChild) -> None:
        """Send a cancel; what is still on its way to the disk is withdrawn instead."""
        record = self._ledger.orders.get(action.order_ref)
        if record is None or record.state.is_over:
            return
        if action.order_ref in self._unsent:
            self._withdrawn.add(action.order_ref)
            if record.state is OrderState.RESERVED:
                return
        if record.client_id != self._broker.client_id:
            return  # only the client id that placed it can name it; with ours its number would mean another order
        try:
            self._broker.cancel(record.child)
        except BrokerError:
            self._tasks.start(self._cancel_later(action), where="cancel", parent_id=record.child.parent_id)
        else:
            self._record(
                CancelRequested(time_ns=self._clock.now_ns(), order_ref=action.order_ref, reason=action.reason)
            )

    async def _cancel_later(self, action: CancelChild) -> None:
        await self._clock.sleep(RESEND_CANCEL_S)
        if self._clock.now_ns() < self._ledger.orders[action.order_ref].expires_ns:
            self.cancel(action)

    def probe(self, action: ProbeDeath) -> None:
        """Ask the broker whether an order is dead; the answer comes back as an event.

        Before the reconciliation nothing is asked: a position that moved may be fills of this order that no execution
        tells any more, and only who compares positions can see that. The strategy asks again.
        """
        if not self._ledger.reconciled:
            return
        child = self._ledger.orders[action.order_ref].child
        self._tasks.start(self._probe(child), where="probe", parent_id=child.parent_id)

    async def _probe(self, child: ChildOrder) -> None:
        try:
            probed = await self._broker.probe_death(child)
        except BrokerError:
            return  # The strategy asks again; until then the order stays reserved.
        self._ingest(probed)


def _refusal(child: ChildOrder, *, action: Action, verdict: Refused, now_ns: int, seal: DecisionsSeal) -> ChildRefused:
    return ChildRefused(
        time_ns=now_ns,
        action=action,
        parent_id=child.parent_id,
        slice=child.slice,
        order_ref=child.order_ref,
        check=verdict.decisive.check,
        transient=verdict.transient,
        message=verdict.decisive.message,
        decisions=seal,
    )
