"""Parent and child orders. A child has a limit price in its type; there is no other kind."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side
from hydra_nb.errors import invariant


class Strategy(StrEnum):
    """How a parent order is worked."""

    LIMIT_PATIENCE = "limit_patience"
    TWAP = "twap"


class Stage(StrEnum):
    """Stages of the patience ladder, in order."""

    MID = "mid"
    STEP = "step"
    CROSS = "cross"


class Action(StrEnum):
    """What is asked of the gate."""

    PARENT = "parent"
    PLACE = "place"
    MODIFY = "modify"


class OrderState(StrEnum):
    """States of a child order in our ledger.

    `filled` and `dead` end it; all others count as working with every lot not yet booked.
    """

    RESERVED = "reserved"  # approved and journalled, not known to be sent
    SENT = "sent"  # written to the socket, not acknowledged
    WORKING = "working"  # the broker acknowledged it
    CANCEL_PENDING = "cancel_pending"  # we asked for its cancel, or the wire says cancelled: not proven
    UNKNOWN = "unknown"  # no answer, or answers that disagree
    FILLED = "filled"  # booked lots equal its total
    DEAD = "dead"  # proven dead, or never sent

    @property
    def is_over(self) -> bool:
        """Whether no lot of the order can fill any more."""
        return self in _ORDER_ENDS


class ParentStatus(StrEnum):
    """States of a parent order, as shown to a person."""

    SCHEDULED = "scheduled"
    WORKING = "working"
    PAUSED = "paused"
    FILLED = "filled"
    PARTIAL = "partial"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    NEEDS_HUMAN = "needs_human"

    @property
    def is_over(self) -> bool:
        """Whether the parent will do nothing more, whatever a person asks for."""
        return self in _PARENT_ENDS

    @property
    def is_waited_for(self) -> bool:
        """Whether it goes on towards its end by itself, or after a pause; an interrupted one needs a person."""
        return self not in _NOT_WAITED_FOR


class SliceStatus(StrEnum):
    """States of one slice, as shown to a person."""

    PLANNED = "planned"
    WORKING = "working"
    FILLED = "filled"
    PARTIAL = "partial"
    MISSED = "missed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


# Made once: to name a member costs more than to look for it, and these are asked several times with every event.
_ORDER_ENDS = frozenset({OrderState.FILLED, OrderState.DEAD})
_PARENT_ENDS = frozenset(
    {
        ParentStatus.FILLED,
        ParentStatus.PARTIAL,
        ParentStatus.REFUSED,
        ParentStatus.CANCELLED,
        ParentStatus.NEEDS_HUMAN,
    }
)
_NOT_WAITED_FOR = _PARENT_ENDS | {ParentStatus.INTERRUPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentOrder:
    """What a person wants done. `limit` is a price never to be passed; `caller_adv_lots` the caller's ADV."""

    account: str
    contract: FutureContract
    side: Side
    lots: int
    strategy: Strategy
    limit: Decimal | None = None
    tag: str | None = None
    caller_adv_lots: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be an order."""
        invariant(self.lots > 0, f"a parent order of {self.lots} lots")
        invariant(
            self.limit is None or self.contract.is_on_tick(self.limit),
            f"limit {self.limit} is off the {self.contract.tick} tick",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginQuestion:
    """What the broker is asked about margin: a limit order that is not placed."""

    contract: FutureContract
    side: Side
    lots: int
    limit_price: Decimal

    def __post_init__(self) -> None:
        """Refuse what could not be asked."""
        invariant(self.lots > 0, f"a what-if of {self.lots} lots")
        invariant(self.contract.is_on_tick(self.limit_price), f"a what-if at {self.limit_price}, off tick")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOrder:
    """One limit order for the market: everything that goes on the wire, and where it belongs.

    `lots` is the total of the order, fills included; a modify repeats `order_ref` and `order_id`
    and may change `limit_price`, `expires_ns` and `stage` only. `expires_ns` is UTC nanoseconds on a whole
    second, the broker's own good-till date.
    """

    order_ref: str
    order_id: int
    parent_id: str
    slice: int
    account: str
    contract: FutureContract
    side: Side
    lots: int
    limit_price: Decimal
    expires_ns: int
    stage: Stage

    def __post_init__(self) -> None:
        """Refuse what must never reach a wire."""
        invariant(self.lots > 0, f"child {self.order_ref}: {self.lots} lots")
        invariant(
            self.contract.is_on_tick(self.limit_price),
            f"child {self.order_ref}: limit price {self.limit_price} is off the {self.contract.tick} tick",
        )
        invariant(self.expires_ns > 0, f"child {self.order_ref} has no expiry")
        invariant(bool(self.account), f"child {self.order_ref} has no account")

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that the broker is told, hexadecimal."""
        return content_hash(
            self.order_ref,
            self.order_id,
            account=self.account,
            con_id=self.contract.con_id,
            side=self.side,
            lots=self.lots,
            limit_price=self.limit_price,
            expires_ns=self.expires_ns,
        )


def content_hash(
    order_ref: str,
    order_id: int,
    *,
    account: str,
    con_id: int,
    side: str,
    lots: int,
    limit_price: Decimal,
    expires_ns: int | None,
) -> str:
    """SHA-256 over all that the broker is told of an order, hexadecimal; of a child, or of a frame on its way out."""
    content = f"{order_ref}|{order_id}|{account}|{con_id}|{side}|{lots}|{limit_price.normalize():f}|{expires_ns}"
    return hashlib.sha256(content.encode()).hexdigest()
