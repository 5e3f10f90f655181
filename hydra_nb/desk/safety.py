"""What a person does about safety: kill and re-arm, reconcile, unlock a contract."""

import contextlib
import logging
import os
from pathlib import Path

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.desk.halting import Halting, Progress
from hydra_nb.desk.open_desks import OpenDesk
from hydra_nb.desk.records import Records
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.surroundings import Surroundings
from hydra_nb.desk.watchman import Watchman
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.events import GlobalCancelAsked, Killed
from hydra_nb.errors import BrokerError, InvalidOrder, JournalError, NotConnected, RearmRefused

CONFIRM_EVERYTHING = "ALL"
"""What a person types for the broker's global cancel, which hits the orders of others as well."""


class Safety(Records):
    """The part of a desk that halts, compares and explains."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms.journal)
        self._rooms = rooms
        self._closed = False
        self._halting = Halting(rooms)
        self._watchman: Watchman | None = None
        self._entry: OpenDesk | None = None
        if not rooms.is_virtual:
            self._have_it_watched()

    def _have_it_watched(self) -> None:
        """Start the watchman, and make the desk known to terminals."""
        rooms = self._rooms
        path = rooms.journal.path if isinstance(rooms.journal.path, Path) else None
        prefix = rooms.journal.order_ref_prefix
        watchman = Watchman(self._halting, place=rooms.place, own_prefix=prefix, journal=path)
        try:
            watchman.start()
        except (OSError, TimeoutError) as error:  # the desk can be killed all the same while its loop runs
            logging.getLogger("hydra_nb.desk").warning("a busy kernel cannot be killed from beside: %s", error)
            return
        self._watchman = watchman
        self._entry = OpenDesk(
            pid=os.getpid(),
            account=mask_account(rooms.broker.account),
            journal=None if path is None else str(path.absolute()),
            own_prefix=prefix,
            host=rooms.place.host,
            port=rooms.place.port,
            client_id=rooms.place.client_id,
            embedded=rooms.embedded,
            kill_address=watchman.address,
        )
        self._entry.write()

    def _dismiss_watchman(self) -> None:
        """The desk is closed; what it leaves at work can still be found, and cancelled, from a terminal."""
        self._halting.is_closed = True
        if self._watchman is not None:
            self._watchman.stop()
        leaves_orders = any(self._rooms.manager.ledger.open_orders()) and not self._rooms.embedded
        if self._entry is not None and not leaves_orders:
            self._entry.remove()

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
    def kill_progress(self) -> Progress | None:
        """Own orders confirmed over since the kill, of how many; None while orders are allowed."""
        return self._halting.progress

    @property
    def kill_address(self) -> str | None:
        """URL on loopback that kills on a POST, also while a cell runs; None where no browser can be on this computer.

        It holds the token that guards it: it is for the button, and never for a saved notebook.
        """
        if self._watchman is None or Surroundings.of_now().unattended is not None:
            return None
        return self._watchman.address

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
        self._halting.flag.set(str(reason))
        if self._halting.is_pressed_again():
            await self._rooms.manager.see_kill_through()
        else:
            await self._rooms.manager.kill(reason)

    async def rearm(self, reason: str, *, breaker: str | None = None) -> None:
        """Allow orders again after a kill and after tripped breakers; what breakers look at begins anew.

        Ledger and broker are compared first; what is found may unlock contracts, or prove orders dead.

        Parameters
        ----------
        reason
            Why; it is journalled, and shows beside the breaker.
        breaker
            The one tripped breaker to re-arm, for instance ``"daily_loss"``: the others stay as they are, and a kill in
            force. None lifts the kill and re-arms all.

        Raises
        ------
        InvalidOrder
            No reason is given, it is no text, or the breaker is not tripped.
        RearmRefused
            They could not be compared, a contract is locked, or, after a kill, own orders are not proven dead; or,
            meanwhile, a kill was asked for or a breaker tripped. The message says which, and what to do.
        JournalUnwritable
            It is in force, but the journal could not keep it: no order leaves until that can be written again, and a
            desk that is opened anew on it may be halted as before.
        """
        _must_say_why(reason, what="re-arming")
        self._must_be_tripped(breaker)
        known = self._halts(breaker)
        try:
            await self.reconcile()
        except BrokerError as error:
            raise RearmRefused(f"not armed again, as ledger and broker could not be compared: {error}") from error
        if breaker is None:
            await self._halting.hear_out()
        seen = self._halting.flag.times
        obstacles = self._rearm_obstacles(lifts_kill=breaker is None)
        if self._halts(breaker) - known:
            obstacles.append("killed, or a breaker tripped, while ledger and broker were compared: re-arm anew")
        if obstacles:
            raise RearmRefused(f"not armed again: {'; '.join(obstacles)}")
        try:
            await self._rooms.manager.rearm(reason, breaker=breaker)
        finally:
            if breaker is None and self.killed is None:
                self._halting.flag.clear(seen=seen)

    def _must_be_tripped(self, breaker: str | None) -> None:
        """Refuse to re-arm what is not tripped: its figures would begin anew without need."""
        tripped = list(dict.fromkeys(name for name, _ in self._rooms.manager.ledger.breakers.tripped))
        if breaker is None or breaker in tripped:
            return
        what = "is not tripped" if breaker in tuple(BreakerName) else f"is no breaker ({', '.join(BreakerName)})"
        raise InvalidOrder(f"{breaker!r} {what}; tripped: {', '.join(tripped) or 'none'}")

    def _halts(self, breaker: str | None) -> set[object]:
        """All that a re-arming would lift: trips, of one breaker or of all, and then also each kill so far.

        What it lifts is what its person has seen, and never what came while it was on its way.
        """
        tripped = {key for key in self._rooms.manager.ledger.breakers.tripped if breaker in (None, key[0])}
        presses = range(self._halting.presses if breaker is None else 0)
        return {*presses, *tripped}

    def _rearm_obstacles(self, *, lifts_kill: bool) -> list[str]:
        """Give in words what speaks against sending again."""
        ledger = self._rooms.manager.ledger
        found = [f"{symbol} is locked: {why}" for symbol, why in self.locked.items()]
        if not ledger.reconciled:
            told = "; ".join(one.message for one in self._rooms.reconciler.breaks if not one.resolved)
            found.append(f"ledger and broker do not agree: {told or 'the connection was lost meanwhile'}")
        if lifts_kill and self._halting.is_awaited:
            self._halting.give_up()
            found.append("a kill was asked for that has not come here; no order leaves. Kill, or re-arm anew")
        left = [record.order_ref for record in ledger.open_orders()]
        if lifts_kill and self.killed is not None and left:
            found.append(
                f"{len(left)} own orders are not confirmed over yet ({', '.join(left)}): wait for them, at the latest "
                "until their expiry, and re-arm then"
            )
        return found

    async def cancel_everything(self, confirmation: str) -> None:
        """Have the broker cancel all open orders of the account, also those of others and those typed by hand.

        Raises
        ------
        InvalidOrder
            The confirmation is not ``ALL``; nothing was sent.
        NotConnected
            There is no connection to send it on.
        """
        self._must_be_open()
        if confirmation != CONFIRM_EVERYTHING:
            raise InvalidOrder("the global cancel also hits orders that are not ours: confirm it with ALL")
        self._rooms.broker.cancel_everything()
        self._rooms.manager.ingest(GlobalCancelAsked(time_ns=self._rooms.clock.now_ns()))
        await self._rooms.journal.commit()

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
            The contract is not locked, its name or the reason is no text, or no reason is given.
        """
        self._must_be_open()
        _must_say_why(reason, what="unlocking")
        if not isinstance(local_symbol, str):
            raise InvalidOrder(
                f"local_symbol={local_symbol!r:.60} is no text; say which contract, locked: {self._locked_names}"
            )
        name = local_symbol.strip().upper()
        for con_id, locked in self._rooms.manager.ledger.locked.items():
            if locked.local_symbol == name:
                self._rooms.reconciler.unlock(con_id, reason=reason)
                await self._rooms.journal.commit()
                return
        raise InvalidOrder(f"{name} is not locked; locked: {self._locked_names}")

    @property
    def _locked_names(self) -> str:
        return ", ".join(self.locked) or "none"

    def _must_be_open(self) -> None:
        if self._closed:
            raise NotConnected("this desk was closed; open one with hydra_nb.connect()")

    def _must_take_orders(self) -> None:
        self._must_be_open()
        self._rooms.manager.must_take_orders()


def _must_say_why(reason: object, *, what: str) -> None:
    if not isinstance(reason, str):
        raise InvalidOrder(f"reason={reason!r:.60} is no text; say in words why, nothing was changed")
    if not reason.strip():
        raise InvalidOrder(f"{what} needs a reason")
