"""Wire and direct driver decide and fill alike, order by order, for one seed."""

import os
from functools import cache

import pytest

from tests.rehearsal.both_ways import Wired, directly, order_of, over_the_wire

SEEDS = range(200 if os.environ.get("HYDRA_FULL") else 12)


@cache
def wired(seed: int) -> Wired:
    """The run over the wire of a seed, once."""
    return over_the_wire(seed, order_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_wire_and_direct_driver_decide_and_fill_alike(seed: int) -> None:
    """Decisions with what they observed, fills, and the end."""
    assert wired(seed).told.differences(directly(seed, wired(seed))) == []


def test_seeds_hold_orders_that_fill_and_orders_that_are_refused() -> None:
    """The seeds are worth comparing."""
    endings = [wired(seed).told for seed in SEEDS]
    assert any(told.fills for told in endings)
    assert any(not told.fills for told in endings)
    assert len({told.ending for told in endings}) > 2


def test_comparison_notices_an_order_that_is_five_seconds_late() -> None:
    """The comparison above can fail."""
    seed = next(seed for seed in SEEDS if wired(seed).told.fills)
    assert wired(seed).told.differences(directly(seed, wired(seed), late_ns=5_000_000_000))
