"""The figures of a report, and the places on the page where its script draws them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import plots
from hydra_nb.analysis.report.facts import Facts
from hydra_nb.analysis.report.parts import Html, escape

FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'
"""Those of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure, its name on the page, its caption, and where its numbers stand in words."""

    name: str
    caption: str
    told_in: str
    figure: go.Figure

    def __post_init__(self) -> None:
        """Make it one of this page: no room for a title, and no template that whoever makes the page has set."""
        self.figure.update_layout(margin={"t": 48}, template="none", font={"family": FONTS})
        self.figure.update_xaxes(automargin=True, title_standoff=12)
        self.figure.update_yaxes(automargin=True, title_standoff=12)

    @property
    def place(self) -> Html:
        """The element that the figure is drawn into; without a script it says where the numbers are."""
        height = int(self.figure.layout.height)
        return Html(
            f'<figure><div id="figure-{self.name}" class="drawn" role="img" aria-label="{escape(self.caption)}" '
            f'style="min-height:{height}px"></div><noscript><p class="none">This figure needs JavaScript, which is '
            f"switched off; {escape(self.told_in)} says the same.</p></noscript>"
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    @property
    def as_json(self) -> dict[str, Any]:
        """What the script draws."""
        return {"id": f"figure-{self.name}", **json.loads(self.figure.to_json(engine="json"))}


def figures_of(facts: Facts) -> dict[str, Drawn]:
    """All figures of a report by their names; those of which nothing is known are left out."""
    return {one.name: one for one in _figures(facts)}


def _figures(facts: Facts) -> Iterator[Drawn]:
    parent, contract = facts.plan.parent, facts.contract
    quotes = facts.frame("quotes")
    until = quotes[quotes["time"] <= pd.Timestamp(facts.record.submitted_ns, tz="UTC")]
    planned = plots.plan_figure(
        facts.frame("plan.schedule"),
        side=parent.side,
        tick=contract.tick,
        decimals=contract.decimals,
        quotes=until,
        limit=parent.limit,
        time_zone=contract.time_zone,
    )
    planned.for_each_annotation(lambda note: note.update(text=note.text.replace("mid now", "mid then")))
    planned.for_each_trace(lambda trace: trace.update(name="mid then"), selector={"name": "mid now"})
    yield Drawn(
        name="plan",
        caption="The slices as planned on the quotes until submission: stage prices over their waits, lots below, "
        "the windows that jitter allowed shaded.",
        told_in="the table of the schedule",
        figure=planned,
    )
    decisions = facts.frame("decisions")
    if not decisions.empty:
        yield Drawn(
            name="decisions",
            caption="How much of its limit each check saw used, at the decision that came nearest to it.",
            told_in="the tables of the checks",
            figure=plots.decisions(decisions, title=""),
        )
    yield Drawn(
        name="execution",
        caption="Fills on the band from bid to ask, the shape by stage and the size by lots; below, lots filled "
        "against those due and those begun.",
        told_in="the tables of fills and slices",
        figure=plots.execution_figure(
            facts.frame("fills"),
            quotes,
            facts.frame("slices"),
            side=parent.side,
            arrival_mid=None if facts.record.arrival_mid is None else float(facts.record.arrival_mid),
            time_zone=contract.time_zone,
            decimals=contract.decimals,
        ),
    )
    yield Drawn(
        name="costs",
        caption="The implementation shortfall in its parts; positive is a cost.",
        told_in="the table of its parts",
        figure=plots.cost_waterfall(facts.frame("tca.parent"), title=""),
    )
