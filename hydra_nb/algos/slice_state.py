"""The state of one slice, and the times that rule it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hydra_nb.algos.actions import CoreAction
from hydra_nb.domain.orders import Action, SliceStatus, Stage
from hydra_nb.domain.units import NS_PER_S, Side

RETRY_NS = 5 * NS_PER_S
EXPIRY_GRACE_NS = 10 * NS_PER_S
MODIFY_ROOM_NS = 2 * NS_PER_S
ACK_NS = 10 * NS_PER_S
PROOF_NS = 2 * NS_PER_S
DOUBT_NS = 15 * NS_PER_S
UNRESOLVED_NS = 120 * NS_PER_S


class Phase(StrEnum):
    """Phases of a slice."""

    PLACING = "placing"  # nothing of it lives, an order is wanted from its start on
    LIVE = "live"  # an order is proposed, or works
    ENDING = "ending"  # its order is to be proven dead
    HELD = "held"  # paused, nothing of it lives
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the slices of one parent have in common; `ref_prefix` begins every orderRef."""

    parent_id: str
    ref_prefix: str
    con_id: int
    side: Side
    tick: Decimal
    step: Decimal
    limit: Decimal | None
    arrival_mid: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceState:
    """One slice; times are UTC nanoseconds.

    `lots` are planned and carried ones together, `filled_before` those that earlier attempts filled. `skip` tells that
    no further modify will be proposed, `renew` that a new attempt follows the proven death of this one, `outlives` that
    the broker, when last asked, showed its order open although its expiry had passed by our clock, `late_ns` by how
    much a loop that was held up delayed it, `given_up` that its lots are left to later slices for that.
    """

    terms: Terms
    number: int
    planned_lots: int
    lots: int
    start_ns: int
    mid_end_ns: int
    step_end_ns: int
    end_ns: int
    phase: Phase = Phase.PLACING
    attempt: int = 1
    filled_before: int = 0
    proposed: Action | None = None
    sent: bool = False
    stage: Stage | None = None
    price: Decimal | None = None
    skip: bool = False
    paused: bool = False
    renew: bool = False
    stopped: bool = False
    retry_ns: int = 0
    ending_ns: int = 0
    next_cancel_ns: int = 0
    cancels: int = 0
    probe_ns: int | None = None
    outlives: bool = False
    refusal: str | None = None
    hard_refusal: str | None = None
    reason: str = ""
    filled: int = 0
    outcome: SliceStatus | None = None
    late_ns: int = 0
    given_up: bool = False

    @property
    def order_ref(self) -> str:
        """OrderRef of the present attempt."""
        return f"{self.terms.ref_prefix}:{self.number}:{self.attempt}"

    @property
    def is_done(self) -> bool:
        """Whether the slice does nothing more."""
        return self.phase is Phase.DONE

    @property
    def has_sent_nothing(self) -> bool:
        """Whether nothing of it was ever handed to the socket, and nothing is on the way there."""
        return self.phase is Phase.PLACING and not self.sent and not self.filled_before

    def stage_at(self, now_ns: int) -> Stage:
        """The stage that the time says."""
        if now_ns < self.mid_end_ns:
            return Stage.MID
        return Stage.STEP if now_ns < self.step_end_ns else Stage.CROSS

    def expiry_of(self, stage: Stage) -> int:
        """Good-till date of a stage: its end and 10 s, on a whole second."""
        ends = {Stage.MID: self.mid_end_ns, Stage.STEP: self.step_end_ns, Stage.CROSS: self.end_ns}[stage]
        return (ends + EXPIRY_GRACE_NS) // NS_PER_S * NS_PER_S


Decided = tuple[SliceState, tuple[CoreAction, ...]]
