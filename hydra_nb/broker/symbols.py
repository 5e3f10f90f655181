"""Names of futures as people write them."""

import datetime as dt
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hydra_nb.errors import UnknownInstrument

_MONTHS = "FGHJKMNQUVXZ"
_LOCAL = re.compile(rf"(?P<symbol>[A-Z0-9]{{1,4}}?)(?P<month>[{_MONTHS}])(?P<year>\d{{1,2}})")

# IB's own symbols of thin futures, and what people call them elsewhere.
_COMMON = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA", "CSC", "CB", "LE", "ZC", "ZW", "ZS", "GC", "SI")
_ELSEWHERE = {"LBS": "LBR", "FC": "GF", "LH": "HE", "KW": "KE", "O": "ZO", "RR": "ZR", "FCOJ": "OJ", "DC": "DA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthName:
    """A symbol and a contract month, YYYYMM."""

    symbol: str
    contract_month: str


def read_local_symbol(text: str, *, today: dt.date) -> MonthName | None:
    """Read ``ZOH7`` as oats of March 2027: a one-digit year is the next that ends so; None for other texts."""
    found = _LOCAL.fullmatch(text.strip().upper())
    if found is None:
        return None
    digits = found["year"]
    cycle = 10 ** len(digits)
    earliest = today.year - 1  # a month that has just gone may still be asked for
    year = earliest + (int(digits) - earliest) % cycle
    return MonthName(symbol=found["symbol"], contract_month=f"{year}{_MONTHS.index(found['month']) + 1:02d}")


def unknown_instrument(name: str, *, known: Iterable[str]) -> UnknownInstrument:
    """The error for a name that the broker does not list, with the nearest that it may."""
    asked = name.strip().upper()
    candidates = sorted({*_COMMON, *known})
    near = [_ELSEWHERE[asked]] if asked in _ELSEWHERE else difflib.get_close_matches(asked, candidates, n=3, cutoff=0.5)
    remedy = (
        f"did you mean {' or '.join(near)}?" if near else "use the broker's own symbol, such as ZO, or a month, ZOH7"
    )
    return UnknownInstrument(f"the broker lists no future {name!r}; {remedy}")
