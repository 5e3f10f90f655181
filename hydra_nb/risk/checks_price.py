"""Checks of the limit price: on tick, its sign, the caller's limit, and two collars.

The collars hold on both sides of the reference mid. A price too far through the market pays too much; one too far
from it, on the passive side, is as surely an error, and would rest there unseen. `would_pass` is the nearest
price on tick that the check would allow: the prices that a check allows are an interval.
"""

from decimal import Decimal

from hydra_nb.domain.units import Side
from hydra_nb.risk.bands import nearest_within, percent_of, reach_of, where
from hydra_nb.risk.case import Case
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

QUOTES = "broker quotes"


def price_on_tick(case: Case) -> Decision:
    """The limit price is a finite number on the contract's tick."""
    price, contract = case.price, case.contract
    if price is None or not price.is_finite():
        return no_price("price_on_tick", case=case, limit=float(contract.tick), unit="price")
    allowed = price % contract.tick == 0
    message, nearest = "On tick", price
    if not allowed:
        low, high = contract.nearest_ticks(price)
        nearest = low if price - low <= high - price else high
        message = (
            f"Limit price {price} is off the {contract.tick} tick; "
            f"nearest {contract.format_price(low)} or {contract.format_price(high)}"
        )
    return Decision(
        check="price_on_tick",
        allowed=allowed,
        observed=float(price),
        limit=float(contract.tick),
        unit="price",
        message=message,
        source="order",
        would_pass=float(nearest),
    )


def price_sign(case: Case) -> Decision:
    """A price of zero or below only where the reference is within the collar of zero, or below it."""
    price, reference = case.price, case.reference
    if price is None or not price.is_finite() or reference is None:
        return no_price("price_sign", case=case, limit=0.0, unit="price")
    allowed = price > 0 or reference <= case.limits.collar_ticks * case.contract.tick
    return Decision(
        check="price_sign",
        allowed=allowed,
        observed=float(price),
        limit=0.0,
        unit="price",
        message=(
            "The sign is the market's"
            if allowed
            else f"Limit price {price} is not above 0, with the mid at {reference}: give a price near the mid"
        ),
        source=QUOTES,
        would_pass=float(price if allowed else case.contract.tick),
    )


def caller_limit(case: Case) -> Decision:
    """The limit price does not pass the limit that the caller gave for the parent order."""
    price, limit = case.price, case.snapshot.caller_limit
    if price is None or not price.is_finite():
        return no_price("caller_limit", case=case, limit=None if limit is None else float(limit), unit="price")
    allowed = limit is None or (price <= limit if case.side is Side.BUY else price >= limit)
    if limit is None:
        message = "No limit was given"
    elif allowed:
        message = "Within the limit given"
    else:
        message = (
            f"{case.contract.format_price(price)} is {'above' if case.side is Side.BUY else 'below'} "
            f"your limit {case.contract.format_price(limit)}: give another limit"
        )
    return Decision(
        check="caller_limit",
        allowed=allowed,
        observed=float(price),
        limit=None if limit is None else float(limit),
        unit="price",
        message=message,
        source="caller",
        would_pass=float(price if allowed or limit is None else limit),
    )


def collar_ticks(case: Case) -> Decision:
    """The limit price is within so many ticks of the reference mid, on either side."""
    price, reference, limit = case.price, case.reference, case.limits.collar_ticks
    if price is None or not price.is_finite() or reference is None:
        return no_price("collar_ticks", case=case, limit=limit, unit="ticks")
    tick = case.contract.tick
    away = price - reference
    ticks = float(abs(away) / tick)
    allowed = ticks <= limit
    return Decision(
        check="collar_ticks",
        allowed=allowed,
        observed=ticks,
        limit=limit,
        unit="ticks",
        message=(
            "Within the collar"
            if allowed
            else f"{ticks:g} ticks {where(away)} mid, {limit} allowed: {_nearer(case, reach=limit * tick)}"
        ),
        source=QUOTES,
        would_pass=float(price) if allowed else _nearest(case, reach=limit * tick),
        transient=_lacks_a_side(case),
    )


def collar_percent(case: Case) -> Decision:
    """The limit price is within so many percent of the reference mid, on either side.

    Percent of the absolute reference, and never less than one tick: near zero there would be no price at all.
    """
    price, reference, limit = case.price, case.reference, case.limits.collar_percent
    if price is None or not price.is_finite() or reference is None:
        return no_price("collar_percent", case=case, limit=limit, unit="% of mid")
    away = price - reference
    percent = percent_of(abs(away), anchor=reference)
    reach = reach_of(limit, anchor=reference, tick=case.contract.tick)
    allowed = abs(away) <= reach
    message = "Within the collar"
    nearest: float | None = float(price)
    if not allowed:
        share = "Far" if percent is None else f"{told_apart(percent, limit=limit, decimals=2)} %"
        message = f"{share} {where(away)} mid, {limit:g} % allowed: {_nearer(case, reach=reach)}"
        nearest = _nearest(case, reach=reach)
    return Decision(
        check="collar_percent",
        allowed=allowed,
        observed=percent,
        limit=limit,
        unit="% of mid",
        message=message,
        source=QUOTES,
        would_pass=nearest,
        transient=_lacks_a_side(case),
    )


def no_price(check: str, *, case: Case, limit: float | None, unit: str) -> Decision:
    """Refusal where the price, or the mid to hold it against, is not known."""
    given = case.price is not None
    wrong = case.price is not None and not case.price.is_finite()
    if wrong:
        message = f"Limit price {case.price} is not a finite number: give a price on the {case.contract.tick} tick"
    elif given:
        message = "No mid or settlement to hold the price against: wait for a two-sided quote"
    else:
        message = "No price to send at, as no mid is known: wait for a two-sided quote"
    return Decision(
        check=check,
        allowed=False,
        observed=None,
        limit=limit,
        unit=unit,
        message=message,
        source=QUOTES,
        transient=not wrong,
    )


def _lacks_a_side(case: Case) -> bool:
    """Whether the price had to be formed without one side of the book: the next quote brings another."""
    return case.snapshot.quote is None or not case.snapshot.quote.has_both_sides


def _nearest(case: Case, *, reach: Decimal) -> float | None:
    """Price on tick within `reach` of the reference that is nearest to the order's; None where no tick is."""
    nearest = _bound(case, reach=reach)
    return None if nearest is None else float(nearest)


def _nearer(case: Case, *, reach: Decimal) -> str:
    nearest = _bound(case, reach=reach)
    return "no price on tick is so near" if nearest is None else f"nearest {case.contract.format_price(nearest)}"


def _bound(case: Case, *, reach: Decimal) -> Decimal | None:
    if case.price is None or case.reference is None:
        return None
    low, high = case.reference - reach, case.reference + reach
    return nearest_within(case.price, low=low, high=high, tick=case.contract.tick)
