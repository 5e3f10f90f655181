"""What a runner is told, checked, and when two are the same."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra_nb.desk.arguments import How
from hydra_nb.desk.runner.asking import WANTED, Function
from hydra_nb.desk.runner.days import parse_at
from hydra_nb.errors import InvalidOrder

LONGEST_LIMIT_S = 86_400.0
_CATCH_UP = ("skip", "run")
_ON_REFUSAL = ("continue", "stop")
_VALUES = ("__closure__", "__defaults__", "__kwdefaults__", "__dict__")
"""Where a function holds values that its lines do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """The arguments of `Runner`, see there.

    Raises
    ------
    InvalidOrder
        One is malformed.
    TypeError
        A setting of orders in `how` is not known.
    """

    function: Function
    at: Any
    calendar: str
    dry_run: bool
    catch_up: str
    time_limit_s: float
    on_refusal: str
    name: str
    reports: Path | None
    how: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Refuse what could not run when its time comes."""
        if not callable(self.function):
            raise InvalidOrder(
                f"a runner calls a function of yours with the day, not a {type(self.function).__name__}"
                f"; it returns {WANTED}"
            )
        parse_at(self.at)
        if not isinstance(self.calendar, str) or not self.calendar.strip():
            raise InvalidOrder(f"calendar={self.calendar!r} names no future; say the symbol or month whose days count")
        if not isinstance(self.dry_run, bool):
            raise InvalidOrder(f"dry_run={self.dry_run!r} is neither True nor False")
        _one_of(self.catch_up, _CATCH_UP, what="catch_up")
        _one_of(self.on_refusal, _ON_REFUSAL, what="on_refusal")
        limit_s = self.time_limit_s
        if isinstance(limit_s, bool) or not isinstance(limit_s, int | float) or not 0 < limit_s <= LONGEST_LIMIT_S:
            raise InvalidOrder(f"time_limit_s={limit_s!r} is outside 0 to {LONGEST_LIMIT_S:g} s")
        if not isinstance(self.name, str) or not (0 < len(self.name.strip()) <= 60 and self.name.isprintable()):
            raise InvalidOrder(f"name={self.name!r} is not one line of 1 to 60 characters")
        How.parse(self.how)

    def is_same(self, other: "Settings") -> bool:
        """Whether a runner with these settings would do the same, as that of a cell that is run again."""
        return _key(self) == _key(other) and _is_same_function(self.function, other.function)


def _key(settings: Settings) -> tuple[object, ...]:
    at = settings.at if isinstance(settings.at, str) else repr(settings.at)
    how = sorted((name, repr(value)) for name, value in settings.how.items())
    return (
        at,
        settings.calendar,
        settings.dry_run,
        settings.catch_up,
        settings.time_limit_s,
        settings.on_refusal,
        settings.name,
        settings.reports,
        how,
    )


def _is_same_function(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether a function is another, or was made of the same lines: those of a cell that is run again are.

    What holds values of its own, as an object that is called, a partial or a closure does, is the same as itself only.
    """
    if one is other:
        return True
    if inspect.ismethod(one) and inspect.ismethod(other):  # made anew each time that it is looked up
        return one.__self__ is other.__self__ and one.__func__ is other.__func__
    if not (inspect.isfunction(one) and inspect.isfunction(other)):
        return False
    holds_values = any(getattr(each, name) for each in (one, other) for name in _VALUES)
    return one.__code__ == other.__code__ and one.__globals__ is other.__globals__ and not holds_values


def _one_of(value: object, choices: tuple[str, ...], *, what: str) -> None:
    if value not in choices:
        raise InvalidOrder(f"{what}={value!r}: say one of {', '.join(choices)}")
