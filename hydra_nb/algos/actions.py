"""What a strategy may ask for."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.events import Event
from hydra_nb.domain.orders import Action, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Ask the gate for a new order (`PLACE`) or for new terms of a living one (`MODIFY`).

    `lots` is the total of the order; `expires_ns` is UTC nanoseconds on a whole second. The answer is a
    `ChildReserved` or a `ChildRefused` with this `order_ref` and `action`.
    """

    action: Action
    parent_id: str
    slice: int
    order_ref: str
    lots: int
    limit_price: Decimal
    expires_ns: int
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChild:
    """Cancel an order on the wire; the answer is a `CancelRequested`."""

    order_ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDeath:
    """Ask the broker for open orders, then for executions; the answer is a `DeathProbed`."""

    order_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Bring a `Woke` with a fresh quote at `time_ns`, at once if that has passed, never before it.

    A parent has at most one timer that matters, the earliest asked for: an earlier one that comes later replaces it.
    """

    parent_id: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Journal an event that the strategy decided on, and fold it."""

    event: Event


CoreAction = Propose | CancelChild | ProbeDeath | WakeAt | Record
