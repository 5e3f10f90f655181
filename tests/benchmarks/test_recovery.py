"""How long a desk takes to stand where a long journal left it."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.broker.inbox import Inbox
from hydra_nb.desk.recovery import replay
from hydra_nb.journal import Journal, JournalReader
from hydra_nb.order_manager import ManagerCore
from tests.simulation.running import Outcome, run_seed

from .figures import Figure
from .long_journal import write

EVENTS = 100_000
FEW_EVENTS = 2_000
"""Where only the result is looked at."""
GOAL_S = 2.0
ROUNDS = 5
CLIENT_ID = 1


class Standing:
    """A clock that is never asked while a journal is read."""

    def now_ns(self) -> int:
        """No time passes."""
        return 0

    host_ns = now_ns

    async def sleep(self, seconds: float) -> None:
        """Nobody waits."""


def test_a_long_journal_is_recovered_in_two_seconds(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None], tmp_path: Path
) -> None:
    """Lock, check of the file, chain of hashes, and all events into core, ledger and inbox; the broker comes after."""
    path = tmp_path / "long.sqlite"
    events = EVENTS if benchmark.enabled else FEW_EVENTS
    parents = write(path, events=events)
    with JournalReader.open(path) as reader:
        account = reader.account
    cpu_s: list[float] = []

    def recover() -> ManagerCore:
        began = time.process_time()
        with closing(Journal.open(path, account=account, now_ns=1, inline=True)) as journal:
            core = replay(journal, hear=Inbox(clock=Standing(), client_id=CLIENT_ID).recall)
        cpu_s.append(time.process_time() - began)
        return core

    core = benchmark.pedantic(recover, rounds=ROUNDS)

    assert len(core.ledger.parents) == parents
    assert len(core.running) <= 1
    assert sum(parent.filled_lots for parent in core.ledger.parents.values()) >= 20 * (parents - 1)
    if benchmark.enabled:
        stats = benchmark.stats.stats
        detail = f"least of {stats.rounds}; median {stats.median:.2f} s, least of the processor {min(cpu_s):.2f} s"
        note(Figure(name=f"recover {events:,} events", value=stats.min, unit="s", goal=GOAL_S, detail=detail))


@pytest.mark.parametrize("seeds", [range(20)], ids=["twenty seeds"])
def test_a_second_of_the_processor_simulates_hours(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None], seeds: range
) -> None:
    """Seeds of `tests.simulation` in this one process, with all their faults and every rule asked after every event."""
    seeds = seeds if benchmark.enabled else seeds[:1]
    cpu_s: list[float] = []

    def live() -> list[Outcome]:
        began = time.process_time()
        outcomes = [run_seed(seed) for seed in seeds]
        cpu_s.append(time.process_time() - began)
        return outcomes

    outcomes = benchmark.pedantic(live, rounds=1)

    assert not [outcome.seed for outcome in outcomes if outcome.failed]
    if benchmark.enabled:
        wall_s, faults = benchmark.stats.stats.min, sum(outcome.faults for outcome in outcomes)
        hours = sum(outcome.virtual_s for outcome in outcomes) / 3600
        for what, count in (("sessions", float(len(outcomes))), ("faults", float(faults)), ("simulated hours", hours)):
            detail = f"{count:,.0f} in one process; {count / cpu_s[0]:.3g} a second of the processor"
            note(Figure(name=f"{what} a second of the simulation", value=count / wall_s, unit="/s", detail=detail))
