"""Figures of rehearsals: they draw what their frames say."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from hydra_nb.analysis.rehearsal_plots import Against
from hydra_nb.rehearsal.comparison import Comparison
from tests.rehearsal.made_up import drawn, fill, outcome, refused, rehearsal

PATHS = [drawn(seed) for seed in range(200)]


def trace(figure: go.Figure, name: str) -> Any:
    """The one trace whose name begins so."""
    (found,) = (one for one in figure.data if (one.name or "").startswith(name))
    return found


def test_bars_hold_every_path_with_a_cost_once() -> None:
    """Shares add up to one, bars are of one round width, and each mean lies where the summary has it."""
    told = rehearsal(*PATHS, outcome(999))

    figure = told.plot()

    bars = trace(figure, "paths")
    known = told.paths["slippage_ticks"].dropna()
    assert sum(bars.y) == pytest.approx(1.0)
    assert bars.customdata[:, 2].sum() == len(known)
    assert len(bars.x) <= 41
    assert bars.customdata[0, 0] <= known.min()
    assert bars.customdata[-1, 1] >= known.max()
    assert len({round(width, 9) for width in bars.width}) == 1
    row = told.summary().set_index("quantity").loc["slippage_ticks"]
    assert list(trace(figure, "mean").x) == [row["mean"]] * 2
    assert list(trace(figure, "5 %").x) == [row["p5"]] * 2
    assert list(trace(figure, "predicted").x) == [2.0, 2.0]
    without = len(told.paths) - len(known)
    assert f"({len(known)} paths; {without} without a known cost)" in figure.layout.xaxis.title.text
    assert figure.layout.title.text == "<b>BUY 4 ZOH7, rehearsed: patient</b>"


def test_lines_of_completion_are_those_of_the_frame() -> None:
    """In minutes, with the interval of each time around it."""
    told = rehearsal(*PATHS)

    figure = told.plot(theme="dark")

    frame, line = told.completion, trace(figure, "every lot filled, 95 %")
    assert list(line.y) == [*frame["high"], *reversed(frame["low"].tolist())]
    (done,) = (one for one in figure.data if one.name == "every lot filled")
    assert list(done.y) == frame["completed"].tolist()
    assert np.array(done.x) == pytest.approx(frame["after_s"] / 60)


def test_costs_that_are_all_alike_and_none_at_all_are_drawn() -> None:
    """One bar a tick wide; where every path was refused there are axes and completion, and no bar."""
    alike = rehearsal(*(outcome(seed, fill()) for seed in range(5))).plot()
    nothing = rehearsal(*(refused(seed) for seed in range(5)), predicted_ticks=None).plot()

    bars = trace(alike, "paths")
    assert (list(bars.y), list(bars.width)) == ([1.0], [1.0])
    assert not [one for one in nothing.data if one.type == "bar"]
    assert not [one for one in nothing.data if (one.name or "").startswith("mean")]
    assert "(0 paths; 5 without a known cost)" in nothing.layout.xaxis.title.text


@pytest.mark.parametrize(
    ("against", "places"),
    [(None, [1.0, 5.0]), ("duration_s", [20.0, 40.0]), ("deviation_ticks", None), ("shortfall_lots", None)],
)
def test_the_frontier_draws_each_plan_at_its_cost(against: Against | None, places: list[float] | None) -> None:
    """Sorted along the axis, which is patience where the plans differ in it, with half the interval to either side."""
    slow = rehearsal(*PATHS, label="slow", patience_s=300.0)
    quick = rehearsal(
        *(drawn(seed, chance=0.99, bonus_ticks=-1.0) for seed in range(200)),
        label="quick<",
        patience_s=60.0,
        duration_s=1_200.0,
    )
    both = Comparison(rehearsals=(slow, quick))

    figure = both.plot(against=against)

    frame, points = both.frontier().set_index("plan"), figure.data[0]
    order = [name.replace("&lt;", "<") for name in points.text]
    assert list(points.y) == frame.loc[order, "cost_ticks"].tolist()
    assert list(points.error_y.array) == pytest.approx((frame["high_ticks"] - frame["cost_ticks"]).loc[order].tolist())
    assert list(points.x) == sorted(points.x)
    assert set(points.text) == {"slow", "quick&lt;"}
    if places is not None:
        assert list(points.x) == places


def test_a_plan_without_a_cost_is_named_and_not_drawn() -> None:
    """Refused in every market, it has no place on the axis of costs."""
    both = Comparison(
        rehearsals=(rehearsal(*PATHS), rehearsal(*(refused(seed) for seed in range(200)), label="too large"))
    )

    figure = both.plot()

    assert list(figure.data[0].text) == ["patient"]
    assert figure.layout.xaxis.title.text.endswith("no cost is known of too large")
    assert not any(math.isnan(y) for y in figure.data[0].y)
