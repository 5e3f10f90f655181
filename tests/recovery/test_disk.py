"""A disk that is full, a journal that somebody holds, and one that was torn or changed."""

import asyncio
import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hydra_nb.analysis import frames
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import CancelRequested
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import JournalUnreadable, JournalUnwritable
from hydra_nb.journal import JournalReader
from tests.crash.processes import HYDRA_NB
from tests.recovery.lives import Lives, in_lives, order_refs
from tests.whole_stack import ScriptedExchange, Stack, steady

OATS = steady("370.00", "372.00")
LOTS = 6


async def begin(lives: Lives) -> tuple[Stack, Execution]:
    """A TWAP of 6 lots in 3 slices over 30 minutes, with its first order in the market."""
    stack = await lives.open()
    plan = await stack.desk.preview("BUY", LOTS, "ZO", slices=3, duration="30m", strategy="twap")
    execution = await stack.desk.submit(plan)
    await stack.until(lambda: execution.working_lots > 0)
    return stack, execution


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """Let SQLite find no room for another page, as on a full disk."""
    connection = stack.desk._rooms.journal._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (allowed,) = connection.execute("PRAGMA max_page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA max_page_count = {allowed}")


@contextmanager
def held_by_another(stack: Stack) -> Iterator[None]:
    """Let another program hold a write transaction on the journal."""
    stack.desk._rooms.journal._connection.execute("PRAGMA busy_timeout = 1")  # 2 s of host time at each try else
    with closing(sqlite3.connect(str(stack.desk.journal_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("trouble", [full_disk, held_by_another])
def test_a_journal_that_takes_nothing_stops_sending_and_loses_nothing(tmp_path: Path, trouble) -> None:  # type: ignore[no-untyped-def]
    """Status and decisions say so, cancels still go out, and once there is room again sending goes on."""

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        with trouble(stack):
            stack.desk._rooms.journal.append(
                CancelRequested(time_ns=stack.desk.now_ns(), order_ref="x" * 20_000, reason="")
            )
            await stack.until(lambda: not stack.desk.status["journal_healthy"])
            sent = len(stack.core.heard(3))
            await stack.sleep(700)

            assert len(stack.core.heard(3)) == sent
            assert "cannot be written" in str(stack.desk.status["journal_failure"])
            refused = execution.decisions[~execution.decisions["allowed"]]
            assert "journal_healthy" in set(refused["check"])
            assert execution.status is ParentStatus.WORKING
            in_memory = [event for _, event in stack.desk._rooms.journal.events()]

        await execution

        assert stack.desk.status["journal_healthy"]
        assert stack.desk.status["journal_failure"] is None
        assert execution.filled_lots == stack.lots_filled() > 0
        assert len(stack.core.heard(3)) > sent
        await stack.desk.close()
        with JournalReader.open(lives.journal) as reader:
            reader.verify()
            assert [event for _, event in reader.events()][: len(in_memory)] == in_memory
        assert len(order_refs(lives.journal)) == len(set(order_refs(lives.journal)))

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_on_a_full_disk_a_kill_still_cancels(tmp_path: Path) -> None:
    """It says that it could not be written, and the market is empty all the same."""

    async def story(lives: Lives) -> None:
        stack, _ = await begin(lives)
        with full_disk(stack):
            stack.desk._rooms.journal.append(
                CancelRequested(time_ns=stack.desk.now_ns(), order_ref="x" * 20_000, reason="")
            )
            await stack.until(lambda: not stack.desk.status["journal_healthy"])
            assert stack.exchange.open_orders()

            with pytest.raises(JournalUnwritable):
                await stack.desk.kill("the disk is full")
            await stack.sleep(20)

            assert not stack.exchange.open_orders()
            assert stack.desk.killed == "the disk is full"
        await stack.sleep(5)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs to mount a small file system")
def test_a_file_system_without_room_is_the_same_as_a_full_database(tmp_path: Path) -> None:
    """The same on a file system of 4 MB that somebody else filled up."""
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=4m tmpfs {small} 2>/dev/null") != 0:  # noqa: S605  our own words
        pytest.skip("mounting is not allowed here")

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        ballast = small / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"0" * 512)
        await stack.until(lambda: not stack.desk.status["journal_healthy"], within_s=900)
        sent = len(stack.core.heard(3))
        await stack.sleep(60)
        assert len(stack.core.heard(3)) == sent
        ballast.unlink()

        await execution

        assert execution.filled_lots == stack.lots_filled() > 0
        stack.desk._rooms.journal.verify()
        await stack.desk.close()

    try:
        in_lives(story, folder=small, exchange=ScriptedExchange(script=OATS))
    finally:
        os.system(f"umount -l {small}")  # noqa: S605  our own words


def ask(command: str, journal: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line on a journal, in a process of its own."""
    words = [sys.executable, "-c", HYDRA_NB, command, "--journal", str(journal)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_a_changed_journal_is_refused_by_the_desk_and_read_by_the_reader(tmp_path: Path) -> None:
    """Connecting names the row; the reader opens it, shows what is there, and names the row too."""

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        await execution
        await stack.desk.close()
        with closing(sqlite3.connect(lives.journal)) as file, file:
            file.execute("DROP TRIGGER events_stay")
            file.execute("UPDATE events SET payload = replace(payload, 'Submitted', 'Cancelled') WHERE seq = 20")
            (changed,) = file.execute("SELECT count(*) FROM events WHERE seq = 20").fetchone()
            file.execute("UPDATE events SET time_ns = time_ns + 1 WHERE seq = 20")
        assert changed == 1

        with pytest.raises(JournalUnreadable, match=r"row 20 of its events .*was changed.*JournalReader"):
            await lives.open()

        with JournalReader.open(lives.journal) as reader:
            assert int(frames.fills(reader)["lots"].sum()) == LOTS
            with pytest.raises(JournalUnreadable, match="row 20 of its events"):
                reader.verify()
        told = ask("fills", lives.journal)
        assert told.returncode == 1
        assert "ZO" in told.stdout
        assert "row 20 of its events" in told.stderr
        assert "Traceback" not in told.stderr

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_a_torn_journal_is_refused_by_the_desk_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """Pages in the middle are gone: rows before them can be read, and the first that cannot is named."""

    async def story(lives: Lives) -> None:
        stack, execution = await begin(lives)
        await execution
        await stack.desk.close()
        await asyncio.sleep(0)
        with closing(sqlite3.connect(lives.journal)) as file:
            (page_bytes,) = file.execute("PRAGMA page_size").fetchone()
            leaves = file.execute(
                "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY path"
            ).fetchall()
        with lives.journal.open("r+b") as file:
            file.seek((leaves[len(leaves) // 2][0] - 1) * page_bytes)
            file.write(b"\xff" * page_bytes)

        with pytest.raises(JournalUnreadable, match=r"row \d+ of its events"):
            await lives.open()

        with JournalReader.open(lives.journal) as reader:
            events, read = reader.events(), list[int]()
            with pytest.raises(JournalUnreadable, match=r"row \d+") as broken:
                read.extend(seq for seq, _ in events)
        assert read == list(range(1, len(read) + 1))
        assert len(read) > 5
        assert f"row {len(read) + 1} " in str(broken.value)
        told = ask("fills", lives.journal)
        assert told.returncode == 2
        (first,) = re.findall(r"a row from (\d+) on of its events cannot be read", told.stderr)
        assert 5 < int(first) <= len(read) + 1
        assert "Traceback" not in told.stderr

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))
