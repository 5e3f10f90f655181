"""Benchmarks of an interval: the time-weighted mid, and volume and average price of the trades printed in it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hydra_nb.analysis.tca.asof import Groups, Ints, Reals, Tape
from hydra_nb.analysis.tca.inputs import keys_of, moments, real, refuse, require
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidFrame

LEAST_COVERED = 0.5
"""Share of an interval that quotes must cover for its time-weighted mid to stand for it."""


class Mids:
    """Time-weighted mids of any interval, from sums that run along each symbol's tape.

    A mid holds until the next of its symbol, at most for `tolerance_ns`; where there is none, time does not count.
    """

    def __init__(self, tape: Tape, *, tolerance_ns: int) -> None:
        self._tape = tape
        self._tolerance_ns = tolerance_ns
        self._sums = [self._running(key) for key in range(len(tape.times_ns))]

    def _running(self, key: int) -> tuple[Reals, Reals]:
        """Seconds for which a mid was known, and its excess over the first times seconds, up to each row."""
        times_ns, mids = self._tape.times_ns[key], self._tape.values[key]
        known = np.isfinite(mids)
        held_s = np.minimum(np.diff(times_ns), self._tolerance_ns) / NS_PER_S * known[:-1]
        excess = np.where(known, mids - self._base(key), 0.0)
        start = np.zeros(min(1, len(times_ns)))
        return np.append(start, np.cumsum(held_s)), np.append(start, np.cumsum(held_s * excess[:-1]))

    def _base(self, key: int) -> float:
        """A price near all others, so that sums of differences stay exact to the last digits."""
        mids = self._tape.values[key]
        known = mids[np.isfinite(mids)]
        return float(known[0]) if len(known) else 0.0

    def average(self, from_ns: Ints, until_ns: Ints, groups: Groups) -> Reals:
        """Time-weighted mid of each interval; NaN where quotes cover less than `LEAST_COVERED` of it.

        An interval without length has the mid of its moment.
        """
        found = np.full(len(from_ns), np.nan)
        for key, rows in groups:
            if not len(self._tape.times_ns[key]):
                continue
            seconds, area = (
                ends - starts
                for ends, starts in zip(self._until(key, until_ns[rows]), self._until(key, from_ns[rows]), strict=True)
            )
            length_s = (until_ns[rows] - from_ns[rows]) / NS_PER_S
            enough = (length_s > 0) & (seconds >= LEAST_COVERED * length_s)
            found[rows[enough]] = self._base(key) + area[enough] / seconds[enough]
        at_once = until_ns == from_ns
        if at_once.any():
            mids = self._tape.at(until_ns, groups, tolerance_ns=self._tolerance_ns)
            found[at_once] = mids[at_once]
        return found

    def _until(self, key: int, moments_ns: Ints) -> tuple[Reals, Reals]:
        """Seconds and area from the first row up to each moment."""
        times_ns, mids = self._tape.times_ns[key], self._tape.values[key]
        seconds, area = self._sums[key]
        at = np.searchsorted(times_ns, moments_ns, side="right") - 1
        since_s = np.clip(moments_ns - times_ns[at], 0, self._tolerance_ns) / NS_PER_S
        begun = (at >= 0) & np.isfinite(mids[at])
        since_s = np.where(begun, since_s, 0.0)
        excess = np.where(begun, mids[at] - self._base(key), 0.0)
        before = at < 0
        return np.where(before, 0.0, seconds[at] + since_s), np.where(before, 0.0, area[at] + since_s * excess)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """Trades by symbol in order of time: moments, and sums before each of lots, of priced lots, of their turnover."""

    times_ns: list[Ints]
    lots: list[Reals]
    priced_lots: list[Reals]
    turnover: list[Reals]
    bases: list[float]

    def volume_and_vwap(self, from_ns: Ints, until_ns: Ints, groups: Groups) -> tuple[Reals, Reals]:
        """Lots printed after the begin and up to the end of each interval, and their average price.

        NaN where nothing was ever printed of the symbol; the price is NaN where no priced lot was printed meanwhile.
        """
        volume, vwap = np.full(len(from_ns), np.nan), np.full(len(from_ns), np.nan)
        for key, rows in groups:
            times_ns = self.times_ns[key]
            if not len(times_ns):
                continue
            first = np.searchsorted(times_ns, from_ns[rows], side="right")
            last = np.searchsorted(times_ns, until_ns[rows], side="right")
            lots, priced, turnover = (
                sums[key][last] - sums[key][first] for sums in (self.lots, self.priced_lots, self.turnover)
            )
            volume[rows] = lots
            traded = priced > 0
            vwap[rows[traded]] = self.bases[key] + turnover[traded] / priced[traded]
        return volume, vwap


def read_trades(frame: pd.DataFrame, *, symbols: pd.Index) -> Prints:
    """Trades of these symbols: columns `time`, `local_symbol`, `price`, and `lots` or `size`.

    A price may be unknown: such lots count as volume alone.

    Raises
    ------
    InvalidFrame
        It lacks a column, holds a time that cannot be read, or lots below zero.
    """
    require(frame, "trades", ("time", "local_symbol", "price"))
    size = next((name for name in ("lots", "size") if name in frame), None)
    if size is None:
        raise InvalidFrame("trades lacks lots; size will do as well")
    lots, price = real(frame, size, "trades"), real(frame, "price", "trades")
    refuse(~(lots >= 0), "trades", "whose lots are unknown or below zero")
    times_ns, groups = moments(frame, "time", "trades"), Groups(keys_of(frame, symbols), count=len(symbols))
    made = Prints(times_ns=[], lots=[], priced_lots=[], turnover=[], bases=[])
    for key in range(len(symbols)):
        rows = groups.rows(key)
        rows = rows[np.argsort(times_ns[rows], kind="stable")]
        known = np.isfinite(price[rows])
        base = float(price[rows][known][0]) if known.any() else 0.0
        priced = np.where(known, lots[rows], 0.0)
        made.times_ns.append(times_ns[rows])
        made.lots.append(_sums(lots[rows]))
        made.priced_lots.append(_sums(priced))
        made.turnover.append(_sums(priced * np.where(known, price[rows] - base, 0.0)))
        made.bases.append(base)
    return made


def _sums(values: Reals) -> Reals:
    """Sum of the first 0, 1, 2, … values."""
    return np.append(0.0, np.cumsum(values))


def trades_of(quotes: pd.DataFrame, *, tolerance_s: float = 600.0) -> pd.DataFrame:
    """Trades as the growth of the day's volume in recorded quotes tells them.

    Several trades between two records are one row, at the last price of them. Where more than `tolerance_s` lie between
    two records, the lots are known and their price is not. What was traded before the first record does not count;
    a volume that fell began anew with the day, and all of it is new.

    Parameters
    ----------
    quotes
        Frame with the columns of ``desk.quotes()``: `time` `local_symbol` `last` `volume` are used.

    Returns
    -------
    pandas.DataFrame
        `time` `local_symbol` `price` `lots`, in order of time for each month.

    Raises
    ------
    InvalidFrame
        It lacks a column.
    """
    require(quotes, "quotes", ("time", "local_symbol", "last", "volume"))
    told = quotes[["time", "local_symbol", "last", "volume"]].dropna(subset=["volume"])
    # Of one moment the volume only grows, in whatever order its rows come: a fall would be taken for a new day.
    told = told.sort_values(["local_symbol", "time", "volume"], kind="stable", ignore_index=True)
    same = (told["local_symbol"] == told["local_symbol"].shift()).to_numpy(dtype=bool)
    volume = told["volume"].to_numpy(dtype=np.float64)
    grown = np.diff(volume, prepend=np.nan)
    lots = np.where(same, np.where(grown < 0, volume, grown), 0.0)
    gap_s = told["time"].diff().dt.total_seconds().to_numpy(dtype=np.float64)
    price = np.where(gap_s > tolerance_s, np.nan, told["last"].to_numpy(dtype=np.float64))
    made = told[["time", "local_symbol"]].assign(price=price, lots=lots)
    return made[lots > 0].reset_index(drop=True)
