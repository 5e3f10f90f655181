"""Checks of traffic: messages, orders and parents at work, and own orders that would meet."""

from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import Side
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

_DESK, _JOURNAL = "desk", "journal"


def message_budget(case: Case) -> Decision:
    """There is room for one more message in this second."""
    messages, limit = case.snapshot.messages_last_second + 1, case.limits.max_messages_per_second
    allowed = messages <= limit
    message = (
        "Within the message rate" if allowed else f"Message {messages} of this second, {limit} allowed: wait a second"
    )
    return Decision("message_budget", allowed, messages, limit, "messages/s", message, _DESK, None, True)


def parent_messages(case: Case) -> Decision:
    """The plan of a parent order, or what it has sent and one more, are no more messages than one parent may send."""
    messages, limit = case.snapshot.parent_messages + case.messages, case.limits.max_messages_per_parent
    allowed = 0 <= messages <= limit
    remedy = ": plan fewer slices" if case.action is Action.PARENT else ": the rest needs an order of its own"
    message = f"{messages} messages at most, {limit} allowed" + ("" if allowed else remedy)
    return Decision("parent_messages", allowed, messages, limit, "messages", message, _DESK)


def one_modify(case: Case) -> Decision:
    """The modify before this one was acknowledged: of two on their way nobody knows which the order will obey."""
    allowed = case.action is not Action.MODIFY or not case.snapshot.modify_pending
    message = "No modify is on its way" if allowed else "A modify of this order is on its way: wait for its answer"
    return Decision("one_modify", allowed, None, None, "", message, _JOURNAL, None, True)


def order_efficiency(case: Case) -> Decision:
    """The plan of a parent order sends no more messages for a lot than the limit: brokers warn of about 20 a fill."""
    limit = case.limits.max_messages_per_lot
    ratio = case.messages / case.lots if case.lots > 0 else None
    allowed = ratio is not None and 0 <= ratio <= limit
    if ratio is None:
        message = "Without lots every message is one too many: ask for whole lots"
    elif allowed:
        message = "Messages for a lot within the limit"
    else:
        figure = told_apart(ratio, limit=limit, decimals=1)
        message = f"{figure} messages for a lot at most, {limit:g} allowed: plan fewer slices"
    return Decision("order_efficiency", allowed, ratio, limit, "messages/lot", message, _DESK)


def active_orders(case: Case) -> Decision:
    """A new order is one of no more orders at work on its side of the contract than the limit; the broker takes 20."""
    limit = case.limits.max_active_orders
    orders = case.snapshot.active_orders + 1
    allowed = orders <= limit or case.action is Action.MODIFY
    message = "Few enough orders at work" if allowed else f"Order {orders} at work on this side, {limit} allowed: wait"
    return Decision("active_orders", allowed, orders, limit, "orders", message, _JOURNAL, None, True)


def self_match(case: Case) -> Decision:
    """The limit price does not reach an order of our own that may rest on the other side of the contract."""
    price, other = case.price, case.snapshot.opposite_price
    if other is None or price is None or not price.is_finite():
        words = "No own order rests on the other side" if other is None else "No price is known yet"
        passes = None if price is None or not price.is_finite() else float(price)
        return Decision("self_match", True, passes, None, "price", words, _JOURNAL, passes)
    buys, tick = case.side is Side.BUY, case.contract.tick
    if price < other if buys else price > other:
        words = "Own orders do not meet"
        return Decision("self_match", True, float(price), float(other), "price", words, _JOURNAL, float(price))
    nearest = other - tick if buys else other + tick
    named, at = case.contract.format_price(other), case.contract.format_price(nearest)
    message = f"An own order to {'sell' if buys else 'buy'} may rest at {named}: nearest {at}, or wait for its end"
    return Decision("self_match", False, float(price), float(other), "price", message, _JOURNAL, float(nearest), True)


def parents_at_work(case: Case) -> Decision:
    """No more parent orders are at work at once than the limit, this one among them."""
    limit = case.limits.max_parents_at_work
    parents = case.snapshot.parents_at_work + 1
    allowed = parents <= limit
    message = (
        "Few enough parent orders at work"
        if allowed
        else f"Parent order {parents} at work at once, {limit} allowed: wait for the end of one"
    )
    return Decision("parents_at_work", allowed, parents, limit, "orders", message, _JOURNAL)


def loop_lag(case: Case) -> Decision:
    """The event loop runs on time: what is decided on a late loop is decided on a market that has moved on."""
    lag, limit = number(case.snapshot.loop_lag_ms), case.limits.max_loop_lag_ms
    if lag is None:
        return Decision("loop_lag", True, None, limit, "ms", "Time is virtual, or not measured yet", _DESK, None, True)
    allowed = lag <= limit
    message = (
        "The loop is on time"
        if allowed
        else f"The notebook's loop was {told_apart(lag, limit=limit, decimals=0)} ms late, {limit:g} ms allowed: wait"
    )
    return Decision("loop_lag", allowed, lag, limit, "ms", message, _DESK, None, True)
