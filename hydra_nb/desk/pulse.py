"""The desk's beat in host time: how late the loop runs, and what other processes ask for."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from hydra_nb.errors import JournalUnreadable

BEAT_S = 1.0


class Pulse:
    """Fires each host second; measures by how much it fires late.

    Parameters
    ----------
    on_beat
        Called at each beat; where it cannot read the journal, that is logged once and the next beat asks again.
    """

    def __init__(self, on_beat: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_beat = on_beat
        self._lags_ms: deque[float] = deque(maxlen=60)
        self._is_deaf = False
        self._arm()

    def _arm(self) -> None:
        due_s = self._loop.time() + BEAT_S
        self._timer = self._loop.call_at(due_s, self._beat, due_s)

    def _beat(self, due_s: float) -> None:
        self._lags_ms.append(max(0.0, (self._loop.time() - due_s) * 1e3))
        self._arm()
        try:
            self._on_beat()
        except JournalUnreadable as error:
            if not self._is_deaf:
                logging.getLogger("hydra_nb.desk").warning("requests of other processes are not heard: %s", error)
            self._is_deaf = True
        else:
            self._is_deaf = False

    @property
    def worst_lag_ms(self) -> float:
        """Worst lag of the last 60 beats, host milliseconds; 0 before the first."""
        return max(self._lags_ms, default=0.0)

    def stop(self) -> None:
        """End the beat."""
        self._timer.cancel()
