"""Fills as arrays: what was predicted, what was paid, of which order each is. Frames that would mislead are refused."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydra_nb.errors import AnalysisError, InvalidFrame

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEAST_FILLS: Final = 10
"""Fills below which nothing is said of a symbol."""

LEAST_ORDERS: Final = 5
"""Parent orders below which no interval is given: the fills of one order are nearly one fill."""

ALL: Final = "*"
"""Stands for all symbols together."""

UNITS: Final = {
    "bps": ("slippage_bps", "predicted_slippage_bps"),
    "ticks": ("slippage_ticks", "predicted_slippage_ticks"),
    "price": ("price", "arrival_mid", "side", "predicted_slippage"),
    "cash": ("slippage_cash", "predicted_slippage_cash", "currency"),
}
"""Columns of a fills frame that each unit is read from."""

REFIT: Final = (
    "time",
    "symbol",
    "lots",
    "slippage_ticks",
    "predicted_slippage_ticks",
    "half_spread_ticks",
    "impact_scale_ticks",
)
"""Columns of a fills frame that a refit is read from."""

_SIGNS: Final = {"BUY": 1.0, "SELL": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Predicted and actual slippage of fills of one symbol, or of all, in one unit.

    `orders` numbers the parent order of each fill from 0, in order of appearance; `left_out` counts the fills of which
    one of the two is not known. `versions` are the predictors that made the predictions, as far as they are told.
    `mixed` says in words why these fills have no common figures; empty where they have.
    """

    symbol: str
    predicted: Reals
    actual: Reals
    orders: Codes
    left_out: int
    versions: tuple[str, ...] = ()
    mixed: str = ""

    @property
    def n_orders(self) -> int:
        """Parent orders that the fills are of."""
        return int(self.orders.max()) + 1 if self.orders.size else 0


def checked(fills: pd.DataFrame, *, unit: str) -> pd.DataFrame:
    """The frame itself, once it can be analysed in a unit.

    Raises
    ------
    AnalysisError
        The unit is none.
    InvalidFrame
        It is no frame, a column is missing or holds no numbers, or a row would give a wrong number.
    """
    if unit not in UNITS:
        raise AnalysisError(f"unit={unit!r} is none; one of {', '.join(UNITS)}")
    if not isinstance(fills, pd.DataFrame):
        raise InvalidFrame(f"fills are a {type(fills).__name__}, not a DataFrame with the columns of desk.fills()")
    require(fills, ("symbol", *UNITS[unit]), wanted=f"slippage in {unit}")
    if fills.columns.has_duplicates:
        raise InvalidFrame(f"column {fills.columns[fills.columns.duplicated()][0]!r} is there twice")
    for name in {*UNITS[unit], "lots"} & {*fills.columns} - {"side", "currency"}:
        reals(fills, name)
    if fills["symbol"].isna().any():
        raise InvalidFrame(f"{int(fills['symbol'].isna().sum())} fills have no symbol")
    if not all(isinstance(one, str) for one in fills["symbol"].unique()):
        raise InvalidFrame("symbols must be text, as desk.fills() gives them")
    if "fill_id" in fills and fills["fill_id"].dropna().duplicated().any():
        twice = fills["fill_id"].dropna()
        raise InvalidFrame(f"fill {twice[twice.duplicated()].iloc[0]} is there twice; a fill counts once")
    if "lots" in fills and bool((fills["lots"].fillna(0) <= 0).any()):
        raise InvalidFrame("a fill has no lots; leave out what was busted")
    if unit == "price" and not fills["side"].isin(list(_SIGNS)).all():
        raise InvalidFrame("side must be BUY or SELL in every row")
    return fills


def require(fills: pd.DataFrame, names: tuple[str, ...], *, wanted: str) -> None:
    """Raise `InvalidFrame` where a column is missing."""
    missing = [name for name in names if name not in fills]
    if missing:
        raise InvalidFrame(f"{wanted} needs the columns {', '.join(missing)}, as desk.fills() gives them")


def reals(fills: pd.DataFrame, name: str) -> Reals:
    """A column as numbers, NaN where unknown.

    Raises
    ------
    InvalidFrame
        It holds no numbers, or an infinite one.
    """
    try:
        values = fills[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"column {name!r} holds no numbers: {error}") from error
    if np.isinf(values).any():
        raise InvalidFrame(f"column {name!r} holds an infinite number")
    return values


def gather(fills: pd.DataFrame, *, unit: str) -> tuple[Evidence, ...]:
    """Evidence of all symbols together, then of each symbol, from a frame that was `checked`."""
    actual, predicted = _pair(fills, unit=unit)
    orders, symbols = order_codes(fills), fills["symbol"].to_numpy(dtype=object)
    known = np.isfinite(actual) & np.isfinite(predicted)

    def part(symbol: str, wanted: Flags, *, mixed: str = "") -> Evidence:
        rows = wanted & known if not mixed else np.zeros_like(known)
        versions = fills.loc[rows, "predictor_version"].dropna().unique() if "predictor_version" in fills else ()
        return Evidence(
            symbol=symbol,
            predicted=predicted[rows],
            actual=actual[rows],
            orders=renumbered(orders[rows]),
            left_out=int(wanted.sum() - rows.sum()),
            versions=tuple(sorted(versions)),
            mixed=mixed,
        )

    listed = sorted(set(symbols))
    whole = part(ALL, np.ones_like(known), mixed=_mixed(fills, unit=unit, symbols=listed))
    return (whole, *(part(one, symbols == one) for one in listed))


def _pair(fills: pd.DataFrame, *, unit: str) -> tuple[Reals, Reals]:
    """Actual and predicted slippage of every fill."""
    if unit == "price":
        signs = fills["side"].map(_SIGNS).to_numpy(dtype=np.float64)
        paid = signs * (reals(fills, "price") - reals(fills, "arrival_mid"))
        return paid, reals(fills, "predicted_slippage")
    actual, predicted = UNITS[unit][:2]
    return reals(fills, actual), reals(fills, predicted)


def _mixed(fills: pd.DataFrame, *, unit: str, symbols: list[str]) -> str:
    """Why all symbols together have no figure in a unit; empty where they have."""
    if unit == "price" and len(symbols) > 1:
        return f"prices of {len(symbols)} symbols do not add up; use bps or cash"
    currencies = sorted(fills["currency"].dropna().unique()) if unit == "cash" else []
    if len(currencies) > 1:
        return f"cash in {' and '.join(currencies)} does not add up; use bps or ticks"
    return ""


def order_codes(fills: pd.DataFrame) -> Codes:
    """A number for the parent order of each fill; a fill of which it is not known is an order of its own."""
    alone = np.arange(len(fills), dtype=np.int64)
    if "parent_id" not in fills:
        return alone
    codes, _ = pd.factorize(fills["parent_id"])
    return np.where(codes < 0, len(fills) + alone, codes).astype(np.int64)


def renumbered(codes: Codes) -> Codes:
    """Numbers from 0 without gaps, in order of appearance."""
    return pd.factorize(codes)[0].astype(np.int64)
