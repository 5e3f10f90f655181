"""Figures of rehearsals, from frames: what an order cost in many markets, when it was done, plans side by side.

They are dressed as those of `plots` are; what each shows, a frame of the rehearsal says.
"""

import html
import math
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hydra_nb.analysis.plot_traces import BLUE, GREY, ORANGE, Theme, dress, records

Against = Literal["patience_s", "duration_s", "shortfall_lots", "deviation_ticks"]

MOST_BARS: Final = 40
COMPLETED_FILL, LOTS_FILL = "rgba(47, 128, 216, 0.22)", "rgba(128, 128, 128, 0.16)"
_AXES: dict[Against, tuple[str, float]] = {
    "patience_s": ("patience of the first stage, min", 60.0),
    "duration_s": ("duration, min", 60.0),
    "shortfall_lots": ("lots without a fill, in the mean", 1.0),
    "deviation_ticks": ("deviation of the cost over the markets, ticks a lot", 1.0),
}
_COSTS = {
    "slippage_ticks": "cost of the filled lots, ticks a lot",
    "all_lots_ticks": "cost of all lots, ticks a lot",
}


def rehearsal_figure(
    paths: pd.DataFrame,
    completion: pd.DataFrame,
    *,
    summary: pd.DataFrame,
    predicted_ticks: float | None = None,
    title: str = "Rehearsed",
    theme: Theme | None = None,
) -> go.Figure:
    """What the filled lots cost a lot, as a histogram over the paths, above; completion over time below.

    Lines mark the mean, the 5 % and the 95 % of the paths, and what the formula predicts. Below, the blue line is the
    share of the paths that had filled every lot, in its 95 % interval; the grey one is the share of the lots, with nine
    tenths of the paths around it. How many paths filled nothing, and have no cost, is said under the histogram.

    Parameters
    ----------
    paths, completion, summary
        Frames of a rehearsal.
    predicted_ticks
        Predicted slippage of a lot; None where there is none.
    title, theme
        As in `plots.fills`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.24)
    costs = paths["slippage_ticks"].dropna().to_numpy(dtype=np.float64)
    _add_costs(figure, costs, row=records(summary[summary["quantity"] == "slippage_ticks"]), predicted=predicted_ticks)
    _add_completion(figure, completion)
    dress(figure, title=title, height=560, empty=False, theme=theme, timed=False)
    figure.update_layout(margin={"r": 24, "t": 84}, bargap=0.04)
    without = len(paths) - len(costs)
    lacking = f"; {without:,} without a known cost" if without else ""
    figure.update_xaxes(title_text=f"cost of the filled lots, ticks a lot ({len(costs):,} paths{lacking})", row=1)
    figure.update_yaxes(title_text="share of the paths", tickformat=".0%", rangemode="tozero", row=1)
    figure.update_xaxes(title_text="minutes since the order began", rangemode="tozero", row=2)
    figure.update_yaxes(title_text="done", tickformat=".0%", range=[0, 1.03], row=2)
    return figure


def _add_costs(figure: go.Figure, costs: np.ndarray, *, row: list[dict[str, Any]], predicted: float | None) -> None:
    """Bars of the costs, and a line for each figure of them."""
    top = 1.0
    if len(costs):
        counts, edges = np.histogram(costs, bins=_edges(costs))
        shares = counts / len(costs)
        top = float(shares.max())
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=shares,
            width=np.diff(edges),
            customdata=np.column_stack([edges[:-1], edges[1:], counts]),
            marker={"color": BLUE, "opacity": 0.75, "line": {"width": 0}},
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f} ticks: %{customdata[2]:,.0f} paths, %{y:.1%}"
            "<extra></extra>",
            name="paths",
            showlegend=False,
            row=1,
            col=1,
        )
    told = row[0] if row else {}
    marks = [
        ("mean", told.get("mean", math.nan), {"color": ORANGE, "width": 3}),
        ("5 %", told.get("p5", math.nan), {"color": GREY, "width": 2, "dash": "dot"}),
        ("95 %", told.get("p95", math.nan), {"color": GREY, "width": 2, "dash": "dot"}),
        ("predicted", math.nan if predicted is None else predicted, {"color": ORANGE, "width": 2, "dash": "dash"}),
    ]
    for name, ticks, line in marks:
        if not math.isnan(ticks):
            words = f"{name} {_signed(ticks)}"
            figure.add_scatter(
                x=[ticks, ticks],
                y=[0.0, top * 1.04],
                mode="lines",
                line=line,
                name=words,
                hovertemplate=f"{words} ticks<extra></extra>",
                row=1,
                col=1,
            )


def _edges(costs: np.ndarray) -> np.ndarray:
    """Edges of bars of one round width, at most `MOST_BARS` of them, all costs within."""
    low, high = float(costs.min()), float(costs.max())
    wanted = max((high - low) / min(MOST_BARS, max(8, math.isqrt(len(costs)))), 1e-9)
    decade = 10.0 ** math.floor(math.log10(wanted))
    width = next(decade * step for step in (1, 2, 2.5, 5, 10) if decade * step >= wanted * (1 - 1e-9))
    if high - low < 1e-9:
        width = 1.0
    first, last = math.floor(low / width), math.floor(high / width) + 1
    return np.arange(first, last + 1) * width


def _add_completion(figure: go.Figure, completion: pd.DataFrame) -> None:
    """Two lines over time, each in its band."""
    minutes = completion["after_s"] / 60
    lines = (
        ("lots filled", "filled_share", "filled_p5", "filled_p95", GREY, LOTS_FILL, "90 % of the paths"),
        ("every lot filled", "completed", "low", "high", BLUE, COMPLETED_FILL, "95 % interval"),
    )
    for name, middle, low, high, color, fill, band in lines:
        figure.add_scatter(
            x=[*minutes, *reversed(minutes.tolist())],
            y=[*completion[high], *reversed(completion[low].tolist())],
            mode="lines",
            fill="toself",
            fillcolor=fill,
            line={"width": 0},
            hoverinfo="skip",
            name=f"{name}, {band}",
            showlegend=False,
            row=2,
            col=1,
        )
        figure.add_scatter(
            x=minutes,
            y=completion[middle],
            customdata=completion[[low, high]],
            mode="lines",
            line={"color": color, "width": 3},
            name=name,
            hovertemplate=f"{name} after %{{x:,.1f}} min: %{{y:.1%}}<br>{band}: %{{customdata[0]:.1%}} to "
            "%{customdata[1]:.1%}<extra></extra>",
            row=2,
            col=1,
        )


def frontier_figure(
    frontier: pd.DataFrame, *, against: Against, title: str = "Plans side by side", theme: Theme | None = None
) -> go.Figure:
    """The mean cost of each plan with its 95 % interval, over what it takes or risks, joined from left to right.

    Intervals are of each plan by itself. In common markets the difference of two plans is surer than they look; what is
    known of it `Comparison.compare` tells.

    Parameters
    ----------
    frontier
        What `Comparison.frontier` gives.
    against
        Its column that the cost is drawn over.
    title, theme
        As in `plots.fills`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    axis, unit = _AXES[against]
    rows = [
        row
        for row in records(frontier.sort_values(against, kind="stable"))
        if not (math.isnan(row["cost_ticks"]) or math.isnan(row[against]))
    ]
    reach = [0.0 if math.isnan(row["high_ticks"]) else row["high_ticks"] - row["cost_ticks"] for row in rows]
    figure = go.Figure()
    figure.add_scatter(
        x=[row[against] / unit for row in rows],
        y=[row["cost_ticks"] for row in rows],
        error_y={"type": "data", "array": reach, "color": BLUE, "thickness": 2, "width": 6},
        text=[html.escape(row["plan"], quote=False) for row in rows],
        customdata=[_plan_words(row) for row in rows],
        mode="lines+markers+text",
        textposition="top right",
        line={"color": GREY, "width": 1, "dash": "dot"},
        marker={"color": BLUE, "size": 10, "line": {"color": "white", "width": 1}},
        hovertemplate="%{customdata}<extra></extra>",
        name="mean cost, 95 % interval",
        showlegend=bool(rows),
        cliponaxis=False,
    )
    dress(figure, title=title, height=360, empty=not rows, theme=theme, timed=False)
    figure.update_layout(margin={"t": 84})
    lacking = [html.escape(row["plan"], quote=False) for row in records(frontier) if math.isnan(row["cost_ticks"])]
    words = f"{axis}; no cost is known of {', '.join(lacking)}" if lacking else axis
    figure.update_xaxes(title_text=words)
    figure.update_yaxes(title_text=_COSTS[rows[0]["cost"]] if rows else "cost")
    return figure


def _plan_words(row: dict[str, Any]) -> str:
    interval = "" if math.isnan(row["low_ticks"]) else f" ({_signed(row['low_ticks'])} to {_signed(row['high_ticks'])})"
    return (
        f"<b>{html.escape(row['plan'], quote=False)}</b><br>{_signed(row['cost_ticks'])} ticks a lot{interval}<br>"
        f"deviation {row['deviation_ticks']:.2f} ticks, {row['shortfall_lots']:.2f} lots without a fill<br>"
        f"{row['completed']:.0%} completed, {row['messages']:.1f} messages, {row['paths']:,} paths"
    )


def _signed(value: float) -> str:
    """A figure with its sign, the true minus, and no sign on zero."""
    text = f"{value:+,.2f}"
    return text[1:] if not text.strip("+-0.,") else text.replace("-", "−")
