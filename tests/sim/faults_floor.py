"""A gateway that fails by script, with one client on its wire and shorthands for orders and time."""

from typing import Any

import ib_async

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import Fault, FaultRates, FaultScript
from hydra_nb.sim.framing import decode
from hydra_nb.sim.records import Listing, OrderView
from hydra_nb.sim.session import GatewayCore

from .test_session import WireClient

S = 1_000_000_000


class PatientClient(WireClient):
    """Takes all pieces that leave at one time, and remembers them."""

    pieces: list[bytes]

    def take(self, *message_ids: str) -> list[list[str]]:
        """What the gateway has said since, or the messages of some ids among it."""
        self.pieces = []
        while piece := self.session.take_output():
            self.pieces.append(piece)
            self._frames.feed(piece)
        messages = []
        while (payload := self._frames.next_frame()) is not None:
            messages.append(decode(payload))
        return [fields for fields in messages if not message_ids or fields[0] in message_ids]


class FaultyFloor:
    """The market's nearest oats under faults, and client 1."""

    def __init__(
        self, *faults: Fault, rates: FaultRates | None = None, seed: int = 3, heal_s: float | None = None
    ) -> None:
        script = FaultScript(faults=faults, rates=rates, seed=seed, heal_s=heal_s)
        self.exchange = Exchange(seed=7)
        self.core = GatewayCore(self.exchange, faults=script)
        self.client = PatientClient(self.core, client_id=1)
        months = [listing for listing in self.exchange.listings if listing.symbol == "ZO"]
        self.oats: Listing = min(months, key=lambda listing: listing.last_trade_date)
        self.contract = ib_async.Future(conId=self.oats.con_id, exchange=self.oats.exchange)
        self.exchange.watch(self.oats.con_id, self.exchange.start_ns)

    def wait(self, seconds: float) -> None:
        """Let market time pass; what was due is queued for the client."""
        end_ns = self.client.now_ns + round(seconds * S)
        while (due_ns := self.core.next_event_ns()) is not None and due_ns <= end_ns:
            self.client.now_ns = max(due_ns, self.client.now_ns)
            self.core.advance(self.client.now_ns)
        self.client.now_ns = end_ns
        self.core.advance(end_ns)

    def reconnect(self, client_id: int = 1) -> PatientClient:
        """A new connection in the place of the client's."""
        now_ns = self.client.now_ns
        self.core.disconnect(self.client.session)
        self.client = PatientClient(self.core, client_id=client_id)
        self.client.now_ns = now_ns
        return self.client

    def place(
        self, order_id: int = 1, *, lots: int = 2, crosses: bool = False, ticks: int = 0, side: str = "BUY"
    ) -> None:
        """Send an order: far below the market, or at the ask; ticks move its price."""
        top = self.exchange.top(self.oats.con_id)
        assert top is not None
        assert top.bid is not None
        assert top.ask is not None
        price = (top.ask if crosses else top.bid - 40 * self.oats.min_tick) + ticks * self.oats.min_tick
        order = ib_async.LimitOrder(side, lots, float(price), tif="DAY", orderRef=f"ref-{order_id}")
        order.orderId = order_id
        self.client.placeOrder(order_id, self.contract, order)

    def cancel(self, order_id: int = 1) -> None:
        """Send a cancel."""
        self.client.cancelOrder(order_id, "")

    def order(self, order_id: int = 1) -> OrderView:
        """The exchange's order."""
        order = self.exchange.order(1, order_id)
        assert order is not None
        return order

    def struck(self) -> list[tuple[str, tuple[str, ...]]]:
        """Kind and order states of what was done."""
        return [(entry.kind, entry.states) for entry in self.core.fault_log]

    def said(self) -> list[str]:
        """Message ids said since, without ticks; errors by their code."""
        quiet = {"1", "2"}
        return [fields[3] if fields[0] == "4" else fields[0] for fields in self.client.take() if fields[0] not in quiet]


def fault(kind: str, **values: Any) -> Fault:
    """A fault from keywords; those that are not its own are parameters."""
    own = {name: values.pop(name) for name in ("at_s", "state", "client_id", "order_ref", "times") if name in values}
    return Fault(kind=kind, **own, parameters=values)
