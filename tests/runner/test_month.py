"""A month of daily cycles: a restart each night, a change of the clocks, weekends, a holiday and a half day."""

import datetime as dt
import os
from zoneinfo import ZoneInfo

import pandas as pd

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.runner import Day
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import Fault, FaultScript
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from hydra_nb.sim.session import GatewayCore
from tests.whole_stack import stand_behind

IS_FULL = os.environ.get("HYDRA_FULL") == "1"
FIRST, LAST = dt.date(2027, 3, 8), dt.date(2027, 4, 6) if IS_FULL else dt.date(2027, 3, 18)
"""Summer time begins on 14 March; the short month has all that the whole one has."""
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


def test_a_month_of_days_in_virtual_time() -> None:
    """One cycle a trading day, no order outside the hours, and each position is its target or the gap is told."""
    exchange = Exchange(seed=7, first_day=FIRST, holidays={HOLIDAY: None, HALF_DAY: EARLY_CLOSE})
    core = GatewayCore(exchange, faults=nightly(exchange))

    async def whole(loop: VirtualLoop) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, int]]]:
        stand_behind(loop, core)
        async with hydra_nb.connect(seed=7, speed="max", journal=":memory:") as desk:
            runner = hydra_nb.Runner(
                desk, targets, at="09:15", calendar="HEQ7", strategy="twap", slices=2, duration="20m", overrun="shorten"
            ).start()
            evenings = []
            for day in trading_days():
                await until(desk, dt.datetime.combine(day, dt.time(14), CHICAGO))
                evenings.append(held(desk))
            history = runner.history()
            assert desk.status["reconciled"]
            assert (await desk.reconcile()).empty
            await runner.stop()
            return history, desk.executions(), evenings

    history, executions, evenings = run_virtual(whole)

    ran = history[history["status"].isin(["done", "short"])]
    assert [dt.date.fromisoformat(str(day)) for day in ran["day"]] == trading_days()
    assert not history["day"].duplicated().any()
    restarts = [entry for entry in core.fault_log if entry.kind == "nightly_restart"]
    assert len(restarts) == (LAST - FIRST).days
    begun = pd.to_datetime(ran["began"]).dt.tz_convert(CHICAGO)
    assert set(begun.dt.strftime("%H:%M")) == {"09:15"}
    assert begun.dt.tz_convert("UTC").dt.hour.nunique() == 2, "an hour earlier from the change of the clocks on"
    orders = exchange.completed_orders()
    assert len(orders) > 2 * len(trading_days())
    for order in orders:
        assert exchange._months[order.terms.con_id].calendar.is_open(order.submitted_ns)
    told = gaps(executions)
    for day, evening in zip(trading_days(), evenings, strict=True):
        for symbol, target in wanted(day).items():
            assert abs(target - evening.get(symbol, 0)) == told.get((day, symbol), 0), (day, symbol)
    assert len(told) < len(trading_days()), "most days end at their targets"


async def until(desk: Desk, moment: dt.datetime) -> None:
    """Let market time pass."""
    await desk._rooms.clock.sleep(max(0.0, moment.timestamp() - desk.now_ns() / NS_PER_S))


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
