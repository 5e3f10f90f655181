"""Where the order flow of a world comes from: each model with its figures, waiting for a seed."""

import hashlib
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, replace
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
class EstimatedVolatility:
    """A volatility that some returns have told: every seed draws one of those that they may have come from.

    Of n normal returns with the sample variance s2, and nothing else known, the variance is (n - 1) s2 over a
    chi-square of n - 1 degrees of freedom (Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.2).

    Attributes
    ----------
    returns
        How many returns, three at least.
    variance_ticks2
        s2, of one second of trading, in ticks squared.
    traded_ticks2
        What of that trades make, in the mean of a day: it is known, and the fair value's own walk makes the rest.
    """

    returns: int
    variance_ticks2: float
    traded_ticks2: float

    def drawn(self, parameters: FlowParameters, *, dice: random.Random) -> FlowParameters:
        """Give the parameters with a volatility that is drawn."""
        degrees = self.returns - 1
        ratio = degrees / dice.gammavariate(degrees / 2, 2.0)
        walk_ticks2 = max(0.0, ratio * self.variance_ticks2 - self.traded_ticks2)
        return replace(
            parameters, daily_ticks=parameters.daily_ticks * math.sqrt(ratio), volatility_ticks=math.sqrt(walk_ticks2)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinSource:
    """The simulated market's own flow.

    Attributes
    ----------
    parameters
        How it behaves.
    opening
        The touch that it begins with; None draws it.
    volatility
        From what each seed draws its volatility, instead of that of the parameters; None leaves it.
    """

    parameters: FlowParameters
    opening: Opening | None
    volatility: EstimatedVolatility | None = None

    @property
    def digest(self) -> str:
        """Of its figures."""
        return _digest(self)

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the flow of a seed, from the month's settlement on."""
        parameters = self.parameters
        if self.volatility is not None:  # by dice of its own: it begins as a market does whose volatility is known
            dice = stream(seed, "volatility", month.listing.con_id)
            parameters = self.volatility.drawn(parameters, dice=dice)
        return Flow(parameters, dice=_dice(month, seed), fair_ticks=month.settlement_ticks, opening=self.opening)


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
        """Give the other's flow of a seed, behind the impact.

        Most models follow their fair value by whole ticks. Each path begins at a place of its own between two of them,
        which moves nothing by itself, so that a move by a part of a tick is one by so much in the mean of the paths.
        """
        model = self.source.flow(month, seed=seed)
        model.fair_ticks += stream(seed, "between ticks", month.listing.con_id).random() - 0.5
        return Impacted(model, impact=self.impact)


def _dice(month: Month, seed: int) -> random.Random:
    return stream(seed, "flow", month.listing.con_id)


def _digest(source: object) -> str:
    return hashlib.sha256(repr(source).encode()).hexdigest()
