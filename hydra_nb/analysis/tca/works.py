"""Parents, and slices of them, as pieces of work: how many lots, from when until when, in which market."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from hydra_nb.analysis.tca.asof import Flags, Groups, Ints, Places, Reals, Tape
from hydra_nb.analysis.tca.buckets import Buckets
from hydra_nb.analysis.tca.inputs import NEVER_NS, Fills, keys_of, moments, real, refuse, require
from hydra_nb.analysis.tca.interval import Mids, Prints
from hydra_nb.errors import InvalidFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of the market; None where nothing was given.

    Attributes
    ----------
    quotes
        Mids by symbol.
    prints
        Trades by symbol.
    tolerance_ns
        Greatest age of a quote that counts.
    """

    quotes: Tape | None
    prints: Prints | None
    tolerance_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a frame tells of pieces of work.

    `names` are the columns that name a piece, `begun` and `ended` those of its times.
    """

    frame: str
    names: tuple[str, ...]
    begun: str
    ended: str


PARENTS = Kind(frame="executions", names=("parent_id",), begun="submitted", ended="finished")
SLICES = Kind(frame="slices", names=("parent_id", "slice"), begun="sent", ended="done")


@dataclass(frozen=True, kw_only=True)
class Works:
    """Pieces of work, one entry each: first those that were told, then those that only fills tell of.

    Attributes
    ----------
    fills
        The fills.
    told
        The frame that told of them; None where only fills did.
    of_fill
        Piece that each fill belongs to.
    first_fill
        A fill of each piece; −1 where it has none.
    keys
        Symbol of each, a position in the symbols of the fills; −1 where no fill is of that symbol.
    begun_ns, ended_ns
        UTC nanoseconds; `NEVER_NS` where unknown, or not over.
    lots
        Lots to do; NaN where not told.
    """

    fills: Fills
    told: pd.DataFrame | None
    of_fill: Places
    first_fill: Places
    keys: Places
    begun_ns: Ints
    ended_ns: Ints
    lots: Reals

    @classmethod
    def of(cls, kind: Kind, fills: Fills, told: pd.DataFrame | None) -> "Works":
        """Find the piece of every fill; fills that name none are pieces of their own.

        Raises
        ------
        InvalidFrame
            `told` lacks a column, or tells of a piece more than once.
        """
        named = _names(fills.frame, kind.names, "fills")
        if told is None:
            codes, known = pd.factorize(named)
            place, size = np.arange(len(known)), 0
        else:
            begun_in = "began" if "began" in told and kind is PARENTS else kind.begun
            require(told, kind.frame, (*kind.names, begun_in, kind.ended, "lots"))
            own = _names(told, kind.names, kind.frame)
            refuse(own.isna() | own.duplicated(keep=False), kind.frame, "without a name, or told more than once")
            codes, known = pd.factorize(named)
            place, size = pd.Index(own).get_indexer(pd.Index(known)), len(told)
            strangers = place < 0
            place[strangers] = size + np.arange(strangers.sum())
        count = max(size, 1 + int(place.max(initial=-1)))
        alone = codes < 0
        of_fill = np.append(place, -1)[codes]
        of_fill[alone] = count + np.arange(alone.sum())
        count += int(alone.sum())
        first = np.full(count, -1)
        first[of_fill[::-1]] = np.arange(len(fills))[::-1]
        keys = np.append(fills.keys, -1)[first]
        begun, ended, lots = np.full(count, NEVER_NS), np.full(count, NEVER_NS), np.full(count, np.nan)
        if told is not None:
            begun[:size] = moments(told, begun_in, kind.frame, or_never=True)
            ended[:size] = moments(told, kind.ended, kind.frame, or_never=True)
            lots[:size] = real(told, "lots", kind.frame)
            if "local_symbol" in told:
                keys[:size] = keys_of(told, fills.symbols)
        return cls(
            fills=fills,
            told=told,
            of_fill=of_fill,
            first_fill=first,
            keys=keys,
            begun_ns=begun,
            ended_ns=ended,
            lots=lots,
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def is_told(self) -> Flags:
        """Whether more than its fills is known of each."""
        return np.arange(len(self)) < (0 if self.told is None else len(self.told))

    @property
    def is_over(self) -> Flags:
        """Whether nothing more will be done; what only fills tell of is taken for over."""
        return np.asarray(self.ended_ns != NEVER_NS, dtype=np.bool_) | ~self.is_told

    @cached_property
    def groups(self) -> Groups:
        """Pieces by symbol."""
        return Groups(self.keys, count=len(self.fills.symbols))

    @cached_property
    def buckets(self) -> Buckets:
        """Its fills by piece."""
        return Buckets(self.of_fill, lots=self.fills.lots, count=len(self))

    @cached_property
    def last_fill_ns(self) -> Ints:
        """Time of the last fill of each; `NEVER_NS` without any."""
        latest = np.full(len(self), NEVER_NS)
        np.maximum.at(latest, self.of_fill, self.fills.time_ns)
        return latest

    @cached_property
    def first_fill_ns(self) -> Ints:
        """Time of the first fill of each; the largest integer without any."""
        earliest = np.full(len(self), np.iinfo(np.int64).max)
        np.minimum.at(earliest, self.of_fill, self.fills.time_ns)
        return earliest

    @property
    def until_ns(self) -> Ints:
        """When each ended, and where it did not, or nobody told, its last fill."""
        return np.where(self.ended_ns == NEVER_NS, self.last_fill_ns, self.ended_ns)

    def text(self, name: str) -> pd.Series:
        """A column in words: of what was told, and where that does not tell, of the piece's first fill."""
        words = self.fills.text(name).reset_index(drop=True).reindex(self.first_fill).reset_index(drop=True)
        if self.told is not None and name in self.told:
            told = self.told[name].astype("str").reset_index(drop=True)
            words = told.reindex(words.index).fillna(words)
        return words

    def real(self, name: str) -> Reals:
        """A column in numbers, likewise."""
        values = np.full(len(self), np.nan)
        filled = self.first_fill >= 0
        values[filled] = self.fills.real(name)[self.first_fill[filled]]
        if self.told is not None and name in self.told:
            told = real(self.told, name, "the frame")
            values[: len(told)] = np.where(np.isfinite(told), told, values[: len(told)])
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """What the market did while pieces of work were at work; one entry each, NaN where unknown.

    Attributes
    ----------
    arrival_mid, end_mid
        Mid when it began, and when it was over.
    twap
        Time-weighted mid.
    vwap
        Average price of what was printed.
    volume_lots
        Lots printed.
    """

    arrival_mid: Reals
    end_mid: Reals
    twap: Reals
    vwap: Reals
    volume_lots: Reals

    @classmethod
    def of(cls, works: Works, market: Market) -> "Meanwhile":
        """Look it up in quotes and trades."""
        begun, until = works.begun_ns, works.until_ns
        timed = (begun != NEVER_NS) & (until != NEVER_NS) & (until >= begun)
        nothing = np.full(len(works), np.nan)
        arrival = end = twap = vwap = volume = nothing
        groups = Groups(np.where(timed, works.keys, -1), count=len(works.fills.symbols))
        if market.quotes is not None:
            tape = market.quotes
            arrival = tape.at(begun, groups, tolerance_ns=market.tolerance_ns)
            ended = Groups(np.where(works.ended_ns != NEVER_NS, works.keys, -1), count=len(works.fills.symbols))
            end = tape.at(works.ended_ns, ended, tolerance_ns=market.tolerance_ns)
            twap = Mids(tape, tolerance_ns=market.tolerance_ns).average(begun, until, groups)
        if market.prints is not None:
            volume, vwap = market.prints.volume_and_vwap(begun, until, groups)
        return cls(arrival_mid=arrival, end_mid=end, twap=twap, vwap=vwap, volume_lots=volume)


def _names(frame: pd.DataFrame, columns: Sequence[str], name: str) -> pd.Series:
    """One name of each row out of the columns that name it; missing where the first column is, or is not there."""
    if columns[0] not in frame:
        return pd.Series(np.full(len(frame), np.nan), index=frame.index, dtype="str")
    names = frame[columns[0]].astype("str")
    for column in columns[1:]:
        if column not in frame:
            raise InvalidFrame(f"{name} lacks {column}, which tells the pieces of a parent apart")
        names = names + "/" + frame[column].astype("Int64").astype("str")
    return names
