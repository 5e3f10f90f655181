"""Value objects that the exchange core and the wire session share.

The exchange speaks in these records, the session turns them into messages of the TWS protocol.
Prices are ``Decimal`` in the instrument's quoted unit (cents where the price magnifier is 100),
times are UTC nanoseconds, sizes are whole lots.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class SimSide(StrEnum):
    """Side of an order, in the wire's words."""

    BUY = "BUY"
    SELL = "SELL"


class TimeInForce(StrEnum):
    """How long an order stays in the book."""

    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"


class OrderStatus(StrEnum):
    """Order states of the wire that the exchange produces."""

    PRE_SUBMITTED = "PreSubmitted"  # accepted, held until the session opens
    SUBMITTED = "Submitted"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    INACTIVE = "Inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One listed futures month."""

    con_id: int
    symbol: str
    name: str
    exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    contract_month: str  # YYYYMM
    last_trade_date: dt.date
    min_tick: Decimal
    multiplier: str
    price_magnifier: int
    time_zone: str  # IANA
    market_rule_id: int

    @property
    def told_tick(self) -> Decimal:
        """The tick as the wire tells it: in the currency, where prices are in the quoted unit."""
        return self.min_tick / self.price_magnifier


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What a client asks for; the same key with other terms is a modify."""

    client_id: int
    order_id: int
    account: str
    con_id: int
    side: SimSide
    lots: int  # total, fills included
    limit_price: Decimal
    tif: TimeInForce
    good_till_ns: int | None  # for GTD
    order_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as the exchange knows it now."""

    terms: OrderTerms
    perm_id: int
    status: OrderStatus
    filled_lots: int
    average_price: Decimal | None
    last_fill_price: Decimal | None
    submitted_ns: int
    completed_ns: int | None

    @property
    def remaining_lots(self) -> int:
        """Lots neither filled nor given up; 0 once the order is done."""
        if self.status in (OrderStatus.FILLED, OrderStatus.CANCELLED):
            return 0
        return self.terms.lots - self.filled_lots


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill of one order."""

    exec_id: str  # "aaaa.bbbb.cccc.01"; the last component is the revision
    perm_id: int
    client_id: int
    order_id: int
    account: str
    con_id: int
    side: SimSide
    lots: int
    price: Decimal
    time_ns: int
    order_ref: str
    cumulative_lots: int
    average_price: Decimal
    maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """Fees of one execution, and the P&L it realised (None while it only opens)."""

    exec_id: str
    commission: Decimal
    currency: str
    realised_pnl: Decimal | None


class Top(NamedTuple):
    """Best bid and ask of one contract; None and 0 where a side is empty. A tuple, as many are made in a second."""

    con_id: int
    bid: Decimal | None
    bid_size: int
    ask: Decimal | None
    ask_size: int
    last: Decimal | None
    last_size: int
    volume: int  # of the session
    close: Decimal  # previous settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position with its cost as the wire counts it: price / magnifier x multiplier, per lot."""

    con_id: int
    lots: int  # signed
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBar:
    """One day of trading, simulated."""

    date: dt.date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    average: Decimal
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """An order was accepted, modified, partly filled, filled, cancelled or has expired."""

    order: OrderView
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """A place, modify or cancel was refused; ``code`` is IB's error code (201, 110, 103, 10147 ...)."""

    client_id: int
    order_id: int
    code: int
    message: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A fill of a client's order, with its commission."""

    execution: Execution
    commission: Commission
    time_ns: int


class TopChanged(NamedTuple):
    """The top of a watched book moved, or its sizes did."""

    top: Top
    time_ns: int


class Traded(NamedTuple):
    """A print on a watched contract."""

    con_id: int
    price: Decimal
    size: int
    volume: int
    time_ns: int


ExchangeEvent = OrderChanged | OrderRejected | Executed | TopChanged | Traded
