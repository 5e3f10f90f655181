"""How much of each circuit breaker is used, for a screen; the checks of the gate decide."""

from decimal import Decimal

from hydra_nb.domain.board import Breaker
from hydra_nb.risk.case import finite
from hydra_nb.risk.limits import Limits


def breakers(
    limits: Limits,
    *,
    equity: Decimal | None,
    day_start: Decimal | None,
    peak: Decimal | None,
    last_pnl: Decimal | None,
    largest: Decimal | None,
    currency: str,
) -> tuple[Breaker, ...]:
    """The four breakers of the account as of now, by the figures and limits that the checks use.

    Parameters
    ----------
    limits
        The limits in force for the contract of the largest position; the others are those of the account.
    equity, day_start, peak
        Account equity now, at the day's start and at its peak, in `currency`; None where not known.
    last_pnl
        Result of the last parent that closed lots; None before the first.
    largest
        Cash value of the worst-case position of one contract at mid, of that which uses most of its limit; None where
        a mid is missing.
    """
    equity, day_start, peak = finite(equity), finite(day_start), finite(peak)
    fall = None if equity is None or peak is None or peak <= 0 else float((peak - equity) / peak * 100)
    share = None if equity is None or largest is None or equity <= 0 else float(largest / equity * 100)
    trade_loss = 0.0 if last_pnl is None else (float(-last_pnl) if last_pnl.is_finite() else None)
    loss = None if equity is None or day_start is None else float(day_start - equity)
    figures = (
        ("daily_loss", loss, limits.max_daily_loss),
        ("drawdown", fall, limits.max_drawdown_percent),
        ("position_share", share, limits.max_position_percent_of_equity),
        ("last_trade_loss", trade_loss, limits.max_parent_loss),
    )
    units = {"drawdown": "% of peak", "position_share": "% of equity"}
    return tuple(
        Breaker(
            check=check,
            observed=observed,
            limit=float(limit),
            unit=units.get(check, currency),
            allowed=observed is not None and observed <= limit,
        )
        for check, observed, limit in figures
    )
