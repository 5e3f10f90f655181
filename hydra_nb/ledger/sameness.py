"""Which parent orders are one order sent twice."""

from hydra_nb.domain.orders import ParentOrder, ParentStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger.records import ParentRecord

_DAY_NS = 86_400 * NS_PER_S


def equal_parent(plan: ExecutionPlan, *, parents: dict[str, ParentRecord], now_ns: int) -> str | None:
    """Id of the parent of the same plan, or of an equal order of the same UTC day.

    Equal means account, contract, side, lots, strategy and tag. An earlier order that was refused
    before anything was sent stands in the way of the same plan only.
    """
    plan_id, wanted = plan.plan_id, _sameness(plan.parent)
    for parent_id, record in reversed(parents.items()):
        # A plan's id is hashed anew each time; seed and preview are in it, and hardly any two plans have them alike.
        is_alike = (record.plan.seed, record.plan.previewed_ns) == (plan.seed, plan.previewed_ns)
        if is_alike and record.plan.plan_id == plan_id:
            return parent_id
        unsent = record.status is ParentStatus.REFUSED and not record.was_sent
        same_day = record.submitted_ns // _DAY_NS == now_ns // _DAY_NS
        if same_day and not unsent and _sameness(record.plan.parent) == wanted:
            return parent_id
    return None


def _sameness(parent: ParentOrder) -> tuple[object, ...]:
    return (parent.account, parent.contract.con_id, parent.side, parent.lots, parent.strategy, parent.tag)
