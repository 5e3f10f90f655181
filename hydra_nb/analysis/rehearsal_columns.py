"""Columns of what comes out of a rehearsal."""

from hydra_nb.analysis.columns import Column, columns_of

PATHS = columns_of("""
seed           | LOTS |       | Of the market of this path
filled_lots    | LOTS | lots  | Lots filled
shortfall_lots | LOTS | lots  | Lots that were not
finished       | FLAG |       | Whether every lot was filled
slippage_ticks | REAL | ticks | Of the filled lots against arrival, a lot; positive is a cost; NaN where none was filled
slippage_cash  | REAL | cash  | The same, all filled lots
commission     | REAL | cash  | Commission and fees
messages       | LOTS |       | Order messages sent
refusals       | LOTS |       | Places, modifies and orders that the gate refused
passive_share  | REAL | 1     | Filled lots that had rested, over all filled; NaN where none was filled
status         | TEXT |       | How the order ended, as in executions
refused_by     | TEXT |       | Check that refused it, or ended it; missing where none did
opportunity_ticks | REAL | ticks | What a lot without a fill missed: mid at the end against arrival; NaN where unknown
all_lots_ticks | REAL | ticks | Cost of all lots, a lot: those without a fill at the mid at the end
finished_s     | REAL | s     | When it was over, from its beginning; 0 where it was over before its start
overfilled_lots | LOTS | lots | Lots filled beyond the order, which only a fault on the wire does
faults         | LOTS |       | Faults that struck; 0 where none were asked for
""")

SLICES = columns_of("""
slice          | LOTS |       | Number of the slice
stage          | TEXT |       | mid, step, cross
paths          | LOTS |       | Paths in which the slice entered it
reached        | REAL | 1     | The same as a share of all paths
reached_error  | REAL | 1     | Its Monte-Carlo error
open_lots      | REAL | lots  | Lots open when it was entered, in the mean of those paths
filled_lots    | REAL | lots  | Lots filled in it, in the mean of those paths
filled_lots_error | REAL | lots | Its Monte-Carlo error
fill_probability | REAL | 1   | Share of those paths in which at least one lot filled in it
fill_probability_error | REAL | 1 | Its Monte-Carlo error
whole_probability | REAL | 1  | Share of those paths in which all open lots filled in it
whole_probability_error | REAL | 1 | Its Monte-Carlo error
first_fill_median_s | REAL | s | From its beginning to the first fill, of the paths with one: half were sooner
first_fill_p90_s | REAL | s   | The same for nine tenths
""")

_FIGURES = columns_of("""
mean           | REAL | in unit | Mean; of completed quantities the share of the paths
mean_error     | REAL | in unit | Monte-Carlo standard error of it
deviation      | REAL | in unit | Standard deviation over the paths: what one order varies by
deviation_error | REAL | in unit | Monte-Carlo standard error of it
p5             | REAL | in unit | 5 % of the paths are at or below it
p5_error       | REAL | in unit | Monte-Carlo standard error; NaN where too few paths lie beyond
p50            | REAL | in unit | Half of the paths are at or below it
p50_error      | REAL | in unit | Likewise
p95            | REAL | in unit | 95 % of the paths are at or below it
p95_error      | REAL | in unit | Likewise
worst          | REAL | in unit | Mean of the highest 5 % of the paths: expected shortfall at 95 %
worst_error    | REAL | in unit | Likewise
""")

_QUANTITY = columns_of("""
quantity | TEXT | | What the row is of; see [rehearsals](rehearsal.md#the-summary)
unit           | TEXT |       | Of its figures
paths          | LOTS |       | Paths in which it is known, on which the figures rest
unknown        | LOTS |       | Paths in which it is not
""")

SUMMARY = (*_QUANTITY, *_FIGURES)

COMPLETION = columns_of("""
after_s        | REAL | s     | Since the order began
completed      | REAL | 1     | Share of the paths in which every lot was filled by then
low            | REAL | 1     | Lower end of its 95 % interval, by Wilson
high           | REAL | 1     | Upper end
filled_share   | REAL | 1     | Filled lots over all lots, in the mean of the paths
filled_p5      | REAL | 1     | 5 % of the paths had filled this share or less
filled_p95     | REAL | 1     | 95 % of the paths had
""")

COMPARISON_SUMMARY = (*columns_of("plan | TEXT | | Label of the plan"), *SUMMARY)

PAIRED = columns_of("""
plan           | TEXT |       | Label of the plan
against        | TEXT |       | Label of the first plan, which it is compared with
quantity       | TEXT |       | What is compared, as in the summary; less is better
unit           | TEXT |       | Of the differences
paths          | LOTS |       | Paths in which both are known
unknown        | LOTS |       | Paths in which one is not
difference     | REAL | in unit | Plan less first plan in the same market, in the mean; negative is better
error          | REAL | in unit | Its Monte-Carlo standard error
low            | REAL | in unit | Lower end of its 95 % interval, by Student's t
high           | REAL | in unit | Upper end
less_share     | REAL | 1     | Share of those paths in which the plan has less
less_error     | REAL | 1     | Its Monte-Carlo error
equal_share    | REAL | 1     | Share in which both have the same
""")

BOUNDS = columns_of("""
quantity       | TEXT |       | What the row is of, as in the summary
unit           | TEXT |       | Of its figures
paths          | LOTS |       | Paths in which both are known
unknown        | LOTS |       | Paths in which one is not
touch          | REAL | in unit | Mean where orders that rest fill as if first in the queue
touch_error    | REAL | in unit | Its Monte-Carlo standard error
through        | REAL | in unit | Mean where they fill as if last
through_error  | REAL | in unit | Its Monte-Carlo standard error
difference     | REAL | in unit | through less touch, path by path, in the mean
error          | REAL | in unit | Its Monte-Carlo standard error
low            | REAL | in unit | Lower end of its 95 % interval, by Student's t
high           | REAL | in unit | Upper end
""")

FRONTIER = columns_of("""
plan           | TEXT |       | Label of the plan
slices         | LOTS |       | Slices that it has
duration_s     | REAL | s     | How long it takes
patience_s     | REAL | s     | Length of its first stage
cost           | TEXT |       | Which cost it is: all_lots_ticks, slippage_ticks
paths          | LOTS |       | Paths in which it is known
cost_ticks     | REAL | ticks | Cost a lot in the mean
low_ticks      | REAL | ticks | Lower end of its 95 % interval, by Student's t
high_ticks     | REAL | ticks | Upper end
deviation_ticks | REAL | ticks | Standard deviation over the paths
deviation_error | REAL | ticks | Its Monte-Carlo error
shortfall_lots | REAL | lots  | Lots without a fill, in the mean
completed      | REAL | 1     | Share of the paths in which every lot was filled
messages       | REAL |       | Order messages, in the mean
""")

CALIBRATION = columns_of("""
parameter      | TEXT |  | A figure of the market, as of `ThinMarket`, or of the fit: `spread_distance`, `worst_misfit`
value          | REAL |  | What it is, in `unit`
standard_error | REAL |  | Of the value; NaN where it is assumed
unit           | TEXT |  | ticks, lots, s, or 1
source         | TEXT |  | quotes, bars, assumed, or unmatched: no market of the kind shows what was recorded
observations   | LOTS |  | Stretches of ten minutes, trades, or daily returns that it rests on
""")

FRAMES: dict[str, tuple[Column, ...]] = {
    "calibrate": CALIBRATION,
    "rehearsal.paths": PATHS,
    "rehearsal.slices": SLICES,
    "rehearsal.summary": SUMMARY,
    "rehearsal.completion": COMPLETION,
    "rehearsal.bounds": BOUNDS,
    "comparison.summary": COMPARISON_SUMMARY,
    "comparison.compare": PAIRED,
    "comparison.frontier": FRONTIER,
}
