"""Slices of a parent order: lots, jittered starts, ladders of patience. Every random number is drawn here."""

import math
import random
from decimal import Decimal
from fractions import Fraction

from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import Ladder, PlannedSlice
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import DurationTooShort, InvalidOrder

SLICE_SPACING_NS = 600 * NS_PER_S
CANCEL_ROOM_NS = 5 * NS_PER_S
SHORTEST_LADDER_NS = 35 * NS_PER_S


def plan_slices(
    lots: int,
    *,
    strategy: Strategy,
    slices: int,
    duration_ns: int | None,
    patience_ns: int,
    jitter: Decimal | float,
    rng: random.Random,
) -> tuple[tuple[PlannedSlice, ...], int]:
    """Draw the schedule of a parent order.

    Parameters
    ----------
    lots, slices
        Lots of the parent, and slices wanted; fewer lots than slices gives as many slices as lots.
    duration_ns
        From submission to the end of the last slice; None for 600 s a slice (TWAP), or the ladder and 5 s.
    patience_ns
        Length of the first stage; the others last a half and a quarter of it.
    jitter
        Fraction of the even gap by which gaps may differ from it, at least 0 and below 1.
    rng
        The only source of randomness.

    Returns
    -------
    tuple
        The slices, and the duration in nanoseconds.

    Raises
    ------
    InvalidOrder
        Where a number cannot be a schedule.
    DurationTooShort
        Where a ladder could be shorter than 35 s, whatever is drawn.
    """
    share = Fraction(str(jitter)) if math.isfinite(jitter) else Fraction(-1)
    _check(lots, slices=slices, duration_ns=duration_ns, patience_ns=patience_ns, share=share)
    full = Ladder(mid_ns=patience_ns, step_ns=patience_ns // 2, cross_ns=patience_ns // 4)
    if full.total_ns < SHORTEST_LADDER_NS:
        raise DurationTooShort(
            f"patience {_s(patience_ns)} s gives a ladder of {_s(full.total_ns)} s, under "
            f"{_s(SHORTEST_LADDER_NS)} s; take a patience of at least {_s(SHORTEST_LADDER_NS * 4 // 7)} s"
        )
    if strategy is Strategy.LIMIT_PATIENCE:
        return _one_slice(lots, full=full, duration_ns=duration_ns)
    sizes = split_lots(lots, slices=slices)
    number = len(sizes)
    duration = number * SLICE_SPACING_NS if duration_ns is None else duration_ns
    _check_room(duration, slices=number, share=share)
    starts = [0]
    for gap in draw_gaps(duration, slices=number, share=share, rng=rng):
        starts.append(starts[-1] + gap)
    even = Fraction(duration, number)
    low, high = even * (1 - share), even * (1 + share)
    planned = tuple(
        PlannedSlice(
            number=i + 1,
            lots=sizes[i],
            offset_ns=starts[i],
            earliest_ns=math.floor(max(i * low, duration - (number - i) * high)),
            latest_ns=math.ceil(min(i * high, duration - (number - i) * low)),
            ladder=fit_ladder(full, room_ns=starts[i + 1] - starts[i] - CANCEL_ROOM_NS),
        )
        for i in range(number)
    )
    return planned, duration


def split_lots(lots: int, *, slices: int) -> tuple[int, ...]:
    """Even sizes with the remainder on the first slices: 13 over 5 is 3, 3, 3, 2, 2; never a slice of zero."""
    number = min(lots, slices)
    each, rest = divmod(lots, number)
    return tuple(each + (i < rest) for i in range(number))


def draw_gaps(duration_ns: int, *, slices: int, share: Fraction, rng: random.Random) -> tuple[int, ...]:
    """Gaps within ±`share` of the even gap (to the nanosecond) that sum to the duration exactly.

    Deviations are drawn uniformly, their mean is taken off, and they are scaled back where one left its bounds;
    the last gap absorbs the rounding, for which the bounds keep a nanosecond a gap in reserve.
    """
    drawn = [rng.uniform(-1.0, 1.0) for _ in range(slices)]
    mean = math.fsum(drawn) / slices
    centred = [one - mean for one in drawn]
    widest = max(1.0, *(abs(one) for one in centred))
    reach_ns = max(0, math.floor(share * duration_ns / slices) - slices - 1)
    deviations = [int(reach_ns * one / widest) for one in centred[:-1]]
    deviations.append(-sum(deviations))
    even = [(i + 1) * duration_ns // slices - i * duration_ns // slices for i in range(slices)]
    return tuple(gap + deviation for gap, deviation in zip(even, deviations, strict=True))


def fit_ladder(full: Ladder, *, room_ns: int) -> Ladder:
    """The full ladder where it fits, else the room split 4:2:1."""
    if full.total_ns <= room_ns:
        return full
    step_ns, cross_ns = room_ns * 2 // 7, room_ns // 7
    return Ladder(mid_ns=room_ns - step_ns - cross_ns, step_ns=step_ns, cross_ns=cross_ns)


def _one_slice(lots: int, *, full: Ladder, duration_ns: int | None) -> tuple[tuple[PlannedSlice, ...], int]:
    duration = full.total_ns + CANCEL_ROOM_NS
    if duration_ns is not None:
        _check_room(duration_ns, slices=1, share=Fraction(0))
        duration = min(duration, duration_ns)
    ladder = fit_ladder(full, room_ns=duration - CANCEL_ROOM_NS)
    only = PlannedSlice(number=1, lots=lots, offset_ns=0, earliest_ns=0, latest_ns=0, ladder=ladder)
    return (only,), duration


def _check(lots: int, *, slices: int, duration_ns: int | None, patience_ns: int, share: Fraction) -> None:
    if lots < 1:
        raise InvalidOrder(f"{lots} lots; give a whole number of at least 1")
    if slices < 1:
        raise InvalidOrder(f"{slices} slices; give a whole number of at least 1")
    if not 0 <= share < 1:
        raise InvalidOrder(f"jitter {float(share):g}; give a fraction from 0 to below 1, for instance 0.20")
    if patience_ns <= 0:
        raise InvalidOrder(f"patience {_s(patience_ns)} s; give a positive number of seconds")
    if duration_ns is not None and duration_ns <= 0:
        raise InvalidOrder(f"duration {_s(duration_ns)} s; give a positive number of seconds")


def _check_room(duration_ns: int, *, slices: int, share: Fraction) -> None:
    """Judge by the shortest gap that jitter allows, so that the outcome does not hang on the draw."""
    # One gap fills the duration: it cannot be jittered.
    shortest = Fraction(duration_ns, slices) * (1 - share if slices > 1 else 1)
    need = SHORTEST_LADDER_NS + CANCEL_ROOM_NS
    if shortest >= need:
        return
    keep = 1 - share if slices > 1 else Fraction(1)
    needed_s = math.ceil(slices * need / keep / NS_PER_S)
    fitting = max(math.floor(duration_ns * (1 - share) / need), min(1, duration_ns // need))
    remedy = f"take at least {needed_s} s" + (f", or at most {fitting} slices" if fitting >= 1 else "")
    raise DurationTooShort(
        f"duration {_s(duration_ns)} s leaves {_s(int(shortest))} s for the shortest of {slices} slices, which needs "
        f"{_s(need)} s ({_s(SHORTEST_LADDER_NS)} s of patience and {_s(CANCEL_ROOM_NS)} s to cancel); {remedy}"
    )


def _s(time_ns: int) -> str:
    return f"{time_ns / NS_PER_S:g}"
