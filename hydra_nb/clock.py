"""Where time comes from: the protocol only, so that nothing below the desk knows a clock.

Market time is UTC nanoseconds of the market that is traded; on a simulated market at speed 60 it
runs 60 times as fast as the host. Host time is monotonic and measures our own delays.
"""

from collections.abc import Callable
from typing import Protocol


class TimerHandle(Protocol):
    """A timer that can be taken back."""

    def cancel(self) -> None:
        """Take the timer back; harmless when it has fired."""


class Clock(Protocol):
    """Source of time and of timers."""

    @property
    def speed(self) -> float:
        """Seconds of market time in one second of host time."""
        ...

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        ...

    def host_ns(self) -> int:
        """Monotonic host time in nanoseconds, unscaled."""
        ...

    def call_at(self, time_ns: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back at a market time, at once if it has passed."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of market time."""
        ...
