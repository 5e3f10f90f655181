"""The figures of a market, from what was recorded of it, each with its error: what a rehearsal should trade in.

The simulated flow has no likelihood that could be written down. So its figures are found by simulated moments
(McFadden 1989; Pakes and Pollard 1989): the market that shows, to the same code, the same means as the recorded one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.rehearsal_columns import CALIBRATION
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.errors import InvalidFrame
from hydra_nb.rehearsal.figures import Wanted, figure, must_be_contract, must_be_frame
from hydra_nb.rehearsal.market import open_seconds
from hydra_nb.rehearsal.tape import (
    FIGURES,
    Figures,
    Reals,
    Tape,
    figures_of,
    lots_traded,
    recorded,
    simulated,
    spread_distance,
)
from hydra_nb.rehearsal.worlds import DAILY_VOLATILITY, ThinMarket, assumed_market

Flags = NDArray[np.bool_]

FEWEST_BLOCKS: Final = 6
"""Stretches of ten minutes below which quotes are too few to calibrate on."""
FEWEST_TRADES: Final = 20
"""Trades below which the takers, and what they move, are as assumed."""
HOURS: Final = 24.0
"""Hours of the market that each round simulates: its own error is then small beside that of a recorded day."""
SIMULATED: Final = Wanted(words="a number from 1 to 10,000", fits=lambda hours: 1 <= hours <= 10_000)
"""Hours that may be asked for: of fewer a simulated market tells as little as a recorded one."""
ROUNDS: Final = 4
STEP: Final = 0.35
LEAST_SLOPE: Final = 0.05
"""A figure that follows its parameter less than that does not tell it."""
MOST_MISFIT: Final = 3.0
"""Errors by which a figure of the fitted market may be off: beyond that no market of the kind shows it."""
NUMBERS: Final = ("bid", "bid_size", "ask", "ask_size", "last", "volume")
QUOTE_COLUMNS: Final = ("time", "local_symbol", *NUMBERS)

_PARAMETERS: Final = ("spread_ticks", "touch_lots", "quote_s", "taker_s", "taker_lots", "impact_ticks")
_UNITS: Final = ("ticks", "lots", "s", "s", "lots", "ticks")
_LEAST: Final = (0.5, 1.0, 0.01, 0.1, 1.0, 0.0)
_MOST: Final = (10_000.0, 10_000.0, 3_600.0, 86_400.0, 50.0, 1_000.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A market with the errors of its parameters, by how many errors each figure is off, and a tape of it."""

    market: ThinMarket
    error: Reals
    misfit: Reals
    like: Tape | None


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
        Of the simulation; `hours` of the market, 1 to 10,000.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `parameter` `value` `standard_error` `unit` `source` (``quotes``, ``bars``, ``assumed``, or
        ``unmatched`` where no market of the kind shows what was recorded) `observations`. Errors are NaN for what is
        assumed or unmatched. The last rows are no parameters: ``spread_distance``, the largest distance between the
        recorded and the simulated shares of time by spread, from 0 to 1; ``worst_misfit``, by how many of its errors
        the worst of the six figures is off in the end.

    Raises
    ------
    InvalidFrame
        A frame is none, or lacks columns, or holds text where numbers or times are needed; times are unknown or not in
        order, or quotes are crossed: the row is named.
    InvalidOrder
        `instrument` is no contract, or `hours` no such number.
    """
    hours = figure(hours, name="hours", wanted=SIMULATED, what="length of a simulation")
    must_be_contract(instrument, name="instrument")
    tape = recorded(_checked(quotes, instrument), tick=float(instrument.tick))
    volatility = _volatility(bars)
    assumed = _assumed(tape, instrument, volatility=volatility[0])
    seen = figures_of(tape)
    trades = int((lots_traded(tape) > 0).sum()) if len(tape.volume) > 1 else 0
    known = _known(seen, trades=trades)
    fit = Fit(market=assumed, error=np.full(len(FIGURES), math.nan), misfit=np.full(len(FIGURES), math.nan), like=None)
    if known.any():
        both_sides = np.isfinite(tape.mid_ticks)
        price_ticks, day_s = float(np.mean(tape.mid_ticks[both_sides])), open_seconds(instrument)
        fit = _fitted(assumed, seen, known=known, price_ticks=price_ticks, open_s=day_s, seed=seed, hours=hours)
    observations = (seen.blocks, seen.blocks, seen.blocks, trades, trades, trades)
    rows = [
        *_fitted_rows(fit, known=known, observations=observations),
        _row("daily_volatility", volatility[0], error=volatility[1], unit="1", source=volatility[2], n=volatility[3]),
        *_goodness_rows(fit, tape, known=known, blocks=seen.blocks),
    ]
    return make_frame(CALIBRATION, rows)


def _row(name: str, value: float, *, error: float, unit: str, source: str, n: int) -> dict[str, Any]:
    return {
        "parameter": name,
        "value": value,
        "standard_error": error,
        "unit": unit,
        "source": source,
        "observations": n,
    }


def _fitted_rows(fit: Fit, *, known: Flags, observations: Sequence[int]) -> Iterator[dict[str, Any]]:
    for i, name in enumerate(_PARAMETERS):
        value, error = getattr(fit.market, name), math.nan
        source = "assumed"
        if known[i]:
            is_met = not fit.misfit[i] > MOST_MISFIT
            source, error = ("quotes", fit.error[i]) if is_met else ("unmatched", math.nan)
        yield _row(name, value, error=error, unit=_UNITS[i], source=source, n=observations[i] if known[i] else 0)


def _goodness_rows(fit: Fit, tape: Tape, *, known: Flags, blocks: int) -> Iterator[dict[str, Any]]:
    source = "assumed" if fit.like is None else "quotes"
    distance = math.nan if fit.like is None else spread_distance(tape, fit.like)
    worst = float(np.max(fit.misfit[known])) if known.any() else math.nan
    yield _row("spread_distance", distance, error=math.nan, unit="1", source=source, n=blocks)
    yield _row("worst_misfit", worst, error=math.nan, unit="1", source=source, n=blocks)


def _checked(quotes: pd.DataFrame, instrument: FutureContract) -> pd.DataFrame:
    must_be_frame(quotes, name="quotes", give="desk.quotes()")
    missing = [name for name in QUOTE_COLUMNS if name not in quotes.columns]
    if missing:
        raise InvalidFrame(f"quotes lack {', '.join(missing)}; give the columns of desk.quotes()")
    mine = quotes[quotes["local_symbol"] == instrument.local_symbol]
    try:
        times = mine["time"].to_numpy("datetime64[ns]")
        bid, _, ask, *_ = (mine[name].to_numpy("float64", na_value=math.nan) for name in NUMBERS)
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"quotes hold what is no time, or no number: {error}; give desk.quotes()") from error
    unknown = np.flatnonzero(np.isnat(times))
    if len(unknown):
        raise InvalidFrame(f"the time of row {mine.index[unknown[0]]!r} is not known; leave it out")
    unsorted = np.flatnonzero(np.diff(times.astype("int64")) < 0)
    if len(unsorted):
        raise InvalidFrame(f"quotes are not in order of time from row {mine.index[unsorted[0] + 1]!r} on; sort them")
    crossed = np.flatnonzero(bid > ask)
    if len(crossed):
        row = crossed[0]
        raise InvalidFrame(f"the quote of row {mine.index[row]!r} is crossed, {bid[row]} over {ask[row]}; leave it out")
    return mine


def _volatility(bars: pd.DataFrame | MarketStatistics | None) -> tuple[float, float, str, int]:
    """Daily volatility, its standard error (that of the deviation of normal draws), its source, and the returns."""
    value, returns = _deviation_of(bars)
    if value is None:
        return DAILY_VOLATILITY, math.nan, "assumed", 0
    return value, value / math.sqrt(2 * (returns - 1)) if returns > 1 else math.nan, "bars", returns


def _deviation_of(bars: pd.DataFrame | MarketStatistics | None) -> tuple[float | None, int]:
    if bars is None:
        return None, 0
    if isinstance(bars, MarketStatistics):
        return bars.daily_volatility, bars.returns
    must_be_frame(bars, name="bars", give="daily bars, the desk's statistics, or None")
    if "close" not in bars.columns:
        raise InvalidFrame("bars lack the column close")
    try:
        closes = bars["close"].to_numpy("float64", na_value=math.nan)
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"closes of bars are no numbers: {error}") from error
    # A return over a day without a close would be one of two days.
    returns = np.diff(np.log(np.where(closes > 0, closes, np.nan)))
    returns = returns[np.isfinite(returns)]
    return (None, 0) if len(returns) < 2 else (float(np.std(returns, ddof=1)), len(returns))


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
) -> Fit:
    """The market whose figures are those that were seen."""

    def shown_by(vector: Reals) -> tuple[Tape, Figures]:
        parameters = _market(begin, vector).parameters(price_ticks=price_ticks, open_s=open_s)
        tape = simulated(parameters, hours=hours, seed=seed)
        return tape, figures_of(tape)

    vector = np.array([getattr(begin, name) for name in _PARAMETERS])
    vector = np.where(known, _first(seen.value, vector), vector)
    for _ in range(ROUNDS):
        _, shown = shown_by(vector)
        vector = np.where(known, _next(vector, seen.value, shown.value), vector)
    tape, shown = shown_by(vector)
    both = np.sqrt(seen.error**2 + shown.error**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        misfit = np.abs(seen.value - shown.value) / both
    slopes = _slopes(vector, shown.value, lambda other: shown_by(other)[1])
    return Fit(market=_market(begin, vector), error=both / slopes, misfit=misfit, like=tape)


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
    within: Reals = np.clip(moved, _LEAST, _MOST)
    return within


def _slopes(vector: Reals, shown: Reals, figures: Callable[[Reals], Figures]) -> Reals:
    """By how much each figure follows its own parameter.

    Widths and rates are proportional to theirs. Lots of takers are cut off by the touch, and what they move is blurred
    by the touch that they empty, so that these two are tried, with the same dice: lots 35 % up and down, and what they
    move from nothing to twice as much, as a slope of less is lost in the noise of the simulation.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.array([shown[0] / vector[0], 1.0, shown[2] / vector[2], shown[3] / vector[3], 0.0, 0.0])
    step = np.array([0.0, 0.0, 0.0, 0.0, STEP * max(0.2, vector[4] - 1), max(0.1, vector[5])])
    up, down = vector + step, np.maximum(vector - step, _LEAST)
    above, below = figures(up), figures(down)
    # Less what the noise of both may have made of it: a slope that is too steep would make a figure look too sure.
    tried = np.abs(above.value - below.value) - np.hypot(above.error, below.error)
    slopes[4:] = np.maximum(tried[4:] / (up - down)[4:], LEAST_SLOPE)
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
