"""Checks of size against the market and the day: share of volume, value of the day, share of what is shown."""

from hydra_nb.domain.units import Side
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.checks_size import at_most, whole_lots
from hydra_nb.risk.figures import cash_apart, told_apart
from hydra_nb.risk.verdict import Decision


def parent_volume_share(case: Case) -> Decision:
    """One parent order is no more than the limit's share of daily volume, of the smaller figure that is known.

    Where nobody tells a volume, `volume_share` decides alone.
    """
    snapshot, limit = case.snapshot, case.limits.max_adv_percent_per_parent
    told = [number(snapshot.adv_lots), number(snapshot.caller_adv_lots)]
    volumes = [volume for volume in told if volume is not None and volume > 0]
    if not volumes:
        return Decision("parent_volume_share", True, None, limit, "% of ADV", "No daily volume is known", "broker bars")
    adv = min(volumes)
    most, share = whole_lots(limit * adv / 100), case.lots / adv * 100
    allowed = case.lots <= most
    message = (
        "The order's share of daily volume is within the limit"
        if allowed
        else f"{case.lots} lots are {told_apart(share, limit=limit, decimals=1)} % of ADV, "
        f"{limit:g} % an order allowed: {at_most(most)}"
    )
    return Decision("parent_volume_share", allowed, share, limit, "% of ADV", message, "broker bars", most or None)


def day_notional(case: Case) -> Decision:
    """All that we traded and have working today, this order's open lots among it, is worth no more than the limit."""
    traded, limit, value = number(case.snapshot.notional_today), case.limits.max_notional_per_day, case.lot_value
    currency = case.snapshot.currency
    if traded is None or value is None:
        message = "The value of today's trades, or a mid to value the order at, is not known: wait for a quote"
        return Decision("day_notional", False, None, limit, currency, message, "journal", None, True)
    total = traded + value * case.open_lots
    left = whole_lots((limit - traded) / value) if value else case.open_lots
    allowed = case.open_lots <= left
    if allowed:
        message = "Traded within the limit of the day"
    else:
        amount, most_cash = cash_apart(total, limit=limit)
        message = f"{amount} {currency} traded today, {most_cash} allowed: {at_most(left)}"
    return Decision("day_notional", allowed, total, limit, currency, message, "journal", left if left > 0 else None)


def displayed_share(case: Case) -> Decision:
    """An order that crosses is no more than the limit's share of the lots that the other side shows at its touch."""
    quote, price, limit = case.snapshot.quote, case.price, case.limits.max_displayed_percent
    buys = case.side is Side.BUY
    touch, size = (None, 0) if quote is None else (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
    crosses = price is not None and touch is not None and size > 0 and (price >= touch if buys else price <= touch)
    if not crosses:
        words = "The order does not cross"
        return Decision("displayed_share", True, None, limit, "% shown", words, "broker quotes", None, True)
    most, share = whole_lots(limit * size / 100), case.open_lots / size * 100
    allowed = case.open_lots <= most
    message = (
        "The other side shows enough"
        if allowed
        else f"{case.open_lots} lots cross into {size} shown, {told_apart(share, limit=limit, decimals=0)} %, "
        f"{limit:g} % allowed: {at_most(most)}"
    )
    return Decision("displayed_share", allowed, share, limit, "% shown", message, "broker quotes", most or None, True)
