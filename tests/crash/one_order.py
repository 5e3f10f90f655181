"""Sends one order, waits until the broker has it, and cancels it. Arguments: port and speed of the gateway, journal."""

import asyncio
import sys

import hydra_nb


async def one_order(port: int, *, speed: float, journal: str) -> None:
    """A patient order of one lot."""
    async with hydra_nb.connect(f"127.0.0.1:{port}", speed=speed, journal=journal) as desk:
        plan = await desk.preview("BUY", 1, "ZO", strategy="limit_patience")
        execution = await desk.submit(plan)
        for _ in range(1_000):
            if "working" in desk.orders()["state"].tolist() or execution.status.is_over:
                break
            await asyncio.sleep(0.02)
        await execution.cancel()


if __name__ == "__main__":
    asyncio.run(one_order(int(sys.argv[1]), speed=float(sys.argv[2]), journal=sys.argv[3]))
