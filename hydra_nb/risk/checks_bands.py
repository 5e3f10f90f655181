"""Checks of the limit price against what stands apart from the quote of now: last trade, settlement, arrival.

A book that shows a stub quote moves the mid, and with it the collars around the mid; these bands do not move with it.
Where the market has told no last trade or settlement there is no such band, and the check passes and says so: the
collars around the mid hold all the same. `would_pass` is the nearest price on tick that the check would allow. Another
price cures a refusal, and so may waiting: the market may trade nearer, or come back.
"""

from decimal import Decimal

from hydra_nb.domain.units import Side
from hydra_nb.risk.bands import nearest_within, percent_of, reach_of, where
from hydra_nb.risk.case import Case, finite
from hydra_nb.risk.checks_price import QUOTES, no_price
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

_JOURNAL = "journal"
_PERSON = "contract facts"


def collar_last(case: Case) -> Decision:
    """The limit price is within so many percent of the last trade, on either side, where one was told."""
    quote = case.snapshot.quote
    last = None if quote is None else finite(quote.last)
    return _around(case, "collar_last", anchor=last, limit=case.limits.collar_last_percent, name="last trade")


def collar_settlement(case: Case) -> Decision:
    """The limit price is within so many percent of the last settlement, on either side, where one was told."""
    quote, limit = case.snapshot.quote, case.limits.collar_settlement_percent
    settlement = None if quote is None else finite(quote.settlement)
    return _around(case, "collar_settlement", anchor=settlement, limit=limit, name="settlement")


def _around(case: Case, check: str, *, anchor: Decimal | None, limit: float, name: str) -> Decision:
    """Within `limit` percent of an anchor, on either side."""
    price, unit = case.price, f"% of {name}"
    if price is None or not price.is_finite():
        return no_price(check, case=case, limit=limit, unit=unit)
    if anchor is None:
        return Decision(check, True, None, limit, unit, f"No {name} was told", QUOTES, float(price))
    away = price - anchor
    percent = percent_of(abs(away), anchor=anchor)
    reach = reach_of(limit, anchor=anchor, tick=case.contract.tick)
    if abs(away) <= reach:
        return Decision(check, True, percent, limit, unit, f"Near the {name}", QUOTES, float(price))
    nearest = nearest_within(price, low=anchor - reach, high=anchor + reach, tick=case.contract.tick)
    share = "Far" if percent is None else f"{told_apart(percent, limit=limit, decimals=2)} %"
    message = f"{share} {where(away)} the {name}, {limit:g} % allowed: {_named(case, nearest)}"
    return Decision(check, False, percent, limit, unit, message, QUOTES, _float(nearest), True)


def daily_limit(case: Case) -> Decision:
    """The limit price is within the exchange's daily price limit around the settlement, where both are known."""
    price, quote, points = case.price, case.snapshot.quote, case.snapshot.daily_limit
    limit = None if points is None else float(points)
    if price is None or not price.is_finite():
        return no_price("daily_limit", case=case, limit=limit, unit="price")
    settlement = None if quote is None else finite(quote.settlement)
    if points is None or settlement is None:
        words = "No daily price limit is known" if points is None else "No settlement was told"
        return Decision("daily_limit", True, None, limit, "price", words, _PERSON, float(price))
    away = abs(price - settlement)
    if away <= points:
        words = "Within the daily price limit"
        return Decision("daily_limit", True, float(away), limit, "price", words, _PERSON, float(price))
    nearest = nearest_within(price, low=settlement - points, high=settlement + points, tick=case.contract.tick)
    moved = f"{where(price - settlement)} the settlement {case.contract.format_price(settlement)}"
    message = (
        f"{case.contract.format_price(away)} {moved}, {case.contract.format_price(points)} allowed by the exchange"
    )
    return Decision(
        "daily_limit",
        False,
        float(away),
        limit,
        "price",
        f"{message}: {_named(case, nearest)}",
        _PERSON,
        _float(nearest),
        True,
    )


def chase(case: Case) -> Decision:
    """The limit price has not run after the market further than so many percent from the arrival of its parent.

    Only the side that costs counts: a BUY above, a SELL below. Waiting can cure it, as the market may come back.
    """
    price, arrival, limit = case.price, finite(case.snapshot.arrival_mid), case.limits.max_chase_percent
    if price is None or not price.is_finite():
        return no_price("chase", case=case, limit=limit, unit="% of arrival")
    if arrival is None:
        words = "The parent order has not arrived yet, or no mid was known when it did"
        return Decision("chase", True, None, limit, "% of arrival", words, _JOURNAL, float(price))
    run = (price - arrival) * case.side.sign
    percent = percent_of(run, anchor=arrival)
    reach = reach_of(limit, anchor=arrival, tick=case.contract.tick)
    if run <= reach:
        words = "Near the arrival mid"
        return Decision("chase", True, percent, limit, "% of arrival", words, _JOURNAL, float(price))
    far = arrival + reach * case.side.sign
    low, high = (arrival - reach, far) if case.side is Side.BUY else (far, arrival + reach)
    nearest = nearest_within(price, low=low, high=high, tick=case.contract.tick)
    share = "Far" if percent is None else f"{told_apart(percent, limit=limit, decimals=2)} %"
    message = f"{share} {where(price - arrival)} the arrival mid, {limit:g} % allowed: {_named(case, nearest)}"
    return Decision("chase", False, percent, limit, "% of arrival", message, _JOURNAL, _float(nearest), True)


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _named(case: Case, nearest: Decimal | None) -> str:
    return "no price on tick is so near" if nearest is None else f"nearest {case.contract.format_price(nearest)}"
