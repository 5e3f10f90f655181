"""The desk's beat in host time: how late the loop runs, and what other processes ask for."""

import asyncio
from collections import deque
from collections.abc import Callable

BEAT_S = 1.0


class Pulse:
    """Fires each host second; measures by how much it fires late.

    Parameters
    ----------
    on_beat
        Called at each beat.
    """

    def __init__(self, on_beat: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_beat = on_beat
        self._lags_ms: deque[float] = deque(maxlen=60)
        self._arm()

    def _arm(self) -> None:
        due_s = self._loop.time() + BEAT_S
        self._timer = self._loop.call_at(due_s, self._beat, due_s)

    def _beat(self, due_s: float) -> None:
        self._lags_ms.append(max(0.0, (self._loop.time() - due_s) * 1e3))
        self._arm()
        self._on_beat()

    @property
    def worst_lag_ms(self) -> float:
        """Worst lag of the last 60 beats, host milliseconds; 0 before the first."""
        return max(self._lags_ms, default=0.0)

    def stop(self) -> None:
        """End the beat."""
        self._timer.cancel()
