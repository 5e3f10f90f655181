"""What a killed process had committed is there; what it had not is gone whole."""

import signal
import subprocess
import sys
from pathlib import Path

from hydra_nb.domain.events import ParentPaused
from hydra_nb.journal import Journal, JournalReader

from .conftest import ACCOUNT, START_NS

WRITE = """
import asyncio, sys
from pathlib import Path
from hydra_nb.domain.events import ParentPaused
from hydra_nb.journal import Journal

async def main():
    journal = Journal.open(Path(sys.argv[1]), account=sys.argv[2], now_ns=1)
    for number in range(1, 100_000):
        journal.append(ParentPaused(time_ns=number, parent_id="P-0001"))
        journal.append(ParentPaused(time_ns=-number, parent_id="P-0001"))
        await journal.commit()
        print(number, flush=True)

asyncio.run(main())
"""


def test_a_kill_at_any_moment_loses_nothing_committed(path: Path) -> None:
    """Whatever was said to be durable is found by readers and by the next desk, and groups are whole."""
    command = [sys.executable, "-c", WRITE, str(path), ACCOUNT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        with JournalReader.open(path) as reader:
            seen_while_writing = len(list(reader.events()))
        writer.send_signal(signal.SIGKILL)
        told = 20 + len(writer.stdout.read().splitlines())

    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    found = [event for _, event in journal.events()]

    assert seen_while_writing >= 40
    assert 2 * told <= len(found) <= 2 * (told + 1)
    assert found[:2] == [ParentPaused(time_ns=1, parent_id="P-0001"), ParentPaused(time_ns=-1, parent_id="P-0001")]
    assert len(found) % 2 == 0
    assert journal.append(found[0]) == len(found) + 1
    journal.close()
