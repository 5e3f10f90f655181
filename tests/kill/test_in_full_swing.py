"""Killed while orders go out one after another: nothing is placed or modified once the flag is set."""

import asyncio
import random
import time
from pathlib import Path

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.sim import requests as ask
from tests.crash.trader import ROOMY
from tests.kill.floor import FOREIGN, Floor, floor, press

SPEED = 60.0
ROUNDS = 6
SEED = 4
TRANSIT_S = 0.05
"""Seconds that a frame may take from our socket to the gateway's thread."""


async def start_three(desk: Desk, *, number: int) -> None:
    """Three parents of twenty slices of 42 s of market time: a place or a modify every few hundredths of a second."""
    for symbol in ("KE", "HE", "PL"):
        plan = await desk.preview(
            "BUY", 40, symbol, strategy="twap", slices=20, duration=840, jitter=0.02, seed=number, tag=str(number)
        )
        await desk.submit(plan)


def test_no_place_leaves_after_the_flag_however_it_comes(tmp_path: Path) -> None:
    """Six times: by the door and by the call in turn, at a moment drawn by chance; then armed again and on."""
    moments = random.Random(SEED)  # noqa: S311  moments of a test

    async def scenario(market: Floor) -> list[int]:
        desk = await hydra_nb.connect(
            f"127.0.0.1:{market.port}", journal=tmp_path / "journal.sqlite", speed=SPEED, limits=ROOMY
        )
        address = desk.kill_address
        assert address is not None
        placed = []
        for number in range(ROUNDS):
            began_s = time.monotonic()
            await start_three(desk, number=number)
            await asyncio.sleep(moments.uniform(0.3, 2.5))
            if number % 2:
                killing = asyncio.create_task(desk.kill("by the call"))
                await asyncio.sleep(0)
            else:
                assert await asyncio.to_thread(press, address) == 200
                killing = asyncio.create_task(asyncio.sleep(0))
            set_s = time.monotonic()
            await asyncio.sleep(1.0)

            assert desk._rooms.broker.halt.is_set
            assert market.asked_since(set_s + TRANSIT_S, ask.PlaceOrder) == []
            assert market.at_work("") == [FOREIGN]
            placed.append(len(market.asked_since(began_s, ask.PlaceOrder)))
            await killing
            async with asyncio.timeout(20):
                while desk.kill_progress is None or len(set(desk.kill_progress)) != 1:  # noqa: ASYNC110  from outside
                    await asyncio.sleep(0.05)
            await desk.rearm("next round")
        await desk.close()
        return placed

    with floor(speed=SPEED) as market:
        placed = asyncio.run(scenario(market))

    print(f"seed {SEED}: places and modifies before each kill: {placed}")
    assert min(placed) >= 3
