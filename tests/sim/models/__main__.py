"""``python -m tests.sim.models``: the long runs of the models against theory, as a table; about a minute.

Exit status 1 where a figure is further from theory than it may be. Names of groups run these alone. ``--share 0.1``
runs a tenth, to see that it runs: its errors are three times as large, and it may fail for that.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from hydra_nb.sim.models.queue_reactive import QueueReactive, rate_at
from tests.sim.models.queue_cases import RACES, THREE, observe, up_exactly, up_on_the_book
from tests.sim.models.santa_fe_cases import CASES, far_depth, mean_spread, printed_spread
from tests.sim.models.watching import dice

SEED = 2
SPREAD_SECONDS = 60_000
DEPTH_SECONDS = 12_000
RACE_COUNT = 40_000
ACTS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure: what theory says, what was seen with its standard error, and by how much they may differ."""

    what: str
    theory: float
    seen: float
    standard_error: float
    tolerance: float
    remark: str = ""

    @property
    def holds(self) -> bool:
        """Whether theory and what was seen are near enough."""
        return abs(self.seen - self.theory) <= self.tolerance


def spreads(share: float) -> Iterator[Line]:
    """Zero intelligence: mean spread in units of μ/α, within 2 %, beside what the printed formula gives."""
    for case in CASES:
        seen = mean_spread(case, seconds=SPREAD_SECONDS * share, seed=SEED)
        yield Line(
            what=f"Santa Fe, ε = {case.epsilon}: mean spread / (μ/α)",
            theory=case.spread,
            seen=seen.mean,
            standard_error=seen.standard_error,
            tolerance=0.02 * case.spread,
            remark=f"{seen.acts:,} acts; formula {printed_spread(case.epsilon):.3f}, "
            f"with ε/2 {printed_spread(case.epsilon / 2):.3f}",
        )


def depths(share: float) -> Iterator[Line]:
    """Zero intelligence: mean lots at a price far from the spread, over α/δ."""
    for case in CASES[:2]:
        seen = far_depth(case, seconds=DEPTH_SECONDS * share, seed=SEED)
        yield Line(
            what=f"Santa Fe, ε = {case.epsilon}: far depth / (α/δ)",
            theory=1.0,
            seen=seen.mean,
            standard_error=seen.standard_error,
            tolerance=4 * seen.standard_error,
        )


def races(share: float) -> Iterator[Line]:
    """Two racing queues: probability of an up move, within 0.01 of what was published."""
    for (bid, ask), published in RACES.items():
        seen, error = up_on_the_book(bid, ask, races=round(RACE_COUNT * share), seed=SEED)
        yield Line(
            what=f"race of queues of {bid} and {ask}: P(up)",
            theory=published,
            seen=seen,
            standard_error=error,
            tolerance=0.01,
            remark=f"exactly {up_exactly(bid, ask):.4f}",
        )


def intensities(share: float) -> Iterator[Line]:
    """Queue-reactive: χ² of events by distance, size and kind against the tables, over its degrees of freedom."""
    seen = observe(
        QueueReactive(THREE, dice=dice(SEED), fair_ticks=100.5), distances=3, order_lots=2, acts=round(ACTS * share)
    )
    total, cells = 0.0, 0
    for (distance, size, is_best), cell in seen.items():
        market = rate_at(THREE.market_per_s[distance - 1], size) if is_best else 0.0
        for count, rate in (
            (cell.limits, rate_at(THREE.limit_per_s[distance - 1], size)),
            (cell.shrinks, rate_at(THREE.cancel_per_s[distance - 1], size) + market),
        ):
            mean = rate * cell.seconds
            if mean >= 25:
                total += (count - mean) ** 2 / mean
                cells += 1
    # Counts of Poisson processes: each cell has one degree of freedom, and χ² over them the deviation sqrt(2 / cells).
    error = (2 / cells) ** 0.5
    yield Line(
        what=f"queue-reactive: χ² of intensities over {cells} cells, a cell",
        theory=1.0,
        seen=total / cells,
        standard_error=error,
        tolerance=4 * error,
    )


GROUPS = {one.__name__: one for one in (spreads, depths, races, intensities)}


def main() -> int:
    """Run all, print a line each, and say how many do not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.models")
    parser.add_argument("--share", type=float, default=1.0, help="how much of the full length to run")
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], default=[], help="all where none is named")
    arguments = parser.parse_args()
    print(f"{'':55} {'theory':>8} {'seen':>8} {'s. e.':>8} {'may be':>8}")
    broken = 0
    begun_s = time.process_time()
    for name in arguments.groups or GROUPS:
        for line in GROUPS[name](arguments.share):
            broken += not line.holds
            print(
                f"{line.what:55} {line.theory:8.4f} {line.seen:8.4f} {line.standard_error:8.4f} ±{line.tolerance:7.4f} "
                f"{'' if line.holds else 'DOES NOT HOLD'} {line.remark}",
                flush=True,
            )
    print(f"{time.process_time() - begun_s:.0f} s of the processor; {broken} do not hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
