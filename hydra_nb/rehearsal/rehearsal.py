"""What a rehearsal of one plan says: frames, a summary, a comparison with others, a picture, a card."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import rehearsal_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.analysis.rehearsal_plots import rehearsal_figure
from hydra_nb.errors import AnalysisError
from hydra_nb.rehearsal import path_frames
from hydra_nb.rehearsal.figures import SHARE, figure
from hydra_nb.rehearsal.outcome import PathOutcome
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.widgets import numbers
from hydra_nb.widgets.rehearsal_card import error_words, rehearsal_card


@dataclass(frozen=True, kw_only=True, eq=False)
class Rehearsal:
    """One plan over many simulated markets; nothing was sent.

    Every figure of `summary` has its Monte-Carlo error: how far it would move with other markets of the same model. It
    says nothing of how far the model is from the market that the order will meet; `rehearsed.leaves_out` does.

    Parameters
    ----------
    rehearsed
        What was rehearsed, and in which model of a market.
    seed
        The one that the seeds of all paths were drawn from.
    outcomes
        What each path came to, in the order of the paths.

    Raises
    ------
    AnalysisError
        There is no outcome, two are of one seed, or one is not of this order.
    """

    rehearsed: Rehearsed
    seed: int
    outcomes: tuple[PathOutcome, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse outcomes from which a wrong number would come."""
        rehearsed, outcomes = self.rehearsed, self.outcomes
        if not outcomes:
            raise AnalysisError(f"no path of {rehearsed.label} was rehearsed; at least 1 is needed")
        seeds = {path.seed for path in outcomes}
        if len(seeds) < len(outcomes):
            raise AnalysisError(f"{len(outcomes)} paths have {len(seeds)} seeds; each market counts once")
        for path in outcomes:
            lots = path.filled_lots + path.shortfall_lots - path.overfilled_lots
            if lots != rehearsed.lots:
                raise AnalysisError(
                    f"the path of seed {path.seed} is of {lots} lots, {rehearsed.label} of {rehearsed.lots}; "
                    "take outcomes of one plan"
                )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of each path, in order."""
        return tuple(path.seed for path in self.outcomes)

    @property
    def paths(self) -> pd.DataFrame:
        """One row a path: columns of ``rehearsal.paths`` in ``docs/columns.md``."""
        return path_frames.paths_frame(self.outcomes, rehearsed=self.rehearsed)

    @property
    def slices(self) -> pd.DataFrame:
        """One row a slice and stage: how often it was entered, what filled in it, and how soon."""
        return path_frames.slices_frame(self.outcomes)

    @property
    def completion(self) -> pd.DataFrame:
        """One row a time since the beginning: which share of the paths, and of the lots, was done by then."""
        return path_frames.completion_frame(self.outcomes, rehearsed=self.rehearsed)

    @property
    def refused(self) -> dict[str, int]:
        """How many paths each check refused, or ended; the most frequent first."""
        counts = pd.Series([path.refused_by for path in self.outcomes], dtype="str").value_counts()
        return {str(check): int(count) for check, count in counts.items()}

    def done_by_s(self, share: float = 0.5) -> float:
        """When every lot was filled in a share of the paths, in seconds since the order began.

        Parameters
        ----------
        share
            Of the paths, above 0 and at most 1.

        Returns
        -------
        float
            NaN where that share never had every lot filled.

        Raises
        ------
        InvalidOrder
            `share` is no such share.
        """
        wanted = figure(share, name="share", wanted=SHARE, what="share of the paths")
        return path_frames.done_by_s(self.outcomes, share=wanted)

    def summary(self) -> pd.DataFrame:
        """One row a quantity: mean, deviation, 5, 50 and 95 %, mean of the worst 5 %, each with its Monte-Carlo error.

        Costs of ``slippage_ticks``, ``slippage_cash`` and ``cost_cash`` are of the filled lots; paths without a fill
        have none and are counted as ``unknown``. ``all_lots_ticks`` and ``all_lots_cash`` value lots without a fill
        too, at the mid when the order was over, so that who fills only what is cheap does not look cheap.

        Returns
        -------
        pandas.DataFrame
            Columns of ``rehearsal.summary`` in ``docs/columns.md``; an error is NaN where the paths cannot tell it: of
            one path, and of a tail in which fewer than five lie.
        """
        rows = path_frames.summary_rows(self.outcomes, rehearsed=self.rehearsed)
        return make_frame(rehearsal_columns.SUMMARY, rows)

    def compare(self, others: "Rehearsal | Iterable[Rehearsal]") -> pd.DataFrame:
        """Differences of other plans to this one, path by path in the same markets; see `Comparison.compare`.

        Raises
        ------
        AnalysisError
            `others` are no rehearsals, or of another contract or side, or in other markets.
        """
        from hydra_nb.rehearsal.comparison import Comparison

        beside = (others,) if isinstance(others, Rehearsal) or not isinstance(others, Iterable) else tuple(others)
        for one in beside:
            if not isinstance(one, Rehearsal):
                raise AnalysisError(f"{one!r:.60} is no rehearsal; give what `await plan.rehearse()` gave, or a list")
        return Comparison(rehearsals=(self, *beside)).compare()

    def plot(self, *, theme: Theme | None = None) -> go.Figure:
        """Distribution of the cost above, completion over time below; `summary` and `completion` say the same.

        Parameters
        ----------
        theme
            ``"light"`` or ``"dark"``, where the figure will stand alone on such a page; None suits a notebook.

        Raises
        ------
        InvalidOrder
            `theme` is none of these.
        """
        rehearsed = self.rehearsed
        return rehearsal_figure(
            self.paths,
            self.completion,
            summary=self.summary(),
            predicted_ticks=rehearsed.predicted_ticks,
            title=f"{rehearsed.side} {rehearsed.lots} {rehearsed.local_symbol}, rehearsed: {rehearsed.label}",
            theme=theme,
        )

    def __repr__(self) -> str:
        """Say in one line what came out."""
        by_name = self.summary().set_index("quantity")
        rehearsed, cost = self.rehearsed, by_name.loc["slippage_ticks"]
        ticks = f"{numbers.ticks(cost['mean'], signed=True)} {error_words(cost['mean_error'])}".rstrip()
        paths = len(self.outcomes)
        return (
            f"<Rehearsal {rehearsed.side} {rehearsed.lots} {rehearsed.local_symbol}, {rehearsed.label}: "
            f"{numbers.plural(paths, 'path')}, {ticks} ticks a lot, "
            f"{numbers.percent(by_name.loc['completed', 'mean'], decimals=0)} completed>"
        )

    def _repr_html_(self) -> str:
        return rehearsal_card(
            self.rehearsed, summary=self.summary(), refused=self.refused, seed=self.seed, paths=len(self.outcomes)
        )
