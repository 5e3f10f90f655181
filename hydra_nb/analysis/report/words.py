"""How a report writes numbers, times and the order itself: with units, signs and zones, an en dash where unknown."""

from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import ParentStatus, Strategy
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side

UNKNOWN: Final = "–"
MOST_DECIMALS: Final = 2
"""Decimals that an average has beyond those of its tick, at most."""

STRATEGIES: Final = {Strategy.TWAP: "TWAP", Strategy.LIMIT_PATIENCE: "limit with patience"}
SIGNS: Final = {Side.BUY: "▲", Side.SELL: "▼"}
STATUSES: Final = {
    ParentStatus.NEEDS_HUMAN: "needs a person",
    ParentStatus.PARTIAL: "partly filled",
}


def is_unknown(value: Any) -> bool:
    """Whether a frame does not know a value: None, NaN, NaT or NA."""
    return value is None or bool(pd.isna(value))


def number(value: Any, *, decimals: int = 0, signed: bool = False) -> str:
    """A number with grouped thousands, the true minus, and no sign on zero."""
    if is_unknown(value):
        return UNKNOWN
    text = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    bare = text.lstrip("+-")
    return bare if not bare.strip("0.,") else text.replace("-", "−")


def figure(value: Any) -> str:
    """A figure of any kind without needless decimals: ``18``, ``0.4``, ``1,250``."""
    if is_unknown(value):
        return UNKNOWN
    text = f"{value:,.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def price(value: Any, *, contract: FutureContract) -> str:
    """A price with the decimals of its tick; more where it lies between ticks, as a mid or an average does."""
    if is_unknown(value):
        return UNKNOWN
    known = float(value)
    shown = contract.decimals
    while shown < contract.decimals + MOST_DECIMALS and abs(round(known, shown) - known) > 1e-9:
        shown += 1
    return number(known, decimals=shown)


def cash(value: Any, *, currency: str, signed: bool = False) -> str:
    """Cash with its currency: ``+112.50 USD``."""
    known = number(value, decimals=2, signed=signed)
    return known if known == UNKNOWN else f"{known} {currency}"


def ticks(value: Any) -> str:
    """Ticks with their sign: ``+4.77 ticks``."""
    known = number(value, decimals=2, signed=True)
    return known if known == UNKNOWN else f"{known} ticks"


def percent(share: Any, *, decimals: int = 1) -> str:
    """A share as percent."""
    return UNKNOWN if is_unknown(share) else f"{number(share * 100, decimals=decimals)}\u2009%"


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``1 lot``, ``2 lots``."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def stamp(value: Any) -> pd.Timestamp | None:
    """A time of a frame, or UTC nanoseconds, as a timestamp; None where unknown."""
    if is_unknown(value):
        return None
    return pd.Timestamp(value, tz="UTC") if isinstance(value, int) else pd.Timestamp(value)


def at_exchange(value: Any, *, time_zone: str) -> str:
    """Date and time at the exchange, to the millisecond: ``2027-01-12 09:25:41.208``."""
    known = stamp(value)
    return UNKNOWN if known is None else _milliseconds(known.tz_convert(ZoneInfo(time_zone)))


def in_utc(value: Any) -> str:
    """Date and time in UTC, to the millisecond: ``2027-01-12 15:25:41.208``."""
    known = stamp(value)
    return UNKNOWN if known is None else _milliseconds(known)


def machine_time(value: Any) -> str:
    """Time for programs: ``2027-01-12T15:25:41.208Z``."""
    return f"{in_utc(value).replace(' ', 'T')}Z"


def moment(value: Any, *, time_zone: str) -> str:
    """A time in a sentence, in both zones: ``Tue 12 Jan 2027, 09:25:41 CST (15:25:41 UTC)``."""
    known = stamp(value)
    if known is None:
        return UNKNOWN
    local = known.tz_convert(ZoneInfo(time_zone))
    utc = f"{known:%H:%M:%S}" if known.date() == local.date() else f"{known:%a %d %b, %H:%M:%S}"
    return f"{local:%a %d %b %Y, %H:%M:%S} {local.tzname()} ({utc} UTC)"


def _milliseconds(known: pd.Timestamp) -> str:
    return f"{known:%Y-%m-%d %H:%M:%S}.{known.microsecond // 1000:03d}"


def duration(seconds: float) -> str:
    """A duration: ``50 min``, ``1 h 5 min``, ``85 s``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3_600)
    minutes, second = divmod(rest, 60)
    if not hours and (not minutes or whole < 100):
        return f"{whole} s"
    parts = ((hours, "h"), (minutes, "min"), (second, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value)


def month(contract: FutureContract) -> str:
    """The contract's month: ``Mar 2027``."""
    return f"{pd.Timestamp(f'{contract.contract_month[:4]}-{contract.contract_month[4:6]}-01'):%b %Y}"


def order_words(plan: ExecutionPlan) -> str:
    """What was to be done, in a sentence."""
    parent, contract = plan.parent, plan.parent.contract
    slices = "" if len(plan.slices) == 1 else f" in {len(plan.slices)} slices"
    limit = "without a price limit"
    if parent.limit is not None:
        limit = f"never {'above' if parent.side is Side.BUY else 'below'} {price(parent.limit, contract=contract)}"
    tag = "" if parent.tag is None else f", tagged “{parent.tag}”"
    return (
        f"{'Buy' if parent.side is Side.BUY else 'Sell'} {plural(parent.lots, 'lot')} of {contract.name} "
        f"{month(contract)} at {contract.exchange}, as {STRATEGIES[parent.strategy]}{slices} over "
        f"{duration(plan.duration_ns / NS_PER_S)}, {limit}{tag}."
    )


def status_words(status: ParentStatus) -> str:
    """A status in words."""
    return STATUSES.get(status, str(status))


def value_words(contract: FutureContract) -> str:
    """What a tick is worth."""
    tick = Decimal(contract.tick).normalize()
    return f"one tick is {tick:f}, worth {contract.tick_value:,.2f} {contract.currency} a lot"
