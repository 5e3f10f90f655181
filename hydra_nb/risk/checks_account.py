"""Circuit breakers on the account: loss of the day, drawdown, loss of the last trade.

A breaker that has tripped blocks every new order, also one that would reduce a position, until a person
re-arms it: what to do then is that person's decision. Cancels are never asked here. The breakers of the
position are `checks_size.position_lots` and `position_share`, those of the desk's conduct `checks_conduct`.
"""

from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.risk import breakers
from hydra_nb.risk.breakers import Reading, held_words, over_words, remedy
from hydra_nb.risk.case import Case
from hydra_nb.risk.verdict import Decision

ACCOUNT = "broker account"

# The names as plain text: to ask an enum for its value takes longer than to decide.
_DAILY_LOSS, _DRAWDOWN = BreakerName.DAILY_LOSS.value, BreakerName.DRAWDOWN.value
_LAST_TRADE_LOSS = BreakerName.LAST_TRADE_LOSS.value


def daily_loss(case: Case) -> Decision:
    """Equity lies no further below that of the day's start than the limit; a breaker."""
    reading = breakers.daily_loss(case.snapshot, case.limits)
    tripped = case.snapshot.breakers.get(_DAILY_LOSS)
    if tripped is not None:
        return held(tripped, now=reading, source=ACCOUNT)
    if reading.observed is None:
        words = "Equity, now or at the day's start, is not known: wait for the account's values"
        return unknown(_DAILY_LOSS, reading, words=words, source=ACCOUNT)
    passing = "Loss of the day within the limit" if reading.observed > 0 else "No loss today"
    return judged(_DAILY_LOSS, reading, passing=passing, source=ACCOUNT)


def drawdown(case: Case) -> Decision:
    """Equity lies no further below its peak than the limit; a breaker."""
    reading = breakers.drawdown(case.snapshot, case.limits)
    tripped = case.snapshot.breakers.get(_DRAWDOWN)
    if tripped is not None:
        return held(tripped, now=reading, source=ACCOUNT)
    if reading.observed is None:
        words = "Equity or its peak is not known, or the peak not positive: wait for the account's values"
        return unknown(_DRAWDOWN, reading, words=words, source=ACCOUNT)
    return judged(_DRAWDOWN, reading, passing="Drawdown within the limit", source=ACCOUNT)


def last_trade_loss(case: Case) -> Decision:
    """The last parent that closed lots lost no more than the limit; before the first one nothing is lost; a breaker."""
    reading = breakers.last_trade_loss(case.snapshot, case.limits)
    tripped = case.snapshot.breakers.get(_LAST_TRADE_LOSS)
    if tripped is not None:
        return held(tripped, now=reading, source=ACCOUNT)
    if reading.observed is None:
        words = "The result of the last trade is no number: reconcile, then rearm the desk"
        return unknown(_LAST_TRADE_LOSS, reading, words=words, source=ACCOUNT, transient=False)
    if case.snapshot.last_parent_pnl is None:
        passing = "No order has closed lots yet"
    else:
        passing = "Loss of the last trade within the limit" if reading.observed > 0 else "The last trade lost nothing"
    return judged(_LAST_TRADE_LOSS, reading, passing=passing, source=ACCOUNT)


# What the breakers' decisions have in common


def judged(breaker: str, reading: Reading, *, passing: str, source: str) -> Decision:
    """The decision of a breaker that is not tripped, by what it reads."""
    allowed = not reading.is_over
    return Decision(
        check=breaker,
        allowed=allowed,
        observed=reading.observed,
        limit=reading.limit,
        unit=reading.unit,
        message=passing if allowed else f"{over_words(breaker, reading)}: {remedy(breaker)}",
        source=source,
    )


def unknown(breaker: str, reading: Reading, *, words: str, source: str, transient: bool = True) -> Decision:
    """The refusal of a breaker whose figure is not known."""
    return Decision(
        check=breaker,
        allowed=False,
        observed=None,
        limit=reading.limit,
        unit=reading.unit,
        message=words,
        source=source,
        transient=transient,
    )


def held(tripped: BreakerTripped, *, now: Reading, source: str) -> Decision:
    """The refusal of a tripped breaker, whatever it reads by now; observed and limit are those of its trip."""
    return Decision(
        check=tripped.breaker,
        allowed=False,
        observed=tripped.observed,
        limit=tripped.limit,
        unit=tripped.unit,
        message=held_words(tripped, now=now),
        source=source,
    )
