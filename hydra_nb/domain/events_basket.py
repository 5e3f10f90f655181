"""The event of a basket: many rows that were handed over in one step."""

from dataclasses import dataclass

from hydra_nb.domain.events_base import Event
from hydra_nb.domain.units import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketRow:
    """What became of one row of a basket when it was handed over.

    `row` is its label, `lots` what it had to do then. `parent_id` and `plan_id` name the parent that stands for it,
    None where nothing was sent, and `reason` says why. An id alone could be given anew after a crash, so that only both
    together mean that parent.
    """

    row: str
    local_symbol: str
    side: Side | None
    lots: int
    target: int | None
    is_at_target: bool
    parent_id: str | None
    plan_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketSubmitted(Event):
    """A basket was handed over; journalled before its parents, so that it is durable no later than they are."""

    basket_id: str
    on_refusal: str
    rows: tuple[BasketRow, ...]
