"""How one child order changes with each event.

::

    event                                       reserved   sent       working    cancel_p.  unknown    filled  dead
    ChildSent (place)                           sent       -          -          -          -          -       -
    SendFailed (place), no ack, no fill         dead       dead       unknown    unknown    dead       -       -
    status or open order, order lives           working    working    -          -          working*   -       -
    status Cancelled, ApiCancelled,
      PendingCancel                             cancel_p.  cancel_p.  cancel_p.  -          cancel_p.  -       -
    status Inactive                             unknown    unknown    unknown    -          -          -       -
    execution, total not reached                working    working    -          -          working*   - (l)   - (l)
    execution, total reached                    filled     filled     filled     filled     filled     - (l)   fill. (l)
    CancelRequested                             cancel_p.  cancel_p.  cancel_p.  -          cancel_p.  -       -
    AckTimedOut                                 unknown    unknown    unknown    unknown    -          -       -
    DeathProbed, proven                         dead       dead       dead       dead       dead       -       -
    DeathProbed, still open                     working    working    -          -          working*   -       -
    DeathProbed, gone but not proven            unknown    unknown    unknown    -          -          -       -
    BrokerErrorReported                         -          -          -          -          -          -       -

``-`` keeps the state; ``*`` is cancel_pending where a cancel was asked for or the wire said cancelled; ``(l)`` sets
the flag `late_fill` where lots were added. A status of PendingSubmit or ApiPending tells nothing. Proven means: the
wire said cancelled for every permId, or the expiry has passed by our clock and by the broker's, and the order was never
seen open after it; the order is not among the open orders; and the executions reply holds the lots that are booked, and
no fewer than a status or the list of completed orders told, see `untold_lots`. A modify is acknowledged by an open
order with its terms; it never changes the state. No error code ends an order.
"""

from decimal import Decimal

from hydra_nb.domain.events import (
    AckTimedOut,
    BrokerErrorReported,
    CancelRequested,
    ChildReserved,
    ChildSent,
    DeathProbed,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    SendFailed,
)
from hydra_nb.domain.orders import Action, OrderState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.domain.values import replace
from hydra_nb.ledger.records import BookedExecution, OrderRecord

OUR_PROOF_NS = 2 * NS_PER_S
BROKERS_PROOF_NS = NS_PER_S  # the broker tells its time, and keeps its expiries, in whole seconds
CANCELLED_WORDS = frozenset({"Cancelled", "ApiCancelled"})
SILENT_WORDS = frozenset({"PendingSubmit", "ApiPending"})


def reserve(record: OrderRecord | None, event: ChildReserved) -> OrderRecord:
    """Open a record for an approved place, or note the terms of an approved modify."""
    if record is None or event.action is Action.PLACE:
        return OrderRecord(
            child=event.child,
            client_id=event.client_id,
            state=OrderState.RESERVED,
            reserved_ns=event.time_ns,
            placed_mid=None if event.quote is None else event.quote.mid,
            predicted_slippage=event.predicted_slippage if event.assumed_slippage is None else event.assumed_slippage,
        )
    return replace(record, pending=event.child, modify_sent_ns=None)


def sent(record: OrderRecord, event: ChildSent) -> OrderRecord:
    """Note that a frame was handed to the socket."""
    if event.action is Action.MODIFY:
        return replace(record, modify_sent_ns=event.time_ns, messages=record.messages + 1)
    state = OrderState.SENT if record.state is OrderState.RESERVED else record.state
    return replace(record, state=state, sent_ns=event.time_ns, messages=record.messages + 1)


def send_failed(record: OrderRecord, event: SendFailed) -> OrderRecord:
    """Release what was reserved for a frame that never left."""
    if event.action is Action.MODIFY:
        return replace(record, pending=None, modify_sent_ns=None)
    if record.state.is_over:
        return record
    heard_of = record.acked_ns is not None or record.booked_lots > 0
    return replace(record, state=OrderState.UNKNOWN if heard_of else OrderState.DEAD)


def cancel_requested(record: OrderRecord, event: CancelRequested) -> OrderRecord:
    """Note that a cancel was handed to the socket."""
    return replace(
        record,
        state=record.state if record.state.is_over else OrderState.CANCEL_PENDING,
        cancel_requested_ns=event.time_ns,
        messages=record.messages + 1,
    )


def ack_timed_out(record: OrderRecord, _event: AckTimedOut) -> OrderRecord:
    """Doubt an order that does not answer."""
    return record if record.state.is_over else replace(record, state=OrderState.UNKNOWN)


def broker_error(record: OrderRecord, event: BrokerErrorReported) -> OrderRecord:
    """Keep the words of an error; it proves nothing."""
    return replace(record, last_error=f"{event.code}: {event.message}")


def status(record: OrderRecord, event: OrderStatusReported) -> OrderRecord:
    """Fold a raw order status."""
    perm_ids = record.perm_ids | {event.perm_id} if event.perm_id > 0 else record.perm_ids
    if event.status in SILENT_WORDS:
        return replace(record, perm_ids=perm_ids, last_status=record.last_status or event.status)
    heard = _heard(record, event, perm_ids=perm_ids)
    return heard if event.filled_lots <= record.told_lots else replace(heard, told_lots=event.filled_lots)


def open_order(record: OrderRecord, event: OpenOrderReported) -> OrderRecord:
    """Fold a raw open order; where it shows the terms of a pending modify, that is acknowledged."""
    perm_ids = record.perm_ids | {event.perm_id} if event.perm_id > 0 else record.perm_ids
    record = _heard(record, event, perm_ids=perm_ids)
    pending = record.pending
    if (
        pending is not None
        and event.limit_price == pending.limit_price
        and event.lots == pending.lots
        and event.expires_ns in (None, pending.expires_ns)
    ):
        return replace(record, child=pending, pending=None, modify_sent_ns=None)
    return record


def _heard(
    record: OrderRecord, event: OrderStatusReported | OpenOrderReported, *, perm_ids: frozenset[int]
) -> OrderRecord:
    """Fold the broker's word on an order."""
    word = event.status
    cancelled = record.cancelled_perm_ids | {event.perm_id} if word in CANCELLED_WORDS else record.cancelled_perm_ids
    state = record.state
    if not state.is_over:
        if word in CANCELLED_WORDS or word == "PendingCancel":
            state = OrderState.CANCEL_PENDING
        elif word == "Inactive":
            state = state if state is OrderState.CANCEL_PENDING else OrderState.UNKNOWN
        else:
            state = _alive(record)
    return replace(
        record,
        state=state,
        perm_ids=perm_ids,
        cancelled_perm_ids=cancelled,
        acked_ns=event.time_ns if record.acked_ns is None else record.acked_ns,
        last_status=word,
    )


def _alive(record: OrderRecord) -> OrderState:
    """State of an order that is known to live, by whether it is being cancelled."""
    dying = record.cancel_requested_ns is not None or bool(record.cancelled_perm_ids)
    return OrderState.CANCEL_PENDING if dying else OrderState.WORKING


def executed(record: OrderRecord, event: ExecutionReported) -> OrderRecord:
    """Book an execution: the latest revision of a family is its truth, whatever comes twice or late."""
    known = record.executions.get(event.family)
    if known is not None and known.revision >= event.revision:
        return record
    booking = BookedExecution(
        exec_id=event.exec_id,
        revision=event.revision,
        lots=event.lots,
        price=event.price,
        executed_ns=event.executed_ns,
        received_ns=event.time_ns,
    )
    executions = {**record.executions, event.family: booking}
    booked = sum(one.lots for one in executions.values())
    value = sum((one.price * one.lots for one in executions.values()), start=Decimal(0))
    state = record.state
    if booked >= record.total_lots:
        state = OrderState.FILLED
    elif not state.is_over:
        state = _alive(record)
    return replace(
        record,
        state=state,
        executions=executions,
        booked_lots=booked,
        average_price=value / booked if booked else None,
        perm_ids=record.perm_ids | {event.perm_id} if event.perm_id > 0 else record.perm_ids,
        acked_ns=event.time_ns if record.acked_ns is None else record.acked_ns,
        late_fill=record.late_fill or (record.state.is_over and booked > record.booked_lots),
        overfilled=record.overfilled or booked > record.total_lots,
    )


def death_probed(record: OrderRecord, event: DeathProbed) -> OrderRecord:
    """End an order where its death is proven; else keep or raise the doubt."""
    if record.state.is_over:
        return record
    if event.still_open:
        acked_ns = event.time_ns if record.acked_ns is None else record.acked_ns
        outlived = record.outlived or _has_expired(record, event)
        return replace(record, state=_alive(record), acked_ns=acked_ns, outlived=outlived)
    ended = record.wire_cancelled or _has_expired(record, event)
    if ended and event.executed_lots == record.booked_lots:
        return replace(record, state=OrderState.DEAD)
    dying = record.state is OrderState.CANCEL_PENDING
    return record if dying else replace(record, state=OrderState.UNKNOWN)


def _has_expired(record: OrderRecord, event: DeathProbed) -> bool:
    """Whether both clocks are past the expiry: either alone may have been set wrong.

    Both have been where the order was seen open past its expiry; then no time proves its end.
    """
    by_ours = event.time_ns >= record.expires_ns + OUR_PROOF_NS
    by_brokers = event.broker_ns is not None and event.broker_ns >= record.expires_ns + BROKERS_PROOF_NS
    return by_ours and by_brokers and not record.outlived


def untold_lots(record: OrderRecord, told_lots: int, *, unlocked_ns: int | None) -> int:
    """Lots of an order that a status, or the list of completed orders, calls filled, and of which no execution told.

    None where its contract was unlocked after its expiry, at `unlocked_ns`: a person explained them. None once a
    correction or a bust was told: nobody knows whether `told_lots` follow those.
    """
    is_explained = unlocked_ns is not None and unlocked_ns >= record.expires_ns
    if is_explained or any(booking.revision > 1 for booking in record.executions.values()):
        return 0
    return max(0, told_lots - record.booked_lots)
