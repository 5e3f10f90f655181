"""Columns of the frame of listed months, and of the self-test."""

from hydra_nb.analysis.columns import Column, columns_of

CHAIN = columns_of("""
local_symbol       | TEXT |       | The month, as the exchange writes it
contract_month     | TEXT |       | YYYYMM
last_trade         | TIME |       | Last trade date, at 00:00
first_notice       | TIME |       | First notice day that a person told, at 00:00; NaT where nobody did
days_to_last_trade | LOTS | days  | Calendar days until the last trade, at the exchange
days_to_notice     | LOTS | days  | The same until first notice; NA where nobody told it
in_close_out       | FLAG |       | Whether the close-out window has begun, as the gate counts it
adv_lots           | REAL | lots  | Average daily volume of the last 20 complete days; NaN where nobody tells it
volume_today       | REAL | lots  | Volume of the day so far
open_interest      | REAL | lots  | Lots open, as the broker last told; NaN where it does not tell
bid                | REAL | price | Best bid; NaN where the side is empty, or nothing was told in time
ask                | REAL | price | Best ask
spread_ticks       | REAL | ticks | Ask less bid
mid                | REAL | price | Half way between them
data               | TEXT |       | How it was fed: live, frozen, delayed, delayed_frozen; missing without a quote
position           | LOTS | lots  | Position, signed; NA before the broker told it
chosen             | FLAG |       | Whether the bare symbol means this month
why                | TEXT |       | Why, or why not
""")

SELFTEST = columns_of("""
check    | TEXT  |   | What was tried
holds    | MAYBE |   | Whether it holds; NA where it could not be tried
expected | TEXT  |   | What should be
observed | TEXT  |   | What was
message  | TEXT  |   | What it means, and what to do where it does not hold
seconds  | REAL  | s | Market seconds that it took
""")

FRAMES: dict[str, tuple[Column, ...]] = {"chain": CHAIN, "selftest": SELFTEST}
