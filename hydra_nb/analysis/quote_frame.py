"""The frame of recorded quotes, made of columns: a year of them is read in chunks, and no row becomes an object."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.analysis.columns import QUOTES, Kind, frame_of

_REALS = tuple(one.name for one in QUOTES if one.kind is Kind.REAL)

QUOTE_FIELDS = ("time_ns", "local_symbol", *_REALS)
"""Fields of the journal's quotes that a chunk must hold, after the number of each."""


def quotes_frame(chunks: Iterable[list[tuple[Any, ...]]]) -> pd.DataFrame:
    """One row a quote, in order; `chunks` hold rows of their number, then `QUOTE_FIELDS`."""
    symbols: dict[str, int] = {}
    parts = [_part(chunk, symbols) for chunk in chunks if chunk]
    joined = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.empty(0, dtype=np.int64)
        for name in ("time", "symbol", *_REALS)
    }
    local_symbol = pd.Series(list(symbols), dtype="str").array.take(joined["symbol"])
    return frame_of(QUOTES, {**joined, "local_symbol": local_symbol})


def _part(chunk: list[tuple[Any, ...]], symbols: dict[str, int]) -> dict[str, NDArray[Any]]:
    """Columns of a chunk; `symbols` numbers the local symbols as they come."""
    _, time_ns, local_symbol, *reals = zip(*chunk, strict=True)
    return {
        "time": np.array(time_ns, dtype=np.int64),
        "symbol": np.array([symbols.setdefault(one, len(symbols)) for one in local_symbol], dtype=np.int64),
        **{name: np.array(one, dtype=np.float64) for name, one in zip(_REALS, reals, strict=True)},  # None becomes NaN
    }
