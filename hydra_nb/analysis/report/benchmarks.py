"""The fills of an order against what they are measured by: arrival, decision, each order's mid, and the interval."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.plot_tables import LONGEST_QUOTE_S
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import ParentRecord

_ANALYSED = {
    "arrival": ("arrival_slippage", "arrival_mid", "Mid when the order was accepted"),
    "order": ("order_slippage", None, "Mid when each child order, or its last modify, was sent"),
    "interval TWAP": ("twap_slippage", "twap", "Time-weighted mid while it worked"),
    "interval VWAP": ("vwap_slippage", "vwap", "Volume-weighted price of the trades printed while it worked"),
}
"""Of a frame of transaction cost analysis: stem of the slippage, column of the price, and what it is."""


def benchmarks(
    record: ParentRecord,
    *,
    fills: pd.DataFrame,
    quotes: pd.DataFrame,
    until_ns: int,
    parents: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row a benchmark: its price, and what the fills cost against it; positive is a cost.

    Parameters
    ----------
    record
        The parent.
    fills, quotes
        Its fills, and the quotes of its contract from before it arrived.
    until_ns
        When the interval ends, UTC nanoseconds.
    parents
        Its row of transaction cost analysis, at the level ``parent``: with it the benchmarks are those. None or empty
        takes what fills and quotes tell.
    """
    contract, side = record.plan.parent.contract, record.plan.parent.side.sign
    arrival = np.nan if record.arrival_mid is None else float(record.arrival_mid)
    decision = fills["decision_mid"].to_numpy(dtype=np.float64)
    decided = ("decision", decision, "Mid at preview")
    if parents is not None and not parents.empty:
        analysed = [*_of_analysis(dict(parents.iloc[0]))]
        measured = [decided]
    else:
        analysed = []
        twap, seen = time_weighted_mid(quotes, begin_ns=record.submitted_ns, end_ns=until_ns)
        words = f"Time-weighted mid while it worked; known for {seen:.1%} of that time".replace("%", "\u2009%")
        measured = [
            ("arrival", fills["arrival_mid"].to_numpy(dtype=np.float64), "Mid when the order was accepted"),
            decided,
            (
                "order",
                fills["order_mid"].to_numpy(dtype=np.float64),
                "Mid when each child order, or its last modify, was sent",
            ),
            ("interval TWAP", np.full(len(fills), twap), words),
        ]
    rows = [
        *analysed,
        *(
            _measured(name, reference, words, fills=fills, side=side, arrival=arrival, contract=contract)
            for name, reference, words in measured
        ),
    ]
    return make_frame(columns.BENCHMARKS, rows)


def _measured(
    name: str,
    reference: np.ndarray,
    words: str,
    *,
    fills: pd.DataFrame,
    side: int,
    arrival: float,
    contract: FutureContract,
) -> dict[str, Any]:
    """Fills against a reference price each; lots of which it is not known are counted out."""
    lots = fills["lots"].to_numpy(dtype=np.float64)
    known = ~np.isnan(reference)
    filled = float(lots[known].sum())
    if not filled:
        unknown = dict.fromkeys(("price", "slippage_ticks", "slippage_bps", "slippage_cash"), np.nan)
        return {"benchmark": name, "lots": 0, "words": words, **unknown}
    difference = float(((fills["price"].to_numpy(dtype=np.float64) - reference)[known] * lots[known]).sum()) * side
    a_lot = difference / filled
    return {
        "benchmark": name,
        "price": float((reference[known] * lots[known]).sum()) / filled,
        "slippage_ticks": a_lot / float(contract.tick),
        "slippage_bps": a_lot / arrival * 10_000 if arrival > 0 else np.nan,
        "slippage_cash": difference * float(contract.point_value),
        "lots": int(filled),
        "words": words,
    }


def _of_analysis(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The benchmarks of a row of transaction cost analysis."""
    for name, (stem, price, words) in _ANALYSED.items():
        differences = {f"slippage_{unit}": row[f"{stem}_{unit}"] for unit in ("ticks", "bps", "cash")}
        known = not pd.isna(differences["slippage_ticks"])
        yield {
            "benchmark": name,
            "price": np.nan if price is None else row[price],
            **differences,
            "lots": row["filled_lots"] if known else 0,
            "words": words,
        }


def time_weighted_mid(quotes: pd.DataFrame, *, begin_ns: int, end_ns: int) -> tuple[float, float]:
    """Mean of the mid over an interval, each weighted by the time for which it stood, and the known share of that time.

    A mid is known while both sides show and do not cross, for `LONGEST_QUOTE_S` at most. NaN where it never was.
    """
    ordered = quotes.sort_values("time", kind="stable")
    begun = ordered["time"].astype("int64").to_numpy()
    until = np.minimum(np.append(begun[1:], end_ns), begun + int(LONGEST_QUOTE_S * NS_PER_S))
    stood_s = np.maximum(np.minimum(until, end_ns) - np.maximum(begun, begin_ns), 0) / NS_PER_S
    bid, ask = (ordered[side].to_numpy(dtype=np.float64) for side in ("bid", "ask"))
    shows = (bid < ask) & (ordered[["bid_size", "ask_size"]] > 0).all(axis=1).to_numpy()
    known_s = float(stood_s[shows].sum())
    if known_s <= 0:
        return np.nan, 0.0
    mids = (bid[shows] + ask[shows]) / 2
    return float((mids * stood_s[shows]).sum()) / known_s, known_s / ((end_ns - begin_ns) / NS_PER_S)
