"""What else might have been done with a parent order, on the quotes that were recorded: crossing, patience, TWAP.

Only the touch is recorded, and nobody knows who would have answered to an order that was not there. So every lot has
bounds, the cheapest and the dearest that the record allows. A lot that crosses costs the touch while it is shown, and
at least the touch beyond. A lot that rests surely fills once the market is quoted or trades through its price, perhaps
once it is touched, and nobody is taken to react to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from hydra_nb.algos.prices import MarketMemory, ladder_price, look, remember
from hydra_nb.analysis.own_orders import OwnOrders
from hydra_nb.analysis.tape import Tape
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.plan import Ladder
from hydra_nb.domain.units import NS_PER_S

BEYOND_SHOWN: Final = np.inf
"""Most that a lot may cost of which no quote was shown: nothing bounds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Cheapest and dearest price of one lot, as a cost; NaN where it cannot fill.

    `may_stay` tells that it may as well not fill at all.
    """

    low: float
    high: float
    may_stay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an alternative would have come to.

    `lots` has one entry a lot, or is None where nothing can be said; `surely` and `maybe` are the lots filled at the
    least and the most; `ended_ns` is when it would have been over; `lacks` says what is not known.
    """

    lots: tuple[Lot, ...] | None
    surely: int
    maybe: int
    ended_ns: int
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Lots that cross at one moment."""

    time_ns: int
    lots: int


def crossing(tape: Tape, clips: Sequence[Clip]) -> Outcome:
    """Take the opposite touch at each moment."""
    made: list[Lot] = []
    surely, silent = 0, 0
    for clip in clips:
        row = tape.at(clip.time_ns)
        price = np.nan if row is None else float(tape.far[row])
        silent += bool(np.isnan(price))
        shown = 0 if row is None or np.isnan(price) else min(clip.lots, int(tape.far_lots[row]))
        surely += shown
        made += [Lot(low=price, high=price, may_stay=False)] * shown
        made += [Lot(low=price, high=BEYOND_SHOWN, may_stay=False)] * (clip.lots - shown)
    lots = sum(clip.lots for clip in clips)
    ended_ns = max(clip.time_ns for clip in clips)
    if silent:
        return Outcome(
            lots=None,
            surely=surely,
            maybe=lots,
            ended_ns=ended_ns,
            lacks=(f"nobody was quoted to cross to at {silent} of {len(clips)} moments",),
        )
    beyond = (f"{lots - surely} of {lots} lots lie beyond those shown: what they cost more is not recorded",)
    return Outcome(
        lots=tuple(made), surely=surely, maybe=lots, ended_ns=ended_ns, lacks=beyond if surely < lots else ()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worked:
    """One stage of resting: bounds of its price, as costs; lots sure to fill, shown and printed; if any may."""

    low: float
    high: float
    shown: int
    printed: float
    is_possible: bool


def patience(
    tape: Tape, lots: int, *, begin_ns: int, ladder: Ladder, tick: Decimal, step: Decimal, own: OwnOrders
) -> Outcome:
    """Rest at mid, a step better, and across, for as long as the ladder says.

    Its prices are made as the desk makes them, on the market without what of ours rested in it.
    """
    time_ns, previous, memory = begin_ns, None, MarketMemory()
    stages: list[_Worked] = []
    silent_s = 0.0
    for stage, wait_ns in zip(Stage, (ladder.mid_ns, ladder.step_ns, ladder.cross_ns), strict=True):
        row = tape.at(time_ns)
        quote, ours = None if row is None else tape.quote(row), own.at(time_ns)
        memory = remember(memory, quote, side=tape.side, own=ours, now_ns=time_ns)
        sight = look(quote, side=tape.side, own=ours, memory=memory, now_ns=time_ns)
        priced = ladder_price(stage, sight=sight, side=tape.side, tick=tick, step=step, limit=None, previous=previous)
        if priced is None:
            why = f"no quote to price its stage {stage} by"
            return Outcome(lots=None, surely=0, maybe=lots, ended_ns=begin_ns + ladder.total_ns, lacks=(why,))
        price = priced.price
        previous, until_ns = price, time_ns + wait_ns
        silent_s += tape.silent_s(time_ns, until_ns)
        stages.append(_worked(tape, tape.side.sign * float(price), begin_ns=time_ns, end_ns=until_ns, tick=float(tick)))
        time_ns = until_ns
    made, surely = _bounded(stages, lots=lots)
    maybe = lots if any(one.is_possible for one in stages) else 0
    lacks = []
    if surely < maybe:
        lacks.append(f"{maybe - surely} of {lots} lots may have filled or not: the queue before them is not recorded")
    if silent_s > 0:
        lacks.append(f"no quotes for {silent_s:,.0f} s of it")
    return Outcome(lots=made, surely=surely, maybe=maybe, ended_ns=time_ns, lacks=tuple(lacks))


def _worked(tape: Tape, price: float, *, begin_ns: int, end_ns: int, tick: float) -> _Worked:
    """What the record says of an order that rests at a price, as a cost, for a while."""
    near = tick * 1e-6  # prices are floats here
    row, rows = tape.at(begin_ns), tape.between(begin_ns, end_ns)
    far, far_lots = tape.far[rows], tape.far_lots[rows]
    last, printed = tape.last[rows], tape.printed_lots[rows]
    somewhere = bool((tape.traded_lots[rows] > printed).any())  # trades between two rows, at prices not recorded
    crossed = bool((tape.bid[rows] >= tape.ask[rows]).any())
    touched = (
        somewhere or crossed or bool((far <= price + near).any() or ((last <= price + near) & (printed > 0)).any())
    )
    low, shown = price, int(np.max(far_lots[far < price - near], initial=0))
    if row is not None and tape.far[row] <= price + near:  # it would not have rested, but taken what was shown
        low, shown, touched = min(price, float(tape.far[row])), max(shown, int(tape.far_lots[row])), True
    return _Worked(
        low=low,
        high=price,
        shown=shown,
        printed=float(printed[last < price - near].sum()),
        is_possible=touched or tape.silent_s(begin_ns, end_ns) > 0,
    )


def _bounded(stages: Sequence[_Worked], *, lots: int) -> tuple[tuple[Lot, ...], int]:
    """Bounds of each lot, and how many surely fill.

    The n-th lot to fill does so in a stage in which any may, and not after that by which n surely have. Shown size may
    be the same lots seen again, so that only the most of it counts; prints are trades of their own and add up.
    """
    printed = np.cumsum([one.printed for one in stages])
    shown = np.maximum.accumulate([one.shown for one in stages])
    sure = np.minimum(lots, np.maximum(printed, shown)).astype(np.int64)
    made = []
    for number in range(1, lots + 1):
        by = np.flatnonzero(sure >= number)
        open_to = stages[: by[0] + 1] if len(by) else stages
        ways = [one for one in open_to if one.is_possible]
        made.append(
            Lot(
                low=min((one.low for one in ways), default=np.nan),
                high=max((one.high for one in ways), default=np.nan),
                may_stay=not len(by),
            )
        )
    return tuple(made), int(sure[-1])


def even_clips(sizes: Sequence[int], *, begin_ns: int, apart_s: float) -> tuple[Clip, ...]:
    """Clips of these sizes, evenly apart."""
    return tuple(Clip(time_ns=begin_ns + round(at * apart_s * NS_PER_S), lots=lots) for at, lots in enumerate(sizes))
