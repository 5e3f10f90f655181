"""What the exchange tells, as the events that the wire would bring to the manager."""

from hydra_nb.domain import events as ev
from hydra_nb.domain.market import Quote
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.sim.records import Commission, Execution, OrderStatus, OrderView

CANCELLED = 202
"""IB's code that tells of every cancel."""


def of_order(order: OrderView, *, local_symbol: str, now_ns: int) -> tuple[ev.Event, ev.OrderStatusReported]:
    """How an order stands: a notice where it was cancelled, else its terms; then its status."""
    terms = order.terms
    first: ev.Event
    if order.status is OrderStatus.CANCELLED:
        first = ev.BrokerErrorReported(
            time_ns=now_ns, order_ref=terms.order_ref, code=CANCELLED, message="Order Canceled - reason:"
        )
    else:
        first = ev.OpenOrderReported(
            time_ns=now_ns,
            order_ref=terms.order_ref,
            order_id=terms.order_id,
            perm_id=order.perm_id,
            status=order.status.value,
            lots=terms.lots,
            limit_price=terms.limit_price,
            expires_ns=terms.good_till_ns,
            con_id=terms.con_id,
            local_symbol=local_symbol,
        )
    status = ev.OrderStatusReported(
        time_ns=now_ns,
        order_ref=terms.order_ref,
        order_id=terms.order_id,
        perm_id=order.perm_id,
        status=order.status.value,
        filled_lots=order.filled_lots,
        remaining_lots=order.remaining_lots,
    )
    return first, status


def of_execution(fill: Execution, *, quote: Quote | None, now_ns: int) -> ev.ExecutionReported:
    """One fill, at a whole second, with the quote that stood; a revision is one of its family."""
    family, _, revision = fill.exec_id.rpartition(".")
    return ev.ExecutionReported(
        time_ns=now_ns,
        order_ref=fill.order_ref,
        order_id=fill.order_id,
        perm_id=fill.perm_id,
        exec_id=fill.exec_id,
        family=family,
        revision=int(revision),
        con_id=fill.con_id,
        side=Side(fill.side.value),
        lots=fill.lots,
        price=fill.price,
        executed_ns=fill.time_ns // NS_PER_S * NS_PER_S,
        quote=quote,
    )


def of_commission(fees: Commission, *, now_ns: int) -> ev.CommissionReported:
    """What a fill cost."""
    return ev.CommissionReported(
        time_ns=now_ns,
        exec_id=fees.exec_id,
        commission=fees.commission,
        currency=fees.currency,
        realised_pnl=fees.realised_pnl,
    )
