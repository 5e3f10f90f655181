"""How numbers and times are written on the screens: one place for signs, decimals and units.

Unknown is an en dash, zero is ``0``, the minus is the true one, a percent stands behind a thin space.
Every function takes what a frame may hold: a number, None, NaN, NA or NaT.
"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.domain.instrument import FutureContract

UNKNOWN = "–"
THIN_SPACE = "\u2009"
CENTS_BELOW = 10_000

_CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_PHYSICAL_UNITS = {
    **dict.fromkeys(("ZO", "ZC", "ZW", "ZS", "KE", "MWE"), "bu"),
    **dict.fromkeys(("GF", "HE", "LE", "OJ", "CSC", "CB", "KC", "CT", "SB", "HG"), "lb"),
    **dict.fromkeys(("ZR", "DA"), "cwt"),
    **dict.fromkeys(("PA", "PL", "GC", "SI"), "oz"),
    "LBR": "MBF",
}
"""What one unit of a contract's multiplier is, by the broker's symbol; contract details do not tell it."""
_MINOR_SIGNS = {"USD": "¢", "EUR": "ct", "GBP": "p"}


def number(value: Any) -> float | None:
    """The value as a float; None where it is unknown (None, NaN, NA, infinite)."""
    if value is None or value is pd.NA:
        return None
    known = float(value)
    return known if Decimal(known).is_finite() else None


def moment(value: Any) -> pd.Timestamp | None:
    """The value as a UTC timestamp; None where it is unknown (None, NaT).

    Whole numbers are UTC nanoseconds; a timestamp without a zone is taken as UTC.
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    stamp = pd.Timestamp(value)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def price(value: Any, *, decimals: int) -> str:
    """A price with all decimals of its tick: ``370.00``."""
    known = number(value)
    return UNKNOWN if known is None else _true_minus(f"{known:,.{decimals}f}")


def average_price(value: Any, *, decimals: int) -> str:
    """An average of prices, with one decimal more than a price: ``370.625``."""
    return price(value, decimals=decimals + 1)


def mid_price(value: Any, *, decimals: int) -> str:
    """A mid: as a price where it is on tick, with one decimal more where it lies between ticks."""
    known = number(value)
    between = known is not None and abs(round(known, decimals) - known) > 1e-9
    return price(known, decimals=decimals + between)


def cash(value: Any, *, currency: str, whole: bool = False) -> str:
    """Cash with its currency, and with cents below 10,000: ``$877.50``, ``−$12,500``.

    `whole` leaves the cents out from 100 on, for tiles, intervals and sentences.
    """
    known = number(value)
    if known is None:
        return UNKNOWN
    cents = abs(known) < (100 if whole else CENTS_BELOW)
    rounded = _half_up(known, decimals=2 if cents else 0)
    amount = f"{abs(rounded):,}"
    sign = _CURRENCY_SIGNS.get(currency)
    return ("−" if rounded < 0 else "") + (f"{sign}{amount}" if sign else f"{currency} {amount}")


def ticks(value: Any, *, signed: bool = False) -> str:
    """Ticks with one decimal; `signed` where it is a cost: ``+2.5`` is worse than the reference."""
    return _decimal(value, decimals=1, signed=signed)


def bps(value: Any) -> str:
    """Basis points with one decimal."""
    return _decimal(value, decimals=1)


def percent(fraction: Any, *, decimals: int = 2) -> str:
    """A fraction as percent: ``0.031`` is ``3.10 %``."""
    known = number(fraction)
    return UNKNOWN if known is None else _true_minus(f"{known * 100:.{decimals}f}") + f"{THIN_SPACE}%"


def lots(value: Any, *, signed: bool = False) -> str:
    """Whole lots; `signed` for positions."""
    return _decimal(value, decimals=0, signed=signed)


def plain(value: Any) -> str:
    """A figure of unknown kind, without needless decimals: ``18``, ``0.4``, ``1,250``."""
    known = number(value)
    if known is None:
        return UNKNOWN
    text = f"{known:,.4f}".rstrip("0").rstrip(".")
    return _true_minus("0" if text == "-0" else text)


def plural(count: int, word: str) -> str:
    """A count with its noun: ``1 lot``, ``2 lots``."""
    return f"{lots(count)} {word}" if count == 1 else f"{lots(count)} {word}s"


def clock_time(value: Any, *, time_zone: str, seconds: bool = True) -> str:
    """Time of day in the exchange's zone: ``09:25:41``."""
    known = moment(value)
    return UNKNOWN if known is None else f"{known.tz_convert(ZoneInfo(time_zone)):{'%H:%M:%S' if seconds else '%H:%M'}}"


def utc_time(value: Any) -> str:
    """Time in UTC to the millisecond, for hovering: ``2027-01-12 15:25:41.208 UTC``."""
    known = moment(value)
    return UNKNOWN if known is None else f"{known:%Y-%m-%d %H:%M:%S}.{known.microsecond // 1000:03d} UTC"


def zone_name(value: Any, *, time_zone: str) -> str:
    """Short name of the exchange's zone: ``CT``, ``ET``; elsewhere what the time-zone database calls it.

    North American names lose the letter that tells summer from winter, as exchanges write them.
    """
    known = moment(value) or pd.Timestamp(0, tz="UTC")
    name = known.tz_convert(ZoneInfo(time_zone)).tzname() or time_zone
    american = time_zone.startswith(("America/", "US/")) and len(name) == 3 and name[1:] in ("ST", "DT")
    return f"{name[0]}T" if american else name


def duration(seconds: Any) -> str:
    """A duration: ``1:24``, ``1:17:41``, and whole hours as ``2 h``."""
    known = number(seconds)
    if known is None:
        return UNKNOWN
    whole = max(0, round(known))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    if hours and not rest:
        return f"{hours} h"
    return f"{hours}:{minutes:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"


def contract_month(month: str) -> str:
    """A contract month, ``202703``, in words: ``Mar 2027``."""
    return f"{pd.Timestamp(f'{month[:4]}-{month[4:6]}-01'):%b %Y}"


def physical_unit(contract: FutureContract) -> str:
    """What the contract delivers is counted in: ``bu``, ``lb``; ``units`` where that is not known."""
    return _PHYSICAL_UNITS.get(contract.symbol, "units")


def unit_price(value: Any, *, currency: str) -> str:
    """Cash for one physical unit, with the decimals that it needs and at least two: ``$3.70``, ``$2.55125``."""
    known = number(value)
    if known is None:
        return UNKNOWN
    text = f"{abs(known):,.6f}".rstrip("0")
    digits = text.partition(".")[2]
    sign = _CURRENCY_SIGNS.get(currency)
    return f"{sign or f'{currency} '}{text}{'0' * max(0, 2 - len(digits))}"


def quote_unit(contract: FutureContract) -> str:
    """The unit of the quoted price: ``¢/bu`` where the magnifier is 100 and the currency has cents; else ``$/oz``."""
    physical = _PHYSICAL_UNITS.get(contract.symbol)
    over = f"/{physical}" if physical else ""
    if contract.price_magnifier == 1:
        return _CURRENCY_SIGNS.get(contract.currency, contract.currency) + over
    minor = _MINOR_SIGNS.get(contract.currency)
    known = minor if minor and contract.price_magnifier == 100 else f"{contract.currency}/{contract.price_magnifier}"
    return known + over


def quantity(value: Any, *, unit: str, contract: FutureContract) -> str:
    """A figure of a risk check in its own unit, as the journal names it."""
    kind = unit.strip().lower()
    if number(value) is None:
        return UNKNOWN
    if kind in ("cash", contract.currency.lower()):
        return cash(value, currency=contract.currency)
    if kind in ("fraction", "share", "of adv"):
        return percent(value)
    if kind.startswith("%"):
        return f"{percent((number(value) or 0.0) / 100)}{unit.strip()[1:]}"
    if kind == "price":
        return price(value, decimals=contract.decimals)
    if kind in ("lots", "lot") or not kind:
        return f"{plain(value)} {kind}".strip()
    return f"{plain(value)} {unit.strip()}"


def _decimal(value: Any, *, decimals: int, signed: bool = False) -> str:
    known = number(value)
    if known is None:
        return UNKNOWN
    rounded = _half_up(known, decimals=decimals)
    sign = "+" if signed and rounded > 0 else ""
    return sign + _true_minus(f"{rounded:,.{decimals}f}")


def _half_up(value: float, *, decimals: int) -> Decimal:
    """Round as people do: half away from zero, on the shortest decimal form; a rounded −0 is 0."""
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding="ROUND_HALF_UP")
    return rounded if rounded else abs(rounded)


def _true_minus(text: str) -> str:
    return text.replace("-", "−")
