"""What widgets may know of a rehearsal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from hydra_nb.domain.units import Side

if TYPE_CHECKING:
    import pandas as pd


class RehearsedPort(Protocol):
    """What was rehearsed, as far as a screen tells it."""

    @property
    def label(self) -> str:
        """A few words that tell the plan from others beside it."""
        ...

    @property
    def side(self) -> Side:
        """Side of the order."""
        ...

    @property
    def lots(self) -> int:
        """Lots of the order."""
        ...

    @property
    def local_symbol(self) -> str:
        """Month of the future."""
        ...

    @property
    def currency(self) -> str:
        """Currency of its cash."""
        ...

    @property
    def duration_s(self) -> float:
        """Length of the schedule."""
        ...

    @property
    def messages_budget(self) -> int:
        """Order messages that the plan allows."""
        ...

    @property
    def predicted_ticks(self) -> float | None:
        """What the formula predicts a lot to cost."""
        ...

    @property
    def model(self) -> str:
        """The market model."""
        ...

    @property
    def leaves_out(self) -> str:
        """What that leaves out of a real market."""
        ...


class RehearsalPort(Protocol):
    """One plan over many simulated markets; nothing was sent."""

    @property
    def rehearsed(self) -> RehearsedPort:
        """What was rehearsed."""
        ...

    @property
    def seeds(self) -> Sequence[int]:
        """Seed of each path."""
        ...

    @property
    def refused(self) -> Mapping[str, int]:
        """How many paths each check refused, or ended."""
        ...

    def summary(self) -> "pd.DataFrame":
        """One row a quantity, with its error."""
        ...

    def done_by_s(self, share: float = 0.5) -> float:
        """When every lot was filled in a share of the paths, seconds since the order began; NaN where never."""
        ...
