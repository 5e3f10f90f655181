"""Daily bars of the time before the market was watched: simulated, the same for a seed and a contract.

The walk goes backwards from the settlement at which the market starts, so that the last bar meets
the first quote, and moves in a day by as much as a watched market does. Volumes are the simulated
market's own and scatter around its parameters.
"""

import datetime as dt
import math
import random
from decimal import Decimal

from hydra_nb.sim.flow import OVERNIGHT_SHARE, FlowParameters, flow_parameters
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.moves import settlement_move_ticks
from hydra_nb.sim.records import DailyBar
from hydra_nb.sim.seeds import stream

_SATURDAY = 5
_VOLUME_SCATTER = 0.3
MAX_BARS = 1_000
_OPEN_DAYS = (4.0, 9.0)
"""Days of volume that are open in a month, at least and at most."""
_OPEN_SCATTER = 0.02
_CLOSING_DAYS = 30
"""Calendar days before the last trade over which what is open goes to zero."""


def previous_weekday(day: dt.date) -> dt.date:
    """Give the last weekday before a day."""
    day -= dt.timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= dt.timedelta(days=1)
    return day


def next_weekday(day: dt.date) -> dt.date:
    """Give the first weekday after a day."""
    day += dt.timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += dt.timedelta(days=1)
    return day


def draw_volume(dice: random.Random, parameters: FlowParameters) -> int:
    """Draw the lots of one day around the month's simulated average."""
    return max(1, round(parameters.daily_lots * math.exp(dice.gauss(-(_VOLUME_SCATTER**2) / 2, _VOLUME_SCATTER))))


def open_interest(month: Month, *, seed: int, day: dt.date) -> int:
    """Lots that are open on the evening before a day: some days' volume, less with every day of the last month.

    It is the simulated market's own, as its volume is, and does not follow the trades of the day.
    """
    dice = stream(seed, "open interest", month.listing.con_id)
    level = flow_parameters(month).daily_lots * dice.uniform(*_OPEN_DAYS)
    today = stream(seed, "open interest", month.listing.con_id, day).gauss(1, _OPEN_SCATTER)
    left = (month.listing.last_trade_date - day).days
    return max(0, round(level * today * min(1.0, max(0, left) / _CLOSING_DAYS)))


def bars_before(month: Month, *, seed: int, first_day: dt.date, days: int) -> list[DailyBar]:
    """Make the bars of the weekdays before the market's first day.

    Parameters
    ----------
    month
        The contract.
    seed
        Seed of the whole market.
    first_day
        The market's first day; bars end on the weekday before it, at the month's settlement.
    days
        How many bars, at most ``MAX_BARS``. More bars reach further back and leave the others as they are.

    Returns
    -------
    list of DailyBar
        Oldest first; prices in the quoted unit, on the tick.
    """
    parameters = flow_parameters(month)
    dice = stream(seed, "bars", month.listing.con_id)
    tick = month.listing.min_tick
    daily = settlement_move_ticks(month) / month.settlement_ticks
    overnight = OVERNIGHT_SHARE * parameters.daily_ticks / month.settlement_ticks
    close = month.settlement_ticks
    day = first_day
    bars: list[DailyBar] = []
    for _ in range(min(days, MAX_BARS)):
        day = previous_weekday(day)
        before = max(1, round(close * math.exp(dice.gauss(0, daily))))
        opening = max(1, round(before * math.exp(dice.gauss(0, overnight))))
        high = max(opening, close) + round(abs(dice.gauss(0, 0.3 * daily)) * close)
        low = max(1, min(opening, close) - round(abs(dice.gauss(0, 0.3 * daily)) * close))
        volume = draw_volume(dice, parameters)
        bar = DailyBar(
            date=day,
            open=opening * tick,
            high=high * tick,
            low=low * tick,
            close=close * tick,
            volume=volume,
            average=(opening + high + low + close) // 4 * tick,
            trades=max(1, round(volume / parameters.taker_lots)),
        )
        bars.append(bar)
        close = before
    return bars[::-1]


def unwatched_bar(month: Month, *, seed: int, day: dt.date, price: Decimal) -> DailyBar:
    """Make the bar of a day after the market's start on which nobody watched this contract.

    Its market was not simulated, so the price stands still; the volume is drawn as on other days,
    or an average over days would depend on who looked.
    """
    parameters = flow_parameters(month)
    volume = draw_volume(stream(seed, "unwatched", month.listing.con_id, day), parameters)
    trades = max(1, round(volume / parameters.taker_lots))
    return DailyBar(
        date=day, open=price, high=price, low=price, close=price, volume=volume, average=price, trades=trades
    )
