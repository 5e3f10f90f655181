"""The clock on the wall of the host: it can be set, and belong to another zone, while everything runs."""

import contextlib
import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

ZONES = ("UTC0", "CST6", "CDT5", "CET-1", "CEST-2")
"""Zones of the host, as POSIX writes them: winter and summer of two places, so that a step is that of a summer time."""
_EPOCH_S = 1_750_000_000.0
_READERS = ("ib_async", "hydra_nb")


class WallClock:
    """What ``time.time`` and ``datetime.now`` tell while a world lives.

    Parameters
    ----------
    elapsed
        Seconds of the world, which go on whatever the clock shows.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._offset_s = _EPOCH_S

    def now_s(self) -> float:
        """Seconds since 1970, as the host has them."""
        return self._offset_s + self._elapsed()

    def set_by(self, seconds: float) -> None:
        """Set the clock, forward or back."""
        self._offset_s += seconds

    @staticmethod
    def move_to(zone: str) -> None:
        """Give the host another zone, as a change to summer time does."""
        os.environ["TZ"] = zone
        time.tzset()

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Have everything in this process read this clock."""
        host = self

        class Reader(dt.datetime, metaclass=_LikeDatetime):
            """The type as it is, with another present."""

            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return dt.datetime.fromtimestamp(host.now_s(), tz)

        read, read_ns, zone = time.time, time.time_ns, os.environ.get("TZ")
        rooms = [room for name, room in sys.modules.items() if name.partition(".")[0] in _READERS]
        rooms = [room for room in rooms if room.__dict__.get("datetime") is dt.datetime]
        time.time, time.time_ns = self.now_s, lambda: round(self.now_s() * 1e9)
        for room in rooms:
            room.__dict__["datetime"] = Reader
        try:
            yield
        finally:
            time.time, time.time_ns = read, read_ns
            for room in rooms:
                room.__dict__["datetime"] = dt.datetime
            if zone is None:
                os.environ.pop("TZ", None)
            else:
                os.environ["TZ"] = zone
            time.tzset()


class _LikeDatetime(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, dt.datetime)
