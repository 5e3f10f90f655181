"""Changed copies are what `dataclasses.replace` would give."""

import dataclasses

import pytest
from risk.making import make_child, make_parent

from hydra_nb.algos.slice_state import Phase, SliceState, Terms
from hydra_nb.domain.instrument import Session
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.values import replace
from hydra_nb.errors import InvariantBroken


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A value of one field."""

    state: ConnectionState


def make_slice() -> SliceState:
    """A slice of which only the required fields are given."""
    contract = make_parent().contract
    terms = Terms(
        parent_id="P-0001",
        ref_prefix="hy:j1:P-0001",
        con_id=contract.con_id,
        side=make_parent().side,
        tick=contract.tick,
        step=contract.tick,
        limit=None,
        arrival_mid=None,
    )
    times = {"start_ns": 1, "mid_end_ns": 2, "step_end_ns": 3, "end_ns": 4}
    return SliceState(terms=terms, number=1, planned_lots=2, lots=2, **times)


def test_copy_is_that_of_the_standard_library():
    """The same fields, changed and kept, in an object of its own."""
    before = make_slice()

    after = replace(before, phase=Phase.LIVE, reason="asked")

    assert after == dataclasses.replace(before, phase=Phase.LIVE, reason="asked")
    assert after.terms is before.terms
    assert before == make_slice()


def test_value_of_a_single_field_is_copied():
    """One field, which is changed or not."""
    before = Single(state=ConnectionState.UP)

    assert replace(before) == before
    assert replace(before, state=ConnectionState.DOWN) == Single(state=ConnectionState.DOWN)


def test_changed_value_is_checked_again():
    """A child order cannot be changed into one that must never reach a wire."""
    child = make_child()

    assert replace(child, lots=2).content_hash == make_child(lots=2).content_hash
    with pytest.raises(InvariantBroken, match="0 lots"):
        replace(child, lots=0)


def test_unknown_field_is_refused():
    """A slip of the pen makes no value."""
    with pytest.raises(AttributeError, match="closes"):
        replace(Session(open_ns=1, close_ns=2), closes=3)  # type: ignore[call-arg]
