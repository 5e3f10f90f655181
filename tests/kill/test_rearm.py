"""Orders are allowed again only once ledger and broker were compared, and nothing of ours works."""

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest

from hydra_nb import errors
from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.events import BreakerTripped, ContractLocked, Rearmed, Reconciled
from hydra_nb.sim import requests as ask
from tests.test_desk import resting
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

QUIET = steady("370.00", "372.00")


def test_rearming_compares_first() -> None:
    """A reconciliation is journalled between the kill and the arming, and orders leave again."""

    async def scenario(stack: Stack) -> None:
        await resting(stack.desk)
        await stack.desk.kill("drill")
        before = len(stack.journalled(Reconciled))

        await stack.desk.rearm("drill over")

        assert len(stack.journalled(Reconciled)) == before + 1
        assert stack.journalled(Reconciled)[-1].time_ns <= stack.journalled(Rearmed)[-1].time_ns
        assert not stack.desk._rooms.broker.halt.is_set
        assert (await stack.desk.execute("BUY", 1, "ZO", tag="again")).filled_lots == 1

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_it_is_refused_while_an_own_order_is_not_confirmed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway swallows the cancel: the message names the order, and the desk stays killed."""

    async def scenario(stack: Stack) -> None:
        await resting(stack.desk)
        handle = stack.core.handle
        monkeypatch.setattr(
            stack.core,
            "handle",
            lambda session, request, now_ns: (
                None if isinstance(request, ask.CancelOrder) else handle(session, request, now_ns)
            ),
        )
        await stack.desk.kill("drill")
        (order,) = stack.exchange.open_orders()

        with pytest.raises(errors.RearmRefused, match=re.escape(order.terms.order_ref)):
            await stack.desk.rearm("drill over")

        assert stack.desk.killed == "drill"
        assert stack.desk.kill_progress == (0, 1)
        assert stack.desk._rooms.broker.halt.is_set
        monkeypatch.setattr(stack.core, "handle", handle)
        await stack.until(lambda: stack.desk.kill_progress == (1, 1))
        await stack.desk.rearm("its expiry has passed")
        assert stack.desk.killed is None

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_it_is_refused_while_a_contract_is_locked() -> None:
    """The break is told in its own words; once a person has explained it, the desk can be armed."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO")
        await stack.desk.kill("drill")
        record = next(iter(stack.manager.ledger.orders.values()))
        contract = record.child.contract
        broker = stack.desk._rooms.broker
        told = broker.positions() or ()
        moved = tuple(dataclasses.replace(one, lots=9) for one in told)  # others trade before our eyes
        broker.positions = lambda: moved  # type: ignore[method-assign]

        with pytest.raises(errors.RearmRefused, match=rf"{contract.local_symbol} is locked: .*the broker shows 9 lots"):
            await stack.desk.rearm("drill over")

        assert stack.journalled(ContractLocked)
        assert stack.desk.killed == "drill"
        del broker.positions
        await stack.desk.rearm("it was a slip of the feed")
        assert stack.desk.killed is None

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_it_is_refused_without_a_connection() -> None:
    """What cannot be compared cannot be vouched for."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.kill("drill")
        stack.desk._rooms.broker._wire.drop()

        with pytest.raises(errors.RearmRefused, match="could not be compared"):
            await stack.desk.rearm("drill over")

        assert stack.desk.killed == "drill"

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


@pytest.mark.parametrize("later_s", [0, 60])
def test_a_kill_that_comes_while_it_compares_stays(later_s: float) -> None:
    """Also one that counts as the press before it: who pressed last does not want what was begun before."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.kill("first")
        await stack.sleep(later_s)
        rearming = asyncio.ensure_future(stack.desk.rearm("all is well"))
        await asyncio.sleep(0)

        await stack.desk.kill("second: it is not")

        with pytest.raises(errors.RearmRefused, match="killed, or a breaker tripped, while"):
            await rearming
        assert stack.desk.killed is not None
        assert stack.desk._rooms.broker.halt.is_set
        assert stack.journalled(Rearmed) == []
        await stack.desk.rearm("now it is")
        assert stack.desk.killed is None

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_button_pressed_while_the_arming_is_written_down_stays_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of the button sets the flag within the commit; nothing leaves until its kill has come to the loop."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.kill("drill")
        halting, journal = stack.desk._halting, stack.desk._rooms.journal
        commit, pressed = journal.commit, []

        async def pressed_within() -> None:
            if stack.journalled(Rearmed) and not pressed:
                pressed.append(halting.ask("the button"))
            await commit()

        monkeypatch.setattr(journal, "commit", pressed_within)

        await stack.desk.rearm("drill over")

        assert pressed
        assert halting.flag.is_set
        halting.heed("the button", unrecorded=True, asked=pressed[0])
        assert stack.desk.killed == "the button"
        assert halting.flag.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_kill_that_never_comes_is_told_of_once_and_holds_orders_back_where_it_comes_later() -> None:
    """The thread of the button is late by more than a second: the first re-arming is refused, the next is not."""

    async def scenario(stack: Stack) -> None:
        halting = stack.desk._halting
        asked = halting.ask("the button")

        with pytest.raises(errors.RearmRefused, match="a kill was asked for that has not come here"):
            await stack.desk.rearm("all is well")
        assert halting.flag.is_set
        await stack.desk.rearm("all is well")
        assert not halting.flag.is_set

        halting.heed("the button", unrecorded=True, asked=asked)
        assert stack.desk.killed == "the button"
        assert halting.flag.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_kill_that_was_asked_for_just_before_is_waited_for() -> None:
    """It is being written down when somebody re-arms: no order leaves in between, and the desk stays killed."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.kill("first")
        await stack.sleep(60)
        halting = stack.desk._halting
        asked = halting.ask("the button")
        asyncio.get_running_loop().call_later(0.3, lambda: halting.heed("the button", unrecorded=True, asked=asked))

        with pytest.raises(errors.RearmRefused, match="killed, or a breaker tripped, while"):
            await stack.desk.rearm("all is well")

        assert stack.desk.killed == "first"
        assert halting.flag.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_look_at_a_request_that_was_carried_out_hinders_no_rearming() -> None:
    """The watchman sees it while ledger and broker are compared, later than the desk itself: it is no second kill."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.kill("by terminal")
        halting = stack.desk._halting
        rearming = asyncio.ensure_future(stack.desk.rearm("drill over"))
        await asyncio.sleep(0)
        asked = halting.ask("by terminal")
        asyncio.get_running_loop().call_soon(lambda: halting.heed("by terminal", unrecorded=False, asked=asked))

        await rearming

        assert stack.desk.killed is None
        assert not halting.flag.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def trip(stack: Stack, breaker: BreakerName, *, con_id: int | None = None) -> BreakerTripped:
    """A breaker that trips now."""
    return BreakerTripped(
        time_ns=stack.desk.now_ns(),
        breaker=breaker,
        observed=2.0,
        limit=1.0,
        unit="USD",
        reason="lost",
        con_id=con_id,
    )


def test_rearming_a_breaker_leaves_the_flag_of_a_kill_on_its_way() -> None:
    """The button was pressed before, its kill has not come to the loop yet: a breaker's arming is no answer to it."""

    async def scenario(stack: Stack) -> None:
        stack.manager.ingest(trip(stack, BreakerName.DAILY_LOSS))
        stack.desk._halting.ask("the button")

        await stack.desk.rearm("a fee that was booked twice", breaker=BreakerName.DAILY_LOSS)

        assert stack.desk._halting.flag.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


@pytest.mark.parametrize("breaker", [None, BreakerName.POSITION_LOTS])
def test_a_breaker_that_trips_while_it_compares_stays_tripped(breaker: BreakerName | None) -> None:
    """Nobody has seen it: a re-arming of all, or of one, lifts what was known when it was asked for."""

    async def scenario(stack: Stack) -> None:
        stack.manager.ingest(trip(stack, BreakerName.POSITION_LOTS, con_id=1))
        rearming = asyncio.ensure_future(stack.desk.rearm("drill over", breaker=breaker))
        await asyncio.sleep(0)
        stack.manager.ingest(trip(stack, BreakerName.POSITION_LOTS, con_id=2))

        with pytest.raises(errors.RearmRefused, match="killed, or a breaker tripped, while"):
            await rearming

        tripped = stack.manager.ledger.breakers
        assert tripped.is_tripped(BreakerName.POSITION_LOTS, con_id=1)
        assert tripped.is_tripped(BreakerName.POSITION_LOTS, con_id=2)

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_rearming_one_breaker_leaves_another_that_trips_meanwhile() -> None:
    """It is not what that re-arming would lift."""

    async def scenario(stack: Stack) -> None:
        stack.manager.ingest(trip(stack, BreakerName.POSITION_LOTS, con_id=1))
        rearming = asyncio.ensure_future(stack.desk.rearm("drill over", breaker=BreakerName.POSITION_LOTS))
        await asyncio.sleep(0)
        stack.manager.ingest(trip(stack, BreakerName.DAILY_LOSS))

        await rearming

        assert list(stack.manager.ledger.breakers.tripped) == [(BreakerName.DAILY_LOSS, None)]

    on_a_desk(scenario, exchange=ScriptedExchange(script=QUIET))


def test_a_desk_opened_on_a_killed_journal_holds_orders_back(tmp_path: Path) -> None:
    """The flag is set from the start, not only the ledger's word."""

    async def first(stack: Stack) -> None:
        await stack.desk.kill("drill")

    async def second(stack: Stack) -> None:
        assert stack.desk.killed == "drill"
        assert stack.desk._rooms.broker.halt.is_set

    path = tmp_path / "journal.sqlite"
    on_a_desk(first, exchange=ScriptedExchange(script=QUIET), journal=path)
    on_a_desk(second, exchange=ScriptedExchange(script=QUIET), journal=path)
