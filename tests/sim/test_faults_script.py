"""Fault scripts: what they take, that a seed replays, that healing ends all, and that real clients meet them."""

import asyncio
import logging
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import ib_async
import pytest

from hydra_nb.sim import SIM_HOST, SimulatedGateway, VirtualLoop, run_virtual
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import (
    FAULTS,
    Fault,
    FaultEntry,
    FaultRates,
    FaultScript,
    FaultScriptError,
    Level,
    faults_table,
    illegal_table,
)
from hydra_nb.sim.records import OrderStatus
from hydra_nb.sim.seeds import stream
from hydra_nb.sim.session import GatewayCore

from .faults_floor import FaultyFloor, fault

HOUR_S = 3600.0
PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

GOOD = """
seed = 11
heal_s = 7200
from_s = 60
[rates]
status_twice = 6
[[fault]]
kind = "half_open"
at_s = 600
state = "submitted"
duration_s = 90
[[fault]]
kind = "error_10349"
client_id = 4
order_ref = "hy:"
times = 3
"""


def script(tmp_path: Path, text: str) -> Path:
    """A script's file."""
    path = tmp_path / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_is_read_from_toml(tmp_path: Path):
    """Faults with their parameters, rates, seed and the time of healing."""
    read = FaultScript.from_toml(script(tmp_path, GOOD))

    assert read == FaultScript(
        faults=(
            Fault(kind="half_open", at_s=600, state="submitted", parameters={"duration_s": 90}),
            Fault(kind="error_10349", client_id=4, order_ref="hy:", times=3),
        ),
        rates=FaultRates(per_hour={"status_twice": 6}),
        seed=11,
        heal_s=7200,
        from_s=60,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[fault]]\nkind = "gremlins"', "unknown fault 'gremlins'; known are segments, reset_mid_frame"),
        ("[[fault]]\nat_s = 1", "a fault without a kind; known are segments"),
        ("[rates]\ngremlins = 1", "unknown fault 'gremlins'; known are segments"),
        ("[rates]\nhalt = -1", "rate of halt is -1; a number from 0 to 3600"),
        ("rates = 3", "write [rates]"),
        ("fault = 3", "write [[fault]]"),
        ("sede = 1", "the script has 'sede'; it takes seed, heal_s, from_s, rates, fault"),
        ("seed = 1.5", "seed is 1.5; a whole number"),
        ("heal_s = nan", "heal_s is nan"),
        ("from_s = -1", "from_s is -1; a number from 0"),
        ('[[fault]]\nkind = "halt"\ncolour = 1', "halt: 'colour' is not a parameter; it takes duration_s"),
        ('[[fault]]\nkind = "halt"\nduration_s = "long"', "duration_s is 'long'; a number is taken"),
        ('[[fault]]\nkind = "halt"\nduration_s = 1e9', "duration_s is 1000000000.0; 0 to 86400 is taken"),
        ('[[fault]]\nkind = "overfill"\nlots = 1.5', "lots is 1.5; a whole number is taken"),
        ('[[fault]]\nkind = "farm_flap"\ncode = 1', "code is 1; one of 2103, 2105"),
        ('[[fault]]\nkind = "read_only"\ncancels = 1', "cancels is 1; true or false"),
        ('[[fault]]\nkind = "two_perm_ids"\nstate = "filled"', "it can strike in pending modify"),
        ('[[fault]]\nkind = "halt"\nat_s = true', "halt: at_s is True"),
        ('[[fault]]\nkind = "halt"\ntimes = 0', "halt: times is 0; a whole number from 1"),
        ('[[fault]]\nkind = "halt"\norder_ref = 1', "halt: order_ref is 1; a text"),
        ("[[fault]", "faults.toml"),
    ],
)
def test_what_a_script_cannot_hold_is_refused_with_what_it_can(tmp_path: Path, text: str, message: str):
    """The message names the file, the value and what would be taken."""
    with pytest.raises(FaultScriptError, match=re.escape(message)) as caught:
        FaultScript.from_toml(script(tmp_path, text))

    assert "faults.toml" in str(caught.value)


def test_a_script_that_is_not_there_is_refused(tmp_path: Path):
    """With its path."""
    with pytest.raises(FaultScriptError, match=r"none\.toml"):
        FaultScript.from_toml(tmp_path / "none.toml")


def test_the_command_line_refuses_an_unknown_fault_and_lists_the_known(tmp_path: Path):
    """Before anything listens, with exit status 2."""
    path = script(tmp_path, '[[fault]]\nkind = "gremlins"')

    words = [
        sys.executable,
        "-c",
        "from hydra_nb.cli import main; main()",
        "gateway",
        "--port",
        "0",
        "--faults",
        str(path),
    ]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 2
    said = " ".join(result.stderr.split())
    assert "unknown fault 'gremlins'" in said
    assert all(name in said for name in FAULTS)


def test_faults_at_rates_begin_when_the_script_says():
    """Not before, whatever is drawn; without a word from the start on."""
    rates = FaultRates(per_hour={"status_twice": 3600.0})
    begins_s = []
    for script_of_one in (FaultScript(rates=rates), FaultScript(rates=rates, from_s=60.0)):
        core = GatewayCore(Exchange(seed=7), faults=script_of_one)
        begins_s.append((core.next_event_ns() - core.exchange.start_ns) / 1e9)

    at_once, later = begins_s
    assert 0 < at_once < 60
    assert later == pytest.approx(60 + at_once)


def test_drawn_rates_come_from_the_dice_alone_and_add_up():
    """One seed, one draw; the sum is what was asked for."""
    first, again, other = (FaultRates.draw(stream(seed, "rates"), per_hour=30.0) for seed in (1, 1, 2))
    venue = FaultRates.draw(stream(1, "rates"), kinds=[n for n, k in FAULTS.items() if k.level is Level.VENUE])

    assert first == again != other
    assert sum(first.per_hour.values()) == pytest.approx(30.0)
    assert {FAULTS[name].level for name in venue.per_hour} == {Level.VENUE}


def test_the_page_of_faults_is_generated_from_the_table():
    """Each kind, what it does, its parameters and the states in which it strikes."""
    page = PAGE.read_text(encoding="utf-8")

    assert faults_table() in page, "docs/faults.md is out of date: put in what faults_table() gives"
    assert illegal_table() in page, "docs/faults.md is out of date: put in what illegal_table() gives"


def a_bad_afternoon(
    loop: VirtualLoop, *, seed: int
) -> "asyncio.Task[tuple[list[tuple[float, bytes]], list[FaultEntry]]]":
    """ib_async trades for two hours through many faults, and connects again whenever it can."""
    rates = FaultRates.draw(stream(seed, "rates"), per_hour=90.0)
    core = GatewayCore(Exchange(seed=7), faults=FaultScript(rates=rates, seed=seed, heal_s=2 * HOUR_S))
    loop.attach(core)
    received: list[tuple[float, bytes]] = []

    async def main() -> tuple[list[tuple[float, bytes]], list[FaultEntry]]:
        ib, ticker = ib_async.IB(), ib_async.Ticker()
        contract = ib_async.Contract()
        ib.client.conn.hasData += lambda data: received.append((loop.time(), data))
        while loop.time() < 2 * HOUR_S:
            await asyncio.sleep(20)
            try:
                if not ib.isConnected():
                    await ib.connectAsync(SIM_HOST, 4002, 1, timeout=5, raiseSyncErrors=True)
                    asked = ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT"))
                    [details, *_] = await asyncio.wait_for(asked, 5)
                    assert details.contract is not None
                    contract = details.contract
                    ticker = ib.reqMktData(contract)
            except (ConnectionError, TimeoutError, ValueError):
                ib.disconnect()
                continue
            if ticker.ask > 0 and ib.isConnected():
                trade = ib.placeOrder(contract, ib_async.LimitOrder("BUY", 2, ticker.ask, tif="DAY"))
                await asyncio.sleep(20)
                if ib.isConnected() and not trade.isDone():
                    ib.cancelOrder(trade.order)
        ib.disconnect()
        return received, core.fault_log

    return asyncio.ensure_future(main())


def test_one_seed_gives_identical_frames_and_identical_faults(caplog: pytest.LogCaptureFixture):
    """In memory, to the byte and to the time; another seed is another afternoon."""
    caplog.set_level(logging.CRITICAL)

    async def main(loop: VirtualLoop, seed: int) -> tuple[list[tuple[float, bytes]], list[FaultEntry]]:
        return await a_bad_afternoon(loop, seed=seed)

    first, again, other = (run_virtual(lambda loop, seed=seed: main(loop, seed)) for seed in (4, 4, 5))  # type: ignore[misc]

    assert first == again
    assert first[1] != other[1]
    assert len(first[1]) > 50
    assert len(Counter(entry.kind for entry in first[1])) > 10
    assert [entry.time_ns for entry in first[1]] == sorted(entry.time_ns for entry in first[1])


def test_a_fault_waits_for_its_client_its_order_and_its_state():
    """It strikes the one that it is for, as often as it is told."""
    floor = FaultyFloor(
        fault("error_201", order_ref="ref-2", times=2, state="submitted"), fault("status_never", client_id=9)
    )

    floor.place(1)
    floor.place(2)
    floor.wait(1)
    floor.place(3)
    floor.wait(1)

    assert floor.client.errors() == [(2, 201), (2, 201)]
    assert {kind for kind, _ in floor.struck()} == {"error_201"}


def test_a_fault_waits_for_a_client_and_a_market():
    """Its time alone is not enough."""
    floor = FaultyFloor(fault("halt", at_s=1), fault("unknown_message", at_s=1))
    floor.core.disconnect(floor.client.session)

    floor.wait(30)
    alone = floor.struck()
    floor.reconnect()
    floor.wait(2)

    assert alone == []
    assert {kind for kind, _ in floor.struck()} == {"halt", "unknown_message"}


def test_healing_delivers_what_was_held_back_and_ends_what_lasts():
    """Late messages, held requests, halts and mute connections."""
    floor = FaultyFloor(
        fault("commission_late", delay_s=5000.0),
        fault("request_delayed", delay_s=5000.0, order_ref="ref-2"),
        fault("session_break", at_s=5, duration_s=5000.0),
        fault("error_201", at_s=500.0),
    )
    floor.place(1, crosses=True, lots=1)
    floor.place(2)
    floor.wait(10)
    before = floor.said()

    floor.core.heal(floor.client.now_ns)
    after = floor.said()
    floor.wait(1000)

    assert "59" not in before
    assert "59" in after
    assert floor.order(2).status is OrderStatus.SUBMITTED
    top = floor.exchange.top(floor.oats.con_id)
    assert top is not None
    assert top.bid is not None
    assert "error_201" not in {kind for kind, _ in floor.struck()}


def test_healing_closes_mute_connections_and_lets_new_ones_in():
    """At the time that the script names."""
    floor = FaultyFloor(
        fault("half_open", at_s=5, duration_s=5000.0),
        fault("nightly_restart", at_s=6.0, duration_s=5000.0),
        heal_s=60.0,
    )

    floor.wait(59)
    away = floor.core.connect().closed
    floor.wait(2)

    assert away
    assert floor.client.session.was_reset
    assert floor.reconnect().greeting[0][0] == "15"


def test_a_modify_that_was_to_fork_does_not_after_healing():
    """A modify that was refused leaves its mark, which healing takes away."""
    floor = FaultyFloor(fault("two_perm_ids"))
    floor.place(lots=2)
    floor.place(lots=2, side="SELL")

    floor.core.heal(floor.client.now_ns)
    floor.place(lots=2, ticks=1)

    assert floor.struck() == [("two_perm_ids", ("pending modify",))]
    assert 105 in {code for _, code in floor.client.errors()}
    assert len(floor.exchange.open_orders()) == 1


def test_nothing_strikes_after_healing():
    """Rates fall silent too."""
    rates = FaultRates(per_hour={"unknown_message": 1200.0})
    floor = FaultyFloor(rates=rates, heal_s=60.0)

    floor.wait(60)
    struck = len(floor.struck())
    floor.wait(600)

    assert struck > 3
    assert len(floor.struck()) == struck


def test_random_faults_that_find_nothing_to_strike_do_not_pile_up():
    """What waits is bounded."""
    floor = FaultyFloor(rates=FaultRates(per_hour={"overfill": 3600.0, "halt": 3600.0}))

    floor.wait(300)

    assert floor.core._faults is not None
    assert all(len(waiting) <= 20 for waiting in floor.core._faults._armed.values())


async def until_lost(ib: ib_async.IB) -> None:
    """Wait until the client knows that its connection has gone."""
    async with asyncio.timeout(10):
        while ib.isConnected():  # noqa: ASYNC110  What is waited for has no event of its own.
            await asyncio.sleep(0.01)


def test_over_tcp_a_client_meets_the_faults_too():
    """Segments, a lie about an order, and a reset after an order that was read."""
    faults = (
        fault("segments", at_s=0.1, duration_s=60.0, pause_s=0.01),
        fault("error_10349", order_ref="first", state="submitted"),
        fault("reset_mid_frame", order_ref="second"),
    )

    async def main(gateway: SimulatedGateway) -> ib_async.Trade:
        ib = ib_async.IB()
        await ib.connectAsync("127.0.0.1", gateway.port, 1, timeout=5, raiseSyncErrors=True)
        await asyncio.sleep(1.2)
        [details, *_] = await ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT"))
        assert details.contract is not None
        lied_to = ib.placeOrder(details.contract, ib_async.LimitOrder("BUY", 1, 100.0, tif="DAY", orderRef="first"))
        async with asyncio.timeout(5):
            while lied_to.orderStatus.status != "Cancelled":  # noqa: ASYNC110  What is waited for has no event.
                await asyncio.sleep(0.01)
        ib.placeOrder(details.contract, ib_async.LimitOrder("BUY", 1, 101.0, tif="DAY", orderRef="second"))
        await until_lost(ib)
        return lied_to

    with SimulatedGateway(seed=7, faults=FaultScript(faults=faults)) as gateway:
        asyncio.run(main(gateway))
        truth = gateway.call(gateway.exchange.open_orders)
        kinds = [entry.kind for entry in gateway.call(lambda: gateway.fault_log)]

    assert [order.terms.order_ref for order in truth] == ["first", "second"]
    assert kinds == ["segments", "error_10349", "reset_mid_frame"]


def test_over_tcp_healing_ends_a_half_open_connection():
    """The client sees a reset at last."""

    async def main(gateway: SimulatedGateway) -> None:
        ib = ib_async.IB()
        await ib.connectAsync("127.0.0.1", gateway.port, 1, timeout=5, raiseSyncErrors=True)
        async with asyncio.timeout(5):
            while not gateway.call(lambda: gateway.fault_log):  # noqa: ASYNC110  What is waited for has no event.
                await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.3)
        assert ib.isConnected()
        gateway.heal()
        await until_lost(ib)

    with SimulatedGateway(
        seed=7, faults=FaultScript(faults=(fault("half_open", at_s=0.2, duration_s=900.0),))
    ) as gateway:
        asyncio.run(main(gateway))
