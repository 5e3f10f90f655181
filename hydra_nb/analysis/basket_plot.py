"""The figure of a basket: one lane a contract, its sessions shaded, its slices as bars over all markets."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis.plot_traces import BAND_FILL, BLUE, ORANGE, RED, Theme, dress, ladder_end, records
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side

MARGIN = pd.Timedelta(minutes=30)
"""Of the sessions shown before the first slice and after the last."""
LANE_PX = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One row of a basket: its contract and its slices.

    `slices` has the columns of a schedule; `words` say what the row is, for hovering. `refused` colours it.
    """

    contract: FutureContract
    side: Side
    slices: pd.DataFrame
    words: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """One bar: lane, times and words."""

    lane: str
    start: pd.Timestamp
    end: pd.Timestamp
    words: str


def basket_figure(lanes: Sequence[Lane], *, title: str = "", theme: Theme | None = None) -> go.Figure:
    """Slices of all rows over the sessions of their markets, on an axis in UTC.

    A slice is a bar from its start to the end of its ladder: blue buys, orange sells, red is refused. Hovering tells
    the times of the exchange. The frame ``schedule`` says the same.

    Parameters
    ----------
    lanes
        Rows with their schedules; rows of one contract share a lane.
    title
        Of the figure.
    theme
        ``"light"`` or ``"dark"``, the ground that it will stand on; None suits both.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    slices = [(lane, bar) for lane in lanes for bar in _slices(lane)]
    contracts = list({lane.contract.con_id: lane.contract for lane in lanes}.values())
    if slices:
        low = min(bar.start for _, bar in slices) - MARGIN
        high = max(bar.end for _, bar in slices) + MARGIN
        _add(figure, _sessions(contracts, low=low, high=high), name="session", color=BAND_FILL, width=0.9)
        figure.update_xaxes(range=[_naive(low), _naive(high)])
    for name, color, is_meant in (
        ("buys", BLUE, lambda lane: lane.side is Side.BUY and not lane.refused),
        ("sells", ORANGE, lambda lane: lane.side is Side.SELL and not lane.refused),
        ("refused", RED, lambda lane: lane.refused),
    ):
        _add(figure, [bar for lane, bar in slices if is_meant(lane)], name=name, color=color, width=0.5)
    height = 130 + LANE_PX * max(3, len(contracts))
    dress(figure, title=title, height=height, empty=not slices, theme=theme)
    figure.update_layout(barmode="overlay", bargap=0)
    names = [contract.local_symbol for contract in contracts]
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed", showgrid=False)
    figure.update_xaxes(title_text=f"{low:%a %d %b %Y}, UTC" if slices else "UTC")
    return figure


def _slices(lane: Lane) -> list[_Bar]:
    zone = lane.contract.time_zone
    found = []
    for row in records(lane.slices):
        end = ladder_end(row)
        if end is None:
            continue
        start = pd.Timestamp(row["start"])
        words = f"{lane.words}, slice {row['slice']}: {lane.side} {row['lots']}<br>{_between(start, end, zone)}"
        found.append(_Bar(lane=lane.contract.local_symbol, start=start, end=end, words=words))
    return found


def _sessions(contracts: Sequence[FutureContract], *, low: pd.Timestamp, high: pd.Timestamp) -> list[_Bar]:
    """The sessions of each contract, as far as they are shown."""
    found = []
    for contract in contracts:
        for session in contract.sessions:
            opened, closed = (pd.Timestamp(ns, unit="ns", tz="UTC") for ns in (session.open_ns, session.close_ns))
            if opened < high and closed > low:
                words = f"{contract.local_symbol} is open<br>{_between(opened, closed, contract.time_zone)}"
                bar = _Bar(lane=contract.local_symbol, start=max(opened, low), end=min(closed, high), words=words)
                found.append(bar)
    return found


def _add(figure: go.Figure, bars: Sequence[_Bar], *, name: str, color: str, width: float) -> None:
    figure.add_bar(
        y=[bar.lane for bar in bars],
        base=[_naive(bar.start) for bar in bars],
        x=[(bar.end - bar.start) / pd.Timedelta(milliseconds=1) for bar in bars],
        customdata=[bar.words for bar in bars],
        orientation="h",
        width=width,
        marker={"color": color, "line": {"width": 0}},
        name=name,
        showlegend=bool(bars),
        hovertemplate="%{customdata}<extra></extra>",
    )


def _between(start: pd.Timestamp, end: pd.Timestamp, zone: str) -> str:
    first, last = start.tz_convert(zone), end.tz_convert(zone)
    return f"{first:%a %H:%M:%S} to {last:%H:%M:%S}, {zone} time"


def _naive(time: pd.Timestamp) -> pd.Timestamp:
    return time.tz_convert("UTC").tz_localize(None)
