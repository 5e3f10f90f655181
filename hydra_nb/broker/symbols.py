"""Names of futures as people write them."""

import datetime as dt
import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from hydra_nb.errors import UnknownInstrument

_MONTHS = "FGHJKMNQUVXZ"
_LOCAL = re.compile(rf"(?P<symbol>[A-Z0-9]{{1,4}}?)(?P<month>[{_MONTHS}])(?P<year>\d{{1,2}})")

_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# IB's own symbols of the thin futures that this package is for, and what people call them elsewhere.
_THIN = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA", "CSC", "CB")
_ELSEWHERE = {"LBS": "LBR", "FC": "GF", "LH": "HE", "KW": "KE", "O": "ZO", "RR": "ZR", "FCOJ": "OJ", "DC": "DA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthName:
    """A symbol and a contract month, YYYYMM."""

    symbol: str
    contract_month: str

    @property
    def words(self) -> str:
        """The month in words, such as ``December 2026``."""
        return f"{_MONTH_NAMES[int(self.contract_month[4:]) - 1]} {self.contract_month[:4]}"


def read_local_symbol(text: str, *, today: dt.date) -> MonthName | None:
    """Read ``ZOH7`` as oats of March 2027; None for other texts.

    A one-digit year is the next that ends so, one of two digits the nearest.
    """
    found = _LOCAL.fullmatch(text.strip().upper())
    if found is None:
        return None
    digits = found["year"]
    cycle = 10 ** len(digits)
    earliest = today.year - (1 if cycle == 10 else 50)  # a month that has just gone may still be asked for
    year = earliest + (int(digits) - earliest) % cycle
    return MonthName(symbol=found["symbol"], contract_month=f"{year}{_MONTHS.index(found['month']) + 1:02d}")


def unknown_instrument(name: str, *, known: Collection[str], unlisted: Collection[str] = ()) -> UnknownInstrument:
    """The error for a name that the broker does not list, with the nearest that it lists, or else may list.

    Parameters
    ----------
    known
        Symbols that the broker was seen to list.
    unlisted
        Symbols that it was asked for and does not list.
    """
    return UnknownInstrument(f"the broker lists no future {name!r}; {_nearest(name, known=known, unlisted=unlisted)}")


def unknown_month(
    name: str, *, read_as: MonthName, today: dt.date, known: Collection[str], unlisted: Collection[str] = ()
) -> UnknownInstrument:
    """The error for a local symbol whose month the broker does not list: what was typed, and how it was read."""
    told, symbol = f"the broker lists no future {name!r}, read as {read_as.words}", read_as.symbol
    if symbol not in known:
        return UnknownInstrument(
            f"{told}, nor any month of {symbol!r}; {_nearest(symbol, known=known, unlisted=unlisted)}"
        )
    expired = " (it may have expired)" if read_as.contract_month <= f"{today:%Y%m}" else ""
    return UnknownInstrument(
        f'{told}: no such month of {symbol} is listed{expired}; await desk.chain("{symbol}") shows the months that '
        "there are"
    )


def _nearest(name: str, *, known: Collection[str], unlisted: Collection[str]) -> str:
    """What to say instead, never the name itself; what the broker lists comes before what it may list."""
    asked = name.strip().upper()
    elsewhere = _ELSEWHERE.get(asked)
    if elsewhere is not None and elsewhere not in unlisted:
        return f"did you mean {elsewhere}?"
    if listed := _near(asked, {*known} - {asked}):
        return f"did you mean {' or '.join(listed)}?"
    candidates = [symbol for symbol in _THIN if symbol != asked and symbol not in unlisted]
    if near := _near(asked, candidates):
        return f"of the thin futures that this package knows you may mean {' or '.join(near)}"
    return f"use the broker's own symbol; thin futures that this package knows are {', '.join(candidates)}"


def _near(asked: str, candidates: Collection[str]) -> list[str]:
    return difflib.get_close_matches(asked, sorted(candidates), n=3, cutoff=0.5)
