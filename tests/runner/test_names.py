"""Runners of one desk: told apart by their names, and by what a cell that is run again says."""

from typing import Any

import pandas as pd
import pytest

import hydra_nb
from hydra_nb.errors import DeskBusy, InvalidOrder
from tests.runner.scenes import FIRST_DAY, Asked, a_runner, market, oats, over
from tests.test_alerts import say
from tests.whole_stack import Stack, on_a_desk


class TestNames:
    """Runners of one desk."""

    def test_two_that_wait_for_the_link_keep_their_cycles_apart(self) -> None:
        """Neither has begun while they wait; each has an id of its own, and its day is kept by its own name."""
        asked = {name: Asked(lambda _: None) for name in ("one", "other")}

        async def scenario(stack: Stack) -> None:
            runners = [a_runner(stack.desk, function, name=name).start() for name, function in asked.items()]
            await stack.sleep(200)
            say(stack, 1100)
            await stack.sleep(300)
            say(stack, 1102)
            for runner in runners:
                await over(stack, runner)
            cycles = stack.desk.cycles()
            assert list(zip(cycles["cycle"], cycles["name"], strict=True)) == [("C-0001", "one"), ("C-0002", "other")]
            for runner in runners:
                with pytest.warns(hydra_nb.AlreadyRun, match="has begun before"):
                    await runner.run_once()
            assert [len(function.days) for function in asked.values()] == [1, 1]

        on_a_desk(scenario, exchange=market())

    def test_a_cell_that_is_run_again_changes_nothing(self) -> None:
        """An equal runner is the one at work; another function or time under its name is refused."""
        cell = "def targets(day):\n    return None\n"

        names: dict[str, Any] = {}

        def defined(source: str) -> Any:
            exec(source, names)  # noqa: S102  as a kernel runs a cell
            return names["targets"]

        async def scenario(stack: Stack) -> None:
            first = a_runner(stack.desk, defined(cell)).start()
            assert first.next is pd.NaT  # until the broker has told the hours
            await stack.sleep(1)
            again = a_runner(stack.desk, defined(cell)).start()
            assert again.next == first.next == pd.Timestamp(f"{FIRST_DAY} 15:05", tz="UTC")
            assert again.is_running
            with pytest.raises(DeskBusy, match="'daily' is at work"):
                a_runner(stack.desk, defined(cell), at="09:10").start()
            with pytest.raises(DeskBusy, match="stop it first"):
                await a_runner(stack.desk, defined(cell.replace("None", "1"))).run_once()
            other = a_runner(stack.desk, defined(cell), at="09:10", name="other").start()
            await stack.sleep(900)
            assert stack.desk.cycles()["name"].tolist() == ["daily", "other"]
            await again.stop()
            assert not first.is_running
            assert other.is_running
            a_runner(stack.desk, defined(cell), at="09:10").start()

        on_a_desk(scenario, exchange=market())

    def test_a_cell_that_was_edited_stops_the_runner_of_the_earlier_one(self) -> None:
        """It is not told as stopped while the first trades on; then the new one begins."""

        async def scenario(stack: Stack) -> None:
            a_runner(stack.desk, first := Asked()).start()
            await stack.sleep(1)
            edited = a_runner(stack.desk, second := Asked(), at="09:10")
            with pytest.raises(DeskBusy, match="stop it first"):
                edited.start()
            assert (edited.is_running, edited.next) == (True, pd.Timestamp(f"{FIRST_DAY} 15:05", tz="UTC"))
            assert repr(edited) == (
                "<Runner daily: the runner daily of an earlier cell, with other settings or another function, runs:"
                " next at Tue 2027-03-02 15:05 UTC; await stop() ends it>"
            )
            assert "of an earlier cell" in edited._repr_html_()
            assert await edited.stop() == "the runner daily of an earlier cell has stopped"
            assert await edited.stop() == "daily was not running"
            assert (edited.is_running, edited.next) == (False, pd.NaT)
            history = await over(stack, edited.start())
            assert repr(edited) == "<Runner daily: next at Wed 2027-03-03 15:10 UTC>"
            assert (len(history), first.days, len(second.days)) == (1, [], 1)

        on_a_desk(scenario, exchange=market())

    def test_orders_that_an_earlier_cell_left_are_told_by_the_edited_one(self) -> None:
        """The runner was stopped, its cycle works: under its name nothing else begins, and the card says why."""

        async def scenario(stack: Stack) -> None:
            first = a_runner(stack.desk, Asked(), patience=200).start()
            await stack.sleep(320)
            edited = a_runner(stack.desk, Asked(), at="09:10")
            words = await edited.stop()
            assert words.startswith("the runner daily of an earlier cell has stopped; the orders of C-0001 go on: ")
            assert (edited.is_running, first.is_running) == (False, False)
            assert "of an earlier cell, with other settings or another function, has a cycle at work" in repr(edited)
            with pytest.raises(
                DeskBusy, match=r"the orders of C-0001.* wait for their end, or cancel them \(desk.basket"
            ):
                edited.start()
            await over(stack, edited)
            assert repr(edited) == "<Runner daily: not running; start() has it wait for the next day>"

        on_a_desk(scenario, exchange=market())

    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ({"catch_up": "always"}, "skip, run"),
            ({"on_refusal": "no"}, "continue, stop"),
            ({"time_limit_s": 0}, "outside 0 to"),
            ({"time_limit_s": True}, "outside 0 to"),
            ({"name": " "}, "1 to 60 characters"),
            ({"dry_run": "yes"}, "neither True nor False"),
            ({"calendar": ""}, "names no future"),
            ({"slices": 0}, "slices"),
        ],
        ids=str,
    )
    def test_a_malformed_setting_is_refused_at_once(self, how: dict[str, Any], words: str) -> None:
        """Not when its time comes."""

        async def scenario(stack: Stack) -> None:
            with pytest.raises(InvalidOrder, match=words):
                a_runner(stack.desk, Asked(), **how)
            with pytest.raises(InvalidOrder, match="calls a function of yours"):
                a_runner(stack.desk, oats(1))
            with pytest.raises(TypeError, match="unknown keyword 'slice'"):
                a_runner(stack.desk, Asked(), slice=5)

        on_a_desk(scenario)

    def test_a_calendar_that_is_not_listed_stops_the_runner_and_says_so(self) -> None:
        """As nothing else tells its days."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(), calendar="NOSUCH").start()
            await stack.sleep(5)
            assert runner.history()["status"].tolist() == ["failed"]
            assert "NOSUCH" in runner.history()["message"].item()
            assert not runner.is_running

        on_a_desk(scenario)
