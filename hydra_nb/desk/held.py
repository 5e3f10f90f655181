"""Knows the contracts that the account holds, also those that nobody has looked up on this desk."""

import asyncio
import contextlib

from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import ConnectionChanged, Event, PositionReported
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState
from hydra_nb.errors import BrokerError, UnknownInstrument

AGAIN_S = 300.0
"""Market seconds until the broker is asked once more, where it did not answer."""


class HeldContracts:
    """Asks once for the details of each contract that is held and not known yet, and keeps them.

    What the broker lists no future for, such as a share, is not asked for again.

    Parameters
    ----------
    rooms
        Of the desk.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._known: dict[int, FutureContract] = {}
        self._no_futures: set[int] = set()
        self._wanted = asyncio.Event()
        rooms.manager.observers.append(self._heard)
        rooms.manager.tasks.keep(self._ask, where="positions")
        self._look()

    def learn(self, contract: FutureContract) -> None:
        """Take in a contract that was looked up."""
        self._known[contract.con_id] = contract

    def contract(self, con_id: int) -> FutureContract | None:
        """The contract of an id; None where it is not known yet, or is no future."""
        return self._known.get(con_id) or self._rooms.manager.ledger.contracts.get(con_id)

    def is_no_future(self, con_id: int) -> bool:
        """Whether the broker said that it lists no future of that id."""
        return con_id in self._no_futures

    def _heard(self, event: Event) -> None:
        is_back = isinstance(event, ConnectionChanged) and event.state is ConnectionState.UP
        if is_back or (isinstance(event, PositionReported) and event.lots):
            self._look()

    def _look(self) -> None:
        if self._missing():
            self._wanted.set()

    def _missing(self) -> list[int]:
        held = self._rooms.broker.positions() or ()
        return [one.con_id for one in held if self.contract(one.con_id) is None and not self.is_no_future(one.con_id)]

    async def _ask(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for con_id in self._missing():
                with contextlib.suppress(BrokerError):
                    await self._ask_for(con_id)
            if self._missing():
                await self._rooms.clock.sleep(AGAIN_S)
                self._look()

    async def _ask_for(self, con_id: int) -> None:
        try:
            self.learn(await self._rooms.broker.contract(con_id))
        except UnknownInstrument:
            self._no_futures.add(con_id)
