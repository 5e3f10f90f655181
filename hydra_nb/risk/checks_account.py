"""Circuit breakers on the account: loss of the day, drawdown, loss of the last trade.

The fourth breaker, the worst-case position as a share of equity, is `checks_size.position_share`. A
tripped breaker blocks every new order, also one that would reduce a position: what to do then is a
person's decision. Cancels are never asked here.
"""

from hydra_nb.risk.case import Case, finite
from hydra_nb.risk.verdict import Decision

ACCOUNT = "broker account"


def daily_loss(case: Case) -> Decision:
    """Equity lies no further below that of the day's start than the limit."""
    snapshot, limit = case.snapshot, case.limits.max_daily_loss
    equity, start = finite(snapshot.equity), finite(snapshot.day_start_equity)
    loss = None if equity is None or start is None else float(start - equity)
    allowed = loss is not None and loss <= limit
    if loss is None:
        message = "Equity, now or at the day's start, is not known: wait for the account's values"
    elif allowed:
        message = "Loss of the day within the limit" if loss > 0 else "No loss today"
    else:
        message = f"Lost {loss:,.2f} {snapshot.currency} today, {limit:,.2f} allowed: trade again tomorrow"
    return Decision(
        check="daily_loss",
        allowed=allowed,
        observed=loss,
        limit=limit,
        unit=snapshot.currency,
        message=message,
        source=ACCOUNT,
        transient=loss is None,
    )


def drawdown(case: Case) -> Decision:
    """Equity lies no further below its peak than the limit."""
    snapshot, limit = case.snapshot, case.limits.max_drawdown_percent
    equity, peak = finite(snapshot.equity), finite(snapshot.peak_equity)
    known = equity is not None and peak is not None and peak > 0
    fall = float((peak - equity) / peak * 100) if known and peak is not None and equity is not None else None
    allowed = fall is not None and fall <= limit
    if fall is None:
        message = "Equity or its peak is not known, or the peak not positive: wait for the account's values"
    elif allowed:
        message = "Drawdown within the limit"
    else:
        message = f"Equity {fall:.2f} % below its peak, {limit:g} % allowed: review the account, then its limits"
    return Decision(
        check="drawdown",
        allowed=allowed,
        observed=fall,
        limit=limit,
        unit="% of peak equity",
        message=message,
        source=ACCOUNT,
        transient=fall is None,
    )


def last_trade_loss(case: Case) -> Decision:
    """The last parent that closed lots lost no more than the limit; before the first one nothing is lost."""
    snapshot, limit = case.snapshot, case.limits.max_parent_loss
    pnl = snapshot.last_parent_pnl
    loss = None if pnl is None or not pnl.is_finite() else float(-pnl)
    allowed = pnl is None or (loss is not None and loss <= limit)
    if pnl is None:
        message = "No order has closed lots yet"
    elif loss is None:
        message = "The result of the last trade is no number: reconcile, then rearm the desk"
    elif allowed:
        message = "Loss of the last trade within the limit" if loss > 0 else "The last trade lost nothing"
    else:
        message = f"The last trade lost {loss:,.2f} {snapshot.currency}, {limit:,.2f} allowed: rearm the desk to go on"
    return Decision(
        check="last_trade_loss",
        allowed=allowed,
        observed=loss,
        limit=limit,
        unit=snapshot.currency,
        message=message,
        source=ACCOUNT,
    )
