"""Figures of what trading cost: they draw what their tables say; what is not known is named, never drawn as zero."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis import plots
from hydra_nb.analysis.columns import Column, make_frame
from hydra_nb.analysis.cost_tables import (
    MARKOUT_TABLE,
    PREDICTION_TABLE,
    WATERFALL_TABLE,
    markout_table,
    prediction_table,
    waterfall_table,
)
from hydra_nb.analysis.tca.columns import FILL_LEVEL, PARENT_LEVEL
from hydra_nb.errors import InvalidFrame

EXAMPLE = {"delay_cash": 4, "trading_cash": 6, "opportunity_cash": 6, "fees_cash": 4, "shortfall_cash": 20}
"""Buy 100, decided at 10.00, arrived at 10.05: 60 at 10.10, 20 at 10.20, 20 left at 10.30, fees 4."""

figures_of_cash = st.integers(-500, 500)


def frame_of(columns: tuple[Column, ...], *rows: dict[str, Any]) -> pd.DataFrame:
    """A frame of tca in which nothing is known but what is said."""
    return make_frame(columns, [{one.name: None for one in columns} | row for row in rows])


def parents(*rows: dict[str, Any]) -> pd.DataFrame:
    """Orders in dollars."""
    return frame_of(PARENT_LEVEL, *({"currency": "USD"} | row for row in rows))


def fills(*rows: dict[str, Any]) -> pd.DataFrame:
    """Buys of one lot in dollars."""
    return frame_of(FILL_LEVEL, *({"currency": "USD", "side": "BUY", "lots": 1} | row for row in rows))


def predicted_fills(count: int, *, error: float = 2.0) -> pd.DataFrame:
    """Fills of which each cost a little more than predicted: by 0, 1, 2… times `error`."""
    return fills(
        *({"predicted_slippage_bps": 5.0 + n, "arrival_slippage_bps": 5.0 + n + n * error} for n in range(count))
    )


def trace(figure: go.Figure, name: str) -> Any:
    """The one trace of that name."""
    (found,) = (one for one in figure.data if one.name == name)
    return found


def notes(figure: go.Figure) -> list[str]:
    """All words that are written into a figure."""
    return [note.text for note in figure.layout.annotations]


# Waterfall


def test_the_parts_of_one_order_step_up_to_its_total() -> None:
    """The worked example of Perold's parts: 4, 6, 6 and 4 are 20, which is 200 bps of 1,000."""
    figure = plots.cost_waterfall(parents(EXAMPLE | {"shortfall_bps": 200, "notional_cash": 1_000}))

    bars = trace(figure, "cost")
    assert list(bars.x) == ["delay", "trading", "opportunity", "fees", "total"]
    assert list(bars.y) == [4, 6, 6, 4, 20]
    assert list(bars.measure) == ["relative"] * 4 + ["total"]
    assert bars.text[0] == "<b>+4.00</b><br>+40.0 bps"
    assert bars.text[4] == "<b>+20.00</b><br>+200.0 bps"
    assert figure.layout.xaxis.title.text == "1 order"


def test_orders_that_are_not_known_whole_are_left_out_and_counted() -> None:
    """Two orders add up part by part; of the third the opportunity is not known, so nothing of it is added."""
    gained = {"delay_cash": -14, "trading_cash": 6, "opportunity_cash": 6, "fees_cash": 4, "shortfall_cash": 2}
    table = waterfall_table(
        parents(
            EXAMPLE | {"shortfall_bps": 200, "notional_cash": 1_000},
            gained | {"shortfall_bps": 20, "notional_cash": 1_000},
            {"delay_cash": 1_000, "trading_cash": 6, "fees_cash": 4},
        )
    ).set_index("part")

    assert table["cash"].to_dict() == {"delay": -10, "trading": 12, "opportunity": 12, "fees": 8, "total": 22}
    assert table["orders"].tolist() == [2] * 5
    assert table["unknown"].to_dict() == {"delay": 0, "trading": 0, "opportunity": 1, "fees": 0, "total": 1}
    assert table.loc["total", "bps"] == pytest.approx(110)  # 22 of 2,000


def test_an_order_without_a_cost_counts_in_what_the_basis_points_are_of() -> None:
    """One that was refused while the mid stood still: its shortfall of nothing is of all its lots, not unknown."""
    nothing = dict.fromkeys(EXAMPLE, 0)

    table = waterfall_table(
        parents(
            EXAMPLE | {"shortfall_bps": 200, "notional_cash": 1_000},
            nothing | {"shortfall_bps": 0, "notional_cash": 9_000},
        )
    ).set_index("part")

    assert table.loc["total", "bps"] == pytest.approx(20)  # 20 of 10,000
    assert table.loc["delay", "bps"] == pytest.approx(4)


def test_a_part_that_is_not_known_is_named_and_has_no_bar() -> None:
    """Neither it nor the total is drawn as zero."""
    figure = plots.cost_waterfall(parents({"delay_cash": 4, "trading_cash": 6, "fees_cash": 4}))

    assert list(trace(figure, "cost").x) == ["delay", "trading", "fees"]
    assert notes(figure) == ["not known", "not known"]
    assert [note.x for note in figure.layout.annotations] == ["opportunity", "total"]
    assert figure.layout.xaxis.title.text == "not known: opportunity, so no total"


def test_currencies_are_not_added() -> None:
    """The error says which there are, and how to take one."""
    with pytest.raises(InvalidFrame, match=r"EUR, USD.*frame\['currency'\] == 'EUR'"):
        plots.cost_waterfall(parents(EXAMPLE, EXAMPLE | {"currency": "EUR"}))


@given(rows=st.lists(st.tuples(*[st.none() | figures_of_cash] * 4), min_size=1, max_size=6))
def test_the_parts_of_a_waterfall_add_up_wherever_there_is_a_total(rows: list[tuple[int | None, ...]]) -> None:
    """For any orders of which anything is not known."""
    names = ("delay_cash", "trading_cash", "opportunity_cash", "fees_cash")

    table = waterfall_table(parents(*(dict(zip(names, row, strict=True)) for row in rows)))

    cash = table["cash"].to_numpy()
    complete = sum(None not in row for row in rows)
    assert table["orders"].iloc[4] == complete
    assert np.isnan(cash[4]) == (complete == 0)
    assert complete == 0 or cash[:4].sum() == cash[4]


# Markouts


def test_a_markout_is_the_mean_over_lots_and_begins_at_half_the_effective_spread() -> None:
    """Three lots that paid 2 ticks of spread and one that earned 2: (3 × −1 + 1 × 1) / 4."""
    frame = fills(
        {"lots": 3, "effective_spread_ticks": 2.0, "markout_10s_ticks": -2.0},
        {"lots": 1, "effective_spread_ticks": -2.0, "markout_10s_ticks": 4.0},
    )

    table = markout_table(frame).set_index("horizon")

    assert table.loc["at the fill", "mean"] == -0.5
    assert table.loc["10 s", "mean"] == -0.5
    assert table.loc["10 s", ["p5", "median", "p95"]].tolist() == [-2.0, -2.0, 4.0]
    assert table["after_s"].tolist() == [0, 10, 60, 300, 1_800]


def test_a_fan_says_of_how_many_fills_each_horizon_is_known() -> None:
    """The last fill has no mid ten seconds later; horizons of which nothing is known are not drawn."""
    frame = fills(
        {"effective_spread_ticks": 2.0, "markout_10s_ticks": -2.0, "markout_1min_ticks": -3.0},
        {"effective_spread_ticks": 2.0},
    )

    figure = plots.markout_fan(frame)

    mean = trace(figure, "mean")
    assert list(mean.x) == ["at the fill<br>n = 2", "10 s<br>n = 1", "1 min<br>n = 1"]
    assert list(mean.y) == [-1.0, -2.0, -3.0]
    assert "1 not known" in mean.text[1]
    assert len(trace(figure, "half").x) == 6


@given(lots=st.lists(st.tuples(st.integers(1, 9), st.integers(-20, 20)), min_size=1, max_size=30))
def test_the_bands_of_a_fan_lie_around_each_other(lots: list[tuple[int, int]]) -> None:
    """Nine tenths around half around the median, and the mean within the extremes."""
    frame = fills(*({"lots": some, "markout_5min_bps": float(gain)} for some, gain in lots))

    row = markout_table(frame, unit="bps").set_index("horizon").loc["5 min"]

    assert row["p5"] <= row["p25"] <= row["median"] <= row["p75"] <= row["p95"]
    assert row["mean"] == pytest.approx(sum(some * gain for some, gain in lots) / sum(some for some, _ in lots))
    assert row["lots"] == sum(some for some, _ in lots)


# Predictions


def test_predictions_are_drawn_against_what_came_with_their_bias() -> None:
    """Twenty fills, 0 to 19 bps above their prediction: 9.5 on average, the band from a twentieth to all but one."""
    frame = predicted_fills(20, error=1.0)

    figure = plots.predicted_against_actual(frame)

    buys, line, band = (trace(figure, name) for name in ("buys", "as predicted", "90 % of the fills"))
    assert list(buys.x) == frame["predicted_slippage_bps"].tolist()
    assert list(buys.y) == frame["arrival_slippage_bps"].tolist()
    assert list(line.x) == list(line.y)
    assert band.y[0] - band.x[0] == pytest.approx(18.05)
    assert figure.layout.title.text == "<b>Predicted against actual: n = 20, bias +9.50 bps</b>"


def test_few_fills_have_no_band_and_say_so() -> None:
    """Nine are fewer than ten; a fill without a prediction is counted apart."""
    frame = pd.concat([predicted_fills(9), fills({"arrival_slippage_bps": 3.0})], ignore_index=True)

    figure = plots.predicted_against_actual(frame)

    assert "90 % of the fills" not in [one.name for one in figure.data]
    assert "n = 9, 1 not known" in figure.layout.title.text
    assert "fewer than 10" in figure.layout.title.text


def test_sides_are_told_by_colour_and_shape() -> None:
    """Buys blue and up, sells orange and down; the table has a row of each and one of all."""
    frame = pd.concat([predicted_fills(3), predicted_fills(2).assign(side="SELL")], ignore_index=True)

    figure = plots.predicted_against_actual(frame)

    buys, sells = trace(figure, "buys"), trace(figure, "sells")
    assert (len(buys.x), len(sells.x)) == (3, 2)
    assert (buys.marker.symbol, sells.marker.symbol) == ("triangle-up", "triangle-down")
    assert buys.marker.color != sells.marker.color
    assert prediction_table(frame)["side"].tolist() == ["BUY", "SELL", "all"]
    assert prediction_table(frame)["fills"].tolist() == [3, 2, 5]


# All of them


def test_figures_of_nothing_say_so_and_their_tables_keep_their_columns() -> None:
    """A desk on its first day still gets its figures."""
    no_parents, no_fills = parents(), fills()
    figures = (
        plots.cost_waterfall(no_parents),
        plots.markout_fan(no_fills),
        plots.predicted_against_actual(no_fills),
    )

    tables = waterfall_table(no_parents), markout_table(no_fills), prediction_table(no_fills)

    for figure in figures:
        assert "nothing to show yet" in notes(figure)
    for table, columns in zip(tables, (WATERFALL_TABLE, MARKOUT_TABLE, PREDICTION_TABLE), strict=True):
        assert {name: str(dtype) for name, dtype in table.dtypes.items()} == {
            one.name: str(one.kind) for one in columns
        }


@pytest.mark.parametrize("draw", [plots.cost_waterfall, plots.markout_fan, plots.predicted_against_actual])
def test_a_frame_of_something_else_is_refused_with_what_it_lacks(draw: Any) -> None:
    """Of the columns that it needs, none is taken for zero."""
    with pytest.raises(InvalidFrame, match="lacks"):
        draw(pd.DataFrame({"lots": [1], "side": ["BUY"], "currency": ["USD"]}))


def test_a_unit_that_no_figure_knows_is_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(ValueError, match="ticks, bps, not 'cash'"):
        markout_table(fills(), unit="cash")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="ticks, bps, cash, not 'euros'"):
        prediction_table(fills(), unit="euros")  # type: ignore[arg-type]  # on purpose
