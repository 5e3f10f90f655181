"""Twenty parent orders at work, each with its view, and the view of the desk: what is sent, and what the loop pays.

On the embedded gateway, in real time and twenty times as fast. What a view sends is taken down where ipywidgets hands
it to the kernel.
"""

import asyncio
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import comm
import ipywidgets
import pytest
from comm.base_comm import BaseComm

import hydra_nb
from hydra_nb import Limits
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.execution import Execution

from .figures import Figure

PARENTS = 20
WATCHED_S = 12.0
SYMBOLS = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA")
LOOSE = Limits(
    max_lots_per_parent=50,
    max_position_lots=500,
    max_position_percent_of_equity=1_000,
    max_adv_percent=100,
    max_notional_per_order=10_000_000,
    max_notional_per_day=1_000_000_000,
    max_gross_percent_of_equity=5_000,
    max_equity_at_risk_percent=100,
    collar_percent=10,
    collar_ticks=1_000,
)

UPDATES_GOAL = 2.0
BYTES_GOAL = 40_000.0
LAG_GOAL_MS = 20.0
SAME_UPDATE_S = 0.1
"""Messages of one view that come closer together than this are one update: its parts are sent one after another."""


@dataclass(slots=True)
class Tape:
    """What was sent, by comm: host time and bytes."""

    sent: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def comm(self, *args: Any, **named: Any) -> BaseComm:
        """Make a comm that is recorded here."""
        tape = self

        class Recorded(BaseComm):
            def publish_msg(
                self, _kind: str, data: Any = None, _metadata: Any = None, buffers: Any = None, **_: Any
            ) -> None:
                size = len(json.dumps(data, default=str)) + sum(memoryview(one).nbytes for one in buffers or ())
                tape.sent.setdefault(self.comm_id, []).append((time.monotonic(), size))

        return Recorded(*args, **named)

    def of(self, view: ipywidgets.Widget, *, since_s: float) -> list[tuple[float, int]]:
        """What a view and all its parts sent since a time, in order of time."""
        ids = [part.comm.comm_id for part in parts(view)]
        return sorted(one for key in ids for one in self.sent.get(key, []) if one[0] >= since_s)


def parts(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """A widget and all inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


def updates(sent: list[tuple[float, int]]) -> int:
    """How many times a view was brought up to date."""
    times = [when for when, _ in sent]
    return sum(1 for before, when in itertools.pairwise([-math.inf, *times]) if when - before > SAME_UPDATE_S)


async def lags_ms(seconds: float) -> list[float]:
    """How late the loop runs what is due, every 5 ms."""
    loop = asyncio.get_running_loop()
    until_s, lags = loop.time() + seconds, []
    while (now_s := loop.time()) < until_s:
        await asyncio.sleep(0.005)
        lags.append((loop.time() - now_s - 0.005) * 1e3)
    return sorted(lags)


async def working(desk: Desk) -> list[Execution]:
    """Twenty parents with an order in the market, or as many as had one at some time."""
    made = []
    for number in range(PARENTS):
        symbol = SYMBOLS[number % len(SYMBOLS)]
        plan = await desk.preview("BUY", 12, symbol, strategy="twap", slices=6, tag=f"no-{number}", adv=100_000)
        made.append(await desk.submit(plan))
    return made


async def watch(tape: Tape, *, speed: float) -> tuple[list[list[tuple[float, int]]], list[float], int]:
    """Messages of each view, the loop's lags, and how many parents were at work at the end."""
    desk = await hydra_nb.connect("sim", journal=":memory:", seed=7, limits=LOOSE, speed=speed)
    try:
        executions = await working(desk)
        views = [*(execution.view() for execution in executions), desk.view()]
        await asyncio.sleep(3.0)
        began_s = time.monotonic()
        lags = await lags_ms(WATCHED_S)
        sent = [tape.of(view, since_s=began_s) for view in views]
        return sent, lags, len(desk.busy_parents)
    finally:
        await desk.close()


@pytest.mark.parametrize("speed", [1.0, 20.0] if os.environ.get("HYDRA_FULL") == "1" else [20.0])
def test_twenty_views_and_the_desks_stay_cheap(
    monkeypatch: pytest.MonkeyPatch, note: Callable[[Figure], None], speed: float
) -> None:
    """No view is updated more than twice a second, or sends more than 40 kB a second, however fast events come."""
    tape = Tape()
    monkeypatch.setattr(comm, "create_comm", tape.comm)

    sent, lags, at_work = asyncio.run(watch(tape, speed=speed))

    rates = [updates(one) / WATCHED_S for one in sent]
    sizes = [sum(size for _, size in one) / WATCHED_S for one in sent]
    lag_ms = lags[math.ceil(0.99 * len(lags)) - 1]
    pace = f"speed {speed:g}"
    detail = f"{at_work} parents at work, {len(sent)} views"
    note(Figure(name=f"view, updates a second, {pace}", value=max(rates), unit="/s", goal=UPDATES_GOAL, detail=detail))
    note(Figure(name=f"execution view, {pace}", value=max(sizes[:-1]) / 1e3, unit="kB/s", goal=BYTES_GOAL / 1e3))
    note(Figure(name=f"desk view, {pace}", value=sizes[-1] / 1e3, unit="kB/s", goal=BYTES_GOAL / 1e3))
    note(Figure(name=f"loop lag p99, {pace}", value=lag_ms, unit="ms", goal=LAG_GOAL_MS if speed == 1 else None))
    assert at_work == PARENTS
    assert min(rates) > 0  # else the views were not followed at all
    assert max(rates) <= UPDATES_GOAL + 1 / WATCHED_S
    assert max(sizes) < BYTES_GOAL
