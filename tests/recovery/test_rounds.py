"""Ledger and broker are compared unasked: on a timer, after a session, at the end, and where a position moves."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from hydra_nb.domain.events import (
    ChildSent,
    ContractLocked,
    ContractUnlocked,
    DeathProbed,
    ExecutionReported,
    PositionAdopted,
    PositionReported,
    Reconciled,
)
from hydra_nb.domain.orders import OrderState, ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.reconcile.rounds import CLOSE_MARGIN_S, PERIOD_S, WATCH_S
from hydra_nb.risk.limits import Limits
from hydra_nb.sim import replies
from hydra_nb.sim.records import Executed, OrderChanged, SimSide
from tests.recovery.lives import Lives, in_lives
from tests.simulation.scenario import WIDE_LIMITS
from tests.whole_stack import SERVER_VERSION, ScriptedExchange, Stack, WitnessCore, on_a_desk, steady

OATS = steady("370.00", "372.00")
HOUR_S = 3600.0
ALARM_S = 5.0
COMPLETED, POSITIONS, EXECUTIONS, OPEN_ORDERS = 99, 61, 7, 16
QUESTIONS = (COMPLETED, POSITIONS, EXECUTIONS, OPEN_ORDERS)


def live(story: Callable[[Lives], Awaitable[None]], folder: Path, **how: object) -> None:
    """Run a story on a book that never changes."""
    in_lives(story, folder=folder, **{"exchange": ScriptedExchange(script=OATS), **how})  # type: ignore[arg-type]


def asked(stack: Stack) -> Counter[int]:
    """How often each question of a comparison has come to the gateway."""
    return Counter({kind: len(stack.core.heard(kind)) for kind in QUESTIONS})


def to_lock_s(stack: Stack) -> float:
    """Seconds from the frame that showed a position without a fill to the lock of its contract."""
    [locked] = stack.journalled(ContractLocked)
    moved = [event for event in stack.journalled(PositionReported) if event.con_id == locked.con_id]
    return (locked.time_ns - moved[-1].time_ns) / NS_PER_S


def tell_all(stack: Stack, code: int) -> None:
    """Have the gateway send a message of its own accord."""
    for session in stack.core.sessions:
        session.send(replies.error(-1, code=code, message="as scripted", server_version=SERVER_VERSION))


# The timer


def test_an_hour_with_nothing_to_do_costs_48_frames() -> None:
    """Twelve comparisons of four questions each, and none of them finds anything."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.instrument("ZO")
        await stack.sleep(1)
        before, compared = asked(stack), len(stack.journalled(Reconciled))

        await stack.sleep(HOUR_S)

        rounds = round(HOUR_S / PERIOD_S)
        assert asked(stack) - before == Counter(dict.fromkeys(QUESTIONS, rounds))
        told = stack.journalled(Reconciled)[compared:]
        assert [event.message for event in told] == ["ledger and broker agree"] * rounds
        times = [event.time_ns for event in told]
        gaps_s = [(later - one) / NS_PER_S for one, later in pairwise(times)]
        assert all(PERIOD_S <= gap <= PERIOD_S + WATCH_S for gap in gaps_s)

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


@pytest.mark.parametrize("latency_s", [0.0005, 0.5])
def test_the_desk_counts_as_reconciled_while_it_asks(tmp_path: Path, latency_s: float) -> None:
    """A comparison under way holds up no order, also where each answer takes long."""

    async def story(lives: Lives) -> None:
        stack = await lives.open(latency_s=latency_s)
        ledger = stack.manager.ledger
        was: set[bool] = set()
        stack.manager.observers.append(lambda _: was.add(ledger.reconciled))

        execution = await stack.desk.execute("BUY", 6, "ZO", strategy="twap", slices=3, duration="30m")

        assert len(stack.journalled(Reconciled)) >= 30 * 60 / PERIOD_S
        assert was == {True}
        assert execution.status is ParentStatus.FILLED
        assert execution.decisions["allowed"].all()
        await stack.desk.close()

    live(story, tmp_path)


def test_nothing_is_compared_while_the_link_is_degraded() -> None:
    """Nobody would answer; whoever brings the link back compares."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.instrument("ZO")
        compared = len(stack.journalled(Reconciled))
        tell_all(stack, 1100)

        await stack.sleep(3 * PERIOD_S)

        assert stack.desk.status["connection"] == "degraded"
        assert len(stack.journalled(Reconciled)) == compared
        tell_all(stack, 1102)
        await stack.sleep(2)
        assert len(stack.journalled(Reconciled)) == compared + 1

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


class FlapsAfterAnswers(WitnessCore):
    """A gateway that loses its servers, and finds them again, right after it listed the open orders."""

    meanwhile: Callable[[], None] | None = None

    def _answer(self, session, request, now_ns) -> None:  # type: ignore[no-untyped-def]
        """Once, where something is to happen meanwhile; the client reads all of it at once."""
        super()._answer(session, request, now_ns)
        if type(request).__name__ == "OpenOrdersQuery" and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            session.send(replies.error(-1, code=1100, message="lost", server_version=SERVER_VERSION))
            meanwhile()
            session.send(replies.error(-1, code=1102, message="restored", server_version=SERVER_VERSION))


def test_a_comparison_that_began_before_the_link_was_lost_is_none_of_what_came_after(tmp_path: Path) -> None:
    """Its answers were true before: nothing is sent, and what others did meanwhile is taken as given, by a new look."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience")
        core = lives.core
        assert isinstance(core, FlapsAfterAnswers)
        core.meanwhile = lambda: lives.of_others(stack, side=SimSide.BUY, lots=2, price="372.00")

        await stack.desk.reconcile()
        await stack.desk.submit(plan)
        await stack.sleep(30)

        [found] = stack.journalled(PositionAdopted)
        assert found.others_lots == 2
        assert "while this desk was away" in found.reason
        assert not stack.journalled(ContractLocked)
        [sent, *_] = stack.journalled(ChildSent)
        assert sent.time_ns >= found.time_ns
        await stack.desk.close()

    live(story, tmp_path, core=FlapsAfterAnswers)


def test_the_end_of_a_session_of_what_was_traded_is_compared_on(tmp_path: Path) -> None:
    """A minute after the close, whenever the timer had its last turn."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        contract = execution.parent.contract
        closes_ns = contract.closes_ns(stack.desk.now_ns())
        assert closes_ns is not None
        # Brings the timer's turn to just before the close: the next by the timer alone would be five minutes later.
        await stack.sleep((closes_ns - stack.desk.now_ns()) / NS_PER_S - 10)
        await stack.desk.reconcile()
        before = len(stack.journalled(Reconciled))

        await stack.sleep(10 + CLOSE_MARGIN_S + WATCH_S)

        [told] = stack.journalled(Reconciled)[before:]
        assert CLOSE_MARGIN_S <= (told.time_ns - closes_ns) / NS_PER_S <= CLOSE_MARGIN_S + WATCH_S
        await stack.desk.close()

    live(story, tmp_path)


def test_the_last_comparison_is_at_the_close_of_the_desk(tmp_path: Path) -> None:
    """What others did a moment before shows in `desk.breaks` of the closed desk, and is in its journal."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        lives.of_others(stack, side=SimSide.SELL, lots=1, price="370.00")

        await stack.desk.close()

        [found] = stack.desk.breaks.to_dict("records")
        assert (found["kind"], found["ours"], found["brokers"], found["resolved"]) == ("position", 2.0, 1.0, False)
        assert [event.local_symbol for event in stack.journalled(ContractLocked)] == [found["local_symbol"]]

    live(story, tmp_path)


def test_a_desk_without_a_link_closes_without_a_comparison(tmp_path: Path) -> None:
    """Nobody would answer; the journal is closed all the same."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        for session in lives.core.sessions:
            session.closed = True
        await stack.until(lambda: stack.desk.status["connection"] == "down")
        compared = len(stack.journalled(Reconciled))

        path = await stack.desk.close()

        assert path is not None
        assert len(stack.journalled(Reconciled)) == compared

    live(story, tmp_path)


# A position that moves without our fills


@pytest.mark.parametrize("latency_s", [0.0005, 0.3])
def test_a_trade_by_hand_locks_its_contract_within_five_seconds(tmp_path: Path, latency_s: float) -> None:
    """From the frame that shows the position to the lock; what rests is cancelled and the parent needs a person."""

    async def story(lives: Lives) -> None:
        stack = await lives.open(latency_s=latency_s)
        plan = await stack.desk.preview("BUY", 4, "ZO", strategy="twap", slices=2, duration="20m")
        execution = await stack.desk.submit(plan)
        await stack.until(lambda: execution.working_lots > 0)

        lives.of_others(stack, side=SimSide.SELL, lots=3, price="369.00")
        await execution

        assert to_lock_s(stack) <= ALARM_S
        assert execution.status is ParentStatus.NEEDS_HUMAN
        assert not stack.exchange.open_orders()
        await stack.desk.close()

    live(story, tmp_path)


class LosesExecutions(WitnessCore):
    """A gateway whose news of executions, and of orders that fill, is lost; questions it answers."""

    def _route_execution(self, event: Executed) -> None:
        """Say nothing."""

    def _route_order(self, event: OrderChanged) -> None:
        """Say nothing of filled lots."""
        if not event.order.filled_lots:
            super()._route_order(event)


def test_a_lost_execution_is_found_by_the_position_that_it_moved(tmp_path: Path) -> None:
    """The position is told, the fill is not: the desk asks at once, books the fill, and nothing is locked."""

    def crossing(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 60 else (("369.00", 5), ("370.00", 5))

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))

        await stack.until(lambda: stack.lots_filled() == 2)
        await stack.sleep(ALARM_S)

        [booked] = stack.journalled(ExecutionReported)
        [moved] = stack.journalled(PositionReported)
        assert (booked.time_ns - moved.time_ns) / NS_PER_S <= 1.0
        assert execution.filled_lots == 2
        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=crossing), core=LosesExecutions)


class TellsFillsLate(WitnessCore):
    """A gateway that tells of executions three seconds after their positions; questions it answers at once."""

    def _route_execution(self, event: Executed) -> None:
        """Later."""
        asyncio.get_running_loop().call_later(3.0, super()._route_execution, event)


def test_a_position_that_comes_before_its_execution_locks_nothing(tmp_path: Path) -> None:
    """A fill whose news is three seconds late is asked for, and explains the position."""

    def crossing(seconds: float) -> tuple[tuple[str, int], tuple[str, int]]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 60 else (("369.00", 5), ("370.00", 5))

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")

        await stack.sleep(10)

        assert execution.status is ParentStatus.FILLED
        assert not stack.journalled(ContractLocked)
        assert not stack.desk.locked
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=crossing), core=TellsFillsLate)


def test_a_difference_that_shows_in_two_looks_only_locks_nothing(tmp_path: Path) -> None:
    """Somebody bought and sold back within three seconds: the position is as it was."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        lives.of_others(stack, side=SimSide.BUY, lots=1, price="372.00")
        await stack.sleep(2.5)
        lives.of_others(stack, side=SimSide.SELL, lots=1, price="370.00")

        await stack.sleep(2 * PERIOD_S)

        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    live(story, tmp_path)


def test_what_others_trade_in_a_contract_of_their_own_is_taken_as_given(tmp_path: Path) -> None:
    """Neither watched nor worked here: shown and journalled at the next comparison, and no reason to stop."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.instrument("ZO")
        palladium = next(one.con_id for one in stack.exchange.listings if one.symbol == "PA")
        stack.exchange.watch(palladium, stack.desk.now_ns())
        lives.of_others(stack, side=SimSide.BUY, lots=2, price="372.00", con_id=palladium)

        await stack.sleep(PERIOD_S + WATCH_S)

        [found] = stack.desk.breaks.to_dict("records")
        assert (found["kind"], found["brokers"], found["resolved"]) == ("position", 2.0, True)
        assert "in a contract that this desk neither watches nor works" in found["message"]
        assert [event.others_lots for event in stack.journalled(PositionAdopted)] == [2]
        assert not stack.journalled(ContractLocked)
        await stack.desk.close()

    live(story, tmp_path)


# Orders at work


class HidesAnOrder(WitnessCore):
    """A gateway that leaves one open order out of its next answers."""

    hidden = 0

    def _answer(self, session, request, now_ns) -> None:  # type: ignore[no-untyped-def]
        """Leave out what is to be hidden."""
        if type(request).__name__ == "OpenOrdersQuery" and self.hidden:
            self.hidden -= 1
            real, self.exchange.open_orders = self.exchange.open_orders, list  # type: ignore[method-assign]
            try:
                super()._answer(session, request, now_ns)
            finally:
                self.exchange.open_orders = real  # type: ignore[method-assign]
        else:
            super()._answer(session, request, now_ns)


@pytest.mark.parametrize(("looks", "state"), [(2, OrderState.WORKING), (3, OrderState.UNKNOWN)])
def test_a_working_order_is_doubted_only_when_three_looks_do_not_list_it(
    tmp_path: Path, looks: int, state: OrderState
) -> None:
    """A list that was cut once does not disturb it; missing for good, its death is asked for."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.submit(
            await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience", patience=1200)
        )
        await stack.until(lambda: execution.working_lots > 0)
        core = lives.core
        assert isinstance(core, HidesAnOrder)
        core.hidden = looks if looks < 3 else 4  # the proof asks once more

        await stack.desk.reconcile()

        [record] = stack.manager.ledger.orders.values()
        assert record.state is state
        assert len(stack.journalled(DeathProbed)) == (looks >= 3)
        assert not stack.desk.locked
        await stack.desk.close()

    live(story, tmp_path, core=HidesAnOrder)


# A healthy market


@pytest.mark.parametrize("seed", [3, 11])
def test_a_day_of_twenty_twaps_in_a_healthy_market_locks_nothing(seed: int) -> None:
    """Every comparison of the day agrees, and no position asks for one out of turn."""
    symbols = ("ZO", "KE", "HE", "GF", "OJ", "ZR", "LBR", "PA", "ZO", "KE")

    async def day(stack: Stack) -> None:
        for number in range(20):
            plan = await stack.desk.preview(
                ("BUY", "SELL")[number % 2],
                3 + number % 4,
                symbols[number % 10],
                strategy="twap",
                slices=3,
                duration="30m",
                tag=str(number),
            )
            await stack.desk.submit(plan)
            await stack.sleep(300)
        await stack.until(lambda: not stack.desk.busy_parents)
        hours = (stack.desk.now_ns() - stack.exchange.start_ns) / NS_PER_S / HOUR_S

        told = stack.journalled(Reconciled)

        assert stack.lots_filled() > 60
        assert {event.message for event in told} == {"ledger and broker agree"}
        assert not stack.journalled(ContractLocked)
        assert not stack.journalled(ContractUnlocked)
        assert len(told) <= hours * HOUR_S / PERIOD_S + 2 + len(stack.manager.ledger.parents)

    on_a_desk(day, seed=seed, limits=Limits(**WIDE_LIMITS))
