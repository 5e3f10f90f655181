"""What ledger and broker do not agree on: shown, explained, or locked until a person has looked."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.domain.events import (
    CancelRequested,
    ContractLocked,
    ContractUnlocked,
    ExecutionReported,
    PositionAdopted,
)
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import SimSide
from tests.recovery.lives import HidesExecutions, Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, steady

OATS = steady("370.00", "372.00")


def live(story: Callable[[Lives], Awaitable[None]], folder: Path, *, exchange: Exchange | None = None) -> None:
    """Run a story on a book that never changes."""
    in_lives(story, folder=folder, exchange=exchange or ScriptedExchange(script=OATS))


def only(breaks: pd.DataFrame) -> pd.Series:
    """The one row."""
    assert len(breaks) == 1, breaks.to_string()
    return breaks.iloc[0]


async def watching(lives: Lives) -> Stack:
    """A desk that watches oats."""
    stack = await lives.open()
    await stack.desk.instrument("ZO")
    await stack.sleep(1)
    return stack


async def own_reference(stack: Stack) -> str:
    """A reference of this journal that it never gave out."""
    return f"{stack.desk._rooms.journal.order_ref_prefix}P-0099:1:1"


def test_orders_of_others_are_shown_and_left_alone(tmp_path: Path) -> None:
    """They are no reason to stop, and never ours."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        lives.of_others(stack, side=SimSide.BUY, lots=4, price="360.00", order_ref="typed by hand")

        found = only(await stack.desk.reconcile())

        assert (found["kind"], found["brokers"], found["resolved"]) == ("foreign_order", 4.0, True)
        assert found["local_symbol"].startswith("ZO")
        assert stack.desk.locked == {}
        assert stack.desk.status["reconciled"]
        assert stack.desk.orders().empty
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        assert execution.status is ParentStatus.FILLED
        await stack.desk.close()
        assert [order.terms.order_ref for order in stack.exchange.open_orders()] == ["typed by hand"]

    live(story, tmp_path)


def test_an_own_order_that_the_journal_does_not_know_locks_its_contract(tmp_path: Path) -> None:
    """The gate refuses the contract and says what to do; others go on; once it is gone a reconciliation unlocks."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        reference = await own_reference(stack)
        lives.of_others(stack, side=SimSide.BUY, lots=3, price="360.00", order_ref=reference, client_id=1)

        found = only(await stack.desk.reconcile())

        assert (found["kind"], found["order_ref"], found["resolved"]) == ("stray_order", reference, False)
        symbol = found["local_symbol"]
        assert list(stack.desk.locked) == [symbol]
        assert "cancel it in the broker's own program" in stack.desk.locked[symbol]
        assert "cancel it in the broker's own program" in stack.desk.status["locked"][symbol]
        refused = await stack.desk.execute("BUY", 2, symbol, strategy="limit_patience")
        assert refused.status is ParentStatus.REFUSED
        told = refused.decisions.set_index("check")["message"]["contract_locked"]
        assert f'desk.unlock("{symbol}"' in told
        other = await stack.desk.execute("BUY", 1, "PA", strategy="limit_patience")
        assert other.status is not ParentStatus.REFUSED

        stray = next(order for order in stack.exchange.open_orders() if order.terms.order_ref == reference)
        stack.exchange.cancel(1, stray.terms.order_id, stack.desk.now_ns())
        assert (await stack.desk.reconcile()).empty
        assert stack.desk.locked == {}
        assert len(stack.journalled(ContractUnlocked)) == 1
        await stack.desk.close()

    live(story, tmp_path)


def test_a_lock_outlives_the_process_and_a_person_ends_it(tmp_path: Path) -> None:
    """It is journalled; unlocking needs a reason and the name of a locked contract."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        lives.of_others(stack, side=SimSide.BUY, lots=2, price="372.00")
        found = only(await stack.desk.reconcile())
        assert (found["kind"], found["ours"], found["brokers"], found["resolved"]) == ("position", 0.0, 2.0, False)
        symbol = found["local_symbol"]
        await lives.kill(stack)

        stack = await lives.open()
        assert list(stack.desk.locked) == [symbol]
        assert not only(stack.desk.breaks)["resolved"]
        with pytest.raises(InvalidOrder, match="needs a reason"):
            await stack.desk.unlock(symbol, reason=" ")
        with pytest.raises(InvalidOrder, match=f"LEK7 is not locked; locked: {symbol}"):
            await stack.desk.unlock("LEK7", reason="a hedge")
        await stack.desk.unlock(symbol, reason="a hedge made by hand")

        assert stack.desk.locked == {}
        assert (await stack.desk.reconcile()).empty
        assert (await stack.desk.execute("BUY", 1, symbol, strategy="limit_patience")).status is ParentStatus.FILLED
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path)


def test_what_others_trade_while_we_watch_halts_the_parent_in_that_contract(tmp_path: Path) -> None:
    """The position moved without our fills: the parent needs a person, and what rests is cancelled."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 4, "ZO", strategy="twap", slices=2, duration="20m")
        execution = await stack.desk.submit(plan)
        await stack.until(lambda: execution.working_lots > 0)
        lives.of_others(stack, side=SimSide.SELL, lots=3, price="369.00")

        await stack.desk.reconcile()

        assert (await execution).status is ParentStatus.NEEDS_HUMAN
        assert "is locked" in execution.reason
        assert len(stack.journalled(ContractLocked)) == 1
        assert not stack.exchange.open_orders()
        await stack.desk.close()

    live(story, tmp_path)


def test_what_others_traded_while_we_were_away_is_shown_once_and_adopted(tmp_path: Path) -> None:
    """It needs no person, and the next desk and the next reconciliation know it."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        assert (await stack.desk.reconcile()).empty
        await lives.kill(stack)
        lives.of_others(stack, side=SimSide.BUY, lots=5, price="372.00")

        stack = await lives.open()

        found = only(stack.desk.breaks)
        assert (found["kind"], found["ours"], found["brokers"], found["resolved"]) == ("position", 2.0, 7.0, True)
        assert only(stack.desk.status["breaks"])["message"] == found["message"]
        assert [event.others_lots for event in stack.journalled(PositionAdopted)] == [5]
        assert (await stack.desk.reconcile()).empty
        assert stack.desk.locked == {}
        await lives.kill(stack)
        stack = await lives.open()
        assert stack.desk.breaks.empty
        await stack.desk.close()

    live(story, tmp_path)


def test_a_position_held_before_the_journal_began_is_shown_and_not_counted_as_ours(tmp_path: Path) -> None:
    """The baseline of a new journal."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        lives.of_others(stack, side=SimSide.BUY, lots=5, price="372.00")
        await lives.kill(stack)
        lives.journal = tmp_path / "another.sqlite"

        stack = await lives.open()

        assert (only(stack.desk.breaks)["brokers"], only(stack.desk.breaks)["resolved"]) == (5.0, True)
        assert stack.desk.fills().empty
        execution = await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience")
        assert execution.filled_lots == 2
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path)


def test_a_fill_of_an_order_that_the_journal_lost_locks_its_contract(tmp_path: Path) -> None:
    """The end of the journal is gone, and the broker's executions tell."""

    async def story(lives: Lives) -> None:
        stack = await watching(lives)
        early = lives.keep_disk()
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await lives.kill(stack, kept=early)

        stack = await lives.open()

        breaks = stack.desk.breaks.set_index("kind")
        assert not breaks.loc["stray_fill", "resolved"]
        assert breaks.loc["stray_fill", "brokers"] == 2.0
        assert len(stack.desk.locked) == 1
        [symbol] = stack.desk.locked
        await stack.desk.unlock(symbol, reason="counted by hand")
        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path)


class HidesEverything(HidesExecutions):
    """A gateway whose completed orders are cut at midnight as well."""

    def completed_orders(self):  # type: ignore[no-untyped-def]
        """Nothing of yesterday."""
        return [] if self.is_past_midnight else super().completed_orders()


def test_a_position_that_may_be_fills_that_nobody_told_is_not_taken_for_others(tmp_path: Path) -> None:
    """An order of ours is gone, its executions cut at midnight, the position moved: nothing of it is sent again."""

    def crossing(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 60 else (("369.00", 5), ("370.00", 5))

    exchange = HidesEverything(script=crossing)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        await lives.kill(stack)
        await asyncio.sleep(600)
        assert stack.lots_filled() == 2
        exchange.is_past_midnight = True

        stack = await lives.open()

        found = only(stack.desk.breaks)
        assert (found["kind"], found["ours"], found["brokers"], found["resolved"]) == ("position", 0.0, 2.0, False)
        assert "may have filled" in found["message"]
        execution = stack.desk.execution("P-0001")
        await stack.until(lambda: execution.status.is_over)
        assert execution.status is ParentStatus.NEEDS_HUMAN
        assert len(stack.core.placed()) == 1
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


class NeverExpires(ScriptedExchange):
    """A broker whose timed expiry fails, and that takes no cancels for a while."""

    takes_cancels = False

    def _expire(self, perm_id: int, now_ns: int, events: list) -> None:  # type: ignore[type-arg]
        """Nothing ends."""

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> list:  # type: ignore[type-arg]
        """Nothing is cancelled."""
        return super().cancel(client_id, order_id, now_ns) if self.takes_cancels else self.advance(now_ns)


def test_an_order_that_outlives_its_expiry_locks_its_contract(tmp_path: Path) -> None:
    """Nobody needs to ask: two minutes after the expiry the desk finds out by itself."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience", limit="369.00")
        execution = await stack.desk.submit(plan)
        await execution
        assert execution.status is ParentStatus.NEEDS_HUMAN
        assert execution.working_lots == 1

        await stack.until(lambda: bool(stack.desk.locked), within_s=600)

        [reason] = stack.desk.locked.values()
        assert "long after its expiry" in reason
        [record] = stack.manager.ledger.orders.values()
        locked = stack.journalled(ContractLocked)[0]
        assert 120e9 <= locked.time_ns - record.expires_ns <= 200e9
        await stack.desk.close()

    live(story, tmp_path, exchange=NeverExpires(script=OATS))


def test_closing_cancels_an_order_whose_parent_was_left_to_a_person(tmp_path: Path) -> None:
    """Its parent is over, and it works."""
    exchange = NeverExpires(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience", limit="369.00")
        execution = await stack.desk.submit(plan)
        await execution
        assert (execution.status, execution.working_lots) == (ParentStatus.NEEDS_HUMAN, 1)
        exchange.takes_cancels = True

        await stack.desk.close()

        assert stack.exchange.open_orders() == []

    live(story, tmp_path, exchange=exchange)


def test_orders_of_another_client_id_of_ours_are_not_cancelled_by_their_number(tmp_path: Path) -> None:
    """With another client id the number would name another order; they end by their expiry."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        await lives.kill(stack)

        stack = await lives.open(client_id=2)
        await stack.sleep(60)
        assert len(stack.exchange.open_orders()) == 1
        assert not stack.core.heard(4)
        assert not stack.journalled(CancelRequested)

        await stack.until(lambda: not stack.desk.busy_parents)
        await stack.desk.resume("P-0001")
        execution = await stack.desk.execution("P-0001")
        assert execution.filled_lots == stack.lots_filled() == 2
        assert sum(event.lots for event in stack.journalled(ExecutionReported)) == 2
        await stack.desk.close()

    live(story, tmp_path)


def test_an_overfill_locks_its_contract_in_the_step_in_which_it_is_booked(tmp_path: Path) -> None:
    """It is booked and shown, needs a person, survives a reconciliation, and is explained once."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        [order] = stack.orders()
        now_ns = stack.desk.now_ns()

        stack.core.report(stack.exchange.interventions.fill(order.perm_id, lots=1, now_ns=now_ns), now_ns)
        await stack.until(lambda: execution.filled_lots == 3)

        [symbol] = stack.desk.locked
        assert "filled 3 lots, 2 were ordered" in stack.desk.locked[symbol]
        booked = next(i for i, (event, _) in enumerate(stack.steps) if isinstance(event, ContractLocked))
        assert isinstance(stack.steps[booked - 1][0], ExecutionReported)
        assert "overfill" in set((await stack.desk.reconcile())["kind"])
        await stack.desk.unlock(symbol, reason="sold back by hand")
        assert (await stack.desk.reconcile()).empty
        assert stack.desk.locked == {}
        await stack.desk.close()

    live(story, tmp_path)


def test_an_overfill_that_a_bust_has_taken_back_needs_no_person_any_more(tmp_path: Path) -> None:
    """The lock that it brought ends with the next reconciliation, which finds nothing left to explain."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        [order] = stack.orders()
        now_ns, interventions = stack.desk.now_ns(), stack.exchange.interventions
        stack.core.report(interventions.fill(order.perm_id, lots=1, now_ns=now_ns), now_ns)
        await stack.until(lambda: execution.filled_lots == 3)
        surplus = stack.journalled(ExecutionReported)[-1]
        assert stack.desk.locked

        now_ns = stack.desk.now_ns()
        stack.core.report(interventions.revise(surplus.exec_id, lots=0, price=surplus.price, now_ns=now_ns), now_ns)
        await stack.until(lambda: execution.filled_lots == 2)
        await stack.desk.reconcile()

        assert stack.desk.locked == {}
        assert "overfill" not in set(stack.desk.breaks["kind"])
        await stack.desk.close()

    live(story, tmp_path)
