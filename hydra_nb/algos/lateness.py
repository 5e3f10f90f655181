"""What a busy cell does to a schedule: which slices came late, and which of them leave their lots to later ones.

A loop that is held up carries out nothing, and finds everything due at once when it runs again. What was late is not
made up for: a slice whose patient time has passed is given up where later slices can take its lots, any other is worked
in the time that is left to it, at the stage that the time says.
"""

from hydra_nb.algos.slice_state import Phase, SliceState
from hydra_nb.domain.events import SliceDelayed, delay_words
from hydra_nb.domain.orders import SliceStatus, Stage
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.domain.values import replace

LATE_NS = NS_PER_S
MOST_OF_PLANNED = 2
"""A slice works at most this many times its planned lots, whatever was carried to it."""

_NEVER_NS = 2**63 - 1


def room_of(one: SliceState) -> int:
    """Lots that a slice may still take over from others."""
    return MOST_OF_PLANNED * one.planned_lots - one.lots


def mark(slices: tuple[SliceState, ...], *, now_ns: int) -> tuple[SliceState, ...]:
    """Note at the slices that have not ended how late they are, and give up those that others can stand in for.

    Parameters
    ----------
    slices
        Those begun, then those that wait, in the order of their times.
    now_ns
        When the loop runs again.
    """
    room = sum(room_of(one) for one in slices if one.start_ns > now_ns)
    marked = []
    for one in slices:
        late_ns = now_ns - due_ns(one)
        if late_ns >= LATE_NS:
            is_lost = one.has_sent_nothing and now_ns >= one.end_ns
            is_given_up = one.has_sent_nothing and not is_lost and now_ns >= one.mid_end_ns and one.lots <= room
            room -= one.lots if is_lost or is_given_up else 0
            one = replace(one, late_ns=max(late_ns, one.late_ns), given_up=is_given_up)
        marked.append(one)
    return tuple(marked)


def due_ns(one: SliceState) -> int:
    """When a slice next has something to do by itself; never, once its order is to be ended or is held."""
    if one.phase is Phase.PLACING:
        return max(one.start_ns, one.retry_ns)
    if one.phase is not Phase.LIVE:
        return _NEVER_NS
    if one.skip or one.stage is Stage.CROSS:
        return one.end_ns
    return one.mid_end_ns if one.stage is Stage.MID else one.step_end_ns


def delayed(one: SliceState, *, now_ns: int) -> SliceDelayed:
    """Give the event that tells of a slice which is late."""
    late_ns = now_ns - due_ns(one)
    return SliceDelayed(time_ns=now_ns, parent_id=one.terms.parent_id, slice=one.number, late_ns=late_ns)


def final_reason(one: SliceState, *, left: int, carried: int) -> str:
    """Reason of a finished slice, which left so many lots and passed so many on; a delay is told first."""
    if not one.late_ns:
        return one.reason
    words = delay_words(one.number, late_ns=one.late_ns)
    if one.outcome is not SliceStatus.MISSED:
        return f"{words}; {one.reason}"
    if carried == left:
        return f"{words}; its lots were re-spread."
    if carried:
        return f"{words}; {carried} of its {left} lots were re-spread, the later slices had no room for more."
    return f"{words}; no later slice had room for its lots."
