"""A kill while a cell holds up the kernel: no own order goes on working, and nothing new is placed."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hydra_nb.sim import requests as ask
from tests.cells.kernels import FrontEnd, kernel
from tests.crash.processes import HYDRA_NB
from tests.kill.floor import FOREIGN, ORDERS, Floor, floor, press

PREPARE_PANDAS = """
import numpy as np, pandas as pd
keys = np.random.default_rng(1).integers(0, 400_000, 3_000_000)
frame = pd.DataFrame({"key": [f"k{one}" for one in keys], "value": 1.0})
"""
GROUP_BY = """
began = time.monotonic()
while time.monotonic() - began < 6:
    frame.groupby("key")["value"].agg(["sum", "std", "median"])
print("grouped")
"""
COME_BACK = """
for _ in range(300):
    if desk.status["connection"] == "up" and desk.status["reconciled"] and desk.kill_progress == (3, 3):
        break
    await asyncio.sleep(0.05)
print(desk.killed, desk.kill_progress, desk.status["connection"], set(desk.orders()["state"]))
"""


def begin(front: FrontEnd, market: Floor) -> str:
    """Run the cell that leaves orders at work; gives the address of the button."""
    ran = front.run(ORDERS.format(port=market.port))
    assert ran.error is None, ran.text
    assert len(market.at_work()) == 3, ran.text
    return ran.text.strip().splitlines()[-1]


def run_kill(*words: str) -> subprocess.CompletedProcess[str]:
    """Type ``hydra-nb kill`` in a terminal."""
    program = [sys.executable, "-c", HYDRA_NB, "kill", *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


def test_the_button_kills_while_a_cell_sleeps(tmp_path: Path) -> None:
    """Within a second of the press nothing of ours works; the stranger's order does; no place came after it."""
    with floor() as market, kernel(folder=tmp_path) as front:
        address = begin(front, market)
        busy = front.send("time.sleep(10)")
        time.sleep(0.5)

        pressed_s = time.monotonic()
        assert press(address) == 200
        market.seconds_until(lambda: not market.at_work(), at_most_s=1.0)

        took_s = time.monotonic() - pressed_s
        print(f"button, time.sleep(10): no own order {took_s:.3f} s after the press")
        assert took_s <= 1.0
        assert market.at_work(FOREIGN) == [FOREIGN]
        front.wait(busy)
        back = front.run(COME_BACK)
        assert back.text.strip() == "Kill all was pressed in the browser (3, 3) up {'dead'}"
        assert market.asked_since(pressed_s, ask.PlaceOrder) == []


def test_the_button_kills_during_a_group_by(tmp_path: Path) -> None:
    """Pandas works on 3 million rows and holds the interpreter most of the time: within 2 s nothing of ours works."""
    with floor() as market, kernel(folder=tmp_path) as front:
        assert front.run(PREPARE_PANDAS).error is None
        address = begin(front, market)
        busy = front.send(GROUP_BY)
        time.sleep(1.0)

        pressed_s = time.monotonic()
        assert press(address) == 200
        market.seconds_until(lambda: not market.at_work(), at_most_s=2.0)

        took_s = time.monotonic() - pressed_s
        print(f"button, group-by: no own order {took_s:.3f} s after the press")
        assert took_s <= 2.0
        assert market.at_work(FOREIGN) == [FOREIGN]
        assert front.wait(busy).text.strip().endswith("grouped")
        assert front.run(COME_BACK).text.strip().endswith("(3, 3) up {'dead'}")
        assert market.asked_since(pressed_s, ask.PlaceOrder) == []


def test_the_button_kills_where_the_market_is_in_the_kernel(tmp_path: Path) -> None:
    """The embedded gateway shares the interpreter with pandas and the watchman: within 2 s all the same."""
    with kernel(folder=tmp_path) as front:
        assert front.run(PREPARE_PANDAS).error is None
        ran = front.run(ORDERS.replace('"127.0.0.1:{port}", ', ""))
        assert ran.error is None, ran.text
        busy = front.send(GROUP_BY)
        time.sleep(1.0)

        assert press(ran.text.strip().splitlines()[-1]) == 200

        shown = front.wait(busy).text
        print(f"button, group-by, market in the kernel: {shown.splitlines()[0]}")
        found = re.search(r"killed beside it, (\d) of (\d) own orders confirmed cancelled ([\d.]+) s after", shown)
        assert found is not None, shown
        assert found[1] == found[2] != "0"
        assert float(found[3]) <= 2.0


def test_a_terminal_kills_while_a_cell_sleeps(tmp_path: Path) -> None:
    """`hydra-nb kill` needs no path; it tells how far it is, and ends with status 0."""
    with floor() as market, kernel(folder=tmp_path) as front:
        begin(front, market)
        busy = front.send("time.sleep(8)")
        time.sleep(0.5)

        typed_s = time.monotonic()
        done = run_kill("--reason", "fire drill")

        took_s = time.monotonic() - typed_s
        print(f"hydra-nb kill, time.sleep(8): done {took_s:.3f} s after it was typed\n{done.stdout}")
        assert market.at_work() == []
        assert done.returncode == 0, done.stdout + done.stderr
        assert "3 of 3 own orders confirmed cancelled" in done.stdout
        assert "killed from beside" in done.stdout
        front.wait(busy)
        assert front.run(COME_BACK).text.startswith("fire drill (3, 3) up")
        assert market.asked_since(typed_s + took_s, ask.PlaceOrder) == []


def test_a_terminal_kills_a_desk_that_answers(tmp_path: Path) -> None:
    """Its own loop does it, by its own socket: nobody connects in its place."""
    with floor() as market, kernel(folder=tmp_path) as front:
        begin(front, market)
        typed_s = time.monotonic()

        done = run_kill("--journal", str(tmp_path / "journal.sqlite"))

        assert done.returncode == 0, done.stdout + done.stderr
        assert "killed by the desk itself" in done.stdout
        assert market.at_work() == []
        assert market.at_work(FOREIGN) == [FOREIGN]
        assert market.asked_since(typed_s, ask.StartApi) == []
        assert front.run(COME_BACK).text.startswith("hydra-nb kill in a terminal (3, 3) up")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
def test_a_terminal_cancels_what_a_dead_kernel_left(tmp_path: Path) -> None:
    """The command connects in its place with its client id, and says so; the next desk opens killed."""
    with floor() as market:
        with kernel(folder=tmp_path) as front:
            begin(front, market)
            front.send("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
            time.sleep(0.5)
            assert len(market.at_work()) == 3

            done = run_kill("--reason", "it died")

        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"the process ended; connecting as client 1 to 127\.0\.0\.1:\d+ in its place", done.stdout)
        assert "3 of 3 own orders confirmed cancelled" in done.stdout
        assert market.at_work("") == [FOREIGN]
        again = run_kill()
        assert "No desk of yours is open" in again.stdout
        with kernel(folder=tmp_path) as front:
            opened = front.run(
                "import hydra_nb\n"
                f"desk = await hydra_nb.connect('127.0.0.1:{market.port}', journal='journal.sqlite')\n"
                "print(desk.killed)"
            )
            assert opened.text.strip() == "it died"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is of Unix")
def test_a_process_that_stands_still_is_not_called_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped whole, as by a C call that holds the interpreter: the command says so, and ends with status 1."""
    with floor() as market, kernel(folder=tmp_path) as front:
        begin(front, market)
        front.send("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
        time.sleep(0.5)
        monkeypatch.setenv("COLUMNS", "200")

        done = run_kill()

        assert done.returncode == 1
        assert "NOT CONFIRMED" in done.stdout
        assert "expiry at the broker" in " ".join(done.stdout.split())
        assert len(market.at_work()) == 3
