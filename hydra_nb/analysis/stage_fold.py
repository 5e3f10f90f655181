"""What events tell of the stages of child orders: when each began, and what filled in it.

Folded from a journal for `stages`, and from the record of a rehearsal, which knows no frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from hydra_nb.domain import events as ev
from hydra_nb.domain.broker_codes import is_rejection

FOLDED: Final = (
    ev.ChildReserved,
    ev.ChildSent,
    ev.SendFailed,
    ev.CancelRequested,
    ev.AckTimedOut,
    ev.OrderStatusReported,
    ev.OpenOrderReported,
    ev.BrokerErrorReported,
    ev.DeathProbed,
    ev.ExecutionReported,
)
_GONE = frozenset({"Cancelled", "ApiCancelled"})


@dataclass(slots=True, kw_only=True)
class StageFacts:
    """One stage of an order: the terms that began it, when, and the execution families first reported in it."""

    terms: ev.ChildReserved
    begun_ns: int
    is_acknowledged: bool = False
    families: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class OrderStages:
    """One child order: its stages in order, its executions, and when it was heard of."""

    stages: list[StageFacts] = field(default_factory=list)
    reserved: ev.ChildReserved | None = None  # gated, not known to be sent
    first: dict[str, ev.ExecutionReported] = field(default_factory=dict)
    latest: dict[str, ev.ExecutionReported] = field(default_factory=dict)
    cancel_asked_ns: int | None = None
    gone_ns: int | None = None  # since when the wire calls it cancelled
    heard_ns: int = 0

    def begin(self, terms: ev.ChildReserved, *, time_ns: int) -> None:
        """Begin a stage; a modify that keeps the stage changes its terms only."""
        last = self.stages[-1] if self.stages else None
        if last is not None and last.terms.child.stage is terms.child.stage:
            last.terms = terms
        else:
            self.stages.append(StageFacts(terms=terms, begun_ns=time_ns))
        self.reserved = None

    def heard(self) -> None:
        """The broker knows the order: where a crash kept the note of its sending, it was sent all the same."""
        if self.reserved is not None and not self.stages:
            self.begin(self.reserved, time_ns=self.reserved.time_ns)

    def refused(self) -> None:
        """Take back a modify that the broker refused; fills of meanwhile were the stage's before."""
        if len(self.stages) > 1 and not self.stages[-1].is_acknowledged:
            taken_back = self.stages.pop()
            self.stages[-1].families += taken_back.families

    def lots(self, stage: StageFacts) -> int:
        """Lots filled in a stage."""
        return sum(self.latest[family].lots for family in stage.families)


def fold_stages(events: Iterable[ev.Event]) -> dict[str, OrderStages]:
    """Orders by orderRef, from their events in order; events of other kinds than `FOLDED` say nothing of them."""
    orders: dict[str, OrderStages] = {}
    for event in events:
        if isinstance(event, ev.ChildReserved):
            orders.setdefault(event.child.order_ref, OrderStages()).reserved = event
            continue
        order = orders.get(getattr(event, "order_ref", None) or "")
        if order is not None:
            _note(order, event)
            order.heard_ns = event.time_ns
    return orders


def _note(order: OrderStages, event: ev.Event) -> None:
    """Fold what happened to an order after it was gated."""
    match event:
        case ev.ChildSent() if order.reserved is not None:
            order.begin(order.reserved, time_ns=event.time_ns)
        case ev.SendFailed():
            order.reserved = None
        case ev.CancelRequested():
            order.cancel_asked_ns = order.cancel_asked_ns or event.time_ns
        case ev.BrokerErrorReported() if is_rejection(event.code):
            order.refused()
        case ev.OrderStatusReported():
            order.heard()
            if event.status in _GONE:
                order.gone_ns = order.gone_ns or event.time_ns
        case ev.OpenOrderReported():
            order.heard()
            if order.stages and order.stages[-1].terms.child.limit_price == event.limit_price:
                order.stages[-1].is_acknowledged = True
        case ev.ExecutionReported():
            order.heard()
            _book(order, event)


def _book(order: OrderStages, event: ev.ExecutionReported) -> None:
    """Book an execution, or a later revision of one, in the stage in which it was first reported."""
    known = order.latest.get(event.family)
    if known is None and order.stages:
        order.first[event.family] = order.latest[event.family] = event
        order.stages[-1].families.append(event.family)
    elif known is not None and event.revision > known.revision:
        order.latest[event.family] = event
