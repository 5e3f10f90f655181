"""Circuit breakers on how the desk fares: refusals in a row, messages that the broker rejects, what fills cost.

They stop a desk that goes on doing what does not work. As the account's breakers they block every order until a person
re-arms them. Their decisions are remembered, as their figures seldom change from one order to the next.
"""

from functools import lru_cache

from hydra_nb.domain.breakers import BreakerName
from hydra_nb.risk import breakers
from hydra_nb.risk.breakers import Reading
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks_account import held, judged
from hydra_nb.risk.verdict import Decision

_REMEMBERED = 256
_REFUSALS, _REJECTS = BreakerName.CONSECUTIVE_REFUSALS.value, BreakerName.REJECT_RATE.value
_SLIPPAGE = BreakerName.SLIPPAGE_BREACH.value

_PASSING = {
    _REFUSALS: "No order was refused too often in a row",
    _REJECTS: "The broker takes our messages",
    _SLIPPAGE: "Today's fills cost what was predicted, or little more",
}
_TOO_FEW = {
    _REJECTS: "Too few messages within the hour to judge",
    _SLIPPAGE: "Too few fills today to judge",
}
_SOURCES = {
    _REFUSALS: "journal",
    _REJECTS: "broker messages",
    _SLIPPAGE: "fills against stored predictions",
}


def consecutive_refusals(case: Case) -> Decision:
    """No more hard refusals have come in a row than the limit; what waiting cures does not count; a breaker."""
    return _decide(case, _REFUSALS, breakers.consecutive_refusals(case.snapshot, case.limits))


def reject_rate(case: Case) -> Decision:
    """Of the last hour's messages the broker rejected no larger share than the limit; a breaker.

    A message counts once, however many errors name it; notices do not count, nor answers to cancels.
    """
    return _decide(case, _REJECTS, breakers.reject_rate(case.snapshot, case.limits))


def slippage_breach(case: Case) -> Decision:
    """Today's fills cost a lot no more than a multiple of what was predicted, and so many ticks on top; a breaker."""
    return _decide(case, _SLIPPAGE, breakers.slippage_breach(case.snapshot, case.limits))


def _decide(case: Case, breaker: str, reading: Reading) -> Decision:
    tripped = case.snapshot.breakers.get(breaker)
    if tripped is not None:
        return held(tripped, now=reading, source=_SOURCES[breaker])
    return _judged(breaker, reading)


@lru_cache(maxsize=_REMEMBERED)
def _judged(breaker: str, reading: Reading) -> Decision:
    passing = _TOO_FEW[breaker] if reading.observed is None else _PASSING[breaker]
    return judged(breaker, reading, passing=passing, source=_SOURCES[breaker])
