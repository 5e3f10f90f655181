"""Columns of predicted slippage against what was paid, and of what own fills say of the prediction."""

from hydra_nb.analysis.columns import columns_of

SLIPPAGE = columns_of("""
symbol           | TEXT |         | Symbol of the future; * for all together
unit             | TEXT |         | Unit of the figures: bps, ticks and price of a lot, cash of a fill
n                | LOTS |         | Fills counted
orders           | LOTS |         | Parent orders that they are of
left_out         | LOTS |         | Fills not counted: no prediction, or no arrival mid
mean_predicted   | REAL | in unit | Mean over the fills
median_predicted | REAL | in unit | Median
p95_predicted    | REAL | in unit | 95th percentile
mean_actual      | REAL | in unit | Mean over the fills, against arrival; positive is a cost
median_actual    | REAL | in unit | Median
p95_actual       | REAL | in unit | 95th percentile
bias             | REAL | in unit | Mean of actual less predicted; positive where it cost more
bias_low         | REAL | in unit | Lower end of its interval
bias_high        | REAL | in unit | Upper end
rmse             | REAL | in unit | Root of the mean square of actual less predicted
correlation      | REAL | 1       | Pearson's, of actual with predicted; 0 where one of them does not vary
correlation_low  | REAL | 1       | Lower end of its interval
correlation_high | REAL | 1       | Upper end
multiplier       | REAL | 1       | Mean actual over mean predicted; NaN where that is not positive
multiplier_low   | REAL | 1       | Lower end of its interval
multiplier_high  | REAL | 1       | Upper end
level            | REAL | 1       | Confidence of the intervals
method           | TEXT |         | How the intervals were made
reason           | TEXT |         | Why a figure is not known, or what to mind, in words; else empty
""")

REFIT = columns_of("""
symbol           | TEXT |       | Symbol of the future
n                | LOTS |       | Fills fitted
orders           | LOTS |       | Parent orders that they are of
left_out         | LOTS |       | Fills not fitted, as a figure is not known
k_before         | REAL | 1     | k now
k                | REAL | 1     | k proposed
k_low            | REAL | 1     | Lower end of its interval; NaN where k stays
k_high           | REAL | 1     | Upper end
spread_factor_before | REAL | 1 | Spread factor now
spread_factor    | REAL | 1     | Spread factor proposed
spread_factor_low  | REAL | 1   | Lower end of its interval
spread_factor_high | REAL | 1   | Upper end
level            | REAL | 1     | Confidence of both intervals
bias_before      | REAL | ticks | Mean over lots of actual less predicted, as stored with the orders
bias_in_sample   | REAL | ticks | The same by the fit, on the fills that it was made of
bias_held_out    | REAL | ticks | The same, each order predicted by a fit without it
rmse_before      | REAL | ticks | Root of the mean square over lots, as stored with the orders
rmse_in_sample   | REAL | ticks | The same by the fit, on the fills that it was made of, which flatters it
rmse_held_out    | REAL | ticks | The same, each order predicted by a fit without it
residual_low_ticks  | REAL | ticks | Where the cost of an order lay around its prediction held out: lower end
residual_high_ticks | REAL | ticks | Upper end
residual_level   | REAL | 1     | Probability that the next order's lies in there
until            | TIME |       | Last fill fitted
version          | TEXT |       | Version of the predictor that this would be
proposed         | FLAG |       | Whether it can be accepted
reason           | TEXT |       | Why not, or what to mind, in words
""")

CALIBRATIONS = columns_of("""
symbol           | TEXT |       | Symbol of the future
k                | REAL | 1     | k in force
k_low            | REAL | 1     | Lower end of its interval; NaN where k was not fitted
k_high           | REAL | 1     | Upper end
spread_factor    | REAL | 1     | Spread factor in force
spread_factor_low  | REAL | 1   | Lower end of its interval
spread_factor_high | REAL | 1   | Upper end
level            | REAL | 1     | Confidence of both intervals
n                | LOTS |       | Own fills that they come from
orders           | LOTS |       | Parent orders that those are of
residual_low_ticks  | REAL | ticks | Interval of an order's cost around its prediction: lower end
residual_high_ticks | REAL | ticks | Upper end
residual_level   | REAL | 1     | Probability that an order's lies in there
calibrated       | TIME |       | Last fill fitted
accepted         | TIME |       | When a person accepted it
reason           | TEXT |       | The words of that person
version          | TEXT |       | Version of the predictor, as stored with orders
""")
