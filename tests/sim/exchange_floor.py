"""A floor to stand on in the tests of the exchange: one market running, and shorthands for orders and events."""

from dataclasses import replace
from decimal import Decimal

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import (
    ExchangeEvent,
    Executed,
    Listing,
    OrderChanged,
    OrderRejected,
    OrderStatus,
    OrderTerms,
    SimSide,
    TimeInForce,
    Top,
)

S = 1_000_000_000
HOUR = 3600 * S
TO_THE_CLOSE = 4 * HOUR + HOUR // 3  # oats close at 13:20, the market starts at 09:00
OATS_OVERNIGHT = 10 * HOUR  # and open again at 19:00


class Floor:
    """An exchange, its first oats contract running, and a shorthand for orders in it."""

    def __init__(self, seed: int = 6, *, watched: bool = True) -> None:
        self.exchange = Exchange(seed=seed)
        self.oats: Listing = next(item for item in self.exchange.listings if item.symbol == "ZO")
        self.start_ns = self.exchange.start_ns
        if watched:
            self.exchange.watch(self.oats.con_id, self.start_ns)

    def top(self) -> Top:
        """Give the touch."""
        top = self.exchange.top(self.oats.con_id)
        assert top is not None
        return top

    def touch(self, side: SimSide) -> Decimal:
        """Give the best price of a side, which must be there."""
        price = self.top().bid if side is SimSide.BUY else self.top().ask
        assert price is not None
        return price

    def terms(self, order_id: int = 1, **changes: object) -> OrderTerms:
        """Make terms: buy two lots, good till cancelled, far below the market."""
        terms = OrderTerms(
            client_id=1,
            order_id=order_id,
            account=self.exchange.account,
            con_id=self.oats.con_id,
            side=SimSide.BUY,
            lots=2,
            limit_price=Decimal("100.00"),
            tif=TimeInForce.GTC,
            good_till_ns=None,
            order_ref="ref",
        )
        return replace(terms, **changes)  # type: ignore[arg-type]

    def submit(self, order_id: int = 1, *, after_ns: int = 0, **changes: object) -> list[ExchangeEvent]:
        """Submit such terms some time after the start."""
        return self.exchange.submit(self.terms(order_id, **changes), self.start_ns + after_ns)


def statuses(events: list[ExchangeEvent]) -> list[tuple[OrderStatus, int]]:
    """Give (status, filled lots) of each change of an order."""
    return [(e.order.status, e.order.filled_lots) for e in events if isinstance(e, OrderChanged)]


def codes(events: list[ExchangeEvent]) -> list[int]:
    """Give the codes of refusals."""
    return [event.code for event in events if isinstance(event, OrderRejected)]


def fills(events: list[ExchangeEvent]) -> list[tuple[Decimal, int]]:
    """Give (price, lots) of each fill of ours."""
    return [(event.execution.price, event.execution.lots) for event in events if isinstance(event, Executed)]
