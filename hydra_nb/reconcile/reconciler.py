"""When ledger and broker are compared, and what follows from what differs.

What cannot be explained locks its contract, so that nothing is sent in it before a person has looked; what others did
is shown and left alone. Nothing is concluded from one look: a position and its executions are told by different ways,
so that a difference must persist.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import ContractLocked, ContractUnlocked, Event, PositionAdopted, Reconciled
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.reconcile.cash import Cash
from hydra_nb.reconcile.finding import Break, Finding
from hydra_nb.reconcile.look import Look

LOOKS = 3
"""Looks in a row in which a difference must show before it counts."""
LOOK_AGAIN_S = 1.5
"""Market seconds from the beginning of one look to that of the next."""
MOST_LOOKS = 8
"""Looks of one comparison; what has not shown in enough of them by then is left to the next comparison."""
RETRY_S = 5.0
"""Market seconds between two attempts, where the broker does not answer after a reconnection."""
AGREE = "ledger and broker agree"
"""How the message of a comparison begins that found nothing."""


class Reconciler:
    """Compares, locks what stays unexplained, and journals the outcome.

    Positions are held against those of others, as journalled, plus all our own fills. What changed while the desk, or
    the connection, was away is shown and adopted; what changes while it watches locks the contract.

    Attributes
    ----------
    breaks
        What the last comparison found.
    compared_ns
        When it ended, UTC nanoseconds; None before the first.
    """

    def __init__(
        self, ledger: Ledger, *, broker: BrokerPort, clock: Clock, own_prefix: str, ingest: Callable[[Event], None]
    ) -> None:
        self.breaks: tuple[Break, ...] = ()
        self.compared_ns: int | None = None
        self.cash = Cash(ledger, broker=broker, clock=clock)
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._ingest = ingest
        self._look = Look(ledger, broker=broker, clock=clock, own_prefix=own_prefix, ingest=ingest)
        self._turn = asyncio.Lock()
        self._unread = 0  # of the messages that could not be read, those whose subject has been asked about since

    async def run(self) -> tuple[Break, ...]:
        """Fetch completed orders, positions, executions and open orders, compare, and give what differs.

        Raises
        ------
        BrokerError
            The broker did not answer, or there is no connection.
        """
        async with self._turn:
            findings = [*await self._found(), *self.cash.look()]
            self._unread = self._broker.unread  # what could not be read so often would not be the next time either
            self._lock(findings)
            self.breaks = tuple(one.found for one in findings)
            self.compared_ns = self._clock.now_ns()
            message = "; ".join(found.message for found in self.breaks) or AGREE
            if not self._look.heard_completed:
                message += "; the broker did not tell its completed orders"
            uncovered = sum(one.unexplained and not one.con_id for one in findings)
            self._ingest(Reconciled(time_ns=self.compared_ns, breaks=uncovered, message=message))
            return self.breaks

    @property
    def has_missed(self) -> bool:
        """Whether a message that could not be read may have told what nothing has asked for since."""
        return self._broker.unread != self._unread

    async def _found(self) -> list[Finding]:
        """Compare on one connection: what was told before it changed says nothing of what was done meanwhile."""
        while True:
            changes = self._ledger.connection_changes
            away = not self._ledger.reconciled  # nobody watched since the desk was opened, or the connection came back
            findings = await self._settled(away=away)
            if self._ledger.connection_changes == changes:
                return [self._judge(one, away=away) for one in findings]

    async def _settled(self, *, away: bool) -> list[Finding]:
        """Look until each doubt has shown in `LOOKS` looks in a row, or none is left.

        A position and its executions are told by different ways, and an order and its list too: each look by itself may
        fall in between. What is locked already needs no more proof.
        """
        seen: dict[tuple[str, int, str], int] = {}

        def is_to_be_proven(record: OrderRecord) -> bool:
            con_id = record.child.contract.con_id
            return (
                away or con_id in self._ledger.locked or seen.get(("order", con_id, record.order_ref), 0) >= LOOKS - 1
            )

        for look in range(1, MOST_LOOKS + 1):
            unread = self._broker.unread
            next_ns = self._clock.now_ns() + round(LOOK_AGAIN_S * NS_PER_S)
            findings = await self._look.take(prove=is_to_be_proven)
            self._unread = unread
            doubts = [one for one in findings if one.is_doubt and one.con_id not in self._ledger.locked]
            seen = {one.subject: seen.get(one.subject, 0) + 1 for one in doubts}
            is_heard = look >= LOOKS or not self.has_missed
            if is_heard and all(times >= LOOKS for times in seen.values()):
                return findings
            await self._clock.sleep(max(0.0, (next_ns - self._clock.now_ns()) / NS_PER_S))
        return [one for one in findings if seen.get(one.subject, LOOKS) >= LOOKS]

    async def run_until_answered(self) -> None:
        """Compare after the connection came back, again while the broker does not answer and the connection is up."""
        while self._broker.state is ConnectionState.UP:
            try:
                await self.run()
            except BrokerError:
                await self._clock.sleep(RETRY_S)
            else:
                return

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

    def is_ours(self, con_id: int) -> bool:
        """Whether a contract is watched here, or our orders or fills stand in it; else it is only others' concern."""
        return (
            self._broker.quote(con_id) is not None
            or self._ledger.booked_position(con_id) != 0
            or any(self._ledger.open_orders(con_id))
        )

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
        if not away and self.is_ours(finding.con_id):
            words = f"{found.message} while this desk watched: look it up in the broker's own program, then unlock"
            return replace(finding, unexplained=True, found=replace(found, resolved=False, message=words))
        when = "while this desk was away" if away else "in a contract that this desk neither watches nor works"
        words = f"{found.message} {when}; their {finding.adopt_lots} lots are taken as given from now on"
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
