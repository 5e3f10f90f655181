"""Groups of fills, and of the parents that they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.analysis.tca.asof import Flags, Places, Reals
from hydra_nb.analysis.tca.buckets import Buckets
from hydra_nb.analysis.tca.columns import GROUP_LEVEL, SHORTFALL
from hydra_nb.analysis.tca.levels import AVERAGED, SUMMED, framed
from hydra_nb.analysis.tca.measure import BPS, Measured
from hydra_nb.errors import InvalidFrame

PARTS = [one.name for one in SHORTFALL if one.name.endswith("_cash")]
OF_FILLS = ("delay_cash", "trading_cash", "fees_cash")
"""Parts of a shortfall that each fill has of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The levels below groups.

    Attributes
    ----------
    fills, parents
        Their frames.
    of_fill
        Row among `parents` of each fill.
    given_fills, given_parents
        The frames that were given, row by row beside the first rows of these; they may have further columns.
    """

    fills: pd.DataFrame
    parents: pd.DataFrame
    of_fill: Places
    given_fills: pd.DataFrame
    given_parents: pd.DataFrame | None

    def of_fills(self, name: str) -> pd.Series | None:
        """A column by fill; None where neither frame of fills has it."""
        for frame in (self.fills, self.given_fills):
            if name in frame:
                return frame[name].reset_index(drop=True)
        return None

    def of_parents(self, name: str) -> pd.Series | None:
        """A column by parent; None where neither frame of parents has it."""
        if name in self.parents:
            return self.parents[name].reset_index(drop=True)
        if self.given_parents is not None and name in self.given_parents:
            return self.given_parents[name].reset_index(drop=True).reindex(range(len(self.parents)))
        return None


def group_level(levels: Levels, measured: Measured, *, by: Sequence[str]) -> pd.DataFrame:
    """One row a group, in order of its keys.

    Where every key is one of parents, groups hold parents whole, those without fills among them, and tell of lots,
    fill ratio, participation and shortfall; else they hold fills, and of the shortfall only what fills have.

    Raises
    ------
    InvalidFrame
        There is no such column.
    """
    if not by:
        raise InvalidFrame("by= names no column to group by")
    by_parent = {name: levels.of_parents(name) for name in by}
    if all(column is not None for column in by_parent.values()):
        keys, of_parent = _grouped(by_parent)
        of_fill = of_parent[levels.of_fill]
    else:
        keys, of_fill = _grouped({name: _of_fills(levels, name) for name in by})
        of_parent = None
    buckets = Buckets(of_fill, lots=levels.fills["lots"].to_numpy(dtype=np.float64), count=len(keys))
    values = _of_buckets(buckets, levels.fills)
    more: dict[str, Flags] = {}
    if of_parent is None:
        pairs = pd.DataFrame({"group": of_fill, "parent": levels.of_fill}).drop_duplicates()
        values["parents"] = np.bincount(pairs["group"], minlength=len(keys))
        values |= dict.fromkeys(set(PARTS) - set(OF_FILLS), np.full(len(keys), np.nan))
        values |= {name: buckets.sum(levels.fills[name].to_numpy()) for name in OF_FILLS}
        lacking = np.full(len(keys), np.nan)
        values |= dict.fromkeys(("lots", "fill_ratio", "volume_lots", "participation", "shortfall_bps"), lacking)
    else:
        values |= _of_parents(levels.parents, of_parent, count=len(keys), more=more)
        values["fill_ratio"] = values["filled_lots"] / values["lots"]
    currencies = _currencies(levels, of_fill, of_parent, count=len(keys))
    several = np.array([len(one) > 1 for one in currencies], dtype=bool)
    more["cash, of several currencies"] = several
    for name in (*SUMMED, *PARTS, "shortfall_bps"):
        values[name] = np.where(several, np.nan, values[name])
    values["currency"] = [one[0] if len(one) == 1 else None for one in currencies]
    values["lacks"] = buckets.lacks(measured.lacking, more=more)
    made = framed(GROUP_LEVEL, values)
    return pd.concat([keys, made.drop(columns=[name for name in by if name in made])], axis=1)


def _of_fills(levels: Levels, name: str) -> pd.Series:
    """A column by fill, from whichever frame has it."""
    column = levels.of_fills(name)
    if column is not None:
        return column
    column = levels.of_parents(name)
    if column is None:
        known = dict.fromkeys([*levels.fills.columns, *levels.given_fills.columns, *levels.parents.columns])
        raise InvalidFrame(f"there is no column {name!r} to group by; there are {', '.join(map(str, known))}")
    return column.take(levels.of_fill).reset_index(drop=True)


def _grouped(columns: Any) -> tuple[pd.DataFrame, Places]:
    """The keys of each group in order, and the group of each row."""
    frame = pd.DataFrame(columns)
    of_row = np.asarray(frame.groupby(list(frame.columns), sort=True, dropna=False).ngroup(), dtype=np.intp)
    first = np.full(of_row.max(initial=-1) + 1, 0)
    first[of_row[::-1]] = np.arange(len(frame))[::-1]
    return frame.take(first).reset_index(drop=True), of_row


def _of_buckets(buckets: Buckets, fills: pd.DataFrame) -> dict[str, Any]:
    """What the fills of each group tell."""
    values: dict[str, Any] = {"fills": buckets.fills, "filled_lots": buckets.filled_lots}
    for name in AVERAGED:
        values[name] = buckets.mean(fills[name].to_numpy())
    for name in SUMMED:
        values[name] = buckets.sum(fills[name].to_numpy())
    return values


def _of_parents(parents: pd.DataFrame, of_parent: Places, *, count: int, more: dict[str, Flags]) -> dict[str, Any]:
    """What the parents of each group tell; what is not known of some is said in `more`."""

    def total(name: str, rows: Flags) -> Reals:
        numbers = parents[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.bincount(of_parent[rows], weights=numbers[rows], minlength=count).astype(np.float64)

    def known(*names: str) -> Flags:
        return parents[list(names)].notna().all(axis=1).to_numpy()

    everyone, whole = np.ones(len(parents), dtype=bool), known("shortfall_cash", "notional_cash")
    watched = known("volume_lots")
    volume = np.where(np.bincount(of_parent[watched], minlength=count) > 0, total("volume_lots", watched), np.nan)
    told = np.bincount(of_parent[~known("lots")], minlength=count) == 0
    parts = {name: total(name, whole) for name in PARTS}
    some = np.bincount(of_parent[whole], minlength=count) > 0
    positive = whole & known("shortfall_bps")
    paper = total("notional_cash", positive)
    members, missing = np.bincount(of_parent, minlength=count), np.bincount(of_parent[~whole], minlength=count)
    for lost, members_of in sorted({(int(a), int(b)) for a, b in zip(missing, members, strict=True) if a}):
        more[f"shortfall ({lost} of {members_of} parents)"] = (missing == lost) & (members == members_of)
    return {
        "parents": members,
        "lots": np.where(told, total("lots", everyone), np.nan),
        "volume_lots": volume,
        "participation": total("filled_lots", watched) / np.where(volume > 0, volume, np.nan),
        **{name: np.where(some, part, np.nan) for name, part in parts.items()},
        "shortfall_bps": total("shortfall_cash", positive) / np.where(paper > 0, paper, np.nan) * BPS,
    }


def _currencies(levels: Levels, of_fill: Places, of_parent: Places | None, *, count: int) -> list[list[str]]:
    """Currencies of each group."""
    told = levels.fills["currency"] if of_parent is None else levels.parents["currency"]
    pairs = pd.DataFrame({"group": of_fill if of_parent is None else of_parent, "currency": told.to_numpy()})
    found: list[list[str]] = [[] for _ in range(count)]
    for group, currency in pairs.dropna().drop_duplicates().itertuples(index=False):
        found[group].append(currency)
    return found
