"""Requests to the broker: one at a time of each kind, at our pace, and never waited for without end."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hydra_nb.broker.pacing import Pace
from hydra_nb.broker.skew import SkewMeter, TimeReply
from hydra_nb.clock import Clock
from hydra_nb.domain.events import OpenOrderReported
from hydra_nb.errors import NoReply, NotConnected

REPLY_S = 10.0
"""Host seconds after which a request counts as unanswered."""

_T = TypeVar("_T")


class Requests:
    """Asks one question of a kind at a time: two at once would hang the first caller in the client library.

    Parameters
    ----------
    pace
        Holds requests back so that orders and cancels have room.
    is_open
        Whether there is a connection.
    """

    def __init__(self, pace: Pace, *, is_open: Callable[[], bool]) -> None:
        self._pace = pace
        self._is_open = is_open
        self._locks: dict[str, asyncio.Lock] = {}

    async def ask(self, kind: str, send: Callable[[], Awaitable[_T]], *, timeout_s: float = REPLY_S) -> _T:
        """Send a request and wait for its answer.

        Parameters
        ----------
        kind
            What is asked for, in words; requests of one kind wait for each other.
        send
            Sends the request and gives the awaitable of its answer.
        timeout_s
            Host seconds to wait for the answer, once sent.

        Raises
        ------
        NoReply
            When no answer came in time.
        NotConnected
            When the connection is or gets lost.
        RequestRefused
            When the gateway answers with an error.
        """
        async with self._locks.setdefault(kind, asyncio.Lock()):
            await self._pace.turn()
            if not self._is_open():
                raise NotConnected(f"the gateway is not connected; {kind} cannot be asked for")
            try:
                async with asyncio.timeout(timeout_s):
                    return await send()
            except TimeoutError as error:
                raise NoReply(f"the gateway did not answer the request for {kind} within {timeout_s:g} s") from error
            except NotConnected:
                raise
            except ConnectionError as error:
                raise NotConnected(f"the connection was lost while asking for {kind}") from error


class OpenOrdersReply:
    """Replies to open-orders requests, which carry no request id and so must be told apart by count.

    A reply that comes after its request was given up must not end the next one half way: an order that was
    named in its first half would seem to be gone. So a request is answered by the last end that is owed.
    """

    def __init__(self) -> None:
        self._lines: list[OpenOrderReported] = []
        self._owed = 0
        self._ends = 0
        self._answer: asyncio.Future[tuple[OpenOrderReported, ...]] | None = None

    async def ask(self, send: Callable[[], None]) -> tuple[OpenOrderReported, ...]:
        """Send a request and wait for the whole of its own reply."""
        answer: asyncio.Future[tuple[OpenOrderReported, ...]] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._ends = 0
        if self._owed == 0:
            self._lines.clear()
        self._owed += 1
        send()
        try:
            return await answer
        finally:
            self._answer = None
            if not answer.done() or answer.cancelled():
                self._given_up()

    def line(self, report: OpenOrderReported) -> None:
        """One order of a reply, or news of one while a reply is under way: both tell that it is open."""
        if self._owed:
            self._lines.append(report)

    def end(self) -> None:
        """A reply is complete."""
        if not self._owed:
            return
        self._owed -= 1
        self._ends += 1
        lines, self._lines = tuple(self._lines), []
        if self._owed == 0 and self._answer is not None and not self._answer.done():
            self._answer.set_result(lines)

    def lost(self) -> None:
        """The connection is gone, and with it whatever was owed."""
        self._owed = 0
        self._lines.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotConnected("the connection was lost while asking for open orders"))

    def _given_up(self) -> None:
        if self._ends:  # a whole reply came, yet one is owed still: its end was lost and will not come
            self._owed = 0


class TimeRequests:
    """Time replies, paired with the oldest request that waits for one, as the wire keeps their order.

    Attributes
    ----------
    meter
        What the replies say of the two clocks.
    on_told
        Called after each reply.
    """

    def __init__(self, clock: Clock) -> None:
        self.meter = SkewMeter()
        self.on_told: Callable[[], None] | None = None
        self._clock = clock
        self._asked: deque[tuple[int, int]] = deque()
        self._answer: asyncio.Future[TimeReply] | None = None

    async def ask(self, send: Callable[[], None]) -> TimeReply:
        """Send a request and wait for a reply."""
        self._answer = asyncio.get_running_loop().create_future()
        self._asked.append((self._clock.now_ns(), self._clock.host_ns()))
        send()
        return await self._answer

    def heard(self, server_s: int) -> None:
        """The broker told its time."""
        if not self._asked:
            return
        asked_ns, asked_host_ns = self._asked.popleft()
        reply = TimeReply(
            server_s=server_s,
            asked_ns=asked_ns,
            heard_ns=self._clock.now_ns(),
            asked_host_ns=asked_host_ns,
            heard_host_ns=self._clock.host_ns(),
        )
        self.meter.take(reply)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)
        if self.on_told is not None:
            self.on_told()

    def lost(self) -> None:
        """The connection is gone."""
        self._asked.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotConnected("the connection was lost while asking for the time"))
