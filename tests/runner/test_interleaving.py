"""What happens while a runner waits for an answer: a day begins at most once, and what was stopped begins nothing."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hydra_nb.desk.runner.runners import Schedule
from hydra_nb.domain.events import CycleBegan
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import DeskBusy, InvalidOrder
from tests.runner.scenes import FIRST_DAY, Asked, a_runner, market
from tests.test_alerts import say
from tests.whole_stack import Stack, on_a_desk


def slow_hours(stack: Stack, waits_s: Sequence[float]) -> None:
    """Have the broker take its time over the hours, question by question; later ones are answered at once."""
    answers, ask = iter(waits_s), stack.desk.trading_hours

    async def late(name: str) -> FutureContract:
        await stack.sleep(next(answers, 0))
        return await ask(name)

    stack.desk.trading_hours = late  # type: ignore[method-assign]  the answer itself is the gateway's


def begun(stack: Stack) -> list[tuple[str, str]]:
    """Days that have begun, and ids."""
    return [(str(event.day), event.cycle_id) for event in stack.journalled(CycleBegan)]


class TestOnce:
    """A day of one name begins at most once."""

    def test_by_hand_while_the_schedule_asks_for_the_hours(self) -> None:
        """The cycle by hand begins and ends meanwhile; when the answer comes the day has begun."""

        async def scenario(stack: Stack) -> None:
            slow_hours(stack, [0, 600, 0])
            runner = a_runner(stack.desk, function := Asked(lambda _: None)).start()
            await stack.sleep(360)
            row = await runner.run_once()
            await stack.sleep(900)
            assert row["status"].item() == "done"
            assert begun(stack) == [(FIRST_DAY, "C-0001")]
            assert (len(function.days), len(runner.history())) == (1, 1)

        on_a_desk(scenario, exchange=market())

    def test_two_that_wait_for_the_link_under_one_name(self) -> None:
        """However there came to be two: the second looks again before it begins."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, function := Asked(lambda _: None))
            known = stack.desk.runners
            schedules = [
                Schedule(runner.settings, desk=stack.desk, rooms=stack.desk._rooms, book=known._book) for _ in range(2)
            ]
            say(stack, 1100)
            await stack.sleep(1)
            both = asyncio.gather(*(schedule.run_now(None) for schedule in schedules))
            await stack.sleep(60)
            say(stack, 1102)
            await both
            assert begun(stack) == [(FIRST_DAY, "C-0001")]
            assert len(function.days) == 1
            history = runner.history()
            assert history["status"].tolist() == ["done", "skipped"]
            assert history["message"].tolist()[1] == f"{FIRST_DAY} has begun already, as C-0001"

        on_a_desk(scenario, exchange=market())

    def test_the_day_is_that_of_the_hours_as_they_are_told_last(self) -> None:
        """A session of the evening that was not listed before is of the day after, though today has begun."""

        async def scenario(stack: Stack) -> None:
            told = await stack.desk.trading_hours("ZO")
            ask, is_short = stack.desk.trading_hours, True

            async def hours(name: str) -> FutureContract:
                if not is_short:
                    return await ask(name)
                return dataclasses.replace(told, sessions=tuple(one for one in told.sessions if one.open_ns < noon_ns))

            noon_ns = stack.desk.now_ns() + 3 * 3600 * 1_000_000_000
            stack.desk.trading_hours = hours  # type: ignore[method-assign]  what the gateway tells, or the first of it
            runner = a_runner(stack.desk, function := Asked(lambda _: None), at="19:30")
            await runner.run_once()
            runner.start()
            await stack.sleep(60)
            stack.loop.suspend(10.25 * 3600)
            is_short = False
            await stack.sleep(1800)
            assert begun(stack) == [(FIRST_DAY, "C-0001"), ("2027-03-03", "C-0002")]
            assert len(function.days) == 2

        on_a_desk(scenario, exchange=market())


class TestStopped:
    """What is stopped, or closes, begins nothing."""

    def test_a_cycle_by_hand_that_still_asks_for_the_hours(self) -> None:
        """`stop` says that it has stopped, and who waits is told that nothing was run."""

        async def scenario(stack: Stack) -> None:
            slow_hours(stack, [60])
            runner = a_runner(stack.desk, function := Asked())
            work = asyncio.ensure_future(runner.run_once(FIRST_DAY))
            await stack.sleep(5)
            assert await runner.stop() == "daily has stopped"
            with pytest.raises(InvalidOrder, match="daily was stopped before its cycle began; nothing was run"):
                await work
            assert await runner.stop() == "daily was not running"
            await stack.sleep(120)
            assert (begun(stack), function.days, len(runner.history())) == ([], [], 0)
            row = await runner.run_once()
            assert row["status"].item() == "done"

        on_a_desk(scenario, exchange=market())

    def test_a_cycle_that_waits_for_the_link_has_not_begun(self) -> None:
        """Its day can still be run."""

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, Asked(lambda _: None)).start()
            await stack.sleep(200)
            say(stack, 1100)
            await stack.sleep(300)
            assert await runner.stop() == "daily has stopped"
            [row] = runner.history().to_dict("records")
            assert row["status"] == "interrupted"
            assert row["message"].startswith("stopped before it began; ")
            say(stack, 1102)
            await stack.sleep(60)
            assert (await runner.run_once())["status"].item() == "done"

        on_a_desk(scenario, exchange=market())

    def test_once_it_has_stopped_another_takes_the_name_at_once(self) -> None:
        """Its cycle had sent nothing, and is over; the day has begun, though, and does not begin again."""

        async def slow(_day: object) -> None:
            await asyncio.sleep(50)

        async def scenario(stack: Stack) -> None:
            runner = a_runner(stack.desk, slow).start()
            await stack.sleep(310)
            assert await runner.stop() == "daily has stopped"
            edited = a_runner(stack.desk, function := Asked(), catch_up="run").start()
            await stack.sleep(300)
            assert (edited.is_running, function.days) == (True, [])
            assert begun(stack) == [(FIRST_DAY, "C-0001")]

        on_a_desk(scenario, exchange=market())

    def test_the_desk_closes_while_one_by_hand_asks_for_the_hours(self, tmp_path: Path) -> None:
        """Nothing begins while the orders of another are cancelled, nor afterwards."""
        path = tmp_path / "journal.sqlite"

        async def scenario(stack: Stack) -> None:
            a_runner(stack.desk, Asked(), patience=200, name="other").start()
            await stack.sleep(320)
            slow_hours(stack, [0.001])  # the answer comes while the desk closes
            runner = a_runner(stack.desk, function := Asked())
            work = asyncio.ensure_future(runner.run_once())
            await asyncio.sleep(0)
            closing = asyncio.ensure_future(stack.desk.close())
            await asyncio.sleep(0)
            assert stack.desk.is_open
            with pytest.raises(InvalidOrder, match="is being closed"):
                runner.start()
            with pytest.raises(InvalidOrder, match="is being closed"):
                await runner.run_once()
            with pytest.raises(InvalidOrder, match="was stopped"):
                await work
            await closing
            assert begun(stack) == [(FIRST_DAY, "C-0001")]
            assert function.days == []

        on_a_desk(scenario, exchange=market(), journal=path)

    def test_another_of_the_same_name_by_hand_meanwhile(self) -> None:
        """Is refused, as it would be while the first works."""

        async def scenario(stack: Stack) -> None:
            slow_hours(stack, [60])
            first: Any = asyncio.ensure_future(a_runner(stack.desk, Asked(lambda _: None)).run_once())
            await stack.sleep(5)
            with pytest.raises(DeskBusy, match="stop it first"):
                await a_runner(stack.desk, Asked(lambda _: None)).run_once()
            assert (await first)["status"].item() == "done"
            assert len(begun(stack)) == 1

        on_a_desk(scenario, exchange=market())
