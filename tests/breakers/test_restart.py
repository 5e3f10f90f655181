"""A tripped breaker outlives its process, and a position of others holds back what would add to it."""

import re
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from hydra_nb import errors
from hydra_nb.domain.events import BreakerTripped, ChildRefused, Event, Rearmed
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.journal import journal as journal_room
from hydra_nb.journal.codec import encode_event
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.records import SimSide
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

from .test_trips import TIGHT, falling

DEEP = steady("370.00", "372.00", lots=100)


def live(story: Callable[[Lives], Awaitable[None]], folder: Path, *, exchange: ScriptedExchange) -> None:
    """Run a story of several desks on one market."""
    in_lives(story, folder=folder, exchange=exchange)


async def tripped(lives: Lives) -> Stack:
    """A desk whose daily loss has tripped."""
    stack = await lives.open(limits=TIGHT)
    await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
    await stack.until(lambda: bool(stack.journalled(BreakerTripped)))
    await stack.sleep(1)  # the disk has it
    return stack


@pytest.mark.parametrize("dies", [True, False])
def test_a_breaker_stays_tripped_over_a_restart_until_a_person_re_arms_it(tmp_path: Path, dies: bool) -> None:
    """Whether the process is killed or the desk is closed, and although equity has recovered meanwhile."""

    async def story(lives: Lives) -> None:
        first = await tripped(lives)
        (trip,) = first.journalled(BreakerTripped)
        await (lives.kill(first) if dies else first.desk.close())

        second = await lives.open(limits=TIGHT)
        row = second.desk.breakers().set_index("breaker").loc["daily_loss"]
        refused = await second.desk.execute("SELL", 2, "ZO", strategy="limit_patience")
        await second.desk.rearm("the loss is understood")
        await (lives.kill(second) if dies else second.desk.close())

        third = await lives.open(limits=TIGHT)
        again = third.desk.breakers().set_index("breaker").loc["daily_loss"]
        passed = await third.desk.execute("SELL", 2, "ZO", strategy="limit_patience", tag="again")
        assert (row["state"], row["since"].value, row["reason"]) == ("tripped", trip.time_ns, trip.reason)
        assert refused.status is ParentStatus.REFUSED
        assert refused.reason.startswith(trip.reason)
        assert (again["state"], again["reason"]) == ("rearmed", "the loss is understood")
        assert passed.status is ParentStatus.FILLED
        assert third.journalled(BreakerTripped) == [trip]
        await third.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=falling(recovers_s=1_500.0)))


def test_tighter_limits_trip_at_the_first_look_of_the_next_desk(tmp_path: Path) -> None:
    """The loss of the day is what it was, and is more than is allowed now."""

    async def story(lives: Lives) -> None:
        first = await lives.open()
        await first.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await first.sleep(1_000)
        lost = float(first.manager.ledger.day_start_equity - first.manager.ledger.equity)
        assert first.journalled(BreakerTripped) == []
        await first.desk.close()

        second = await lives.open(limits=TIGHT)

        assert [trip.observed for trip in second.journalled(BreakerTripped)] == [pytest.approx(lost, abs=200)]
        await second.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=falling()))


@pytest.mark.parametrize("dies", [True, False])
def test_hard_refusals_in_a_row_are_counted_over_a_restart(tmp_path: Path, dies: bool) -> None:
    """Those of children too, whose parents are over: the next one over the limit trips."""
    wide = Limits(max_consecutive_refusals=3)

    async def tightened(stack: Stack, *, tag: str) -> None:
        """An order that passes, and whose child does not, as the limit is tightened in between."""
        await stack.desk.set_limits({"max_lots_per_order": 2}, reason="for one order")
        execution = await stack.desk.submit(
            await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience", tag=tag)
        )
        await stack.desk.set_limits({"max_lots_per_order": 1})
        await execution

    async def story(lives: Lives) -> None:
        first = await lives.open(limits=wide)
        for number in range(3):
            await tightened(first, tag=f"{number}")
        row = [(refusal.check, refusal.transient) for refusal in first.journalled(ChildRefused)]
        await first.sleep(1)
        await (lives.kill(first) if dies else first.desk.close())

        second = await lives.open(limits=wide)
        before = second.manager.ledger.breakers.conduct(second.desk.now_ns()).refusals_in_row
        await tightened(second, tag="after the restart")

        (trip,) = second.journalled(BreakerTripped)
        assert row == [("order_lots", False)] * 3
        assert before == 3
        assert (trip.breaker, trip.observed, trip.limit) == ("consecutive_refusals", 4.0, 3.0)
        await second.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=DEEP))


# Positions


async def held_by_others(lives: Lives, *, lots: int) -> Stack:
    """A desk that buys slowly in a contract of which somebody else buys a lot by hand."""
    stack = await lives.open(limits=Limits(max_position_percent_of_equity=1_000))
    await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
    stack.execution = await stack.desk.submit(  # type: ignore[attr-defined]
        await stack.desk.preview("BUY", 4, "ZO", strategy="twap", slices=2, duration="20m", tag="more")
    )
    await stack.until(lambda: bool(stack.exchange.open_orders()))
    lives.of_others(stack, side=SimSide.BUY, lots=lots, price="372.00")
    await stack.sleep(2)
    return stack


def test_a_position_beyond_its_lots_trips_whoever_traded_and_lets_pass_what_reduces(tmp_path: Path) -> None:
    """The parent that adds is stopped and its order cancelled; a sale passes down to flat and no further."""

    async def story(lives: Lives) -> None:
        stack = await held_by_others(lives, lots=49)
        execution = stack.execution  # type: ignore[attr-defined]
        await execution

        (trip,) = stack.journalled(BreakerTripped)
        symbol = trip.local_symbol
        await stack.until(
            lambda: symbol in stack.desk.locked, within_s=10
        )  # who trades by hand also locks the contract
        await stack.desk.unlock(symbol, reason="the trade by hand is known")
        more = await stack.desk.execute("BUY", 1, "ZO", tag="one more")
        less = await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience", tag="less")
        other = await stack.desk.execute("BUY", 1, "KE", strategy="limit_patience")
        through = await stack.desk.preview("SELL", 50, "ZO", slices=25, adv=10_000)

        assert (trip.breaker, trip.observed, trip.limit) == ("position_lots", 51.0, 50.0)
        assert trip.reason == f"{symbol} long. A position of 51 lots, 50 allowed"
        assert (execution.status, execution.filled_lots) == (ParentStatus.PARTIAL, 0)
        assert f"breaker position_lots tripped: {trip.reason}" in execution.reason
        assert more.status is ParentStatus.REFUSED
        assert less.status is ParentStatus.FILLED
        assert other.status is ParentStatus.FILLED
        row = through.risk.set_index("check").loc["position_lots"]
        assert (row["allowed"], row["observed"], row["limit"], row["would_pass"]) == (False, 1.0, 0.0, 49.0)
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=DEEP, volume=100_000))


def test_at_the_limit_it_does_not_trip(tmp_path: Path) -> None:
    """Fifty lots are allowed."""

    async def story(lives: Lives) -> None:
        stack = await held_by_others(lives, lots=48)

        assert stack.manager.ledger.positions[next(iter(stack.manager.ledger.positions))].lots == 50
        assert stack.journalled(BreakerTripped) == []
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=DEEP, volume=100_000))


def test_a_position_that_a_person_accepted_trips_again_only_when_it_grows(tmp_path: Path) -> None:
    """Re-arming first asks what moved the position; then it may shrink by hand, and not grow."""

    async def story(lives: Lives) -> None:
        stack = await held_by_others(lives, lots=60)
        await stack.execution  # type: ignore[attr-defined]
        symbol = stack.journalled(BreakerTripped)[0].local_symbol

        with pytest.raises(errors.RearmRefused, match=f"{symbol} is locked"):
            await stack.desk.rearm("a hedge made by hand", breaker="position_lots")
        await stack.desk.unlock(symbol, reason="a hedge made by hand")
        await stack.desk.rearm("a hedge made by hand", breaker="position_lots")
        lives.of_others(stack, side=SimSide.SELL, lots=5, price="370.00")
        await stack.sleep(15)
        shrunk = stack.journalled(BreakerTripped)[1:]
        lives.of_others(stack, side=SimSide.BUY, lots=1, price="372.00")
        await stack.sleep(2)

        assert shrunk == []
        assert [trip.observed for trip in stack.journalled(BreakerTripped)] == [62.0, 58.0]
        assert stack.desk.breakers().set_index("breaker").loc["position_lots", "local_symbol"] == symbol
        await stack.desk.close()

    live(story, tmp_path, exchange=ScriptedExchange(script=DEEP, volume=100_000))


def test_a_position_that_grew_too_dear_trips_by_its_share_of_equity() -> None:
    """Nobody traded; the price rose, and only what reduces is sent from then on."""

    def script(seconds: float):  # type: ignore[no-untyped-def]
        return (("370.00", 9), ("372.00", 9)) if seconds < 700 else (("500.00", 9), ("502.00", 9))

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 4, "ZO", strategy="limit_patience")
        await stack.until(lambda: bool(stack.journalled(BreakerTripped)))
        more = await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", tag="more")
        less = await stack.desk.execute("SELL", 4, "ZO", strategy="limit_patience", tag="less")
        closed = stack.desk.breakers().set_index("breaker").loc["position_share"]

        (trip,) = stack.journalled(BreakerTripped)
        assert trip.breaker == "position_share"
        assert 9.0 < trip.observed < 10.0
        assert more.status is ParentStatus.REFUSED
        assert less.status is ParentStatus.FILLED
        assert (closed["state"], closed["observed"]) == ("tripped", 0.0)  # flat, and still a person's to re-arm

    limits = Limits(max_position_percent_of_equity=9, collar_last_percent=100, collar_settlement_percent=100)
    on_a_desk(scenario, exchange=ScriptedExchange(script=script), limits=limits)


# Journals of before


def test_a_journal_of_before_opens_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without the fields that were added since, and without trips: re-armings of then lifted everything."""
    path = tmp_path / "journal.sqlite"
    added = re.compile(r',"(?:transient|breaker)":null')

    def encode_as_before(event: Event) -> str:
        text = encode_event(event)
        return added.sub("", re.sub(r',"transient":(?:true|false)(?=})', "", text)) if _is_changed(event) else text

    async def before(stack: Stack) -> None:
        for number in range(12):
            await stack.desk.execute("BUY", 60, "ZO", tag=f"{number}")
        await stack.desk.kill("drill")
        await stack.desk.rearm("drill over")
        await stack.desk.execute("BUY", 60, "ZO", tag="once more")

    async def now(stack: Stack) -> None:
        fared = stack.manager.ledger.breakers.conduct(stack.desk.now_ns())
        assert fared.refusals_in_row == 0  # whether they were hard was not told
        assert stack.desk.killed is None
        assert (stack.desk.breakers()["state"] == "closed").all()
        assert (await stack.desk.execute("BUY", 1, "ZO", tag="today")).status is ParentStatus.FILLED

    with monkeypatch.context() as patched:
        patched.setattr(journal_room, "encode_event", encode_as_before)
        on_a_desk(
            before,
            exchange=ScriptedExchange(script=DEEP),
            journal=path,
            limits=Limits(max_consecutive_refusals=1_000),
        )
    with closing(sqlite3.connect(path)) as rows:
        payloads = rows.execute("SELECT payload FROM events WHERE kind IN ('ParentRefused', 'Rearmed')").fetchall()
    on_a_desk(now, exchange=ScriptedExchange(script=DEEP), journal=path)

    assert len(payloads) == 14
    assert not any("transient" in text or "breaker" in text for (text,) in payloads)
    with JournalReader.open(path) as reader:
        reader.verify()
        assert [event.breaker for _, event in reader.events(kinds=[Rearmed]) if isinstance(event, Rearmed)] == [None]


def _is_changed(event: Event) -> bool:
    return type(event).__name__ in ("ParentRefused", "Rearmed")
