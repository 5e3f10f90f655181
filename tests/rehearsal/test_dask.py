"""Paths on a real Dask cluster: the same outcomes as anywhere else. Needs the extra ``full``."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import hydra_nb
from hydra_nb.rehearsal.running import draw_seeds, run_scripts

distributed = pytest.importorskip("distributed", reason="needs the extra full")


@pytest.mark.timeout(120)
def test_a_cluster_gives_what_one_thread_gives() -> None:
    """Two workers in processes of their own, reached over TCP; a desk in real time, as in a notebook."""

    async def main(workers: Any) -> tuple[Any, Any]:
        async with hydra_nb.connect("sim", seed=7, journal=":memory:", speed=60) as desk:
            await desk.instrument("ZO")
            await asyncio.sleep(1)
            plan = await desk.preview("BUY", 3, "ZO")
            packed, seeds = [plan.stage(None).packed], draw_seeds(12, seed=1)
            with ThreadPoolExecutor(1) as thread:
                here = await run_scripts(packed, seeds=seeds, duration_s=60.0, executor=thread, tell=_nobody)
            there = await run_scripts(packed, seeds=seeds, duration_s=60.0, executor=workers, tell=_nobody)
        return here, there

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as workers,
    ):
        here, there = asyncio.run(main(workers))

    assert repr(here) == repr(there)
    assert len(here[0]) == 12


def _nobody(_done: int, _total: int) -> None:
    """Nobody looks on."""
