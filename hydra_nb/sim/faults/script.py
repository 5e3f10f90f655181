"""What goes wrong and when: faults one by one, or at rates, both from a seed; also read from a TOML file."""

import random
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hydra_nb.sim.faults.kinds import FaultKind, Value
from hydra_nb.sim.faults.table import FAULTS

_HIGHEST_TIME_S = 400 * 86_400.0
_HIGHEST_PER_HOUR = 3_600.0
_FAULT_KEYS = ("kind", "at_s", "state", "client_id", "order_ref", "times")


class FaultScriptError(ValueError):
    """A fault script cannot be used; the message says what is wrong and what would be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: from its time on it waits for its occasion, then strikes.

    Attributes
    ----------
    kind
        A name in `FAULTS`.
    at_s
        Seconds of market time from the market's start; before it the fault does not strike.
    state
        Strike only an order in this state (one of `STATES`), None for any. Faults of connections and markets
        strike while some order of a client is in it.
    client_id
        Strike only this client and its orders, None for any.
    order_ref
        Strike only orders whose reference begins so.
    times
        How often it strikes.
    parameters
        Parameters of the kind by name; those left out have their defaults.

    Raises
    ------
    FaultScriptError
        When the kind, a parameter or a value is not of the table.
    """

    kind: str
    at_s: float = 0.0
    state: str | None = None
    client_id: int | None = None
    order_ref: str = ""
    times: int = 1
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kind = known_kind(self.kind)
        _check_number(f"{self.kind}: at_s", self.at_s, highest=_HIGHEST_TIME_S)
        _check_number(f"{self.kind}: times", self.times, lowest=1, highest=1_000_000, whole=True)
        if self.client_id is not None:
            _check_number(f"{self.kind}: client_id", self.client_id, highest=2**31, whole=True)
        if not isinstance(self.order_ref, str):
            raise FaultScriptError(f"{self.kind}: order_ref is {self.order_ref!r}; a text is taken")
        if self.state is not None and self.state not in kind.states:
            raise FaultScriptError(f"{self.kind}: state is {self.state!r}; it can strike in {', '.join(kind.states)}")
        known = {parameter.name: parameter for parameter in kind.parameters}
        for name, value in self.parameters.items():
            if name not in known:
                takes = ", ".join(known) or "no parameters"
                raise FaultScriptError(f"{self.kind}: {name!r} is not a parameter; it takes {takes}")
            refusal = known[name].refusal(value)
            if refusal is not None:
                raise FaultScriptError(f"{self.kind}: {refusal}")

    def settings(self) -> dict[str, Any]:
        """All parameters, defaults filled in."""
        return {parameter.name: parameter.default for parameter in FAULTS[self.kind].parameters} | dict(self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """Faults at random: the mean number of each kind in an hour of market time.

    Times, parameters (between half and twice their defaults, or any of their choices) and, for every second fault
    about orders, the order state to wait for, come from the script's seed.

    Raises
    ------
    FaultScriptError
        When a kind is unknown or a rate is not within 0 and 3,600.
    """

    per_hour: Mapping[str, float]

    def __post_init__(self) -> None:
        for name, rate in self.per_hour.items():
            known_kind(name)
            _check_number(f"rate of {name}", rate, highest=_HIGHEST_PER_HOUR)

    @classmethod
    def draw(
        cls, dice: random.Random, *, per_hour: float = 20.0, kinds: Iterable[str] = tuple(FAULTS), share: float = 0.5
    ) -> Self:
        """Draw rates: some of the kinds, unevenly, so many faults an hour in all.

        Parameters
        ----------
        dice
            Whose numbers decide.
        per_hour
            Mean number of faults in an hour of market time, all kinds together.
        kinds
            The kinds to draw from.
        share
            The chance of each to be among them.
        """
        names = [known_kind(name).name for name in kinds]
        chosen = [name for name in names if dice.random() < share] or names
        weights = {name: dice.expovariate(1.0) for name in chosen}
        total = sum(weights.values())
        return cls(per_hour={name: per_hour * weight / total for name, weight in weights.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScript:
    """Everything that goes wrong in one run.

    Attributes
    ----------
    faults
        Faults one by one.
    rates
        Faults at random, None for none.
    seed
        Decides all that is random about both; the market has its own.
    heal_s
        Seconds of market time from the start at which all faults end; None for never.
    from_s
        Seconds of market time from the start at which faults at random begin.

    Raises
    ------
    FaultScriptError
        When a value is not taken.
    """

    faults: tuple[Fault, ...] = ()
    rates: FaultRates | None = None
    seed: int = 0
    heal_s: float | None = None
    from_s: float = 0.0

    def __post_init__(self) -> None:
        _check_number("from_s", self.from_s, highest=_HIGHEST_TIME_S)
        _check_number("seed", self.seed, lowest=-(2.0**63), highest=2.0**63, whole=True)
        if self.heal_s is not None:
            _check_number("heal_s", self.heal_s, highest=_HIGHEST_TIME_S)

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a script: ``seed``, ``heal_s``, ``from_s``, a table ``[rates]`` of faults an hour, ``[[fault]]`` tables.

        A fault's parameters stand in its table, beside ``kind``, ``at_s``, ``state``, ``client_id``, ``order_ref``
        and ``times``.

        Raises
        ------
        FaultScriptError
            When the file cannot be read or holds what is not taken; the message names the file.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls._from_table(table)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, FaultScriptError) as error:
            raise FaultScriptError(f"fault script {path}: {error}") from None

    @classmethod
    def _from_table(cls, table: dict[str, Any]) -> Self:
        _refuse_others("the script", table, known=("seed", "heal_s", "from_s", "rates", "fault"))
        rates, faults = table.get("rates"), table.get("fault", [])
        if rates is not None and not isinstance(rates, dict):
            raise FaultScriptError("rates is no table; write [rates] and one line for each kind")
        if not isinstance(faults, list) or not all(isinstance(one, dict) for one in faults):
            raise FaultScriptError("fault is no list of tables; write [[fault]] before each")
        return cls(
            faults=tuple(_fault(one) for one in faults),
            rates=None if rates is None else FaultRates(per_hour=rates),
            seed=table.get("seed", 0),
            heal_s=table.get("heal_s"),
            from_s=table.get("from_s", 0.0),
        )


def known_kind(name: object) -> FaultKind:
    """Give a kind by its name.

    Raises
    ------
    FaultScriptError
        When there is none; the message lists those that there are.
    """
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise FaultScriptError(f"unknown fault {name!r}; known are {', '.join(FAULTS)}")
    return kind


def _fault(table: dict[str, Any]) -> Fault:
    if "kind" not in table:
        raise FaultScriptError(f"a fault without a kind; known are {', '.join(FAULTS)}")
    own = {name: value for name, value in table.items() if name in _FAULT_KEYS}
    parameters = {name: value for name, value in table.items() if name not in _FAULT_KEYS}
    return Fault(**own, parameters=parameters)


def _refuse_others(what: str, table: Mapping[str, Any], *, known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise FaultScriptError(f"{what} has {name!r}; it takes {', '.join(known)}")


def _check_number(what: str, value: object, *, lowest: float = 0.0, highest: float, whole: bool = False) -> None:
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fits or not lowest <= float(value) <= highest:  # type: ignore[arg-type]  # it is a number by now
        kind = "a whole number" if whole else "a number"
        raise FaultScriptError(f"{what} is {value!r}; {kind} from {lowest:g} to {highest:g} is taken")
