"""The last look at an order that comes back from the disk, on the whole stack."""

import asyncio
from typing import Any

import pytest

from hydra_nb.domain.events import ChildReserved, ChildSent, ConnectionChanged, Event, Reconciled, SendFailed
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import Receipt
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.risk.verdict import Approved
from hydra_nb.sim import replies
from hydra_nb.sim.exchange import Exchange
from tests.rehearsal.both_ways import AHEAD_NS, Wired, over_the_wire
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


INTERRUPTED = {"side": "BUY", "lots": 3, "instrument": "ZO", "strategy": "twap", "slices": 3, "duration": "30min"}


@pytest.fixture(scope="module")
def previewed() -> Wired:
    """A plan of three slices, and the market of it."""
    return over_the_wire(7, INTERRUPTED)


def _begun(previewed: Wired) -> tuple[DirectDesk, list[Event]]:
    desk = DirectDesk(
        Exchange(seed=7),
        contract=previewed.plan.parent.contract,
        limits=previewed.limits,
        statistics=(previewed.statistics,),
        ahead_ns=AHEAD_NS,
    )
    events: list[Event] = []
    desk.manager.observers.append(events.append)
    desk.run_to(previewed.watched_ns)
    desk.begin()
    desk.ask_margin(previewed.plan.parent)
    return desk, events


def _run_interrupted(desk: DirectDesk, previewed: Wired) -> str:
    """Submit and finish, as a person does who presses the stop button once and then lets it run."""
    with pytest.raises(KeyboardInterrupt):
        desk.finish(desk.submit(previewed.plan))
    [parent_id] = desk.manager.ledger.parents
    desk.finish(parent_id)
    desk.close()
    return parent_id


def test_an_interrupt_on_the_way_to_the_disk_releases_the_reservation(previewed: Wired) -> None:
    """Nothing was sent, so that the slice tries anew; an order that stayed reserved would hold its lots up."""
    desk, events = _begun(previewed)
    seal = desk.record.seal

    async def interrupted(_seq: int, _content_hash: str) -> Receipt:
        desk.record.seal = seal  # type: ignore[method-assign]
        raise KeyboardInterrupt

    desk.record.seal = interrupted  # type: ignore[method-assign]
    parent_id = _run_interrupted(desk, previewed)

    [failure] = [event for event in events if isinstance(event, SendFailed)]
    first, *_ = (event.child.order_ref for event in events if isinstance(event, ChildReserved))
    assert failure.order_ref == first
    assert desk.broker.exchange.orders_since(0)[0].terms.order_ref != first
    assert desk.manager.ledger.parents[parent_id].filled_lots == 3


def test_an_order_counts_as_sent_where_an_interrupt_came_as_it_was_handed_over(previewed: Wired) -> None:
    """It may have left: it is held for an order in the market, and the broker's answers find it."""
    desk, events = _begun(previewed)
    place = desk.broker.place

    def interrupted(approved: Approved, receipt: Receipt) -> Any:
        desk.broker.place = place  # type: ignore[method-assign]
        place(approved, receipt)
        raise KeyboardInterrupt

    desk.broker.place = interrupted  # type: ignore[method-assign]
    parent_id = _run_interrupted(desk, previewed)

    first, *_ = (event.child.order_ref for event in events if isinstance(event, ChildReserved))
    assert [event for event in events if isinstance(event, SendFailed)] == []
    sent = next(event for event in events if isinstance(event, ChildSent))
    assert (sent.order_ref, sent.action) == (first, Action.PLACE)
    assert desk.manager.ledger.parents[parent_id].filled_lots == 3
    assert sum(fill.lots for fill in desk.broker.exchange.true_fills()) == 3
