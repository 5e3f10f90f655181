"""The table of faults, and that without one nothing changes."""

from collections import Counter

from hydra_nb.sim.faults import FAULTS, STATES, Level, illegal_pairs
from hydra_nb.sim.faults.handlers import ON_MESSAGE, ON_ORDER, ON_QUERY, ON_REQUEST, ON_START, ON_TIME

from .faults_floor import FaultyFloor

OPEN_ORDER, STATUS, EXECUTION, COMMISSION = "5", "3", "11", "59"
FILLED_AT_ONCE = [OPEN_ORDER, STATUS, EXECUTION, COMMISSION, OPEN_ORDER, STATUS]


def test_every_kind_of_the_table_has_one_handler_and_no_handler_is_without_a_kind():
    """The table and what is done agree."""
    handlers = Counter([*ON_TIME, *ON_START, *ON_REQUEST, *ON_MESSAGE, *ON_ORDER, *ON_QUERY])

    assert set(handlers) == set(FAULTS)
    assert set(handlers.values()) == {1}


def test_at_most_a_quarter_of_all_pairs_of_fault_and_state_is_illegal():
    """And each of those has its reason."""
    illegal = illegal_pairs()

    assert 0 < len(illegal) <= len(FAULTS) * len(STATES) / 4
    assert all(reason for _, _, reason in illegal)


def test_a_gateway_with_an_empty_script_says_what_one_without_says():
    """A fault that is not there changes nothing."""
    floor = FaultyFloor()

    floor.place(crosses=True)

    assert floor.said()[: len(FILLED_AT_ONCE)] == FILLED_AT_ONCE
    assert floor.core.fault_log == []


def test_the_table_has_faults_of_every_level():
    """Connection, messages and venue."""
    assert {kind.level for kind in FAULTS.values()} == set(Level)
