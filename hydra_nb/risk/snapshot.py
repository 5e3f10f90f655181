"""All that the gate may look at, taken in one step of the loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.market import ConnectionState, Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSnapshot:
    """The state of market, account and desk for one contract at one instant; None means unknown.

    Attributes
    ----------
    now_ns, host_ns
        Market time (UTC nanoseconds), and monotonic host time from which an approval's life is counted.
    quote
        Top of the book.
    reference_mid, reference_age_s
        The mid without our own orders where both sides show; else the last mid or settlement, with its age.
    position_lots
        The broker's position of the contract, signed, with executions that it does not show yet.
    working_buy_lots, working_sell_lots
        Worst-case working lots of the contract, everything reserved, without the order that is being checked.
    parent_open_lots
        Lots of the parent, less those that its other orders have booked or hold; what the child's total may
        be at most. For a parent, its lots.
    order_booked_lots
        Lots of the order that is being checked that are booked already; 0 but for a modify. They are in
        `position_lots` and `lots_today`, so that only the rest of the order is added to these.
    caller_limit
        The price that the caller never wants passed; None where none was given.
    equity, peak_equity, day_start_equity
        Account equity now, its highest, and at the start of the day, in `currency`.
    last_parent_pnl
        Realised P&L of the last parent that closed lots, in `currency`; None where none has yet.
    adv_lots, caller_adv_lots
        Average daily volume by the broker's bars, and by the caller.
    lots_today
        Lots of this contract that we have bought and sold, or have working, today (exchange day).
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
    """

    now_ns: int
    host_ns: int
    account: str
    currency: str
    quote: Quote | None
    reference_mid: Decimal | None
    reference_age_s: float | None
    position_lots: int | None
    working_buy_lots: int
    working_sell_lots: int
    parent_open_lots: int
    order_booked_lots: int
    caller_limit: Decimal | None
    equity: Decimal | None
    peak_equity: Decimal | None
    day_start_equity: Decimal | None
    last_parent_pnl: Decimal | None
    adv_lots: float | None
    adv_source: str
    caller_adv_lots: float | None
    lots_today: int
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
