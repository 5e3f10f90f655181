"""Draws a view after the desk has changed: at once, then no sooner than `REFRESH_S` later, until nothing changes."""

import asyncio
from collections.abc import Callable

from hydra_nb.domain.ports import DeskPort

REFRESH_S = 0.5  # the shortest time between two pictures of one view, in seconds of the host


class Follower:
    """Calls `draw` at most twice a second while the desk changes.

    Parameters
    ----------
    desk
        Tells of changes, and runs the drawing on its loop.
    draw
        Brings the view up to date; what it raises the desk reports, and the view is tried again at the next change.
    """

    def __init__(self, desk: DeskPort, *, draw: Callable[[], None]) -> None:
        self._desk = desk
        self._draw = draw
        self._changed = False
        self._following = False
        self._closed = False
        self._stop: Callable[[], None] = desk.subscribe(self._desk_changed)

    def close(self) -> None:
        """Hear and draw nothing more."""
        if not self._closed:
            self._closed = True
            self._stop()

    def _desk_changed(self) -> None:
        self._changed = True
        if not self._following and not self._closed:
            self._following = True
            self._desk.spawn(self._follow())

    async def _follow(self) -> None:
        try:
            while self._changed and not self._closed:
                self._changed = False
                self._draw()
                await asyncio.sleep(REFRESH_S)
        finally:
            self._following = False
