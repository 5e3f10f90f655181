"""A sign of life for the page: a few bytes every few seconds, whose absence the page itself shows as *no news*."""

import asyncio
import time
from collections.abc import Callable

import ipywidgets

from hydra_nb.domain.ports import DeskPort
from hydra_nb.widgets.parts import escape

BEAT_S = 5.0
"""Host seconds between two beats; the page calls it no news after 10 s without one."""

_BEATS = (("hy-news", "hy-beat-a"), ("hy-news", "hy-beat-b"))
_SAME_TIME_S = 60.0


class Heartbeat:
    """Swaps a class of the veil over a view, which restarts the animation that would show it.

    One timer of the desk's loop, no task: a busy loop is late with it, and that is what the page should notice. Under
    virtual time nothing beats, as no page is there.

    Parameters
    ----------
    desk
        Its loop beats.
    veil
        The widget that covers the view when no news comes.
    on_beat
        Called when a beat is due, on the desk's loop; it sees to it that `send` is called soon, with whatever else the
        view has to send.
    """

    def __init__(self, desk: DeskPort, *, veil: ipywidgets.HTML, on_beat: Callable[[], None]) -> None:
        self._veil = veil
        self._on_beat = on_beat
        self._count = 0
        self._closed = False
        self._hidden = False
        self.is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        desk.spawn(self._begin())

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._closed and abs(loop.time() - time.monotonic()) < _SAME_TIME_S:
            self._loop = loop
            self._timer = loop.call_later(BEAT_S, self._beat)

    def _beat(self) -> None:
        if self._closed or self._loop is None:
            return
        self._timer = self._loop.call_later(BEAT_S, self._beat)
        if not self._hidden:
            self.is_due = True
            self._on_beat()

    def send(self) -> None:
        """Send a beat now."""
        self.is_due = False
        self._count += 1
        self._veil.set_trait("_dom_classes", _BEATS[self._count % 2])

    def rest(self, *, hidden: bool) -> None:
        """Send nothing while the view is hidden; a beat at once when it is seen again."""
        self._hidden = hidden
        if not hidden and not self._closed:
            self.send()

    def close(self) -> None:
        """Beat no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def no_news(kill_command: str) -> str:
    """What the veil says where it shows; `kill_command` halts the desk from a terminal."""
    return (
        '<div class="hy-news-words" role="alert"><span class="hy-state hy-bad">✕ No news for '
        '<span class="hy-news-age"></span></span><span>Kernel busy or gone; this is old. To halt, run in a terminal: '
        f"<code>{escape(kill_command)}</code></span></div>"
    )
