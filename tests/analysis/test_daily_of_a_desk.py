"""Reports of days through the whole stack: from an open desk, from its journal at rest, and by the command line."""

import datetime as dt
import re
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.analysis.daily import read_daily_report
from hydra_nb.errors import AnalysisError
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk

from .test_report_of_a_desk import run

FIRST, SECOND = "2027-03-02", "2027-03-03"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk that trades palladium until the day ends, and what it reported of that day and of the next one."""
    folder = tmp_path_factory.mktemp("days")

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        execution = await desk.execute("SELL", 3, "PA", tag="before the end")
        await desk.set_limits({"collar_ticks": 90})
        desk.daily_report().save(folder / "going.html")
        await stack.sleep(5_400)
        await desk.execute("BUY", 1, "PA", tag="after it")
        desk.daily_report(FIRST).save(folder / "over.html")
        desk.daily_report().save(folder / "next.html")
        assert desk.daily_report(FIRST).fills["parent_id"].unique().tolist() == [execution.parent_id]
        with pytest.raises(AnalysisError, match=f"the journal holds {FIRST} to {SECOND}"):
            desk.daily_report("2027-03-04")

    exchange = ScriptedExchange(start=dt.time(15, 40))
    on_a_desk(scenario, exchange=exchange, journal=folder / "journal.sqlite")
    return folder


def test_a_desk_and_its_journal_at_rest_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """The desk made it after the end of that day, the command line when all was over."""
    again = tmp_path / "again.html"

    done = run("daily-report", "--journal", folder / "journal.sqlite", "--date", FIRST, "--out", again)

    assert (done.returncode, done.stderr) == (0, "")
    assert again.read_bytes() == (folder / "over.html").read_bytes()


def test_the_next_day_begins_where_the_first_ended(folder: Path) -> None:
    """Fills, orders and equity of each are its own, and the position is what both made."""
    first, second = (read_daily_report(folder / f"{name}.html") for name in ("over", "next"))

    assert [one["fills"]["side"].unique().tolist() for one in (first, second)] == [["SELL"], ["BUY"]]
    assert [one["orders"]["tag"].tolist() for one in (first, second)] == [["before the end"], ["after it"]]
    assert [one["positions"]["position"].tolist() for one in (first, second)] == [[-3], [-2]]
    assert second["account"]["equity_begin"].tolist() == first["account"]["equity_end"].tolist()
    assert first["limits"]["limit"].tolist() == ["collar_ticks"]
    assert second["limits"].empty
    assert first["connection"].empty


def test_a_day_that_goes_on_is_told_as_far_as_it_went(folder: Path) -> None:
    """What came after is not in it."""
    going, over = (read_daily_report(folder / f"{name}.html") for name in ("going", "over"))

    assert "more may come" in (folder / "going.html").read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(going["fills"].drop(columns="commission"), over["fills"].drop(columns="commission"))
    assert going["account"]["end"].iloc[0] <= over["account"]["end"].iloc[0]


def test_the_command_prints_the_last_day_where_no_file_is_named(folder: Path) -> None:
    """What there is, as tables; what there is not is left out."""
    done = run("daily-report", "--journal", folder / "journal.sqlite")

    assert done.returncode == 0
    assert done.stdout.startswith(f"{SECOND}, from 2027-03-02 23:00 to 2027-03-03 23:00 UTC")
    assert "Orders" in done.stdout
    assert re.search(r"slippage_cash +predicted_fills +predicted_cash +compared_cash", done.stdout)
    assert "Breaks" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--date", "2027-02-28"), f"the journal holds {FIRST} to {SECOND}"),
        (("--out", "NOTES"), "overwrite replaces it"),
    ],
)
def test_bad_use_ends_with_a_sentence_and_no_file(
    folder: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """Exit status 2; what was there stays."""
    notes = tmp_path / "NOTES"
    notes.write_text("mine")

    done = run(
        "daily-report", "--journal", folder / "journal.sqlite", *(str(notes) if w == "NOTES" else w for w in words)
    )

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert notes.read_text() == "mine"


def test_of_a_journal_that_was_changed_there_is_no_report(folder: Path, tmp_path: Path) -> None:
    """Exit status 1, and the row that differs is named."""
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes((folder / "journal.sqlite").read_bytes())
    with sqlite3.connect(broken) as connection:
        connection.executescript("DROP TRIGGER events_stay; UPDATE events SET time_ns = time_ns + 1 WHERE seq = 5")

    done = run("daily-report", "--journal", broken, "--out", tmp_path / "day.html")

    assert done.returncode == 1
    assert "row 5" in done.stderr
    assert not (tmp_path / "day.html").exists()
