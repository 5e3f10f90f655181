"""The file of a journal: begun, or opened and checked, for writing."""

import contextlib
import hashlib
import sqlite3
import threading
from importlib import resources
from pathlib import Path

from hydra_nb.domain.accounts import mask_account
from hydra_nb.errors import JournalOfAnotherAccount, JournalUnreadable, JournalUnwritable, invariant
from hydra_nb.journal.lock import JournalLock, refuse_network_file_system
from hydra_nb.journal.reader import SCHEMA_VERSION, JournalReader, check_is_journal, connect_read_only, read_meta

MEMORY = ":memory:"
READ_ONLY_ADVICE = "JournalReader.open reads what is left of it; name another path to go on"
_BUSY_S = 2.0  # how long a write waits for another process, which only ever writes a kill request
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def take_lock(path: Path) -> JournalLock:
    """Make the folder of a journal where it is missing, and lock the journal; see `Journal.open` for the errors."""
    refuse_network_file_system(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalUnwritable(f"the folder {path.parent} cannot be made: {error.strerror}") from error
    return JournalLock(path)


def open_file(path: Path | str, *, account: str, now_ns: int, journal_id: str | None) -> sqlite3.Connection:
    """Connection to a new or an existing journal, ready to be written; see `Journal.open`."""
    with contextlib.ExitStack() as undo:
        try:
            if isinstance(path, Path) and not path.exists():
                path.touch(mode=0o600)  # never opened again but by SQLite: closing it would drop SQLite's own locks
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
            undo.callback(connection.close)
            if _is_blank(connection):
                _make_durable(connection, path)
                _begin(connection, account=account, now_ns=now_ns, journal_id=journal_id)
            else:
                check_is_journal(connection, path=path)
                _make_durable(connection, path)
            _refuse_damage(connection, path)
            owner = read_meta(connection)["account"]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in _DAMAGED:
                raise JournalUnreadable(f"{path} cannot be read as a journal: {error}") from error
            raise JournalUnwritable(f"journal {path} cannot be opened for writing: {error}") from error
        except OSError as error:
            raise JournalUnwritable(f"journal {path} cannot be written: {error.strerror}") from error
        if owner != account:
            raise JournalOfAnotherAccount(
                f"journal {path} belongs to account {mask_account(owner)}, not to {mask_account(account)}; "
                "name another path"
            )
        undo.pop_all()
    return connection


def request_kill(path: Path, reason: str) -> int:
    """Write a kill request into a journal that another process may hold; see `Journal.request_kill`."""
    connect_read_only(path).close()
    # In an emergency no request fails for its words: what a terminal hands over need be no text.
    reason = reason.encode("utf-8", "backslashreplace").decode()
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection,
            connection,
        ):
            asked = connection.execute("INSERT INTO requests (kind, reason) VALUES ('kill', ?)", (reason,))
            return asked.lastrowid or 0
    except sqlite3.Error as error:
        raise JournalUnwritable(f"the kill request could not be written to {path}: {error}") from error


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever created in the file; so is one whose beginning was cut short."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables


def _make_durable(connection: sqlite3.Connection, path: Path | str) -> None:
    """Write-ahead log, and a commit that returns once the disk has it (on macOS too, by its full sync)."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal" and path != MEMORY:
        raise JournalUnwritable(f"journal {path} cannot keep a write-ahead log here (mode {mode}); name another path")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")


def _begin(connection: sqlite3.Connection, *, account: str, now_ns: int, journal_id: str | None) -> None:
    """Create the tables and say whose journal it is, all or nothing."""
    journal_id = journal_id or hashlib.sha256(f"{account}|{now_ns}".encode()).hexdigest()[:8]
    invariant(journal_id.isalnum(), f"journal id {journal_id!r} is not made of letters and digits")
    schema = resources.files("hydra_nb.journal").joinpath("schema.sql").read_text(encoding="utf-8")
    connection.executescript(f"BEGIN IMMEDIATE;\n{schema}")
    meta = {
        "schema_version": str(SCHEMA_VERSION),
        "account": account,
        "journal_id": journal_id,
        "created_ns": str(now_ns),
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    connection.execute("COMMIT")


def _refuse_damage(connection: sqlite3.Connection, path: Path | str) -> None:
    """Raise `JournalUnreadable` where SQLite finds the file damaged."""
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise JournalUnreadable(
            f"journal {path} is damaged: {_first_broken(connection) or finding}; {READ_ONLY_ADVICE}"
        )


def _first_broken(connection: sqlite3.Connection) -> str | None:
    """Which event cannot be read, or does not follow from the one before; None where all do."""
    try:
        JournalReader(connection, lock=threading.Lock()).verify()
    except (JournalUnreadable, sqlite3.DatabaseError) as error:
        return str(error)
    return None
