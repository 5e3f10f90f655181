"""The circuit breakers as a screen shows them: how much of each limit is used, state, since when and why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.board import Breaker
from hydra_nb.domain.breakers import POSITION_BREAKERS, BreakerName, BreakerState
from hydra_nb.domain.events import BreakerTripped, Rearmed
from hydra_nb.risk.breakers import READINGS, Figures, Reading
from hydra_nb.risk.case import finite
from hydra_nb.risk.limits import Limits

_JUDGED_LATER = frozenset({BreakerName.REJECT_RATE, BreakerName.SLIPPAGE_BREACH})
"""Breakers that let orders pass while there is too little to read."""

Key = tuple[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The position that a contract has at worst, without sign.

    `value` is its notional in the account's currency, None where no mid or rate is known; `symbol` that whose limits it
    is held against, empty for a contract of which there are no details.
    """

    symbol: str
    local_symbol: str
    lots: int
    value: Decimal | None


def shown_breakers(
    figures: Figures,
    limits: Limits,
    *,
    exposures: Sequence[Exposure],
    tripped: Mapping[Key, BreakerTripped],
    rearmed: Mapping[Key, Rearmed],
) -> tuple[Breaker, ...]:
    """All breakers as of now, by the readings and limits that the checks use.

    Parameters
    ----------
    figures, limits
        What the breakers of account and conduct are held against.
    exposures
        Contracts that are held or worked.
    tripped, rearmed
        Trips in force, and the last re-arming of each that had tripped, as the ledger has them.

    Returns
    -------
    tuple of Breaker
        One a breaker, in the order of their names; of one about a position, one a contract in which it has tripped.
    """
    return tuple(
        one
        for name in BreakerName
        for one in _rows(name, figures, limits, exposures=exposures, tripped=tripped, rearmed=rearmed)
    )


def _rows(
    name: BreakerName,
    figures: Figures,
    limits: Limits,
    *,
    exposures: Sequence[Exposure],
    tripped: Mapping[Key, BreakerTripped],
    rearmed: Mapping[Key, Rearmed],
) -> Iterator[Breaker]:
    trips = [one for (breaker, _), one in tripped.items() if breaker == name]
    again = max((one for (breaker, _), one in rearmed.items() if breaker == name), key=_time_ns, default=None)
    for trip in trips:
        held = [one for one in exposures if one.local_symbol == trip.local_symbol]
        reading = _reading(name, figures, limits, exposures=held)
        yield _shown(
            name,
            reading,
            allowed=False,
            state=BreakerState.TRIPPED,
            since_ns=trip.time_ns,
            reason=trip.reason,
            rearmed_ns=None if again is None else again.time_ns,
            local_symbol=trip.local_symbol,
        )
    if trips:
        return
    reading = _reading(name, figures, limits, exposures=exposures)
    allowed = name in _JUDGED_LATER if reading.observed is None else not reading.is_over
    if again is None:
        yield _shown(name, reading, allowed=allowed)
    else:
        state, when_ns = BreakerState.REARMED, again.time_ns
        yield _shown(
            name, reading, allowed=allowed, state=state, since_ns=when_ns, reason=again.reason, rearmed_ns=when_ns
        )


def _shown(
    name: BreakerName,
    reading: Reading,
    *,
    allowed: bool,
    state: BreakerState = BreakerState.CLOSED,
    since_ns: int | None = None,
    reason: str = "",
    rearmed_ns: int | None = None,
    local_symbol: str = "",
) -> Breaker:
    return Breaker(
        check=name.value,
        observed=reading.observed,
        limit=float(reading.limit),
        unit=reading.unit,
        allowed=allowed,
        state=state,
        since_ns=since_ns,
        reason=reason,
        rearmed_ns=rearmed_ns,
        local_symbol=local_symbol,
    )


def _reading(name: BreakerName, figures: Figures, limits: Limits, *, exposures: Sequence[Exposure]) -> Reading:
    if name not in POSITION_BREAKERS:
        return READINGS[name](figures, limits)
    if name is BreakerName.POSITION_LOTS:
        lots = [Reading(one.lots, limits.for_symbol(one.symbol).max_position_lots, "lots") for one in exposures]
        return max(lots, key=_use, default=Reading(0, limits.max_position_lots, "lots"))
    unit, equity = "% of equity", finite(figures.equity)
    if equity is None or equity <= 0 or any(one.value is None for one in exposures):
        return Reading(None, limits.max_position_percent_of_equity, unit)
    shares = [
        Reading(float(one.value / equity * 100), limits.for_symbol(one.symbol).max_position_percent_of_equity, unit)
        for one in exposures
        if one.value is not None
    ]
    return max(shares, key=_use, default=Reading(0.0, limits.max_position_percent_of_equity, unit))


def _use(reading: Reading) -> float:
    """Share of its limit that a reading uses; of a limit of 0 anything is all."""
    observed = reading.observed or 0.0
    return observed / reading.limit if reading.limit else math.inf if observed else 0.0


def _time_ns(event: Rearmed) -> int:
    return event.time_ns
