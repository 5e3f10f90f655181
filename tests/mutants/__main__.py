"""``python -m tests.mutants``: how many faults in the risk gate its tests notice.

::

    [FILE ...]        names of files in the room; all of it where none is named
    --at-least 90     exit status 1 where a smaller percentage is noticed
    --workers N       processes at a time; all of the machine's by default
    --survivors FILE  write the survivors there, a line each
    --page FILE       write the page of evidence there

Needs ``pip install -e ".[full]"``.
"""

import argparse
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.mutants import ROOM, Mutant, controls_of, mutants_of
from tests.mutants.page import figures_of, page, table
from tests.mutants.trial import OnCollectedTests, Outcome, by_importing_anew, import_the_rest, in_processes


def main() -> int:
    """Make the mutants, try them, and print the figures of each file."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--at-least", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--survivors", type=Path)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    began_s = time.monotonic()
    paths = [ROOM / name for name in given.files] or sorted(ROOM.glob("*.py"))
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    controls = controls_of(mutants)
    print(f"{len(mutants):,} mutants made in {time.monotonic() - began_s:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder  # a place of its own, which no other run cleans or fills
        sys.pycache_prefix, sys.dont_write_bytecode = folder, False  # thousands of processes import the same files
        outcomes = _tried([*controls, *mutants], workers=given.workers)
    noticed = [one.name for one in controls if outcomes[one.name] is not Outcome.SURVIVED]
    if noticed:
        print(f"void: tests notice what has no fault: {', '.join(noticed)}")
        return 2
    figures, took_s = figures_of(mutants, outcomes), time.monotonic() - began_s
    print(f"{table(figures)}{took_s:.0f} s on {given.workers} processes")
    if given.page:
        given.page.write_text(page(mutants, outcomes, time_s=took_s, workers=given.workers), encoding="utf-8")
    if given.survivors:
        lines = [mutant.name for mutant in mutants if outcomes[mutant.name] in (Outcome.SURVIVED, Outcome.UNCALLED)]
        given.survivors.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0 if figures[-1][-1] >= given.at_least else 1


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


if __name__ == "__main__":
    sys.exit(main())
