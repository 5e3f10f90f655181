"""Targets are differences from the position and all that can still fill; the same targets twice send nothing."""

import asyncio
import warnings
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb import AlreadySent
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import ParentSubmitted
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import Side
from hydra_nb.errors import BasketErrors, PlanExpired
from tests.baskets.market import CalmExchange, bought, targets
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import Stack, on_a_desk

TWAP = {"strategy": "twap", "slices": 2, "duration": "40m"}
QUICK = {"strategy": "limit_patience", "patience": 20}


async def reach(desk: Desk, target: int, **how: object) -> str:
    """Go to a target of ZO and give the tag of the order that did it; empty where there was none."""
    basket = await desk.preview_basket(targets(target), **{**QUICK, **how})
    await (await desk.submit(basket))
    return "" if not basket.plans else str(basket.plans[0].parent.tag)


def test_the_difference_counts_position_working_lots_and_lots_to_come() -> None:
    """Long 3, a TWAP of 4 more with one slice in the market: a target of 5 sells 2."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        await bought(stack, 3)
        twap = await desk.submit(await desk.preview("BUY", 4, "ZO", **TWAP))
        await stack.until(lambda: twap.working_lots == 2)

        row = (await desk.preview_basket(targets(5))).rows.iloc[0]
        at_target = await desk.preview_basket(targets(7))

        assert (row["side"], row["lots"], row["position"], row["outstanding"]) == ("SELL", 2, 3, 4)
        assert "P-0002 still has BUY 4 to do" in row["message"]
        assert at_target.plans == ()
        assert at_target.passes
        assert "At target already: position +3, outstanding +4" in at_target.rows["message"].iloc[0]
        assert len(at_target.schedule) == len(at_target.risk) == 0
        await twap.cancel()

    on_a_desk(scenario, exchange=CalmExchange())


def test_the_same_targets_twice_send_nothing() -> None:
    """The same basket, one previewed before the first was sent, and one previewed after; at work and when done."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        first, other = [await desk.preview_basket(targets(4), seed=seed, **TWAP) for seed in (1, 2)]
        execution = await desk.submit(first)
        with warnings.catch_warnings():
            warnings.simplefilter("error", AlreadySent)
            late = await desk.submit(other)
            anew = await desk.submit(await desk.preview_basket(targets(4), **TWAP))
        await execution
        done = await desk.submit(await desk.preview_basket(targets(4), **TWAP))

        assert len(stack.journalled(ParentSubmitted)) == 1
        assert stack.lots_filled() == 4
        for one in (late, anew, done):
            assert one.executions == ()
            assert one.status is ParentStatus.FILLED
            assert one.frame["status"].tolist() == ["at_target"]
            assert one.frame["reason"].tolist() == ["at target already"]
            assert await one is one

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_target_that_comes_again_after_another_is_an_order_of_its_own() -> None:
    """Long 5, flat, long 5, flat, all on one day: each is sent, and its tag says after what."""

    async def scenario(stack: Stack) -> None:
        tags = [await reach(stack.desk, target) for target in (5, 0, 5, 5, 0)]

        assert tags == [
            "target +5",
            "target 0 after P-0001",
            "target +5 after P-0002",
            "",
            "target 0 after P-0003",
        ]
        assert stack.lots_filled() == 20

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_tag_of_a_person_stands_until_an_equal_order_of_the_day_has_taken_it() -> None:
    """Else the third order would be taken for the first one sent twice, and silently left out."""

    async def scenario(stack: Stack) -> None:
        tags = [await reach(stack.desk, target, tag="trend") for target in (5, 0, 5)]

        assert tags == ["trend", "trend", "trend (target +5 after P-0002)"]
        assert stack.lots_filled() == 15

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_position_that_has_moved_since_the_preview_is_not_sent_upon() -> None:
    """The row says from what to what; the others of the basket are sent."""

    async def scenario(stack: Stack) -> None:
        frame = pd.DataFrame({"instrument": ["ZO", "KE"], "target": [5, 2]})
        basket = await stack.desk.preview_basket(frame, **QUICK)
        await bought(stack, 2)

        execution = await stack.desk.submit(basket)
        await execution

        first, second = execution.frame.to_dict("records")
        assert (first["status"], first["lots"], first["shortfall_lots"]) == ("not_sent", 3, 3)
        assert first["reason"] == ("position changed from +0 with +0 outstanding to +2 with +0: preview again")
        assert (second["status"], second["filled_lots"]) == ("filled", 2)
        assert execution.status is ParentStatus.PARTIAL

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_target_that_was_reached_at_preview_is_looked_at_again_too() -> None:
    """Else a row would be called at its target that is not any more."""

    async def scenario(stack: Stack) -> None:
        basket = await stack.desk.preview_basket(targets(0))
        await bought(stack, 2)

        execution = await stack.desk.submit(basket)

        row = execution.frame.iloc[0]
        assert (row["status"], row["side"], row["lots"], row["shortfall_lots"]) == ("not_sent", "SELL", 2, 2)
        assert "preview again" in row["reason"]
        assert execution.status is ParentStatus.REFUSED

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_fill_that_only_turns_outstanding_lots_into_position_changes_nothing() -> None:
    """The difference to the target is the same, so the row is sent."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        going = await desk.submit(await desk.preview("BUY", 2, "ZO", strategy="limit_patience", patience=30))
        basket = await desk.preview_basket(targets(5), **QUICK)
        await going

        execution = await desk.submit(basket)
        await execution

        assert basket.rows.loc[0, ["position", "outstanding", "lots"]].tolist() == [0, 2, 3]
        assert execution.frame["filled_lots"].tolist() == [3]
        assert stack.lots_filled() == 5

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_position_that_is_not_known_is_an_error_of_the_row() -> None:
    """Before ledger and broker were compared the broker's word and our fills may tell one lot twice."""

    async def scenario(stack: Stack) -> None:
        stack.manager.ledger.reconciled = False

        with pytest.raises(BasketErrors, match=r"row 0, target: the position of ZOK7 is not known"):
            await stack.desk.preview_basket(targets(5))

    on_a_desk(scenario, exchange=CalmExchange())


def test_an_old_basket_is_refused_whole_and_one_at_its_targets_is_not() -> None:
    """Nothing is sent after 300 s; where nothing is to be sent there is nothing to refuse."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        basket = await desk.preview_basket(targets(2), **QUICK)
        flat = await desk.preview_basket(targets(0, instrument="KE"))
        await stack.sleep(301)

        with pytest.raises(PlanExpired, match="301 s old, 300 s are allowed; preview again"):
            await desk.submit(basket)
        assert (await desk.submit(flat)).status is ParentStatus.FILLED
        assert stack.journalled(ParentSubmitted) == []
        assert basket.basket_id not in desk.baskets()["basket_id"].tolist()

    on_a_desk(scenario, exchange=CalmExchange())


def test_lots_of_an_interrupted_order_count_until_it_is_resumed_or_abandoned(tmp_path: Path) -> None:
    """The row says who holds them; abandoned, they are to be bought anew."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.submit(await stack.desk.preview_basket(targets(4), **TWAP))
        await stack.until(lambda: stack.lots_filled() == 2)
        await lives.kill(stack)
        await asyncio.sleep(30)
        stack = await lives.open()

        held = (await stack.desk.preview_basket(targets(4), **QUICK)).rows.iloc[0]
        await stack.desk.abandon("P-0001")
        free = await stack.desk.preview_basket(targets(4), **QUICK)
        await (await stack.desk.submit(free))

        assert (held["lots"], held["position"], held["outstanding"]) == (0, 2, 2)
        assert "P-0001 is interrupted and holds BUY 2 until it is resumed or abandoned" in held["message"]
        assert free.plans[0].parent.side is Side.BUY
        assert free.plans[0].parent.lots == 2
        assert stack.lots_filled() == 4
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=CalmExchange())
