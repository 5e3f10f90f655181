"""One thing on which ledger and broker do not agree, or which is not ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing on which ledger and broker do not agree, or which is not ours.

    `kind` is ``order`` (ours works, the broker lists none), ``stray_order`` (the broker works an order of this journal
    that our ledger holds for over or does not know), ``stray_fill`` (an execution of such), ``untold_fill`` (the
    broker's list of completed orders calls lots filled of which no execution told), ``overfill`` (more filled than
    ordered), ``position`` (lots) or ``foreign_order`` (somebody else's, never touched). `resolved` says that nothing is
    left to be done about it.
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

    `adopt_lots` are lots of others that may become the baseline of the contract's position.
    """

    found: Break
    con_id: int
    unexplained: bool = False
    adopt_lots: int | None = None
