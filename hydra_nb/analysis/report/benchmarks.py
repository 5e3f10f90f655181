"""The fills of an order against what they are measured by: decision, arrival, each order's mid, and the interval."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.report.columns import BENCHMARKS
from hydra_nb.domain.instrument import FutureContract

_MEASURED = {
    "arrival": ("arrival_slippage", "arrival_mid", "Mid when the order was accepted"),
    "order": ("order_slippage", None, "Mid when each child order, or its last modify, was sent"),
    "interval TWAP": ("twap_slippage", "twap", "Time-weighted mid while it worked"),
    "interval VWAP": ("vwap_slippage", "vwap", "Volume-weighted price of the trades printed while it worked"),
}
"""Stem of the slippage, column of the price, and what it is."""
_UNITS = ("ticks", "bps", "cash")


def benchmarks(parent: dict[str, Any], *, contract: FutureContract) -> pd.DataFrame:
    """One row a benchmark: its price, and what the fills cost against it; positive is a cost.

    Parameters
    ----------
    parent
        The order's row of transaction cost analysis, at the level of parents.
    contract
        What it traded.
    """
    return make_frame(BENCHMARKS, [_against_decision(parent, contract=contract), *_against_market(parent)])


def _against_decision(parent: dict[str, Any], *, contract: FutureContract) -> dict[str, Any]:
    """The wait and the trading together."""
    cash = parent["delay_cash"] + parent["trading_cash"]
    lots = parent["filled_lots"] if np.isfinite(cash) else 0
    ticks = cash / float(contract.tick_value) / lots if lots else np.nan
    arrival = parent["arrival_mid"]
    return {
        "benchmark": "decision",
        "price": parent["decision_mid"],
        "slippage_ticks": ticks,
        "slippage_bps": ticks * float(contract.tick) / arrival * 10_000 if arrival > 0 else np.nan,
        "slippage_cash": cash if lots else np.nan,
        "lots": lots,
        "words": "Mid at preview",
    }


def _against_market(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, (stem, price, words) in _MEASURED.items():
        differences = {f"slippage_{unit}": parent[f"{stem}_{unit}"] for unit in _UNITS}
        yield {
            "benchmark": name,
            "price": None if price is None else parent[price],
            **differences,
            "lots": 0 if pd.isna(differences["slippage_ticks"]) else parent["filled_lots"],
            "words": words,
        }
