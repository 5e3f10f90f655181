"""Which times are due, and which days are trading days, by the hours that a broker lists."""

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from hydra_nb.broker.hours import parse_hours
from hydra_nb.desk.runner import days
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import InvalidOrder
from tests.algos.making import OATS

CHICAGO = "America/Chicago"
WEEK = (
    "20270314:1900-20270315:0745;20270315:0830-20270315:1320;"  # Sunday evening, on which the clocks were changed
    "20270315:1900-20270316:0745;20270316:0830-20270316:1200;"  # a half day
    "20270317:CLOSED;"  # a holiday
    "20270317:1900-20270318:0745;20270318:0830-20270318:1320;"
    "20270318:1900-20270319:0745;20270319:0830-20270319:1320"
)


def listed(hours: str = WEEK) -> FutureContract:
    """Oats with these hours."""
    return dataclasses.replace(OATS, time_zone=CHICAGO, sessions=parse_hours(hours, zone=CHICAGO))


def at(text: str, zone: str = CHICAGO) -> int:
    """UTC nanoseconds of a time in Chicago, or elsewhere."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


def dues(timetable: days.Timetable, *, since: str, count: int) -> list[str]:
    """The next times, as they are written in UTC."""
    contract, found, previous = listed(), [], None
    for _ in range(count):
        due = timetable.due_ns(contract, previous_ns=previous, now_ns=previous or at(since))
        if due is None:
            break
        found.append(f"{dt.datetime.fromtimestamp(due / 1e9, tz=dt.UTC):%a %d %H:%M}")
        previous = due
    return found


def test_a_time_of_day_is_that_of_the_exchange_when_its_clocks_change() -> None:
    """On 14 March 2027 Chicago goes from six to five hours behind UTC; the cycle stays at 08:45."""
    times = dues(days.parse_at("08:45"), since="2027-03-12 00:00", count=5)

    assert times == ["Fri 12 14:45", "Sat 13 14:45", "Sun 14 13:45", "Mon 15 13:45", "Tue 16 13:45"]


def test_times_go_on_where_the_clocks_skip_or_repeat_an_hour() -> None:
    """02:30 does not exist on one day of the year; 01:30 comes twice on another, on which one cycle begins."""
    skipped = dues(days.parse_at("02:30"), since="2027-03-13 00:00", count=3)
    repeated = dues(days.parse_at("01:30"), since="2027-11-06 00:00", count=4)

    assert [time[:6] for time in skipped] == ["Sat 13", "Sun 14", "Mon 15"]
    assert repeated == ["Sat 06 06:30", "Sun 07 06:30", "Sun 07 07:30", "Mon 08 07:30"]


def test_a_trigger_may_have_a_last_time() -> None:
    """Then there is none any more, and the runner is over."""
    once = days.parse_at(DateTrigger(dt.datetime(2027, 3, 16, 9, 0, tzinfo=ZoneInfo(CHICAGO))))
    weekdays = days.parse_at(CronTrigger(day_of_week="mon,wed", hour=9, timezone=CHICAGO))

    assert dues(once, since="2027-03-15 00:00", count=3) == ["Tue 16 14:00"]
    assert dues(weekdays, since="2027-03-15 00:00", count=3) == ["Mon 15 14:00", "Wed 17 14:00", "Mon 22 14:00"]


@pytest.mark.parametrize(
    ("text", "settles", "times"),
    [
        # The first opening of a trade date is that of the evening before; the holiday and its evening count as listed.
        ("open+15m", None, ["Mon 15 00:15", "Tue 16 00:15", "Thu 18 00:15", "Fri 19 00:15"]),
        ("settle-30m", None, ["Mon 15 17:50", "Tue 16 16:30", "Thu 18 17:50", "Fri 19 17:50"]),
        ("settle - 30m", dt.time(13, 0), ["Mon 15 17:30", "Tue 16 16:30", "Thu 18 17:30", "Fri 19 17:30"]),
        ("close-1h", None, ["Mon 15 11:45", "Tue 16 11:45", "Thu 18 11:45", "Fri 19 11:45"]),
        # Closed then: at the close itself, in the break of the morning, and after the early close of the half day.
        ("settle", None, ["Mon 15 18:20", "Tue 16 17:00", "Thu 18 18:20", "Fri 19 18:20"]),
        ("open+13h", None, ["Mon 15 13:00", "Tue 16 13:00", "Thu 18 13:00", "Fri 19 13:00"]),
        ("open+17h30m", None, ["Mon 15 17:30", "Tue 16 17:30", "Thu 18 17:30", "Fri 19 17:30"]),
    ],
)
def test_times_of_the_session_come_once_a_trade_date(text: str, settles: dt.time | None, times: list[str]) -> None:
    """Also on the half day; none beyond what is listed, and that is not the end."""
    timetable = days.parse_at(text, settles=lambda _: settles)

    assert dues(timetable, since="2027-03-14 00:00", count=9) == times
    assert not timetable.may_end


def test_times_of_the_session_that_passed_are_given_one_after_the_other() -> None:
    """As those of a time of day are: the first is that of the day on which it is asked, none is left out."""
    timetable, thursday = days.parse_at("open+15m"), at("2027-03-18 09:00")

    first = timetable.due_ns(listed(), previous_ns=None, now_ns=thursday)
    after_monday = timetable.due_ns(listed(), previous_ns=at("2027-03-14 19:15"), now_ns=thursday)

    assert first == at("2027-03-17 19:15")
    assert after_monday == at("2027-03-15 19:15")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2027-03-14 20:00", "2027-03-15"),  # Sunday evening counts for Monday
        ("2027-03-15 03:00", "2027-03-15"),
        ("2027-03-15 08:45", "2027-03-15"),
        ("2027-03-15 08:00", "2027-03-15"),  # in the break
        ("2027-03-17 20:00", "2027-03-18"),  # the evening of the holiday
        ("2027-03-19 20:00", "2027-03-19"),  # closed
    ],
)
def test_a_session_of_the_evening_counts_for_the_day_after(moment: str, day: str) -> None:
    """As exchanges count their trade dates."""
    assert days.day_of(at(moment), listed()).isoformat() == day


def test_trading_days_are_those_that_the_broker_lists() -> None:
    """No weekend, no holiday; a half day is one."""
    contract = listed()
    dates = [dt.date(2027, 3, day) for day in range(13, 21)]

    trading = [date.day for date in dates if days.sessions_of(date, contract)]

    assert trading == [15, 16, 18, 19]


def test_why_it_is_closed_is_said_with_the_hours_of_the_day() -> None:
    """On the half day at one o'clock."""
    words = days.closed_words(at("2027-03-16 13:00"), listed())

    assert words == "ZOK6 is closed at 13:00 CDT; its sessions of 2027-03-16: 19:00–07:45, 08:30–12:00"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "8:5",
        "25:00",
        "08:45 CST",
        "tomorrow",
        845,
        None,
        dt.time(8, 45),
        "open-5m",
        "close",
        "close+1h",
        "settle-x",
    ],
)
def test_what_is_no_time_names_some_that_are(bad: Any) -> None:
    """With what was given."""
    with pytest.raises(InvalidOrder, match="'08:45'"):
        days.parse_at(bad)
