"""Columns of the frames of transaction cost analysis, at each level, and the price differences that they all hold.

Every difference has three columns, in ticks a lot, in basis points of the arrival mid, and in cash over all lots.
"""

from collections.abc import Iterator
from typing import Final

from hydra_nb.analysis.columns import Column, Kind, columns_of

HORIZONS_S: Final = {"10s": 10, "1min": 60, "5min": 300, "30min": 1_800}
"""Horizons of the markouts by the name in their columns, seconds after the fill."""

REALISED_AFTER: Final = "5min"
"""Horizon after which the realised spread is taken."""

DIFFERENCES: Final = {
    "arrival_slippage": "Price against the mid at arrival; positive is a cost",
    "order_slippage": "Price against the mid when the order, or its last modify, was sent; positive is a cost",
    "twap_slippage": "Price against the time-weighted mid while the parent, or the slice, worked; positive is a cost",
    "vwap_slippage": "Price against the volume-weighted price of the trades printed meanwhile; positive is a cost",
    "effective_spread": "Twice the price against the mid just before the fill; positive is paid, negative earned",
    "realised_spread": f"Twice the price against the mid {REALISED_AFTER} after the fill: what the other side keeps",
    **{f"markout_{name}": f"Mid {name} after the fill against its price; positive is a gain" for name in HORIZONS_S},
}
"""Price differences of a fill, by the stem of their columns."""


def difference_columns() -> tuple[Column, ...]:
    """The three columns of every difference."""
    return tuple(_difference_columns())


def _difference_columns() -> Iterator[Column]:
    for stem, meaning in DIFFERENCES.items():
        yield Column(name=f"{stem}_ticks", kind=Kind.REAL, unit="ticks", meaning=f"{meaning}; a lot")
        yield Column(
            name=f"{stem}_bps", kind=Kind.REAL, unit="bps", meaning="The same over the arrival mid; NaN unless positive"
        )
        yield Column(
            name=f"{stem}_cash", kind=Kind.REAL, unit="cash", meaning="The same over all lots that it is known of"
        )


PREDICTED = columns_of("""
predicted_slippage_ticks | REAL | ticks | Prediction stored with the order, a lot
predicted_slippage_bps   | REAL | bps   | The same over the arrival mid
predicted_slippage_cash  | REAL | cash  | The same over all lots
""")

SHORTFALL = columns_of("""
delay_cash       | REAL | cash | Filled lots × (arrival − decision): what the wait before arrival cost
trading_cash     | REAL | cash | Filled lots × (price − arrival): what the trading cost
opportunity_cash | REAL | cash | Unfilled lots × (end − decision): what was missed
fees_cash        | REAL | cash | Commission and fees
shortfall_cash   | REAL | cash | The sum of the four: paper less real
notional_cash    | REAL | cash | All lots at the decision price, without its sign
shortfall_bps    | REAL | bps  | The same over all lots at the decision price; NaN unless that is positive
""")
"""Perold's implementation shortfall; positive is a cost."""

FILL_LEVEL = (
    *columns_of("""
time          | TIME |       | The broker's time of the execution
fill_id       | TEXT |       | Execution id without its last component
parent_id     | TEXT |       | Id of the parent order
slice         | LOTS |       | Number of the slice
stage         | TEXT |       | Stage of the order when it filled: mid, step, cross
symbol        | TEXT |       | Symbol of the future
local_symbol  | TEXT |       | Its month, as the exchange writes it
side          | TEXT |       | BUY, SELL
strategy      | TEXT |       | limit_patience, twap
weekday       | LOTS |       | Day of the week at the exchange, Monday is 1
hour          | LOTS |       | Hour of the day at the exchange; of UTC where its zone is not told
lots          | LOTS | lots  | Lots
price         | REAL | price | Price
decision_mid  | REAL | price | Mid at preview
arrival_mid   | REAL | price | Mid when the parent was accepted
order_mid     | REAL | price | Mid when the order, or its last modify, was sent
fill_mid      | REAL | price | Mid just before the fill
quote_age_s   | REAL | s     | Age of the quote that fill_mid is of
twap          | REAL | price | Time-weighted mid from arrival until the parent was over
vwap          | REAL | price | Volume-weighted price of the trades printed meanwhile
"""),
    *difference_columns(),
    *PREDICTED,
    *columns_of("""
predictor_version | TEXT |   | Version of the predictor
delay_cash   | REAL | cash   | Lots × (arrival − decision)
trading_cash | REAL | cash   | Lots × (price − arrival)
fees_cash    | REAL | cash   | Commission and fees
currency     | TEXT |        | Currency of the contract
lacks        | TEXT |        | What could not be known of this fill, and why; empty where nothing lacks
"""),
)

_OUTCOME = columns_of("""
lots           | LOTS | lots  | Lots to do
filled_lots    | LOTS | lots  | Lots filled
fill_ratio     | REAL | 1     | Filled lots over lots
fills          | LOTS |       | Fills
average_price  | REAL | price | Average price of the fills
arrival_mid    | REAL | price | Mid when the parent was accepted
twap           | REAL | price | Time-weighted mid while it worked
vwap           | REAL | price | Volume-weighted price of the trades printed while it worked
volume_lots    | REAL | lots  | Lots printed while it worked, own ones among them
participation  | REAL | 1     | Filled lots over volume_lots
first_fill_s   | REAL | s     | From its begin to its first fill
last_fill_s    | REAL | s     | From its begin to its last fill
""")

SLICE_LEVEL = (
    *columns_of("""
parent_id     | TEXT |       | Id of the parent order
slice         | LOTS |       | Number of the slice
begun         | TIME |       | When its first order was sent
ended         | TIME |       | When it was over
symbol        | TEXT |       | Symbol of the future
local_symbol  | TEXT |       | Its month, as the exchange writes it
side          | TEXT |       | BUY, SELL
strategy      | TEXT |       | limit_patience, twap
"""),
    *_OUTCOME,
    *difference_columns(),
    *PREDICTED,
    *columns_of("""
fees_cash     | REAL | cash  | Commission and fees
currency      | TEXT |       | Currency of the contract
lacks         | TEXT |       | What could not be known, and of how many fills
"""),
)

PARENT_LEVEL = (
    *columns_of("""
parent_id     | TEXT |       | Id of the parent order
begun         | TIME |       | When it arrived
ended         | TIME |       | When it was over; the last fill where that is not told
symbol        | TEXT |       | Symbol of the future
local_symbol  | TEXT |       | Its month, as the exchange writes it
side          | TEXT |       | BUY, SELL
strategy      | TEXT |       | limit_patience, twap
tag           | TEXT |       | The caller's words
"""),
    *_OUTCOME,
    *columns_of("""
decision_mid  | REAL | price | Mid at preview
end_mid       | REAL | price | Mid when it was over
"""),
    *difference_columns(),
    *PREDICTED,
    *SHORTFALL,
    *columns_of("""
currency      | TEXT |       | Currency of the contract
lacks         | TEXT |       | What could not be known, and of how many fills
"""),
)

GROUP_LEVEL = (
    *columns_of("""
parents       | LOTS |       | Parents, those without fills among them where the group holds parents whole
fills         | LOTS |       | Fills
lots          | LOTS | lots  | Lots to do; NA where the group holds parts of parents
filled_lots   | LOTS | lots  | Lots filled
fill_ratio    | REAL | 1     | Filled lots over lots
volume_lots   | REAL | lots  | Lots printed while they worked, once for each parent
participation | REAL | 1     | Filled lots over volume_lots, of the parents of which both are known
"""),
    *difference_columns(),
    *PREDICTED,
    *SHORTFALL,
    *columns_of("""
currency      | TEXT |       | Currency of the contracts; missing where there are several, and cash is NaN
lacks         | TEXT |       | What could not be known, and of how many fills or parents
"""),
)
"""Behind the columns by which it was grouped; of a shortfall, the parents of which all parts are known."""
