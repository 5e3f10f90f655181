"""Events that the broker has reported, or that were found out, and what a person was told of them."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events_base import Event
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.units import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChanged(Event):
    """The way to the broker came up, was degraded or went down."""

    state: ConnectionState
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusReported(Event):
    """Raw order status of the wire; `status` is the broker's word."""

    order_ref: str
    order_id: int
    perm_id: int
    status: str
    filled_lots: int
    remaining_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrderReported(Event):
    """Raw open order of the wire: what the broker believes the order's terms are.

    `con_id` and `local_symbol` are 0 and empty where the wire did not tell them.
    """

    order_ref: str
    order_id: int
    perm_id: int
    status: str
    lots: int
    limit_price: Decimal
    expires_ns: int | None
    con_id: int = 0
    local_symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReported(Event):
    """One execution, or a later revision of it.

    `family` is the execution id without its last component, `revision` that component: the latest
    revision of a family is its truth, a revision of zero lots a bust. `quote` is what our feed showed then.
    """

    order_ref: str
    order_id: int
    perm_id: int
    exec_id: str
    family: str
    revision: int
    con_id: int
    side: Side
    lots: int
    price: Decimal
    executed_ns: int  # the broker's time, whole seconds
    quote: Quote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionReported(Event):
    """Fees of one execution; realised P&L is None where the broker told none."""

    exec_id: str
    commission: Decimal
    currency: str
    realised_pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerErrorReported(Event):
    """An error message of the broker; `order_ref` None where it names no order of ours."""

    order_ref: str | None
    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathProbed(Event):
    """Answers of a time reply, an open-orders reply and an executions reply for one child, taken in this order.

    `broker_ns` is the broker's own time, cut to the second; None where its expiry cannot have passed by our clock.
    `completed_lots` are those that the broker's list of completed orders calls filled; None where it does not name it.
    """

    order_ref: str
    still_open: bool
    executed_lots: int
    broker_ns: int | None
    completed_lots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReported(Event):
    """The broker's own position of one contract; `average_cost` per lot in cash, as the wire counts it."""

    con_id: int
    local_symbol: str
    symbol: str
    lots: int
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReported(Event):
    """The broker's account values, written whenever equity has moved; its peak and day's start are folded of them."""

    currency: str
    equity: Decimal | None
    realised_pnl: Decimal | None
    unrealised_pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Event):
    """Ledger and broker were compared; `breaks` counts those that hold up the whole desk, zero allows trading."""

    breaks: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMeasured(Event):
    """Our clock, by which all events are timed, was held against the broker's.

    The broker's is between `low_s` and `high_s` seconds ahead of ours; `skew_s` is by how much ours is off at the
    least, without sign.
    """

    skew_s: float
    low_s: float
    high_s: float


# What became of the journal's own proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadExportFailed(Event):
    """The head of the journal's chain could not be written beside it; that is tried again, and trading goes on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalContradicted(Event):
    """The journal, when it was opened, was not what its exported heads say: it was cut, or written anew."""

    reason: str


# What a person was told at once


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Event):
    """Something that a person is to know at once; told once, until an `AlertCleared` of the same kind and subject.

    `subject` tells alerts of one kind apart: a contract, a parent, a check; empty where there can be only one.
    """

    kind: AlertKind
    subject: str
    severity: Severity
    local_symbol: str
    parent_id: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCleared(Event):
    """What an alert told of is over."""

    kind: AlertKind
    subject: str
    local_symbol: str
    parent_id: str | None
    sentence: str
