"""Columns of what a trader of thin markets asks: stages, fill survival, spread clock, regret."""

from hydra_nb.analysis.columns import Column, columns_of

STAGES = columns_of("""
parent_id     | TEXT |       | Id of the parent order
slice         | LOTS |       | Number of the slice
stage         | TEXT |       | mid, step, cross
order_ref     | TEXT |       | Our name of the order, at the broker too
symbol        | TEXT |       | Symbol of the future
local_symbol  | TEXT |       | Its month, as the exchange writes it
side          | TEXT |       | BUY, SELL
lots          | LOTS | lots  | Lots open when it began
filled_lots   | LOTS | lots  | Lots of them that filled in it, latest correction
limit_price   | REAL | price | Its limit
begun         | TIME |       | When its order, or the modify that began it, was sent
ended         | TIME |       | When it was over; NaT while it works, or where nobody knows
worked_s      | REAL | s     | Its length; at work up to the newest fact of all, unknown up to the last of its order
first_fill_s  | REAL | s     | From its begin to the first report of a fill; NaN without one
last_fill_s   | REAL | s     | From its begin to the last
filled_at     | TEXT |       | Lots and seconds from its begin of each fill, such as 2@13.400000 1@60.000000
spread_ticks  | REAL | ticks | Ask less bid when it was gated; NaN unless both showed and did not cross
weekday       | LOTS |       | Day of the week at the exchange when it began, Monday is 1
hour          | LOTS |       | Hour of the day at the exchange then
ended_by      | TEXT |       | filled, next_stage, expired, cancelled, unknown, working
""")

SURVIVAL = columns_of("""
group    | TEXT |      | What the curve is of: a stage, an hour, a spread; all where nothing parts them
time_s   | REAL | s    | Since the stage began
at_risk  | LOTS | lots | Lots, or orders, that were open just before
filled   | LOTS | lots | Those of them that filled then
censored | LOTS | lots | Those whose stage ended unfilled, then or later but before the next row
unfilled | REAL | 1    | Share that is still open after that time, by Kaplan and Meier
low      | REAL | 1    | Lower end of its band; NaN where resampling the orders cannot tell
high     | REAL | 1    | Upper end, likewise
orders   | LOTS |      | Orders that were open just before: what the band rests on
""")

TIME_TO_FILL = columns_of("""
group       | TEXT |      | What it is of, as in survival
orders      | LOTS |      | Orders with lots open in it
lots        | LOTS | lots | Lots open when their stages began
filled_lots | LOTS | lots | Those that filled in it
fill_ratio  | REAL | 1    | Filled lots over lots
quarter_s   | REAL | s    | When a quarter has filled, by the survival curve; NaN where it does not get there
median_s    | REAL | s    | When half has filled, likewise
three_quarters_s | REAL | s | When three quarters have filled, likewise
""")

SPREAD_CLOCK = columns_of("""
weekday       | LOTS |       | Day of the week at the exchange, Monday is 1
hour          | LOTS | h     | Hour of its day, 0 to 23
median_ticks  | REAL | ticks | Spread that half of the quoted time went below; NaN where nothing was quoted
mean_ticks    | REAL | ticks | Time-weighted mean spread
quoted_share  | REAL | 1     | Share of the recorded time in which both sides showed and did not cross
recorded_s    | REAL | s     | Time of which there is a record
days          | LOTS |       | Days on which there is one
n             | LOTS |       | Quotes, or bars, with both sides
source        | TEXT |       | quotes, or bars
""")

WINDOW = columns_of("""
weekdays          | TEXT |       | Days that it rests on, such as 1 2 3, Monday is 1
from_hour         | LOTS | h     | Where the window begins, at the exchange; NA where none is suggested
to_hour           | LOTS | h     | Where it ends; smaller than from_hour where it goes over midnight
half_spread_ticks | REAL | ticks | Half of the time-weighted mean spread in it: what crossing is expected to cost a lot
saved_ticks       | REAL | ticks | Half-spread of all recorded hours less that
quoted_share      | REAL | 1     | Share of its recorded time in which both sides showed
recorded_s        | REAL | s     | Time in it of which there is a record
days              | LOTS |       | Days of the least recorded of its hours
reason            | TEXT |       | Evidence in words, or why there is no window
""")

REGRET = columns_of("""
parent_id        | TEXT |       | Id of the parent order
symbol           | TEXT |       | Symbol of the future
local_symbol     | TEXT |       | Its month, as the exchange writes it
side             | TEXT |       | BUY, SELL
lots             | LOTS | lots  | Lots to do
filled_lots      | LOTS | lots  | Lots that were filled
strategy         | TEXT |       | How it was worked: limit_patience, twap
alternative      | TEXT |       | What else might have been done: cross_at_once, patience, twap
arrival_mid      | REAL | price | Mid when the parent was accepted, which all costs are against
end_mid          | REAL | price | Mid at the common end, at which all lots without a fill are valued
actual_ticks     | REAL | ticks | What it did cost a lot, all lots counted; positive is a cost
filled_low_lots  | LOTS | lots  | Lots that the alternative would surely have filled
filled_high_lots | LOTS | lots  | Lots that it may have filled
cost_low_ticks   | REAL | ticks | What it would have cost a lot at the least; NaN where unknown
cost_high_ticks  | REAL | ticks | The same at the most; NaN where nothing bounds it
regret_low_ticks | REAL | ticks | Actual less cost_high_ticks; above zero the alternative was surely better
regret_high_ticks | REAL | ticks | Actual less cost_low_ticks; below zero it was surely worse
quotes           | LOTS |       | Quotes of the contract recorded from arrival to the common end
lacks            | TEXT |       | What cannot be known, in words
""")

FRAMES: dict[str, tuple[Column, ...]] = {
    "stages": STAGES,
    "survival": SURVIVAL,
    "time_to_fill": TIME_TO_FILL,
    "spread_clock": SPREAD_CLOCK,
    "suggest_window": WINDOW,
    "regret": REGRET,
}
