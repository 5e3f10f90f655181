"""Figures from frames alone: plan, execution, fills on quotes, decisions, spreads, fill survival, spread clock.

Plain Plotly figures, which work offline and export by ``figure.write_html(path, include_plotlyjs=True)``: transparent,
in four colours that hold 3:1 on white and on dark, so that one figure serves both themes. Their words are grey; name
the `theme` where they will stand alone on a light or a dark page. Times on the axis are those of the exchange; Plotly
knows no zones, so they are given as local wall-clock times. What a figure shows, a table says: `plot_tables`.
"""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hydra_nb.analysis.cost_plots import cost_waterfall as cost_waterfall
from hydra_nb.analysis.cost_plots import markout_fan as markout_fan
from hydra_nb.analysis.cost_plots import predicted_against_actual as predicted_against_actual
from hydra_nb.analysis.frontier import efficient_frontier as efficient_frontier
from hydra_nb.analysis.patience_plots import spread_clock_map as spread_clock_map
from hydra_nb.analysis.patience_plots import survival_curves as survival_curves
from hydra_nb.analysis.plot_tables import decision_table, fill_table, spread_table
from hydra_nb.analysis.plot_traces import (
    BLUE,
    GREY,
    MOST_USE,
    ORANGE,
    RED,
    Theme,
    add_band,
    add_fills,
    add_level,
    add_progress,
    add_stages,
    decimals_of,
    dress,
    ladder_end,
    last_mid,
    price_range,
    records,
    shade,
    thinned,
    zone_words,
)
from hydra_nb.domain.units import Side

FEWEST_HOURS = 8
"""Hours for which `spread_by_hour` has room, so that one bar does not fill it."""


def plan_figure(
    schedule: pd.DataFrame,
    *,
    side: str,
    tick: Decimal | float,
    decimals: int,
    quotes: pd.DataFrame,
    limit: Decimal | float | None = None,
    time_zone: str,
    unit: str = "",
    title: str = "",
    theme: Theme | None = None,
) -> go.Figure:
    """The slices of a plan on the quotes until now.

    Stage prices are steps over their waits with the lots below, jitter windows are shaded, the quotes until now are a
    band from bid to ask with the last mid dotted onward, the caller's limit is dashed.

    Parameters
    ----------
    schedule, quotes
        Frames with the columns of ``plan.schedule`` and ``desk.quotes()``; either may be empty.
    side
        ``BUY`` or ``SELL``.
    tick, decimals
        Of the contract; price differences are told in ticks on hover.
    limit
        The caller's limit, in the quoted unit; None where there is none.
    time_zone
        IANA name of the exchange's zone.
    unit
        Of the price, for the axis, such as ``¢``.
    title
        Of the figure.
    theme
        ``"light"`` or ``"dark"``, the ground that it will stand on; None suits both.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    rows, band = records(schedule), thinned(quotes)
    add_band(figure, band, time_zone=time_zone, decimals=decimals)
    mid = last_mid(band)
    low, high = price_range(rows, band, extra=limit)
    drop = (high - low) * 0.05
    add_stages(figure, rows, side=side, tick=float(tick), decimals=decimals, mid=mid, drop=drop, time_zone=time_zone)
    ends = [end for row in rows if (end := ladder_end(row)) is not None]
    times = [*band["time"].tolist(), *(row["start"] for row in rows), *ends]
    for row in rows:
        shade(figure, row["earliest"], row["latest"], time_zone=time_zone)
    if times and mid is not None:
        line = {"color": GREY, "width": 1, "dash": "dot"}
        add_level(figure, mid, times, name="mid now", line=line, decimals=decimals, time_zone=time_zone)
    if times and limit is not None:
        line = {"color": ORANGE, "width": 1.5, "dash": "dash"}
        add_level(figure, float(limit), times, name="limit", line=line, decimals=decimals, time_zone=time_zone)
    dress(figure, title=title, height=300, empty=not times, theme=theme)
    figure.update_yaxes(
        title_text=f"price, {unit}" if unit else "price", tickformat=f",.{decimals}f", range=[low, high]
    )
    figure.update_xaxes(title_text=zone_words(times, time_zone))
    return figure


def execution_figure(
    fills: pd.DataFrame,
    quotes: pd.DataFrame,
    slices: pd.DataFrame,
    *,
    side: str,
    arrival_mid: float | None,
    time_zone: str,
    decimals: int,
    title: str = "",
    theme: Theme | None = None,
) -> go.Figure:
    """Fills on the quotes, and below them the lots filled against what is due and what is open.

    The shape of a fill is its stage (circle mid, square step, diamond cross), its size the lots. Slices are shaded from
    their start to the end of their ladder. Due are the lots of slices whose ladder has ended,
    open those of slices begun.

    Parameters
    ----------
    fills, quotes, slices
        Frames with the columns of the contract; each may be empty.
    side
        ``BUY`` or ``SELL``.
    arrival_mid
        Mid when the parent was accepted; None or NaN where unknown.
    time_zone, decimals, title, theme
        As in `plan_figure`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.66, 0.34], vertical_spacing=0.08)
    rows, band, filled = records(slices), thinned(quotes), records(fills.sort_values("time"))
    add_band(figure, band, time_zone=time_zone, decimals=decimals, row=1)
    add_fills(figure, filled, side=side, decimals=decimals, time_zone=time_zone)
    ends = [end for row in rows if (end := ladder_end(row)) is not None]
    times = [*band["time"].tolist(), *(row["time"] for row in filled), *(row["start"] for row in rows), *ends]
    for row in rows:
        shade(figure, row["start"], ladder_end(row), time_zone=time_zone, label=str(row["slice"]), row=1)
    if times and arrival_mid is not None and np.isfinite(arrival_mid):
        line = {"color": GREY, "width": 1, "dash": "dash"}
        add_level(figure, arrival_mid, times, name="arrival", line=line, decimals=decimals, time_zone=time_zone, row=1)
    until = None if band.empty else pd.Timestamp(band["time"].iloc[-1])
    add_progress(figure, rows, filled, until=until, time_zone=time_zone)
    dress(figure, title=title, height=420, empty=not times, theme=theme)
    figure.update_yaxes(tickformat=f",.{decimals}f", row=1, col=1)
    figure.update_yaxes(title_text="lots", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text=zone_words(times, time_zone), row=2, col=1)
    return figure


def fills(
    fills: pd.DataFrame,
    quotes: pd.DataFrame,
    *,
    time_zone: str = "UTC",
    decimals: int | None = None,
    title: str = "Fills on quotes",
    theme: Theme | None = None,
) -> go.Figure:
    """Fills of any number of orders on the quotes of their contract.

    Buys are blue, sells orange; the shape of a fill is its stage (circle mid, square step, diamond cross), its size the
    lots. `plot_tables.fill_table` says the same.

    Parameters
    ----------
    fills, quotes
        Frames with the columns of ``desk.fills()`` and ``desk.quotes()``, of one contract; each may be empty.
    time_zone
        IANA name of the exchange's zone.
    decimals
        Of the price; None takes those that the prices have.
    title
        Of the figure.
    theme
        ``"light"`` or ``"dark"``, the ground that it will stand on; None suits both.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    rows, band = records(fill_table(fills)), thinned(quotes)
    prices = [row["price"] for row in rows] + band["bid"].tolist() + band["ask"].tolist()
    shown = decimals_of(prices) if decimals is None else decimals
    add_band(figure, band, time_zone=time_zone, decimals=shown)
    for side, color in ((Side.BUY, BLUE), (Side.SELL, ORANGE)):
        of_side = [row for row in rows if row["side"] == side]
        words = {Side.BUY: "bought at", Side.SELL: "sold at"}[side]
        add_fills(figure, of_side, side=side, decimals=shown, time_zone=time_zone, color=color, prefix=words, row=None)
    times = [*band["time"].tolist(), *(row["time"] for row in rows)]
    dress(figure, title=title, height=300, empty=not times, theme=theme)
    figure.update_yaxes(title_text="price", tickformat=f",.{shown}f")
    figure.update_xaxes(title_text=zone_words(times, time_zone))
    return figure


def decisions(decisions: pd.DataFrame, *, title: str = "Risk decisions", theme: Theme | None = None) -> go.Figure:
    """How much of its limit each check of the gate saw used, and which refused.

    One bar a check, at the decision that came nearest to its limit: grey where it passed, red with a cross where it
    refused, beside it how often. Checks without a ceiling are counted below while they pass.
    `plot_tables.decision_table` says the same, and names them.

    Parameters
    ----------
    decisions
        Frame with the columns of ``desk.decisions()``, ``execution.decisions`` or ``plan.risk``; may be empty.
    title, theme
        As in `fills`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    told = records(decision_table(decisions))
    rows = [row for row in told if row["refused"] > 0 or not pd.isna(row["use"])]
    figure = go.Figure()
    for refused, name, color in ((False, "passed", GREY), (True, "refused", RED)):
        of_kind = [row for row in rows if (row["refused"] > 0) is refused]
        figure.add_bar(
            x=[0.0 if pd.isna(row["use"]) else min(MOST_USE, float(row["use"])) * 100 for row in of_kind],
            y=[str(row["check"]).replace("_", " ") for row in of_kind],
            text=[_decision_words(row) for row in of_kind],
            customdata=[row["message"] for row in of_kind],
            orientation="h",
            marker={"color": color},
            textposition="outside",
            cliponaxis=False,
            name=name,
            showlegend=bool(of_kind),
            hovertemplate="%{customdata}<extra></extra>",
        )
    dress(figure, title=title, height=110 + 22 * max(3, len(rows)), empty=not told, theme=theme, timed=False)
    figure.update_layout(margin={"l": 150, "r": 24}, bargap=0.35, uniformtext={"minsize": 11, "mode": "show"})
    names = [str(row["check"]).replace("_", " ") for row in rows]
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed", showgrid=False)
    used = max((min(MOST_USE, row["use"]) for row in rows if not pd.isna(row["use"])), default=0.0)
    words = "% of the limit" + (f"; {len(told) - len(rows)} checks without a ceiling passed" if told != rows else "")
    figure.update_xaxes(title_text=words, range=[0, max(100.0, used * 100) * 1.45], rangemode="tozero")
    if rows:
        figure.add_vline(x=100, line={"color": ORANGE, "width": 1.5, "dash": "dash"})
    return figure


def spread_by_hour(
    quotes: pd.DataFrame,
    *,
    time_zone: str = "UTC",
    tick: Decimal | float | None = None,
    unit: str = "",
    title: str = "Spread by hour",
    theme: Theme | None = None,
) -> go.Figure:
    """The usual spread in each hour of the exchange's day.

    A bar is the median, its whisker reaches from what a tenth to what nine tenths of the time went below; each quote
    counts for the time for which it stood. `plot_tables.spread_table` says the same.

    Parameters
    ----------
    quotes
        Frame with the columns of ``desk.quotes()``, of one contract; may be empty.
    time_zone
        IANA name of the exchange's zone.
    tick
        Smallest price step; with it the spread is in ticks, else in the quoted unit.
    unit
        Of the price, for the axis, such as ``¢``; not used with `tick`.
    title, theme
        As in `fills`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = spread_table(quotes, time_zone=time_zone, tick=None if tick is None else float(tick))
    rows = [row for row in records(table) if not pd.isna(row["median"])]
    figure = go.Figure(
        go.Bar(
            x=[int(row["hour"]) for row in rows],
            y=[row["median"] for row in rows],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [row["high"] - row["median"] for row in rows],
                "arrayminus": [row["median"] - row["low"] for row in rows],
                "color": GREY,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[[row["low"], row["high"], row["quotes"]] for row in rows],
            marker={"color": BLUE},
            width=0.7,
            name="median spread",
            hovertemplate=(
                "%{x}:00 to %{x}:59: median %{y:.2f}, from %{customdata[0]:.2f} to %{customdata[1]:.2f}, "
                "n = %{customdata[2]} quotes<extra></extra>"
            ),
        )
    )
    dress(figure, title=title, height=300, empty=not rows, theme=theme, timed=False)
    figure.update_yaxes(
        title_text="spread, ticks" if tick is not None else f"spread, {unit}" if unit else "spread", rangemode="tozero"
    )
    figure.update_xaxes(title_text=f"hour of the day, {time_zone} time", dtick=1, tickformat="02d", showgrid=False)
    if rows:
        first, last = int(rows[0]["hour"]), int(rows[-1]["hour"])
        figure.update_xaxes(range=[first - 0.5, max(last, first + FEWEST_HOURS - 1) + 0.5])
    return figure


def _decision_words(row: dict[str, Any]) -> str:
    """What stands beside the bar of a check: observed of limit, and how often it refused."""
    known = not (pd.isna(row["observed"]) or pd.isna(row["limit"]))
    unit = "" if pd.isna(row["unit"]) else str(row["unit"])
    words = f"{_figure(row['observed'])} of {_figure(row['limit'])} {unit}".strip() if known else ""
    if row["refused"] > 0:
        return f"✕ refused {row['refused']} of {row['asked']}" + (f": {words}" if words else "")
    return words


def _figure(value: float) -> str:
    """A figure of a check without needless decimals."""
    return (f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}").replace("-", "−")
