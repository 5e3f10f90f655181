"""Orders of clients as the exchange holds them, and the reasons for which it refuses one."""

from dataclasses import dataclass, replace
from decimal import Decimal

from hydra_nb.sim.instruments import Month
from hydra_nb.sim.records import OrderStatus, OrderTerms, OrderView, TimeInForce

MAX_LOTS = 10_000
MAX_TICKS = 100_000_000
_DONE = (OrderStatus.FILLED, OrderStatus.CANCELLED)

Refusal = tuple[int, str]
"""IB's error code and its text."""


@dataclass(slots=True, kw_only=True)
class ClientOrder:
    """One order from its acceptance on; ``perm_id`` is also its key in the book.

    ``arrival`` orders the held orders of a contract, as time does in the book: it is new with
    whatever loses priority.
    """

    terms: OrderTerms
    perm_id: int
    price_ticks: int
    tick: Decimal
    status: OrderStatus
    arrival: int
    expires_ns: int
    submitted_ns: int
    completed_ns: int | None = None
    filled_lots: int = 0
    filled_lot_ticks: int = 0
    last_fill_ticks: int | None = None
    held: bool = False  # waits outside the book although the market trades

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.status not in _DONE

    @property
    def leaves(self) -> int:
        """Lots that it may still trade."""
        return self.terms.lots - self.filled_lots if self.live else 0

    def change(self, terms: OrderTerms, *, price_ticks: int, expires_ns: int, arrival: int) -> None:
        """Take on new terms; ``arrival`` counts only where priority is lost."""
        if price_ticks != self.price_ticks or terms.lots > self.terms.lots:
            self.arrival = arrival
        self.terms, self.price_ticks, self.expires_ns = terms, price_ticks, expires_ns

    def fill(self, *, price_ticks: int, lots: int, now_ns: int) -> None:
        """Count a fill; the last one ends the order."""
        self.filled_lots += lots
        self.filled_lot_ticks += price_ticks * lots
        self.last_fill_ticks = price_ticks
        # A venue may fill more than was asked for, and an order that had been cancelled.
        if self.filled_lots >= self.terms.lots and self.status is not OrderStatus.FILLED:
            self.finish(OrderStatus.FILLED, now_ns=now_ns)

    def finish(self, status: OrderStatus, *, now_ns: int) -> None:
        """End the order."""
        self.status = status
        self.completed_ns = now_ns

    def average_price(self) -> Decimal | None:
        """Give the mean price of its fills in the quoted unit, None before the first."""
        return self.filled_lot_ticks * self.tick / self.filled_lots if self.filled_lots else None

    def view(self) -> OrderView:
        """Give the order as it is now, as a value."""
        last = self.last_fill_ticks
        return OrderView(
            terms=self.terms,
            perm_id=self.perm_id,
            status=self.status,
            filled_lots=self.filled_lots,
            average_price=self.average_price(),
            last_fill_price=None if last is None else last * self.tick,
            submitted_ns=self.submitted_ns,
            completed_ns=self.completed_ns,
        )


def is_on_tick(price: Decimal, *, tick: Decimal) -> bool:
    """Tell whether a price is a whole count of ticks."""
    return price % tick == 0


def price_ticks(price: Decimal, *, tick: Decimal) -> int:
    """Give a price as a count of ticks.

    Raises
    ------
    ValueError
        When the price lies between two ticks.
    """
    if not is_on_tick(price, tick=tick):
        raise ValueError(f"price {price} is off the {tick} tick")
    return int(price / tick)


def expiry_ns(terms: OrderTerms, *, month: Month, now_ns: int) -> int:
    """Give the instant at which an order leaves by itself.

    A DAY order lasts to the end of its trade date, that is through a pause between two sessions; one
    that comes while the market is closed lasts through the next trade date. No order outlives its contract.
    """
    calendar = month.calendar
    contract_end_ns = calendar.day_end_ns(month.listing.last_trade_date)
    if terms.tif is TimeInForce.GTD and terms.good_till_ns is not None:
        return min(terms.good_till_ns, contract_end_ns)
    session = calendar.session_after(now_ns)
    if terms.tif is TimeInForce.DAY and session is not None:
        return calendar.day_end_ns(session.trade_date)
    return contract_end_ns


def refuse_terms(terms: OrderTerms, *, account: str, month: Month | None, now_ns: int) -> Refusal | None:
    """Say why terms cannot be accepted as such, None when they can."""
    if month is None:
        return 200, "No security definition has been found for the request"
    if terms.account != account:
        return 321, f"Error validating request.-'bW' : cause - Invalid account code '{terms.account}'."
    if month.calendar.session_after(now_ns) is None:
        return _rejected(f"contract {month.listing.local_symbol} has expired")
    if not 1 <= terms.lots <= MAX_LOTS:
        return _rejected(f"order size {terms.lots} lots is not within 1 and {MAX_LOTS}")
    tick = month.listing.min_tick
    if not terms.limit_price.is_finite() or abs(terms.limit_price) > MAX_TICKS * tick:
        return _rejected(f"limit price {terms.limit_price} is not a price")
    if not is_on_tick(terms.limit_price, tick=tick):
        return 110, "The price does not conform to the minimum price variation for this contract."
    if terms.tif is TimeInForce.GTD:
        if terms.good_till_ns is None:
            return _rejected("good-till date is missing")
        if terms.good_till_ns <= now_ns:
            return _rejected("good-till date has passed")
    return None


def refuse_change(order: ClientOrder, terms: OrderTerms) -> Refusal | None:
    """Say why an order cannot take on new terms that are acceptable as such, None when it can."""
    same = replace(
        order.terms,
        lots=terms.lots,
        limit_price=terms.limit_price,
        tif=terms.tif,
        good_till_ns=terms.good_till_ns,
        order_ref=terms.order_ref,
    )
    if not order.live:
        return (104, "Cannot modify a filled order.") if same == terms else (103, "Duplicate order id")
    if same != terms:
        return 105, "Order being modified does not match original order"
    if terms.lots < order.filled_lots:
        return _rejected(f"order size {terms.lots} lots is below the {order.filled_lots} lots filled")
    return None


def refuse_cancel(order: ClientOrder | None, *, order_id: int) -> Refusal | None:
    """Say why an order cannot be cancelled, None when it can."""
    if order is None:
        return 10147, f"OrderId {order_id} that needs to be cancelled is not found."
    if not order.live:
        return 10148, f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
    return None


def _rejected(reason: str) -> Refusal:
    return 201, f"Order rejected - reason: {reason}"
