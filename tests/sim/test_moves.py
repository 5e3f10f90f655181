"""What a day of the simulated market moves is what its bars of the time before tell of it."""

import math
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest

from hydra_nb.sim.bars import bars_before
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.flow import Flow, flow_parameters
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.moves import settlement_move_ticks
from hydra_nb.sim.seeds import stream

DAY_NS = 86_400_000_000_000
SEEDS = 60


def _rare(month: Month, *, seed: int) -> Flow:
    """The flow of a month with fewer acts of its quoters, which move nothing, so that days are quickly over."""
    parameters = replace(flow_parameters(month), quote_s=20.0)
    return Flow(parameters, dice=stream(seed, "rare"), fair_ticks=month.settlement_ticks)


def _moves(symbol: str, *, seed: int) -> list[float]:
    """Moves from settlement to settlement over three days, as parts of the deviation that is reckoned."""
    exchange = Exchange(seed=seed, flow=lambda month: _rare(month, seed=seed))
    con_id = next(one.con_id for one in exchange.listings if one.symbol == symbol)
    month = exchange._months[con_id]
    exchange.watch(con_id, exchange.start_ns)
    exchange.advance(exchange.start_ns + 4 * DAY_NS)
    closes = [bar.close for bar in exchange._markets[con_id].bars.values()]
    reckoned = float(month.listing.min_tick) * settlement_move_ticks(month)
    return [float(after - before) / reckoned for before, after in pairwise(closes)]


@pytest.mark.parametrize("symbol", ["ZO", "OJ", "PA"])
def test_a_watched_market_moves_in_a_day_by_what_is_reckoned(symbol: str) -> None:
    """Sessions and closures, one a day or two, and the trades of takers, within two standard errors of a deviation."""
    moves = [move for seed in range(SEEDS) for move in _moves(symbol, seed=seed)]

    error = 1 / math.sqrt(2 * len(moves))
    print(f"{symbol}: {statistics.pstdev(moves):.3f} ± {error:.3f} of the deviation reckoned, {len(moves)} days")
    assert math.sqrt(statistics.fmean(move**2 for move in moves)) == pytest.approx(1.0, abs=2 * error)


@pytest.mark.parametrize("symbol", ["ZO", "PA"])
def test_the_bars_of_the_time_before_move_by_as_much(symbol: str) -> None:
    """So that whoever takes the volatility from them knows the market that is to come."""
    exchange = Exchange(seed=3)
    month = next(one for one in exchange._months.values() if one.listing.symbol == symbol)
    bars = bars_before(month, seed=3, first_day=exchange._first_day, days=1_000)

    returns = [math.log(after.close / before.close) for before, after in pairwise(bars)]

    told = statistics.pstdev(returns) * month.settlement_ticks / settlement_move_ticks(month)
    assert told == pytest.approx(1.0, abs=2 / math.sqrt(2 * len(returns)))
