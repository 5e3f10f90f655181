"""A plan rehearsed from a desk: one answer whoever runs it, refusals by the same check, nothing left behind."""

import asyncio
import multiprocessing
import pickle
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import pytest

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder, NoReply, RehearsalFailed, SendRefused
from hydra_nb.journal import Receipt
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.running import draw_seeds
from hydra_nb.rehearsal.script import Script, desk_of, run_paths, unpack
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Approved
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


@pytest.mark.parametrize("how", [PATIENT, {**PATIENT, "strategy": "twap", "slices": 3, "duration": "30min"}])
def test_a_path_leaves_nothing_behind_for_the_next(how: dict[str, Any]) -> None:
    """Forwards, backwards, and each alone: what paths share nobody has written into."""

    async def scenario(desk: Desk) -> bytes:
        return (await desk.preview(**how)).stage(None).packed

    packed, seeds = on_a_desk(scenario), range(6)

    forwards = run_paths(packed, seeds)

    assert repr(run_paths(packed, seeds[::-1])[::-1]) == repr(forwards)
    assert repr(tuple(run_paths(packed, [seed])[0] for seed in seeds)) == repr(forwards)
    assert len({path.finished_s for path in forwards}) > 1


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


def test_an_order_that_is_refused_before_its_start_was_over_at_once() -> None:
    """Its path begins a minute before; a time after its beginning is never below zero."""

    async def scenario(desk: Desk) -> tuple[str | None, float]:
        plan = await desk.preview("BUY", 50, "ZO", start="09:30")
        with ThreadPoolExecutor(1) as thread:
            path = (await plan.rehearse(1, executor=thread)).outcomes[0]
        return path.refused_by, path.finished_s

    refused_by, finished_s = on_a_desk(scenario)

    assert refused_by is not None
    assert finished_s == 0.0


def test_what_the_desk_does_not_know_the_rehearsal_does_not_know_better() -> None:
    """A broker that answers no what-if: the gate refuses every order for it, and every path too."""

    async def scenario(desk: Desk) -> tuple[set[str], set[str | None]]:
        plan = await desk.preview(**PATIENT)
        desk._rooms.manager.snapshots.margins._answers.clear()

        async def mute(_question: object) -> None:
            raise NoReply("as scripted")

        desk._rooms.broker.what_if = mute  # type: ignore[method-assign]
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


def test_an_equal_order_of_the_day_is_rehearsed_as_a_second_one() -> None:
    """As where a notebook is run again from the top: the first counts as sent, and the card says so."""

    async def scenario(desk: Desk) -> tuple[Rehearsal, int]:
        await desk.submit(await desk.preview(**PATIENT))
        with ThreadPoolExecutor(1) as thread:
            again = await (await desk.preview(**PATIENT)).rehearse(4, executor=thread, progress=False)
        return again, len(desk._rooms.manager.ledger.parents)

    again, parents = on_a_desk(scenario)

    assert parents == 1
    assert again.paths.filled_lots.sum() > 0
    assert "An equal order of today, P-0001, counts as sent" in again._repr_html_()


def test_an_executor_of_ones_own_is_left_open() -> None:
    """Whoever made it may have more work for it."""

    async def scenario(desk: Desk) -> int:
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(2) as threads:
            runner: Executor = threads
            await plan.rehearse(2, executor=runner)
            return threads.submit(lambda: 5).result()

    assert on_a_desk(scenario) == 5


def test_an_own_order_on_the_screen_is_nobody_elses_in_a_path() -> None:
    """Where it is the whole touch, a path prices as the desk does, and its market begins with the touch of others."""

    async def scenario(desk: Desk) -> tuple[set[float], float]:
        await desk.submit(await desk.preview("SELL", 2, "ZO", strategy="limit_patience", patience=600))
        await desk._rooms.clock.sleep(20)
        quote = desk.latest_quote(await desk.instrument("ZO"))
        own = desk._rooms.manager.ledger.own_lots(quote.con_id, side=Side.SELL)
        assert own == {quote.ask: quote.ask_size}, "the scenario wants an own order that is the whole ask"
        plan = await desk.preview("SELL", 3, "ZO", strategy="limit_patience", tag="second")
        script = unpack(plan.stage(None).packed)
        ask = script.world.source.opening.ask_ticks * float(plan.parent.contract.tick)
        found = set()
        for seed in range(3):
            path = direct_of(unpack(plan.stage(None).packed), seed)
            parent_id = path.submit(plan.terms)
            path.run_to(path.agenda.now_ns() + 1_000_000_000)
            [order] = [one for one in path.manager.ledger.orders.values() if one.child.parent_id == parent_id]
            found.add(float(order.child.limit_price))
            path.close()
        execution = await desk.submit(plan)
        await desk._rooms.clock.sleep(1)
        [real] = execution.resting
        return found | {float(real.limit_price)}, ask - float(quote.ask)

    prices, behind = on_a_desk(scenario)

    assert len(prices) == 1
    assert behind > 0


def direct_of(script: Script, seed: int) -> DirectDesk:
    """The desk of a path, begun."""
    desk = desk_of(script, seed=seed)
    desk.begin()
    desk.ask_margin(script.plan.parent)
    return desk


def test_a_delayed_feed_is_refused_in_every_path_as_it_is_on_the_desk() -> None:
    """What was never subscribed to does not become live by being rehearsed."""

    async def scenario(desk: Desk) -> tuple[set[str], set[str | None]]:
        contract = await desk.instrument("ZO")
        [board] = [desk._rooms.broker._inbox.board]
        [req_id] = [number for number, line in board._by_request.items() if line.contract == contract]
        board.feed_type(req_id, 3)
        for tick, price in ((66, 399.0), (67, 401.0)):
            board.price_tick(req_id, tick, price, 3)
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(1) as threads:
            rehearsal = await plan.rehearse(3, executor=threads)
        return {one.check for one in plan.decisions if not one.allowed}, {one.refused_by for one in rehearsal.outcomes}

    refusing, rehearsed = on_a_desk(scenario)

    assert "quote_sane" in refusing
    assert rehearsed <= refusing
    assert None not in rehearsed


def test_staging_asks_nobody_and_an_old_preview_is_rehearsed_on_a_fresh_margin() -> None:
    """The broker is asked as before a preview, by `freshen` alone; forty minutes later the plan still passes."""

    async def scenario(desk: Desk) -> tuple[int, int, set[str]]:
        plan = await desk.preview(**PATIENT)
        margins, asked = desk._rooms.manager.snapshots.margins, []
        margins.on_wanted = lambda *what: asked.append(what)
        await desk._rooms.clock.sleep(2_400)
        plan.stage(None)
        staged = len(asked)
        with ThreadPoolExecutor(1) as threads:
            rehearsal = await plan.rehearse(3, executor=threads)
        return staged, len(asked), {one.status for one in rehearsal.outcomes}

    staged, asked, statuses = on_a_desk(scenario)

    assert (staged, asked) == (0, 0)
    assert "refused" not in statuses


def test_an_error_inside_a_path_is_raised_and_names_its_seed() -> None:
    """Neither swallowed, nor waited for without end."""

    async def scenario(desk: Desk) -> bytes:
        return (await desk.preview(**PATIENT)).stage(None).packed

    broken = unpack(on_a_desk(scenario))
    path = direct_of(broken, 1)

    def fail(*_what: object) -> None:
        raise ValueError("as scripted")

    path.broker.place = fail  # type: ignore[method-assign]
    with pytest.raises(RehearsalFailed, match="as scripted"):
        path.finish(path.submit(broken.plan))
    path.close()
    with pytest.raises(RehearsalFailed, match="seed 5"):
        run_paths(pickle.dumps("no script"), [5])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda buy, _sell: hydra_nb.rehearse(buy, 3), "a list of at least one plan"),
        (lambda _buy, _sell: hydra_nb.rehearse([], 3), "a list of at least one plan"),
        (lambda buy, sell: hydra_nb.rehearse([buy, sell], 3), "share no markets"),
        (lambda buy, _sell: hydra_nb.rehearse([buy, "x"], 3), r"plans\[1\]='x' is no plan"),
        (lambda buy, _sell: buy.rehearse(3, market=3), "is no ThinMarket"),
        (lambda buy, _sell: buy.rehearse(0), "a whole number from 1"),
        (lambda buy, _sell: buy.rehearse(2, seed="abc"), "seed='abc'; give a whole number"),
        (lambda buy, _sell: hydra_nb.rehearse_bounds([buy], 2, market=None), "bounds are those of one plan"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_before_anything_runs(ask: Any, words: str) -> None:
    """With what may be given instead."""

    async def scenario(desk: Desk) -> None:
        buy, sell = await desk.preview("BUY", 1, "ZO"), await desk.preview("SELL", 1, "ZO")
        with pytest.raises(InvalidOrder, match=words):
            await ask(buy, sell)

    on_a_desk(scenario)


def test_a_volume_of_the_callers_own_makes_the_market() -> None:
    """`adv=` counts in the market as it does in the plan."""

    async def scenario(desk: Desk) -> list[float]:
        plans = [await desk.preview("BUY", 1, "ZO", adv=adv) for adv in (200, 20)]
        return [unpack(plan.stage(None).packed).world.source.parameters.taker_s for plan in plans]

    many, few = on_a_desk(scenario)

    assert few == pytest.approx(10 * many)


def test_a_screen_without_both_sides_says_where_its_market_begins() -> None:
    """No ask: on the bid. No side at all: at the last trade, which has left the settlement far behind."""

    async def scenario(desk: Desk) -> tuple[list[Any], list[str], Any]:
        contract = await desk.instrument("ZO")
        plan = await desk.preview("BUY", 1, "ZO")
        bid, board = desk.latest_quote(contract).bid, desk._rooms.broker._inbox.board
        [req_id] = [number for number, line in board._by_request.items() if line.contract == contract]
        board.price_tick(req_id, 4, 420.0, 1)
        staged = []
        for tick_type in (2, 1):
            board.price_tick(req_id, tick_type, -1.0, 0)
            staged.append(plan.stage(None))
        openings = [unpack(one.packed).world.source.opening for one in staged]
        return openings, [one.rehearsed.model for one in staged], bid / contract.tick

    (on_the_bid, at_the_last), models, bid_ticks = on_a_desk(scenario)

    assert on_the_bid.bid_ticks == bid_ticks < on_the_bid.ask_ticks
    assert (at_the_last.bid_ticks + at_the_last.ask_ticks) / 2 == pytest.approx(420 / 0.25, abs=1)
    assert "no ask is shown and taken to stand the usual 14 ticks above the bid of" in models[0]
    assert "no bid below an ask is shown, begun around the last trade of 420" in models[1]


UNGUARDED = """
import asyncio, os, sys
import hydra_nb

async def main():
    async with hydra_nb.connect("sim", seed=7, journal=f"{sys.argv[1]}/{os.getpid()}.sqlite", speed=60) as desk:
        await desk.submit(await desk.preview("BUY", 1, "ZO", tag="first"))
        print("SUBMITTED", flush=True)
        plan = await desk.preview("BUY", 2, "ZO")
        await plan.rehearse(4, progress=False)

asyncio.run(main())
"""


def test_a_program_without_a_guard_submits_once_and_is_told(tmp_path: Path) -> None:
    """Its processes read it as well; they open no desk, so that nothing is sent a second time."""
    program = tmp_path / "unguarded.py"
    program.write_text(UNGUARDED)

    ran = subprocess.run(
        [sys.executable, str(program), str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.stdout.count("SUBMITTED") == 1
    assert "if __name__ == '__main__':" in ran.stderr
    assert len(list(tmp_path.glob("*.sqlite"))) == 1


KILLED = """
import multiprocessing, time
from hydra_nb.rehearsal.running import _processes

if __name__ == "__main__":
    with _processes() as own:
        own.submit(time.sleep, 0).result()
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
        time.sleep(60)
"""


def test_processes_end_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    """Nobody is left behind on the machine that trades."""
    program = tmp_path / "killed.py"
    program.write_text(KILLED)

    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout is not None
        pids = [int(word) for word in kernel.stdout.readline().split()]
        kernel.kill()

    assert pids
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s and any(_is_alive(pid) for pid in pids):
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    try:
        return "\tZ" not in Path(f"/proc/{pid}/status").read_text().split("State:")[1].splitlines()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_several_plans_share_their_markets_in_real_time_too() -> None:
    """They are staged one after the other, and the clock goes on meanwhile; what would differ is refused before."""

    async def main() -> tuple[int, int]:
        async with hydra_nb.connect("sim", seed=7, journal=":memory:", speed=60) as desk:
            plans = [await desk.preview("BUY", 3, "ZO", patience=patience, tag=str(patience)) for patience in (60, 300)]
            other = await desk.preview("BUY", 3, "ZO", adv=50)
            with ThreadPoolExecutor(1) as thread:
                compared = await hydra_nb.rehearse(plans, 3, executor=thread, progress=False)
                with pytest.raises(InvalidOrder, match="the same adv="):
                    await hydra_nb.rehearse([plans[0], other], 3, executor=thread, progress=False)
        return len(compared.rehearsals), len(compared.compare())

    rehearsals, rows = asyncio.run(main())

    assert rehearsals == 2
    assert rows > 0


def test_what_a_path_holds_sends_nothing_on_a_desk() -> None:
    """Approval and receipt are the very objects with which it placed; no gate or journal that sends knows them."""

    async def scenario(desk: Desk) -> int:
        plan = await desk.preview(**PATIENT)
        path, held = direct_of(unpack(plan.stage(None).packed), 1), []
        place = path.broker.place

        def look(approved: Approved, receipt: Receipt) -> None:
            held.append((approved, receipt))
            place(approved, receipt)

        path.broker.place = look  # type: ignore[method-assign]
        path.finish(path.submit(plan.terms))
        path.close()
        for approved, receipt in held:
            with pytest.raises(SendRefused):
                desk._rooms.broker.place(approved, receipt)
        await desk._rooms.clock.sleep(1)
        return len(held) if (await desk._rooms.broker.open_orders()) == () else -1

    assert on_a_desk(scenario) > 0
