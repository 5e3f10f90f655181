"""Events of a runner's daily cycles: one that began, what it sent, and how it ended."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from hydra_nb.domain.events_base import Event


class CycleStatus(StrEnum):
    """How a cycle stands."""

    RUNNING = "running"  # begun, and not over
    DONE = "done"  # all that was asked for is filled, or nothing was
    SHORT = "short"  # some lots were not filled
    REFUSED = "refused"  # nothing was sent, the gate refused it
    FAILED = "failed"  # the function, its answer, or the way to the broker failed
    SKIPPED = "skipped"  # not begun: the desk is killed, or the session is closed
    MISSED = "missed"  # not begun: its time passed while nothing ran
    INTERRUPTED = "interrupted"  # begun, and left: the process ended, or somebody stopped it
    DRY_RUN = "dry_run"  # previewed, and nothing sent, as asked

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look at it."""
        return self in (CycleStatus.DONE, CycleStatus.DRY_RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleBegan(Event):
    """A cycle of a day began; durable before the user's function is called, so that no other begins on that day.

    `day` is the trade date; `due_ns` is when it was due, None where a person ran it by hand.
    """

    cycle_id: str
    name: str
    day: dt.date
    dry_run: bool
    due_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleOrdered(Event):
    """A cycle is about to hand over its basket, of so many orders."""

    cycle_id: str
    basket_id: str
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleEnded(Event):
    """A cycle is over, or, where it is ``skipped``, ``missed`` or had no way to the broker, never began."""

    cycle_id: str
    name: str
    day: dt.date
    dry_run: bool
    status: CycleStatus
    basket_id: str | None
    orders: int
    message: str
