"""When an order begins: words, zones, changes of the clocks, holidays and half days, and the end of the session."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.desk.starting import fitted_ns, start_ns
from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder
from hydra_nb.sim.calendar import Calendar, Holidays

OATS = "19:00-07:45;08:30-13:20"
RICE = "19:00-21:00;08:30-13:20"
HALF_DAY = dt.time(12)
MINUTE_NS = 60 * NS_PER_S


def utc_ns(text: str) -> int:
    """Nanoseconds of a UTC time."""
    return pd.Timestamp(text, tz="UTC").value


def contract(
    hours: str = OATS, *, first: str = "2027-01-12", days: int = 8, holidays: Holidays | None = None
) -> FutureContract:
    """A contract whose sessions are listed for some days, as a broker lists them."""
    calendar = Calendar(hours, time_zone="America/Chicago", last_trade_date=dt.date(2030, 1, 1), holidays=holidays)
    day = dt.date.fromisoformat(first)
    listed = [one for n in range(days) for one in calendar.sessions(day + dt.timedelta(days=n))]
    return FutureContract(
        con_id=1,
        symbol="ZO",
        local_symbol="ZOH7",
        name="Oats",
        exchange="CBOT",
        currency="USD",
        tick=Decimal("0.25"),
        multiplier=Decimal(5000),
        price_magnifier=100,
        contract_month="202703",
        last_trade_date=dt.date(2027, 3, 12),
        time_zone="America/Chicago",
        sessions=tuple(Session(open_ns=one.open_ns, close_ns=one.close_ns) for one in listed),
    )


FOUND = [
    # A Tuesday at 09:00 in Chicago, with what is meant in UTC.
    ("09:30", "2027-01-12 15:30"),
    ("9:30", "2027-01-12 15:30"),
    ("09:30:15", "2027-01-12 15:30:15"),
    ("2027-01-13 09:30", "2027-01-13 15:30"),
    ("2027-01-13T09:30-05:00", "2027-01-13 14:30"),
    ("open+15m", "2027-01-13 01:15"),  # of the evening session, the next to open
    ("open", "2027-01-13 01:00"),
    ("close-30m", "2027-01-12 18:50"),
    ("Settle - 30m", "2027-01-12 18:50"),
    ("close-5h", "2027-01-13 08:45"),  # the close of today less five hours has passed
    (dt.datetime(2027, 1, 12, 10, 0), "2027-01-12 16:00"),  # noqa: DTZ001  the exchange's time
    (dt.datetime(2027, 1, 12, 17, 0, tzinfo=dt.UTC), "2027-01-12 17:00"),
    (pd.Timestamp("2027-01-12 16:30", tz="Europe/Berlin"), "2027-01-12 15:30"),
]


@pytest.mark.parametrize(("start", "meant"), FOUND, ids=[str(start) for start, _ in FOUND])
def test_a_start_is_the_exchange_s_time_or_counts_from_its_session(start: str | dt.datetime, meant: str) -> None:
    """Without a zone the exchange's is meant; a relative one is the next that is still to come."""
    now_ns = utc_ns("2027-01-12 15:00")

    found = start_ns(start, contract=contract(), now_ns=now_ns)

    assert pd.Timestamp(found, tz="UTC") == pd.Timestamp(meant, tz="UTC")


REFUSED = [
    ("08:45", "has passed: it is Tue 2027-01-12 09:00:00 CST"),
    ("2027-01-11 09:30", "has passed"),
    ("14:00", "ZOH7 is closed: it opens Tue 2027-01-12 19:00:00 CST"),
    ("2027-01-13 08:00", "closed: it opens Wed 2027-01-13 08:30:00 CST"),  # the break
    ("13:20", "closed"),  # a session does not hold its last instant
    ("2027-01-16 10:00", "closed: it opens Sun 2027-01-17 19:00:00 CST"),
    ("2027-03-10 10:00", "no session of ZOH7 is listed after Tue 2027-01-19 13:20:00 CST"),
    ("25:00", "is no time; say for instance '09:30'"),
    ("noon", "is no time"),
    ("open+soon", "'soon' is no length of time; write it as 15m"),
    ("settlement", "is no time"),
    ("NaT", "is no time"),
    ("now", "is no time"),  # of this machine, to pandas
    ("9:30 am", "is no time"),
    ("2027-01-13", "is no time"),
    ("open+15", "'15' is no length of time; write it as 15m"),
]


@pytest.mark.parametrize(("start", "words"), REFUSED, ids=[start for start, _ in REFUSED])
def test_a_start_that_cannot_be_is_refused_with_the_remedy(start: str, words: str) -> None:
    """Passed, closed, beyond what is listed, or no time at all."""
    with pytest.raises(InvalidOrder) as refused:
        start_ns(start, contract=contract(), now_ns=utc_ns("2027-01-12 15:00"))

    assert words in str(refused.value)


def test_summer_time_moves_the_start_with_the_exchange() -> None:
    """The same words on the Friday before and the Monday after the clocks are changed are an hour apart in UTC."""
    oats = contract(first="2027-03-12", days=4)

    friday = start_ns("2027-03-12 09:30", contract=oats, now_ns=utc_ns("2027-03-12 12:00"))
    monday = start_ns("2027-03-15 09:30", contract=oats, now_ns=utc_ns("2027-03-12 12:00"))

    assert (pd.Timestamp(friday).hour, pd.Timestamp(monday).hour) == (15, 14)


@pytest.mark.parametrize(
    ("text", "words"), [("2027-03-14 02:30", "does not exist"), ("2027-11-07 01:30", "comes twice")]
)
def test_a_time_that_the_change_of_the_clocks_takes_or_doubles_is_refused(text: str, words: str) -> None:
    """Nobody can know which one is meant."""
    with pytest.raises(InvalidOrder, match=words):
        start_ns(text, contract=contract(first=text[:10]), now_ns=utc_ns(text[:10]) - 86_400 * NS_PER_S)


def test_a_holiday_and_a_half_day_are_as_the_broker_lists_them() -> None:
    """Nothing begins on the one; on the other the close, and with it the settlement, come early."""
    holidays = {dt.date(2027, 1, 13): None, dt.date(2027, 1, 14): HALF_DAY}
    oats, evening_ns = contract(holidays=holidays), utc_ns("2027-01-12 22:00")

    with pytest.raises(InvalidOrder, match="opens Wed 2027-01-13 19:00:00 CST"):
        start_ns("2027-01-13 10:00", contract=oats, now_ns=evening_ns)
    settles = start_ns("settle-30m", contract=oats, now_ns=evening_ns)
    told = start_ns("settle-30m", contract=oats, now_ns=evening_ns, settles=dt.time(13, 15))

    assert settles == told == utc_ns("2027-01-14 17:30")


def test_a_settlement_that_was_told_is_earlier_than_the_close() -> None:
    """13:15 on a whole day, five minutes before it."""
    settles = start_ns("settle", contract=contract(), now_ns=utc_ns("2027-01-12 15:00"), settles=dt.time(13, 15))

    assert settles == utc_ns("2027-01-12 19:15")


def test_an_evening_session_is_not_the_last_of_its_date() -> None:
    """Rice trades from 19:00 to 21:00 for the next trade date; today's settlement came at 13:20."""
    settles = start_ns("settle-10m", contract=contract(RICE), now_ns=utc_ns("2027-01-12 20:00"))

    assert settles == utc_ns("2027-01-13 19:10")


BEGINS_NS = utc_ns("2027-01-12 18:20")  # an hour before the close


@pytest.mark.parametrize(
    ("overrun", "minutes", "fits"), [("refuse", 59, 59), ("shorten", 59, 59), ("shorten", 90, 59), ("wait", 90, 90)]
)
def test_a_schedule_ends_within_its_session_or_as_asked(overrun: str, minutes: int, fits: int) -> None:
    """A minute before the close is kept clear; who says so runs into the break."""
    found = fitted_ns(minutes * MINUTE_NS, begins_ns=BEGINS_NS, contract=contract(), overrun=overrun, room_ns=MINUTE_NS)

    assert found == fits * MINUTE_NS


def test_a_schedule_that_runs_past_the_close_is_refused_with_what_fits() -> None:
    """It names the close, how much earlier it would have to start, and the duration that would do."""
    with pytest.raises(InvalidOrder) as refused:
        fitted_ns(90 * MINUTE_NS, begins_ns=BEGINS_NS, contract=contract(), overrun="refuse", room_ns=MINUTE_NS)

    words = str(refused.value)
    assert "runs past Tue 2027-01-12 13:20:00 CST, when ZOH7 closes" in words
    assert words.endswith("start 1860 s earlier, take a duration of at most 3540 s, or say overrun='shorten'")


def test_to_wait_is_offered_where_the_schedule_reaches_past_the_break() -> None:
    """Oats open again at 19:00: a schedule that ends before would only leave its lots undone."""
    with pytest.raises(InvalidOrder, match=r"or 'wait' to go on after the break$"):
        fitted_ns(410 * MINUTE_NS, begins_ns=BEGINS_NS, contract=contract(), overrun="refuse", room_ns=MINUTE_NS)
