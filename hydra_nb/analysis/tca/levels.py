"""The frames of transaction cost analysis: one row a fill, a slice, a parent, or a group of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.analysis.columns import Column, Kind, frame_of
from hydra_nb.analysis.tca.asof import Reals
from hydra_nb.analysis.tca.columns import DIFFERENCES, FILL_LEVEL, PARENT_LEVEL, SLICE_LEVEL
from hydra_nb.analysis.tca.inputs import NEVER_NS, Fills
from hydra_nb.analysis.tca.measure import BPS, UNITS, Measured, arrival_mids
from hydra_nb.analysis.tca.terms import Terms
from hydra_nb.analysis.tca.works import Meanwhile, Works
from hydra_nb.domain.units import NS_PER_S, Side

AVERAGED = [f"{stem}_{unit}" for stem in (*DIFFERENCES, "predicted_slippage") for unit in ("ticks", "bps")]
"""Columns of which a level above has the mean by lots."""

SUMMED = [f"{stem}_cash" for stem in (*DIFFERENCES, "predicted_slippage")]
"""Columns of which a level above has the sum."""


def fill_level(fills: Fills, measured: Measured, *, terms: Terms, parents: Works) -> pd.DataFrame:
    """One row a fill, in the order in which they were given."""
    weekday, hour = _local(fills, terms)
    values: dict[str, Any] = {
        **measured.values,
        "time": fills.time_ns,
        "slice": fills.real("slice"),
        "side": fills.frame["side"],
        "strategy": parents.text("strategy").take(parents.of_fill),
        "weekday": weekday,
        "hour": hour,
        "lots": fills.lots,
        "price": fills.price,
        "lacks": _lacks_of_fills(measured, size=len(fills)),
    }
    words = {one.name: fills.text(one.name) for one in FILL_LEVEL if one.kind is Kind.TEXT and one.name not in values}
    return framed(FILL_LEVEL, values | words)


def _local(fills: Fills, terms: Terms) -> tuple[Reals, Reals]:
    """Day of the week, from 1, and hour of the day of every fill, at its exchange."""
    weekday, hour = np.full(len(fills), np.nan), np.full(len(fills), np.nan)
    times = pd.DatetimeIndex(fills.time_ns.view("datetime64[ns]")).tz_localize("UTC")
    zones = terms.time_zone[fills.keys]
    for zone in pd.unique(zones):
        here = zones == zone
        local = times[here].tz_convert(zone)
        weekday[here], hour[here] = local.day_of_week + 1, local.hour
    return weekday, hour


def _lacks_of_fills(measured: Measured, *, size: int) -> np.ndarray:
    """In words, what is not known of each fill."""
    causes = list(measured.lacking)
    if not causes or not size:
        return np.full(size, "", dtype=object)
    pattern = np.zeros(size, dtype=np.int64)
    for bit, rows in enumerate(measured.lacking.values()):
        pattern |= rows.astype(np.int64) << bit
    found, place = np.unique(pattern, return_inverse=True)
    words = ["; ".join(cause for bit, cause in enumerate(causes) if one >> bit & 1) for one in found.tolist()]
    return np.array(words, dtype=object)[place]


def parent_level(measured: Measured, *, terms: Terms, parents: Works, meanwhile: Meanwhile) -> pd.DataFrame:
    """One row a parent: those of `executions` in their order, then those that only fills tell of."""
    values = _outcome(measured, works=parents, meanwhile=meanwhile)
    value = _of_symbol(terms.point_value, works=parents)
    sign = _signs(parents)
    decision = parents.real("decision_mid")
    values |= {
        "arrival_mid": arrival_mids(parents, meanwhile),
        "decision_mid": decision,
        "end_mid": meanwhile.end_mid,
        "tag": parents.text("tag"),
    }
    values |= _shortfall(values, works=parents, measured=measured, missed=sign * (meanwhile.end_mid - decision) * value)
    notional = np.abs(decision) * parents.lots * value
    values["notional_cash"] = notional
    values["shortfall_bps"] = values["shortfall_cash"] / np.where(decision > 0, notional, np.nan) * BPS
    values["lacks"] = parents.buckets.lacks(
        measured.lacking,
        more={
            "lots to do": ~np.isfinite(parents.lots),
            "its end: it is at work": ~parents.is_over,
            "price missed at": (values["unfilled"] > 0) & parents.is_over & ~np.isfinite(values["opportunity_cash"]),
            "volume": ~np.isfinite(meanwhile.volume_lots),
        },
    )
    return framed(PARENT_LEVEL, values)


def _shortfall(values: Mapping[str, Any], *, works: Works, measured: Measured, missed: Reals) -> dict[str, Reals]:
    """The four parts and their sum; `missed` is what one unfilled lot costs, in cash."""
    filled = values["filled_lots"] > 0
    parts = {}
    for part in ("delay", "trading", "fees"):
        told = measured.values[f"{part}_cash"]
        whole = works.buckets.count(~np.isfinite(told)) == 0  # a part of which something is not known is not known
        parts[f"{part}_cash"] = np.where(filled, np.where(whole, works.buckets.sum(told), np.nan), 0.0)
    unfilled = np.maximum(0.0, works.lots - values["filled_lots"])
    nothing = unfilled == 0
    parts["opportunity_cash"] = np.where(nothing, 0.0, np.where(works.is_over, unfilled * missed + 0.0, np.nan))
    total = parts["delay_cash"] + parts["trading_cash"] + parts["opportunity_cash"] + parts["fees_cash"]
    return {**parts, "shortfall_cash": total, "unfilled": unfilled}


def slice_level(measured: Measured, *, terms: Terms, works: Works, meanwhile: Meanwhile) -> pd.DataFrame:
    """One row a slice, against the time-weighted mid and the trades of its own time."""
    values = _outcome(measured, works=works, meanwhile=meanwhile)
    values["arrival_mid"] = works.buckets.mean(measured.values["arrival_mid"])
    values["slice"] = works.real("slice")
    values["fees_cash"] = works.buckets.sum(measured.values["fees_cash"])
    values |= _against_own_time(values, works=works, terms=terms)
    more = {"lots to do": ~np.isfinite(works.lots), "volume": ~np.isfinite(meanwhile.volume_lots)}
    values["lacks"] = works.buckets.lacks(measured.lacking, more=more)
    return framed(SLICE_LEVEL, values)


def _against_own_time(values: Mapping[str, Any], *, works: Works, terms: Terms) -> dict[str, Reals]:
    """Slippage of pieces of work against the benchmarks of their own time, in every unit."""
    sign = _signs(works)
    arrival = np.where(values["arrival_mid"] > 0, values["arrival_mid"], np.nan)
    scale = {
        "ticks": 1 / _of_symbol(terms.tick, works=works),
        "bps": BPS / arrival,
        "cash": _of_symbol(terms.point_value, works=works) * values["filled_lots"],
    }
    return {
        f"{stem}_slippage_{unit}": sign * (values["average_price"] - values[stem]) * scale[unit]
        for stem in ("twap", "vwap")
        for unit in UNITS
    }


def _outcome(measured: Measured, *, works: Works, meanwhile: Meanwhile) -> dict[str, Any]:
    """What became of pieces of work, and what of it cost what."""
    buckets = works.buckets
    filled = buckets.filled_lots
    values: dict[str, Any] = {
        "lots": works.lots,
        "filled_lots": filled,
        "fill_ratio": filled / works.lots,
        "fills": buckets.fills,
        "average_price": buckets.mean(works.fills.price),
        "twap": meanwhile.twap,
        "vwap": meanwhile.vwap,
        "volume_lots": meanwhile.volume_lots,
        "participation": filled / np.where(meanwhile.volume_lots > 0, meanwhile.volume_lots, np.nan),
        "begun": works.begun_ns,
        "ended": np.where(works.is_told, works.ended_ns, works.last_fill_ns),
    }
    started = (works.begun_ns != NEVER_NS) & (filled > 0)
    for name, at_ns in (("first_fill_s", works.first_fill_ns), ("last_fill_s", works.last_fill_ns)):
        # The broker's times are whole seconds: a fill in the second of the begin came at once.
        waited_s = np.maximum(0, np.where(started, at_ns, works.begun_ns) - works.begun_ns) / NS_PER_S
        values[name] = np.where(started, waited_s, np.nan)
    for name in AVERAGED:
        values[name] = buckets.mean(measured.values[name])
    for name in SUMMED:
        values[name] = buckets.sum(measured.values[name])
    for name in ("parent_id", "symbol", "local_symbol", "side", "strategy", "currency"):
        values[name] = works.text(name)
    return values


def _signs(works: Works) -> Reals:
    """1 for a buy, −1 for a sell; NaN where nobody told which."""
    side = works.text("side")
    return np.select([side == str(Side.BUY), side == str(Side.SELL)], [1.0, -1.0], default=np.nan)


def _of_symbol(by_symbol: Reals, *, works: Works) -> Reals:
    """A term of each piece's contract; NaN where its month is not known."""
    return np.append(by_symbol, np.nan)[works.keys]


def framed(columns: Sequence[Column], values: Mapping[str, Any]) -> pd.DataFrame:
    """Frame of whole columns: a Series of text, or arrays of numbers, NaN for unknown lots too."""
    whole = {name: value.array if isinstance(value, pd.Series) else value for name, value in values.items()}
    return frame_of(columns, whole)
