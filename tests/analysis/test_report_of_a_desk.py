"""Reports through the whole stack: from an open desk, from its journal at rest, and by the command line."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_nb.analysis.report import read_report, write_report
from hydra_nb.desk.execution import Execution
from hydra_nb.journal import JournalReader
from tests.crash.processes import HYDRA_NB
from tests.whole_stack import Stack, on_a_desk

LATE_WORDS_S = 60
"""Within this the broker has told the fees of the last fill, and what became of its order."""


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line."""
    program = [sys.executable, "-c", HYDRA_NB, *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8")
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with a finished order, and what its desk reported of it: at work, and when it was over."""
    folder = tmp_path_factory.mktemp("reports")

    async def scenario(stack: Stack) -> None:
        execution: Execution = await stack.desk.submit(await stack.desk.preview("BUY", 13, "ZO", slices=5))
        while not execution.filled_lots:
            await stack.desk._rooms.clock.sleep(5)
        execution.report(folder / "at-work.html")
        await execution
        await stack.desk._rooms.clock.sleep(LATE_WORDS_S)
        execution.report(folder / "over.html")

    on_a_desk(scenario, journal=folder / "journal.sqlite")
    return folder


def test_a_desk_and_its_journal_at_rest_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Yesterday and today use the same code."""
    done = run("report", "P-0001", "--journal", folder / "journal.sqlite", "--out", tmp_path / "again.html")

    assert (done.returncode, done.stderr) == (0, "")
    assert "it opens without a network" in " ".join(done.stdout.split())
    assert (tmp_path / "again.html").read_bytes() == (folder / "over.html").read_bytes()


def test_a_report_at_work_is_of_what_was_known_then(folder: Path) -> None:
    """Fewer fills than in the end, each of them among those of the end."""
    before, after = read_report(folder / "at-work.html"), read_report(folder / "over.html")

    assert "Still working as of" in (folder / "at-work.html").read_text(encoding="utf-8")
    assert 0 < len(before.frames["fills"]) < len(after.frames["fills"])
    assert set(before.frames["fills"]["fill_id"]) < set(after.frames["fills"]["fill_id"])
    assert before.chain["first"] == after.chain["first"]
    assert before.chain["last"]["seq"] < after.chain["last"]["seq"]


def test_the_account_of_a_desk_is_nowhere(folder: Path) -> None:
    """Neither whole nor in a hash over the content of an order."""
    with JournalReader.open(folder / "journal.sqlite") as reader:
        account = reader.account
        contents = {getattr(event, "content_hash", None) for _, event in reader.events(parent_id="P-0001")} - {None}

    for name in ("at-work.html", "over.html"):
        page = (folder / name).read_text(encoding="utf-8")
        assert account not in page
        assert not [content for content in contents if str(content)[:12] in page]
    assert len(contents) >= 5


def test_costs_agree_with_the_frames(folder: Path) -> None:
    """The slippage of the page is the sum over the fills, and the row of the order says the same."""
    frames = read_report(folder / "over.html").frames

    arrival = frames["report.benchmarks"].set_index("benchmark").loc["arrival"]

    assert arrival["slippage_cash"] == pytest.approx(frames["fills"]["slippage_cash"].sum())
    assert arrival["slippage_cash"] == pytest.approx(frames["executions"]["slippage_cash"].iloc[0])
    assert arrival["slippage_bps"] == pytest.approx(frames["executions"]["slippage_bps"].iloc[0])
    assert arrival["lots"] == frames["fills"]["lots"].sum() == 13
    assert len(frames["report.terms"]) >= len(frames["orders"]) == len(frames["slices"])
    assert (frames["report.terms"]["sent"] >= frames["report.terms"]["time"]).all()


def test_no_report_is_made_of_a_broken_journal(folder: Path, tmp_path: Path) -> None:
    """The row is named, the exit status is 1, and there is no page."""
    journal = tmp_path / "broken.sqlite"
    shutil.copy(folder / "journal.sqlite", journal)
    with sqlite3.connect(journal) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("UPDATE events SET payload = replace(payload, '\"lots\"', '\"lost\"') WHERE seq = 20")
        assert connection.total_changes == 1

    done = run("report", "P-0001", "--journal", journal, "--out", tmp_path / "report.html")

    assert done.returncode == 1
    assert "row 20" in " ".join(done.stderr.split())
    assert "No report is made" in " ".join(done.stderr.split())
    assert not (tmp_path / "report.html").exists()


def test_bad_use_ends_with_two(folder: Path, tmp_path: Path) -> None:
    """An order that is not there, and a file of somebody else, which stays as it is."""
    journal, target = folder / "journal.sqlite", tmp_path / "notes.html"
    target.write_text("mine")

    unknown = run("report", "P-0009", "--journal", journal, "--out", tmp_path / "report.html")
    foreign = run("report", "P-0001", "--journal", journal, "--out", target)
    kept = target.read_text()
    replaced = run("report", "P-0001", "--journal", journal, "--out", target, "--overwrite")

    assert (unknown.returncode, foreign.returncode, kept) == (2, 2, "mine")
    assert "known: P-0001" in unknown.stderr
    assert replaced.returncode == 0
    assert read_report(target).parent_id == "P-0001"


def test_a_folder_that_is_not_there_is_an_error_of_the_file_system(folder: Path, tmp_path: Path) -> None:
    """As for every other file that Python writes."""
    with JournalReader.open(folder / "journal.sqlite") as reader, pytest.raises(FileNotFoundError):
        write_report(reader, "P-0001", tmp_path / "nowhere" / "report.html")
