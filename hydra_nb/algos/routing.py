"""Which strategy an order takes, by its share of the market."""

import math

from hydra_nb.domain.orders import Strategy

TWAP_FROM_PARTICIPATION = 0.01


def participation(lots: int, *, adv_lots: float | None) -> float:
    """Lots as a fraction of the average daily volume, which counts as one lot at least; NaN where it is unknown."""
    return math.nan if adv_lots is None else lots / max(adv_lots, 1.0)


def route(lots: int, *, adv_lots: float | None, forced: Strategy | None = None) -> Strategy:
    """Choose the strategy: patience below 1 % of the daily volume, TWAP from there on and where it is unknown."""
    if forced is not None:
        return forced
    share = participation(lots, adv_lots=adv_lots)
    return Strategy.LIMIT_PATIENCE if share < TWAP_FROM_PARTICIPATION else Strategy.TWAP
