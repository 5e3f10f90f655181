"""In which state an order is when a fault finds it: the exchange's, but for requests not yet answered."""

from collections.abc import Collection

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults.kinds import (
    CANCELLED,
    FILLED,
    NONE,
    PARTIAL,
    PENDING,
    PENDING_CANCEL,
    PENDING_MODIFY,
    STATES,
    SUBMITTED,
)
from hydra_nb.sim.records import OrderStatus, OrderView

Key = tuple[int, int]
"""Client id and order id."""

_RECENT_NS = 60 * 1_000_000_000
_DONE = {OrderStatus.FILLED: FILLED, OrderStatus.CANCELLED: CANCELLED}


class OrderStates:
    """Requests that were read and not answered, beside what the exchange knows."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._asked: dict[Key, str] = {}

    def ask(self, key: Key, *, cancel: bool) -> None:
        """Note that a request was read."""
        if cancel:
            self._asked[key] = PENDING_CANCEL
        else:
            order = self._exchange.order(*key)
            is_live = order is not None and order.status not in _DONE
            self._asked[key] = PENDING_MODIFY if is_live and self._asked.get(key) != PENDING else PENDING

    def forget(self, key: Key) -> None:
        """Note that the client was answered, or that the request was never read."""
        self._asked.pop(key, None)

    def told(self, key: Key) -> None:
        """Note that a message about an order leaves that may answer; a cancel is answered only by the order's end."""
        asked = self._asked.get(key)
        if asked is not None:
            order = self._exchange.order(*key)
            if asked != PENDING_CANCEL or order is None or order.status in _DONE:
                del self._asked[key]

    def of(self, key: Key) -> str:
        """Give the state of one order."""
        order = self._exchange.order(*key)
        asked = self._asked.get(key)
        if order is None:
            return asked or NONE
        return _DONE.get(order.status) or asked or (PARTIAL if order.filled_lots else SUBMITTED)

    def is_known(self, key: Key) -> bool:
        """Tell whether the id is that of an order, or of one that was asked for."""
        return key in self._asked or self._exchange.order(*key) is not None

    def orders(self, client_ids: Collection[int], *, now_ns: int) -> list[OrderView]:
        """Give the orders of clients that are live or ended within the last minute, oldest first."""
        recent = self._exchange.orders_since(now_ns - _RECENT_NS)
        return [order for order in recent if order.terms.client_id in client_ids]

    def of_clients(self, client_ids: Collection[int], *, now_ns: int) -> tuple[str, ...]:
        """Give the states, each once, of all these orders and of those asked for; ``none`` where there are none."""
        keys = {(order.terms.client_id, order.terms.order_id) for order in self.orders(client_ids, now_ns=now_ns)}
        keys |= {key for key in self._asked if key[0] in client_ids}
        found = {self.of(key) for key in keys}
        return tuple(state for state in STATES if state in found) or (NONE,)
