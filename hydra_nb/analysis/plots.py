"""Figures of a plan and of an execution, from frames alone.

Plain Plotly figures: transparent, in four colours that hold 3:1 on white and on dark, so that one figure serves both
themes. Times on the axis are those of the exchange; Plotly knows no zones, so they are given as local wall-clock times.
"""

from decimal import Decimal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hydra_nb.analysis.plot_traces import (
    GREY,
    ORANGE,
    add_band,
    add_fills,
    add_level,
    add_progress,
    add_stages,
    dress,
    ladder_end,
    last_mid,
    price_range,
    records,
    shade,
    thinned,
    zone_words,
)


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
    dress(figure, title=title, height=300, empty=not times)
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
    time_zone, decimals, title
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
    dress(figure, title=title, height=420, empty=not times)
    figure.update_yaxes(tickformat=f",.{decimals}f", row=1, col=1)
    figure.update_yaxes(title_text="lots", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text=zone_words(times, time_zone), row=2, col=1)
    return figure
