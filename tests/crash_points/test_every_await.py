"""Wherever a TWAP is stopped, cancelled or interrupted, it is taken up, and ends as if nothing had been."""

import os
from concurrent.futures import Future

import pytest

from tests.crash_points import cases
from tests.crash_points.cases import Result
from tests.crash_points.instants import Blow, Disk, Phase
from tests.crash_points.life import LOTS, Case

FULL = os.environ.get("HYDRA_FULL") == "1"


def strike(seed: int, *, fully: bool) -> tuple[Result, list[Result]]:
    """Run the undisturbed life of a seed, then a case for each instant that is chosen; print the table."""
    undisturbed = cases.run(Case(seed=seed))
    choose = cases.every if fully else cases.some
    results = cases.run_all(list(choose(undisturbed.instants, seed=seed)))
    print(f"\nseed {seed}, {len(undisturbed.instants)} instants, {len(results)} lives struck")
    print(cases.table(results, undisturbed=undisturbed))
    return undisturbed, results


def strike_twice(seed: int, *, fully: bool) -> tuple[Result, list[Result], list[Result]]:
    """Kill a life at some instants, and strike each recovery again; gives lives killed once and those struck twice."""
    undisturbed = cases.run(Case(seed=seed))
    count = cases.FIRST_BLOWS_FULLY if fully else cases.FIRST_BLOWS
    once = cases.run_all(cases.first_blows(undisturbed.instants, seed=seed, count=count))
    stride = 1 if fully else cases.SECOND_STRIDE
    twice = cases.run_all([case for first in once for case in cases.second_blows(first, stride=stride)])
    print(f"\nseed {seed}, {len(once)} recoveries, {len(twice)} of them struck")
    print(cases.table(twice, undisturbed=undisturbed))
    return undisturbed, once, twice


def must_be_well(undisturbed: Result, results: list[Result]) -> None:
    """Each blow fell where it was aimed, and nothing is wrong with what came after."""
    for result in results:
        assert result.struck == undisturbed.instants[result.case.number], "the run repeats up to the blow"
    wrong = [f"{one.case}, {one.struck}: {'; '.join(one.wrong)}" for one in results if one.wrong]
    assert not wrong, f"{len(wrong)} of {len(results)} ended wrongly:\n" + "\n".join(wrong[:20])
    human = [f"{one.case}, {one.struck}: {'; '.join(one.human)}" for one in results if one.human]
    assert not human, "a person was asked for where all can be explained:\n" + "\n".join(human[:20])


def must_be_well_twice(undisturbed: Result, once: list[Result], twice: list[Result]) -> None:
    """As `must_be_well`, and each second blow fell where it was aimed as well."""
    recoveries = {first.case.number: {instant.number: instant for instant in first.instants} for first in once}
    for result in twice:
        assert result.struck_again == recoveries[result.case.number][result.case.again_number], "it repeats up to there"
    must_be_well(undisturbed, [*once, *twice])


@pytest.mark.parametrize("seed", cases.SEEDS)
def test_the_life_has_all_that_can_be_cut_off(seed: int) -> None:
    """It fills in parts, modifies, is cancelled with lots left over, and waits between each intent and its sending."""
    undisturbed = cases.run(Case(seed=seed))

    assert not undisturbed.wrong
    assert undisturbed.told is not None
    assert undisturbed.told.shortfall_lots > 0
    assert len(undisturbed.told.fills) > len({slice_ for _, slice_, _, _ in undisturbed.told.fills})
    assert undisturbed.told.filled_lots < LOTS
    assert undisturbed.messages["place"] >= 3
    assert undisturbed.messages["modify"] >= 2
    assert undisturbed.messages["cancel"] >= 1
    in_flight = [instant for instant in undisturbed.instants if instant.in_flight]
    waits = [instant for instant in in_flight if "_send > journal" in instant.place and instant.phase is Phase.WAITS]
    assert len(waits) == undisturbed.messages["place"] + undisturbed.messages["modify"]


def test_one_seed_gives_one_life() -> None:
    """The same instants in the same order, so that a blow falls where it was aimed."""
    first, second = cases.run(Case(seed=7)), cases.run(Case(seed=7))

    assert first.instants == second.instants
    assert first.told == second.told


def test_a_twap_survives_its_end_at_any_await() -> None:
    """Killed at every instant; cancelled and interrupted at a choice of them, and at all between intent and send."""
    undisturbed, results = strike(7, fully=False)

    must_be_well(undisturbed, results)
    killed = {result.case.number for result in results if result.case.blow is Blow.KILL}
    assert {instant.number for instant in undisturbed.instants if instant.in_flight} <= killed
    assert len(killed) >= min(len(undisturbed.instants), cases.MOST_KILLS // 2)


def test_a_desk_interrupted_as_it_closes_lets_go_of_all() -> None:
    """Whatever it waited for: the next desk of the same process finds the journal unlocked and the client id free."""
    undisturbed = cases.run(Case(seed=8))
    closing = [instant.number for instant in undisturbed.instants if cases.is_closing(instant)]

    results = [cases.run(Case(seed=8, number=number, blow=Blow.CANCEL, restarts=False)) for number in closing]

    assert len(results) >= 5
    must_be_well(undisturbed, results)


@pytest.mark.parametrize("blow", [Blow.CANCEL, Blow.INTERRUPT])
def test_a_blow_on_a_task_of_the_connection_leaves_the_desk_able_to_trade(blow: Blow) -> None:
    """An interrupt of a cell can fall on the task that is to ask for quotes: they are asked for all the same."""
    undisturbed = cases.run(Case(seed=7))
    begins = [i for i in undisturbed.instants if "HeldTasks._guard" in i.place and i.phase is Phase.BEGINS]

    results = [cases.run(Case(seed=7, number=i.number, blow=blow, restarts=False)) for i in begins]

    assert len(results) >= 3
    must_be_well(undisturbed, results)


def test_a_disk_that_lies_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a journal that says durable and is not, the verdict finds every order, and the fills that a kill loses."""
    monkeypatch.setattr(Disk, "submit", lambda _disk, _write, *_args: promised())

    undisturbed = cases.run(Case(seed=7))
    sent = next(i for i in reversed(undisturbed.instants) if i.in_flight)
    killed = cases.run(Case(seed=7, number=sent.number, blow=Blow.KILL))

    assert sum("before its intent was on the disk" in words for words in undisturbed.wrong) >= 3
    assert len(killed.wrong) > len(undisturbed.wrong)


def promised() -> "Future[None]":
    """What a disk says that took nothing."""
    said: Future[None] = Future()
    said.set_result(None)
    return said


def test_a_recovery_survives_its_own_end() -> None:
    """Struck again while it connects, reconciles or resumes, and taken up once more: the same verdict."""
    undisturbed, once, twice = strike_twice(7, fully=False)

    must_be_well_twice(undisturbed, once, twice)
    places = {result.struck_again.place for result in twice if result.struck_again is not None}
    assert {result.case.again for result in twice} == set(Blow)
    assert any("Connecting._open" in place for place in places)
    assert max(result.lives for result in twice) >= 3


@pytest.mark.skipif(not FULL, reason="several thousand lives; HYDRA_FULL=1 asks for them")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", cases.SEEDS)
def test_a_twap_survives_every_blow_at_every_await(seed: int) -> None:
    """Killed, cancelled and interrupted at every instant, with a new process and without."""
    must_be_well(*strike(seed, fully=True))


@pytest.mark.skipif(not FULL, reason="several thousand lives; HYDRA_FULL=1 asks for them")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", cases.SEEDS)
def test_a_recovery_survives_every_blow_at_every_await(seed: int) -> None:
    """Some kills, and all of what can befall the recovery from each."""
    must_be_well_twice(*strike_twice(seed, fully=True))
