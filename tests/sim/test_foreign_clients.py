"""Clients written by others, in environments of their own, trade on the simulated gateway."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from hydra_nb.sim.gateway import SimulatedGateway

SCRIPTS = Path(__file__).parent / "foreign"
INSTALL_TIMEOUT_S = 120
RUN_TIMEOUT_S = 60


def environment_of(requirement: str) -> Path:
    """The Python of a virtual environment with one requirement, made once and kept in the user's cache."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = platformdirs.user_cache_path("hydra_nb") / "foreign-clients" / f"{requirement}-py{version}"
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    complete = folder / "complete"
    if not complete.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_TIMEOUT_S)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        try:
            done = subprocess.run(
                [*install, requirement], capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"pip could not install {requirement} in {INSTALL_TIMEOUT_S} s")
        if done.returncode != 0:
            pytest.skip(f"pip could not install {requirement}: {done.stderr.strip()[-300:]}")
        complete.touch()
    return python


def run_client(script: str, *, requirement: str, gateway: SimulatedGateway) -> dict[str, Any]:
    """What a client's script printed."""
    python = environment_of(requirement)
    done = subprocess.run(
        [python, SCRIPTS / script, str(gateway.port)],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(seen, dict)
    return seen


def test_ib_insync_trades_as_it_is():
    """The last release of ib_insync, at server version 176."""
    with SimulatedGateway(seed=7) as gateway:
        seen = run_client("ib_insync_client.py", requirement="ib_insync==0.9.86", gateway=gateway)
        booked = gateway.call(gateway.exchange.executions)
        bars = gateway.call(lambda: gateway.exchange.daily_bars(booked[0][0].con_id, 30, gateway.now_ns()))
        listing = gateway.call(lambda: gateway.exchange.listing(booked[0][0].con_id))
        [position] = gateway.call(gateway.exchange.positions)

        assert listing is not None
        assert seen["server_version"] == 176
        assert seen["accounts"] == [gateway.account]
        assert seen["contract"] == [listing.local_symbol, 0.25, 100, "America/Chicago"]
        assert seen["bars"] == len(bars)
        assert seen["partly_filled"]
        assert seen["executions"] == [
            [fill.exec_id, fill.time_ns // 1_000_000_000, float(fill.price)] for fill, _ in booked
        ]
        assert sum(fill.lots for fill, _ in booked) == seen["lots"] == position.lots
        assert seen["commission"] == pytest.approx(float(sum(report.commission for _, report in booked)))
        assert seen["position"] == [[position.lots, pytest.approx(float(position.average_cost))]]
        assert seen["same_order_after_reconnect"]
        assert (seen["cancelled"], seen["refused"]) == ("Cancelled", 387)
        assert gateway.call(gateway.exchange.open_orders) == []


def test_the_api_of_ib_itself_trades_as_it_is():
    """IB's own Python client of its last release on the index, at server version 157."""
    with SimulatedGateway(seed=7) as gateway:
        seen = run_client("ibapi_client.py", requirement="ibapi==9.81.1.post1", gateway=gateway)
        booked = gateway.call(gateway.exchange.executions)
        listing = gateway.call(lambda: gateway.exchange.listing(booked[0][0].con_id))

        assert listing is not None
        assert seen["server_version"] == 157
        assert seen["contract"] == [listing.local_symbol, 0.25, 100, "America/Chicago"]
        assert seen["bars"] == 30
        assert seen["opened"] == ["BUY", 3, -25, "ibapi"]
        assert seen["opened_state"] == "Submitted"
        assert seen["executions"] == seen["commissions"] == [fill.exec_id for fill, _ in booked]
        assert seen["position"] == seen["portfolio"] == [2]
        assert seen["completed"] == ["Filled", "Cancelled"]
        assert seen["errors"] == [202, 2104, 2106, 2158]
