"""Orders, snapshots and cases that pass every check, to be changed by one thing a test."""

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder, Stage, Strategy
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.case import Case
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import Exposure, MarginTold, RiskSnapshot

NOW_NS = 1_772_550_000 * NS_PER_S
HOST_NS = 5_000 * NS_PER_S
OPENS_NS = NOW_NS + 20 * 3_600 * NS_PER_S

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
    sessions=(
        Session(open_ns=NOW_NS - 3_600 * NS_PER_S, close_ns=NOW_NS + 3_600 * NS_PER_S),
        Session(open_ns=OPENS_NS, close_ns=OPENS_NS + 3_600 * NS_PER_S),
    ),
)
"""One point is 50 USD and one tick 12.50 USD, so that a lot at 370 is worth 18,500 USD."""

QUOTE = Quote(
    con_id=101,
    time_ns=NOW_NS - NS_PER_S,
    bid=Decimal("368.25"),
    bid_size=2,
    ask=Decimal("371.75"),
    ask_size=3,
)

EXPOSURE = Exposure(
    symbol_position_lots=0, symbol_buy_lots=0, symbol_sell_lots=0, others_notional=0.0, others_at_risk=0.0
)

SNAPSHOT = RiskSnapshot(
    now_ns=NOW_NS,
    host_ns=HOST_NS,
    account="SIM1234567",
    currency="USD",
    exchange_rate=1.0,
    quote=QUOTE,
    reference_mid=Decimal(370),
    reference_age_s=1.0,
    position_lots=0,
    working_buy_lots=0,
    working_sell_lots=0,
    parent_open_lots=13,
    order_booked_lots=0,
    modify_pending=False,
    parent_messages=0,
    caller_limit=None,
    arrival_mid=Decimal(370),
    equity=Decimal(1_000_000),
    peak_equity=Decimal(1_000_000),
    day_start_equity=Decimal(1_000_000),
    last_parent_pnl=None,
    adv_lots=420.0,
    adv_source="bars",
    caller_adv_lots=None,
    daily_volatility=0.02,
    lots_today=0,
    notional_today=0.0,
    exposure=EXPOSURE,
    margin=MarginTold(lots=13, before=10_000.0, change=19_240.0),
    usual_spread_ticks=14.0,
    notice_date=None,
    daily_limit=None,
    active_orders=0,
    opposite_price=None,
    parents_at_work=0,
    loop_lag_ms=None,
    connection=ConnectionState.UP,
    reconciled=True,
    locked=None,
    killed=None,
    journal_healthy=True,
    clock_skew_s=0.0,
    messages_last_second=0,
    equal_parent=None,
    conduct=Conduct(),
    breakers={},
)


def make_snapshot(**changes: Any) -> RiskSnapshot:
    """Snapshot that lets 13 oats pass, but for `changes`."""
    return dataclasses.replace(SNAPSHOT, **changes)


def make_quote(**changes: Any) -> Quote:
    """Quote of 368.25 bid and 371.75 offered, one second old, but for `changes`."""
    return dataclasses.replace(QUOTE, **changes)


def make_child(**changes: Any) -> ChildOrder:
    """Child that buys 3 oats at the mid, but for `changes`."""
    terms: dict[str, Any] = {
        "order_ref": "hy:j1:P-0001:1:1",
        "order_id": 11,
        "parent_id": "P-0001",
        "slice": 1,
        "account": "SIM1234567",
        "contract": OATS,
        "side": Side.BUY,
        "lots": 3,
        "limit_price": Decimal(370),
        "expires_ns": NOW_NS + 310 * NS_PER_S,
        "stage": Stage.MID,
    }
    return ChildOrder(**(terms | changes))


def make_parent(**changes: Any) -> ParentOrder:
    """Parent that buys 13 oats, but for `changes`."""
    terms: dict[str, Any] = {
        "account": "SIM1234567",
        "contract": OATS,
        "side": Side.BUY,
        "lots": 13,
        "strategy": Strategy.TWAP,
    }
    return ParentOrder(**(terms | changes))


def make_case(*, limits: Limits | None = None, snapshot: RiskSnapshot | None = None, **changes: Any) -> Case:
    """Case of a child that buys 3 oats at the mid; `changes` are of the case itself, so they need be no order."""
    case = Case.of_child(make_child(), action=Action.PLACE, snapshot=snapshot or SNAPSHOT, limits=limits or Limits())
    return dataclasses.replace(case, **changes)
