"""Trades on a gateway with ib_insync or its successor ib_async and prints what it saw as one line of JSON.

Run by the tests in an environment that has the client and nothing of this project. Arguments: the module, the port.
"""

import asyncio
import contextlib
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

CLIENT, OTHER = 11, 14

api = importlib.import_module(sys.argv[1])


async def until(holds: Callable[[], object]) -> None:
    """Wait at most ten seconds for something to become true."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the gateway did not do what was waited for")


async def connected(port: int, client_id: int) -> Any:
    """A client that has connected and fetched its orders and fills."""
    ib = api.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=client_id, timeout=10)
    return ib


async def look_around(ib: Any) -> tuple[Any, dict[str, Any]]:
    """Contract, market rule, bars and margin, before anything is bought."""
    details = (await ib.reqContractDetailsAsync(api.Future("ZO", exchange="CBOT")))[0]
    contract = details.contract
    rule = await ib.reqMarketRuleAsync(int(details.marketRuleIds))
    bars = await ib.reqHistoricalDataAsync(contract, "", "30 D", "1 day", "TRADES", True)
    margin = await ib.whatIfOrderAsync(contract, api.LimitOrder("BUY", 2, 100.0, tif="DAY"))
    return contract, {
        "contract": [contract.localSymbol, details.minTick, details.priceMagnifier, details.timeZoneId],
        "rule": [(step.lowEdge, step.increment) for step in rule],
        "bars": [bar.close for bar in bars],
        "what_if": [margin.status, float(margin.initMarginChange), float(margin.maintMarginAfter)],
    }


async def trade(ib: Any, contract: Any) -> tuple[Any, dict[str, Any]]:
    """Place, modify, fill in part, fill; one order is refused and one left to rest."""
    ticker = ib.reqMktData(contract)
    await until(lambda: ticker.bid > 0 and ticker.ask > 0)
    order = api.LimitOrder("BUY", ticker.askSize + 2, ticker.bid - 5, tif="DAY", orderRef="asyncio")
    filled = ib.placeOrder(contract, order)
    await until(lambda: filled.orderStatus.status == "Submitted")
    order.lmtPrice = ticker.ask
    ib.placeOrder(contract, order)
    await until(lambda: filled.filled() > 0)
    partly = not filled.isDone()
    order.lmtPrice = ticker.ask + 20
    ib.placeOrder(contract, order)
    await until(filled.isDone)
    await until(lambda: all(fill.commissionReport.execId for fill in filled.fills))
    cancelled = ib.placeOrder(contract, api.LimitOrder("BUY", 3, ticker.bid - 5, tif="DAY", orderRef="away"))
    await until(lambda: cancelled.orderStatus.status == "Submitted")
    ib.cancelOrder(cancelled.order)
    await until(cancelled.isDone)
    resting = ib.placeOrder(contract, api.LimitOrder("BUY", 1, ticker.bid - 5, tif="GTC", orderRef="resting"))
    await until(lambda: resting.orderStatus.status == "Submitted")
    refused = ib.placeOrder(contract, api.MarketOrder("BUY", 1))
    await until(refused.isDone)
    positions = await ib.reqPositionsAsync()
    return resting, {
        "partly_filled": partly,
        "lots": order.totalQuantity,
        "commission": sum(fill.commissionReport.commission for fill in filled.fills),
        "position": [(position.position, position.avgCost) for position in positions],
        "refused": refused.log[-1].errorCode,
    }


async def look_from_beside(port: int, resting: Any) -> dict[str, Any]:
    """What another client sees of the orders, and may do to them; two of one id are one too many."""
    beside = await connected(port, OTHER)
    own = await beside.reqOpenOrdersAsync()
    everyone = await beside.reqAllOpenOrdersAsync()
    codes: list[int] = []
    beside.errorEvent += lambda _req_id, code, *_: codes.append(code)
    beside.client.cancelOrder(resting.order.orderId)
    await until(lambda: codes)
    twin = api.IB()
    twin_codes: list[int] = []
    twin.errorEvent += lambda _req_id, code, *_: twin_codes.append(code)
    with contextlib.suppress(TimeoutError, ConnectionError):  # which of them depends on the client
        await twin.connectAsync("127.0.0.1", port, clientId=OTHER, timeout=1)
    beside.disconnect()
    return {
        "seen_as_own": len(own),
        "seen_by_all": [[trade.order.orderRef, trade.order.clientId] for trade in everyone],
        "codes_beside": codes,
        "codes_of_twin": [*twin_codes, twin.isConnected()],
    }


async def come_back(port: int, resting: Any) -> dict[str, Any]:
    """Connect again with the same id, and cancel what still rests."""
    ib = await connected(port, CLIENT)
    next_id = ib.client.getReqId()
    completed = await ib.reqCompletedOrdersAsync(apiOnly=False)
    [found] = ib.openTrades()
    ib.cancelOrder(found.order)
    await until(found.isDone)
    seen = {
        "executions": sorted(
            [fill.execution.execId, fill.execution.time.timestamp(), fill.execution.price] for fill in ib.fills()
        ),
        "same_order_after_reconnect": found.order.permId == resting.order.permId,
        "next_id_lies_ahead": next_id > resting.order.orderId,
        "cancelled": found.orderStatus.status,
        "completed": [
            [trade.orderStatus.status, trade.order.orderRef, trade.order.filledQuantity] for trade in completed
        ],
        "net_liquidation": len([value for value in ib.accountValues() if value.tag == "NetLiquidation"]),
    }
    ib.disconnect()
    return seen


async def go_through(port: int) -> dict[str, Any]:
    """Everything in turn."""
    ib = await connected(port, CLIENT)
    seen: dict[str, Any] = {"server_version": ib.client.serverVersion(), "accounts": ib.managedAccounts()}
    contract, found = await look_around(ib)
    resting, traded = await trade(ib, contract)
    seen |= found | traded | await look_from_beside(port, resting)
    ib.disconnect()
    return seen | await come_back(port, resting)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(go_through(int(sys.argv[2])))))
