"""The schedule of a plan as a live Plotly figure: made once a ticket, then filled anew for each plan.

Its lines hold 3:1 on white and on dark; text and grid are coloured by the style sheet, so that a change of the theme
sends nothing. It says no more than the schedule's table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.domain.ports import PlanPort
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import ladder_s, rows

BLUE, GREY, ORANGE, RED = "#2f80d8", "#808080", "#c77700", "#e34948"
_BAND, _WINDOW = "rgba(128, 128, 128, 0.20)", "rgba(47, 128, 216, 0.14)"
_MOST_QUOTES = 60  # each draws four points of the band; the whole figure stays under 300
_BEFORE_SHARE = 0.2  # of the time that the schedule takes, shown of the quotes before it
_STAGES = ("mid", "step", "cross")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Points of one trace: wall-clock times of the exchange, prices, and words where it has them."""

    times: Sequence[pd.Timestamp | None] = ()
    prices: Sequence[float | None] = ()
    words: Sequence[str] | None = None


class SchedulePicture:
    """The figure of one ticket.

    Attributes
    ----------
    figure : plotly.graph_objects.FigureWidget
        Eight traces in a fixed order, whose points alone change: a look changed on some traces alone is lost on others.
    """

    def __init__(self) -> None:
        line, text, level = {"width": 1}, {"size": 11}, {"mode": "lines+text"}
        traces: dict[str, dict[str, Any]] = {
            "window": {"mode": "none", "fill": "toself", "fillcolor": _WINDOW},
            "band": {"mode": "lines", "fill": "toself", "fillcolor": _BAND, "line": line | {"color": GREY}},
            "mid": {"mode": "lines", "line": line | {"color": GREY, "dash": "dot"}},
            "collar": level | {"line": {"width": 1.5, "color": ORANGE, "dash": "dot"}, "textposition": "bottom left"},
            "limit": level | {"line": {"width": 1.5, "color": GREY, "dash": "dash"}, "textposition": "top left"},
            "refused limit": level | {"line": {"width": 1.5, "color": RED, "dash": "dash"}, "textposition": "top left"},
            "stages": {"mode": "lines", "line": {"width": 3, "color": BLUE}},
            "lots": {"mode": "text", "textposition": "bottom center"},
        }
        self.figure = go.FigureWidget()
        for name, look in traces.items():
            self.figure.add_scatter(name=name, x=[], y=[], hoverinfo="skip", textfont=text, **look)
        self.figure._config = {"displayModeBar": False, "responsive": True}  # noqa: SLF001  the widget has no other door
        self.figure.update_layout(
            autosize=True,
            showlegend=False,
            margin={"l": 52, "r": 8, "t": 6, "b": 20},
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
            font={"size": 11, "color": GREY},
            hovermode=False,
            dragmode=False,
        )
        self.figure.update_xaxes(type="date", tickformat="%H:%M", nticks=8, gridcolor=GREY, fixedrange=True)
        self.figure.update_yaxes(nticks=6, gridcolor=GREY, fixedrange=True, zeroline=False)
        self.figure.add_class("hy-figure")

    def show(self, plan: PlanPort, *, borders: Sequence[float]) -> None:
        """Draw a plan; `borders` are the prices at which the collar refuses. The figure fills the box it stands in."""
        contract = plan.parent.contract
        lines, (low, high), span = _lines(plan, borders=borders)
        with self.figure.batch_update():
            for trace in self.figure.data:
                line = lines[trace.name]
                trace.x = [None if time is None else f"{time:%Y-%m-%d %H:%M:%S}" for time in line.times]
                trace.y = np.array([np.nan if price is None else price for price in line.prices], dtype=np.float64)
                trace.text = line.words
            self.figure.layout.yaxis.range = (low, high)
            self.figure.layout.yaxis.tickformat = f",.{contract.decimals}f"
            self.figure.layout.xaxis.range = tuple(f"{time:%Y-%m-%d %H:%M:%S}" for time in span)


def _lines(plan: PlanPort, *, borders: Sequence[float]) -> tuple[dict[str, _Line], tuple[float, float], Any]:
    """The points of every trace, the range of prices, and that of times."""
    contract = plan.parent.contract
    zone, decimals = contract.time_zone, contract.decimals
    schedule = [row for row in rows(plan.schedule) if numbers.moment(row["start"]) is not None]
    starts = [_local(row["start"], zone) for row in schedule]
    first = min(starts, default=_local(0, zone))
    last = max(
        (at + pd.Timedelta(seconds=ladder_s(row)) for at, row in zip(starts, schedule, strict=True)), default=first
    )
    room = (last - first) * _BEFORE_SHARE
    band, mid = _band(plan.quotes, zone=zone, since=first - room, until=first)
    stages, lots = _stages(schedule, zone)
    limit = numbers.number(plan.parent.limit)
    levels = [*borders, *([] if limit is None else [limit])]
    prices = [price for line in (stages, band) for price in line.prices if price is not None] + levels
    low, high = (min(prices), max(prices)) if prices else (0.0, 1.0)
    margin = max((high - low) * 0.16, float(contract.tick))
    span = (min([first - room / 8, *(time for time in band.times if time is not None)]), last + room / 4)
    limit_line = _level(limit, span, words=f"limit {numbers.price(limit, decimals=decimals)}")
    lines = {
        "band": band,
        "stages": stages,
        "lots": lots,
        "mid": _level(mid, span, words=""),
        "limit": _Line() if borders else limit_line,
        "refused limit": limit_line if borders else _Line(),
        "collar": _levels(borders, span, decimals=decimals),
        "window": _windows(schedule, zone, low=low - margin, high=high + margin),
    }
    return lines, (low - margin, high + margin), span


def _local(value: Any, zone: str) -> pd.Timestamp:
    """The wall-clock time of the exchange: Plotly knows no zones."""
    stamp = numbers.moment(value)
    return (pd.Timestamp(0, tz="UTC") if stamp is None else stamp).tz_convert(ZoneInfo(zone)).tz_localize(None)


def _stages(schedule: Sequence[dict[str, Any]], zone: str) -> tuple[_Line, _Line]:
    """The price of each stage over its wait as steps, and the lots of each slice below them."""
    times: list[pd.Timestamp | None] = []
    prices: list[float | None] = []
    labels: list[tuple[pd.Timestamp, float, str]] = []
    for row in schedule:
        begin = at = _local(row["start"], zone)
        shown: list[float] = []
        for stage in _STAGES:
            price, wait = numbers.number(row[f"limit_{stage}"]), numbers.number(row[f"wait_{stage}_s"])
            if price is None or wait is None:
                continue
            until = at + pd.Timedelta(seconds=wait)
            times += [at, until]
            prices += [price, price]
            shown.append(price)
            at = until
        times.append(None)
        prices.append(None)
        if shown:
            labels.append((begin + (at - begin) / 2, min(shown), f"<br><b>{numbers.lots(row['lots'])}</b>"))
    lots = _Line(
        times=[at for at, _, _ in labels],
        prices=[price for _, price, _ in labels],
        words=[words for _, _, words in labels],
    )
    return _Line(times=times, prices=prices), lots


def _band(quotes: pd.DataFrame, *, zone: str, since: pd.Timestamp, until: pd.Timestamp) -> tuple[_Line, float | None]:
    """Bid to ask in steps up to now, as one closed outline, and the last mid."""
    known = quotes[["time", "bid", "ask"]].dropna()
    if known.empty:
        return _Line(), None
    known = known.assign(time=known["time"].dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None))
    mid = float(known["bid"].iloc[-1] + known["ask"].iloc[-1]) / 2
    prices = known[["bid", "ask"]]
    known = known[(prices != prices.shift()).any(axis=1) & (known["time"] >= since)]
    if known.empty:
        return _Line(), mid
    kept = known.iloc[np.unique(np.linspace(0, len(known) - 1, _MOST_QUOTES).astype(int))]
    edges = [*kept["time"], max(until, kept["time"].iloc[-1])]
    times = [edge for at in range(len(kept)) for edge in (edges[at], edges[at + 1])]
    asks, bids = ([price for price in kept[name] for _ in range(2)] for name in ("ask", "bid"))
    outline = [*times, *reversed(times), times[0]]
    return _Line(times=outline, prices=[*asks, *reversed(bids), asks[0]]), mid


def _level(price: float | None, span: tuple[pd.Timestamp, pd.Timestamp], *, words: str) -> _Line:
    """One horizontal line with its words at the right end."""
    return _Line() if price is None else _Line(times=span, prices=(price, price), words=("", words))


def _levels(prices: Sequence[float], span: tuple[pd.Timestamp, pd.Timestamp], *, decimals: int) -> _Line:
    """Collars that refuse, as horizontal lines."""
    distinct = tuple(dict.fromkeys(prices))
    times = [time for _ in distinct for time in (*span, None)]
    points = [point for price in distinct for point in (price, price, None)]
    words = [word for price in distinct for word in ("", f"collar {numbers.price(price, decimals=decimals)}", "")]
    return _Line(times=times, prices=points, words=words)


def _windows(schedule: Sequence[dict[str, Any]], zone: str, *, low: float, high: float) -> _Line:
    """Where jitter could have put each start, as rectangles over the whole height."""
    times: list[pd.Timestamp | None] = []
    prices: list[float | None] = []
    for row in schedule:
        earliest, latest = numbers.moment(row["earliest"]), numbers.moment(row["latest"])
        if earliest is None or latest is None or earliest >= latest:
            continue
        left, right = _local(earliest, zone), _local(latest, zone)
        times += [left, left, right, right, left, None]
        prices += [low, high, high, low, low, None]
    return _Line(times=times, prices=prices)
