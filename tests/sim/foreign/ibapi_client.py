"""Trades on a gateway with IB's own Python client and prints what it saw as one line of JSON.

Run by the tests in an environment that has one generation of ibapi and nothing of this project. Argument: the port.
"""

import json
import sys
import time
from typing import Any

from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi_trader import Trader, future, limit_order

CLIENT, OTHER = 12, 13


def look_around(app: Trader) -> tuple[Contract, dict[str, Any]]:
    """Contract, market rule, bars and margin, before anything is bought."""
    app.reqContractDetails(1, future("ZO", exchange="CBOT"))
    app.until_heard("contractDetailsEnd")
    details = app.heard["contractDetails"][0][1]
    contract = details.contract
    app.reqMarketRule(int(details.marketRuleIds))
    rule_id, increments = app.until_heard("marketRule")
    app.reqMktData(2, contract, "", False, False, [])
    app.until(lambda: {1, 2} <= {tick[1] for tick in app.heard.get("tickPrice", [])})
    app.reqHistoricalData(3, contract, "", "30 D", "1 day", "TRADES", 1, 1, False, [])
    app.until_heard("historicalDataEnd")
    app.placeOrder(app.heard["nextValidId"][-1][0], contract, limit_order("BUY", 2, 100.0, what_if=True))
    _, _, order, state = app.until_heard("openOrder")
    return contract, {
        "contract": [contract.localSymbol, details.minTick, details.priceMagnifier, details.timeZoneId],
        "rule": [rule_id == int(details.marketRuleIds), [(step.lowEdge, step.increment) for step in increments]],
        "bars": [bar.close for _, bar in app.heard["historicalData"]],
        "what_if": [order.whatIf, state.status, float(state.initMarginChange), float(state.maintMarginAfter)],
    }


def price_of(app: Trader, tick_type: int) -> float:
    """The latest bid (1) or ask (2)."""
    return [tick[2] for tick in app.heard["tickPrice"] if tick[1] == tick_type][-1]


def trade(app: Trader, contract: Contract) -> dict[str, Any]:
    """Place, modify, fill in part, fill, cancel; one order is left to rest."""
    first = app.asked("nextValidId", lambda: app.reqIds(-1), name="nextValidId")[0][0]
    size = [tick[2] for tick in app.heard["tickSize"] if tick[1] == 3][-1]
    lots = int(size) + 3
    app.placeOrder(first, contract, limit_order("BUY", lots, price_of(app, 1) - 10))
    app.until_status(first, "Submitted")
    app.placeOrder(first, contract, limit_order("BUY", lots, price_of(app, 2)))
    app.until(lambda: app.status(first)[2] > 0)
    partly = app.status(first)
    app.placeOrder(first, contract, limit_order("BUY", lots, price_of(app, 2) + 20))
    app.until_status(first, "Filled")
    app.placeOrder(first + 1, contract, limit_order("BUY", 3, price_of(app, 1) - 25))
    app.until_status(first + 1, "Submitted")
    app.withdraw(first + 1)
    app.until_status(first + 1, "Cancelled")
    app.placeOrder(first + 2, contract, limit_order("BUY", 1, price_of(app, 1) - 25))
    app.until_status(first + 2, "Submitted")
    app.reqExecutions(4, ExecutionFilter())
    app.until_heard("execDetailsEnd")
    positions = app.asked("positionEnd", app.reqPositions, name="position")
    portfolio = app.asked("accountDownloadEnd", lambda: app.reqAccountUpdates(True, ""), name="updatePortfolio")
    return {
        "lots": lots,
        "partly": [float(partly[2]) + float(partly[3]), 0 < partly[2] < lots],
        "executions": sorted({call[2].execId for call in app.heard["execDetails"]}),
        "filled": sum({call[2].execId: float(call[2].shares) for call in app.heard["execDetails"]}.values()),
        "commissions": sorted({call[0].execId for call in app.heard["commissionReport"]}),
        "position": [float(call[2]) for call in positions],
        "portfolio": [float(call[1]) for call in portfolio],
        "next_id": app.asked("nextValidId", lambda: app.reqIds(-1), name="nextValidId")[0][0] - first,
    }


def look_from_beside(port: int, resting_id: int) -> dict[str, Any]:
    """What another client sees of the orders, and may do to them."""
    beside, twin = Trader(), Trader()
    beside.start(port, client_id=OTHER)
    next_id = beside.until_heard("nextValidId")[0]
    own = beside.asked("openOrderEnd", beside.reqOpenOrders, name="openOrder")
    everyone = beside.asked("openOrderEnd", beside.reqAllOpenOrders, name="openOrder")
    beside.withdraw(resting_id)
    beside.until(lambda: (resting_id, 10147) in beside.heard["error"])
    twin.start(port, client_id=OTHER)
    twin.until_heard("connectionClosed")
    beside.disconnect()
    return {
        "next_id_beside": next_id,
        "seen_as_own": len(own),
        "seen_by_all": [[call[0], call[2].clientId, call[2].orderRef] for call in everyone],
        "codes_beside": beside.codes(),
        "codes_of_twin": twin.codes(),
    }


def connected_again(port: int) -> Trader:
    """A connection with the client id of one just closed: ibapi's reader holds the socket a second longer."""
    for _ in range(30):
        app = Trader()
        app.start(port, client_id=CLIENT)
        app.until(lambda app=app: {"nextValidId", "connectionClosed"} & app.heard.keys())
        if "nextValidId" in app.heard:
            return app
        time.sleep(0.1)
    raise TimeoutError("the client id stays in use")


def come_back(port: int, contract: Contract) -> dict[str, Any]:
    """Connect again with the same id, and cancel what still rests."""
    app = connected_again(port)
    next_id = app.heard["nextValidId"][-1][0]
    opened = app.asked("openOrderEnd", app.reqOpenOrders, name="openOrder")
    [(order_id, found, order, state)] = opened
    app.withdraw(order_id)
    app.until_status(order_id, "Cancelled")
    done = app.asked("completedOrdersEnd", lambda: app.reqCompletedOrders(False), name="completedOrder")
    fills = app.asked("execDetailsEnd", lambda: app.reqExecutions(5, ExecutionFilter()), name="execDetails")
    app.disconnect()
    return {
        "found": [order.action, float(order.totalQuantity), order.lmtPrice, order.orderRef, state.status],
        "found_contract": found.conId == contract.conId,
        "next_id_again": next_id - order_id,
        "completed": [
            [call[2].status, call[1].orderRef, float(call[1].filledQuantity), call[2].completedStatus] for call in done
        ],
        "executions_again": sorted(call[2].execId for call in fills),
    }


def go_through(port: int) -> dict[str, Any]:
    """Everything in turn."""
    app = Trader()
    app.start(port, client_id=CLIENT)
    app.until_heard("nextValidId")
    contract, seen = look_around(app)
    seen |= trade(app, contract)
    [resting_id] = [order[0] for order in app.asked("openOrderEnd", app.reqOpenOrders, name="openOrder")]
    seen |= look_from_beside(port, resting_id)
    seen |= {"server_version": app.serverVersion(), "codes": app.codes()}
    app.disconnect()
    return seen | come_back(port, contract)


if __name__ == "__main__":
    print(json.dumps(go_through(int(sys.argv[1]))))
