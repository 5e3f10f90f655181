"""A durable intent, held against the least that the same disk can do for the same bytes."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from risk.making import NOW_NS, SNAPSHOT, make_child

from hydra_nb.domain.events import ChildReserved
from hydra_nb.domain.orders import Action
from hydra_nb.journal import Journal
from hydra_nb.journal.codec import encode_event
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Approved

from .figures import Figure, Turns, timed, timing

GOAL = 1.15


@pytest.fixture
def approved() -> Approved:
    """A child order that passed every check, with all decisions."""
    verdict = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=SNAPSHOT)
    assert isinstance(verdict, Approved)
    return verdict


@pytest.fixture
def reserved(approved: Approved) -> ChildReserved:
    """Its reservation, as the journal gets it."""
    return ChildReserved(
        time_ns=NOW_NS,
        action=Action.PLACE,
        child=approved.child,
        client_id=1,
        content_hash=approved.content_hash,
        quote=SNAPSHOT.quote,
        predicted_slippage=None,
        predictor_version=None,
    )


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with one table of bytes, in the journal's mode."""
    with closing(sqlite3.connect(tmp_path / "bare.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE bytes (content BLOB)")
        yield connection


@pytest.mark.parametrize("inline", [False, True], ids=["worker", "inline"])
def test_durable_intent_costs_little_more_than_the_disk(
    benchmark: BenchmarkFixture,
    note: Callable[[Figure], None],
    tmp_path: Path,
    approved: Approved,
    reserved: ChildReserved,
    bare: sqlite3.Connection,
    inline: bool,
) -> None:
    """Append the reservation and every decision, seal and redeem; the bare commit writes as many bytes in one row."""
    text = encode_event(reserved) + "".join(str(tuple(made)) for made in approved.decisions)
    content = text.encode()

    turns = Turns()

    def commit() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO bytes VALUES (?)", (content,))
        bare.execute("COMMIT")

    with (
        closing(Journal.open(tmp_path / "own.sqlite", account="SIM1234567", now_ns=NOW_NS, inline=inline)) as journal,
        asyncio.Runner() as runner,
    ):

        async def intend() -> None:
            with timing(turns.ours):
                journal.append_decisions(
                    approved.decisions, time_ns=NOW_NS, parent_id="P-0001", slice=1, action=Action.PLACE
                )
                seq = journal.append(reserved)
                journal.redeem(await journal.seal(seq, reserved.content_hash), reserved.content_hash)

        benchmark.pedantic(lambda: runner.run(intend()), setup=timed(commit, turns.bare), rounds=500)

        assert len(journal.decisions_rows()) == len(approved.decisions) * len(list(journal.events()))
        journal.verify()
    if benchmark.enabled:
        name = "durable intent over a bare commit" + (", on the loop's own thread" if inline else "")
        note(turns.figure(name, goal=None if inline else GOAL))
