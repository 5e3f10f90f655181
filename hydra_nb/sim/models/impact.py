"""What our own orders do to the market, as stated numbers: impact of takes, its decay, and adverse selection.

What it does
    `Impacted` stands before any model of order flow and moves its fair value. Lots that clients take displace it by
    coefficient x daily volatility x sqrt(lots / average daily volume): the square-root law. Takes soon after each
    other count together, so that ten of one lot displace it as one of ten does; what they took is forgotten
    exponentially, such that the displacement of one take halves in `half_life_s` (the volume impact of Alfonsi, Fruth
    and Schied, Quantitative Finance 10, 143, 2010, with a square root for its shape). After a passive fill the fair
    value drifts against the filled side, by `adverse_ticks` over `adverse_horizon_s`; a later fill of that side begins
    the time anew, so that each fill has the same expected drift behind it, however many there are.

What it leaves out
    Nothing is random here: how much impact and selection vary is the model's own noise. Orders that rest without being
    filled move nothing. The displacement reaches the book with the next act of the flow.
"""

import math
from dataclasses import dataclass

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.models.port import OTHER, SIGN, FlowModel, KnowsBusyHours
from hydra_nb.sim.records import SimSide

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactParameters:
    """How clients' orders move the market; all of it is off by default.

    Attributes
    ----------
    coefficient : float
        Displacement by a take of a whole day's volume, in daily volatilities; of the order of 1 in published
        measurements. Where it is 0, takes of clients are left to the model; else the model does not hear of them, or
        they would count twice.
    daily_ticks : float
        Standard deviation of the price over a day, in ticks.
    daily_lots : float
        Average daily volume.
    half_life_s : float
        Seconds in which the displacement of a take halves; infinite where it stays.
    adverse_ticks : float
        Expected drift against the filled side after a passive fill, in ticks, on top of what the model does by itself.
    adverse_horizon_s : float
        Seconds over which it comes, evenly.
    """

    coefficient: float = 0.0
    daily_ticks: float = 0.0
    daily_lots: float = 1.0
    half_life_s: float = math.inf
    adverse_ticks: float = 0.0
    adverse_horizon_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("coefficient", "daily_ticks"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}: a finite number of 0 or more is needed")
        for name in ("daily_lots", "half_life_s", "adverse_horizon_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: a number above zero is needed")
        if not math.isfinite(self.adverse_ticks):
            raise ValueError(f"adverse_ticks is {self.adverse_ticks}: a finite number is needed")

    def displacement_ticks(self, lots: float) -> float:
        """Give by how much a take of so many lots moves the fair value at once; negative lots are sold."""
        size_ticks = self.coefficient * self.daily_ticks * math.sqrt(abs(lots) / self.daily_lots)
        return math.copysign(size_ticks, lots)


class Impacted:
    """A model of order flow whose fair value follows what clients do.

    Parameters
    ----------
    model
        What is moved.
    impact
        By how much.
    """

    def __init__(self, model: FlowModel, *, impact: ImpactParameters) -> None:
        self.model = model
        self.impact = impact
        self._taken_lots = 0.0
        """Lots bought less lots sold by takes, as far as they are not forgotten."""
        self._displaced_ticks = 0.0
        self._last_ns = 0
        self._drifts_until_ns = dict.fromkeys(SimSide, 0)
        self._is_client_taking = False

    @property
    def absent(self) -> SimSide | None:
        """The model's absent side."""
        return self.model.absent

    @absent.setter
    def absent(self, side: SimSide | None) -> None:
        self.model.absent = side

    @property
    def fair_ticks(self) -> float:
        """The model's fair value, displacement included."""
        return self.model.fair_ticks

    @fair_ticks.setter
    def fair_ticks(self, ticks: float) -> None:
        self.model.fair_ticks = ticks

    @property
    def parameters(self) -> KnowsBusyHours:
        """Those of the model."""
        return self.model.parameters

    def open(self, book: Book, *, now_ns: int) -> None:
        """Open the model's session, at a fair value that has recovered since."""
        self._pass_to(now_ns)
        self.model.open(book, now_ns=now_ns)

    def close(self, book: Book) -> None:
        """End the model's session."""
        self.model.close(book)

    def wait_ns(self, *, busy: bool) -> int:
        """The model's wait."""
        return self.model.wait_ns(busy=busy)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:
        """Let displacement decay and drift come, then let the model act."""
        self._pass_to(now_ns)
        return self.model.act(book, now_ns=now_ns, busy=busy)

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Take in what a client took, or on which side clients were filled while they rested."""
        self._pass_to(now_ns)
        self._is_client_taking = entry.owner is Owner.CLIENT
        if self._is_client_taking:
            self._taken_lots += SIGN[entry.side] * sum(match.lots for match in entry.matches)
            self._displace()
        elif any(match.resting_owner is Owner.CLIENT for match in entry.matches):
            until_ns = now_ns + round(self.impact.adverse_horizon_s * _NS_PER_S)
            self._drifts_until_ns[OTHER[entry.side]] = until_ns
        self.model.heed(entry, now_ns=now_ns)

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Hand on prints, but those of clients' takes where their impact is counted here."""
        if not (self._is_client_taking and self.impact.coefficient):
            self.model.note_trade(side, lots=lots)

    def _pass_to(self, now_ns: int) -> None:
        """Let time pass: what was taken fades, and the fair value drifts behind passive fills."""
        elapsed_s = (now_ns - self._last_ns) / _NS_PER_S
        # A quarter of the lots is half of the displacement.
        self._taken_lots *= 0.25 ** (elapsed_s / self.impact.half_life_s)
        ticks_per_ns = self.impact.adverse_ticks / (self.impact.adverse_horizon_s * _NS_PER_S)
        for side, until_ns in self._drifts_until_ns.items():
            drifting_ns = max(0, min(now_ns, until_ns) - self._last_ns)
            self.model.fair_ticks -= SIGN[side] * drifting_ns * ticks_per_ns
        self._last_ns = now_ns
        self._displace()

    def _displace(self) -> None:
        ticks = self.impact.displacement_ticks(self._taken_lots)
        self.model.fair_ticks += ticks - self._displaced_ticks
        self._displaced_ticks = ticks
