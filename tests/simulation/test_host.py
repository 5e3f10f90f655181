"""What befalls the host: that it does befall it, and that a process which is dead is dead, and quiet."""

import asyncio
import datetime as dt
import sys
import time
from pathlib import Path
from typing import Any

import ib_async.wrapper
import pytest

import hydra_nb
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import Fault, FaultScript
from hydra_nb.sim.session import GatewayCore
from tests.simulation import coverage
from tests.simulation.process import Killed, Process, WorldLoop, run_world
from tests.simulation.rivals import Rival, memories_of_their_own
from tests.simulation.wall_clock import WallClock

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HOUR_S = 3_600.0
SEED = 7


class Deaf:
    """Listens to no line, and keeps what is told to be wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def violate(self, _number: str, _sentence: str, words: str) -> None:
        """Take a violation down."""
        self.wrong.append(words)

    def __getattr__(self, _name: str) -> Any:
        return lambda *_heard: None


class Room:
    """A world with a gateway in it, and programs."""

    def __init__(self, loop: WorldLoop, *faults: Fault) -> None:
        self.loop = loop
        self.checker = Deaf()
        loop.stand(GatewayCore(Exchange(seed=SEED), faults=FaultScript(faults=faults)))

    def process(self) -> Process:
        """A program that starts."""
        return Process(self.loop, client_id=1, ears=self.checker)


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Python could raise to nobody."""
    heard: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    return heard


def test_a_killed_process_runs_no_more_and_says_nothing(unraisable: list[Any]) -> None:
    """Not its finally blocks while the world lives; and what they would do afterwards reaches nobody."""
    told: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(HOUR_S)
        finally:
            told.append("cleaned up")
            await asyncio.sleep(1)
            asyncio.get_running_loop().create_task(stubborn())
            raise OSError("a file that is closed")

    async def main(loop: WorldLoop) -> list[str]:
        process = Room(loop).process()
        running = asyncio.ensure_future(process.run(stubborn()))
        await asyncio.sleep(1)
        process.kill()
        with pytest.raises(Killed):
            await running
        await asyncio.sleep(2 * HOUR_S)
        return list(told)

    assert run_world(main) == []
    assert unraisable == []


def test_an_error_of_a_process_that_lives_is_heard() -> None:
    """Only the dead are quiet."""

    async def fails() -> None:
        raise OSError("a disk that is full")

    async def main(loop: WorldLoop) -> None:
        await Room(loop).process().run(fails())

    with pytest.raises(OSError, match="a disk that is full"):
        run_world(main)


def test_an_interrupt_comes_in_the_code_that_a_task_runs() -> None:
    """In a coroutine of the package that is no cell, and the loop goes on."""
    came: list[float] = []

    async def main(loop: WorldLoop) -> bool:
        room = Room(loop)
        process = room.process()
        desk = await process.run(_desk(journal=":memory:"))
        loop.interrupt(process, steps=0, then=lambda: came.append(loop.time()))
        await asyncio.sleep(60)
        frame = await process.run(desk.reconcile())
        return bool(desk.is_open and frame is not None)

    assert run_world(main)
    assert len(came) == 1


@pytest.mark.parametrize("steps", range(24))
def test_an_interrupt_at_any_step_of_connecting_again_leaves_a_whole_connection_or_none(steps: int) -> None:
    """Half of one, without its subscriptions, would be taken for whole by the next beat, and be useless for ever."""

    async def main(loop: WorldLoop) -> str:
        room = Room(loop)
        process = room.process()
        desk = await process.run(_desk(journal=":memory:"))
        await asyncio.sleep(1)
        process.lines[-1].transport.reset()
        await asyncio.sleep(8.9)
        loop.interrupt(process, steps=steps, then=lambda: None)
        await asyncio.sleep(60)
        return str(desk.status["connection"])

    assert run_world(main) == "up"


def test_servers_lost_on_a_refused_connection_are_not_held_against_the_next() -> None:
    """The gateway comes back with another account while its servers are away: that connection is closed at once."""
    outage = Fault(kind="outage_1101", at_s=10, parameters={"duration_s": 30.0})
    wrong = Fault(kind="wrong_account", at_s=20, parameters={"duration_s": 60.0})

    async def main(loop: WorldLoop) -> tuple[str, str]:
        process = Room(loop, outage, wrong).process()
        desk = await process.run(_desk(journal=":memory:"))
        await asyncio.sleep(70)
        meanwhile = str(desk.status["connection"])
        await asyncio.sleep(120)
        return meanwhile, str(desk.status["connection"])

    assert run_world(main) == ("down", "up")


@pytest.mark.parametrize("kind", ["second desk on the journal", "second desk with the client id"])
def test_a_second_desk_is_refused_and_the_first_goes_on(kind: str, tmp_path: Path) -> None:
    """By the lock of the journal, or by the gateway."""
    journal = tmp_path / "journal.sqlite"

    async def main(loop: WorldLoop) -> tuple[bool, list[str], str]:
        room = Room(loop)
        with memories_of_their_own():
            first = room.process()
            desk = await first.run(_desk(journal=journal))
            second = {"journal": journal, "client_id": 2} if "journal" in kind else {"journal": ":memory:"}
            refused = await Rival(room).connect(kind, **{"client_id": 1, "seed": SEED, **second})
            await asyncio.sleep(30)
            connection = str(desk.status["connection"])
            await first.run(desk.close())
        return refused, room.checker.wrong, connection

    assert run_world(main) == (True, [], "up")


def test_the_clock_on_the_wall_is_read_by_all_and_can_be_set() -> None:
    """By the client library too; afterwards the host has its own again."""
    elapsed_s = 10.0
    wall = WallClock(lambda: elapsed_s)
    zone = time.tzname

    with wall.installed():
        before_s = time.time()
        wall.set_by(-HOUR_S)
        wall.move_to("CET-1")
        after_s, read, moved = time.time(), ib_async.wrapper.datetime.now(dt.UTC), time.tzname

    assert after_s == before_s - HOUR_S
    assert read.timestamp() == pytest.approx(after_s)
    assert moved == ("CET", "CET")
    assert time.tzname == zone
    assert time.time() > after_s
    assert ib_async.wrapper.datetime is dt.datetime


def test_the_page_tells_what_befalls_the_host() -> None:
    """Each row of the table of visited pairs."""
    assert coverage.host_table() in PAGE.read_text(encoding="utf-8"), "put in what coverage.host_table() gives"


async def _desk(*, journal: Any) -> Any:
    account = Exchange(seed=SEED).account
    return await hydra_nb.connect(seed=SEED, speed="max", journal=journal, client_id=1, account=account)
