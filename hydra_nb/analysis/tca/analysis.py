"""Transaction cost analysis of fills from anywhere."""

from collections.abc import Sequence
from typing import Literal, get_args

import pandas as pd

from hydra_nb.analysis.tca.groups import Levels, group_level
from hydra_nb.analysis.tca.inputs import Fills, must_be_frame, read_quotes
from hydra_nb.analysis.tca.interval import read_trades, trades_of
from hydra_nb.analysis.tca.levels import fill_level, parent_level, slice_level
from hydra_nb.analysis.tca.measure import measure
from hydra_nb.analysis.tca.terms import Terms
from hydra_nb.analysis.tca.works import PARENTS, SLICES, Market, Meanwhile, Works
from hydra_nb.errors import InvalidFrame

PARENTS_ONLY = ("symbol", "local_symbol", "side", "strategy", "currency")
Level = Literal["fill", "slice", "parent"]


def tca(
    fills: pd.DataFrame,
    quotes: pd.DataFrame | None = None,
    trades: pd.DataFrame | None = None,
    *,
    executions: pd.DataFrame | None = None,
    slices: pd.DataFrame | None = None,
    instruments: pd.DataFrame | None = None,
    level: Level = "fill",
    by: str | Sequence[str] | None = None,
    tolerance: str | pd.Timedelta = "10min",
) -> pd.DataFrame:
    """What fills cost against arrival, order mid, and the prices of their interval, and what the market did after them.

    Rows may come in any order; of several quotes of one month at one moment the last row counts. Whatever cannot be
    known is NaN, and the column `lacks` says what and of how many. Costs are positive, gains of a markout too.

    Parameters
    ----------
    fills
        One row an execution, with the columns of ``desk.fills()``: `time`, `local_symbol`, `side`, `lots` and `price`
        are needed, `parent_id`, `slice`, `stage`, `symbol`, `arrival_mid`, `decision_mid`, `order_mid`, `commission`,
        `currency`, `fill_id`, `tick` and `point_value` are used where they are there.
    quotes
        Top of the book as it changed: `time` `local_symbol` `bid` `ask`. Where no `trades` are given, and there are
        `last` and `volume`, trades are taken from their growth: see `trades_of`.
    trades
        What was printed: `time` `local_symbol` `price` `lots`.
    executions
        One row a parent: `parent_id` `submitted` `finished` `local_symbol` `lots`; without it there is no interval, and
        nothing is known of lots that did not fill. `decision_mid`, `side`, `strategy`, `tag` are used as well.
    slices
        One row a slice: `parent_id` `slice` `sent` `done` `lots`; used by ``level="slice"``.
    instruments
        One row a month: `local_symbol` `tick` `multiplier` `price_magnifier` `time_zone`, where the fills do not tell.
    level
        ``"fill"``, ``"slice"`` or ``"parent"``: what a row is.
    by
        Columns to group by instead, such as ``"stage"`` or ``["symbol", "side"]``: any of the level of fills or of
        parents, or of the frames that were given.
    tolerance
        Greatest age of a quote that counts.

    Returns
    -------
    pandas.DataFrame
        Columns of ``tca.fill``, ``tca.slice``, ``tca.parent`` or, behind the keys, ``tca.group`` in docs/columns.md.

    Raises
    ------
    InvalidFrame
        A frame is none, lacks columns, or holds rows that would give a wrong number, such as times without a zone.
    """
    if level not in get_args(Level):
        raise InvalidFrame(
            f"level={level!r}: say {', '.join(map(repr, get_args(Level)))}, or group by columns with by="
        )
    must_be_frame(fills, "fills")
    others = {"quotes": quotes, "trades": trades, "executions": executions, "slices": slices}
    for name, frame in {**others, "instruments": instruments}.items():
        if frame is not None:
            must_be_frame(frame, name)
    read = Fills.of(fills, executions, slices)
    market = _market(read, quotes, trades, tolerance_ns=pd.Timedelta(tolerance).as_unit("ns").value)
    terms = Terms.of(read, instruments)
    parents = Works.of(PARENTS, read, executions)
    meanwhile = Meanwhile.of(parents, market)
    measured = measure(read, market=market, terms=terms, parents=parents, meanwhile=meanwhile)
    if by is not None:
        levels = Levels(
            fills=fill_level(read, measured, terms=terms, parents=parents),
            parents=parent_level(measured, terms=terms, parents=parents, meanwhile=meanwhile),
            of_fill=parents.of_fill,
            given_fills=fills,
            given_parents=executions,
        )
        return group_level(levels, measured, by=[by] if isinstance(by, str) else list(by))
    if level == "slice":
        works = Works.of(SLICES, read, _with_parents(slices, executions))
        return slice_level(measured, terms=terms, works=works, meanwhile=Meanwhile.of(works, market))
    if level == "parent":
        return parent_level(measured, terms=terms, parents=parents, meanwhile=meanwhile)
    return fill_level(read, measured, terms=terms, parents=parents)


def _with_parents(slices: pd.DataFrame | None, executions: pd.DataFrame | None) -> pd.DataFrame | None:
    """Slices with what only their parents tell, so that those without fills are known by it."""
    if slices is None or executions is None or "parent_id" not in slices:
        return slices
    further = [name for name in PARENTS_ONLY if name in executions and name not in slices]
    return slices.merge(executions[["parent_id", *further]], on="parent_id", how="left")


def _market(fills: Fills, quotes: pd.DataFrame | None, trades: pd.DataFrame | None, *, tolerance_ns: int) -> Market:
    """Quotes and trades by symbol; trades out of the quotes where none are given and they tell."""
    if trades is None and quotes is not None and {"last", "volume"} <= set(quotes.columns):
        trades = trades_of(quotes, tolerance_s=tolerance_ns / 1e9)
    return Market(
        quotes=None if quotes is None else read_quotes(quotes, symbols=fills.symbols),
        prints=None if trades is None else read_trades(trades, symbols=fills.symbols),
        tolerance_ns=tolerance_ns,
    )
