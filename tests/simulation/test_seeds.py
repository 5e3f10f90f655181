"""Five hundred seeds of the whole stack under faults, none of which may break a promise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import beside
from tests.simulation.commands import Tally, tell_failure
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.running import Outcome, run_many, run_seed
from tests.simulation.seeds_of_a_change import SEEDS

LEAST_FAULTS = 10
TWICE = (3, 14, 31, 101)
TIGHT = {
    "max_daily_loss": 300.0,
    "max_drawdown_percent": 0.05,
    "max_parent_loss": 200.0,
    "max_position_lots": 12,
    "max_consecutive_refusals": 1,
    "max_slippage_multiple": 0.0,
    "max_slippage_excess_ticks": 5.0,
    "min_slippage_fills": 2,
}
"""Limits under which a breaker trips in every other session."""
TRIPPING = range(1, 25)
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.timeout(1200)
def test_no_seed_breaks_a_promise(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, in all processes of the machine or beside the other tests, with ten faults each on average."""
    tally = Tally()
    failed = []

    for outcome in beside.outcomes():
        tally.add(outcome)
        if outcome.failed:
            failed.append(tell_failure(outcome))

    with capsys.disabled():
        sys.stdout.write(f"\n{tally}\n")
    assert not failed, "\n\n".join(failed)
    assert tally.faults >= LEAST_FAULTS * tally.sessions
    assert tally.sessions == len(SEEDS)
    assert tally.counts["places"] > len(SEEDS)


def test_no_seed_breaks_a_promise_where_breakers_trip() -> None:
    """13. Nothing leaves that a tripped breaker holds back, across kills, crashes and all faults of the wire."""
    outcomes = list(run_many(TRIPPING, limits=TIGHT))

    failed = [tell_failure(one) for one in outcomes if one.failed]
    assert not failed, "\n\n".join(failed)
    assert sum(one.counts["trips"] > 0 for one in outcomes) >= len(TRIPPING) // 3
    assert sum(one.counts["places"] for one in outcomes) > len(TRIPPING)


@pytest.fixture(scope="module")
def kept(request: pytest.FixtureRequest) -> dict[int, Outcome]:
    """Outcomes of the kept seeds that were asked for, run in all processes of the machine."""
    items = (item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function))
    asked = {item.callspec.params["seed"] for item in items if item.originalname == "test_what_failed_once_holds"}
    return {outcome.seed: outcome for outcome in run_many(sorted(asked))}


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_failed_once_holds(seed: int, kept: dict[int, Outcome]) -> None:
    """The seeds of `regressions`."""
    outcome = kept[seed]

    assert not outcome.failed, tell_failure(outcome)


@pytest.mark.parametrize("seed", TWICE)
def test_one_seed_gives_identical_frames_and_an_identical_journal(seed: int) -> None:
    """19. Every frame at its nanosecond, every event with every field."""
    first, second = run_seed(seed), run_seed(seed)

    assert first.digest == second.digest
    assert first.counts == second.counts


def test_a_seed_does_not_depend_on_the_process() -> None:
    """19. With its strings hashed otherwise, in another process."""
    program = "from tests.simulation.running import run_seed; print(run_seed(3).digest)"

    told = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
    )

    assert told.stdout.strip() == run_seed(3).digest


def test_seeds_differ() -> None:
    """Else comparing them would compare nothing."""
    assert run_seed(3).digest != run_seed(4).digest
