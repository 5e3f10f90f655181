"""What the command line does with outcomes: counts them, prints them, and ends with a line for machines."""

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import hydra_nb
from tests.simulation import coverage
from tests.simulation.running import Outcome, run_many, run_seed


@dataclass(slots=True, kw_only=True)
class Tally:
    """Sums over outcomes."""

    sessions: int = 0
    faults: int = 0
    virtual_s: float = 0.0
    failures: dict[int, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    pairs: Counter[coverage.Pair] = field(default_factory=Counter)
    began_s: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        """Take one outcome in."""
        self.sessions += 1
        self.faults += outcome.faults
        self.virtual_s += outcome.virtual_s
        self.counts += outcome.counts
        self.pairs += outcome.pairs
        if outcome.failed:
            self.failures[outcome.seed] = sorted({number for number, _ in outcome.violations})

    def __str__(self) -> str:
        """Sums and rates in one line."""
        wall_s = time.perf_counter() - self.began_s
        hours = self.virtual_s / 3600
        return (
            f"{self.sessions} sessions, {self.faults} faults, {hours:.1f} simulated hours in {wall_s:.1f} s: "
            f"{self.sessions / wall_s:.2f} sessions, {self.faults / wall_s:.1f} faults and {hours / wall_s:.2f} "
            f"simulated hours a second; {self.faults / max(1, self.sessions):.1f} faults a session; "
            f"{len(self.failures)} failed"
        )

    def line(self) -> str:
        """JSON for machines."""
        return json.dumps(
            {"seeds": self.sessions, "failures": {str(seed): numbers for seed, numbers in self.failures.items()}}
        )


def tell_failure(outcome: Outcome) -> str:
    """Everything that a person needs to look into a failed seed."""
    return "\n".join(
        [
            f"seed {outcome.seed} failed",
            *[f"  {words}" for _, words in outcome.violations[:3]],
            *[f"    {line}" for line in outcome.last],
            f"  replay it with: python -m tests.simulation replay {outcome.seed}",
        ]
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry out a command; gives the exit status."""
    sys.stdout.write(f"hydra_nb of {hydra_nb.__path__[0]}\n")
    tally = Tally()
    kinds = tuple(arguments.kinds.split(",")) if arguments.kinds else ()
    if arguments.command == "replay":
        outcome = run_seed(arguments.seed, kinds=kinds)
        tally.add(outcome)
        _print(tell_failure(outcome) if outcome.failed else f"seed {outcome.seed} holds, digest {outcome.digest}")
        if arguments.verbose:
            _print("\n".join([*outcome.last, f"{dict(outcome.counts)}", f"{dict(outcome.pairs)}"]))
    elif arguments.command == "seeds":
        seeds = range(arguments.first, arguments.first + arguments.count)
        for outcome in _told(run_many(seeds, workers=arguments.workers, kinds=kinds)):
            tally.add(outcome)
            if outcome.failed and arguments.stop_at_failure:
                break
        if arguments.visited:
            _print_visited(tally)
    else:
        _soak(arguments, tally)
    _print(f"{tally}\n{tally.line()}")
    return 1 if tally.failures else 0


def _soak(arguments: argparse.Namespace, tally: Tally) -> None:
    until_s = time.perf_counter() + 60 * arguments.minutes
    for first in itertools.count(arguments.first_seed, 200):
        for outcome in _told(run_many(range(first, first + 200), workers=arguments.workers)):
            tally.add(outcome)
            if time.perf_counter() > until_s:
                break
        _print(f"up to seed {first + 199}: {tally}")
        if time.perf_counter() > until_s:
            break
    _print_visited(tally)


def _print_visited(tally: Tally) -> None:
    _print(f"{coverage.table(tally.pairs)}\n\nPairs called illegal:\n{coverage.illegal_table()}\n{dict(tally.counts)}")


def _told(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        if outcome.failed:
            _print(tell_failure(outcome))
        yield outcome


def _print(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()
