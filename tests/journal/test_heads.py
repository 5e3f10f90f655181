"""The head of each day's chain, beside the journal: written when the day is over, and what it shows afterwards."""

import asyncio
import dataclasses
import errno
import os
import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb import __version__
from hydra_nb.domain.events import ParentPaused
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import JournalUnwritable
from hydra_nb.journal import Journal, JournalReader, heads
from hydra_nb.journal.heads import DAY_NS, Days, HeadComparison, heads_path, read_heads
from hydra_nb.journal.rows import EventRow, chained_hash, first_hash

from .conftest import ACCOUNT

DAY = 20_515  # 2026-03-03
MORNING_NS = DAY * DAY_NS + 15 * 3600 * NS_PER_S


def open_journal(path: Path | str, *, inline: bool = True, account: str = ACCOUNT) -> Journal:
    """The journal at a path."""
    return Journal.open(path, account=account, now_ns=MORNING_NS, inline=inline)


def paused(day: int = 0, *, parent: int = 1) -> ParentPaused:
    """A small event, some days after the first."""
    return ParentPaused(time_ns=MORNING_NS + day * DAY_NS, parent_id=f"P-{parent:04}")


def lines(path: Path) -> list[str]:
    """Lines of the heads beside a journal, without the title."""
    text = heads_path(path).read_text(encoding="utf-8").splitlines()
    return [line for line in text if not line.startswith("#")]


def last_row(path: Path) -> tuple[int, str]:
    """Number and hash of the last event, by SQLite alone."""
    with sqlite3.connect(path) as connection:
        row = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    connection.close()
    return int(row[0]), str(row[1])


def write_anew(path: Path, *, keep: int, replace: tuple[str, str] | None = None) -> None:
    """Cut the events after row `keep`, change what is left, and give all of it new hashes, as a forger would."""
    connection = sqlite3.connect(path, isolation_level=None)
    for trigger in ("events_stay", "events_remain"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    connection.execute("DELETE FROM events WHERE seq > ?", (keep,))
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    chained = first_hash(journal_id=meta["journal_id"], account=meta["account"])
    for values in connection.execute("SELECT * FROM events ORDER BY seq").fetchall():
        row = EventRow(*values)
        if replace is not None:
            row = row._replace(payload=row.payload.replace(*replace))
        chained = chained_hash(chained, row)
        connection.execute("UPDATE events SET payload = ?, hash = ? WHERE seq = ?", (row.payload, chained, row.seq))
    connection.close()


def contradiction(path: Path, *, of: Path | None = None) -> str | None:
    """What the heads of a file say against a journal whose chain holds."""
    with JournalReader.open(path) as reader:
        comparison = HeadComparison(read_heads(heads_path(path) if of is None else of), journal_id=reader.journal_id)
        reader.verify(comparison.note)
    found = comparison.contradiction()
    return None if found is None else found.message


# Which rows are heads


@given(st.lists(st.integers(-3, 3), max_size=30))
def test_days_part_the_rows_without_a_gap(steps: list[int]) -> None:
    """However clocks are set: days rise, each head is the last row of its day, and the counts are all rows."""
    days, day, rows = Days(), 10, list[EventRow]()
    for seq, step in enumerate(steps, 1):
        day += step
        rows.append(EventRow(seq, day * DAY_NS + 5, "ParentPaused", None, None, "", f"hash {seq}"))
        days.note(rows[-1])

    found = days.heads()

    assert [head.day for head in found] == sorted({head.day for head in found})
    assert sum(head.rows for head in found) == len(rows)
    assert all(head.hash == f"hash {head.seq}" for head in found)
    assert [head.seq for head in found][-1:] == [row.seq for row in rows][-1:]
    ends = {seq for seq, row in enumerate(rows) if row.time_ns > max([0, *(r.time_ns for r in rows[:seq])])}
    assert all(head.seq in ends for head in found[:-1])
    assert days.heads(before=11) == [head for head in found if head.day < 11]


# Writing them


def test_closing_writes_the_head_of_the_day(path: Path) -> None:
    """Date, last row, hash, rows of the day and version; the number and hash are those that SQLite has."""
    journal = open_journal(path)
    for parent in (1, 2, 3):
        journal.append(paused(parent=parent))

    journal.close()

    seq, digest = last_row(path)
    assert seq == 3
    assert lines(path) == [f"2026-03-03 3 {digest} 3 {__version__}"]
    assert heads_path(path).read_text(encoding="utf-8").startswith(f"# Heads of journal {journal.journal_id}: ")
    assert heads_path(path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "worker"])
def test_the_head_of_a_day_is_written_once_it_is_over(path: Path, inline: bool) -> None:
    """Not before midnight UTC, once after it, and only for rows that are durable by then."""
    journal = open_journal(path, inline=inline)
    journal.append(paused())
    midnight_ns = (DAY + 1) * DAY_NS

    before = asyncio.run(journal.export_heads(now_ns=midnight_ns - 1)), heads_path(path).exists()
    after = [asyncio.run(journal.export_heads(now_ns=midnight_ns)) for _ in range(2)]
    durable = last_row(path)
    journal.append(paused(1))
    journal.close()

    assert (before, after) == ((None, False), [None, None])
    assert durable[0] == 1
    assert [line.split()[0:2] + line.split()[3:4] for line in lines(path)] == [
        ["2026-03-03", "1", "1"],
        ["2026-03-04", "2", "1"],
    ]


def test_a_day_that_goes_on_gets_a_later_line(path: Path) -> None:
    """Two desks on one day: the file is only appended to, and the last line of the day is its head."""
    for parent in (1, 2):
        journal = open_journal(path)
        journal.append(paused(parent=parent))
        first = heads_path(path).read_bytes() if parent == 2 else b""
        journal.close()

    assert heads_path(path).read_bytes().startswith(first)
    assert [line.split()[:2] for line in lines(path)] == [["2026-03-03", "1"], ["2026-03-03", "2"]]
    assert lines(path)[-1].split()[2] == last_row(path)[1]


def test_days_that_a_crash_left_without_a_head_are_made_up_for(path: Path) -> None:
    """What the processes before did not write, the next one does, a line a day, when it opens."""
    journal = open_journal(path)
    for day in (0, 1, 1, 3):
        journal.append(paused(day))
    journal.close()
    heads_path(path).unlink()

    journal = open_journal(path)
    asyncio.run(journal.export_heads(now_ns=MORNING_NS + 3 * DAY_NS))

    assert [line.split()[:2] for line in lines(path)] == [["2026-03-03", "1"], ["2026-03-04", "3"]]
    journal.close()
    assert [line.split()[:2] for line in lines(path)][2:] == [["2026-03-06", "4"]]


def test_a_journal_in_memory_has_no_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written anywhere."""
    monkeypatch.chdir(tmp_path)
    journal = open_journal(":memory:")
    journal.append(paused())

    told = asyncio.run(journal.export_heads(now_ns=MORNING_NS + 5 * DAY_NS))
    journal.close()

    assert told is None
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_not_durable_have_no_head(journal: Journal, path: Path) -> None:
    """A head that a crash could take the rows from would cry wolf: with a full disk none is written."""
    journal.append(paused())
    journal.commit_now()
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    for parent in range(200):
        journal.append(paused(parent=parent))

    with pytest.raises(JournalUnwritable):
        asyncio.run(journal.export_heads(now_ns=MORNING_NS + DAY_NS))

    assert not heads_path(path).exists()


# What cannot be written


def test_heads_that_cannot_be_written_are_told_and_tried_again(path: Path) -> None:
    """A folder stands where the file should be: rows are journalled all the same, and afterwards the head is there."""
    journal = open_journal(path)
    journal.append(paused())
    heads_path(path).mkdir()

    failure = asyncio.run(journal.export_heads(now_ns=MORNING_NS + DAY_NS))
    journal.append(paused(1))
    journal.commit_now()
    heads_path(path).rmdir()
    again = asyncio.run(journal.export_heads(now_ns=MORNING_NS + DAY_NS))

    assert failure is not None
    assert "cannot be written" in failure
    assert str(path) not in failure
    assert again is None
    assert [line.split()[:2] for line in lines(path)] == [["2026-03-03", "1"]]
    assert last_row(path)[0] == 2
    journal.close()


def test_a_head_that_is_not_written_whole_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a full disk no half line is left; what was there before stays."""
    journal = open_journal(path)
    journal.append(paused())
    asyncio.run(journal.export_heads(now_ns=MORNING_NS + DAY_NS))
    before = heads_path(path).read_bytes()
    write = os.write
    monkeypatch.setattr(heads.os, "write", lambda file, text: write(file, text[:20]))

    journal.append(paused(1))
    failure = asyncio.run(journal.export_heads(now_ns=MORNING_NS + 2 * DAY_NS))

    assert failure is not None
    assert os.strerror(errno.ENOSPC) in failure
    assert heads_path(path).read_bytes() == before
    monkeypatch.undo()
    journal.close()
    assert [line.split()[:2] for line in lines(path)] == [["2026-03-03", "1"], ["2026-03-04", "2"]]


def test_closing_does_not_fail_for_the_heads(path: Path) -> None:
    """The rows are there and the lock is free."""
    journal = open_journal(path)
    journal.append(paused())
    heads_path(path).mkdir()

    journal.close()

    again = open_journal(path)
    assert [event for _, event in again.events()] == [paused()]
    again.close()


# What they show


def two_days(path: Path) -> None:
    """A journal of five rows over two days, with its heads."""
    journal = open_journal(path)
    for day, parent in ((0, 1), (0, 2), (0, 3), (1, 4), (1, 5)):
        journal.append(paused(day, parent=parent))
    journal.close()
    assert len(lines(path)) == 2


def test_what_was_exported_is_not_contradicted(path: Path) -> None:
    """Neither at rest nor after the journal has grown."""
    two_days(path)
    at_rest = contradiction(path)
    journal = open_journal(path)
    journal.append(paused(1, parent=6))
    journal.append(paused(2, parent=7))
    grown = journal.contradiction
    journal.close()

    assert (at_rest, grown, contradiction(path)) == (None, None, None)
    assert len(lines(path)) == 4


@pytest.mark.parametrize(
    ("keep", "replace", "named"),
    [
        (5, ("P-0005", "P-0006"), "head of 2026-03-04 differs: it is row 5 .* was written anew"),
        (5, ("P-0002", "P-0006"), "head of 2026-03-03 differs: it is row 3 .* was written anew"),
        (4, None, "head of 2026-03-04 differs: it is row 5 .* end with 4"),
        (2, None, "head of 2026-03-03 differs: it is row 3 .* end with 2"),
        (0, None, "head of 2026-03-03 differs: it is row 3 .* end with 0"),
    ],
)
def test_a_chain_that_was_forged_whole_is_found_by_its_day(
    path: Path, keep: int, replace: tuple[str, str] | None, named: str
) -> None:
    """The chain of the forged journal holds; the first day that differs is named, to a desk that opens it as well."""
    two_days(path)

    write_anew(path, keep=keep, replace=replace)

    with JournalReader.open(path) as reader:
        reader.verify()
    found = contradiction(path)
    journal = open_journal(path)
    told = journal.contradiction
    journal.close()
    assert found is not None
    assert re.search(named, found)
    assert told == found


def test_a_forged_journal_that_grows_on_stays_found(path: Path) -> None:
    """Later heads do not take the older ones back."""
    two_days(path)
    write_anew(path, keep=4)
    journal = open_journal(path)
    for day in (1, 1, 1, 2):
        journal.append(paused(day, parent=9))
    journal.close()

    found = contradiction(path)

    assert found is not None
    assert "head of 2026-03-04 differs" in found
    assert len(lines(path)) > 2


def test_another_journal_in_its_place_is_found(path: Path) -> None:
    """Whoever begins a journal anew at the same path has the heads of the old one against him."""
    two_days(path)
    path.unlink()
    journal = Journal.open(path, account=ACCOUNT, now_ns=MORNING_NS + 1, inline=True)
    journal.append(paused())
    told = journal.contradiction
    journal.close()

    found = contradiction(path)

    assert told is not None
    assert told == found
    assert "another journal" in told
    assert len(lines(path)) == 3


@pytest.mark.parametrize("line", ["2026-03-05 6 abc 1 0.1.0", "2026-13-45 6 " + "a" * 64 + " 1 0.1.0", "\x00\x00", ""])
def test_a_line_that_says_nothing_is_named(path: Path, line: str) -> None:
    """Heads that were damaged are no proof, and are not passed over."""
    two_days(path)
    with heads_path(path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")

    found = contradiction(path)

    assert found == "the heads cannot be read in line 4"


def test_a_copy_kept_elsewhere_serves_as_well(path: Path, tmp_path: Path) -> None:
    """Whoever forges the journal can forge the heads beside it, and not those that were carried away before."""
    two_days(path)
    copy = tmp_path / "carried away"
    copy.write_bytes(heads_path(path).read_bytes())
    write_anew(path, keep=5, replace=("P-0002", "P-0006"))
    heads_path(path).unlink()
    journal = open_journal(path)
    journal.close()

    beside, elsewhere = contradiction(path), contradiction(path, of=copy)

    assert beside is None
    assert elsewhere is not None
    assert "head of 2026-03-03 differs" in elsewhere


def test_heads_hold_nothing_of_the_account(path: Path) -> None:
    """The file is made to be sent to others."""
    two_days(path)

    text = heads_path(path).read_text(encoding="utf-8")

    assert ACCOUNT not in text
    assert dataclasses.asdict(paused())["parent_id"] not in text
