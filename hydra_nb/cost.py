"""Predicted slippage, and what orders are expected to cost. Pure arithmetic.

The prediction is a stated formula with an assumed constant, until a person accepts what own fills speak for
(`SlippageCalibration`): half the spread, plus an impact that grows with the square root of the share of daily volume,
the form that Tóth et al., "Anomalous price impact and the critical nature of liquidity in financial markets" (2011),
report for large orders. Thin futures may differ.
"""

import datetime as dt
import math
from dataclasses import dataclass, replace
from decimal import Decimal

from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.plan import ExecutionPlan, Prediction
from hydra_nb.domain.rehearsed_cost import RehearsedCost
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import invariant

PREDICTOR_VERSION = "sqrt-1"
"""Formula and constant of `predict`; changes whenever either does."""

REHEARSAL_VERSION = "rehearsal-1"
"""Of a prediction that a person took from a rehearsal; changes whenever what is taken of it does."""

IMPACT_K = 0.1
"""Impact, in daily volatilities, of trading a whole day's volume. Assumed; own fills are to replace it."""

COMMISSION_PER_LOT = Decimal("2.52")
"""Commission and exchange fees a lot and side, in the contract's currency.

Assumed for the estimate before trading; broker and exchange decide, and the fills hold what was charged.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostInterval:
    """Interval of the slippage around its prediction, in ticks, and the evidence it rests on.

    NaN without evidence: a formula with an assumed constant has no interval of its own, and none is made up.
    """

    low_ticks: float
    high_ticks: float
    level: float
    n_evidence: int
    note: str


NO_EVIDENCE = CostInterval(
    low_ticks=math.nan, high_ticks=math.nan, level=math.nan, n_evidence=0, note="Not enough own fills"
)
"""The interval as long as no own fills are counted."""


def predict(
    quote: Quote | None,
    *,
    statistics: MarketStatistics | None,
    lots: int,
    adv_lots: float | None = None,
    calibration: SlippageCalibration | None = None,
) -> Prediction | None:
    """Predict slippage a lot against the mid: half the spread, times a factor, and impact.

    The impact is k · daily volatility · |mid| · sqrt(lots / ADV).

    Parameters
    ----------
    quote
        Top of the book; both sides must show.
    statistics
        Daily volatility (a fraction) and average daily volume of the contract.
    lots
        Lots of the order.
    adv_lots
        Average daily volume to use in place of the statistics' own, such as the caller's.
    calibration
        Factor of the spread and k, as fitted to own fills; None is a factor of 1 and `IMPACT_K`.

    Returns
    -------
    Prediction or None
        In price units, positive is a cost. None where spread, volatility or volume is not known: half a
        formula would be taken for the whole.

    Raises
    ------
    InvariantBroken
        `lots` is not positive.
    """
    invariant(lots > 0, f"a prediction for {lots} lots")
    mid = None if quote is None else quote.mid
    adv = adv_lots if adv_lots is not None or statistics is None else statistics.adv_lots
    volatility = None if statistics is None else statistics.daily_volatility
    if quote is None or quote.bid is None or quote.ask is None or mid is None or adv is None or volatility is None:
        return None
    if not (math.isfinite(adv) and adv > 0 and math.isfinite(volatility) and volatility >= 0):
        return None
    half_spread = (quote.ask - quote.bid) / 2
    assumed = _impact(IMPACT_K, mid=mid, daily_volatility=volatility, lots=lots, adv_lots=adv)
    if calibration is None:
        impact, slippage = assumed, half_spread + assumed
    else:
        impact = _impact(calibration.k, mid=mid, daily_volatility=volatility, lots=lots, adv_lots=adv)
        slippage = Decimal(repr(calibration.spread_factor)) * half_spread + impact
    return Prediction(
        slippage=slippage,
        half_spread=half_spread,
        impact=impact,
        daily_volatility=volatility,
        adv_lots=adv,
        version=PREDICTOR_VERSION if calibration is None else calibration.version,
        calibration=calibration,
        assumed_slippage=None if calibration is None else half_spread + assumed,
    )


def rehearsed(
    prediction: Prediction, *, mean_ticks: float, cost: RehearsedCost, contract: FutureContract
) -> Prediction:
    """A prediction with the evidence of a rehearsal: its mean a lot, against which fills will be held.

    What the formula says with its assumed constants stays beside it, for the breaker of slippage.

    Parameters
    ----------
    mean_ticks
        Mean over the paths of what a filled lot cost, in ticks.
    cost
        Where that comes from.
    """
    assumed = prediction.formula_slippage if prediction.assumed_slippage is None else prediction.assumed_slippage
    return replace(
        prediction,
        slippage=Decimal(repr(mean_ticks)) * contract.tick,
        version=REHEARSAL_VERSION,
        assumed_slippage=assumed,
        rehearsed=cost,
    )


def _impact(k: float, *, mid: Decimal, daily_volatility: float, lots: int, adv_lots: float) -> Decimal:
    return Decimal(repr(k * daily_volatility * math.sqrt(lots / adv_lots))) * abs(mid)


def impact_scale(plan: ExecutionPlan) -> Decimal | None:
    """What k is multiplied with in the prediction of a plan, in price units; None where there was no prediction."""
    prediction, mid = plan.prediction, plan.decision_mid
    if prediction is None or mid is None or prediction.daily_volatility is None or not prediction.adv_lots:
        return None
    return _impact(
        1.0,
        mid=mid,
        daily_volatility=prediction.daily_volatility,
        lots=plan.parent.lots,
        adv_lots=prediction.adv_lots,
    )


def interval_of(prediction: Prediction | None, *, contract: FutureContract) -> CostInterval:
    """The interval of a prediction and its evidence: of the rehearsal or the calibration that it was taken from."""
    evidence = None if prediction is None else prediction.rehearsed
    if evidence is not None:
        return CostInterval(
            low_ticks=evidence.low_ticks,
            high_ticks=evidence.high_ticks,
            level=evidence.level,
            n_evidence=evidence.known_paths,
            note=evidence.source,
        )
    calibration = None if prediction is None else prediction.calibration
    if prediction is None or calibration is None:
        return NO_EVIDENCE
    point = in_ticks(prediction.slippage, contract=contract)
    date = dt.datetime.fromtimestamp(calibration.calibrated_ns // NS_PER_S, tz=dt.UTC).date()
    return CostInterval(
        low_ticks=point + calibration.residual_low_ticks,
        high_ticks=point + calibration.residual_high_ticks,
        level=calibration.residual_level,
        n_evidence=calibration.n_fills,
        note=f"own fills of {calibration.n_orders} orders, calibrated {date.isoformat()}",
    )


def cross_now(quote: Quote | None) -> Decimal | None:
    """Half the spread: what the first lots cost against the mid, in price units, if the spread is crossed now."""
    if quote is None or quote.mid is None or quote.bid is None or quote.ask is None:
        return None
    return (quote.ask - quote.bid) / 2


def in_ticks(price_difference: Decimal | None, *, contract: FutureContract) -> float:
    """A price difference in ticks of the contract; NaN where it is not known."""
    return math.nan if price_difference is None else float(price_difference / contract.tick)


def in_bps(price_difference: Decimal | None, *, mid: Decimal | None) -> float:
    """A price difference in basis points of `mid`; NaN where either is not known or `mid` is not positive."""
    if price_difference is None or mid is None or mid <= 0:
        return math.nan
    return float(price_difference / mid * 10_000)


def in_cash(price_difference: Decimal | None, *, contract: FutureContract, lots: int) -> float:
    """Cash of a price difference over `lots`, in the contract's currency; NaN where it is not known."""
    return math.nan if price_difference is None else float(contract.cash(price_difference, lots=lots))


def estimated_commission(lots: int) -> Decimal:
    """Commission and fees that `lots` are expected to cost, by the assumption of `COMMISSION_PER_LOT`."""
    return COMMISSION_PER_LOT * lots
