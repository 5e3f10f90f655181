"""What a person does about safety: kill and re-arm, reconcile, unlock a contract."""

import contextlib

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.desk.records import Records
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import Killed
from hydra_nb.errors import InvalidOrder, JournalError, NotConnected


class Safety(Records):
    """The part of a desk that halts, compares and explains."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms.journal)
        self._rooms = rooms
        self._closed = False

    @property
    def killed(self) -> str | None:
        """Reason of the kill in force; None while orders are allowed."""
        return self._rooms.manager.ledger.killed

    @property
    def killed_ns(self) -> int | None:
        """When the kill in force came, UTC nanoseconds; None while orders are allowed."""
        if self.killed is None:
            return None
        return max((event.time_ns for _, event in self._rooms.journal.events(kinds=(Killed,))), default=None)

    @property
    def kill_progress(self) -> tuple[int, int] | None:
        """Own orders confirmed cancelled since the kill, of how many; None while orders are allowed."""
        ledger = self._rooms.manager.ledger
        if ledger.killed is None:
            return None
        still_open = {record.order_ref for record in ledger.open_orders()}
        total = len(ledger.killed_orders)
        return total - len(still_open.intersection(ledger.killed_orders)), total

    @property
    def kill_address(self) -> str | None:
        """Loopback address, with its token, that halts while a cell blocks; None where nothing listens."""
        return None

    @property
    def kill_command(self) -> str:
        """What a person types in a terminal to halt."""
        return "hydra-nb kill"

    @property
    def locked(self) -> dict[str, str]:
        """Why nothing is sent in a contract, by local symbol; empty where all are open."""
        return {locked.local_symbol: locked.reason for locked in self._rooms.manager.ledger.locked.values()}

    @property
    def breaks(self) -> pd.DataFrame:
        """What the last reconciliation found, as `reconcile` gave it; the first is made when the desk is opened."""
        return frames.breaks(self._rooms.reconciler.breaks)

    async def kill(self, reason: str) -> None:
        """Halt all and cancel all own orders; nothing but cancels is sent until `rearm`."""
        await self._rooms.manager.kill(reason)

    async def rearm(self, reason: str) -> None:
        """Allow orders again after a kill."""
        _must_say_why(reason, what="re-arming")
        await self._rooms.manager.rearm(reason)

    async def cancel_everything(self, confirmation: str) -> None:
        """Have the broker cancel all open orders of the account, also those of others and those typed by hand.

        Raises
        ------
        InvalidOrder
            The confirmation is not ``ALL``.
        """
        if confirmation != "ALL":
            raise InvalidOrder("the global cancel also hits orders that are not ours: confirm it with ALL")
        self._rooms.broker.cancel_everything()

    async def reconcile(self) -> pd.DataFrame:
        """Compare our ledger with the broker's account of orders, executions and positions; empty is good.

        What cannot be explained locks its contract; see `unlock`.
        """
        self._must_be_open()
        found = await self._rooms.reconciler.run()
        with contextlib.suppress(JournalError):  # a disk that takes nothing shows in `status`, and stops sending
            await self._rooms.journal.commit()
        return frames.breaks(found)

    async def unlock(self, local_symbol: str, *, reason: str) -> None:
        """Let a contract be traded again that a break had locked, once a person has explained it.

        What the account holds of it beyond our own fills counts as others' from now on.

        Parameters
        ----------
        local_symbol
            For instance ``"ZOH7"``.
        reason
            What explains the break; it is journalled.

        Raises
        ------
        InvalidOrder
            The contract is not locked, or no reason is given.
        """
        self._must_be_open()
        _must_say_why(reason, what="unlocking")
        name = local_symbol.strip().upper()
        for con_id, locked in self._rooms.manager.ledger.locked.items():
            if locked.local_symbol == name:
                self._rooms.reconciler.unlock(con_id, reason=reason)
                await self._rooms.journal.commit()
                return
        raise InvalidOrder(f"{name} is not locked; locked: {', '.join(self.locked) or 'none'}")

    def _must_be_open(self) -> None:
        if self._closed:
            raise NotConnected("this desk was closed; open one with hydra_nb.connect()")


def _must_say_why(reason: str, *, what: str) -> None:
    if not reason.strip():
        raise InvalidOrder(f"{what} needs a reason")
