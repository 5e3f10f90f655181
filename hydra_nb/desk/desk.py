"""The desk that a notebook holds: instruments, previews, executions, frames."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.desk.alert_delivery import Listener
from hydra_nb.desk.alerts import Alerts
from hydra_nb.desk.arguments import parse_ending
from hydra_nb.desk.board import BoardMaker
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.journal_path import JournalPath
from hydra_nb.desk.pulse import Pulse, lag_status
from hydra_nb.desk.reporting import Reporting
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.board import Board
from hydra_nb.domain.events import AlertRaised
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.widgets.desk_view import DeskView
from hydra_nb.widgets.ticket import OrderTicket


class Desk(Reporting):
    """One account, one journal, one connection; made by `connect`."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self._loop = asyncio.get_running_loop()
        self._executions: dict[str, Execution] = {}
        self._tickets: dict[str, OrderTicket] = {}
        self._view: DeskView | None = None
        self._drawing = asyncio.Lock()
        self._alerts = Alerts(rooms, badge=lambda: self.badge, held=self._held)
        self._pulse = None if rooms.is_virtual else Pulse(self._halting.heed_requests)
        if self._pulse is not None:
            rooms.manager.snapshots.loop_lag_ms = self._pulse.lag_now_ms
        self._boards = BoardMaker(
            rooms, history=self._history, lag_p99_ms=lambda: 0.0 if self._pulse is None else self._pulse.p99_lag_ms
        )

    # How it stands

    @property
    def is_open(self) -> bool:
        """Whether the desk was not closed."""
        return not self._closed

    @property
    def busy_parents(self) -> tuple[str, ...]:
        """Ids of the parents at work: not over, nor interrupted with nothing left in the market."""
        return self._rooms.manager.busy_parents

    @property
    def journal_path(self) -> Path | None:
        """Where the journal is kept; None in memory. A cell does not show it: print it."""
        path = self._rooms.journal.path
        return JournalPath(path) if isinstance(path, Path) else None

    @property
    def status(self) -> dict[str, object]:
        """State of connection, data, reconciliation, breakers, journal, and the loop's lag."""
        broker, ledger = self._rooms.broker, self._rooms.manager.ledger
        now_ns = self.now_ns()
        quotes = (broker.quote(contract.con_id) for contract in self._contracts.values())
        ages = {q.con_id: q.age_s(now_ns) for q in quotes if q is not None}
        return {
            "account": self.masked_account,
            "kind": self.badge,
            "time": pd.Timestamp(now_ns, unit="ns", tz="UTC"),
            "connection": str(broker.state),
            "reconciled": ledger.reconciled,
            "killed": ledger.killed,
            "breakers": {
                f"{one.breaker} {one.local_symbol}".rstrip(): one.reason for one in ledger.breakers.tripped.values()
            },
            "locked": self.locked,
            "breaks": self.breaks,
            "interrupted": tuple(key for key, p in ledger.parents.items() if p.status is ParentStatus.INTERRUPTED),
            "journal_healthy": self._rooms.journal.healthy,
            "journal_failure": self._rooms.journal.failure,
            "heads_failure": self._rooms.heads.trouble,
            "alerts": tuple(alert.sentence for alert in self.alerts_raised),
            "alert_delivery": self._alerts.trouble,
            "quote_age_s": {c.local_symbol: ages[c.con_id] for c in self._contracts.values() if c.con_id in ages},
            "clock_skew_s": broker.clock_skew_s(),
            "messages_last_second": broker.messages_last_second(),
            **lag_status(self._pulse),
            "parents_at_work": len(self.busy_parents),
        }

    def board(self) -> Board:
        """What a screen shows of the desk now: facts, without frames."""
        return self._boards.make()

    def view(self) -> DeskView:
        """Give a live view of the whole desk; a new one closes the old."""
        self._must_be_open()
        if self._view is not None:
            self._view.close()
        self._view = DeskView(self)
        return self._view

    # Orders of this journal

    def execution(self, parent_id: str) -> Execution:
        """Give the execution of a parent order of this journal."""
        if parent_id not in self._rooms.manager.ledger.parents:
            known = ", ".join(self._rooms.manager.ledger.parents) or "none yet"
            raise InvalidOrder(f"no parent order {parent_id!r} in this journal; known: {known}")
        execution = Execution(parent_id, desk=self, manager=self._rooms.manager, history=self._history)
        return self._executions.setdefault(parent_id, execution)

    def ticket(self, symbol: str = "ZO") -> OrderTicket:
        """Give an order ticket; a new one closes the old of the same text, ``ZO`` beside ``ZOK7`` stands."""
        self._must_be_open()
        old = self._tickets.pop(symbol, None)
        if old is not None:
            old.close()
        self._tickets[symbol] = OrderTicket(self, symbol)
        return self._tickets[symbol]

    async def resume(self, parent_id: str) -> Execution:
        """Go on with an interrupted, or paused, parent: what is left of its schedule moves by the time that it stood.

        Raises
        ------
        InvalidOrder
            The parent is neither, or its contract is locked.
        """
        execution = self._interrupted(parent_id, to="resume")
        symbol = execution.parent.contract.local_symbol
        if symbol in self.locked:
            raise InvalidOrder(f"{parent_id} cannot be resumed: {symbol} is locked: {self.locked[symbol]}")
        contract = await self.instrument(execution.parent.contract)
        await self.statistics(contract)
        await self._first_quote(contract)
        self._rooms.manager.resume(parent_id)
        return execution

    async def abandon(self, parent_id: str, *, reason: str = "abandoned after an interruption") -> Execution:
        """Close an interrupted, or paused, parent as cancelled; returns when its orders are proven dead.

        Raises
        ------
        InvalidOrder
            The parent is neither.
        """
        execution = self._interrupted(parent_id, to="abandon")
        await self._rooms.manager.cancel(parent_id, reason=reason)
        return execution

    def _interrupted(self, parent_id: str, *, to: str) -> Execution:
        self._must_be_open()
        execution = self.execution(parent_id)
        if execution.status not in (ParentStatus.INTERRUPTED, ParentStatus.PAUSED):
            raise InvalidOrder(f"{parent_id} is {execution.status}; there is nothing to {to}")
        return execution

    # Frames of now

    def orders(self) -> pd.DataFrame:
        """One row a child order, as our ledger knows it now."""
        return frames.orders(self._history)

    def positions(self) -> pd.DataFrame:
        """One row a contract that the broker reports or that has working orders, as of now."""
        return frames.positions(self._history, quotes=self._quotes_now(), days_to_close_out=self._days_to_close_out())

    def breakers(self) -> pd.DataFrame:
        """One row a circuit breaker as of now: closed, tripped, or re-armed, since when and why."""
        return frames.breakers(self._boards.breakers())

    # Alerts

    @property
    def alerts_raised(self) -> tuple[AlertRaised, ...]:
        """Alerts that stand now, the newest of the worst first; `alerts` has those that are over as well."""
        return self._alerts.raised

    def on_alert(self, listener: Listener) -> Callable[[], None]:
        """Hand each alert to a function, when it is raised and when it is over; gives what takes that back.

        The function runs on a thread of its own, one alert at a time, so that it can wait for a server and no order
        waits for it. What it raises is shown as an alert.
        """
        self._must_be_open()
        return self._alerts.add(listener)

    # Tasks, listeners, the end

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the desk's loop, from any thread; the task is held and its failure journalled."""
        self._loop.call_soon_threadsafe(lambda: self._rooms.manager.tasks.start(work, where="view"))

    @property
    def turn_to_draw(self) -> asyncio.Lock:
        """Held by the view that draws, so that the loop serves others between two pictures."""
        return self._drawing

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the desk's loop after something changed, coalesced; gives the way to stop it."""
        return self._rooms.manager.subscribe(listener)

    async def close(self, working: str = "cancel") -> Path | None:
        """End the desk and give the path of its journal, closed cleanly.

        Parameters
        ----------
        working
            ``"cancel"`` cancels what works; ``"expire"`` leaves it to its expiry at the broker.

        Raises
        ------
        InvalidOrder
            `working` is neither; the desk goes on as before.
        """
        cancels = parse_ending(working)
        if self._closed:
            return self.journal_path
        try:
            await self.runners.end()
            await self._rooms.manager.wind_down(cancels=cancels)
        except BaseException:  # whoever waits was interrupted, and the desk stays open
            self.runners.allow()
            raise
        # From here on no order is worked any more. One who waits may be interrupted, the rest is done: half a desk
        # would look open, and do nothing. The stack is filled before it is entered, to be unwound whole or not at all.
        whatever_happens = contextlib.AsyncExitStack()
        # What would keep file and client id from the next desk is done twice, as an interrupt may meet its first line.
        whatever_happens.callback(self._rooms.on_closed, self)
        whatever_happens.callback(self._rooms.journal.close)
        whatever_happens.callback(self._rooms.journal.close)
        whatever_happens.push_async_callback(self._rooms.heads.finish)
        whatever_happens.push_async_callback(self._rooms.broker.close)
        whatever_happens.push_async_callback(self._rooms.broker.close)
        whatever_happens.push_async_callback(self._alerts.stop)
        whatever_happens.push_async_callback(self._rooms.rounds.compare_last)
        whatever_happens.callback(self._retire)
        async with whatever_happens:
            await self._rooms.manager.end()
        return self.journal_path

    def _retire(self) -> None:
        """Be closed: for a person, for the watchman and for the views."""
        self._closed = True
        self._dismiss_watchman()
        for ticket in self._tickets.values():
            ticket.retire()
        for execution in self._executions.values():
            execution.retire_view()
        if self._view is not None:
            self._view.retire()
        if self._pulse is not None:
            self._pulse.stop()

    async def __aenter__(self) -> "Desk":
        """Give the desk; leaving the block closes it."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the desk, cancelling what works."""
        await self.close()

    def __repr__(self) -> str:
        """Say which account, and how many orders work."""
        return f"<Desk {self.badge} {self.masked_account}: {len(self.busy_parents)} parents at work>"
