"""Checks of size: lots, notional, share of volume, and the worst-case position.

Lots are counted worst case: what is reserved or working counts as filled. `would_pass` is the largest
number of lots of this order that the check would allow, None where not even one is.
"""

import math

from hydra_nb.domain.breakers import BreakerName
from hydra_nb.risk.breakers import held_words
from hydra_nb.risk.case import Case, finite, number
from hydra_nb.risk.figures import cash_apart, told_apart
from hydra_nb.risk.verdict import Decision

_ROUNDING = 1e-9
_POSITION_LOTS, _POSITION_SHARE = BreakerName.POSITION_LOTS.value, BreakerName.POSITION_SHARE.value


def whole_lots(lots: float) -> int:
    """Largest whole number of lots in `lots`; a share that misses the next one by rounding alone has it."""
    return math.floor(lots + _ROUNDING * abs(lots))


def lots_whole(case: Case) -> Decision:
    """Lots are whole and positive, and of a modified order some are left."""
    lots, left = case.lots, case.open_lots
    whole = isinstance(lots, int) and not isinstance(lots, bool)
    allowed = whole and lots > 0 and isinstance(left, int) and 0 < left <= lots
    if allowed:
        message = "A whole number of lots"
    elif whole and lots > 0:
        message = f"{left} of {lots} lots are left to work, 1 to {lots} allowed: nothing is left to modify"
    else:
        message = f"{lots} lots, a whole number from 1 allowed: ask for whole lots"
    return Decision(
        check="lots_whole",
        allowed=allowed,
        observed=lots,
        limit=1,
        unit="lots",
        message=message,
        source="order",
    )


def order_lots(case: Case) -> Decision:
    """One order at the broker holds no more lots than the limit."""
    lots, limit = case.order_lots, case.limits.max_lots_per_order
    allowed = lots <= limit
    return Decision(
        check="order_lots",
        allowed=allowed,
        observed=lots,
        limit=limit,
        unit="lots",
        message=f"{lots} lots an order, {limit} allowed" + ("" if allowed else ": fewer lots, or more slices"),
        source="limits",
        would_pass=limit or None,
    )


def parent_lots(case: Case) -> Decision:
    """One parent order holds no more lots than the limit."""
    lots, limit = case.lots, case.limits.max_lots_per_parent
    allowed = lots <= limit
    return Decision(
        check="parent_lots",
        allowed=allowed,
        observed=lots,
        limit=limit,
        unit="lots",
        message=f"{lots} lots, {limit} allowed" + ("" if allowed else ": fewer lots"),
        source="limits",
        would_pass=limit or None,
    )


def lots_left(case: Case) -> Decision:
    """A child holds no more lots than its parent has left for it."""
    lots, left = case.lots, case.snapshot.parent_open_lots
    allowed = lots <= left
    return Decision(
        check="lots_left",
        allowed=allowed,
        observed=lots,
        limit=left,
        unit="lots",
        message=(
            f"{lots} lots, {left} left of the parent order"
            if allowed
            else f"{lots} lots, {left} left of the parent order: the rest is filled or may still fill"
        ),
        source="journal",
        would_pass=left if left > 0 else None,
    )


def order_notional(case: Case) -> Decision:
    """The value of one order at the reference mid is no more than the limit."""
    limit, lot_value = case.limits.max_notional_per_order, case.lot_value
    currency = case.snapshot.currency
    if lot_value is None:
        return Decision(
            check="order_notional",
            allowed=False,
            observed=None,
            limit=limit,
            unit=currency,
            message="No mid or settlement to value the order at: wait for a two-sided quote",
            source="broker quotes",
            transient=True,
        )
    most = whole_lots(limit / lot_value) if lot_value else None
    notional = lot_value * case.order_lots
    allowed = most is None or case.order_lots <= most
    if allowed:
        message = "Notional within the limit"
    else:
        amount, most_cash = cash_apart(notional, limit=limit)
        message = f"{amount} {currency} an order, {most_cash} allowed: {at_most(most)}"
    return Decision(
        check="order_notional",
        allowed=allowed,
        observed=notional,
        limit=limit,
        unit=currency,
        message=message,
        source="broker quotes",
        would_pass=most or None,
    )


def volume_share(case: Case) -> Decision:
    """Lots of the day, this order's among them, are no more than the limit's share of daily volume.

    The volume is the smaller of the broker's figure and the caller's. Where the broker tells none, the lots
    of the day are besides held to `max_lots_unknown_adv`, and the message says whose figure it is.
    """
    snapshot, limits = case.snapshot, case.limits
    told = None if snapshot.adv_source == "caller" else number(snapshot.adv_lots)
    broker = told if told is not None and told >= 0 else None
    given = number(snapshot.caller_adv_lots)
    caller = given if given is not None and given >= 0 else None
    if broker is None:
        return _unknown_volume(case, caller=caller)
    by_caller = caller is not None and caller < broker
    adv = caller if by_caller and caller is not None else broker
    total = snapshot.lots_today + case.open_lots
    most = whole_lots(limits.max_adv_percent * adv / 100)
    share = total / adv * 100 if adv else None
    allowed = total <= most
    left = most - snapshot.lots_today
    if share is None:
        message = "Average daily volume is 0: trade a liquid month"
    elif allowed:
        message = f"{total} lots today are {share:.1f} % of ADV, {limits.max_adv_percent:g} % allowed"
    else:
        figure = told_apart(share, limit=limits.max_adv_percent, decimals=1)
        message = f"{total} lots today are {figure} % of ADV, {limits.max_adv_percent:g} % allowed: {at_most(left)}"
    return Decision(
        check="volume_share",
        allowed=allowed,
        observed=share,
        limit=limits.max_adv_percent,
        unit="% of ADV",
        message=message,
        source="caller" if by_caller else "broker bars" if snapshot.adv_source == "bars" else snapshot.adv_source,
        would_pass=left if left > 0 else None,
    )


def _unknown_volume(case: Case, *, caller: float | None) -> Decision:
    snapshot, limits = case.snapshot, case.limits
    total = snapshot.lots_today + case.open_lots
    if caller is None:
        return Decision(
            check="volume_share",
            allowed=False,
            observed=total,
            limit=0,
            unit="lots",
            message="Average daily volume is not known: give adv=, a figure of your own",
            source="broker bars",
        )
    most = min(limits.max_lots_unknown_adv, whole_lots(limits.max_adv_percent * caller / 100))
    left = most - snapshot.lots_today
    allowed = total <= most
    message = f"{total} lots today, {most} allowed: the broker tells no volume, ADV {caller:g} is the caller's"
    return Decision(
        check="volume_share",
        allowed=allowed,
        observed=total,
        limit=most,
        unit="lots",
        message=message if allowed else f"{message}; {at_most(left)}",
        source="caller",
        would_pass=left if left > 0 else None,
    )


def held_lots(case: Case) -> int | None:
    """Lots toward the order's side, worst case, before it: position and what works on its side; None if unknown."""
    snapshot = case.snapshot
    if snapshot.position_lots is None:
        return None
    sign = case.side.sign
    return sign * snapshot.position_lots + (snapshot.working_buy_lots if sign > 0 else snapshot.working_sell_lots)


def position_lots(case: Case) -> Decision:
    """The worst-case position on the order's side is no more lots than the limit; a breaker.

    A BUY can only make the position longer, so its long end counts, a SELL's short end: what reduces a position that
    is beyond the limit passes, until it would be beyond the limit on the other side. While the breaker is tripped only
    what reduces passes, until flat.
    """
    tripped = case.snapshot.breakers.get(_POSITION_LOTS)
    held, limit = held_lots(case), case.limits.max_position_lots if tripped is None else 0
    if held is None:
        return unknown_position("position_lots", limit=limit, unit="lots")
    worst = held + case.open_lots
    left = limit - held
    allowed = worst <= limit
    if allowed:
        message = "Position within the limit" if tripped is None else "Only reduces the position"
    elif tripped is not None:
        message = held_words(tripped, now=None)
    else:
        message = f"{worst} lots {long_or_short(case)} at worst, {limit} allowed: {at_most(left)}"
    return Decision(
        check="position_lots",
        allowed=allowed,
        observed=worst,
        limit=limit,
        unit="lots",
        message=message,
        source="broker account",
        would_pass=left if left > 0 else None,
    )


def position_share(case: Case) -> Decision:
    """The worst-case position's notional is no more than the limit's share of equity; a breaker.

    An order after which the position on its side is flat or less at worst reduces and passes; while the breaker is
    tripped nothing else does.
    """
    tripped = case.snapshot.breakers.get(_POSITION_SHARE)
    held, limit = held_lots(case), case.limits.max_position_percent_of_equity if tripped is None else 0.0
    equity = finite(case.snapshot.equity)
    if held is None:
        return unknown_position("position_share", limit=limit, unit="% of equity")
    if equity is None or case.lot_value is None:
        return Decision(
            check="position_share",
            allowed=False,
            observed=None,
            limit=limit,
            unit="% of equity",
            message="Equity, or a mid to value the position at, is not known: wait for it",
            source="broker account",
            transient=True,
        )
    worst, cash = held + case.open_lots, float(equity)
    most = 0 if cash <= 0 or tripped is not None else _most_lots(case, cash=cash, otherwise=worst)
    allowed = worst <= most
    share = worst * case.lot_value / cash * 100 if cash > 0 else None
    left = most - held
    if allowed:
        message = "Position within its share of equity" if tripped is None else "Only reduces the position"
    elif tripped is not None:
        message = held_words(tripped, now=None)
    elif share is None:
        message = f"Equity is {cash:,.0f} {case.snapshot.currency}: only orders that reduce pass"
    else:
        facing = f"{worst} lots {long_or_short(case)} at worst"
        figure = told_apart(share, limit=limit, decimals=1)
        message = f"{facing} are {figure} % of equity, {limit:g} % allowed: {at_most(left)}"
    return Decision(
        check="position_share",
        allowed=allowed,
        observed=share,
        limit=limit,
        unit="% of equity",
        message=message,
        source="broker account",
        would_pass=left if left > 0 else None,
    )


def _most_lots(case: Case, *, cash: float, otherwise: int) -> int:
    """Lots whose notional is the limit's share of equity; of a contract without value as many as are asked for."""
    if not case.lot_value:
        return otherwise
    return whole_lots(case.limits.max_position_percent_of_equity / 100 * cash / case.lot_value)


def unknown_position(check: str, *, limit: float, unit: str) -> Decision:
    """Refusal for want of the broker's positions."""
    return Decision(
        check=check,
        allowed=False,
        observed=None,
        limit=limit,
        unit=unit,
        message="The position is not known: wait for the broker's positions",
        source="broker account",
        transient=True,
    )


def long_or_short(case: Case) -> str:
    """Which way the order makes the position grow."""
    return "long" if case.side.sign > 0 else "short"


def at_most(lots: int | None) -> str:
    """How many lots would pass, in words."""
    return f"at most {lots} lots" if lots is not None and lots > 0 else "not one lot"
