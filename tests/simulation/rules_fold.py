"""Rules that hold after every event of the journal, in the step of the loop in which it was folded."""

from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.algos.actions import CoreAction, Propose
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import Action, OrderState
from hydra_nb.ledger import OrderRecord
from tests.simulation.facts import NS_PER_S, Before, Facts, Life

EXPIRY_TOLERANCE_NS = 1 * NS_PER_S
MOST_TASKS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event, what the core answered, and the order that it concerns: before and after."""

    event: ev.Event
    actions: tuple[CoreAction, ...]
    record: OrderRecord | None
    before: Before
    life: Life

    @property
    def is_end(self) -> bool:
        """Whether the order went over in this step."""
        was_over = self.before.state is not None and self.before.state.is_over
        return self.record is not None and self.record.state.is_over and not was_over


StepRule = Callable[[Facts, Step], str | None]


def never_overfilled(facts: Facts, step: Step) -> str | None:
    """4. True fills over all children and permIds never exceed the parent's lots, but for a venue's overfill."""
    if not isinstance(step.event, ev.ExecutionReported) or step.record is None:
        return None
    parent_id = step.record.child.parent_id
    lots = facts.parent_lots(parent_id)
    filled, excess = facts.truth.filled_of(parent_id), facts.truth.excess_of(parent_id)
    if lots is not None and filled > lots + excess:
        return f"{parent_id}: {filled} lots filled in truth, {lots} ordered"
    return None


def overfill_halts(_facts: Facts, step: Step) -> str | None:
    """4. A venue overfill is booked, alarmed, and halts in the same step."""
    if step.record is None or not step.record.overfilled or not isinstance(step.event, ev.ExecutionReported):
        return None
    parent_id = step.record.child.parent_id
    if any(isinstance(asked, Propose) and asked.parent_id == parent_id for asked in step.actions):
        return f"{step.record.order_ref} was overfilled, and {parent_id} goes on in the same step"
    return None


def worst_case_within(facts: Facts, step: Step) -> str | None:
    """5. Filled plus worst-case working lots never exceed the parent's lots: by the ledger."""
    if step.record is None:
        return None
    life, parent_id = step.life, step.record.child.parent_id
    parent = life.ledger.parents.get(parent_id)
    if parent is None:
        return f"{step.record.order_ref} belongs to no parent that the ledger knows"
    records = [life.ledger.orders[ref] for ref in parent.order_refs]
    booked = sum(record.booked_lots for record in records)
    working = sum(0 if record.state.is_over else max(0, record.total_lots - record.booked_lots) for record in records)
    if booked + working > parent.plan.parent.lots + facts.truth.excess_of(parent_id):
        return f"{parent_id}: {booked} lots booked and {working} working, of {parent.plan.parent.lots}"
    return None


def latest_revisions(_facts: Facts, step: Step) -> str | None:
    """6. Booked lots are the sum over execution families of the latest revision, duplicated or reordered."""
    if step.record is None:
        return None
    ours = step.life.own_booking(step.record.order_ref)
    if step.record.booked_lots != ours:
        return f"{step.record.order_ref}: {step.record.booked_lots} lots booked, its executions sum to {ours}"
    return None


def ended_by_proof(_facts: Facts, step: Step) -> str | None:
    """7. No terminal state follows from an error code alone: only executions, a probe, or a frame never sent."""
    if not step.is_end or step.record is None:
        return None
    if step.record.state is OrderState.FILLED:
        fits = isinstance(step.event, ev.ExecutionReported)
    else:
        fits = isinstance(step.event, ev.DeathProbed | ev.SendFailed)
    if not fits:
        return f"{step.record.order_ref} became {step.record.state} by {type(step.event).__name__}"
    return None


def dead_in_truth(facts: Facts, step: Step) -> str | None:
    """7. An order that we call over does not live at the exchange."""
    if not step.is_end or step.record is None:
        return None
    ref = step.record.order_ref
    if step.record.state is OrderState.DEAD and facts.may_fill(ref):
        return f"{ref} is dead with us, of which {facts.may_fill(ref)} lots may still fill"
    return None


def late_fill_booked(_facts: Facts, step: Step) -> str | None:
    """8. A fill on a finished order is booked and alarmed, never dropped."""
    state = step.before.state
    if step.record is None or not isinstance(step.event, ev.ExecutionReported) or state is None or not state.is_over:
        return None
    if step.record.booked_lots > step.before.booked_lots and not (step.record.late_fill or step.record.overfilled):
        return f"{step.record.order_ref} filled after its end without an alarm"
    return None


def falls_by_correction(_facts: Facts, step: Step) -> str | None:
    """9. Booked lots fall only through a correction or a bust."""
    if step.record is None or step.record.booked_lots >= step.before.booked_lots:
        return None
    if isinstance(step.event, ev.ExecutionReported) and step.event.revision > 1:
        return None
    return f"{step.record.order_ref}: {step.before.booked_lots} lots booked, now {step.record.booked_lots}"


def none_proposed_beside(_facts: Facts, step: Step) -> str | None:
    """10. No replacement is asked for before its predecessor is over in the ledger."""
    for asked in step.actions:
        if isinstance(asked, Propose) and asked.action is Action.PLACE:
            prefix = ":".join(asked.order_ref.split(":")[:4]) + ":"
            for record in step.life.ledger.open_orders():
                if record.order_ref.startswith(prefix) and record.order_ref != asked.order_ref:
                    return f"{asked.order_ref} is wanted while {record.order_ref} is {record.state}"
    return None


def only_ours(_facts: Facts, step: Step) -> str | None:
    """15. Orders of others are never counted as ours."""
    if step.record is not None and not step.record.order_ref.startswith(step.life.own_prefix):
        return f"{step.record.order_ref} is in our ledger"
    return None


def gone_with_its_expiry(facts: Facts, step: Step) -> str | None:
    """21. No resting order of ours is still at the exchange after its expiry."""
    if step.record is None:
        return None
    known = facts.truth.orders.get(step.record.order_ref)
    if known is None:
        return None
    for view in known.live_views():
        good_till_ns = view.terms.good_till_ns
        if good_till_ns is None or facts.exchange._now_ns > good_till_ns + EXPIRY_TOLERANCE_NS:
            return f"{step.record.order_ref} rests at the exchange after its expiry"
    return None


def ends_with_its_slices(_facts: Facts, step: Step) -> str | None:
    """20. A parent order that ends has brought each of its slices to an end."""
    if not isinstance(step.event, ev.ParentFinished):
        return None
    parent = step.life.ledger.parents.get(step.event.parent_id)
    left = [] if parent is None else [one.number for one in parent.slices if one.done_ns is None]
    return f"{step.event.parent_id} is {step.event.status}, and its slices {left} have not ended" if left else None


def nothing_breaks(_facts: Facts, step: Step) -> str | None:
    """0. No task of the desk meets an error that nobody expected."""
    return f"{step.event.where}: {step.event.error}" if isinstance(step.event, ev.TaskFailed) else None


def bounded(_facts: Facts, step: Step) -> str | None:
    """L. No queue and no retry is unbounded."""
    manager = step.life.manager
    if len(manager.tasks._tasks) > MOST_TASKS or len(manager._queue) > MOST_TASKS:
        return f"{len(manager.tasks._tasks)} tasks, {len(manager._queue)} events queued"
    return None


HELD_BACK = (
    "not what was approved",
    "is off the",
    "cannot be written to the wire exactly",
    "not a positive whole number",
    "not on a whole second",
)
"""Words of the last wall before the socket: what it holds back is a mistake of the package, never of the world."""


def leaves_as_approved(_facts: Facts, step: Step) -> str | None:
    """1. What is to leave is what was approved and recorded: the last wall before the socket holds nothing back."""
    if isinstance(step.event, ev.SendFailed) and any(words in step.event.reason for words in HELD_BACK):
        return f"{step.event.order_ref} was held back: {step.event.reason}"
    return None


STEP_RULES: tuple[StepRule, ...] = (
    leaves_as_approved,
    never_overfilled,
    overfill_halts,
    worst_case_within,
    latest_revisions,
    ended_by_proof,
    dead_in_truth,
    late_fill_booked,
    falls_by_correction,
    none_proposed_beside,
    only_ours,
    gone_with_its_expiry,
    ends_with_its_slices,
    nothing_breaks,
    bounded,
)
