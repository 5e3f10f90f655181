"""What figures are drawn of: bands, steps, markers, shades, from the rows of frames. Used by `plots` alone."""

import math
from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.errors import must_be_one_of

Theme = Literal["light", "dark"]

BLUE, GREY, ORANGE, RED = "#2f80d8", "#808080", "#c77700", "#e34948"
TEXT: dict[Theme | None, str] = {None: "#757575", "light": "#4a4a4a", "dark": "#cfcfcf"}
"""Of words: AA on white and readable on dark without a theme, AA on the theme's own ground with one."""
OWN = "hydra"
"""Uid of one trace in every figure: by it a style sheet on the page finds our figures and colours their words."""
BAND_FILL, WINDOW_FILL = "rgba(128, 128, 128, 0.22)", "rgba(47, 128, 216, 0.14)"
GRID = "rgba(128, 128, 128, 0.28)"
MOST_USE = 2.0
"""Longest bar of a check that refused, in limits; its words tell the rest."""
MOST_QUOTES = 400  # each draws four points of the band
STAGES = (("mid", "circle"), ("step", "square"), ("cross", "diamond"))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def local(times: Sequence[Any], *, time_zone: str) -> list[Any]:
    """Wall-clock times of the exchange; None, which breaks a line, stays None."""
    return [
        None if time is None or pd.isna(time) else pd.Timestamp(time).tz_convert(time_zone).tz_localize(None)
        for time in times
    ]


def ladder_end(row: dict[str, Any]) -> pd.Timestamp | None:
    """When the ladder of a slice ends; None where its start is unknown."""
    if pd.isna(row["start"]):
        return None
    waits = (row["wait_mid_s"], row["wait_step_s"], row["wait_cross_s"])
    return pd.Timestamp(row["start"]) + pd.Timedelta(seconds=sum(wait for wait in waits if not pd.isna(wait)))


def thinned(quotes: pd.DataFrame) -> pd.DataFrame:
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


def last_mid(band: pd.DataFrame) -> float | None:
    """The last mid of which both sides are known; None where there is none."""
    known = band.dropna(subset=["bid", "ask"])
    return None if known.empty else float((known["bid"].iloc[-1] + known["ask"].iloc[-1]) / 2)


def price_range(rows: Sequence[dict[str, Any]], band: pd.DataFrame, *, extra: Any) -> tuple[float, float]:
    """Lowest and highest price that is drawn, with room for the labels below and above."""
    drawn = [row[f"limit_{stage}"] for row in rows for stage, _ in STAGES]
    drawn += [*band["bid"].tolist(), *band["ask"].tolist(), *([] if extra is None else [float(extra)])]
    known = [float(price) for price in drawn if not pd.isna(price)]
    if not known:
        return 0.0, 1.0
    room = (max(known) - min(known)) or max(1e-6, abs(known[0]) * 0.001)
    return min(known) - 0.14 * room, max(known) + 0.08 * room


def add_band(figure: go.Figure, band: pd.DataFrame, *, time_zone: str, decimals: int, row: int | None = None) -> None:
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
        x=local(times, time_zone=time_zone),
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


def add_stages(
    figure: go.Figure,
    rows: Sequence[dict[str, Any]],
    *,
    side: str,
    tick: float,
    decimals: int,
    mid: float | None,
    drop: float,
    time_zone: str,
) -> None:
    """The price of each stage over its wait, and the lots of each slice a `drop` below its steps."""
    times: list[Any] = []
    prices: list[float | None] = []
    words: list[str | None] = []
    labels: list[tuple[pd.Timestamp, float, str]] = []
    for row in rows:
        if pd.isna(row["start"]):
            continue
        time = start = pd.Timestamp(row["start"])
        lowest = np.inf
        for stage, _ in STAGES:
            price, wait = row[f"limit_{stage}"], row[f"wait_{stage}_s"]
            if pd.isna(price) or pd.isna(wait):
                continue
            until = time + pd.Timedelta(seconds=wait)
            word = f"slice {row['slice']}, {stage}: {side} {row['lots']} at {_price(price, decimals)}"
            if mid is not None:
                word += f", {(price - mid) / tick:+.1f} ticks from mid"
            times += [time, until]
            prices += [price, price]
            words += [word, word]
            lowest, time = min(lowest, price), until
        times.append(None)
        prices.append(None)
        words.append(None)
        if np.isfinite(lowest):
            labels.append((start + (time - start) / 2, lowest - drop, str(row["lots"])))
    steps = go.Scatter(
        x=local(times, time_zone=time_zone),
        y=prices,
        text=words,
        mode="lines",
        line={"color": BLUE, "width": 3},
        name="stage prices",
        hovertemplate="%{text}<extra></extra>",
    )
    lots = go.Scatter(
        x=local([time for time, _, _ in labels], time_zone=time_zone),
        y=[price for _, price, _ in labels],
        text=[f"<b>{text}</b>" for _, _, text in labels],
        mode="text",
        textposition="middle center",
        textfont={"color": BLUE, "size": 13},
        hoverinfo="skip",
        showlegend=False,
        name="lots",
    )
    _add(figure, steps)
    _add(figure, lots)


def add_fills(
    figure: go.Figure,
    rows: Sequence[dict[str, Any]],
    *,
    side: str,
    decimals: int,
    time_zone: str,
    color: str = BLUE,
    prefix: str = "filled at",
    row: int | None = 1,
) -> None:
    """One marker a fill; one trace a stage, so that the legend explains the shapes."""
    for stage, symbol in STAGES:
        at_stage = [one for one in rows if one["stage"] == stage]
        trace = go.Scatter(
            x=local([one["time"] for one in at_stage], time_zone=time_zone),
            y=[one["price"] for one in at_stage],
            text=[
                f"{side} {one['lots']} at {_price(one['price'], decimals)}, slice {one['slice']}, {stage}"
                for one in at_stage
            ],
            mode="markers",
            marker={
                "symbol": symbol,
                "color": color,
                "opacity": 1,
                "size": [marker_size(one["lots"]) for one in at_stage],
                "line": {"color": "white", "width": 1},
            },
            name=f"{prefix} {stage}",
            showlegend=bool(at_stage),
            hovertemplate="%{text}<br>%{x|%H:%M:%S}<extra></extra>",
        )
        _add(figure, trace, row=row)


def marker_size(lots: float) -> float:
    """Diameter of a fill's marker in pixels: its area grows with the lots."""
    return min(26.0, 7 + 4 * math.sqrt(lots))


def add_progress(
    figure: go.Figure,
    slices: Sequence[dict[str, Any]],
    fills: Sequence[dict[str, Any]],
    *,
    until: pd.Timestamp | None,
    time_zone: str,
) -> None:
    """Cumulative filled lots as steps up to the last quote, on the band from due to open."""
    begun = sorted((pd.Timestamp(row["start"]), int(row["lots"])) for row in slices if not pd.isna(row["start"]))
    ended = sorted((end, int(row["lots"])) for row in slices if (end := ladder_end(row)) is not None)
    if begun:
        edges = sorted({time for time, _ in begun} | {time for time, _ in ended})
        opened = [sum(lots for time, lots in begun if time <= edge) for edge in edges]
        due = [sum(lots for time, lots in ended if time <= edge) for edge in edges]
        open_times, open_lots = _steps([*edges, edges[-1]], opened)
        due_times, due_lots = _steps([*edges, edges[-1]], due)
        band = go.Scatter(
            x=local([*open_times, *reversed(due_times)], time_zone=time_zone),
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
        if until is not None and until > times[-1]:
            times, total = [*times, until], [*total, total[-1]]
    line = go.Scatter(
        x=local(times, time_zone=time_zone),
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


def add_level(
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
    """A horizontal line over all times, with its name and price beside the right end."""
    known = [pd.Timestamp(time) for time in times if not pd.isna(time)]
    text = f"{name}<br>{_price(price, decimals)}"
    trace = go.Scatter(
        x=local([min(known), max(known)], time_zone=time_zone),
        y=[price, price],
        mode="lines",
        line=line,
        name=name,
        showlegend=False,
        hovertemplate=f"{name} {_price(price, decimals)}<extra></extra>",
    )
    _add(figure, trace, row=row)
    figure.add_annotation(
        text=text,
        x=1,
        xref="x domain",
        xanchor="left",
        xshift=6,
        y=price,
        yref="y",
        align="left",
        showarrow=False,
        font={"size": 11},
    )


def shade(
    figure: go.Figure, start: Any, end: Any, *, time_zone: str, label: str | None = None, row: int | None = None
) -> None:
    """Shade a stretch of time behind everything else, with its label at the top; nothing where it has no length."""
    if pd.isna(start) or end is None or pd.isna(end) or start >= end:
        return
    left, right = local([start, end], time_zone=time_zone)
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
            font={"size": 11},
        )


def dress(figure: go.Figure, *, title: str, height: int, empty: bool, theme: Theme | None, timed: bool = True) -> None:
    """Give a figure its transparent ground, its grid and its title; an empty one says so instead of showing axes.

    `timed` where the horizontal axis is that of time. A theme that is none is an `InvalidOrder`.
    """
    if theme is not None:
        must_be_one_of(theme, get_args(Theme), name="theme")
    words = TEXT[theme]
    figure.update_layout(
        title={"text": f"<b>{_plain(title)}</b>", "font": {"size": 14}, "x": 0, "xref": "paper", "xanchor": "left"},
        font={"color": words, "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"l": 64, "r": 104, "t": 64, "b": 44},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.06, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        hovermode="closest",
        modebar={
            "bgcolor": "rgba(0,0,0,0)",
            "color": GREY,
            "activecolor": BLUE,
            "orientation": "v",
            "remove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        },
    )
    figure.update_annotations(font_color=words)
    lines = [trace for trace in figure.data if trace.type == "scatter"]
    if lines:
        lines[0].update(uid=OWN)
    elif figure.data:  # the page names lines only, not bars: one without points carries the name
        figure.add_scatter(x=[None], y=[None], uid=OWN, mode="lines", showlegend=False, hoverinfo="skip")
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    if timed:
        figure.update_xaxes(type="date", tickformat="%H:%M", hoverformat="%H:%M:%S")
    if empty:
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
        figure.add_annotation(text="nothing to show yet", showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")


def decimals_of(prices: Sequence[Any]) -> int:
    """Decimals that write every price exactly, at most six, at least none."""
    known = np.array([float(price) for price in prices if not pd.isna(price)])
    return next((n for n in range(7) if np.allclose(known, known.round(n), rtol=0, atol=1e-9)), 6)


def zone_words(times: Sequence[Any], time_zone: str) -> str:
    """The zone of the axis, and the day on which it begins."""
    known = [pd.Timestamp(time) for time in times if not pd.isna(time)]
    return f"{min(known).tz_convert(time_zone):%a %d %b %Y}, {time_zone} time" if known else f"{time_zone} time"


def _price(price: float, decimals: int) -> str:
    """A price with the decimals of its tick; one more where it lies between ticks, as a mid may."""
    shown = decimals if abs(round(price, decimals) - price) < 1e-9 else decimals + 1
    return f"{price:,.{shown}f}".replace("-", "−")


def _plain(text: str) -> str:
    """Text without the angle brackets that Plotly would read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
