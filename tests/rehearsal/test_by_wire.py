"""A rehearsal by wire: the paths of the direct driver through ib_async and the gateway, and faults on the way."""

import asyncio
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, is_dataclass, replace
from typing import Any

import pytest

import hydra_nb
from hydra_nb import Comparison, Limits, TapeMarket
from hydra_nb.desk.by_wire import ACCOUNT, run_wire_path, run_wire_paths
from hydra_nb.desk.desk import Desk
from hydra_nb.errors import AnalysisError, InvalidOrder, RehearsalFailed
from hydra_nb.rehearsal.market import Market
from hydra_nb.rehearsal.outcome import PathOutcome
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.script import run_path, unpack
from hydra_nb.sim.faults import Fault, FaultRates, FaultScript
from tests.rehearsal.test_markets import quotes
from tests.rehearsal.test_outcome import SOON_S
from tests.rehearsal.test_rehearse import on_a_desk

PATIENT = {"side": "BUY", "lots": 3, "instrument": "ZO"}
RUSHED = {"side": "SELL", "lots": 6, "instrument": "ZO", "strategy": "twap", "slices": 2, "duration": "6min"}
NARROW = Limits(max_spread_multiple=1.0)
"""Many a quote is wider than half of them: it is refused, and tried again."""


def staged(
    how: dict[str, Any],
    *,
    faults: FaultScript | None = None,
    market: Callable[[Any], Market] | None = None,
    limits: Limits | None = None,
) -> tuple[bytes, bytes]:
    """A plan of a desk that has just opened, for the direct driver and for the wire."""

    async def scenario(desk: Desk) -> tuple[bytes, bytes]:
        plan = await desk.preview(**how)
        there = None if market is None else market(plan.parent.contract)
        direct = plan.stage(there).packed
        return direct, plan.stage(there, fidelity="wire", faults=faults).packed

    return on_a_desk(scenario, limits=limits)


def by_wire(packed: bytes, seed: int) -> PathOutcome:
    """One path over the wire."""
    return run_wire_path(pickle.loads(packed), seed=seed)  # noqa: S301  our own bytes


def alike(one: Any, other: Any) -> bool:
    """Whether outcomes, or parts of them, are the same but for the microseconds of a virtual loop and of its clock."""
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if is_dataclass(one):
        return type(one) is type(other) and alike(astuple(one), astuple(other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, abs=SOON_S, nan_ok=True)
    return bool(one == other)


def of(name: str, *, at_s: float = 30.0, times: int = 1, **parameters: Any) -> FaultScript:
    """A script of one fault."""
    return FaultScript(faults=(Fault(kind=name, at_s=at_s, times=times, parameters=parameters),))


WAYS: dict[str, dict[str, Any]] = {
    "patience": {"how": PATIENT},
    "two slices": {"how": RUSHED},
    "refusals on the way": {"how": PATIENT, "limits": NARROW},
    "a tape": {
        "how": PATIENT,
        "market": lambda own: TapeMarket.of(quotes(symbol=own.local_symbol), own, fills="touch"),
    },
    "a later start": {"how": PATIENT | {"start": "09:30"}},
}


@pytest.mark.parametrize("name", WAYS)
def test_wire_and_direct_driver_give_the_same_path_for_a_seed(name: str) -> None:
    """Fills, stages, refusals, messages, fees and the end, of a desk that has just opened."""
    direct, wired = staged(**WAYS[name])

    for seed in (1, 2):
        mine, theirs = by_wire(wired, seed), run_path(unpack(direct), seed=seed)
        assert alike(mine, theirs)
        assert mine.fills or mine.refusals
        assert name != "refusals on the way" or mine.refusals


def test_a_rehearsal_by_wire_is_compared_with_one_by_the_direct_driver() -> None:
    """The markets are the same, so that what faults cost is a difference path by path; without them it is none."""

    async def scenario(desk: Desk) -> tuple[Rehearsal, Rehearsal, Rehearsal]:
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(2) as threads:
            return (
                await plan.rehearse(3, executor=threads),
                await plan.rehearse(3, executor=threads, fidelity="wire"),
                await plan.rehearse(3, executor=threads, fidelity="wire", faults=of("overfill", lots=2)),
            )

    direct, wire, faulty = on_a_desk(scenario)

    told = direct.compare([wire, faulty]).set_index(["plan", "quantity"])
    assert {str(plan).rsplit("min", 1)[-1] for plan, _ in told.index} == {", by wire", ", by wire with faults"}
    assert set(told.difference[wire.rehearsed.label]) == {0.0}
    assert list(faulty.paths.overfilled_lots) == [2, 2, 2]
    assert list(faulty.paths.faults) == [1, 1, 1]
    assert list(wire.paths.faults) == list(direct.paths.faults) == [0, 0, 0]
    assert "a fresh desk on a simulated account" in wire.rehearsed.leaves_out
    with pytest.raises(AnalysisError, match="is of 1 lots"):
        replace(direct, outcomes=(replace(direct.outcomes[0], shortfall_lots=0, filled_lots=1),))


def test_what_faults_cost_is_told_while_the_clock_goes_on() -> None:
    """Both are staged at one instant; two rehearsals one after the other are not, and what differs is said."""

    async def main() -> tuple[Comparison, Rehearsal]:
        async with hydra_nb.connect("sim", seed=7, journal=":memory:", speed=60) as desk:
            plan, faults = await desk.preview(**PATIENT), of("overfill", lots=2)
            with ThreadPoolExecutor(1) as thread:
                earlier = await plan.rehearse(2, executor=thread, progress=False)
                told = await hydra_nb.rehearse_faults(plan, 2, faults=faults, executor=thread, progress=False)
                return told, earlier

    told, earlier = asyncio.run(main())

    clean, faulty = told.rehearsals
    assert (clean.rehearsed.with_faults, faulty.rehearsed.with_faults) == (False, True)
    assert (list(clean.paths.faults), list(faulty.paths.faults)) == ([0, 0], [1, 1])
    assert list(faulty.paths.overfilled_lots) == [2, 2]
    assert set(told.compare().plan) == {faulty.rehearsed.label}
    apart = (
        f"begun at another instant or price, world {faulty.rehearsed.world}, not {earlier.rehearsed.world}; .*faults"
    )
    with pytest.raises(AnalysisError, match=apart):
        earlier.compare(faulty)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"faults": None}, "faults=None is no FaultScript"),
        ({"faults": FaultScript(), "market": 3}, "market=3 is no ThinMarket"),
        ({"faults": FaultScript(), "n": 0}, "a whole number from 1"),
    ],
)
def test_faults_that_cannot_be_tried_are_refused_before_anything_runs(how: dict[str, Any], words: str) -> None:
    """With what may be given instead."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        with pytest.raises(InvalidOrder, match=words):
            await hydra_nb.rehearse_faults(plan, **how)
        with pytest.raises(InvalidOrder, match="is no plan"):
            await hydra_nb.rehearse_faults([plan], faults=FaultScript())

    on_a_desk(scenario)


def test_faults_are_drawn_for_each_path_and_again_the_same() -> None:
    """By the seed of the script and of the path."""
    rates = FaultRates(per_hour={"status_twice": 300.0, "half_open": 60.0, "error_399": 300.0})
    _, wired = staged(PATIENT, faults=FaultScript(rates=rates, seed=3))

    once, again = (run_wire_paths(wired, range(4)) for _ in range(2))

    assert repr(once) == repr(again)
    assert len({path.faults for path in once}) > 1


def test_a_time_of_a_fault_counts_from_the_beginning_of_the_path() -> None:
    """An order is filled beyond its lots half a minute after it was submitted, and is over then."""
    _, wired = staged(PATIENT, faults=of("overfill", at_s=30.0))

    path = by_wire(wired, 1)

    assert path.status == "needs_human"
    assert path.finished_s == pytest.approx(30.0, abs=0.01)
    assert (path.filled_lots, path.overfilled_lots, path.shortfall_lots) == (4, 1, 0)


def test_fees_that_nobody_told_are_not_known() -> None:
    """Rather than none."""
    _, wired = staged(PATIENT, faults=of("commission_never", times=20))

    path = by_wire(wired, 1)

    assert path.filled_lots == 3
    assert math.isnan(path.commission)


def test_an_order_that_does_not_end_is_given_up_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """No path lasts for ever; here it is given up 500 s before the end of its plan, with its order at work."""
    _, wired = staged(PATIENT)
    monkeypatch.setattr("hydra_nb.desk.by_wire.GIVEN_UP_S", -500.0)

    path = by_wire(wired, 1)

    assert path.status == "working"
    assert path.finished_s == pytest.approx(30.0, abs=0.01)
    assert (path.filled_lots, path.shortfall_lots) == (0, 3)


def test_no_path_knows_the_account_of_the_desk() -> None:
    """It trades on a simulated one, whatever the desk's is."""

    async def scenario(desk: Desk) -> tuple[bool, bool]:
        packed = (await desk.preview(**PATIENT)).stage(None, fidelity="wire").packed
        return desk.account.encode() in packed, ACCOUNT.encode() in packed

    assert on_a_desk(scenario) == (False, True)


def test_what_the_gate_refuses_now_is_not_asked_of_a_fresh_desk() -> None:
    """A killed desk would be rehearsed by one that is not; the direct driver takes the kill along."""

    async def scenario(desk: Desk) -> None:
        await desk.kill("somebody leaned on the keyboard")
        plan = await desk.preview(**PATIENT)
        with pytest.raises(InvalidOrder, match="fidelity='direct'"):
            await plan.rehearse(2, fidelity="wire")

    on_a_desk(scenario)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"fidelity": "live"}, "'direct' or 'wire'"),
        ({"faults": FaultScript()}, "say fidelity='wire'"),
        ({"fidelity": "wire", "faults": "reset_mid_frame"}, "no FaultScript"),
    ],
)
def test_ways_that_there_are_not_are_refused(how: dict[str, Any], words: str) -> None:
    """With those that there are."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        with pytest.raises(InvalidOrder, match=words):
            await plan.rehearse(2, **how)

    on_a_desk(scenario)


def test_an_error_inside_a_path_by_wire_is_raised_and_names_its_seed() -> None:
    """As by the direct driver."""
    with pytest.raises(RehearsalFailed, match="seed 5"):
        run_wire_paths(pickle.dumps("no script"), [5])
