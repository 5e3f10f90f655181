"""Implementation shortfall: what an order cost against the paper portfolio that traded it all at the decision price.

Perold, "The implementation shortfall: paper versus reality", Journal of Portfolio Management 14 (1988), with the cost
of the wait before arrival parted from that of the trading.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

Number = Decimal | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """The four parts, in cash; positive is a cost.

    Attributes
    ----------
    delay
        Filled lots from the decision to arrival.
    trading
        Filled lots from arrival to their prices.
    opportunity
        Unfilled lots from the decision to the end.
    fees
        Commission and fees.
    notional
        All lots at the decision price, without its sign.
    """

    delay: Decimal
    trading: Decimal
    opportunity: Decimal
    fees: Decimal
    notional: Decimal

    @property
    def total(self) -> Decimal:
        """Paper less real."""
        return self.delay + self.trading + self.opportunity + self.fees

    @property
    def bps(self) -> Decimal | None:
        """The total over the notional, basis points; None where that is nothing."""
        return self.total / self.notional * 10_000 if self.notional else None


def implementation_shortfall(
    *,
    side: Side | str,
    lots: int,
    decision_price: Number,
    arrival_price: Number,
    fills: Iterable[tuple[int, Number]],
    end_price: Number,
    fees: Number = 0,
    point_value: Number = 1,
) -> Shortfall:
    """Part the implementation shortfall of one order, exactly.

    Parameters
    ----------
    side
        ``BUY`` or ``SELL``.
    lots
        Lots of the order.
    decision_price, arrival_price, end_price
        Price when it was decided on, when it reached the market, and when it was over; in the quoted unit.
    fills
        Lots and price of each.
    fees
        Commission and fees, cash.
    point_value
        Cash that one lot gains when the price rises by 1: multiplier / price magnifier.

    Raises
    ------
    InvalidOrder
        A price or an amount is not finite, lots are not positive, or more was filled than ordered.
    """
    sign = Side(side).sign
    numbers = [decision_price, arrival_price, end_price, fees, point_value]
    decision, arrival, end, paid, value = (_exact(number) for number in numbers)
    booked = [(count, _exact(price)) for count, price in fills]
    filled = sum(count for count, _ in booked)
    if lots <= 0 or any(count <= 0 for count, _ in booked) or filled > lots:
        raise InvalidOrder(f"{filled} lots filled of {lots}: lots are positive, and no more is filled than ordered")
    return Shortfall(
        delay=sign * (arrival - decision) * filled * value,
        trading=sign * sum(((price - arrival) * count for count, price in booked), start=Decimal(0)) * value,
        opportunity=sign * (end - decision) * (lots - filled) * value,
        fees=paid,
        notional=abs(decision) * lots * value,
    )


def _exact(number: Number) -> Decimal:
    """A number as it is written: 10.05 is ten and five hundredths, whatever its binary neighbour."""
    exact = Decimal(str(number))
    if not exact.is_finite():
        raise InvalidOrder(f"{number!r} is no number to reckon with")
    return exact
