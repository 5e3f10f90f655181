"""Kernels and gateways in processes of their own, killed for real."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

import hydra_nb
from hydra_nb.analysis import frames
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import ConnectionChanged
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import ClientIdInUse, JournalLocked
from hydra_nb.journal import JournalReader
from tests.crash.processes import HYDRA_NB, Lines, onlooker
from tests.recovery.lives import order_refs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")

SPEED = 60.0
SLOWER = 30.0
"""So that the ten seconds until a desk connects again are five minutes of the market."""
LOTS = 10


@dataclass(kw_only=True)
class Program:
    """A process of ours and what it says."""

    process: subprocess.Popen[str]
    lines: Lines

    def kill(self) -> None:
        """Kill it and wait for its end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def program(*words: str) -> Iterator[Program]:
    """Run Python with these words; whatever is left of it is killed in the end."""
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        stream: IO[str] | None = process.stdout
        assert stream is not None
        try:
            yield Program(process=process, lines=Lines(stream))
        finally:
            process.kill()


@contextlib.contextmanager
def gateway(port: int = 0, *, speed: float = SPEED) -> Iterator[tuple[Program, int]]:
    """A simulated gateway as a program; gives it and its port."""
    words = ("-c", HYDRA_NB, "gateway", "--port", str(port), "--speed", str(speed), "--seed", "7")
    with program(*words) as running:
        found = re.search(r"127\.0\.0\.1:(\d+)", running.lines.next())
        assert found is not None
        yield running, int(found[1])


@contextlib.contextmanager
def holder(port: int, journal: Path, *, client_id: int = 1, lots: int = 0) -> Iterator[Program]:
    """A desk in another process, open, and with an order of its second slice at work where it trades."""
    words = ("-m", "tests.recovery.holder", str(port), str(SPEED), str(journal), str(client_id), str(lots))
    with program(*words) as running:
        assert running.lines.next() == "ready"
        yield running


async def open_desk(port: int, journal: Path, *, client_id: int = 1, speed: float = SPEED) -> Desk:
    """Connect, a few times: the gateway frees the id of a process that was killed once it has noticed."""
    for _ in range(50):
        try:
            return await hydra_nb.connect(f"127.0.0.1:{port}", speed=speed, journal=journal, client_id=client_id)
        except ClientIdInUse:
            await asyncio.sleep(0.1)
    raise AssertionError("the client id never became free")


def test_a_kernel_killed_in_the_middle_of_a_twap_is_taken_up_by_the_next(tmp_path: Path) -> None:
    """SIGKILL, a new process, connect, resume: exactly its lots, every fill once, no break left."""
    journal = tmp_path / "journal.sqlite"

    async def next_kernel(port: int) -> None:
        desk = await open_desk(port, journal)
        execution = desk.execution("P-0001")
        assert execution.status is ParentStatus.INTERRUPTED
        assert execution.filled_lots < LOTS

        await desk.resume("P-0001")
        await asyncio.wait_for(execution._wait(), timeout=60)

        async with onlooker(port) as outside:
            told = await outside.fills()
            assert not [order for order in await outside.orders() if order.is_open]
        assert execution.status in (ParentStatus.FILLED, ParentStatus.PARTIAL)
        assert execution.filled_lots + execution.shortfall_lots == LOTS
        assert sum(lots for _, lots, _ in told.values()) == execution.filled_lots
        assert len(execution.fills) == len(told)
        assert int(execution.fills["lots"].sum()) == execution.filled_lots
        assert execution.filled_lots == LOTS, execution.reason
        assert (await desk.reconcile()).empty
        await desk.close()

    with gateway() as (_, port):
        with holder(port, journal, lots=LOTS) as kernel:
            kernel.kill()
        asyncio.run(next_kernel(port))

    refs = order_refs(journal)
    assert len(refs) == len(set(refs))
    with JournalReader.open(journal) as reader:
        reader.verify()


def test_after_a_gateway_was_killed_what_was_booked_stays_booked(tmp_path: Path) -> None:
    """The restarted program is a fresh market: orders, executions and position are gone there, and not with us."""
    journal = tmp_path / "journal.sqlite"

    async def next_kernel(port: int, *, booked: int) -> None:
        desk = await open_desk(port, journal)
        execution = desk.execution("P-0001")
        assert execution.filled_lots == booked
        found = desk.breaks.set_index("kind")
        assert bool(found.loc["position", "resolved"])
        assert (found.loc["position", "ours"], found.loc["position", "brokers"]) == (float(booked), 0.0)

        await asyncio.wait_for(desk.abandon("P-0001", reason="the market began anew"), timeout=60)

        assert execution.filled_lots == booked
        assert int(execution.fills["lots"].sum()) == booked
        assert execution.status in (ParentStatus.CANCELLED, ParentStatus.NEEDS_HUMAN)
        await desk.close()

    with gateway() as (market, port):
        with holder(port, journal, lots=LOTS) as kernel:
            market.kill()
            kernel.kill()
        with JournalReader.open(journal) as reader:
            booked = int(frames.fills(reader)["lots"].sum())
        assert booked > 0
        with gateway(port) as (_, again):
            asyncio.run(next_kernel(again, booked=booked))


async def until(holds: Callable[[], bool], *, within_s: float = 60) -> None:
    """Look every hundredth of a second."""
    for _ in range(round(within_s * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not so within {within_s} s")


@contextlib.contextmanager
def front(port: int, *, market_port: int) -> Iterator[tuple[Program, int]]:
    """A gateway program in front of a market that outlives it; gives it and its port."""
    with program("-m", "tests.recovery.relay", str(port), str(market_port)) as running:
        yield running, int(running.lines.next())


def test_a_gateway_killed_and_restarted_in_the_middle_of_a_twap_costs_nothing(tmp_path: Path) -> None:
    """SIGKILL of the gateway, another on the same port: the desk comes back by itself, and the TWAP is whole."""
    journal = tmp_path / "journal.sqlite"

    async def kernel(market_port: int) -> None:
        with contextlib.ExitStack() as programs:
            first, port = programs.enter_context(front(0, market_port=market_port))
            desk = await open_desk(port, journal, speed=SLOWER)
            plan = await desk.preview("BUY", LOTS, "ZO", strategy="twap", slices=5, duration="20m", patience=60, seed=1)
            execution = await desk.submit(plan)
            await until(lambda: len(execution.slices.query("status != 'planned'")) >= 2 and execution.working_lots > 0)

            first.kill()
            await until(lambda: desk.status["connection"] == "down")
            programs.enter_context(front(port, market_port=market_port))
            await asyncio.wait_for(execution._wait(), timeout=120)

            async with onlooker(market_port) as outside:
                told = await outside.fills()
                assert not [order for order in await outside.orders() if order.is_open]
            assert (execution.status, execution.filled_lots) == (ParentStatus.FILLED, LOTS), execution.reason
            assert sum(lots for _, lots, _ in told.values()) == LOTS
            assert len(execution.fills) == len(told)
            assert (await desk.reconcile()).empty
            assert desk.locked == {}
            await desk.close()

    with gateway(speed=SLOWER) as (_, market_port):
        asyncio.run(kernel(market_port))

    refs = order_refs(journal)
    assert len(refs) == len(set(refs))
    with JournalReader.open(journal) as reader:
        reader.verify()
        states = [event.state for _, event in reader.events(kinds=[ConnectionChanged])]
    assert states[:3] == [ConnectionState.UP, ConnectionState.DOWN, ConnectionState.UP]


def test_a_second_desk_on_one_journal_is_told_who_holds_it(tmp_path: Path) -> None:
    """With another client id the gateway lets it in, and the journal does not."""
    journal = tmp_path / "journal.sqlite"

    with (
        gateway() as (_, port),
        holder(port, journal) as first,
        pytest.raises(JournalLocked, match=rf"another desk \(process {first.process.pid}"),
    ):
        asyncio.run(open_desk(port, journal, client_id=2))


def test_a_second_desk_with_one_client_id_is_refused(tmp_path: Path) -> None:
    """With a journal of its own it is the gateway that says no, and the message names id and place."""

    async def second(port: int) -> None:
        with pytest.raises(ClientIdInUse, match=rf"client id 1 is in use at 127.0.0.1:{port}"):
            await hydra_nb.connect(f"127.0.0.1:{port}", speed=SPEED, journal=tmp_path / "second.sqlite")

    with gateway() as (_, port), holder(port, tmp_path / "first.sqlite"):
        asyncio.run(second(port))
