"""What a desk tells a screen of itself at one moment: facts without frames, cheap enough to be asked twice a second."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.breakers import BreakerState
from hydra_nb.domain.events import Event
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import OrderState, ParentOrder, ParentStatus, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentLine:
    """A parent order and how far it is.

    `slices` and `duration_ns` are those of its plan, `next_start_ns` the start of the slice that begins next,
    `stage` and `stage_ends_ns` those of the order in the market; None where there is none.
    """

    parent_id: str
    parent: ParentOrder
    status: ParentStatus
    reason: str
    submitted_ns: int
    finished_ns: int | None
    standing_since_ns: int | None
    slices: int
    duration_ns: int
    filled_lots: int
    working_lots: int
    due_lots: int
    shortfall_lots: int
    average_price: Decimal | None
    arrival_mid: Decimal | None
    next_slice: int | None
    next_start_ns: int | None
    stage: Stage | None
    stage_ends_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A child order that may still fill; `lots` are those that can in the worst case."""

    parent: ParentOrder
    lots: int
    limit_price: Decimal
    stage: Stage
    stage_ends_ns: int
    expires_ns: int
    state: OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """A position, and what it could become if every working and planned lot of one side filled.

    `value` is that of the position at mid in the contract's currency; None where no mid is known. `max_lots` is the
    limit of its symbol.
    """

    local_symbol: str
    contract: FutureContract | None
    lots: int
    most: int
    least: int
    value: Decimal | None
    max_lots: int
    locked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A circuit breaker: its check, how much of its limit is used, its state, and whether it lets orders pass.

    `unit` is a currency, begins with a percent sign, or counts; `observed` is what it reads now, None where it is not
    known. `since_ns` and `reason` tell of its last trip, or once it was re-armed of that; `rearmed_ns` of the last
    re-arming. `local_symbol` names the contract where one about a position has tripped.
    """

    check: str
    observed: float | None
    limit: float
    unit: str
    allowed: bool
    state: BreakerState = BreakerState.CLOSED
    since_ns: int | None = None
    reason: str = ""
    rearmed_ns: int | None = None
    local_symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that a person would be told; `parent` None where it concerns all."""

    event: Event
    parent: ParentOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A desk at one moment; parents at work come first, each part newest first.

    `quote_age_s` is the age of the quote of a contract that is worked or held, of them the one nearest to, or furthest
    beyond, the age allowed of it, `quote_age_allowed_s`; `feed` is the worst of their feeds;
    `reconciled_ns` None before the first comparison; `pnl` and `fees` are those of the day in `currency`.
    """

    now_ns: int
    opened_ns: int
    connection: ConnectionState
    connection_since_ns: int | None
    feed: FeedType | None
    quote_age_s: float | None
    quote_age_allowed_s: float
    reconciled: bool
    reconciled_ns: int | None
    breaks: int
    journal_failure: str | None
    lag_p99_ms: float
    messages: int
    messages_last_second: int
    currency: str
    pnl: Decimal | None
    fees: Decimal
    parents: tuple[ParentLine, ...]
    orders: tuple[OrderLine, ...]
    positions: tuple[PositionLine, ...]
    breakers: tuple[Breaker, ...]
    happenings: tuple[Happening, ...]
