"""A contract, plans as preview would draw them, and quotes with others on both sides."""

import datetime as dt
import random
from decimal import Decimal

from hydra_nb.algos.schedule import plan_slices
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentOrder, Strategy
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side

START_NS = 1_772_550_000 * NS_PER_S
PARENT_ID = "P-0001"
OATS = FutureContract(
    con_id=101,
    symbol="ZO",
    local_symbol="ZOK6",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    tick=Decimal("0.25"),
    multiplier=Decimal(5000),
    price_magnifier=100,
    contract_month="202605",
    last_trade_date=dt.date(2026, 5, 14),
    time_zone="America/Chicago",
)


def make_plan(
    lots: int = 13,
    *,
    strategy: Strategy = Strategy.TWAP,
    slices: int = 5,
    side: Side = Side.BUY,
    seed: int = 7,
    limit: Decimal | None = None,
    duration_s: int | None = None,
) -> ExecutionPlan:
    """Draw a plan as preview would."""
    planned, duration_ns = plan_slices(
        lots,
        strategy=strategy,
        slices=slices,
        duration_ns=None if duration_s is None else duration_s * NS_PER_S,
        patience_ns=300 * NS_PER_S,
        jitter=0.20,
        rng=random.Random(seed),  # noqa: S311  a schedule is no secret
    )
    return ExecutionPlan(
        parent=ParentOrder(account="SIM1234567", contract=OATS, side=side, lots=lots, strategy=strategy, limit=limit),
        slices=planned,
        duration_ns=duration_ns,
        step=Decimal("0.001"),
        seed=seed,
        participation=0.05,
        adv_lots=250.0,
        adv_source="bars",
        decision_mid=Decimal(370),
        prediction=None,
        previewed_ns=START_NS,
    )


def steady_quote(
    now_ns: int, *, bid: str = "368.25", ask: str = "371.75", bid_size: int = 50, ask_size: int = 50
) -> Quote:
    """Give a quote with others on both sides."""
    return Quote(
        con_id=OATS.con_id,
        time_ns=now_ns,
        bid=Decimal(bid),
        bid_size=bid_size,
        ask=Decimal(ask),
        ask_size=ask_size,
    )
