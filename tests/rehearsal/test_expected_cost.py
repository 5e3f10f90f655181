"""A plan whose expected cost is what its rehearsal says: exact figures, a stated source, the same order."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest

from hydra_nb.cost import PREDICTOR_VERSION, REHEARSAL_VERSION
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.events import ChildReserved, ParentSubmitted
from hydra_nb.errors import InvalidOrder
from hydra_nb.journal.codec import decode_event, encode_event
from hydra_nb.rehearsal.comparison import Comparison
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.widgets.render import plan_card
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

from .made_up import LOTS, drawn, outcome, rehearsal

T = TypeVar("T")
PATHS = 200


def on_oats(scenario: Callable[[Stack], Awaitable[T]]) -> T:
    """Run a scenario on a desk whose oats stand still, 14 ticks wide."""
    return on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "373.50")))


async def previewed(stack: Stack, **how: Any) -> Plan:
    """Four lots of oats in two slices."""
    how = {"strategy": "twap", "slices": 2, "duration": "20min"} | how
    return await stack.desk.preview("BUY", LOTS, "ZO", **how)


def rehearsed(plan: Plan, *, paths: int = PATHS, **changes: Any) -> Rehearsal:
    """A rehearsal of this plan whose paths were drawn; one more filled nothing."""
    told: dict[str, Any] = {"plan_id": plan.plan_id, "market": "ThinMarket", "world": "9617b83d60352f13"}
    outcomes = [drawn(seed) for seed in range(paths)]
    return rehearsal(*outcomes, outcome(-1), **(told | changes))


def test_the_expected_cost_is_the_rehearsed_one_a_lot_and_over_all_lots_with_its_source() -> None:
    """Mean, 5 and 95 % of the filled lots; cash over all lots; the paths that it rests on, and the market by name."""

    async def scenario(stack: Stack) -> tuple[pd.Series, Rehearsal, str]:
        plan = await previewed(stack)
        told = rehearsed(plan)
        taken = plan.with_expected_cost(told)
        return taken.expected_cost.iloc[0], told, plan_card(taken, badge="SIM", masked_account="SIM•••7QF")

    row, told, card = on_oats(scenario)

    costs = np.array([path.slippage_ticks for path in told.outcomes if path.filled_lots])
    whole = np.mean([path.finished for path in told.outcomes])
    assert row["slippage_ticks"] == pytest.approx(costs.mean())
    assert row["slippage_cash"] == pytest.approx(costs.mean() * 12.5 * LOTS)
    assert row["slippage_bps"] == pytest.approx(costs.mean() * 0.25 / 371.75 * 1e4)
    ends = np.quantile(costs, [0.05, 0.95], method="inverted_cdf")
    assert [row["low_ticks"], row["high_ticks"]] == pytest.approx(ends)
    assert (row["level"], row["n_evidence"]) == (0.9, len(costs))
    assert row["predictor_version"] == REHEARSAL_VERSION
    assert row["source"] == (
        f"rehearsal of {PATHS + 1} paths in ThinMarket 9617b83d60352f13, {PATHS + 1 - len(costs)} without a cost; "
        f"every lot filled in {100 * whole:.0f} % of them"
    )
    assert f"n = {len(costs)}, rehearsal of {PATHS + 1} paths" in card
    assert "Not enough own fills" not in card


def test_what_is_sent_stays_the_same_and_so_do_the_formula_and_the_frontier() -> None:
    """Only the expectation differs: id, slices, checks, and all that rests on the formula are as they were."""

    async def scenario(stack: Stack) -> tuple[Plan, Plan, Plan]:
        plan = await previewed(stack)
        taken = plan.with_expected_cost(rehearsed(plan))
        return plan, taken, taken.with_expected_cost(rehearsed(plan, paths=150))

    plan, taken, again = on_oats(scenario)

    assert plan.plan_id == taken.plan_id == again.plan_id
    assert replace(taken.terms, prediction=plan.terms.prediction) == plan.terms
    assert taken.decisions == plan.decisions
    formula = plan.terms.prediction.slippage
    assert taken.terms.prediction.formula_slippage == again.terms.prediction.formula_slippage == formula
    assert taken.terms.prediction.assumed_slippage == again.terms.prediction.assumed_slippage == formula
    assert taken.stage(None).rehearsed.predicted_ticks == pytest.approx(float(formula) / 0.25)
    pd.testing.assert_frame_equal(taken.frontier(), plan.frontier())
    assert not taken.expected_cost.equals(again.expected_cost)


def test_the_journal_says_where_the_prediction_came_from_and_the_breaker_goes_by_the_formula() -> None:
    """With the plan and with each order; fills, audit and the ledger read it; a plan sent twice is sent once."""

    async def scenario(stack: Stack) -> tuple[Any, ...]:
        plan = await previewed(stack)
        taken = plan.with_expected_cost(rehearsed(plan))
        execution = await (await stack.desk.submit(taken))
        with pytest.warns(match="P-0001"):
            second = await stack.desk.submit(plan)
        [submitted] = stack.journalled(ParentSubmitted)
        reserved = stack.journalled(ChildReserved)
        orders = [stack.manager.ledger.orders[one.child.order_ref] for one in reserved]
        return plan, taken, execution, second, submitted, reserved, orders, stack.desk.audit("P-0001")

    plan, taken, execution, second, submitted, reserved, orders, audit = on_oats(scenario)

    expected, formula = taken.terms.prediction, plan.terms.prediction.slippage
    assert second is execution
    assert submitted.plan.prediction == expected
    assert decode_event("ParentSubmitted", encode_event(submitted)) == submitted
    assert {(one.predicted_slippage, one.predictor_version, one.assumed_slippage) for one in reserved} == {
        (expected.slippage, REHEARSAL_VERSION, formula)
    }
    assert {one.predicted_slippage for one in orders} == {formula}
    ticks = taken.expected_cost["slippage_ticks"].iloc[0]
    assert execution.fills["predicted_slippage_ticks"].to_numpy() == pytest.approx(ticks)
    assert set(execution.fills["predictor_version"]) == {REHEARSAL_VERSION}
    [told] = audit.loc[audit["kind"] == "ParentSubmitted", "words"]
    assert f"; cost expected by a rehearsal of {PATHS + 1} paths in ThinMarket 9617b83d60352f13" in told


def test_a_journal_from_before_rehearsals_is_read() -> None:
    """A prediction without the field is one of the formula."""

    async def scenario(stack: Stack) -> ParentSubmitted:
        await stack.desk.submit(await previewed(stack))
        [submitted] = stack.journalled(ParentSubmitted)
        return submitted

    submitted = on_oats(scenario)

    old = json.loads(encode_event(submitted))
    del old["plan"]["prediction"]["rehearsed"]
    read = decode_event("ParentSubmitted", json.dumps(old))
    assert read == submitted
    assert isinstance(read, ParentSubmitted)
    assert read.plan.prediction is not None
    assert read.plan.prediction.formula_slippage == read.plan.prediction.slippage
    assert read.plan.prediction.version == PREDICTOR_VERSION


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (lambda plan: rehearsed(plan, plan_id="7c1f09ae55aa0011"), "is of the plan 7c1f09ae55aa0011, not of"),
        (lambda plan: Comparison(rehearsals=(rehearsed(plan),)), "of a comparison it is one of .rehearsals"),
        (lambda plan: rehearsed(plan, fidelity="wire", with_faults=True), "had faults on its way"),
        (lambda plan: rehearsed(plan, paths=60), "of 61 paths have a cost; an interval from 5 to 95 % takes about"),
    ],
)
def test_what_is_no_evidence_for_this_plan_is_refused(take: Callable[[Plan], Any], words: str) -> None:
    """A rehearsal of another plan, several at once, too few paths: nothing is taken from them."""

    async def scenario(stack: Stack) -> None:
        plan = await previewed(stack)
        with pytest.raises(InvalidOrder, match=words):
            plan.with_expected_cost(take(plan))

    on_oats(scenario)


def test_a_rehearsal_by_wire_says_so_in_the_source() -> None:
    """It began with a fresh desk: another evidence than one from the desk as it stands."""

    async def scenario(stack: Stack) -> tuple[str, str]:
        plan = await previewed(stack)
        found = (rehearsed(plan, market="ThinMarket", fidelity=how) for how in ("direct", "wire"))
        direct, wire = (plan.with_expected_cost(one).expected_cost.source for one in found)
        return str(direct), str(wire)

    direct, wire = on_oats(scenario)

    assert " in ThinMarket " in direct
    assert " in ThinMarket by wire " in wire


def test_where_the_formula_predicts_nothing_no_rehearsal_takes_its_place() -> None:
    """The breaker of slippage would go by a model of the market instead of by what is assumed of it."""

    async def scenario(stack: Stack) -> None:
        plan = await previewed(stack, adv=400)
        assert plan.terms.prediction is None
        with pytest.raises(InvalidOrder, match="the breaker of slippage would go by the rehearsal alone"):
            plan.with_expected_cost(rehearsed(plan))

    on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "373.50"), volume=-1))
