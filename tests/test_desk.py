"""The desk as a notebook holds it: opening, sending once, stopping, closing, and what it says of the account."""

import asyncio
import csv
import dataclasses
import datetime as dt
import importlib.resources
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import ib_async
import pandas as pd
import pytest

import hydra_nb
from hydra_nb import AlreadySent, Limits, errors
from hydra_nb.broker.gateway import BrokerGateway
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import CancelRequested, ChildRefused, ChildSent, Killed
from hydra_nb.domain.orders import Action, ParentStatus, Stage
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import Journal, JournalReader
from hydra_nb.journal.lock import is_held
from hydra_nb.reconcile import Reconciler
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from hydra_nb.sim.records import OrderStatus
from tests.whole_stack import OWN, ScriptedExchange, Stack, on_a_desk, steady

T = TypeVar("T")
PLACE, CANCEL, DAILY_BARS = 3, 4, 20
QUIET = steady("370.00", "372.00")
"""A book in which an order at mid rests for as long as its stage lasts."""

with importlib.resources.files("hydra_nb.sim").joinpath("thin_futures.csv").open(encoding="utf-8") as _table:
    SYMBOLS = [row["ib_symbol"] for row in csv.DictReader(_table)]


def in_virtual_time(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run a scenario that opens its own desks."""

    async def whole(_loop: VirtualLoop) -> T:
        return await scenario()

    return run_virtual(whole)


async def resting(desk: Desk, **how: Any) -> Execution:
    """An execution with an order at work."""
    execution = await desk.submit(await desk.preview("BUY", 4, "ZO", **{"slices": 2, "strategy": "twap", **how}))
    for _ in range(200):
        if execution.working_lots:
            return execution
        await desk._rooms.clock.sleep(0.1)
    raise AssertionError(f"nothing works: {execution.status}, {execution.reason}")


class TestOpening:
    """Equal arguments give the desk that is open; others replace it, but never while orders work."""

    def test_an_interrupt_while_an_opening_fails_leaves_no_lock(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else the journal could not be opened again in this kernel."""
        path = tmp_path / "journal.sqlite"
        close = BrokerGateway.close

        async def unanswered(_self: Reconciler) -> None:
            raise errors.NoReply("the gateway did not answer")

        async def interrupted(self: BrokerGateway) -> None:
            await close(self)
            raise asyncio.CancelledError

        async def scenario() -> None:
            with pytest.raises(asyncio.CancelledError):
                await hydra_nb.connect(seed=7, speed="max", journal=path)

        monkeypatch.setattr(Reconciler, "run", unanswered)
        monkeypatch.setattr(BrokerGateway, "close", interrupted)
        in_virtual_time(scenario)

        assert not is_held(path)

    def test_a_cell_run_again_changes_nothing(self) -> None:
        """The same object, the same market, the same journal."""

        async def scenario() -> None:
            first = await hydra_nb.connect(seed=7, speed="max", journal=":memory:")
            execution = await first.execute("BUY", 1, "ZO", strategy="limit_patience")
            second = await hydra_nb.connect(seed=7, speed="max", journal=":memory:")

            assert second is first
            assert second.executions()["parent_id"].tolist() == [execution.parent_id]
            await first.close()

        in_virtual_time(scenario)

    def test_two_cells_at_once_open_one_desk(self) -> None:
        """The second waits for the first and gets what it opened."""

        async def scenario() -> None:
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:"}

            async def opened() -> Desk:
                return await hydra_nb.connect(**how)

            first, second = await asyncio.gather(opened(), opened())

            assert first is second
            await first.close()

        in_virtual_time(scenario)

    def test_fresh_is_refused_while_orders_work_and_then_gives_another(self) -> None:
        """The error names what works; afterwards the old desk is closed and the new one knows nothing of it."""

        async def scenario() -> None:
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:"}
            old = await hydra_nb.connect(**how)
            execution = await resting(old)
            with pytest.raises(errors.DeskBusy, match=execution.parent_id):
                await hydra_nb.connect(**how, fresh=True)
            assert old.is_open
            assert execution.working_lots

            await execution.cancel()
            new = await hydra_nb.connect(**how, fresh=True)

            assert new is not old
            assert not old.is_open
            assert new.executions().empty
            await new.close()

        in_virtual_time(scenario)

    @pytest.mark.parametrize("other", [{"limits": Limits(max_lots_per_order=2)}, {"client_id": 2}], ids=str)
    def test_other_arguments_replace_the_desk_but_never_while_orders_work(self, other: dict[str, Any]) -> None:
        """One account, one desk: the second is refused as long as the first is busy."""

        async def scenario() -> None:
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:"}
            old = await hydra_nb.connect(**how)
            execution = await resting(old)
            with pytest.raises(errors.DeskBusy, match=execution.parent_id):
                await hydra_nb.connect(**{**how, **other})
            assert old.is_open

            await execution.cancel()
            new = await hydra_nb.connect(**{**how, **other})

            assert new is not old
            assert not old.is_open
            assert new.account == old.account
            await new.close()

        in_virtual_time(scenario)

    def test_other_arguments_replace_the_desk_on_a_gateway_that_is_not_its_own(self, tmp_path: Path) -> None:
        """Both ask for one client id, of which the gateway allows one connection: the old desk gives it back first."""

        async def scenario(endpoint: str) -> None:
            how: dict[str, Any] = {"journal": tmp_path / "journal.sqlite", "speed": 60}
            old = await hydra_nb.connect(endpoint, **how)
            execution = await resting(old)
            with pytest.raises(errors.DeskBusy, match=execution.parent_id):
                await hydra_nb.connect(endpoint, **how, limits=Limits(max_lots_per_order=2))
            assert old.is_open

            await execution.cancel()
            async with hydra_nb.connect(endpoint, **how, limits=Limits(max_lots_per_order=2)) as new:
                assert not old.is_open
                assert new.account == old.account
                assert new.limits.max_lots_per_order == 2

        gateway = hydra_nb.SimulatedGateway(seed=7, speed=60).start()
        try:
            asyncio.run(scenario(f"127.0.0.1:{gateway.port}"))
        finally:
            gateway.stop()

    def test_a_block_closes_the_desk_and_names_its_journal(self, tmp_path: Path) -> None:
        """The journal is left for reading, whole."""
        path = tmp_path / "journal.sqlite"

        async def scenario() -> Path | None:
            async with hydra_nb.connect(seed=7, speed="max", journal=path) as desk:
                await desk.execute("BUY", 1, "ZO", strategy="limit_patience")
            assert not desk.is_open
            assert len(desk.executions()) == 1  # frames can still be looked at
            return await desk.close()

        assert in_virtual_time(scenario) == path
        with JournalReader.open(path) as reader:
            reader.verify()

    def test_a_block_leaves_a_desk_open_that_was_open_before(self) -> None:
        """Another cell trades on it: the end of the block must not cancel its orders."""

        async def scenario() -> None:
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:"}
            desk = await hydra_nb.connect(**how)
            execution = await resting(desk)
            async with hydra_nb.connect(**how) as same:
                assert same is desk

            assert desk.is_open
            assert execution.status is ParentStatus.WORKING
            assert execution.working_lots
            await desk.close()

        in_virtual_time(scenario)

    def test_a_desk_that_is_open_for_long_learns_the_calendar_and_the_volume_anew(self) -> None:
        """The broker lists the sessions of a few days only; by name or as a contract in hand, the market is open."""

        async def scenario(stack: Stack) -> None:
            listed = await stack.desk.instrument("ZO")
            await stack.desk.preview("BUY", 1, listed)
            asked = len(stack.core.heard(DAILY_BARS))
            in_hand = dataclasses.replace(listed, sessions=listed.sessions[:1])
            stack.desk._contracts = dict.fromkeys(("ZO", listed.local_symbol), in_hand)
            await stack.sleep(86_400)

            for what in ("ZO", in_hand.local_symbol, in_hand):
                plan = await stack.desk.preview("BUY", 1, what)
                assert plan.parent.contract.is_open(stack.desk.now_ns())
                assert plan.passes
            assert len(stack.core.heard(DAILY_BARS)) > asked

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_the_account_decides_what_it_is_and_is_shown_masked(self) -> None:
        """No frame, card or text shows the whole number."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            plan = await desk.preview("BUY", 1, "ZO")
            execution = await (await desk.submit(plan))
            shown = [repr(desk), repr(plan), repr(execution), plan._repr_html_(), execution._repr_html_()]
            shown += [str(desk.status), desk.positions().to_csv(), desk.orders().to_csv(), desk.executions().to_csv()]

            assert desk.badge == "SIM"
            assert desk.account == stack.exchange.account
            assert not any(desk.account in text for text in shown)
            assert any(desk.masked_account in text for text in shown)

        on_a_desk(scenario)


class TestSendingOnce:
    """The same plan, or an equal order of the day, is sent once."""

    def test_the_same_plan_twice_is_one_execution(self) -> None:
        """A second click tells when it was sent; the exchange sees one order a slice."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 4, "ZO", slices=2, strategy="twap")
            first = await stack.desk.submit(plan)
            with pytest.warns(AlreadySent, match=first.parent_id):
                second = await stack.desk.submit(plan)
            await first
            with pytest.warns(AlreadySent, match="nothing was sent"):
                third = await stack.desk.submit(plan)

            assert first is second is third
            assert [order.terms.lots for order in stack.orders()] == [2, 2]
            assert len(stack.desk.executions()) == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_an_equal_order_of_the_day_gives_the_earlier_execution(self) -> None:
        """Account, contract, side, lots, strategy and tag are what makes it equal; a tag tells two apart."""

        async def scenario(stack: Stack) -> None:
            async def sent(**how: Any) -> Execution:
                return await stack.desk.submit(
                    await stack.desk.preview(how.pop("side", "BUY"), how.pop("lots", 2), how.pop("symbol", "ZO"), **how)
                )

            first = await sent()
            with pytest.warns(AlreadySent):
                again = await sent(slices=2, patience=100)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                others = [
                    await sent(tag="second"),
                    await sent(lots=1),
                    await sent(side="SELL"),
                    await sent(symbol="KE"),
                    await sent(strategy="twap"),
                ]

            assert again is first
            assert len({execution.parent_id for execution in [first, *others]}) == 6
            for execution in [first, *others]:
                await execution

        on_a_desk(scenario)

    def test_every_run_of_the_same_line_says_that_nothing_was_sent(self) -> None:
        """Python shows a warning once a line of code, but a cell runs anew; no file is named, as outputs are saved."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("default")
                for _ in range(3):
                    await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")

            assert [one.filename for one in told] == ["hydra_nb"] * 3
            assert len(stack.orders()) == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_many_clicks_at_once_send_once(self) -> None:
        """Ten submissions in one step of the loop."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AlreadySent)
                executions = await asyncio.gather(*[stack.desk.submit(plan) for _ in range(10)])
            await executions[0]

            assert len({id(execution) for execution in executions}) == 1
            assert len(stack.orders()) == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


class TestStopping:
    """Kill, pause, cancel: what is at work goes, and nothing comes after it."""

    def test_a_kill_cancels_all_and_nothing_but_cancels_leaves_until_rearmed(self) -> None:
        """Two parents at work; after the kill no place frame leaves, however many slices were planned."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            first = await resting(desk)
            second = await resting(desk, tag="second")
            assert len(stack.exchange.open_orders()) == 2

            await desk.kill("enough for today")

            killed_ns = desk.now_ns()
            assert stack.exchange.open_orders() == []
            assert desk.killed == "enough for today"
            assert {first.status, second.status} <= {ParentStatus.CANCELLED, ParentStatus.PARTIAL}
            refused = await desk.execute("BUY", 1, "ZO", tag="third")
            await stack.sleep(1800)
            assert refused.status is ParentStatus.REFUSED
            assert "enough for today" in refused.reason
            assert [f for f in stack.core.heard(PLACE) if f.time_ns >= killed_ns] == []

            await desk.rearm("a good reason")

            assert desk.killed is None
            again = await desk.execute("BUY", 1, "ZO", tag="fourth")
            assert again.filled_lots == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    @pytest.mark.parametrize("reason", [None, ValueError("the feed went mad"), 7], ids=repr)
    def test_a_kill_never_fails_for_its_words(self, reason: Any) -> None:
        """In an emergency an exception is handed over as it was caught, or nothing at all."""

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk)

            await stack.desk.kill(reason)

            assert stack.desk.killed == str(reason)
            assert stack.exchange.open_orders() == []
            assert execution.status is ParentStatus.CANCELLED

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_kill_cancels_also_where_a_strategy_fails_at_it(self) -> None:
        """What follows from the kill inside is an error; the order goes from the market all the same."""

        async def scenario(stack: Stack) -> None:
            await resting(stack.desk)

            def fail(event: object, _actions: object) -> None:
                assert not isinstance(event, Killed), "a bug"

            stack.manager.on_step = fail
            killed_ns = stack.desk.now_ns()
            await stack.desk.kill("stop")

            assert stack.desk.killed == "stop"
            assert stack.core.heard(CANCEL)[0].time_ns - killed_ns < NS_PER_S
            assert stack.exchange.open_orders() == []

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_kill_stops_what_is_on_its_way_to_the_disk(self) -> None:
        """Killed in the very step in which the order was approved: it was journalled, and never sent."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience")
            execution = await stack.desk.submit(plan)
            await stack.desk.kill("at once")

            assert execution.status.is_over
            assert stack.core.placed() == []
            assert stack.journalled(ChildSent) == []

        on_a_desk(scenario)

    def test_rearming_needs_a_reason(self) -> None:
        """It is journalled, and read by somebody later."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.kill("stop")
            with pytest.raises(errors.InvalidOrder, match="reason"):
                await stack.desk.rearm("  ")
            assert stack.desk.killed == "stop"

        on_a_desk(scenario)

    def test_a_pause_cancels_what_rests_and_shifts_what_remains(self) -> None:
        """No order while paused; the second slice starts later by the length of the pause."""

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk, duration=600, jitter=0)
            planned_ns = stack.manager.ledger.parents[execution.parent_id].plan.slices[1].offset_ns
            started_ns = stack.orders()[0].submitted_ns
            await stack.sleep(60)

            await execution.pause()

            await stack.sleep(5)
            assert execution.status is ParentStatus.PAUSED
            assert stack.exchange.open_orders() == []
            await stack.sleep(895)
            before = len(stack.core.placed())
            await execution.resume()
            await execution
            assert execution.filled_lots == stack.lots_filled() == 4
            assert len(stack.core.placed()) > before
            second = [order for order in stack.orders() if order.terms.order_ref.split(":")[3] == "2"]
            assert (second[0].submitted_ns - started_ns) / 1e9 == pytest.approx(planned_ns / 1e9 + 900, abs=2)

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_cancel_returns_when_all_is_proven_dead(self) -> None:
        """Nothing works, nothing is unknown, and the lots not filled are short."""

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk)

            await execution.cancel()

            assert execution.status is ParentStatus.CANCELLED
            assert (execution.working_lots, execution.shortfall_lots) == (0, 4)
            assert stack.exchange.open_orders() == []
            assert set(stack.desk.orders()["state"]) == {"dead"}
            await execution.cancel()  # harmless
            await stack.sleep(3600)
            assert len(stack.core.placed()) == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_cancelling_the_wait_cancels_no_order(self) -> None:
        """An interrupted cell leaves the order at work."""

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(_waiting(execution), 10)

            assert execution.working_lots == 2
            assert stack.core.heard(CANCEL) == []
            assert (await execution).filled_lots == 4

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_kill_from_another_process_halts_a_running_desk_within_a_second(self, tmp_path: Path) -> None:
        """The program and the desk meet in the journal's file."""
        path = tmp_path / "journal.sqlite"

        async def scenario() -> tuple[float, ParentStatus, int, str | None]:
            async with hydra_nb.connect(seed=7, speed=10, journal=path) as desk:
                execution = await resting(desk)
                await asyncio.to_thread(Journal.request_kill, path, "from the next room")
                started = time.monotonic()
                await asyncio.wait_for(_waiting(execution), 20)
                return time.monotonic() - started, execution.status, execution.working_lots, desk.killed

        took_s, status, working, killed = asyncio.run(scenario())

        print(f"halted {took_s:.2f} s after the request")
        assert killed == "from the next room"
        assert status in {ParentStatus.CANCELLED, ParentStatus.PARTIAL}
        assert working == 0
        assert took_s < 5  # a beat each second, and the proof that the order is dead; the rest is for slow machines


async def _waiting(execution: Execution) -> Execution:
    return await execution


class TestClosing:
    """Closing cancels, or leaves to expiry; it never leaves anything without an end."""

    def test_closing_cancels_what_works(self) -> None:
        """The desk is gone when the exchange has nothing of ours."""

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk)

            await stack.desk.close()

            assert stack.exchange.open_orders() == []
            assert execution.status is ParentStatus.CANCELLED
            assert [order.status for order in stack.orders()] == [OrderStatus.CANCELLED]
            await stack.desk.close()  # harmless

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_closing_may_leave_orders_to_their_expiry(self) -> None:
        """No cancel is sent; the broker takes the order away ten seconds after its stage."""

        async def scenario(stack: Stack) -> None:
            await resting(stack.desk)
            [order] = stack.exchange.open_orders()

            await stack.desk.close(working="expire")

            assert stack.core.heard(CANCEL) == []
            assert len(stack.exchange.open_orders()) == 1
            assert order.terms.good_till_ns is not None
            await stack.sleep((order.terms.good_till_ns - stack.exchange.start_ns) / 1e9)
            [ended] = stack.orders()
            assert ended.status is OrderStatus.CANCELLED
            assert ended.completed_ns == order.terms.good_till_ns

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_an_interrupted_closing_is_seen_through(self, tmp_path: Path) -> None:
        """Half a desk would look open and work nothing: the cell is stopped, the desk is closed, its file is free."""
        path = tmp_path / "journal.sqlite"

        async def scenario(stack: Stack) -> None:
            execution = await resting(stack.desk)
            closing = asyncio.ensure_future(stack.desk.close(working="expire"))
            await asyncio.sleep(0)

            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing

            assert not stack.desk.is_open
            assert execution.status is ParentStatus.INTERRUPTED
            assert not is_held(path)

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET), journal=path)

    @pytest.mark.parametrize("met", [BrokerGateway, Journal])
    def test_an_interrupt_in_the_first_line_of_a_step_of_the_closing_leaves_nothing(
        self, met: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else file or client id would be in use until the kernel ends: that desk cannot be closed again."""
        path, close = tmp_path / "journal.sqlite", met.close
        begun: list[object] = []

        def interrupted_once(room: Any) -> Any:
            begun.append(room)
            if len(begun) == 1:
                raise asyncio.CancelledError
            return close(room)

        async def scenario(stack: Stack) -> None:
            monkeypatch.setattr(met, "close", interrupted_once)

            with pytest.raises(asyncio.CancelledError):
                await stack.desk.close()

            await stack.sleep(60)
            assert not stack.desk.is_open
            assert stack.core.sessions == []
            assert not is_held(path)

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET), journal=path)

    def test_closing_in_another_way_is_refused(self) -> None:
        """And the desk stays open."""

        async def scenario(stack: Stack) -> None:
            with pytest.raises(errors.InvalidOrder, match="expire"):
                await stack.desk.close(working="sell everything")
            assert stack.desk.is_open

        on_a_desk(scenario)

    def test_a_journal_that_is_opened_again_goes_on(self, tmp_path: Path) -> None:
        """Parents, fills and ids follow on; what was left at work is interrupted."""
        path = tmp_path / "journal.sqlite"

        async def first(stack: Stack) -> int:
            await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
            await resting(stack.desk, tag="left")
            fills = len(stack.desk.fills())
            await stack.desk.close(working="expire")
            return fills

        async def second(stack: Stack) -> tuple[list[str], int, str]:
            fills = len(stack.desk.fills())
            new = await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience")
            return stack.desk.executions()["status"].tolist(), fills, new.parent_id

        fills = on_a_desk(first, exchange=ScriptedExchange(script=QUIET), journal=path)
        statuses, fills_again, parent_id = on_a_desk(second, exchange=ScriptedExchange(script=QUIET), journal=path)

        assert statuses[:2] == ["filled", "interrupted"]
        assert fills_again == fills > 0
        assert parent_id == "P-0003"


async def other_client() -> ib_async.IB:
    """A client of another hand on the same gateway."""
    ib = ib_async.IB()
    await ib.connectAsync(SIM_HOST, 4002, clientId=99)
    return ib


class TestReconciling:
    """Ledger against broker; what others do is shown, and never touched."""

    @pytest.mark.parametrize("strategy", ["limit_patience", "twap"])
    def test_after_a_run_there_is_nothing_to_say(self, strategy: str) -> None:
        """An empty frame with its columns; and the same while orders work."""

        async def scenario(stack: Stack) -> None:
            await resting(stack.desk, strategy=strategy)
            during = await stack.desk.reconcile()
            await stack.desk.execute("BUY", 6, "ZO", strategy=strategy, slices=3, tag="second")
            after = await stack.desk.reconcile()

            assert during.empty
            assert after.empty
            expected = "time kind local_symbol order_ref ours brokers resolved message"
            assert list(after.columns)[:8] == expected.split()

        on_a_desk(scenario)

    def test_what_others_trade_shows_as_a_break_and_counts_as_nobodys(self) -> None:
        """Two lots bought by another client on the same account."""

        async def scenario(stack: Stack) -> None:
            ours = await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
            contract = ours.parent.contract
            ib = await other_client()
            theirs = ib.placeOrder(
                ib_async.Contract(conId=contract.con_id, exchange=contract.exchange),
                ib_async.LimitOrder("BUY", 2, 372.0, tif="DAY", orderRef="by hand"),
            )
            await stack.until(theirs.isDone, within_s=60)
            await stack.sleep(5)

            breaks = await stack.desk.reconcile()

            row = breaks[breaks["kind"] == "position"].iloc[0]
            assert (row["ours"], row["brokers"], row["local_symbol"]) == (1.0, 3.0, contract.local_symbol)
            assert stack.desk.fills()["lots"].sum() == ours.filled_lots == 1
            assert set(stack.desk.orders()["order_ref"].str[:3]) == {OWN}
            ib.disconnect()

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_an_order_typed_by_hand_is_never_changed(self) -> None:
        """Not by a run, nor by a reconciliation, a kill, or the closing of the desk."""

        async def scenario(stack: Stack) -> None:
            contract = await stack.desk.instrument("ZO")
            ib = await other_client()
            ib.placeOrder(
                ib_async.Contract(conId=contract.con_id, exchange=contract.exchange),
                ib_async.LimitOrder("BUY", 3, 350.0, tif="GTC", orderRef="by hand"),
            )
            await stack.sleep(1)
            [before] = stack.exchange.open_orders()

            await stack.desk.execute("BUY", 4, "ZO", strategy="twap", slices=2)
            await stack.desk.reconcile()
            await resting(stack.desk, tag="second")
            await stack.desk.kill("stop")
            await stack.desk.close()

            assert stack.exchange.open_orders() == [before]
            assert all(
                request.order_ref.startswith(OWN) or request.order_id == before.terms.order_id
                for request in stack.core.placed()
            )
            ib.disconnect()

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


class TestMarkets:
    """Whatever the market is like, preview says so and submit is a result."""

    @pytest.mark.parametrize("symbol", SYMBOLS)
    def test_every_listed_contract_can_be_previewed(self, symbol: str) -> None:
        """Prices on tick, a ladder in order, cost in the contract's currency, and a card to look at."""

        async def scenario(stack: Stack) -> None:
            for side, sign in (("BUY", 1), ("SELL", -1)):
                plan = await stack.desk.preview(side, 1, symbol)
                contract, row = plan.parent.contract, plan.schedule.iloc[0]
                prices = [Decimal(str(row[name])) for name in ("limit_mid", "limit_step", "limit_cross")]

                assert contract.symbol == symbol
                assert all(contract.is_on_tick(price) for price in prices)
                assert prices == sorted(prices, reverse=sign < 0)
                assert plan.expected_cost["currency"].iloc[0] == contract.currency
                assert plan.expected_cost["slippage_ticks"].iloc[0] > 0
                assert contract.local_symbol in plan._repr_html_()
            assert stack.core.placed() == []

        on_a_desk(scenario)

    def test_a_closed_market_is_refused_with_the_time_at_which_it_opens(self) -> None:
        """At 08:00 in Chicago oats open at 08:30."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 1, "ZO")
            execution = await (await stack.desk.submit(plan))

            assert "session_open" in plan.risk.loc[~plan.risk["allowed"], "check"].tolist()
            opens = plan.would_pass["time"].iloc[0]
            assert opens.tz_convert("America/Chicago").time() == dt.time(8, 30)
            assert execution.status is ParentStatus.REFUSED
            assert execution.reason
            assert stack.core.placed() == []

        on_a_desk(scenario, exchange=ScriptedExchange(start=dt.time(8, 0)))

    def test_an_order_that_would_pass_later_does_pass_later(self) -> None:
        """At the time that preview named, the same order goes."""

        async def scenario(stack: Stack) -> None:
            early = await stack.desk.preview("BUY", 1, "ZO")
            opens = early.would_pass["time"].iloc[0]
            await stack.sleep((opens.value - stack.desk.now_ns()) / 1e9 + 60)

            plan = await stack.desk.preview("BUY", 1, "ZO")

            assert stack.desk.now_ns() >= opens.value
            assert plan.passes, plan.risk.loc[~plan.risk["allowed"], "message"].tolist()

        on_a_desk(scenario, exchange=ScriptedExchange(start=dt.time(8, 0)))

    def test_no_quote_at_all_is_a_refusal_that_may_pass(self) -> None:
        """Preview does not hang or raise; the plan says what is missing."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 1, "ZO")

            refusing = [decision for decision in plan.decisions if not decision.allowed]
            assert refusing
            assert any(decision.transient for decision in refusing)
            assert stack.core.placed() == []
            assert plan._repr_html_()

        on_a_desk(scenario, exchange=ScriptedExchange(script=steady(None, None)))

    def test_a_one_sided_book_is_worked_at_the_one_percent_price_while_the_mid_is_young(self) -> None:
        """The offers go right before the second stage; the mid of a moment ago still counts."""

        def script(seconds: float) -> tuple[Any, Any]:
            return ("99.0", 5), (("101.0", 5) if seconds < 300 else None)

        async def scenario(stack: Stack) -> None:
            execution = await (await stack.desk.submit(await stack.desk.preview("BUY", 1, "PL")))

            sent = [event for event in stack.journalled(ChildSent) if event.action is Action.MODIFY]
            priced = stack.prices()
            assert priced[0] == "1E+2"
            assert len(sent) == len(priced) - 1
            assert set(priced[1:]) <= {"101"}
            refused = stack.journalled(ChildRefused)
            assert all(event.check in {"reference_age", "quote_sane", "quote_age"} for event in refused)
            assert sent or refused
            assert execution.filled_lots == 0

        on_a_desk(scenario, exchange=ScriptedExchange(script=script))


class TestFrames:
    """What is at work and what is held, as the exchange has it."""

    def test_orders_and_positions_agree_with_the_exchange(self) -> None:
        """While one order rests and another was filled."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
            execution = await resting(stack.desk)
            orders, positions = stack.desk.orders(), stack.desk.positions()
            [live] = stack.exchange.open_orders()
            [held] = stack.exchange.positions()

            row = orders[orders["state"] == "working"].iloc[0]
            assert (row["order_ref"], row["order_id"]) == (live.terms.order_ref, live.terms.order_id)
            assert (row["perm_id"], row["lots"], row["working_lots"]) == (live.perm_id, 2, 2)
            assert Decimal(str(row["limit_price"])) == live.terms.limit_price
            assert row["expires"].value == live.terms.good_till_ns
            owned = positions.iloc[0]
            assert (owned["position"], owned["working_buy"], owned["working_sell"]) == (held.lots, 2, 0)
            assert (owned["worst_long"], owned["worst_short"]) == (4, 2)
            assert owned["account"] == stack.desk.masked_account
            await execution

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_fills_are_the_exchanges_own(self) -> None:
        """Id, price, lots, side and fees, one for one; and every stage has its mid."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.execute("SELL", 13, "ZO", slices=5, duration="50m")
            fills = stack.desk.fills()
            booked = stack.exchange.executions()

            assert fills["fill_id"].tolist() == [fill.exec_id.rpartition(".")[0] for fill, _ in booked]
            assert fills["lots"].tolist() == [fill.lots for fill, _ in booked]
            assert fills["price"].tolist() == [float(fill.price) for fill, _ in booked]
            assert fills["commission"].sum() == pytest.approx(float(sum(fee.commission for _, fee in booked)))
            assert set(fills["side"]) == {"SELL"}
            assert set(fills["stage"]) <= set(Stage)
            assert fills[["decision_mid", "arrival_mid", "order_mid", "bid", "ask"]].notna().all().all()

        on_a_desk(scenario)

    def test_filters_pick_rows(self) -> None:
        """By parent, by symbol, by time; all frames understand them."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            first = await desk.execute("BUY", 2, "ZO", strategy="limit_patience")
            between = pd.Timestamp(desk.now_ns(), unit="ns", tz="UTC")
            await stack.sleep(60)
            second = await desk.execute("BUY", 2, "KE", strategy="limit_patience")

            for frame in (desk.executions, desk.slices, desk.decisions, desk.fills):
                assert set(frame(parent_id=first.parent_id)["parent_id"]) == {first.parent_id}
            assert set(desk.fills(symbol="KE")["parent_id"]) == {second.parent_id}
            assert set(desk.executions(since=between)["parent_id"]) == {second.parent_id}
            assert set(desk.executions(until=between)["parent_id"]) == {first.parent_id}

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_symbol_is_one_in_either_case(self) -> None:
        """As in a preview; in every frame that takes it."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            await desk.execute("BUY", 2, "ke", strategy="limit_patience")
            await desk.execute("BUY", 2, "ZO", strategy="limit_patience")
            month = desk.executions()["local_symbol"].iloc[0]

            takers = (desk.executions, desk.slices, desk.stages, desk.decisions, desk.fills, desk.quotes, desk.tca)
            for frame in (*takers, desk.regret):
                for typed, listed in ((" ke", "KE"), (f"{month.lower()} ", month)):
                    pd.testing.assert_frame_equal(frame(symbol=typed), frame(symbol=listed))
                    assert 0 < len(frame(symbol=typed)) < len(frame())
            pd.testing.assert_frame_equal(desk.spread_clock("ke "), desk.spread_clock("KE"))

        on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    def test_a_filter_that_there_is_not_is_told_those_that_are(self) -> None:
        """Of all frames that take any, and not of the function below."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            takers = (desk.executions, desk.slices, desk.stages, desk.decisions, desk.fills, desk.alerts, desk.quotes)

            for frame in (*takers, desk.tca, desk.regret, desk.slippage):
                with pytest.raises(TypeError, match="foo is no filter; filters are parent_id, since, until, symbol"):
                    frame(foo=1)
            with pytest.raises(TypeError, match="settings are tolerance, patience_s, step, twap_slices"):
                desk.regret(foo=1)
            with pytest.raises(TypeError, match="symbol_ is no filter; filters are since, until"):
                desk.spread_clock("ZO", symbol_=1)
            with pytest.raises(errors.AnalysisError, match="since='yesterday' is no time"):
                desk.tca(since="yesterday")

        on_a_desk(scenario)


SCRIPT = """
import hydra_nb

desk = hydra_nb.run(hydra_nb.connect(seed=7, speed=120))
plan = hydra_nb.run(desk.preview("BUY", 1, "ZO", strategy="limit_patience", patience=40))
execution = hydra_nb.run(desk.submit(plan))
try:
    hydra_nb.run(desk.reconcile())
except hydra_nb.errors.DeskBusy as error:
    print("busy:", error)

import asyncio
async def wait():
    return await execution
asyncio.get_event_loop().run_until_complete(wait())
print("ended:", execution.status.is_over, hydra_nb.run(desk.reconcile()).empty)
path = hydra_nb.run(desk.close())
print("journal:", path.exists())
"""

NESTED = """
import asyncio, hydra_nb

async def cell():
    try:
        coroutine = asyncio.sleep(0)
        hydra_nb.run(coroutine)
    except RuntimeError as error:
        coroutine.close()
        print("before:", error)
    hydra_nb.enable_sync()
    desk = hydra_nb.run(hydra_nb.connect(seed=7, speed=120))
    print("after:", desk.badge)
    hydra_nb.run(desk.close())

asyncio.run(cell())
"""


class TestRealTime:
    """Over TCP, on the machine's own clock."""

    def test_a_fast_market_is_traded_over_tcp(self) -> None:
        """Six minutes of two slices in a few seconds, at 120 times real time."""

        async def scenario() -> tuple[Execution, pd.DataFrame, dict[str, object]]:
            async with hydra_nb.connect(seed=7, speed=120) as desk:
                execution = await desk.execute("BUY", 2, "ZO", strategy="twap", slices=2, duration="6m")
                return execution, await desk.reconcile(), desk.status

        started = time.monotonic()
        execution, breaks, status = asyncio.run(scenario())

        print(f"6 min at 120 times real time: {execution.status} in {time.monotonic() - started:.1f} s")
        assert execution.status in {ParentStatus.FILLED, ParentStatus.PARTIAL, ParentStatus.CANCELLED}
        assert execution.filled_lots + execution.shortfall_lots == 2
        assert breaks.empty
        assert status["reconciled"]
        assert time.monotonic() - started < 30

    @pytest.mark.parametrize(
        ("script", "said"),
        [(SCRIPT, ["busy:", "ended: True True", "journal: True"]), (NESTED, ["before:", "after: SIM"])],
    )
    def test_blocking_calls_work_where_they_were_asked_for(self, script: str, said: list[str]) -> None:
        """A plain script calls `run`; inside a running loop `enable_sync` comes first; never while orders work."""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == len(said)
        assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))

    def test_a_temporary_journal_is_named_and_stays(self) -> None:
        """The embedded gateway's default: a file of its own, for reading afterwards."""

        async def scenario() -> Path | None:
            desk = await hydra_nb.connect(seed=7, speed=120)
            return await desk.close()

        path = asyncio.run(scenario())

        assert path is not None
        assert path.exists()
        with JournalReader.open(path) as reader:
            reader.verify()


def test_cancels_are_journalled_with_their_reason() -> None:
    """A person reads later why an order went."""

    async def scenario(stack: Stack) -> list[str]:
        execution = await resting(stack.desk)
        await execution.cancel("the harvest report is out")
        return [event.reason for event in stack.journalled(CancelRequested)]

    reasons = on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    assert reasons
    assert all("harvest report" in reason for reason in reasons)
