"""One timer a parent, the earliest asked for; and the sign of a loop that was held up: one that should have fired."""

from collections.abc import Callable

from hydra_nb.clock import Clock, TimerHandle
from hydra_nb.domain.events import LoopStalled
from hydra_nb.domain.units import NS_PER_S

STALL_S = 1.0
"""Host seconds by which a timer fires late before it is told that the loop was held up."""


class Timers:
    """The timers of all parents.

    Parameters
    ----------
    clock
        Where time and timers come from.
    wake
        Called with a parent's id when its timer fires; it has to `take` the timer.
    """

    def __init__(self, clock: Clock, *, wake: Callable[[str], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._set: dict[str, tuple[int, TimerHandle]] = {}
        self._held: dict[str, int | None] = {}  # parents that are not woken, with what was asked for meanwhile
        self._told_ns = 0
        self._no_sooner_ns = 0  # no timer is due before; each event asks, so that all are looked at once a second only

    def wake_at(self, parent_id: str, *, time_ns: int) -> None:
        """Wake a parent at a market time, or sooner where that was asked before."""
        if parent_id in self._held:
            held_ns = self._held[parent_id]
            self._held[parent_id] = time_ns if held_ns is None else min(held_ns, time_ns)
            return
        pending = self._set.get(parent_id)
        if pending is not None:
            if pending[0] <= time_ns:
                return
            pending[1].cancel()
        self._no_sooner_ns = min(self._no_sooner_ns, time_ns)
        self._set[parent_id] = (time_ns, self._clock.call_at(time_ns, lambda: self._wake(parent_id)))

    def take(self, parent_id: str) -> int:
        """Forget a timer that fires, and give when it was due; call `stall` before."""
        due_ns, _ = self._set.pop(parent_id)
        return due_ns

    def hold(self, parent_id: str) -> None:
        """Wake a parent no more until `let_go`."""
        due_ns, timer = self._set.pop(parent_id, (None, None))
        if timer is not None:
            timer.cancel()
        self._held[parent_id] = due_ns

    def let_go(self, parent_id: str) -> None:
        """Wake a parent as before, at once where its time has passed meanwhile."""
        due_ns = self._held.pop(parent_id, None)
        if due_ns is not None:
            self.wake_at(parent_id, time_ns=max(due_ns, self._clock.now_ns()))

    def stall(self) -> LoopStalled | None:
        """What there is to tell where a timer should have fired over a second ago; each time is told once."""
        now_ns = self._clock.now_ns()
        allowed_ns = STALL_S * self._clock.speed * NS_PER_S
        if now_ns - self._no_sooner_ns < allowed_ns:
            return None
        overdue_ns = min((due_ns for due_ns, _ in self._set.values() if due_ns > self._told_ns), default=now_ns)
        self._no_sooner_ns = overdue_ns
        if now_ns - overdue_ns < allowed_ns:
            return None
        self._told_ns = now_ns
        return LoopStalled(time_ns=now_ns, since_ns=overdue_ns)

    def clear(self) -> None:
        """Take all timers back."""
        for _, timer in self._set.values():
            timer.cancel()
        self._set.clear()
        self._held.clear()
