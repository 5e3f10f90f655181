"""The frame of fills, column by column: what the terms of an order tell is told once for all their fills."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb import cost
from hydra_nb.analysis.columns import FILLS, frame_of, make_frame
from hydra_nb.analysis.trading import UNKNOWN_NS, ParentFacts, Terms, Trading, decimal_of
from hydra_nb.domain.units import Side

Reals = NDArray[np.float64]
Wholes = NDArray[np.int64]

_NS_PER_MS = 1_000_000
_OF_TERMS = (
    *("parent_id", "slice", "stage", "symbol", "local_symbol", "side", "decision_mid", "arrival_mid", "order_mid"),
    *("predicted_slippage_bps", "predictor_version", "currency"),
)
"""Columns that are the same for all fills under the same terms."""


def fills_frame(trading: Trading, places: Wholes) -> pd.DataFrame:
    """One row a fill, for the fills at these places among all of `trading`; their parents are known to it."""
    fills = trading.fills
    used, of_terms = np.unique(np.asarray(fills.terms)[places], return_inverse=True)
    terms = [trading.terms[one] for one in used.tolist()]
    parents = [trading.parents[one.parent_id] for one in terms]
    by_terms = make_frame(
        [one for one in FILLS if one.name in _OF_TERMS],
        [_terms_row(one, parent=parent) for one, parent in zip(terms, parents, strict=True)],
    )
    at = places.tolist()
    families, lots = [fills.families[place] for place in at], np.asarray(fills.lots)[places]
    received_ns, sent_ns = np.asarray(fills.received_ns)[places], np.asarray(fills.sent_ns)[places]
    prices = [fills.prices[place] for place in at]
    values: dict[str, Any] = {name: by_terms[name].array.take(of_terms) for name in _OF_TERMS}
    values |= {
        "time": np.asarray(fills.executed_ns)[places],
        "received_time": received_ns,
        "fill_id": families,
        "lots": lots,
        "bid": np.asarray(fills.bids)[places],
        "ask": np.asarray(fills.asks)[places],
        "commission": [trading.fees.get(family) for family in families],
        "latency_ms": np.where(sent_ns == UNKNOWN_NS, np.nan, (received_ns - sent_ns) / _NS_PER_MS),
    }
    values |= against_arrival(
        prices, lots=lots, terms=terms, arrivals=[one.arrival_mid for one in parents], of_terms=of_terms
    )
    return frame_of(FILLS, values)


def _terms_row(terms: Terms, *, parent: ParentFacts) -> dict[str, Any]:
    """What is the same for all fills under these terms."""
    contract, predicted = terms.contract, terms.predicted_slippage
    return {
        "parent_id": terms.parent_id,
        "slice": terms.slice,
        "stage": terms.stage,
        "symbol": contract.symbol,
        "local_symbol": contract.local_symbol,
        "side": terms.side,
        "decision_mid": parent.plan.decision_mid,
        "arrival_mid": parent.arrival_mid,
        "order_mid": terms.order_mid,
        "predicted_slippage_bps": cost.in_bps(
            None if predicted is None else decimal_of(predicted), mid=parent.arrival_mid
        ),
        "predictor_version": terms.predictor_version,
        "currency": contract.currency,
    }


def against_arrival(
    prices: Sequence[str], *, lots: Wholes, terms: Sequence[Terms], arrivals: Sequence[Decimal | None], of_terms: Wholes
) -> dict[str, Reals]:
    """Prices of fills, and slippage against arrival in ticks, basis points and cash, as `hydra_nb.cost` has it of one.

    Parameters
    ----------
    prices, lots
        Of each fill; prices as text.
    terms, arrivals
        Terms of orders, and the mid at the arrival of their parents.
    of_terms
        Which of them is each fill's.

    Notes
    -----
    Prices are counted in units of their last decimal. These are whole numbers, so that differences are exact and
    each figure is rounded once, by its division, as long as the numbers stay below 2**53.
    """
    contracts = [one.contract for one in terms]
    known = [str(one) for one in arrivals if one is not None]
    scale = 10.0 ** _decimals({*prices, *known, *{str(contract.tick) for contract in contracts}})

    def per_fill(values: Iterable[float]) -> Reals:
        return np.array(list(values), dtype=np.float64)[of_terms]

    arrival = np.rint(per_fill(np.nan if one is None else float(one) for one in arrivals) * scale)
    tick = np.rint(per_fill(float(contract.tick) for contract in contracts) * scale)
    multiplier = per_fill(float(contract.multiplier) for contract in contracts)
    magnifier = per_fill(float(contract.price_magnifier) for contract in contracts)
    sign = per_fill(Side(one.side).sign for one in terms)
    price = np.array([float(one) for one in prices], dtype=np.float64)
    difference = sign * (np.rint(price * scale) - arrival) + 0.0  # zero without a sign
    with np.errstate(divide="ignore", invalid="ignore"):
        bps = np.where(arrival > 0, difference * 10_000 / arrival, np.nan)
    return {
        "price": price,
        "slippage_ticks": difference / tick,
        "slippage_bps": bps,
        "slippage_cash": difference * lots * multiplier / (scale * magnifier),
    }


def _decimals(texts: Iterable[str]) -> int:
    """Decimals that the longest of these numbers has; 0 without any."""
    return max((_decimals_of(text) for text in texts), default=0)


def _decimals_of(text: str) -> int:
    """Decimals of a number."""
    if "E" not in text:
        return len(text.partition(".")[2])
    exponent = Decimal(text).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
