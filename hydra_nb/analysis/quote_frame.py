"""The frame of recorded quotes, made of columns: a year of them is read in chunks, and no row of it is an object."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.analysis.columns import QUOTES, Kind, frame_of

QUOTE_FIELDS = (
    "time_ns",
    "con_id",
    "local_symbol",
    "bid",
    "bid_size",
    "ask",
    "ask_size",
    "last",
    "last_size",
    "volume",
)
"""Fields of the journal's quotes that a chunk must hold, after the number of each."""

_REALS = tuple(one.name for one in QUOTES if one.kind is Kind.REAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A contract, and the time in which a parent ran in it; `ended_ns` None where it still does."""

    con_id: int
    begun_ns: int
    ended_ns: int | None


def quotes_frame(
    chunks: Iterable[list[tuple[Any, ...]]], *, is_wanted: Callable[[str], bool] | None = None, life: Life | None = None
) -> pd.DataFrame:
    """One row a quote, in order.

    Parameters
    ----------
    chunks
        Rows of quotes: their number, then `QUOTE_FIELDS`.
    is_wanted
        Tells by its local symbol whether a contract is wanted; all are where None.
    life
        Only quotes of this contract, and of this time.
    """
    symbols: dict[str, int] = {}
    parts = [
        part if life is None else _within(part, life) for chunk in chunks if chunk for part in [_part(chunk, symbols)]
    ]
    empty = np.empty(0)
    joined = {name: np.concatenate([part[name] for part in parts]) if parts else empty for name in _NAMES}
    codes = joined["code"].astype(np.int64)
    if is_wanted is not None:
        wanted = np.array([is_wanted(symbol) for symbol in symbols], dtype=np.bool_)[codes]
        joined, codes = {name: values[wanted] for name, values in joined.items()}, codes[wanted]
    known = pd.Series(list(symbols), dtype="str").array
    values = {name: joined[name] for name in _REALS}
    return frame_of(QUOTES, {**values, "time": joined["time"].astype(np.int64), "local_symbol": known.take(codes)})


Part = dict[str, NDArray[Any]]

_NAMES = ("time", "con_id", "code", *_REALS)


def _part(chunk: list[tuple[Any, ...]], symbols: dict[str, int]) -> Part:
    """Columns of a chunk; `symbols` numbers the local symbols as they come."""
    columns = dict(zip(("seq", *QUOTE_FIELDS), zip(*chunk, strict=True), strict=True))
    part: Part = {name: np.array(columns[name], dtype=np.float64) for name in _REALS}  # None becomes NaN
    part["time"] = np.array(columns["time_ns"], dtype=np.int64)
    part["con_id"] = np.array(columns["con_id"], dtype=np.int64)
    part["code"] = np.array([symbols.setdefault(one, len(symbols)) for one in columns["local_symbol"]], dtype=np.int64)
    return part


def _within(part: Part, life: Life) -> Part:
    """The rows of a part that belong to a life."""
    time_ns = part["time"]
    wanted = (part["con_id"] == life.con_id) & (time_ns >= life.begun_ns)
    if life.ended_ns is not None:
        wanted &= time_ns <= life.ended_ns
    return {name: values[wanted] for name, values in part.items()}
