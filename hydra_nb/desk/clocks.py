"""The clock of a desk: market time, anchored on the gateway's, running on the event loop's time.

Under a virtual-time loop the very same clock gives virtual time, since it knows no other source.
"""

import asyncio
from collections.abc import Callable

from hydra_nb.clock import TimerHandle
from hydra_nb.domain.units import NS_PER_S


class LoopClock:
    """Market time on an event loop.

    Parameters
    ----------
    loop
        Whose ``time()`` and timers are used.
    speed
        Seconds of market time in one second of the loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, speed: float) -> None:
        self._loop = loop
        self._speed = speed
        self._anchor_ns = 0
        self._origin_s = loop.time()

    @property
    def speed(self) -> float:
        """Seconds of market time in one second of host time."""
        return self._speed

    def anchor(self, time_ns: int) -> None:
        """Say what market time it is now; done once, before anything is timed."""
        self._anchor_ns = time_ns
        self._origin_s = self._loop.time()

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._anchor_ns + round((self._loop.time() - self._origin_s) * self._speed * NS_PER_S)

    def host_ns(self) -> int:
        """Monotonic host time in nanoseconds, unscaled."""
        return round(self._loop.time() * NS_PER_S)

    def call_at(self, time_ns: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back at a market time, at once if it has passed."""
        delay_s = (time_ns - self._anchor_ns) / NS_PER_S / self._speed
        return self._loop.call_at(self._origin_s + delay_s, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of market time."""
        await asyncio.sleep(seconds / self._speed)
