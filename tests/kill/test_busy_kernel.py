"""A kill while a cell holds up the kernel: no own order goes on working, and nothing new is placed."""

import time
from pathlib import Path

import pytest

from hydra_nb.sim import requests as ask
from tests.cells.kernels import FrontEnd, kernel
from tests.kill.floor import ORDERS, Floor, floor, press

PANDAS = """
import numpy as np, pandas as pd
keys = np.random.default_rng(1).integers(0, 2_000_000, 12_000_000)
frame = pd.DataFrame({"key": keys.astype(str), "value": 1.0})
"""
GROUP_BY = "began = time.monotonic(); frame.groupby('key')['value'].agg(['sum', 'std', 'median']); "
GROUP_BY += "print(f'{time.monotonic() - began:.2f} s')"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The list of open desks is kept apart for each test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def begin(front: FrontEnd, market: Floor, *, more: str = "") -> str:
    """Run the cell that leaves orders at work; gives the address of the button."""
    ran = front.run(ORDERS.format(port=market.port, more=more))
    assert ran.error is None, ran.text
    assert len(market.at_work()) == 3, ran.text
    return ran.text.strip().splitlines()[-1]


def test_the_button_kills_while_a_cell_sleeps(tmp_path: Path) -> None:
    """Within a second of the press nothing of ours works; the stranger's order does; no place came after it."""
    with floor() as market, kernel(folder=tmp_path) as front:
        address = begin(front, market)
        busy = front.send("time.sleep(6)")
        time.sleep(0.5)

        pressed_s = time.monotonic()
        assert press(address) == 200
        answered_s = time.monotonic() - pressed_s
        took_s = market.seconds_until(lambda: not market.at_work(), at_most_s=1.0)

        print(f"time.sleep: answered after {answered_s:.3f} s, no own order after {answered_s + took_s:.3f} s")
        assert market.at_work("somebody-else") == ["somebody-else"]
        front.wait(busy)
        back = front.run(
            "for _ in range(300):\n"
            "    await asyncio.sleep(0.05)\n"
            "    if desk.status['connection'] == 'up' and desk.kill_progress == (3, 3): break\n"
            "print(desk.killed, desk.kill_progress, desk.status['connection'], desk.status['reconciled'])\n"
            "print(desk.orders()[['order_ref', 'state']].to_string())\n"
            "print(f'{_ * 0.05:.2f} s')\n"
        )
        print(back.text)
        assert market.asked_since(pressed_s, ask.PlaceOrder) == []
