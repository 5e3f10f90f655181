"""What the ledger keeps of one execution, one child order, one slice and one parent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hydra_nb.domain.orders import ChildOrder, OrderState, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.plan import ExecutionPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedExecution:
    """The latest revision of one execution family; a bust has zero lots."""

    exec_id: str
    revision: int
    lots: int
    price: Decimal
    executed_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """Lots of a contract bought and sold in a day, and the sum of lots × price over them, in the quoted unit."""

    lots: int
    points: Decimal


NOT_TRADED = Traded(lots=0, points=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """All that is known of one child order.

    `child` holds the terms that the broker is known to have (of the place until a modify is
    acknowledged), `pending` the gated terms of a modify without acknowledgement. `executions` is keyed by
    family. `messages` counts the frames sent: places, modifies and cancels. `outlived` tells that the broker showed it
    open when its expiry had passed by our clock and the broker's: both are wrong, and only the wire's word ends it.
    `told_lots` are the most that a status called filled. `placed_mid` is the mid at which it was approved, and
    `predicted_slippage` what a lot was then predicted to cost against it by the assumed constants, both in price units:
    a breaker judges fills by it, and no calibration may make that less sensitive.
    """

    child: ChildOrder
    client_id: int
    state: OrderState
    reserved_ns: int
    pending: ChildOrder | None = None
    executions: Mapping[str, BookedExecution] = field(default_factory=dict)
    booked_lots: int = 0
    average_price: Decimal | None = None
    perm_ids: frozenset[int] = frozenset()
    cancelled_perm_ids: frozenset[int] = frozenset()
    sent_ns: int | None = None
    acked_ns: int | None = None
    modify_sent_ns: int | None = None
    cancel_requested_ns: int | None = None
    messages: int = 0
    last_status: str | None = None
    last_error: str | None = None
    late_fill: bool = False
    overfilled: bool = False
    outlived: bool = False
    told_lots: int = 0
    placed_mid: Decimal | None = None
    predicted_slippage: Decimal | None = None

    @property
    def order_ref(self) -> str:
        """The order's own name."""
        return self.child.order_ref

    @property
    def terms(self) -> ChildOrder:
        """The latest gated terms, acknowledged or not."""
        return self.pending or self.child

    @property
    def total_lots(self) -> int:
        """The larger of the acknowledged and the pending total."""
        return self.child.lots if self.pending is None else max(self.child.lots, self.pending.lots)

    @property
    def expires_ns(self) -> int:
        """The later of the acknowledged and the pending expiry, UTC nanoseconds."""
        return self.child.expires_ns if self.pending is None else max(self.child.expires_ns, self.pending.expires_ns)

    @property
    def working_lots(self) -> int:
        """Lots that can still fill in the worst case."""
        return 0 if self.state.is_over else max(0, self.total_lots - self.booked_lots)

    @property
    def has_untold_fills(self) -> bool:
        """Whether a status told more lots than the executions; after a correction or a bust nobody knows."""
        is_revised = any(booking.revision > 1 for booking in self.executions.values())
        return self.told_lots > self.booked_lots and not is_revised

    @property
    def wire_cancelled(self) -> bool:
        """Whether the wire said Cancelled or ApiCancelled for every permId that the order has."""
        return bool(self.cancelled_perm_ids) and self.perm_ids <= self.cancelled_perm_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRecord:
    """What became of one slice so far; `carried_lots` were given to later slices."""

    number: int
    status: SliceStatus = SliceStatus.PLANNED
    order_refs: tuple[str, ...] = ()
    filled_lots: int = 0
    carried_lots: int = 0
    stage: Stage | None = None
    expires_ns: int | None = None
    sent_ns: int | None = None
    done_ns: int | None = None
    messages: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRecord:
    """What became of one parent order so far; `slices` are in order of their numbers.

    `began_ns` is when it was submitted, or, of one that begins later, when its start had come; None before. The
    `arrival_mid` is the mid of that moment.
    """

    parent_id: str
    plan: ExecutionPlan
    submitted_ns: int
    arrival_mid: Decimal | None
    slices: tuple[SliceRecord, ...]
    began_ns: int | None
    status: ParentStatus = ParentStatus.SCHEDULED
    reason: str = ""
    finished_ns: int | None = None
    filled_lots: int = 0
    messages: int = 0

    @property
    def order_refs(self) -> tuple[str, ...]:
        """All child orders of the parent, in the order of slices and attempts."""
        return tuple(ref for one in self.slices for ref in one.order_refs)

    @property
    def begins_ns(self) -> int:
        """From when the offsets of its plan count, but for pauses."""
        return self.plan.begins_ns(self.submitted_ns)

    def is_to_begin(self, now_ns: int) -> bool:
        """Whether it is scheduled for a start that is still to come."""
        return self.status is ParentStatus.SCHEDULED and self.began_ns is None and self.begins_ns > now_ns

    @property
    def was_sent(self) -> bool:
        """Whether any child order of the parent was handed to the socket."""
        return any(one.sent_ns is not None for one in self.slices)
