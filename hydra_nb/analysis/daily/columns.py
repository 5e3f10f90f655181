"""Columns of the frames of a trading day."""

from typing import Final

from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import Column, columns_of
from hydra_nb.analysis.cycles import CYCLES
from hydra_nb.analysis.slippage_columns import SLIPPAGE
from hydra_nb.analysis.tca.columns import GROUP_LEVEL, PARENT_LEVEL

SUMMARY = columns_of("""
date            | TEXT |      | The day, by its date
orders          | LOTS |      | Orders of yours that were at work in it, or submitted
filled          | LOTS |      | Those that ended filled
short           | LOTS |      | Those that ended with lots not filled, but for the refused and the cancelled
cancelled       | LOTS |      | Those that ended cancelled
refused         | LOTS |      | Those that were refused
needs_human     | LOTS |      | Those that need a person, the interrupted among them
at_work         | LOTS |      | Those that go on after the day's end, or after what the journal tells of it
fills           | LOTS |      | Fills of the day
filled_lots     | LOTS | lots | Their lots
shortfall_lots  | LOTS | lots | Lots not filled of the orders that ended in the day, refused ones among them
slippage_cash   | REAL | cash | Of the day's fills against arrival; positive is a cost; NaN in several currencies
predicted_cash  | REAL | cash | Predicted of those fills of which both are known
compared_cash   | REAL | cash | Slippage of just these fills: what predicted_cash is to be held against
predicted_fills | LOTS |      | How many these are, in whatever currency
commission      | REAL | cash | Commission and fees of the day's fills, as far as they were told
currency        | TEXT |      | Currency of the cash; missing where there is none, or several: see currencies
messages        | LOTS |      | Order messages sent in the day
gate_refusals   | LOTS |      | Places and modifies that the gate refused
breaks          | LOTS |      | Breaks found in the day
breaks_open     | LOTS |      | Breaks that stood at its end
alerts          | LOTS |      | Alerts raised in the day
trips           | LOTS |      | Circuit breakers that tripped
kills           | LOTS |      | Kills
limit_changes   | LOTS |      | Limits changed
connection_losses | LOTS |    | Losses of the connection
down_s          | REAL | s    | How long it was lost, within the day
late_slices     | LOTS |      | Slices that a busy notebook delayed
cycles          | LOTS |      | Daily cycles of runners that began or ended in the day, or ran on into it
cycles_not_well | LOTS |      | Those that ended other than done, or as a dry run that would have passed
pnl             | REAL | cash | Equity at the end less that at the begin; NaN where no other was told in the day
pnl_since       | TIME |      | When that at the begin was told: long before the day where no desk was open
pnl_currency    | TEXT |      | Currency of the account
""")

CURRENCIES = columns_of("""
currency        | TEXT |      | Currency of the contracts
fills           | LOTS |      | Fills of the day
filled_lots     | LOTS | lots | Their lots
slippage_cash   | REAL | cash | Against arrival; positive is a cost; NaN where no arrival is known
predicted_cash  | REAL | cash | Predicted of those fills of which both are known
compared_cash   | REAL | cash | Slippage of just these fills: what predicted_cash is to be held against
predicted_fills | LOTS |      | How many these are
commission      | REAL | cash | Commission and fees, as far as they were told
without_fees    | LOTS |      | Fills of which no fees were told yet
""")

ORDERS = (
    *columns.EXECUTIONS,
    *columns_of("""
filled_in_day_lots | LOTS | lots | Lots of the fills of this day
messages        | LOTS |      | Order messages sent up to the day's end: places, modifies and cancels
messages_budget | LOTS |      | Those that its plan may need
began_before    | FLAG |      | Whether it began before the day
goes_on         | FLAG |      | Whether it was not over at the day's end
reason          | TEXT |      | Why it ended as it did, in words
"""),
)

REFUSALS = columns_of("""
first        | TIME |  | First time in the day
last         | TIME |  | Last time
parent_id    | TEXT |  | Id of the parent order
local_symbol | TEXT |  | Month of the future
action       | TEXT |  | parent, place, modify
check        | TEXT |  | Check that refused
times        | LOTS |  | How often in the day
message      | TEXT |  | What it said last
""")

LATE = columns_of("""
time         | TIME |   | When it began, or went on
parent_id    | TEXT |   | Id of the parent order
local_symbol | TEXT |   | Month of the future
slice        | LOTS |   | Number of the slice
late_s       | REAL | s | By how much a loop that was held up delayed it
""")

BREAKS = columns_of("""
found        | TIME | | When it was found; before the day where it stood already
over         | TIME | | When it was over; NaT where it stood at the day's end
kind         | TEXT | | locked: nothing explains a contract; differs: a comparison found it; adopted: others' lots
local_symbol | TEXT | | Month of the future; empty where it is about the desk
message      | TEXT | | What was found
outcome      | TEXT | | What became of it
""")

BREAKERS = columns_of("""
breaker      | TEXT |         | Name of the breaker; kill for the kill switch
local_symbol | TEXT |         | Month of the future, where it is about one
state        | TEXT |         | At the day's end: closed, tripped, rearmed
since        | TIME |         | Since when; NaT where it never tripped
trips        | LOTS |         | How often it tripped in the day
observed     | REAL | in unit | What it read when it last tripped
limit        | REAL | in unit | What it may read, then
unit         | TEXT |         | Unit of observed and limit
reason       | TEXT |         | Why it tripped, or the words of who re-armed it
""")

HALTS = columns_of("""
time         | TIME | | When
what         | TEXT | | tripped, rearmed, killed
breaker      | TEXT | | Name of the breaker; of a re-arming missing where it was of all and of the kill switch
local_symbol | TEXT | | Month of the future, where it is about one
reason       | TEXT | | Why, in words
""")

LIMIT_CHANGES = columns_of("""
time    | TIME |         | When
symbol  | TEXT |         | Symbol that it is of; * for all that have none of their own
limit   | TEXT |         | Name of the limit
old     | REAL | in unit | Before; NaN where a symbol followed the limit of all
new     | REAL | in unit | From then on; NaN where a symbol follows that of all again
unit    | TEXT |         | Unit of both
change  | TEXT |         | tightened, loosened; other where a value is not known
reason  | TEXT |         | Why, in the words of who changed it
who     | TEXT |         | The user of the operating system who did
""")

CONNECTION = columns_of("""
lost    | TIME |   | When it was lost, or degraded; before the day where it was already
back    | TIME |   | When it was back; NaT where it was not by the day's end
down_s  | REAL | s | How long, within the day
state   | TEXT |   | down, degraded: the worst of it
message | TEXT |   | What was said of it
""")

CALIBRATIONS = columns_of("""
time          | TIME |   | When it was accepted, or dropped
symbol        | TEXT |   | Symbol of the future
version       | TEXT |   | Version of the predictor from then on; missing where it is as assumed again
k             | REAL | 1 | k from then on; NaN where it is as assumed again
spread_factor | REAL | 1 | Spread factor, likewise
n             | LOTS |   | Own fills that it comes from
reason        | TEXT |   | Why, in the words of who accepted it
who           | TEXT |   | The user of the operating system who did
""")

POSITIONS = (
    *columns.POSITIONS,
    *columns_of("""
last_trade         | TEXT |      | Date of its last trade; missing for a contract that the journal does not know
days_to_last_trade | LOTS | days | From the day to that date
first_notice       | TEXT |      | First notice day, where a person has told it
days_to_notice     | LOTS | days | From the day to that date
"""),
)

ACCOUNT = columns_of("""
currency       | TEXT |      | Currency of the account; of a day without a word of it all is missing
equity_begin   | REAL | cash | Equity at the begin: as last told before it, else as first told in it
begin          | TIME |      | When that was told
equity_end     | REAL | cash | Equity as last told in the day, or before it
end            | TIME |      | When that was told
pnl            | REAL | cash | The difference, paid in or out too, since begin; NaN where no other was told in the day
pnl_percent    | REAL | %    | The same, of the equity at the begin
lowest         | REAL | cash | Lowest equity told in the day
highest        | REAL | cash | Highest
realised_pnl   | REAL | cash | As the broker told it last
unrealised_pnl | REAL | cash | Likewise
""")

EVENTS = columns_of("""
time         | TIME | | When
kind         | TEXT | | Class of the event
parent_id    | TEXT | | Id of the parent order; missing where it is about none
local_symbol | TEXT | | Month of the future, likewise
words        | TEXT | | What happened
""")

COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "summary": SUMMARY,
    "currencies": CURRENCIES,
    "orders": ORDERS,
    "slices": columns.SLICES,
    "late": LATE,
    "refusals": REFUSALS,
    "fills": columns.FILLS,
    "costs": PARENT_LEVEL,
    "by_contract": (*columns_of("contract | TEXT | | Month of the future"), *GROUP_LEVEL),
    "predictions": SLIPPAGE,
    "positions": POSITIONS,
    "account": ACCOUNT,
    "limits": LIMIT_CHANGES,
    "breakers": BREAKERS,
    "halts": HALTS,
    "breaks": BREAKS,
    "alerts": columns.ALERTS,
    "connection": CONNECTION,
    "calibrations": CALIBRATIONS,
    "cycles": CYCLES,
    "events": EVENTS,
}
"""Of each frame of a day, by its name."""

OWN: Final = (
    *("summary", "currencies", "orders", "late", "refusals", "by_contract", "positions", "account", "limits"),
    *("breakers", "halts", "breaks", "connection", "calibrations", "events"),
)
"""Frames that only a day has; the others have the columns of those of the same name, `costs` those of ``tca.parent``,
`predictions` those of ``slippage``."""
