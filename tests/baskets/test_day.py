"""Twelve markets in one basket, over a day: every row comes to its end, limits hold for the whole, once is once."""

import asyncio
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hydra_nb import AlreadySent, Limits
from hydra_nb.desk.basket.execution import BasketExecution
from hydra_nb.domain.events import Event, ParentSubmitted
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S, Side
from tests.baskets.market import CalmExchange, twelve
from tests.recovery.lives import Lives, in_lives, order_refs
from tests.whole_stack import Stack, on_a_desk

HOW: dict[str, Any] = {"strategy": "twap", "slices": 2, "duration": "4h", "seed": 5}
ENDS = {ParentStatus.FILLED, ParentStatus.PARTIAL, ParentStatus.REFUSED}


class Watcher:
    """Holds the account, as the exchange and the ledger have it, against the limits after every event."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.looks = 0
        self.worst_gross_percent = 0.0
        stack.manager.observers.append(self.look)

    def look(self, _event: Event) -> None:
        """Position of each contract, and gross exposure of all, were everything in the market filled."""
        manager, limits = self._stack.manager, self._stack.desk.limits
        ledger = manager.ledger
        self.looks += 1
        gross = 0.0
        for con_id, contract in ledger.contracts.items():
            buys, sells = ledger.working(con_id)
            position = ledger.booked_position(con_id)
            worst = max(position + buys, sells - position)
            mid = manager.snapshots.references.last_mid(con_id)
            assert worst <= limits.max_position_lots
            assert mid is not None
            gross += float(contract.notional(mid, lots=worst))
        if ledger.equity is not None:
            self.worst_gross_percent = max(self.worst_gross_percent, gross / float(ledger.equity) * 100)
        assert self.worst_gross_percent <= limits.max_gross_percent_of_equity

    def busiest_second(self) -> int:
        """Most place, modify and cancel frames that reached the gateway in one second."""
        frames = [*self._stack.core.heard(3), *self._stack.core.heard(4)]
        return max(Counter(frame.time_ns // NS_PER_S for frame in frames).values())


def must_have_ended(stack: Stack, basket: BasketExecution) -> None:
    """Every row is filled or says what it lacks, and the exchange agrees lot by lot."""
    frame = basket.frame
    assert set(frame["status"]) <= ENDS
    assert (frame["filled_lots"] + frame["shortfall_lots"] == frame["lots"]).all()
    assert frame.loc[frame["shortfall_lots"] > 0, "reason"].str.len().gt(0).all()
    assert stack.lots_filled() == frame["filled_lots"].sum()
    refs = [order.terms.order_ref for order in stack.orders()]
    assert len(refs) == len(set(refs))
    assert not [order for order in stack.exchange.open_orders() if order.terms.order_ref]


def test_a_day_of_twelve_markets_with_one_row_too_many() -> None:
    """All that fit end filled, the last is refused though alone it would pass, and no joint limit is ever passed."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        frame = twelve()
        basket = await desk.preview_basket(frame, **HOW)
        refused = basket.rows[~basket.rows["passes"]]
        assert len(refused) == 1
        assert refused["alone"].all()
        assert refused["message"].str.contains("gross_exposure.*Alone it would pass", regex=True).all()
        watcher = Watcher(stack)

        execution = await desk.submit(basket)
        with pytest.warns(AlreadySent, match="nothing was sent") as told:
            again = await desk.submit(basket)
        await execution

        assert again is execution
        assert len(told) == 1
        assert len(stack.journalled(ParentSubmitted)) == 12
        must_have_ended(stack, execution)
        by_status = execution.frame.groupby("status")["row"].count().to_dict()
        assert by_status == {"filled": 11, "refused": 1}
        assert watcher.looks > 500
        assert 90 < watcher.worst_gross_percent <= 115
        assert watcher.busiest_second() <= 40
        assert (await desk.reconcile()).empty

    on_a_desk(scenario, exchange=CalmExchange(), limits=Limits(max_gross_percent_of_equity=115))


def test_an_equal_frame_previewed_anew_sends_nothing_and_says_so_once() -> None:
    """Its rows stand for the orders of the day that are at work already."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        first = await desk.submit(await desk.preview_basket(twelve(), **HOW))
        await stack.sleep(1)
        basket = await desk.preview_basket(twelve(), **HOW)
        with pytest.warns(AlreadySent, match="row 0 as P-0001, row 1 as P-0002") as told:
            second = await desk.submit(basket)

        assert len(told) == 1
        assert not basket.passes
        assert second.executions == first.executions
        assert len(stack.journalled(ParentSubmitted)) == 12
        assert set(second.frame["reason"].str[:12]) == {"sent earlier"}
        await second.cancel()

    on_a_desk(scenario, exchange=CalmExchange())


def test_many_submissions_at_once_send_once() -> None:
    """Five in one step of the loop."""

    async def scenario(stack: Stack) -> None:
        basket = await stack.desk.preview_basket(twelve().head(3), **HOW)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AlreadySent)
            executions = await asyncio.gather(*(stack.desk.submit(basket) for _ in range(5)))

        assert len({id(one) for one in executions}) == 1
        assert len(stack.journalled(ParentSubmitted)) == 3
        await executions[0].cancel("enough")

    on_a_desk(scenario, exchange=CalmExchange())


def test_killed_at_noon_and_resumed_each_row_ends_with_exactly_its_lots(tmp_path: Path) -> None:
    """The basket is found again by its id; what stood goes on, and nothing is sent twice."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        basket = await stack.desk.preview_basket(twelve(), **{**HOW, "duration": "2h"})
        await stack.desk.submit(basket)
        await stack.until(lambda: stack.desk.now_ns() >= noon_ns)
        half = stack.lots_filled()
        await lives.kill(stack)
        await asyncio.sleep(60)

        stack = await lives.open()
        execution = stack.desk.basket(basket.basket_id)
        assert 0 < half < 24
        assert execution.status is ParentStatus.INTERRUPTED
        assert stack.desk.baskets()["basket_id"].tolist() == [basket.basket_id]
        await stack.until(lambda: not stack.desk.busy_parents)
        await execution.resume()
        await execution

        assert execution.status is ParentStatus.FILLED
        assert execution.frame["filled_lots"].tolist() == [2] * 12
        must_have_ended(stack, execution)
        assert (await stack.desk.reconcile()).empty
        assert len(order_refs(lives.journal)) == len(set(order_refs(lives.journal)))
        await stack.desk.close()

    market = CalmExchange(hour=11)
    noon_ns = market.start_ns + 3600 * NS_PER_S
    in_lives(story, folder=tmp_path, exchange=market)


def test_a_crash_between_the_rows_leaves_a_basket_that_does_not_lie(tmp_path: Path) -> None:
    """The disk took the basket and two of its parents: the third never was, also when its id goes to another order."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        basket = await stack.desk.preview_basket(twelve().head(3), **HOW)
        kept: list[Path] = []

        def step(event: Event, _actions: object) -> None:
            if isinstance(event, ParentSubmitted) and event.parent_id == "P-0002":
                stack.desk._rooms.journal.commit_now()
                kept.append(lives.keep_disk())

        stack.manager.on_step = step
        await stack.desk.submit(basket)
        await lives.kill(stack, kept=kept[0])

        stack = await lives.open()
        found = stack.desk.basket(basket.basket_id)
        assert [one.parent_id for one in found.executions] == ["P-0001", "P-0002"]
        other = await stack.desk.submit(await stack.desk.preview("BUY", 1, "PA", **HOW))
        assert other.parent_id == "P-0003"

        last = found.frame.iloc[2]
        assert (last["status"], last["shortfall_lots"]) == ("not_sent", 2)
        assert "before it was handed over" in last["reason"]
        assert other not in found.executions
        for parent_id in ("P-0001", "P-0002"):
            await stack.desk.abandon(parent_id)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=CalmExchange())


def test_pause_and_resume_hold_all_rows() -> None:
    """Nothing rests while it is paused, and afterwards every row is filled."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.submit(
            await stack.desk.preview_basket(twelve().head(3), **{**HOW, "duration": "40m"})
        )
        await stack.until(lambda: len(stack.exchange.open_orders()) == 3)

        await execution.pause()
        await stack.sleep(60)
        paused, resting = execution.status, stack.exchange.open_orders()
        await execution.resume()
        await execution

        assert (paused, resting) == (ParentStatus.PAUSED, [])
        assert execution.status is ParentStatus.FILLED
        assert {one.parent.side for one in execution.executions} == {Side.BUY, Side.SELL}

    on_a_desk(scenario, exchange=CalmExchange())
