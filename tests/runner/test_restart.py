"""A process ends around a cycle, and the next one knows what has begun."""

import asyncio
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.analysis.cycles import cycles
from hydra_nb.desk.runner.asking import Day
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.sim.exchange import Exchange
from tests.recovery.lives import Lives, in_lives
from tests.runner.scenes import DAY_S, FIRST_DAY, Asked, a_runner, market, oats, over


def lived(story: Any, folder: Path, exchange: Exchange | None = None) -> None:
    """Run a story of several desks on one market."""
    in_lives(story, folder=folder, exchange=market() if exchange is None else exchange)


def test_a_day_that_began_is_never_begun_again_and_its_orders_can_be_resumed(tmp_path: Path) -> None:
    """Killed while the orders work: the day is interrupted, and says how to go on; a dry run is still possible."""

    async def story(lives: Lives) -> None:
        first = Asked(lambda _: oats(2))
        stack = await lives.open()
        a_runner(stack.desk, first, patience=600).start()
        await stack.sleep(400)
        assert stack.desk.busy_parents == ("P-0001",)
        await lives.kill(stack)
        await asyncio.sleep(60)

        second = Asked(lambda _: oats(2))
        stack = await lives.open()
        [before] = stack.desk.cycles().to_dict("records")
        runner = a_runner(stack.desk, second, patience=600, catch_up="run").start()
        await stack.sleep(60)
        [row] = runner.history().to_dict("records")
        assert (before["status"], row["status"], row["day"]) == ("interrupted", "interrupted", FIRST_DAY)
        assert f"await desk.basket('{row['basket_id']}').resume()" in row["message"]
        assert before["message"] == row["message"]
        assert [alert.sentence for alert in stack.desk.alerts_raised if "C-0001" in alert.sentence]
        assert second.days == []
        with pytest.warns(UserWarning, match="C-0001 of 2027-03-02 has begun before"):
            await runner.run_once()
        assert second.days == []

        basket = stack.desk.basket(row["basket_id"])
        assert basket.status is ParentStatus.INTERRUPTED
        await basket.resume()
        await basket
        [row] = runner.history().to_dict("records")
        assert (row["status"], row["filled_lots"], row["shortfall_lots"]) == ("interrupted", 2, 0)
        assert stack.lots_filled() == 2
        await stack.desk.close()

    lived(story, tmp_path)


def test_killed_in_the_function_nothing_is_sent_and_tomorrow_is_asked(tmp_path: Path) -> None:
    """The day that had begun stays as it is, without an order."""

    async def endless(_day: Day) -> pd.DataFrame:
        await asyncio.sleep(50)
        return oats(1)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        a_runner(stack.desk, endless).start()
        await stack.sleep(320)
        await lives.kill(stack)

        stack = await lives.open()
        runner = a_runner(stack.desk, Asked(lambda _: oats(1)), catch_up="run").start()
        await stack.sleep(300)
        assert runner.history()["status"].tolist() == ["interrupted"]
        assert "before anything was sent" in runner.history()["message"].item()
        assert stack.core.placed() == []
        stack.loop.suspend(DAY_S - 900)
        history = await over(stack, runner, cycles=2)
        assert history["status"].tolist() == ["interrupted", "done"]
        assert stack.lots_filled() == 1
        await stack.desk.close()

    lived(story, tmp_path)


@pytest.mark.parametrize(("catch_up", "statuses"), [("skip", ["missed"]), ("run", ["done"])])
def test_a_time_that_passed_while_nothing_ran(tmp_path: Path, catch_up: str, statuses: list[str]) -> None:
    """Is journalled as missed, once, or run at once; by hand it can still be run where it was missed."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.sleep(1200)
        runner = a_runner(stack.desk, function := Asked(), catch_up=catch_up).start()
        history = await over(stack, runner)
        assert history["status"].tolist() == statuses
        await lives.kill(stack)

        stack = await lives.open()
        runner = a_runner(stack.desk, function, catch_up=catch_up).start()
        await stack.sleep(60)
        assert runner.history()["status"].tolist() == statuses
        if catch_up == "skip":
            assert "09:05 CST passed while nothing ran; to run it now: await runner.run_once()" in (
                runner.history()["message"].item()
            )
            await runner.run_once()
        assert len(function.days) == 1
        assert stack.lots_filled() == 1
        await stack.desk.close()
        with JournalReader.open(lives.journal) as reader:
            assert cycles(reader)["status"].tolist() == [*statuses, "done"][: 1 + (catch_up == "skip")]

    lived(story, tmp_path)


def test_yesterday_is_never_caught_up(tmp_path: Path) -> None:
    """After a day away only today counts; in the afternoon, when the session is over, not even that."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        stack.loop.suspend(DAY_S)
        await stack.sleep(5)
        runner = a_runner(stack.desk, function := Asked(), catch_up="run", at="08:45").start()
        history = await over(stack, runner)
        assert history["day"].tolist() == ["2027-03-03"]
        await runner.stop()

        stack.loop.suspend(DAY_S + 5 * 3600)
        await stack.sleep(5)
        late = a_runner(stack.desk, function, catch_up="run", at="08:45", name="late").start()
        history = await over(stack, late)
        assert list(zip(history["day"], history["status"], strict=True)) == [("2027-03-04", "missed")]
        assert "the session of that day is over" in history["message"].item()
        assert len(function.days) == 1
        await stack.desk.close()

    lived(story, tmp_path)
