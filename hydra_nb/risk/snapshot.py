"""All that the gate may look at, taken in one step of the loop."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.market import ConnectionState, Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the account holds and may come to hold beside the contract in question, worst case.

    Attributes
    ----------
    symbol_position_lots
        The position over all months of the symbol, signed, this contract's among them, as far toward the order's side
        as the broker's word or our fills allow; None where unknown.
    symbol_buy_lots, symbol_sell_lots
        Worst-case working lots over all months of the symbol, without the order that is being checked.
    others_notional
        Cash that the positions of all other contracts are worth, each in its worst case, in the account's currency;
        None where a rate of exchange or a price is not known.
    others_at_risk
        The same, each times its daily volatility.
    """

    symbol_position_lots: int | None
    symbol_buy_lots: int
    symbol_sell_lots: int
    others_notional: float | None
    others_at_risk: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTold:
    """The broker's answer to a what-if: initial margin of the account now, and its change, for so many lots."""

    lots: int
    before: float
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSnapshot:
    """The state of market, account and desk for one contract at one instant; None means unknown.

    Attributes
    ----------
    now_ns, host_ns
        Market time (UTC nanoseconds), and monotonic host time from which an approval's life is counted.
    exchange_rate
        What one unit of the contract's currency is worth in `currency`; None where the broker told no rate.
    quote
        Top of the book.
    reference_mid, reference_age_s
        The mid without our own orders where both sides show; else the last mid or settlement, with its age.
    position_lots
        The position of the contract, signed, by the broker's word or by our fills: the one that is further toward the
        order's side, as either may be ahead of the other.
    working_buy_lots, working_sell_lots
        Worst-case working lots of the contract, everything reserved, without the order that is being checked.
    parent_open_lots
        Lots of the parent, less those that its other orders have booked or hold; what the child's total may
        be at most. For a parent, its lots.
    order_booked_lots
        Lots of the order that is being checked that are booked already; 0 but for a modify. They are in
        `position_lots` and `lots_today`, so that only the rest of the order is added to these.
    modify_pending
        Whether a modify of the order that is being checked was sent, and not acknowledged yet.
    parent_messages
        Frames that the parent has sent; 0 for one that is not accepted yet.
    caller_limit
        The price that the caller never wants passed; None where none was given.
    arrival_mid
        The mid when the parent was accepted; None for a parent that is not yet, or where no mid was known then.
    equity, peak_equity, day_start_equity
        Account equity now, its highest, and at the start of the day, in `currency`.
    last_parent_pnl
        Realised P&L of the last parent that closed lots, in `currency`; None where none has yet.
    adv_lots, caller_adv_lots
        Average daily volume by the broker's bars, and by the caller.
    daily_volatility
        Standard deviation of the contract's daily log returns, a fraction.
    lots_today
        Lots of this contract that we have bought and sold, or have working, today (exchange day).
    notional_today
        Cash value of all that we have bought and sold, or have working, today in whatever contract, in `currency`.
    exposure
        Positions and working lots of the symbol's other months, and of all other contracts; None where the broker
        has not told its positions.
    margin
        The broker's answer to a what-if of a parent order; None where it did not answer, and for a child.
    usual_spread_ticks
        The spread that this contract showed for half of the last time; None before enough was seen.
    notice_date
        First notice day of the contract, where a person has told it.
    daily_limit
        Points by which the price may leave the settlement in one day, where a person has told it.
    active_orders
        Our orders of the contract and side that are not over, without the one that is being checked.
    opposite_price
        The best limit price of our own orders on the other side of the contract; None where there is none.
    parents_at_work
        Parent orders that are not over, without the one that is being checked.
    loop_lag_ms
        How late the event loop came to its last beat; None where it is not measured, as under virtual time.
    locked
        Why nothing may be sent in this contract; None where it is not locked.
    killed
        The reason of the kill that is in force.
    equal_parent
        Id of an equal parent order of the same day (account, contract, side, lots, strategy, tag).
    conduct
        How the desk has fared lately with gate, broker and fills.
    breakers
        Circuit breakers that are tripped and concern the contract, by name.
    begins_ns
        When a parent order that begins later begins, market time; None for any other, and for a child.
    """

    now_ns: int
    host_ns: int
    account: str
    currency: str
    exchange_rate: float | None
    quote: Quote | None
    reference_mid: Decimal | None
    reference_age_s: float | None
    position_lots: int | None
    working_buy_lots: int
    working_sell_lots: int
    parent_open_lots: int
    order_booked_lots: int
    modify_pending: bool
    parent_messages: int
    caller_limit: Decimal | None
    arrival_mid: Decimal | None
    equity: Decimal | None
    peak_equity: Decimal | None
    day_start_equity: Decimal | None
    last_parent_pnl: Decimal | None
    adv_lots: float | None
    adv_source: str
    caller_adv_lots: float | None
    daily_volatility: float | None
    lots_today: int
    notional_today: float | None
    exposure: Exposure | None
    margin: MarginTold | None
    usual_spread_ticks: float | None
    notice_date: dt.date | None
    daily_limit: Decimal | None
    active_orders: int
    opposite_price: Decimal | None
    parents_at_work: int
    loop_lag_ms: float | None
    connection: ConnectionState
    reconciled: bool
    locked: str | None
    killed: str | None
    journal_healthy: bool
    clock_skew_s: float | None
    messages_last_second: int
    equal_parent: str | None
    conduct: Conduct
    breakers: Mapping[str, BreakerTripped]
    begins_ns: int | None = None
