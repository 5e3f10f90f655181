"""A desk that is being closed takes no more orders, who waits on it is told, and a close that fails changes nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pandas as pd
import pytest

from hydra_nb import errors
from hydra_nb.desk.runner.asking import Day
from hydra_nb.domain.orders import ParentStatus
from tests.runner.scenes import a_runner, oats
from tests.test_desk import resting
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady


def nothing_more(_day: Day) -> pd.DataFrame:
    """A runner's function; it is never asked here."""
    return oats(1)


APART = steady("370.00", "372.00")

Deed = Coroutine[Any, Any, object]


async def an_order(stack: Stack) -> Callable[[], Deed]:
    """To send a plan that was drawn before."""
    plan = await stack.desk.preview("BUY", 2, "ZO", tag="late")
    return lambda: stack.desk.submit(plan)


async def a_basket(stack: Stack) -> Callable[[], Deed]:
    """To send a basket that was drawn before."""
    frame = pd.DataFrame({"side": ["BUY"], "lots": [2], "instrument": ["ZO"]})
    basket = await stack.desk.preview_basket(frame)
    return lambda: stack.desk.submit(basket)


async def a_resumption(stack: Stack) -> Callable[[], Deed]:
    """To go on with an order that a lost connection interrupted."""
    execution = await resting(stack.desk, tag="held")
    now_ns = stack.desk.now_ns()
    stack.manager.interrupt_all(since_ns=now_ns, reason="the test says so")
    return execution.resume


@pytest.mark.parametrize("late", [an_order, a_basket, a_resumption])
def test_no_order_is_taken_while_the_others_end(
    late: Callable[[Stack], Coroutine[Any, Any, Callable[[], Deed]]],
) -> None:
    """It would be sent, and left alone in the market with the desk gone."""

    async def scenario(stack: Stack) -> None:
        deed = await late(stack)
        await resting(stack.desk)
        closing = asyncio.ensure_future(stack.desk.close())
        await asyncio.sleep(0)
        assert not closing.done()
        sent = len(stack.core.placed())

        with pytest.raises(errors.NotConnected, match="being closed"):
            await deed()

        await closing
        assert len(stack.core.placed()) == sent
        assert stack.exchange.open_orders() == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=APART))


def test_a_close_that_is_interrupted_while_it_waits_leaves_the_desk_at_work() -> None:
    """It takes orders, and its runners may begin, as before."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 2, "ZO", tag="after all")
        runner = a_runner(stack.desk, nothing_more)
        await resting(stack.desk)
        closing = asyncio.ensure_future(stack.desk.close())
        await asyncio.sleep(0)

        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

        assert stack.desk.is_open
        assert (await stack.desk.submit(plan)).status is ParentStatus.SCHEDULED
        runner.start()
        await runner.stop()

    on_a_desk(scenario, exchange=ScriptedExchange(script=APART))


def test_a_close_of_no_known_way_stops_no_runner() -> None:
    """A typing error would else end the daily cycles of a desk that stays open."""

    async def scenario(stack: Stack) -> None:
        runner = a_runner(stack.desk, nothing_more).start()

        with pytest.raises(errors.InvalidOrder, match="'cancel' or 'expire'"):
            await stack.desk.close("wait")

        assert runner.is_running
        await runner.stop()

    on_a_desk(scenario)


def test_who_waits_for_the_end_of_an_order_is_told_when_the_desk_has_ended() -> None:
    """With the gateway gone nothing proves its death: the wait would last for ever."""

    async def scenario(stack: Stack) -> None:
        execution = await resting(stack.desk)
        stack.desk._rooms.broker._wire.drop()
        cancelling = asyncio.ensure_future(execution.cancel())
        await asyncio.sleep(0)

        await stack.desk.close("expire")

        with pytest.raises(errors.NotConnected, match="closed before P-0001 was over"):
            await asyncio.wait_for(cancelling, 60)

    on_a_desk(scenario, exchange=ScriptedExchange(script=APART))


def test_who_waits_for_an_order_that_is_to_begin_later_waits_no_longer_than_its_desk() -> None:
    """It stays scheduled in the journal; the wait ends with the desk."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", start="settle-30m"))
        waiting = asyncio.ensure_future(asyncio.wait_for(execution, 3600))
        await asyncio.sleep(0)

        await stack.desk.close("expire")

        assert await waiting is execution
        assert execution.status is ParentStatus.SCHEDULED

    on_a_desk(scenario, exchange=ScriptedExchange(script=APART))
