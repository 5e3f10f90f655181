"""When an order that begins later begins, and whether its schedule fits into the session: from words to market time.

The contract's own hours, as the broker lists them, say what is a session, a break, a holiday or a half day; none of it
is known here otherwise.
"""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder

EVENING = dt.time(16)
"""A session that opens at this time at the exchange, or later, belongs to the next trade date, as that of the CME."""

_RELATIVE = re.compile(r"(?P<anchor>open|close|settle)(?:(?P<sign>[+-])(?P<by>.+))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[ T].+")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
FORMS = "'09:30', '2027-01-13 09:30', 'open+15m', 'close-30m' or 'settle-30m'"

Start = str | dt.datetime
"""What ``start=`` takes."""


def start_ns(start: Start, *, contract: FutureContract, now_ns: int, settles: dt.time | None = None) -> int:
    """Market time at which an order is to begin.

    Parameters
    ----------
    start
        A time of today at the exchange, ``"09:30"``; a date and a time, text or `datetime`, at the exchange where it
        names no zone; or one counted from the next opening, close or settlement at which it is still to come:
        ``"open+15m"``, ``"close-1h"``, ``"settle-30m"``.
    contract
        Its sessions are the only calendar.
    now_ns
        Market time now.
    settles
        Time at the exchange at which the contract settles; None is the end of the last session of a trade date.

    Returns
    -------
    int
        UTC nanoseconds, later than now and within a session.

    Raises
    ------
    InvalidOrder
        No such time, one that has passed, or one at which the contract is closed; the message has the remedy.
    """
    at_ns = _instant_ns(start, contract=contract, now_ns=now_ns, settles=settles)
    if at_ns <= now_ns:
        raise InvalidOrder(
            f"start {start!r} is {start_words(at_ns, contract)}, which has passed: it is "
            f"{start_words(now_ns, contract)}; give a later time, or leave start out to begin at once"
        )
    if not contract.is_open(at_ns):
        raise InvalidOrder(f"start {start!r} is {start_words(at_ns, contract)}, when {_closed_words(contract, at_ns)}")
    return at_ns


def fitted_ns(duration_ns: int, *, begins_ns: int, contract: FutureContract, overrun: str, room_ns: int) -> int:
    """The duration of a schedule, held against the end of the session in which it begins.

    Parameters
    ----------
    duration_ns
        As it was asked for.
    begins_ns
        Within a session of `contract`; outside of one nothing is cut.
    overrun
        ``refuse``, ``shorten`` to what the session leaves, or ``wait``: run into the break, in which nothing is sent.
    room_ns
        How long before its end the session takes no orders of ours any more.

    Raises
    ------
    InvalidOrder
        It runs past the end of the session, and is to be refused then.
    """
    closes_ns = contract.closes_ns(begins_ns)
    if closes_ns is None or overrun == "wait":
        return duration_ns
    left_ns = closes_ns - room_ns - begins_ns
    if duration_ns <= left_ns:
        return duration_ns
    if overrun == "shorten" and left_ns > 0:
        return left_ns
    remedy = f"start {_remedy_s(duration_ns - left_ns)} s earlier"
    if left_ns > 0:
        remedy += f", take a duration of at most {left_ns // NS_PER_S} s, or say overrun='shorten'"
    opens_ns = contract.opens_ns(begins_ns)
    if opens_ns is not None and begins_ns + duration_ns > opens_ns:
        remedy += ", or 'wait' to go on after the break"
    raise InvalidOrder(
        f"a schedule of {duration_ns // NS_PER_S} s from {start_words(begins_ns, contract)} runs past "
        f"{start_words(closes_ns, contract)}, when {contract.local_symbol} closes ({room_ns // NS_PER_S} s are kept "
        f"clear); {remedy}"
    )


def trade_date(session: Session, *, zone: ZoneInfo) -> dt.date:
    """The trade date that a session belongs to, by the rule of `EVENING`."""
    opens, closes = (_local(at_ns, zone) for at_ns in (session.open_ns, session.close_ns - 1))  # it may end at midnight
    if closes.date() == opens.date() and opens.time() >= EVENING:
        return opens.date() + dt.timedelta(days=1)
    return closes.date()


def _instant_ns(start: Start, *, contract: FutureContract, now_ns: int, settles: dt.time | None) -> int:
    zone = ZoneInfo(contract.time_zone)
    if isinstance(start, dt.datetime):
        return _moment_ns(start, zone=zone, told=start)
    words = start.strip()
    if found := _RELATIVE.fullmatch(words.lower().replace(" ", "")):
        times = _counted(found, told=start, contract=contract, settles=settles)
        coming = next((at_ns for _, at_ns in times if at_ns > now_ns), None)
        if coming is None:
            raise InvalidOrder(
                f"start {start!r}: the broker lists no such time of {contract.local_symbol}; name a date"
            )
        return coming
    is_time_of_day = _TIME_OF_DAY.fullmatch(words) is not None
    # Of other words pandas would make a moment of today, or half a date, by the clock of this machine.
    if not is_time_of_day and _DATE.fullmatch(words) is None:
        raise InvalidOrder(f"start {start!r} is no time; say for instance {FORMS}")
    try:
        if is_time_of_day:
            time = dt.time.fromisoformat(words.zfill(5) if words.count(":") == 1 else words.zfill(8))
            moment = dt.datetime.combine(_local(now_ns, zone).date(), time)
        else:
            moment = pd.Timestamp(words).to_pydatetime(warn=False)
    except ValueError as error:
        raise InvalidOrder(f"start {start!r} is no time; say for instance {FORMS}") from error
    return _moment_ns(moment, zone=zone, told=start)


def times_of_dates(
    words: str, *, contract: FutureContract, settles: dt.time | None = None
) -> tuple[tuple[dt.date, int], ...]:
    """For each trade date that the broker lists, the first time that is counted from its sessions, open then or closed.

    Parameters
    ----------
    words, contract, settles
        As `start_ns` takes them; other words than those counted from a session give none.
    """
    found = _RELATIVE.fullmatch(words.strip().lower().replace(" ", ""))
    first: dict[dt.date, int] = {}
    for day, at_ns in () if found is None else _counted(found, told=words, contract=contract, settles=settles):
        first.setdefault(day, at_ns)
    return tuple(first.items())


def _counted(
    found: re.Match[str], *, told: str, contract: FutureContract, settles: dt.time | None
) -> list[tuple[dt.date, int]]:
    """Trade dates and times of words that count from sessions, in order."""
    anchors = _anchors(found["anchor"], contract=contract, zone=ZoneInfo(contract.time_zone), settles=settles)
    by_ns = _delta_ns(found["by"], told=told) * (-1 if found["sign"] == "-" else 1)
    return [(day, at_ns + by_ns) for day, at_ns in anchors]


def _anchors(
    name: str, *, contract: FutureContract, zone: ZoneInfo, settles: dt.time | None
) -> list[tuple[dt.date, int]]:
    """The openings, closes or settlements that the broker lists, in order, with their trade dates."""
    if name == "open":
        return [(trade_date(session, zone=zone), session.open_ns) for session in contract.sessions]
    if name == "close":
        return [(trade_date(session, zone=zone), session.close_ns) for session in contract.sessions]
    last = {trade_date(session, zone=zone): session.close_ns for session in contract.sessions}
    if settles is None:
        return list(last.items())
    # On a half day the settlement comes with the early close.
    return [
        (day, min(close_ns, _moment_ns(dt.datetime.combine(day, settles), zone=zone, told="settle")))
        for day, close_ns in last.items()
    ]


def _moment_ns(moment: dt.datetime, *, zone: ZoneInfo, told: object) -> int:
    """UTC nanoseconds of a time, which is one of the exchange where it names no zone."""
    if pd.isna(moment):
        raise InvalidOrder(f"start {told!r} is no time; say for instance {FORMS}")
    if moment.tzinfo is None:
        first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            is_gap = _local(round(first.timestamp()) * NS_PER_S, zone).replace(tzinfo=None) != moment.replace(
                microsecond=0
            )
            what = "does not exist" if is_gap else "comes twice"
            raise InvalidOrder(f"start {told!r} {what} in {zone.key}, where the clock is changed; take another time")
        moment = first
    return round(moment.timestamp()) * NS_PER_S


def _delta_ns(words: str | None, *, told: object) -> int:
    if words is None:
        return 0
    refusal = f"start {told!r}: {words!r} is no length of time; write it as 15m, 1h or 90s"
    if words.replace(".", "").isdigit():  # to pandas, of nanoseconds
        raise InvalidOrder(refusal)
    try:
        return round(pd.Timedelta(words).total_seconds()) * NS_PER_S
    except ValueError as error:
        raise InvalidOrder(refusal) from error


def _closed_words(contract: FutureContract, at_ns: int) -> str:
    symbol = contract.local_symbol
    if not contract.sessions or at_ns >= contract.sessions[-1].close_ns:
        listed = "" if not contract.sessions else f" after {start_words(contract.sessions[-1].close_ns, contract)}"
        return f"no session of {symbol} is listed{listed}; take an earlier time"
    opens_ns = contract.opens_ns(at_ns)
    opens = "" if opens_ns is None else f": it opens {start_words(opens_ns, contract)}"
    return f"{symbol} is closed{opens}; take a time within its hours, or 'open'"


def start_words(at_ns: int, contract: FutureContract) -> str:
    """A market time as people at the exchange write it."""
    return f"{_local(at_ns, ZoneInfo(contract.time_zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def _local(at_ns: int, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ns // NS_PER_S, tz=zone)


def _remedy_s(duration_ns: int) -> int:
    return -(-duration_ns // NS_PER_S)
