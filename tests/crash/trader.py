"""Trades on a gateway in another process until it is killed.

Arguments: port and speed of the gateway, path of the journal. It loads everything once, then makes one trading process
for each line on its input, a round of the form ``<number> <side>``; the process prints ``submitted <process id>`` when
its parent orders run. A process that was killed leaves nothing behind but its journal.
"""

import asyncio
import os
import sys

import hydra_nb
from hydra_nb.risk.limits import Limits

ROOMY = Limits(
    max_adv_percent=100,
    max_lots_per_parent=100,
    max_position_lots=1_000,
    max_position_lots_per_symbol=2_000,
    max_position_percent_of_equity=1_000,
    max_notional_per_day=1e9,
    max_gross_percent_of_equity=5_000,
    max_equity_at_risk_percent=100,
    max_margin_percent_of_equity=100,
    max_drawdown_percent=100,
    max_daily_loss=1e9,
    max_parent_loss=1e9,
)
SYMBOLS = ("KE", "HE", "PL")
SLICES = 20


async def trade(port: int, *, speed: float, journal: str, number: int, side: str) -> None:
    """Three parents at once, a slice of each every 42 s of market time."""
    async with hydra_nb.connect(f"127.0.0.1:{port}", speed=speed, journal=journal, limits=ROOMY) as desk:
        running = []
        for symbol in SYMBOLS:
            plan = await desk.preview(
                side,
                2 * SLICES,
                symbol,
                strategy="twap",
                slices=SLICES,
                duration=42 * SLICES,
                jitter=0.02,
                seed=number,
                tag=str(number),
            )
            running.append(await desk.submit(plan))
        print(f"submitted {os.getpid()}", flush=True)
        for execution in running:
            await execution
    print("finished", flush=True)


def main() -> None:
    """One process for each line."""
    port, speed, journal = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    print("ready", flush=True)
    for line in sys.stdin:
        number, side = line.split()
        process = os.fork()
        if process == 0:
            asyncio.run(trade(port, speed=speed, journal=journal, number=int(number), side=side))
            os._exit(0)
        _, status = os.waitpid(process, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
