"""When cycles are due, and which days are trading days, by the sessions that the broker lists; no clock is read."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.desk.starting import times_of_dates, trade_date
from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder

_RELATIVE = re.compile(r"open(?:\+(?P<after>.+))?|close-(?P<before>.+)|settle(?:-(?P<ahead>.+))?")
_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?")
_HOUR_NS = 3600 * NS_PER_S
_HOURS_TRIED = 49
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FORMS = "'08:45', 'open+15m', 'close-1h', 'settle-30m', or a trigger of APScheduler"


Settles = Callable[[FutureContract], dt.time | None]


class Timetable(Protocol):
    """Gives the times at which cycles are due.

    Attributes
    ----------
    may_end
        Whether no time given means that there will be none any more, and not that none is listed yet.
    """

    may_end: bool

    def due_ns(self, contract: FutureContract, *, previous_ns: int | None, now_ns: int) -> int | None:
        """Market time at which the next cycle is due, after the previous one; it may have passed."""
        ...


class TriggerTimes:
    """Times that a trigger of APScheduler gives.

    Parameters
    ----------
    trigger
        Whatever has ``get_next_fire_time(previous, now)``.
    """

    may_end = True

    def __init__(self, trigger: Any) -> None:
        self._trigger = trigger

    def due_ns(self, contract: FutureContract, *, previous_ns: int | None, now_ns: int) -> int | None:
        """The trigger's next time."""
        zone = ZoneInfo(contract.time_zone)
        if previous_ns is None:
            fires = self._trigger.get_next_fire_time(None, _local(now_ns, zone))
            return None if fires is None else _ns(fires)
        previous = _local(previous_ns, zone)
        later = max(_local(now_ns, zone), previous)
        fires = self._trigger.get_next_fire_time(previous, later)
        # In an hour that comes twice APScheduler gives the same time for ever; a time is never to be given twice.
        for hours in range(1, _HOURS_TRIED):
            if fires is None or _ns(fires) > previous_ns:
                return None if fires is None else _ns(fires)
            fires = self._trigger.get_next_fire_time(None, _local(_ns(later) + hours * _HOUR_NS, zone))
        return None


class DailyTimes:
    """One time of day at the exchange, on every day; the calendar arithmetic is APScheduler's."""

    may_end = False

    def __init__(self, time: dt.time) -> None:
        self._time = time
        self._of_zone: dict[str, TriggerTimes] = {}

    def due_ns(self, contract: FutureContract, *, previous_ns: int | None, now_ns: int) -> int | None:
        """The next such time."""
        zone = contract.time_zone
        if zone not in self._of_zone:
            from apscheduler.triggers.cron import CronTrigger

            time = self._time
            trigger = CronTrigger(hour=time.hour, minute=time.minute, second=time.second, timezone=zone)
            self._of_zone[zone] = TriggerTimes(trigger)
        return self._of_zone[zone].due_ns(contract, previous_ns=previous_ns, now_ns=now_ns)


class SessionTimes:
    """Times counted from the sessions that the broker lists, the first of each trade date; it lists a few days.

    Parameters
    ----------
    text
        As `start_ns` takes it.
    settles
        Gives the time at the exchange at which a future settles, where that is known.
    """

    may_end = False

    def __init__(self, text: str, *, settles: Settles) -> None:
        self._text = text
        self._settles = settles

    def due_ns(self, contract: FutureContract, *, previous_ns: int | None, now_ns: int) -> int | None:
        """The next such time, at which it may be closed; the first is that of today, also where it has passed."""
        times = times_of_dates(self._text, contract=contract, settles=self._settles(contract))
        if previous_ns is None:
            today = day_of(now_ns, contract)
            return next((at_ns for day, at_ns in times if day >= today), None)
        # By the hours as they are listed now its date may have another time; it is served all the same.
        served = next((day for day, at_ns in times if at_ns == previous_ns), day_of(previous_ns, contract))
        return next((at_ns for day, at_ns in times if at_ns > previous_ns and day != served), None)


def _unknown(_contract: FutureContract) -> dt.time | None:
    """Nobody has told when it settles: with the end of the last session."""
    return None


def parse_at(at: Any, *, settles: Settles = _unknown) -> Timetable:
    """The timetable that `at` asks for; `settles` gives when a future settles, where that is known.

    Raises
    ------
    InvalidOrder
        It is neither a time nor a trigger.
    """
    if hasattr(at, "get_next_fire_time"):
        return TriggerTimes(at)
    text = at.strip() if isinstance(at, str) else ""
    found = _TIME.fullmatch(text)
    if found is not None:
        try:
            return DailyTimes(dt.time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0)))
        except ValueError:
            raise InvalidOrder(f"at={at!r} is no time of day; say for instance {FORMS}") from None
    relative = _RELATIVE.fullmatch(text.lower().replace(" ", ""))
    if relative is not None and all(_is_length(words) for words in relative.groups() if words is not None):
        return SessionTimes(text, settles=settles)
    raise InvalidOrder(f"at={at!r} is no time; say for instance {FORMS}")


def _is_length(words: str) -> bool:
    try:
        return pd.Timedelta(words) > pd.Timedelta(0)
    except ValueError:
        return False


def session_at(time_ns: int, contract: FutureContract) -> Session | None:
    """The listed session that holds a time; None while closed."""
    return next((one for one in contract.sessions if one.open_ns <= time_ns < one.close_ns), None)


def day_of(time_ns: int, contract: FutureContract) -> dt.date:
    """The trade date of a time: that of the session that holds it, else the date at the exchange."""
    session = session_at(time_ns, contract)
    return local_day(time_ns, contract) if session is None else trade_date(session, zone=ZoneInfo(contract.time_zone))


def local_day(time_ns: int, contract: FutureContract) -> dt.date:
    """Date at the exchange."""
    return _local(time_ns, ZoneInfo(contract.time_zone)).date()


def midnight_ns(day: dt.date, contract: FutureContract) -> int:
    """When a date begins at the exchange."""
    return _ns(dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(contract.time_zone)))


def sessions_of(day: dt.date, contract: FutureContract) -> tuple[Session, ...]:
    """The listed sessions of a trade date; empty where it is none."""
    zone = ZoneInfo(contract.time_zone)
    return tuple(session for session in contract.sessions if trade_date(session, zone=zone) == day)


def lists_until(time_ns: int, contract: FutureContract) -> bool:
    """Whether the listed sessions reach beyond a time, so that what is not listed before it is known to be closed."""
    return any(session.open_ns > time_ns for session in contract.sessions)


def closed_words(time_ns: int, contract: FutureContract) -> str:
    """Why nothing can be sent at a time, in words with the sessions of its day."""
    zone = ZoneInfo(contract.time_zone)
    day = day_of(time_ns, contract)
    spans = (
        f"{_local(one.open_ns, zone):%H:%M}–{_local(one.close_ns, zone):%H:%M}" for one in sessions_of(day, contract)
    )
    hours = ", ".join(spans) or "none"
    return f"{contract.local_symbol} is closed at {time_words(time_ns, contract)}; its sessions of {day}: {hours}"


def time_words(time_ns: int, contract: FutureContract) -> str:
    """A time of day as people at the exchange write it."""
    return f"{_local(time_ns, ZoneInfo(contract.time_zone)):%H:%M %Z}"


def _local(time_ns: int, zone: ZoneInfo) -> dt.datetime:
    return (_EPOCH + dt.timedelta(microseconds=time_ns // 1000)).astimezone(zone)


def _ns(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000
