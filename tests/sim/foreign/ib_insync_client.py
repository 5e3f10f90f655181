"""Trades on a gateway with ib_insync and prints what it saw as one line of JSON.

Run by the tests in an environment that has ib_insync and nothing of this project. Argument: the port.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from ib_insync import IB, Future, LimitOrder, MarketOrder


async def until(holds: Callable[[], bool]) -> None:
    """Wait at most ten seconds for something to become true."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the gateway did not do what was waited for")


async def trade(port: int) -> dict[str, Any]:
    """Go through the life of a few orders."""
    ib = IB()
    await ib.connectAsync("127.0.0.1", port, clientId=11, timeout=10)
    seen: dict[str, Any] = {"server_version": ib.client.serverVersion(), "accounts": ib.managedAccounts()}
    details = await ib.reqContractDetailsAsync(Future("ZO", exchange="CBOT"))
    contract = details[0].contract
    seen["contract"] = [contract.localSymbol, details[0].minTick, details[0].priceMagnifier, details[0].timeZoneId]
    ticker = ib.reqMktData(contract)
    await until(lambda: ticker.bid > 0 and ticker.ask > 0)
    bars = await ib.reqHistoricalDataAsync(contract, "", "30 D", "1 day", "TRADES", True)
    seen["bars"] = len(bars)

    order = LimitOrder("BUY", ticker.askSize + 2, ticker.bid - 5, tif="DAY", orderRef="insync")
    filled = ib.placeOrder(contract, order)
    await until(lambda: filled.orderStatus.status == "Submitted")
    order.lmtPrice = ticker.ask
    ib.placeOrder(contract, order)
    await until(lambda: filled.filled() > 0)
    seen["partly_filled"] = not filled.isDone()
    order.lmtPrice = ticker.ask + 20
    ib.placeOrder(contract, order)
    await until(filled.isDone)
    await until(lambda: all(fill.commissionReport.execId for fill in filled.fills))

    resting = ib.placeOrder(contract, LimitOrder("BUY", 1, ticker.bid - 5, tif="GTC"))
    await until(lambda: resting.orderStatus.status == "Submitted")
    refused = ib.placeOrder(contract, MarketOrder("BUY", 1))
    await until(refused.isDone)
    positions = await ib.reqPositionsAsync()
    ib.disconnect()

    await ib.connectAsync("127.0.0.1", port, clientId=11, timeout=10)
    [found] = ib.openTrades()
    ib.cancelOrder(found.order)
    await until(found.isDone)
    seen |= {
        "lots": order.totalQuantity,
        "executions": sorted(
            [fill.execution.execId, fill.execution.time.timestamp(), fill.execution.price] for fill in ib.fills()
        ),
        "commission": sum(fill.commissionReport.commission for fill in filled.fills),
        "position": [(position.position, position.avgCost) for position in positions],
        "same_order_after_reconnect": found.order.permId == resting.order.permId,
        "cancelled": found.orderStatus.status,
        "refused": refused.log[-1].errorCode,
        "net_liquidation": [value.value for value in ib.accountValues() if value.tag == "NetLiquidation"],
    }
    ib.disconnect()
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(trade(int(sys.argv[1])))))
