"""Which interval a trading day is, which day a person means, and what a journal can tell of."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis.daily import TradingDay, daily_report
from hydra_nb.analysis.daily.day import Day, checked_day
from hydra_nb.errors import AnalysisError

from .report_story import told
from .story import Story, ns


def utc(text: str) -> int:
    """UTC nanoseconds of a time in UTC."""
    return int(pd.Timestamp(text, tz="UTC").as_unit("ns").value)


@pytest.mark.parametrize(
    ("date", "since", "until"),
    [
        ("2026-03-03", "2026-03-02 23:00", "2026-03-03 23:00"),
        ("2026-03-08", "2026-03-07 23:00", "2026-03-08 22:00"),  # the clocks go forward
        ("2026-03-09", "2026-03-08 22:00", "2026-03-09 22:00"),  # the session of Sunday evening is Monday's
        ("2026-11-01", "2026-10-31 22:00", "2026-11-01 23:00"),  # and back
    ],
)
def test_a_day_goes_from_five_to_five_in_chicago(date: str, since: str, until: str) -> None:
    """By the clocks there: a day may have 23 or 25 hours."""
    day = TradingDay.on(dt.date.fromisoformat(date))

    assert (day.since_ns, day.until_ns) == (utc(since), utc(until))


@given(st.integers(utc("1990-01-01"), utc("2060-01-01")))
def test_every_moment_lies_in_one_day(time_ns: int) -> None:
    """The day that holds it; neither that before nor that after does, and they meet without a gap."""
    day = TradingDay.of(time_ns)

    before, after = (TradingDay.on(day.date + dt.timedelta(days=one)) for one in (-1, 1))
    assert [one.holds(time_ns) for one in (before, day, after)] == [False, True, False]
    assert (before.until_ns, day.until_ns) == (day.since_ns, after.since_ns)


@pytest.mark.parametrize(
    "given_day",
    [
        "2026-03-03",
        dt.date(2026, 3, 3),
        pd.Timestamp("2026-03-03"),
        dt.datetime(2026, 3, 2, 23, tzinfo=dt.UTC),
        pd.Timestamp("2026-03-03 16:59:59.999", tz="America/Chicago"),
        "2026-03-03T22:59:59Z",
        None,
    ],
)
def test_a_day_may_be_meant_in_many_ways(given_day: Day | None) -> None:
    """A date, or a moment with a zone; nothing is the last day of which the journal tells."""
    day = checked_day(given_day, first_ns=ns(-30), last_ns=ns(170), now_ns=None)

    assert day.date == dt.date(2026, 3, 3)


@pytest.mark.parametrize(
    ("given_day", "words"),
    [
        ("yesterday's", r"date=.*is none; write it as '2027-01-12'"),
        ("2026-02-30", "is none"),
        ("", "is none"),
        (20260303, "is none"),
        ("20260303", "is none; write it as"),
        ("03.03.2026", "is none; write it as"),  # a day of March in both readings, and still not taken
        ("3/3/2026", "is none; write it as"),
        ("3 March 2026", "is none; write it as"),
        ("today", "is none; write it as"),
        ("2026", "is none; write it as"),
        (dt.date(2300, 1, 1), "is none"),
        (True, "is none"),
        (pd.NaT, "is none"),
        ("2026-03-03 09:00", "has a time of day but no time zone"),
        ("2026-03-02", "before the journal begins; the journal holds 2026-03-03"),
        ("2026-03-04", "after the last day that it knows; the journal holds 2026-03-03"),
    ],
)
def test_what_is_no_day_of_the_journal_is_refused_with_those_that_are(given_day: Day, words: str) -> None:
    """Each in a sentence that says what to write instead."""
    first_ns, last_ns = ns(-30), ns(170)

    with pytest.raises(AnalysisError, match=words):
        checked_day(given_day, first_ns=first_ns, last_ns=last_ns, now_ns=None)


def test_a_desk_knows_today_and_the_days_in_between() -> None:
    """Today is the day of its clock, though nothing has happened in it; tomorrow is refused."""
    story, friday_ns = told(), ns(3 * 24 * 3_600)

    today = daily_report(story.journal, now_ns=friday_ns)

    assert (today.date, len(today.orders), today.is_over) == (dt.date(2026, 3, 6), 0, False)
    assert daily_report(story.journal, "2026-03-05", now_ns=friday_ns).fills.empty
    with pytest.raises(AnalysisError, match="the journal holds 2026-03-03 to 2026-03-06"):
        daily_report(story.journal, "2026-03-07", now_ns=friday_ns)


def test_an_empty_journal_has_no_day() -> None:
    """It says so, instead of making one up."""
    with pytest.raises(AnalysisError, match="the journal is empty"):
        daily_report(Story().journal)
