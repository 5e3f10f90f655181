"""Draws a plan: routing, lots, starts and jitter, once, so that what runs is what was shown."""

import random
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.algos.routing import participation, route
from hydra_nb.algos.schedule import plan_slices
from hydra_nb.cost import predict
from hydra_nb.desk.arguments import How
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ParentOrder, Strategy
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side, seconds_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that a plan is drawn from."""

    account: str
    contract: FutureContract
    side: Side
    lots: int
    how: How
    statistics: MarketStatistics
    quote: Quote | None
    seed: int
    now_ns: int
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
    slices, duration_ns = plan_slices(
        sheet.lots,
        strategy=strategy,
        slices=how.slices,
        duration_ns=how.duration_ns,
        patience_ns=seconds_ns(how.patience),
        jitter=how.jitter,
        rng=random.Random(sheet.seed),  # noqa: S311  jitter hides nothing; it must replay from the plan's seed
    )
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
        decision_mid=None if sheet.quote is None else sheet.quote.mid,
        prediction=predict(
            sheet.quote,
            statistics=sheet.statistics,
            lots=sheet.lots,
            adv_lots=how.adv,
            calibration=sheet.calibration,
        ),
        previewed_ns=sheet.now_ns,
    )
