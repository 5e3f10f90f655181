"""Circuit breakers: their names, their states, whom a tripped one stops, and how the desk has fared lately."""

from dataclasses import dataclass
from enum import StrEnum

from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.units import Side


class BreakerName(StrEnum):
    """The breakers, each named like the check of the gate that refuses while it is tripped."""

    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    POSITION_SHARE = "position_share"
    LAST_TRADE_LOSS = "last_trade_loss"
    POSITION_LOTS = "position_lots"
    CONSECUTIVE_REFUSALS = "consecutive_refusals"
    REJECT_RATE = "reject_rate"
    SLIPPAGE_BREACH = "slippage_breach"


POSITION_BREAKERS = frozenset({BreakerName.POSITION_LOTS, BreakerName.POSITION_SHARE})
"""Breakers that hold for one contract each, and let pass what reduces its position."""


class BreakerState(StrEnum):
    """States of a breaker: only a fact trips it, only a person re-arms it."""

    CLOSED = "closed"  # never tripped in this journal
    TRIPPED = "tripped"
    REARMED = "rearmed"  # closed again, by a person with a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How the desk has fared lately with its gate, its broker and its fills, since the breaker concerned was re-armed.

    Attributes
    ----------
    refusals_in_row
        Hard refusals of the gate since an order was last approved.
    messages, rejected_messages
        Places and modifies of the last hour, the newest 200 of them, and those that the broker rejected.
    fills
        Executions of the UTC day whose order had a prediction and was placed at a known mid.
    slippage_ticks, predicted_ticks
        What a lot of these fills cost against that mid, and what was predicted; means by lots, None without a fill.
    """

    refusals_in_row: int = 0
    messages: int = 0
    rejected_messages: int = 0
    fills: int = 0
    slippage_ticks: float | None = None
    predicted_ticks: float | None = None


def stops(tripped: BreakerTripped, *, con_id: int, side: Side) -> bool:
    """Whether a tripped breaker lets no order of this contract and side work: every one, or those that add to it."""
    return tripped.con_id is None or (tripped.con_id == con_id and tripped.side in (None, side))


def trip_words(tripped: BreakerTripped) -> str:
    """What is said of a tripped breaker where its name does not stand beside it."""
    return f"breaker {tripped.breaker} tripped: {tripped.reason}"
