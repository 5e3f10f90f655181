"""A plan rehearsed from a desk: one answer whoever runs it, refusals by the same check, nothing left behind."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import pytest

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.errors import InvalidOrder, RehearsalFailed
from hydra_nb.rehearsal.running import draw_seeds
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.loop import VirtualLoop, run_virtual

Result = TypeVar("Result")
PATIENT = {"side": "BUY", "lots": 3, "instrument": "ZO"}


def on_a_desk(scenario: Callable[[Desk], Awaitable[Result]], **how: Any) -> Result:
    """Run a scenario on a desk that has watched oats for two minutes."""

    async def main(_loop: VirtualLoop) -> Result:
        async with hydra_nb.connect("sim", seed=7, speed="max", journal=":memory:", **how) as desk:
            await desk.instrument("ZO")
            await desk._rooms.clock.sleep(120)
            return await scenario(desk)

    return run_virtual(main)


def test_what_comes_out_does_not_hang_on_who_ran_it() -> None:
    """One thread, four threads, and processes of this machine give the same outcomes."""

    async def scenario(desk: Desk) -> list[Any]:
        plan = await desk.preview(**PATIENT)
        found = []
        for workers in (1, 4):
            with ThreadPoolExecutor(workers) as threads:
                found.append((await plan.rehearse(30, executor=threads)).outcomes)
        found.append((await plan.rehearse(30)).outcomes)
        return found

    one, four, processes = on_a_desk(scenario)

    assert repr(one) == repr(four) == repr(processes)
    assert len({path.seed for path in one}) == 30
    assert len({path.finished_s for path in one}) > 5


def test_a_rehearsal_touches_nothing_of_the_desk() -> None:
    """No event, no order, no other ledger; the plan is sent afterwards as if nothing had been rehearsed."""

    async def scenario(desk: Desk) -> tuple[int, int, int, int]:
        plan = await desk.preview(**PATIENT)
        journal = desk._rooms.journal
        before = len(list(journal.events()))
        with ThreadPoolExecutor(1) as threads:
            await plan.rehearse(5, executor=threads)
        after = len(list(journal.events()))
        execution = await desk.submit(plan)
        await execution
        return before, after, len(desk.executions()), execution.filled_lots

    before, after, parents, lots = on_a_desk(scenario)

    assert before == after
    assert parents == 1
    assert lots == 3


@pytest.mark.parametrize("lots", [50, 3])
def test_what_the_gate_refuses_is_refused_by_the_same_check(lots: int) -> None:
    """Too large an order, and any order of a desk that was killed."""

    async def scenario(desk: Desk) -> tuple[str, set[str | None], set[int]]:
        if lots == 3:
            await desk.kill("somebody leaned on the keyboard")
        plan = await desk.preview("BUY", lots, "ZO")
        with ThreadPoolExecutor(1) as threads:
            rehearsal = await plan.rehearse(4, executor=threads)
        execution = await desk.submit(plan)
        await execution
        asked = desk.decisions(parent_id=execution.parent_id)
        refusing = asked[~asked.allowed].check.iloc[0]
        return (
            str(refusing),
            {path.refused_by for path in rehearsal.outcomes},
            {path.messages for path in rehearsal.outcomes},
        )

    refusing, rehearsed, messages = on_a_desk(scenario)

    assert rehearsed == {refusing}
    assert messages == {0}


def test_what_the_desk_does_not_know_the_rehearsal_does_not_know_better() -> None:
    """A broker that answers no what-if: the gate refuses every order for it, and every path too."""

    async def scenario(desk: Desk) -> tuple[set[str], set[str | None]]:
        plan = await desk.preview(**PATIENT)
        margins = desk._rooms.manager.snapshots.margins
        margins._answers.clear()
        margins._asked_ns = dict.fromkeys([(plan.parent.contract.con_id, plan.parent.side)], desk.now_ns())
        refusing = {one.check for one in desk._rooms.manager.check_plan(plan.terms) if not one.allowed}
        with ThreadPoolExecutor(1) as threads:
            rehearsal = await plan.rehearse(3, executor=threads)
        return refusing, {path.refused_by for path in rehearsal.outcomes}

    refusing, rehearsed = on_a_desk(scenario)

    assert len(refusing) == 1
    assert rehearsed == refusing


def test_what_is_held_counts_in_every_path() -> None:
    """Lots bought before: a second order that would pass alone is refused for the position."""

    async def scenario(desk: Desk) -> tuple[set[str | None], set[str]]:
        await desk.execute("BUY", 3, "ZO", strategy="limit_patience")
        plan = await desk.preview("BUY", 2, "ZO", strategy="limit_patience")
        refusing = {one.check for one in plan.decisions if not one.allowed}
        with ThreadPoolExecutor(1) as threads:
            rehearsal = await plan.rehearse(3, executor=threads)
        return {path.refused_by for path in rehearsal.outcomes}, refusing

    rehearsed, refusing = on_a_desk(scenario, limits=Limits(max_position_lots=4))

    assert "position_lots" in refusing
    assert rehearsed <= refusing


def test_plans_are_compared_in_the_same_markets_and_keep_their_budgets() -> None:
    """Each plan meets the same seeds; patience of whatever length sends no more messages than were budgeted."""

    async def scenario(desk: Desk) -> tuple[Any, list[int]]:
        plans = [
            await desk.preview("BUY", 3, "ZO", patience=patience, tag=str(patience)) for patience in (60, 300, 900)
        ]
        with ThreadPoolExecutor(1) as threads:
            compared = await hydra_nb.rehearse(plans, 12, executor=threads)
        return compared, [plan.terms.messages_budget for plan in plans]

    compared, budgets = on_a_desk(scenario)

    assert len({rehearsal.seeds for rehearsal in compared.rehearsals}) == 1
    for rehearsal, budget in zip(compared.rehearsals, budgets, strict=True):
        assert max(path.messages for path in rehearsal.outcomes) <= budget
        assert all(path.filled_lots + path.shortfall_lots == 3 for path in rehearsal.outcomes)


def test_numbers_of_paths_that_are_none_are_refused() -> None:
    """With what may be given instead."""
    for n in (0, -1, 2.5, True, 10**9):
        with pytest.raises(InvalidOrder, match="a whole number from 1 to 100,000"):
            draw_seeds(n, seed=1)  # type: ignore[arg-type]


def test_more_paths_are_more_of_the_same() -> None:
    """So that a longer rehearsal only sharpens a shorter one."""
    assert draw_seeds(50, seed=3)[:10] == draw_seeds(10, seed=3)
    assert draw_seeds(10, seed=3) != draw_seeds(10, seed=4)


def _die() -> None:
    import os

    os._exit(3)


def test_an_executor_that_dies_is_told_in_words() -> None:
    """The processes are killed from outside, as by a machine without memory."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as broken:
            with pytest.raises(BrokenProcessPool):
                broken.submit(_die).result()
            with pytest.raises(RehearsalFailed, match="died"):
                await plan.rehearse(4, executor=broken)

    on_a_desk(scenario)


class _Failing(ThreadPoolExecutor):
    """Runs something else than it is given."""

    def submit(self, _fn: Any, /, *_args: Any, **_kwargs: Any) -> Any:
        return super().submit(_raise)


def _raise() -> None:
    raise RehearsalFailed("the path of seed 1 could not be run: ValueError: as scripted")


def test_a_path_that_cannot_be_run_names_its_seed() -> None:
    """The failure of one path is raised; none is left out in silence."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        with _Failing(1) as failing, pytest.raises(RehearsalFailed, match="seed 1"):
            await plan.rehearse(4, executor=failing)

    on_a_desk(scenario)


def test_a_cancelled_rehearsal_leaves_no_process_behind() -> None:
    """Those of its own end, and are waited for; what had not begun never does."""

    async def scenario(desk: Desk) -> tuple[int, int]:
        plan = await desk.preview(**PATIENT)
        begun = asyncio.Event()
        done: list[int] = []

        def tell(paths: int, _total: int) -> None:
            done.append(paths)
            if paths:
                begun.set()

        rehearsing = asyncio.ensure_future(plan.rehearse(5_000, progress=tell))
        await begun.wait()
        rehearsing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rehearsing
        return len(multiprocessing.active_children()), done[-1]

    processes, paths = on_a_desk(scenario)

    assert processes == 0
    assert 0 < paths < 5_000


def test_an_order_that_was_submitted_is_not_rehearsed_again() -> None:
    """It has an execution to look at."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        await desk.submit(plan)
        with pytest.raises(InvalidOrder, match="submitted as P-0001"):
            await plan.rehearse(4)

    on_a_desk(scenario)


def test_an_executor_of_ones_own_is_left_open() -> None:
    """Whoever made it may have more work for it."""

    async def scenario(desk: Desk) -> int:
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(2) as threads:
            runner: Executor = threads
            await plan.rehearse(2, executor=runner)
            return threads.submit(lambda: 5).result()

    assert on_a_desk(scenario) == 5
