"""Where the order flow of a world comes from: each model with its figures, waiting for a seed."""

import hashlib
import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from hydra_nb.sim.flow import Flow, FlowParameters, Opening
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.models.impact import Impacted, ImpactParameters
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.models.queue_reactive import QueueReactive, QueueReactiveParameters
from hydra_nb.sim.models.santa_fe import SantaFe, SantaFeParameters
from hydra_nb.sim.models.tape import Tape, TapeParameters
from hydra_nb.sim.models.tape_packed import PackedTape, TapeFrom
from hydra_nb.sim.seeds import stream

Span = tuple[int, int]
"""From a time of a tape up to another, both included; UTC nanoseconds."""


class FlowSource(Protocol):
    """Makes the order flow of any seed. It is frozen and can be pickled: every path gets the one source."""

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides its flows but for the seed."""
        ...

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the order flow of a seed in a month; equal arguments give equal ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinSource:
    """The simulated market's own flow; `opening` is the touch that it begins with, None draws it."""

    parameters: FlowParameters
    opening: Opening | None

    @property
    def digest(self) -> str:
        """Of its figures."""
        return _digest(self)

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the flow of a seed, from the month's settlement on."""
        return Flow(self.parameters, dice=_dice(month, seed), fair_ticks=month.settlement_ticks, opening=self.opening)


@dataclass(frozen=True, slots=True, kw_only=True)
class SantaFeSource:
    """Zero intelligence, begun at a price, with a book of its own."""

    parameters: SantaFeParameters
    fair_ticks: float

    @property
    def digest(self) -> str:
        """Of its figures."""
        return _digest(self)

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the flow of a seed."""
        return SantaFe(self.parameters, dice=_dice(month, seed), fair_ticks=self.fair_ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReactiveSource:
    """Queue-reactive flow, begun at a price, with a book of its own."""

    parameters: QueueReactiveParameters
    fair_ticks: float

    @property
    def digest(self) -> str:
        """Of its figures."""
        return _digest(self)

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the flow of a seed."""
        return QueueReactive(self.parameters, dice=_dice(month, seed), fair_ticks=self.fair_ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeSource:
    """A tape, begun for each seed at an instant of its own, and moved by whole ticks so that it begins at one price.

    Attributes
    ----------
    tape, parameters
        What was recorded, and how it is replayed.
    spans
        When a path may begin; all instants of all spans are equally likely.
    fair_ticks
        The mid to begin with.
    """

    tape: PackedTape
    parameters: TapeParameters
    spans: tuple[Span, ...]
    fair_ticks: float

    @property
    def digest(self) -> str:
        """Of the rows, and of how they are replayed."""
        content = (self.tape.digest, self.parameters, self.spans, self.fair_ticks)
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def begins_ns(self, month: Month, *, seed: int) -> int:
        """Draw when the path of a seed begins on the tape."""
        ends = list(accumulate(last - first + 1 for first, last in self.spans))
        drawn = _dice(month, seed).randrange(ends[-1])
        number = bisect_right(ends, drawn)
        return self.spans[number][1] + 1 - (ends[number] - drawn)

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the tape from the instant of a seed on."""
        rows = TapeFrom(self.tape, begins_ns=self.begins_ns(month, seed=seed))
        model = Tape(rows, parameters=self.parameters)
        model.fair_ticks += math.floor(self.fair_ticks - model.fair_ticks + 0.5)
        return model


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactedSource:
    """Another source whose fair value follows what clients do."""

    source: FlowSource
    impact: ImpactParameters

    @property
    def digest(self) -> str:
        """Of the other source, and of the impact."""
        return hashlib.sha256(f"{self.source.digest} {self.impact!r}".encode()).hexdigest()

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the other's flow of a seed, behind the impact."""
        return Impacted(self.source.flow(month, seed=seed), impact=self.impact)


def _dice(month: Month, seed: int) -> random.Random:
    return stream(seed, "flow", month.listing.con_id)


def _digest(source: object) -> str:
    return hashlib.sha256(repr(source).encode()).hexdigest()
