"""Each order is held against the limits of its symbol, from the check after they were changed on."""

import dataclasses

import pytest

from hydra_nb.domain.orders import Action
from hydra_nb.risk import Approved, Limits, Refused, RiskGate
from hydra_nb.risk.verdict import Decision

from .making import OATS, make_child, make_parent, make_snapshot

CORN = dataclasses.replace(OATS, con_id=102, symbol="ZC", local_symbol="ZCK6")
OF_OATS = Limits(max_lots_per_order=10, max_lots_per_parent=40, symbols={"ZO": {"max_lots_per_order": 2}})


def child_decision(gate: RiskGate, *, contract=OATS, check: str = "order_lots") -> Decision:  # type: ignore[no-untyped-def]
    """What one check says of a child of 3 lots."""
    verdict = gate.check(make_child(contract=contract), action=Action.PLACE, snapshot=make_snapshot())
    return next(decision for decision in verdict.decisions if decision.check == check)


def test_a_child_is_held_against_the_limits_of_its_symbol():
    """Three lots are too many oats, and not too much corn, which has no limits of its own."""
    gate = RiskGate(OF_OATS)

    oats, corn = child_decision(gate), child_decision(gate, contract=CORN)

    assert (oats.allowed, oats.limit, oats.would_pass) == (False, 2, 2)
    assert (corn.allowed, corn.limit) == (True, 10)


@pytest.mark.parametrize(("contract", "most"), [(OATS, 4), (CORN, 10)], ids=["ZO", "ZC"])
def test_a_parent_and_what_would_pass_of_it_go_by_the_limits_of_its_symbol(contract, most):
    """The dry run, and the search for the most lots that all checks would allow."""
    gate = RiskGate(Limits(max_lots_per_parent=10, symbols={"ZO": {"max_lots_per_parent": 4}}))
    price = make_child().limit_price
    asked = {"snapshot": make_snapshot(), "first_price": price, "worst_price": price, "messages": 3}

    decisions = gate.check_parent(make_parent(contract=contract), **asked)
    allowed = gate.would_pass(make_parent(contract=contract), **asked)

    assert next(one.limit for one in decisions if one.check == "parent_lots") == most
    assert allowed.lots == most


def test_other_limits_hold_from_the_next_check_on():
    """Tightened, what passed is refused; an approval that was given before is redeemed as ever."""
    gate = RiskGate(Limits())
    approved = gate.check(make_child(), action=Action.PLACE, snapshot=make_snapshot())

    gate.hold_to(OF_OATS)

    assert isinstance(gate.check(make_child(), action=Action.MODIFY, snapshot=make_snapshot()), Refused)
    assert isinstance(approved, Approved)
    gate.redeem(approved, host_ns=make_snapshot().host_ns)
    assert gate.limits == OF_OATS
