"""When ledger and broker are compared unasked: now and then, at the end of a session, and where a position moves."""

import asyncio
import contextlib
from collections.abc import Iterator

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import Event, ExecutionReported, ParentSubmitted, PositionReported
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.reconcile.reconciler import RETRY_S, Reconciler

PERIOD_S = 300.0
"""Market seconds between two comparisons while nothing else asks for one."""
CLOSE_MARGIN_S = 60.0
"""Market seconds after the close of a session of what was traded until it is compared once more."""
SETTLE_S = 0.25
"""Market seconds that a position and the executions of its change may lie apart before anybody is asked."""
WATCH_S = 30.0
"""Market seconds between two looks at what is due."""
OVERDUE_NS = 30 * NS_PER_S
"""How long after its expiry an order that is not over is asked about again."""
LAST_LOOK_S = 10.0
"""Host seconds that the last comparison, at the close of the desk, may take."""


class Rounds:
    """Has the reconciler compare, never while the link is down or before the first comparison of a connection.

    Parameters
    ----------
    reconciler
        Who compares; it takes one comparison at a time.
    ledger, broker, clock
        What tells that one is due.
    period_s
        Market seconds between two comparisons.
    """

    def __init__(
        self, reconciler: Reconciler, *, ledger: Ledger, broker: BrokerPort, clock: Clock, period_s: float = PERIOD_S
    ) -> None:
        self._reconciler = reconciler
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._period_ns = round(period_s * NS_PER_S)
        self._doubted: set[int] = set()
        self._doubt = asyncio.Event()
        parents = (one.plan.parent.contract for one in ledger.parents.values() if not one.status.is_over)
        self._traded: dict[int, FutureContract] = {contract.con_id: contract for contract in parents}

    def heard(self, event: Event) -> None:
        """Take in a fact, right after it was folded: a position that our fills do not explain is doubted at once."""
        self._reconciler.cash.heard(event)
        if isinstance(event, ParentSubmitted):
            contract = event.plan.parent.contract
            self._traded[contract.con_id] = contract
        elif isinstance(event, PositionReported | ExecutionReported) and self._has_moved(event.con_id):
            self._doubted.add(event.con_id)
            self._doubt.set()

    async def watch(self) -> None:
        """Compare whenever it is due."""
        while True:
            await self._clock.sleep(WATCH_S)
            if self._is_due():
                await self._compare()

    async def chase(self) -> None:
        """Compare soon after a position has moved without our fills, and again while the broker does not answer."""
        while True:
            await self._doubt.wait()
            await self._clock.sleep(SETTLE_S)
            self._doubt.clear()
            doubted, self._doubted = self._doubted, set()
            if not any(map(self._has_moved, doubted)):
                continue
            await self._compare()
            left = {con_id for con_id in doubted if self._has_moved(con_id)}
            if left:  # no answer, or each look found something else
                await self._clock.sleep(RETRY_S)
                self._doubted |= left
                self._doubt.set()

    async def compare_last(self) -> None:
        """Compare once more before the desk closes, where there is a link; what fails hinders nothing."""
        if self._is_watching:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_LOOK_S):
                    await self._compare()

    async def _compare(self) -> None:
        """Compare; where the broker does not answer, the next round asks again."""
        with contextlib.suppress(BrokerError):
            await self._reconciler.run()

    @property
    def _is_watching(self) -> bool:
        """Whether the link is up and was compared on; else whoever brings it back compares first."""
        return self._broker.state is ConnectionState.UP and self._ledger.reconciled

    def _has_moved(self, con_id: int) -> bool:
        """Whether a position is not that of others plus our fills, in a contract of ours that is not locked for it."""
        told = self._broker.position(con_id) if self._is_watching else None
        if told is None or con_id in self._ledger.locked:
            return False
        expected = self._ledger.others_lots.get(con_id, 0) + self._ledger.booked_position(con_id)
        return told != expected and self._reconciler.is_ours(con_id)

    def _is_due(self) -> bool:
        if self._broker.state is not ConnectionState.UP:
            return False
        now_ns, compared_ns = self._clock.now_ns(), self._reconciler.compared_ns or 0
        by_time = now_ns - compared_ns >= self._period_ns or any(self._ends_since(compared_ns, now_ns=now_ns))
        is_asked_for = self._reconciler.has_missed or any(self._overdue()) or any(self._untold())
        return is_asked_for or (by_time and self._ledger.reconciled)

    def _ends_since(self, compared_ns: int, *, now_ns: int) -> Iterator[FutureContract]:
        """Contracts traded here of which a session has ended since the last comparison, and the margin has passed."""
        margin_ns = round(CLOSE_MARGIN_S * NS_PER_S)
        for contract in self._traded.values():
            if any(compared_ns < session.close_ns + margin_ns <= now_ns for session in contract.sessions):
                yield contract

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
