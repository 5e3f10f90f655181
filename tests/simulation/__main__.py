"""``python -m tests.simulation``: seeds, one seed again, or as many as a time allows.

::

    seeds  [--first K] [--count N]        N seeds from K on, in all processes of the machine; with --visited the table
                                          of visited pairs
    replay SEED [--verbose]               one seed again, with the last events before a violation
    soak   --minutes N [--first-seed K]   until the time is up; prints rates and the table of visited pairs

``--package DIR`` before the command takes ``hydra_nb`` from another folder. ``--kinds A,B`` leaves no faults of the
gateway but those, and ``--kinds kill@reserved`` adds a deed that waits for an order in that state. The last line is
JSON: seeds run, and the failures with the numbers of the invariants. Exit status 1 where there are failures.
"""

import argparse
import sys


def main() -> int:
    """Read the arguments, choose the package, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--package", help="folder that holds the hydra_nb to be run")
    parser.add_argument("--workers", type=int, help="processes to use; all of the machine's by default")
    parser.add_argument(
        "--kinds", help="kinds of faults of the gateway, parted by commas; all by default, not for soak"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    seeds = commands.add_parser("seeds", help="run a number of seeds")
    seeds.add_argument("--first", type=int, default=1)
    seeds.add_argument("--count", type=int, default=500)
    seeds.add_argument("--stop-at-failure", action="store_true")
    seeds.add_argument("--visited", action="store_true", help="print which faults met orders in which states")
    replay = commands.add_parser("replay", help="run one seed again")
    replay.add_argument("seed", type=int)
    replay.add_argument("--verbose", action="store_true")
    soak = commands.add_parser("soak", help="run seeds until the time is up")
    soak.add_argument("--minutes", type=float, required=True)
    soak.add_argument("--first-seed", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if arguments.package:
        sys.path.insert(0, arguments.package)
    from tests.simulation import commands as run

    return run.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
