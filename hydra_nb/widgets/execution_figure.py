"""The one live figure of an execution's view: fills on quotes above, lots filled against due and open below.

Times are numbers, seconds since the epoch by the exchange's wall clock, and the marks of the axis are our own: new
data would make Plotly forget that an axis is one of dates. Colours of words and grid are given by the style sheet, so
that nothing is sent when the theme changes.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go

from hydra_nb.analysis.plot_traces import (
    BAND_FILL,
    BLUE,
    GREY,
    GRID,
    STAGES,
    WINDOW_FILL,
    ladder_end,
    marker_size,
)
from hydra_nb.domain.ports import RestingOrder
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.widgets import numbers
from hydra_nb.widgets.execution_tape import Change, Reals, outline

MOST_POINTS = 300
HEIGHT = 254  # pixels
_MOST_FILLS = 40  # more are joined by slice and stage
_FEWEST_QUOTES = 30
_TIME_STEPS_S = (5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
_MOST_TIME_MARKS = 8

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one picture is drawn from; `side` is the word of a hover, `until_ns` the right end of what has happened."""

    slices: Sequence[Row]
    fills: Sequence[Row]
    resting: Sequence[RestingOrder]
    quotes: Sequence[Change]
    arrival_mid: float | None
    until_ns: int
    is_over: bool
    side: str
    decimals: int
    time_zone: str


def room_for_quotes(slices: Sequence[Row], fills: Sequence[Row]) -> int:
    """Quotes that fit beside slices and fills into a picture of `MOST_POINTS`; each takes two points."""
    others = 4 * (2 * len(slices) + 2) + 2 * min(len(fills), _MOST_FILLS + len(slices) * len(STAGES)) + 12
    return max(_FEWEST_QUOTES, (MOST_POINTS - others) // 2 - 4)


class LiveFigure:
    """A figure widget that is brought up to date in one message, which holds only what has changed.

    Parameters
    ----------
    shown
        The first picture.

    Attributes
    ----------
    widget : plotly.graph_objects.FigureWidget
        What stands in the view.
    """

    def __init__(self, shown: Shown) -> None:
        self._sent: list[Row] = [{} for _ in pictures(shown)]
        self._frame: dict[str, Any] = {}
        self.widget = go.FigureWidget(data=_traces(), layout=_layout(shown))
        self.widget.set_trait("_config", {"responsive": True, "displayModeBar": False})  # it follows its place's width
        self.draw(shown)

    def draw(self, shown: Shown) -> None:
        """Show another picture."""
        with self.widget.batch_update():
            for at, (trace, picture) in enumerate(zip(self.widget.data, pictures(shown), strict=True)):
                sent = self._sent[at]
                for name, values in picture.items():
                    if name not in sent or not np.array_equal(sent[name], values, equal_nan=name != "text"):
                        trace[name] = values
                self._sent[at] = picture
            self._draw_frame(shown)

    def _draw_frame(self, shown: Shown) -> None:
        """Everything but the data: shades, words, the line at now, the marks of the axes."""
        layout, sent = self.widget.layout, self._frame
        span = _span(shown)
        frame = {"shapes": _shades(shown), "annotations": _annotations(shown), "xaxis": _time_axis(span)}
        frame["yaxis2"] = _lots_axis(shown)
        for name, wanted in frame.items():
            if sent.get(name) != wanted:
                layout[name].update(wanted) if "axis" in name else setattr(layout, name, wanted)
        self._frame = frame


def _traces() -> list[go.Scatter]:
    """The traces without data, in the order of `pictures`."""
    band = {
        "mode": "lines",
        "fill": "toself",
        "fillcolor": BAND_FILL,
        "line": {"color": GREY, "width": 1, "shape": "hv"},
    }
    styles: list[Row] = [
        {"name": "bid to ask"} | band,
        *(
            {
                "name": f"filled at {stage}",
                "mode": "markers",
                "marker": {"symbol": symbol, "color": BLUE, "opacity": 1, "line": {"color": "white", "width": 1}},
                "hoverinfo": "text",
            }
            for stage, symbol in STAGES
        ),
        {"name": "working", "mode": "lines+text", "line": {"color": BLUE, "width": 3}, "textposition": "middle right"},
        {"name": "arrival", "mode": "lines", "line": {"color": GREY, "width": 1, "dash": "dash"}},
        *(
            {"name": "now", "mode": "lines", "line": {"color": GREY, "width": 1}, "yaxis": axis}
            for axis in ("y3", "y4")
        ),
        {"name": "due to open", "yaxis": "y2"} | band,
        {"name": "filled", "mode": "lines", "line": {"color": BLUE, "width": 3, "shape": "hv"}, "yaxis": "y2"},
    ]
    return [go.Scatter({"hoverinfo": "skip"} | style) for style in styles]


def pictures(shown: Shown) -> list[Row]:
    """What each trace shows: numpy floats, at most `MOST_POINTS` points together."""
    until = _seconds([shown.until_ns], shown)[0]
    times = _seconds([change.time_ns for change in shown.quotes], shown)
    bids, asks = (np.array([change[at] for change in shown.quotes], dtype=np.float64) for at in (1, 2))
    across, up = outline(times, low=bids, high=asks, until=max(until, times[-1]) if len(times) else until)
    fills = _joined(shown.fills)
    at = [] if shown.is_over else [until, until]
    now = {"x": np.array(at, dtype=np.float64), "y": np.array([0.0, 1.0][: len(at)], dtype=np.float64)}
    return [
        {"x": across, "y": up},
        *(_fill_picture(fills, stage=stage, shown=shown) for stage, _ in STAGES),
        _working_picture(shown, until=until),
        _arrival_picture(shown),
        now,
        now,
        _due_picture(shown),
        _filled_picture(shown, fills, until=until),
    ]


def _seconds(times_ns: Sequence[int], shown: Shown) -> Reals:
    """UTC nanoseconds as seconds of the exchange's wall clock, which keeps one offset over a session."""
    return np.array(times_ns, dtype=np.float64) / NS_PER_S + _offset_s(shown)


def _offset_s(shown: Shown) -> float:
    zone = ZoneInfo(shown.time_zone)
    offset = dt.datetime.fromtimestamp(shown.until_ns // NS_PER_S, tz=zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def _ns(value: Any) -> int | None:
    stamp = numbers.moment(value)
    return None if stamp is None else int(stamp.as_unit("ns").value)


def _joined(fills: Sequence[Row]) -> list[Row]:
    """The fills; where there are very many, one of each slice and stage, at their average price and last time."""
    if len(fills) <= _MOST_FILLS:
        return list(fills)
    groups: dict[tuple[Any, Any], list[Row]] = {}
    for row in fills:
        groups.setdefault((row["slice"], row["stage"]), []).append(row)
    joined = []
    for group in groups.values():
        lots = sum(int(row["lots"]) for row in group)
        price = sum(int(row["lots"]) * float(row["price"]) for row in group) / lots
        joined.append({**group[-1], "lots": lots, "price": price})
    return sorted(joined, key=lambda row: row["time"])


def _fill_picture(fills: Sequence[Row], *, stage: str, shown: Shown) -> dict[str, Any]:
    here = [row for row in fills if row["stage"] == stage and _ns(row["time"]) is not None]
    return {
        "x": _seconds([_ns(row["time"]) or 0 for row in here], shown),
        "y": np.array([float(row["price"]) for row in here], dtype=np.float64),
        "marker.size": np.array([marker_size(row["lots"]) for row in here], dtype=np.float64),
        "text": [
            f"{shown.side} {row['lots']} at {numbers.mid_price(row['price'], decimals=shown.decimals)}, "
            f"slice {row['slice']}, {stage}<br>{numbers.clock_time(row['time'], time_zone=shown.time_zone)}"
            for row in here
        ],
    }


def _working_picture(shown: Shown, *, until: float) -> dict[str, Any]:
    """A line at the price of each order in the market, from the start of its slice until now, with its words."""
    starts = {int(row["slice"]): _ns(row["start"]) for row in shown.slices}
    across: list[float] = []
    up: list[float] = []
    text: list[str] = []
    for order in shown.resting:
        start_ns = starts.get(order.slice)
        start = until if start_ns is None else min(until, _seconds([start_ns], shown)[0])
        price = numbers.price(order.limit_price, decimals=shown.decimals)
        across += [start, until, np.nan]
        up += [float(order.limit_price)] * 2 + [np.nan]
        text += ["", f" {order.lots} working at {price}", ""]
    return {"x": np.array(across, dtype=np.float64), "y": np.array(up, dtype=np.float64), "text": text}


def _arrival_picture(shown: Shown) -> dict[str, Any]:
    mid = numbers.number(shown.arrival_mid)
    if mid is None:
        return {"x": np.array([], dtype=np.float64), "y": np.array([], dtype=np.float64)}
    return {"x": np.array(_span(shown), dtype=np.float64), "y": np.array([mid, mid], dtype=np.float64)}


def _due_picture(shown: Shown) -> dict[str, Any]:
    """The band from what is due (ladders ended) to what is open (slices begun)."""
    begun = [(start, int(row["lots"])) for row in shown.slices if (start := _ns(row["start"])) is not None]
    ended = [(end, int(row["lots"])) for row in shown.slices if (end := _ns(ladder_end(row))) is not None]
    edges = sorted({time for time, _ in begun} | {time for time, _ in ended})
    opened = np.array([sum(lots for time, lots in begun if time <= edge) for edge in edges], dtype=np.float64)
    due = np.array([sum(lots for time, lots in ended if time <= edge) for edge in edges], dtype=np.float64)
    across, up = outline(_seconds(edges, shown), low=due, high=opened, until=_span(shown)[1])
    return {"x": across, "y": up}


def _filled_picture(shown: Shown, fills: Sequence[Row], *, until: float) -> dict[str, Any]:
    """Lots filled so far, in steps from the left end until now."""
    times = _seconds([_ns(row["time"]) or 0 for row in fills], shown)
    total = np.cumsum([0, *(int(row["lots"]) for row in fills)], dtype=np.float64)
    right = max(until, times[-1]) if len(times) else until
    return {
        "x": np.concatenate([[min(_span(shown)[0], right)], times, [right]]),
        "y": np.append(total, total[-1]),
    }


def _span(shown: Shown) -> list[float]:
    """Left and right end of the picture: the schedule with a little room, what has happened included."""
    starts = [start for row in shown.slices if (start := _ns(row["start"])) is not None]
    ends = [end for row in shown.slices if (end := _ns(ladder_end(row))) is not None]
    happened = [shown.until_ns, *(time for row in shown.fills if (time := _ns(row["time"])) is not None)]
    left, right = min([*starts, *happened[1:]], default=shown.until_ns), max([*ends, *happened])
    if shown.quotes:
        left = max(shown.quotes[0].time_ns, left - round(0.06 * (right - left)))
    room = max(1, round(0.02 * (right - left)))
    return [float(time) for time in _seconds([min(left, right - 1), right + room], shown)]


def _shades(shown: Shown) -> list[Row]:
    """Slices shaded from start to end of their ladder."""
    shades: list[Row] = []
    for row in shown.slices:
        start_ns, end_ns = _ns(row["start"]), _ns(ladder_end(row))
        if start_ns is not None and end_ns is not None:
            left, right = (float(time) for time in _seconds([start_ns, end_ns], shown))
            place = {"x0": left, "x1": right, "y0": 0, "y1": 1, "yref": "y domain", "layer": "below"}
            shades.append({"type": "rect", "fillcolor": WINDOW_FILL, "line": {"width": 0}} | place)
    return shades


def _time_axis(span: Sequence[float]) -> Row:
    """The ends of the axis, and marks at round times."""
    length = span[1] - span[0]
    step = next((step for step in _TIME_STEPS_S if length / step <= _MOST_TIME_MARKS), _TIME_STEPS_S[-1])
    marks = list(range(math.ceil(span[0] / step) * step, math.floor(span[1]) + 1, step))
    words = "%H:%M" if step >= 60 else "%H:%M:%S"
    text = [dt.datetime.fromtimestamp(mark, tz=dt.UTC).strftime(words) for mark in marks]
    return {"range": list(span), "tickvals": marks, "ticktext": text}


def _lots_axis(shown: Shown) -> Row:
    """Marks at zero, at all lots, and between them where slices begin, as far as they do not crowd."""
    total = np.cumsum([int(row["lots"]) for row in shown.slices], dtype=np.int64).tolist()
    last = total[-1] if total else 1
    marks = [0]
    for lots in total[:-1]:
        if lots - marks[-1] >= last / 3.5 and last - lots >= last / 4.5:
            marks.append(lots)
    return {"tickvals": [*marks, last], "range": [-0.02 * last, 1.06 * last]}


def _annotations(shown: Shown) -> list[dict[str, Any]]:
    """The number of each slice over its shade, and the words of the arrival line."""
    notes: list[dict[str, Any]] = []
    plain = {"showarrow": False, "font": {"size": 11}}
    many = len(shown.slices) > 16
    for row in shown.slices:
        start_ns, end_ns = _ns(row["start"]), _ns(ladder_end(row))
        if start_ns is not None and end_ns is not None and not many:
            middle = float(_seconds([(start_ns + end_ns) // 2], shown)[0])
            place = {"x": middle, "y": 1, "yref": "y domain", "yanchor": "top"}
            notes.append({"text": numbers.lots(row["slice"]), **place, **plain})
    mid = numbers.number(shown.arrival_mid)
    if mid is not None:
        words = f"arrival {numbers.mid_price(mid, decimals=shown.decimals)}"
        place = {"x": 1, "xref": "paper", "xanchor": "right", "y": mid, "yref": "y", "yanchor": "bottom"}
        notes.append({"text": words, **place, **plain})
    return notes


def _layout(shown: Shown) -> dict[str, Any]:
    clear = "rgba(0,0,0,0)"
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True, "ticks": "outside", "ticklen": 4}
    return {
        "height": HEIGHT,
        "autosize": True,
        "margin": {"l": 56, "r": 32, "t": 4, "b": 22},
        "showlegend": False,
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
        "hovermode": "closest",
        "dragmode": False,
        "hoverlabel": {"bgcolor": "#333333", "bordercolor": "#333333", "font": {"color": "#ffffff", "size": 12}},
        "font": {"size": 11, "color": GREY},
        "xaxis": axis | {"anchor": "y2"},
        "yaxis": axis | {"domain": [0.40, 1.0], "tickformat": f",.{shown.decimals}f", "nticks": 5},
        "yaxis2": axis | {"domain": [0.0, 0.32]},
        **{
            f"yaxis{at}": {"range": [0, 1], "visible": False, "fixedrange": True, "overlaying": over}
            for at, over in ((3, "y"), (4, "y2"))
        },
    }
