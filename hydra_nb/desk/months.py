"""Which month a bare symbol means, the liquid one outside the close-out window; and whether it is known anew."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError

CLOSE_OUT_DAYS = 20
"""Days before the last trade date from which a physically delivered month is not entered any more.

First notice comes up to two weeks before the last trade date in most listed commodities, and contract
details do not carry it; 20 calendar days keep clear of it.
"""

CANDIDATES = 3
"""How many of the next months are compared by volume."""


def candidates(contracts: Sequence[FutureContract], *, now_ns: int) -> tuple[FutureContract, ...]:
    """Give the next months outside the close-out window, nearest first."""
    today = dt.datetime.fromtimestamp(now_ns // NS_PER_S, tz=dt.UTC).date()
    first = today + dt.timedelta(days=CLOSE_OUT_DAYS)
    listed = sorted(contracts, key=lambda contract: (contract.last_trade_date, contract.con_id))
    return tuple(contract for contract in listed if contract.last_trade_date > first)[:CANDIDATES]


def liquid(months: Sequence[FutureContract], statistics: Sequence[MarketStatistics]) -> FutureContract:
    """Give the month with the largest average daily volume; the nearest of equals."""
    volume = {told.con_id: told.adv_lots or 0.0 for told in statistics}
    return max(months, key=lambda month: volume[month.con_id])


async def current(
    known: FutureContract | None, *, ask: Callable[[], Awaitable[FutureContract]], now_ns: int
) -> FutureContract:
    """Give a month of which a coming session is listed: `known`, else what the broker says when asked.

    The broker lists the sessions of a few days, and a desk may be open for longer. Where it does not answer, `known`
    has to do: the gate says what is wrong.
    """
    if known is not None and known.opens_ns(now_ns) is not None:
        return known
    try:
        return await ask()
    except BrokerError:
        if known is None:
            raise
        return known
