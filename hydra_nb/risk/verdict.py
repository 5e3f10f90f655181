"""What the gate says: one decision a check, and a verdict over all of them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hydra_nb.domain.orders import Action, ChildOrder


class Decision(NamedTuple):
    """The outcome of one check, allowed or not; a tuple, as fifty are made with every order.

    `observed` and `limit` are in `unit`; `would_pass` is the largest lots, or the nearest price, that
    this check would allow, None where there is none. `transient` refusals may pass a few seconds later.
    """

    check: str
    allowed: bool
    observed: float | None
    limit: float | None
    unit: str
    message: str
    source: str
    would_pass: float | None = None
    transient: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Approved:
    """The gate's seal on one child order; valid once, for a short while, for this very object.

    Only `RiskGate.check` makes one that `RiskGate.redeem` accepts: the gate keeps its own table, keyed by
    identity, so that a copy or a hand-made object does not pass.
    """

    child: ChildOrder
    action: Action
    content_hash: str
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal: all decisions, and the first check that refused hard, else the first that did."""

    decisions: tuple[Decision, ...]
    decisive: Decision

    @property
    def transient(self) -> bool:
        """Whether every refusing check may pass a few seconds later."""
        return all(decision.transient for decision in self.decisions if not decision.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldPass:
    """What all checks together would allow of a parent order; each value changes that one thing alone.

    `lots` and `price` set aside what time alone cures (session, quote, connection, ...): they are the most lots at
    the price asked for, and the price nearest to it at the lots asked for. `time_ns` is now where everything
    passes, and the next opening where only a closed session, and the quote that it left, are in the way. None where
    that one change does not suffice.
    """

    lots: int | None
    price: Decimal | None
    time_ns: int | None
