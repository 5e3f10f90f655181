"""Regret and spread clock of a journal, which tells ticks and zones of the contracts by itself."""

from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.frames import Source, as_listed
from hydra_nb.analysis.history import History
from hydra_nb.analysis.moments import Moment
from hydra_nb.analysis.regret import regret
from hydra_nb.analysis.spread_clock import spread_clock
from hydra_nb.errors import InvalidFrame

REGRET_SETTINGS = ("tolerance", "patience_s", "step", "twap_slices")
"""What `regret_of` hands on to `regret`; the rest it gives itself."""


def regret_of(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
    **how: Any,
) -> pd.DataFrame:
    """`regret` of the parents of a journal that the filters leave, submitted since and until; `how` goes on to it."""
    history = source if isinstance(source, History) else History(source)
    wanted: dict[str, Any] = {"parent_id": parent_id, "since": since, "until": until, "symbol": symbol}
    executions = frames.executions(history, **wanted)
    begun = executions["submitted"].min()
    before = pd.Timedelta(how.get("tolerance", "10min"))
    quotes = frames.quotes(history, since=None if pd.isna(begun) else begun - before)
    fills, slices = frames.fills(history), frames.slices(history)
    return regret(
        executions,
        fills[fills["parent_id"].isin(executions["parent_id"])],
        quotes[quotes["local_symbol"].isin(executions["local_symbol"])],
        slices[slices["parent_id"].isin(executions["parent_id"])],
        stages=frames.stages(history),
        instruments={contract.local_symbol: contract for contract in history.contracts.values()},
        **how,
    )


def spread_clock_of(
    source: Source, symbol: str, *, since: Moment | None = None, until: Moment | None = None
) -> pd.DataFrame:
    """`spread_clock` of the quotes of a symbol, or of a month, that a journal holds.

    Raises
    ------
    InvalidFrame
        The journal knows no such contract by an order, or its months differ in tick or zone.
    """
    history = source if isinstance(source, History) else History(source)
    history.catch_up()
    symbol = as_listed(symbol)
    known = [one for one in history.contracts.values() if symbol in (one.symbol, one.local_symbol)]
    terms = {(one.time_zone, one.tick) for one in known}
    if len(terms) != 1:
        why = "has no order in it" if not terms else "tells months of different ticks or zones"
        raise InvalidFrame(f"the journal {why}, {symbol}: give quotes, time_zone and tick to spread_clock yourself")
    (time_zone, tick) = terms.pop()
    return spread_clock(frames.quotes(history, since=since, until=until, symbol=symbol), time_zone=time_zone, tick=tick)
