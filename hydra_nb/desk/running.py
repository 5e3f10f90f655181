"""The part of a desk that knows its runners: the days of a calendar, the cycles there were, and how they end."""

from typing import TYPE_CHECKING, cast

import pandas as pd

from hydra_nb.desk.basketing import Basketing
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.runner.runners import Runners
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import UnknownInstrument

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk


class Running(Basketing):
    """Daily cycles of one account; see `hydra_nb.Runner`."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self.runners = Runners(cast("Desk", self), rooms=rooms, history=self._history)

    def cycles(self, *, name: str | None = None) -> pd.DataFrame:
        """One row a daily cycle of a runner: its day, how it ended, what its orders did; of one `name`, or of all."""
        return self.runners.cycles(name=name)

    async def trading_hours(self, name: str) -> FutureContract:
        """Ask the broker for the hours of a future by symbol or month, without watching its quotes.

        Returns
        -------
        FutureContract
            The month; of a bare symbol that with the most sessions listed, the nearest of equals.

        Raises
        ------
        UnknownInstrument
            The broker lists no such future.
        BrokerError
            It does not tell.
        """
        self._must_be_open()
        key = name.strip().upper()
        try:
            listed = await self._rooms.broker.contracts(key)
        except UnknownInstrument:
            return await self._rooms.broker.contract(key)
        return max(listed, key=lambda month: len(month.sessions))
