"""Figures of what trading cost, each from a frame of transaction cost analysis: parts, markouts, predictions.

They are dressed as those of `plots` are; what each shows, a table of `cost_tables` says.
"""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis.cost_tables import (
    FEWEST_PREDICTED,
    PARTS,
    TOTAL,
    MarkoutUnit,
    Unit,
    markout_table,
    prediction_table,
    predictions,
    waterfall_table,
)
from hydra_nb.analysis.plot_traces import BLUE, GREY, ORANGE, Theme, dress, records
from hydra_nb.domain.units import Side

WIDE_FILL, NARROW_FILL = "rgba(47, 128, 216, 0.14)", "rgba(47, 128, 216, 0.26)"
ZERO_LINE = {"color": GREY, "width": 1, "dash": "dash"}
_SIDES = ((Side.BUY, BLUE, "triangle-up"), (Side.SELL, ORANGE, "triangle-down"))


def cost_waterfall(
    parents: pd.DataFrame, *, title: str = "What it cost: paper less real", theme: Theme | None = None
) -> go.Figure:
    """The parts of the implementation shortfall in cash: delay, trading, opportunity, fees, and their total.

    A cost rises and is orange, a gain falls and is blue, each with its sign, and with basis points of all lots at the
    decision price. What is not known is named as such and has no bar. `cost_tables.waterfall_table` says the same.

    Parameters
    ----------
    parents
        Frame of transaction cost analysis at the level ``parent``, of one order or of many in one currency; may be
        empty. Perold, "The implementation shortfall: paper versus reality" (1988), for the parts.
    title, theme
        As in `plots.fills`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InvalidFrame
        A column lacks, or the orders are of several currencies.
    """
    table = waterfall_table(parents)
    rows = [row for row in records(table) if not pd.isna(row["cash"])]
    currency = next(iter(parents["currency"].dropna()), "")
    figure = go.Figure(
        go.Waterfall(
            x=[row["part"] for row in rows],
            y=[row["cash"] for row in rows],
            measure=["total" if row["part"] == TOTAL else "relative" for row in rows],
            text=[_cost_words(row) for row in rows],
            customdata=[[_signed(row["cash"], decimals=2), int(row["orders"])] for row in rows],
            textposition="outside",
            cliponaxis=False,
            width=0.62,
            increasing={"marker": {"color": ORANGE}},
            decreasing={"marker": {"color": BLUE}},
            totals={"marker": {"color": GREY}},
            connector={"line": {"color": GREY, "width": 1, "dash": "dot"}},
            hovertemplate=f"%{{x}}: %{{customdata[0]}} {currency}, n = %{{customdata[1]}}<extra></extra>",
            showlegend=False,
            name="cost",
        )
    )
    dress(figure, title=title, height=320, empty=table.empty, theme=theme, timed=False)
    figure.update_layout(margin={"r": 24, "b": 64}, bargap=0.3)
    figure.update_yaxes(title_text=f"cost, {currency}" if currency else "cost", range=_room(rows), zeroline=True)
    figure.update_yaxes(zerolinecolor=GREY, zerolinewidth=1)
    names = [*PARTS, TOTAL]
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=names, range=[-0.5, len(names) - 0.5])
    figure.update_xaxes(title_text=_waterfall_words(table, orders=len(parents)), showgrid=False)
    for name in table.loc[table["cash"].isna(), "part"]:
        figure.add_annotation(text="not known", x=name, y=0, yshift=9, showarrow=False, font={"size": 11})
    return figure


def _cost_words(row: dict[str, Any]) -> str:
    """Cash with its sign, and basis points where they are known."""
    bps = "" if pd.isna(row["bps"]) else f"<br>{_signed(row['bps'], decimals=1)} bps"
    return f"<b>{_signed(row['cash'], decimals=2)}</b>{bps}"


def _room(rows: list[dict[str, Any]]) -> list[float] | None:
    """The range that holds every step and the words at its end; None leaves it to Plotly."""
    if not rows:
        return None
    parts = [row["cash"] for row in rows if row["part"] != TOTAL]
    levels = [0.0, *np.cumsum(parts).tolist(), *(row["cash"] for row in rows if row["part"] == TOTAL)]
    room = (max(levels) - min(levels)) or 1.0
    low, high = min(levels), max(levels)
    return [low - (0.28 if low < 0 else 0.04) * room, high + 0.28 * room]


def _waterfall_words(table: pd.DataFrame, *, orders: int) -> str:
    """Of how many orders the parts are, and what is not known of the others."""
    if table.empty:
        return ""
    by_part = {row["part"]: row for row in records(table)}
    lacking = [f"{part} of {by_part[part]['unknown']}" for part in PARTS if by_part[part]["unknown"]]
    shown = int(by_part[TOTAL]["orders"])
    if not lacking:
        return f"{orders} order{'s' if orders > 1 else ''}"
    words = f"not known: {', '.join(lacking)}"
    if orders == 1:
        return "not known: " + ", ".join(part for part in PARTS if by_part[part]["unknown"]) + ", so no total"
    return f"{shown} of {orders} orders; {words}" if shown else f"{orders} orders; {words}; so no total"


def markout_fan(
    fills: pd.DataFrame, *, unit: MarkoutUnit = "ticks", title: str = "Markouts", theme: Theme | None = None
) -> go.Figure:
    """What a lot gained or lost in the half hour after its fill: the mean, and how far the lots spread.

    The line is the mean over all lots, the bands hold nine tenths and half of them. It begins at the fill itself, where
    a lot that crossed has lost half the spread; a line that falls further tells that the market went on against the
    fills. How many fills are known stands under each horizon. `cost_tables.markout_table` says the same.

    Parameters
    ----------
    fills
        Frame of transaction cost analysis at the level ``fill``; may be empty.
    unit
        ``"ticks"`` or ``"bps"``.
    title, theme
        As in `plots.fills`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InvalidFrame
        A column lacks.
    """
    rows = [row for row in records(markout_table(fills, unit=unit)) if row["fills"] > 0]
    places = [f"{row['horizon']}<br>n = {row['fills']}" for row in rows]
    figure = go.Figure()
    for low, high, name, fill in (("p5", "p95", "90 % of the lots", WIDE_FILL), ("p25", "p75", "half", NARROW_FILL)):
        figure.add_scatter(
            x=[*places, *reversed(places)],
            y=[*(row[high] for row in rows), *(row[low] for row in reversed(rows))],
            mode="lines",
            fill="toself",
            fillcolor=fill,
            line={"width": 0},
            hoverinfo="skip",
            name=name,
            showlegend=bool(rows),
        )
    figure.add_scatter(
        x=places,
        y=[row["mean"] for row in rows],
        text=[_markout_words(row, unit=unit) for row in rows],
        mode="lines+markers",
        line={"color": BLUE, "width": 3},
        marker={"color": BLUE, "size": 8},
        hovertemplate="%{text}<extra></extra>",
        name="mean",
        showlegend=bool(rows),
    )
    dress(figure, title=title, height=320, empty=not rows, theme=theme, timed=False)
    figure.update_layout(margin={"r": 24, "b": 64})
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=places, showgrid=False)
    figure.update_xaxes(title_text="time after the fill, and the fills of which it is known")
    figure.update_yaxes(title_text=f"gain of a lot, {unit}")
    if rows:
        figure.add_hline(y=0, line=ZERO_LINE)
    return figure


def _markout_words(row: dict[str, Any], *, unit: str) -> str:
    ranges = [
        f"{share} from {_signed(row[low])} to {_signed(row[high])}"
        for share, low, high in (("half", "p25", "p75"), ("90 %", "p5", "p95"))
    ]
    known = f"n = {row['fills']} fills, {row['lots']} lots"
    lacking = f"; {row['unknown']} not known" if row["unknown"] else ""
    return f"{row['horizon']}: mean {_signed(row['mean'])} {unit}<br>{'<br>'.join(ranges)}<br>{known}{lacking}"


def predicted_against_actual(
    fills: pd.DataFrame, *, unit: Unit = "bps", title: str = "Predicted against actual", theme: Theme | None = None
) -> go.Figure:
    """The slippage of each fill against arrival, over what was predicted for it.

    On the dashed line both are the same, above it a fill cost more than predicted. The band holds nine tenths of the
    fills by their distance from that line; fewer than 10 have none. Buys are blue and point up, sells orange and down.
    `cost_tables.prediction_table` says the same.

    Parameters
    ----------
    fills
        Frame of transaction cost analysis at the level ``fill``; may be empty.
    unit
        ``"ticks"``, ``"bps"``, or ``"cash"`` of fills in one currency.
    title, theme
        As in `plots.fills`; how many fills there are, and their bias, is put behind the title.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InvalidFrame
        A column lacks, or cash is of several currencies.
    """
    predicted, actual = predictions(fills, unit=unit)
    overall = records(prediction_table(fills, unit=unit))[-1]
    known = np.isfinite(predicted) & np.isfinite(actual)
    figure = go.Figure()
    if known.any():
        _add_identity(figure, predicted[known], overall=overall)
    lots = fills["lots"].astype(str) if "lots" in fills.columns else pd.Series("", index=fills.index)
    for side, color, symbol in _SIDES:
        of_side = known & (fills["side"] == side).to_numpy(dtype=bool)
        figure.add_scatter(
            x=predicted[of_side],
            y=actual[of_side],
            text=[f"{side} {some}".rstrip() for some in lots[of_side]],
            mode="markers",
            marker={
                "color": color,
                "symbol": symbol,
                "size": 9,
                "opacity": 0.85,
                "line": {"color": "white", "width": 1},
            },
            hovertemplate="%{text}: predicted %{x:.2f}, actual %{y:.2f}<extra></extra>",
            name={Side.BUY: "buys", Side.SELL: "sells"}[side],
            showlegend=bool(of_side.any()),
        )
    words = _prediction_words(overall, unit=unit)
    dress(figure, title=f"{title}: {words}", height=360, empty=not known.any(), theme=theme, timed=False)
    figure.update_layout(margin={"r": 24, "t": 84})
    named = f"cash in {next(iter(fills['currency'].dropna()), '')}" if unit == "cash" else unit
    figure.update_xaxes(title_text=f"predicted slippage, {named}")
    figure.update_yaxes(title_text=f"slippage against arrival, {named}")
    return figure


def _add_identity(figure: go.Figure, predicted: np.ndarray, *, overall: dict[str, Any]) -> None:
    """The line on which both are the same, and the band of nine tenths of the fills."""
    low, high = float(predicted.min()), float(predicted.max())
    room = (high - low) * 0.06 or max(1e-6, abs(high) * 0.1)
    ends = np.array([low - room, high + room])
    if not pd.isna(overall["low"]):
        figure.add_scatter(
            x=[*ends, *ends[::-1]],
            y=[*(ends + overall["high"]), *(ends[::-1] + overall["low"])],
            mode="lines",
            fill="toself",
            fillcolor="rgba(128, 128, 128, 0.18)",
            line={"width": 0},
            hoverinfo="skip",
            name="90 % of the fills",
        )
    figure.add_scatter(x=ends, y=ends, mode="lines", line=ZERO_LINE, hoverinfo="skip", name="as predicted")


def _prediction_words(overall: dict[str, Any], *, unit: str) -> str:
    """How many fills, their bias, and that few say little."""
    count = int(overall["fills"])
    lacking = f", {overall['unknown']} not known" if overall["unknown"] else ""
    if count == 0:
        return f"n = 0{lacking}"
    bias = f"bias {_signed(overall['bias'])} {unit}"
    few = f"; fewer than {FEWEST_PREDICTED} fills say little" if count < FEWEST_PREDICTED else ""
    return f"n = {count}{lacking}, {bias}{few}"


def _signed(value: float, *, decimals: int = 2) -> str:
    """A figure with its sign, the true minus, and no sign on zero."""
    text = f"{value:+,.{decimals}f}"
    return text[1:] if not text.strip("+-0.,") else text.replace("-", "−")
