"""What the bulk fold keeps of terms, orders, slices, parents and fills."""

from array import array
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentStatus, SliceStatus
from hydra_nb.domain.plan import ExecutionPlan

UNKNOWN_NS: Final = -(2**63)
"""An unknown time among whole numbers; numpy's NaT."""

decimal_of = lru_cache(maxsize=100_000)(Decimal)
"""A decimal of its text; few prices come again and again."""


def decimals_of(text: str) -> int:
    """Decimals of a number."""
    if "E" not in text:
        return len(text.partition(".")[2])
    exponent = Decimal(text).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Terms(NamedTuple):
    """Terms of a place or a modify as they were gated; `order_mid` is of the quote that the gate saw."""

    parent_id: str
    slice: int
    contract: FutureContract
    side: str
    stage: str
    order_mid: Decimal | None
    predicted_slippage: Decimal | None
    predictor_version: str | None


@dataclass(slots=True)
class OrderFacts:
    """A child order; terms are places among all terms, `booked` holds revision and lots by execution family."""

    parent_id: str
    slice: int
    reserved: int | None = None  # gated, not known to be sent
    in_force: int | None = None  # gated and sent
    sent_ns: int = UNKNOWN_NS
    booked: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class SliceFacts:
    """What became of one slice; the fields are those of the ledger's `SliceRecord`."""

    number: int
    status: SliceStatus = SliceStatus.PLANNED
    filled_lots: int = 0
    carried_lots: int = 0
    stage: str | None = None
    expires_ns: int | None = None
    sent_ns: int | None = None
    done_ns: int | None = None
    messages: int = 0
    reason: str = ""


@dataclass(slots=True)
class ParentFacts:
    """What became of one parent; the fields are those of the ledger's `ParentRecord`, `quote` is that of arrival."""

    parent_id: str
    plan: ExecutionPlan
    submitted_ns: int
    quote: Quote | None
    arrival_mid: Decimal | None
    slices: tuple[SliceFacts, ...]
    began_ns: int | None
    status: ParentStatus = ParentStatus.SCHEDULED
    finished_ns: int | None = None
    filled_lots: int = 0
    has_orders: bool = False

    @property
    def begins_ns(self) -> int:
        """From when the offsets of its plan count, but for pauses."""
        return self.plan.begins_ns(self.submitted_ns)


@dataclass(slots=True)
class Fills:
    """Execution families of own orders in the order of their first report, by column; busts, of zero lots, among them.

    `received_ns`, `bids` and `asks` are of the first report; `executed_ns`, `lots` and `prices` of the highest
    revision, `exact_prices` their text, of up to `decimals` decimals. `terms` is the place, among all terms, of those
    in force at the first report, and `sent_ns` when their order was placed. `fees` are NaN until reported. `places`
    finds a family, `by_parent` those of a parent.
    """

    families: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    by_parent: dict[str, list[int]] = field(default_factory=dict)
    revisions: list[int] = field(default_factory=list)
    prices: "array[float]" = field(default_factory=lambda: array("d"))
    exact_prices: list[str] = field(default_factory=list)
    decimals: int = 0
    fees: "array[float]" = field(default_factory=lambda: array("d"))
    received_ns: "array[int]" = field(default_factory=lambda: array("q"))
    executed_ns: "array[int]" = field(default_factory=lambda: array("q"))
    sent_ns: "array[int]" = field(default_factory=lambda: array("q"))
    lots: "array[int]" = field(default_factory=lambda: array("q"))
    terms: "array[int]" = field(default_factory=lambda: array("q"))
    bids: "array[float]" = field(default_factory=lambda: array("d"))
    asks: "array[float]" = field(default_factory=lambda: array("d"))
