"""Takes what a plan is expected to cost from its rehearsal."""

from dataclasses import replace

from hydra_nb import cost
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.rehearsed_cost import RehearsedCost
from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import rows

LEVEL = 0.9
"""Share of the paths from 5 to 95 %, between which a single order is expected."""


def expecting(terms: ExecutionPlan, rehearsal: Rehearsal) -> ExecutionPlan:
    """The same plan, of the same id, whose prediction is what its rehearsal says.

    Raises
    ------
    InvalidOrder
        It is no rehearsal, or of another plan, or one with faults, or too few of its paths have a cost; or the formula
        predicts nothing, by which the breaker of slippage would go.
    """
    if not isinstance(rehearsal, Rehearsal):
        raise InvalidOrder(f"{type(rehearsal).__name__} is no Rehearsal; of a comparison it is one of .rehearsals")
    told, contract, prediction = rehearsal.rehearsed, terms.parent.contract, terms.prediction
    if told.plan_id != terms.plan_id:
        raise InvalidOrder(
            f"this rehearsal is of the plan {told.plan_id or 'of nobody'}, not of {terms.plan_id}; rehearse this one"
        )
    if told.with_faults:
        raise InvalidOrder(
            "this rehearsal had faults on its way, and says how the order fares, not what it costs; take one without"
        )
    if prediction is None:
        raise InvalidOrder(
            "spread, volatility or volume was not known at the preview, and the breaker of slippage would go by the "
            "rehearsal alone; preview again when they are known"
        )
    by_name = {row["quantity"]: row for row in rows(rehearsal.summary())}
    paid, paths = by_name["slippage_ticks"], len(rehearsal.outcomes)
    if numbers.number(paid["p5_error"]) is None or numbers.number(paid["p95_error"]) is None:
        raise InvalidOrder(
            f"{paid['paths']:,} of {numbers.plural(paths, 'path')} have a cost; an interval from 5 to 95 % takes about "
            "a hundred"
        )
    found = RehearsedCost(
        paths=paths,
        known_paths=int(paid["paths"]),
        mean_error_ticks=float(paid["mean_error"]),
        low_ticks=float(paid["p5"]),
        high_ticks=float(paid["p95"]),
        level=LEVEL,
        completed=float(by_name["completed"]["mean"]),
        market=told.market if told.fidelity == "direct" else f"{told.market} by {told.fidelity}",
        world=told.world,
        seed=rehearsal.seed,
        formula_slippage=prediction.formula_slippage,
    )
    taken = cost.rehearsed(prediction, mean_ticks=float(paid["mean"]), cost=found, contract=contract)
    return replace(terms, prediction=taken)
