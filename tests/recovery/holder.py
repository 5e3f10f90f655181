"""A desk in a process of its own: holds a journal, or runs a TWAP until it is killed.

Arguments: port and speed of the gateway, path of the journal, client id, and the lots to buy (0 only holds).
"""

import asyncio
import sys

import hydra_nb


async def hold(port: int, *, speed: float, journal: str, client_id: int, lots: int) -> None:
    """Tell when the desk is open, and when an order of the second slice works; then stay."""
    desk = await hydra_nb.connect(f"127.0.0.1:{port}", speed=speed, journal=journal, client_id=client_id)
    if lots:
        plan = await desk.preview("BUY", lots, "ZO", strategy="twap", slices=5, duration="10m", patience=60, seed=1)
        execution = await desk.submit(plan)
        while len(execution.slices.query("status != 'planned'")) < 2 or execution.working_lots == 0:
            await asyncio.sleep(0.01)
            if execution.status.is_over:
                break
    print("ready", flush=True)
    await asyncio.sleep(3_600)


if __name__ == "__main__":
    port, speed, journal, client_id, lots = sys.argv[1:]
    asyncio.run(hold(int(port), speed=float(speed), journal=journal, client_id=int(client_id), lots=int(lots)))
