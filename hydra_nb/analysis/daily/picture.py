"""The day as a picture: a line an order from its begin to its end, its fills, and what it cost against prediction.

It is drawn as SVG in the page itself, without a script, in the colours of the page's theme. The tables say the same.
"""

from collections.abc import Iterable, Iterator
from math import sqrt
from typing import Any, Final

import pandas as pd

from hydra_nb.analysis.daily.day import TIME_ZONE
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report.parts import Html, Row, escape
from hydra_nb.analysis.report.words import is_unknown, number
from hydra_nb.domain.units import NS_PER_S

MOST_ORDERS: Final = 60
"""Lines of the picture at most; the table has all orders."""

_WIDTH, _LINE, _TOP, _BOTTOM = 1240.0, 24.0, 30.0, 26.0
_LEFT, _COSTS, _GAP = 168.0, 270.0, 96.0
_RIGHT = _WIDTH - _COSTS - _GAP  # where the time ends
_TICKS = (60, 300, 900, 1_800, 3_600, 7_200, 14_400)  # seconds between two marks of the axis
_MOST_TICKS = 9


class _Time:
    """The axis of time: from the first to the last of the day's orders, with a little air."""

    def __init__(self, begun_ns: int, ended_ns: int) -> None:
        length = max(ended_ns - begun_ns, 60 * NS_PER_S)
        air = length // 50
        self._begun_ns, self._length_ns = begun_ns - air, length + 2 * air
        seconds = self._length_ns / NS_PER_S
        step_s = next((one for one in _TICKS if seconds / one <= _MOST_TICKS), _TICKS[-1])
        step_ns = step_s * NS_PER_S
        first = -(-self._begun_ns // step_ns) * step_ns
        self.ticks = range(first, self._begun_ns + self._length_ns, step_ns)

    def x(self, time_ns: int) -> float:
        """Where a moment is; what is outside lies on the edge."""
        share = (time_ns - self._begun_ns) / self._length_ns
        return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT)


class _Cost:
    """The axis of costs, in basis points, around zero."""

    def __init__(self, values: Iterable[float]) -> None:
        known = [abs(one) for one in values if not is_unknown(one)]
        self.largest = max([*known, 1.0]) * 1.1
        self.zero = _RIGHT + _GAP + _COSTS / 2

    def x(self, bps: float) -> float:
        """Where a cost is."""
        return self.zero + bps / self.largest * _COSTS / 2


def picture(facts: DailyFacts) -> Html:
    """The picture with its caption; nothing where there were no orders."""
    orders = records(facts.frame("orders"))[:MOST_ORDERS]
    if not orders:
        return Html("")
    costs = facts.frame("costs").set_index("parent_id")
    time = _axis(facts, orders)
    cost = _Cost([*costs["arrival_slippage_bps"], *costs["predicted_slippage_bps"]])
    height = _TOP + _LINE * len(orders) + _BOTTOM
    fills = facts.frame("fills")
    of_each = {parent_id: records(some) for parent_id, some in fills.groupby("parent_id")}
    drawn = [*_ground(facts, time=time, cost=cost, height=height)]
    for at, row in enumerate(orders):
        y = _TOP + _LINE * (at + 0.5)
        drawn += _order(row, of_each.get(row["parent_id"], []), facts=facts, time=time, y=y)
        if row["parent_id"] in costs.index:
            drawn += _costs(costs.loc[row["parent_id"]], cost=cost, y=y)
    left_out = len(facts.frame("orders")) - len(orders)
    caption = (
        "Each order from its begin to its end in Chicago's time, its fills as dots whose area is their lots, hours "
        "without a connection shaded, trips and kills as upright lines. On the right what its fills cost against "
        "arrival (full) and what was predicted (ring), in basis points; to the right of the line is a cost."
    )
    caption += f" {number(left_out)} more orders are in the table." if left_out else ""
    return Html(
        f'<figure class="day"><svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="The orders of the day over time, and what they cost; the tables say the same">'
        f"{''.join(drawn)}</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _axis(facts: DailyFacts, orders: list[dict[str, Any]]) -> _Time:
    day, as_of = facts.day, facts.as_of_ns
    begun = [max(_ns(row["submitted"], day.since_ns), day.since_ns) for row in orders]
    ended = [min(_ns(row["finished"], as_of), day.until_ns) for row in orders]
    return _Time(min(begun), max(ended))


def _ns(value: Any, unknown: int) -> int:
    return unknown if is_unknown(value) else int(pd.Timestamp(value).as_unit("ns").value)


def _ground(facts: DailyFacts, *, time: _Time, cost: _Cost, height: float) -> Iterator[str]:
    """Axes, losses of the connection, and halts."""
    bottom = height - _BOTTOM
    for row in records(facts.frame("connection")):
        begun, ended = time.x(_ns(row["lost"], 0)), time.x(_ns(row["back"], facts.as_of_ns))
        if ended > begun:
            yield _rect(begun, _TOP, width=max(ended - begun, 1.5), height=bottom - _TOP, style="lost")
    for tick in time.ticks:
        x = time.x(tick)
        label = f"{pd.Timestamp(tick, tz='UTC').tz_convert(TIME_ZONE):%H:%M}"
        yield _line(x, _TOP, x, bottom, style="grid") + _text(x, height - 8, label, style="tick", anchor="middle")
    yield _line(cost.zero, _TOP, cost.zero, bottom, style="zero")
    for share, anchor in ((-1, "start"), (0, "middle"), (1, "end")):
        label = number(share * cost.largest / 1.1, decimals=0 if cost.largest >= 10 else 1, signed=True)
        yield _text(cost.zero + share * _COSTS / 2, height - 8, f"{label} bps", style="tick", anchor=anchor)
    yield _text(_LEFT, _TOP - 12, "worked", style="head") + _text(
        cost.zero, _TOP - 12, "cost against prediction", style="head", anchor="middle"
    )
    for row in records(facts.frame("halts")):
        if row["what"] != "rearmed":
            x = time.x(_ns(row["time"], 0))
            yield _line(x, _TOP, x, bottom, style="halt")


def _order(
    row: dict[str, Any], fills: list[dict[str, Any]], *, facts: DailyFacts, time: _Time, y: float
) -> Iterator[str]:
    """One order: its name, its life within the day, its fills, and how far it came."""
    side = str(row["side"]).lower()
    begun = time.x(_ns(row["submitted"], facts.day.since_ns))
    ended = time.x(_ns(row["finished"], facts.as_of_ns))
    name = f"{'▲' if side == 'buy' else '▼'} {row['lots']} {row['local_symbol']}"
    yield _text(0, y + 4, row["parent_id"], style="id") + _text(_LEFT - 14, y + 4, name, style=side, anchor="end")
    yield _rect(begun, y - 3, width=max(ended - begun, 2.0), height=6, style=f"life {side}")
    for fill in fills:
        x, lots = time.x(_ns(fill["time"], facts.day.since_ns)), int(fill["lots"])
        radius = min(2.2 * sqrt(lots), 8.0)
        yield f'<circle class="fill {side}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
    words = f"{row['filled_lots']}/{row['lots']}"
    short = "short" if row["filled_lots"] < row["lots"] and not row["goes_on"] else "done"
    yield _text(_RIGHT + 12, y + 4, words, style=short)


def _costs(row: Row, *, cost: _Cost, y: float) -> Iterator[str]:
    """What an order cost and what was predicted, joined."""
    paid, predicted = row["arrival_slippage_bps"], row["predicted_slippage_bps"]
    if not is_unknown(paid) and not is_unknown(predicted):
        worse = "worse" if paid > predicted else "better"
        yield _line(cost.x(predicted), y, cost.x(paid), y, style=f"gap {worse}")
    if not is_unknown(predicted):
        yield f'<circle class="predicted" cx="{cost.x(predicted):.1f}" cy="{y:.1f}" r="4"/>'
    if not is_unknown(paid):
        yield f'<circle class="paid" cx="{cost.x(paid):.1f}" cy="{y:.1f}" r="4"/>'


def _line(x1: float, y1: float, x2: float, y2: float, *, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _rect(x: float, y: float, *, width: float, height: float, style: str) -> str:
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"/>'


def _text(x: float, y: float, words: str, *, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
