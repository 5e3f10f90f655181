"""A submitted parent order as a notebook holds it: a view of ledger and journal, never a copy."""

from collections.abc import Generator
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import frames, plots
from hydra_nb.analysis.history import History
from hydra_nb.domain.orders import ParentOrder, ParentStatus
from hydra_nb.domain.ports import DeskPort
from hydra_nb.ledger import ParentRecord
from hydra_nb.order_manager import OrderManager, ParentView
from hydra_nb.widgets import render
from hydra_nb.widgets.execution import ExecutionView


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
        """Mid when the parent was accepted, price units; NaN where unknown."""
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

    def plot(self) -> go.Figure:
        """Fills on the quotes, and lots filled against the schedule."""
        parent = self.parent
        return plots.execution_figure(
            self.fills,
            frames.quotes(self._history, symbol=parent.contract.local_symbol, since=self._submitted),
            self.slices,
            side=parent.side,
            arrival_mid=self.arrival_mid,
            time_zone=parent.contract.time_zone,
            decimals=parent.contract.decimals,
            title=f"{parent.side} {parent.lots} {parent.contract.local_symbol}",
        )

    def view(self) -> ExecutionView:
        """Give a live view: redrawn as it changes, at most twice a second."""
        return ExecutionView(self._desk, self)

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
        await self._manager.wait(self.parent_id)
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

    @property
    def _submitted(self) -> pd.Timestamp:
        return pd.Timestamp(self._record.submitted_ns, unit="ns", tz="UTC")
