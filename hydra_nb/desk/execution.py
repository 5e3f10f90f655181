"""A submitted parent order as a notebook holds it: a view of ledger and journal, never a copy."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import frames, plots
from hydra_nb.analysis.history import History
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.analysis.report import write_report
from hydra_nb.desk import surroundings
from hydra_nb.domain.events import Event
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentOrder, ParentStatus
from hydra_nb.domain.ports import DeskPort, RestingOrder
from hydra_nb.ledger import ParentRecord
from hydra_nb.order_manager import OrderManager, ParentView
from hydra_nb.widgets import render
from hydra_nb.widgets.execution import ExecutionView

QUOTES_BEFORE = pd.Timedelta(minutes=10)
"""How long before its submission the quotes of an execution begin: what the market was like when it came."""


INTERRUPTED = "Interrupt does not stop trading; Kill all does."
"""What a cell says that is interrupted while it waits for an order."""


class Execution:
    """One parent order at work, or done; made by `Desk.submit`.

    ``await execution`` waits for its end and gives it back; cancelling that wait never cancels the order.
    Nothing here raises for a refusal or a shortfall: those are results.
    """

    def __init__(self, parent_id: str, *, desk: DeskPort, manager: OrderManager, history: History) -> None:
        self.parent_id = parent_id
        self._desk = desk
        self._manager = manager
        self._history = history
        self._view_shown: ExecutionView | None = None

    @property
    def parent(self) -> ParentOrder:
        """What is being done."""
        return self._record.plan.parent

    @property
    def status(self) -> ParentStatus:
        """State of the parent, a str."""
        return self._record.status

    @property
    def reason(self) -> str:
        """Why it is in that state, in words."""
        return self._record.reason

    @property
    def filled_lots(self) -> int:
        """Lots booked."""
        return self._view.filled_lots

    @property
    def working_lots(self) -> int:
        """Worst-case lots in the market, unknown ones included."""
        return self._view.working_lots

    @property
    def due_lots(self) -> int:
        """Lots of the slices whose ladder has ended."""
        return self._view.due_lots

    @property
    def shortfall_lots(self) -> int:
        """Lots that will not be filled any more; 0 while the parent is at work."""
        return self._view.shortfall_lots

    @property
    def arrival_mid(self) -> float:
        """Mid when the parent was accepted, or its start had come; price units, NaN where unknown."""
        mid = self._record.arrival_mid
        return float("nan") if mid is None else float(mid)

    @property
    def average_price(self) -> float:
        """Average price of the fills, price units; NaN before the first."""
        price = self._view.average_price
        return float("nan") if price is None else float(price)

    @property
    def slippage_ticks(self) -> float:
        """Ticks a lot against the arrival mid; positive is a cost."""
        return (self.average_price - self.arrival_mid) * self.parent.side.sign / float(self.parent.contract.tick)

    @property
    def slippage_cash(self) -> float:
        """Cash against the arrival mid over all fills, in the contract's currency; positive is a cost."""
        return self.slippage_ticks * float(self.parent.contract.tick_value) * self.filled_lots

    @property
    def messages_used(self) -> int:
        """Order messages sent: places, modifies, cancels."""
        return self._view.messages_used

    @property
    def messages_budget(self) -> int:
        """Order messages that the plan allows for."""
        return self._record.plan.messages_budget

    @property
    def slices(self) -> pd.DataFrame:
        """One row a slice: the columns of `Desk.slices`."""
        return frames.slices(self._history, parent_id=self.parent_id)

    @property
    def decisions(self) -> pd.DataFrame:
        """One row a check: the columns of `Desk.decisions`."""
        return frames.decisions(self._history, parent_id=self.parent_id)

    @property
    def fills(self) -> pd.DataFrame:
        """One row a fill: the columns of `Desk.fills`."""
        return frames.fills(self._history, parent_id=self.parent_id)

    @property
    def quotes(self) -> pd.DataFrame:
        """Quotes of its contract from shortly before it was submitted until it ended, or now."""
        read = partial(frames.quotes, self._history, symbol=self.parent.contract.local_symbol)
        since = pd.Timestamp(self.submitted_ns, unit="ns", tz="UTC") - QUOTES_BEFORE
        if self.finished_ns is None:
            return read(since=since)
        return read(since=since, until=pd.Timestamp(self.finished_ns, unit="ns", tz="UTC"))

    # What a live view asks again and again: no frames

    @property
    def submitted_ns(self) -> int:
        """When it was handed over, UTC nanoseconds."""
        return self._record.submitted_ns

    @property
    def begins_ns(self) -> int:
        """When it began, or is to begin, but for pauses, UTC nanoseconds; with ``start=`` later than submitted."""
        return self._record.begins_ns

    @property
    def finished_ns(self) -> int | None:
        """When it was over, UTC nanoseconds; None while it runs."""
        return self._record.finished_ns

    @property
    def standing_since_ns(self) -> int | None:
        """Since when a pause or an interruption holds it, UTC nanoseconds; None where none does."""
        self._history.catch_up()
        return self._history.standing_since_ns(self.parent_id)

    @property
    def connection(self) -> ConnectionState:
        """State of the way to the broker, and from there on to its servers."""
        return self._manager.ledger.connection

    @property
    def unlinked_since_ns(self) -> int | None:
        """Since when that way is not up, in whole or in part, UTC nanoseconds; None while it is."""
        if self.connection is ConnectionState.UP:
            return None
        self._history.catch_up()
        return self._history.link_since_ns or self.submitted_ns

    @property
    def quote_age_allowed_s(self) -> float:
        """Age of a quote beyond which the gate refuses to send, seconds."""
        return self._manager.whole_plan.limits.for_symbol(self.parent.contract.symbol).max_quote_age_s

    @property
    def revision(self) -> int:
        """Grows with every fact of this parent, and of what concerns all: equal numbers mean nothing has changed."""
        self._history.catch_up()
        return self._history.revisions.get(self.parent_id, 0) + len(self._history.common_story)

    @property
    def story(self) -> Sequence[Event]:
        """What a person would be told of it, in order of time: decisions, fills, refusals, faults, and of the link."""
        self._history.catch_up()
        own = self._history.stories.get(self.parent_id, [])
        until_ns = self.finished_ns
        common = [
            event
            for event in self._history.common_story
            if event.time_ns >= self.submitted_ns and (until_ns is None or event.time_ns <= until_ns)
        ]
        return sorted([*own, *common], key=lambda event: event.time_ns)

    @property
    def slice_lots(self) -> Mapping[int, int]:
        """Lots that each slice at work, or to come, has to do, carried ones among them, by its number."""
        return self._manager.core.slice_lots(self.parent_id)

    @property
    def resting(self) -> Sequence[RestingOrder]:
        """Its orders that may still fill, in order of their slices."""
        orders = self._manager.ledger.orders
        return [
            RestingOrder(
                slice=order.child.slice,
                stage=order.terms.stage,
                lots=order.working_lots,
                limit_price=order.terms.limit_price,
                expires_ns=order.expires_ns,
                state=order.state,
            )
            for ref in self._record.order_refs
            if (order := orders[ref]).working_lots
        ]

    def ticket_for_the_rest(self) -> Any:
        """Open a ticket for the lots that were not filled, with the limit of the order; nothing is previewed or sent.

        Its tag names this order: an equal order of the same day would be given back instead of being sent. Gives the
        `OrderTicket`; an earlier ticket that was asked for by the contract's own code, such as ``ZOK7``, is closed.
        """
        parent = self.parent
        ticket = self._desk.ticket(parent.contract.local_symbol)
        fields = ticket.fields
        fields.side.value, fields.lots.value = str(parent.side), max(1, parent.lots - self.filled_lots)
        fields.tag.value = f"rest of {self.parent_id}"
        if parent.limit is not None:
            fields.limit.value = parent.contract.format_price(parent.limit)
        return ticket

    def plot(self, *, theme: Theme | None = None) -> go.Figure:
        """Fills on the quotes, and lots filled against the schedule; `execution.slices` and `fills` say the same.

        Parameters
        ----------
        theme
            ``"light"`` or ``"dark"``, where the figure will stand alone on such a page; None suits a notebook.
        """
        parent = self.parent
        return plots.execution_figure(
            self.fills,
            self.quotes,
            self.slices,
            side=parent.side,
            arrival_mid=self.arrival_mid,
            time_zone=parent.contract.time_zone,
            decimals=parent.contract.decimals,
            title=f"{parent.side} {parent.lots} {parent.contract.local_symbol}",
            theme=theme,
        )

    def report(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the whole life of the order as one page of HTML, about 5 MB, which opens without a network.

        The account is masked. Of an order that still works it says so, and as of when. It holds up the notebook for
        about a second: while orders work, better have ``hydra-nb report`` make it in a terminal.

        Parameters
        ----------
        path
            Where to. An earlier report of this order is replaced, any other file only with `overwrite`.
        overwrite
            Replace whatever is there.

        Raises
        ------
        FileExistsError
            There is another file at `path`.
        OSError
            It cannot be written.
        """
        return write_report(self._history, self.parent_id, path, overwrite=overwrite)

    def view(self) -> ExecutionView:
        """Give a live view, redrawn as it changes, at most twice a second; a new one closes the old."""
        if self._view_shown is not None:
            self._view_shown.close()
        self._view_shown = ExecutionView(self._desk, self)
        return self._view_shown

    def retire_view(self) -> None:
        """Leave a view on the page for reading: its desk was closed."""
        if self._view_shown is not None:
            self._view_shown.retire()

    async def cancel(self, reason: str = "cancelled by hand") -> None:
        """Cancel what works and stop; returns when its orders are proven dead."""
        await self._manager.cancel(self.parent_id, reason=reason)

    async def pause(self) -> None:
        """Cancel what rests and hold the schedule."""
        self._manager.pause(self.parent_id)

    async def resume(self) -> None:
        """Go on after a pause or an interruption; the remaining slices shift by it."""
        if self.status is ParentStatus.INTERRUPTED:
            await self._desk.resume(self.parent_id)
        else:
            self._manager.resume(self.parent_id)

    def __await__(self) -> Generator[Any, None, "Execution"]:
        """Wait for the end of the parent and give the execution back."""
        return self._wait().__await__()

    async def _wait(self) -> "Execution":
        try:
            await self._manager.wait(self.parent_id)
        except asyncio.CancelledError:
            if self.status.is_waited_for and surroundings.kernel() is not None:
                print(f"{self.parent_id} goes on. {INTERRUPTED}")
            raise
        return self

    def __repr__(self) -> str:
        """Say how far it is, in one line."""
        parent = self.parent
        return (
            f"<Execution {self.parent_id}: {parent.side} {parent.lots} {parent.contract.local_symbol}, {self.status}, "
            f"{self.filled_lots} filled, {self.working_lots} working>"
        )

    def _repr_html_(self) -> str:
        desk = self._desk
        return render.execution_card(self, badge=desk.badge, masked_account=desk.masked_account, now_ns=desk.now_ns())

    @property
    def _record(self) -> ParentRecord:
        return self._manager.ledger.parents[self.parent_id]

    @property
    def _view(self) -> ParentView:
        return self._manager.core.parent_view(self.parent_id)
