"""Finds circuit breakers over their limits, in the very step in which a fact, or the look before an order, shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.broker.port import OrderPort
from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.events import (
    AccountReported,
    BreakerTripped,
    BrokerErrorReported,
    ChildRefused,
    CommissionReported,
    Event,
    ExecutionReported,
    ParentFinished,
    ParentRefused,
    PositionReported,
)
from hydra_nb.domain.market import AccountState
from hydra_nb.ledger import Ledger
from hydra_nb.risk.breakers import READINGS, position_readings, position_trip, trip
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits

_TELLING = frozenset(
    {
        AccountReported,
        BrokerErrorReported,
        ChildRefused,
        CommissionReported,
        ExecutionReported,
        ParentFinished,
        ParentRefused,
    }
)
"""Events that can bring a breaker of account or conduct over its limit."""

_SIZING = frozenset({AccountReported, PositionReported})
"""Events that can bring a position over its limit. Our own fills count once the broker's position shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFigures:
    """What the breakers of account and conduct are held against, as the ledger has it; see `risk.breakers.Figures`."""

    currency: str
    equity: Decimal | None
    day_start_equity: Decimal | None
    peak_equity: Decimal | None
    last_parent_pnl: Decimal | None
    conduct: Conduct

    @classmethod
    def of(cls, ledger: Ledger, *, account: AccountState, now_ns: int) -> "LedgerFigures":
        """The figures at a market time; `account` tells the rates of exchange."""
        return cls(
            currency=ledger.currency,
            equity=ledger.equity,
            day_start_equity=ledger.day_start_equity,
            peak_equity=ledger.peak_equity,
            last_parent_pnl=ledger.last_parent_pnl(account.rate),
            conduct=ledger.breakers.conduct(now_ns),
        )


class BreakerWatch:
    """Holds the ledger's figures against the limits of the gate; what it gives is for the caller to record.

    A breaker that is tripped is not looked at again before a person has re-armed it.
    """

    def __init__(self, ledger: Ledger, *, gate: RiskGate, broker: OrderPort) -> None:
        self._ledger = ledger
        self._gate = gate
        self._broker = broker
        self._limits: Limits | None = None  # those that the account was last held against

    def after(self, event: Event) -> Iterator[BreakerTripped]:
        """Give the trips that an event brings, once it is folded."""
        kind = type(event)
        if kind in _TELLING:
            yield from self._account(event.time_ns)
        if kind in _SIZING:
            yield from self._positions(event.time_ns)

    def now(self, now_ns: int) -> Iterator[BreakerTripped]:
        """Give the trips that no event tells of: the limits were tightened, or a mid has moved."""
        if self._gate.limits is not self._limits:
            yield from self._account(now_ns)
        yield from self._positions(now_ns)

    def _account(self, now_ns: int) -> Iterator[BreakerTripped]:
        figures = LedgerFigures.of(self._ledger, account=self._broker.account_state(), now_ns=now_ns)
        self._limits = limits = self._gate.limits
        for breaker, read in READINGS.items():
            reading = read(figures, limits)
            if reading.is_over and not self._ledger.breakers.is_tripped(breaker):
                yield trip(breaker, reading, time_ns=now_ns)

    def _positions(self, now_ns: int) -> Iterator[BreakerTripped]:
        """Positions of contracts that the desk has traded: others' in other contracts are none of its business."""
        book, positions = self._ledger.breakers, self._ledger.positions
        for con_id, contract in book.contracts.items():
            told = positions.get(con_id)
            if told is None or not told.lots:
                continue
            quote = self._broker.quote(con_id)
            readings = position_readings(
                contract,
                self._gate.limits,
                lots=told.lots,
                mid=None if quote is None else quote.mid,
                rate=self._broker.account_state().rate(contract.currency),
                equity=self._ledger.equity,
            )
            for breaker, reading in readings.items():
                held_back = book.is_tripped(breaker, con_id=con_id) or not book.has_grown(breaker, con_id=con_id)
                if reading.is_over and not held_back:
                    yield position_trip(breaker, reading, contract=contract, lots=told.lots, time_ns=now_ns)
