"""A submitted basket as a notebook holds it: a view of ledger and journal, never a copy."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis.basket_columns import EXECUTION
from hydra_nb.analysis.basket_plot import Lane, basket_figure
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import BasketRow, BasketSubmitted
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.ledger import Ledger

NEVER_HANDED_OVER = "the process ended before it was handed over: preview again"

RowStatus = ParentStatus | Literal["at_target", "not_sent"]


class BasketExecution:
    """All rows of a basket at work, or done; made by `Desk.submit`.

    ``await execution`` waits for the end of all and gives it back; cancelling that wait never cancels an order.
    Nothing here raises for a refusal or a shortfall: those are results.
    """

    def __init__(self, basket_id: str, *, ledger: Ledger, execution_of: Callable[[str], Execution]) -> None:
        self.basket_id = basket_id
        self._ledger = ledger
        self._execution_of = execution_of

    @property
    def submitted(self) -> BasketSubmitted:
        """What was journalled when it was handed over."""
        return self._ledger.baskets[self.basket_id]

    @property
    def executions(self) -> tuple[Execution, ...]:
        """The executions that stand for its rows, in the order of the rows."""
        found = (self._of(row) for row in self.submitted.rows)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    @property
    def status(self) -> ParentStatus:
        """State of the whole.

        What still goes on comes first: ``scheduled`` or ``paused`` where all of it is, else ``working``; then what
        waits for a person; then ``filled`` where every row reached its lots or its target, ``refused`` or
        ``cancelled`` where every one was, and else ``partial``.
        """
        told = [self._status(row) for row in self.submitted.rows]
        parents = [status for status in told if isinstance(status, ParentStatus)]
        going = {status for status in parents if status.is_waited_for}
        if going:
            return going.pop() if len(going) == 1 else ParentStatus.WORKING
        for waiting in (ParentStatus.INTERRUPTED, ParentStatus.NEEDS_HUMAN):
            if waiting in parents:
                return waiting
        if all(status in (ParentStatus.FILLED, "at_target") for status in told):
            return ParentStatus.FILLED
        if not self.filled_lots:
            ends = {status for status in told if status != "at_target"}
            if ends <= {ParentStatus.REFUSED, "not_sent"}:
                return ParentStatus.REFUSED
            if ends <= {ParentStatus.CANCELLED}:
                return ParentStatus.CANCELLED
        return ParentStatus.PARTIAL

    @property
    def filled_lots(self) -> int:
        """Lots booked, over all rows."""
        return sum(one.filled_lots for one in self.executions)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a row of the basket: what stands for it and how far that is."""
        return make_frame(EXECUTION, (self._row(row) for row in self.submitted.rows))

    async def cancel(self, reason: str = "cancelled by hand") -> None:
        """Cancel what works of every row, and stop; returns when all orders are proven dead."""
        await asyncio.gather(*(one.cancel(reason) for one in self.executions))

    async def pause(self) -> None:
        """Cancel what rests of every row, and hold the schedules."""
        for one in self.executions:
            await one.pause()

    async def resume(self) -> None:
        """Go on with every row that is paused or interrupted.

        Raises
        ------
        InvalidOrder
            Some cannot go on, such as one whose contract is locked; the others do.
        """
        refused = []
        for one in self.executions:
            if one.status in (ParentStatus.PAUSED, ParentStatus.INTERRUPTED):
                try:
                    await one.resume()
                except InvalidOrder as error:
                    refused.append(str(error))
        if refused:
            raise InvalidOrder("; ".join(refused))

    def plot(self, *, theme: Theme | None = None) -> go.Figure:
        """Slices of all rows over the sessions of their markets, shifted by their pauses; on an axis in UTC.

        Parameters
        ----------
        theme
            ``"light"`` or ``"dark"``, where the figure will stand alone on such a page; None suits a notebook.
        """
        lanes = [
            Lane(
                contract=one.parent.contract,
                side=one.parent.side,
                slices=one.slices,
                words=f"{one.parent_id}, {one.parent.contract.local_symbol}, {one.status}",
                refused=one.status is ParentStatus.REFUSED,
            )
            for one in self.executions
        ]
        return basket_figure(lanes, title=f"Basket {self.basket_id[:8]}: {self.status}", theme=theme)

    def __await__(self) -> Generator[Any, None, "BasketExecution"]:
        """Wait for the end of all rows and give the execution back."""
        return self._wait(self.executions).__await__()

    async def _wait(self, executions: Sequence[Execution]) -> "BasketExecution":
        for one in executions:
            await one
        return self

    def __repr__(self) -> str:
        """Say how far it is, in one line."""
        rows, at_work = self.submitted.rows, sum(one.status.is_waited_for for one in self.executions)
        return (
            f"<BasketExecution {self.basket_id}: {len(rows)} rows, {self.status}, {at_work} at work, "
            f"{self.filled_lots} lots filled>"
        )

    def _of(self, row: BasketRow) -> Execution | None:
        """What stands for a row: the parent of its id, if that has its plan; else the id was given to another."""
        record = None if row.parent_id is None else self._ledger.parents.get(row.parent_id)
        if record is None or record.plan.plan_id != row.plan_id:
            return None
        return self._execution_of(record.parent_id)

    def _status(self, row: BasketRow) -> RowStatus:
        execution = self._of(row)
        if execution is not None:
            return execution.status
        return "at_target" if row.parent_id is None and row.is_at_target else "not_sent"

    def _row(self, row: BasketRow) -> dict[str, Any]:
        execution, status = self._of(row), self._status(row)
        common = {name: getattr(row, name) for name in ("row", "local_symbol", "side", "lots", "target")}
        if execution is None:
            return {
                **common,
                "parent_id": None,
                "status": status,
                "filled_lots": 0,
                "working_lots": 0,
                "shortfall_lots": row.lots if status == "not_sent" else 0,
                "average_price": None,
                "reason": row.reason if row.parent_id is None else NEVER_HANDED_OVER,
            }
        return {
            **common,
            "parent_id": execution.parent_id,
            "status": execution.status,
            "filled_lots": execution.filled_lots,
            "working_lots": execution.working_lots,
            "shortfall_lots": execution.shortfall_lots,
            "average_price": execution.average_price,
            "reason": ": ".join(words for words in (row.reason, execution.reason) if words),
        }
