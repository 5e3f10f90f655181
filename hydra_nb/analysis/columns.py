"""Columns of frames: name, dtype, unit and meaning, in order; and how rows become such a frame."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

Values = list[Any] | np.ndarray | ExtensionArray


class Kind(StrEnum):
    """Dtypes of columns."""

    TIME = "datetime64[ns, UTC]"
    LOTS = "Int64"
    TEXT = "str"
    REAL = "float64"
    FLAG = "bool"
    MAYBE = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a frame."""

    name: str
    kind: Kind
    unit: str
    meaning: str


def make_frame(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Frame of rows, with these columns and dtypes however many rows there are.

    Parameters
    ----------
    columns
        The columns, in order.
    rows
        A value a column by name: times as UTC nanoseconds, numbers of any kind, None where unknown.

    Raises
    ------
    KeyError
        A row lacks a column.
    """
    listed = list(rows)
    return frame_of(columns, {one.name: [row[one.name] for row in listed] for one in columns})


def frame_of(columns: Sequence[Column], values: Mapping[str, Values]) -> pd.DataFrame:
    """Frame of columns, with these dtypes however many values there are.

    Parameters
    ----------
    columns
        The columns, in order.
    values
        Values of each by name, as many of each: a list, as `make_frame` takes them from rows, or what is in the form of
        the dtype already: whole nanoseconds, with numpy's NaT for unknown, whole lots, floats, an array of pandas.

    Raises
    ------
    KeyError
        A column lacks.
    """
    return pd.DataFrame({one.name: _series(one.kind, values[one.name]) for one in columns})


def _series(kind: Kind, values: Values) -> pd.Series:
    """Values as a column; None becomes what the dtype has for unknown."""
    if isinstance(values, ExtensionArray):
        return pd.Series(values)
    if kind is Kind.TIME:
        known = values if isinstance(values, np.ndarray) else [pd.NaT.value if one is None else one for one in values]
        stamps = np.array(known, dtype=np.int64)
        return pd.Series(pd.DatetimeIndex(stamps.view("datetime64[ns]")).tz_localize("UTC"))
    if kind is Kind.LOTS:
        return pd.Series(pd.array(values, dtype="Int64"))
    if kind is Kind.TEXT:
        return pd.Series([None if value is None else str(value) for value in values], dtype="str")
    if kind is Kind.REAL:
        known = values if isinstance(values, np.ndarray) else [np.nan if one is None else float(one) for one in values]
        return pd.Series(np.array(known, dtype=np.float64))
    if kind is Kind.MAYBE:
        return pd.Series(pd.array(values, dtype="boolean"))
    return pd.Series(np.array(values, dtype=np.bool_))


def columns_of(table: str) -> tuple[Column, ...]:
    """Columns from lines of name, kind, unit and meaning, parted by bars."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return tuple(Column(name=name, kind=Kind[kind], unit=unit, meaning=meaning) for name, kind, unit, meaning in rows)


SCHEDULE = columns_of("""
slice         | LOTS |       | Number of the slice, from 1
start         | TIME |       | When it starts, as drawn; of a submitted order shifted by its pauses
earliest      | TIME |       | Earliest start that jitter allowed
latest        | TIME |       | Latest start that jitter allowed
lots          | LOTS | lots  | Planned lots, without carried ones
cumulative_lots | LOTS | lots | Planned lots up to and with this slice
limit_mid     | REAL | price | Limit of the first stage: indicative before it is gated, then as gated
limit_step    | REAL | price | Limit of the second stage, likewise
limit_cross   | REAL | price | Limit of the third stage, likewise
wait_mid_s    | REAL | s     | Length of the first stage
wait_step_s   | REAL | s     | Length of the second stage
wait_cross_s  | REAL | s     | Length of the third stage
participation | REAL | 1     | Planned lots of the slice over average daily volume
""")

SLICES = (
    *SCHEDULE,
    *columns_of("""
parent_id     | TEXT |       | Id of the parent order
sent          | TIME |       | When its first order was handed to the socket
done          | TIME |       | When it was over
filled_lots   | LOTS | lots  | Lots booked, carried ones among them
carried_lots  | LOTS | lots  | Unfilled lots that it gave to later slices
average_price | REAL | price | Average of its fills
stage         | TEXT |       | Stage last gated: mid, step, cross
expires       | TIME |       | Expiry of its order, last gated
messages      | LOTS |       | Order messages sent: places, modifies and cancels
reason        | TEXT |       | Why it ended as it did, in words
status        | TEXT |       | planned, working, filled, partial, missed, refused, cancelled, unknown
"""),
)

DECISIONS = columns_of("""
time       | TIME |         | When the gate decided
parent_id  | TEXT |         | Id of the parent order; missing in a plan
slice      | LOTS |         | Number of the slice; NA on a parent's
action     | TEXT |         | parent, place, modify
check      | TEXT |         | Name of the check
allowed    | FLAG |         | Whether the check let it pass
observed   | REAL | in unit | What the check looked at
limit      | REAL | in unit | What it may be
unit       | TEXT |         | Unit of observed and limit
message    | TEXT |         | The decision in words
source     | TEXT |         | Where the limit or the figure comes from
would_pass | REAL |         | Largest lots, or nearest price, that this check would allow; NaN where there is none
""")

FILLS = columns_of("""
time          | TIME |       | The broker's time of the execution, to the second; latest correction
received_time | TIME |       | When its first report reached us
fill_id       | TEXT |       | Execution id without its last component, the same through all corrections
parent_id     | TEXT |       | Id of the parent order
slice         | LOTS |       | Number of the slice
stage         | TEXT |       | Stage of the order when it filled: mid, step, cross
symbol        | TEXT |       | Symbol of the future
local_symbol  | TEXT |       | Its month, as the exchange writes it
side          | TEXT |       | BUY, SELL
lots          | LOTS | lots  | Lots, latest correction; busts have no row
price         | REAL | price | Price, latest correction
decision_mid  | REAL | price | Mid at preview
arrival_mid   | REAL | price | Mid when the parent was accepted
order_mid     | REAL | price | Mid when the order, or its last modify before the fill, was gated and sent
bid           | REAL | price | Bid at received_time
ask           | REAL | price | Ask at received_time
slippage_ticks | REAL | ticks | Against arrival, a lot; positive is a cost
slippage_bps  | REAL | bps   | Against arrival; positive is a cost; NaN where arrival is not positive
slippage_cash | REAL | cash  | Against arrival, all lots: difference / magnifier × multiplier × lots
predicted_slippage_bps | REAL | bps | Prediction stored with the order, over arrival
predicted_slippage | REAL | price | The same, a lot
predicted_slippage_ticks | REAL | ticks | The same, a lot
predicted_slippage_cash | REAL | cash | The same, all lots
half_spread_ticks | REAL | ticks | Half the spread at preview, that the prediction counts with
impact_scale_ticks | REAL | ticks | What k is multiplied with in it: daily volatility × mid × sqrt(lots / ADV)
predictor_version | TEXT |   | Version of the predictor
commission    | REAL | cash  | Commission and fees; NaN until reported
currency      | TEXT |       | Currency of the contract
tick          | REAL | price | Smallest price step of the contract
point_value   | REAL | cash  | Cash of one lot and one point of price: multiplier / magnifier
latency_ms    | REAL | ms    | From the sending of the order to received_time
""")

EXECUTIONS = columns_of("""
parent_id      | TEXT |       | Id of the parent order
submitted      | TIME |       | When the plan was handed over
finished       | TIME |       | When it was over
symbol         | TEXT |       | Symbol of the future
local_symbol   | TEXT |       | Its month, as the exchange writes it
side           | TEXT |       | BUY, SELL
lots           | LOTS | lots  | Lots of the parent
filled_lots    | LOTS | lots  | Lots booked
shortfall_lots | LOTS | lots  | Lots that were not filled; 0 while the parent runs
strategy       | TEXT |       | limit_patience, twap
status    | TEXT | | scheduled, working, paused, filled, partial, refused, cancelled, interrupted, needs_human
average_price  | REAL | price | Average of the fills
decision_mid   | REAL | price | Mid at preview
arrival_mid    | REAL | price | Mid when the parent was accepted
slippage_bps   | REAL | bps   | Average price against arrival; positive is a cost; NaN where arrival is not positive
slippage_cash  | REAL | cash  | Of all fills, against arrival; positive is a cost
commission     | REAL | cash  | Commission and fees reported so far
currency       | TEXT |       | Currency of the contract
tag            | TEXT |       | The caller's words
plan_id        | TEXT |       | Hash of the plan
began          | TIME |       | When submitted; of one that begins later when its start had come, NaT before
""")

ORDERS = columns_of("""
order_ref    | TEXT |       | Our name of the order, at the broker too
parent_id    | TEXT |       | Id of the parent order
slice        | LOTS |       | Number of the slice
order_id     | LOTS |       | Order id at the broker, within our client id
perm_id      | LOTS |       | The broker's permanent id; the latest, where there are several
local_symbol | TEXT |       | Month of the future
side         | TEXT |       | BUY, SELL
lots         | LOTS | lots  | Total of the order, fills included
filled_lots  | LOTS | lots  | Lots booked
working_lots | LOTS | lots  | Lots that can still fill in the worst case
limit_price  | REAL | price | Limit last gated
expires      | TIME |       | The later of the acknowledged and the pending expiry
state        | TEXT |       | reserved, sent, working, cancel_pending, unknown, filled, dead
""")

POSITIONS = columns_of("""
account      | TEXT |       | Account, masked
symbol       | TEXT |       | Symbol of the future
local_symbol | TEXT |       | Its month, as the exchange writes it
position     | LOTS | lots  | The broker's last report, signed; our own fills where it told none
working_buy  | LOTS | lots  | Own lots that can still be bought in the worst case
working_sell | LOTS | lots  | Own lots that can still be sold in the worst case
worst_long   | LOTS | lots  | Position if all working buys fill
worst_short  | LOTS | lots  | Position if all working sells fill
average_cost | REAL | cash  | Average cost of a lot, multiplier included, as the broker reports it
mid          | REAL | price | Mid now
value        | REAL | cash  | Position at mid, signed; NaN for a contract that the journal does not know
currency     | TEXT |       | Currency of the contract
days_to_close_out | LOTS | days | Days until a first notice that a person told, else the last trade; NA where unknown
""")

QUOTES = columns_of("""
time         | TIME |       | When the last tick arrived
local_symbol | TEXT |       | Month of the future
bid          | REAL | price | Best bid; NaN where the side is empty
bid_size     | REAL | lots  | Lots at the bid
ask          | REAL | price | Best ask
ask_size     | REAL | lots  | Lots at the ask
last         | REAL | price | Last trade
last_size    | REAL | lots  | Lots of the last trade
volume       | REAL | lots  | Volume of the day
""")

RECONCILE = columns_of("""
time         | TIME |      | When ledger and broker were compared
kind | TEXT | | order, stray_order, stray_fill, untold_fill, overfill, position, foreign_order, commission, cash
local_symbol | TEXT |      | Month of the future
order_ref    | TEXT |      | Our name of the order
ours         | REAL | lots | By our ledger; of kind commission a count of executions, of kind cash an amount of cash
brokers      | REAL | lots | By the broker, likewise; of kind commission those whose fees it told
resolved     | FLAG |      | Whether nothing is left to be done about it
message      | TEXT |      | In words
""")

INSTRUMENTS = columns_of("""
local_symbol    | TEXT |        | Month of the future, as the exchange writes it
symbol          | TEXT |        | Symbol of the future
name            | TEXT |        | Its name in words
exchange        | TEXT |        | Exchange
currency        | TEXT |        | Currency of its cash
tick            | REAL | price  | Smallest price step, in the quoted unit
multiplier      | REAL |        | Units of the commodity a lot
price_magnifier | LOTS |        | Quoted units in one of the currency: 100 where prices are in cents
tick_value      | REAL | cash   | Cash of one tick a lot
time_zone       | TEXT |        | IANA name of the exchange's zone
""")

LIMITS = columns_of("""
symbol  | TEXT |         | Symbol that has it of its own; * for all that have none
limit   | TEXT |         | Name of the limit
value   | REAL | in unit | What it is
unit    | TEXT |         | Unit of value and default; cash is in the account's currency
default | REAL | in unit | What it is for all where nobody says otherwise
tighter | TEXT |         | Direction in which less is allowed: lower, higher
changed | TIME |         | When it was last changed; NaT where it never was, since the first desk of the journal
""")

AUDIT = columns_of("""
seq         | LOTS  |         | Number of the event's row in the journal; of a check, that of the event that came of it
decision    | LOTS  |         | Number of a check's row among the decisions; NA on events
time        | TIME  |         | Market time of the row
local_time  | TEXT  |         | The same in the exchange's zone, to the microsecond, with its distance from UTC
clock_low_s | REAL  | s       | Seconds that the broker's clock was ahead of ours at the least, as last measured
clock_high_s | REAL | s       | The same at the most
kind        | TEXT  |         | Class of the event; Decision for a check
about       | TEXT  |         | parent; desk where it concerned all; before where it stood when the parent began
slice       | LOTS  |         | Number of the slice; NA where it is about none
order_ref   | TEXT  |         | Our name of the order, at the broker too
action      | TEXT  |         | parent, place, modify
check       | TEXT  |         | Name of the check
allowed     | MAYBE |         | Whether the check let it pass; NA on events
observed    | REAL  | in unit | What the check looked at
limit       | REAL  | in unit | What it may be
unit        | TEXT  |         | Unit of observed, limit and would_pass
source      | TEXT  |         | Where the limit or the figure comes from
would_pass  | REAL  | in unit | Largest lots, or nearest price, that this check would allow; NaN where there is none
words       | TEXT  |         | What happened
facts       | TEXT  |         | All fields of the event as JSON, the account masked; missing on checks
hash        | TEXT  |         | The event's link in the chain of hashes; missing on checks
""")

BREAKERS = columns_of("""
breaker      | TEXT |         | Name of the breaker, and of its check
state        | TEXT |         | closed, tripped, rearmed
observed     | REAL | in unit | What it reads now; of positions the largest, if all that works and is planned fills
limit        | REAL | in unit | What it may read
unit         | TEXT |         | Unit of observed and limit
since        | TIME |         | When it tripped, or was re-armed; NaT where it never tripped
reason       | TEXT |         | Why it tripped, or the words of who re-armed it
rearmed      | TIME |         | When it was last re-armed
local_symbol | TEXT |         | Month of the future, where a breaker of the position tripped
""")

ALERTS = columns_of("""
time            | TIME | | When it was raised
cleared         | TIME | | When it was over; NaT while it stands
kind | TEXT | | What the matter was, as [listed](post-trade.md#alerts)
severity        | TEXT | | warning, critical
local_symbol    | TEXT | | Month of the future; empty where it is about none
parent_id       | TEXT | | Id of the parent order; missing where it is about none, or several
message         | TEXT | | Fact, limit and remedy in words
""")

WOULD_PASS = columns_of("""
lots  | LOTS | lots  | Largest lots that all checks together would allow; NA where none
price | REAL | price | Nearest price that they would allow
time  | TIME |       | Earliest time at which they would allow the order as it is
""")

EXPECTED_COST = columns_of("""
slippage_ticks  | REAL | ticks | Predicted, a lot, against the mid at preview; positive is a cost
slippage_bps    | REAL | bps   | The same, of that mid
slippage_cash   | REAL | cash  | The same, over all lots
low_ticks       | REAL | ticks | Lower end of the interval; NaN without evidence
high_ticks      | REAL | ticks | Upper end of the interval
level           | REAL | 1     | Confidence of the interval
cross_now_ticks | REAL | ticks | What the first lots would cost if the spread were crossed now
commission      | REAL | cash  | Expected commission and fees
currency        | TEXT |       | Currency of the contract
n_evidence      | LOTS |       | Own fills, or paths of a rehearsal with a fill, that the interval rests on
source          | TEXT |       | What the evidence is, in words
predictor_version | TEXT |     | Version of the predictor
""")
