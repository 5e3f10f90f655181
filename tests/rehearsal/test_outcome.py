"""The outcome of a path says what the frames of a desk say of the same order on the same market, over the wire."""

import math
import pickle
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

import hydra_nb
from hydra_nb.errors import InvariantBroken
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.rehearsal.outcome import PathOutcome, outcome_of
from hydra_nb.sim.exchange import Exchange
from tests.rehearsal.both_ways import AHEAD_NS, directly, order_of, over_the_wire
from tests.rehearsal.made_up import drawn, rehearsal

SOON_S = 0.004
"""Times over the wire are the virtual loop's, which lands microseconds behind."""
RUSHED = {"side": "BUY", "lots": 6, "strategy": "twap", "slices": 3, "duration": "3min"}
ORDERS: dict[str, tuple[int, dict[str, Any]]] = {
    "some rest, some cross": (0, RUSHED | {"instrument": "ZR"}),
    "half of it is left": (0, RUSHED | {"instrument": "LBR"}),
    "nothing fills": (4, RUSHED | {"instrument": "LBR"}),
    "refused as a whole": (5, order_of(5)),
    "one of patience, in parts": (13, order_of(13)),
}

Frames = dict[str, pd.DataFrame]


def both(seed: int, how: dict[str, Any]) -> tuple[Frames, PathOutcome]:
    """What the desk's frames say when it is over, and the outcome of the direct driver."""
    frames: Frames = {}
    outcomes: list[PathOutcome] = []

    def look_at_the_desk(desk: hydra_nb.Desk, parent_id: str) -> None:
        for name in ("executions", "fills", "stages", "slices", "decisions"):
            frames[name] = getattr(desk, name)(parent_id=parent_id)

    wired = over_the_wire(seed, how, look=look_at_the_desk)
    directly(seed, wired, look=lambda desk, parent_id: outcomes.append(outcome_of(desk, parent_id, seed)))
    return frames, outcomes[0]


@pytest.mark.parametrize("name", ORDERS)
def test_an_outcome_says_what_the_frames_of_the_desk_say(name: str) -> None:
    """Lots, cost, fees, messages, refusals, each fill and each stage."""
    seed, how = ORDERS[name]

    frames, told = both(seed, how)

    (parent,) = frames["executions"].to_dict("records")
    assert (told.seed, told.status) == (seed, parent["status"])
    assert (told.filled_lots, told.shortfall_lots) == (parent["filled_lots"], parent["shortfall_lots"])
    assert told.slippage_cash == pytest.approx(parent["slippage_cash"], nan_ok=True)
    assert told.commission == (0.0 if math.isnan(parent["commission"]) else pytest.approx(parent["commission"]))
    assert told.finished_s == pytest.approx((parent["finished"] - parent["began"]).total_seconds(), abs=SOON_S)
    assert told.messages == frames["slices"]["messages"].sum()
    assert told.finished is (told.shortfall_lots == 0)
    refused = frames["decisions"][~frames["decisions"]["allowed"]]
    assert told.refusals == refused.groupby(["time", "slice", "action"], dropna=False).ngroups
    _must_be_alike(told, frames, began=parent["began"])


def _must_be_alike(told: PathOutcome, frames: Frames, *, began: pd.Timestamp) -> None:
    """Fills and stages, one by one."""
    fills, stages = frames["fills"], frames["stages"]
    assert [(one.slice, one.stage, one.lots) for one in told.fills] == list(
        zip(fills["slice"], fills["stage"], fills["lots"], strict=True)
    )
    assert [one.slippage_ticks for one in told.fills] == pytest.approx(fills["slippage_ticks"].tolist())
    assert [one.after_s for one in told.fills] == pytest.approx(
        (fills["received_time"] - began).dt.total_seconds().tolist(), abs=SOON_S
    )
    weighed = sum(one.lots * one.slippage_ticks for one in told.fills)
    assert told.slippage_ticks == pytest.approx(
        weighed / told.filled_lots if told.filled_lots else math.nan, nan_ok=True
    )
    assert [(one.slice, one.stage, one.open_lots, one.filled_lots) for one in told.stages] == list(
        zip(stages["slice"], stages["stage"], stages["lots"], stages["filled_lots"], strict=True)
    )
    waits = [math.nan if one.first_fill_s is None else one.first_fill_s for one in told.stages]
    assert waits == pytest.approx(stages["first_fill_s"].tolist(), abs=SOON_S, nan_ok=True)


def test_the_orders_above_are_worth_comparing() -> None:
    """Lots that rested and lots that crossed, a shortfall, nothing at all, and a refusal by the check of the desk."""
    outcomes = {name: both(*order) for name, order in ORDERS.items() if name != "one of patience, in parts"}

    assert 0 < outcomes["some rest, some cross"][1].passive_lots < 6
    assert 0 < outcomes["half of it is left"][1].shortfall_lots < 6
    nothing = outcomes["nothing fills"][1]
    assert (nothing.shortfall_lots, math.isnan(nothing.slippage_ticks), nothing.opportunity_ticks) == (6, True, 1.0)
    frames, refused = outcomes["refused as a whole"]
    refusing = frames["decisions"].loc[~frames["decisions"]["allowed"], "check"]
    assert refused.refused_by in set(refusing)
    assert (refused.refusals, refused.messages, math.isnan(refused.opportunity_ticks)) == (1, 0, True)


def test_outcomes_of_real_paths_make_a_rehearsal() -> None:
    """Its means are those of the frames that the desk gave for the same orders, and its slices hold all that filled."""
    frames, outcomes = zip(*(both(seed, RUSHED | {"instrument": "ZR"}) for seed in range(3)), strict=True)

    told = rehearsal(*outcomes, lots=6, slices=3, duration_s=180.0)

    figures, slices = told.summary().set_index("quantity")["mean"], told.slices
    executions = pd.concat([one["executions"] for one in frames])
    assert figures["slippage_cash"] == pytest.approx(executions["slippage_cash"].mean())
    assert figures["cost_cash"] == pytest.approx((executions["slippage_cash"] + executions["commission"]).mean())
    assert figures["shortfall_lots"] == executions["shortfall_lots"].mean()
    assert (slices["filled_lots"] * slices["paths"]).sum() == pytest.approx(executions["filled_lots"].sum())
    assert told.completion["completed"].iloc[-1] == figures["completed"] == 1.0


def test_a_fill_is_passive_where_it_came_after_its_order_had_rested() -> None:
    """What crosses fills as soon as it arrives, half a millisecond after it was sent; what rests fills later."""
    seed, how = ORDERS["some rest, some cross"]

    _, told = both(seed, how)

    begun_s = {(one.slice, one.stage): one.entered_s for one in told.stages}
    rested = [one.after_s - begun_s[one.slice, one.stage] > 0.001 for one in told.fills]
    assert [one.passive for one in told.fills] == rested
    assert {True, False} <= set(rested)


def test_an_order_that_is_not_over_has_no_outcome() -> None:
    """Asked too early it refuses, instead of calling open lots a shortfall."""
    wired = over_the_wire(1, order_of(1))
    desk = DirectDesk(
        Exchange(seed=1),
        contract=wired.plan.parent.contract,
        limits=wired.limits,
        statistics=(wired.statistics,),
        facts=wired.facts,
        ahead_ns=AHEAD_NS,
    )
    desk.run_to(wired.watched_ns)
    desk.begin()
    desk.run_to(wired.submitted_ns)
    parent_id = desk.submit(wired.plan)

    with pytest.raises(InvariantBroken, match="P-0001 is scheduled, not over"):
        outcome_of(desk, parent_id, 1)

    desk.finish(parent_id)
    assert outcome_of(desk, parent_id, 1).finished
    desk.close()


def test_an_outcome_travels_between_processes_and_stays_small() -> None:
    """Pickled and back it is the same; a fill or a stage takes less than a hundred bytes."""
    path = drawn(3)

    packed = pickle.dumps(path)

    assert pickle.loads(packed) == path  # noqa: S301  what was packed a line above
    assert len(packed) < 600 + 100 * (len(path.fills) + len(path.stages))


def test_a_process_that_runs_paths_loads_no_frames() -> None:
    """A worker starts in a fraction of the time that pandas and numpy take."""
    program = "import sys, hydra_nb.rehearsal.outcome; print({'pandas', 'numpy', 'plotly'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "set()"
