"""How much is asked of the plans of old when an equal order is looked for."""

from dataclasses import replace

import pytest

from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.ledger import Ledger

from .making import DAY_NS, PLAN, at, submitted


def test_plans_of_old_are_not_hashed_anew_for_each_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of years holds thousands, and each preview asks twice; only the plan itself is hashed."""
    ledger = Ledger()
    for number in range(200):
        plan = replace(PLAN, seed=number, parent=replace(PLAN.parent, tag=str(number)))
        ledger.apply(replace(submitted(), parent_id=f"P-{number:04d}", plan=plan))
    hashed: list[int] = []
    plan_id = ExecutionPlan.plan_id.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(ExecutionPlan, "plan_id", property(lambda plan: hashed.append(plan.seed) or plan_id(plan)))
    same = replace(PLAN, seed=7, parent=replace(PLAN.parent, tag="7"))

    found = ledger.equal_parent(replace(PLAN, seed=999), now_ns=at(0) + DAY_NS), len(hashed)
    again = ledger.equal_parent(same, now_ns=at(0) + DAY_NS)

    assert found == (None, 1)
    assert again == "P-0007"
    assert hashed[1:] == [7, 7]
