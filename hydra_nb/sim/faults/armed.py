"""Faults whose time has come, and the parameters of those that come at random."""

import random
from dataclasses import dataclass
from typing import Any

from hydra_nb.sim.faults.kinds import FaultKind, Parameter, Value
from hydra_nb.sim.faults.script import Fault
from hydra_nb.sim.faults.states import Key

NS_PER_S = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Armed:
    """A fault whose time has come."""

    kind: FaultKind
    fault: Fault
    settings: dict[str, Any]
    state: str | None
    left: int

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.kind.name

    def fits(self, key: Key, *, state: str, order_ref: str) -> bool:
        """Whether it may strike this order as it is."""
        fault = self.fault
        return (
            state in self.kind.states
            and self.state in {None, state}
            and fault.client_id in {None, key[0]}
            and order_ref.startswith(fault.order_ref)
        )

    def fits_any(self, states: tuple[str, ...]) -> bool:
        """Whether it may strike where orders are in these states."""
        return self.state is None or self.state in states

    def ns(self, name: str) -> int:
        """A parameter in seconds, as nanoseconds."""
        return round(float(self.settings[name]) * NS_PER_S)


def draw_value(parameter: Parameter, dice: random.Random) -> Value:
    """Draw a parameter: one of its choices, or between half and twice its default, within its bounds."""
    default = parameter.default
    if isinstance(default, bool):
        return dice.random() < 0.5
    if parameter.choices:
        return dice.choice(parameter.choices)
    if isinstance(default, int):
        low, high = sorted((default // 2, default * 2))
        return dice.randint(max(low, int(parameter.lowest)), min(high, int(parameter.highest)))
    return min(max(float(default) * dice.uniform(0.5, 2.0), parameter.lowest), parameter.highest)
