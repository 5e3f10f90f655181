"""Frames of fills, quotes, trades and parents as somebody else might have them."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

OATS = "ZOH7"
BEGIN = pd.Timestamp("2027-02-01 15:00", tz="UTC")
TERMS = pd.DataFrame(
    {
        "local_symbol": [OATS, "KEH7"],
        "tick": [0.25, 0.25],
        "multiplier": [5_000.0, 5_000.0],
        "price_magnifier": [100, 100],
        "time_zone": ["America/Chicago"] * 2,
    }
)
"""A cent a bushel is worth 50 dollars a lot, a tick of a quarter 12.50."""


def at(seconds: float) -> pd.Timestamp:
    """A moment, counted from the begin."""
    return BEGIN + pd.Timedelta(seconds=seconds)


def fills_frame(*rows: tuple[float, str, int, float], **columns: Any) -> pd.DataFrame:
    """Fills of oats by seconds, side, lots and price; further columns for all of them."""
    frame = pd.DataFrame(rows, columns=["time", "side", "lots", "price"])
    frame["time"] = _times(frame["time"])
    return frame.assign(local_symbol=OATS, parent_id="P-0001", **columns)


def quotes_frame(*rows: tuple[float, float | None, float | None], **columns: Any) -> pd.DataFrame:
    """Quotes of oats by seconds, bid and ask."""
    frame = pd.DataFrame(rows, columns=["time", "bid", "ask"]).astype({"bid": "float64", "ask": "float64"})
    frame["time"] = _times(frame["time"])
    return frame.assign(local_symbol=OATS, **columns)


def trades_frame(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Trades of oats by seconds, price and lots."""
    frame = pd.DataFrame(rows, columns=["time", "price", "lots"])
    frame["time"] = _times(frame["time"])
    return frame.assign(local_symbol=OATS)


def parent_frame(*, until: float | None, lots: int, **columns: Any) -> pd.DataFrame:
    """One parent of oats that arrived at the begin."""
    told = {"parent_id": "P-0001", "submitted": BEGIN, "local_symbol": OATS, "side": "BUY", "lots": lots}
    finished = pd.Series([pd.NaT if until is None else at(until)], dtype="datetime64[ns, UTC]")
    return pd.DataFrame([{**told, **columns}]).assign(finished=finished)


def _times(seconds: Iterable[float]) -> pd.DatetimeIndex:
    moments: Sequence[pd.Timestamp] = [at(one) for one in seconds]
    return pd.DatetimeIndex(moments, tz="UTC").as_unit("ns")
