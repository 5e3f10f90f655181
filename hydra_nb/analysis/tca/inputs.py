"""Frames as they are given, held against what they must be, as arrays.

What would give a wrong number is refused: times without a zone, sides that are neither, fills told twice. What is
merely not there stays NaN, and is said in the column `lacks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from hydra_nb.analysis.tca.asof import Flags, Groups, Ints, Places, Reals, Tape
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidFrame

NEVER_NS = np.iinfo(np.int64).min
"""What pandas has for NaT."""

SHOWN = 3  # rows that a message names


@dataclass(frozen=True, kw_only=True)
class Fills:
    """Fills as arrays, one entry a fill, in the order of the frame.

    Attributes
    ----------
    frame
        As given.
    symbols
        Local symbols by the number that `keys` holds.
    keys
        Symbol of each fill, a position in `symbols`.
    time_ns
        UTC nanoseconds.
    sign
        1 for a buy, −1 for a sell.
    lots, price
        Lots, and price in the quoted unit.
    """

    frame: pd.DataFrame
    symbols: pd.Index
    keys: Places
    time_ns: Ints
    sign: Reals
    lots: Reals
    price: Reals

    @classmethod
    def of(cls, frame: pd.DataFrame, *others: pd.DataFrame | None) -> "Fills":
        """Read a frame of fills; `others` may name further local symbols.

        Raises
        ------
        InvalidFrame
            It lacks a column, or holds rows that cannot be fills.
        """
        require(frame, "fills", ("time", "local_symbol", "side", "lots", "price"))
        refuse(frame["local_symbol"].isna(), "fills", "without a local symbol")
        named = [one["local_symbol"] for one in (frame, *others) if one is not None and "local_symbol" in one]
        symbols = pd.Index(pd.concat([one.astype("str") for one in named]).dropna().unique())
        side = frame["side"].astype(str)
        refuse(~side.isin([str(one) for one in Side]), "fills", "whose side is neither BUY nor SELL")
        lots, price = real(frame, "lots", "fills"), real(frame, "price", "fills")
        refuse(~(lots > 0), "fills", "whose lots are not positive (leave busts out)")
        refuse(~np.isfinite(price), "fills", "without a price")
        if "fill_id" in frame:
            told = frame["fill_id"]
            refuse(told.notna() & told.duplicated(keep=False), "fills", "whose fill_id stands there more than once")
        return cls(
            frame=frame,
            symbols=symbols,
            keys=keys_of(frame, symbols),
            time_ns=moments(frame, "time", "fills"),
            sign=np.where(side == str(Side.BUY), 1.0, -1.0),
            lots=lots,
            price=price,
        )

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def groups(self) -> Groups:
        """Fills by symbol."""
        return Groups(self.keys, count=len(self.symbols))

    def real(self, name: str) -> Reals:
        """Another column of the frame as numbers; NaN throughout where it has none of this name."""
        return real(self.frame, name, "fills") if name in self.frame else np.full(len(self), np.nan)

    def text(self, name: str) -> pd.Series:
        """Another column of the frame as words; missing throughout where it has none of this name."""
        if name in self.frame:
            return self.frame[name].astype("str")
        return pd.Series(np.full(len(self), np.nan), index=self.frame.index, dtype="str")


def read_quotes(frame: pd.DataFrame, *, symbols: pd.Index) -> Tape:
    """Mids of these symbols over time; a quote that is one-sided, locked or crossed has none.

    Raises
    ------
    InvalidFrame
        It lacks a column, or holds a time that cannot be read.
    """
    require(frame, "quotes", ("time", "local_symbol", "bid", "ask"))
    bid, ask = real(frame, "bid", "quotes"), real(frame, "ask", "quotes")
    times_ns = moments(frame, "time", "quotes")
    crossed = bid >= ask
    if crossed.any():
        bid = np.where(crossed, np.nan, bid)
    return Tape(times_ns, keys_of(frame, symbols), bid, ask, count=len(symbols))


def keys_of(frame: pd.DataFrame, symbols: pd.Index) -> Places:
    """Position of each row's local symbol among `symbols`; −1 where it is not there."""
    codes, known = pd.factorize(frame["local_symbol"].astype("str"))
    place = symbols.get_indexer(pd.Index(known))
    return np.append(place, -1)[codes]


def must_be_frame(value: object, name: str) -> None:
    """Raise `InvalidFrame` where a frame is none."""
    if not isinstance(value, pd.DataFrame):
        such_as = "hydra_nb.analysis.tca.trades_of(quotes)" if name == "trades" else f"desk.{name}()"
        raise InvalidFrame(f"{name}={value!r:.60} is no frame; give a DataFrame, such as {such_as}")


def require(frame: pd.DataFrame, name: str, columns: Sequence[str]) -> None:
    """Raise `InvalidFrame` where a frame is none, or lacks columns."""
    must_be_frame(frame, name)
    if missing := [column for column in columns if column not in frame]:
        raise InvalidFrame(
            f"{name} lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns)) or 'nothing'}"
        )


def refuse(bad: pd.Series | Flags, name: str, words: str) -> None:
    """Raise `InvalidFrame` where any row is bad; the message counts and names them."""
    rows = np.flatnonzero(np.asarray(bad, dtype=bool))
    if len(rows):
        shown = ", ".join(str(row) for row in rows[:SHOWN]) + (", …" if len(rows) > SHOWN else "")
        raise InvalidFrame(f"{name} holds {len(rows)} of {len(bad)} rows {words}: row {shown}, counted from 0")


def moments(frame: pd.DataFrame, column: str, name: str, *, or_never: bool = False) -> Ints:
    """Times of a column as UTC nanoseconds; `NEVER_NS` where unknown, if that may be.

    Raises
    ------
    InvalidFrame
        They are no times, have no zone, or are unknown where they must not be.
    """
    times = frame[column]
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        remedy = f'{name}["{column}"].dt.tz_localize("America/Chicago"), for instance'
        said = "without a time zone" if pd.api.types.is_datetime64_any_dtype(times) else f"of dtype {times.dtype}"
        raise InvalidFrame(f"{name} holds times {said} in {column}; give datetime64 with their zone: {remedy}")
    if not or_never:
        refuse(times.isna(), name, f"without a {column}")
    utc = pd.DatetimeIndex(times).tz_convert("UTC").tz_localize(None)
    return np.asarray(utc.as_unit("ns"), dtype="datetime64[ns]").view(np.int64)


def real(frame: pd.DataFrame, column: str, name: str) -> Reals:
    """A column as float64, NaN where unknown.

    Raises
    ------
    InvalidFrame
        It holds something that is no number.
    """
    try:
        return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"{name} holds what is no number in {column}: {error}") from error
