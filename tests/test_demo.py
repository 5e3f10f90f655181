"""The command line, as a person without a browser meets it."""

import functools
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import hydra_nb
from hydra_nb.analysis import frames
from hydra_nb.analysis.tca import journal_tca
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from tests.whole_stack import Stack, on_a_desk

SEEDS = range(1, 201 if os.environ.get("HYDRA_FULL") == "1" else 16)
WORKERS = 2
COMMANDS = ["demo", "lab", "gateway", "fills", "decisions", "tca", "slippage", "audit", "report", "verify", "kill"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    program = [sys.executable, "-c", "from hydra_nb.cli import main; main()", *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


once = functools.cache(run)
"""`run`, for words whose output is the same every time."""


class TestDemo:
    """The main job without a browser."""

    def test_it_prints_the_same_twice_in_a_moment(self) -> None:
        """Five seconds is the promise; the bound here leaves room for a busy machine."""
        started = time.monotonic()
        first = run("demo", "--seed", "7")
        took_s = time.monotonic() - started
        second = run("demo", "--seed", "7")

        print(f"hydra-nb demo took {took_s:.1f} s")
        assert first.stdout == second.stdout
        assert (first.returncode, first.stderr) == (0, "")
        assert took_s < 15

    def test_it_shows_schedule_decisions_fills_and_cost(self) -> None:
        """13 lots in 5 slices: 3, 3, 3, 2, 2."""
        text = once("demo", "--seed", "7").stdout

        for title in ("Schedule", "Risk decisions", "Fills", "Expected cost"):
            assert title in text
        assert "filled: 13 of 13 lots" in text
        schedule = text.partition("Schedule")[2].partition("Risk decisions")[0]
        rows = [line.split() for line in schedule.splitlines()[2:] if line.strip()]
        assert [row[3] for row in rows] == ["3", "3", "3", "2", "2"]

    def test_another_seed_is_another_market(self) -> None:
        """Else the comparison above would compare nothing."""
        assert once("demo", "--seed", "7").stdout != run("demo", "--seed", "8").stdout

    def test_what_the_gate_refuses_ends_with_one(self) -> None:
        """Too many lots: tables all the same, the reason, and exit status 1."""
        done = run("demo", "--lots", "60")

        assert done.returncode == 1
        assert "refused" in done.stdout
        assert "60 lots" in done.stdout

    @pytest.mark.parametrize("words", [["--lots", "0"], ["--duration", "1m"], ["--duration", "soon"], ["--speed", "9"]])
    def test_bad_use_ends_with_two(self, words: list[str]) -> None:
        """The complaint goes to standard error, and is no traceback."""
        done = run("demo", *words)

        assert done.returncode == 2
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one seed's demo."""

    seed: int
    status: str
    filled_lots: int
    shortfall_lots: int
    traded_lots: int
    position_lots: int
    reason: str


def demo_of(seed: int) -> Outcome:
    """The demo's order in a market of its own, with the exchange's word beside the desk's."""

    async def scenario(stack: Stack) -> Outcome:
        plan = await stack.desk.preview("BUY", 13, "ZO", slices=5, duration="50m")
        execution: Execution = await (await stack.desk.submit(plan))
        assert stack.exchange.open_orders() == []
        assert int(execution.fills["lots"].sum()) == execution.filled_lots
        assert int(execution.slices["filled_lots"].sum()) == execution.filled_lots
        return Outcome(
            seed=seed,
            status=execution.status,
            filled_lots=execution.filled_lots,
            shortfall_lots=execution.shortfall_lots,
            traded_lots=stack.lots_filled(),
            position_lots=sum(position.lots for position in stack.exchange.positions()),
            reason=execution.reason,
        )

    return on_a_desk(scenario, seed=seed)


def test_many_markets_all_finish_and_conserve_lots() -> None:
    """None raises; filled and short are 13 together, and the exchange traded what the desk says."""
    with ProcessPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(demo_of, SEEDS, chunksize=10))

    assert [outcome.seed for outcome in outcomes] == list(SEEDS)
    for outcome in outcomes:
        assert outcome.filled_lots + outcome.shortfall_lots == 13, outcome
        assert outcome.filled_lots == outcome.traded_lots == outcome.position_lots, outcome
        ended = {ParentStatus.FILLED} if outcome.filled_lots == 13 else {ParentStatus.PARTIAL, ParentStatus.REFUSED}
        assert outcome.status in ended, outcome
        assert outcome.status is not ParentStatus.REFUSED or "ADV" in outcome.reason, outcome
    filled = sum(outcome.filled_lots == 13 for outcome in outcomes)
    print(f"{filled} of {len(outcomes)} markets filled all 13 lots")
    assert filled > 0.75 * len(outcomes)


class TestHelp:
    """Every command says what it does."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_each_command_explains_itself(self, command: str) -> None:
        """Exit status 0, its options with a word on each."""
        done = run(command, "--help")

        assert done.returncode == 0
        assert f"hydra-nb {command}" in done.stdout or f"{command} [OPTIONS]" in done.stdout
        words = {line.strip("│ ") for line in done.stdout.splitlines()}
        assert any(
            len(line.split()) > 4 and line[0].isupper() and not line.startswith("Usage") for line in words if line
        )
        assert "Show this message and exit." in done.stdout

    def test_the_program_lists_its_commands(self) -> None:
        """All of them, with the way to start."""
        done = run("--help")

        assert done.returncode == 0
        assert all(command in done.stdout for command in COMMANDS)
        assert "hydra-nb demo" in done.stdout

    @pytest.mark.parametrize("words", [[], ["tardes"], ["demo", "--sede", "7"]])
    def test_what_is_no_command_ends_with_two(self, words: list[str]) -> None:
        """A slip of the hand is told, without a traceback."""
        done = run(*words)

        assert done.returncode == 2
        assert "Traceback" not in done.stdout + done.stderr

    @pytest.mark.parametrize("command", ["gateway", "lab"])
    @pytest.mark.parametrize("port", ["70000", "65536", "-1"])
    def test_what_is_no_port_ends_with_two(self, command: str, port: str) -> None:
        """In a word on the option, without a traceback; nothing is started."""
        done = run(command, "--port", port)

        assert (done.returncode, done.stdout) == (2, "")
        assert "Invalid value for '--port'" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with two finished orders."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 6, "ZO", slices=3)
        await stack.desk.execute("SELL", 2, "KE", strategy="limit_patience")

    on_a_desk(scenario, journal=path)
    return path


class TestJournals:
    """What a journal holds, printed and exported; and a kill from a terminal."""

    def test_fills_and_decisions_are_exported_whole(self, journal: Path, tmp_path: Path) -> None:
        """The CSV has the columns and rows that the frames have."""
        for command, table in (("fills", "fills"), ("decisions", "decisions")):
            file = tmp_path / f"{command}.csv"

            done = run(command, "--journal", str(journal), "--csv", str(file))

            assert (done.returncode, done.stderr) == (0, "")
            with JournalReader.open(journal) as reader:
                expected = getattr(frames, table)(reader)
            read = pd.read_csv(file)
            assert read.columns.tolist() == expected.columns.tolist()
            assert len(read) == len(expected) > 0

    @pytest.mark.parametrize("words", [[], ["--level", "fill"], ["--level", "slice"], ["--by", "symbol,side"]], ids=str)
    def test_costs_are_exported_whole(self, words: list[str], journal: Path, tmp_path: Path) -> None:
        """CSV and Parquet hold what the frame holds, and the table says what the parents did."""
        csv, parquet = tmp_path / "tca.csv", tmp_path / "tca.parquet"

        done = run("tca", "--journal", str(journal), *words, "--csv", str(csv), "--parquet", str(parquet))
        shown = run("tca", "--journal", str(journal), *words)

        assert (done.returncode, done.stderr, shown.returncode) == (0, "", 0)
        kept = pd.read_parquet(parquet)
        by = words[1].split(",") if words[:1] == ["--by"] else None
        level = words[1] if words[:1] == ["--level"] else "parent"
        with JournalReader.open(journal) as reader:
            pd.testing.assert_frame_equal(kept, journal_tca(reader, level=level, by=by))  # type: ignore[arg-type]
        assert pd.read_csv(csv).columns.tolist() == kept.columns.tolist()
        assert kept["lots" if level == "fill" else "filled_lots"].sum() == 8
        assert "BUY" in shown.stdout

    def test_costs_by_no_column_are_one_sentence(self, journal: Path) -> None:
        """Exit status 2, with the columns that there are."""
        done = run("tca", "--journal", str(journal), "--by", "colour")

        assert done.returncode == 2
        assert "no column 'colour'" in done.stderr
        assert "Traceback" not in done.stderr

    def test_one_parent_can_be_picked(self, journal: Path, tmp_path: Path) -> None:
        """`--parent` filters."""
        counts = {}
        for parent in ("P-0001", "P-0002"):
            file = tmp_path / f"{parent}.csv"
            assert run("fills", "--journal", str(journal), "--parent", parent, "--csv", str(file)).returncode == 0
            counts[parent] = int(pd.read_csv(file)["lots"].sum())

        assert counts == {"P-0001": 6, "P-0002": 2}

    @pytest.mark.parametrize("command", ["fills", "decisions", "tca"])
    def test_an_unknown_parent_is_one_sentence_with_the_known(
        self, command: str, journal: Path, tmp_path: Path
    ) -> None:
        """One sentence, as of `audit`; nothing is printed, and no file is written."""
        file = tmp_path / "none.csv"

        done = run(command, "--journal", str(journal), "--parent", "P-0099", "--csv", str(file))

        assert (done.returncode, done.stdout) == (2, "")
        assert "no parent order 'P-0099' in this journal; known: P-0001, P-0002" in " ".join(done.stderr.split())
        assert not file.exists()

    @pytest.mark.parametrize("words", [["report", "P-0001"], ["daily-report"]], ids=str)
    def test_a_page_that_cannot_be_written_is_told_by_the_name_that_was_typed(
        self, words: list[str], journal: Path, tmp_path: Path
    ) -> None:
        """Exit status 2, and not the name under which it would have been written first."""
        target = tmp_path / "no" / "such" / "page.html"

        done = run(*words, "--journal", str(journal), "--out", str(target))

        assert done.returncode == 2
        assert str(target) in done.stderr.replace("\n", "")
        assert ".part" not in done.stderr.replace("\n", "")

    def test_a_table_is_printed_where_no_file_is_named(self, journal: Path) -> None:
        """With local symbols and prices."""
        done = run("fills", "--journal", str(journal))

        assert done.returncode == 0
        assert "ZO" in done.stdout
        assert "KE" in done.stdout

    @pytest.mark.parametrize("command", ["fills", "decisions", "kill"])
    def test_an_unknown_journal_is_one_sentence(self, command: str, tmp_path: Path) -> None:
        """Exit status 2, the path, and nothing is made there."""
        path = tmp_path / "nowhere.sqlite"

        done = run(command, "--journal", str(path))

        assert done.returncode == 2
        assert done.stdout == ""
        assert str(path) in done.stderr.replace("\n", "")
        assert "Traceback" not in done.stderr
        assert not path.exists()

    @pytest.mark.parametrize("command", ["fills", "decisions", "kill"])
    def test_a_file_that_is_no_journal_is_one_sentence(self, command: str, tmp_path: Path) -> None:
        """Exit status 2; the file is left as it was."""
        path = tmp_path / "letter.txt"
        path.write_text("Dear Sir,\n" * 200, encoding="utf-8")

        done = run(command, "--journal", str(path))

        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert path.read_text(encoding="utf-8") == "Dear Sir,\n" * 200

    def test_a_csv_that_cannot_be_written_is_one_sentence(self, journal: Path, tmp_path: Path) -> None:
        """A folder that is not there."""
        done = run("fills", "--journal", str(journal), "--csv", str(tmp_path / "no" / "such" / "folder.csv"))

        assert done.returncode == 2
        assert "Traceback" not in done.stderr

    def test_a_killed_journal_opens_killed(self, tmp_path: Path) -> None:
        """`hydra-nb kill` on a journal at rest: the next desk on it sends nothing until it is re-armed."""
        path = tmp_path / "journal.sqlite"

        async def first(stack: Stack) -> None:
            await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")

        on_a_desk(first, journal=path)

        done = run("kill", "--journal", str(path), "--reason", "lunch")

        assert done.returncode == 0

        async def second(stack: Stack) -> None:
            assert stack.desk.killed == "lunch"
            refused = await stack.desk.execute("BUY", 1, "ZO", tag="killed")
            assert refused.status is ParentStatus.REFUSED
            assert stack.core.placed() == []
            await stack.desk.rearm("back from lunch")
            await stack.desk.execute("BUY", 1, "ZO", tag="again")
            assert stack.core.placed() != []

        on_a_desk(second, journal=path)


def test_the_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    """Run in an empty folder it writes no file there."""
    program = [sys.executable, "-c", "from hydra_nb.cli import main; main()", "demo"]

    subprocess.run(program, cwd=tmp_path, capture_output=True, timeout=60, check=True)

    assert list(tmp_path.iterdir()) == []


def test_the_library_gives_what_the_demo_prints() -> None:
    """The same seed on a desk of one's own fills the same lots at the same prices."""

    async def alone(_loop: VirtualLoop) -> list[float]:
        async with hydra_nb.connect(seed=7, speed="max", journal=":memory:") as desk:
            execution = await desk.execute("BUY", 13, "ZO", slices=5, duration="50m")
            return execution.fills["price"].tolist()

    printed = once("demo", "--seed", "7").stdout.partition("Fills")[2].partition("Expected cost")[0]

    rows = [line.split() for line in printed.splitlines()[2:] if line.strip()]
    assert [float(row[6].replace(",", "")) for row in rows] == run_virtual(alone)
