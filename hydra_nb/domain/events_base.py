"""What all events have in common."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact with the market time (UTC nanoseconds) at which we learned it."""

    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsSeal:
    """The gate's decisions that led to an event: their first and last number in the journal, and a hash over them."""

    first: int
    last: int
    digest: str
