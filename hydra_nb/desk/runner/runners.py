"""The runners of one desk: one of each name, and none of them outlives the desk."""

from typing import TYPE_CHECKING

import pandas as pd

from hydra_nb.analysis.cycles import CycleBook, cycles
from hydra_nb.analysis.history import History
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.runner.cycle import Phase
from hydra_nb.desk.runner.schedule import Schedule
from hydra_nb.desk.runner.settings import Settings
from hydra_nb.errors import DeskBusy, InvalidOrder

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk


class Runners:
    """Schedules by the names of their runners.

    Parameters
    ----------
    desk, rooms, history
        Of the desk, and the fold of its journal.
    """

    def __init__(self, desk: "Desk", *, rooms: Rooms, history: History) -> None:
        self._desk = desk
        self._rooms = rooms
        self._history = history
        self._book = CycleBook(rooms.journal)
        self._schedules: dict[str, Schedule] = {}
        self._has_ended = False

    def schedule(self, settings: Settings) -> Schedule:
        """The schedule of a runner, made where there is none of its name at work.

        Raises
        ------
        DeskBusy
            Another runner of this name is at work.
        InvalidOrder
            The desk is about to close.
        """
        if self._has_ended:
            raise InvalidOrder("this desk is being closed and begins no cycle; await desk.close(), then open another")
        known = self._schedules.get(settings.name)
        if known is not None and known.settings.is_same(settings):
            return known
        if known is not None and not known.is_idle:
            raise DeskBusy(_busy_words(known))
        self._schedules[settings.name] = Schedule(settings, desk=self._desk, rooms=self._rooms, book=self._book)
        return self._schedules[settings.name]

    def known(self, name: str) -> Schedule | None:
        """The schedule of that name, whatever its settings; None where there is none."""
        return self._schedules.get(name)

    def cycles(self, *, name: str | None = None, cycle_id: str | None = None) -> pd.DataFrame:
        """The frame of cycles, with those at work."""
        running = [one.cycle.cycle_id for one in self._schedules.values() if one.cycle is not None]
        return cycles(self._history, name=name, cycle_id=cycle_id, running=running, book=self._book)

    async def end(self) -> None:
        """Stop all, as the desk is about to close: from here on no cycle begins or sends anything."""
        self._has_ended = True
        for schedule in self._schedules.values():
            schedule.stop()
        for schedule in self._schedules.values():
            await schedule.settle()

    def allow(self) -> None:
        """Let runners be started again: the desk stays open after all."""
        self._has_ended = False


def _busy_words(known: Schedule) -> str:
    name, cycle = known.settings.name, known.cycle
    if cycle is not None and cycle.phase is Phase.WORKING and not known.is_running:
        return (
            f"the orders of {cycle.cycle_id}, of another runner named {name!r}, are still at work; wait for their end,"
            f" or cancel them (desk.basket({cycle.basket_id!r})), or give this one a name of its own"
        )
    return (
        f"another runner named {name!r} is at work on this desk, with other settings or another function; stop it first"
        " (await runner.stop()), or give this one a name of its own"
    )
