"""What the gate says when it will not redeem, and what it takes where nothing is said."""

import dataclasses
from decimal import Decimal

import pytest

from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import InvariantBroken, SendRefused
from hydra_nb.risk import Approved, Limits, RiskGate
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.gate import MAX_APPROVALS

from .making import HOST_NS, make_child, make_parent, make_snapshot


def approve(gate: RiskGate) -> Approved:
    """Approval of a good child."""
    approved = gate.check(make_child(), action=Action.PLACE, snapshot=make_snapshot())
    assert isinstance(approved, Approved)
    return approved


def refusal(gate: RiskGate, approved: Approved, *, host_ns: int = HOST_NS) -> str:
    """The words with which an approval is not redeemed."""
    with pytest.raises(SendRefused) as refused:
        gate.redeem(approved, host_ns=host_ns)
    return str(refused.value)


def test_a_stranger_is_told_what_an_approval_is() -> None:
    """It may be a copy, made by hand, or too old; in any case the order is checked again."""
    gate = RiskGate(Limits())

    assert refusal(gate, dataclasses.replace(approve(gate))) == (
        "this approval is not one that the gate holds: it is a copy, was made by hand, or is older than 2 s; "
        "have the order checked again"
    )


def test_a_spent_approval_says_so() -> None:
    """One approval is one message."""
    gate = RiskGate(Limits())
    approved = approve(gate)
    gate.redeem(approved, host_ns=HOST_NS)

    assert refusal(gate, approved) == (
        "this approval was redeemed before, and one approval sends one message; check again"
    )


def test_an_old_approval_tells_its_age_in_seconds() -> None:
    """To the millisecond."""
    gate = RiskGate(Limits())

    assert refusal(gate, approve(gate), host_ns=HOST_NS + 98_765_432 * NS_PER_S + 678_000_000) == (
        "this approval is 98765432.678 s old, 0 to 2 s allowed; check the order again"
    )


def test_an_exchanged_or_changed_order_says_which() -> None:
    """Another order in its place, or the same with other content."""
    gate = RiskGate(Limits())
    exchanged, changed = approve(gate), approve(gate)
    object.__setattr__(exchanged, "child", make_child())
    object.__setattr__(changed.child, "lots", 4)

    assert refusal(gate, exchanged) == (
        "the approval's order or action was exchanged after the check; check the order again"
    )
    assert refusal(gate, changed) == "the order was changed after the check; check the order again"


def test_what_no_caller_may_do_is_named() -> None:
    """A parent is not sealed, and over no decision there is no verdict."""
    gate = RiskGate(Limits())

    with pytest.raises(InvariantBroken) as sealed:
        gate.check(make_child(), action=Action.PARENT, snapshot=make_snapshot())
    with pytest.raises(InvariantBroken) as judged:
        gate.verdict(())

    assert str(sealed.value) == "a parent order is checked by check_parent, and never sealed"
    assert str(judged.value) == "a verdict over no decision"


def test_a_parent_of_which_no_slices_are_told_is_one_order() -> None:
    """Its lots are those of the largest order; neither is it cut in two where its slices are."""
    gate, limits = RiskGate(Limits(max_lots_per_order=10)), Limits(max_lots_per_order=10)
    terms = {"first_price": Decimal(370), "worst_price": Decimal(370), "messages": 4}

    one = {made.check: made for made in gate.check_parent(make_parent(), snapshot=make_snapshot(), **terms)}[
        "order_lots"
    ]
    found = gate.would_pass(make_parent(), snapshot=make_snapshot(), **terms)

    assert (one.observed, one.allowed) == (13, False)
    assert found.lots == limits.max_lots_per_order


@pytest.mark.parametrize(
    ("lots", "slices", "largest"),
    [(13, 0, 13), (13, 1, 13), (13, 2, 13), (13, 3, 10), (13, 5, 6), (12, 4, 6), (1, 5, 1), (-3, 1, -3), (-3, 2, -3)],
)
def test_the_largest_order_of_a_parent_is_two_slices(lots: int, slices: int, largest: int) -> None:
    """A slice may work what the one before left, and never more than there is."""
    case = Case.of_parent(
        make_parent(),
        lots=lots,
        slices=slices,
        price=Decimal(371),
        messages=9,
        snapshot=make_snapshot(),
        limits=Limits(),
    )

    assert case.order_lots == largest
    assert (case.action, case.parent_id, case.lots, case.open_lots) == (Action.PARENT, None, lots, lots)
    assert (case.price, case.messages, case.lot_value) == (Decimal(371), 9, 18_500.0)


def test_a_child_is_one_message_and_adds_what_is_not_booked() -> None:
    """The case of a modify that has booked one of three."""
    child = make_child(side=Side.SELL)

    case = Case.of_child(
        child, action=Action.MODIFY, snapshot=make_snapshot(order_booked_lots=1, exchange_rate=0.5), limits=Limits()
    )

    assert (case.action, case.parent_id, case.messages) == (Action.MODIFY, "P-0001", 1)
    assert (case.lots, case.open_lots, case.order_lots, case.lot_value) == (3, 2, 3, 9_250.0)
    assert (case.side, case.price, case.contract, case.account) == (
        Side.SELL,
        child.limit_price,
        child.contract,
        child.account,
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_is_no_number_is_not_known(value: float | None) -> None:
    """Neither NaN nor infinity."""
    assert number(value) is None


def test_the_gate_keeps_a_thousand_approvals_and_a_few() -> None:
    """As many as its documentation says."""
    assert MAX_APPROVALS == 1_024
