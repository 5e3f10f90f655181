"""What a desk adds to its journal for the years to come: the heads of its days, and how its clock stood."""

import logging
from pathlib import Path

import pytest

from hydra_nb.desk.clock_watch import CLOCK_TOLD_EVERY_S
from hydra_nb.desk.head_keeper import HEADS_RETRY_S
from hydra_nb.domain import events as ev
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import JournalReader
from hydra_nb.journal.heads import DAY_NS, ExportedHeads, heads_path, read_heads
from hydra_nb.journal.proof import Proof, Prover
from tests.journal.test_heads import write_anew
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

OATS = steady("370.00", "372.00")
PLATINUM = steady("1000.0", "1001.0")
"""Open over midnight UTC, which oats are not."""
HOUR_S = 3600.0


def days(journal: Path) -> list[str]:
    """UTC days of the heads beside a journal, line by line."""
    exported = read_heads(heads_path(journal))
    return [str(head.date) for of_one in exported.by_journal.values() for head in of_one]


def proof(journal: Path, *, heads: ExportedHeads | None = None) -> Proof:
    """What can be said of a journal with the heads beside it."""
    exported = read_heads(heads_path(journal)) if heads is None else heads
    with JournalReader.open(journal) as reader:
        return Prover(reader, heads=exported).prove()


async def sleep_past_midnight(stack: Stack, *, by_s: float = 60.0) -> None:
    """Until after the turn of the UTC day."""
    await stack.sleep((DAY_NS - stack.desk.now_ns() % DAY_NS) / NS_PER_S + by_s)


# Heads


def test_two_desks_over_three_days_leave_a_head_a_day(tmp_path: Path) -> None:
    """Written when the day turns, and at the close: whatever desk was open then; and all of it holds."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
        before = heads_path(lives.journal).exists()
        await sleep_past_midnight(stack)
        turned = days(lives.journal)
        await stack.desk.reconcile()
        await stack.desk.close()
        closed = days(lives.journal)
        stack = await lives.open()
        again = days(lives.journal)
        await sleep_past_midnight(stack)
        await stack.desk.execute("SELL", 1, "ZO", strategy="limit_patience")
        await stack.desk.close()

        first, second, third = "2027-03-02", "2027-03-03", "2027-03-04"
        assert not before
        assert turned == [first]
        assert closed == again == [first, second]
        assert days(lives.journal) == [first, second, second, third]
        found = proof(lives.journal)
        assert found.damages == ()
        assert (found.days, found.unsealed) == (3, 0)

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_a_tail_that_was_cut_and_hashed_anew_is_told_to_the_next_desk(tmp_path: Path) -> None:
    """It opens, as one has to be able to cancel, and says so in its journal, its status and the log."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
        await sleep_past_midnight(stack)
        await stack.desk.close()
        rows = proof(lives.journal).rows
        write_anew(lives.journal, keep=rows - 5)
        assert not proof(lives.journal).holds

        stack = await lives.open()

        (told,) = stack.journalled(ev.JournalContradicted)
        assert "2027-03-0" in told.reason
        assert "cut or changed" in told.reason
        assert stack.desk.status["heads_failure"] == told.reason
        await stack.desk.close()
        assert not proof(lives.journal).holds

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_heads_that_cannot_be_written_hold_up_nothing_and_are_tried_again(tmp_path: Path) -> None:
    """Over a midnight while an order works: it fills, every row is there, and once there is a way the head is, too."""
    path = tmp_path / "journal.sqlite"
    heads = heads_path(path)

    async def scenario(stack: Stack) -> None:
        await stack.sleep((DAY_NS - stack.desk.now_ns() % DAY_NS) / NS_PER_S - 1200)
        heads.mkdir()
        news: list[str] = []
        plan = await stack.desk.preview("BUY", 4, "PL", slices=2, duration="40m", strategy="twap")
        stack.desk.subscribe(lambda: news.append(str(stack.desk.status["heads_failure"])))
        execution = await stack.desk.submit(plan)
        await sleep_past_midnight(stack)
        troubled = stack.desk.status["heads_failure"]
        await execution
        failures = stack.journalled(ev.HeadExportFailed)
        heads.rmdir()
        await stack.sleep(2 * HEADS_RETRY_S)

        assert execution.filled_lots == 4
        assert "cannot be written" in str(troubled)
        assert troubled in news
        assert [event.reason for event in failures] == [troubled]
        assert stack.desk.status["heads_failure"] is None
        assert days(path) == ["2027-03-02"]
        assert not stack.journalled(ev.TaskFailed)

    on_a_desk(scenario, exchange=ScriptedExchange(script=PLATINUM, volume=20_000), journal=path)

    assert proof(path).holds
    assert days(path) == ["2027-03-02", "2027-03-03"]


def test_a_close_without_a_way_to_write_heads_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """The journal keeps that the head of the day is missing; the next desk writes it."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")
        heads_path(lives.journal).mkdir()
        await stack.desk.close()
        with JournalReader.open(lives.journal) as reader:
            kinds = [type(event) for _, event in reader.events()]
        assert kinds.count(ev.HeadExportFailed) == 1
        heads_path(lives.journal).rmdir()

        stack = await lives.open()
        await sleep_past_midnight(stack)

        assert days(lives.journal) == ["2027-03-02"]
        await stack.desk.close()
        assert proof(lives.journal).holds

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_a_journal_in_memory_keeps_no_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And has no trouble with them."""
    monkeypatch.chdir(tmp_path)

    async def scenario(stack: Stack) -> None:
        await sleep_past_midnight(stack)
        assert stack.desk.status["heads_failure"] is None
        assert stack.journalled(ev.HeadExportFailed) == []

    on_a_desk(scenario)

    assert list(tmp_path.iterdir()) == []


# The clock


def test_the_clock_is_measured_when_the_desk_opens() -> None:
    """Before anything is previewed; whole seconds of the broker leave one second open."""

    async def scenario(stack: Stack) -> None:
        (measured,) = stack.journalled(ev.ClockMeasured)

        assert measured.low_s <= 0.0 <= measured.high_s
        assert measured.high_s - measured.low_s <= 1.1
        assert measured.skew_s == 0.0

    on_a_desk(scenario)


def test_the_clock_is_told_now_and_then_while_orders_work_and_not_while_none_do() -> None:
    """Every half hour of a TWAP, so that no row of it is far from a measurement; hours of rest add no row."""

    async def scenario(stack: Stack) -> None:
        await stack.sleep(3 * HOUR_S)
        idle = len(stack.journalled(ev.ClockMeasured))
        execution = await stack.desk.submit(
            await stack.desk.preview("BUY", 6, "PL", slices=3, duration="2h", strategy="twap")
        )
        await execution
        told = stack.journalled(ev.ClockMeasured)
        begun_ns, (over,) = execution.submitted_ns, stack.journalled(ev.ParentFinished)

        gaps_s = [(b.time_ns - a.time_ns) / NS_PER_S for a, b in zip(told[idle:], told[idle + 1 :], strict=False)]
        assert idle == 1
        assert told[idle].time_ns - begun_ns <= 60 * NS_PER_S
        assert over.time_ns - told[-1].time_ns <= (CLOCK_TOLD_EVERY_S + 60) * NS_PER_S
        assert all(CLOCK_TOLD_EVERY_S <= gap_s <= CLOCK_TOLD_EVERY_S + 60 for gap_s in gaps_s)
        assert 3 <= len(told) <= 7

    on_a_desk(scenario, exchange=ScriptedExchange(script=PLATINUM, volume=20_000))


@pytest.mark.parametrize(("moved_s", "news"), [(5.0, True), (-5.0, True), (0.05, False)])
def test_a_clock_that_moves_is_told_within_seconds(moved_s: float, news: bool) -> None:
    """By more than a tenth of a second beyond what was measured; also while nothing is at work."""

    async def scenario(stack: Stack) -> None:
        clock = stack.desk._rooms.clock
        clock.anchor(clock.now_ns() + round(moved_s * NS_PER_S))

        await stack.sleep(30)

        told = stack.journalled(ev.ClockMeasured)
        assert len(told) == 1 + news
        if news:
            assert told[-1].low_s <= -moved_s <= told[-1].high_s
            assert told[-1].skew_s > 3.5

    on_a_desk(scenario)


def test_a_healthy_desk_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No warning of heads, over a midnight and at the close."""

    async def scenario(stack: Stack) -> None:
        await sleep_past_midnight(stack)

    with caplog.at_level(logging.WARNING, logger="hydra_nb"):
        on_a_desk(scenario, journal=tmp_path / "journal.sqlite")

    assert caplog.records == []
