"""The board of a real desk, and its view: one a desk, and what both say while an order works, is killed, and ends."""

import re
import subprocess
import sys
import warnings

from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import ParentStatus, Stage
from hydra_nb.domain.units import NS_PER_S
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

QUIET = steady("370.00", "372.00")


def words(html: str) -> str:
    """What a person reads of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_the_board_tells_what_the_frames_tell() -> None:
    """A slice at work: its lots in the market, what the position may become, when the order moves and expires."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        execution = await desk.submit(await desk.preview("BUY", 4, "ZO", slices=2, strategy="twap", tag="roll"))
        await desk._rooms.clock.sleep(5)

        board = desk.board()

        (line,), (order,), (position,) = board.parents, board.orders, board.positions
        slices, orders = execution.slices, desk.orders()
        assert (line.status, line.filled_lots, line.working_lots) == (ParentStatus.WORKING, 0, 2)
        assert line.next_slice == 2
        assert line.next_start_ns == slices["start"].iloc[1].value
        assert order.stage is Stage.MID
        assert order.expires_ns == orders["expires"].iloc[0].value
        mid_ends_ns = line.submitted_ns + round(slices["wait_mid_s"].iloc[0] * NS_PER_S)
        assert mid_ends_ns - NS_PER_S < order.stage_ends_ns <= mid_ends_ns  # an expiry is on a whole second
        assert (position.local_symbol, position.lots, position.most, position.least) == ("ZOK7", 0, 4, 0)
        assert (board.connection, board.feed, board.breaks) == (ConnectionState.UP, FeedType.LIVE, 0)
        assert board.messages == 1
        assert [one.check for one in board.breakers] == list(BreakerName)
        assert all(one.allowed for one in board.breakers)
        await execution.cancel()

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_done_parent_stays_on_the_board_with_its_fees() -> None:
    """What has filled shows under the parents that are done, its lots in the position, its fees in the day's."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        execution = await desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await desk._rooms.clock.sleep(2)

        board = desk.board()

        fills = execution.fills
        assert [line.status for line in board.parents] == [execution.status]
        assert board.parents[0].average_price == execution.average_price
        assert board.orders == ()
        assert board.positions[0].lots == execution.filled_lots
        assert float(board.fees) == fills["commission"].sum()

    on_a_desk(scenario)


def test_there_is_one_view_a_desk_and_it_outlives_neither_a_new_one_nor_the_desk() -> None:
    """Making it again closes the old; closing the desk leaves the last to be read."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        first = desk.view()
        second = desk.view()

        assert first.comm is None
        assert second.comm is not None

        await desk.close()

        assert "The desk of this view was closed." in second.state_line.value
        assert second.kill_button.disabled

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_kill_and_rearm_from_the_view() -> None:
    """One press halts all; re-arming takes a reason, and is refused in words without; the view tells all three."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        execution = await desk.submit(await desk.preview("BUY", 4, "ZO", slices=2, strategy="twap"))
        view = desk.view()
        await desk._rooms.clock.sleep(5)

        view.kill_button.click()
        await desk._rooms.clock.sleep(20)
        killed, status = words(view.alert.value), execution.status
        view.rearm_button.click()
        view.answer_button.click()
        await desk._rooms.clock.sleep(1)
        refused = words(view.alert.value)
        view.rearm_button.click()
        view.answer.value = "tried the switch"
        view.answer_button.click()
        await desk._rooms.clock.sleep(20)

        assert re.match(
            r"■ Killed \d\d:\d\d:\d\d “Kill all was pressed in the desk view”. 1 own order cancelled, 0 left.", killed
        )
        assert status is ParentStatus.CANCELLED
        assert refused == f"{killed} ✕ Not possible Re-arming needs a reason."
        assert stack.exchange.open_orders() == []
        assert desk.killed is None
        assert view.alert.value == ""

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_pausing_from_the_view_pulls_the_order_and_opening_shows_it_below() -> None:
    """The chosen parent, and no other; its own view stands under the desk's until another is opened."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one = await desk.submit(await desk.preview("BUY", 2, "ZO", strategy="limit_patience", tag="a"))
            other = await desk.submit(await desk.preview("BUY", 2, "ZO", strategy="limit_patience", tag="b"))
        view = desk.view()
        await desk._rooms.clock.sleep(5)

        view.chooser.value = one.parent_id
        view.pause_button.click()
        view.open_button.click()
        await desk._rooms.clock.sleep(10)

        assert (one.status, other.status) == (ParentStatus.PAUSED, ParentStatus.WORKING)
        assert f"{one.parent_id}, by you." in view.state_line.value
        assert len(view.opened.children) == 1
        for execution in (one, other):
            await execution.cancel()

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_view_that_a_cell_shows_anew_goes_from_the_desk_view() -> None:
    """Showing it closes the one before, and no page could draw what holds a closed one."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        execution = await desk.submit(await desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        view = desk.view()
        await desk._rooms.clock.sleep(5)
        view.chooser.value = execution.parent_id
        view.open_button.click()
        (inner,) = view.opened.children

        shown = execution.view()

        assert inner.comm is None
        assert view.opened.children == ()
        view.open_button.click()
        assert shown.comm is None
        assert len(view.opened.children) == 1
        view.close()
        await execution.cancel()

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_pick_that_arrives_after_another_order_ended_cancels_the_one_that_was_picked() -> None:
    """The page sends a place; the list has become shorter by then, and the order picked is still the one that goes."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        orders = {
            tag: await desk.submit(await desk.preview("BUY", 2, "ZO", strategy="twap", slices=2, tag=tag))
            for tag in "ABC"
        }
        view = desk.view()
        place = [parent_id for _, parent_id in view.chooser.options].index(orders["B"].parent_id)

        await orders["C"].cancel()
        await desk._rooms.clock.sleep(5)
        view.draw()
        view.chooser.set_state({"index": place})
        view.cancel_button.click()
        await desk._rooms.clock.sleep(20)

        assert {tag: one.status for tag, one in orders.items()} == {
            "A": ParentStatus.WORKING,
            "B": ParentStatus.CANCELLED,
            "C": ParentStatus.CANCELLED,
        }
        await orders["A"].cancel()

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_in_a_kernel_live_figures_are_imported_before_anything_is_traded() -> None:
    """The import takes seconds, in which no order would be looked after if the first view did it."""
    program = (
        "import asyncio, sys, ipykernel, hydra_nb\n"
        "async def main():\n"
        "    async with hydra_nb.connect(journal=':memory:'):\n"
        "        print('plotly.graph_objs._figurewidget' in sys.modules)\n"
        "asyncio.run(main())\n"
    )

    told = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=120).stdout
        for text in (program, program.replace(" ipykernel,", ""))
    ]

    assert told == ["True\n", "False\n"]
