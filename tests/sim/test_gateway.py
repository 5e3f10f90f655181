"""ib_async as it is, over TCP, against the simulated gateway."""

import asyncio
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import ib_async
import pytest

from hydra_nb.sim.gateway import SimulatedGateway

Scenario = Callable[[ib_async.IB], Coroutine[Any, Any, None]]


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    """A gateway in real time, so that the book stands nearly still."""
    with SimulatedGateway(seed=7) as running:
        yield running


async def until(holds: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  What is waited for has no event of its own.
            await asyncio.sleep(0.005)


async def connected(gateway: SimulatedGateway, client_id: int = 1) -> ib_async.IB:
    """An ib_async client as a user has it."""
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", gateway.port, client_id, timeout=5, raiseSyncErrors=True)
    return ib


def with_client(gateway: SimulatedGateway, scenario: Scenario) -> None:
    """Run a scenario with one connected client."""

    async def main() -> None:
        ib = await connected(gateway)
        try:
            await scenario(ib)
        finally:
            ib.disconnect()

    asyncio.run(main())


async def oats(ib: ib_async.IB) -> ib_async.Contract:
    """The nearest month of oats."""
    details = await ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT"))
    assert details[0].contract is not None
    return details[0].contract


async def quoted(ib: ib_async.IB, contract: ib_async.Contract) -> ib_async.Ticker:
    """A ticker with both sides."""
    ticker = ib.reqMktData(contract)
    await until(lambda: ticker.bid > 0 and ticker.ask > 0)
    return ticker


def test_a_contract_is_qualified_with_rule_and_hours(gateway: SimulatedGateway):
    """Everything that an order needs to know comes from the gateway."""

    async def scenario(ib: ib_async.IB) -> None:
        nearest = await oats(ib)
        by_name = ib_async.Future("ZO", nearest.lastTradeDateOrContractMonth, "CBOT")

        [qualified] = await ib.qualifyContractsAsync(by_name)
        [details] = await ib.reqContractDetailsAsync(ib_async.Contract(conId=nearest.conId))
        rule = await ib.reqMarketRuleAsync(int(details.marketRuleIds))

        assert qualified == nearest
        assert rule is not None
        assert rule[0].increment == details.minTick == 0.0025
        assert details.priceMagnifier == 100
        now = await ib.reqCurrentTimeAsync()
        assert any(session.start <= now < session.end for session in details.tradingSessions())

    with_client(gateway, scenario)


def test_an_unknown_contract_is_none(gateway: SimulatedGateway):
    """Error 200 ends the request."""

    async def scenario(ib: ib_async.IB) -> None:
        assert await ib.qualifyContractsAsync(ib_async.Future("NOPE", "202612", "CBOT")) == [None]

    with_client(gateway, scenario)


def test_quotes_are_those_of_the_exchange(gateway: SimulatedGateway):
    """The ticker shows the live data type and the top of the book."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        ib.reqMarketDataType(3)
        ticker = await quoted(ib, contract)

        def shows_the_top() -> bool:
            top = gateway.call(lambda: gateway.exchange.top(contract.conId))
            assert top is not None
            sides = (top.bid, top.bid_size, top.ask, top.ask_size)
            return (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize) == sides

        await until(shows_the_top)
        assert ticker.marketDataType == 1
        assert ticker.close > 0

    with_client(gateway, scenario)


def test_an_order_lives_through_modify_partial_fill_and_fill(gateway: SimulatedGateway):
    """And its executions, commissions and position agree with the exchange's own books."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        ticker = await quoted(ib, contract)
        ask, ask_size = ticker.ask, int(ticker.askSize)
        lots = ask_size + 2
        order = ib_async.LimitOrder("BUY", lots, ticker.bid - 5, tif="DAY", orderRef="life")

        trade = ib.placeOrder(contract, order)
        await until(lambda: trade.orderStatus.status == "Submitted")
        order.lmtPrice = ask
        ib.placeOrder(contract, order)
        await until(lambda: trade.filled() >= ask_size)
        assert not trade.isDone()
        order.lmtPrice = ask + 20
        ib.placeOrder(contract, order)
        await until(trade.isDone)
        await until(lambda: all(fill.commissionReport.execId for fill in trade.fills))

        booked = gateway.call(gateway.exchange.executions)
        assert trade.orderStatus.status == "Filled"
        assert [fill.execution.execId for fill in trade.fills] == [fill.exec_id for fill, _ in booked]
        assert trade.filled() == sum(fill.lots for fill, _ in booked) == lots
        fees = sum(fill.commissionReport.commission for fill in trade.fills)
        assert fees == pytest.approx(float(sum(report.commission for _, report in booked)))
        [position] = await ib.reqPositionsAsync()
        paid = sum(fill.execution.shares * fill.execution.price for fill in trade.fills)
        assert position.position == lots
        assert position.avgCost == pytest.approx(paid / lots / 100 * 5000)
        await until(lambda: [item.position for item in ib.portfolio()] == [lots])

    with_client(gateway, scenario)


def test_executions_carry_market_time_as_utc(gateway: SimulatedGateway):
    """Live and asked for again."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        ticker = await quoted(ib, contract)
        trade = ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, ticker.ask + 5, tif="DAY"))
        await until(trade.isDone)

        [again] = await ib.reqExecutionsAsync()

        [(booked, _)] = gateway.call(gateway.exchange.executions)
        assert again.execution == trade.fills[0].execution
        assert again.execution.time.timestamp() == booked.time_ns // 1_000_000_000

    with_client(gateway, scenario)


def test_an_order_is_cancelled(gateway: SimulatedGateway):
    """Its log ends with 202 and Cancelled."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        ticker = await quoted(ib, contract)
        trade = ib.placeOrder(contract, ib_async.LimitOrder("SELL", 2, ticker.ask + 10, tif="GTC"))
        await until(lambda: trade.orderStatus.status == "Submitted")

        ib.cancelOrder(trade.order)
        await until(trade.isDone)

        assert trade.orderStatus.status == "Cancelled"
        assert 202 in [entry.errorCode for entry in trade.log]
        assert gateway.call(gateway.exchange.open_orders) == []
        [completed] = await ib.reqCompletedOrdersAsync(False)
        assert (completed.order.permId, completed.orderStatus.status) == (trade.order.permId, "Cancelled")

    with_client(gateway, scenario)


def test_a_market_order_never_reaches_the_book(gateway: SimulatedGateway):
    """Limit orders are all it takes."""

    async def scenario(ib: ib_async.IB) -> None:
        trade = ib.placeOrder(await oats(ib), ib_async.MarketOrder("BUY", 1))

        await until(trade.isDone)

        assert [entry.errorCode for entry in trade.log][-1] == 387
        assert gateway.call(gateway.exchange.executions) == []

    with_client(gateway, scenario)


def test_a_what_if_order_tells_its_margin(gateway: SimulatedGateway):
    """And nothing is placed."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        ticker = await quoted(ib, contract)

        state = await ib.whatIfOrderAsync(contract, ib_async.LimitOrder("BUY", 2, ticker.bid, tif="DAY"))

        assert float(state.initMarginChange) > 0
        assert state.commission > 0
        assert gateway.call(gateway.exchange.open_orders) == []

    with_client(gateway, scenario)


def test_account_values_summary_and_pnl_are_served(gateway: SimulatedGateway):
    """Three ways to ask for the same money."""

    async def scenario(ib: ib_async.IB) -> None:
        account = gateway.account
        net = {value.tag: value.value for value in ib.accountValues(account)}["NetLiquidation"]
        summary = {value.tag: value.value for value in await ib.accountSummaryAsync(account)}
        pnl = ib.reqPnL(account)
        await until(lambda: not math.isnan(pnl.dailyPnL))

        assert ib.managedAccounts() == [account]
        assert account.startswith("SIM")
        assert summary["NetLiquidation"] == net == "1000000.00"
        assert pnl.dailyPnL == 0

    with_client(gateway, scenario)


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID_ASK"])
def test_daily_bars_are_those_of_the_exchange(gateway: SimulatedGateway, what: str):
    """Thirty days, oldest first, volume of trades only."""

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)

        bars = await ib.reqHistoricalDataAsync(contract, "", "30 D", "1 day", what, True)

        known = gateway.call(lambda: gateway.exchange.daily_bars(contract.conId, 30, gateway.now_ns()))
        assert [(bar.date, bar.close) for bar in bars] == [(bar.date, float(bar.close)) for bar in known]
        assert [bar.volume for bar in bars] == [bar.volume if what == "TRADES" else -1 for bar in known]

    with_client(gateway, scenario)


def test_a_reconnecting_client_finds_its_orders_fills_and_position(gateway: SimulatedGateway):
    """The connection is lost, the orders are not; another client sees them only on request."""

    async def main() -> None:
        first = await connected(gateway)
        contract = await oats(first)
        ticker = await quoted(first, contract)
        done = first.placeOrder(contract, ib_async.LimitOrder("BUY", 1, ticker.ask + 5, tif="DAY"))
        open_ = first.placeOrder(contract, ib_async.LimitOrder("BUY", 3, ticker.bid - 5, tif="GTC", orderRef="mine"))
        await until(lambda: done.isDone() and open_.orderStatus.status == "Submitted")
        last_id, perm_id = open_.order.orderId, open_.order.permId
        first.disconnect()

        again, other = await connected(gateway), await connected(gateway, client_id=2)

        [found] = again.openTrades()
        assert (found.order.permId, found.order.orderRef, found.order.lmtPrice) == (perm_id, "mine", ticker.bid - 5)
        assert [fill.execution.execId for fill in again.fills()] == [fill.execution.execId for fill in done.fills]
        assert [position.position for position in again.positions()] == [1]
        assert again.client.getReqId() > last_id
        assert other.openTrades() == []
        assert [trade.order.permId for trade in await other.reqAllOpenOrdersAsync()] == [perm_id]
        again.cancelOrder(found.order)
        await until(found.isDone)
        again.disconnect()
        other.disconnect()

    asyncio.run(main())


def test_a_second_connection_with_a_live_client_id_gets_326(gateway: SimulatedGateway):
    """The first one stays."""

    async def main() -> None:
        first = await connected(gateway)
        second = ib_async.IB()
        errors: list[int] = []
        second.errorEvent += lambda _req_id, code, *_: errors.append(code)

        with pytest.raises((ConnectionError, TimeoutError)):
            await second.connectAsync("127.0.0.1", gateway.port, 1, timeout=1)

        assert errors == [326]
        assert first.isConnected()
        assert await first.reqCurrentTimeAsync() is not None
        first.disconnect()

    asyncio.run(main())


def test_resets_and_rubbish_of_others_disturb_nobody(gateway: SimulatedGateway):
    """A reset in the middle of a frame, and a browser that found the port."""

    def reset_in_mid_frame() -> None:
        with socket.create_connection(("127.0.0.1", gateway.port)) as stray:
            stray.sendall(b"API\0\0\0\0\x09v157")
            stray.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def speak_http() -> bytes:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as stray:
            stray.sendall(b"GET / HTTP/1.1\r\n\r\n")
            return stray.recv(100)

    async def scenario(ib: ib_async.IB) -> None:
        contract = await oats(ib)
        for _ in range(20):
            await asyncio.to_thread(reset_in_mid_frame)
        answer = await asyncio.to_thread(speak_http)

        ticker = await quoted(ib, contract)

        assert answer == b""
        assert ticker.bid < ticker.ask

    with_client(gateway, scenario)


def test_a_fast_market_keeps_up_with_its_speed():
    """At 240 times real time the quotes of four minutes come in a second."""
    with SimulatedGateway(seed=7, speed=240) as gateway:

        async def scenario(ib: ib_async.IB) -> None:
            ticker = await quoted(ib, await oats(ib))
            updates = 0

            def count(_ticker: ib_async.Ticker) -> None:
                nonlocal updates
                updates += 1

            ticker.updateEvent += count
            started, wall = gateway.now_ns(), time.monotonic()
            await asyncio.sleep(1)
            expected = (time.monotonic() - wall) * 240
            passed = (gateway.now_ns() - started) / 1e9
            told = await ib.reqCurrentTimeAsync()

            assert passed == pytest.approx(expected, rel=0.02)
            assert abs(told.timestamp() - gateway.now_ns() / 1e9) < 30
            assert updates > 10

        with_client(gateway, scenario)


def test_one_seed_gives_one_market():
    """Account, months and ids derive from the seed."""
    one, same, other = (SimulatedGateway(seed=seed) for seed in (3, 3, 4))

    assert (one.account, one.exchange.listings) == (same.account, same.exchange.listings)
    assert one.account != other.account


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])  # noqa: S104  It is refused.
def test_only_loopback_is_served(host: str):
    """A simulated account is nobody else's business."""
    with pytest.raises(ValueError, match="loopback"):
        SimulatedGateway(host=host)


@pytest.mark.parametrize("speed", [0, -1, math.inf, math.nan])
def test_a_speed_that_is_none_is_refused(speed: float):
    """Time has to pass."""
    with pytest.raises(ValueError, match="speed"):
        SimulatedGateway(speed=speed)


def test_a_taken_port_is_reported_to_the_caller(gateway: SimulatedGateway):
    """Not lost in the thread."""
    with pytest.raises(OSError, match="address already in use"):
        SimulatedGateway(port=gateway.port).start()


def test_stop_ends_thread_and_connections_and_may_be_repeated(gateway: SimulatedGateway):
    """Nothing is left behind."""

    async def main() -> None:
        ib = await connected(gateway)
        await asyncio.to_thread(gateway.stop)
        await until(lambda: not ib.isConnected())

    asyncio.run(main())
    gateway.stop()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("simulated-gateway")]
    with pytest.raises(RuntimeError, match="new one"):
        gateway.start()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.port), timeout=1)


def test_a_program_serves_in_the_foreground_until_cancelled():
    """As the command line does."""

    async def main() -> None:
        gateway = SimulatedGateway(seed=7)
        ready = asyncio.Event()
        serving = asyncio.create_task(gateway.serve(listening=ready.set))
        await ready.wait()
        ib = await connected(gateway)

        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await until(lambda: not ib.isConnected())

    asyncio.run(main())


def test_ground_truth_is_read_on_the_gateways_own_thread(gateway: SimulatedGateway):
    """So that nothing moves meanwhile; an error comes back to the caller."""

    def fail() -> None:
        raise LookupError("nothing there")

    name = gateway.call(lambda: threading.current_thread().name)

    assert name == "simulated-gateway-7"
    with pytest.raises(LookupError, match="nothing there"):
        gateway.call(fail)
