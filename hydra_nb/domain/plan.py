"""The frozen plan of a parent order: every random number drawn, every lot assigned."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.orders import ParentOrder
from hydra_nb.domain.rehearsed_cost import RehearsedCost
from hydra_nb.domain.trajectory import AlmgrenChriss
from hydra_nb.errors import invariant

PLAN_VALID_S = 300
MESSAGES_PER_SLICE = 4
"""One place, a modify for each later stage, and a cancel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Seconds that each stage of patience lasts, as whole nanoseconds."""

    mid_ns: int
    step_ns: int
    cross_ns: int

    @property
    def total_ns(self) -> int:
        """Length of the whole ladder."""
        return self.mid_ns + self.step_ns + self.cross_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlice:
    """One slice: its lots, its start, the window that jitter allowed, its ladder.

    Offsets are nanoseconds from submission. `number` counts from 1.
    """

    number: int
    lots: int
    offset_ns: int
    earliest_ns: int
    latest_ns: int
    ladder: Ladder

    @property
    def ends_ns(self) -> int:
        """Offset at which the ladder has ended."""
        return self.offset_ns + self.ladder.total_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Predicted slippage per lot against the mid at preview, in price units, and its version.

    `half_spread` is what the book showed, `impact` what the formula adds. Where a `calibration` was in force, or a
    person took the evidence of a rehearsal (`rehearsed`), `assumed_slippage` is what the formula says with its assumed
    constants.
    """

    slippage: Decimal
    half_spread: Decimal
    impact: Decimal
    daily_volatility: float | None
    adv_lots: float | None
    version: str
    calibration: SlippageCalibration | None = None
    assumed_slippage: Decimal | None = None
    rehearsed: RehearsedCost | None = None

    @property
    def formula_slippage(self) -> Decimal:
        """What the formula says with the constants in force, whatever the evidence is."""
        return self.slippage if self.rehearsed is None else self.rehearsed.formula_slippage


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """What runs is what was shown; its id is the hash of its content.

    `step` is the fraction of the price by which the second stage moves; `duration_ns` counts from
    submission to the end of the last slice's window. `decision_mid` is the mid at preview. `start_ns` is the market
    time at which a plan that begins later begins; its offsets then count from there. `trajectory` says by what its lots
    were divided; None is evenly.
    """

    parent: ParentOrder
    slices: tuple[PlannedSlice, ...]
    duration_ns: int
    step: Decimal
    seed: int
    participation: float
    adv_lots: float | None
    adv_source: str
    decision_mid: Decimal | None
    prediction: Prediction | None
    previewed_ns: int
    start_ns: int | None = None
    trajectory: AlmgrenChriss | None = None

    def __post_init__(self) -> None:
        """Lots are conserved and slices are in order."""
        invariant(bool(self.slices), "a plan without slices")
        invariant(
            sum(planned.lots for planned in self.slices) == self.parent.lots,
            f"slices hold {sum(planned.lots for planned in self.slices)} lots, the parent {self.parent.lots}",
        )
        invariant(all(planned.lots > 0 for planned in self.slices), "a slice of zero lots")

    @property
    def valid_until_ns(self) -> int:
        """When the preview becomes too old to be submitted."""
        return self.previewed_ns + PLAN_VALID_S * 1_000_000_000

    def begins_ns(self, submitted_ns: int) -> int:
        """From when its offsets count, were it submitted then."""
        return submitted_ns if self.start_ns is None else max(submitted_ns, self.start_ns)

    @property
    def slices_as_its_largest(self) -> int:
        """The most slices of which the largest, were they even, is no smaller than its own; even ones are as many."""
        largest = max(planned.lots for planned in self.slices)
        # Of lots in n even slices the largest has lots / n, rounded up.
        return len(self.slices) if largest == 1 else min(len(self.slices), (self.parent.lots - 1) // (largest - 1))

    @property
    def messages_budget(self) -> int:
        """Order messages that the plan may need: places, modifies and cancels."""
        return MESSAGES_PER_SLICE * len(self.slices)

    @property
    def plan_id(self) -> str:
        """SHA-256 over the parent, offsets, lots, ladders, draws and limits; the first 16 hexadecimals."""
        parent = self.parent
        words = [
            f"{parent.account}|{parent.contract.con_id}|{parent.side}|{parent.lots}|{parent.strategy}",
            f"{parent.limit}|{parent.tag}|{parent.caller_adv_lots}|{self.step}|{self.seed}|{self.previewed_ns}",
        ]
        words += [] if self.start_ns is None else [f"start {self.start_ns}"]
        words += [] if self.trajectory is None else [f"almgren_chriss {self.trajectory.risk_aversion!r}"]
        words += [
            f"{s.number}|{s.lots}|{s.offset_ns}|{s.ladder.mid_ns}|{s.ladder.step_ns}|{s.ladder.cross_ns}"
            for s in self.slices
        ]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
