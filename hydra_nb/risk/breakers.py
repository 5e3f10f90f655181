"""What each circuit breaker reads and may read: for the checks of the gate, for its trip, and for a screen.

Whether one is tripped stands in the ledger. Here it is found that one is over its limit; whoever finds it journals it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple, Protocol

from hydra_nb.domain.breakers import BreakerName, Conduct
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.case import finite
from hydra_nb.risk.limits import Limits


class Figures(Protocol):
    """What the breakers of account and conduct are held against, as a `RiskSnapshot` has it; None means unknown."""

    @property
    def currency(self) -> str:
        """Currency of the account."""
        ...

    @property
    def equity(self) -> Decimal | None:
        """Account equity now."""
        ...

    @property
    def day_start_equity(self) -> Decimal | None:
        """Account equity at the start of the day, or at the re-arming since."""
        ...

    @property
    def peak_equity(self) -> Decimal | None:
        """Highest account equity, since the re-arming where there was one."""
        ...

    @property
    def last_parent_pnl(self) -> Decimal | None:
        """Realised P&L of the last parent that closed lots; None before the first."""
        ...

    @property
    def conduct(self) -> Conduct:
        """How the desk has fared with gate, broker and fills."""
        ...


class Reading(NamedTuple):
    """What a breaker reads, None where it is not known, and may read; a tuple, as six are made for every order."""

    observed: float | None
    limit: float
    unit: str

    @property
    def is_over(self) -> bool:
        """Whether it is known to be over its limit."""
        return self.observed is not None and self.observed > self.limit


def daily_loss(figures: Figures, limits: Limits) -> Reading:
    """Cash by which equity lies below that of the day's start; negative for a gain."""
    equity, start = finite(figures.equity), finite(figures.day_start_equity)
    loss = None if equity is None or start is None else float(start - equity)
    return Reading(loss, limits.max_daily_loss, figures.currency)


def drawdown(figures: Figures, limits: Limits) -> Reading:
    """Percent by which equity lies below its peak; of a peak that is not positive there is no share."""
    equity, peak = finite(figures.equity), finite(figures.peak_equity)
    fall = None if equity is None or peak is None or peak <= 0 else float((peak - equity) / peak * 100)
    return Reading(fall, limits.max_drawdown_percent, "% of peak equity")


def last_trade_loss(figures: Figures, limits: Limits) -> Reading:
    """Cash that the last parent that closed lots lost; negative for a gain, 0 before the first."""
    pnl = figures.last_parent_pnl
    loss = 0.0 if pnl is None else float(-pnl) if pnl.is_finite() else None
    return Reading(loss, limits.max_parent_loss, figures.currency)


def consecutive_refusals(figures: Figures, limits: Limits) -> Reading:
    """Hard refusals of the gate since it last approved an order."""
    return Reading(figures.conduct.refusals_in_row, limits.max_consecutive_refusals, "refusals")


def reject_rate(figures: Figures, limits: Limits) -> Reading:
    """Percent of the last hour's messages that the broker rejected; None where they are too few to judge."""
    conduct, percent = figures.conduct, None
    if conduct.messages >= limits.min_reject_messages:
        percent = 100 * conduct.rejected_messages / conduct.messages
    return Reading(percent, limits.max_reject_percent, "% of messages")


def slippage_breach(figures: Figures, limits: Limits) -> Reading:
    """Ticks that a lot of today's fills cost on average against the mid at which its order was placed.

    The limit is a multiple of what was predicted, on average, and so many ticks on top. None where there are too few
    fills to judge.
    """
    conduct = figures.conduct
    limit = limits.max_slippage_multiple * (conduct.predicted_ticks or 0.0) + limits.max_slippage_excess_ticks
    return Reading(conduct.slippage_ticks if conduct.fills >= limits.min_slippage_fills else None, limit, "ticks")


READINGS: Mapping[BreakerName, Callable[[Figures, Limits], Reading]] = {
    BreakerName.DAILY_LOSS: daily_loss,
    BreakerName.DRAWDOWN: drawdown,
    BreakerName.LAST_TRADE_LOSS: last_trade_loss,
    BreakerName.CONSECUTIVE_REFUSALS: consecutive_refusals,
    BreakerName.REJECT_RATE: reject_rate,
    BreakerName.SLIPPAGE_BREACH: slippage_breach,
}
"""Readings of the breakers that stop every order."""


def position_readings(
    contract: FutureContract,
    limits: Limits,
    *,
    lots: int,
    mid: Decimal | None,
    rate: Decimal | None,
    equity: Decimal | None,
) -> Mapping[BreakerName, Reading]:
    """The two breakers of one contract's position, as the broker reports it.

    Parameters
    ----------
    lots
        The position, signed; what works is not in it.
    mid, rate
        Price to value it at, and what one unit of its currency is worth in that of `equity`; None leaves its share of
        equity unknown, as an equity of 0 or less does.
    """
    own, known, share = limits.for_symbol(contract.symbol), finite(equity), None
    if mid is not None and rate is not None and known is not None and known > 0:
        share = float(contract.notional(mid, lots=abs(lots)) * rate / known * 100)
    return {
        BreakerName.POSITION_LOTS: Reading(abs(lots), own.max_position_lots, "lots"),
        BreakerName.POSITION_SHARE: Reading(share, own.max_position_percent_of_equity, "% of equity"),
    }


# A trip, and what is said of it

_WORDS: Mapping[str, str] = {
    BreakerName.DAILY_LOSS: "Lost {0} {2} today, {1} allowed",
    BreakerName.DRAWDOWN: "Equity {0} % below its peak, {1} % allowed",
    BreakerName.LAST_TRADE_LOSS: "The last trade lost {0} {2}, {1} allowed",
    BreakerName.POSITION_LOTS: "A position of {0} lots, {1} allowed",
    BreakerName.POSITION_SHARE: "A position of {0} % of equity, {1} % allowed",
    BreakerName.CONSECUTIVE_REFUSALS: "{0} hard refusals in a row, {1} allowed",
    BreakerName.REJECT_RATE: "The broker rejected {0} % of the last hour's messages, {1} % allowed",
    BreakerName.SLIPPAGE_BREACH: "Today's fills cost {0} ticks a lot, {1} allowed by their prediction",
}
"""Sentences without a colon: what follows one is the remedy."""

_IN_CASH = frozenset({BreakerName.DAILY_LOSS, BreakerName.LAST_TRADE_LOSS})


def over_words(breaker: str, reading: Reading) -> str:
    """That a breaker is over its limit, and how far."""
    figure = _cash if breaker in _IN_CASH else _plain
    return _WORDS[breaker].format(figure(reading.observed or 0.0), figure(reading.limit), reading.unit)


def _cash(value: float) -> str:
    return f"{value:,.2f}"


def _plain(value: float) -> str:
    """A figure without needless decimals, and with four where it takes them to tell it from its limit."""
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def trip(breaker: BreakerName, reading: Reading, *, time_ns: int) -> BreakerTripped:
    """The trip of a breaker that stops every order."""
    return BreakerTripped(
        time_ns=time_ns,
        breaker=breaker.value,
        observed=float(reading.observed or 0.0),
        limit=float(reading.limit),
        unit=reading.unit,
        reason=over_words(breaker, reading),
    )


def position_trip(
    breaker: BreakerName, reading: Reading, *, contract: FutureContract, lots: int, time_ns: int
) -> BreakerTripped:
    """The trip of a breaker that stops the orders which would add to a position."""
    return BreakerTripped(
        time_ns=time_ns,
        breaker=breaker.value,
        observed=float(reading.observed or 0.0),
        limit=float(reading.limit),
        unit=reading.unit,
        reason=f"{contract.local_symbol} {'long' if lots > 0 else 'short'}. {over_words(breaker, reading)}",
        con_id=contract.con_id,
        local_symbol=contract.local_symbol,
        side=Side.BUY if lots > 0 else Side.SELL,
    )


def remedy(breaker: str) -> str:
    """What a person does about a tripped breaker, once the cause is known."""
    return f'once you know why, say await desk.rearm("why", breaker="{breaker}")'


def held_words(tripped: BreakerTripped, *, now: Reading | None) -> str:
    """Why a tripped breaker holds an order up: what it read at its trip, since when, what it reads now, the remedy."""
    since = dt.datetime.fromtimestamp(tripped.time_ns // NS_PER_S, tz=dt.UTC)
    reads = ""
    if now is not None and now.observed is not None:
        reads = f", now {_plain(round(now.observed, 2))} {now.unit}"
    until = "" if tripped.con_id is None else ". Until then only orders that reduce the position pass"
    return f"{tripped.reason}: tripped {since:%Y-%m-%d %H:%M:%S} UTC{reads}; {remedy(tripped.breaker)}{until}"
