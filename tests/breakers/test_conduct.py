"""Breakers on how the desk fares with its gate, its broker and its fills, on the whole stack."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import BreakerTripped, ChildSent, Event, ExecutionReported, ParentRefused
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.limits import Limits
from hydra_nb.sim import replies
from tests.whole_stack import SERVER_VERSION, ScriptedExchange, Side, Stack, on_a_desk, steady

OATS = steady("370.00", "372.00")
TOO_MANY = 60
"""Lots that no order may have: a hard refusal."""
ROOMY = Limits(
    max_notional_per_order=1e6,
    max_daily_loss=1e6,
    max_drawdown_percent=50,
    collar_last_percent=100,
    collar_settlement_percent=100,
    max_chase_percent=100,
)
"""Under which only what fills cost can trip."""


async def refused(stack: Stack, *, times: int, lots: int = TOO_MANY) -> list[Execution]:
    """Orders that the gate refuses, one after the other."""
    return [await stack.desk.execute("BUY", lots, "ZO", tag=f"{lots} lots, {number}") for number in range(times)]


def test_an_eleventh_hard_refusal_in_a_row_trips() -> None:
    """Ten pass, as a value at its limit does; then a good order is refused too, until somebody has looked."""

    async def scenario(stack: Stack) -> None:
        await refused(stack, times=10)
        before = stack.journalled(BreakerTripped)
        await refused(stack, times=1, lots=TOO_MANY + 1)
        (trip,) = stack.journalled(BreakerTripped)
        good = await stack.desk.execute("BUY", 1, "ZO")
        await stack.desk.rearm("the lots were typed into the wrong field", breaker="consecutive_refusals")
        again = await stack.desk.execute("BUY", 1, "ZO", tag="again")

        assert before == []
        assert (trip.breaker, trip.observed, trip.limit) == ("consecutive_refusals", 11.0, 10.0)
        assert trip.time_ns == stack.journalled(ParentRefused)[10].time_ns
        assert good.status is ParentStatus.REFUSED
        assert good.reason.startswith("11 hard refusals in a row, 10 allowed: tripped ")
        assert again.status is ParentStatus.FILLED

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_an_order_that_is_approved_begins_the_row_anew() -> None:
    """Ten refusals, an order, ten refusals: nothing trips."""

    async def scenario(stack: Stack) -> None:
        await refused(stack, times=10)
        await stack.desk.execute("BUY", 1, "ZO")
        await refused(stack, times=10, lots=TOO_MANY + 1)

        assert stack.journalled(BreakerTripped) == []
        assert stack.manager.ledger.breakers.conduct(stack.desk.now_ns()).refusals_in_row == 10

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_refusals_that_time_cures_do_not_count() -> None:
    """A closed market is nobody's slip, however often somebody tries."""

    async def scenario(stack: Stack) -> None:
        tried = await refused(stack, times=15, lots=1)

        assert {execution.status for execution in tried} == {ParentStatus.REFUSED}
        assert all(event.transient for event in stack.journalled(ParentRefused))
        assert stack.journalled(BreakerTripped) == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS, start=dt.time(15)))


def rejecting(stack: Stack, *, messages: int, code: int) -> None:
    """Have the gateway answer the first messages with an error code."""
    told = 0

    def step(event: Event, _actions: object) -> None:
        nonlocal told
        if isinstance(event, ChildSent) and told < messages:
            told += 1
            order_id = stack.manager.ledger.orders[event.order_ref].child.order_id
            asyncio.get_running_loop().call_later(0.01, say, order_id)

    def say(order_id: int) -> None:
        for session in stack.core.sessions:
            session.send(replies.error(order_id, code=code, message="as scripted", server_version=SERVER_VERSION))

    stack.manager.on_step = step


async def twap(stack: Stack) -> Execution:
    """Twelve lots in six slices of ten minutes, each with a place and two modifies."""
    return await stack.desk.execute("BUY", 12, "ZO", strategy="twap", slices=6, duration="60m")


def test_a_share_of_rejected_messages_trips_from_the_tenth_message_on() -> None:
    """Three of ten are more than a fifth; fewer than ten are not judged. The parent stops, and nothing more is sent."""

    async def scenario(stack: Stack) -> None:
        rejecting(stack, messages=3, code=110)
        execution = await twap(stack)

        (trip,) = stack.journalled(BreakerTripped)
        sent = [event.time_ns for event in stack.journalled(ChildSent)]
        assert (trip.breaker, trip.observed, trip.limit, trip.unit) == ("reject_rate", 30.0, 20.0, "% of messages")
        assert len(sent) == 10
        assert sent[-1] <= trip.time_ns
        assert execution.status is ParentStatus.PARTIAL
        assert execution.reason.endswith("30 % of the last hour's messages, 20 % allowed")
        assert stack.exchange.open_orders() == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


@pytest.mark.parametrize(("messages", "code"), [(2, 110), (99, 399), (99, 10349), (99, 2109)])
def test_a_fifth_of_the_messages_and_notices_trip_nothing(messages: int, code: int) -> None:
    """Notices accompany orders that live, on some contracts every one of them."""

    async def scenario(stack: Stack) -> None:
        rejecting(stack, messages=messages, code=code)

        execution = await twap(stack)

        assert len(stack.journalled(ChildSent)) > 10
        assert stack.journalled(BreakerTripped) == []
        assert execution.filled_lots > 0

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def running_away(*, lots: int = 1) -> Any:
    """Oats that rise by thirty cents in the middle of an order's ladder, a lot or two at the touch."""

    def script(seconds: float) -> tuple[Side, Side]:
        bid, ask = ("370.00", "372.00") if seconds < 310 else ("400.00", "402.00")
        return (bid, lots), (ask, lots)

    return ScriptedExchange(script=script, volume=100_000)


def test_fills_far_above_their_prediction_trip_at_the_tenth() -> None:
    """Each cost over a hundred ticks against a handful predicted; what is left of the order is cancelled at once."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.execute("BUY", 18, "ZO", strategy="limit_patience")

        (trip,) = stack.journalled(BreakerTripped)
        fills = stack.journalled(ExecutionReported)
        order = next(iter(stack.manager.ledger.orders.values()))
        lots = sum(fill.lots for fill in fills[:10])
        paid = sum(float(fill.price - order.placed_mid) / 0.25 * fill.lots for fill in fills[:10]) / lots
        predicted = float(order.predicted_slippage / order.child.contract.tick)
        assert trip.breaker == "slippage_breach"
        assert trip.observed == pytest.approx(paid)
        assert trip.limit == pytest.approx(5 * predicted + 10)
        assert trip.time_ns == fills[9].time_ns
        assert trip.observed > 100 > trip.limit
        assert execution.status is ParentStatus.PARTIAL
        assert execution.filled_lots < 18
        assert fills[-1].time_ns - trip.time_ns < 2 * NS_PER_S
        assert stack.exchange.open_orders() == []

    on_a_desk(scenario, exchange=running_away(), limits=ROOMY)


def test_fewer_fills_are_not_judged() -> None:
    """The same cost, in a few fills of five lots."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.execute("BUY", 18, "ZO", strategy="limit_patience")

        assert len(stack.journalled(ExecutionReported)) < 10
        assert stack.journalled(BreakerTripped) == []
        assert execution.status is ParentStatus.FILLED

    on_a_desk(scenario, exchange=running_away(lots=5), limits=ROOMY)
