"""The part of a desk that knows its limits: which hold, and how a person changes them."""

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.desk.limit_setting import AskedLimits, LimitSetter
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.safety import Safety
from hydra_nb.risk.limits import Limits


class Limiting(Safety):
    """Limits in force, as they are and as a frame."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self._limit_setter = LimitSetter(rooms)

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._rooms.gate.limits

    def limit_table(self) -> pd.DataFrame:
        """One row a limit of all symbols, then one a limit that a symbol has of its own, as in force now."""
        return frames.limits(self._history, in_force=self.limits)

    async def set_limits(self, limits: AskedLimits, *, reason: str | None = None) -> pd.DataFrame:
        """Hold orders against other limits, from the next check on, and give `limit_table`.

        What is tightened holds at once. What is loosened needs a reason, and holds once the change is durable in the
        journal. Each change is journalled, with the reason and the name of the user. What works in the market is not
        cancelled: its next change is checked against the limits of then.

        Parameters
        ----------
        limits
            Some limits by name, such as ``{"collar_ticks": 40, "ZO.max_lots_per_order": 3}``, where None takes a
            symbol's own away again; or all of them, as `Limits` or as the path of a TOML file, in which what is not
            named takes its default.
        reason
            Why; needed where anything is loosened.

        Raises
        ------
        LimitsError
            A limit is malformed, or one is loosened without a reason; nothing was changed.
        JournalUnwritable
            The journal cannot keep it: what was tightened holds all the same, what was to be loosened does not.
        """
        self._must_be_open()
        await self._limit_setter.set(limits, reason=reason)
        return self.limit_table()
