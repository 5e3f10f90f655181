"""Benchmarks of what stands between a decision and its order; they measure with ``--benchmark-enable``."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.domain.events import ChildReserved
from hydra_nb.domain.orders import Action
from hydra_nb.journal import Journal
from hydra_nb.journal.codec import decode_event, encode_event
from hydra_nb.risk.verdict import Decision

from .conftest import ACCOUNT, START_NS

CHECKS = tuple(
    Decision(
        check=f"check_{number}",
        allowed=True,
        observed=1.5,
        limit=3.0,
        unit="lots",
        message="1.5 of 3.0 lots, which is within the limit",
        source="default limits",
    )
    for number in range(20)
)


@pytest.fixture(params=[True, False], ids=["inline", "worker"])
def written(request: pytest.FixtureRequest, path: Path) -> Iterator[Journal]:
    """A journal on disk, written either way."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=request.param)
    yield journal
    journal.close()


def test_speed_of_a_durable_intent(benchmark: BenchmarkFixture, written: Journal, reserved: ChildReserved) -> None:
    """Append the reservation and 20 decisions, seal and redeem."""

    async def intend() -> None:
        seq = written.append(reserved)
        written.append_decisions(CHECKS, time_ns=START_NS, parent_id="P-0001", slice=1, action=Action.PLACE)
        written.redeem(await written.seal(seq, reserved.content_hash), reserved.content_hash)

    with asyncio.Runner() as runner:
        benchmark(lambda: runner.run(intend()))

    assert written.healthy
    assert len(written.decisions_rows()) % len(CHECKS) == 0


def test_speed_of_a_bare_commit_of_the_same_bytes(
    benchmark: BenchmarkFixture, tmp_path: Path, reserved: ChildReserved
) -> None:
    """One row as long as the intent and its decisions, in the same mode of SQLite: what the intent is held against."""
    size = len(encode_event(reserved)) + sum(len(str(tuple(check))) for check in CHECKS)
    connection = sqlite3.connect(tmp_path / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bytes (content BLOB)")

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bytes VALUES (zeroblob(?))", (size,))
        connection.execute("COMMIT")

    benchmark(commit)

    assert connection.execute("SELECT count(*) FROM bytes").fetchone()[0] >= 1
    connection.close()


def test_speed_of_the_codec(benchmark: BenchmarkFixture, reserved: ChildReserved) -> None:
    """Encode the largest event of every order."""
    text = benchmark(lambda: encode_event(reserved))

    assert decode_event("ChildReserved", text) == reserved
