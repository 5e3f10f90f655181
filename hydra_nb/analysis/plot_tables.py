"""What figures are drawn from, as tables that say the same: one function a figure of `plots`."""

import numpy as np
import pandas as pd

from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import Column, Kind, make_frame

LONGEST_QUOTE_S = 600.0
"""A quote speaks for no longer than this: what follows is a closed session, or a feed that went quiet."""

_FILLED = ("time", "parent_id", "slice", "stage", "side", "lots", "price", "bid", "ask", "slippage_ticks")

FILL_TABLE = tuple(one for one in columns.FILLS if one.name in _FILLED)

DECISION_TABLE = (
    Column(name="check", kind=Kind.TEXT, unit="", meaning="Name of the check"),
    Column(name="asked", kind=Kind.LOTS, unit="", meaning="How often it was asked"),
    Column(name="refused", kind=Kind.LOTS, unit="", meaning="How often it refused"),
    Column(
        name="observed", kind=Kind.REAL, unit="in unit", meaning="What it looked at, where it came nearest its limit"
    ),
    Column(name="limit", kind=Kind.REAL, unit="in unit", meaning="What was allowed then"),
    Column(name="unit", kind=Kind.TEXT, unit="", meaning="Unit of observed and limit"),
    Column(name="use", kind=Kind.REAL, unit="1", meaning="Observed over limit; NaN where the limit is no ceiling"),
    Column(name="message", kind=Kind.TEXT, unit="", meaning="That decision in words"),
)

SPREAD_TABLE = (
    Column(name="hour", kind=Kind.LOTS, unit="h", meaning="Hour of the exchange's day, 0 to 23"),
    Column(name="low", kind=Kind.REAL, unit="price or ticks", meaning="Spread that a tenth of the time went below"),
    Column(name="median", kind=Kind.REAL, unit="price or ticks", meaning="Spread that half of the time went below"),
    Column(name="high", kind=Kind.REAL, unit="price or ticks", meaning="Spread that nine tenths went below"),
    Column(name="quotes", kind=Kind.LOTS, unit="", meaning="Quotes with both sides"),
    Column(name="two_sided_s", kind=Kind.REAL, unit="s", meaning="Time in which both sides showed"),
    Column(name="seen_s", kind=Kind.REAL, unit="s", meaning="Time in which there was a quote at all"),
)


def fill_table(fills: pd.DataFrame) -> pd.DataFrame:
    """The fills in order of their time, without what no figure shows.

    Parameters
    ----------
    fills
        Frame with the columns of ``desk.fills()``; those that it lacks are left out.
    """
    shown = [one.name for one in FILL_TABLE if one.name in fills.columns]
    return fills.sort_values("time", kind="stable")[shown].reset_index(drop=True)


def decision_table(decisions: pd.DataFrame) -> pd.DataFrame:
    """One row a check of the gate: how often it refused, and where it came nearest to its limit.

    Refusing checks come first, then those that used most of their limit.

    Parameters
    ----------
    decisions
        Frame with the columns of ``desk.decisions()`` or ``plan.risk``.

    Returns
    -------
    pandas.DataFrame
        Columns of `DECISION_TABLE`.
    """
    told = decisions.assign(use=_use(decisions), refuses=~decisions["allowed"].astype(bool))
    rows = []
    for check, asked in told.groupby("check", sort=False):
        nearest = asked.sort_values(["refuses", "use"], ascending=False, na_position="last", kind="stable").iloc[0]
        rows.append(
            {
                "check": check,
                "asked": len(asked),
                "refused": int(asked["refuses"].sum()),
                **{name: nearest[name] for name in ("observed", "limit", "unit", "use", "message")},
            }
        )
    made = make_frame(DECISION_TABLE, rows).assign(refusing=lambda frame: frame["refused"] > 0)
    ordered = made.sort_values(["refusing", "use"], ascending=False, na_position="last", kind="stable")
    return ordered.drop(columns="refusing").reset_index(drop=True)


def _use(decisions: pd.DataFrame) -> pd.Series:
    """Observed over limit where that is a share of a ceiling; NaN for floors, prices, switches and limits of zero."""
    limit = decisions["limit"].abs()
    share = decisions["observed"].abs() / limit.where((limit > 0) & (decisions["unit"] != "price"))
    return share.where((share <= 1) | ~decisions["allowed"].astype(bool))


def spread_table(quotes: pd.DataFrame, *, time_zone: str = "UTC", tick: float | None = None) -> pd.DataFrame:
    """The spread by hour of the exchange's day, each quote weighted by the time for which it stood.

    A quote stands until the next of its contract, at most `LONGEST_QUOTE_S`, and counts for the hour in which it began.

    Parameters
    ----------
    quotes
        Frame with the columns of ``desk.quotes()``, of one contract or of several of one tick.
    time_zone
        IANA name of the exchange's zone.
    tick
        Smallest price step; with it the spread is in ticks, else in the quoted unit.

    Returns
    -------
    pandas.DataFrame
        Columns of `SPREAD_TABLE`, one row an hour in which there were quotes, in order.
    """
    lives = quote_lives(quotes)
    spread = (lives["ask"] - lives["bid"]) / (1.0 if tick is None else float(tick))
    hours = lives["time"].dt.tz_convert(time_zone).dt.hour
    rows = []
    for hour in sorted(hours.unique()):
        here = hours == hour
        rows.append({"hour": int(hour), **spread_facts(spread[here], lives.loc[here, "stood_s"])})
    return make_frame(SPREAD_TABLE, rows)


def quote_lives(quotes: pd.DataFrame) -> pd.DataFrame:
    """The quotes in order of their time, with `stood_s`: until the next of the contract, at most `LONGEST_QUOTE_S`."""
    ordered = quotes.sort_values("time", kind="stable")
    next_time = ordered.groupby("local_symbol", sort=False)["time"].shift(-1)
    stood_s = (next_time - ordered["time"]).dt.total_seconds().clip(0.0, LONGEST_QUOTE_S).fillna(0.0)
    return ordered.assign(stood_s=stood_s)


def spread_facts(spread: pd.Series, stood_s: pd.Series) -> dict[str, float | int | None]:
    """What spreads, NaN where a side was empty, say that stood for so long; the columns of `SPREAD_TABLE` but the hour.

    With the time-weighted `mean` of those that showed; None where nothing stood.
    """
    two_sided = spread.notna().to_numpy(dtype=bool)
    widths = spread.to_numpy(dtype=np.float64)[two_sided]
    weights = stood_s.to_numpy(dtype=np.float64)[two_sided]
    low, median, high = _weighted_quantiles(widths, weights, shares=(0.1, 0.5, 0.9))
    return {
        "low": low,
        "median": median,
        "high": high,
        "mean": float(np.average(widths, weights=weights)) if weights.sum() > 0 else None,
        "quotes": len(widths),
        "two_sided_s": float(weights.sum()),
        "seen_s": float(stood_s.sum()),
    }


def _weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, *, shares: tuple[float, ...]
) -> tuple[float | None, ...]:
    """Smallest values at which the weights below and at them reach each share; None where nothing has weight."""
    if weights.sum() <= 0:
        return tuple(None for _ in shares)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    at = np.minimum(np.searchsorted(reached, np.array(shares) - 1e-12), len(values) - 1)
    return tuple(float(value) for value in values[order][at])
