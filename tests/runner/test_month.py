"""A month of daily cycles: a restart each night, a change of the clocks, weekends, a holiday and a half day."""

import asyncio
import datetime as dt
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.runner import Day
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import Fault, FaultScript
from hydra_nb.sim.session import GatewayCore
from tests.recovery.lives import Lives, in_lives

IS_FULL = os.environ.get("HYDRA_FULL") == "1"
FIRST, LAST = (dt.date(2027, 3, 8), dt.date(2027, 4, 6)) if IS_FULL else (dt.date(2027, 3, 12), dt.date(2027, 3, 18))
"""Summer time begins on 14 March; the week of every change has all that the month has."""
HALF_DAY, HOLIDAY = dt.date(2027, 3, 16), dt.date(2027, 3, 17)
EARLY_CLOSE = dt.time(9, 30)
MONTHS = ("HEQ7", "GFU7")
TARGETS = ((2, -1), (3, 0), (0, 1), (-2, 1))
"""Positions wanted of the symbols, day after day anew."""
RESET = dt.time(23, 45)
CHICAGO, NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")


def wanted(day: dt.date) -> dict[str, int]:
    """Positions to hold at the end of a day."""
    return dict(zip(MONTHS, TARGETS[day.toordinal() % len(TARGETS)], strict=True))


def targets(day: Day) -> pd.DataFrame:
    """What a systematic trader would have computed."""
    rows = wanted(day.date).items()
    return pd.DataFrame({"instrument": [symbol for symbol, _ in rows], "target": [target for _, target in rows]})


def trading_days() -> list[dt.date]:
    """Weekdays but the holiday."""
    days = (FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    return [day for day in days if day.weekday() < 5 and day != HOLIDAY]


def nightly(exchange: Exchange) -> FaultScript:
    """The gateway restarts each night at its hour in New York: all connections drop, and order ids begin anew."""
    nights = [dt.datetime.combine(FIRST + dt.timedelta(days=n), RESET, NEW_YORK) for n in range((LAST - FIRST).days)]
    return FaultScript(
        faults=tuple(
            Fault(kind="nightly_restart", at_s=night.timestamp() - exchange.start_ns / NS_PER_S) for night in nights
        ),
        seed=1,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("keeps", ["a program for each day", *["a notebook that stays open"] * IS_FULL])
def test_a_month_of_days_in_virtual_time(tmp_path: Path, keeps: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One cycle a trading day, no order outside the hours, and each position is its target or the gap is told."""
    exchange = Exchange(seed=7, first_day=FIRST, holidays={HOLIDAY: None, HALF_DAY: EARLY_CLOSE})
    cores: list[GatewayCore] = []
    begun_s = time.process_time()

    def core(market: Exchange) -> GatewayCore:
        cores.append(GatewayCore(market, faults=nightly(market)))
        return cores[0]

    story = one_notebook if "notebook" in keeps else one_program_a_day
    month = in_lives(story, folder=tmp_path, exchange=exchange, core=core)

    with capsys.disabled():
        words = f"{keeps}: {(LAST - FIRST).days + 1} days in {time.process_time() - begun_s:.1f} s of the processor"
        sys.stdout.write(f"\n{words}\n")
    ran = month.history[month.history["status"].isin(["done", "short"])]
    assert [dt.date.fromisoformat(str(day)) for day in ran["day"]] == trading_days()
    assert not month.history["day"].duplicated().any()
    assert len([entry for entry in cores[0].fault_log if entry.kind == "nightly_restart"]) >= len(trading_days()) - 1
    begun = pd.to_datetime(ran["began"]).dt.tz_convert(CHICAGO)
    assert set(begun.dt.strftime("%H:%M")) == {"09:15"}
    assert begun.dt.tz_convert("UTC").dt.hour.nunique() == 2, "an hour earlier from the change of the clocks on"
    orders = exchange.completed_orders()
    assert len(orders) > 2 * len(trading_days())
    for order in orders:
        assert exchange._months[order.terms.con_id].calendar.is_open(order.submitted_ns)
    told = gaps(month.executions)
    for day, evening in zip(trading_days(), month.evenings, strict=True):
        for symbol, target in wanted(day).items():
            assert abs(target - evening.get(symbol, 0)) == told.get((day, symbol), 0), (day, symbol)
    assert len(told) < len(trading_days()), "most days end at their targets"


@dataclass(kw_only=True)
class Month:
    """What was held each evening, and at the end the frames."""

    evenings: list[dict[str, int]] = field(default_factory=list)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    executions: pd.DataFrame = field(default_factory=pd.DataFrame)

    async def close(self, desk: Desk, runner: hydra_nb.Runner) -> None:
        """Read the frames, see that ledger and broker agree, and close the desk."""
        self.history, self.executions = runner.history(), desk.executions()
        assert (await desk.reconcile()).empty
        await desk.close()


def run(desk: Desk) -> hydra_nb.Runner:
    """The runner of this strategy."""
    how = {"strategy": "twap", "slices": 2, "duration": "20m", "overrun": "shorten"}
    return hydra_nb.Runner(desk, targets, at="09:15", calendar="HEQ7", **how).start()


async def one_notebook(lives: Lives) -> Month:
    """One desk from the first day to the last, over all nights."""
    month, desk = Month(), (await lives.open()).desk
    runner = run(desk)
    for day in trading_days():
        await until(desk.now_ns(), dt.datetime.combine(day, dt.time(14), CHICAGO))
        month.evenings.append(held(desk))
    await month.close(desk, runner)
    return month


async def one_program_a_day(lives: Lives) -> Month:
    """A desk for each trading day on one journal: from the eve, over the restart of the gateway, to its evening."""
    month = Month()
    now_ns = lives.core.exchange.start_ns
    for day in trading_days():
        await until(now_ns, dt.datetime.combine(day - dt.timedelta(days=1), RESET, NEW_YORK) - dt.timedelta(minutes=10))
        desk = (await lives.open()).desk
        runner = run(desk)
        await until(desk.now_ns(), dt.datetime.combine(day, dt.time(10), CHICAGO))
        month.evenings.append(held(desk))
        now_ns = desk.now_ns()
        await month.close(desk, runner)
    return month


async def until(now_ns: int, moment: dt.datetime) -> None:
    """Let market time pass."""
    await asyncio.sleep(max(0.0, moment.timestamp() - now_ns / NS_PER_S))


def held(desk: Desk) -> dict[str, int]:
    """Positions by symbol, as the desk's own frame tells them."""
    positions = desk.positions()
    return {row["local_symbol"]: int(row["position"]) for row in positions.to_dict("records") if row["position"]}


def gaps(executions: pd.DataFrame) -> dict[tuple[dt.date, str], int]:
    """Lots that orders ended short of, by day and month."""
    short = executions[executions["shortfall_lots"] > 0]
    days = short["submitted"].dt.tz_convert(CHICAGO).dt.date
    return {
        (day, symbol): int(lots)
        for day, symbol, lots in zip(days, short["local_symbol"], short["shortfall_lots"], strict=True)
    }
