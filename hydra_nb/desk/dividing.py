"""Divides the lots of a schedule by Almgren and Chriss, with a market made of what is known of the contract."""

import math
import statistics
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.algos.almgren_chriss import divide, linear_impact, resized
from hydra_nb.algos.schedule import split_lots
from hydra_nb.analysis.frontier import frontier_frame
from hydra_nb.desk.arguments import ALMGREN_CHRISS, RISK_AVERSION, How, whole
from hydra_nb.desk.starting import trade_date
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import ExecutionPlan, PlannedSlice, Prediction
from hydra_nb.domain.trajectory import AlmgrenChriss
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder

MOST_POINTS = 1_000
Schedule = tuple[tuple[PlannedSlice, ...], int]
"""Slices, and the duration in nanoseconds."""


def risk_aversion(how: How, *, strategy: Strategy) -> float | None:
    """The risk aversion by which lots are to be divided; None where they are divided evenly, or not at all.

    Raises
    ------
    InvalidOrder
        One was given that nothing would go by.
    """
    if how.schedule != ALMGREN_CHRISS:
        if how.risk_aversion is not None:
            raise InvalidOrder(
                f"risk_aversion {how.risk_aversion!r} changes nothing in a schedule that is {how.schedule!r}; say "
                f"schedule={ALMGREN_CHRISS!r}, or leave it out"
            )
        return None
    if strategy is not Strategy.TWAP:
        return None
    return RISK_AVERSION if how.risk_aversion is None else float(how.risk_aversion)


def weighed(
    planned: Sequence[PlannedSlice],
    *,
    duration_ns: int,
    aversion: float,
    contract: FutureContract,
    prediction: Prediction | None,
    mid: Decimal | None,
    adv_lots: float | None,
) -> AlmgrenChriss:
    """By what the lots of even slices are to be divided.

    Raises
    ------
    InvalidOrder
        What it rests on is not known; the message says what, and the remedy.
    """
    day_s = trading_day_s(contract)
    lacks = _lacking(prediction, mid=mid, adv_lots=adv_lots, day_s=day_s)
    if lacks or prediction is None or mid is None or day_s is None or prediction.daily_volatility is None:
        raise InvalidOrder(
            f"what trading {contract.local_symbol} costs cannot be weighed against what waiting risks: {lacks}; "
            "schedule='even' asks for none of it"
        )
    horizon_s = duration_ns / NS_PER_S
    impact = linear_impact(
        prediction,
        deviation=prediction.daily_volatility * abs(float(mid)),
        contract=contract,
        lots=sum(one.lots for one in planned),
        slots=len(planned),
        horizon_days=horizon_s / day_s,
    )
    return AlmgrenChriss(risk_aversion=aversion, impact=impact, slots=len(planned), horizon_s=horizon_s, day_s=day_s)


def divided(planned: Sequence[PlannedSlice], *, duration_ns: int, terms: AlmgrenChriss) -> Schedule:
    """Even slices with the lots of the optimum, at the same times; empty ones at the end are left out."""
    sizes = divide(sum(one.lots for one in planned), terms=terms)
    return resized(planned, sizes=sizes, duration_ns=duration_ns)


def _lacking(
    prediction: Prediction | None, *, mid: Decimal | None, adv_lots: float | None, day_s: float | None
) -> str | None:
    """What is not known, or leaves nothing to weigh, and the remedy; None where all is there."""
    if mid is None:
        return "the book does not show both sides; preview again when it does"
    if adv_lots is None or not (math.isfinite(adv_lots) and adv_lots > 0):
        return "the average daily volume is not known; say adv="
    if prediction is None or prediction.daily_volatility is None:
        return "the daily volatility is not known; preview again when the broker tells daily bars"
    if day_s is None:
        return "the trading hours are not known; preview again when the broker lists sessions"
    if not (prediction.impact > 0 and prediction.daily_volatility > 0 and mid != 0):
        return "an impact or a volatility of zero is predicted; see desk.calibrations()"
    return None


def trading_day_s(contract: FutureContract) -> float | None:
    """Seconds for which a contract is open on a trade date, the median of those listed; None where none are."""
    zone = ZoneInfo(contract.time_zone)
    open_ns: dict[object, int] = {}
    for session in contract.sessions:
        day = trade_date(session, zone=zone)
        open_ns[day] = open_ns.get(day, 0) + session.close_ns - session.open_ns
    return statistics.median(open_ns.values()) / NS_PER_S if open_ns else None


def notices_of(terms: ExecutionPlan, *, how: How) -> tuple[str, ...]:
    """What a person should know of how the lots were divided."""
    if how.schedule != ALMGREN_CHRISS:
        return ()
    trajectory = terms.trajectory
    if trajectory is None:
        words = (
            f"The order is worked as one, with patience: schedule {ALMGREN_CHRISS!r} has no slices to divide it among."
        )
        return (f"{words} Say strategy='twap' to have them.",)
    sizes, lots = tuple(one.lots for one in terms.slices), terms.parent.lots
    words = (
        f"The lots are divided by Almgren and Chriss, with a risk aversion of {trajectory.risk_aversion:g} "
        f"per {terms.parent.contract.currency}"
    )
    if sizes == split_lots(lots, slices=trajectory.slots):
        words += ", which divides them evenly; plan.frontier() tells from which on it would not"
    elif len(sizes) < trajectory.slots:
        empty = trajectory.slots - len(sizes)
        words += f", which leaves none for the last {empty} of {trajectory.slots} slices"
    return (f"{words}.",)


def frontier_of(plan: ExecutionPlan, *, n: int) -> pd.DataFrame:
    """The efficient frontier of an order, with its own plan and even slices beside it.

    Raises
    ------
    InvalidOrder
        The plan has a single slice, or what the frontier rests on is not known.
    """
    points = whole(n, what="points of a frontier")
    if not 2 <= points <= MOST_POINTS:
        raise InvalidOrder(f"{n!r} points of a frontier are outside 2 to {MOST_POINTS:,}")
    terms = plan.trajectory
    slots = len(plan.slices) if terms is None else terms.slots
    if slots == 1:
        raise InvalidOrder("a single slice has no frontier: there is nothing to divide; take strategy='twap' and lots")
    if terms is None:
        terms = weighed(
            plan.slices,
            duration_ns=plan.duration_ns,
            aversion=0.0,
            contract=plan.parent.contract,
            prediction=plan.prediction,
            mid=plan.decision_mid,
            adv_lots=plan.adv_lots,
        )
    return frontier_frame(
        tuple(one.lots for one in plan.slices),
        terms=terms,
        currency=plan.parent.contract.currency,
        n=points,
    )
