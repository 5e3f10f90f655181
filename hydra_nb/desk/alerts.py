"""Looks for what a person is to know at once, has it journalled, and hands it on: to views, the log, a command."""

import asyncio
import contextlib
import datetime as dt
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from hydra_nb.desk.alert_delivery import LAST_ALERTS_S, Alert, Delivery, Listener, Messenger
from hydra_nb.desk.held import HeldContracts
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain import events as ev
from hydra_nb.domain.accounts import mask_account, mask_accounts
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.instrument import NO_FACTS, FutureContract
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import ParentRecord
from hydra_nb.order_manager import alert_rules as rules
from hydra_nb.order_manager.alert_book import Key
from hydra_nb.risk.close_out import close_out_of

LOOK_S = 5.0
"""Market seconds between two looks while nothing happens."""

LOGGER = logging.getLogger("hydra_nb.alerts")
LOGGER.addHandler(logging.NullHandler())  # views show alerts; a log gets them where a person has set one up

_AT_WORK = (ParentStatus.SCHEDULED, ParentStatus.WORKING)
_LOOKED_AT = (
    ev.ConnectionChanged,
    ev.Reconciled,
    ev.ContractLocked,
    ev.ContractUnlocked,
    ev.Killed,
    ev.BreakerTripped,
    ev.Rearmed,
    ev.SliceFinished,
    ev.ParentFinished,
)
"""Events after which something may be the matter at once, or over."""
_TAKEN_IN = frozenset({*_LOOKED_AT, *rules.INSTANTS})


class Alerts:
    """The alerts of one desk. They watch, and hold up nothing: a failure here is journalled, and trading goes on.

    Parameters
    ----------
    rooms
        Of the desk.
    badge
        Gives ``SIM``, ``PAPER`` or ``LIVE``.
    held
        Knows the contracts that the account holds.
    """

    def __init__(self, rooms: Rooms, *, badge: Callable[[], str], held: HeldContracts) -> None:
        self._rooms = rooms
        self._badge = badge
        self._held = held
        self._ledger = rooms.manager.ledger
        self._book = rooms.alert_book
        self._loop = asyncio.get_running_loop()
        self._messenger = Messenger(rooms.alert_command, on_outcome=self._outcome_soon)
        now_ns = rooms.clock.now_ns()
        self._down_ns = None if rooms.broker.state is ConnectionState.UP else now_ns
        self._up_ns = now_ns
        self._unreconciled_ns: int | None = None
        self._fresh_ns: dict[int, int] = {}
        self._untold: deque[ev.AlertRaised | ev.AlertCleared] = deque()
        self._is_telling = False
        self._trouble: str | None = None
        self._has_failed = False
        self._is_over = False
        rooms.manager.observers.append(self._heard)
        rooms.manager.tasks.keep(self._keep_looking, where="alerts")
        self._safely(lambda: self.look(at_opening=True))

    @property
    def raised(self) -> tuple[ev.AlertRaised, ...]:
        """Alerts that stand, the newest of the worst first."""
        standing = sorted(self._book.raised.values(), key=lambda alert: alert.time_ns, reverse=True)
        return tuple(sorted(standing, key=lambda alert: alert.severity is not Severity.CRITICAL))

    @property
    def trouble(self) -> str | None:
        """Why the last alert was not handed on; None where it was, or where nobody is to be told."""
        return self._trouble

    def add(self, listener: Listener) -> Callable[[], None]:
        """Hand each alert to a function too, on the messenger's thread; gives what takes that back."""
        return self._messenger.add(listener)

    def look(self, *, at_opening: bool = False) -> None:
        """Look at everything now, and have what is news journalled; that in turn hands it on.

        What is journalled may itself have us look, in the midst of it: the news of that look comes behind ours.
        """
        now_ns = self._rooms.clock.now_ns()
        found = (
            *self._of_link(now_ns),
            *self._of_parents(now_ns),
            *self._of_contracts(now_ns),
            *self._of_positions(now_ns),
            *self._of_desk(now_ns),
        )
        self._untold += self._book.news(
            map(self._masked, found), now_ns=now_ns, ends_at_once=lambda key: at_opening or self._is_past(key)
        )
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._untold:
                self._rooms.manager.ingest(self._untold.popleft())
        finally:
            self._is_telling = False

    def _masked(self, alert: ev.AlertRaised) -> ev.AlertRaised:
        """The alert without the account numbers that words of the broker may hold."""
        return replace(alert, sentence=mask_accounts(alert.sentence, account=self._rooms.broker.account))

    def _is_past(self, key: Key) -> bool:
        """Whether the matter of an alert cannot come back, as nothing is at work that it was about."""
        kind, subject = key
        running = [self._ledger.parents[parent_id] for parent_id in self._rooms.manager.core.running]
        if kind is AlertKind.BEHIND_SCHEDULE:
            return subject not in [record.parent_id for record in running]
        return kind is AlertKind.STALE_DATA and subject not in [
            record.plan.parent.contract.local_symbol for record in running
        ]

    async def stop(self) -> None:
        """Look no more; what is on its way is waited for a while."""
        self._is_over = True
        thread = self._messenger.finish()
        if thread is not None:
            await asyncio.to_thread(thread.join, LAST_ALERTS_S)

    # When it looks

    async def _keep_looking(self) -> None:
        while not self._is_over:
            await self._rooms.clock.sleep(LOOK_S)
            self._safely(self.look)

    def _heard(self, event: ev.Event) -> None:
        """Take in a fact right after it was folded."""
        if isinstance(event, ev.AlertRaised | ev.AlertCleared):
            self._safely(lambda: self._deliver(event))
        elif type(event) in _TAKEN_IN and not self._is_over:
            self._safely(lambda: self._take_in(event))

    def _take_in(self, event: ev.Event) -> None:
        if isinstance(event, ev.ConnectionChanged):
            self._note_link(event)
        instant = rules.happened(event, ledger=self._ledger)
        if instant is not None:
            self._book.note(self._masked(instant))
        if instant is not None or isinstance(event, _LOOKED_AT):
            self.look()

    def _note_link(self, event: ev.ConnectionChanged) -> None:
        if event.state is ConnectionState.UP:
            self._down_ns, self._up_ns = None, event.time_ns
        elif self._down_ns is None:
            self._down_ns = event.time_ns

    def _safely(self, work: Callable[[], None]) -> None:
        """Do it; what fails is journalled the first time, and hinders nobody."""
        try:
            work()
        except Exception as error:
            LOGGER.exception("alerts failed")
            if not self._has_failed:
                self._has_failed = True
                self._rooms.manager.ingest(
                    ev.TaskFailed(
                        time_ns=self._rooms.clock.now_ns(),
                        parent_id=None,
                        where="alerts",
                        error=f"{type(error).__name__}: {error}",
                    )
                )

    # What it looks at

    def _of_link(self, now_ns: int) -> Iterator[ev.AlertRaised]:
        if self._down_ns is not None:
            at_risk = sum(record.working_lots for record in self._ledger.open_orders())
            running = (self._ledger.parents[parent_id] for parent_id in self._rooms.manager.core.running)
            is_at_work = any(record.status in _AT_WORK for record in running)
            yield from _if_any(
                rules.disconnected(self._down_ns, now_ns=now_ns, is_at_work=is_at_work, lots_at_risk=at_risk)
            )
        if self._down_ns is not None or self._ledger.reconciled:
            self._unreconciled_ns = None
            return
        if self._unreconciled_ns is None:
            self._unreconciled_ns = now_ns
        yield from _if_any(rules.unreconciled(self._unreconciled_ns, now_ns=now_ns))

    def _of_parents(self, now_ns: int) -> Iterator[ev.AlertRaised]:
        core = self._rooms.manager.core
        for parent_id in core.running:
            record = self._ledger.parents[parent_id]
            if not record.status.is_waited_for:
                continue
            progress = rules.Progress(
                parent_id=parent_id,
                local_symbol=record.plan.parent.contract.local_symbol,
                side=record.plan.parent.side,
                lots=record.plan.parent.lots,
                due_lots=core.due_lots(parent_id, now_ns=now_ns),
                filled_lots=record.filled_lots,
                slice_lots=max(planned.lots for planned in record.plan.slices),
            )
            is_raised = (AlertKind.BEHIND_SCHEDULE, parent_id) in self._book.raised
            yield from _if_any(rules.behind_schedule(progress, now_ns=now_ns, is_raised=is_raised))

    def _of_contracts(self, now_ns: int) -> Iterator[ev.AlertRaised]:
        """Quotes of what is at work; without a link their age is the link's matter, and says nothing by itself."""
        worked: dict[int, list[ParentRecord]] = {}
        for parent_id in self._rooms.manager.core.running:
            record = self._ledger.parents[parent_id]
            if record.status in _AT_WORK:
                worked.setdefault(record.plan.parent.contract.con_id, []).append(record)
        self._fresh_ns = {con_id: ns for con_id, ns in self._fresh_ns.items() if con_id in worked}
        if self._down_ns is not None:
            yield from (alert for alert in self._book.raised.values() if alert.kind is AlertKind.STALE_DATA)
            return
        for records in worked.values():
            contract = records[0].plan.parent.contract
            if contract.is_open(now_ns):
                feed = rules.Feed(
                    local_symbol=contract.local_symbol,
                    parent_ids=tuple(record.parent_id for record in records),
                    fresh_ns=self._fresh(contract, now_ns=now_ns),
                    allowed_s=self._rooms.gate.limits.for_symbol(contract.symbol).max_quote_age_s,
                )
                yield from _if_any(rules.stale_data(feed, now_ns=now_ns))

    def _fresh(self, contract: FutureContract, *, now_ns: int) -> int:
        """When a quote was last live and young; the opening of a session, or of the link, gives it time to come."""
        quote = self._rooms.broker.quote(contract.con_id)
        opened_ns = max((one.open_ns for one in contract.sessions if one.open_ns <= now_ns), default=0)
        heard_ns = quote.time_ns if quote is not None and quote.feed is FeedType.LIVE else 0
        known_ns = self._fresh_ns.setdefault(contract.con_id, heard_ns or now_ns)
        self._fresh_ns[contract.con_id] = max(known_ns, heard_ns, opened_ns, self._up_ns)
        return self._fresh_ns[contract.con_id]

    def _of_positions(self, now_ns: int) -> Iterator[ev.AlertRaised]:
        """Contracts that are held inside their close-out window; what nobody has told of yet stands as it was."""
        standing = {key[1]: alert for key, alert in self._book.raised.items() if key[0] is AlertKind.CLOSE_OUT}
        told = self._rooms.broker.positions()
        if told is None:
            yield from standing.values()
            return
        facts = self._rooms.manager.snapshots.facts
        for position in told:
            contract = self._held.contract(position.con_id)
            if contract is None:
                if position.local_symbol in standing and not self._held.is_no_future(position.con_id):
                    yield standing[position.local_symbol]
                continue
            notice = facts.get(contract.local_symbol, NO_FACTS).first_notice
            limits = self._rooms.gate.limits.for_symbol(contract.symbol)
            window = close_out_of(contract, first_notice=notice, now_ns=now_ns, limits=limits)
            yield from _if_any(rules.close_out(contract.local_symbol, lots=position.lots, window=window, now_ns=now_ns))

    def _of_desk(self, now_ns: int) -> Iterator[ev.AlertRaised]:
        ledger, rooms = self._ledger, self._rooms
        if ledger.killed is not None:
            yield rules.killed(ledger.killed, now_ns=now_ns)
        if not rooms.journal.healthy:
            yield rules.journal_failed(now_ns=now_ns)
        yield from (rules.breaker_tripped(trip, now_ns=now_ns) for trip in ledger.breakers.tripped.values())
        yield from (rules.locked(lock, now_ns=now_ns) for lock in ledger.locked.values())
        left: dict[str, int] = {}
        for record in ledger.open_orders():
            parent = ledger.parents.get(record.child.parent_id)
            is_left = parent is not None and parent.status is ParentStatus.NEEDS_HUMAN
            if is_left and record.child.contract.con_id not in ledger.locked:
                left[record.child.parent_id] = left.get(record.child.parent_id, 0) + record.working_lots
        for parent_id, lots in left.items():
            symbol = ledger.parents[parent_id].plan.parent.contract.local_symbol
            yield rules.unknown_order(parent_id, local_symbol=symbol, working_lots=lots, now_ns=now_ns)
        for one in rooms.reconciler.breaks:
            if one.kind in ("commission", "cash") and not one.resolved:
                yield rules.cash_differs(one.kind, local_symbol=one.local_symbol, message=one.message, now_ns=now_ns)
        if self._trouble is not None:
            yield rules.delivery_failed(self._trouble, now_ns=now_ns)

    # Handing on

    def _deliver(self, alert: Alert) -> None:
        is_critical = isinstance(alert, ev.AlertRaised) and alert.severity is Severity.CRITICAL
        level = (
            logging.INFO if isinstance(alert, ev.AlertCleared) else logging.ERROR if is_critical else logging.WARNING
        )
        LOGGER.log(level, "%s", alert.sentence, extra={"alert": alert.kind.value})
        if alert.kind is AlertKind.DELIVERY:  # it would only fail in the same way
            return
        trouble = self._messenger.tell(Delivery(alert=alert, details=self._details(alert)))
        if trouble is not None:
            self._outcome(trouble)

    def _details(self, alert: Alert) -> dict[str, object]:
        """What a command reads as JSON: nothing that is not on the screens too."""
        time = dt.datetime.fromtimestamp(alert.time_ns // NS_PER_S, tz=dt.UTC)
        return {
            "state": "raised" if isinstance(alert, ev.AlertRaised) else "cleared",
            "kind": alert.kind.value,
            "severity": alert.severity.value if isinstance(alert, ev.AlertRaised) else None,
            "time": time.isoformat(),
            "account": mask_account(self._rooms.broker.account),
            "badge": self._badge(),
            "local_symbol": alert.local_symbol,
            "parent_id": alert.parent_id,
            "sentence": alert.sentence,
        }

    def _outcome_soon(self, trouble: str | None) -> None:
        """Take in on the desk's loop what the messenger tells from its thread."""
        if trouble != self._trouble:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and with it every view
                self._loop.call_soon_threadsafe(self._outcome, trouble)

    def _outcome(self, trouble: str | None) -> None:
        self._trouble = trouble
        if not self._is_over:
            self._safely(self.look)


def _if_any(alert: ev.AlertRaised | None) -> Iterator[ev.AlertRaised]:
    if alert is not None:
        yield alert
