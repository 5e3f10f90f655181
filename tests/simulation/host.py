"""What befalls the machine under a desk: a disk that takes nothing, a file in use, a process that is gone."""

import asyncio
import contextlib
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from hydra_nb.desk import registry

_NO_LIMIT = 1_073_741_823


class Disk:
    """The disk under one journal; it fails at the level of SQLite, and knows nothing of the package."""

    def __init__(self, journal: Any) -> None:
        self._connection: sqlite3.Connection = journal._connection
        self._writer = journal._writer
        self._path = journal.path
        self._rival: sqlite3.Connection | None = None
        self._is_broken = False
        # A rival holds the file for virtual seconds: to wait for it in real ones would be in vain.
        self._connection.execute("PRAGMA busy_timeout = 0")

    @property
    def is_file(self) -> bool:
        """Whether there is a file at all."""
        return isinstance(self._path, Path)

    def slow_down(self, *, commit_s: float, dice: random.Random) -> None:
        """Let commits take time, as they do in a thread of their own: much can happen until the disk has a row.

        Under virtual time they are made at once; here the waiting comes before the write, or after it.
        """
        writer = self._writer
        commit = writer.commit

        async def slow_commit() -> None:
            delay_s, first = dice.uniform(0, commit_s), dice.random() < 0.5
            if first:
                await asyncio.sleep(delay_s)
            await commit()
            if not first:
                await asyncio.sleep(delay_s)

        writer.commit = slow_commit

    def fill_up(self) -> None:
        """Not a page more fits."""
        if self._is_broken:
            return  # a disk that breaks every statement off could not even be asked for its size
        with contextlib.suppress(sqlite3.ProgrammingError):  # a desk about to be gone has closed the file already
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            self._connection.execute(f"PRAGMA max_page_count = {pages}")

    def break_down(self) -> None:
        """Every statement is broken off."""
        self._is_broken = True
        with contextlib.suppress(sqlite3.ProgrammingError):  # a desk that could not be opened has closed the file
            self._connection.set_progress_handler(lambda: 1, 1)

    def occupy(self) -> None:
        """Another process holds the file for writing."""
        if self._rival is None and self.is_file:
            self._rival = sqlite3.connect(self._path, isolation_level=None, timeout=0)
            with contextlib.suppress(sqlite3.OperationalError):
                self._rival.execute("BEGIN IMMEDIATE")

    def heal(self) -> None:
        """All is well again."""
        if self._rival is not None:
            self._rival.close()
            self._rival = None
        self._is_broken = False
        with contextlib.suppress(sqlite3.ProgrammingError):  # the process has died, and its connection with it
            self._connection.set_progress_handler(None, 0)
            self._connection.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")


def crash_journal(journal: Any, *, dice: random.Random) -> None:
    """Leave of a journal what the disk has at this moment, perhaps with the beginning of a page that was never done."""
    path: Path = journal.path
    log = path.with_name(path.name + "-wal")
    kept = [(source, source.with_name(source.name + ".kept")) for source in (path, log) if source.exists()]
    for source, copy in kept:
        shutil.copyfile(source, copy)
    close_files(journal)
    for source, copy in kept:
        copy.replace(source)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    if dice.random() < 0.5 and log.exists():
        with log.open("ab") as torn:
            torn.write(dice.randbytes(dice.randrange(1, 5000)))


def close_files(journal: Any) -> None:
    """Close what a process that is gone had open, as the kernel of the machine does."""
    if journal._closed:
        return
    journal._reader.close()
    journal._connection.close()
    if journal._lock is not None:
        journal._lock.release()


def forget_process(loop: Any) -> None:
    """What a process keeps to itself is gone with it: here its table of open desks, and the lock around it."""
    for key in [key for key in registry._open if key[0] is loop]:
        del registry._open[key]
    registry._doors.pop(loop, None)
