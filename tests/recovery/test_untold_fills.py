"""Fills of which a status told, and whose executions were lost on the way."""

import asyncio
from pathlib import Path

import pytest

from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import (
    ContractLocked,
    DeathProbed,
    ExecutionReported,
    PositionAdopted,
    SliceFinished,
)
from hydra_nb.domain.orders import OrderState, ParentStatus, SliceStatus
from hydra_nb.reconcile.rounds import WATCH_S
from hydra_nb.sim.records import Executed, OrderView, SimSide
from tests.recovery.lives import HidesExecutions, Lives, in_lives
from tests.whole_stack import ScriptedExchange, Side, Stack, WitnessCore, steady

FIRST_ENDS_S = 195
"""When the ladder of the first slice ends."""


class LosesExecutions(WitnessCore):
    """A gateway whose news of executions is lost; questions it answers."""

    def _route_execution(self, event: Executed) -> None:
        """Say nothing."""


def taking_later(seconds: float) -> tuple[Side, Side]:
    """A market that takes nothing of the first slice, and all of the second."""
    return (("370.00", 5), ("372.00", 5)) if seconds < FIRST_ENDS_S + 10 else (("369.00", 9), ("370.00", 9))


async def begin_twap(lives: Lives) -> tuple[Stack, Execution, OrderView]:
    """A desk whose TWAP of 4 lots in 2 slices has its first order in the market."""
    stack = await lives.open()
    plan = await stack.desk.preview("BUY", 4, "ZO", strategy="twap", slices=2, duration=400, jitter=0, limit="371.00")
    execution = await stack.desk.submit(plan)
    await stack.until(lambda: len(stack.exchange.open_orders()) == 1)
    [order] = stack.exchange.open_orders()
    return stack, execution, order


def fill_a_lot(lives: Lives, order: OrderView) -> None:
    """Fill one lot of an order; who is connected hears what the gateway tells of it."""
    exchange = lives.core.exchange
    lives.core.report(exchange.interventions.fill(order.perm_id, lots=1, now_ns=exchange._now_ns), exchange._now_ns)


def test_a_late_fill_whose_execution_was_lost_is_asked_for(tmp_path: Path) -> None:
    """The order is over, so that nobody waits for it; its status tells more lots than were booked."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        await execution.cancel()
        [dead] = stack.manager.ledger.orders.values()
        [perm_id] = dead.perm_ids
        exchange = lives.core.exchange

        lives.core.report(exchange.interventions.fill(perm_id, lots=2, now_ns=exchange._now_ns), exchange._now_ns)
        await stack.sleep(WATCH_S + 10)

        [record] = stack.manager.ledger.orders.values()
        assert dead.state is OrderState.DEAD
        assert (record.told_lots, record.booked_lots, record.late_fill) == (2, 2, True)
        assert not record.has_untold_fills
        assert sum(isinstance(event, ExecutionReported) for event, _ in stack.steps) == 1
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=steady("370.00", "372.00")), core=LosesExecutions)


@pytest.mark.parametrize(("others_sold", "bought"), [(False, 1), (True, 1 + 2)])
def test_lots_that_only_a_status_told_are_not_bought_again(tmp_path: Path, others_sold: bool, bought: int) -> None:
    """Executions are cut at midnight: the position locks; where it tells nothing only the second slice's own follow.

    What the first order may have filled is carried in neither case.
    """
    exchange = HidesExecutions(script=taking_later)

    async def story(lives: Lives) -> None:
        stack, execution, order = await begin_twap(lives)
        await stack.sleep(5)
        for session in lives.core.sessions:
            session.closed = True
        fill_a_lot(lives, order)
        if others_sold:
            lives.of_others(stack, side=SimSide.SELL, lots=1, price="373.00")
            [theirs] = [one for one in stack.exchange.open_orders() if one.perm_id != order.perm_id]
            fill_a_lot(lives, theirs)
        await asyncio.sleep(2)
        exchange.is_past_midnight = True

        await stack.until(lambda: execution.status.is_over)
        await stack.until(lambda: bool(stack.desk.locked))
        await stack.sleep(600)

        first = next(iter(stack.manager.ledger.orders.values()))
        [locked] = stack.journalled(ContractLocked)
        words = "which may be cut at midnight" if others_sold else "an order of ours may have filled more"
        assert words in locked.reason
        assert execution.status is ParentStatus.NEEDS_HUMAN
        assert sum(order.filled_lots for order in stack.orders()) == bought
        assert not any(one.carried_lots for one in stack.journalled(SliceFinished))
        assert (first.told_lots, first.booked_lots, first.state.is_over) == (1, 0, False)
        assert stack.journalled(PositionAdopted) == []

        [symbol] = stack.desk.locked
        await stack.desk.unlock(symbol, reason="one lot on the statement")
        assert (await stack.desk.reconcile())["resolved"].all()
        assert stack.manager.ledger.orders[first.order_ref].state is OrderState.DEAD
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=exchange)


def test_an_order_whose_status_comes_before_its_execution_ends_as_soon_as_that_has_come(tmp_path: Path) -> None:
    """The first look at the end of the ladder meets the status alone; the next proves the end, and all is bought."""
    exchange = HidesExecutions(script=taking_later)

    async def story(lives: Lives) -> None:
        stack, execution, order = await begin_twap(lives)
        await stack.until(lambda: stack.desk.now_ns() >= execution.submitted_ns + (FIRST_ENDS_S - 0.5) * 1e9)
        exchange.is_past_midnight = True
        fill_a_lot(lives, order)
        await stack.sleep(1)
        exchange.is_past_midnight = False

        await execution

        [first, second] = stack.journalled(SliceFinished)
        asked = [event for event in stack.journalled(DeathProbed) if event.order_ref.endswith(":1:1")]
        assert [(one.executed_lots, one.still_open) for one in asked] == [(0, False), (1, False)]
        assert (first.status, first.filled_lots, first.carried_lots) == (SliceStatus.PARTIAL, 1, 1)
        assert (second.status, second.filled_lots) == (SliceStatus.FILLED, 3)
        assert execution.status is ParentStatus.FILLED
        assert stack.lots_filled() == 4
        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=exchange, core=LosesExecutions)
