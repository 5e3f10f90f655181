"""What the broker calls over, as one witness more: it hinders a proof, explains a break, and proves nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hydra_nb.domain.events import DeathProbed, Reconciled
from hydra_nb.domain.orders import OrderState, ParentStatus
from hydra_nb.sim.records import SimSide
from hydra_nb.sim.session import Session
from tests.recovery.lives import HidesExecutions, Lives, in_lives
from tests.whole_stack import ScriptedExchange, Side, Stack, WitnessCore, steady

OATS = steady("370.00", "372.00")
COMPLETED = 99
EXPIRY_S = 600


def crossing(seconds: float) -> tuple[Side, Side]:
    """A market that takes what we bid after a minute."""
    return (("370.00", 5), ("372.00", 5)) if seconds < 60 else (("369.00", 5), ("370.00", 5))


def live(
    story: Callable[[Lives], Awaitable[None]], folder: Path, *, exchange: ScriptedExchange, core: type = WitnessCore
) -> None:
    """Run a story on one market."""
    in_lives(story, folder=folder, exchange=exchange, core=core)


async def buy_and_die(lives: Lives, *, away_s: float = EXPIRY_S) -> None:
    """Send an order for two lots, die, and be away for a while."""
    stack = await lives.open()
    await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
    await stack.until(lambda: len(stack.orders()) == 1)
    await lives.kill(stack)
    await asyncio.sleep(away_s)


class Mute(WitnessCore):
    """A gateway that never answers a request for completed orders."""

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Leave that one alone."""
        if data[4:7] == b"99\0":
            self.frames_left_alone += 1
        else:
            super().receive(session, data, now_ns)

    frames_left_alone = 0


def test_a_fill_that_only_the_completed_orders_tell_of_needs_a_person(tmp_path: Path) -> None:
    """Its executions are cut at midnight and others sold as much: the order is neither dead nor sent again."""
    exchange = HidesExecutions(script=crossing)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        await lives.kill(stack)
        await asyncio.sleep(EXPIRY_S)
        lives.of_others(stack, side=SimSide.SELL, lots=2, price="369.00")
        exchange.is_past_midnight = True

        stack = await lives.open()

        assert exchange.positions() == []
        found = stack.desk.breaks.set_index("kind").loc["untold_fill"]
        [reference] = stack.manager.ledger.orders
        assert (found["order_ref"], found["ours"], found["brokers"]) == (reference, 0.0, 2.0)
        assert not found["resolved"]
        assert "2 lots filled by the broker's list of completed orders, 0 by its executions" in found["message"]
        [symbol] = stack.desk.locked
        assert "cut at midnight" in stack.desk.locked[symbol]
        execution = stack.desk.execution("P-0001")
        await stack.until(lambda: execution.status.is_over)
        assert execution.status is ParentStatus.NEEDS_HUMAN
        await stack.sleep(300)
        assert not stack.manager.ledger.orders[reference].state.is_over
        assert len(stack.core.placed()) == 1

        await stack.desk.unlock(symbol, reason="two lots on the statement, sold again by hand")
        assert stack.desk.locked == {}
        await stack.desk.reconcile()
        assert stack.manager.ledger.orders[reference].state is OrderState.DEAD
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_a_probe_that_comes_before_the_reconciliation_asks_for_completed_orders_too(tmp_path: Path) -> None:
    """Once on a connection; its answer is journalled with what they told."""
    exchange = HidesExecutions(script=crossing)

    async def story(lives: Lives) -> None:
        await buy_and_die(lives)
        exchange.is_past_midnight = True
        stack = await lives.open()
        broker, [record] = stack.desk._rooms.broker, stack.manager.ledger.orders.values()
        broker._inbox.completed.outdate()  # type: ignore[attr-defined]  # as it is right after a connection came up
        before = len(stack.core.heard(COMPLETED))

        first = await broker.probe_death(record.child)
        second = await broker.probe_death(record.child)

        assert isinstance(first, DeathProbed)
        assert (first.completed_lots, first.executed_lots) == (second.completed_lots, second.executed_lots) == (2, 0)
        assert len(stack.core.heard(COMPLETED)) == before + 1
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_an_order_whose_record_and_executions_are_lost_is_told_by_the_completed_orders(tmp_path: Path) -> None:
    """The end of the journal is gone, and so are the executions of yesterday."""
    exchange = HidesExecutions(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.instrument("ZO")
        await stack.sleep(1)
        early = lives.keep_disk()
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await lives.kill(stack, kept=early)
        exchange.is_past_midnight = True

        stack = await lives.open()

        found = stack.desk.breaks.set_index("kind").loc["untold_fill"]
        assert (found["brokers"], found["resolved"]) == (2.0, False)
        assert "not in this journal" in found["message"]
        [symbol] = stack.desk.locked
        await stack.sleep(EXPIRY_S)
        await stack.desk.unlock(symbol, reason="counted by hand")
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_an_order_that_the_broker_calls_cancelled_is_shown_so_and_stays_reserved(tmp_path: Path) -> None:
    """A person cancelled it in the broker's own program while we were away: only its expiry frees the lots."""

    async def story(lives: Lives) -> None:
        await buy_and_die(lives, away_s=1)
        [order] = lives.core.exchange.open_orders()
        lives.core.exchange.cancel(order.terms.client_id, order.terms.order_id, lives.core.exchange._now_ns)

        stack = await lives.open()

        found = stack.desk.breaks.set_index("kind").loc["order"]
        assert "whose list of completed orders says Cancelled" in found["message"]
        assert stack.desk.locked == {}
        [record] = stack.manager.ledger.orders.values()
        assert record.working_lots == 2
        await stack.until(lambda: not stack.desk.busy_parents)
        assert stack.desk.now_ns() >= record.expires_ns
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=OATS))


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_gateway_that_never_tells_its_completed_orders_holds_nothing_up(tmp_path: Path, is_cut: bool) -> None:
    """It is waited for once a connection, is said so, and the parent ends as it would have without."""
    exchange = HidesExecutions(script=crossing if is_cut else OATS)

    async def told(stack: Stack) -> None:
        assert stack.journalled(Reconciled)[-1].message.endswith("the broker did not tell its completed orders")
        assert isinstance(stack.core, Mute)

    async def story(lives: Lives) -> None:
        await buy_and_die(lives)
        exchange.is_past_midnight = is_cut
        asked = lives.core.frames_left_alone  # type: ignore[attr-defined]

        stack = await lives.open()

        await told(stack)
        before_s = stack.loop.time()
        await stack.desk.reconcile()
        assert stack.loop.time() - before_s < 5
        assert lives.core.frames_left_alone == asked + 1  # type: ignore[attr-defined]
        if is_cut:
            assert "may have filled" in stack.desk.breaks.set_index("kind").loc["position", "message"]
        else:
            await stack.desk.resume("P-0001")
            assert (await stack.desk.execution("P-0001")).filled_lots == 2
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange, core=Mute)
