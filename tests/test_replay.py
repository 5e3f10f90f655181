"""One run, told again: the journal gives the same actions to a plain loop, and one seed gives one run."""

import hashlib
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydra_nb.algos.actions import CancelChild, CoreAction, Propose, Record
from hydra_nb.domain.events import Event, Killed, ParentPaused, ParentResumed
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.journal.codec import encode_event
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager import ManagerCore
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

Steps = list[tuple[Event, tuple[CoreAction, ...]]]


async def twap(stack: Stack) -> None:
    """13 lots of oats in 5 slices."""
    await stack.desk.execute("BUY", 13, "ZO", slices=5, duration="50m")


async def limit_patience(stack: Stack) -> None:
    """One patient order that has to cross."""
    await stack.desk.execute("SELL", 3, "ZO", strategy="limit_patience")


async def paused(stack: Stack) -> None:
    """A TWAP that a person holds up for four minutes while an order of it rests."""
    execution = await stack.desk.submit(await stack.desk.preview("BUY", 13, "ZO", slices=5, duration="50m"))
    await stack.until(lambda: execution.working_lots > 0)
    await execution.pause()
    await stack.sleep(240)
    await execution.resume()
    await execution


async def killed(stack: Stack) -> None:
    """A TWAP that is killed in its third slice, and an order that is refused while killed."""
    execution = await stack.desk.submit(await stack.desk.preview("BUY", 13, "ZO", slices=5, duration="50m"))
    await stack.until(lambda: len(stack.orders()) == 3)
    await stack.desk.kill("enough for today")
    await execution
    await stack.desk.execute("BUY", 1, "ZO", tag="while killed")


async def two_at_once(stack: Stack) -> None:
    """Two parents of two contracts, one of them cancelled by hand."""
    first = await stack.desk.submit(await stack.desk.preview("BUY", 8, "ZO", slices=4, duration="40m"))
    second = await stack.desk.submit(await stack.desk.preview("SELL", 4, "PA", slices=2, strategy="twap"))
    await stack.sleep(700)
    await second.cancel("changed my mind")
    await first


RUNS = [twap, limit_patience, paused, killed, two_at_once]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run: what the core was told and asked for, and what was kept."""

    journal_id: str
    steps: Steps
    journalled: list[Event]
    ledger: Ledger
    frames: list[tuple[int, int, bytes]]


def run_of(story: Callable[[Stack], Awaitable[None]], *, seed: int = 7, journal: str | Path = ":memory:") -> Run:
    """Run a story and keep all of it."""

    async def scenario(stack: Stack) -> tuple[Stack, list[Event], Steps]:
        await story(stack)
        return stack, [event for _, event in stack.desk._rooms.journal.events()], list(stack.steps)

    stack, journalled, steps = on_a_desk(scenario, seed=seed, journal=journal)
    return Run(
        journal_id=stack.desk._rooms.journal.journal_id,
        steps=steps,
        journalled=journalled,
        ledger=stack.manager.ledger,
        frames=[(frame.time_ns, frame.session, frame.data) for frame in stack.core.frames],
    )


def replay(events: Sequence[Event], *, journal_id: str) -> tuple[ManagerCore, Steps]:
    """Feed events through a fresh core: no asyncio, no sockets, no files."""
    core = ManagerCore(journal_id=journal_id)
    return core, [(event, core.step(event, event.time_ns)) for event in events]


@pytest.mark.parametrize("story", RUNS)
def test_a_plain_loop_gets_the_same_actions_at_the_same_times(story: Callable[[Stack], Awaitable[None]]) -> None:
    """Event for event, through a fresh core, from the first to the last."""
    run = run_of(story)

    core, told = replay(run.journalled, journal_id=run.journal_id)

    # What was folded while connecting came before any parent, and asked for nothing.
    before = len(told) - len(run.steps)
    assert all(actions == () for _, actions in told[:before])
    assert told[before:] == run.steps
    asked = [action for _, actions in told for action in actions]
    assert {Propose, Record} <= {type(action) for action in asked}
    assert core.ledger.orders == run.ledger.orders
    assert core.ledger.parents == run.ledger.parents
    assert core.ledger.positions == run.ledger.positions


def test_the_stories_are_what_they_say() -> None:
    """A replay of runs in which nothing happened would prove nothing."""
    plain, one, held, stopped = (run_of(story) for story in RUNS[:4])

    assert [len(p.plan.slices) for p in plain.ledger.parents.values()] == [5]
    assert [len(p.plan.slices) for p in one.ledger.parents.values()] == [1]
    assert {ParentPaused, ParentResumed} <= {type(event) for event in held.journalled}
    assert Killed in {type(event) for event in stopped.journalled}
    assert [p.status for p in stopped.ledger.parents.values()][1] is ParentStatus.REFUSED
    assert any(isinstance(action, CancelChild) for _, actions in held.steps for action in actions)


def test_a_journal_read_from_its_file_replays_as_well(tmp_path: Path) -> None:
    """What went through the codec and the disk is still all that the core needs."""
    path = tmp_path / "journal.sqlite"
    run = run_of(twap, journal=path)

    with JournalReader.open(path) as reader:
        reader.verify()
        core, told = replay([event for _, event in reader.events()], journal_id=reader.journal_id)

    assert [step for step in told if step[1]] == [step for step in run.steps if step[1]]
    assert core.ledger.orders == run.ledger.orders


@pytest.mark.parametrize("at_s", [1, 200, 333, 700, 1500])
def test_a_replay_up_to_a_moment_is_where_the_run_was(at_s: float) -> None:
    """Any prefix gives the ledger of that moment, with orders at work: the fold needs nothing else."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", slices=5, duration="50m")
        await stack.desk.submit(plan)
        await stack.sleep(at_s)
        journal = stack.desk._rooms.journal
        again, _ = replay([event for _, event in journal.events()], journal_id=journal.journal_id)

        live = stack.manager.core
        assert again.ledger.orders == live.ledger.orders
        assert again.ledger.parents == live.ledger.parents
        assert again.running == live.running == ("P-0001",)
        assert again.parent_view("P-0001") == live.parent_view("P-0001")

    on_a_desk(scenario)


def digests(run: Run) -> list[str]:
    """A hash of each journalled event's payload."""
    return [hashlib.sha256(encode_event(event).encode()).hexdigest() for event in run.journalled]


@pytest.mark.parametrize("story", RUNS)
@pytest.mark.parametrize("seed", [7, 23])
def test_one_seed_gives_one_journal_and_the_same_bytes_on_the_wire(
    story: Callable[[Stack], Awaitable[None]], seed: int
) -> None:
    """Twice the same run: every event, every frame, at the same nanosecond."""
    first, second = run_of(story, seed=seed), run_of(story, seed=seed)

    assert digests(first) == digests(second)
    assert first.frames == second.frames
    assert len(first.frames) > 10


def test_another_seed_gives_another_run() -> None:
    """Else the comparison above would compare nothing."""
    assert digests(run_of(twap, seed=7)) != digests(run_of(twap, seed=8))


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_the_run_does_not_depend_on_the_process(hash_seed: str) -> None:
    """Another process, with its strings hashed otherwise, writes the same journal and the same frames."""
    program = (
        "import hashlib\n"
        "from tests.test_replay import digests, run_of, two_at_once\n"
        "run = run_of(two_at_once)\n"
        "print(hashlib.sha256(repr((digests(run), run.frames)).encode()).hexdigest())\n"
    )
    here = run_of(two_at_once)

    told = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parent.parent,
        env={"PYTHONHASHSEED": hash_seed, "PATH": "/usr/bin:/bin"},
    )

    assert told.stdout.strip() == hashlib.sha256(repr((digests(here), here.frames)).encode()).hexdigest()


def test_the_scripted_market_replays_too() -> None:
    """The markets that tests write themselves are as repeatable as the seeded ones."""

    def once() -> list[str]:
        async def scenario(stack: Stack) -> list[str]:
            await twap(stack)
            return [encode_event(event) for _, event in stack.desk._rooms.journal.events()]

        return on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))

    assert once() == once()
