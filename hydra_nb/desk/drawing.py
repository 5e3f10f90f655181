"""Draws a plan: routing, lots, starts and jitter, once, so that what runs is what was shown."""

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.algos.routing import participation, route
from hydra_nb.algos.schedule import plan_slices
from hydra_nb.cost import predict
from hydra_nb.desk.arguments import How
from hydra_nb.desk.dividing import divided, risk_aversion, weighed
from hydra_nb.desk.starting import fitted_ns, start_ns
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ParentOrder, Strategy
from hydra_nb.domain.plan import ExecutionPlan, PlannedSlice
from hydra_nb.domain.units import Side, seconds_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that a plan is drawn from.

    `session_room_ns` is how long before its end a session takes no orders any more, `settles` the exchange's time of
    the settlement where a person told it.
    """

    account: str
    contract: FutureContract
    side: Side
    lots: int
    how: How
    statistics: MarketStatistics
    quote: Quote | None
    seed: int
    now_ns: int
    session_room_ns: int
    settles: dt.time | None = None
    calibration: SlippageCalibration | None = None


def draw_plan(sheet: Sheet) -> ExecutionPlan:
    """Draw every random number of a plan and freeze it.

    Raises
    ------
    DurationTooShort
        The slices do not fit into the duration.
    InvalidOrder
        A setting cannot be worked.
    """
    how = sheet.how
    adv_lots = how.adv if how.adv is not None else sheet.statistics.adv_lots
    forced = None if how.strategy == "auto" else Strategy(how.strategy)
    strategy = route(sheet.lots, adv_lots=adv_lots, forced=forced)
    contract = sheet.contract
    begins_ns = (
        None
        if how.start is None
        else start_ns(how.start, contract=contract, now_ns=sheet.now_ns, settles=sheet.settles)
    )
    slices, duration_ns = _slices(sheet, strategy=strategy, begins_ns=sheet.now_ns if begins_ns is None else begins_ns)
    mid = None if sheet.quote is None else sheet.quote.mid
    prediction = predict(
        sheet.quote,
        statistics=sheet.statistics,
        lots=sheet.lots,
        adv_lots=how.adv,
        calibration=sheet.calibration,
    )
    aversion, trajectory = risk_aversion(how, strategy=strategy), None
    if aversion is not None:
        trajectory = weighed(
            slices,
            duration_ns=duration_ns,
            aversion=aversion,
            contract=contract,
            prediction=prediction,
            mid=mid,
            adv_lots=adv_lots,
        )
        slices, duration_ns = divided(slices, duration_ns=duration_ns, terms=trajectory)
    parent = ParentOrder(
        account=sheet.account,
        contract=sheet.contract,
        side=sheet.side,
        lots=sheet.lots,
        strategy=strategy,
        limit=how.limit_price(sheet.contract),
        tag=how.tag,
        caller_adv_lots=how.adv,
    )
    return ExecutionPlan(
        parent=parent,
        slices=slices,
        duration_ns=duration_ns,
        step=Decimal(str(how.step)),
        seed=sheet.seed,
        participation=participation(sheet.lots, adv_lots=adv_lots),
        adv_lots=adv_lots,
        adv_source="caller" if how.adv is not None else sheet.statistics.source,
        decision_mid=mid,
        prediction=prediction,
        previewed_ns=sheet.now_ns,
        start_ns=begins_ns,
        trajectory=trajectory,
    )


def _slices(sheet: Sheet, *, strategy: Strategy, begins_ns: int) -> tuple[tuple[PlannedSlice, ...], int]:
    """Draw the slices, twice from the same seed where the session is shorter than they are to be."""

    def drawn(duration_ns: int | None) -> tuple[tuple[PlannedSlice, ...], int]:
        return plan_slices(
            sheet.lots,
            strategy=strategy,
            slices=how.slices,
            duration_ns=duration_ns,
            patience_ns=seconds_ns(how.patience),
            jitter=how.jitter,
            rng=random.Random(sheet.seed),  # noqa: S311  jitter hides nothing; it must replay from the plan's seed
        )

    how = sheet.how
    slices, asked_ns = drawn(how.duration_ns)
    fitting_ns = fitted_ns(
        asked_ns,
        begins_ns=begins_ns,
        contract=sheet.contract,
        overrun=how.at_close,
        room_ns=sheet.session_room_ns,
    )
    return (slices, asked_ns) if fitting_ns == asked_ns else drawn(fitting_ns)
