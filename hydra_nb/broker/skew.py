"""How far our clock is provably off the broker's, and between which bounds the two differ."""

from dataclasses import dataclass

from hydra_nb.domain.units import NS_PER_S

BLOCK = 30
"""Time replies in a block: two of them are some ten minutes, in which a clock drifts by milliseconds."""

_ANYTHING = -(2**63), 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReply:
    """The broker's answer to a time request, with our market time when we asked and when we heard.

    `server_s` counts whole seconds since 1970 and is cut, not rounded.
    """

    server_s: int
    asked_ns: int
    heard_ns: int
    asked_host_ns: int
    heard_host_ns: int

    @property
    def skew_s(self) -> float:
        """Seconds by which our clock is off at the least, without sign; 0 where the reply proves nothing.

        The broker read its clock at an instant between our asking and our hearing, and what it read lies
        within the second that begins at `server_s`. Where these two intervals meet our clock may be right.
        """
        earliest_ns = self.server_s * NS_PER_S
        latest_ns = earliest_ns + NS_PER_S
        if self.heard_ns < earliest_ns:
            return (earliest_ns - self.heard_ns) / NS_PER_S
        if self.asked_ns >= latest_ns:
            return (self.asked_ns - latest_ns) / NS_PER_S
        return 0.0

    @property
    def bounds_ns(self) -> tuple[int, int]:
        """Nanoseconds by which the broker's clock is ahead of ours, at least and at most."""
        return self.server_s * NS_PER_S - self.heard_ns, (self.server_s + 1) * NS_PER_S - self.asked_ns


class SkewMeter:
    """What the latest time replies say together.

    One reply leaves more than a second open, as the broker tells whole seconds. Each further one, asked at another
    part of the second, narrows that down. They are kept as two blocks, of which the older one is dropped when the newer
    is full.
    """

    def __init__(self) -> None:
        self._older = self._newer = _ANYTHING
        self._replies = 0  # in the newer block

    def take(self, reply: TimeReply) -> None:
        """Take in a reply; older ones that it contradicts are forgotten, as a clock was set meanwhile."""
        bounds = reply.bounds_ns
        if self._replies == BLOCK:
            self._older, self._newer, self._replies = self._newer, _ANYTHING, 0
        both = _both(self._newer, bounds)
        self._newer, self._replies = (bounds, 1) if _is_empty(both) else (both, self._replies + 1)
        if _is_empty(_both(self._older, self._newer)):
            self._older = _ANYTHING

    def bounds_s(self) -> tuple[float, float] | None:
        """Seconds by which the broker's clock is ahead of ours, at least and at most; None before the first reply."""
        if not self._replies:
            return None
        low_ns, high_ns = _both(self._older, self._newer)
        return round(low_ns / NS_PER_S, 6), round(high_ns / NS_PER_S, 6)


def _both(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """What two bounds leave open together."""
    return max(one[0], other[0]), min(one[1], other[1])


def _is_empty(bounds: tuple[int, int]) -> bool:
    return bounds[0] > bounds[1]
