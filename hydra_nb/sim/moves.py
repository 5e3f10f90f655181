"""What the fair value of the simulated flow moves by in a day: its walk, what trades add, and the closures."""

import math

from hydra_nb.sim.flow import OVERNIGHT_SHARE, flow_parameters, takers_a_day
from hydra_nb.sim.instruments import Month


def settlement_move_ticks(month: Month) -> float:
    """Give the standard deviation of a day's move, from settlement to settlement, in ticks.

    Its parts are independent: the walk while the market is open, a closure before each session, and the trades of all
    takers, each of whom moves the fair value by what it trades. Mids round it to the tick, which is left out.
    """
    parameters = flow_parameters(month)
    _, squared = traded_lots(parameters.taker_lots, quote_lots=parameters.quote_lots)
    traded_ticks2 = takers_a_day(month) * squared * parameters.impact_ticks**2
    walks = 1 + month.calendar.sessions_a_day * OVERNIGHT_SHARE**2
    return math.sqrt(walks * parameters.daily_ticks**2 + traded_ticks2)


def traded_lots(taker_lots: float, *, quote_lots: int) -> tuple[float, float]:
    """Lots that a taker gets in the mean, and the mean of their square: what it wants, or what the touch holds.

    What is wanted is 1 + [x + 1/2] lots, x exponential, cut off as the flow does; a touch holds 1 to
    `quote_lots` lots, evenly.
    """
    extra = max(taker_lots - 1, 1e-9)
    most = max(3, int(3 * extra))
    mean = square = 0.0
    for wanted in range(1, most + 1):
        at_least = math.exp(-(wanted - 1.5) / extra) if wanted > 1 else 1.0
        more = math.exp(-(wanted - 0.5) / extra) if wanted < most else 0.0
        got = [min(wanted, held) for held in range(1, quote_lots + 1)]
        mean += (at_least - more) * sum(got) / quote_lots
        square += (at_least - more) * sum(lots * lots for lots in got) / quote_lots
    return mean, square
