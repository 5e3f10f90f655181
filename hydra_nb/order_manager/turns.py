"""Who waits for parents: until one is over or interrupted, or until nothing will end any more."""

import asyncio
from collections.abc import Mapping

from hydra_nb.errors import NotConnected
from hydra_nb.ledger import ParentRecord


class Turns:
    """The waiting of all parents, on the loop that works them.

    Parameters
    ----------
    parents
        All parents by id, as the ledger has them.
    """

    def __init__(self, parents: Mapping[str, ParentRecord]) -> None:
        self._parents = parents
        self._turns: dict[str, asyncio.Event] = {}
        self._has_ended = False

    async def wait(self, parent_id: str) -> None:
        """Wait until a parent is over, or interrupted, or all has ended; cancelling this wait cancels no order."""
        while self._parents[parent_id].status.is_waited_for and not self._has_ended:
            await self._next(parent_id)

    async def wait_until_over(self, parent_id: str) -> None:
        """Wait until a parent is over.

        Raises
        ------
        NotConnected
            All has ended before it was.
        """
        while not self._parents[parent_id].status.is_over:
            if self._has_ended:
                raise NotConnected(f"the desk was closed before {parent_id} was over; open it again, and abandon it")
            await self._next(parent_id)

    def come(self, parent_id: str) -> None:
        """A parent is over, or interrupted: whoever waits for it looks again."""
        turn = self._turns.pop(parent_id, None)
        if turn is not None:
            turn.set()

    def end(self) -> None:
        """Nothing will end any more: whoever waits is told."""
        self._has_ended = True
        for turn in self._turns.values():
            turn.set()

    async def _next(self, parent_id: str) -> None:
        await self._turns.setdefault(parent_id, asyncio.Event()).wait()
