"""Wire and direct driver decide and fill alike, order by order, for one seed."""

import os

import pytest

from tests.rehearsal.both_ways import directly, order_of, over_the_wire

SEEDS = range(200 if os.environ.get("HYDRA_FULL") else 20)


@pytest.mark.parametrize("seed", SEEDS)
def test_wire_and_direct_driver_decide_and_fill_alike(seed: int) -> None:
    """Decisions with what they observed, fills, and the end."""
    wired = over_the_wire(seed, order_of(seed))
    assert wired.told.differences(directly(seed, wired)) == []


def test_seeds_hold_orders_that_fill_and_orders_that_are_refused() -> None:
    """The seeds are worth comparing."""
    endings = [over_the_wire(seed, order_of(seed)).told for seed in range(8)]
    assert any(told.fills for told in endings)
    assert any(not told.fills for told in endings)
    assert len({told.ending for told in endings}) > 2


def test_comparison_notices_an_order_that_is_five_seconds_late() -> None:
    """The comparison above can fail."""
    seed = next(seed for seed in SEEDS if over_the_wire(seed, order_of(seed)).told.fills)
    wired = over_the_wire(seed, order_of(seed))
    assert wired.told.differences(directly(seed, wired, late_ns=5_000_000_000))
