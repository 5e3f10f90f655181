"""``python -m tests.mutants``: how many faults in the risk gate its tests notice.

::

    [FILE ...]        names of files in the room; all of it where none is named
    --at-least 90     exit status 1 where a smaller percentage is noticed
    --workers N       processes at a time; all of the machine's by default
    --survivors FILE  write the survivors there, a line each

Needs ``pip install -e ".[full]"``.
"""

import argparse
import collections
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.mutants import ROOM, Mutant, mutants_of
from tests.mutants.trial import OnCollectedTests, Outcome, by_importing_anew, import_the_rest, in_processes


def main() -> int:
    """Make the mutants, try them, and print the figures of each file."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--at-least", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--survivors", type=Path)
    given = parser.parse_args()
    began_s = time.monotonic()
    paths = [ROOM / name for name in given.files] or sorted(ROOM.glob("*.py"))
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    print(f"{len(mutants):,} mutants made in {time.monotonic() - began_s:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder  # a place of its own, which no other run cleans or fills
        sys.pycache_prefix, sys.dont_write_bytecode = folder, False  # thousands of processes import the same files
        outcomes = _tried(mutants, workers=given.workers)
    score = _told(mutants, outcomes)
    print(f"{time.monotonic() - began_s:.0f} s on {given.workers} processes")
    if given.survivors:
        lines = [mutant.name for mutant in mutants if outcomes[mutant.name] in (Outcome.SURVIVED, Outcome.UNCALLED)]
        given.survivors.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0 if score >= given.at_least else 1


def _tried(mutants: list[Mutant], *, workers: int) -> dict[str, Outcome]:
    """What became of each mutant, by its name."""
    outcomes: dict[str, Outcome] = {}
    by_name = {mutant.name: mutant for mutant in mutants}
    assert len(by_name) == len(mutants), "two mutants of one name"

    def tell(mutant: Mutant, outcome: Outcome) -> None:
        outcomes[mutant.name] = outcome
        if len(outcomes) % 500 == 0:
            print(f"{len(outcomes):,} tried", flush=True)

    import_the_rest()
    # The first half imports the room, which this process must not have if it is to import mutants of it.
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reading)
            plugin = OnCollectedTests([one for one in mutants if one.place], workers=workers, tell=tell)
            plugin.collect_and_try()
            sys.stdout.flush()
            with os.fdopen(writing, "wb") as answer:
                pickle.dump((outcomes, [one.name for one in plugin.fresh]), answer)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        told, fresh = pickle.load(answer)  # noqa: S301 (our own child wrote it)
    os.waitpid(pid, 0)
    outcomes |= told
    anew = [one for one in mutants if not one.place] + [by_name[name] for name in fresh]
    print(f"{len(outcomes):,} tried on collected tests; {len(anew):,} to be imported anew", flush=True)
    in_processes(anew, by_importing_anew, workers=workers, tell=tell)
    return outcomes


def _told(mutants: list[Mutant], outcomes: dict[str, Outcome]) -> float:
    """Print a table of the files, and give the percentage noticed of all."""
    figures: dict[str, collections.Counter[Outcome]] = {}
    for mutant in mutants:
        figures.setdefault(mutant.file, collections.Counter())[outcomes[mutant.name]] += 1
    figures["all"] = sum(figures.values(), collections.Counter())
    print("| file | mutants | killed | timeouts | survived | noticed |\n|---|---:|---:|---:|---:|---:|")
    score = 0.0
    for file, counts in figures.items():
        noticed = counts[Outcome.KILLED] + counts[Outcome.TIMEOUT]
        survived = counts[Outcome.SURVIVED] + counts[Outcome.UNCALLED]
        score = 100 * noticed / (noticed + survived)
        print(
            f"| {file} | {noticed + survived:,} | {counts[Outcome.KILLED]:,} | {counts[Outcome.TIMEOUT]} "
            f"| {survived} | {score:.1f} % |"
        )
    return score


if __name__ == "__main__":
    sys.exit(main())
