"""What a refit proposes, with before and after; it changes nothing until a person accepts it."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.analysis.slippage import fitting
from hydra_nb.analysis.slippage.evidence import LEAST_FILLS, LEAST_ORDERS
from hydra_nb.analysis.slippage.fitting import Constants, Sample
from hydra_nb.cost import IMPACT_K, PREDICTOR_VERSION
from hydra_nb.domain.calibration import MOST_K, MOST_SPREAD_FACTOR, SlippageCalibration
from hydra_nb.domain.units import NS_PER_S

_SHOWN = (
    "symbol n orders k_before k k_low k_high spread_factor_before spread_factor spread_factor_low spread_factor_high "
    "rmse_before rmse_held_out bias_before bias_held_out proposed reason"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Refit:
    """Constants that own fills speak for, symbol by symbol; `Desk.accept_calibration` puts them in force.

    Attributes
    ----------
    table
        One row a symbol, with before and after: the columns of ``refit`` in ``docs/columns.md``.
    calibrations
        What is proposed, by symbol.
    """

    table: pd.DataFrame
    calibrations: Mapping[str, SlippageCalibration]

    def __repr__(self) -> str:
        """Say what is proposed, in one line."""
        told = ", ".join(
            f"{one.symbol} k {one.k:.3g}, factor {one.spread_factor:.3g}" for one in self.calibrations.values()
        )
        return f"<Refit: {told or 'nothing to propose'}>"

    def _repr_html_(self) -> str:
        proposed = f"{len(self.calibrations)} of {len(self.table)} symbols"
        lead = f"<p>Proposed for {proposed}; ticks a lot, held out by parent order. Nothing is in force yet.</p>"
        shown = self.table[_SHOWN.split()]
        return lead + str(shown.to_html(index=False, float_format="{:.3g}".format, na_rep="–"))


def propose(
    sample: Sample, *, before: SlippageCalibration | None, level: float
) -> tuple[dict[str, Any], SlippageCalibration | None]:
    """Row of the table for one symbol, and what is proposed; None with the reason in the row where nothing is."""
    held = Constants(
        k=IMPACT_K if before is None else before.k, spread_factor=1.0 if before is None else before.spread_factor
    )
    row: dict[str, Any] = dict.fromkeys(_FIGURES) | {
        "symbol": sample.symbol,
        "n": sample.paid.size,
        "orders": sample.n_orders,
        "left_out": sample.left_out,
        "k_before": held.k,
        "spread_factor_before": held.spread_factor,
        "level": level,
        "proposed": False,
    }
    lacks = _lacks(sample)
    if lacks:
        return row | {"reason": lacks}, None
    kept_k = None if fitting.are_told_apart(sample) else held.k
    fitted = fitting.fit(sample, kept_k=kept_k)
    held_out = fitting.held_out(sample, kept_k=kept_k)
    calibration = _calibration(sample, fitted, kept_k=kept_k, held_out=held_out, level=level)
    row |= _constants(calibration) | _before_and_after(sample, fitted, held_out=held_out)
    words = [] if kept_k is None else [f"half spread and impact cannot be told apart: k stays at {kept_k:g}"]
    if row["rmse_held_out"] >= row["rmse_before"]:
        words.append("held out it is no better than before")
    too_much = _too_much(fitted)
    row |= {"proposed": not too_much, "reason": "; ".join([*too_much, *words])}
    return row, None if too_much else calibration


_FIGURES = (
    *("k", "k_low", "k_high", "spread_factor", "spread_factor_low", "spread_factor_high"),
    *(f"{figure}_{of}" for figure in ("bias", "rmse") for of in ("before", "in_sample", "held_out")),
    *("residual_low_ticks", "residual_high_ticks", "residual_level", "until", "version"),
)


def _lacks(sample: Sample) -> str:
    """What evidence is lacking for a proposal; empty where there is enough."""
    if sample.paid.size < LEAST_FILLS:
        return f"{sample.paid.size} fills; at least {LEAST_FILLS} are needed"
    if sample.n_orders < LEAST_ORDERS:
        return f"fills of {sample.n_orders} orders; of at least {LEAST_ORDERS} are needed"
    if not sample.half_spread.any():
        return "the half spread was 0 at every preview"
    return ""


def _too_much(fitted: Constants) -> list[str]:
    """Why constants are not to be believed."""
    words = []
    if fitted.k > MOST_K:
        words.append(f"k {fitted.k:.3g} is above {MOST_K:g}, which points to the data: not proposed")
    if fitted.spread_factor > MOST_SPREAD_FACTOR:
        words.append(f"spread factor {fitted.spread_factor:.3g} is above {MOST_SPREAD_FACTOR:g}: not proposed")
    return words


def _calibration(
    sample: Sample, fitted: Constants, *, kept_k: float | None, held_out: np.ndarray[Any, Any], level: float
) -> SlippageCalibration:
    of_factor, of_k = fitting.ranges(sample, fitted, kept_k=kept_k, level=level)
    around, residual_level = fitting.residual_range(sample.by_order(sample.paid - held_out), level=level)
    until_ns = int(sample.times_ns.max())
    content = f"{sample.symbol}|{fitted.k!r}|{fitted.spread_factor!r}|{sample.paid.size}|{sample.n_orders}|{until_ns}"
    date = dt.datetime.fromtimestamp(until_ns // NS_PER_S, tz=dt.UTC)
    return SlippageCalibration(
        symbol=sample.symbol,
        k=fitted.k,
        k_low=None if of_k is None else of_k.low,
        k_high=None if of_k is None else of_k.high,
        spread_factor=fitted.spread_factor,
        spread_factor_low=of_factor.low,
        spread_factor_high=of_factor.high,
        level=level,
        n_fills=int(sample.paid.size),
        n_orders=sample.n_orders,
        residual_low_ticks=around.low,
        residual_high_ticks=around.high,
        residual_level=residual_level,
        calibrated_ns=until_ns,
        version=f"{PREDICTOR_VERSION}.fit-{date:%Y%m%d}-{hashlib.sha256(content.encode()).hexdigest()[:6]}",
    )


def _constants(calibration: SlippageCalibration) -> dict[str, Any]:
    names = (
        "k k_low k_high spread_factor spread_factor_low spread_factor_high residual_low_ticks residual_high_ticks "
        "residual_level version"
    )
    return {name: getattr(calibration, name) for name in names.split()} | {"until": calibration.calibrated_ns}


def _before_and_after(sample: Sample, fitted: Constants, *, held_out: np.ndarray[Any, Any]) -> dict[str, float]:
    """Bias and RMSE over lots: of the predictions stored, of the fit on its own fills, and of fills held out of it."""
    predictions = {"before": sample.predicted, "in_sample": fitted.predict(sample), "held_out": held_out}
    figures = {}
    for of, predicted in predictions.items():
        errors = sample.paid - predicted
        figures[f"bias_{of}"] = sample.mean(errors)
        figures[f"rmse_{of}"] = float(np.sqrt(sample.mean(errors**2)))
    return figures
