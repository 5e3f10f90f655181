"""Virtual time: hours in milliseconds, the same every time, and clients none the wiser."""

import asyncio
import time
from typing import Any

import ib_async
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.sim import SIM_HOST, VirtualGateway, VirtualLoop, run_virtual
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.session import GatewayCore

HOUR_S = 3600.0


async def connected(loop: VirtualLoop, *, seed: int = 7) -> tuple[VirtualGateway, ib_async.IB, ib_async.Contract]:
    """A market in memory, a client on it, and the nearest month of oats."""
    gateway = loop.attach(GatewayCore(Exchange(seed=seed)))
    ib = ib_async.IB()
    await ib.connectAsync(SIM_HOST, 4002, 1, raiseSyncErrors=True)
    details = await ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT"))
    assert details[0].contract is not None
    return gateway, ib, details[0].contract


def test_hours_of_sleep_take_no_time():
    """The clock jumps from timer to timer, a touch past each."""

    async def main(loop: VirtualLoop) -> float:
        await asyncio.sleep(100 * HOUR_S)
        return loop.time()

    started = time.monotonic()
    slept_s = run_virtual(main)

    assert time.monotonic() - started < 1
    assert 100 * HOUR_S < slept_s < 100 * HOUR_S + 0.001


@given(delays=st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0]), max_size=40))
def test_timers_run_by_deadline_and_then_in_order_of_making(delays: list[float]):
    """Equal deadlines are first come, first served, which asyncio alone does not promise."""
    ran: list[tuple[float, int]] = []

    async def main(loop: VirtualLoop) -> None:
        now = loop.time()
        for number, delay in enumerate(delays):
            loop.call_at(now + delay, ran.append, (delay, number))
        await asyncio.sleep(3)

    run_virtual(main)

    assert ran == sorted((delay, number) for number, delay in enumerate(delays))


def test_a_cancelled_timer_does_not_run():
    """Whatever else has its deadline."""
    ran: list[int] = []

    async def main(loop: VirtualLoop) -> None:
        timers = [loop.call_later(1, ran.append, number) for number in range(3)]
        timers[1].cancel()
        await asyncio.sleep(2)

    run_virtual(main)

    assert ran == [0, 2]


def test_many_timers_over_a_long_time_keep_their_order():
    """What the loop remembers of past deadlines is bounded, and forgetting loses nothing."""
    ran: list[int] = []

    async def main(loop: VirtualLoop) -> int:
        for number in range(5000):
            loop.call_later(1, ran.append, number)
            if number % 3 == 0:
                await asyncio.sleep(2)
        await asyncio.sleep(2)
        return len(loop._deadlines)

    kept = run_virtual(main)

    assert ran == list(range(5000))
    assert kept <= 2048


def test_the_clock_stands_while_an_executor_works():
    """A real write to disk must not look like a time-out."""

    async def main(loop: VirtualLoop) -> float:
        loop.call_later(0.5, lambda: None)
        started = loop.time()
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.05), timeout=0.001)
        return loop.time() - started

    assert run_virtual(main) < 0.001


def test_waiting_for_what_nobody_will_do_is_an_error_and_no_hang():
    """With nothing scheduled, no time can pass."""

    async def main(_loop: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing is scheduled"):
        run_virtual(main)


def test_tasks_left_over_are_cancelled_and_the_loop_is_closed():
    """A rehearsal leaves nothing behind in a notebook's kernel."""
    ended: list[str] = []
    loops: list[VirtualLoop] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(HOUR_S)
        finally:
            ended.append("cancelled")

    async def main(loop: VirtualLoop) -> None:
        loops.append(loop)
        tasks = {asyncio.create_task(linger()) for _ in range(3)}
        await asyncio.sleep(1)
        assert len(tasks) == 3

    run_virtual(main)

    assert ended == ["cancelled"] * 3
    assert loops[0].is_closed()


def test_a_failing_coroutine_fails_its_caller():
    """And the loop is cleaned up all the same."""

    async def main(_loop: VirtualLoop) -> None:
        raise LookupError("no such slice")

    with pytest.raises(LookupError, match="no such slice"):
        run_virtual(main)


def test_without_a_gateway_the_made_up_host_refuses():
    """As a closed port would."""

    async def main(loop: VirtualLoop) -> None:
        await loop.create_connection(asyncio.Protocol, SIM_HOST, 1)

    with pytest.raises(ConnectionRefusedError, match=r"sim\.invalid"):
        run_virtual(main)


def test_market_time_is_loop_time():
    """Also as the client is told it."""

    async def main(loop: VirtualLoop) -> None:
        gateway, ib, _ = await connected(loop)
        await asyncio.sleep(HOUR_S)

        told = await ib.reqCurrentTimeAsync()

        assert gateway.now_ns() == gateway.exchange.start_ns + round(loop.time() * 1e9)
        assert int(told.timestamp()) == gateway.now_ns() // 1_000_000_000
        ib.disconnect()

    run_virtual(main)


def test_ib_async_trades_for_six_hours_in_a_moment():
    """Quotes, orders, fills and throttling, through the same client as ever."""

    async def main(loop: VirtualLoop) -> tuple[int, float, float]:
        gateway, ib, contract = await connected(loop)
        ticker = ib.reqMktData(contract)
        quotes = 0

        def count(_tickers: Any) -> None:
            nonlocal quotes
            quotes += 1

        ib.pendingTickersEvent += count
        await asyncio.sleep(1)
        trades = []
        for _ in range(20):
            trades.append(ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, ticker.ask, tif="DAY")))
            await asyncio.sleep(HOUR_S * 4 / 20)
        await asyncio.sleep(2 * HOUR_S)
        held = sum(position.lots for position in gateway.exchange.positions())
        booked = sum(trade.filled() for trade in trades)
        ib.disconnect()
        return quotes, held, booked

    started = time.monotonic()
    quotes, held, booked = run_virtual(main)

    assert held == booked > 10
    assert quotes > 2000
    assert time.monotonic() - started < 10  # about 0.5 s; the rest is for slow machines


def test_the_throttle_of_ib_async_lets_time_pass():
    """It re-arms at exactly one second, and would spin for ever on exact jumps."""

    async def main(loop: VirtualLoop) -> float:
        _, ib, contract = await connected(loop)
        started = loop.time()
        await asyncio.gather(*[ib.reqContractDetailsAsync(contract) for _ in range(200)])
        ib.disconnect()
        return loop.time() - started

    assert 4 < run_virtual(main) < 6


def frames_of_a_run(seed: int) -> list[tuple[float, bytes]]:
    """Everything that arrives at a client which trades for an hour, with its time."""
    frames: list[tuple[float, bytes]] = []

    async def main(loop: VirtualLoop) -> None:
        _, ib, contract = await connected(loop, seed=seed)
        ib.client.conn.hasData += lambda data: frames.append((loop.time(), data))
        ticker = ib.reqMktData(contract)
        await asyncio.sleep(1)
        for _ in range(10):
            ib.placeOrder(contract, ib_async.LimitOrder("SELL", 2, ticker.bid, tif="DAY"))
            await asyncio.sleep(360)
        ib.disconnect()

    run_virtual(main)
    return frames


def test_one_seed_gives_identical_frames_at_identical_times():
    """A failing seed replays exactly; another seed is another market."""
    first, second, other = frames_of_a_run(7), frames_of_a_run(7), frames_of_a_run(8)

    assert len(first) > 100
    assert first == second
    assert first != other


def test_async_handlers_run_in_a_worker_thread():
    """The library puts them on the thread's event loop, and without one they silently never run."""

    async def main(loop: VirtualLoop) -> list[str]:
        _, ib, contract = await connected(loop)
        heard: list[str] = []

        async def hear(trade: ib_async.Trade) -> None:
            await asyncio.sleep(0)
            heard.append(trade.orderStatus.status)

        ib.orderStatusEvent += hear
        ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, 300.0, tif="DAY"))
        await asyncio.sleep(1)
        ib.disconnect()
        return heard

    async def notebook() -> list[str]:
        return await asyncio.to_thread(run_virtual, main)

    assert asyncio.run(notebook())[-1] == "Submitted"


def test_a_second_client_id_is_cut_off_in_memory_too():
    """The transport closes as a socket would, and a freed id can be used again."""

    async def main(loop: VirtualLoop) -> None:
        _, first, _ = await connected(loop)
        second = ib_async.IB()
        with pytest.raises((ConnectionError, TimeoutError)):
            await second.connectAsync(SIM_HOST, 4002, 1)
        assert first.isConnected()
        first.disconnect()
        await asyncio.sleep(1)
        await second.connectAsync(SIM_HOST, 4002, 1)
        assert second.isConnected()
        second.disconnect()

    run_virtual(main)


def test_a_large_answer_comes_in_small_pieces():
    """ib_async takes ever longer for larger ones."""
    sizes: list[int] = []

    async def main(loop: VirtualLoop) -> None:
        _, ib, contract = await connected(loop)
        ib.client.conn.hasData += lambda data: sizes.append(len(data))
        bars = await ib.reqHistoricalDataAsync(contract, "", "4 Y", "1 day", "TRADES", True)
        assert len(bars) >= 1000
        ib.disconnect()

    run_virtual(main)

    assert max(sizes) < 32 * 1024
    assert sum(sizes) > 32 * 1024
