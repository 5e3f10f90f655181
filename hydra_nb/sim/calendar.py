"""Trading sessions of an instrument, from hours in exchange time, or as they are listed, to UTC nanoseconds.

A trade date is a weekday. Sessions that start in the evening belong to the trade date that
follows, so that a week runs from Sunday evening to Friday. Holidays and half days are those that one is
told; by itself the simulated market has none, and its first day is chosen well away from them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

NS_PER_S = 1_000_000_000
Holidays = Mapping[dt.date, dt.time | None]
"""Trade dates without a session, or, with a time, those on which the exchange closes early."""

EVENING = dt.time(16)
"""Sessions that start at this local time or later belong to the next trade date."""
_SEARCH_DAYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One uninterrupted stretch of trading; ``first`` and ``last`` tell its place in the trade date."""

    trade_date: dt.date
    open_ns: int
    close_ns: int
    first: bool
    last: bool


def _parse(hours: str) -> tuple[tuple[dt.time, dt.time], ...]:
    spans = (span.split("-") for span in hours.split(";"))
    return tuple((dt.time.fromisoformat(start), dt.time.fromisoformat(end)) for start, end in spans)


class Calendar:
    """When one listed month trades.

    Parameters
    ----------
    hours
        Sessions of a trade date in exchange time, ``"19:00-07:45;08:30-13:20"``.
    time_zone
        IANA name of the exchange's time zone.
    last_trade_date
        The last trade date; there are no sessions after it.
    holidays
        Trade dates that differ; a half day's time is the exchange's.
    """

    def __init__(
        self, hours: str, *, time_zone: str, last_trade_date: dt.date, holidays: Holidays | None = None
    ) -> None:
        self._holidays = holidays or {}
        self._spans = _parse(hours)
        self._zone = ZoneInfo(time_zone)
        self._last_trade_date = last_trade_date
        self._known: dict[dt.date, tuple[Session, ...]] = {}

    def sessions(self, trade_date: dt.date) -> tuple[Session, ...]:
        """Give the sessions of a trade date in order; empty at weekends and after the last trade date."""
        known = self._known.get(trade_date)
        if known is None:
            known = self._known[trade_date] = self._make_sessions(trade_date)
        return known

    def _make_sessions(self, trade_date: dt.date) -> tuple[Session, ...]:
        early = self._holidays.get(trade_date)
        is_closed = trade_date in self._holidays and early is None
        if is_closed or trade_date.weekday() >= 5 or trade_date > self._last_trade_date:
            return ()
        spans = []
        for start, end in self._spans:
            start_day = trade_date - dt.timedelta(days=1) if start >= EVENING else trade_date
            end_day = start_day if end > start else start_day + dt.timedelta(days=1)
            spans.append((self.instant_ns(start_day, start), self.instant_ns(end_day, end)))
        if early is not None:
            ends_ns = self.instant_ns(trade_date, early)
            spans = [(open_ns, min(close_ns, ends_ns)) for open_ns, close_ns in spans if open_ns < ends_ns]
        return _sessions_of(trade_date, spans)

    def session_after(self, now_ns: int) -> Session | None:
        """Give the session under way, else the next one; None once the last has ended."""
        day = self.local_date(now_ns)
        for offset in range(_SEARCH_DAYS):
            for session in self.sessions(day + dt.timedelta(days=offset)):
                if session.close_ns > now_ns:
                    return session
        return None

    def is_open(self, now_ns: int) -> bool:
        """Tell whether a session is under way; it includes its first instant and not its last."""
        session = self.session_after(now_ns)
        return session is not None and session.open_ns <= now_ns

    def day_end_ns(self, trade_date: dt.date) -> int:
        """Give the end of the last session of a trade date.

        Raises
        ------
        ValueError
            When nothing trades on that date.
        """
        sessions = self.sessions(trade_date)
        if not sessions:
            raise ValueError(f"{trade_date} is not a trade date")
        return sessions[-1].close_ns

    @property
    def sessions_a_day(self) -> int:
        """How many sessions a trade date has."""
        return len(self._spans)

    def open_seconds(self) -> float:
        """Give the seconds of trading in one trade date."""
        midnight = dt.date(2000, 1, 1)
        total = 0.0
        for start, end in self._spans:
            length = dt.datetime.combine(midnight, end) - dt.datetime.combine(midnight, start)
            total += length.total_seconds() % 86_400
        return total

    def local_date(self, now_ns: int) -> dt.date:
        """Give the date at the exchange."""
        return dt.datetime.fromtimestamp(now_ns // NS_PER_S, tz=self._zone).date()

    def instant_ns(self, day: dt.date, time: dt.time) -> int:
        """Give the UTC nanoseconds of a local date and time."""
        return int(dt.datetime.combine(day, time, tzinfo=self._zone).timestamp()) * NS_PER_S

    def hours_text(self, now_ns: int, *, days: int) -> str:
        """Write the sessions of the coming days as the wire does.

        Parameters
        ----------
        now_ns
            Where to start: the local date at this instant.
        days
            How many calendar days to cover.

        Returns
        -------
        str
            ``"20270111:1900-20270112:0745;20270112:0830-20270112:1320;20270116:CLOSED"`` in exchange time.
        """
        today = self.local_date(now_ns)
        words: list[str] = []
        for offset in range(days):
            day = today + dt.timedelta(days=offset)
            sessions = self.sessions(day)
            if not sessions:
                words.append(f"{day:%Y%m%d}:CLOSED")
            words.extend(f"{self._stamp(item.open_ns)}-{self._stamp(item.close_ns)}" for item in sessions)
        return ";".join(words)

    def _stamp(self, time_ns: int) -> str:
        return f"{dt.datetime.fromtimestamp(time_ns // NS_PER_S, tz=self._zone):%Y%m%d:%H%M}"


class ListedHours(Calendar):
    """The sessions that a broker lists, and no others.

    Parameters
    ----------
    sessions
        Opening and close of each, UTC nanoseconds, in order; the date of its close at the exchange is its trade date.
    time_zone
        IANA name of the exchange's time zone.
    """

    def __init__(self, sessions: Sequence[tuple[int, int]], *, time_zone: str) -> None:
        super().__init__("00:00-23:59", time_zone=time_zone, last_trade_date=dt.date.min)
        by_date: dict[dt.date, list[tuple[int, int]]] = {}
        for open_ns, close_ns in sessions:
            by_date.setdefault(self.local_date(close_ns), []).append((open_ns, close_ns))
        self._known = {day: _sessions_of(day, spans) for day, spans in by_date.items()}

    @property
    def last_trade_date(self) -> dt.date:
        """The last date that has a session."""
        return max(self._known)

    def _make_sessions(self, trade_date: dt.date) -> tuple[Session, ...]:  # noqa: ARG002  whatever date it is
        """No session on any other date."""
        return ()


def _sessions_of(trade_date: dt.date, spans: Sequence[tuple[int, int]]) -> tuple[Session, ...]:
    return tuple(
        Session(
            trade_date=trade_date,
            open_ns=open_ns,
            close_ns=close_ns,
            first=number == 0,
            last=number == len(spans) - 1,
        )
        for number, (open_ns, close_ns) in enumerate(spans)
    )
