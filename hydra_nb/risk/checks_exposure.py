"""Checks of what the account could come to hold: over the months of a symbol, over all contracts, and at what risk.

Everything counts worst case: what works counts as filled on the side where that is worse. Months of one symbol are
netted, as a spread between them is; contracts of different symbols are not. An order that makes the worst case no worse
passes.
"""

import math

from hydra_nb.risk.case import Case, finite, number
from hydra_nb.risk.checks_size import at_most, held_lots, long_or_short, unknown_position, whole_lots
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

ACCOUNT = "broker account"
ONE_IN_HUNDRED = 2.326
"""Standard deviations that a day's loss exceeds once in a hundred days, were returns normal (RiskMetrics, 1996)."""
ASSUMED_VOLATILITY = 0.05
"""Daily volatility of a contract whose bars tell none: more than thin futures have on most days."""


def symbol_position(case: Case) -> Decision:
    """The worst-case position over all months of the symbol, on the order's side, is no more lots than the limit."""
    exposure, limit = case.snapshot.exposure, case.limits.max_position_lots_per_symbol
    if exposure is None or exposure.symbol_position_lots is None:
        return unknown_position("symbol_position", limit=limit, unit="lots")
    working = exposure.symbol_buy_lots if case.side.sign > 0 else exposure.symbol_sell_lots
    held = case.side.sign * exposure.symbol_position_lots + working
    worst, left = held + case.open_lots, limit - held
    allowed = worst <= limit
    symbol = case.contract.symbol
    message = (
        "Position over all months within the limit"
        if allowed
        else f"{worst} lots of {symbol} {long_or_short(case)} at worst, {limit} over all months: {at_most(left)}"
    )
    return Decision("symbol_position", allowed, worst, limit, "lots", message, ACCOUNT, left if left > 0 else None)


def gross_exposure(case: Case) -> Decision:
    """The worst-case positions of all contracts together are worth no more than the limit's share of equity."""
    limit = case.limits.max_gross_percent_of_equity
    exposure = case.snapshot.exposure
    others = None if exposure is None else exposure.others_notional
    return _share_of_equity(
        case,
        "gross_exposure",
        others=others,
        lot=case.lot_value,
        limit=limit,
        what="All positions at worst",
    )


def equity_at_risk(case: Case) -> Decision:
    """What a bad day in a hundred could cost the worst-case positions of all contracts is within its share of equity.

    Parametric value at risk over one day: the sum over contracts of notional × daily volatility × 2.326, as if all
    moved against the account at once. Where a contract's volatility is not known, 5 % a day is assumed.
    """
    snapshot = case.snapshot
    told = number(snapshot.daily_volatility)
    at_risk = None if snapshot.exposure is None else snapshot.exposure.others_at_risk
    volatility = ASSUMED_VOLATILITY if told is None or told < 0 else told
    return _share_of_equity(
        case,
        "equity_at_risk",
        others=None if at_risk is None else at_risk * ONE_IN_HUNDRED,
        lot=None if case.lot_value is None else case.lot_value * volatility * ONE_IN_HUNDRED,
        limit=case.limits.max_equity_at_risk_percent,
        what="A bad day in a hundred",
    )


def _share_of_equity(
    case: Case, check: str, *, others: float | None, lot: float | None, limit: float, what: str
) -> Decision:
    """Worst-case lots times `lot` cash each, and the cash of other contracts, against a share of equity."""
    held, equity = held_lots(case), finite(case.snapshot.equity)
    if held is None or case.snapshot.exposure is None:
        return unknown_position(check, limit=limit, unit="% of equity")
    if others is None:
        message = "What other positions are worth is not known: wait for a quote of each, or a rate of exchange"
        return Decision(check, False, None, limit, "% of equity", message, ACCOUNT, None, True)
    if equity is None or lot is None:
        message = "Equity, or a mid to value the position at, is not known: wait for it"
        return Decision(check, False, None, limit, "% of equity", message, ACCOUNT, None, True)
    before = max(held, _other_side(case))
    after, cash = max(held + case.open_lots, before), float(equity)
    room = limit / 100 * cash - others
    most = max(before, _most(room, lot=lot, otherwise=after))
    share = (others + after * lot) / cash * 100 if cash > 0 else None
    allowed, left = after <= most, most - held
    if allowed:
        message = "Within its share of equity"
    elif share is None:
        message = f"Equity is {cash:,.0f} {case.snapshot.currency}: only orders that reduce pass"
    else:
        figure = told_apart(share, limit=limit, decimals=1)
        message = f"{what}: {figure} % of equity, {limit:g} % allowed: {at_most(left)}"
    return Decision(check, allowed, share, limit, "% of equity", message, ACCOUNT, left if left > 0 else None)


def _other_side(case: Case) -> int:
    """Worst-case lots against the order's side; the position is known."""
    snapshot = case.snapshot
    working = snapshot.working_sell_lots if case.side.sign > 0 else snapshot.working_buy_lots
    return working - case.side.sign * (snapshot.position_lots or 0)


def _most(room: float, *, lot: float, otherwise: int) -> int:
    """Whole lots that fit into so much cash; any number of what is worth nothing."""
    if lot <= 0:
        return otherwise
    return whole_lots(room / lot) if math.isfinite(room) else 0


def margin(case: Case) -> Decision:
    """Initial margin after the order, by the broker's own what-if, is no more than the limit's share of equity.

    The broker is asked at preview, and answers for the lots of the parent. Fewer lots, and each child, are taken to
    need their share of the change, on top of the account's margin of now. What lowers the margin passes.
    """
    told, limit, equity = case.snapshot.margin, case.limits.max_margin_percent_of_equity, finite(case.snapshot.equity)
    if told is None or equity is None or told.lots <= 0 or not math.isfinite(told.before + told.change):
        message = "What margin the order needs is not known: the broker has not answered; wait, or preview again"
        return Decision("margin", False, None, limit, "% of equity", message, ACCOUNT, None, True)
    lot, cash = told.change / told.lots, float(equity)
    after = told.before + lot * case.open_lots
    share = after / cash * 100 if cash > 0 else None
    most = case.open_lots if lot <= 0 else max(0, whole_lots((limit / 100 * cash - told.before) / lot))
    allowed = case.open_lots <= most
    if allowed:
        message = "Margin within its share of equity"
    elif share is None:
        message = f"Equity is {cash:,.0f} {case.snapshot.currency}: only orders that lower the margin pass"
    else:
        figure = told_apart(share, limit=limit, decimals=1)
        message = f"Margin of {figure} % of equity at worst, {limit:g} % allowed: {at_most(most)}"
    return Decision("margin", allowed, share, limit, "% of equity", message, ACCOUNT, most or None)
