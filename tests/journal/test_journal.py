"""The journal keeps everything, durably, and gives receipts that count once."""

import asyncio
import copy
import dataclasses
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.events import BrokerErrorReported, ChildReserved, ChildSent, Killed, ParentPaused
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.errors import (
    JournalOfAnotherAccount,
    JournalTooNew,
    JournalUnreadable,
    JournalUnwritable,
    SendRefused,
)
from hydra_nb.journal import Journal, JournalReader, Receipt, writer
from hydra_nb.journal.writer import QUOTES_WRITTEN_AT
from hydra_nb.risk.verdict import Decision

from .conftest import ACCOUNT, START_NS

PASSED = Decision(
    check="max_lots",
    allowed=True,
    observed=3.0,
    limit=10.0,
    unit="lots",
    message="3 of 10 lots",
    source="limits",
)


def paused(number: int) -> ParentPaused:
    """A small event that differs by number."""
    return ParentPaused(time_ns=START_NS + number, parent_id=f"P-{number:04}")


def at_rest(path: Path) -> list[int]:
    """Sequence numbers that another process finds in the file."""
    with JournalReader.open(path) as reader:
        return [seq for seq, _ in reader.events()]


# Appending and reading


def test_events_come_back_in_order_committed_or_not(journal: Journal, path: Path) -> None:
    """The live journal shows what is pending after what is on disk, a reader of the file only the latter."""
    for number in (1, 2, 3):
        journal.append(paused(number))
    journal.commit_now()

    journal.append(paused(4))

    assert list(journal.events()) == [(number, paused(number)) for number in (1, 2, 3, 4)]
    assert list(journal.events(after=2)) == [(3, paused(3)), (4, paused(4))]
    assert at_rest(path) == [1, 2, 3]


def test_events_are_found_by_kind_and_by_parent(journal: Journal, reserved: ChildReserved) -> None:
    """The parent of an event is the one it names, the child's, or that of its orderRef; strangers have none."""
    own_ref = f"hy:{journal.journal_id}:P-0001:1:1"
    child = dataclasses.replace(reserved.child, order_ref=own_ref)
    own = dataclasses.replace(reserved, child=child, content_hash=child.content_hash)
    journal.append(own)
    journal.append(ChildSent(time_ns=2, order_ref=own_ref, action=Action.PLACE, content_hash=own.content_hash))
    journal.commit_now()
    journal.append(BrokerErrorReported(time_ns=3, order_ref="hy:other:P-0001:1:1", code=201, message="no"))
    journal.append(paused(1))

    of_parent = [seq for seq, _ in journal.events(parent_id="P-0001")]
    of_kinds = [seq for seq, _ in journal.events(kinds=(ChildReserved, BrokerErrorReported))]

    assert of_parent == [1, 2, 4]
    assert of_kinds == [1, 3]


def test_long_journals_are_read_whole(journal: Journal) -> None:
    """Reading goes over several chunks, with and without pending rows."""
    for number in range(4_100):
        journal.append(paused(number))
    journal.commit_now()
    journal.append(paused(4_100))

    numbers = [event.time_ns - START_NS for _, event in journal.events()]

    assert numbers == list(range(4_101))


def test_decisions_and_quotes_come_back(journal: Journal) -> None:
    """Rows keep their figures and are found by parent and time, pending or not."""
    refused = PASSED._replace(check="kill", allowed=False, observed=None, would_pass=2.0, transient=True)
    quote = Quote(con_id=4711, time_ns=START_NS, bid=Decimal("380.25"), bid_size=2, volume=17)
    journal.append_decisions((PASSED, refused), time_ns=5, parent_id="P-0001", slice=None, action=Action.PARENT)
    journal.append_quote(quote, "ZOH7")
    journal.commit_now()
    journal.append_decisions((PASSED,), time_ns=9, parent_id="P-0002", slice=1, action=Action.PLACE)

    rows = journal.decisions_rows()
    (quoted,) = journal.quotes_rows(since_ns=START_NS, until_ns=START_NS)

    assert [(row.seq, row.check, row.allowed, row.would_pass, row.slice) for row in rows] == [
        (1, "max_lots", 1, None, None),
        (2, "kill", 0, 2.0, None),
        (3, "max_lots", 1, None, 1),
    ]
    assert [row.seq for row in journal.decisions_rows(parent_id="P-0002", since_ns=9)] == [3]
    assert journal.decisions_rows(parent_id="P-0002", until_ns=8) == []
    assert (quoted.local_symbol, quoted.bid, quoted.ask, quoted.bid_size, quoted.volume) == (
        "ZOH7",
        380.25,
        None,
        2,
        17,
    )


def test_many_quotes_are_written_by_themselves(journal: Journal, path: Path) -> None:
    """Quotes do not pile up in memory where nothing else is committed."""
    for number in range(QUOTES_WRITTEN_AT + 1):
        journal.append_quote(Quote(con_id=4711, time_ns=number), "ZOH7")

    with JournalReader.open(path) as reader:
        assert len(reader.quotes_rows()) == QUOTES_WRITTEN_AT
    assert len(journal.quotes_rows()) == QUOTES_WRITTEN_AT + 1


# Durability


def test_commits_on_the_worker_are_durable_and_shared(path: Path) -> None:
    """Fifty commits asked for at once are all durable on return, in far fewer transactions."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS)
    transactions: list[str] = []
    journal._connection.set_trace_callback(lambda sql: transactions.append(sql) if sql == "COMMIT" else None)

    async def append_and_commit(number: int) -> None:
        seq = journal.append(paused(number))
        await journal.commit()
        assert seq in at_rest(path)

    async def run() -> None:
        await asyncio.gather(*(append_and_commit(number) for number in range(50)))

    asyncio.run(run())
    journal.close()

    assert at_rest(path) == list(range(1, 51))
    assert len(transactions) <= 5


def test_a_write_under_way_does_not_reach_into_a_later_step(path: Path) -> None:
    """What one step appends becomes durable together, also when a write begins in the middle of the step."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS)
    journal.append(paused(1))

    async def run() -> list[int]:
        with journal._writer.database:  # the worker stands before its write while the next step begins
            first = asyncio.create_task(journal.commit())
            await asyncio.sleep(0.02)
            journal.append(paused(2))
        await first
        between = at_rest(path)
        journal.append(paused(3))
        await journal.commit()
        return between

    between = asyncio.run(run())

    assert between == [1]
    assert at_rest(path) == [1, 2, 3]
    journal.close()


def test_a_full_disk_loses_nothing_and_gives_no_receipt(journal: Journal, path: Path, reserved: ChildReserved) -> None:
    """While SQLite reports a full disk nothing is sealed; with space again everything pending is written."""
    journal.append(paused(1))
    journal.commit_now()
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    seqs = [journal.append(dataclasses.replace(reserved, time_ns=number)) for number in range(30)]

    with pytest.raises(JournalUnwritable, match="full"):
        asyncio.run(journal.seal(seqs[0], reserved.content_hash))
    with pytest.raises(JournalUnwritable, match="full"):
        journal.commit_now()
    unhealthy = journal.healthy, journal.failure
    journal._connection.execute("PRAGMA max_page_count = 100000")
    receipt = asyncio.run(journal.seal(seqs[0], reserved.content_hash))

    assert unhealthy[0] is False
    assert "full" in str(unhealthy[1])
    assert (journal.healthy, journal.failure) == (True, None)
    assert at_rest(path) == list(range(1, 32))
    journal.redeem(receipt, reserved.content_hash)
    journal.verify()


def test_closing_on_a_full_disk_says_what_is_lost_and_lets_go(path: Path) -> None:
    """The error reaches whoever closes; the lock is free and the file good for what was committed."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS)
    journal.append(paused(1))
    journal.commit_now()
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(200):
        journal.append(paused(number))

    with pytest.raises(JournalUnwritable, match="full"):
        journal.close()

    again = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    assert [seq for seq, _ in again.events()] == [1]
    again.close()


def test_quotes_are_dropped_rather_than_pile_up_while_the_disk_is_full(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no space for long, memory stays bounded: the oldest quotes go, no event does."""
    monkeypatch.setattr(writer, "QUOTES_KEPT", 700)
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    journal.append(paused(1))

    for number in range(1200):
        journal.append_quote(Quote(con_id=4711, time_ns=number), "ZOH7")
    unhealthy = not journal.healthy
    journal._connection.execute("PRAGMA max_page_count = 100000")
    journal.commit_now()

    assert unhealthy
    assert [row.time_ns for row in journal.quotes_rows()] == list(range(500, 1200))
    assert [event for _, event in journal.events()] == [paused(1)]


def test_a_journal_held_by_a_writer_is_unwritable_until_let_go(journal: Journal, path: Path) -> None:
    """A foreign write transaction makes commits fail after a short wait, and nothing is lost."""
    journal._connection.execute("PRAGMA busy_timeout = 50")
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    journal.append(paused(1))

    with pytest.raises(JournalUnwritable, match="locked"):
        journal.commit_now()
    intruder.close()
    journal.commit_now()

    assert at_rest(path) == [1]


def test_a_write_interrupted_after_its_commit_is_not_repeated(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt between the commit and its bookkeeping leaves no row twice and the journal usable."""
    write = journal._writer._transaction

    def interrupted(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    journal.append(paused(1))
    monkeypatch.setattr(journal._writer, "_transaction", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.commit_now()
    monkeypatch.undo()

    journal.append(paused(2))
    journal.commit_now()

    assert at_rest(path) == [1, 2]


def test_closing_writes_what_is_pending_and_leaves_one_clean_file(path: Path) -> None:
    """After closing, the file holds everything, has no log beside it, and can be read; nothing more is taken down."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS)
    journal.append(paused(1))

    journal.close()
    journal.close()

    assert not path.with_name(path.name + "-wal").exists()
    assert [event for _, event in journal.events()] == [paused(1)]
    with pytest.raises(JournalUnwritable, match="closed"):
        journal.append(paused(2))


def test_reopening_goes_on_with_number_and_chain(path: Path) -> None:
    """A journal keeps its id, its numbers and its chain over several openings."""
    ids = []
    for opening in range(3):
        journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS + opening, inline=True)
        journal.append(paused(opening))
        ids.append(journal.journal_id)
        journal.close()

    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)

    assert [seq for seq, _ in journal.events()] == [1, 2, 3]
    assert len(set(ids)) == 1
    journal.verify()
    journal.close()


# Receipts


async def sealed(journal: Journal, reserved: ChildReserved) -> Receipt:
    """A receipt for the reservation, just appended."""
    return await journal.seal(journal.append(reserved), reserved.content_hash)


def test_a_receipt_counts_once(journal: Journal, path: Path, reserved: ChildReserved) -> None:
    """The reservation is on disk before the receipt exists, and the receipt is used up by the first use."""
    receipt = asyncio.run(sealed(journal, reserved))
    durable = at_rest(path)

    journal.redeem(receipt, reserved.content_hash)

    assert durable == [receipt.seq]
    with pytest.raises(SendRefused, match="used before"):
        journal.redeem(receipt, reserved.content_hash)


def test_copies_and_forgeries_of_a_receipt_are_refused(journal: Journal, reserved: ChildReserved) -> None:
    """Only the very object passes, and it still passes after the attempts."""
    receipt = asyncio.run(sealed(journal, reserved))
    forgeries = [
        copy.copy(receipt),
        dataclasses.replace(receipt),
        Receipt(seq=receipt.seq, content_hash=receipt.content_hash),
    ]

    for forgery in forgeries:
        with pytest.raises(SendRefused, match="not given by this journal"):
            journal.redeem(forgery, reserved.content_hash)

    journal.redeem(receipt, reserved.content_hash)


def test_a_receipt_is_for_one_content(journal: Journal, reserved: ChildReserved) -> None:
    """Another content is refused, and the receipt is gone with the attempt."""
    receipt = asyncio.run(sealed(journal, reserved))

    with pytest.raises(SendRefused, match="is not what the journal recorded"):
        journal.redeem(receipt, "0" * 64)
    with pytest.raises(SendRefused, match="used before"):
        journal.redeem(receipt, reserved.content_hash)


def test_only_a_waiting_reservation_with_its_own_content_is_sealed(journal: Journal, reserved: ChildReserved) -> None:
    """Other events, unknown numbers, another content and a second seal are refused."""
    other = journal.append(paused(1))
    seq = journal.append(dataclasses.replace(reserved, content_hash="f" * 64))

    for wrong, content_hash in ((other, reserved.content_hash), (99, reserved.content_hash), (seq, "f" * 64)):
        with pytest.raises(SendRefused):
            asyncio.run(journal.seal(wrong, content_hash))
    asyncio.run(journal.seal(seq, reserved.content_hash))

    with pytest.raises(SendRefused, match="waits for its seal"):
        asyncio.run(journal.seal(seq, reserved.content_hash))


# Refusals at opening


def test_a_journal_refuses_another_account_and_hides_both(journal: Journal, path: Path) -> None:
    """The message names neither account whole."""
    journal.close()

    with pytest.raises(JournalOfAnotherAccount) as error:
        Journal.open(path, account="U1234567", now_ns=START_NS)

    assert "U•••67" in str(error.value)
    assert "SIM•••QF" in str(error.value)
    assert ACCOUNT not in str(error.value)
    assert "U1234567" not in str(error.value)


def test_a_journal_of_a_later_version_is_refused(journal: Journal, path: Path) -> None:
    """Neither the desk nor a reader touches what it does not know."""
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.close()

    with pytest.raises(JournalTooNew, match="99"):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS)
    with pytest.raises(JournalTooNew, match="99"):
        JournalReader.open(path)


def test_files_that_are_no_journal_are_refused_and_left_alone(tmp_path: Path) -> None:
    """Text, another SQLite database and a missing file are each told as unreadable."""
    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("dear diary" * 500)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    connection.close()
    before = foreign.read_bytes()

    for path in (text, foreign):
        with pytest.raises(JournalUnreadable):
            Journal.open(path, account=ACCOUNT, now_ns=START_NS)
        with pytest.raises(JournalUnreadable):
            JournalReader.open(path)
    with pytest.raises(JournalUnreadable, match="there is no journal"):
        JournalReader.open(tmp_path / "missing")

    assert foreign.read_bytes() == before


def test_a_torn_file_is_refused(journal: Journal, path: Path) -> None:
    """A journal that lost pages is not opened."""
    for number in range(500):
        journal.append(paused(number))
    journal.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(JournalUnreadable):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS)


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("UPDATE events SET payload = replace(payload, 'P-0003', 'P-0004') WHERE seq = 3", "row 3 .*changed"),
        ("UPDATE events SET time_ns = 1 WHERE seq = 2", "row 2 .*changed"),
        ("UPDATE events SET parent_id = 'P-0009' WHERE seq = 4", "row 4 .*changed"),
        ("DELETE FROM events WHERE seq = 2", "row 2 .*missing"),
        ("DELETE FROM events WHERE seq = 1", "row 1 .*missing"),
    ],
)
def test_tampering_is_found_and_named(journal: Journal, path: Path, tampering: str, named: str) -> None:
    """Whoever changes or takes out a row breaks the chain there."""
    for number in range(1, 6):
        journal.append(paused(number))
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("DROP TRIGGER events_remain")
        connection.execute(tampering)
    connection.close()

    with JournalReader.open(path) as reader, pytest.raises(JournalUnreadable, match=named):
        reader.verify()
    with pytest.raises(JournalUnreadable, match=named):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS)


@pytest.mark.parametrize("statement", ["UPDATE {} SET time_ns = 1", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["events", "decisions"])
def test_the_tables_can_only_be_appended_to(journal: Journal, statement: str, table: str) -> None:
    """The file itself refuses to change or delete what was journalled."""
    journal.append(paused(1))
    journal.append_decisions((PASSED,), time_ns=1, parent_id="P-0001", slice=1, action=Action.PLACE)
    journal.commit_now()

    with pytest.raises(sqlite3.IntegrityError, match="only appended"):
        journal._connection.execute(statement.format(table))


# Kill requests


def test_a_kill_asked_for_elsewhere_is_told_until_settled(journal: Journal, path: Path) -> None:
    """A request is polled, settled durably with the kill, not told again, and a later one is."""
    before = journal.pending_kill()
    Journal.request_kill(path, "fat finger")
    told = journal.pending_kill(), journal.pending_kill()
    journal.append(Killed(time_ns=START_NS, reason="fat finger"))
    journal.settle_kill()
    after = journal.pending_kill()
    journal.close()

    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    reopened = journal.pending_kill()
    Journal.request_kill(path, "again")
    again = journal.pending_kill()
    journal.close()

    assert (before, told, after) == (None, ("fat finger", "fat finger"), None)
    assert (reopened, again) == (None, "again")


def test_a_kill_not_settled_durably_is_told_to_the_next_desk(journal: Journal, path: Path) -> None:
    """A kill asked for while no desk ran, or lost in a crash, waits for the next desk."""
    journal.close()
    Journal.request_kill(path, "nobody there")

    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)

    assert journal.pending_kill() == "nobody there"
    journal.close()


def test_no_kill_fails_for_its_words(journal: Journal, path: Path) -> None:
    """What a terminal hands over may be bytes that are no text: the request is written, and they are spelt out."""
    Journal.request_kill(path, "stop \udcff now")

    assert journal.pending_kill() == r"stop \udcff now"


def test_a_kill_needs_a_journal(tmp_path: Path) -> None:
    """A mistyped path is told, and makes no file."""
    with pytest.raises(JournalUnreadable):
        Journal.request_kill(tmp_path / "typo.sqlite", "stop")

    assert list(tmp_path.iterdir()) == []


def test_memory_journals_do_the_same_without_a_file() -> None:
    """In memory two journals live side by side, and reading works after closing."""
    journals = [Journal.open(":memory:", account=ACCOUNT, now_ns=START_NS, inline=inline) for inline in (True, False)]

    for number, journal in enumerate(journals):
        journal.append(paused(number))
        journal.commit_now()
        journal.append(paused(number + 10))
        journal.close()

    assert [[event for _, event in journal.events()] for journal in journals] == [
        [paused(0), paused(10)],
        [paused(1), paused(11)],
    ]


@pytest.mark.parametrize(
    ("account", "shown"),
    [("U1234567", "U•••67"), ("DU7654321", "DU•••21"), ("SIM4AB7QF", "SIM•••QF"), ("U12", "•••"), ("", "•••")],
)
def test_account_numbers_are_masked(account: str, shown: str) -> None:
    """Of an account two characters at the end are shown, and its kind."""
    assert mask_account(account) == shown
