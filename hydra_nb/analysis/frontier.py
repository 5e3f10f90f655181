"""The efficient frontier of an order: what it is expected to cost, against how far the cost may be off.

No way of dividing the lots among the same slots, in the market of Almgren and Chriss (2000), is expected to cost less
at the same deviation than one on the frontier. What that market is, and leaves out, is said in the docs.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.algos.almgren_chriss import (
    aversion_of,
    deviation_cash,
    divide,
    expected_cost_cash,
    half_life_s,
    optimal_lots,
)
from hydra_nb.algos.schedule import split_lots
from hydra_nb.analysis.columns import columns_of, make_frame
from hydra_nb.analysis.plot_traces import BLUE, GREY, ORANGE, Theme, dress, records
from hydra_nb.domain.trajectory import AlmgrenChriss
from hydra_nb.domain.values import replace

FRONTIER = columns_of("""
kind               | TEXT |        | frontier; plan, the lots of this plan; even, the same lots in even slices
risk_aversion      | REAL | 1/cash | What a cash² of variance is worth in cash; 0 is even
expected_cost_cash | REAL | cash   | Expected cost of all lots against the mid; on the frontier of fractions of lots
deviation_cash     | REAL | cash   | Standard deviation of that cost, likewise
half_life_s        | REAL | s      | Time in which what is left shrinks by a factor e; infinite where even
first_slice_lots   | LOTS | lots   | Whole lots of the first slice
slices             | LOTS |        | Slices that have lots
currency           | TEXT |        | Currency of the contract
""")

LEAST_URGENCY: Final = 0.25
"""Of the whole time: an optimum that nobody could tell from even slices."""
MOST_URGENCY: Final = 5.0
"""Of one slot: of the lots that the first slice leaves, less than one in a hundred."""


def frontier_frame(lots: Sequence[int], *, terms: AlmgrenChriss, currency: str, n: int) -> pd.DataFrame:
    """The efficient frontier of an order, and where two plans of it lie.

    Parameters
    ----------
    lots
        Lots of the slices of this plan, in order.
    terms
        The market, the slots, and the plan's own risk aversion.
    currency
        Of all cash.
    n
        Points of the frontier, at least 2: from even slices to nearly all lots in the first, the steps of risk aversion
        between them growing by one factor.

    Returns
    -------
    pandas.DataFrame
        Columns of `FRONTIER`: a row a point by risk aversion, then one of the plan and one of even slices.
    """
    total = sum(lots)
    least, most = (aversion_of(one, terms=terms) for one in (LEAST_URGENCY / terms.slots, MOST_URGENCY))
    aversions = [0.0, *np.geomspace(least, most, n - 1).tolist()]

    def rows() -> Iterator[dict[str, Any]]:
        for aversion in aversions:
            at = replace(terms, risk_aversion=aversion)
            yield _row("frontier", optimal_lots(total, terms=at), whole=divide(total, terms=at), terms=at)
        yield _row("plan", lots, whole=lots, terms=terms)
        even = split_lots(total, slices=terms.slots)
        yield _row("even", even, whole=even, terms=replace(terms, risk_aversion=0.0))

    return make_frame(FRONTIER, ({**row, "currency": currency} for row in rows()))


def _row(kind: str, sizes: Sequence[float], *, whole: Sequence[int], terms: AlmgrenChriss) -> dict[str, Any]:
    return {
        "kind": kind,
        "risk_aversion": terms.risk_aversion,
        "expected_cost_cash": expected_cost_cash(sizes, terms=terms),
        "deviation_cash": deviation_cash(sizes, terms=terms),
        "half_life_s": half_life_s(terms),
        "first_slice_lots": whole[0],
        "slices": len(whole),
    }


def efficient_frontier(
    frontier: pd.DataFrame, *, title: str = "Expected cost against its deviation", theme: Theme | None = None
) -> go.Figure:
    """The frontier as a line, from even slices on the right to all at once on the left; the plan as a diamond.

    Parameters
    ----------
    frontier
        Columns of `FRONTIER`, as ``plan.frontier()`` gives them; may be empty. It says the same.
    title
        Of the figure.
    theme
        ``"light"`` or ``"dark"``, the ground that it will stand on; None suits both.

    Returns
    -------
    plotly.graph_objects.Figure
        On hover each point tells its risk aversion, its cost and deviation, and the lots of its first slice. Nothing
        can lie below the line; a plan lies a little above it, as its lots are whole.
    """
    rows = records(frontier)
    currency = next((row["currency"] for row in rows if not pd.isna(row["currency"])), "")
    figure = go.Figure()
    for kind, name, look in (
        ("frontier", "efficient frontier", {"mode": "lines+markers", "line": {"color": BLUE, "width": 2.5}}),
        ("even", "even slices", {"mode": "markers", "marker": _marker(GREY, "square", size=11)}),
        ("plan", "this plan", {"mode": "markers", "marker": _marker(ORANGE, "diamond", size=14)}),
    ):
        of_kind = [row for row in rows if row["kind"] == kind]
        figure.add_scatter(
            x=[row["deviation_cash"] for row in of_kind],
            y=[row["expected_cost_cash"] for row in of_kind],
            text=[_words(row, name=name) for row in of_kind],
            name=name,
            showlegend=bool(of_kind),
            hovertemplate="%{text}<extra></extra>",
            **look,
        )
    dress(figure, title=title, height=340, empty=not rows, theme=theme, timed=False)
    figure.update_layout(margin={"r": 24, "b": 56})
    unit = f", {currency}" if currency else ""
    figure.update_xaxes(title_text=f"standard deviation of the cost{unit}", rangemode="tozero")
    figure.update_yaxes(title_text=f"expected cost{unit}")
    return figure


def _marker(color: str, symbol: str, *, size: int) -> dict[str, Any]:
    return {"color": color, "symbol": symbol, "size": size, "line": {"color": "white", "width": 1}}


def _words(row: dict[str, Any], *, name: str) -> str:
    """What a point is, in words."""
    aversion = "even" if row["risk_aversion"] == 0 else f"risk aversion {row['risk_aversion']:.3g}"
    half_life = "" if math.isinf(row["half_life_s"]) else f", half-life {row['half_life_s']:,.0f} s"
    return (
        f"{name}: {aversion}{half_life}<br>{row['expected_cost_cash']:,.0f} {row['currency']} expected, "
        f"± {row['deviation_cash']:,.0f}<br>{row['first_slice_lots']} lots in the first of {row['slices']} slices"
    )
