"""One month, its flow and its hours, to be traded alone: what a rehearsal hands to an `Exchange`."""

import hashlib
from dataclasses import dataclass

from hydra_nb.sim.instruments import Month
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.sources import FlowSource


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A market of one contract; seeds make many of it that are alike.

    Attributes
    ----------
    month
        The contract, with the hours in which it trades and the last settlement.
    source
        Gives the order flow of each seed.
    account
        The one account.
    start_ns
        The first instant, UTC nanoseconds.
    """

    month: Month
    source: FlowSource
    account: str
    start_ns: int

    @property
    def digest(self) -> str:
        """SHA-256 over what decides its markets but for their seeds; the first 16 hexadecimals."""
        content = (self.month.listing, self.month.settlement_ticks, self.source.digest, self.start_ns)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    def flow(self, month: Month, *, seed: int) -> FlowModel:
        """Give the order flow of a seed in its month."""
        return self.source.flow(month, seed=seed)
