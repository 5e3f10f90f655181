"""What a basket looks like: card, figure, and a CSV file that a spreadsheet had in its hands."""

import csv
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb import read_basket
from hydra_nb.analysis.plot_traces import BLUE, RED
from hydra_nb.desk.basket.csv_file import _written, write_basket
from hydra_nb.desk.basket.errors import Faults
from hydra_nb.desk.basket.reading import Request, _aware, read_rows
from hydra_nb.domain.frozen import FrozenMapping
from tests.baskets.market import CalmExchange, twelve
from tests.ledger.making import OATS
from tests.whole_stack import Stack, on_a_desk

DANGEROUS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "'=1", "''=1", "'quoted", '=HYPERLINK("x","y")', "＝1"]


def test_the_card_tells_all_rows_and_hides_the_account() -> None:
    """Escaped, masked, with what is refused; a basket at its targets has a card too."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        basket = await desk.preview_basket(twelve(lots=[2] * 11 + [40]), tag="<b>")
        done = await desk.preview_basket(pd.DataFrame({"instrument": ["ZO"], "target": [0]}))
        card = basket._repr_html_()

        assert all(symbol in card for symbol in basket.rows["local_symbol"])
        assert "refuses 1 row of 12" in card
        assert ">SIM</span>" in card
        assert desk.masked_account in card
        texts = re.findall(r">([^<]*)<", card)
        assert any("$" in text for text in texts)
        assert all(text.count("$") < 2 for text in texts), "a notebook would set it as a formula"
        assert desk.account not in card + repr(basket) + done._repr_html_()
        assert "nothing is to be sent" in done._repr_html_()
        assert "1 refused" in repr(basket)

    on_a_desk(scenario, exchange=CalmExchange())


def test_the_figure_has_a_lane_a_contract_with_its_sessions_and_slices() -> None:
    """Bars from start to the end of the ladder, in UTC; hovering tells the exchange's time; refused ones are red."""

    async def scenario(stack: Stack) -> None:
        frame = twelve(lots=[2] * 11 + [40])
        basket = await stack.desk.preview_basket(frame, strategy="twap", slices=2, duration="2h")
        figure = basket.plot()
        bars = {trace.name: trace for trace in figure.data if trace.type == "bar"}
        first = basket.schedule.iloc[0]

        assert set(bars) == {"session", "buys", "sells", "refused"}
        assert set(bars["session"].y) == set(basket.rows["local_symbol"])
        assert len(bars["buys"].y) == 12
        assert len(bars["sells"].y) == 10
        assert len(bars["refused"].y) == 2
        assert (bars["buys"].marker.color, bars["refused"].marker.color) == (BLUE, RED)
        assert pd.Timestamp(bars["buys"].base[0]) == first["start"].tz_localize(None)
        waits = first[["wait_mid_s", "wait_step_s", "wait_cross_s"]].sum()
        assert bars["buys"].x[0] == pytest.approx(waits * 1000)
        assert "Tue 09:00" in bars["buys"].customdata[0]
        assert "America/Chicago time" in bars["buys"].customdata[0]
        execution = await stack.desk.submit(basket)
        assert len(execution.plot().data[1].y) == 12
        await execution.cancel()

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_file_means_what_was_written(tmp_path: Path) -> None:
    """The same orders with the same settings, of the months that were shown."""

    async def scenario(stack: Stack) -> None:
        frame = pd.DataFrame(
            {
                "instrument": ["ZO", "KE", "PA"],
                "side": ["BUY", None, "SELL"],
                "lots": pd.array([4, None, 1], dtype="Int64"),
                "target": pd.array([None, -3, None], dtype="Int64"),
                "limit": [402.25, None, None],
                "slices": [2, 3, None],
                "duration": ["1h", 5400, None],
                "adv": [None, 700.5, None],
                "tag": ["=1+1", None, '-a, "b"'],
                "seed": [1, 2, 3],
            },
            index=["a", "b", "c"],
        )
        basket = await stack.desk.preview_basket(frame, step=0.002)
        again = await stack.desk.preview_basket(read_basket(basket.to_csv(tmp_path / "basket.csv")))

        assert [plan.parent for plan in again.plans] == [plan.parent for plan in basket.plans]
        assert [plan.terms.slices for plan in again.plans] == [plan.terms.slices for plan in basket.plans]
        assert [plan.terms.step for plan in again.plans] == [Decimal("0.002")] * 3
        assert again.rows["row"].tolist() == ["a", "b", "c"]
        assert again.rows["local_symbol"].tolist() == basket.rows["local_symbol"].tolist()

    on_a_desk(scenario, exchange=CalmExchange())


@pytest.mark.parametrize("tag", DANGEROUS)
def test_no_text_is_written_as_a_formula_and_each_comes_back(tmp_path: Path, tag: str) -> None:
    """Numbers may begin with a minus, text may not."""
    request = Request(
        number=0,
        label="=row",
        instrument="ZO",
        side=None,
        lots=None,
        target=-5,
        how=FrozenMapping({"tag": tag, "limit": -1.25}),
    )

    path = write_basket(tmp_path / "basket.csv", [(request, OATS)])

    with path.open(encoding="utf-8", newline="") as file:
        names, cells = csv.reader(file)
    written = dict(zip(names, cells, strict=True))
    assert (written["target"], written["limit"]) == ("-5", "-1.25")
    assert not [cell for name, cell in written.items() if name not in ("target", "limit") and cell[:1] in set("=+-@＝")]
    frame = read_basket(path)
    assert frame["tag"].tolist() == [tag]
    assert frame.index.tolist() == ["=row"]
    assert frame["target"].tolist() == [-5]


def test_a_time_with_its_zone_comes_back_as_the_same_instant() -> None:
    """And any other text of a time stays as it was written."""
    when = dt.datetime(2027, 1, 13, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=-6)))

    assert _aware(_written(when)) == when
    assert _aware(_written("open+15m")) == "open+15m"
    assert _aware("2027-01-13 09:30") == "2027-01-13 09:30"


def test_stray_spaces_empty_lines_and_capitals_of_a_spreadsheet_do_no_harm(tmp_path: Path) -> None:
    """Also its mark at the beginning, its empty columns, and CRLF; rows are named by their line."""
    path = tmp_path / "basket.csv"
    text = "\r\n Instrument ,SIDE,Lots , target,,\r\n,,,,,\r\n ZO , buy, 2 ,,,\r\n\r\nKE,,,-3,,\r\n , ,,,,\r\n"
    path.write_bytes("\ufeff".encode() + text.encode())
    faults = Faults()

    frame = read_basket(path)
    requests = read_rows(frame, defaults={}, faults=faults)

    assert list(frame.columns) == ["instrument", "side", "lots", "target"]
    assert str(frame["lots"].dtype) == str(frame["target"].dtype) == "Int64"
    assert [(one.label, one.instrument, one.side, one.lots, one.target) for one in requests] == [
        ("4", "ZO", "BUY", 2, None),
        ("6", "KE", None, None, -3),
    ]
    assert faults.count == 0
