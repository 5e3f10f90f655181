"""Has the managers that desks make tell their steps to a world, from their first on."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from hydra_nb.desk import connect as composition
from hydra_nb.order_manager import AlreadySent
from tests.simulation.world import World


@contextlib.contextmanager
def witnessed(world: World) -> Iterator[None]:
    """Have every manager that a desk makes tell its steps to `world`, from its first on."""
    made = composition.OrderManager

    class Witnessed(made):  # type: ignore[misc, valid-type]
        """The manager as it is, with its hook in use before it is told anything."""

        def __init__(self, core: Any, **rooms: Any) -> None:
            super().__init__(core, **rooms)
            life = world.manager_made(self, rooms)
            self.on_step = lambda event, actions: world.stepped(life, event, actions)

    composition.OrderManager = Witnessed  # type: ignore[misc]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AlreadySent)
            yield
    finally:
        composition.OrderManager = made  # type: ignore[misc]
