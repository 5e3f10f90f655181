"""Draws a view after the desk has changed: at once, then no sooner than `REFRESH_S` later, until nothing changes."""

import asyncio
from collections.abc import Callable

from hydra_nb.domain.ports import DeskPort

REFRESH_S = 0.5  # the shortest time between two pictures of one view, in seconds of the host


class Follower:
    """Calls `draw` at most twice a second while the desk changes and the view can be seen.

    Views of one desk take turns, so that the loop serves others between two pictures.

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
        self._hidden = False
        self._closed = False
        self._stop: Callable[[], None] = desk.subscribe(self.nudge)

    def close(self) -> None:
        """Hear and draw nothing more."""
        if not self._closed:
            self._closed = True
            self._stop()

    def rest(self, *, hidden: bool) -> None:
        """Draw nothing while the view is hidden; what was missed is drawn when it is seen again."""
        self._hidden = hidden
        if not hidden:
            self.nudge()

    def nudge(self) -> None:
        """Draw soon: something has changed, or time has passed."""
        self._changed = True
        if not (self._following or self._hidden or self._closed):
            self._following = True
            self._desk.spawn(self._follow())

    @property
    def _is_due(self) -> bool:
        return self._changed and not self._hidden and not self._closed

    async def _follow(self) -> None:
        try:
            while self._is_due:
                async with self._desk.turn_to_draw:
                    if self._is_due:
                        self._changed = False
                        self._draw()
                await asyncio.sleep(REFRESH_S)
        finally:
            self._following = False
