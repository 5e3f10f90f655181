"""From a client's order message to the terms the exchange takes, or to the reason why not.

This market takes limit orders only, of whole lots, held for the day, until cancelled, or until a date.
"""

from decimal import Decimal

from hydra_nb.sim.codes import Code, Refusal
from hydra_nb.sim.messages import number
from hydra_nb.sim.records import Listing, OrderTerms, SimSide, TimeInForce
from hydra_nb.sim.requests import PlaceOrder
from hydra_nb.sim.wire_time import parse_time


def order_terms(request: PlaceOrder, *, client_id: int, account: str, listing: Listing) -> OrderTerms | Refusal:
    """Terms of an order, or the first thing about it that is refused.

    Whether the price is on the tick, the expiry ahead and the margin enough is for the exchange to say.
    """
    refusal = _refusal(request, account=account)
    if refusal is not None:
        return refusal
    price, lots = number(request.limit_price), _lots(request.quantity)
    if isinstance(lots, Refusal):
        return lots
    if price is None:
        return _invalid(f"limit price {request.limit_price!r} is not a finite number")
    tif = TimeInForce(request.tif or TimeInForce.DAY)
    good_till_ns = None
    if tif is TimeInForce.GTD:
        good_till_ns = parse_time(request.good_till)
        if good_till_ns is None:
            message = (
                "The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx, "
                f"or yyyymmdd-hh:mm:ss in UTC, not {request.good_till!r}"
            )
            return Refusal(code=Code.BAD_GOOD_TILL_DATE, message=message)
    return OrderTerms(
        client_id=client_id,
        order_id=request.order_id,
        account=account,
        con_id=listing.con_id,
        side=SimSide(request.action),
        lots=lots,
        limit_price=price,
        tif=tif,
        good_till_ns=good_till_ns,
        order_ref=request.order_ref,
    )


def _refusal(request: PlaceOrder, *, account: str) -> Refusal | None:
    if request.order_type != "LMT":
        message = f"Unsupported order type for this exchange and security type: {request.order_type!r}; only LMT"
        return Refusal(code=Code.ORDER_TYPE_NOT_SERVED, message=message)
    if request.action not in tuple(SimSide):
        return _invalid(f"action {request.action!r} is neither BUY nor SELL")
    if request.tif not in ("", *TimeInForce):
        message = f"Order rejected - reason: time in force {request.tif} is not taken; DAY, GTC and GTD are"
        return Refusal(code=Code.ORDER_REJECTED, message=message)
    if request.account not in {"", account}:
        return _invalid(f"account {request.account!r} is not managed here")
    if not request.transmit:
        message = "Order rejected - reason: orders are not held back here; set transmit"
        return Refusal(code=Code.ORDER_REJECTED, message=message)
    return None


def _lots(text: str) -> int | Refusal:
    quantity = number(text)
    if quantity is None:
        return _invalid(f"quantity {text!r} is not a finite number")
    if quantity <= 0:
        return Refusal(code=Code.SIZE_NOT_POSITIVE, message=f"The order size cannot be zero or negative: {text}")
    if quantity != quantity.to_integral_value():
        message = f"This order doesn't support fractional quantity trading: {quantity} lots"
        return Refusal(code=Code.FRACTIONAL_SIZE, message=message)
    return int(Decimal(quantity))


def _invalid(cause: str) -> Refusal:
    return Refusal(code=Code.CANNOT_VALIDATE, message=f"Error validating request: {cause}")
