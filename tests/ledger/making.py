"""A plan of two slices, its first order, and the events that may befall it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import (
    Action,
    ChildOrder,
    OrderState,
    ParentOrder,
    Stage,
    Strategy,
)
from hydra_nb.domain.plan import ExecutionPlan, Ladder, PlannedSlice
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger

T0 = 1_772_550_000 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
REF = "hy:J:P-0001:1:1"
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
LADDER = Ladder(mid_ns=300 * NS_PER_S, step_ns=150 * NS_PER_S, cross_ns=75 * NS_PER_S)
PLAN = ExecutionPlan(
    parent=ParentOrder(account="SIM1", contract=OATS, side=Side.BUY, lots=5, strategy=Strategy.TWAP),
    slices=tuple(
        PlannedSlice(number=n, lots=lots, offset_ns=0, earliest_ns=0, latest_ns=0, ladder=LADDER)
        for n, lots in ((1, 3), (2, 2))
    ),
    duration_ns=1200 * NS_PER_S,
    step=Decimal("0.001"),
    seed=1,
    participation=0.05,
    adv_lots=100.0,
    adv_source="bars",
    decision_mid=None,
    prediction=None,
    previewed_ns=T0,
)


def at(seconds: float) -> int:
    """Give a time so many seconds after the beginning."""
    return T0 + round(seconds * NS_PER_S)


CHILD = ChildOrder(
    order_ref=REF,
    order_id=101,
    parent_id="P-0001",
    slice=1,
    account="SIM1",
    contract=OATS,
    side=Side.BUY,
    lots=3,
    limit_price=Decimal("370.00"),
    expires_ns=at(310),
    stage=Stage.MID,
)
MODIFIED = replace(CHILD, limit_price=Decimal("370.25"), expires_ns=at(460), stage=Stage.STEP)


def submitted(parent_id: str = "P-0001", *, plan: ExecutionPlan = PLAN, seconds: float = 0) -> ev.ParentSubmitted:
    """Give the submission of a plan."""
    quote = Quote(con_id=101, time_ns=T0, bid=Decimal(369), ask=Decimal(371), bid_size=1, ask_size=1)
    return ev.ParentSubmitted(time_ns=at(seconds), parent_id=parent_id, plan=plan, quote=quote)


def reserved(child: ChildOrder = CHILD, *, action: Action = Action.PLACE) -> ev.ChildReserved:
    """Give the reservation of a place or modify."""
    return ev.ChildReserved(
        time_ns=at(0),
        action=action,
        child=child,
        client_id=1,
        content_hash=child.content_hash,
        quote=None,
        predicted_slippage=None,
        predictor_version=None,
    )


def sent(action: Action = Action.PLACE) -> ev.ChildSent:
    """Give the sending of a frame."""
    return ev.ChildSent(time_ns=at(1), order_ref=REF, action=action, content_hash="")


def failed(action: Action = Action.PLACE) -> ev.SendFailed:
    """Give a failure to send."""
    return ev.SendFailed(time_ns=at(1), order_ref=REF, action=action, reason="lost")


def status(word: str = "Submitted", *, perm_id: int = 7, seconds: float = 2, filled: int = 0) -> ev.OrderStatusReported:
    """Give an order status."""
    return ev.OrderStatusReported(
        time_ns=at(seconds),
        order_ref=REF,
        order_id=101,
        perm_id=perm_id,
        status=word,
        filled_lots=filled,
        remaining_lots=3 - filled,
    )


def shown(child: ChildOrder = CHILD) -> ev.OpenOrderReported:
    """Give an open order with the terms of `child`."""
    return ev.OpenOrderReported(
        time_ns=at(2),
        order_ref=REF,
        order_id=101,
        perm_id=7,
        status="Submitted",
        lots=child.lots,
        limit_price=child.limit_price,
        expires_ns=child.expires_ns,
    )


def execution(lots: int, *, family: str = "a", revision: int = 1, price: str = "370.00") -> ev.ExecutionReported:
    """Give one revision of an execution."""
    return ev.ExecutionReported(
        time_ns=at(3),
        order_ref=REF,
        order_id=101,
        perm_id=7,
        exec_id=f"{family}.{revision:02d}",
        family=family,
        revision=revision,
        con_id=101,
        side=Side.BUY,
        lots=lots,
        price=Decimal(price),
        executed_ns=at(3),
        quote=None,
    )


def probed(
    *, still_open: bool = False, lots: int = 0, seconds: float = 20, completed: int | None = None
) -> ev.DeathProbed:
    """Give the answers about an order's death."""
    return ev.DeathProbed(
        time_ns=at(seconds),
        order_ref=REF,
        still_open=still_open,
        executed_lots=lots,
        broker_ns=at(seconds),
        completed_lots=completed,
    )


CANCEL = ev.CancelRequested(time_ns=at(4), order_ref=REF, reason="the ladder ended")
TIMED_OUT = ev.AckTimedOut(time_ns=at(11), order_ref=REF)
ERROR = ev.BrokerErrorReported(time_ns=at(5), order_ref=REF, code=201, message="rejected")
GONE = probed(seconds=312)  # the expiry has passed


HISTORIES: dict[OrderState, Sequence[ev.Event]] = {
    OrderState.RESERVED: [],
    OrderState.SENT: [sent()],
    OrderState.WORKING: [sent(), status()],
    OrderState.CANCEL_PENDING: [sent(), status(), CANCEL],
    OrderState.UNKNOWN: [sent(), TIMED_OUT],
    OrderState.FILLED: [sent(), status(), execution(3, family="z")],
    OrderState.DEAD: [sent(), status(), status("Cancelled"), probed()],
}


def fold(events: Sequence[ev.Event]) -> Ledger:
    """Give a ledger of one parent, its first order reserved, and what came then."""
    ledger = Ledger()
    for event in [submitted(), reserved(), *events]:
        ledger.apply(event)
    return ledger
