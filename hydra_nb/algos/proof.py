"""How an order is doubted, ended and proven dead. Nothing is placed anew, or carried on, before that."""

from hydra_nb.algos.actions import CancelChild, CoreAction, ProbeDeath, Record
from hydra_nb.algos.slice_state import ACK_NS, DOUBT_NS, PROOF_NS, RETRY_NS, UNRESOLVED_NS, Decided, Phase, SliceState
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import OrderState, SliceStatus
from hydra_nb.domain.values import replace
from hydra_nb.ledger import OrderRecord

BROKER_ENDED = "the broker ended the order early"


def await_answers(state: SliceState, *, now_ns: int, order: OrderRecord, connection: ConnectionState) -> Decided:
    """Doubt an order or a modify without an answer for 10 s, and ask the broker about a doubtful one."""
    actions: tuple[CoreAction, ...] = ()
    deadline = answer_deadline_ns(order)
    if deadline is not None and now_ns >= deadline and order.state is not OrderState.UNKNOWN and state.probe_ns is None:
        reason = "a modify was not acknowledged" if order.pending is not None else state.reason
        skip = state.skip or order.pending is not None
        state = replace(state, skip=skip, reason=reason, probe_ns=now_ns)
        actions = (Record(event=ev.AckTimedOut(time_ns=now_ns, order_ref=order.order_ref)),)
    elif state.probe_ns is None and is_doubtful(order):
        state = replace(state, probe_ns=now_ns + PROOF_NS)
    elif state.probe_ns is not None and not actions and not is_doubtful(order) and deadline is None:
        state = replace(state, probe_ns=None)
    if state.probe_ns is not None and now_ns >= state.probe_ns:
        if connection is not ConnectionState.UP:
            return replace(state, probe_ns=now_ns + RETRY_NS), actions
        state = replace(state, probe_ns=now_ns + DOUBT_NS)
        actions += (ProbeDeath(order_ref=order.order_ref),)
    return state, actions


def answer_deadline_ns(order: OrderRecord) -> int | None:
    """When the last frame of an order should have been answered; None where nothing is awaited."""
    if order.pending is not None:
        return order.modify_sent_ns + ACK_NS if order.modify_sent_ns is not None else None
    if order.acked_ns is None and order.sent_ns is not None:
        return order.sent_ns + ACK_NS
    return None


def is_doubtful(order: OrderRecord) -> bool:
    """Whether the broker must be asked: no answer, or a status of filled without the executions."""
    return order.state is OrderState.UNKNOWN or order.last_status == "Filled"


def start_ending(state: SliceState, *, now_ns: int, reason: str) -> SliceState:
    """Begin to cancel the order and to prove its death."""
    return replace(
        state, phase=Phase.ENDING, ending_ns=now_ns, cancels=0, next_cancel_ns=now_ns, probe_ns=None, reason=reason
    )


def end(state: SliceState, *, now_ns: int, order: OrderRecord | None, connection: ConnectionState) -> Decided:
    """Cancel the order, and ask until its death is proven; give up after 120 s.

    While the slice is held nothing waits for it, so that a lost order is given until 120 s after its expiry.
    """
    if order is None:
        waits = state.proposed is not None and now_ns < state.ending_ns + UNRESOLVED_NS
        return (state if waits else settle(state, order=None)), ()
    if order.state.is_over:
        return settle(state, order=order), ()
    if now_ns >= _given_up_ns(state, order=order):
        filled = state.filled_before + order.booked_lots
        reason = f"order {order.order_ref} is unresolved 120 s after its end"
        return replace(state, phase=Phase.DONE, outcome=SliceStatus.UNKNOWN, filled=filled, reason=reason), ()
    state, actions = _cancel(state, now_ns=now_ns, order=order, connection=connection)
    if _is_provable(state, order=order) or now_ns >= order.expires_ns + PROOF_NS:
        if state.probe_ns is not None and now_ns < state.probe_ns:
            return state, actions
        if connection is not ConnectionState.UP:
            return replace(state, probe_ns=now_ns + RETRY_NS), actions
        state = replace(state, probe_ns=now_ns + DOUBT_NS)
        actions += (ProbeDeath(order_ref=order.order_ref),)
    return state, actions


def _given_up_ns(state: SliceState, *, order: OrderRecord | None) -> int:
    """When an order that cannot be proven dead is left to a person."""
    if order is not None and (state.paused or state.renew):
        return max(state.ending_ns, order.expires_ns) + UNRESOLVED_NS
    return state.ending_ns + UNRESOLVED_NS


def _cancel(state: SliceState, *, now_ns: int, order: OrderRecord, connection: ConnectionState) -> Decided:
    """Cancel what has not ended, also on its way to the wire; again where no answer came for 10 s."""
    if not _wants_cancel(state, order=order) or now_ns < state.next_cancel_ns:
        return state, ()
    if now_ns >= order.expires_ns and not state.outlives:
        return replace(state, cancels=2), ()  # the broker has ended it by itself, unless it shows it open when asked
    if connection is ConnectionState.DOWN:
        return replace(state, next_cancel_ns=now_ns + RETRY_NS), ()
    actions: tuple[CoreAction, ...] = (CancelChild(order_ref=order.order_ref, reason=state.reason),)
    if state.cancels == 1:
        actions = (Record(event=ev.AckTimedOut(time_ns=now_ns, order_ref=order.order_ref)), *actions)
    return replace(state, cancels=state.cancels + 1, next_cancel_ns=now_ns + ACK_NS), actions


def _wants_cancel(state: SliceState, *, order: OrderRecord) -> bool:
    return not order.wire_cancelled and state.cancels < 2


def _is_provable(state: SliceState, *, order: OrderRecord) -> bool:
    """Whether asking the broker can prove or clear up anything before the expiry has passed."""
    return order.wire_cancelled or is_doubtful(order) or state.cancels >= 2


def settle(state: SliceState, *, order: OrderRecord | None) -> SliceState:
    """Count what the ended attempt filled; the slice is done, or held or placed anew around a pause."""
    filled = state.filled_before + (order.booked_lots if order is not None else 0)
    short = filled < state.lots
    if short and state.renew:
        attempt = state.attempt + 1 if order is not None else state.attempt
        state = replace(state, phase=Phase.PLACING, attempt=attempt, filled_before=filled, renew=False)
        state = replace(state, price=None, stage=None, retry_ns=0)
        return held(state) if state.paused else state
    if order is not None and order.state is OrderState.FILLED:
        short = False
    if not short:
        outcome, reason = SliceStatus.FILLED, "filled"
    elif not filled and (order is None or order.sent_ns is None):
        refused = order is None and state.refusal is not None
        outcome, reason = (SliceStatus.REFUSED if refused else SliceStatus.CANCELLED), state.refusal or state.reason
    elif filled or not (state.stopped or state.reason.startswith(BROKER_ENDED)):
        outcome, reason = SliceStatus.PARTIAL, state.reason or "the order ended before its ladder"
    else:
        outcome, reason = SliceStatus.CANCELLED, state.reason
    return replace(state, phase=Phase.DONE, filled=filled, outcome=outcome, reason=reason)


def held(state: SliceState) -> SliceState:
    """Keep the slice until it is resumed."""
    return replace(state, phase=Phase.HELD)


def ending_wake_ns(state: SliceState, *, order: OrderRecord | None) -> int:
    """When a slice that ends next needs a `Woke`."""
    times = [_given_up_ns(state, order=order)]
    if order is not None:
        probe_ns = state.probe_ns if state.probe_ns is not None else state.ending_ns
        provable = _is_provable(state, order=order)
        times.append(probe_ns if provable else max(probe_ns, order.expires_ns + PROOF_NS))
        if _wants_cancel(state, order=order):
            times.append(state.next_cancel_ns)
    return min(times)
