"""Figures of a plan and of an execution, from frames alone.

Plain Plotly figures: transparent, in four colours that hold 3:1 on white and on dark, so that one figure serves both
themes. Times on the axis are those of the exchange; Plotly knows no zones, so they are given as local wall-clock times.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

BLUE, GREY, ORANGE, RED = "#2f80d8", "#808080", "#c77700", "#e34948"
BAND_FILL, WINDOW_FILL = "rgba(128, 128, 128, 0.22)", "rgba(47, 128, 216, 0.14)"
GRID = "rgba(128, 128, 128, 0.28)"
MOST_QUOTES = 400  # each draws four points of the band
_STAGES = (("mid", "circle"), ("step", "square"), ("cross", "diamond"))


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
    rows, band = _rows(schedule), _thinned(quotes)
    _add_band(figure, band, time_zone=time_zone, decimals=decimals)
    mid = _last_mid(band)
    _add_stages(figure, rows, side=side, tick=float(tick), decimals=decimals, mid=mid, time_zone=time_zone)
    ends = [end for row in rows if (end := _end(row)) is not None]
    times = [*band["time"].tolist(), *(row["start"] for row in rows), *ends]
    for row in rows:
        _shade(figure, row["earliest"], row["latest"], time_zone=time_zone)
    if times and mid is not None:
        line = {"color": GREY, "width": 1, "dash": "dot"}
        _add_level(figure, mid, times, name="mid now", line=line, decimals=decimals, time_zone=time_zone)
    if times and limit is not None:
        line = {"color": ORANGE, "width": 1.5, "dash": "dash"}
        _add_level(figure, float(limit), times, name="limit", line=line, decimals=decimals, time_zone=time_zone)
    _dress(figure, title=title, height=300, empty=not times)
    figure.update_yaxes(title_text=unit, tickformat=f",.{decimals}f")
    figure.update_xaxes(title_text=_zone_words(times, time_zone))
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
    their start to the end of their ladder. Due are the lots of slices whose ladder has ended, open those of slices begun.

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
    rows, band, filled = _rows(slices), _thinned(quotes), _rows(fills.sort_values("time"))
    _add_band(figure, band, time_zone=time_zone, decimals=decimals, row=1)
    _add_fills(figure, filled, side=side, decimals=decimals, time_zone=time_zone)
    ends = [end for row in rows if (end := _end(row)) is not None]
    times = [*band["time"].tolist(), *(row["time"] for row in filled), *(row["start"] for row in rows), *ends]
    for row in rows:
        _shade(figure, row["start"], _end(row), time_zone=time_zone, label=str(row["slice"]), row=1)
    if times and arrival_mid is not None and np.isfinite(arrival_mid):
        line = {"color": GREY, "width": 1, "dash": "dash"}
        _add_level(figure, arrival_mid, times, name="arrival", line=line, decimals=decimals, time_zone=time_zone, row=1)
    _add_progress(figure, rows, filled, time_zone=time_zone)
    _dress(figure, title=title, height=420, empty=not times)
    figure.update_yaxes(tickformat=f",.{decimals}f", row=1, col=1)
    figure.update_yaxes(title_text="lots", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text=_zone_words(times, time_zone), row=2, col=1)
    return figure


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def _local(times: Sequence[Any], *, time_zone: str) -> list[Any]:
    """Wall-clock times of the exchange; None, which breaks a line, stays None."""
    return [
        None if time is None or pd.isna(time) else pd.Timestamp(time).tz_convert(time_zone).tz_localize(None)
        for time in times
    ]


def _end(row: dict[str, Any]) -> pd.Timestamp | None:
    """When the ladder of a slice ends; None where its start is unknown."""
    if pd.isna(row["start"]):
        return None
    waits = (row["wait_mid_s"], row["wait_step_s"], row["wait_cross_s"])
    return pd.Timestamp(row["start"]) + pd.Timedelta(seconds=sum(wait for wait in waits if not pd.isna(wait)))


def _thinned(quotes: pd.DataFrame) -> pd.DataFrame:
    """Quotes where bid or ask changed, and the last; at most `MOST_QUOTES`, evenly chosen."""
    ordered = quotes[["time", "bid", "ask"]].sort_values("time").reset_index(drop=True)
    if ordered.empty:
        return ordered
    prices = ordered[["bid", "ask"]]
    before = prices.shift()
    changed = ((prices != before) & ~(prices.isna() & before.isna())).any(axis=1)
    changed.iloc[0] = changed.iloc[-1] = True
    kept = ordered[changed]
    if len(kept) > MOST_QUOTES:
        kept = kept.iloc[np.unique(np.linspace(0, len(kept) - 1, MOST_QUOTES).astype(int))]
    return kept.reset_index(drop=True)


def _last_mid(band: pd.DataFrame) -> float | None:
    known = band.dropna(subset=["bid", "ask"])
    return None if known.empty else float((known["bid"].iloc[-1] + known["ask"].iloc[-1]) / 2)


def _add_band(figure: go.Figure, band: pd.DataFrame, *, time_zone: str, decimals: int, row: int | None = None) -> None:
    """The area between bid and ask in steps: one closed outline for each stretch in which both sides show."""
    times: list[Any] = []
    prices: list[float | None] = []
    two_sided = (band["bid"].notna() & band["ask"].notna()).to_numpy(dtype=bool)
    starts = [at for at in range(len(band)) if two_sided[at] and (at == 0 or not two_sided[at - 1])]
    for start in starts:
        stop = next((at for at in range(start, len(band)) if not two_sided[at]), len(band))
        part = band.iloc[start:stop]
        until = band["time"].iloc[min(stop, len(band) - 1)]
        edges = [*part["time"].tolist(), until]
        ask_times, ask_prices = _steps(edges, part["ask"].tolist())
        bid_times, bid_prices = _steps(edges, part["bid"].tolist())
        times += [*ask_times, *reversed(bid_times), None]
        prices += [*ask_prices, *reversed(bid_prices), None]
    trace = go.Scatter(
        x=_local(times, time_zone=time_zone),
        y=prices,
        mode="lines",
        fill="toself",
        fillcolor=BAND_FILL,
        line={"color": GREY, "width": 1},
        name="bid to ask",
        hovertemplate=f"%{{y:,.{decimals}f}} at %{{x|%H:%M:%S}}<extra></extra>",
        hoveron="points",
    )
    _add(figure, trace, row=row)


def _steps(edges: Sequence[Any], values: Sequence[float]) -> tuple[list[Any], list[float]]:
    """Corner points of values that each hold from one edge to the next."""
    times = [time for at in range(len(values)) for time in (edges[at], edges[at + 1])]
    return times, [value for value in values for _ in range(2)]


def _add_stages(
    figure: go.Figure,
    rows: Sequence[dict[str, Any]],
    *,
    side: str,
    tick: float,
    decimals: int,
    mid: float | None,
    time_zone: str,
) -> None:
    """The price of each stage over its wait, and the lots of each slice below its steps."""
    times: list[Any] = []
    prices: list[float | None] = []
    words: list[str | None] = []
    labels: list[tuple[pd.Timestamp, float, str]] = []
    for row in rows:
        if pd.isna(row["start"]):
            continue
        time = start = pd.Timestamp(row["start"])
        lowest = np.inf
        for stage, _ in _STAGES:
            price, wait = row[f"limit_{stage}"], row[f"wait_{stage}_s"]
            if pd.isna(price) or pd.isna(wait):
                continue
            until = time + pd.Timedelta(seconds=wait)
            word = f"slice {row['slice']}, {stage}: {side} {row['lots']} at {_price(price, decimals)}"
            if mid is not None:
                word += f", {_price((price - mid) / tick, 1)} ticks from mid"
            times += [time, until]
            prices += [price, price]
            words += [word, word]
            lowest, time = min(lowest, price), until
        times.append(None)
        prices.append(None)
        words.append(None)
        if np.isfinite(lowest):
            labels.append((start + (time - start) / 2, lowest, str(row["lots"])))
    steps = go.Scatter(
        x=_local(times, time_zone=time_zone),
        y=prices,
        text=words,
        mode="lines",
        line={"color": BLUE, "width": 3},
        name="stage prices",
        hovertemplate="%{text}<extra></extra>",
    )
    lots = go.Scatter(
        x=_local([time for time, _, _ in labels], time_zone=time_zone),
        y=[price for _, price, _ in labels],
        text=[f"<b>{text}</b>" for _, _, text in labels],
        mode="text",
        textposition="bottom center",
        textfont={"color": BLUE, "size": 13},
        hoverinfo="skip",
        showlegend=False,
        name="lots",
    )
    _add(figure, steps)
    _add(figure, lots)


def _add_fills(figure: go.Figure, rows: Sequence[dict[str, Any]], *, side: str, decimals: int, time_zone: str) -> None:
    """One marker a fill; one trace a stage, so that the legend explains the shapes."""
    for stage, symbol in _STAGES:
        at_stage = [row for row in rows if row["stage"] == stage]
        trace = go.Scatter(
            x=_local([row["time"] for row in at_stage], time_zone=time_zone),
            y=[row["price"] for row in at_stage],
            text=[
                f"{side} {row['lots']} at {_price(row['price'], decimals)}, slice {row['slice']}, {stage}"
                for row in at_stage
            ],
            mode="markers",
            marker={
                "symbol": symbol,
                "color": BLUE,
                "size": [min(26.0, 7 + 4 * float(row["lots"]) ** 0.5) for row in at_stage],
                "line": {"color": "white", "width": 1},
            },
            name=f"filled at {stage}",
            showlegend=bool(at_stage),
            hovertemplate="%{text}<br>%{x|%H:%M:%S}<extra></extra>",
        )
        _add(figure, trace, row=1)


def _add_progress(
    figure: go.Figure, slices: Sequence[dict[str, Any]], fills: Sequence[dict[str, Any]], *, time_zone: str
) -> None:
    """Cumulative filled lots as steps, on the band from due to open."""
    begun = sorted((pd.Timestamp(row["start"]), int(row["lots"])) for row in slices if not pd.isna(row["start"]))
    ended = sorted((end, int(row["lots"])) for row in slices if (end := _end(row)) is not None)
    if begun:
        edges = sorted({time for time, _ in begun} | {time for time, _ in ended})
        opened = [sum(lots for time, lots in begun if time <= edge) for edge in edges]
        due = [sum(lots for time, lots in ended if time <= edge) for edge in edges]
        open_times, open_lots = _steps([*edges, edges[-1]], opened)
        due_times, due_lots = _steps([*edges, edges[-1]], due)
        band = go.Scatter(
            x=_local([*open_times, *reversed(due_times)], time_zone=time_zone),
            y=[*open_lots, *reversed(due_lots)],
            mode="lines",
            fill="toself",
            fillcolor=BAND_FILL,
            line={"color": GREY, "width": 1},
            name="due to open",
            hoverinfo="skip",
        )
        _add(figure, band, row=2)
    total = np.cumsum([int(row["lots"]) for row in fills]).tolist()
    times = [pd.Timestamp(row["time"]) for row in fills]
    if times:
        first = min([times[0], *(time for time, _ in begun)])
        times, total = [first, *times], [0, *total]
    line = go.Scatter(
        x=_local(times, time_zone=time_zone),
        y=total,
        mode="lines",
        line={"color": BLUE, "width": 3, "shape": "hv"},
        name="filled",
        hovertemplate="%{y} lots filled at %{x|%H:%M:%S}<extra></extra>",
    )
    _add(figure, line, row=2)


def _add(figure: go.Figure, trace: go.Scatter, *, row: int | None = None) -> None:
    if row is None:
        figure.add_trace(trace)
    else:
        figure.add_trace(trace, row=row, col=1)


def _add_level(
    figure: go.Figure,
    price: float,
    times: Sequence[Any],
    *,
    name: str,
    line: dict[str, Any],
    decimals: int,
    time_zone: str,
    row: int | None = None,
) -> None:
    """A horizontal line over all times, with its name and price at the right end."""
    known = [pd.Timestamp(time) for time in times if not pd.isna(time)]
    text = f"{name} {_price(price, decimals)}"
    trace = go.Scatter(
        x=_local([min(known), max(known)], time_zone=time_zone),
        y=[price, price],
        text=["", text],
        mode="lines+text",
        textposition="top left",
        textfont={"color": line["color"], "size": 11},
        line=line,
        name=name,
        showlegend=False,
        hovertemplate=f"{text}<extra></extra>",
    )
    _add(figure, trace, row=row)


def _shade(
    figure: go.Figure, start: Any, end: Any, *, time_zone: str, label: str | None = None, row: int | None = None
) -> None:
    """Shade a stretch of time behind everything else, with its label at the top; nothing where it has no length."""
    if pd.isna(start) or end is None or pd.isna(end) or start >= end:
        return
    left, right = _local([start, end], time_zone=time_zone)
    place = {} if row is None else {"row": row, "col": 1}
    figure.add_vrect(x0=left, x1=right, fillcolor=WINDOW_FILL, line_width=0, layer="below", **place)
    if label is not None:
        figure.add_annotation(
            x=left + (right - left) / 2,
            y=1,
            yref="y domain",
            yanchor="bottom",
            text=label,
            showarrow=False,
            font={"color": GREY, "size": 11},
        )


def _dress(figure: go.Figure, *, title: str, height: int, empty: bool) -> None:
    figure.update_layout(
        title={"text": f"<b>{_plain(title)}</b>", "font": {"size": 14}, "x": 0, "xref": "paper", "xanchor": "left"},
        font={"color": GREY, "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"l": 64, "r": 16, "t": 64, "b": 44},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.06, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        hovermode="closest",
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, type="date", tickformat="%H:%M", hoverformat="%H:%M:%S")
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    if empty:
        figure.add_annotation(text="nothing to show yet", showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")


def _zone_words(times: Sequence[Any], time_zone: str) -> str:
    """The zone of the axis, and the day on which it begins."""
    known = [pd.Timestamp(time) for time in times if not pd.isna(time)]
    return f"{min(known).tz_convert(time_zone):%a %d %b %Y}, {time_zone} time" if known else f"{time_zone} time"


def _price(price: float, decimals: int) -> str:
    return f"{price:,.{decimals}f}".replace("-", "−")


def _plain(text: str) -> str:
    """Text without the angle brackets that Plotly would read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
