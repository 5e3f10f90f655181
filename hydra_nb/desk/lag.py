"""How late the event loop runs: what a blocking cell costs."""

import asyncio
from collections import deque

BEAT_S = 1.0


class LagMeter:
    """Measures by how much a timer of the loop fires late, in host milliseconds."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lags_ms: deque[float] = deque(maxlen=60)
        self._beat()

    def _beat(self) -> None:
        due_s = self._loop.time() + BEAT_S
        self._timer = self._loop.call_at(due_s, self._land, due_s)

    def _land(self, due_s: float) -> None:
        self._lags_ms.append(max(0.0, (self._loop.time() - due_s) * 1e3))
        self._beat()

    @property
    def worst_ms(self) -> float:
        """Worst lag of the last 60 beats; 0 before the first."""
        return max(self._lags_ms, default=0.0)

    def stop(self) -> None:
        """End measuring."""
        self._timer.cancel()
