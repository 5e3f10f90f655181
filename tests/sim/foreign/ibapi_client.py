"""Trades on a gateway with IB's own Python client and prints what it saw as one line of JSON.

Run by the tests in an environment that has ibapi and nothing of this project. Argument: the port.
"""

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper


class Trader(EWrapper, EClient):
    """Writes down the calls of the client, under the name of the call."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.heard: dict[str, list[tuple[Any, ...]]] = {}
        self.changed = threading.Condition()

    def note(self, name: str, *what: Any) -> None:
        """Remember a call and wake who waits."""
        with self.changed:
            self.heard.setdefault(name, []).append(what)
            self.changed.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait at most ten seconds for something to become true."""
        with self.changed:
            if not self.changed.wait_for(holds, timeout=10):
                raise TimeoutError(f"heard only {self.heard}")

    def last(self, name: str) -> tuple[Any, ...]:
        """The latest call of a name."""
        return self.heard[name][-1]

    def has(self, name: str) -> Callable[[], bool]:
        """Whether a call was heard."""
        return lambda: name in self.heard


def listen(name: str) -> Callable[..., None]:
    """A method that notes its call."""
    return lambda self, *what: self.note(name, *what)


for call in (
    "nextValidId",
    "managedAccounts",
    "contractDetails",
    "contractDetailsEnd",
    "openOrder",
    "orderStatus",
    "execDetails",
    "execDetailsEnd",
    "commissionReport",
    "position",
    "positionEnd",
    "tickPrice",
    "tickSize",
    "historicalData",
    "historicalDataEnd",
    "error",
    "completedOrder",
    "completedOrdersEnd",
    "currentTime",
    "updatePortfolio",
    "accountDownloadEnd",
    "openOrderEnd",
    "marketRule",
    "accountSummaryEnd",
):
    setattr(Trader, call, listen(call))


def limit_order(action: str, lots: float, price: float) -> Order:
    """A limit order for the day."""
    order = Order()
    order.action, order.totalQuantity, order.orderType = action, lots, "LMT"
    order.lmtPrice, order.tif, order.orderRef = price, "DAY", "ibapi"
    order.eTradeOnly = order.firmQuoteOnly = False
    return order


def trade(port: int) -> dict[str, Any]:
    """Buy what is offered and cancel what is not filled."""
    app = Trader()
    app.connect("127.0.0.1", port, clientId=12)
    threading.Thread(target=app.run, daemon=True).start()
    app.until(app.has("nextValidId"))
    order_id = app.last("nextValidId")[0]
    query = Contract()
    query.symbol, query.secType, query.exchange = "ZO", "FUT", "CBOT"
    app.reqContractDetails(1, query)
    app.until(app.has("contractDetailsEnd"))
    details = app.heard["contractDetails"][0][1]
    contract = details.contract
    app.reqMktData(2, contract, "", False, False, [])
    app.until(lambda: {1, 2} <= {tick[1] for tick in app.heard.get("tickPrice", [])})
    ask = [tick[2] for tick in app.heard["tickPrice"] if tick[1] == 2][-1]
    app.reqHistoricalData(3, contract, "", "30 D", "1 day", "TRADES", 1, 1, False, [])
    app.until(app.has("historicalDataEnd"))

    app.placeOrder(order_id, contract, limit_order("BUY", 2, ask + 5))
    app.until(lambda: ("orderStatus" in app.heard) and app.last("orderStatus")[1] == "Filled")
    app.placeOrder(order_id + 1, contract, limit_order("BUY", 3, ask - 25))
    app.until(lambda: app.last("orderStatus")[:2] == (order_id + 1, "Submitted"))
    opened = app.last("openOrder")
    app.cancelOrder(order_id + 1)
    app.until(lambda: app.last("orderStatus")[:2] == (order_id + 1, "Cancelled"))
    app.reqExecutions(4, ExecutionFilter())
    app.reqPositions()
    app.reqCompletedOrders(False)
    app.reqAccountUpdates(True, "")
    for end in ("execDetailsEnd", "positionEnd", "completedOrdersEnd", "accountDownloadEnd"):
        app.until(app.has(end))
    seen = {
        "server_version": app.serverVersion(),
        "contract": [contract.localSymbol, details.minTick, details.priceMagnifier, details.timeZoneId],
        "bars": len(app.heard["historicalData"]),
        "opened": [opened[2].action, opened[2].totalQuantity, opened[2].lmtPrice - ask, opened[2].orderRef],
        "opened_state": opened[3].status,
        "executions": sorted({call[2].execId for call in app.heard["execDetails"]}),
        "commissions": sorted({call[0].execId for call in app.heard["commissionReport"]}),
        "position": [float(call[2]) for call in app.heard["position"]],
        "completed": [call[2].status for call in app.heard["completedOrder"]],
        "portfolio": [float(call[1]) for call in app.heard["updatePortfolio"]],
        "errors": sorted(call[1] for call in app.heard["error"]),
    }
    app.disconnect()
    return seen


if __name__ == "__main__":
    print(json.dumps(trade(int(sys.argv[1]))))
