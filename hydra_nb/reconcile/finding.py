"""One thing on which ledger and broker do not agree, or which is not ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing on which ledger and broker do not agree, or which is not ours.

    `kind` is ``order`` (ours works, the broker lists none), ``stray_order`` (the broker works an order of this journal
    that our ledger holds for over or does not know), ``stray_fill`` (an execution of such), ``untold_fill`` (the
    broker's list of completed orders calls lots filled of which no execution told), ``overfill`` (more filled than
    ordered), ``position`` (lots), ``foreign_order`` (somebody else's, never touched), ``commission`` (executions, and
    those of them whose fees were told) or ``cash`` (realised results). `resolved` says that nothing is left to be done
    about it; the last two lock nothing.
    """

    time_ns: int
    kind: str
    local_symbol: str
    order_ref: str
    ours: float | None
    brokers: float | None
    resolved: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A break, the contract that it is about (0 where unknown), and whether it is unexplained.

    `adopt_lots` are lots of others that may become the baseline of the contract's position. `unproven` tells of an
    order that the broker does not list, and whose death was not asked for yet.
    """

    found: Break
    con_id: int
    unexplained: bool = False
    adopt_lots: int | None = None
    unproven: bool = False

    @property
    def subject(self) -> tuple[str, int, str]:
        """What it is about, the same in every look that finds it."""
        return self.found.kind, self.con_id, self.found.order_ref

    @property
    def is_doubt(self) -> bool:
        """Whether something would follow from it, so that it must persist."""
        return self.unexplained or self.unproven or self.adopt_lots is not None
