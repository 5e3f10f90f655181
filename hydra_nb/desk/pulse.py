"""The desk's beat in host time: how late the loop runs, which cells held it up, and what other processes ask for."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.errors import JournalUnreadable

BEAT_S = 0.1
"""Host seconds between two looks at the loop."""

BEATS_A_REQUEST = 10
"""Other processes are heard once a second."""

_WINDOW_BEATS = round(60.0 / BEAT_S)
STALL_S = 1.0
"""A loop that was held up for longer than this is worth a line of its own."""

MOST_STALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A cell, or anything else, held up the loop.

    Parameters
    ----------
    until_s
        When the loop ran again, in seconds of the loop's clock.
    held_s
        For how long it had not, host seconds.
    """

    until_s: float
    held_s: float


class Pulse:
    """Fires ten times a host second; measures by how much it fires late.

    A beat that comes late stands for those that could not come at all: of a loop that is held up for 5 s there are
    50 lags, from 5 s down to 0.1 s. Else the longest waits would be the rarest, and a percentile would not show them.

    Parameters
    ----------
    on_request
        Called once a second; where it cannot read the journal, that is logged once and the next second asks again.
    """

    def __init__(self, on_request: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_request = on_request
        self._lags_ms: deque[float] = deque(maxlen=_WINDOW_BEATS)
        self._stalls: deque[Stall] = deque(maxlen=MOST_STALLS)
        self._beats = 0
        self._is_deaf = False
        self._arm()

    def lag_now_ms(self) -> float:
        """How late the last beat came, or the next one is already, in milliseconds."""
        overdue_ms = (self._loop.time() - self._due_s) * 1e3
        return max(self._lags_ms[-1] if self._lags_ms else 0.0, overdue_ms)

    def _arm(self) -> None:
        self._due_s = due_s = self._loop.time() + BEAT_S
        self._timer = self._loop.call_at(due_s, self._beat, due_s)

    def _beat(self, due_s: float) -> None:
        now_s = self._loop.time()
        lag_s = max(0.0, now_s - due_s)
        missed = min(_WINDOW_BEATS, int(lag_s / BEAT_S))
        self._lags_ms.extend((lag_s - n * BEAT_S) * 1e3 for n in range(missed, -1, -1))
        if lag_s >= STALL_S:
            self._stalls.append(Stall(until_s=now_s, held_s=lag_s))
        self._arm()
        self._beats += 1
        if self._beats % BEATS_A_REQUEST == 0 or lag_s >= STALL_S:  # what was asked meanwhile has waited long enough
            self._hear()

    def _hear(self) -> None:
        try:
            self._on_request()
        except JournalUnreadable as error:
            if not self._is_deaf:
                logging.getLogger("hydra_nb.desk").warning("requests of other processes are not heard: %s", error)
            self._is_deaf = True
        else:
            self._is_deaf = False

    @property
    def worst_lag_ms(self) -> float:
        """Worst lag of the last minute, host milliseconds; 0 before the first beat."""
        return max(self._lags_ms, default=0.0)

    @property
    def p99_lag_ms(self) -> float:
        """The lag that 99 of 100 beats of the last minute did not exceed, host milliseconds; 0 before the first."""
        lags = sorted(self._lags_ms)
        return lags[math.ceil(0.99 * len(lags)) - 1] if lags else 0.0

    @property
    def stalls(self) -> tuple[tuple[float, float], ...]:
        """The last times that the loop was held up for over a second: host seconds ago, and for how many."""
        now_s = self._loop.time()
        return tuple((now_s - stall.until_s, stall.held_s) for stall in self._stalls)

    def stop(self) -> None:
        """End the beat."""
        self._timer.cancel()


def lag_status(pulse: Pulse | None) -> dict[str, object]:
    """What `Desk.status` tells of the loop; nothing is late under virtual time, where there is no pulse.

    Worst lag and 99th percentile of the last minute in host milliseconds, and the last times that a cell held up the
    loop, each as seconds ago and seconds held.
    """
    if pulse is None:
        return {"loop_lag_ms": 0.0, "loop_lag_p99_ms": 0.0, "stalls": ()}
    return {"loop_lag_ms": pulse.worst_lag_ms, "loop_lag_p99_ms": pulse.p99_lag_ms, "stalls": pulse.stalls}
