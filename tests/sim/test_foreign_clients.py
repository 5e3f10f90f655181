"""Clients written by others trade on the simulated gateway as they are, those that can in environments of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hydra_nb.sim.gateway import SimulatedGateway
from hydra_nb.sim.records import Commission, Execution, Listing

from .foreign.environments import IB_INSYNC, NEW_IBAPI, OLD_IBAPI, SCRIPTS, python_with

RUN_TIMEOUT_S = 60
FARMS = [2104, 2106, 2158]


def run_client(*command: str | Path, gateway: SimulatedGateway) -> dict[str, Any]:
    """What a client's script printed."""
    done = subprocess.run(
        [*command, str(gateway.port)], capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(seen, dict)
    return seen


def booked_by(gateway: SimulatedGateway) -> tuple[list[tuple[Execution, Commission]], Listing, list[float]]:
    """What the exchange knows: fills, the contract that was traded, and the closes of its last 30 days."""
    booked = gateway.call(gateway.exchange.executions)
    con_id = booked[0][0].con_id
    listing = gateway.call(lambda: gateway.exchange.listing(con_id))
    bars = gateway.call(lambda: gateway.exchange.daily_bars(con_id, 30, gateway.now_ns()))
    assert listing is not None
    return booked, listing, [float(bar.close) for bar in bars]


@pytest.mark.parametrize(
    ("module", "requirements", "server_version"), [("ib_insync", IB_INSYNC, 176), ("ib_async", (), 178)]
)
def test_ib_insync_and_its_successor_trade_as_they_are(module: str, requirements: tuple[str, ...], server_version: int):
    """From contract details to a second connection that finds orders, fills and completed orders."""
    python = python_with(*requirements) if requirements else Path(sys.executable)
    with SimulatedGateway(seed=7) as gateway:
        seen = run_client(python, SCRIPTS / "asyncio_client.py", module, gateway=gateway)
        booked, listing, closes = booked_by(gateway)
        [position] = gateway.call(gateway.exchange.positions)
        left = gateway.call(gateway.exchange.open_orders)

    assert (seen["server_version"], seen["accounts"]) == (server_version, [gateway.account])
    assert seen["contract"] == [listing.local_symbol, 0.0025, 100, "America/Chicago"]
    assert (seen["rule"], seen["bars"]) == ([[0.0, 0.0025]], closes)
    status, initial, maintenance = seen["what_if"]
    assert (status, maintenance) == ("PreSubmitted", pytest.approx(initial / 1.1, abs=0.01))
    assert initial > 0
    assert seen["partly_filled"]
    assert seen["executions"] == [
        [fill.exec_id, fill.time_ns // 1_000_000_000, float(fill.price)] for fill, _ in booked
    ]
    assert sum(fill.lots for fill, _ in booked) == seen["lots"] == position.lots
    assert seen["commission"] == pytest.approx(float(sum(report.commission for _, report in booked)))
    assert seen["position"] == [[position.lots, pytest.approx(float(position.average_cost))]]
    assert (seen["seen_as_own"], seen["seen_by_all"]) == (0, [["resting", 11]])
    assert (seen["codes_beside"], seen["codes_of_twin"]) == ([10147], [326, False])
    assert seen["same_order_after_reconnect"]
    assert seen["next_id_lies_ahead"]
    assert seen["completed"] == [["Filled", "asyncio", seen["lots"]], ["Cancelled", "away", 0.0]]
    assert (seen["cancelled"], seen["refused"], seen["net_liquidation"]) == ("Cancelled", 387, 1)
    assert left == []


@pytest.mark.parametrize(
    ("requirements", "server_version"), [(OLD_IBAPI, 157), (NEW_IBAPI, 178)], ids=["9.81.1", "10.46.1"]
)
def test_both_generations_of_the_api_of_ib_itself_trade_as_they_are(requirements: tuple[str, ...], server_version: int):
    """IB's own Python client: of its last release on the index, and of today as nautilus_trader packs it."""
    with SimulatedGateway(seed=7) as gateway:
        seen = run_client(python_with(*requirements), SCRIPTS / "ibapi_client.py", gateway=gateway)
        booked, listing, closes = booked_by(gateway)
        left = gateway.call(gateway.exchange.open_orders)

    fills = sorted(fill.exec_id for fill, _ in booked)
    assert seen["server_version"] == server_version
    assert seen["contract"] == [listing.local_symbol, 0.0025, 100, "America/Chicago"]
    assert (seen["rule"], seen["bars"]) == ([True, [[0.0, 0.0025]]], closes)
    is_what_if, status, initial, maintenance = seen["what_if"]
    assert (is_what_if, status, maintenance) == (True, "PreSubmitted", pytest.approx(initial / 1.1, abs=0.01))
    assert initial > 0
    assert seen["partly"] == [seen["lots"], True]
    assert seen["executions"] == seen["commissions"] == seen["executions_again"] == fills
    assert seen["filled"] == sum(fill.lots for fill, _ in booked) == seen["lots"]
    assert seen["position"] == seen["portfolio"] == [seen["lots"]]
    assert seen["codes"] == [202, *FARMS]
    # Three orders were placed from the first id on; the last of them rests until the second connection.
    assert (seen["next_id"], seen["next_id_again"], seen["next_id_beside"]) == (3, 1, 1)
    assert seen["seen_as_own"] == 0
    assert [order[1:] for order in seen["seen_by_all"]] == [[12, "ibapi"]]
    assert (seen["codes_beside"], seen["codes_of_twin"]) == ([*FARMS, 10147], [326])
    assert seen["found"][:2] + seen["found"][3:] == ["BUY", 1, "ibapi", "Submitted"]
    assert seen["found_contract"]
    assert seen["completed"] == [
        ["Filled", "ibapi", seen["lots"], f"Filled Size: {seen['lots']}"],
        ["Cancelled", "ibapi", 0, "Cancelled by Trader"],
        ["Cancelled", "ibapi", 0, "Cancelled by Trader"],
    ]
    assert left == []
