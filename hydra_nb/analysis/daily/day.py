"""Trading days: which interval of time is one, and which day a person means.

Exchanges end their days at different hours. Here all markets share one: from 17:00 in Chicago on the day before up to
17:00 in Chicago. By it CME counts its trade dates, and so the evening session of the grains belongs to the day session
after it. No thin future trades across it in New York either.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.analysis.moments import read_moment
from hydra_nb.errors import AnalysisError

TIME_ZONE: Final = "America/Chicago"
ENDS: Final = dt.time(17)

Day = str | dt.date | pd.Timestamp
"""``"2027-01-12"``, a date, or a moment with a time zone, which means the day that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDay:
    """One trading day.

    Attributes
    ----------
    date
        Its date: that on which it ends.
    since_ns, until_ns
        Its begin, and its end, which is the next one's begin; UTC nanoseconds.
    """

    date: dt.date
    since_ns: int
    until_ns: int

    @classmethod
    def on(cls, date: dt.date) -> "TradingDay":
        """The day of a date; its length follows the clocks of Chicago, 23 or 25 hours where they change."""
        return cls(date=date, since_ns=_end_ns(date - dt.timedelta(days=1)), until_ns=_end_ns(date))

    @classmethod
    def of(cls, time_ns: int) -> "TradingDay":
        """The day that holds a moment, UTC nanoseconds."""
        local = pd.Timestamp(time_ns, tz="UTC").tz_convert(TIME_ZONE)
        return cls.on(local.date() + dt.timedelta(days=local.time() >= ENDS))

    @property
    def before(self) -> "TradingDay":
        """The weekday before it: of a Monday the Friday."""
        back = {0: 3, 6: 2}.get(self.date.weekday(), 1)
        return TradingDay.on(self.date - dt.timedelta(days=back))

    def holds(self, time_ns: int | None) -> bool:
        """Whether a moment lies in the day; an unknown one does not."""
        return time_ns is not None and self.since_ns <= time_ns < self.until_ns


def _end_ns(date: dt.date) -> int:
    return int(pd.Timestamp(dt.datetime.combine(date, ENDS, tzinfo=ZoneInfo(TIME_ZONE))).as_unit("ns").value)


def read_day(given: Day) -> TradingDay:
    """The day that a person means.

    Raises
    ------
    AnalysisError
        It is no date, or not written as one, year first, or a time of day without a time zone, which may lie in either
        of two days.
    """
    if not isinstance(given, str | dt.date):  # of which datetime and Timestamp are kinds
        raise _no_date(given)
    moment = read_moment(given)
    if moment is None:
        raise _no_date(given)
    if moment.tz is not None:
        return TradingDay.of(int(moment.value))
    if moment != moment.normalize():
        raise AnalysisError(f"date={given!r} has a time of day but no time zone; give the date, or a time zone with it")
    return TradingDay.on(moment.date())


def _no_date(given: object) -> AnalysisError:
    return AnalysisError(f"date={given!r} is none; write it as '2027-01-12'")


def checked_day(given: Day | None, *, first_ns: int | None, last_ns: int | None, now_ns: int | None) -> TradingDay:
    """The day that a person means, if a journal can tell of it.

    Parameters
    ----------
    given
        The day; None is that of now, or, of a journal at rest, the last of which it tells.
    first_ns, last_ns
        When the journal first and last told anything; None where it tells nothing.
    now_ns
        Market time; None where nobody trades on the journal.

    Raises
    ------
    AnalysisError
        It is no date, or a day before the journal, or one that has not begun. The message says which days there are.
    """
    if first_ns is None or last_ns is None:
        raise AnalysisError("the journal is empty: there is no day to report")
    first, last = TradingDay.of(first_ns).date, TradingDay.of(max(last_ns, now_ns or 0)).date
    day = TradingDay.on(last) if given is None else read_day(given)
    if not first <= day.date <= last:
        held = f"{first}" if first == last else f"{first} to {last}"
        why = "before the journal begins" if day.date < first else "after the last day that it knows"
        raise AnalysisError(f"there is nothing to report of {day.date}, {why}; the journal holds {held}")
    return day
