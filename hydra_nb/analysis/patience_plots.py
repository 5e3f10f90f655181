"""Figures of fill survival and of the spread clock; `plots` hands them on."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis.plot_traces import BLUE, GREY, ORANGE, RED, Theme, dress, records

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SELDOM: Final = 0.5
"""An hour that was quoted for less than this share of its recorded time is marked."""

_COLORS: Final = ((BLUE, "47, 128, 216"), (ORANGE, "199, 119, 0"), (RED, "227, 73, 72"), (GREY, "128, 128, 128"))
_DASHES: Final = ("solid", "dash", "dot", "dashdot")
_NARROW_TO_WIDE: Final = ((0.0, "rgba(47, 128, 216, 0.12)"), (1.0, "rgba(47, 128, 216, 1)"))


def survival_curves(
    survival: pd.DataFrame, *, title: str = "Share still open since the stage began", theme: Theme | None = None
) -> go.Figure:
    """Fill-survival curves as steps, with their bands shaded, one colour and dash a group.

    Parameters
    ----------
    survival
        What `hydra_nb.analysis.survival.survival` gives; may be empty.
    title
        Of the figure.
    theme
        ``"light"`` or ``"dark"``, the ground that it will stand on; None suits both.

    Returns
    -------
    plotly.graph_objects.Figure
        Each curve goes from 100 % down to what was open at the end of its longest stage; a group without a band has
        none. On hover each step tells the orders and lots that it rests on.
    """
    figure = go.Figure()
    groups = list(dict.fromkeys(survival["group"]))
    for number, group in enumerate(groups):
        color, channels = _COLORS[number % len(_COLORS)]
        curve = survival[survival["group"] == group]
        times, edges = _outline(curve)
        figure.add_scatter(
            x=times,
            y=edges,
            mode="lines",
            fill="toself",
            fillcolor=f"rgba({channels}, 0.16)",
            line={"width": 0},
            name=f"band of {group}",
            legendgroup=group,
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=curve["time_s"],
            y=curve["unfilled"],
            customdata=curve[["orders", "at_risk", "filled"]].astype("float64"),
            mode="lines",
            line={"color": color, "width": 2.5, "shape": "hv", "dash": _DASHES[number // len(_COLORS) % len(_DASHES)]},
            name=f"{group}, {curve['orders'].max()} orders",
            legendgroup=group,
            hovertemplate=(
                f"{group}: %{{y:.0%}} open after %{{x:,.1f}} s<br>%{{customdata[0]:,.0f}} orders, "
                "%{customdata[1]:,.0f} open before, %{customdata[2]:,.0f} filled then<extra></extra>"
            ),
        )
    dress(figure, title=title, height=320, empty=not groups, theme=theme, timed=False)
    figure.update_yaxes(title_text="still open", tickformat=".0%", range=[0, 1.02])
    figure.update_xaxes(title_text="seconds since the stage began", rangemode="tozero")
    return figure


def _outline(curve: pd.DataFrame) -> tuple[list[float | None], list[float | None]]:
    """Corner points of the band of a curve: one closed outline for each stretch in which both ends are known."""
    times: list[float | None] = []
    edges: list[float | None] = []
    for stretch in _known(records(curve)):
        upper = [point for row in stretch for point in ((row["from_s"], row["high"]), (row["until_s"], row["high"]))]
        lower = [point for row in stretch for point in ((row["from_s"], row["low"]), (row["until_s"], row["low"]))]
        for time_s, edge in (*upper, *reversed(lower)):
            times.append(time_s)
            edges.append(edge)
        times.append(None)
        edges.append(None)
    return times, edges


def _known(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Stretches of rows whose band is known, each row with the time until which it holds."""
    stretch: list[dict[str, Any]] = []
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        if np.isnan(row["low"]) or np.isnan(row["high"]):
            if stretch:
                yield stretch
            stretch = []
            continue
        until_s = row["time_s"] if following is None else following["time_s"]
        stretch.append({**row, "from_s": row["time_s"], "until_s": until_s})
    if stretch:
        yield stretch


def spread_clock_map(
    clock: pd.DataFrame,
    *,
    window: pd.DataFrame | None = None,
    time_zone: str = "",
    title: str = "Spread clock",
    theme: Theme | None = None,
) -> go.Figure:
    """Weekday by hour: the wider the mean spread, the darker; hours that were not recorded are empty.

    Parameters
    ----------
    clock
        What `hydra_nb.analysis.spread_clock.spread_clock` gives; may be empty.
    window
        What `suggest_window` gives: where it tells a window, that is framed.
    time_zone
        IANA name of the exchange's zone, for the axis.
    title, theme
        As in `survival_curves`.

    Returns
    -------
    plotly.graph_objects.Figure
        Hours that were quoted for less than half of their recorded time are crossed; on hover each tells its numbers.
    """
    figure = go.Figure()
    cells = {(int(row["weekday"]), int(row["hour"])): row for row in records(clock)}
    days = sorted({day for day, _ in cells})
    grid = [[_cell(cells.get((day, hour))) for hour in range(24)] for day in days]
    figure.add_heatmap(
        x=list(range(24)),
        y=list(range(len(days))),
        z=[[ticks for ticks, _ in line] for line in grid],
        text=[[words for _, words in line] for line in grid],
        colorscale=[list(stop) for stop in _NARROW_TO_WIDE],
        colorbar={"title": {"text": "ticks"}, "outlinewidth": 0, "thickness": 12},
        xgap=2,
        ygap=2,
        hoverongaps=False,
        name="mean spread",
        hovertemplate="%{text}<extra></extra>",
    )
    seldom = [place for place, row in cells.items() if row["quoted_share"] < SELDOM]
    figure.add_scatter(
        x=[hour for _, hour in seldom],
        y=[days.index(day) for day, _ in seldom],
        mode="markers",
        marker={"symbol": "x-thin", "size": 9, "line": {"color": ORANGE, "width": 2}},
        name="quoted for less than half of the time",
        showlegend=bool(seldom),
        hoverinfo="skip",
    )
    for first, last in _spans(window):
        frame = {"color": ORANGE, "width": 3}
        figure.add_shape(type="rect", x0=first - 0.5, x1=last + 0.5, y0=-0.5, y1=len(days) - 0.5, line=frame)
    dress(figure, title=title, height=150 + 34 * max(2, len(days)), empty=not cells, theme=theme, timed=False)
    zone = f", {time_zone} time" if time_zone else ""
    names = [WEEKDAYS[day - 1] for day in days]
    figure.update_yaxes(tickvals=list(range(len(days))), ticktext=names, autorange="reversed", showgrid=False)
    figure.update_xaxes(
        title_text=f"hour of the day{zone}", dtick=2, tickformat="02d", range=[-0.5, 23.5], showgrid=False
    )
    return figure


def _cell(row: dict[str, Any] | None) -> tuple[float | None, str]:
    """Mean spread of an hour, and its numbers in words."""
    if row is None:
        return None, "not recorded"
    known = not np.isnan(row["mean_ticks"])
    spread = f"mean {row['mean_ticks']:.1f} ticks, median {row['median_ticks']:.1f}" if known else "never two-sided"
    return (float(row["mean_ticks"]) if known else None), (
        f"{WEEKDAYS[int(row['weekday']) - 1]} {int(row['hour']):02d}:00: {spread}<br>"
        f"quoted {row['quoted_share']:.0%} of {row['recorded_s'] / 60:,.0f} min recorded on {row['days']} days"
    )


def _spans(window: pd.DataFrame | None) -> list[tuple[int, int]]:
    """First and last hour of a suggested window; over midnight it is two."""
    if window is None or window.empty or pd.isna(window["from_hour"].iloc[0]):
        return []
    first, last = int(window["from_hour"].iloc[0]), (int(window["to_hour"].iloc[0]) - 1) % 24
    return [(first, last)] if first <= last else [(first, 23), (0, last)]
