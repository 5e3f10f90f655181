"""The desk that a notebook holds: instruments, previews, executions, frames."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pandas as pd

from hydra_nb.algos.prices import IndicativeLimits
from hydra_nb.analysis import frames
from hydra_nb.desk.alert_delivery import Listener
from hydra_nb.desk.alerts import Alerts
from hydra_nb.desk.arguments import How, parse_lots, parse_side
from hydra_nb.desk.board import BoardMaker
from hydra_nb.desk.drawing import Sheet, draw_plan
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.journal_path import JournalPath
from hydra_nb.desk.markets import Markets
from hydra_nb.desk.plan import Plan
from hydra_nb.desk.pulse import Pulse, lag_status
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.board import Board
from hydra_nb.domain.events import AlertRaised
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.errors import InvalidOrder
from hydra_nb.widgets.desk_view import DeskView
from hydra_nb.widgets.ticket import OrderTicket


class Desk(Markets):
    """One account, one journal, one connection; made by `connect`."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self._loop = asyncio.get_running_loop()
        self._executions: dict[str, Execution] = {}
        self._tickets: dict[str, OrderTicket] = {}
        self._view: DeskView | None = None
        self._drawing = asyncio.Lock()
        self._alerts = Alerts(rooms, badge=lambda: self.badge)
        self._pulse = None if rooms.is_virtual else Pulse(self._halting.heed_requests)
        if self._pulse is not None:
            rooms.manager.snapshots.loop_lag_ms = self._pulse.lag_now_ms
        self._boards = BoardMaker(
            rooms, history=self._history, lag_p99_ms=lambda: 0.0 if self._pulse is None else self._pulse.p99_lag_ms
        )

    # Who and how

    @property
    def account(self) -> str:
        """The account number; screens and frames show it masked."""
        return self._rooms.broker.account

    @property
    def masked_account(self) -> str:
        """The account, masked: ``U•••67``."""
        return mask_account(self.account)

    def confirms_account(self, last_four: str) -> bool:
        """Whether a person knows the account: its last four characters, as typed before a live order."""
        return len(last_four) == 4 and self.account.upper().endswith(last_four.upper())

    @property
    def badge(self) -> str:
        """``SIM``, ``PAPER`` or ``LIVE``, by the account that the gateway reports."""
        broker = self._rooms.broker
        if broker.is_simulated:
            return "SIM"
        return "PAPER" if broker.is_paper else "LIVE"

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

    # Orders

    async def preview(self, side: str, lots: int, instrument: Any, **how: Any) -> Plan:
        """Draw a plan and ask the gate about it; nothing is sent.

        Parameters
        ----------
        side
            ``"BUY"`` or ``"SELL"``.
        lots
            Whole lots, at least 1.
        instrument
            Whatever `instrument` takes.
        **how
            The settings of `hydra_nb.desk.arguments.How`: strategy, slices, duration, patience, step, jitter, adv,
            limit, seed, tag.

        Raises
        ------
        InvalidOrder, UnknownInstrument, DurationTooShort
            An argument is malformed. What market, account and limits refuse is in `Plan.risk` instead.
        """
        settings = How.parse(how)
        direction, size = parse_side(side), parse_lots(lots)
        contract = await self.instrument(instrument)
        settings.limit_price(contract)
        statistics = await self.statistics(contract)
        quote = await self._first_quote(contract)
        terms = draw_plan(
            Sheet(
                account=self.account,
                contract=contract,
                side=direction,
                lots=size,
                how=settings,
                statistics=statistics,
                quote=quote,
                seed=self._rooms.seeds.getrandbits(63) if settings.seed is None else settings.seed,
                now_ns=self.now_ns(),
                calibration=self._rooms.manager.ledger.calibration(contract.symbol),
            )
        )
        manager = self._rooms.manager
        await manager.snapshots.margins.refresh(contract, side=direction, lots=size)
        quotes = frames.quotes(self._history, symbol=contract.local_symbol)
        return Plan(
            terms=terms,
            quote=quote,
            decisions=manager.check_plan(terms),
            would_pass_now=manager.whole_plan.would_pass(terms),
            quotes=quotes,
            badge=self.badge,
            masked_account=self.masked_account,
            notices=_notices(terms, prices=manager.whole_plan.indicative(terms)),
        )

    async def submit(self, plan: Plan) -> Execution:
        """Send a plan and give its execution, at once; it runs on the event loop.

        The same plan, or an equal order of the same day, gives the earlier execution with an
        `AlreadySent` warning and sends nothing. What the gate refuses is a result, not an error.

        Raises
        ------
        PlanExpired
            The preview is more than 300 s old.
        """
        self._must_be_open()
        if not isinstance(plan, Plan):
            raise InvalidOrder(f"submit takes a Plan of preview, not {type(plan).__name__}")
        if plan.parent.account != self.account:
            raise InvalidOrder(f"this plan was drawn for {plan.masked_account}, this desk is {self.masked_account}")
        return self.execution(await self._rooms.manager.submit(plan.terms))

    async def execute(self, side: str, lots: int, instrument: Any, **how: Any) -> Execution:
        """Preview, submit and wait: the finished execution."""
        return await (await self.submit(await self.preview(side, lots, instrument, **how)))

    def execution(self, parent_id: str) -> Execution:
        """Give the execution of a parent order of this journal."""
        if parent_id not in self._rooms.manager.ledger.parents:
            known = ", ".join(self._rooms.manager.ledger.parents) or "none yet"
            raise InvalidOrder(f"no parent order {parent_id!r} in this journal; known: {known}")
        execution = Execution(parent_id, desk=self, manager=self._rooms.manager, history=self._history)
        return self._executions.setdefault(parent_id, execution)

    def ticket(self, symbol: str = "ZO") -> OrderTicket:
        """Give an order ticket; one per symbol, a new one closes the old."""
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
        return frames.positions(self._history, quotes=self._quotes_now())

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
        """
        if self._closed:
            return self.journal_path
        await self._rooms.manager.wind_down(working=working)
        # From here on no order is worked any more. One who waits may be interrupted, the rest is done: half a desk
        # would look open, and do nothing. The stack is filled before it is entered, to be unwound whole or not at all.
        whatever_happens = contextlib.AsyncExitStack()
        whatever_happens.callback(self._rooms.on_closed, self)
        whatever_happens.callback(self._rooms.journal.close)
        whatever_happens.push_async_callback(self._rooms.heads.finish)
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


def _notices(terms: ExecutionPlan, *, prices: IndicativeLimits) -> tuple[str, ...]:
    """Say in words what a person should know beside the figures of a plan."""
    notices = []
    contract = terms.parent.contract
    if prices.cap_short_of_touch and prices.cross is not None:
        notices.append(
            f"The cross stops at {contract.format_price(prices.cross)}, short of the opposite touch: "
            f"it never goes further than 10 steps from mid, nor past the limit."
        )
    if terms.adv_source == "caller":
        notices.append("The average daily volume is the caller's figure.")
    return tuple(notices)
