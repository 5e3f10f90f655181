"""The picture of a schedule inside a plan's card: drawn as SVG, coloured by the style sheet, no script.

It says no more than the schedule's table beside it, and is hidden from screen readers for that reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import escape, ladder_s

_WIDTH, _HEIGHT = 820, 144
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 8, 22
_TIME_STEPS_S = (30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400)
_MOST_TIME_MARKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From time (s since the epoch) and price to the picture's coordinates."""

    first_s: float
    last_s: float
    low: float
    high: float

    def x(self, time_s: float) -> float:
        share = (time_s - self.first_s) / (self.last_s - self.first_s)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, price: float) -> float:
        share = (self.high - price) / (self.high - self.low)
        return round(_TOP + share * (_HEIGHT - _TOP - _BOTTOM), 1)


def schedule_picture(schedule: Sequence[dict[str, Any]], *, limit: float | None, decimals: int, time_zone: str) -> str:
    """Stage prices as steps with lots below, jitter windows shaded, the caller's limit dashed.

    Empty where no slice has a known start and price.
    """
    drawn = [row for row in schedule if numbers.moment(row["start"]) is not None and _prices(row)]
    if not drawn:
        return ""
    scale = _scale(drawn, limit=limit)
    parts = [_price_marks(scale, decimals=decimals), _time_marks(scale, time_zone=time_zone)]
    parts += [_window(row, scale) for row in drawn]
    if limit is not None:
        y = scale.y(limit)
        text = f"limit {numbers.price(limit, decimals=decimals)}"
        parts.append(f'<line class="hy-p-limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT - 4}" y="{y - 5}" text-anchor="end">{text}</text>')
    parts += [_steps(row, scale) for row in drawn]
    return f'<svg class="hy-picture" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>'


def _seconds(value: Any) -> float:
    stamp = numbers.moment(value)
    return math.nan if stamp is None else stamp.timestamp()


def _prices(row: dict[str, Any]) -> list[tuple[float, float]]:
    """Price and wait of each stage whose price is known."""
    stages = (("limit_mid", "wait_mid_s"), ("limit_step", "wait_step_s"), ("limit_cross", "wait_cross_s"))
    known = ((numbers.number(row[price]), numbers.number(row[wait])) for price, wait in stages)
    return [(price, wait or 0.0) for price, wait in known if price is not None]


def _scale(schedule: Sequence[dict[str, Any]], *, limit: float | None) -> _Scale:
    """Room for all prices and windows, with a margin for the lots below the lowest step."""
    prices = [price for row in schedule for price, _ in _prices(row)] + ([] if limit is None else [limit])
    low, high = min(prices), max(prices)
    room = (high - low) or max(abs(high) * 0.001, 1e-6)
    times = [_seconds(row[name]) for row in schedule for name in ("start", "earliest", "latest")]
    first = min(time for time in times if not math.isnan(time))
    last = max(
        *(_seconds(row["start"]) + ladder_s(row) for row in schedule), *(time for time in times if not math.isnan(time))
    )
    span = max(last - first, 60.0)
    return _Scale(
        first_s=first - span * 0.02,
        last_s=last + span * 0.03,
        low=low - room * 0.45,
        high=high + room * (0.15 if limit is None else 0.3),
    )


def _price_marks(scale: _Scale, *, decimals: int) -> str:
    """Two to six grid lines at round prices."""
    step = _round_step((scale.high - scale.low) / 5, least=10.0**-decimals)
    mark, lines = math.ceil(scale.low / step) * step, []
    while mark <= scale.high:
        y = scale.y(mark)
        lines.append(f'<line class="hy-p-grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(
            f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{numbers.price(mark, decimals=decimals)}</text>'
        )
        mark += step
    return "".join(lines)


def _round_step(step: float, *, least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `step` nor `least`."""
    power = 10.0 ** math.floor(math.log10(max(step, least)))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor >= max(step, least) * 0.999)


def _time_marks(scale: _Scale, *, time_zone: str) -> str:
    """Grid lines at round times of the exchange's day."""
    span = scale.last_s - scale.first_s
    step = next((step for step in _TIME_STEPS_S if span / step <= _MOST_TIME_MARKS), math.ceil(span / 4))
    offset = pd.Timestamp(scale.first_s, unit="s", tz="UTC").tz_convert(time_zone).utcoffset()
    shift = offset.total_seconds() if offset is not None else 0.0
    mark, lines = math.ceil((scale.first_s + shift) / step) * step - shift, []
    while mark <= scale.last_s:
        x = scale.x(mark)
        shown = numbers.clock_time(pd.Timestamp(mark, unit="s"), time_zone=time_zone, seconds=step < 60)
        anchor = "middle" if x < _WIDTH - 24 else "end"
        lines.append(f'<line class="hy-p-grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        lines.append(f'<text x="{x}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{escape(shown)}</text>')
        mark += step
    return "".join(lines)


def _window(row: dict[str, Any], scale: _Scale) -> str:
    """Where jitter could have put the start."""
    earliest, latest = _seconds(row["earliest"]), _seconds(row["latest"])
    if math.isnan(earliest) or math.isnan(latest) or latest <= earliest:
        return ""
    left, right = scale.x(earliest), scale.x(latest)
    height = _HEIGHT - _TOP - _BOTTOM
    return f'<rect class="hy-p-window" x="{left}" y="{_TOP}" width="{round(right - left, 1)}" height="{height}"/>'


def _steps(row: dict[str, Any], scale: _Scale) -> str:
    """The prices of the stages over their waits, with the lots below."""
    time, path = _seconds(row["start"]), []
    first_x = scale.x(time)
    for price, wait in _prices(row):
        path += [f"{scale.x(time)},{scale.y(price)}", f"{scale.x(time + wait)},{scale.y(price)}"]
        time += wait
    middle = round((first_x + scale.x(time)) / 2, 1)
    lowest = max(scale.y(price) for price, _ in _prices(row))
    return (
        f'<polyline class="hy-p-stage" points="{" ".join(path)}"/>'
        f'<text class="hy-p-strong" x="{middle}" y="{lowest + 17}" text-anchor="middle">'
        f"{numbers.lots(row['lots'])}</text>"
    )
