"""A world behind a gateway: an exchange that is asked more than the direct driver asks."""

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import DailyBar
from hydra_nb.sim.world import World


class WorldExchange(Exchange):
    """One month alone, whose past nobody knows.

    Parameters
    ----------
    seed, world
        As of `Exchange`.
    """

    def __init__(self, *, seed: int, world: World) -> None:
        super().__init__(seed=seed, world=world)

    def daily_bars(self, con_id: int, days: int, now_ns: int) -> list[DailyBar]:  # noqa: ARG002  whatever is asked
        """None: a world begins today."""
        return []

    def open_interest(self, con_id: int, now_ns: int) -> int | None:  # noqa: ARG002  whatever is asked
        """Not known."""
        return None
