"""Cycles on a desk in virtual time: one a trading day, whatever the function does, and never twice."""

import asyncio
import datetime as dt
import sqlite3
import warnings
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hydra_nb
from hydra_nb import Limits
from hydra_nb.analysis.cycles import CYCLES
from hydra_nb.desk.runner.asking import Day
from hydra_nb.domain.alerts import AlertKind
from hydra_nb.domain.events import BasketSubmitted, CycleBegan, CycleEnded, CycleOrdered, ParentSubmitted
from hydra_nb.errors import InvalidOrder
from tests.runner.scenes import DAY_S, FIRST_DAY, Asked, a_runner, market, oats, over
from tests.test_alerts import say
from tests.whole_stack import Stack, on_a_desk

SLEEPS_S = DAY_S - 1800
"""A machine that sleeps so long from 09:30 wakes at 09:00."""


def statuses(history: pd.DataFrame) -> list[tuple[str, str]]:
    """Days and how they ended."""
    return list(zip(history["day"], history["status"], strict=True))


class TestDays:
    """One cycle on each trading day."""

    def test_a_cycle_asks_sends_and_is_told(self) -> None:
        """The function gets the day; the orders are the basket's; the row counts their fills and costs."""
        function = Asked(lambda _: oats(3))

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function).start()
            [row] = (await over(stack, runner)).to_dict("records")
            [day] = function.days
            assert (str(day.date), day.now.floor("s")) == (FIRST_DAY, pd.Timestamp(f"{FIRST_DAY} 15:05", tz="UTC"))
            assert (day.currency, day.equity) == ("USD", 1_000_000.0)
            assert (len(day.positions), len(day.cycles), day.desk) == (0, 1, None)
            assert "daily_loss" in day.breakers["breaker"].tolist()
            assert (row["cycle"], row["status"], row["orders"], row["filled_lots"]) == ("C-0001", "done", 1, 3)
            assert row["message"] == "1 of 1 order filled, 3 of 3 lots"
            assert (row["slippage_cash"], row["commission"], row["currency"]) == (18.75, pytest.approx(7.56), "USD")
            assert stack.lots_filled() == 3
            assert row["basket_id"] == stack.desk.baskets()["basket_id"].item()
            assert runner.next == pd.Timestamp("2027-03-03 15:05", tz="UTC")
            assert not stack.desk.alerts_raised

        on_a_desk(scenario, exchange=market())

    def test_from_thursday_to_monday_there_is_one_cycle_a_trading_day(self) -> None:
        """The machine is awake for each cycle and at midnight; each goes toward the target of its day."""
        function = Asked()

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function).start()
            await over(stack, runner)
            stack.loop.suspend(14.75 * 3600)  # until shortly before midnight
            await stack.sleep(900)
            stack.loop.suspend(8.75 * 3600)
            await over(stack, runner, cycles=2)
            assert runner.next == pd.Timestamp("2027-03-08 15:05", tz="UTC")
            stack.loop.suspend(3 * DAY_S - 900)  # over the days on which nothing is due
            history = await over(stack, runner, cycles=3)
            assert statuses(history) == [("2027-03-04", "done"), ("2027-03-05", "done"), ("2027-03-08", "done")]
            assert [str(day.date) for day in function.days] == ["2027-03-04", "2027-03-05", "2027-03-08"]
            assert stack.desk.positions()["position"].tolist() == [3]
            assert function.days[2].positions["position"].tolist() == [2]

        on_a_desk(scenario, exchange=market(days_later=2))

    @pytest.mark.parametrize("answer", [None, pd.DataFrame(), pd.DataFrame(columns=["instrument", "target"]), oats(0)])
    def test_nothing_to_do_is_a_cycle_that_is_done(self, answer: Any) -> None:
        """None, an empty frame, or targets that are reached: no order, no basket, no alert."""

        async def scenario(stack: Stack) -> None:
            history = await over(stack, a_runner(stack.desk, Asked(lambda _: answer)).start())
            assert statuses(history) == [(FIRST_DAY, "done")]
            assert (history["orders"].item(), history["filled_lots"].item()) == (0, 0)
            assert history["basket_id"].isna().all()
            assert stack.journalled(ParentSubmitted) == []
            assert not stack.desk.alerts_raised

        on_a_desk(scenario, exchange=market())

    def test_the_day_is_on_disk_before_the_function_is_called(self, tmp_path: Path) -> None:
        """A crash while it runs leaves a day that has begun; the basket is named before its orders are."""
        path = tmp_path / "journal.sqlite"
        on_disk: list[list[str]] = []

        def function(_day: Day) -> pd.DataFrame:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as disk:
                rows = disk.execute("SELECT kind FROM events WHERE kind LIKE 'Cycle%'").fetchall()
            on_disk.append([kind for (kind,) in rows])
            return oats(1)

        async def scenario(stack: Stack) -> None:
            await over(stack, a_runner(stack.desk, function).start())
            kinds = (CycleBegan, CycleOrdered, BasketSubmitted, ParentSubmitted, CycleEnded)
            told = [type(event) for _, event in stack.desk._rooms.journal.events(kinds=kinds)]
            assert told == list(kinds)

        on_a_desk(scenario, exchange=market(), journal=path)

        assert on_disk == [["CycleBegan"]]

    def test_a_time_outside_the_sessions_is_skipped_with_the_hours(self) -> None:
        """As on a day that closes early."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked(), at="14:00").start()
            history = await over(stack, runner, within_s=6 * 3600)
            assert statuses(history) == [(FIRST_DAY, "skipped")]
            assert history["message"].str.contains("is closed at 14:00 CST").item()
            assert history["message"].str.contains("08:30–13:20").item()
            assert (history["began"].isna().all(), function.days) == (True, [])
            assert [alert.kind for alert in stack.desk.alerts_raised] == [AlertKind.CYCLE]

        on_a_desk(scenario, exchange=market(start=dt.time(13, 50)))

    def test_a_time_counted_from_the_session_that_falls_into_the_break_is_skipped_with_the_hours(self) -> None:
        """And not left out without a word, for ever."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked(), at="open+13h").start()
            history = await over(stack, runner)
            assert statuses(history) == [(FIRST_DAY, "skipped")]
            assert history["message"].str.contains("is closed at 08:00 CST").item()
            assert history["message"].str.contains("08:30–13:20").item()
            assert (function.days, runner.next) == ([], pd.Timestamp("2027-03-03 14:00", tz="UTC"))

        on_a_desk(scenario, exchange=market(start=dt.time(7, 50)))

    def test_a_runner_that_fails_says_that_it_does_not_run(self) -> None:
        """Here by a trigger of a person; the failure is shown."""

        class Broken:
            def get_next_fire_time(self, _previous: object, _now: object) -> None:
                raise ZeroDivisionError

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(), at=Broken()).start()
            await stack.sleep(60)
            assert not runner.is_running
            assert await runner.stop() == "daily was not running"

        on_a_desk(scenario, exchange=market())


class TestNeverTwice:
    """A day that has begun is not begun again."""

    def test_by_hand_it_gives_the_earlier_cycle_and_says_so(self) -> None:
        """Once by hand, again by hand, and by the schedule."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked())
            first = await runner.run_once(FIRST_DAY)
            with pytest.warns(hydra_nb.AlreadyRun, match="C-0001 of 2027-03-02 has begun before"):
                again = await runner.run_once()
            runner.start()
            await stack.sleep(900)
            assert first["status"].tolist() == ["done"]
            pd.testing.assert_frame_equal(first, again)
            assert (len(function.days), len(runner.history()), stack.lots_filled()) == (1, 1, 1)
            with pytest.raises(InvalidOrder, match="it is 2027-03-02"):
                await runner.run_once("2027-03-01")

        on_a_desk(scenario, exchange=market())

    def test_two_at_once_are_one(self) -> None:
        """The second waits for the cycle of the first."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked())
            one, other = await asyncio.gather(runner.run_once(), runner.run_once())
            assert one["cycle"].tolist() == other["cycle"].tolist() == ["C-0001"]
            assert other["status"].tolist() == ["done"]
            assert len(function.days) == 1

        on_a_desk(scenario, exchange=market())

    def test_a_cycle_that_still_works_keeps_the_next_day_from_beginning(self) -> None:
        """By the schedule and by hand; here its orders begin on the second day only, and then fill."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked(), start="2027-03-03 09:10").start()
            await stack.sleep(320)
            stack.loop.suspend(DAY_S - 100)
            await stack.sleep(100)
            row = await runner.run_once()
            skipped = ("2027-03-03", "skipped")
            assert statuses(runner.history()) == [(FIRST_DAY, "running"), skipped, skipped]
            assert row["message"].item() == "C-0001 of 2027-03-02 is still at work"
            history = await over(stack, runner, within_s=7200)
            assert statuses(history)[0] == (FIRST_DAY, "done")
            assert (len(function.days), stack.lots_filled()) == (1, 1)

        on_a_desk(scenario, exchange=market())

    def test_stopped_and_started_at_once_it_runs_once(self) -> None:
        """Before its first task has had its turn."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked()).start()
            await runner.stop()
            runner.start()
            await over(stack, runner)
            assert (len(function.days), len(runner.history())) == (1, 1)

        on_a_desk(scenario, exchange=market())

    def test_a_dry_run_sends_nothing_and_leaves_the_day_to_the_real_one(self) -> None:
        """It may be repeated; its frame says what would be sent."""

        async def scenario(stack: Stack) -> None:
            dry = a_runner(stack.desk, Asked(lambda _: oats(2)), dry_run=True, name="mine")
            rows = [await dry.run_once() for _ in range(2)]
            assert [row["status"].item() for row in rows] == ["dry_run", "dry_run"]
            assert rows[0]["message"].item() == "previewed 1 order, nothing was sent"
            assert (rows[0]["orders"].item(), stack.journalled(ParentSubmitted)) == (1, [])
            real = await a_runner(stack.desk, Asked(lambda _: oats(2)), name="mine").run_once()
            assert (real["status"].item(), stack.lots_filled()) == ("done", 2)

        on_a_desk(scenario, exchange=market())

    def test_a_dry_run_tells_what_the_gate_would_refuse(self) -> None:
        """So that a person sees it before the real one."""

        async def scenario(stack: Stack) -> None:
            row = await a_runner(stack.desk, Asked(lambda _: oats(9)), dry_run=True).run_once()
            assert row["status"].item() == "refused"
            assert "the gate would refuse 1: ZO" in row["message"].item()

        on_a_desk(scenario, exchange=market(), limits=Limits(max_lots_per_parent=5))


class TestFailures:
    """What goes wrong is told, sends nothing, and leaves the next day alone."""

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (lambda _: 1 / 0, "ZeroDivisionError: division by zero (test_cycles.py, line"),
            (lambda _: "ZO", "the function returned str 'ZO'; it returns a pandas DataFrame"),
            (lambda _: pd.DataFrame({"instrument": ["ZO"], "taget": [3]}), "taget"),
            (lambda _: pd.DataFrame({"instrument": ["ZO", "ZQX"], "target": [3, 1]}), "row 1, instrument"),
        ],
        ids=["raises", "rubbish", "column", "row"],
    )
    def test_a_failure_is_journalled_shown_and_sends_nothing(self, answer: Any, words: str) -> None:
        """With its type, its words and its line; a frame with one bad row sends none of its rows."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(answer)).start()
            history = await over(stack, runner)
            assert statuses(history) == [(FIRST_DAY, "failed")]
            assert words in history["message"].item()
            [alert] = stack.desk.alerts_raised
            assert alert.sentence.startswith("The cycle C-0001 of daily, 2027-03-02, is failed: ")
            assert words in alert.sentence
            assert stack.core.placed() == []
            assert runner.next == pd.Timestamp("2027-03-03 15:05", tz="UTC")

        on_a_desk(scenario, exchange=market())

    def test_each_failure_is_alerted(self) -> None:
        """Also the second within the minutes for which the alert of the first stands."""
        answers = iter([lambda: 1 / 0, lambda: int("x")])

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(lambda _: next(answers)()), dry_run=True)
            for _ in range(2):
                await runner.run_once()
            told = [alert.sentence for alert in stack.desk.alerts_raised]
            assert len(told) == 2
            assert ["C-0001" in words and "ZeroDivisionError" in words for words in told] == [False, True]
            assert ["C-0002" in words and "ValueError" in words for words in told] == [True, False]

        on_a_desk(scenario, exchange=market())

    def test_a_function_that_is_too_slow_fails_and_the_next_day_is_asked(self) -> None:
        """What it would have returned is never sent."""
        calls: list[Day] = []

        async def slow_once(day: Day) -> pd.DataFrame:
            calls.append(day)
            await asyncio.sleep(600 if len(calls) == 1 else 1)
            return oats(len(calls))

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, slow_once, time_limit_s=30).start()
            await stack.sleep(1800)
            assert stack.journalled(ParentSubmitted) == []
            stack.loop.suspend(SLEEPS_S)
            history = await over(stack, runner, cycles=2)
            assert statuses(history) == [(FIRST_DAY, "failed"), ("2027-03-03", "done")]
            assert "longer than the 30 s" in history["message"].iloc[0]
            assert stack.lots_filled() == 2

        on_a_desk(scenario, exchange=market())

    def test_what_the_gate_refuses_is_told(self) -> None:
        """A cycle of which nothing could be sent is refused."""

        async def scenario(stack: Stack) -> None:
            row = await a_runner(stack.desk, Asked(lambda _: oats(9))).run_once()
            assert (row["status"].item(), row["shortfall_lots"].item()) == ("refused", 9)
            assert row["message"].item().startswith("0 of 1 order filled, 0 of 9 lots; ZO")
            assert stack.core.placed() == []

        on_a_desk(scenario, exchange=market(), limits=Limits(max_lots_per_parent=5))

    def test_what_is_not_filled_is_short(self) -> None:
        """Here by the caller's limit, which the market does not reach."""

        async def scenario(stack: Stack) -> None:
            row = await a_runner(stack.desk, Asked(lambda _: oats(2)), limit=Decimal("369.00")).run_once()
            assert (row["status"].item(), row["filled_lots"].item(), row["shortfall_lots"].item()) == ("short", 0, 2)

        on_a_desk(scenario, exchange=market())

    def test_a_report_that_cannot_be_written_is_told_and_harms_nothing_else(self, tmp_path: Path) -> None:
        """The orders are over by then."""
        folder = tmp_path / "reports"
        folder.write_text("no folder", encoding="utf-8")

        async def scenario(stack: Stack) -> None:
            row = await a_runner(stack.desk, Asked(), reports=folder).run_once()
            assert (row["status"].item(), row["filled_lots"].item()) == ("done", 1)
            assert "1 of 1 lots; no report: FileExistsError: File exists: reports" in row["message"].item()
            assert str(tmp_path) not in row["message"].item()

        on_a_desk(scenario, exchange=market())

    def test_a_report_of_another_journal_is_not_replaced(self, tmp_path: Path) -> None:
        """Two accounts in one folder: the second is told, the page of the first stays; its own page is made anew."""
        page = tmp_path / f"{FIRST_DAY}.html"

        async def first(stack: Stack) -> None:
            await a_runner(stack.desk, Asked(lambda _: None), reports=tmp_path).run_once()
            before = page.read_bytes()
            assert b"quiet" in before  # its own cycle is over, and told so
            assert b"not over yet" not in before
            again = a_runner(stack.desk, Asked(), reports=tmp_path, name="again")
            assert (await again.run_once())["message"].item() == "1 of 1 order filled, 1 of 1 lots"
            assert page.read_bytes() != before

        async def second(stack: Stack) -> None:
            row = await a_runner(stack.desk, Asked(lambda _: None), reports=tmp_path).run_once()
            assert row["status"].item() == "done"
            assert f"no report: FileExistsError: {FIRST_DAY}.html is no report of {FIRST_DAY} of this journal" in (
                row["message"].item()
            )

        of_another = market()
        of_another.account = "DU7654321"

        on_a_desk(first, exchange=market())
        written = page.read_bytes()
        on_a_desk(second, exchange=of_another, journal=tmp_path / "other.sqlite")

        assert page.read_bytes() == written

    def test_a_killed_desk_skips_the_cycle(self) -> None:
        """Nothing begins, so that the day can still be run once the desk is armed again."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked()).start()
            await stack.desk.kill("lunch")
            history = await over(stack, runner)
            assert statuses(history) == [(FIRST_DAY, "skipped")]
            assert "the desk is killed: lunch" in history["message"].item()
            assert function.days == []
            await stack.desk.rearm("back")
            row = await runner.run_once()
            assert (row["status"].item(), stack.lots_filled()) == ("done", 1)

        on_a_desk(scenario, exchange=market())

    @pytest.mark.parametrize("back_after_s", [600, None])
    def test_a_lost_link_is_waited_for_and_not_for_ever(self, back_after_s: int | None) -> None:
        """It runs once the gateway is back; else it fails, without having begun."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked()).start()
            await stack.sleep(200)
            say(stack, 1100)
            await stack.sleep(back_after_s or 1300)
            before = len(runner.history())
            say(stack, 1102)
            history = await over(stack, runner)
            if back_after_s is None:
                assert (statuses(history), before, function.days) == ([(FIRST_DAY, "failed")], 1, [])
                assert "waited 15 min: there is no link to the broker" in history["message"].item()
                assert history["began"].isna().all()
            else:
                assert (statuses(history), before) == ([(FIRST_DAY, "done")], 0)

        on_a_desk(scenario, exchange=market())


class TestStopping:
    """Between cycles, in the middle of one, with the desk."""

    def test_before_anything_was_sent_the_cycle_ends(self) -> None:
        """And sends nothing, although its function would have answered."""

        async def slow(_day: Day) -> pd.DataFrame:
            await asyncio.sleep(50)
            return oats(1)

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, slow).start()
            await stack.sleep(310)
            assert runner.history()["status"].tolist() == ["running"]
            assert await runner.stop() == "daily has stopped"
            await stack.sleep(300)
            assert statuses(runner.history()) == [(FIRST_DAY, "interrupted")]
            assert (stack.core.placed(), runner.is_running, runner.next) == ([], False, pd.NaT)
            assert await runner.stop() == "daily was not running"

        on_a_desk(scenario, exchange=market())

    def test_orders_at_work_go_on_and_their_end_is_told(self) -> None:
        """As they do when somebody stops waiting for an execution."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(), patience=200).start()
            await stack.sleep(320)
            words = await runner.stop()
            assert words.startswith("daily has stopped; the orders of C-0001 go on: desk.basket('")
            assert stack.desk.busy_parents == ("P-0001",)
            history = await over(stack, runner)
            assert (statuses(history), stack.lots_filled()) == ([(FIRST_DAY, "done")], 1)
            stack.loop.suspend(SLEEPS_S)
            await stack.sleep(900)
            assert len(runner.history()) == 1

        on_a_desk(scenario, exchange=market())

    def test_closing_the_desk_ends_its_runner_and_cancels_its_orders(self, tmp_path: Path) -> None:
        """The journal tells that the cycle ended short, and why."""
        path = tmp_path / "journal.sqlite"

        async def scenario(stack: Stack) -> None:
            a_runner(stack.desk, Asked(), patience=200).start()
            await stack.sleep(320)
            assert stack.desk.busy_parents
            await stack.desk.close()
            [row] = stack.desk.cycles().to_dict("records")
            assert (row["status"], row["filled_lots"], row["shortfall_lots"]) == ("short", 0, 1)
            assert "the desk was closed" in row["message"]

        on_a_desk(scenario, exchange=market(), journal=path)

    def test_an_interrupt_in_the_function_ends_the_cycle_and_not_the_runner(self) -> None:
        """Journalled as interrupted; whoever ran it by hand still gets a row, and tomorrow comes."""
        function = Asked(lambda _: (_ for _ in ()).throw(asyncio.CancelledError))

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function).start()
            history = await over(stack, runner)
            assert statuses(history) == [(FIRST_DAY, "interrupted")]
            assert runner.next == pd.Timestamp("2027-03-03 15:05", tz="UTC")

        on_a_desk(scenario, exchange=market())


def test_it_is_shown_without_the_account() -> None:
    """What a cell saves tells name, next time and the last cycles; frames have their columns before any cycle."""

    async def scenario(stack: Stack) -> None:
        runner = a_runner(stack.desk, Asked(lambda _: 1 / 0))
        assert list(runner.history().columns) == [column.name for column in CYCLES]
        runner.start()
        await over(stack, runner)
        page = runner._repr_html_()
        assert "ZeroDivisionError" in page
        assert stack.desk.masked_account in page
        assert stack.desk.account not in page + repr(runner)
        assert repr(runner) == "<Runner daily: next at Wed 2027-03-03 15:05 UTC>"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        on_a_desk(scenario, exchange=market())
