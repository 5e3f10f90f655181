"""The parent order: starts its slices, carries what they left, and says how it ended.

Limit with patience is the same with one slice. Every lot is in one place at any time: filled by a finished slice, held
by an active one, planned for a waiting one, or in the pool of lots that no slice may take; the pool ends as shortfall.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from hydra_nb.algos import lateness, patience
from hydra_nb.algos.actions import CoreAction, Record, WakeAt
from hydra_nb.algos.prices import MarketMemory, MarketSight, Remembered, look, remember
from hydra_nb.algos.slice_state import SliceState, Terms
from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import stops, trip_words
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus, SliceStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.domain.values import replace
from hydra_nb.errors import invariant
from hydra_nb.ledger import OrderRecord

SHORTEST_NAP_NS = NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why a parent goes no further, and the status that it would end with."""

    status: ParentStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentState:
    """A running parent order.

    `waiting` slices have not started, `active` ones have and are not over; `settled_lots` are those that finished
    slices filled, `unresolved_lots` those of finished slices that may still fill, `wake_ns` the timer that is set.
    Offsets count from `begins_ns`; until it `began`, the start of a plan that begins later is still to come.
    """

    terms: Terms
    lots: int
    waiting: tuple[SliceState, ...]
    active: tuple[SliceState, ...] = ()
    settled_lots: int = 0
    unresolved_lots: int = 0
    pool_lots: int = 0
    memory: MarketMemory
    begins_ns: int
    began: bool
    paused_ns: int | None = None
    stop: Stop | None = None
    sent: bool = False
    refusal: str | None = None
    over: bool = False
    wake_ns: int | None = None


def begin(event: ev.ParentSubmitted, *, ref_prefix: str, seen: MarketMemory) -> ParentState:
    """State of a parent that was submitted; the plan's offsets count from the event's time, or from its own start.

    `seen` is what earlier parents of the same contract and side remember: where an order of theirs is the whole
    touch, this parent could not know the others'.
    """
    plan, parent = event.plan, event.plan.parent
    begins_ns = plan.begins_ns(event.time_ns)
    began = begins_ns <= event.time_ns
    arrival_mid = event.quote.mid if began and event.quote is not None else None
    terms = Terms(
        parent_id=event.parent_id,
        ref_prefix=ref_prefix,
        con_id=parent.contract.con_id,
        side=parent.side,
        tick=parent.contract.tick,
        step=plan.step,
        limit=parent.limit,
        arrival_mid=arrival_mid,
    )
    waiting = []
    for planned in plan.slices:
        start_ns, ladder = begins_ns + planned.offset_ns, planned.ladder
        waiting.append(
            SliceState(
                terms=terms,
                number=planned.number,
                planned_lots=planned.lots,
                lots=planned.lots,
                start_ns=start_ns,
                mid_end_ns=start_ns + ladder.mid_ns,
                step_end_ns=start_ns + ladder.mid_ns + ladder.step_ns,
                end_ns=start_ns + ladder.total_ns,
            )
        )
    mid = Remembered(price=arrival_mid, time_ns=event.time_ns) if arrival_mid is not None else seen.mid
    return ParentState(
        terms=terms,
        lots=parent.lots,
        waiting=tuple(waiting),
        memory=replace(seen, mid=mid),
        begins_ns=begins_ns,
        began=began,
    )


def decide(
    state: ParentState,
    event: ev.Event,
    *,
    now_ns: int,
    orders: Mapping[str, OrderRecord],
    connection: ConnectionState,
    own: Mapping[Decimal, int],
) -> tuple[ParentState, tuple[CoreAction, ...]]:
    """Take in one event, already folded, and decide.

    `orders` are the ledger's, by orderRef; `own` our working lots of this side of the contract by limit price, needed
    with a `Woke` only.
    """
    if state.over:
        return state, ()
    state, sight = _absorb(state, event, now_ns=now_ns, orders=orders, own=own)
    if state.over:
        return state, ()
    news: tuple[CoreAction, ...] = ()
    if isinstance(event, ev.LoopStalled):
        state, news = _note_delays(state, now_ns=now_ns)
    elif isinstance(event, ev.Woke):
        news = _tell_beginning(state, event, now_ns=now_ns)
    state = _start_slices(state, now_ns=now_ns)
    actions: list[CoreAction] = []
    ask = partial(_advance, event=event, now_ns=now_ns, orders=orders, connection=connection, sight=sight)
    decided = ask(state, actions=actions)
    if decided.stop is not None and state.stop is None:
        # A slice's end stopped the parent: decide again as if that had been known, so that nothing is placed beside it.
        actions.clear()
        decided = ask(_stop_slices(replace(state, stop=decided.stop), now_ns=now_ns), actions=actions)
    actions[:0] = news
    state = decided
    if not state.waiting and not state.active:
        status, reason = _verdict(state)
        actions.append(
            Record(
                event=ev.ParentFinished(time_ns=now_ns, parent_id=state.terms.parent_id, status=status, reason=reason)
            )
        )
        return replace(state, over=True), tuple(actions)
    state = _arm(state, now_ns=now_ns, orders=orders, actions=actions, woken=sight is not None)
    return state, tuple(actions)


def _absorb(
    state: ParentState,
    event: ev.Event,
    *,
    now_ns: int,
    orders: Mapping[str, OrderRecord],
    own: Mapping[Decimal, int],
) -> tuple[ParentState, MarketSight | None]:
    """Take in what an event says of the parent as a whole; the sight of the market where it brings one."""
    match event:
        case ev.Woke():
            side = state.terms.side
            memory = remember(state.memory, event.quote, side=side, own=own, now_ns=now_ns)
            wake_ns = None if state.wake_ns is not None and now_ns >= state.wake_ns else state.wake_ns
            sight = look(event.quote, side=side, own=own, memory=memory, now_ns=now_ns)
            return replace(state, memory=memory, wake_ns=wake_ns), sight
        case ev.ExecutionReported():
            order = orders.get(event.order_ref)
            if order is not None and (order.late_fill or order.overfilled):
                words = "filled more than its lots" if order.overfilled else "filled after its end"
                halt = Stop(status=ParentStatus.NEEDS_HUMAN, reason=f"order {order.order_ref} {words}")
                state = _halt(state, halt, now_ns=now_ns)
        case ev.ChildSent():
            state = state if state.sent else replace(state, sent=True)
        case ev.ParentBegan() if not state.began:
            state = _begin_now(state, event)
        case ev.ParentPaused() if state.paused_ns is None and state.stop is None:
            state = replace(state, paused_ns=now_ns, active=tuple(patience.pause(one) for one in state.active))
        case ev.ParentResumed() if state.paused_ns is not None:
            # A start that is still to come was fixed for that time, and a pause before it moves nothing.
            shift_ns = max(0, now_ns - max(state.paused_ns, state.begins_ns))
            state = replace(
                state,
                paused_ns=None,
                active=tuple(patience.resume(one, shift_ns=shift_ns) for one in state.active),
                waiting=tuple(patience.resume(one, shift_ns=shift_ns) for one in state.waiting),
            )
        case ev.ParentInterrupted():
            state = _interrupt(state, event, now_ns=now_ns, orders=orders)
        case ev.ContractLocked():
            words = f"{event.local_symbol} is locked: {event.reason}"
            state = _halt(state, Stop(status=ParentStatus.NEEDS_HUMAN, reason=words), now_ns=now_ns)
        case ev.ParentCancelAsked():
            state = _halt(state, Stop(status=ParentStatus.CANCELLED, reason=event.reason), now_ns=now_ns)
        case ev.Killed():
            state = _halt(state, Stop(status=ParentStatus.CANCELLED, reason=f"killed: {event.reason}"), now_ns=now_ns)
        case ev.BreakerTripped() if stops(event, con_id=state.terms.con_id, side=state.terms.side):
            state = _halt(state, Stop(status=ParentStatus.PARTIAL, reason=trip_words(event)), now_ns=now_ns)
        case ev.TaskFailed():
            words = f"an unexpected error in {event.where}: {event.error}"
            state = _halt(state, Stop(status=ParentStatus.CANCELLED, reason=words), now_ns=now_ns)
        case ev.ParentRefused():
            state = _halt(state, Stop(status=ParentStatus.REFUSED, reason=event.message), now_ns=now_ns)
        case ev.ParentFinished():
            state = replace(state, over=True)
    return state, None


def _interrupt(
    state: ParentState, event: ev.ParentInterrupted, *, now_ns: int, orders: Mapping[str, OrderRecord]
) -> ParentState:
    """Hold the parent as by a pause since its process was last alive; its timer died with that process."""
    active = tuple(patience.interrupt(one, now_ns=now_ns, order=orders.get(one.order_ref)) for one in state.active)
    state = replace(state, active=active, wake_ns=None)
    if state.stop is not None:
        return _stop_slices(state, now_ns=now_ns)
    if state.paused_ns is None:
        state = replace(state, paused_ns=event.since_ns, active=tuple(patience.pause(one) for one in state.active))
    return state


def _halt(state: ParentState, stop: Stop, *, now_ns: int) -> ParentState:
    """Stop the parent; the first reason stays, but that a person is needed outweighs all others."""
    if state.stop is None or (
        stop.status is ParentStatus.NEEDS_HUMAN and state.stop.status is not ParentStatus.NEEDS_HUMAN
    ):
        state = replace(state, stop=stop)
    return _stop_slices(state, now_ns=now_ns)


def _stop_slices(state: ParentState, *, now_ns: int) -> ParentState:
    """End every slice; those without a living order are then done, the waiting ones among them."""
    if state.stop is None:
        return state
    refused = state.stop.status in (ParentStatus.REFUSED, ParentStatus.PARTIAL)
    unsent = SliceStatus.REFUSED if refused else SliceStatus.CANCELLED
    ended = tuple(
        one if one.is_done else patience.stop(one, now_ns=now_ns, reason=state.stop.reason, unsent=unsent)
        for one in (*state.active, *state.waiting)
    )
    return replace(state, active=ended, waiting=())


def _note_delays(state: ParentState, *, now_ns: int) -> tuple[ParentState, tuple[CoreAction, ...]]:
    """Note which slices a loop that was held up delayed, and tell of them."""
    if state.paused_ns is not None or state.stop is not None:
        return state, ()
    before = (*state.active, *state.waiting)
    after = lateness.mark(before, now_ns=now_ns)
    told = tuple(
        Record(event=lateness.delayed(one, now_ns=now_ns))
        for known, one in zip(before, after, strict=True)
        if one is not known
    )
    begun = len(state.active)
    return replace(state, active=after[:begun], waiting=after[begun:]), told


def _tell_beginning(state: ParentState, event: ev.Woke, *, now_ns: int) -> tuple[CoreAction, ...]:
    """Tell that the start has come, of a plan that begins later; its slices start when that is a fact."""
    held = state.began or state.paused_ns is not None or state.stop is not None
    if held or not state.waiting or state.waiting[0].start_ns > now_ns:
        return ()
    return (Record(event=ev.ParentBegan(time_ns=now_ns, parent_id=state.terms.parent_id, quote=event.quote)),)


def _begin_now(state: ParentState, event: ev.ParentBegan) -> ParentState:
    """Take the market as it is at the start for that of the arrival."""
    mid = event.quote.mid if event.quote is not None else None
    terms = replace(state.terms, arrival_mid=mid)
    waiting = tuple(replace(one, terms=terms) for one in state.waiting)
    memory = state.memory if mid is None else replace(state.memory, mid=Remembered(price=mid, time_ns=event.time_ns))
    return replace(state, terms=terms, waiting=waiting, memory=memory, began=True)


def _start_slices(state: ParentState, *, now_ns: int) -> ParentState:
    """Make the slices active whose time has come."""
    if not state.began or state.paused_ns is not None or not state.waiting or state.waiting[0].start_ns > now_ns:
        return state
    due = sum(1 for one in state.waiting if one.start_ns <= now_ns)
    return replace(state, active=(*state.active, *state.waiting[:due]), waiting=state.waiting[due:])


def _advance(
    state: ParentState,
    *,
    event: ev.Event,
    now_ns: int,
    orders: Mapping[str, OrderRecord],
    connection: ConnectionState,
    sight: MarketSight | None,
    actions: list[CoreAction],
) -> ParentState:
    """Ask every active slice, and take out those that are done."""
    advanced = []
    changed = False
    for one in state.active:
        after = one
        if not one.is_done:
            order = orders.get(one.order_ref)
            after, asked = patience.decide(one, event, now_ns=now_ns, order=order, connection=connection, sight=sight)
            actions.extend(asked)
        changed = changed or after is not one or one.is_done
        advanced.append(after)
    if not changed:
        return state
    return _collect(replace(state, active=tuple(advanced)), now_ns=now_ns, orders=orders, actions=actions)


def _collect(
    state: ParentState, *, now_ns: int, orders: Mapping[str, OrderRecord], actions: list[CoreAction]
) -> ParentState:
    """Take the finished slices out, carry what they left, and stop the parent where one of them asks for it."""
    hard = next((one.hard_refusal for one in state.active if one.hard_refusal is not None), None)
    if hard is not None and state.stop is None:
        state = replace(state, stop=Stop(status=ParentStatus.PARTIAL, reason=f"refused: {hard}"))
    done = [one for one in state.active if one.is_done]
    if not done:
        return state
    state = replace(state, active=tuple(one for one in state.active if not one.is_done))
    for one in done:
        state = _finish_slice(state, one, now_ns=now_ns, orders=orders, actions=actions)
    held = sum(one.lots for one in (*state.active, *state.waiting))
    accounted = state.settled_lots + state.unresolved_lots + state.pool_lots + held
    # A parent that is being stopped places nothing more, and must come to its end whatever was wrong.
    invariant(
        accounted == state.lots or state.stop is not None,
        f"parent {state.terms.parent_id}: {accounted} lots accounted for, {state.lots} ordered",
    )
    return state


def _finish_slice(
    state: ParentState,
    one: SliceState,
    *,
    now_ns: int,
    orders: Mapping[str, OrderRecord],
    actions: list[CoreAction],
) -> ParentState:
    """Count a finished slice, carry its lots and record it."""
    outcome = one.outcome or SliceStatus.UNKNOWN
    left = 0 if outcome is SliceStatus.FILLED else max(0, one.lots - one.filled)
    settled = one.lots if outcome is SliceStatus.FILLED else one.filled
    carried = 0
    if outcome is SliceStatus.UNKNOWN:
        state = replace(state, unresolved_lots=state.unresolved_lots + left)
        if state.stop is None or state.stop.status is not ParentStatus.NEEDS_HUMAN:
            state = replace(state, stop=Stop(status=ParentStatus.NEEDS_HUMAN, reason=one.reason))
    elif left:
        before = state.pool_lots + left
        waiting = state.waiting
        pool = before
        if state.stop is None:
            waiting, pool = spread(before, over=state.waiting)
        carried = min(left, before - pool)
        state = replace(state, waiting=waiting, pool_lots=pool)
    order = orders.get(one.order_ref)
    sent = state.sent or one.filled > 0 or (order is not None and order.sent_ns is not None)
    refusal = one.refusal if outcome is SliceStatus.REFUSED else state.refusal
    state = replace(state, settled_lots=state.settled_lots + settled, sent=sent, refusal=refusal)
    finished = ev.SliceFinished(
        time_ns=now_ns,
        parent_id=state.terms.parent_id,
        slice=one.number,
        filled_lots=one.filled,
        carried_lots=carried,
        status=outcome,
        reason=lateness.final_reason(one, left=left, carried=carried),
    )
    actions.append(Record(event=finished))
    return state


def spread(lots: int, *, over: tuple[SliceState, ...]) -> tuple[tuple[SliceState, ...], int]:
    """Spread lots evenly over slices, the first ones getting the remainder, each up to twice its planned lots.

    Returns
    -------
    tuple
        The slices, and the lots that none of them may take.
    """
    rooms = [lateness.room_of(one) for one in over]
    given = [0] * len(over)
    while lots > 0:
        takers = [i for i, room in enumerate(rooms) if room > given[i]]
        if not takers:
            break
        each, rest = divmod(lots, len(takers))
        for place, i in enumerate(takers):
            taken = min(each + (place < rest), rooms[i] - given[i])
            given[i] += taken
            lots -= taken
    return tuple(
        replace(one, lots=one.lots + more) if more else one for one, more in zip(over, given, strict=True)
    ), lots


def _verdict(state: ParentState) -> tuple[ParentStatus, str]:
    """Final status of a parent of which nothing lives, and the reason in words."""
    filled = f"{state.settled_lots} of {state.lots} lots filled"
    stop = state.stop
    if stop is not None and stop.status is ParentStatus.NEEDS_HUMAN:
        return ParentStatus.NEEDS_HUMAN, f"{filled}; {stop.reason}"
    if state.settled_lots >= state.lots:
        return ParentStatus.FILLED, filled
    if stop is not None and stop.status is ParentStatus.CANCELLED:
        return ParentStatus.CANCELLED, f"{filled}; {stop.reason}"
    why = stop.reason if stop is not None else state.refusal
    if not state.sent and why is not None:
        return ParentStatus.REFUSED, why
    return ParentStatus.PARTIAL, filled if why is None else f"{filled}; {why}"


def _arm(
    state: ParentState, *, now_ns: int, orders: Mapping[str, OrderRecord], actions: list[CoreAction], woken: bool
) -> ParentState:
    """Ask to be woken when the next thing is due, unless a timer is already set for then or earlier."""
    times = [at for one in state.active if (at := patience.wake_ns(one, order=orders.get(one.order_ref))) is not None]
    if state.waiting and state.paused_ns is None:
        times.append(state.waiting[0].start_ns)
    if not times:
        return state
    # A timer that asked for itself again at once would freeze everything else.
    due_ns = max(min(times), now_ns + SHORTEST_NAP_NS if woken else now_ns)
    if state.wake_ns is not None and state.wake_ns <= due_ns:
        return state
    actions.append(WakeAt(parent_id=state.terms.parent_id, time_ns=due_ns))
    return replace(state, wake_ns=due_ns)
