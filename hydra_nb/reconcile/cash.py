"""Fees and results of our own executions against the broker's account; what differs is told, and locks nothing.

An account's cash moves for many reasons that are not ours: deposits, interest, fees for data, the daily settlement of
futures, other people's trades. Two things can be compared soundly: that each execution of ours has its fees, and that
the realised result that the broker counts moved by what the broker itself told with our executions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import (
    ChildReserved,
    ConnectionChanged,
    ContractLocked,
    ContractUnlocked,
    Event,
    PositionAdopted,
    PositionReported,
)
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.ledger.records import BookedExecution
from hydra_nb.reconcile.finding import Break, Finding

FEES_DUE_NS = 60 * NS_PER_S
"""How old an execution may be whose fees were not told."""
QUIET_NS = 200 * NS_PER_S
"""How long no execution may have come before results are compared: account values may be told every three minutes."""
ROUNDING = Decimal(1)
"""Difference of results that is not told, in cash."""
_DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """From when on results are compared: the broker's figure of the day at that time."""

    time_ns: int
    realised: Decimal
    currency: str


class Cash:
    """Compares; begins anew where somebody else's trade, a lost link or a new day makes the figures incomparable.

    Parameters
    ----------
    ledger, broker, clock
        What is compared, and when.
    """

    def __init__(self, ledger: Ledger, *, broker: BrokerPort, clock: Clock) -> None:
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._start: _Start | None = None
        self._own = {record.child.contract.con_id for record in ledger.orders.values()}

    def heard(self, event: Event) -> None:
        """Begin anew after what others may have done."""
        match event:
            case ChildReserved():
                self._own.add(event.child.contract.con_id)
            case PositionReported():
                if event.con_id not in self._own:
                    self._start = None
            case ConnectionChanged() | PositionAdopted() | ContractLocked() | ContractUnlocked():
                self._start = None

    def look(self) -> list[Finding]:
        """Compare now."""
        recent = tuple(self._recent())
        return [*self._without_fees(recent), *self._result(recent)]

    def _recent(self) -> Iterator[tuple[OrderRecord, BookedExecution]]:
        """Executions of our orders of the last day, with their latest revisions."""
        since_ns = self._clock.now_ns() - _DAY_NS
        for record in reversed(self._ledger.orders.values()):
            if record.reserved_ns < since_ns - _DAY_NS:  # no order works for longer
                return
            for booking in record.executions.values():
                if booking.received_ns >= since_ns:
                    yield record, booking

    def _without_fees(self, recent: tuple[tuple[OrderRecord, BookedExecution], ...]) -> Iterator[Finding]:
        """Contracts in which an execution waits for its fees for too long; a bust has none."""
        latest_ns = self._clock.now_ns() - FEES_DUE_NS
        due: dict[int, list[tuple[OrderRecord, BookedExecution]]] = {}
        for record, booking in recent:
            if booking.lots and booking.received_ns < latest_ns:
                due.setdefault(record.child.contract.con_id, []).append((record, booking))
        for con_id, executions in sorted(due.items()):
            missing = [booking.exec_id for _, booking in executions if not self._has_fees(booking)]
            if missing:
                symbol = executions[0][0].child.contract.local_symbol
                count = f"{len(missing)} executions" if len(missing) > 1 else f"execution {missing[0]}"
                yield self._finding(
                    "commission",
                    con_id=con_id,
                    local_symbol=symbol,
                    ours=len(executions),
                    brokers=len(executions) - len(missing),
                    words=(
                        f"{symbol}: no fees were told for {count} after {FEES_DUE_NS // NS_PER_S} s:"
                        " take them from the broker's statement"
                    ),
                )

    def _has_fees(self, booking: BookedExecution) -> bool:
        """Whether any revision of an execution has its fees."""
        family = booking.exec_id.rpartition(".")[0]
        told = self._ledger.commissions
        return booking.exec_id in told or any(f"{family}.{one:02d}" in told for one in range(1, booking.revision))

    def _result(self, recent: tuple[tuple[OrderRecord, BookedExecution], ...]) -> Iterator[Finding]:
        """The realised result since we began to compare, where our own executions do not explain it."""
        now_ns, account = self._clock.now_ns(), self._broker.account_state()
        if account.realised_pnl is None or any(now_ns - booking.received_ns < QUIET_NS for _, booking in recent):
            return
        start = self._start
        if start is None or not self._is_comparable(start, realised=account.realised_pnl, currency=account.currency):
            self._start = _Start(time_ns=now_ns, realised=account.realised_pnl, currency=account.currency)
            return
        told = [
            (booking, self._ledger.commissions.get(booking.exec_id))
            for _, booking in recent
            if booking.received_ns > start.time_ns
        ]
        reports = [report for _, report in told if report is not None]
        if any(booking.revision > 1 for booking, _ in told) or any(one.currency != start.currency for one in reports):
            self._start = None  # a revision tells the whole result again; other currencies are converted by the broker
            return
        if len(reports) < len(told):
            return
        ours = sum((one.realised_pnl or Decimal(0) for one in reports), start=Decimal(0))
        fees = sum((one.commission for one in reports), start=Decimal(0))
        brokers = account.realised_pnl - start.realised
        if abs(brokers - ours) > abs(fees) + ROUNDING:  # whether the broker counts fees into a result is not known
            yield self._finding(
                "cash",
                ours=float(ours),
                brokers=float(brokers),
                words=(
                    f"the account's realised result moved by {brokers:,.2f} {start.currency} while our executions"
                    f" explain {ours:,.2f}, fees of {fees:,.2f} aside: compare with the broker's statement"
                ),
            )

    def _is_comparable(self, start: _Start, *, realised: Decimal, currency: str) -> bool:
        """Whether the broker still counts in the same currency, and has not begun another day."""
        same_day = start.time_ns // _DAY_NS == self._clock.now_ns() // _DAY_NS
        return same_day and currency == start.currency and (realised != 0 or start.realised == 0)

    def _finding(
        self, kind: str, *, words: str, ours: float, brokers: float, con_id: int = 0, local_symbol: str = ""
    ) -> Finding:
        found = Break(
            time_ns=self._clock.now_ns(),
            kind=kind,
            local_symbol=local_symbol,
            order_ref="",
            ours=ours,
            brokers=brokers,
            resolved=False,
            message=words,
        )
        return Finding(found=found, con_id=con_id)
