"""The cells of a notebook that a person runs on the desk of now."""

from decimal import Decimal
from typing import Any

import pandas as pd

from hydra_nb.domain.units import floor_to_tick
from hydra_nb.errors import InvalidOrder
from tests.simulation.scenario import ParentDraw


class Notebook:
    """Cells, and what they keep.

    Parameters
    ----------
    world
        Has the desk of now, the checker and the exchange.

    Attributes
    ----------
    parents, plans
        Ids and plans of what was submitted, by the number of the parent in the scenario.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self.parents: dict[int, str] = {}
        self.plans: dict[int, Any] = {}

    async def on_execution(self, parent_id: str, what: str) -> None:
        """Pause, resume or cancel a parent."""
        await getattr(self._world.desk.execution(parent_id), what)()

    async def kill(self, reason: str) -> None:
        """Kill: from here on nothing leaves until a re-arming that was asked for later."""
        self._world.checker.facts.press()
        await self._world.desk.kill(reason)

    async def rearm(self, reason: str) -> None:
        """Re-arm: what that lifts is what was pressed before."""
        facts, desk = self._world.checker.facts, self._world.desk
        seen = facts.presses
        try:
            await desk.rearm(reason)
        finally:  # it is in force also where the journal could not keep it, or the cell was interrupted
            if desk.killed is None:
                facts.lift(seen)

    async def submit(self, draw: ParentDraw, number: int) -> None:
        """Preview and submit the scenario's parent of this number, and wait for its end."""
        desk = self._world.desk  # a cell keeps the desk it began with, also where that one is closed meanwhile
        how = {**draw.how, **await self._limit(draw, desk)}
        if draw.later_s is not None:
            start = pd.Timestamp(desk.now_ns(), tz="UTC") + pd.Timedelta(draw.later_s, unit="s")
            how |= {"start": start, "overrun": "wait"}
        plan = await self._preview(desk, draw, how)
        self.plans[number] = plan
        execution = await desk.submit(plan)
        self.parents[number] = execution.parent_id
        await execution

    async def _preview(self, desk: Any, draw: ParentDraw, how: dict[str, Any]) -> Any:
        """Preview; where the cell was held up until the start had passed, have it begin at once."""
        try:
            return await desk.preview(draw.side, draw.lots, draw.symbol, **how)
        except InvalidOrder as error:
            if "has passed" not in str(error):
                raise
            return await desk.preview(draw.side, draw.lots, draw.symbol, **{**how, "start": None})

    async def _limit(self, draw: ParentDraw, desk: Any) -> dict[str, Decimal]:
        """Give the caller's limit, where there is one: so many ticks beyond the mid that now shows."""
        if draw.limit_ticks is None:
            return {}
        contract = await desk.instrument(draw.symbol)
        top = self._world.core.exchange.top(contract.con_id)
        if top is None or top.bid is None or top.ask is None:
            return {}
        mid = floor_to_tick((top.bid + top.ask) / 2, tick=contract.tick)
        return {"limit": mid + (1 if draw.side == "BUY" else -1) * draw.limit_ticks * contract.tick}

    async def preview(self, draw: ParentDraw) -> Any:
        """Preview an order, to be sent later."""
        return await self._preview(self._world.desk, draw, draw.how)

    async def submit_closing(self, desk: Any, plan: Any) -> None:
        """Submit to a desk that is being closed: that must be refused, as nobody would be there to end it."""
        is_closing = bool(desk._rooms.manager._closers)
        execution = await desk.submit(plan)
        if is_closing:
            words = f"{execution.parent_id} was taken"
            self._world.checker.violate("20", "20. A desk that is being closed takes no order.", words)

    async def submit_again(self, number: int) -> None:
        """Run the submitting cell again: it must give the execution that there is."""
        execution = await self._world.desk.submit(self.plans[number])
        earlier = self.parents.get(number, execution.parent_id)
        life = self._world.checker.facts.life
        # What was submitted in the instant of a crash may be lost, with nothing of it sent.
        if execution.parent_id != earlier and life is not None and earlier in life.ledger.parents:
            words = f"{execution.parent_id} instead of {self.parents[number]}"
            self._world.checker.violate("2", "2. The same plan submitted again gives the earlier execution.", words)
