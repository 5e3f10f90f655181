"""``hydra-nb run``, as a person starts and stops it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import hydra_nb
from hydra_nb.cli import main
from hydra_nb.cli.running import Stopping
from hydra_nb.desk.runner.program_file import read_program
from hydra_nb.domain.events import ChildSent
from hydra_nb.errors import InvalidOrder, JournalError
from hydra_nb.journal import JournalReader
from tests.crash.processes import HYDRA_NB

TARGETS = """
import pandas as pd

AT = "09:30"
NAME = "of a file"
HOW = {"strategy": "limit_patience", "patience": 40}

def targets(day):
    return pd.DataFrame({"instrument": ["ZO", "KE"], "target": [2, -1]})
"""


WORKS_FOR_HOURS = """
import pandas as pd

HOW = {"strategy": "twap", "slices": 5, "duration": "4h"}

def targets(day):
    return pd.DataFrame({"instrument": ["ZO"], "target": [5]})
"""


def program(folder: Path, source: str) -> Path:
    """A file of a person."""
    path = folder / "mine.py"
    path.write_text(source, encoding="utf-8")
    return path


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run the command in this process."""

    def command(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["hydra-nb", "run", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Done(returncode=int(str(ended.value.code or 0)), stdout=told.out, stderr=told.err)

    return command


def test_once_in_virtual_time_trades_and_prints_the_cycle(run: Callable[..., Done], tmp_path: Path) -> None:
    """Exit status 0; the journal holds the cycle under the name that the file gives."""
    journal = tmp_path / "journal.sqlite"

    done = run(program(tmp_path, TARGETS), "--once", "--speed", "max", "--journal", journal)

    assert (done.returncode, done.stderr) == (0, "")
    assert "of a file: 09:30 by ZO, orders are sent" in done.stdout
    assert "2 of 2 orders filled, 3 of 3 lots" in " ".join(done.stdout.split())
    with JournalReader.open(journal) as reader:
        account = reader.account
    assert account not in done.stdout.replace(str(journal), "")


def test_on_a_schedule_it_runs_until_no_time_is_left(run: Callable[..., Done], tmp_path: Path) -> None:
    """Here a trigger with one time; what the limits of the option refuse makes the status 1."""
    trigger = (
        "import datetime as dt\nfrom apscheduler.triggers.date import DateTrigger\n"
        "AT = DateTrigger(dt.datetime(2027, 3, 2, 15, 5, tzinfo=dt.UTC))\n"
    )
    limits = tmp_path / "limits.toml"
    limits.write_text("max_lots_per_parent = 1\n", encoding="utf-8")
    path = program(tmp_path, trigger + TARGETS.replace('AT = "09:30"', ""))

    done = run(path, "--speed", "max", "--limits", limits)

    assert done.returncode == 1
    assert "1 of 2 orders filled, 1 of 3 lots; ZO" in " ".join(done.stdout.split())


def test_it_is_judged_by_its_own_cycles_only(run: Callable[..., Done], tmp_path: Path) -> None:
    """Not by a cycle of another name, nor of an earlier run; the one of today that it was asked for is its own."""
    passed = (
        "import datetime as dt\nfrom apscheduler.triggers.date import DateTrigger\n"
        "AT = DateTrigger(dt.datetime(2027, 2, 1, tzinfo=dt.UTC))\ndef targets(day): ...\n"
    )
    journal = tmp_path / "journal.sqlite"
    options = ("--speed", "max", "--journal", journal)

    with pytest.warns(hydra_nb.AlreadyRun, match="C-0001 of 2027-03-02 has begun before"):
        failed, again = (run(program(tmp_path, "def targets(day): 1 / 0\n"), "--once", *options) for _ in range(2))
    idle = run(program(tmp_path, passed), *options)

    assert [failed.returncode, again.returncode, idle.returncode] == [1, 1, 0]
    assert "C-0001" in again.stdout
    assert "no cycle was due" in idle.stdout
    assert "ZeroDivisionError" not in idle.stdout


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("def targets(day):\n    return 1 / 0\n", 1, "ZeroDivisionError: division by zero (mine.py, line 2)"),
        ("def targets(day):\n    return None\n", 0, "nothing to do today"),
        (
            "a = 1\nb = nowhere\n",
            2,
            "mine.py cannot be run: NameError: name 'nowhere' is not defined (mine.py, line 2)",
        ),
        ("def target(day):\n    return None\n", 2, "mine.py defines neither targets(day) nor orders(day)"),
    ],
    ids=["raises", "nothing", "broken", "lacking"],
)
def test_the_exit_status_says_how_it_went(
    run: Callable[..., Done], tmp_path: Path, source: str, status: int, words: str
) -> None:
    """0 done, 1 failed, 2 bad use; what went wrong is named with its line."""
    done = run(program(tmp_path, source), "--once", "--speed", "max", "--dry-run")

    assert done.returncode == status
    assert words in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def targets(day): ...\ndef orders(day): ...\n", "both"),
        ("HOW = 3\ndef orders(day): ...\n", "HOW of mine.py is a int"),
        ("def orders(day)\n", r"SyntaxError: .*mine.py, line 1"),
        ("def orders(day): ...\nraise SystemError('x')\n", r"SystemError: x \(mine.py, line 2\)"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, source: str, words: str) -> None:
    """Before a desk is opened."""
    with pytest.raises(InvalidOrder, match=words):
        read_program(program(tmp_path, source))


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    """As with Python itself; what it does not say is the default."""
    (tmp_path / "beside_mine.py").write_text("def orders(day):\n    return None\n", encoding="utf-8")

    found = read_program(program(tmp_path, "from beside_mine import orders\n"))

    assert (found.at, found.calendar, found.name, dict(found.how)) == ("08:45", "ZO", "mine", {})
    assert found.function.__module__ == "beside_mine"


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as a terminal does")
def test_ctrl_c_stops_it_and_cancels_what_works(tmp_path: Path) -> None:
    """It says what it did; the exit status is 1, as the cycle ended short."""
    journal = tmp_path / "journal.sqlite"
    path = program(tmp_path, WORKS_FOR_HOURS)
    command = [sys.executable, "-c", HYDRA_NB, "run", str(path), "--once", "--speed", "60", "--journal", str(journal)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for_an_order(journal, process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()

    told = " ".join(out.split())
    assert (process.returncode, err) == (1, "")
    assert "stopped: no other cycle begins cancelling P-0001 closed; the journal is" in told
    assert "0 of 1 order filled" in told
    assert "the desk was closed" in told


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as a terminal does")
def test_a_second_signal_ends_the_wait_for_the_cancels() -> None:
    """The first is an orderly end; both signals count."""

    async def whole() -> tuple[bool, bool, bool]:
        stopping = Stopping()
        with stopping.heeding_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(stopping.pressed.wait(), timeout=5)
            was_pressed_again = stopping.is_pressed_again
            stopping.closing = asyncio.ensure_future(asyncio.sleep(30))
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.wait({stopping.closing}, timeout=5)
            return was_pressed_again, stopping.is_pressed_again, stopping.closing.cancelled()

    assert asyncio.run(whole()) == (False, True, True)


def wait_for_an_order(journal: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the journal tells that an order was sent."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s and process.poll() is None:
        if journal.exists() and journal.stat().st_size > 0:
            with contextlib.suppress(JournalError), JournalReader.open(journal) as reader:  # it may be half made
                if any(reader.events(kinds=[ChildSent])):
                    return
        time.sleep(0.1)
    raise AssertionError(f"no order was sent; the process ended with {process.poll()}")
