"""Runs a `GatewayCore` on an asyncio loop: market time, one timer, and the way of bytes to the clients."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hydra_nb.sim.connection import Session
from hydra_nb.sim.session import GatewayCore

CHUNK_BYTES = 32 * 1024 - 1  # clients of this protocol take ever longer for larger pieces

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketClock:
    """Market time as a straight line over the seconds of a clock.

    Attributes
    ----------
    time
        The clock, in seconds.
    origin_s
        Its reading at the market's start.
    start_ns
        Market time at that moment, UTC nanoseconds.
    speed
        Market seconds in one second of the clock.
    """

    time: Callable[[], float]
    origin_s: float
    start_ns: int
    speed: float

    def now_ns(self) -> int:
        """Market time."""
        return self.start_ns + round((self.time() - self.origin_s) * self.speed * _NS_PER_S)

    def reading_s(self, time_ns: int) -> float:
        """What the clock shows at a market time."""
        return self.origin_s + (time_ns - self.start_ns) / _NS_PER_S / self.speed


class Link(Protocol):
    """The way to one client."""

    def deliver(self, data: bytes) -> None:
        """Bring these bytes to the client, after all earlier ones."""

    def close(self) -> None:
        """Close once everything delivered has gone out."""

    def abort(self) -> None:
        """Close at once."""

    def reset(self) -> None:
        """Close as a connection that broke, once what was delivered is on its way."""


class CoreDriver:
    """Feeds a core with bytes and time, and its clients with what it says.

    All methods belong to the thread of the loop.

    Parameters
    ----------
    core
        What is driven.
    loop
        Where its timer runs.
    clock
        Market time; it must read the loop's own clock.
    pause_s
        Least time between two wake-ups of the timer, so that a fast market is advanced in strides.
    pass_until
        Lets the clock pass to a reading where nobody on the loop has anything to do before, and tells whether it did;
        real clocks cannot.
    """

    def __init__(
        self,
        core: GatewayCore,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: MarketClock,
        pause_s: float,
        pass_until: Callable[[float], bool] = lambda _reading_s: False,
    ) -> None:
        self.core = core
        self.clock = clock
        self._loop = loop
        self._pause_s = pause_s
        self._pass_until = pass_until
        self._links: dict[Session, Link] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns: int | None = None

    def connect(self, link: Link) -> Session:
        """Open a session for a new connection."""
        session = self.core.connect()
        self._links[session] = link
        if session.closed:  # the gateway is away
            self._flush()
        self._arm()
        return session

    def receive(self, session: Session, data: bytes) -> None:
        """Take bytes of one client."""
        if not session.closed:
            self.core.receive(session, data, self.clock.now_ns())
            self._flush()
            self._arm()

    def disconnect(self, session: Session) -> None:
        """Note that a connection is gone."""
        self._links.pop(session, None)
        self.core.disconnect(session)

    def stop(self) -> None:
        """Close all connections and let the market stand."""
        if self._timer is not None:
            self._timer.cancel()
        for session, link in list(self._links.items()):
            self.disconnect(session)
            link.abort()

    def heal(self) -> None:
        """End all faults."""
        self.core.heal(self.clock.now_ns())
        self._flush()
        self._arm()

    def _wake(self) -> None:
        self._timer = self._timer_ns = None
        while True:
            self.core.advance(self.clock.now_ns())
            self._flush()
            next_ns = self.core.next_event_ns()
            if next_ns is None or not self._pass_until(self.clock.reading_s(next_ns)):
                break
        self._arm()

    def _flush(self) -> None:
        for session, link in list(self._links.items()):
            while output := session.take_output():
                link.deliver(output)
            if session.closed:
                self.disconnect(session)
                if session.was_reset:
                    link.reset()
                else:
                    link.close()

    def _arm(self) -> None:
        next_ns = self.core.next_event_ns()
        if next_ns == self._timer_ns:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_ns = next_ns
        if next_ns is not None:
            when = max(self.clock.reading_s(next_ns), self._loop.time() + self._pause_s)
            self._timer = self._loop.call_at(when, self._wake)
