"""The seeds of every change, run in a process beside the other tests: ``python -m tests.simulation.beside FILE``.

It comes last at the processor, so that no test that measures time is slower for it.
"""

import atexit
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.simulation.running import Outcome, run_many
from tests.simulation.seeds_of_a_change import SEEDS

_begun: list[tuple["subprocess.Popen[bytes]", Path]] = []


def begin() -> None:
    """Begin to run the seeds of every change."""
    file = Path(tempfile.mkdtemp(prefix="hydra_nb-seeds-")) / "outcomes"
    words = ["nice", "-n", "19", sys.executable, "-m", "tests.simulation.beside", str(file)]
    process = subprocess.Popen(words, cwd=Path(__file__).parent.parent.parent)
    atexit.register(process.kill)
    _begun.append((process, file))


def outcomes() -> Iterator[Outcome]:
    """Outcomes of the seeds of every change: of those that were begun, or else all processes run them now."""
    if not _begun:
        yield from run_many(SEEDS)
        return
    process, file = _begun[0]
    if process.wait() != 0:
        raise AssertionError(f"the seeds that ran beside the tests ended with status {process.returncode}")
    found: list[Outcome] = pickle.loads(file.read_bytes())  # noqa: S301  our own
    file.unlink()
    file.parent.rmdir()
    yield from found


def main(words: Sequence[str]) -> None:
    """Run them in one process, and write what came of each."""
    Path(words[0]).write_bytes(pickle.dumps(list(run_many(SEEDS, workers=1))))


if __name__ == "__main__":
    main(sys.argv[1:])
