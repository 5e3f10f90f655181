"""Figures of plans and executions: what is drawn, how much of it, and that nothing at all is drawable too."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from hydra_nb.analysis.plots import execution_figure, plan_figure

START = pd.Timestamp("2027-01-12 15:00", tz="UTC")  # 09:00 in Chicago
CHICAGO = "America/Chicago"


def make_slices() -> pd.DataFrame:
    """Two slices of three and two lots, ten minutes apart."""
    starts = pd.to_datetime([START, START + pd.Timedelta(minutes=10)])
    return pd.DataFrame(
        {
            "slice": pd.array([1, 2], dtype="Int64"),
            "start": starts,
            "earliest": [starts[0], starts[1] - pd.Timedelta(minutes=2)],
            "latest": [starts[0], starts[1] + pd.Timedelta(minutes=2)],
            "lots": pd.array([3, 2], dtype="Int64"),
            "limit_mid": [370.0, 370.0],
            "limit_step": [370.25, 370.25],
            "limit_cross": [371.75, 371.75],
            "wait_mid_s": [300.0, 300.0],
            "wait_step_s": [150.0, 150.0],
            "wait_cross_s": [75.0, 75.0],
        }
    )


def make_quotes(count: int) -> pd.DataFrame:
    """Quotes each second of which each changes the bid; the ask is missing from the third to the fifth."""
    times = pd.date_range(START - pd.Timedelta(minutes=20), periods=count, freq="s")
    bid = 368.0 + 0.25 * (np.arange(count) % 3)
    ask = np.where((np.arange(count) >= 3) & (np.arange(count) < 5), np.nan, 371.75)
    return pd.DataFrame({"time": times, "bid": bid, "ask": ask})


def make_fills() -> pd.DataFrame:
    """Three fills, one a stage."""
    times = [START + pd.Timedelta(seconds=seconds) for seconds in (60, 400, 1_000)]
    return pd.DataFrame(
        {
            "time": pd.to_datetime(times),
            "slice": pd.array([1, 1, 2], dtype="Int64"),
            "stage": ["mid", "step", "cross"],
            "lots": pd.array([1, 2, 1], dtype="Int64"),
            "price": [370.0, 370.25, 371.75],
        }
    )


def draw_plan(schedule: pd.DataFrame, quotes: pd.DataFrame, *, limit: float | None = None) -> go.Figure:
    """The figure of a plan to buy oats."""
    return plan_figure(
        schedule, side="BUY", tick=0.25, decimals=2, quotes=quotes, limit=limit, time_zone=CHICAGO, unit="¢", title="x"
    )


def draw_execution(fills: pd.DataFrame, quotes: pd.DataFrame, slices: pd.DataFrame) -> go.Figure:
    """The figure of an execution that arrived at 370.00."""
    return execution_figure(
        fills, quotes, slices, side="BUY", arrival_mid=370.0, time_zone=CHICAGO, decimals=2, title="x"
    )


def trace(figure: go.Figure, name: str) -> go.Scatter:
    """The one trace of that name."""
    (found,) = (trace for trace in figure.data if trace.name == name)
    return found


def points(figure: go.Figure) -> int:
    """All points of a figure."""
    return sum(len(trace.x) for trace in figure.data if trace.x is not None)


def test_a_plan_is_drawn_in_the_exchanges_time_with_its_stages_lots_and_limit() -> None:
    """Stages as steps from 09:00 in Chicago, lots below, one window for the jittered slice, the limit dashed."""
    figure = draw_plan(make_slices(), make_quotes(60), limit=376.0)

    stages = trace(figure, "stage prices")
    assert pd.Timestamp(stages.x[0]) == pd.Timestamp("2027-01-12 09:00")
    assert list(stages.y[:7]) == [370.0, 370.0, 370.25, 370.25, 371.75, 371.75, None]
    assert list(trace(figure, "lots").text) == ["<b>3</b>", "<b>2</b>"]
    assert len(figure.layout.shapes) == 1
    assert (trace(figure, "limit").line.dash, set(trace(figure, "limit").y)) == ("dash", {376.0})
    assert trace(figure, "mid now").line.dash == "dot"


def test_prices_of_a_plan_all_lie_within_the_shown_range() -> None:
    """Neither the limit nor the band is cut off."""
    figure = draw_plan(make_slices(), make_quotes(60), limit=376.0)

    low, high = figure.layout.yaxis.range
    assert low < 368.0
    assert high > 376.0


def test_many_quotes_are_thinned() -> None:
    """A day of quotes stays below 2,000 points."""
    plan = draw_plan(make_slices(), make_quotes(20_000))
    execution = draw_execution(make_fills(), make_quotes(20_000), make_slices())

    assert points(plan) < 2_000
    assert points(execution) < 2_000


def test_quotes_that_repeat_are_drawn_once() -> None:
    """Only changes of bid or ask make corners."""
    quotes = make_quotes(400).assign(bid=368.0, ask=371.75)

    figure = draw_plan(make_slices(), quotes)

    assert len(trace(figure, "bid to ask").x) < 12


def test_the_band_breaks_where_a_side_is_missing() -> None:
    """No area is drawn over a time in which the ask was unknown."""
    quotes = make_quotes(10)

    band = trace(draw_plan(make_slices(), quotes), "bid to ask")

    hole = (quotes["time"][3].tz_convert(CHICAGO).tz_localize(None), quotes["time"][5].tz_convert(CHICAGO))
    inside = [time for time in band.x if time is not None and hole[0] < pd.Timestamp(time) < hole[1].tz_localize(None)]
    assert list(band.y).count(None) == 2
    assert inside == []


def test_fills_have_the_shape_of_their_stage_and_the_size_of_their_lots() -> None:
    """Circle at mid, square at step, diamond at cross; two lots larger than one."""
    figure = draw_execution(make_fills(), make_quotes(60), make_slices())

    markers = {stage: trace(figure, f"filled at {stage}").marker for stage in ("mid", "step", "cross")}
    assert [marker.symbol for marker in markers.values()] == ["circle", "square", "diamond"]
    assert markers["step"].size[0] > markers["mid"].size[0]


def test_filled_lots_add_up_within_due_and_open() -> None:
    """The lower row: cumulative fills, and the band that reaches the parent's lots."""
    figure = draw_execution(make_fills(), make_quotes(60), make_slices())

    assert list(trace(figure, "filled").y) == [0, 1, 3, 4]
    assert max(trace(figure, "due to open").y) == 5
    assert set(trace(figure, "arrival").y) == {370.0}


@pytest.mark.parametrize("missing", ["fills", "quotes", "slices", "all"])
def test_empty_frames_are_drawn(missing: str) -> None:
    """A desk that has nothing yet still gets a figure, which says so when there is nothing at all."""
    frames = {"fills": make_fills(), "quotes": make_quotes(60), "slices": make_slices()}
    frames = {name: frame.iloc[:0] if missing in (name, "all") else frame for name, frame in frames.items()}

    execution = draw_execution(frames["fills"], frames["quotes"], frames["slices"])
    plan = draw_plan(frames["slices"], frames["quotes"], limit=376.0)

    for figure in (execution, plan):
        said = any("nothing to show" in str(note.text) for note in figure.layout.annotations)
        assert said is (missing == "all")
        assert figure.to_json()


def test_an_unknown_arrival_is_left_out() -> None:
    """NaN draws no line."""
    figure = execution_figure(
        make_fills(),
        make_quotes(60),
        make_slices(),
        side="BUY",
        arrival_mid=float("nan"),
        time_zone=CHICAGO,
        decimals=2,
        title="<i>tag</i>",
    )

    assert "arrival" not in [drawn.name for drawn in figure.data]
    assert "&lt;i&gt;" in figure.layout.title.text
