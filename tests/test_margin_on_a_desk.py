"""Margin by the broker's what-if, on a whole desk: asked at preview, shared by the orders, and waited for."""

import itertools
from typing import Any

import pytest

from hydra_nb import Limits
from hydra_nb.domain.events import ChildRefused
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.margins import AGAIN_S, RENEW_S
from hydra_nb.risk.verdict import Decision
from hydra_nb.sim.session import Session
from tests.whole_stack import Frame, ScriptedExchange, Stack, WitnessCore, _only_asks, on_a_desk, steady

OATS = steady("370.00", "372.00")
PLACE = 3


def questions(stack: Stack) -> list[Frame]:
    """Frames that asked for margin, in order."""
    return [frame for frame in stack.core.frames if _only_asks(frame)]


def margin_of(decisions: Any) -> Decision:
    """The decision of one check."""
    [decision] = [one for one in decisions if one.check == "margin"]
    return decision


def deafen(core: WitnessCore) -> dict[str, bool]:
    """Have the gateway read no question of margin while the switch says so; orders it takes as ever."""
    switch, receive = {"deaf": True}, core.receive

    def heard(session: Session, data: bytes, now_ns: int) -> None:
        frame = Frame(time_ns=now_ns, session=0, data=data)
        if switch["deaf"] and _only_asks(frame):
            core.frames.append(frame)
        else:
            receive(session, data, now_ns)

    core.receive = heard  # type: ignore[method-assign]
    return switch


def test_a_preview_asks_once_and_its_orders_not_each() -> None:
    """Five slices and their modifies share the answer, which is renewed every ten minutes while it is used."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", strategy="twap", slices=5, duration="50m")
        asked = questions(stack)
        again = await stack.desk.preview("BUY", 12, "ZO", strategy="twap", slices=5, duration="50m")

        execution = await (await stack.desk.submit(plan))

        assert execution.status is ParentStatus.FILLED
        assert len(asked) == 1
        assert margin_of(plan.decisions).allowed
        assert margin_of(again.decisions).allowed
        times = [frame.time_ns for frame in questions(stack)]
        assert 2 <= len(times) <= 1 + 3_000 // RENEW_S
        assert all(later - time >= RENEW_S * NS_PER_S for time, later in itertools.pairwise(times))
        assert len(stack.core.placed()) > len(times)

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_too_much_margin_is_refused_with_the_lots_that_fit() -> None:
    """Eight in a hundred of its value for each lot, and no more than a share of the equity."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", strategy="twap", slices=5, duration="50m")
        decision = margin_of(plan.decisions)
        assert not decision.allowed
        assert not decision.transient
        assert decision.observed is not None
        assert decision.observed > decision.limit == 1.0
        most = int(decision.would_pass or 0)
        assert 0 < most < 13

        less = await stack.desk.preview("BUY", most, "ZO", strategy="twap", slices=1, duration="10m")
        more = await stack.desk.preview("BUY", most + 1, "ZO", strategy="twap", slices=1, duration="10m")

        assert margin_of(less.decisions).allowed
        assert not margin_of(more.decisions).allowed
        execution = await (await stack.desk.submit(plan))
        assert (execution.status, stack.core.placed()) == (ParentStatus.REFUSED, [])

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS), limits=Limits(max_margin_percent_of_equity=1.0))


def test_without_an_answer_the_preview_says_so_and_the_order_waits_for_one() -> None:
    """Nothing leaves while the margin is not known; once it is, the order runs by itself."""

    async def scenario(stack: Stack) -> None:
        switch = deafen(stack.core)
        began_ns = stack.desk.now_ns()

        plan = await stack.desk.preview("BUY", 2, "ZO", strategy="twap", slices=1, duration="10m")
        waited_s = (stack.desk.now_ns() - began_ns) / NS_PER_S
        decision = margin_of(plan.decisions)
        execution = await stack.desk.submit(plan)
        await stack.sleep(60)

        assert waited_s == pytest.approx(5, abs=1)
        assert (decision.allowed, decision.transient) == (False, True)
        assert "the broker has not answered" in decision.message
        assert execution.status.is_waited_for
        assert stack.core.placed() == []
        assert {one.check for one in stack.journalled(ChildRefused)} == {"margin"}
        times = [frame.time_ns for frame in questions(stack)]
        assert len(times) > 3
        assert all(later - time >= AGAIN_S * NS_PER_S for time, later in itertools.pairwise(times))

        switch["deaf"] = False
        await stack.until(lambda: bool(stack.core.placed()), within_s=20)
        await execution
        assert execution.filled_lots == 2

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_a_snapshot_scales_the_answer_to_the_lots_of_each_order() -> None:
    """A child is held to its own share of the change, on top of what the account uses by then."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 10, "ZO", strategy="twap", slices=2, duration="20m")
        whole = margin_of(plan.decisions).observed
        execution = await (await stack.desk.submit(plan))

        decisions = execution.decisions
        shares = decisions[(decisions["check"] == "margin") & (decisions["action"] == "place")]["observed"].tolist()

        assert whole is not None
        assert len(shares) == 2
        assert shares[0] == pytest.approx(whole / 2, rel=0.01)
        assert shares[1] == pytest.approx(whole, rel=0.05)

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))
