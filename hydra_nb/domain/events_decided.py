"""Events that a person, or the manager for one, has decided."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.events_base import DecisionsSeal, Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentStatus, SliceStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentSubmitted(Event):
    """A plan was handed over to run; its offsets count from `time_ns`."""

    parent_id: str
    plan: ExecutionPlan
    quote: Quote | None  # at arrival
    decisions: DecisionsSeal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentBegan(Event):
    """The start of a plan that begins later has come; the mid of `quote` is what its fills are measured by."""

    parent_id: str
    quote: Quote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRefused(Event):
    """The gate refused the parent order as a whole; `transient` is None in journals that did not tell it yet."""

    parent_id: str
    check: str
    message: str
    transient: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Woke(Event):
    """A timer of a parent fired; the quote is all that the strategy sees of the market."""

    parent_id: str
    quote: Quote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReserved(Event):
    """The gate approved a child or its modify; its exposure is reserved and its intent recorded."""

    action: Action  # PLACE or MODIFY
    child: ChildOrder
    client_id: int
    content_hash: str
    quote: Quote | None
    predicted_slippage: Decimal | None  # per lot, price units
    predictor_version: str | None
    decisions: DecisionsSeal | None = None
    assumed_slippage: Decimal | None = None  # by the assumed constants, where a calibration was in force


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRefused(Event):
    """The gate refused a child or its modify; nothing was sent."""

    action: Action
    parent_id: str
    slice: int
    order_ref: str
    check: str
    transient: bool
    message: str
    decisions: DecisionsSeal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSent(Event):
    """A place or modify frame was handed to the socket."""

    order_ref: str
    action: Action
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed(Event):
    """A reserved place or modify was certainly not sent; its reservation is released."""

    order_ref: str
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    """A cancel of a child was handed to the socket."""

    order_ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AckTimedOut(Event):
    """No answer to a place, modify or cancel came in time: the order's state is unknown."""

    order_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStalled(Event):
    """A cell, or anything else, held up the event loop: a timer that was due at `since_ns` fires only now."""

    since_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDelayed(Event):
    """A loop that was held up delayed the begin of a slice, or its next stage, by `late_ns`."""

    parent_id: str
    slice: int
    late_ns: int


def delay_words(slice_number: int, *, late_ns: int) -> str:
    """What is said of a slice that a busy cell delayed."""
    return f"A busy cell delayed slice {slice_number} by {round(late_ns / NS_PER_S)} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFinished(Event):
    """A slice is over: its orders are filled or proven dead, or it never sent one."""

    parent_id: str
    slice: int
    filled_lots: int
    carried_lots: int  # unfilled lots given to later slices
    status: SliceStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFinished(Event):
    """A parent will do nothing more."""

    parent_id: str
    status: ParentStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentPaused(Event):
    """A person paused a parent."""

    parent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentResumed(Event):
    """A person resumed a parent; what remains of its schedule shifts by the pause."""

    parent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentInterrupted(Event):
    """The process that worked a parent ended, or left it; it rests until a person resumes or abandons it.

    `since_ns` is when its schedule stood still: the last time at which the process is known to have lived.
    """

    parent_id: str
    since_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentCancelAsked(Event):
    """A person cancelled a parent."""

    parent_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed(Event):
    """The kill switch: nothing is sent any more but cancels."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCancelAsked(Event):
    """A person had the broker cancel all open orders of the account's users, the orders of others as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTripped(Event):
    """A circuit breaker was found over its limit; it stays tripped until a person re-arms it.

    `observed` and `limit` are in `unit`. One that is about a position names the contract and the side on which orders
    would add to it; any other lets no order pass.
    """

    breaker: str
    observed: float
    limit: float
    unit: str
    reason: str
    con_id: int | None = None
    local_symbol: str = ""
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearmed(Event):
    """A person allowed orders again: after one tripped breaker, or, `breaker` None, after a kill and all breakers."""

    reason: str
    breaker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLocked(Event):
    """Something about a contract cannot be explained: nothing is sent in it until it is unlocked.

    `order_ref` names the order where it is about one.
    """

    con_id: int
    local_symbol: str
    order_ref: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractUnlocked(Event):
    """A person, or a later reconciliation, explained what had locked a contract."""

    con_id: int
    local_symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionAdopted(Event):
    """From now on `others_lots` of a contract in this account are held to be others', and ours come on top."""

    con_id: int
    local_symbol: str
    others_lots: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Event):
    """An unexpected error at a task's edge; it halts `parent_id`, where it has one."""

    parent_id: str | None
    where: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitValue:
    """A limit as it is set for a symbol, or, where that is ``*``, for all that have none of their own."""

    symbol: str
    limit: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOpened(Event):
    """Limits that `who`, a user of the operating system, opened a desk with: all of them, whatever defaults there are.

    The first ones of a journal hold; how later ones change what held is told by `LimitsChanged`.
    """

    values: tuple[LimitValue, ...]
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged(Event):
    """A limit of a symbol, or of all (``*``), became another.

    None as a symbol's value means that it follows the limit of all, as that of all that the limit was not known.
    """

    limit: str
    symbol: str
    old: float | None
    new: float | None
    reason: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationChanged(Event):
    """A person accepted a calibration of the slippage formula for a symbol, or, None, went back to what is assumed."""

    symbol: str
    calibration: SlippageCalibration | None
    reason: str
    who: str
