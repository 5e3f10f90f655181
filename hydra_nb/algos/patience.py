"""Limit with patience: one slice, one order, three stages, and an end that is proven.

::

    placing ──Propose──> live ──ladder's end, expiry, early cancel──> ending ──proven dead──> done
       ^  ^─refused─────┘  └──────────────filled────────────────────────┴──────filled───────> done
       └──────resumed── held <──────────proven dead while paused────────┘

The order is modified in place at each stage, price and expiry only. A modify that is refused, too late, or asked for
while an earlier one or the order itself is unanswered, is not made up for: the order stays at its gated price until it
expires, and the remaining stages are skipped. Nothing is placed anew before the predecessor is proven dead.
"""

from hydra_nb.algos.actions import CoreAction, Propose
from hydra_nb.algos.prices import MarketSight, ladder_price, last_resort
from hydra_nb.algos.proof import (
    BROKER_ENDED,
    answer_deadline_ns,
    await_answers,
    end,
    ending_wake_ns,
    held,
    settle,
    start_ending,
)
from hydra_nb.algos.slice_state import DOUBT_NS, MODIFY_ROOM_NS, PROOF_NS, RETRY_NS, Decided, Phase, SliceState
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, OrderState, SliceStatus, Stage
from hydra_nb.domain.values import replace
from hydra_nb.errors import InvariantBroken, invariant
from hydra_nb.ledger import OrderRecord

# Messages that accompany a living order: warnings, held until the open, a preset's time in force.
NOTICE_CODES = frozenset({399, 2109, 10349})


def decide(
    state: SliceState,
    event: ev.Event,
    *,
    now_ns: int,
    order: OrderRecord | None,
    connection: ConnectionState,
    sight: MarketSight | None = None,
) -> Decided:
    """Take in one event, already folded into `order`, and decide; `sight` comes with a `Woke` only."""
    state = _absorb(state, event, now_ns=now_ns, order=order)
    actions: tuple[CoreAction, ...] = ()
    if state.phase is Phase.PLACING:
        return _place(state, now_ns=now_ns, sight=sight)
    if state.phase is Phase.LIVE and state.proposed is not Action.PLACE:
        state, actions = _work(state, now_ns=now_ns, order=order, connection=connection, sight=sight)
    if state.phase is Phase.ENDING:
        state, more = end(state, now_ns=now_ns, order=order, connection=connection)
        actions += more
    return state, actions


def wake_ns(state: SliceState, *, order: OrderRecord | None) -> int | None:
    """When the slice next needs a `Woke`; a time that has passed means at once."""
    if state.phase is Phase.PLACING:
        return min(max(state.start_ns, state.retry_ns), max(state.end_ns, state.start_ns))
    if state.phase is Phase.LIVE and order is not None and state.proposed is not Action.PLACE:
        return _live_wake_ns(state, order=order)
    if state.phase is Phase.ENDING:
        return ending_wake_ns(state, order=order)
    return None


def pause(state: SliceState) -> SliceState:
    """Hold the slice: what rests is cancelled, and a new attempt follows when it is resumed."""
    if state.phase is Phase.PLACING:
        return replace(state, phase=Phase.HELD, paused=True)
    return replace(state, paused=True, renew=state.renew or state.phase is Phase.LIVE)


def interrupt(state: SliceState, *, now_ns: int, order: OrderRecord | None) -> SliceState:
    """Forget what died with the process: unanswered proposals, and how far the proof of an end had come."""
    if state.phase is Phase.LIVE and order is None:
        return replace(state, phase=Phase.PLACING, proposed=None)
    state = replace(state, proposed=None)
    return start_ending(state, now_ns=now_ns, reason=state.reason) if state.phase is Phase.ENDING else state


def resume(state: SliceState, *, shift_ns: int) -> SliceState:
    """Go on, with every time of the ladder later by the pause."""
    state = replace(
        state,
        paused=False,
        start_ns=state.start_ns + shift_ns,
        mid_end_ns=state.mid_end_ns + shift_ns,
        step_end_ns=state.step_end_ns + shift_ns,
        end_ns=state.end_ns + shift_ns,
    )
    if state.phase is Phase.HELD:
        return replace(state, phase=Phase.PLACING)
    return replace(state, renew=False) if state.phase is Phase.LIVE else state


def stop(state: SliceState, *, now_ns: int, reason: str, unsent: SliceStatus = SliceStatus.CANCELLED) -> SliceState:
    """End the slice for good: cancel what lives; where nothing does it is done, with status `unsent`."""
    if state.phase in (Phase.PLACING, Phase.HELD):
        outcome = SliceStatus.PARTIAL if state.filled_before else unsent
        return replace(state, phase=Phase.DONE, filled=state.filled_before, outcome=outcome, reason=reason)
    state = replace(state, renew=False, stopped=True)
    return start_ending(state, now_ns=now_ns, reason=reason) if state.phase is Phase.LIVE else state


def _absorb(state: SliceState, event: ev.Event, *, now_ns: int, order: OrderRecord | None) -> SliceState:
    """Take in what an event says of the present attempt, before anything is decided."""
    if isinstance(event, ev.ChildReserved) and event.child.order_ref == state.order_ref:
        return replace(state, proposed=None, stage=event.child.stage, price=event.child.limit_price)
    if isinstance(event, ev.TaskFailed) and order is None:
        return replace(state, proposed=None)  # the proposal failed before anything was reserved
    if getattr(event, "order_ref", None) != state.order_ref:
        return state
    match event:
        case ev.ChildRefused(action=Action.PLACE):
            state = replace(state, proposed=None, refusal=event.message, retry_ns=now_ns + RETRY_NS)
            if not event.transient:
                state = replace(state, hard_refusal=event.message)
            return replace(state, phase=Phase.PLACING) if state.phase is Phase.LIVE else state
        case ev.ChildRefused():
            return replace(state, proposed=None, skip=True, reason=f"a modify was refused: {event.message}")
        case ev.SendFailed(action=Action.MODIFY):
            return replace(state, skip=True, reason=f"a modify was not sent: {event.reason}")
        case ev.SendFailed():
            return replace(state, refusal=f"not sent: {event.reason}")
        case ev.ChildSent(action=Action.PLACE):
            return replace(state, sent=True)
        case ev.BrokerErrorReported() if order is not None and order.pending is not None and not _is_notice(event.code):
            return replace(state, skip=True, reason=f"the broker answered a modify with {event.code}: {event.message}")
        case ev.DeathProbed():
            # By our clock alone: where that is ahead, the broker ends nothing yet.
            outlives = event.still_open and order is not None and now_ns >= order.expires_ns
            state = replace(state, outlives=outlives)
            if state.phase is not Phase.ENDING:
                return replace(state, probe_ns=now_ns + DOUBT_NS)
            # An order that is seen to live after both cancels has not had them: it is worth one more.
            cancels = min(state.cancels, 1) if event.still_open else state.cancels
            return replace(state, probe_ns=now_ns + RETRY_NS, cancels=cancels)
    return state


def _is_notice(code: int) -> bool:
    return code in NOTICE_CODES or 2100 <= code <= 2169


def _place(state: SliceState, *, now_ns: int, sight: MarketSight | None) -> Decided:
    """Propose an order at the stage that the time says."""
    if now_ns >= state.end_ns or state.given_up:
        return _out_of_time(state), ()
    if sight is None or now_ns < max(state.start_ns, state.retry_ns):
        return state, ()
    terms, stage, leaves = state.terms, state.stage_at(now_ns), state.lots - state.filled_before
    invariant(0 < leaves <= 2 * state.planned_lots, f"slice {state.order_ref}: {leaves} lots to place")
    priced = ladder_price(stage, sight=sight, side=terms.side, tick=terms.tick, step=terms.step, limit=terms.limit)
    price = (
        priced.price
        if priced is not None
        else last_resort(
            previous=state.price,
            arrival_mid=terms.arrival_mid,
            side=terms.side,
            tick=terms.tick,
            limit=terms.limit,
        )
    )
    if price is None:
        return replace(state, retry_ns=now_ns + RETRY_NS, refusal="no price could be formed"), ()
    proposal = Propose(
        action=Action.PLACE,
        parent_id=terms.parent_id,
        slice=state.number,
        order_ref=state.order_ref,
        lots=leaves,
        limit_price=price,
        expires_ns=state.expiry_of(stage),
        stage=stage,
    )
    live = replace(
        state,
        phase=Phase.LIVE,
        proposed=Action.PLACE,
        stage=stage,
        price=price,
        # What an earlier attempt was told or asked says nothing about this one.
        skip=False,
        renew=False,
        probe_ns=None,
        outlives=False,
        reason="",
    )
    return live, (proposal,)


def _out_of_time(state: SliceState) -> SliceState:
    """End a slice of which nothing lives, and whose ladder has passed or is given up."""
    if state.sent or state.filled_before:
        outcome, reason = SliceStatus.PARTIAL, state.reason or "its time was over"
    elif state.refusal is not None:
        outcome, reason = SliceStatus.REFUSED, f"refused until its time was over: {state.refusal}"
    else:
        outcome, reason = SliceStatus.MISSED, "its time had passed when it could have started"
    return replace(state, phase=Phase.DONE, filled=state.filled_before, outcome=outcome, reason=reason)


def _work(
    state: SliceState,
    *,
    now_ns: int,
    order: OrderRecord | None,
    connection: ConnectionState,
    sight: MarketSight | None,
) -> Decided:
    """Look after a living order: its end, its answers, its stage."""
    if order is None:
        raise InvariantBroken(f"slice {state.order_ref} works an order that the ledger does not know")
    if order.state.is_over and order.sent_ns is None and order.booked_lots == 0:
        again = replace(state, phase=Phase.PLACING, attempt=state.attempt + 1, retry_ns=now_ns + RETRY_NS)
        return (held(again) if state.paused else again), ()
    if order.state.is_over:
        return settle(state, order=order), ()
    if state.paused:
        return start_ending(state, now_ns=now_ns, reason="paused"), ()
    if order.wire_cancelled or order.last_status == "Inactive":
        words = f"{BROKER_ENDED} ({order.last_error or order.last_status})"
        if now_ns >= order.expires_ns:
            words = "the order expired before its next stage"
        return start_ending(state, now_ns=now_ns, reason=state.reason or words), ()
    if now_ns >= min(state.end_ns, order.expires_ns + PROOF_NS):
        return start_ending(state, now_ns=now_ns, reason=state.reason or "the ladder ended"), ()
    state, actions = await_answers(state, now_ns=now_ns, order=order, connection=connection)
    if state.proposed is None and not state.skip and state.stage_at(now_ns) is not state.stage:
        state, more = _change_stage(state, now_ns=now_ns, order=order, connection=connection, sight=sight)
        actions += more
    return state, actions


def _change_stage(
    state: SliceState,
    *,
    now_ns: int,
    order: OrderRecord,
    connection: ConnectionState,
    sight: MarketSight | None,
) -> Decided:
    """Propose the next stage's price and expiry, or skip what remains of the ladder."""
    obstacle = None
    if order.state is not OrderState.WORKING or order.acked_ns is None:
        obstacle = f"the order was {order.state.value.replace('_', ' ')}"
    elif order.pending is not None:
        obstacle = "an earlier modify was not acknowledged"
    elif connection is not ConnectionState.UP:
        obstacle = f"the connection was {connection.value}"
    elif now_ns > order.expires_ns - MODIFY_ROOM_NS:
        obstacle = "it was too late for a modify"
    if obstacle is not None:
        return replace(state, skip=True, reason=f"the remaining stages were skipped: {obstacle}"), ()
    if sight is None:
        return state, ()
    terms, stage, previous = state.terms, state.stage_at(now_ns), order.child.limit_price
    priced = ladder_price(
        stage,
        sight=sight,
        side=terms.side,
        tick=terms.tick,
        step=terms.step,
        limit=terms.limit,
        previous=previous,
    )
    proposal = Propose(
        action=Action.MODIFY,
        parent_id=terms.parent_id,
        slice=state.number,
        order_ref=state.order_ref,
        lots=order.child.lots,
        limit_price=priced.price if priced is not None else previous,
        expires_ns=max(state.expiry_of(stage), order.expires_ns),
        stage=stage,
    )
    return replace(state, proposed=Action.MODIFY), (proposal,)


def _live_wake_ns(state: SliceState, *, order: OrderRecord) -> int:
    times = [state.end_ns, order.expires_ns + PROOF_NS]
    if not state.skip and state.proposed is None:
        if state.stage is Stage.MID:
            times.append(state.mid_end_ns)
        elif state.stage is Stage.STEP:
            times.append(state.step_end_ns)
    deadline = answer_deadline_ns(order)
    if deadline is not None and order.state is not OrderState.UNKNOWN and state.probe_ns is None:
        times.append(deadline)
    if state.probe_ns is not None:
        times.append(state.probe_ns)
    return min(times)
