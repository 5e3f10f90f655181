"""When a contract's close-out window begins: the one rule that the gate, the choice of a month and the alerts share."""

import datetime as dt
import functools
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOut:
    """How far a contract is from the day before which its broker closes it out.

    Attributes
    ----------
    ends
        That day, by the exchange's calendar: first notice where a person told one before the last trade, else the last
        trade.
    is_notice
        Whether it is a first notice day.
    days
        Calendar days until then; negative once it has passed.
    limit
        Days before it at which the window begins.
    """

    ends: dt.date
    is_notice: bool
    days: int
    limit: int

    @property
    def is_inside(self) -> bool:
        """Whether the window has begun: only what reduces a position passes."""
        return self.days <= self.limit

    @property
    def event(self) -> str:
        """What happens on that day, in words."""
        return "first notice" if self.is_notice else "its last trade"


def close_out_of(contract: FutureContract, *, first_notice: dt.date | None, now_ns: int, limits: Limits) -> CloseOut:
    """Where a contract stands.

    Parameters
    ----------
    first_notice
        The day that a person told; None where nobody did. One that is not before the last trade says nothing.
    now_ns
        Market time.
    limits
        Of the contract's symbol: the window begins `notice_days` before a first notice, `close_out_days` before a last
        trade.
    """
    last = contract.last_trade_date
    is_notice = first_notice is not None and first_notice < last
    ends = first_notice if first_notice is not None and is_notice else last
    today = exchange_date(now_ns, zone=contract.time_zone)
    limit = limits.notice_days if is_notice else limits.close_out_days
    return CloseOut(ends=ends, is_notice=is_notice, days=(ends - today).days, limit=limit)


def months_ahead(contract: FutureContract, *, now_ns: int) -> int:
    """Calendar months from now until the month of the last trade, at the exchange."""
    last, today = contract.last_trade_date, exchange_date(now_ns, zone=contract.time_zone)
    return (last.year - today.year) * 12 + last.month - today.month


def exchange_date(time_ns: int, *, zone: str) -> dt.date:
    """Date at the exchange at a market time."""
    return _date(time_ns // (60 * NS_PER_S), zone)


@functools.lru_cache(maxsize=64)
def _date(minute: int, zone: str) -> dt.date:
    return dt.datetime.fromtimestamp(minute * 60, tz=ZoneInfo(zone)).date()
