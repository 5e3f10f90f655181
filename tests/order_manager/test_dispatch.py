"""The last look at an order that comes back from the disk, on the whole stack."""

import asyncio

from hydra_nb.domain.events import ChildReserved, ChildSent, ConnectionChanged, Reconciled, SendFailed
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim import replies
from tests.whole_stack import ScriptedExchange, Side, Stack, on_a_desk, steady

LOST, RESTORED = 1100, 1102


def test_a_connection_that_came_back_while_the_order_was_on_its_way_is_compared_first() -> None:
    """The connection is up again when the disk has the order, but what happened meanwhile is not known yet."""

    async def scenario(stack: Stack) -> None:
        writer = stack.desk._rooms.journal._writer
        commit = writer.commit
        back_up = asyncio.Event()

        async def commit_late() -> None:
            await commit()
            if stack.journalled(ChildReserved):
                await back_up.wait()

        def look(event: object, _actions: object) -> None:
            if isinstance(event, ConnectionChanged) and event.state is ConnectionState.UP:
                back_up.set()

        plan = await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience")
        writer.commit = commit_late
        stack.manager.on_step = look
        execution = await stack.desk.submit(plan)
        await stack.until(lambda: bool(stack.journalled(ChildReserved)))

        for code in (LOST, RESTORED):
            for session in stack.core.sessions:
                session.send(replies.error(-1, code=code, message="as scripted", server_version=178))
            await stack.sleep(1)
        await execution

        [failure] = stack.journalled(SendFailed)
        up_ns = stack.journalled(ConnectionChanged)[-1].time_ns
        compared = next(event for event in stack.journalled(Reconciled) if event.time_ns >= up_ns)
        assert failure.reason == "ledger and broker are not reconciled"
        assert all(sent.time_ns >= compared.time_ns for sent in stack.journalled(ChildSent))
        assert stack.core.placed()[0].order_ref != failure.order_ref
        assert execution.status is ParentStatus.FILLED
        assert execution.filled_lots == stack.lots_filled() == 2

    on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))


def test_a_day_begins_anew_for_an_equity_that_did_not_move_overnight() -> None:
    """A flat account keeps its equity: what it lost yesterday must not hold it up today."""

    def script(seconds: float) -> tuple[Side, Side]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 600 else (("350.00", 5), ("352.00", 5))

    async def scenario(stack: Stack) -> tuple[float, float]:
        async def loss() -> float:
            risk = (await stack.desk.preview("BUY", 1, "ZO")).risk
            return float(risk.set_index("check").loc["daily_loss", "observed"])

        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: (stack.desk.now_ns() - stack.exchange.start_ns) / NS_PER_S > 900)
        today = await loss()
        await stack.sleep(86_400)
        return today, await loss()

    today, tomorrow = on_a_desk(scenario, exchange=ScriptedExchange(script=script))

    assert today > 1_500  # two lots fell by twenty cents, 1,000 dollars each
    assert tomorrow == 0.0
