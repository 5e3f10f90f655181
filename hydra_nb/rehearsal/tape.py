"""A stretch of a market as arrays, recorded or simulated, and the figures by which the two are compared.

Both are read by the same code, so that what it neglects it neglects of both.
"""

import math
import random
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.sim.book import Book
from hydra_nb.sim.flow import Flow, FlowParameters
from hydra_nb.sim.records import SimSide

Reals = NDArray[np.float64]

BLOCK_S: Final = 600.0
"""Length of the stretches by which errors are told."""
MERGED: Final = (1, 2, 4, 6)
"""How many of them are taken together: what goes on for longer than one makes those of an hour differ more."""
FEWEST_MERGED: Final = 6
"""Stretches below which they are not taken together any further."""
GAP_S: Final = 300.0
"""A quote that stood for longer is a pause of the market, or of the recording, and counts for nothing."""
MOST_ACTS: Final = 150_000
"""Acts of a simulated market after which its figures are known well enough: about a second of a processor."""
AFTER_S: Final = 60.0
"""How long after a trade the mid is looked at for what the trade has moved it."""

FIGURES: Final = ("spread_ticks", "touch_lots", "changes_per_s", "trades_per_s", "trade_lots", "impact_ticks")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """Quotes in order of time, one row a change; a price is NaN where a side is empty.

    `seconds` count from any moment, prices are in ticks, `volume` is the volume so far, NaN where nobody told it,
    `last_ticks` the price of the last trade.
    """

    seconds: Reals
    bid_ticks: Reals
    bid_lots: Reals
    ask_ticks: Reals
    ask_lots: Reals
    last_ticks: Reals
    volume: Reals

    @property
    def mid_ticks(self) -> Reals:
        """Half way between bid and ask; NaN where a side is empty."""
        return (self.bid_ticks + self.ask_ticks) / 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """Means over a tape, in the order of `FIGURES`, with their standard errors; NaN where it cannot tell."""

    value: Reals
    error: Reals
    blocks: int


def recorded(quotes: pd.DataFrame, *, tick: float) -> Tape:
    """Give the tape of a frame with the columns of ``desk.quotes()``, of one contract, in order of time."""
    return Tape(
        seconds=quotes["time"].to_numpy("datetime64[ns]").astype("int64") / 1e9,
        bid_ticks=quotes["bid"].to_numpy("float64", na_value=math.nan) / tick,
        bid_lots=quotes["bid_size"].to_numpy("float64", na_value=0.0),
        ask_ticks=quotes["ask"].to_numpy("float64", na_value=math.nan) / tick,
        ask_lots=quotes["ask_size"].to_numpy("float64", na_value=0.0),
        last_ticks=quotes["last"].to_numpy("float64", na_value=math.nan) / tick,
        volume=quotes["volume"].to_numpy("float64", na_value=math.nan),
    )


def simulated(parameters: FlowParameters, *, hours: float, seed: int, most_acts: int = MOST_ACTS) -> Tape:
    """Run the flow for some hours, or so many acts, and give its tape; nobody else trades in it."""
    dice = random.Random(f"tape of {seed}")  # noqa: S311  repeats
    flow, book = Flow(parameters, dice=dice, fair_ticks=10_000.0), Book()
    flow.open(book, now_ns=0)
    now_ns, end_ns, volume, last = 0, round(hours * 3.6e12), 0, math.nan
    rows: list[tuple[float, ...]] = []
    shown, acts = None, 0
    while now_ns < end_ns and acts < most_acts:
        acts += 1
        now = book.best(SimSide.BUY), book.best(SimSide.SELL), volume
        if now != shown:
            bid, ask, _ = shown = now
            rows.append((now_ns / 1e9, *(bid or (math.nan, 0)), *(ask or (math.nan, 0)), last, volume))
        now_ns += flow.wait_ns(busy=True)
        for entry in flow.act(book, now_ns=now_ns, busy=True):
            for match in entry.matches:
                flow.note_trade(entry.side, lots=match.lots)
                volume, last = volume + match.lots, float(match.price_ticks)
    columns = np.array(rows).T
    return Tape(
        seconds=columns[0],
        bid_ticks=columns[1],
        bid_lots=columns[2],
        ask_ticks=columns[3],
        ask_lots=columns[4],
        last_ticks=columns[5],
        volume=columns[6],
    )


def figures_of(tape: Tape) -> Figures:
    """Give the means of a tape, with errors.

    Those are of a jackknife over blocks (Efron 1982, chapter 3), of ten minutes up to an hour: the largest of them, as
    blocks that are too short to be independent tell too little (Flyvbjerg and Petersen 1989).
    """
    above, below = _sums(tape)
    blocks = len(below)
    if not blocks:
        unknown = np.full(len(FIGURES), math.nan)
        return Figures(value=unknown, error=unknown, blocks=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = above.sum(0) / below.sum(0)
        errors = [
            _jackknife(*(_together(sums, merged) for sums in (above, below)))
            for merged in MERGED
            if merged == 1 or blocks >= merged * FEWEST_MERGED
        ]
    return Figures(value=value, error=np.fmax.reduce(errors), blocks=blocks)


def _together(sums: Reals, merged: int) -> Reals:
    """Sums of so many blocks together; what is left over at the end is left out."""
    blocks = len(sums) // merged
    taken: Reals = sums[: blocks * merged].reshape(blocks, merged, -1).sum(1)
    return taken


def _jackknife(above: Reals, below: Reals) -> Reals:
    """Errors of the ratios of sums, NaN of a single block."""
    blocks = len(below)
    if blocks < 2:
        return np.full(above.shape[1], math.nan)
    without = (above.sum(0) - above) / (below.sum(0) - below)
    errors: Reals = np.sqrt((blocks - 1) / blocks * ((without - without.mean(0)) ** 2).sum(0))
    return errors


def spread_distance(one: Tape, other: Tape) -> float:
    """Largest distance between the shares of time for which spreads are at most so wide: 0 alike, 1 not at all.

    The statistic of Kolmogorov and Smirnov, over time instead of draws.
    """
    (widths, shares), (other_widths, other_shares) = _spread_shares(one), _spread_shares(other)
    grid = np.union1d(widths, other_widths)
    if not len(widths) or not len(other_widths):
        return math.nan
    reached = np.concatenate([[0.0], shares])[np.searchsorted(widths, grid, side="right")]
    other_reached = np.concatenate([[0.0], other_shares])[np.searchsorted(other_widths, grid, side="right")]
    return float(np.abs(reached - other_reached).max())


def _spread_shares(tape: Tape) -> tuple[Reals, Reals]:
    stood, spread = _stood(tape), tape.ask_ticks - tape.bid_ticks
    counts = (stood > 0) & np.isfinite(spread)
    widths, place = np.unique(np.round(spread[counts]), return_inverse=True)
    times = np.bincount(place, weights=stood[counts], minlength=len(widths))
    return widths, np.cumsum(times) / max(times.sum(), 1e-9)


def _stood(tape: Tape) -> Reals:
    """Seconds for which each quote stood; 0 for the last, and before a gap."""
    stood = np.diff(tape.seconds, append=tape.seconds[-1:])
    return np.where(stood <= GAP_S, stood, 0.0)


def _sums(tape: Tape) -> tuple[Reals, Reals]:
    """What stands above and below the line of each mean, by block (rows) and figure (columns)."""
    if len(tape.seconds) < 2:
        empty = np.empty((0, len(FIGURES)))
        return empty, empty
    stood, spread = _stood(tape), tape.ask_ticks - tape.bid_ticks
    passed = np.diff(tape.seconds, prepend=tape.seconds[:1])
    both = np.where(np.isfinite(spread) & (spread > 0), stood, 0.0)
    spread, touch = np.nan_to_num(spread), (tape.bid_lots + tape.ask_lots) / 2
    changed = _changed(tape)
    follows = passed <= GAP_S  # the first row after a gap follows nothing
    lots = np.where(follows, lots_traded(tape), 0.0)
    trades = lots > 0
    signed, moved = _moves(tape, lots=lots)
    ones = np.ones_like(stood)
    above = np.stack([spread * both, touch * both, changed * follows, trades, lots, signed * moved], axis=1)
    below = np.stack([both, both, stood, stood, trades * ones, signed**2], axis=1)
    block = ((tape.seconds - tape.seconds[0]) // BLOCK_S).astype(int)
    numbers, place = np.unique(block, return_inverse=True)
    summed = np.zeros((2, len(numbers), len(FIGURES)))
    np.add.at(summed[0], place, above)
    np.add.at(summed[1], place, below)
    used = summed[1, :, 2] > 0
    return summed[0, used], summed[1, used]


def lots_traded(tape: Tape) -> Reals:
    """Lots by which the volume grew with each row; the first volume that is told, and a smaller one, are no trades."""
    known = np.isfinite(tape.volume)
    row = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    volume = np.where(row >= 0, tape.volume[np.maximum(row, 0)], math.nan)
    grown = np.diff(volume, prepend=volume[:1])
    traded: Reals = np.where(np.isfinite(grown), np.clip(grown, 0.0, None), 0.0)
    return traded


def _changed(tape: Tape) -> Reals:
    """1 for each row that shows another touch, or more volume, than the one before."""
    columns = np.stack([tape.bid_ticks, tape.bid_lots, tape.ask_ticks, tape.ask_lots, tape.volume])
    columns = np.nan_to_num(columns, nan=-1.0)
    other = (np.diff(columns, axis=1) != 0).any(0)
    return np.concatenate([[0.0], other.astype(float)])


def _moves(tape: Tape, *, lots: Reals) -> tuple[Reals, Reals]:
    """Signed lots of each trade, and how far the mid had moved a minute later from where it was before; 0 if unknown.

    A trade at or beyond a side of the quote before it was begun by whoever took that side (Lee and Ready 1991).
    """
    mid, rows = tape.mid_ticks, np.arange(len(lots))
    before = np.maximum(rows - 1, 0)
    later = np.searchsorted(tape.seconds, tape.seconds + AFTER_S, side="right") - 1
    pauses = np.cumsum(np.diff(tape.seconds, prepend=tape.seconds[:1]) > GAP_S)
    following = np.minimum(later + 1, len(rows) - 1)
    bought = tape.last_ticks >= tape.ask_ticks[before]
    sold = tape.last_ticks <= tape.bid_ticks[before]
    sign = bought.astype(float) - sold.astype(float)
    moved = mid[later] - mid[before]
    goes_on = pauses[following] == pauses[before]  # the market did not pause meanwhile
    ends = tape.seconds + AFTER_S <= tape.seconds[-1]
    known = (lots > 0) & (sign != 0) & np.isfinite(moved) & goes_on & ends
    return np.where(known, sign * lots, 0.0), np.where(known, moved, 0.0)
