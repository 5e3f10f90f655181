"""Writes random requests with IB's own Python client and prints them with what was put in, a line of JSON for each.

Run by the tests in an environment that has one generation of ibapi and nothing of this project. Arguments: how many
of each kind at each version, the lowest and the highest server version, the seed.
"""

import json
import logging
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ibapi.client import EClient
from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.order_condition import TimeCondition
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # the older generation cancels by order id alone
    OrderCancel = None

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_:/"


class Outbox:
    """Stands where the client has its socket."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:  # noqa: N802  The name is ibapi's.
        """Always."""
        return True

    def sendMsg(self, message: bytes) -> int:  # noqa: N802  The name is ibapi's.
        """Keep it."""
        self.sent.append(message)
        return len(message)


class Writer:
    """Draws requests at one server version.

    Every method gives the name of the gateway's own record and what its fields must be.
    """

    def __init__(self, rng: random.Random, *, version: int) -> None:
        self.rng = rng
        self.outbox = Outbox()
        self.client = EClient(EWrapper())
        self.client.conn, self.client.serverVersion_ = self.outbox, version
        self.client.connState = EClient.CONNECTED

    def word(self, most: int = 20) -> str:
        """A text, perhaps empty."""
        return "".join(self.rng.choices(LETTERS, k=self.rng.randint(0, most)))

    def number(self) -> int:
        """An id."""
        return self.rng.randint(0, self.rng.choice((1, 100, 2**31 - 1)))

    def likely(self) -> bool:
        """Yes or no."""
        return self.rng.random() < 0.5

    def contract(self) -> tuple[Contract, dict[str, Any]]:
        """A contract and the fields that the gateway reads of it."""
        contract = Contract()
        contract.conId, contract.symbol, contract.secType = self.number(), self.word(), "FUT"
        contract.lastTradeDateOrContractMonth, contract.exchange = self.word(8), self.word()
        contract.currency, contract.localSymbol, contract.tradingClass = self.word(3), self.word(), self.word()
        contract.multiplier, contract.right, contract.strike = self.word(5), self.word(1), self.rng.random()
        contract.primaryExchange = self.word()
        if self.likely():
            contract.deltaNeutralContract = DeltaNeutralContract()
        return contract, {
            "contract.con_id": contract.conId,
            "contract.symbol": contract.symbol,
            "contract.security_type": contract.secType,
            "contract.month": contract.lastTradeDateOrContractMonth,
            "contract.exchange": contract.exchange,
            "contract.currency": contract.currency,
            "contract.local_symbol": contract.localSymbol,
            "contract.trading_class": contract.tradingClass,
            "contract.multiplier": contract.multiplier,
        }

    def order(self) -> tuple[Order, dict[str, Any]]:
        """An order with whatever optional parts lie before its last fields."""
        order = Order()
        order.action, order.orderType = self.rng.choice(("BUY", "SELL")), self.rng.choice(("LMT", "MKT", "STP LMT"))
        order.totalQuantity = Decimal(self.rng.randint(0, 10**6))
        order.lmtPrice = self.rng.choice((0.0, 361.25, -37.63, round(self.rng.uniform(-1e4, 1e4), 6)))
        order.tif, order.orderRef, order.account = self.rng.choice(("DAY", "GTD", "")), self.word(), self.word(12)
        order.goodTillDate, order.whatIf, order.transmit = self.word(17), self.likely(), self.likely()
        order.eTradeOnly = order.firmQuoteOnly = False
        order.outsideRth, order.hidden, order.parentId = self.likely(), self.likely(), self.number()
        if self.likely():
            order.hedgeType, order.hedgeParam = "D", self.word(5)
        if self.likely():
            order.deltaNeutralOrderType, order.deltaNeutralConId = "LMT", self.number()
        if self.likely():
            order.scalePriceIncrement, order.scaleInitLevelSize = 0.25, 3
        if self.likely():
            order.algoStrategy = "Adaptive"
            order.algoParams = [TagValue(self.word(), self.word()) for _ in range(self.rng.randint(0, 3))]
        if self.likely():
            order.conditions = [TimeCondition(True, "20260310 14:00:01 UTC")]
        return order, {
            "action": order.action,
            "order_type": order.orderType,
            "quantity": float(order.totalQuantity),
            "limit_price": order.lmtPrice,
            "tif": order.tif,
            "order_ref": order.orderRef,
            "account": order.account,
            "good_till": order.goodTillDate,
            "what_if": order.whatIf,
            "transmit": order.transmit,
        }

    def every_kind(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """One request of each kind, sent before it is given."""
        yield from self._orders()
        yield from self._data()
        yield from self._account()
        for kind, method in (
            ("OpenOrdersQuery", self.client.reqOpenOrders),
            ("CurrentTime", self.client.reqCurrentTime),
            ("ManagedAccounts", self.client.reqManagedAccts),
        ):
            method()
            yield kind, {}
        self.client.reqAllOpenOrders()
        yield "OpenOrdersQuery", {"all_clients": True}
        self.client.reqCompletedOrders(self.likely())
        yield "CompletedOrdersQuery", {}
        self.client.reqIds(-1)
        yield "NextIds", {}

    def _orders(self) -> Iterator[tuple[str, dict[str, Any]]]:
        order_id, cancel = self.number(), [] if OrderCancel is None else [OrderCancel()]
        contract, named = self.contract()
        order, wanted = self.order()
        self.client.placeOrder(order_id, contract, order)
        yield "PlaceOrder", {"order_id": order_id, **named, **wanted}
        contract.secType, contract.comboLegs = "BAG", [ComboLeg()]
        self.client.placeOrder(order_id, contract, order)
        yield "PlaceOrder", {"order_id": order_id, "contract.security_type": "BAG", "action": order.action}
        self.client.cancelOrder(order_id, *(cancel or []))
        yield "CancelOrder", {"order_id": order_id}
        self.client.reqGlobalCancel(*cancel)
        yield "GlobalCancel", {}
        self.client.reqAutoOpenOrders(True)
        yield "AutoOpenOrders", {"bind": True}

    def _data(self) -> Iterator[tuple[str, dict[str, Any]]]:
        req_id, snapshot, (contract, named) = self.number(), self.likely(), self.contract()
        self.client.reqMktData(req_id, contract, self.word(), snapshot, False, [])
        yield "MarketData", {"req_id": req_id, "snapshot": snapshot, **named}
        self.client.cancelMktData(req_id)
        yield "Stop", {"stream": "ticks", "req_id": req_id}
        self.client.reqMarketDataType(3)
        yield "MarketDataType", {"data_type": 3}
        end, keep = self.word(), self.likely()
        self.client.reqHistoricalData(req_id, contract, end, "30 D", "1 day", "TRADES", 1, 1, keep, [])
        wanted = {"end": end, "duration": "30 D", "bar_size": "1 day", "what": "TRADES", "keep_up_to_date": keep}
        yield "HistoricalData", {"req_id": req_id, **named, **wanted}
        self.client.cancelHistoricalData(req_id)
        yield "Stop", {"stream": "bars", "req_id": req_id}
        self.client.reqContractDetails(req_id, contract)
        yield "ContractDetailsQuery", {"req_id": req_id, **named}
        self.client.reqMarketRule(req_id)
        yield "MarketRuleQuery", {"rule_id": req_id}

    def _account(self) -> Iterator[tuple[str, dict[str, Any]]]:
        req_id, con_id, account = self.number(), self.number(), self.word(12)
        fills = ExecutionFilter()
        fills.clientId, fills.acctCode, fills.time = self.number(), account, self.word()
        fills.symbol, fills.secType, fills.exchange, fills.side = self.word(), "FUT", self.word(), "BUY"
        self.client.reqExecutions(req_id, fills)
        wanted = {"client_id": fills.clientId, "account": account, "since": fills.time, "symbol": fills.symbol}
        yield (
            "ExecutionsQuery",
            {"req_id": req_id, **wanted, "security_type": "FUT", "exchange": fills.exchange, "side": "BUY"},
        )
        self.client.reqPositions()
        yield "Positions", {"subscribe": True}
        self.client.cancelPositions()
        yield "Positions", {"subscribe": False}
        self.client.reqAccountUpdates(self.likely(), account)
        yield "AccountUpdates", {"account": account}
        self.client.reqAccountUpdatesMulti(req_id, account, "model", False)
        yield "AccountUpdatesMulti", {"req_id": req_id, "account": account, "model": "model"}
        self.client.reqAccountSummary(req_id, "All", "NetLiquidation,BuyingPower")
        yield "AccountSummary", {"req_id": req_id, "tags": ["NetLiquidation", "BuyingPower"]}
        self.client.cancelAccountSummary(req_id)
        yield "Stop", {"stream": "summary", "req_id": req_id}
        self.client.reqPnL(req_id, account, "")
        yield "ProfitAndLoss", {"req_id": req_id, "account": account, "con_id": None}
        self.client.reqPnLSingle(req_id, account, "", con_id)
        yield "ProfitAndLoss", {"req_id": req_id, "account": account, "con_id": con_id}
        self.client.cancelPnL(req_id)
        yield "Stop", {"stream": "pnl", "req_id": req_id}


def main(count: int, lowest: int, highest: int, seed: int) -> None:
    """Write and print."""
    logging.disable(logging.CRITICAL)
    rng = random.Random(seed)  # noqa: S311  The seed decides the test, no secret hangs on it.
    for version in range(lowest, highest + 1):
        writer = Writer(rng, version=version)
        for _ in range(count):
            for kind, wanted in writer.every_kind():
                [message] = writer.outbox.sent
                writer.outbox.sent = []
                print(json.dumps([version, message[4:].hex(), kind, wanted]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
