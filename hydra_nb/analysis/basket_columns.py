"""Columns of the frames of baskets."""

from hydra_nb.analysis.columns import DECISIONS, EXPECTED_COST, SCHEDULE, Column, columns_of

_ROW = columns_of("""
row          | TEXT |       | Label of the row in the caller's frame
local_symbol | TEXT |       | Month of the future, as the exchange writes it
""")

ROWS = (
    *_ROW,
    *columns_of("""
side         | TEXT |       | BUY, SELL; missing where nothing is to be sent
lots         | LOTS | lots  | Lots to be sent; of a target the difference, 0 where it is reached
target       | LOTS | lots  | Position asked for, signed; NA of a row that says side and lots
position     | LOTS | lots  | Position at preview, signed; NA of a row without target
outstanding  | LOTS | lots  | Signed lots that orders and parents at work could still fill then, worst case; likewise
strategy     | TEXT |       | limit_patience, twap
slices       | LOTS |       | Slices of its plan
start        | TIME |       | When its first slice starts, if submitted at the preview
end          | TIME |       | When the ladder of its last slice ends
limit        | REAL | price | Price never to be passed
tag          | TEXT |       | The words that tell it from equal orders of the day; of a target made where none was given
order        | LOTS |       | Its turn among the rows that are sent: what reduces risk comes first
reduces      | FLAG |       | Whether it only reduces a position
passes       | FLAG |       | Whether the gate lets it pass beside all that works, is planned, and comes before it
alone        | FLAG |       | Whether the gate lets it pass beside what works alone
would_pass   | LOTS | lots  | Largest lots that would pass
largest_target | LOTS | lots | Largest target toward its side that would pass; NA of a row without target
plan_id      | TEXT |       | Hash of its plan; missing where there is none
message      | TEXT |       | What a person should know of the row
"""),
)

PLACED_SCHEDULE = (*_ROW, *columns_of("side | TEXT | | BUY, SELL"), *SCHEDULE)

RISK = (*_ROW, *DECISIONS)

EXPOSURE = columns_of("""
local_symbol  | TEXT |      | Month of the future, or its contract id where we know no more; total over all
position      | LOTS | lots | Position, signed; NA while broker and fills differ
working_buy   | LOTS | lots | Lots that orders and parents at work may still buy, worst case
working_sell  | LOTS | lots | Lots that they may still sell
planned_buy   | LOTS | lots | Lots that the rows which pass would buy
planned_sell  | LOTS | lots | Lots that they would sell
worst_long    | LOTS | lots | Position if all buys fill
worst_short   | LOTS | lots | Position if all sells fill
notional      | REAL | cash | Value of the worse of the two at the last mid, in base_currency; NaN where unknown
margin        | REAL | cash | Change of initial margin if the rows fill; of the total the margin then, worst case
currency      | TEXT |      | Currency of the contract
base_currency | TEXT |      | Currency of the account
""")

COST = (
    *_ROW,
    *EXPECTED_COST,
    *columns_of("""
slippage_base   | REAL | cash | slippage_cash in base_currency; NaN where the rate is not known
commission_base | REAL | cash | commission in base_currency
base_currency   | TEXT |      | Currency of the account
"""),
)
"""The last row, ``total``, has the sums in the account's currency alone; NaN where one of them is not known."""

ERRORS = columns_of("""
row     | TEXT | | Label of the row; empty where it is about the whole frame
column  | TEXT | | Column that is wrong
value   | TEXT | | What stands there; empty where nothing does
message | TEXT | | What is wrong, and the remedy
""")

EXECUTION = (
    *_ROW,
    *columns_of("""
side           | TEXT |       | BUY, SELL; missing where nothing was to be sent
lots           | LOTS | lots  | Lots that it had to do when it was handed over; 0 where its target was reached
target         | LOTS | lots  | Position asked for, signed; NA of a row that said side and lots
parent_id      | TEXT |       | Parent order that stands for the row; missing where nothing was sent
status         | TEXT |       | That of the parent; at_target or not_sent where there is none
filled_lots    | LOTS | lots  | Lots booked
working_lots   | LOTS | lots  | Lots in the market, worst case
shortfall_lots | LOTS | lots  | Lots that will not be filled any more; all of them where the row was not sent
average_price  | REAL | price | Average of the fills
reason         | TEXT |       | Why it is in that state, in words
"""),
)

BASKETS = columns_of("""
basket_id  | TEXT |      | Hash of its plans and rows
submitted  | TIME |      | When it was handed over
on_refusal | TEXT |      | continue, stop
rows       | LOTS |      | Rows
sent       | LOTS |      | Rows for which a parent order stands
parent_ids | TEXT |      | Their ids, with commas between
""")

FRAMES: dict[str, tuple[Column, ...]] = {
    "basket.rows": ROWS,
    "basket.schedule": PLACED_SCHEDULE,
    "basket.risk": RISK,
    "basket.exposure": EXPOSURE,
    "basket.expected_cost": COST,
    "basket_errors.errors": ERRORS,
    "basket_execution.frame": EXECUTION,
    "baskets": BASKETS,
}
