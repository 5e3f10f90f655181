"""Our own pace of frames, so that the client library's one queue never builds up.

The broker allows 50 messages a second; the library lets 45 through and puts the rest into one queue,
where a cancel would wait behind requests. Here requests leave room for orders, orders leave room for
cancels, and a cancel beyond the pace goes out first as soon as a frame is free.
"""

import asyncio
from collections import deque
from collections.abc import Callable

WINDOW_S = 1.0
CANCEL_FRAMES = 45
"""Frames in any second, at most; only cancels may use them all."""
ORDER_FRAMES = 40
"""Frames in any second beyond which no order is sent."""
REQUEST_FRAMES = 25
"""Frames in any second beyond which requests wait."""

_MARGIN_S = 0.001  # a timer that fires exactly at the window's end would find the window still full


class Pace:
    """Counts the frames of the last second and holds back what must wait.

    Parameters
    ----------
    seconds
        Monotonic seconds of the host, the loop's own clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._frames: deque[float] = deque()
        self._cancels: dict[int, Callable[[], None]] = {}  # by what each cancels, in order
        self._timer: asyncio.TimerHandle | None = None

    def count(self) -> None:
        """Note one frame that goes out now."""
        self._frames.append(self._seconds())

    def last_second(self) -> int:
        """Frames sent within the last second."""
        oldest = self._seconds() - WINDOW_S
        frames = self._frames
        while frames and frames[0] < oldest:
            frames.popleft()
        return len(frames)

    @property
    def takes_order(self) -> bool:
        """Whether an order may go out now: there is room, and no cancel waits."""
        return not self._cancels and self.last_second() < ORDER_FRAMES

    async def turn(self) -> None:
        """Wait until a request may go out."""
        while self._cancels or self.last_second() >= REQUEST_FRAMES:  # noqa: ASYNC110  only time frees a frame
            await asyncio.sleep(self._until_free_s())

    def cancel_first(self, send: Callable[[], None], *, order_id: int) -> None:
        """Send the cancel of an order now, or before anything else once a frame is free.

        One that waits already is not put behind itself: it would take the frame of another order's first cancel.
        """
        self._cancels.setdefault(order_id, send)
        self._drain()

    def forget(self) -> None:
        """Drop the cancels that wait, and the count: the connection they belonged to is gone."""
        self._cancels.clear()
        self._frames.clear()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drain(self) -> None:
        self._stop_timer()
        while self._cancels and self.last_second() < CANCEL_FRAMES:
            self._cancels.pop(next(iter(self._cancels)))()
        if self._cancels:
            self._timer = asyncio.get_running_loop().call_later(self._until_free_s(), self._drain)

    def _until_free_s(self) -> float:
        if not self._frames:
            return _MARGIN_S
        return max(self._frames[0] + WINDOW_S - self._seconds(), 0.0) + _MARGIN_S
