"""Lots that are to be worked and rest in no order yet: of parents at work, and of plans that come with an order.

A single order is checked beside what works. A basket is checked beside all of this as well, as if it worked already.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side
from hydra_nb.ledger import Ledger, ParentRecord

Mid = Callable[[int], Decimal | None]
"""Gives the last mid of a contract that others made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one parent, or one plan, may still do, worst case.

    Attributes
    ----------
    lots
        Lots in no order.
    unfilled_lots
        These, and those that its orders hold.
    price
        What a lot of them is valued at, in the quoted unit; None where nothing is known.
    """

    contract: FutureContract
    side: Side
    lots: int
    unfilled_lots: int
    price: Decimal | None


def of_plans(plans: Iterable[ExecutionPlan], *, mid: Mid) -> Iterator[Planned]:
    """What plans that are not submitted would do."""
    for plan in plans:
        parent = plan.parent
        yield Planned(
            contract=parent.contract,
            side=parent.side,
            lots=parent.lots,
            unfilled_lots=parent.lots,
            price=_price(plan, mid=mid),
        )


def of_ledger(ledger: Ledger, *, mid: Mid) -> Iterator[Planned]:
    """What parents may still do, also those that a person holds, and orders that outlive their parent."""
    for record in ledger.parents.values():
        lots = 0 if record.status.is_over else ledger.parent_open_lots(record.parent_id)
        unfilled = unfilled_lots(ledger, record)
        if unfilled:
            parent = record.plan.parent
            yield Planned(
                contract=parent.contract,
                side=parent.side,
                lots=lots,
                unfilled_lots=unfilled,
                price=_price(record.plan, mid=mid),
            )


def unfilled_lots(ledger: Ledger, record: ParentRecord) -> int:
    """Lots of a parent that can still fill: all that are not booked, or, once it is over, those of its orders."""
    if not record.status.is_over:
        return max(0, record.plan.parent.lots - record.filled_lots)
    return ledger.held_lots(record.parent_id)


def outstanding_lots(ledger: Ledger, con_id: int) -> int:
    """Signed lots by which the position of a contract changes if all that is at work, planned or unknown fills."""
    return sum(
        record.plan.parent.side.sign * unfilled_lots(ledger, record)
        for record in ledger.parents.values()
        if record.plan.parent.contract.con_id == con_id
    )


def _price(plan: ExecutionPlan, *, mid: Mid) -> Decimal | None:
    seen = mid(plan.parent.contract.con_id)
    known = seen if seen is not None else plan.decision_mid
    return known if known is not None else plan.parent.limit
