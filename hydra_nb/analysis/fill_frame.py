"""The frame of fills, column by column: what the terms of an order tell is told once for all their fills."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb import cost
from hydra_nb.analysis.columns import FILLS, Column, Kind, frame_of, make_frame
from hydra_nb.analysis.trading import Trading
from hydra_nb.analysis.trading_facts import UNKNOWN_NS, ParentFacts, Terms, decimals_of
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side

Reals = NDArray[np.float64]
Wholes = NDArray[np.int64]

_NS_PER_MS = 1_000_000
_OF_TERMS = (
    *("parent_id", "slice", "stage", "symbol", "local_symbol", "side", "decision_mid", "arrival_mid", "order_mid"),
    *("predicted_slippage_bps", "predicted_slippage", "predicted_slippage_ticks", "half_spread_ticks"),
    *("impact_scale_ticks", "predictor_version", "currency", "tick", "point_value"),
)
"""Columns that are the same for all fills under the same terms."""
_A_LOT = Column(name="predicted_cash", kind=Kind.REAL, unit="cash", meaning="Prediction of one lot")


def fills_frame(trading: Trading, places: Wholes) -> pd.DataFrame:
    """One row a fill, for the fills at these places among all of `trading`; their parents are known to it."""
    fills = trading.fills
    used, of_terms = np.unique(np.asarray(fills.terms)[places], return_inverse=True)
    terms = [trading.terms[one] for one in used.tolist()]
    parents = [trading.parents[one.parent_id] for one in terms]
    told = {one.parent_id: _parent_row(one) for one in {one.parent_id: one for one in parents}.values()}
    by_terms = make_frame(
        [*(one for one in FILLS if one.name in _OF_TERMS), _A_LOT],
        [{**told[one.parent_id], **_terms_row(one, parent=parent)} for one, parent in zip(terms, parents, strict=True)],
    )
    lots, prices = np.asarray(fills.lots)[places], np.asarray(fills.prices)[places]
    received_ns, sent_ns = np.asarray(fills.received_ns)[places], np.asarray(fills.sent_ns)[places]
    values: dict[str, Any] = {name: by_terms[name].array.take(of_terms) for name in _OF_TERMS}
    values |= {
        "time": np.asarray(fills.executed_ns)[places],
        "received_time": received_ns,
        "fill_id": [fills.families[place] for place in places.tolist()],
        "lots": lots,
        "price": prices,
        "bid": np.asarray(fills.bids)[places],
        "ask": np.asarray(fills.asks)[places],
        "commission": np.asarray(fills.fees)[places],
        "predicted_slippage_cash": by_terms[_A_LOT.name].to_numpy()[of_terms] * lots,
        "latency_ms": np.where(sent_ns == UNKNOWN_NS, np.nan, (received_ns - sent_ns) / _NS_PER_MS),
    }
    values |= slippage(
        prices,
        lots,
        decimals=fills.decimals,
        contracts=[one.contract for one in terms],
        sides=[Side(one.side) for one in terms],
        arrivals=[one.arrival_mid for one in parents],
        of_order=of_terms,
    )
    return frame_of(FILLS, values)


def _terms_row(terms: Terms, *, parent: ParentFacts) -> dict[str, Any]:
    """What is the same for all fills under these terms."""
    contract, predicted = terms.contract, terms.predicted_slippage
    return {
        "slice": terms.slice,
        "stage": terms.stage,
        "symbol": contract.symbol,
        "local_symbol": contract.local_symbol,
        "side": terms.side,
        "order_mid": terms.order_mid,
        "predicted_slippage_bps": cost.in_bps(predicted, mid=parent.arrival_mid),
        "predicted_slippage": predicted,
        "predicted_slippage_ticks": cost.in_ticks(predicted, contract=contract),
        _A_LOT.name: cost.in_cash(predicted, contract=contract, lots=1),
        "predictor_version": terms.predictor_version,
        "currency": contract.currency,
        "tick": contract.tick,
        "point_value": contract.point_value,
    }


def _parent_row(parent: ParentFacts) -> dict[str, Any]:
    """What is the same for all fills of a parent."""
    plan = parent.plan
    contract, prediction = plan.parent.contract, plan.prediction
    return {
        "parent_id": parent.parent_id,
        "decision_mid": plan.decision_mid,
        "arrival_mid": parent.arrival_mid,
        "half_spread_ticks": cost.in_ticks(None if prediction is None else prediction.half_spread, contract=contract),
        "impact_scale_ticks": cost.in_ticks(cost.impact_scale(plan), contract=contract),
    }


def slippage(
    prices: Reals,
    lots: Wholes,
    *,
    decimals: int,
    contracts: Sequence[FutureContract],
    sides: Sequence[Side],
    arrivals: Sequence[Decimal | None],
    of_order: Wholes,
) -> dict[str, Reals]:
    """Slippage of fills against arrival, in ticks, basis points and cash, as `hydra_nb.cost` has it of one.

    Parameters
    ----------
    prices, lots
        Of each fill.
    decimals
        No price has more.
    contracts, sides, arrivals
        Of each order, with the mid at the arrival of its parent.
    of_order
        Which order is each fill's.

    Notes
    -----
    Prices are counted in units of the last decimal that any of them has. These are whole numbers, so that differences
    are exact and each figure is rounded once, by its division, as long as the numbers stay below 2**53.
    """
    texts = {str(one) for one in arrivals if one is not None} | {str(contract.tick) for contract in contracts}
    scale = 10.0 ** max((decimals, *map(decimals_of, texts)))

    def of_each(values: Iterable[float]) -> Reals:
        return np.array(list(values), dtype=np.float64)[of_order]

    arrival = np.rint(of_each(np.nan if one is None else float(one) for one in arrivals) * scale)
    tick = np.rint(of_each(float(contract.tick) for contract in contracts) * scale)
    multiplier = of_each(float(contract.multiplier) for contract in contracts)
    magnifier = of_each(float(contract.price_magnifier) for contract in contracts)
    difference = of_each(side.sign for side in sides) * (np.rint(prices * scale) - arrival) + 0.0  # zero without a sign
    with np.errstate(divide="ignore", invalid="ignore"):
        bps = np.where(arrival > 0, difference * 10_000 / arrival, np.nan)
    return {
        "slippage_ticks": difference / tick,
        "slippage_bps": bps,
        "slippage_cash": difference * lots * multiplier / (scale * magnifier),
    }
