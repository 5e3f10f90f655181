"""The clock of a desk: market time, anchored on the gateway's, running on the host's time since then.

It never reads the clock on the host's wall, which can be set. It counts the seconds that the machine slept, in which
the timers of an event loop stand on most systems and the market goes on: quotes have grown old by as much, and timers
are due. Under a virtual-time loop the very same clock gives virtual time.
"""

import asyncio
import sys
import time
from collections.abc import Callable

from hydra_nb.clock import TimerHandle
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.loop import VirtualLoop

LONGEST_NAP_S = 10.0
"""Host seconds after which a timer looks at the clock: it is late by as much at most after the machine slept."""

_COUNTS_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}


def host_seconds(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Give a clock of the host that nobody sets, and that goes on while the machine sleeps.

    Linux: CLOCK_BOOTTIME; macOS: its CLOCK_MONOTONIC, which is not Python's; elsewhere the loop's own counts sleep.
    """
    if isinstance(loop, VirtualLoop):
        return loop.elapsed
    name = _COUNTS_SLEEP.get(sys.platform)
    if name is None:
        return loop.time
    clock = getattr(time, name)
    return lambda: time.clock_gettime(clock)


class LoopClock:
    """Market time on an event loop.

    Parameters
    ----------
    loop
        Whose timers are used.
    speed
        Seconds of market time in one second of the host's.
    elapsed
        Host seconds since any moment; None for `host_seconds`. A market that sleeps with the machine needs the loop's.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, speed: float, elapsed: Callable[[], float] | None = None
    ) -> None:
        self._loop = loop
        self._speed = speed
        self._elapsed = host_seconds(loop) if elapsed is None else elapsed
        self._anchor_ns = 0
        self._origin_s = self._elapsed()

    @property
    def speed(self) -> float:
        """Seconds of market time in one second of host time."""
        return self._speed

    def anchor(self, time_ns: int) -> None:
        """Say what market time it is now; done once, before anything is timed."""
        self._anchor_ns = time_ns
        self._origin_s = self._elapsed()

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._anchor_ns + round((self._elapsed() - self._origin_s) * self._speed * NS_PER_S)

    def host_ns(self) -> int:
        """Monotonic host time in nanoseconds, unscaled."""
        return round(self._elapsed() * NS_PER_S)

    def call_at(self, time_ns: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back at a market time, at once if it has passed."""
        return _Timer(callback, loop=self._loop, due_s=lambda: self._loop_s(time_ns))

    def _loop_s(self, time_ns: int) -> float:
        """What the loop's own clock will show at a market time, if the machine does not sleep until then."""
        asleep_s = self._elapsed() - self._loop.time()
        return self._origin_s + (time_ns - self._anchor_ns) / NS_PER_S / self._speed - asleep_s

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of market time."""
        await asyncio.sleep(seconds / self._speed)


class _Timer:
    """A timer that looks at the clock now and then, as the loop's own timers stand while the machine sleeps."""

    def __init__(
        self, callback: Callable[[], None], *, loop: asyncio.AbstractEventLoop, due_s: Callable[[], float]
    ) -> None:
        self._callback = callback
        self._loop = loop
        self._due_s = due_s
        self._arm()

    def cancel(self) -> None:
        """Take the timer back; harmless when it has fired."""
        self._handle.cancel()

    def _arm(self) -> None:
        due_s, nap_s = self._due_s(), self._loop.time() + LONGEST_NAP_S
        if due_s <= nap_s:
            self._handle = self._loop.call_at(due_s, self._callback)
        else:
            self._handle = self._loop.call_at(nap_s, self._arm)
