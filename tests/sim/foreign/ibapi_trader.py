"""IB's own Python client, of either generation, with its calls written down under their names.

Its two generations differ in what an error carries, in the name of the commission report and in what a cancel takes.
"""

import threading
from collections.abc import Callable
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # the older generation cancels by order id alone
    OrderCancel = None

_NOTED = (
    "accountDownloadEnd",
    "commissionReport",
    "completedOrder",
    "completedOrdersEnd",
    "connectionClosed",
    "contractDetails",
    "contractDetailsEnd",
    "currentTime",
    "execDetails",
    "execDetailsEnd",
    "historicalData",
    "historicalDataEnd",
    "managedAccounts",
    "marketRule",
    "nextValidId",
    "openOrder",
    "openOrderEnd",
    "orderStatus",
    "position",
    "positionEnd",
    "tickPrice",
    "tickSize",
    "updatePortfolio",
)


class Trader(EWrapper, EClient):
    """One connection; every method that waits gives up after ten seconds."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.heard: dict[str, list[tuple[Any, ...]]] = {}
        self.changed = threading.Condition()

    def start(self, port: int, *, client_id: int) -> None:
        """Connect, and read on a thread of its own."""
        self.connect("127.0.0.1", port, clientId=client_id)
        threading.Thread(target=self.run, daemon=True).start()

    def note(self, name: str, *what: Any) -> None:
        """Remember a call and wake who waits."""
        with self.changed:
            self.heard.setdefault(name, []).append(what)
            self.changed.notify_all()

    def error(self, req_id: int, *what: Any) -> None:
        """Note request id and code; the newer generation puts the time before the code."""
        self.note("error", req_id, what[0] if isinstance(what[1], str) else what[1])

    def commissionAndFeesReport(self, report: Any) -> None:  # noqa: N802  The name is ibapi's.
        """Note it under the name that the older generation has for it."""
        self.note("commissionReport", report)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        with self.changed:
            if not self.changed.wait_for(holds, timeout=10):
                raise TimeoutError(f"heard only {self.heard}")

    def until_heard(self, name: str) -> tuple[Any, ...]:
        """Wait for a call and give its latest arguments."""
        self.until(lambda: name in self.heard)
        return self.heard[name][-1]

    def until_status(self, order_id: int, *states: str) -> tuple[Any, ...]:
        """Wait until the latest status of an order is one of some, and give it."""
        self.until(lambda: self.status(order_id)[1] in states)
        return self.status(order_id)

    def status(self, order_id: int) -> tuple[Any, ...]:
        """The latest status of an order, made up where there is none."""
        told = [call for call in self.heard.get("orderStatus", []) if call[0] == order_id]
        return told[-1] if told else (order_id, "", 0, 0)

    def asked(self, end: str, ask: Callable[[], None], *, name: str) -> list[tuple[Any, ...]]:
        """What is told under a name between a question and the end of its answer."""
        self.heard.pop(end, None)
        self.heard.pop(name, None)
        ask()
        self.until_heard(end)
        return self.heard.get(name, [])

    def withdraw(self, order_id: int) -> None:
        """Cancel an order in the way of this generation."""
        self.cancelOrder(order_id, *([] if OrderCancel is None else [OrderCancel()]))

    def codes(self) -> list[int]:
        """Codes of all errors and notices, in order of size."""
        return sorted({code for _, code in self.heard.get("error", [])})


def _listen(name: str) -> Callable[..., None]:
    return lambda self, *what: self.note(name, *what)


for _name in _NOTED:
    setattr(Trader, _name, _listen(_name))


def future(symbol: str, *, exchange: str) -> Contract:
    """What all months of a future are asked for by."""
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange = symbol, "FUT", exchange
    return contract


def limit_order(action: str, lots: float, price: float, *, what_if: bool = False) -> Order:
    """A limit order for the day."""
    order = Order()
    order.action, order.totalQuantity, order.orderType = action, lots, "LMT"
    order.lmtPrice, order.tif, order.orderRef, order.whatIf = price, "DAY", "ibapi", what_if
    order.eTradeOnly = order.firmQuoteOnly = False  # the older generation sets what is no longer taken
    return order
