"""Sessions: hours in exchange time, weekends, changes of the clocks, and the wire's text."""

import datetime as dt

import pytest

from hydra_nb.sim.calendar import NS_PER_S, Calendar

OATS = "19:00-07:45;08:30-13:20"
CHICAGO = "America/Chicago"


def calendar(hours: str = OATS, *, zone: str = CHICAGO, last: str = "2030-01-01") -> Calendar:
    """Make a calendar; one that does not end unless asked."""
    return Calendar(hours, time_zone=zone, last_trade_date=dt.date.fromisoformat(last))


def utc_ns(text: str) -> int:
    """Give the nanoseconds of a UTC time."""
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * NS_PER_S


def test_trading_hours_over_a_weekend_start_on_sunday_evening() -> None:
    """Friday's hours, two closed days, and a Monday that begins the evening before."""
    text = calendar().hours_text(utc_ns("2027-01-15T15:00:00"), days=4)

    assert text.split(";") == [
        "20270114:1900-20270115:0745",
        "20270115:0830-20270115:1320",
        "20270116:CLOSED",
        "20270117:CLOSED",
        "20270117:1900-20270118:0745",
        "20270118:0830-20270118:1320",
    ]


OPEN = [
    ("Tuesday morning", OATS, "2027-01-12T15:00:00", True),
    ("the first instant", OATS, "2027-01-12T14:30:00", True),
    ("the last instant", OATS, "2027-01-12T19:20:00", False),
    ("the morning pause", OATS, "2027-01-12T14:00:00", False),
    ("Sunday evening", OATS, "2027-01-18T01:00:00", True),
    ("Friday evening", OATS, "2027-01-16T02:00:00", False),
    ("an evening session that ends before midnight", "19:00-21:00;08:30-13:20", "2027-01-12T02:00:00", True),
    ("after it", "19:00-21:00;08:30-13:20", "2027-01-12T04:00:00", False),
    ("summer time moves the hours in UTC", OATS, "2027-06-15T13:30:00", True),
    ("winter time moves them back", OATS, "2027-01-12T13:30:00", True),
    ("after the summer close", OATS, "2027-06-15T18:30:00", False),
]


@pytest.mark.parametrize(("hours", "when", "expected"), [row[1:] for row in OPEN], ids=[row[0] for row in OPEN])
def test_a_market_is_open_within_its_sessions_only(hours: str, when: str, *, expected: bool) -> None:
    """Each row of the table, in UTC."""
    assert calendar(hours).is_open(utc_ns(when)) is expected


def test_nothing_trades_after_the_last_trade_date() -> None:
    """The last session is found until it ends, then none."""
    ending = calendar(last="2027-01-14")
    end_ns = ending.day_end_ns(dt.date(2027, 1, 14))

    last = ending.session_after(end_ns - 1)

    assert last is not None
    assert last.close_ns == end_ns
    assert ending.session_after(end_ns) is None
    assert ending.hours_text(end_ns, days=2).endswith("20270115:CLOSED")
    with pytest.raises(ValueError, match="2027-01-15"):
        ending.day_end_ns(dt.date(2027, 1, 15))


def test_open_seconds_count_sessions_across_midnight() -> None:
    """Oats trade 12 h 45 min overnight and 4 h 50 min by day."""
    assert calendar().open_seconds() == 63_300
