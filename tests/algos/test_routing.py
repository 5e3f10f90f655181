"""Routing by participation."""

import math

import pytest

from hydra_nb.algos.routing import participation, route
from hydra_nb.domain.orders import Strategy


@pytest.mark.parametrize(
    ("lots", "adv_lots", "strategy"),
    [
        (1, 101.0, Strategy.LIMIT_PATIENCE),
        (1, 100.0, Strategy.TWAP),
        (13, 250.0, Strategy.TWAP),
        (1, 0.0, Strategy.TWAP),
        (1, None, Strategy.TWAP),
    ],
)
def test_one_percent_of_the_daily_volume_divides_patience_from_twap(
    lots: int, adv_lots: float | None, strategy: Strategy
) -> None:
    """Below 1 % patience, from there on TWAP, and TWAP where the volume is unknown or zero."""
    assert route(lots, adv_lots=adv_lots) is strategy


def test_a_caller_may_force_the_strategy() -> None:
    """What the caller asks for is taken."""
    assert route(1000, adv_lots=None, forced=Strategy.LIMIT_PATIENCE) is Strategy.LIMIT_PATIENCE


def test_participation_counts_an_empty_market_as_one_lot() -> None:
    """A daily volume of zero does not divide by zero; an unknown one is not a number."""
    assert participation(5, adv_lots=0.0) == 5.0
    assert participation(5, adv_lots=250.0) == 0.02
    assert math.isnan(participation(5, adv_lots=None))
