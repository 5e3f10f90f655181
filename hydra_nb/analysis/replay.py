"""Recorded quotes as rows for a tape that the simulated market replays."""

import numpy as np
import pandas as pd

from hydra_nb.errors import InvalidFrame

REPLAYED = ("bid", "bid_size", "ask", "ask_size", "last", "last_size", "volume")

Row = tuple[int | float, ...]
"""Time in UTC nanoseconds, then the values of `REPLAYED`; NaN where unknown."""


def replay_rows(quotes: pd.DataFrame, *, local_symbol: str | None = None) -> list[Row]:
    """Rows of one contract, in the order of the frame.

    Whether they can be replayed, being in order of time, on the tick and not crossed, is for the tape to say.

    Parameters
    ----------
    quotes
        Frame with the columns of ``desk.quotes()``.
    local_symbol
        The contract, where the frame holds several.

    Raises
    ------
    InvalidFrame
        A column is missing or holds no numbers, times have no zone or are unknown, or the contract is not there, or not
        the only one.
    """
    missing = [name for name in ("time", "local_symbol", *REPLAYED) if name not in quotes.columns]
    if missing:
        raise InvalidFrame(f"quotes lack {', '.join(missing)}; they need the columns of desk.quotes()")
    if local_symbol is not None:
        quotes = quotes[quotes["local_symbol"] == local_symbol]
    contracts = sorted(quotes["local_symbol"].dropna().unique())
    if len(contracts) != 1:
        there = ", ".join(contracts) or "none"
        raise InvalidFrame(f"a tape is of one contract, these quotes are of {there}; name it with local_symbol=")
    if not isinstance(quotes["time"].dtype, pd.DatetimeTZDtype) or quotes["time"].isna().any():
        raise InvalidFrame("time of quotes has no time zone, or is unknown in some; use .dt.tz_localize")
    times = quotes["time"].dt.tz_convert("UTC").dt.as_unit("ns").astype("int64").tolist()
    try:
        values = [quotes[name].to_numpy(dtype=np.float64, na_value=np.nan).tolist() for name in REPLAYED]
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"quotes hold no numbers: {error}") from error
    return list(zip(times, *values, strict=True))
