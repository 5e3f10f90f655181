"""Dates and times as the TWS wire writes them, and as its clients write them."""

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NS_PER_S = 1_000_000_000

_YEARS = range(1970, 2200)  # those of which every time zone has every day

_UTC_TIME = re.compile(r"(\d{8})-(\d\d:\d\d:\d\d)")
_ZONED_TIME = re.compile(r"(\d{8}) +(\d\d:\d\d:\d\d)(?: +(\S+))?")


def date_text(date: dt.date) -> str:
    """``20260310``."""
    return f"{date.year:04d}{date.month:02d}{date.day:02d}"


def moment(time_ns: int) -> dt.datetime:
    """UTC time, in whole seconds."""
    return dt.datetime.fromtimestamp(time_ns // NS_PER_S, tz=dt.UTC)


def execution_time(time_ns: int) -> str:
    """``20260310 14:00:01 UTC``.

    The zone is named because clients read a time without one as local; IB as well names the zone of the login.
    """
    return moment(time_ns).strftime("%Y%m%d %H:%M:%S UTC")


def good_till_text(time_ns: int | None) -> str:
    """``20260310-14:00:01``, which is UTC by definition; empty where there is none."""
    return "" if time_ns is None else moment(time_ns).strftime("%Y%m%d-%H:%M:%S")


def parse_time(text: str) -> int | None:
    """Nanoseconds of ``yyyymmdd-hh:mm:ss`` (UTC) or ``yyyymmdd hh:mm:ss zone``; None if it is neither.

    A time without a zone is taken as UTC. Years before 1970 and after 2199 are no times of this market.
    """
    match = _UTC_TIME.fullmatch(text) or _ZONED_TIME.fullmatch(text)
    if match is None:
        return None
    zone = match.group(3) if match.re is _ZONED_TIME else None
    try:
        local = dt.datetime.strptime(f"{match.group(1)} {match.group(2)}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007
        aware = local.replace(tzinfo=ZoneInfo(zone or "UTC"))
    except (ValueError, ZoneInfoNotFoundError, OSError):  # OSError for the name of a folder of zones, such as America
        return None
    return round(aware.timestamp()) * NS_PER_S if local.year in _YEARS else None
