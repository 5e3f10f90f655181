"""What a page was told, and what it shows by now: ages, countdowns and clocks run on in it, and are not sent again."""

import re
from typing import NamedTuple

TOLERANCE_S = 1.5
"""Seconds by which a running figure on the page may differ from what it should be."""

_RUNNING = re.compile(r"--hy-(up|down):(\d+)")  # what counts in the page, and where it began


class Sent(NamedTuple):
    """What a page was told: the HTML without its running figures, where these began, and when."""

    still: str
    starts: tuple[tuple[str, int], ...]
    host_s: float

    @classmethod
    def of(cls, html: str, *, host_s: float) -> "Sent":
        """HTML that is told at a time of the host."""
        starts = tuple((way, int(start)) for way, start in _RUNNING.findall(html))
        return cls(without_figures(html), starts, host_s)

    def shows_the_same(self, new: "Sent") -> bool:
        """Whether a page that was told this shows `new` by now, as its figures have run on."""
        if self.still != new.still:
            return False
        gone_s = new.host_s - self.host_s
        for (way, began), (_, now) in zip(self.starts, new.starts, strict=True):
            shown = began + gone_s if way == "up" else max(0.0, began - gone_s)
            if abs(shown - now) > TOLERANCE_S:
                return False
        return True


def without_figures(html: str) -> str:
    """HTML without what counts in the page, to tell whether it says something else."""
    return _RUNNING.sub("", html)
