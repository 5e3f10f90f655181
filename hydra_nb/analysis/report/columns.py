"""Columns of frames that only a report has."""

from hydra_nb.analysis.columns import columns_of

TERMS = columns_of("""
time        | TIME |       | When the gate approved it
sent        | TIME |       | When its frame was handed to the socket; NaT where it never was
slice       | LOTS |       | Number of the slice
order_ref   | TEXT |       | Our name of the order, at the broker too
action      | TEXT |       | place, modify
stage       | TEXT |       | mid, step, cross
lots        | LOTS | lots  | Total of the order, fills included
limit_price | REAL | price | Limit
bid         | REAL | price | Bid when it was approved
ask         | REAL | price | Ask when it was approved
expires     | TIME |       | Expiry at the broker
predicted_slippage_ticks | REAL | ticks | Prediction stored with it, a lot, against the mid then
""")

BENCHMARKS = columns_of("""
benchmark      | TEXT |       | decision, arrival, order, interval TWAP, interval VWAP
price          | REAL | price | The benchmark; of one that differs from fill to fill, its mean over their lots
slippage_ticks | REAL | ticks | Average price of the fills against it, a lot; positive is a cost
slippage_bps   | REAL | bps   | The same over the arrival mid; NaN unless that is positive
slippage_cash  | REAL | cash  | The same over all lots that it is known of
lots           | LOTS | lots  | Filled lots that it is known of
words          | TEXT |       | What it is
""")
