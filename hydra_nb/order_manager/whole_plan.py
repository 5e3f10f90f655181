"""A whole plan before the gate, at the prices of now: for the preview, and again when it is submitted."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hydra_nb.algos.prices import IndicativeLimits, indicative_limits
from hydra_nb.broker.port import OrderPort
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.order_manager.snapshot import SnapshotTaker
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Decision, Refused, WouldPass

T = TypeVar("T")


class WholePlan:
    """Asks the gate about plans; nothing is sealed, sent or recorded.

    Where `beside` names other plans, an order is looked at as if these worked already, and with them all that parents
    at work may still do; None looks at what works alone.
    """

    def __init__(self, *, gate: RiskGate, broker: OrderPort, snapshots: SnapshotTaker) -> None:
        self._gate = gate
        self._broker = broker
        self._snapshots = snapshots

    @property
    def limits(self) -> Limits:
        """The limits that the gate holds orders against."""
        return self._gate.limits

    def check(self, plan: ExecutionPlan, *, beside: Sequence[ExecutionPlan] | None = None) -> tuple[Decision, ...]:
        """Make every check of a parent order."""
        return self._ask(self._gate.check_parent, plan, beside=beside)

    def would_pass(self, plan: ExecutionPlan, *, beside: Sequence[ExecutionPlan] | None = None) -> WouldPass:
        """Tell what all checks together would allow."""
        return self._ask(self._gate.would_pass, plan, beside=beside)

    def refusal(self, plan: ExecutionPlan, *, decisions: tuple[Decision, ...], now_ns: int) -> Refused | None:
        """Give the refusal that stops a plan at submission; of what time cures only a session that is closed then."""
        refused = self._gate.verdict(decisions)
        begins_later = plan.begins_ns(now_ns) > now_ns
        if refused is None or (refused.transient and not begins_later and plan.parent.contract.is_open(now_ns)):
            return None
        return refused

    def indicative(self, plan: ExecutionPlan) -> IndicativeLimits:
        """Give the prices that the stages would have now."""
        parent = plan.parent
        return indicative_limits(
            self._broker.quote(parent.contract.con_id),
            side=parent.side,
            tick=parent.contract.tick,
            step=plan.step,
            limit=parent.limit,
        )

    def _ask(self, question: Callable[..., T], plan: ExecutionPlan, *, beside: Sequence[ExecutionPlan] | None) -> T:
        prices = self.indicative(plan)
        return question(
            plan.parent,
            snapshot=self._snapshots.of_parent(plan, beside=beside),
            first_price=prices.mid,
            worst_price=prices.cross,
            messages=plan.messages_budget,
            slices=plan.slices_as_its_largest,
        )
