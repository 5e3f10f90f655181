"""The view of an execution on a real desk, with everything under it down to the embedded gateway, in virtual time."""

import re

import ipywidgets

from hydra_nb.desk.execution import Execution
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.sim import replies
from hydra_nb.widgets import ExecutionView
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

QUIET = steady("370.00", "373.50")


def words(part: ipywidgets.HTML) -> str:
    """What a part says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part.value)).strip()


async def submitted(stack: Stack, *, lots: int = 4, **how: object) -> Execution:
    """Four lots to buy in two slices of ten minutes, at work for three seconds."""
    plan = await stack.desk.preview("BUY", lots, "ZO", **({"strategy": "twap", "slices": 2, "duration": "20min"} | how))
    execution = await stack.desk.submit(plan)
    await stack.desk._rooms.clock.sleep(3)
    return execution


def test_a_view_follows_an_order_from_its_acceptance_to_its_end() -> None:
    """Working at first, with its order in the market; at the end its words, its log and its figure say what came."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack)
        view = execution.view()
        at_work = words(view.state_line), words(view.slice_view), words(view.log_view)

        await execution
        await stack.desk._rooms.clock.sleep(2)

        assert "► Working The order in the market expires at the broker at" in at_work[0]
        assert "● ○ ○ mid" in at_work[1].replace("●○○", "● ○ ○")
        assert re.search(r"Accepted, \d\d checks pass. Arrival mid 371.75.", at_work[2])
        assert execution.status.is_over
        filled = {trace.name: trace for trace in view.figure.data}["filled"]
        assert filled.y[-1] == execution.filled_lots
        assert f"{execution.filled_lots} of 4 lots filled" in words(view.progress)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_pause_and_resume_from_the_view_pull_the_order_and_move_the_end() -> None:
    """Pressed as a person does: nothing rests while it stands, and what is left moves by the pause."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack)
        view = execution.view()
        start = execution.slices["start"].iloc[1]

        view.pause_button.click()
        await stack.desk._rooms.clock.sleep(60)
        stood = execution.status, list(execution.resting), words(view.state_line)
        view.resume_button.click()
        await stack.desk._rooms.clock.sleep(3)

        assert stood[:2] == (ParentStatus.PAUSED, [])
        assert "By you. No lot is in the market, 4 are left." in stood[2]
        assert execution.status is ParentStatus.WORKING
        assert 60 <= (execution.slices["start"].iloc[1] - start).total_seconds() < 70
        assert "Resumed; what is left moved by the time it stood." in words(view.log_view)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_broker_that_lost_its_servers_is_told_from_the_first_second_until_they_are_back() -> None:
    """Code 1100: the socket stands, nothing new is sent, and what rests may fill unseen; then it goes quite down."""

    async def scenario(stack: Stack) -> None:
        def say(code: int) -> None:
            for session in stack.core.sessions:
                session.send(replies.error(-1, code=code, message="as scripted", server_version=178))

        execution = await submitted(stack)
        view = execution.view()

        say(1100)
        await stack.sleep(1)
        lost_ns = execution.unlinked_since_ns
        await stack.sleep(19)
        without_servers = words(view.state_line), words(view.header), execution.connection
        stack.desk._rooms.broker._wire._client.conn.transport.reset()
        await stack.until(lambda: execution.connection is ConnectionState.DOWN, within_s=5)
        down_since_ns, board_since_ns = execution.unlinked_since_ns, stack.desk.board().connection_since_ns
        await stack.until(lambda: execution.connection is ConnectionState.UP, within_s=60)
        await stack.sleep(2)

        assert "✕ The broker lost its link For" in without_servers[0]
        assert "Nothing new is sent. 2 lots may still fill" in without_servers[0]
        assert "✕ The broker lost its link" in without_servers[1]
        assert without_servers[2] is ConnectionState.DEGRADED
        assert lost_ns is not None
        assert down_since_ns == board_since_ns == lost_ns
        assert stack.desk.board().connection_since_ns > lost_ns
        assert execution.unlinked_since_ns is None
        assert "link" not in words(view.state_line)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_one_view_an_execution_and_none_alive_after_the_desk() -> None:
    """Made again, it closes the old; the desk's end leaves it to be read, with nothing to press."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack)
        first = execution.view()
        second = execution.view()

        await stack.desk.close()

        assert first.comm is None
        assert isinstance(second, ExecutionView)
        assert second.cancel_button.disabled
        assert second.kill_button.disabled
        assert "The desk of this view was closed." in words(second.state_line)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_what_was_not_filled_goes_into_a_ticket_and_not_to_the_market() -> None:
    """Side, lots, limit, and a tag of its own; nothing is previewed or sent by the press."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack, limit=370.25)
        view = execution.view()
        await execution
        await stack.desk._rooms.clock.sleep(2)
        sent = len(stack.core.placed())

        view.again_button.click()
        await stack.desk._rooms.clock.sleep(5)

        ticket = view.children[-1]
        fields = ticket.fields
        left = 4 - execution.filled_lots
        assert (fields.side.value, fields.lots.value, fields.limit.value) == ("BUY", left, "370.25")
        assert fields.tag.value == f"rest of {execution.parent_id}"
        assert len(stack.core.placed()) == sent
        assert len(stack.desk.executions()) == 1

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_ticket_for_the_rest_takes_the_place_of_the_one_before() -> None:
    """Asked for twice there is one, and a page can be told of it; closed from elsewhere it is gone from the view."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack)
        await execution.cancel()
        view = execution.view()
        without = len(view.children)

        view.again_button.click()
        await stack.sleep(2)
        first = view.children[-1]
        view.again_button.click()
        await stack.sleep(2)
        second, twice = view.children[-1], view.get_state(["children"])["children"]
        stack.desk.ticket(execution.parent.contract.local_symbol)
        closed = view.get_state(["children"])["children"]
        view.again_button.click()
        await stack.sleep(2)
        third = view.children[-1]
        view.close()

        assert first.comm is None
        assert second.fields.lots.value == 4
        assert len(twice) == without + 1
        assert len(closed) == without
        assert third.comm is None

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_what_a_view_asks_again_and_again_agrees_with_the_frames() -> None:
    """Resting orders, lots of slices, the revision: the same facts, told without frames."""

    async def scenario(stack: Stack) -> None:
        execution = await submitted(stack)
        before = execution.revision
        orders = stack.desk.orders()

        (resting,) = execution.resting

        assert (resting.lots, float(resting.limit_price)) == (
            orders["working_lots"].iloc[0],
            orders["limit_price"].iloc[0],
        )
        assert resting.expires_ns == orders["expires"].iloc[0].as_unit("ns").value
        assert execution.slice_lots == {1: 2, 2: 2}
        assert execution.revision == before
        await execution.cancel()
        assert execution.revision > before
        assert list(execution.resting) == []
        assert execution.finished_ns == stack.desk.executions()["finished"].iloc[0].as_unit("ns").value

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))
