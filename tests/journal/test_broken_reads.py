"""A read that SQLite breaks off is told as a journal that cannot be read, and holds up nothing else."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hydra_nb.desk import pulse
from hydra_nb.domain.events import ChildReserved, ParentPaused
from hydra_nb.errors import JournalUnreadable, JournalUnwritable
from hydra_nb.journal import Journal, JournalReader, reader
from hydra_nb.journal.fields import fields_of

from .conftest import ACCOUNT, START_NS

READS: dict[str, Callable[[Journal], object]] = {
    "events": lambda journal: list(journal.events()),
    "decisions": lambda journal: journal.decisions_rows(),
    "quotes": lambda journal: journal.quotes_rows(),
    "what recovery needs": lambda journal: journal.events_to_recover(),
    "fields": lambda journal: list(journal.bulk.event_fields({ParentPaused: fields_of(ParentPaused, "parent_id")})),
    "quotes by the thousand": lambda journal: list(journal.bulk.quotes_chunks("time_ns")),
    "symbols of quotes": lambda journal: journal.bulk.quoted_symbols(),
    "last time": lambda journal: journal.last_time_ns(),
    "verify": lambda journal: journal.verify(),
    "pending kill": lambda journal: journal.pending_kill(),
}


def break_off(connection: sqlite3.Connection) -> None:
    """Let SQLite break off every statement of a connection."""
    connection.set_progress_handler(lambda: 1, 1)


def heal(connection: sqlite3.Connection) -> None:
    """Let its statements run again."""
    connection.set_progress_handler(None, 0)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("where", ["a file", ":memory:"])
def test_a_read_that_is_broken_off_is_unreadable_and_works_when_asked_again(
    where: str, read: Callable[[Journal], object], path: Path
) -> None:
    """No error of SQLite leaves a live journal, whose reader is none the worse afterwards."""
    journal = Journal.open(path if where == "a file" else where, account=ACCOUNT, now_ns=START_NS, inline=True)
    journal.append(ParentPaused(time_ns=START_NS, parent_id="P-0001"))
    journal.commit_now()
    connection = journal._reader._connection

    break_off(connection)
    with pytest.raises(JournalUnreadable, match="interrupted"):
        read(journal)
    heal(connection)

    read(journal)
    journal.close()


def test_a_kill_is_not_lost_by_a_read_that_was_broken_off(journal: Journal, path: Path) -> None:
    """Who polls for a kill hears of it at the next time."""
    Journal.request_kill(path, "enough")
    break_off(journal._reader._connection)
    with pytest.raises(JournalUnreadable):
        journal.pending_kill()
    heal(journal._reader._connection)

    heard = journal.pending_kill()

    assert heard == "enough"


def test_the_pulse_goes_on_after_a_read_that_was_broken_off(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Beats that cannot read are logged once, raise nothing into the loop, and a later one hears the kill."""
    monkeypatch.setattr(pulse, "BEAT_S", 0.001)
    Journal.request_kill(path, "enough")
    raised: list[object] = []
    heard: list[str | None] = []

    async def main() -> None:
        loop, deaf, told = asyncio.get_running_loop(), asyncio.Semaphore(0), asyncio.Event()

        def listen() -> None:
            deaf.release()
            heard.append(journal.pending_kill())
            told.set()

        loop.set_exception_handler(lambda _, context: raised.append(context))
        break_off(journal._reader._connection)
        beating = pulse.Pulse(listen)
        async with asyncio.timeout(10):
            for _ in range(3):
                await deaf.acquire()
            heal(journal._reader._connection)
            await told.wait()
        beating.stop()

    asyncio.run(main())

    assert heard[0] == "enough"
    assert raised == []
    assert [record.name for record in caplog.records] == ["hydra_nb.desk"]


def test_intents_are_sealed_while_nothing_can_be_read(journal: Journal, reserved: ChildReserved) -> None:
    """Appending, sealing and redeeming ask no reader."""
    break_off(journal._reader._connection)

    receipt = asyncio.run(journal.seal(journal.append(reserved), reserved.content_hash))
    journal.redeem(receipt, reserved.content_hash)

    heal(journal._reader._connection)
    assert [event for _, event in journal.events()] == [reserved]


def test_writes_that_are_broken_off_take_down_more_and_are_made_up_for(journal: Journal) -> None:
    """A cancel is noted in memory whatever the disk does; all goes with the first commit that succeeds."""
    paused = [ParentPaused(time_ns=START_NS + number, parent_id="P-0001") for number in range(2)]
    break_off(journal._connection)
    journal.append(paused[0])
    with pytest.raises(JournalUnwritable, match="interrupted"):
        journal.commit_now()
    journal.append(paused[1])
    heal(journal._connection)

    journal.commit_now()

    assert journal.healthy
    assert [event for _, event in journal.events()] == paused


def test_a_file_that_breaks_off_while_it_is_opened_is_unreadable(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a reader nor a desk that opens a journal raises an error of SQLite."""
    journal.close()
    check = reader.check_is_journal

    def check_then_break(connection: sqlite3.Connection, *, path: Path | str) -> None:
        check(connection, path=path)
        break_off(connection)

    monkeypatch.setattr(reader, "check_is_journal", check_then_break)

    with pytest.raises(JournalUnreadable, match="interrupted"):
        JournalReader.open(path)
    with pytest.raises(JournalUnreadable, match="interrupted"):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
