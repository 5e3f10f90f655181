"""All rows of a basket before the gate: each beside what is at work, and beside the rows that come before it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hydra_nb.desk.basket.lines import Line, Want, in_turn, reduces
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.order_manager import OrderManager
from hydra_nb.order_manager.planned import unfilled_lots


def weigh(wants: Sequence[Want], *, plans: Mapping[int, Plan], manager: OrderManager, now_ns: int) -> tuple[Line, ...]:
    """Rows with the gate's decisions over all of them, in the order of the frame.

    What reduces risk comes first, and yet counts in full beside those that follow: it frees nothing before it has
    filled. A row that would be refused, or that was sent before, is not counted.
    """
    lines = _in_order(wants, plans=plans, manager=manager)
    before: list[ExecutionPlan] = []
    decided: dict[int, Line] = {}
    for line in in_turn(lines):
        plan = line.plan
        if plan is None:
            continue
        terms = plan.terms
        decisions = manager.check_plan(terms, beside=before)
        joint = replace(plan, decisions=decisions, would_pass_now=manager.whole_plan.would_pass(terms, beside=before))
        if manager.whole_plan.refusal(terms, decisions=decisions, now_ns=now_ns) is None:
            before.append(terms)
        decided[line.want.request.number] = replace(line, plan=joint, alone=plan.passes)
    lines = tuple(decided.get(line.want.request.number, line) for line in lines)
    return tuple(replace(line, message=_message(line, manager=manager)) for line in lines)


def _in_order(wants: Sequence[Want], *, plans: Mapping[int, Plan], manager: OrderManager) -> tuple[Line, ...]:
    """Rows, and which of them only reduce a position."""
    planned = manager.snapshots.planned()
    lines: list[Line] = []
    for want in wants:
        con_id, side = want.contract.con_id, want.side
        working = sum(one.unfilled_lots for one in planned if (one.contract.con_id, one.side) == (con_id, side))
        working += sum(one.want.lots for one in lines if (one.want.contract.con_id, one.want.side) == (con_id, side))
        span = manager.snapshots.span(con_id)
        position = None if span is None or side is None else span[side.sign > 0]
        line = Line(want=want, plan=plans.get(want.request.number))
        lines.append(replace(line, reduces=reduces(want, position=position, same_side_lots=working)))
    return tuple(lines)


def _message(line: Line, *, manager: OrderManager) -> str:
    """What a person should know of a row beside its figures."""
    want, said = line.want, []
    if line.plan is None and want.held is not None:
        said.append(
            f"At target already: position {want.held.position:+d}, outstanding {want.held.outstanding:+d}; nothing is "
            "sent."
        )
    if not line.passes and line.plan is not None:
        decisive = next(one for one in line.plan.decisions if not one.allowed)
        said.append(f"{decisive.check}: {decisive.message}.")
        if line.alone:
            said.append("Alone it would pass.")
        if line.largest_target is not None:
            said.append(f"The largest target that would pass is {line.largest_target:+d}.")
    return " ".join([*said, *_held_words(want, manager=manager)])


def _held_words(want: Want, *, manager: OrderManager) -> list[str]:
    """That parents of the contract hold lots which only a person can free."""
    words = []
    for record in manager.ledger.parents.values():
        lots, parent = unfilled_lots(manager.ledger, record), record.plan.parent
        if parent.contract.con_id != want.contract.con_id or not lots:
            continue
        if record.status is ParentStatus.INTERRUPTED:
            words.append(
                f"{record.parent_id} is interrupted and holds {parent.side} {lots} until it is resumed or abandoned."
            )
        elif record.status is ParentStatus.NEEDS_HUMAN:
            words.append(f"{record.parent_id} needs you: {parent.side} {lots} of it may still fill.")
        elif want.side is parent.side.opposite:
            words.append(f"{record.parent_id} still has {parent.side} {lots} to do.")
    return words
