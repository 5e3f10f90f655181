"""A trader killed at any moment has sent nothing that its journal does not hold, and leaves nothing working."""

import asyncio
import os
import random
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

import hydra_nb
from hydra_nb.domain.events import ChildReserved, ParentSubmitted
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import JournalReader
from tests.crash.processes import Onlooker, gateway, onlooker, traders
from tests.crash.trader import ROOMY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are of Unix")

SPEED = 60.0
SEED = 20_260_303
KILLS = 10
LATEST_KILL_S = 1.6
GRACE_NS = 10 * NS_PER_S


def reserved(path: Path) -> list[ChildReserved]:
    """Every intent that the journal holds; its chain of hashes is verified on the way."""
    with JournalReader.open(path) as reader:
        reader.verify()
        return [event for _, event in reader.events(kinds=[ChildReserved]) if isinstance(event, ChildReserved)]


def parents(path: Path) -> dict[str, ParentSubmitted]:
    """Every parent order that the journal holds."""
    with JournalReader.open(path) as reader:
        told = [event for _, event in reader.events(kinds=[ParentSubmitted]) if isinstance(event, ParentSubmitted)]
    return {event.parent_id: event for event in told}


def stage_end_ns(event: ChildReserved, *, submitted: ParentSubmitted) -> int:
    """When the stage in which an intent was formed is over, by the plan."""
    planned = submitted.plan.slices[event.child.slice - 1]
    ladder = planned.ladder
    until = {
        "mid": ladder.mid_ns,
        "step": ladder.mid_ns + ladder.step_ns,
        "cross": ladder.total_ns,
    }
    return submitted.time_ns + planned.offset_ns + until[event.child.stage]


async def look_after_kill(client: Onlooker, path: Path) -> int:
    """Hold the gateway's orders against the journal, then wait for the last expiry; gives how many still worked."""
    known = reserved(path)
    told = parents(path)
    terms = {(e.child.order_ref, float(e.child.lots), float(e.child.limit_price)) for e in known}
    seen = await client.orders()
    assert {(o.order_ref, o.lots, o.limit_price) for o in seen} <= terms, "an order that the journal does not hold"
    for event in known:
        assert event.child.expires_ns <= stage_end_ns(event, submitted=told[event.child.parent_id]) + GRACE_NS

    last_ns = max((event.child.expires_ns for event in known), default=0)
    await client.wait_until(last_ns)
    assert [order.order_ref for order in await client.orders() if order.is_open] == []
    return sum(order.is_open for order in seen)


async def kill_ten_times(port: int, path: Path) -> list[int]:
    """Kill ten trading processes on one journal; gives how many orders each left at work."""
    rng = random.Random(SEED)  # noqa: S311  the moments are to be the same in every run
    left = []
    with traders(port, speed=SPEED, journal=path) as (commands, lines):
        async with onlooker(port) as client:
            for number in range(1, KILLS + 1):
                side, delay_s = "BUY" if number % 2 else "SELL", rng.uniform(0, LATEST_KILL_S)
                commands.write(f"{number} {side}\n")
                commands.flush()
                word, process = (await asyncio.to_thread(lines.next)).split()
                assert word == "submitted"
                await asyncio.sleep(delay_s)
                os.kill(int(process), signal.SIGKILL)
                assert await asyncio.to_thread(lines.next) == f"ended {-signal.SIGKILL}"
                left.append(await look_after_kill(client, path))
                print(
                    f"kill {number} after {delay_s:.3f} s: {left[-1]} orders left at work, {len(reserved(path))} kept"
                )
    return left


async def recover(port: int, path: Path) -> None:
    """Open the journal again, and hold it against what the gateway executed."""
    async with hydra_nb.connect(f"127.0.0.1:{port}", speed=SPEED, journal=path, limits=ROOMY) as desk:
        executions, fills, orders = desk.executions(), desk.fills(), desk.orders()
        breaks = await desk.reconcile()
        status = desk.status
    async with onlooker(port) as client:
        executed = await client.fills()

    refs = {event.child.order_ref for event in reserved(path)}
    assert set(executions["status"]) == {"interrupted"}
    assert set(executions["parent_id"]) == set(parents(path))
    assert len(executions) > KILLS  # a parent whose submission had not reached the disk was never sent, and is gone
    assert breaks.empty
    assert status["reconciled"]
    assert set(orders["state"]) <= {"filled", "dead"}
    assert {ref for ref, _, _ in executed.values()} <= refs
    assert dict(zip(fills["fill_id"], zip(fills["lots"], fills["price"], strict=True), strict=True)) == {
        exec_id.rpartition(".")[0]: (lots, price) for exec_id, (_, lots, price) in executed.items()
    }
    assert len(fills) > KILLS
    assert executions["filled_lots"].sum() == sum(lots for _, lots, _ in executed.values())


def test_ten_kills_leave_nothing_unrecorded_and_nothing_at_work(tmp_path: Path) -> None:
    """Gateway, trader and onlooker are three processes; after the last kill the journal tells the whole story."""
    path = tmp_path / "journal.sqlite"
    started = time.monotonic()

    with gateway(speed=SPEED) as port:
        left = asyncio.run(kill_ten_times(port, path))
        asyncio.run(recover(port, path))

    print(f"seed {SEED}, {KILLS} kills in {time.monotonic() - started:.0f} s, orders left: {left}")
    assert len(left) == KILLS
    assert sum(map(bool, left)) >= 3  # else the kills came when nothing was at work
    kept = reserved(path)
    assert len({e.child.order_id for e in kept}) == len({e.child.order_ref for e in kept})
    assert all(isinstance(e.child.limit_price, Decimal) for e in kept)
