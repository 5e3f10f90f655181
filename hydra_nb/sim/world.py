"""One month, its flow and its hours, to be traded alone: what a rehearsal hands to an `Exchange`."""

import hashlib
from dataclasses import dataclass

from hydra_nb.sim.flow import Flow, FlowParameters, Opening
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.seeds import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A market of one contract; seeds make many of it that are alike.

    Attributes
    ----------
    month
        The contract, with the hours in which it trades and the last settlement.
    parameters
        How its order flow behaves.
    opening
        The touch that it begins with; None draws it.
    account
        The one account.
    start_ns
        The first instant, UTC nanoseconds.
    """

    month: Month
    parameters: FlowParameters
    opening: Opening | None
    account: str
    start_ns: int

    @property
    def digest(self) -> str:
        """SHA-256 over what decides its markets but for their seeds; the first 16 hexadecimals."""
        content = (self.month.listing, self.month.settlement_ticks, self.parameters, self.opening, self.start_ns)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    def flow(self, month: Month, *, seed: int) -> Flow:
        """Give the order flow of a seed in its month."""
        return Flow(
            self.parameters,
            dice=stream(seed, "flow", month.listing.con_id),
            fair_ticks=month.settlement_ticks,
            opening=self.opening,
        )
