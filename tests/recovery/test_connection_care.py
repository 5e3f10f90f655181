"""A connection that is degraded, lost, rolled back or about to be reset, under a whole desk."""

import asyncio
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hydra_nb.broker.keeper import HEARTBEAT_S, LONGEST_WAIT_S, wait_s
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import BrokerErrorReported, ConnectionChanged, Reconciled
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.sim import replies
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.session import Session
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, on_a_desk, steady

OATS = steady("370.00", "372.00")
LOTS = 6
NEW_YORK = ZoneInfo("America/New_York")


async def twap(stack: Stack) -> Execution:
    """6 lots in 3 slices over 30 minutes."""
    return await stack.desk.submit(
        await stack.desk.preview("BUY", LOTS, "ZO", slices=3, duration="30m", strategy="twap")
    )


async def say(stack: Stack, code: int) -> None:
    """Have the gateway send a message of its own accord."""
    for session in stack.core.sessions:
        session.send(replies.error(-1, code=code, message="as scripted", server_version=178))
    await stack.sleep(1)


@pytest.mark.parametrize("restored", [1101, 1102])
def test_nothing_that_adds_risk_is_sent_between_1100_and_the_reconciliation(restored: int) -> None:
    """A slice that falls due meanwhile waits; afterwards the desk compares first, asks for its data again, goes on."""

    async def scenario(stack: Stack) -> None:
        execution = await twap(stack)
        await stack.sleep(460)
        before, subscribed = len(stack.core.heard(3)), len(stack.core.heard(1))
        await say(stack, 1100)
        assert stack.desk.status["connection"] == "degraded"
        await stack.sleep(300)
        assert len(stack.core.heard(3)) == before
        refused = execution.decisions[~execution.decisions["allowed"]]
        assert set(refused["check"]) >= {"connection"}

        await say(stack, restored)
        await execution

        up = [e for e in stack.journalled(ConnectionChanged) if e.state is ConnectionState.UP][-1]
        compared = next(e for e in stack.journalled(Reconciled) if e.time_ns >= up.time_ns)
        after = stack.core.heard(3)[before:]
        assert after
        assert min(frame.time_ns for frame in after) >= compared.time_ns
        assert (len(stack.core.heard(1)) > subscribed) is (restored == 1101)
        assert execution.filled_lots == stack.lots_filled() == LOTS

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


@pytest.mark.parametrize("restored", [1101, 1102])
def test_a_restored_connection_of_whose_loss_nothing_was_told_is_compared_too(restored: int) -> None:
    """As by a gateway that had lost its servers before we came: what happened meanwhile is as unknown."""

    async def scenario(stack: Stack) -> None:
        before = len(stack.journalled(Reconciled))

        await say(stack, restored)
        await stack.sleep(20)

        assert len(stack.journalled(Reconciled)) == before + 1
        assert stack.desk.status["reconciled"]

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_a_lost_connection_comes_back_and_the_missed_fills_with_it() -> None:
    """The order that rests fills while nobody listens; it is booked once, and the parent ends with its lots."""

    def crossing(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 9), ("372.00", 9)) if seconds < 4 else (("369.00", 9), ("370.00", 9))

    async def scenario(stack: Stack) -> None:
        execution = await twap(stack)
        await stack.until(lambda: execution.working_lots > 0)
        for session in stack.core.sessions:
            session.closed = True
        await stack.until(lambda: stack.desk.status["connection"] == "down")
        await stack.until(lambda: stack.lots_filled() > 0)
        assert execution.filled_lots == 0

        await execution

        assert execution.filled_lots == stack.lots_filled() == LOTS
        assert (await stack.desk.reconcile()).empty

    on_a_desk(scenario, exchange=ScriptedExchange(script=crossing))


def test_attempts_to_connect_again_come_less_often_and_no_more_than_twice_a_minute() -> None:
    """10, 10, 20, then every 30 s; within any quarter of an hour no more than 32 attempts."""
    waits = [wait_s(attempts) for attempts in range(100)]

    assert waits[:5] == [HEARTBEAT_S, HEARTBEAT_S, 20.0, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_WAIT_S


class Deaf(WitnessCore):
    """A gateway that shuts the door on whoever comes, for a while."""

    is_shut = False
    knocks = 0

    def connect(self) -> Session:
        """Let in, or not."""
        session = super().connect()
        if self.is_shut:
            self.knocks += 1
            session.closed = True
        return session


def test_after_too_many_attempts_a_person_is_told_and_nobody_knocks_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The retry has a bound, and says so once."""
    monkeypatch.setattr("hydra_nb.broker.keeper.MOST_ATTEMPTS", 5)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        assert isinstance(lives.core, Deaf)
        lives.core.is_shut = True
        for session in lives.core.sessions:
            session.closed = True
        await stack.sleep(1_000)

        told = [e.message for e in stack.journalled(BrokerErrorReported) if "no more are made" in e.message]
        assert lives.core.knocks == 5
        assert len(told) == 1
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS), core=Deaf)


def test_no_order_id_is_given_twice_when_the_gateway_rolls_its_ids_back(tmp_path: Path) -> None:
    """After a restart of either side the ids go on above all that the journal knows."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", tag="first")
        lives.core.next_order_ids.clear()
        for session in lives.core.sessions:
            session.closed = True
        await stack.sleep(60)
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", tag="after a reconnection")
        lives.core.next_order_ids.clear()
        await lives.kill(stack)
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", tag="after a restart")

        ids = [order.terms.order_id for order in stack.orders()]
        assert len(ids) == 3
        assert ids == sorted(set(ids))
        assert [order.filled_lots for order in stack.orders()] == [1, 1, 1]
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_nothing_is_sent_around_the_nightly_reset() -> None:
    """From 23:40 to 23:50 in New York the gate says why; the slices that fall in between go out afterwards."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 4, "ZO", slices=4, duration="28m", strategy="twap", jitter=0)
        execution = await (await stack.desk.submit(plan))

        sent = [
            dt.datetime.fromtimestamp(frame.time_ns / 1e9, tz=dt.UTC).astimezone(NEW_YORK)
            for frame in stack.core.heard(3)
        ]
        assert [at for at in sent if (at.hour, at.minute) < (23, 40)]
        assert [at for at in sent if (at.hour, at.minute) >= (23, 50) or at.hour == 0]
        assert not [at for at in sent if dt.time(23, 40, 1) <= at.time() <= dt.time(23, 49, 59)]
        refused = execution.decisions[~execution.decisions["allowed"]].set_index("check")["message"]
        assert refused["gateway_reset"].str.contains("nightly reset").all()
        assert execution.status in (ParentStatus.FILLED, ParentStatus.PARTIAL)
        assert execution.filled_lots == stack.lots_filled()

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS, start=dt.time(22, 33)))


def test_a_half_open_connection_stops_sending_within_two_heartbeats(tmp_path: Path) -> None:
    """The gateway reads and says nothing: degraded after one beat, closed after two, and then opened again."""

    class Mute(WitnessCore):
        is_mute = False

        def receive(self, session: Session, data: bytes, now_ns: int) -> None:
            if not self.is_mute:
                super().receive(session, data, now_ns)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        assert isinstance(lives.core, Mute)
        lives.core.is_mute = True
        began = asyncio.get_running_loop().time()
        await stack.until(lambda: stack.desk.status["connection"] != "up", within_s=60)
        assert asyncio.get_running_loop().time() - began <= 2 * HEARTBEAT_S
        await stack.until(lambda: stack.desk.status["connection"] == "down", within_s=60)
        lives.core.is_mute = False

        await stack.until(lambda: bool(stack.desk.status["reconciled"]), within_s=60)

        assert (await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")).status is ParentStatus.FILLED
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=Exchange(seed=7), core=Mute)
