"""Journals what is measured of our clock against the broker's, so that the time of every row can be related to his."""

from collections.abc import Callable

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import ClockMeasured, Event
from hydra_nb.domain.units import NS_PER_S

CLOCK_MOVED_S = 0.1
"""A clock that has moved by more than this, beyond what was measured before, is told at once."""
CLOCK_TOLD_EVERY_S = 1800.0
"""Market seconds after which a measurement is journalled again while orders are at work."""


class ClockWatch:
    """Listens to the broker's time replies; it asks for none, and sets no timer.

    Parameters
    ----------
    broker, clock
        Whose clock, and ours.
    ingest
        The door for events.
    is_at_work
        Whether a parent order is at work.
    """

    def __init__(
        self, broker: BrokerPort, *, clock: Clock, ingest: Callable[[Event], None], is_at_work: Callable[[], bool]
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._ingest = ingest
        self._is_at_work = is_at_work
        self._told: ClockMeasured | None = None

    def begin(self) -> None:
        """Journal what is measured now, and from now on what is new."""
        self._look()
        self._broker.on_time_told(self._look)

    def _look(self) -> None:
        bounds_s = self._broker.clock_bounds_s()
        if bounds_s is None:
            return
        low_s, high_s = bounds_s
        now_ns = self._clock.now_ns()
        if self._told is None or self._is_news(self._told, low_s=low_s, high_s=high_s, now_ns=now_ns):
            skew_s = max(0.0, low_s, -high_s)
            self._told = ClockMeasured(time_ns=now_ns, skew_s=skew_s, low_s=low_s, high_s=high_s)
            self._ingest(self._told)

    def _is_news(self, told: ClockMeasured, *, low_s: float, high_s: float, now_ns: int) -> bool:
        moved = low_s > told.high_s + CLOCK_MOVED_S or high_s < told.low_s - CLOCK_MOVED_S
        return moved or (now_ns - told.time_ns >= CLOCK_TOLD_EVERY_S * NS_PER_S and self._is_at_work())
