"""What went wrong, as it was done."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEntry:
    """One fault at the moment it struck.

    Attributes
    ----------
    time_ns
        Market time, UTC nanoseconds.
    kind
        A name in `FAULTS`.
    detail
        What was done, for people.
    states
        States of the orders concerned at that moment, each once: of the one order that the fault is about, else of
        all orders of the clients that it reaches; ``("none",)`` where there are none.
    """

    time_ns: int
    kind: str
    detail: str
    states: tuple[str, ...]
