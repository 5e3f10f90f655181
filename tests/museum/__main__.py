"""``python -m tests.museum [NN ...]``: the table of bugs, seeds needed and rules broken, for all or for some."""

import argparse
import sys

from tests.museum.exhibits import exhibits
from tests.museum.hunting import hunt_all, page


def main() -> int:
    """Print the table; exit status 1 where a bug is not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.museum")
    parser.add_argument("numbers", nargs="*", help="numbers of exhibits; all by default")
    parser.add_argument("--seeds", type=int, default=60, help="seeds to try for each")
    arguments = parser.parse_args()
    shown = [one for one in exhibits() if not arguments.numbers or one.name.split("-")[0] in arguments.numbers]
    seeds, catches = range(1, arguments.seeds + 1), []
    for row in hunt_all(shown, seeds=seeds):
        catches.append(row)
        sys.stderr.write(f"{row.exhibit.name}: {row.seeds or '-'} {row.invariant or 'not caught'}\n")
    sys.stdout.write(page(catches, seeds=seeds))
    return 0 if all(row.seeds for row in catches) else 1


if __name__ == "__main__":
    sys.exit(main())
