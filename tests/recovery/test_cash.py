"""Fees and results of our executions against the broker's account: what differs is told, and locks nothing."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.domain.events import ContractLocked, Reconciled
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.reconcile.cash import FEES_DUE_NS, QUIET_NS
from hydra_nb.sim import replies
from hydra_nb.sim.records import SimSide
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, steady

OATS = steady("370.00", "372.00")
QUIET_S, FEES_DUE_S = QUIET_NS / NS_PER_S, FEES_DUE_NS / NS_PER_S
ACCOUNT_S = 180.0
"""How often the account's values are told, unless something is filled."""


class OtherBooks(ScriptedExchange):
    """An exchange whose broker counts results in its own way."""

    more = Decimal(0)
    counts_fees = False

    def account_values(self) -> dict[str, Decimal]:
        """With what a test adds to the realised result of the day."""
        values = super().account_values()
        fees = sum((commission.commission for _, commission in self.executions()), Decimal(0))
        values["RealizedPnL"] += self.more - (fees if self.counts_fees else 0)
        return values


def live(story: Callable[[Lives], Awaitable[None]], folder: Path, *, exchange: OtherBooks | None = None) -> None:
    """Run a story on a book that never changes."""
    in_lives(story, folder=folder, exchange=exchange or OtherBooks(script=OATS))


async def round_trip(stack: Stack, *, tag: str = "") -> None:
    """Buy two lots, and sell one of them again."""
    for side, lots in (("BUY", 2), ("SELL", 1)):
        execution = await stack.desk.execute(side, lots, "ZO", strategy="limit_patience", tag=f"{side} {tag}")
        assert execution.status is ParentStatus.FILLED


async def found(stack: Stack, kind: str) -> pd.DataFrame:
    """What a comparison now finds of a kind."""
    breaks = await stack.desk.reconcile()
    return breaks[breaks["kind"] == kind]


# Fees


@pytest.fixture
def fees(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let the gateway tell fees, or not."""
    tell = replies.commission_report

    def switch(on: bool) -> None:
        monkeypatch.setattr(replies, "commission_report", tell if on else lambda _report: b"")

    return switch


def test_an_execution_without_fees_is_told_after_a_minute_and_not_before(
    tmp_path: Path, fees: Callable[[bool], None]
) -> None:
    """The desk asks for the executions again with each comparison; what comes later takes the break back."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        fees(False)
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        [record] = stack.manager.ledger.orders.values()
        [heard_ns] = {booking.received_ns for booking in record.executions.values()}
        await stack.sleep((heard_ns - stack.desk.now_ns()) / NS_PER_S + FEES_DUE_S - 2)

        early = await found(stack, "commission")
        await stack.sleep(2.1)
        late = await found(stack, "commission")
        fees(True)
        after = await found(stack, "commission")

        assert early.empty
        [row] = late.to_dict("records")
        assert (row["ours"], row["brokers"], row["resolved"]) == (len(record.executions), 0.0, False)
        assert "no fees were told" in row["message"]
        assert after.empty
        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    live(story, tmp_path)


# Results


@pytest.mark.parametrize("counts_fees", [False, True])
def test_results_that_our_executions_explain_are_no_break(tmp_path: Path, counts_fees: bool) -> None:
    """A loss that the broker told with our own executions, whether or not it counts the fees into it."""
    exchange = OtherBooks(script=OATS)
    exchange.counts_fees = counts_fees

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await round_trip(stack)
        await stack.sleep(QUIET_S + ACCOUNT_S)
        await stack.desk.reconcile()
        await round_trip(stack, tag="again")

        await stack.sleep(QUIET_S + ACCOUNT_S)

        assert (await stack.desk.reconcile()).empty
        assert stack.desk._rooms.broker.account_state().realised_pnl != 0
        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_a_result_that_no_execution_explains_is_told_and_locks_nothing(tmp_path: Path) -> None:
    """A price that the broker corrected without a word moves no position: only the cash tells."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await round_trip(stack)
        await stack.sleep(QUIET_S + ACCOUNT_S)
        await stack.desk.reconcile()
        exchange.more = Decimal("-612.50")

        await stack.sleep(ACCOUNT_S + 1)
        rows = (await found(stack, "cash")).to_dict("records")
        await round_trip(stack, tag="again")

        [row] = rows
        # Of the broker's loss, 100 dollars are the trip's own: a lot bought at 372 and sold at 370 cents a bushel.
        assert (row["ours"], row["brokers"], row["resolved"]) == (-100.0, -712.5, False)
        assert "compare with the broker's statement" in row["message"]
        assert not stack.desk.locked
        assert stack.desk.status["reconciled"]
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


@pytest.mark.parametrize(("more", "told"), [("1.00", False), ("-1.00", False), ("1.01", True), ("-1.01", True)])
def test_a_difference_of_a_dollar_is_rounding(tmp_path: Path, more: str, told: bool) -> None:
    """At the limit it passes, a cent over it is told."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        exchange.more = Decimal(more)
        await stack.sleep(ACCOUNT_S + 1)

        assert (await found(stack, "cash")).empty is not told
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_a_new_day_of_the_broker_is_a_new_beginning(tmp_path: Path) -> None:
    """It counts the results of a day from zero, which is no loss of money."""
    exchange = OtherBooks(script=OATS)
    exchange.more = Decimal(5000)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        exchange.more = Decimal(0)
        await stack.sleep(ACCOUNT_S + 1)

        assert (await stack.desk.reconcile()).empty
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_after_a_trade_of_others_results_are_not_compared(tmp_path: Path) -> None:
    """What they gain is theirs: the comparison begins anew."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        palladium = next(one.con_id for one in exchange.listings if one.symbol == "PA")
        exchange.watch(palladium, stack.desk.now_ns())
        lives.of_others(stack, side=SimSide.BUY, lots=2, price="372.00", con_id=palladium)
        await stack.sleep(1)
        exchange.more = Decimal(5000)
        await stack.sleep(ACCOUNT_S + 1)

        assert (await found(stack, "cash")).empty
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_results_are_not_compared_before_the_account_can_have_been_told(tmp_path: Path) -> None:
    """Within 200 s of a fill the broker's figure may be that of before."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
        exchange.more = Decimal(5000)
        await stack.sleep(ACCOUNT_S + 1)

        assert (await found(stack, "cash")).empty
        await stack.sleep(QUIET_S)
        assert not (await found(stack, "cash")).empty
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_a_break_of_cash_is_in_the_journal_in_words(tmp_path: Path) -> None:
    """The comparison that found it says so, and counts nothing that holds up the desk."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        exchange.more = Decimal(77)
        await stack.sleep(ACCOUNT_S + 1)
        await stack.desk.reconcile()

        last = stack.journalled(Reconciled)[-1]

        assert last.breaks == 0
        assert "moved by 77.00 USD while our executions explain 0.00" in last.message
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)
