"""How far our clock is provably off the broker's."""

from dataclasses import dataclass

from hydra_nb.domain.units import NS_PER_S


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
