"""Average daily volume and daily volatility from daily bars."""

import datetime as dt
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from hydra_nb.domain.market import MarketStatistics

COMPLETE_DAYS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBar:
    """Volume and close of one trade date; None where the broker told none."""

    date: dt.date
    volume: float | None
    close: float | None


def market_statistics(bars: Sequence[DailyBar], *, con_id: int, today: dt.date, source: str) -> MarketStatistics:
    """Mean volume and standard deviation of log returns over the last complete days.

    Parameters
    ----------
    bars
        Daily bars in any order.
    con_id
        The contract.
    today
        The date at the exchange: its bar and later ones are not complete and do not count.
    source
        Where the bars come from.

    Returns
    -------
    MarketStatistics
        With None where no bar has a volume, and where fewer than two returns of positive closes exist.
    """
    complete = sorted((bar for bar in bars if bar.date < today), key=lambda bar: bar.date)[-COMPLETE_DAYS:]
    volumes = [bar.volume for bar in complete if bar.volume is not None]
    closes = [bar.close for bar in complete]
    returns = [
        math.log(after / before)
        for before, after in itertools.pairwise(closes)
        if before is not None and after is not None and before > 0 and after > 0
    ]
    return MarketStatistics(
        con_id=con_id,
        adv_lots=statistics.fmean(volumes) if volumes else None,
        daily_volatility=statistics.stdev(returns) if len(returns) > 1 else None,
        days=len(complete),
        source=source,
        returns=len(returns),
    )
