"""What becomes of the rows of a basket at the moment at which it is handed over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra_nb.desk.basket.lines import Held, Line
from hydra_nb.domain.events import BasketRow
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side

AT_TARGET = "at target already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A row when it is handed over.

    Attributes
    ----------
    now
        What its target is counted from now; None of a row without target, or where it is not known.
    terms
        The plan that is submitted for it; None where none is.
    parent_id, plan_id
        The parent that stands for it, or will; None where nothing does.
    repeats
        Whether that is an equal order that was sent before.
    reason
        Why nothing is submitted.
    """

    line: Line
    now: Held | None
    terms: ExecutionPlan | None = None
    parent_id: str | None = None
    plan_id: str | None = None
    repeats: bool = False
    reason: str = ""

    @property
    def is_at_target(self) -> bool:
        """Whether its target is reached by now."""
        target = self.line.want.target
        return target is not None and self.now is not None and self.now.expected == target

    @property
    def moved(self) -> str | None:
        """Why a target is not sent: its difference is another than at preview; None where it is the same."""
        then = self.line.want.held
        if then is None:
            return None
        if self.now is None:
            return "the position is not known any more: preview again"
        if self.is_at_target:
            return AT_TARGET
        if self.now.expected == then.expected:
            return None
        return (
            f"position changed from {then.position:+d} with {then.outstanding:+d} outstanding to "
            f"{self.now.position:+d} with {self.now.outstanding:+d}: preview again"
        )

    @property
    def row(self) -> BasketRow:
        """The row for the journal."""
        want = self.line.want
        side, lots = want.side, want.lots
        if want.target is not None and self.now is not None and self.parent_id is None:
            difference = want.target - self.now.expected
            side = None if not difference else Side.BUY if difference > 0 else Side.SELL
            lots = abs(difference)
        return BasketRow(
            row=self.line.label,
            local_symbol=want.contract.local_symbol,
            side=side,
            lots=lots,
            target=want.target,
            is_at_target=self.is_at_target,
            parent_id=self.parent_id,
            plan_id=self.plan_id,
            reason=self.reason,
        )


def rows_of(handed: Sequence[Handed]) -> tuple[BasketRow, ...]:
    """Rows for the journal, in the order of the frame."""
    return tuple(one.row for one in sorted(handed, key=lambda one: one.line.want.request.number))
