"""Whatever is wrong with a frame is said at once, by row and column with its remedy; nothing is sent or journalled."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hydra_nb import read_basket
from hydra_nb.desk.basketing import _column
from hydra_nb.domain.events import Event
from hydra_nb.errors import BasketErrors, DurationTooShort, InvalidOrder, OrderError
from tests.baskets.market import CalmExchange
from tests.whole_stack import Stack, on_a_desk


@dataclass(frozen=True, kw_only=True)
class Case:
    """A frame, and the errors it must have: label of the row, column, and words of the remedy."""

    frame: Any
    errors: list[tuple[str, str, str]]
    how: dict[str, Any] = field(default_factory=dict)


def orders(*rows: tuple[Any, ...], columns: str = "instrument side lots", labels: Any = None) -> pd.DataFrame:
    """Rows with these columns, text, numbers and None as they come."""
    return pd.DataFrame(rows, columns=columns.split(), index=labels, dtype=object)


CASES = {
    "no frame": Case(frame=[{"instrument": "ZO"}], errors=[("", "instrument", "a basket is a DataFrame, not list")]),
    "empty": Case(frame=orders(), errors=[("", "instrument", "no rows: say one order or target a row")]),
    "nothing at all": Case(
        frame=pd.DataFrame(),
        errors=[
            ("", "instrument", "name a future a row"),
            ("", "target", "say 'side' and 'lots', or 'target'"),
            ("", "instrument", "no rows"),
        ],
    ),
    "unknown columns": Case(
        frame=orders(("ZO", "BUY", 1, 3, 4), columns="instrument side lots slice colour"),
        errors=[("", "slice", "did you mean 'slices'?"), ("", "colour", "known are instrument, side, lots, target")],
    ),
    "a column twice": Case(
        frame=orders(("ZO", "BUY", 1, 2), columns="instrument side lots lots"),
        errors=[("", "lots", "there 2 times"), ("0", "lots", "BUY how many")],
    ),
    "a start that has passed": Case(
        frame=orders(("ZO", "BUY", 1, "08:45"), ("ZR", "BUY", 1, "open"), columns="instrument side lots start"),
        errors=[("0", "start", "which has passed")],
    ),
    "a start while closed, and one past the close": Case(
        frame=orders(("ZO", "BUY", 1, "14:00"), ("ZR", "BUY", 1, "13:19"), columns="instrument side lots start"),
        errors=[("0", "start", "is closed: it opens"), ("1", "start", "overrun='shorten'")],
    ),
    "no instrument": Case(
        frame=orders((None, "BUY", 1), ("  ", "BUY", 1), (7, "BUY", 1)),
        errors=[
            ("0", "instrument", "name a future"),
            ("1", "instrument", "name a future"),
            ("2", "instrument", "ZOH7"),
        ],
    ),
    "unknown symbols": Case(
        frame=orders(("OATS", "BUY", 1), ("ZO", "BUY", 1), ("LH", "SELL", 1), labels=["a", "b", "c"]),
        errors=[("a", "instrument", "ZO"), ("c", "instrument", "HE")],
    ),
    "side and lots": Case(
        frame=orders(
            ("ZO", "HOLD", 1),
            ("KE", "BUY", 0),
            ("ZR", "BUY", 1.5),
            ("HE", "SELL", "many"),
            ("GF", "BUY", True),
            ("PA", "BUY", -3),
            ("PL", "BUY", None),
            ("DA", None, 4),
            ("CB", None, None),
            ("OJ", "BUY", float("inf")),
            ("CSC", "BUY", 10**9),
            labels=range(3, 14),
        ),
        errors=[
            ("3", "side", "neither 'BUY' nor 'SELL'"),
            ("4", "lots", "at least 1 is needed"),
            ("5", "lots", "1.5 is no whole number; write for instance 13"),
            ("6", "lots", "'many' is no whole number"),
            ("7", "lots", "True is no whole number"),
            ("8", "lots", "a sale is side SELL"),
            ("9", "lots", "BUY how many: say lots"),
            ("10", "side", "4 lots of what side: say BUY or SELL"),
            ("11", "lots", "say side and lots, or target"),
            ("12", "lots", "inf is no whole number"),
            ("13", "lots", "at most 1,000,000"),
        ],
    ),
    "target": Case(
        frame=orders(
            ("ZO", "BUY", 1, 5),
            ("KE", None, 2, -5),
            ("ZR", None, None, 2.5),
            ("HE", None, None, None),
            ("PA", None, None, 10**8),
            columns="instrument side lots target",
        ),
        errors=[
            ("0", "target", "both target and side and lots are given: say one"),
            ("1", "target", "both target and lots are given"),
            ("2", "target", "2.5 is no whole number"),
            ("3", "target", "say side and lots, or target"),
            ("4", "target", "at most 1,000,000 lots"),
        ],
    ),
    "two targets of one contract, under two names": Case(
        frame=orders(("ZO", 3), ("KE", 1), ("ZOK7", 5), columns="instrument target", labels=["x", "y", "z"]),
        errors=[("z", "instrument", "ZOK7 has a target in row x already, +3: keep one")],
    ),
    "equal orders without tags": Case(
        frame=orders(
            ("ZO", "BUY", 2, None), ("zok7", "buy", 2, None), ("ZO", "BUY", 2, "b"), columns="instrument side lots tag"
        ),
        errors=[("1", "instrument", "stands in row 0 already: give each a tag")],
    ),
    "opposite rows": Case(
        frame=orders(("ZO", "BUY", 2), ("ZOK7", "SELL", 3)),
        errors=[("1", "side", "SELL and BUY of ZOK7, see row 0: they would cross; send the difference")],
    ),
    "target beside an order": Case(
        frame=orders(("ZO", "BUY", 2, None), ("ZO", None, None, 3), columns="instrument side lots target"),
        errors=[("1", "instrument", "both a target and orders, see row 0")],
    ),
    "limits": Case(
        frame=orders(
            ("ZO", "BUY", 2, 401.13),
            ("KE", "BUY", None, "5.1.2"),
            ("HE", "BUY", 1, 80.0),
            columns="instrument side lots limit",
        ),
        errors=[
            ("0", "limit", "401.13 is off the 0.25 tick; nearest 401.00 or 401.25"),
            ("1", "limit", "is no price"),
            ("1", "lots", "say lots"),
        ],
    ),
    "durations": Case(
        frame=orders(
            ("ZO", "BUY", 4, 60, 4),
            ("KE", "BUY", 4, "soon", None),
            ("ZR", "BUY", 4, "60", 4),
            columns="instrument side lots duration slices",
        ),
        errors=[
            ("0", "duration", "or at most 1 slices"),
            ("1", "duration", "'soon' is no time; say seconds, or for instance '2h'"),
            ("2", "duration", "duration 60 s leaves"),
        ],
        how={"strategy": "twap"},
    ),
    "settings": Case(
        frame=orders(
            ("ZO", "BUY", 4, "vwap", 0, "x", -1, "two\nlines"),
            ("KE", "BUY", 4, "twap", 2.5, 0, 1.5, "t" * 201),
            columns="instrument side lots strategy slices patience seed tag",
        ),
        errors=[
            ("0", "strategy", "say one of auto"),
            ("0", "slices", "at least 1 is needed"),
            ("0", "patience", "'x' is no number"),
            ("0", "seed", "no whole number from 0"),
            ("0", "tag", "not one line of at most 200 characters"),
            ("1", "slices", "2.5 is no whole number"),
            ("1", "patience", "outside 1 to 86400 s"),
            ("1", "seed", "1.5 is no whole number"),
            ("1", "tag", "not one line"),
        ],
    ),
    "too many rows": Case(
        frame=pd.DataFrame({"instrument": ["ZO"] * 501, "target": 1}), errors=[("", "instrument", "at most 500: part")]
    ),
}


@pytest.fixture(scope="module")
def said() -> dict[str, BasketErrors]:
    """What one desk says to each frame; it has sent, and journalled, nothing for any of them."""

    async def scenario(stack: Stack) -> dict[str, BasketErrors]:
        before, answers = len(stack.journalled(Event)), {}
        for name, case in CASES.items():
            with pytest.raises(BasketErrors) as caught:
                await stack.desk.preview_basket(case.frame, **case.how)
            answers[name] = caught.value
        assert not stack.core.placed()
        assert len(stack.journalled(Event)) == before
        assert stack.desk.is_open
        return answers

    return on_a_desk(scenario, exchange=CalmExchange())


@pytest.mark.parametrize("name", CASES)
def test_every_error_names_row_column_and_remedy(name: str, said: dict[str, BasketErrors]) -> None:
    """All of them, in the order of the rows, in the message and in the frame."""
    error, wanted = said[name], CASES[name].errors

    found = list(error.errors[["row", "column", "message"]].itertuples(index=False, name=None))
    assert [(row, column) for row, column, _ in sorted(found)] == sorted((row, column) for row, column, _ in wanted)
    for row, column, words in wanted:
        assert any((row, column) == told[:2] and words in told[2] for told in found), (row, column, words, found)
        where = f"row {row}" if row else "the frame"
        assert re.search(rf"^{where}, {column}: .*{re.escape(words)}", str(error), flags=re.MULTILINE)
    assert isinstance(error, InvalidOrder)
    assert "nothing was sent" in str(error)


def test_the_value_that_is_wrong_stands_in_the_frame(said: dict[str, BasketErrors]) -> None:
    """As it was given."""
    frame = said["side and lots"].errors.set_index("row")

    assert frame.loc["3", "value"] == "HOLD"
    assert frame.loc["5", "value"] == "1.5"
    assert frame.loc["11", "value"] == ""


SPELLINGS = {
    "numpy": {"side": ["BUY", "sell "], "lots": np.array([2, 3], dtype=np.int32)},
    "floats with gaps": {"side": ["BUY", "SELL"], "lots": [2.0, 3.0], "seed": [7.0, np.nan]},
    "Int64 NA": {
        "side": ["BUY", None],
        "lots": pd.array([2, None], dtype="Int64"),
        "target": pd.array([None, -3], dtype="Int64"),
        "seed": pd.array([7, None], dtype="Int64"),
    },
    "text": {"side": ["BUY", ""], "lots": ["2 ", ""], "target": ["", "−3"], "seed": ["7", " "]},
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_numbers_of_every_making_are_read(how: str) -> None:
    """What is absent is absent in each of them."""

    async def scenario(stack: Stack) -> None:
        frame = pd.DataFrame({"instrument": [" zo", "KE"], **SPELLINGS[how]})
        basket = await stack.desk.preview_basket(frame)

        assert basket.rows["lots"].tolist() == [2, 3]
        assert basket.rows["side"].tolist() == ["BUY", "SELL"]
        assert "seed" not in frame or basket.plans[0].terms.seed == 7

    on_a_desk(scenario, exchange=CalmExchange())


@pytest.mark.parametrize(
    ("error", "column"),
    [
        (InvalidOrder("start '2020-01-02 09:30' is past: name a later time"), "start"),
        (InvalidOrder("limit price 1.1 is off the 0.25 tick"), "limit"),
        (DurationTooShort("duration 60 s leaves 6 s"), "duration"),
        (OrderError("something else"), "instrument"),
    ],
)
def test_an_error_of_a_preview_is_put_down_to_the_setting_that_it_names(error: OrderError, column: str) -> None:
    """Whichever settings a preview knows."""
    assert _column(error, {"start": "x", "limit": 1, "duration": 60}) == column


def test_what_is_no_keyword_is_a_type_error() -> None:
    """As of `preview`: it is a slip in the code, not in the frame."""

    async def scenario(stack: Stack) -> None:
        frame = pd.DataFrame({"instrument": ["ZO"], "target": [1]})
        with pytest.raises(TypeError, match="unknown keyword 'slice'"):
            await stack.desk.preview_basket(frame, slice=3)
        with pytest.raises(InvalidOrder, match="say 'continue' or 'stop'"):
            await stack.desk.submit(await stack.desk.preview_basket(frame), on_refusal="halt")
        with pytest.raises(InvalidOrder, match="is for baskets"):
            await stack.desk.submit(await stack.desk.preview("BUY", 1, "ZO"), on_refusal="stop")
        assert stack.desk.executions().empty
        with pytest.raises(InvalidOrder, match="no basket 'nope' in this journal; known: none yet"):
            stack.desk.basket("nope")

    on_a_desk(scenario, exchange=CalmExchange())


def test_a_file_that_is_no_basket_says_so(tmp_path: Path) -> None:
    """Empty, not in UTF-8, or with a comma too many."""
    for content, words in [
        (b"\n , \n", "is empty: the first line names the columns"),
        (b"instrument,target\nZO,\xff\xfe", "is no CSV file in UTF-8"),
        (b"instrument,target\nZO,1,000", "line 2: 3 cells under 2 names"),
    ]:
        path = tmp_path / "basket.csv"
        path.write_bytes(content)
        with pytest.raises(InvalidOrder, match=words):
            read_basket(path)
