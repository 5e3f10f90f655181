"""The figures of a market, from what was recorded of it, each with its error: what a rehearsal should trade in.

The simulated flow has no likelihood that could be written down. So its figures are found by simulated moments
(McFadden 1989; Pakes and Pollard 1989): the market that shows, to the same code, the same means as the recorded one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.rehearsal_columns import CALIBRATION
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.errors import InvalidFrame
from hydra_nb.rehearsal.tape import FIGURES, Figures, Reals, Tape, figures_of, recorded, simulated, spread_distance
from hydra_nb.rehearsal.worlds import DAILY_VOLATILITY, ThinMarket, assumed_market, open_seconds

Flags = NDArray[np.bool_]

FEWEST_BLOCKS: Final = 6
"""Stretches of ten minutes below which quotes are too few to calibrate on."""
FEWEST_TRADES: Final = 20
"""Trades below which the takers, and what they move, are as assumed."""
FEWEST_RETURNS: Final = 10
HOURS: Final = 24.0
"""Hours of the market that each round simulates: its own error is then small beside that of a recorded day."""
ROUNDS: Final = 4
STEP: Final = 0.35
LEAST_SLOPE: Final = 0.05
"""A figure that follows its parameter less than that does not tell it: its error becomes large, not infinite."""
QUOTE_COLUMNS: Final = ("time", "local_symbol", "bid", "bid_size", "ask", "ask_size", "last", "volume")

_PARAMETERS: Final = ("spread_ticks", "touch_lots", "quote_s", "taker_s", "taker_lots", "impact_ticks")
_UNITS: Final = ("ticks", "lots", "s", "s", "lots", "ticks")


def calibrate(
    bars: pd.DataFrame | MarketStatistics | None,
    quotes: pd.DataFrame,
    instrument: FutureContract,
    *,
    seed: int = 0,
    hours: float = HOURS,
) -> pd.DataFrame:
    """Find the market that looks like the recorded one; `ThinMarket.of` takes the frame to a rehearsal.

    Parameters
    ----------
    bars
        Daily bars with a column ``close``, in order, or the desk's statistics; None takes a volatility that is assumed.
    quotes
        Columns of ``desk.quotes()``; rows of other contracts are passed over. Give those of the hours of the day in
        which you mean to trade: the market is the same at all hours.
    instrument
        The contract.
    seed, hours
        Of the simulation.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `parameter` `value` `standard_error` `unit` `source` (``quotes``, ``bars`` or ``assumed``)
        `observations`. The last row, ``spread_distance``, is no parameter: the largest distance between the recorded
        and the simulated shares of time by spread, from 0 to 1. Errors are NaN for what is assumed.

    Raises
    ------
    InvalidFrame
        Columns are missing, times are not in order, or quotes are crossed: the row is named.
    """
    tape = recorded(_checked(quotes, instrument), tick=float(instrument.tick))
    volatility = _volatility(bars)
    assumed = _assumed(tape, instrument, volatility=volatility[0])
    seen = figures_of(tape)
    trades = int((np.diff(tape.volume) > 0).sum()) if len(tape.volume) > 1 else 0
    is_known = _known(seen, trades=trades)
    price_ticks = float(np.nanmean(tape.mid_ticks)) if np.isfinite(tape.mid_ticks).any() else 0.0
    market, error, like = assumed, np.full(len(FIGURES), math.nan), None
    if is_known.any():
        market, error, like = _fitted(
            assumed,
            seen,
            known=is_known,
            price_ticks=price_ticks,
            open_s=open_seconds(instrument),
            seed=seed,
            hours=hours,
        )
    observations = [seen.blocks, seen.blocks, seen.blocks, trades, trades, trades]
    rows = [
        {
            "parameter": name,
            "value": getattr(market, name),
            "standard_error": error[i] if is_known[i] else math.nan,
            "unit": _UNITS[i],
            "source": "quotes" if is_known[i] else "assumed",
            "observations": observations[i] if is_known[i] else 0,
        }
        for i, name in enumerate(_PARAMETERS)
    ]
    rows.append(
        {
            "parameter": "daily_volatility",
            "value": volatility[0],
            "standard_error": volatility[1],
            "unit": "1",
            "source": "assumed" if math.isnan(volatility[1]) else "bars",
            "observations": volatility[2],
        }
    )
    distance = math.nan if like is None else spread_distance(tape, like)
    rows.append(
        {
            "parameter": "spread_distance",
            "value": distance,
            "standard_error": math.nan,
            "unit": "1",
            "source": "quotes" if like is not None else "assumed",
            "observations": seen.blocks,
        }
    )
    return make_frame(CALIBRATION, rows)


def _checked(quotes: pd.DataFrame, instrument: FutureContract) -> pd.DataFrame:
    missing = [name for name in QUOTE_COLUMNS if name not in quotes.columns]
    if missing:
        raise InvalidFrame(f"quotes lack {', '.join(missing)}; give the columns of desk.quotes()")
    mine = quotes[quotes["local_symbol"] == instrument.local_symbol]
    times = mine["time"].to_numpy("datetime64[ns]").astype("int64")
    unsorted = np.flatnonzero(np.diff(times) < 0)
    if len(unsorted):
        raise InvalidFrame(f"quotes are not in order of time from row {mine.index[unsorted[0] + 1]!r} on; sort them")
    bid, ask = mine["bid"].to_numpy("float64", na_value=math.nan), mine["ask"].to_numpy("float64", na_value=math.nan)
    crossed = np.flatnonzero(bid > ask)
    if len(crossed):
        row = crossed[0]
        raise InvalidFrame(f"the quote of row {mine.index[row]!r} is crossed, {bid[row]} over {ask[row]}; leave it out")
    return mine


def _volatility(bars: pd.DataFrame | MarketStatistics | None) -> tuple[float, float, int]:
    """Daily volatility, its standard error (that of the deviation of normal draws), and the days."""
    if isinstance(bars, MarketStatistics):
        value, days = bars.daily_volatility, bars.days
        if value is None or days < FEWEST_RETURNS:
            return DAILY_VOLATILITY if value is None else value, math.nan, 0
        return value, value / math.sqrt(2 * (days - 1)), days
    if bars is None:
        return DAILY_VOLATILITY, math.nan, 0
    if "close" not in bars.columns:
        raise InvalidFrame("bars lack the column close")
    closes = bars["close"].to_numpy("float64", na_value=math.nan)
    returns = np.diff(np.log(closes[np.isfinite(closes) & (closes > 0)]))
    if len(returns) < FEWEST_RETURNS:
        return DAILY_VOLATILITY, math.nan, 0
    value = float(np.std(returns, ddof=1))
    return value, value / math.sqrt(2 * (len(returns) - 1)), len(returns)


def _assumed(tape: Tape, instrument: FutureContract, *, volatility: float) -> ThinMarket:
    spread = tape.ask_ticks - tape.bid_ticks
    spread = spread[np.isfinite(spread) & (spread > 0)]
    statistics = MarketStatistics(
        con_id=instrument.con_id, adv_lots=None, daily_volatility=volatility, days=0, source="calibrate"
    )
    usual = Decimal(repr(float(np.median(spread)))) * instrument.tick if len(spread) else None
    return assumed_market(instrument, quote=None, statistics=statistics, usual_spread=usual)


def _known(seen: Figures, *, trades: int) -> Flags:
    """Which parameters the tape can tell."""
    if seen.blocks < FEWEST_BLOCKS:
        return np.zeros(len(FIGURES), dtype=bool)
    told = np.isfinite(seen.value) & np.isfinite(seen.error)
    if trades < FEWEST_TRADES:
        told[3:] = False
    return told


def _fitted(
    begin: ThinMarket,
    seen: Figures,
    *,
    known: Flags,
    price_ticks: float,
    open_s: float,
    seed: int,
    hours: float,
) -> tuple[ThinMarket, Reals, Tape]:
    """The market whose figures are those that were seen, the errors of its parameters, and a tape of it."""
    vector = np.array([getattr(begin, name) for name in _PARAMETERS])
    vector = np.where(known, _first(seen.value, vector), vector)
    for _ in range(ROUNDS):
        parameters = _market(begin, vector).parameters(price_ticks=price_ticks, open_s=open_s)
        tape = simulated(parameters, hours=hours, seed=seed)
        shown = figures_of(tape)
        vector = np.where(known, _next(vector, seen.value, shown.value), vector)
    both = np.sqrt(seen.error**2 + shown.error**2)

    def figures(of: Reals) -> Reals:
        parameters = _market(begin, of).parameters(price_ticks=price_ticks, open_s=open_s)
        return figures_of(simulated(parameters, hours=hours, seed=seed)).value

    return _market(begin, vector), both / _slopes(vector, shown.value, figures), tape


def _first(seen: Reals, assumed: Reals) -> Reals:
    """Begin with what the figures say at first sight."""
    spread, touch, changes, trades, lots, impact = seen
    quote_s = 0.6 / changes if changes > 0 else assumed[2]
    taker_s = 1 / trades if trades > 0 else assumed[3]
    return np.array([spread, max(1.0, touch), quote_s, taker_s, max(1.0, lots), max(0.0, impact)])


def _next(vector: Reals, seen: Reals, shown: Reals) -> Reals:
    """Move each parameter by what its own figure is off: rates and widths in proportion, others by the difference."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = seen / shown
        moved = np.array(
            [
                vector[0] * ratio[0],
                (round(2 * vector[1] - 1) + 1) / 2 + seen[1] - shown[1],  # sizes are drawn from whole lots
                vector[2] / ratio[2],
                vector[3] / ratio[3],
                1 + (vector[4] - 1) * (seen[4] - 1) / max(shown[4] - 1, 1e-3),
                vector[5] + seen[5] - shown[5],
            ]
        )
    moved = np.where(np.isfinite(moved), moved, vector)
    least: Reals = np.maximum(moved, [0.5, 1.0, 0.01, 0.1, 1.0, 0.0])
    return least


def _slopes(vector: Reals, shown: Reals, figures: Callable[[Reals], Reals]) -> Reals:
    """By how much each figure follows its own parameter.

    Widths and rates are proportional to theirs. Lots of takers are cut off by the touch, and what they move is blurred
    by the touch that they empty, so that these two are tried: 35 % up and down, with the same dice.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.array([shown[0] / vector[0], 1.0, shown[2] / vector[2], shown[3] / vector[3], 0.0, 0.0])
    step = np.array([0.0, 0.0, 0.0, 0.0, STEP * max(0.2, vector[4] - 1), STEP * max(0.1, vector[5])])
    up, down = vector + step, np.maximum(vector - step, [0.5, 1.0, 0.01, 0.1, 1.0, 0.0])
    tried = figures(up) - figures(down)
    slopes[4:] = np.maximum(np.abs(tried[4:] / (up - down)[4:]), LEAST_SLOPE)
    return slopes


def _market(begin: ThinMarket, vector: Sequence[float] | Reals) -> ThinMarket:
    spread_ticks, touch_lots, quote_s, taker_s, taker_lots, impact_ticks = map(float, vector)
    return replace(
        begin,
        spread_ticks=spread_ticks,
        touch_lots=touch_lots,
        quote_s=quote_s,
        taker_s=taker_s,
        taker_lots=taker_lots,
        impact_ticks=impact_ticks,
    )
