"""When ledger and broker are compared, and what follows from what differs.

What cannot be explained locks its contract, so that nothing is sent in it before a person has looked; what others did
is shown and left alone. Nothing is concluded from one look: a position and its executions are told by different ways,
so that a difference must persist.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import ContractLocked, ContractUnlocked, Event, PositionAdopted, Reconciled
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.reconcile.finding import Break, Finding
from hydra_nb.reconcile.look import Look

LOOKS = 3
"""Times that a difference is looked at before it counts."""
LOOK_AGAIN_S = 2.0
"""Market seconds between two looks."""
RETRY_S = 5.0
"""Market seconds between two attempts, where the broker does not answer after a reconnection."""
OVERDUE_NS = 30 * NS_PER_S
"""How long after its expiry an order that is not over is asked about again."""
WATCH_S = 30.0
"""Market seconds between two searches for such orders."""


class Reconciler:
    """Compares, locks what stays unexplained, and journals the outcome.

    Positions are held against those of others, as journalled, plus all our own fills. What changed while the desk, or
    the connection, was away is shown and adopted; what changes while it watches locks the contract.

    Attributes
    ----------
    breaks
        What the last comparison found.
    """

    def __init__(
        self, ledger: Ledger, *, broker: BrokerPort, clock: Clock, own_prefix: str, ingest: Callable[[Event], None]
    ) -> None:
        self.breaks: tuple[Break, ...] = ()
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._ingest = ingest
        self._look = Look(ledger, broker=broker, clock=clock, own_prefix=own_prefix, ingest=ingest)
        self._turn = asyncio.Lock()
        self._unread = 0  # of the messages that could not be read, those whose subject has been asked about since

    async def run(self) -> tuple[Break, ...]:
        """Fetch completed orders, executions and open orders, compare, and give what differs.

        Raises
        ------
        BrokerError
            The broker did not answer, or there is no connection.
        """
        async with self._turn:
            away = not self._ledger.reconciled  # nobody watched since the desk was opened, or the connection came back
            findings = await self._take()
            for _ in range(LOOKS - 1):
                differs = any(one.unexplained or one.adopt_lots is not None for one in findings)
                if not (differs or self._has_missed):
                    break
                await self._clock.sleep(LOOK_AGAIN_S)
                findings = await self._take()
            # A line that could not be read so often would not be read the next time either.
            self._unread = self._broker.unread
            findings = [self._judge(one, away=away) for one in findings]
            self._lock(findings)
            self.breaks = tuple(one.found for one in findings)
            message = "; ".join(found.message for found in self.breaks) or "ledger and broker agree"
            if not self._look.heard_completed:
                message += "; the broker did not tell its completed orders"
            uncovered = sum(one.unexplained and not one.con_id for one in findings)
            self._ingest(Reconciled(time_ns=self._clock.now_ns(), breaks=uncovered, message=message))
            return self.breaks

    @property
    def _has_missed(self) -> bool:
        """Whether a message that could not be read may have told what nothing has asked for since."""
        return self._broker.unread != self._unread

    async def _take(self) -> list[Finding]:
        """One look; positions are told unasked, so that they are asked for only where a message was missed."""
        unread = self._broker.unread
        if self._has_missed:
            await self._broker.fetch_positions()
        findings = await self._look.take()
        self._unread = unread
        return findings

    async def run_until_answered(self) -> None:
        """Compare after the connection came back, again while the broker does not answer and the connection is up."""
        while self._broker.state is ConnectionState.UP:
            try:
                await self.run()
            except BrokerError:
                await self._clock.sleep(RETRY_S)
            else:
                return

    async def watch(self) -> None:
        """Ask now and then about orders that should have ended, and for what only a status told, or nothing readable.

        A correction or a bust that could not be read is told by nothing else: its order is over.
        """
        while True:
            await self._clock.sleep(WATCH_S)
            doubts = self._has_missed or any((*self._overdue(), *self._untold()))
            if self._broker.state is ConnectionState.UP and doubts:
                try:
                    await self.run()
                except BrokerError:
                    continue

    def _overdue(self) -> Iterator[OrderRecord]:
        """Orders that should have ended a while ago; those of a locked contract are with a person already."""
        latest_ns = self._clock.now_ns() - OVERDUE_NS
        for record in self._ledger.open_orders():
            if record.expires_ns <= latest_ns and record.child.contract.con_id not in self._ledger.locked:
                yield record

    def _untold(self) -> Iterator[OrderRecord]:
        """Orders that are over, and of which a status told lots that no execution did: nobody else asks for it.

        Also of a locked contract, as the fill may be what a person looks for.
        """
        for record in self._ledger.orders.values():
            if record.state.is_over and record.has_untold_fills:
                yield record

    def unlock(self, con_id: int, *, reason: str) -> None:
        """Let a locked contract be traded again; what our fills do not explain of its position is others' from now on.

        Raises
        ------
        KeyError
            It is not locked.
        """
        symbol = self._ledger.locked[con_id].local_symbol
        self._ingest(ContractUnlocked(time_ns=self._clock.now_ns(), con_id=con_id, local_symbol=symbol, reason=reason))
        told = self._broker.position(con_id)
        if told is not None:
            self._adopt(con_id, symbol, lots=told - self._ledger.booked_position(con_id), reason=reason)

    def _adopt(self, con_id: int, symbol: str, *, lots: int, reason: str) -> None:
        if lots != self._ledger.others_lots.get(con_id, 0):
            now_ns = self._clock.now_ns()
            self._ingest(
                PositionAdopted(time_ns=now_ns, con_id=con_id, local_symbol=symbol, others_lots=lots, reason=reason)
            )

    def _judge(self, finding: Finding, *, away: bool) -> Finding:
        """Adopt a position that others changed while nobody watched; before our eyes it is unexplained."""
        if finding.adopt_lots is None or finding.unexplained:
            return finding
        found = finding.found
        if not away:
            words = f"{found.message} while this desk watched: look it up in the broker's own program, then unlock"
            return replace(finding, unexplained=True, found=replace(found, resolved=False, message=words))
        words = (
            f"{found.message} while this desk was away; their {finding.adopt_lots} lots are taken as given from now on"
        )
        self._adopt(finding.con_id, found.local_symbol, lots=finding.adopt_lots, reason=words)
        return replace(finding, found=replace(found, message=words))

    def _lock(self, findings: Sequence[Finding]) -> None:
        """Lock what is unexplained, and unlock what nothing speaks against any more."""
        unexplained = {one.con_id for one in findings if one.unexplained}
        now_ns = self._clock.now_ns()
        for one in findings:
            if one.unexplained and one.con_id and one.con_id not in self._ledger.locked:
                locked = ContractLocked(
                    time_ns=now_ns,
                    con_id=one.con_id,
                    local_symbol=one.found.local_symbol,
                    order_ref=one.found.order_ref or None,
                    reason=one.found.message,
                )
                self._ingest(locked)
        for con_id, locked in tuple(self._ledger.locked.items()):
            if con_id not in unexplained:
                reason = "a later reconciliation found nothing left to explain"
                self._ingest(
                    ContractUnlocked(time_ns=now_ns, con_id=con_id, local_symbol=locked.local_symbol, reason=reason)
                )
