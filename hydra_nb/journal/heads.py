"""The head of the chain at the end of each UTC day, in a small text file beside the journal.

The chain shows that no row was changed without its hashes. Somebody who writes the whole file anew, hashes and all, or
cuts off its end, is shown by heads that were exported before and kept where he does not reach. A line is::

    2026-03-03 307 5f0c…(64 hexadecimals) 307 0.1.0

UTC day, number and hash of its last row, rows of the day, version of the program. The last line of a day is its head.
In front stands a line that names the journal. The file is only appended to.
"""

import contextlib
import datetime as dt
import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hydra_nb import __version__
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal.rows import EventRow

DAY_NS = 86_400 * NS_PER_S
_AS_BYTES = getattr(os, "O_BINARY", 0)  # on Windows lines would end otherwise
_DAY_ZERO = dt.date(1970, 1, 1).toordinal()
_TITLE = re.compile(r"# Heads of journal (\w+): ")
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d+) ([0-9a-f]{64}) (\d+) \S+")


class Head(NamedTuple):
    """The last row of a UTC day, counted in days since 1970, and how many rows the day has."""

    day: int
    seq: int
    hash: str
    rows: int

    @property
    def date(self) -> dt.date:
        """The UTC day."""
        return dt.date.fromordinal(_DAY_ZERO + self.day)


class Days:
    """Heads of a chain, one a UTC day that has rows.

    A day begins with its first row, and is not gone back to where a clock was set back: a row with the time of an
    earlier day counts to the day of the row before it.
    """

    def __init__(self) -> None:
        self._over: list[Head] = []
        self._day: int | None = None
        self._seq = self._before = 0
        self._hash = ""

    def note(self, row: EventRow) -> None:
        """The next row of the chain."""
        day = row.time_ns // DAY_NS
        if self._day is None:
            self._day = day
        elif day > self._day:
            self._over.append(self._running(self._day))
            self._day, self._before = day, self._seq
        self._seq, self._hash = row.seq, row.hash

    def heads(self, *, before: int | None = None) -> list[Head]:
        """Heads of the days before a day, or of all with the one that is not over."""
        running = [] if self._day is None else [self._running(self._day)]
        return [head for head in (*self._over, *running) if before is None or head.day < before]

    def _running(self, day: int) -> Head:
        return Head(day=day, seq=self._seq, hash=self._hash, rows=self._seq - self._before)


class ExportedHeads(NamedTuple):
    """What a file of heads says: heads by journal, the journal told of last, and the lines that say nothing."""

    by_journal: dict[str, list[Head]]
    told_last: str | None
    unreadable: tuple[int, ...]


class Contradiction(NamedTuple):
    """What a journal is not, by its heads, in words; its rows up to `agreed` are those that were exported."""

    agreed: int
    message: str


class HeadComparison:
    """Exported heads, held against a chain; `note` is to be told each of its rows.

    Parameters
    ----------
    journal_id
        Of the journal.
    """

    def __init__(self, exported: ExportedHeads, *, journal_id: str) -> None:
        self._exported = exported
        self._journal_id = journal_id
        self.heads = exported.by_journal.get(journal_id, [])
        self._found: dict[int, str | None] = dict.fromkeys((head.seq for head in self.heads), None)
        self._last_seq = 0

    def note(self, row: EventRow) -> None:
        """The next row of the chain."""
        self._last_seq = row.seq
        if row.seq in self._found:
            self._found[row.seq] = row.hash

    def contradiction(self) -> Contradiction | None:
        """Where the first head differs from the rows that were noted; None where none does."""
        agreed = 0
        for head in self.heads:
            found = self._found[head.seq]
            if found != head.hash:
                return Contradiction(agreed, self._difference(head, found))
            agreed = max(agreed, head.seq)
        strange = ", ".join(name for name in self._exported.by_journal if name != self._journal_id)
        if strange:
            return Contradiction(
                agreed, f"the heads tell of another journal, {strange}; this one is {self._journal_id}"
            )
        if self._exported.unreadable:
            lines = ", ".join(map(str, self._exported.unreadable))
            return Contradiction(agreed, f"the heads cannot be read in line {lines}")
        return None

    def _difference(self, head: Head, found: str | None) -> str:
        whose = f"the head of {head.date} differs: it is row {head.seq} with hash {head.hash[:12]}…"
        if found is not None:
            return f"{whose}, and that row has hash {found[:12]}… now: the journal was written anew after the export"
        return f"{whose}, and the rows that hold together end with {self._last_seq}: what came after was cut or changed"


def heads_path(journal: Path) -> Path:
    """The file of a journal's heads."""
    return journal.with_name(journal.name + ".heads")


def read_heads(path: Path) -> ExportedHeads:
    """Heads of a file, in its order.

    Raises
    ------
    OSError
        The file cannot be read, or there is none (`FileNotFoundError`).
    """
    by_journal: dict[str, list[Head]] = {}
    unreadable: list[int] = []
    journal_id = None
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        title, entry = _TITLE.match(line), _LINE.fullmatch(line)
        if title is not None:
            journal_id = title[1]
            by_journal.setdefault(journal_id, [])
        elif journal_id is not None and entry is not None and (day := _day_of(entry[1])) is not None:
            by_journal[journal_id].append(Head(day=day, seq=int(entry[2]), hash=entry[3], rows=int(entry[4])))
        else:
            unreadable.append(number)
    return ExportedHeads(by_journal, journal_id, tuple(unreadable))


def _day_of(text: str) -> int | None:
    with contextlib.suppress(ValueError):
        return dt.date.fromisoformat(text).toordinal() - _DAY_ZERO
    return None


class HeadExport:
    """Appends heads to the file beside an open journal.

    Parameters
    ----------
    journal
        The journal's file; anything but a path, for one in memory, has no heads.
    journal_id
        Its name.

    Attributes
    ----------
    days
        To be told each row of the chain.
    comparison
        What was exported before, to be told each row that is there at opening.
    failure
        Why the file could not be read or written, in words; None from the next write that succeeds.
    """

    def __init__(self, journal: Path | str, *, journal_id: str) -> None:
        self._path = heads_path(journal) if isinstance(journal, Path) else None
        self._journal_id = journal_id
        self.days = Days()
        self.failure: str | None = None
        exported = ExportedHeads({}, None, ())
        try:
            exported = exported if self._path is None else read_heads(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            self.failure = f"the heads of the journal cannot be read: {error.strerror}"
        self.comparison = HeadComparison(exported, journal_id=journal_id)
        self._is_titled = exported.told_last == journal_id
        self._last = self.comparison.heads[-1] if self.comparison.heads else None

    def due(self, *, before: int | None = None) -> list[Head]:
        """Heads that the file does not hold yet, see `Days.heads`; none that goes back behind its last."""
        if self._path is None:
            return []
        return [head for head in self.days.heads(before=before) if self._is_beyond(head)]

    def write(self, heads: Sequence[Head]) -> None:
        """Append heads, whose rows are durable, durably and whole; what goes wrong is told by `failure` alone."""
        missing = [head for head in heads if self._is_beyond(head)]
        if self._path is None or not missing:
            return
        title = "" if self._is_titled else _title(self._journal_id)
        lines = "".join(f"{head.date} {head.seq} {head.hash} {head.rows} {__version__}\n" for head in missing)
        try:
            _append(self._path, f"{title}{lines}".encode())
        except OSError as error:
            self.failure = f"the heads of the journal cannot be written: {error.strerror}"
        else:
            self.failure, self._is_titled, self._last = None, True, missing[-1]

    def _is_beyond(self, head: Head) -> bool:
        """Whether a head comes after the last in the file."""
        return self._last is None or (head.day, head.seq) > (self._last.day, self._last.seq)


def _title(journal_id: str) -> str:
    return f"# Heads of journal {journal_id}: UTC day, last row, its hash, rows of the day, version of hydra_nb\n"


def _append(path: Path, text: bytes) -> None:
    """Append to a file so that the disk has it; of what does not fit nothing is left."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _AS_BYTES, 0o600)
    try:
        size = os.fstat(file).st_size
        try:
            _write_whole(file, text)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def _write_whole(file: int, text: bytes) -> None:
    if os.write(file, text) < len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
