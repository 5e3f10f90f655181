"""Figures of fills, risk decisions and spreads: they draw what their tables say, and the tables what the frames say."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from hydra_nb.analysis import plots
from hydra_nb.analysis.plot_tables import DECISION_TABLE, SPREAD_TABLE, decision_table, fill_table, spread_table

START = pd.Timestamp("2027-01-12 15:00", tz="UTC")  # 09:00 in Chicago
CHICAGO = "America/Chicago"


def make_fills() -> pd.DataFrame:
    """Two buys and a sell, out of order."""
    seconds = (400, 60, 1_000)
    return pd.DataFrame(
        {
            "time": pd.to_datetime([START + pd.Timedelta(seconds=second) for second in seconds]),
            "parent_id": ["P-0001", "P-0001", "P-0002"],
            "slice": pd.array([1, 1, 1], dtype="Int64"),
            "stage": ["step", "mid", "mid"],
            "side": ["BUY", "BUY", "SELL"],
            "lots": pd.array([4, 1, 2], dtype="Int64"),
            "price": [370.25, 370.0, 371.5],
            "bid": [369.0, 369.0, 371.0],
            "ask": [371.0, 371.0, 372.0],
            "slippage_ticks": [1.0, 0.0, -2.0],
            "commission": [10.08, 2.52, 5.04],
        }
    )


def make_quotes() -> pd.DataFrame:
    """Two hours: spreads of 1.00 for 90 s and 3.00 for 10 s; then 2.00, whose ask goes away after 300 s."""
    seconds = (0, 90, 100, 3_600, 3_900, 3_960)
    asks = (371.0, 373.0, np.nan, 372.0, np.nan, 372.0)
    return pd.DataFrame(
        {
            "time": pd.to_datetime([START + pd.Timedelta(seconds=second) for second in seconds]),
            "local_symbol": "ZOH7",
            "bid": 370.0,
            "ask": asks,
        }
    )


def make_decisions() -> pd.DataFrame:
    """A position near its limit, a collar that refused once of two, a switch, and a floor."""
    rows = (
        ("position_lots", True, 17.0, 20.0, "lots", "17 of 20 lots"),
        ("position_lots", True, 12.0, 20.0, "lots", "12 of 20 lots"),
        ("collar_ticks", True, 5.0, 20.0, "ticks", "5 ticks"),
        ("collar_ticks", False, 24.0, 20.0, "ticks", "24 ticks above mid, 20 allowed"),
        ("kill_switch", True, np.nan, np.nan, "", "no kill is in force"),
        ("price_on_tick", True, 391.25, 0.25, "price", "on tick"),
        ("days_left", True, 60.0, 10.0, "days", "60 days, 10 at least"),
    )
    return pd.DataFrame(rows, columns=["check", "allowed", "observed", "limit", "unit", "message"])


def trace(figure: go.Figure, name: str) -> go.Scatter:
    """The one trace of that name."""
    (found,) = (one for one in figure.data if one.name == name)
    return found


def test_fills_of_both_sides_are_drawn_at_their_prices_by_stage_and_size() -> None:
    """Buys blue, sells orange; the shape is the stage, the size the lots, the time that of the exchange."""
    figure = plots.fills(make_fills(), make_quotes(), time_zone=CHICAGO)

    step, mid, sold = (trace(figure, name) for name in ("bought at step", "bought at mid", "sold at mid"))
    assert (list(step.y), list(mid.y), list(sold.y)) == ([370.25], [370.0], [371.5])
    assert step.marker.size[0] > mid.marker.size[0]
    assert (step.marker.symbol, mid.marker.symbol) == ("square", "circle")
    assert sold.marker.color != mid.marker.color
    assert pd.Timestamp(mid.x[0]) == pd.Timestamp("2027-01-12 09:01")
    assert figure.layout.yaxis.tickformat == ",.2f"


def test_the_table_of_fills_is_in_order_of_time() -> None:
    """What the figure shows, row by row; frames with fewer columns give narrower tables."""
    table = fill_table(make_fills())

    assert table["price"].tolist() == [370.0, 370.25, 371.5]
    assert "commission" not in table
    assert list(fill_table(make_fills()[["time", "price"]])) == ["time", "price"]


def test_a_check_is_told_where_it_came_nearest_to_its_limit_and_refusals_come_first() -> None:
    """One row a check; floors, prices and switches have no share of a limit."""
    table = decision_table(make_decisions()).set_index("check")

    assert list(table.index[:2]) == ["collar_ticks", "position_lots"]
    assert (table.loc["collar_ticks", "asked"], table.loc["collar_ticks", "refused"]) == (2, 1)
    assert table.loc["collar_ticks", "use"] == pytest.approx(1.2)
    assert table.loc["position_lots", "observed"] == 17
    assert table.loc[["kill_switch", "price_on_tick", "days_left"], "use"].isna().all()


def test_decisions_are_bars_of_their_use_with_the_refused_in_red() -> None:
    """The figure has the numbers of the table, and says how often and of how much."""
    figure = plots.decisions(make_decisions())

    refused, passed = trace(figure, "refused"), trace(figure, "passed")
    assert (list(refused.y), list(refused.x)) == (["collar ticks"], [120.0])
    assert refused.text[0] == "✕ refused 1 of 2: 24 of 20 ticks"
    assert (list(passed.y), list(passed.x)) == (["position lots"], [85.0])
    assert figure.layout.xaxis.title.text == "% of the limit; 3 checks without a ceiling passed"


def test_a_spread_counts_for_the_time_it_stood() -> None:
    """Nine tenths of the first hour at 4 ticks: the median is 4, though 12 was quoted as often."""
    table = spread_table(make_quotes(), time_zone=CHICAGO, tick=0.25)

    nine, ten = table.to_dict("records")
    assert (nine["hour"], nine["median"], nine["low"], nine["high"]) == (9, 4.0, 4.0, 4.0)
    assert (nine["quotes"], nine["two_sided_s"]) == (2, 100.0)
    assert nine["seen_s"] == 100.0 + 600.0  # a quote speaks for ten minutes at most
    assert (ten["hour"], ten["median"], ten["two_sided_s"], ten["seen_s"]) == (10, 8.0, 300.0, 360.0)


def test_spreads_are_drawn_as_medians_with_their_range() -> None:
    """Bar and whiskers are the table's columns; without a tick they are prices."""
    figure = plots.spread_by_hour(make_quotes(), time_zone=CHICAGO, unit="¢")

    bar = trace(figure, "median spread")
    table = spread_table(make_quotes(), time_zone=CHICAGO)
    assert (list(bar.x), list(bar.y)) == (table["hour"].tolist(), table["median"].tolist())
    assert list(bar.error_y.array) == (table["high"] - table["median"]).tolist()
    assert figure.layout.yaxis.title.text == "spread, ¢"


def test_tables_of_nothing_have_the_same_columns() -> None:
    """Empty frames in, empty tables out, with their dtypes."""
    nothing = decision_table(make_decisions().iloc[:0]), spread_table(make_quotes().iloc[:0])

    for table, columns in zip(nothing, (DECISION_TABLE, SPREAD_TABLE), strict=True):
        assert {name: str(dtype) for name, dtype in table.dtypes.items()} == {
            one.name: str(one.kind) for one in columns
        }


def test_figures_of_nothing_say_so() -> None:
    """A desk on its first day still gets its figures."""
    empty = (
        plots.fills(make_fills().iloc[:0], make_quotes().iloc[:0]),
        plots.decisions(make_decisions().iloc[:0]),
        plots.spread_by_hour(make_quotes().iloc[:0]),
    )

    for figure in empty:
        assert [note.text for note in figure.layout.annotations] == ["nothing to show yet"]


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#111111"), (None, "#ffffff")])
def test_words_can_be_read_on_their_ground(theme: str | None, ground: str) -> None:
    """Contrast of 4.5:1 or more for every word of every figure; the ground itself stays clear."""
    figures = (
        plots.fills(make_fills(), make_quotes(), theme=theme),  # type: ignore[arg-type]  # parametrized
        plots.decisions(make_decisions(), theme=theme),  # type: ignore[arg-type]
        plots.spread_by_hour(make_quotes(), theme=theme),  # type: ignore[arg-type]
    )

    for figure in figures:
        notes = [note.font.color for note in figure.layout.annotations if note.font.color]
        assert min(contrast(color, ground) for color in (figure.layout.font.color, *notes)) >= 4.5
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_figures_export_to_a_page_that_needs_no_network(tmp_path: Path) -> None:
    """One HTML file with Plotly inside, and no address that a browser would fetch."""
    page = tmp_path / "spread.html"

    plots.spread_by_hour(make_quotes()).write_html(page, include_plotlyjs=True)

    text = page.read_text(encoding="utf-8")
    assert "median spread" in text
    assert not re.search(r"<(script|link)[^>]+(src|href)=", text)


def contrast(color: str, ground: str) -> float:
    """Contrast of two colours by WCAG 2."""
    lighter, darker = sorted((luminance(color), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb``."""
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_page_can_find_our_figures() -> None:
    """Each has a line, with points or not, whose name a style sheet selects; bars show no name on the page."""
    figures = (
        plots.fills(make_fills(), make_quotes()),
        plots.decisions(make_decisions()),
        plots.spread_by_hour(make_quotes()),
    )

    assert [next(one.uid for one in figure.data if one.type == "scatter") for figure in figures] == ["hydra"] * 3
