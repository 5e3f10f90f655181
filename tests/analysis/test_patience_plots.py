"""Figures of fill survival and of the spread clock: what is drawn is what the frames say."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from hydra_nb.analysis import plots
from hydra_nb.analysis.spread_clock import suggest_window
from hydra_nb.analysis.survival import survival

from .test_plots_of_the_desk import contrast
from .test_spread_clock import clock_of
from .test_survival import by_hand, clustered, frame_of, stage_of


def drawn(figure: go.Figure, name: str) -> go.Scatter:
    """The one trace of that name."""
    (found,) = (one for one in figure.data if one.name == name)
    return found


def test_a_curve_is_drawn_in_steps_with_its_numbers() -> None:
    """From 100 % down, each value holding until the next; the legend tells the orders it rests on."""
    curve = survival(by_hand())

    figure = plots.survival_curves(curve)

    line = drawn(figure, "all, 4 orders")
    assert list(line.x) == curve["time_s"].tolist()
    assert list(line.y) == curve["unfilled"].tolist()
    assert line.line.shape == "hv"
    assert np.asarray(line.customdata)[1].tolist() == [4, 10, 2]
    assert list(drawn(figure, "band of all").x) == []  # four orders give no band


def test_a_band_is_a_closed_outline_around_its_curve() -> None:
    """Up along the upper ends, back along the lower; where the band is unknown it has a hole."""
    curve = survival(clustered(3), resamples=100)

    figure = plots.survival_curves(curve)

    band = drawn(figure, "band of all")
    known = curve.dropna(subset=["low"])
    assert max(y for y in band.y if y is not None) == known["high"].max()
    assert min(y for y in band.y if y is not None) == known["low"].min()
    assert band.fill == "toself"
    stretches = "".join("|" if x is None else "." for x in band.x).strip("|").split("|")
    assert sum(len(one) for one in stretches) == 4 * len(known)


def test_groups_differ_in_colour_and_more_than_four_in_dash() -> None:
    """Six hours: six lines, no two dressed alike."""
    stages = frame_of(*(stage_of(f"o{hour}", 1, fills=((1, hour),), worked_s=hour, hour=hour) for hour in range(9, 15)))

    figure = plots.survival_curves(survival(stages, by="hour"))

    lines = [one for one in figure.data if one.showlegend is not False and one.name]
    assert [one.name for one in lines] == [f"{hour}, 1 orders" for hour in range(9, 15)]
    assert len({(one.line.color, one.line.dash) for one in lines}) == 6


def test_the_map_shows_the_mean_spread_of_each_recorded_hour() -> None:
    """Rows are weekdays, columns hours; what was not recorded is empty, what was seldom quoted is crossed."""
    clock = pd.concat([clock_of({9: 2, 10: 6}, weekday=1), clock_of({9: 4}, weekday=3, quoted=0.4)])

    figure = plots.spread_clock_map(clock, time_zone="America/Chicago")

    grid = drawn(figure, "mean spread")
    assert [[z for z in line if z is not None] for line in grid.z] == [[2, 6], [4]]
    assert (grid.z[0][9], grid.z[1][9]) == (2, 4)
    assert list(figure.layout.yaxis.ticktext) == ["Mon", "Wed"]
    crossed = drawn(figure, "quoted for less than half of the time")
    assert (list(crossed.x), list(crossed.y)) == ([9], [1])
    assert grid.text[1][9] == "Wed 09:00: mean 4.0 ticks, median 4.0<br>quoted 40% of 60 min recorded on 3 days"
    assert grid.text[1][10] == "not recorded"
    assert figure.layout.xaxis.title.text == "hour of the day, America/Chicago time"


def test_a_suggested_window_is_framed_and_over_midnight_twice() -> None:
    """A frame from its first to its last hour; none where none was suggested."""
    day, night, nothing = clock_of({9: 8, 10: 4, 11: 2}), clock_of({0: 1, 12: 9, 23: 1}), clock_of({9: 2})

    frames = [
        [(one.x0, one.x1) for one in plots.spread_clock_map(clock, window=suggest_window(clock)).layout.shapes]
        for clock in (day, night, nothing)
    ]

    assert frames == [[(9.5, 11.5)], [(22.5, 23.5), (-0.5, 0.5)], []]


def test_nothing_is_said_to_be_nothing() -> None:
    """Empty frames give figures that say so."""
    for figure in (
        plots.survival_curves(survival(by_hand().iloc[:0])),
        plots.spread_clock_map(clock_of({9: 2}).iloc[:0]),
    ):
        assert [note.text for note in figure.layout.annotations] == ["nothing to show yet"]


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#111111"), (None, "#ffffff")])
def test_words_can_be_read_and_a_page_finds_the_figures(theme: str | None, ground: str) -> None:
    """As with every other figure: 4.5:1 or more on a clear ground, and one line with our name."""
    for figure in (
        plots.survival_curves(survival(by_hand()), theme=theme),  # type: ignore[arg-type]  # parametrized
        plots.spread_clock_map(clock_of({9: 2}), theme=theme),  # type: ignore[arg-type]
    ):
        assert contrast(figure.layout.font.color, ground) >= 4.5
        assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
        assert [one.uid for one in figure.data].count("hydra") == 1


def test_figures_export_offline_and_as_plain_json(tmp_path: Path) -> None:
    """One page without an address to fetch; JSON that any reader of Plotly takes, without NaN."""
    page = tmp_path / "curves.html"
    figure = plots.survival_curves(survival(clustered(3), resamples=50))

    figure.write_html(page, include_plotlyjs=True)
    told = json.loads(figure.to_json(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    assert "<script src=" not in page.read_text(encoding="utf-8")
    assert [one["type"] for one in told["data"]] == ["scatter", "scatter"]
