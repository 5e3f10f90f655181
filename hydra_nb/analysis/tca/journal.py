"""Transaction cost analysis of what a journal holds."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.tca.analysis import Level, tca


def journal_tca(
    source: frames.Source,
    *,
    level: Level = "fill",
    by: str | Sequence[str] | None = None,
    tolerance: str | pd.Timedelta = "10min",
    **filters: Any,
) -> pd.DataFrame:
    """Analyse the fills of the parents of a journal, on the quotes that were recorded and the trades that they show.

    Parameters
    ----------
    source
        A journal, a reader, or a `History` of one.
    level, by, tolerance
        As in `tca`.
    **filters
        Of parents: ``parent_id``, ``symbol``, ``since`` and ``until`` by their submission. All their fills count.

    Returns
    -------
    pandas.DataFrame
        As `tca` gives it.
    """
    executions = frames.executions(source, **filters)
    wanted = {name: value for name, value in filters.items() if name in ("parent_id", "symbol")}
    fills = frames.fills(source, **wanted)
    slices = frames.slices(source, **wanted)
    if "since" in filters or "until" in filters:
        fills, slices = (one[one["parent_id"].isin(executions["parent_id"])] for one in (fills, slices))
    months = executions["local_symbol"].unique()
    quotes = frames.quotes(source, symbol=months[0] if len(months) == 1 else None)  # of one month, not of years of all
    return tca(
        fills.reset_index(drop=True),
        quotes[quotes["local_symbol"].isin(months)],
        executions=executions,
        slices=slices.reset_index(drop=True),
        instruments=frames.instruments(source),
        level=level,
        by=by,
        tolerance=tolerance,
    )
