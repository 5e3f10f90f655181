"""The ticket on a real desk, with everything under it down to the embedded gateway, in virtual time."""

from decimal import Decimal

import pytest

from hydra_nb.domain.orders import ParentStatus
from hydra_nb.risk.limits import Limits
from hydra_nb.widgets import OrderTicket
from hydra_nb.widgets.arming import Phase
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

from .stories import state, words

BID, ASK = "370.00", "373.50"
QUIET = steady(BID, ASK)


async def made(stack: Stack, *, lots: int = 4, limit: str = "") -> OrderTicket:
    """A ticket with lots to buy in two slices, its contract looked up."""
    ticket = stack.desk.ticket("ZO")
    await stack.desk._rooms.clock.sleep(5)
    fields = ticket.fields
    fields.side.value, fields.lots.value, fields.limit.value = "BUY", lots, limit
    fields.strategy.value, fields.slices.value, fields.duration.value = "twap", 2, "20min"
    return ticket


def test_an_order_goes_from_the_ticket_to_the_market_once() -> None:
    """Preview, arm, send: one parent at the gateway; a second send gives the same, and sends nothing."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)

        plan = await ticket.preview()
        unarmed = await ticket.send()
        armed = ticket.arm()
        execution = await ticket.send()
        again = await ticket.send()
        await stack.desk._rooms.clock.sleep(3)

        assert plan is not None
        assert plan.passes
        assert unarmed is None
        assert armed
        assert execution is again is ticket.execution
        assert len(stack.desk.executions()) == 1
        assert [placed.quantity for placed in stack.core.placed()] == ["2"]
        assert f"as {execution.parent_id}; nothing was sent." in state(ticket)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_the_same_order_again_gives_the_first_and_says_so() -> None:
    """A new plan of an equal order of the day is refused at preview already; nothing is sent a second time."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        ticket.arm()
        await ticket.send()

        ticket.new_plan()
        await ticket.preview()
        ticket.arm()
        await ticket.send()

        assert len(stack.desk.executions()) == 1
        assert ticket.arming.phase is Phase.REFUSED
        assert "Arm is off:" in state(ticket)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_before_a_preview_the_market_of_the_desk_is_told() -> None:
    """Spread, ADV, position after, session, and the list of names with the months looked up."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        contract = await stack.desk.instrument("ZO")

        quote, options = words(ticket.quote_view.value), ticket.fields.instrument.options

        assert "370.00 × " in quote
        assert "14 ticks = $175" in quote
        assert "0 → +4 lots" in quote
        assert "13:20 in 4 h 1" in quote
        assert f"{stack.desk.adv_lots(contract):,.0f} lots" in quote
        assert "ZO Oats, CBOT" in [" ".join(option.split()) for option in options]
        assert any(option.startswith(contract.local_symbol) for option in options)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


@pytest.mark.parametrize(
    ("side", "limit", "use"),
    [
        ("BUY", "360.00", "368.00"),  # 366.25 would pass, 1.5 % below the mid of 371.75; half a spread is 1.75
        ("SELL", "385.00", "375.50"),  # 377.25 would pass
    ],
)
def test_the_value_of_a_use_button_passes(side: str, limit: str, use: str) -> None:
    """A limit too far from the mid: the gate refuses, the button enters a price with room, and it passes."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack, limit=limit)
        ticket.fields.side.value = side
        await ticket.preview()
        refused = ticket.arming.phase
        (button,) = ticket.plan_pane.use_buttons

        button.click()
        plan = await ticket.preview()

        assert refused is Phase.REFUSED
        assert button.description == f"Use {use}"
        assert plan is not None
        assert plan.passes
        assert plan.parent.limit == Decimal(use)
        assert ticket.arm()

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_too_many_lots_are_brought_down_to_what_all_checks_allow() -> None:
    """Several checks may refuse lots: each button enters the lots that pass them all."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack, lots=40)
        await ticket.preview()
        labels = {button.description for button in ticket.plan_pane.use_buttons}

        ticket.plan_pane.use_buttons[0].click()
        plan = await ticket.preview()

        assert len(labels) == 1
        assert plan is not None
        assert plan.passes
        assert labels == {f"Use {plan.parent.lots} lots"}

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET), limits=Limits(max_lots_per_parent=30))


def test_a_market_that_moves_away_disarms_before_anything_is_sent() -> None:
    """The mid leaves the range that was shown while armed: the plan is not sent."""

    def moves(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 5), ("373.50", 5)) if seconds < 60 else (("380.00", 5), ("383.50", 5))

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        armed = ticket.arm()

        await stack.desk._rooms.clock.sleep(90)
        sent = await ticket.send()

        assert armed
        assert sent is None
        assert ticket.arming.phase is Phase.DISARMED
        assert "Disarmed: mid rose to 381.75, outside 366.25 – 377.25. Preview again." in state(ticket)
        assert stack.core.placed() == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=moves))


def test_a_kill_disarms_and_closing_the_desk_leaves_the_ticket_to_be_read() -> None:
    """After a kill nothing is sent; after the desk is closed nothing can be pressed."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        ticket.arm()

        await stack.desk.kill("wrong contract")
        sent = await ticket.send()
        await stack.desk._rooms.clock.sleep(2)
        told = state(ticket)
        await stack.desk.close()

        assert sent is None
        assert "■ Killed" in told
        assert "“wrong contract”" in told
        assert stack.core.placed() == []
        assert all(control.disabled for control in (*ticket.fields.all, *ticket.buttons.all, ticket.kill_button))

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_an_order_that_is_over_is_told_so_in_the_ticket() -> None:
    """The sent state follows the parent to its end, also where the page's kernel was busy with other things."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack, lots=2)
        await ticket.preview()
        ticket.arm()
        execution = await ticket.send()
        assert execution is not None

        await stack.desk._rooms.clock.sleep(30 * 60)
        ticket.draw()

        assert execution.status in (ParentStatus.FILLED, ParentStatus.PARTIAL)
        assert f"Parent {execution.parent_id} is over: {execution.status}." in state(ticket)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_an_order_that_the_gate_refuses_at_the_last_is_not_told_as_sent() -> None:
    """The plan passed when it was armed; a limit was tightened since, and no message has left."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        armed = ticket.arm()

        await stack.desk.set_limits({"max_lots_per_order": 1})
        execution = await ticket.send()
        await stack.desk._rooms.clock.sleep(3)

        assert armed
        assert execution is not None
        assert execution.status is ParentStatus.REFUSED
        assert stack.core.placed() == []
        told = state(ticket)
        assert "✕ Refused 09:00:" in told
        assert "✓" not in told
        assert f"Parent {execution.parent_id} was refused: " in told
        assert "Nothing was sent; make a new plan." in told

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))
