"""What the figures of `cost_plots` are drawn from, as tables that say the same."""

from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from hydra_nb.analysis.columns import columns_of, make_frame
from hydra_nb.analysis.tca.columns import HORIZONS_S
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidFrame

Unit = Literal["ticks", "bps", "cash"]
MarkoutUnit = Literal["ticks", "bps"]

PARTS: Final = ("delay", "trading", "opportunity", "fees")
TOTAL: Final = "total"

AT_THE_FILL: Final = "at the fill"
SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_PREDICTED: Final = 10
"""Fills from which on predictions are judged."""

WATERFALL_TABLE = columns_of("""
part    | TEXT |      | delay, trading, opportunity, fees, total
cash    | REAL | cash | Its sum over the orders of which it is shown; positive is a cost; NaN where it is not known
bps     | REAL | bps  | The same over all lots of these orders at their decision prices
orders  | LOTS |      | Orders of which it is shown
unknown | LOTS |      | Orders of which it is not known, of all that were given
""")

MARKOUT_TABLE = columns_of("""
horizon  | TEXT |              | Time after the fill
after_s  | REAL | s            | The same in seconds
mean     | REAL | ticks or bps | Mean markout of a lot; positive is a gain
p5       | REAL | ticks or bps | A twentieth of the lots had less, or as much
p25      | REAL | ticks or bps | A quarter had less, or as much
median   | REAL | ticks or bps | Half had less, or as much
p75      | REAL | ticks or bps | Three quarters had less, or as much
p95      | REAL | ticks or bps | All but a twentieth had less, or as much
fills    | LOTS |              | Fills of which it is known
lots     | LOTS | lots         | Their lots
unknown  | LOTS |              | Fills of which it is not known
""")

PREDICTION_TABLE = columns_of("""
side           | TEXT |         | BUY, SELL, and all of them
fills          | LOTS |         | Fills of which both are known
unknown        | LOTS |         | Fills of which one is not
mean_predicted | REAL | in unit | Mean predicted slippage; positive is a cost
mean_actual    | REAL | in unit | Mean slippage against arrival
bias           | REAL | in unit | Mean of actual less predicted; positive is worse than predicted
low            | REAL | in unit | A twentieth of the fills came less above their prediction; NaN for fewer than 10
high           | REAL | in unit | A twentieth came further above it; NaN for fewer than 10
""")


def waterfall_table(parents: pd.DataFrame) -> pd.DataFrame:
    """The parts of the implementation shortfall of orders, and their sum.

    Shown are the orders of which all four parts are known, so that the parts add up to the total. Where there is no
    such order, each part is shown of those of which it is known, and no total.

    Parameters
    ----------
    parents
        Frame of transaction cost analysis at the level ``parent``, in one currency; may be empty.

    Returns
    -------
    pandas.DataFrame
        Columns of `WATERFALL_TABLE`, one row a part in order, and the total; none where `parents` is empty.

    Raises
    ------
    InvalidFrame
        A column lacks, or the orders are of several currencies.
    """
    columns = [f"{part}_cash" for part in PARTS]
    must_have(parents, [*columns, "notional_cash", "shortfall_bps", "currency"], of="cost_waterfall")
    must_be_one_currency(parents, of="cost_waterfall")
    if parents.empty:
        return make_frame(WATERFALL_TABLE, [])
    cash = parents[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(cash)
    complete = known.all(axis=1)
    shown = known & complete[:, None] if complete.any() else known
    value = _paper_value(parents)
    rows = []
    for at, part in enumerate(PARTS):
        unknown = int((~known[:, at]).sum())
        rows.append(_part(part, cash[:, at], value=value, of=shown[:, at], unknown=unknown))
    rows.append(_part(TOTAL, cash.sum(axis=1), value=value, of=complete, unknown=int((~complete).sum())))
    return make_frame(WATERFALL_TABLE, rows)


def _part(part: str, cash: np.ndarray, *, value: np.ndarray, of: np.ndarray, unknown: int) -> dict[str, Any]:
    total = cash[of].sum() if of.any() else np.nan
    paper = value[of].sum()
    bps = total / paper * 10_000 if paper > 0 else np.nan
    return {"part": part, "cash": total, "bps": bps, "orders": int(of.sum()), "unknown": unknown}


def _paper_value(parents: pd.DataFrame) -> np.ndarray:
    """All lots of each order at its decision price, in cash: what its basis points are of; NaN where it has none."""
    notional, bps = (parents[name].to_numpy(dtype=np.float64) for name in ("notional_cash", "shortfall_bps"))
    return np.where(np.isfinite(bps), notional, np.nan)


def markout_table(fills: pd.DataFrame, *, unit: MarkoutUnit = "ticks") -> pd.DataFrame:
    """What a lot gained by horizon after its fill, each lot counted once.

    At the fill that is half the effective spread, negated: its price against the mid just before it. See Huang and
    Stoll, "Dealer versus auction markets" (1996), for the spreads.

    Parameters
    ----------
    fills
        Frame of transaction cost analysis at the level ``fill``; may be empty.
    unit
        ``"ticks"`` or ``"bps"``.

    Returns
    -------
    pandas.DataFrame
        Columns of `MARKOUT_TABLE`, one row a horizon; where no fill is known, of NaN.

    Raises
    ------
    InvalidFrame
        A column lacks.
    ValueError
        The unit is another.
    """
    must_be_unit(unit, of="markout_fan", units=("ticks", "bps"))
    stems = {AT_THE_FILL: f"effective_spread_{unit}", **{name: f"markout_{name}_{unit}" for name in HORIZONS_S}}
    must_have(fills, ["lots", *stems.values()], of="markout_fan")
    lots = fills["lots"].to_numpy(dtype=np.int64, na_value=0)
    rows = []
    for name, column in stems.items():
        values = fills[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if name == AT_THE_FILL:
            values = -values / 2
        known = np.isfinite(values) & (lots > 0)
        each = np.repeat(values[known], lots[known])
        quantiles = np.quantile(each, SHARES, method="inverted_cdf") if each.size else np.full(len(SHARES), np.nan)
        rows.append(
            {
                "horizon": name.replace("min", " min").replace("10s", "10 s"),
                "after_s": HORIZONS_S.get(name, 0),
                "mean": each.mean() if each.size else np.nan,
                **dict(zip(("p5", "p25", "median", "p75", "p95"), quantiles, strict=True)),
                "fills": int(known.sum()),
                "lots": int(each.size),
                "unknown": int((~known).sum()),
            }
        )
    return make_frame(MARKOUT_TABLE, rows)


def prediction_table(fills: pd.DataFrame, *, unit: Unit = "bps") -> pd.DataFrame:
    """How far the slippage of fills was from what was predicted, by side and over all.

    Parameters
    ----------
    fills
        Frame of transaction cost analysis at the level ``fill``; may be empty.
    unit
        ``"ticks"``, ``"bps"``, or ``"cash"`` of fills in one currency.

    Returns
    -------
    pandas.DataFrame
        Columns of `PREDICTION_TABLE`: a row a side that there is, and one of all.

    Raises
    ------
    InvalidFrame
        A column lacks, or cash is of several currencies.
    ValueError
        The unit is another.
    """
    predicted, actual = predictions(fills, unit=unit)
    sides = [side for side in Side if (fills["side"] == side).any()]
    rows = []
    for side in (*sides, "all"):
        of_side = np.ones(len(fills), dtype=bool) if side == "all" else (fills["side"] == side).to_numpy(dtype=bool)
        known = of_side & np.isfinite(predicted) & np.isfinite(actual)
        error = (actual - predicted)[known]
        low, high = np.quantile(error, (0.05, 0.95)) if error.size >= FEWEST_PREDICTED else (np.nan, np.nan)
        rows.append(
            {
                "side": side,
                "fills": int(known.sum()),
                "unknown": int((of_side & ~known).sum()),
                "mean_predicted": predicted[known].mean() if error.size else np.nan,
                "mean_actual": actual[known].mean() if error.size else np.nan,
                "bias": error.mean() if error.size else np.nan,
                "low": low,
                "high": high,
            }
        )
    return make_frame(PREDICTION_TABLE, rows)


def predictions(fills: pd.DataFrame, *, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and actual slippage of each fill against arrival; NaN where not known."""
    must_be_unit(unit, of="predicted_against_actual", units=("ticks", "bps", "cash"))
    names = [f"predicted_slippage_{unit}", f"arrival_slippage_{unit}"]
    must_have(fills, ["side", *names, *(["currency"] if unit == "cash" else [])], of="predicted_against_actual")
    if unit == "cash":
        must_be_one_currency(fills, of="predicted_against_actual")
    predicted, actual = (fills[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names)
    return predicted, actual


def must_have(frame: pd.DataFrame, names: Iterable[str], *, of: str) -> None:
    """Raise `InvalidFrame` where a frame lacks columns."""
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise InvalidFrame(f"{of} takes a frame of tca; this one lacks {', '.join(lacking)}")


def must_be_one_currency(frame: pd.DataFrame, *, of: str) -> None:
    """Raise `InvalidFrame` where cash of a frame cannot be added up."""
    found = sorted(frame["currency"].dropna().unique())
    if len(found) > 1:
        raise InvalidFrame(
            f"{of}: cash of {len(found)} currencies ({', '.join(found)}) cannot be added; give the rows of one, such "
            f"as frame[frame['currency'] == '{found[0]}']"
        )


def must_be_unit(unit: str, *, of: str, units: tuple[str, ...]) -> None:
    """Raise ValueError where a figure does not know a unit."""
    if unit not in units:
        raise ValueError(f"{of} knows the units {', '.join(units)}, not {unit!r}")
