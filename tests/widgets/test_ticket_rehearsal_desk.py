"""Rehearse in the ticket of a real desk, with everything under it, in virtual time: one plan, nothing left behind."""

import asyncio
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from hydra_nb.domain.events import ParentSubmitted, TaskFailed
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.risk.limits import Limits
from hydra_nb.widgets import OrderTicket
from hydra_nb.widgets.arming import Phase
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk

from .stories import state
from .test_ticket_desk import QUIET, made
from .test_ticket_rehearsal import shown

PATHS = 6


async def rehearsed(ticket: OrderTicket, *, paths: int = PATHS) -> Rehearsal:
    """Rehearse on a thread: quicker than processes for a few paths."""
    with ThreadPoolExecutor(1) as thread:
        found = await ticket.rehearse(paths, executor=thread)
    assert isinstance(found, Rehearsal)
    return found


def test_the_previewed_plan_is_rehearsed_and_then_sent_and_the_journal_knows_of_one_order() -> None:
    """The same id in ticket, rehearsal and journal; nothing is journalled by rehearsing, nothing sent but the plan."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        plan = await ticket.preview()
        before = len(list(stack.desk._rooms.journal.events()))

        found = await rehearsed(ticket)
        after = len(list(stack.desk._rooms.journal.events()))
        told = shown(ticket)
        ticket.arm()
        execution = await ticket.send()
        await stack.sleep(3)

        [submitted] = stack.journalled(ParentSubmitted)
        assert before == after
        assert found.rehearsed.plan_id == plan.plan_id == submitted.plan.plan_id
        assert submitted.plan == plan.terms
        assert len(found.seeds) == PATHS
        assert f"Market: {found.rehearsed.model}." in told
        assert found.rehearsed.leaves_out in told
        assert execution is not None
        assert [placed.quantity for placed in stack.core.placed()] == ["2"]

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_what_the_gate_refuses_at_preview_is_refused_in_the_rehearsal_by_the_same_check() -> None:
    """More lots than one order may have: the ticket says which check it was, and how often."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        plan = await ticket.preview()
        refusing = {one.check for one in plan.decisions if not one.allowed}

        found = await rehearsed(ticket)

        assert ticket.arming.phase is Phase.REFUSED
        assert refusing == {"parent_lots"}
        assert found.refused == {"parent_lots": PATHS}
        assert f"Lots, parent refused, or ended, {PATHS} of {PATHS} paths." in shown(ticket)
        assert stack.core.placed() == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET), limits=Limits(max_lots_per_parent=3))


def test_an_equal_order_of_the_day_is_rehearsed_as_a_second_one_and_the_ticket_says_so() -> None:
    """A new plan after Send: the first counts as sent, and what is shown is of another beside it."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        ticket.arm()
        await ticket.send()
        ticket.new_plan()
        await ticket.preview()

        await rehearsed(ticket)

        assert "An equal order of today, P-0001, counts as sent" in shown(ticket)
        assert len(stack.journalled(ParentSubmitted)) == 1

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_what_cannot_be_rehearsed_is_said_in_words() -> None:
    """A wish that is refused: no failure, and no stack trace."""

    async def scenario(stack: Stack) -> None:
        ticket = await made(stack)
        await ticket.preview()
        ticket.paths = 0

        ticket.buttons.rehearse.click()
        await stack.until(lambda: "Not rehearsed" in state(ticket), within_s=60)

        assert "Not rehearsed: n=0 paths; give a whole number from 1 to 100,000" in state(ticket)
        assert stack.journalled(TaskFailed) == []

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


@pytest.mark.parametrize("gesture", ["edit", "close the desk"])
def test_what_ends_it_leaves_no_process(gesture: str) -> None:
    """Pressed in the ticket, so that the desk holds its task; its processes are gone when the task is."""

    async def scenario(stack: Stack) -> tuple[list[str], int, OrderTicket]:
        ticket = await made(stack)
        begun, tell = asyncio.Event(), ticket._run._tell

        def heard() -> None:
            tell()
            if ticket._run.done:
                begun.set()

        ticket._run._tell = heard
        ticket.buttons.rehearse.click()
        await begun.wait()
        during = [child.name for child in multiprocessing.active_children()]
        if gesture == "edit":
            ticket.fields.lots.value = 3
            await ticket._run.ended()
        else:
            await stack.desk.close()
        return during, len(multiprocessing.active_children()), ticket

    during, after, ticket = on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))

    assert during
    assert after == 0
    assert ticket.rehearsal is None
    assert shown(ticket) == ""
    assert 0 < ticket._run.done < ticket._run.total == 1000
