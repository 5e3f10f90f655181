"""Trading hours and times as gateways write them.

Hours are read into UTC sessions. ``20270112:0830-20270112:1320;20270113:CLOSED`` names local dates and times of
the exchange; older gateways leave the second date out and part several spans of a day by commas.
"""

import datetime as dt
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hydra_nb.domain.instrument import Session
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError

# Names that gateways use beside the IANA ones. EST and MST are IANA names too, but of zones without
# summer time, which no exchange means by them; so this table is asked first.
_ZONES = {
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "CST (CENTRAL STANDARD TIME)": "America/Chicago",
    "CDT": "America/Chicago",
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "EST (EASTERN STANDARD TIME)": "America/New_York",
    "EDT": "America/New_York",
    "GB": "Europe/London",
    "GB-EIRE": "Europe/London",
    "HONGKONG": "Asia/Hong_Kong",
    "JAPAN": "Asia/Tokyo",
    "JST": "Asia/Tokyo",
    "MET": "Europe/Berlin",
    "MST": "America/Denver",
    "PST": "America/Los_Angeles",
    "US/CENTRAL": "America/Chicago",
    "US/EASTERN": "America/New_York",
    "US/MOUNTAIN": "America/Denver",
    "US/PACIFIC": "America/Los_Angeles",
}

_SPAN = re.compile(r"(?:(?P<start_day>\d{8}):)?(?P<start>\d{4})-(?:(?P<end_day>\d{8}):)?(?P<end>\d{4})")

_TIME = re.compile(r"(?P<day>\d{8})(?:(?P<dash>-)| )(?P<time>\d\d:\d\d:\d\d)(?: (?P<zone>\S.*))?")


def zone_name(name: str) -> str:
    """IANA name of a gateway's time zone.

    Raises
    ------
    BrokerError
        When neither we nor the IANA database know the name.
    """
    iana = _ZONES.get(name.strip().upper(), name.strip())
    try:
        return ZoneInfo(iana).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BrokerError(
            f"time zone {name!r} of the contract details is not known; its sessions cannot be told, so it is not traded"
        ) from error


def parse_hours(text: str, *, zone: str) -> tuple[Session, ...]:
    """Sessions in order and not overlapping, UTC nanoseconds.

    Parameters
    ----------
    text
        Trading hours of contract details; empty gives no session.
    zone
        IANA name of the exchange's time zone.

    Raises
    ------
    BrokerError
        When the text is not of the form described on top.
    """
    sessions: list[Session] = []
    spans = sorted(_spans(text, ZoneInfo(zone)))
    for open_ns, close_ns in spans:
        if sessions and open_ns < sessions[-1].close_ns:
            merged = Session(open_ns=sessions[-1].open_ns, close_ns=max(close_ns, sessions[-1].close_ns))
            sessions[-1] = merged
        else:
            sessions.append(Session(open_ns=open_ns, close_ns=close_ns))
    return tuple(sessions)


def with_zone(text: str) -> str | None:
    """An execution's time with an IANA zone; None where it tells no zone, or is no time.

    Gateways write ``20270112 09:00:00 US/Central``, or ``20270112-15:00:00`` for UTC. The client library takes
    a time without zone for one of this machine, and drops the execution where it does not know the zone.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        dt.datetime.strptime(found["day"] + found["time"], "%Y%m%d%H:%M:%S").replace(tzinfo=dt.UTC)
        zone = "UTC" if found["dash"] else zone_name(found["zone"] or "")
    except (ValueError, BrokerError):
        return None
    return f"{found['day']} {found['time']} {zone}"


def _spans(text: str, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    for day_text in filter(None, text.replace(" ", "").split(";")):
        day = day_text[:8]
        if day_text[8:] == ":CLOSED":
            continue
        for span in day_text.split(","):
            found = _SPAN.fullmatch(span)
            if found is None:
                raise BrokerError(f"trading hours {span!r} are not of the form 20270112:0830-20270112:1320")
            open_ns = _instant_ns(found["start_day"] or day, found["start"], zone)
            close_ns = _instant_ns(found["end_day"] or found["start_day"] or day, found["end"], zone)
            if open_ns < close_ns:
                yield open_ns, close_ns


def _instant_ns(day: str, time: str, zone: ZoneInfo) -> int:
    try:
        midnight = dt.datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
        local = midnight.replace(hour=int(time[:2]) % 24, minute=int(time[2:]))
    except ValueError as error:
        raise BrokerError(f"trading hours name {day}:{time}, which is no time") from error
    if time[:2] == "24":  # midnight at the day's end
        local = (midnight + dt.timedelta(days=1)).replace(minute=int(time[2:]))
    return round(local.timestamp()) * NS_PER_S
