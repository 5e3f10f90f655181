"""What becomes of the rows of a basket at the moment at which it is handed over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra_nb.desk.basket.lines import Held, Line
from hydra_nb.domain.events import BasketRow
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.errors import invariant


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A row with a plan, when it is handed over.

    Attributes
    ----------
    now
        What its target is counted from now; None of a row without target, or where it is not known.
    parent_id, plan_id
        The parent that stands for it, or will; None where nothing is sent.
    sends
        Whether a parent of its own is submitted.
    refused
        Whether that parent is refused.
    repeats
        Whether an equal order was sent before.
    """

    line: Line
    now: Held | None
    parent_id: str | None = None
    plan_id: str | None = None
    sends: bool = False
    refused: bool = False
    repeats: bool = False
    reason: str = ""

    @property
    def terms(self) -> ExecutionPlan:
        """Its plan."""
        plan = self.line.plan
        invariant(plan is not None, f"row {self.line.label} is handed over without a plan")
        return plan.terms  # type: ignore[union-attr]  # see above

    @property
    def is_at_target(self) -> bool:
        """Whether the target was reached meanwhile."""
        target = self.line.want.target
        return self.now is not None and self.now.expected == target


def moved_words(row: Handed) -> str | None:
    """Why a row with a target is not sent: its difference is another than at preview; None where it is the same."""
    then = row.line.want.held
    if then is None:
        return None
    if row.now is None:
        return "the position is not known any more: preview again"
    if row.is_at_target:
        return AT_TARGET
    if row.now.expected == then.expected:
        return None
    return (
        f"position changed from {then.position:+d} with {then.outstanding:+d} outstanding to {row.now.position:+d} "
        f"with {row.now.outstanding:+d}: preview again"
    )


AT_TARGET = "at target already"


def handed_rows(rows: Sequence[Handed], lines: Sequence[Line]) -> tuple[BasketRow, ...]:
    """Rows for the journal, in the order of the frame, those that had nothing to send among them."""
    by_number = {row.line.want.request.number: row for row in rows}
    return tuple(_row(line, by_number.get(line.want.request.number)) for line in lines)


def _row(line: Line, handed: Handed | None) -> BasketRow:
    want = line.want
    has_order = handed is not None and not (handed.parent_id is None and handed.is_at_target)
    return BasketRow(
        row=line.label,
        local_symbol=want.contract.local_symbol,
        side=want.side if has_order else None,
        lots=want.lots if has_order else 0,
        target=want.target,
        parent_id=None if handed is None else handed.parent_id,
        plan_id=None if handed is None else handed.plan_id,
        reason=AT_TARGET if handed is None else handed.reason,
    )
