"""A process ends in the middle of a parent order, and the next one takes it up."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hydra_nb.desk.execution import Execution
from hydra_nb.desk.recovery import replay
from hydra_nb.domain.events import ChildSent, Event, SliceFinished
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.journal import Journal
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager import ManagerCore
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.session import Session
from tests.recovery.lives import Lives, in_lives, order_refs
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, steady

OATS = steady("370.00", "372.00")
LOTS = 10


async def begin(lives: Lives) -> tuple[Stack, Execution]:
    """A TWAP of 10 lots in 5 slices over 50 minutes."""
    stack = await lives.open()
    plan = await stack.desk.preview("BUY", LOTS, "ZO", strategy="twap", slices=5, duration="50m")
    return stack, await stack.desk.submit(plan)


async def must_be_whole(stack: Stack, execution: Execution, *, journal: Path) -> None:
    """The parent filled exactly its lots, the market agrees, and no order was sent as new twice."""
    assert execution.filled_lots == LOTS
    assert execution.status is ParentStatus.FILLED
    assert stack.lots_filled() == LOTS
    assert int(execution.fills["lots"].sum()) == LOTS
    assert (await stack.desk.reconcile()).empty
    refs = [order.terms.order_ref for order in stack.orders()]
    assert len(refs) == len(set(refs))
    assert len(order_refs(journal)) == len(set(order_refs(journal)))
    assert not [order for order in stack.exchange.open_orders() if order.terms.order_ref]


@pytest.mark.parametrize("away_s", [1, 900])
@pytest.mark.parametrize("alive_s", [0.2, 305, 440, 715, 1000, 2600])
def test_a_twap_goes_on_where_it_was(tmp_path: Path, alive_s: float, away_s: float) -> None:
    """Killed at any time, for short or for long, it is interrupted, and resumed it ends with exactly its lots."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(alive_s)
        await lives.kill(stack)
        await asyncio.sleep(away_s)

        stack = await lives.open()
        execution = stack.desk.execution("P-0001")
        before = stack.lots_filled()
        assert execution.status is ParentStatus.INTERRUPTED
        assert await asyncio.wait_for(execution._wait(), timeout=1) is execution
        assert stack.desk.status["interrupted"] == ("P-0001",)
        await stack.until(lambda: not stack.desk.busy_parents)
        await stack.sleep(1200)
        assert stack.lots_filled() - before <= 4, "nothing but what rested may fill while it is interrupted"
        assert not stack.exchange.open_orders()

        assert await stack.desk.resume("P-0001") is execution
        assert execution.status is not ParentStatus.INTERRUPTED
        await execution

        await must_be_whole(stack, execution, journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_what_is_left_of_the_schedule_moves_by_the_time_that_it_stood(tmp_path: Path) -> None:
    """From the last sign of life to the resumption, and the frames show it."""

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        planned = execution.slices["start"]
        await stack.sleep(700)
        await lives.kill(stack)
        await asyncio.sleep(5_000)

        stack = await lives.open()
        await stack.desk.resume("P-0001")
        execution = await stack.desk.execution("P-0001")

        moved = (execution.slices["start"] - planned).dt.total_seconds()
        assert moved.iloc[0] == 0
        assert moved.iloc[2:].nunique() == 1
        assert 5_000 <= moved.iloc[2] <= 5_040
        sent = (execution.slices["sent"] - execution.slices["start"]).dt.total_seconds()
        assert (sent.iloc[2:] < 1).all()
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_an_interrupted_parent_can_be_abandoned(tmp_path: Path) -> None:
    """It ends as cancelled with the reason in words, and cannot be resumed any more."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(700)
        await lives.kill(stack)
        await asyncio.sleep(60)

        stack = await lives.open()
        execution = await stack.desk.abandon("P-0001", reason="the market has moved")

        assert execution.status is ParentStatus.CANCELLED
        assert "the market has moved" in execution.reason
        assert execution.filled_lots == stack.lots_filled()
        assert not stack.exchange.open_orders()
        with pytest.raises(InvalidOrder, match="P-0001 is cancelled; there is nothing to resume"):
            await stack.desk.resume("P-0001")
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


class LosesPlaces(WitnessCore):
    """A gateway that is gone just before it reads the second order."""

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Act on everything but that order."""
        if b":P-0001:2:1\0" not in data:
            super().receive(session, data, now_ns)


def second_send() -> Callable[[Event], bool]:
    """Tell the second order that was handed to the socket."""
    seen: list[Event] = []

    def holds(event: Event) -> bool:
        if isinstance(event, ChildSent) and event.action is Action.PLACE:
            seen.append(event)
        return len(seen) == 2

    return holds


@pytest.mark.parametrize("core", [WitnessCore, LosesPlaces], ids=["sent", "lost on its way"])
def test_an_order_that_was_perhaps_sent_stays_reserved_until_it_is_proven_dead(tmp_path: Path, core: type) -> None:
    """The disk holds the intent and nothing of its sending: its lots are not placed again before the proof."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        kept = lives.keep_at(stack, second_send())
        await stack.until(lambda: bool(kept))
        await lives.kill(stack, kept=kept[0])
        await asyncio.sleep(2)

        stack = await lives.open()
        execution = stack.desk.execution("P-0001")
        second = stack.manager.ledger.orders[order_refs(lives.journal)[1]]
        assert second.sent_ns is None
        await stack.desk.resume("P-0001")
        await execution

        third = next(e for e in stack.journalled(ChildSent) if e.order_ref.endswith(":2:2"))
        ended_ns = next(s.time_ns for s in stack.journalled(SliceFinished) if s.slice == 2)
        assert third.time_ns < ended_ns
        if core is LosesPlaces:
            assert third.time_ns >= second.expires_ns
        await must_be_whole(stack, execution, journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS), core=core)


def test_fills_made_while_away_are_fetched_and_counted(tmp_path: Path) -> None:
    """What rested at the kill filled before its expiry; nothing of it is sent again."""

    def crossing(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 760 else (("369.00", 5), ("370.00", 5))

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.until(lambda: len(stack.orders()) == 2)
        before = stack.lots_filled()
        await stack.sleep(1)
        await lives.kill(stack)
        await asyncio.sleep(300)
        assert stack.lots_filled() > before

        stack = await lives.open()
        execution = stack.desk.execution("P-0001")
        assert execution.filled_lots == stack.lots_filled()
        assert stack.desk.breaks.empty
        await stack.desk.resume("P-0001")

        await must_be_whole(stack, await execution, journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=crossing))


def test_a_desk_closed_with_its_orders_left_interrupts_them_too(tmp_path: Path) -> None:
    """``working="expire"``: waits end, the order stays in the market until its expiry, and the next desk goes on."""

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        waiting = asyncio.ensure_future(execution._wait())
        await stack.until(lambda: execution.working_lots > 0)
        await stack.desk.close("expire")

        assert (await asyncio.wait_for(waiting, timeout=1)).status is ParentStatus.INTERRUPTED
        assert len(stack.exchange.open_orders()) == 1
        assert not stack.core.heard(4)
        await asyncio.sleep(30)

        stack = await lives.open()
        await stack.until(lambda: not stack.desk.busy_parents)
        assert not stack.exchange.open_orders()
        assert stack.core.heard(4)
        await stack.desk.resume("P-0001")
        await must_be_whole(stack, await stack.desk.execution("P-0001"), journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_three_lives_are_as_good_as_one(tmp_path: Path) -> None:
    """Killed again while it was interrupted, and again after it was resumed."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(650)
        await lives.kill(stack)
        await asyncio.sleep(10)
        stack = await lives.open()
        await stack.sleep(3)
        await lives.kill(stack)
        await asyncio.sleep(10)
        stack = await lives.open()
        await stack.desk.execution("P-0001").resume()
        await stack.sleep(500)
        await lives.kill(stack)
        await asyncio.sleep(400)

        stack = await lives.open()
        await stack.desk.resume("P-0001")

        await must_be_whole(stack, await stack.desk.execution("P-0001"), journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


@pytest.mark.parametrize("away_s", [1, 900])
def test_an_interrupted_parent_outlives_a_second_crash_with_nothing_in_the_market(
    tmp_path: Path, away_s: float
) -> None:
    """It is not interrupted anew, and resumed it does not wait for a timer of the process before."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(305)
        await lives.kill(stack)
        stack = await lives.open()
        await stack.until(lambda: not stack.desk.busy_parents)
        await lives.kill(stack)
        await asyncio.sleep(away_s)

        stack = await lives.open()
        execution = await stack.desk.resume("P-0001")
        await asyncio.wait_for(execution._wait(), timeout=4 * 3600)

        await must_be_whole(stack, execution, journal=lives.journal)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_a_kill_closes_an_interrupted_parent(tmp_path: Path) -> None:
    """Nothing of it can go on after the kill, also once the desk is armed again."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(650)
        await lives.kill(stack)
        stack = await lives.open()

        await stack.desk.kill("enough")

        assert stack.desk.execution("P-0001").status is ParentStatus.CANCELLED
        assert not stack.exchange.open_orders()
        await stack.desk.rearm("again")
        with pytest.raises(InvalidOrder):
            await stack.desk.resume("P-0001")
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_the_journal_of_several_lives_folds_to_the_ledger_in_memory(tmp_path: Path) -> None:
    """Replaying it gives the very orders and parents, also in one go, and its chain of hashes verifies."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.sleep(650)
        await lives.kill(stack)
        await asyncio.sleep(100)
        stack = await lives.open()
        await stack.desk.resume("P-0001")
        await stack.desk.execution("P-0001")
        journal, ledger = stack.desk._rooms.journal, stack.manager.ledger

        again = Ledger()
        core = ManagerCore(journal_id=journal.journal_id)
        for _, event in journal.events():
            again.apply(event)
            core.step(event, event.time_ns)

        journal.verify()
        assert core.running == stack.manager.core.running == ()
        assert core.ledger.orders == ledger.orders
        assert (again.orders, again.parents, again.others_lots) == (ledger.orders, ledger.parents, ledger.others_lots)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=Exchange(seed=7))


def test_a_core_that_knows_who_is_over_is_the_core_that_was_told_everything(tmp_path: Path) -> None:
    """What a recovery passes over changes no order, no parent and no decision that is still to come."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience", tag="over before the kill")
        await stack.sleep(60)
        await lives.kill(stack)
        journal = Journal.open(lives.journal, account=stack.desk.account, now_ns=1, inline=True)
        whole = ManagerCore(journal_id=journal.journal_id)
        for _, event in journal.events():
            whole.step(event, event.time_ns)
        heard: list[Event] = []

        recovered = replay(journal, hear=heard.append)

        assert recovered.running == whole.running == ("P-0001",)
        assert recovered._running == whole._running
        assert (recovered.ledger.orders, recovered.ledger.parents) == (whole.ledger.orders, whole.ledger.parents)
        assert 0 < len(heard) < len(list(journal.events()))
        journal.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))
