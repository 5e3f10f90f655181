"""``hydra-nb audit`` and ``hydra-nb verify``, as someone with nothing but the file meets them."""

import csv
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_nb.analysis import columns
from hydra_nb.journal import JournalReader
from hydra_nb.journal.heads import heads_path
from tests.crash.processes import HYDRA_NB
from tests.journal.test_heads import write_anew
from tests.whole_stack import Stack, on_a_desk

LIFE = re.compile(
    r"^ *(d?)(\d+)  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}  \d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", re.MULTILINE
)
"""The beginning of each row of the table: its number, UTC time and the exchange's."""


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line."""
    program = [sys.executable, "-c", HYDRA_NB, *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8")
    assert "Traceback" not in done.stderr
    return done


def told(text: str) -> str:
    """What was said, without the breaks of its lines."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with two finished orders and its heads."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 4, "ZO", slices=2)
        await stack.desk.execute("SELL", 2, "KE", strategy="limit_patience", tag="[red]tag[/]")

    on_a_desk(scenario, journal=path)
    return path


@pytest.fixture
def journal(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    path = tmp_path / "copy.sqlite"
    shutil.copy(original, path)
    shutil.copy(heads_path(original), heads_path(path))
    return path


def rows_at_rest(path: Path) -> tuple[int, str]:
    """How many events there are, and the account."""
    with JournalReader.open(path) as reader:
        return len(list(reader.event_rows())), reader.account


def change(path: Path, statement: str) -> None:
    """Change a journal and leave the rest of it as it is."""
    with sqlite3.connect(path) as connection:
        for trigger in ("events_stay", "events_remain", "decisions_stay", "decisions_remain"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.execute(statement)
    connection.close()


class TestAudit:
    """The life of one parent."""

    def test_it_is_printed_in_order_and_ends_with_zero(self, original: Path) -> None:
        """Row, both times, clock and words; the same twice; the account masked; markup is text."""
        first, second = (run("audit", "P-0002", "--journal", original) for _ in range(2))

        _, account = rows_at_rest(original)
        numbers = [(found[1], int(found[2])) for found in LIFE.finditer(first.stdout)]
        events = [number for kind, number in numbers if not kind]
        decisions = [number for kind, number in numbers if kind]
        assert (first.returncode, first.stderr) == (0, "")
        assert first.stdout == second.stdout
        assert events == sorted(set(events))
        assert decisions == list(range(decisions[0], decisions[-1] + 1))
        assert len(decisions) >= 28
        assert "Submitted: SELL 2 KE" in first.stdout
        assert "tag '[red]tag[/]'" in told(first.stdout)
        assert re.search(r"-\d\.\d\d \+\d\.\d\d", first.stdout)
        assert account not in first.stdout

    def test_lines_for_programs_hold_the_same_rows(self, original: Path, tmp_path: Path) -> None:
        """One object a line, always the same keys; the CSV holds as many rows under the same names."""
        file = tmp_path / "life.csv"

        lines = run("audit", "P-0001", "--journal", original, "--json")
        both = run("audit", "P-0001", "--journal", original, "--json", "--csv", file)
        exported = run("audit", "P-0001", "--journal", original, "--csv", file)

        rows = [json.loads(line) for line in lines.stdout.splitlines()]
        names = [column.name for column in columns.AUDIT]
        with file.open(encoding="utf-8", newline="") as text:
            table = list(csv.DictReader(text))
        _, account = rows_at_rest(original)
        assert (lines.returncode, exported.returncode, exported.stdout) == (0, 0, "")
        assert both.stdout == lines.stdout
        assert all(list(row) == [*names, "time_ns"] for row in rows)
        assert [row["words"] for row in rows] == [row["words"] for row in table]
        assert list(table[0]) == names
        assert rows[-1]["hash"] is not None
        assert account not in lines.stdout + file.read_text(encoding="utf-8")

    def test_an_unknown_parent_lists_the_known_and_ends_with_two(self, original: Path) -> None:
        """Nothing is printed for it."""
        done = run("audit", "P-0099", "--journal", original)

        assert (done.returncode, done.stdout) == (2, "")
        assert "known: P-0001, P-0002" in told(done.stderr)

    @pytest.mark.parametrize("command", [("audit", "P-0001"), ("verify",)])
    def test_what_is_no_journal_ends_with_two(self, command: tuple[str, ...], tmp_path: Path) -> None:
        """A missing file and a letter; nothing is made or changed."""
        letter = tmp_path / "letter.txt"
        letter.write_text("Dear Sir,\n" * 200, encoding="utf-8")

        missing = run(*command, "--journal", tmp_path / "nowhere.sqlite")
        foreign = run(*command, "--journal", letter)

        assert (missing.returncode, missing.stdout) == (2, "")
        assert (foreign.returncode, foreign.stdout) == (2, "")
        assert "nowhere.sqlite" in missing.stderr.replace("\n", "")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt"]

    def test_a_csv_that_cannot_be_written_ends_with_two(self, original: Path, tmp_path: Path) -> None:
        """A folder that is not there."""
        done = run("audit", "P-0001", "--journal", original, "--csv", tmp_path / "no" / "life.csv")

        assert done.returncode == 2
        assert "cannot be written" in told(done.stderr)

    def test_of_a_changed_journal_the_rows_before_are_given(self, journal: Path) -> None:
        """Without heads that say otherwise: up to the row before the one that is named, and exit status 1."""
        heads_path(journal).unlink()
        change(journal, "UPDATE events SET payload = payload || ' ' WHERE seq = 20")

        done = run("audit", "P-0001", "--journal", journal)
        other = run("audit", "P-0002", "--journal", journal)

        numbers = [int(found[2]) for found in LIFE.finditer(done.stdout) if not found[1]]
        assert done.returncode == 1
        assert max(numbers) == 19
        assert "row 20 of its events" in told(done.stderr)
        assert "Rows 1 to 19 of its events can be believed." in told(done.stderr)
        assert (other.returncode, other.stdout) == (1, "")
        assert "Nothing of P-0002 is among them." in told(other.stderr)

    def test_a_changed_decision_is_named_by_its_event(self, journal: Path) -> None:
        """A refusal that was made to look like a pass, or the other way round."""
        heads_path(journal).unlink()
        change(journal, "UPDATE decisions SET allowed = 0 WHERE seq = 70")

        done = run("audit", "P-0001", "--journal", journal, "--json")

        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 1
        assert re.search(r"Decisions \d+ to \d+|decisions \d+ to \d+, on which row \d+", told(done.stderr))
        assert max(row["decision"] for row in rows if row["decision"]) < 70
        assert rows

    def test_a_torn_journal_is_told_as_far_as_it_goes(self, journal: Path) -> None:
        """Half of the file is gone."""
        heads_path(journal).unlink()
        content = journal.read_bytes()
        journal.write_bytes(content[: len(content) // 2])

        done = run("audit", "P-0001", "--journal", journal)

        assert done.returncode == 1
        assert re.search(r"row \d+ of its events", told(done.stderr))
        assert "Submitted: BUY 4 ZO" in done.stdout

    def test_rows_behind_the_last_head_that_agrees_are_not_believed(self, journal: Path) -> None:
        """A chain that was forged whole: the heads beside it say so, and nothing of the only day is printed."""
        write_anew(journal, keep=rows_at_rest(journal)[0], replace=("Submitted", "Cancelled"))

        done = run("audit", "P-0001", "--journal", journal)

        assert (done.returncode, done.stdout) == (1, "")
        assert "was written anew after the export" in told(done.stderr)


class TestVerify:
    """The whole journal against what was exported of it."""

    def test_an_untouched_journal_ends_with_zero(self, original: Path) -> None:
        """It says how many rows hold together, how many decisions are sealed, how many days were compared."""
        done = run("verify", "--journal", original)

        count, account = rows_at_rest(original)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{count} rows chained" in done.stdout
        assert re.search(r"\d{3} decisions sealed; heads of 1 day compared", done.stdout)
        assert account not in done.stdout

    @pytest.mark.parametrize(("cut", "said"), [(4, "was cut or changed"), (0, "was written anew")])
    def test_a_forged_chain_is_named_by_its_day_and_ends_with_one(self, journal: Path, cut: int, said: str) -> None:
        """A tail that was cut, and rows that were changed, all hashes made to fit."""
        count, _ = rows_at_rest(journal)
        write_anew(journal, keep=count - cut, replace=None if cut else ("Submitted", "Cancelled"))

        done = run("verify", "--journal", journal)

        assert done.returncode == 1
        assert "The head of 2027-03-02 differs" in told(done.stderr)
        assert said in told(done.stderr)
        assert "No row can be believed." in told(done.stderr)

    def test_heads_that_were_carried_away_find_what_those_beside_it_do_not(self, journal: Path, original: Path) -> None:
        """Whoever forged the journal made the heads fit as well."""
        write_anew(journal, keep=rows_at_rest(journal)[0], replace=("Submitted", "Cancelled"))
        with sqlite3.connect(journal) as connection:
            ((last,),) = connection.execute("SELECT hash FROM events ORDER BY seq DESC LIMIT 1").fetchall()
        connection.close()
        text = heads_path(journal).read_text(encoding="utf-8")
        heads_path(journal).write_text(re.sub(r"[0-9a-f]{64}", last, text), encoding="utf-8")

        beside = run("verify", "--journal", journal)
        elsewhere = run("verify", "--journal", journal, "--heads", heads_path(original))

        assert (beside.returncode, beside.stderr) == (0, "")
        assert elsewhere.returncode == 1
        assert "The head of 2027-03-02 differs" in told(elsewhere.stderr)

    def test_without_heads_the_rest_is_verified_and_the_end_is_one(self, journal: Path) -> None:
        """Whoever takes the heads away does not get a clean bill."""
        heads_path(journal).unlink()

        done = run("verify", "--journal", journal)

        assert done.returncode == 1
        assert "rows chained" in done.stdout
        assert "There are no heads at" in told(done.stderr)

    def test_a_copy_of_heads_that_is_not_there_is_bad_use(self, original: Path, tmp_path: Path) -> None:
        """A slip of the hand is not taken for an answer."""
        done = run("verify", "--journal", original, "--heads", tmp_path / "nowhere")

        assert (done.returncode, done.stdout) == (2, "")
