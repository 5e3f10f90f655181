"""How limits change: which are tightened, which loosened, and what holds when a desk opens on a journal with a past."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra_nb.errors import LimitsError
from hydra_nb.risk.limits import ALL_SYMBOLS, BOUNDS, Limits, check_limit

OwnLimits = Mapping[tuple[str, str], float]
"""Values by symbol, or `ALL_SYMBOLS`, and name of the limit; a symbol is there with limits of its own only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """One limit of a symbol, or of all, that becomes another.

    Attributes
    ----------
    symbol, limit
        Whose, or `ALL_SYMBOLS`, and which.
    old, new
        Its own value; None where a symbol has none, and follows the limit of all.
    was, becomes
        What holds for it, its own or not.
    """

    symbol: str
    limit: str
    old: float | None
    new: float | None
    was: float
    becomes: float

    @property
    def loosens(self) -> bool:
        """Whether it allows more than before."""
        return BOUNDS[self.limit].is_tighter(self.was, than=self.becomes)

    @property
    def name(self) -> str:
        """The limit and, where it is a symbol's own, the symbol: ``collar_ticks of ZO``."""
        return self.limit if self.symbol == ALL_SYMBOLS else f"{self.limit} of {self.symbol}"

    def __str__(self) -> str:
        """In words: ``collar_ticks of ZO from 40 to 120 ticks``."""
        return f"{self.name} from {self.was:,.15g} to {self.becomes:,.15g} {BOUNDS[self.limit].unit}"


def own_limits(limits: Limits) -> dict[tuple[str, str], float]:
    """Take limits apart: those of all in the order of `BOUNDS`, then those of each symbol likewise."""
    apart: dict[tuple[str, str], float] = {(ALL_SYMBOLS, name): getattr(limits, name) for name in BOUNDS}
    for symbol, own in limits.symbols.items():
        apart |= {(symbol, name): own[name] for name in BOUNDS if name in own}
    return apart


def limits_of(own: OwnLimits) -> Limits:
    """Put limits together again; one that is not told takes its default, one that is no limit here is left out.

    A journal may be that of another version, which had a limit more, or other bounds.
    """
    values: dict[str, Any] = {}
    symbols: dict[str, dict[str, float]] = {}
    for (symbol, name), value in own.items():
        if symbol == ALL_SYMBOLS and _is_limit(name, value, symbol=None):
            values[name] = value
        elif symbol != ALL_SYMBOLS and _is_limit(name, value, symbol=symbol):
            symbols.setdefault(symbol, {})[name] = value
    return Limits(**values, symbols=symbols)


def limit_changes(old: Limits, new: Limits) -> tuple[LimitChange, ...]:
    """What becomes another, of all first, then by symbol."""
    before, after = own_limits(old), own_limits(new)
    return tuple(
        LimitChange(
            symbol=symbol,
            limit=name,
            old=before.get((symbol, name)),
            new=after.get((symbol, name)),
            was=getattr(old.for_symbol(symbol), name),
            becomes=getattr(new.for_symbol(symbol), name),
        )
        for symbol, name in sorted({*before, *after}, key=_place)
        if before.get((symbol, name)) != after.get((symbol, name))
    )


def with_changes(limits: Limits, changes: Iterable[LimitChange]) -> Limits:
    """Limits after some changes."""
    own: dict[tuple[str, str], float] = own_limits(limits)
    for change in changes:
        _put(own, (change.symbol, change.limit), change.new)
    return limits_of(own)


def asked_limits(limits: Limits, asked: Mapping[str, object]) -> Limits:
    """Limits after what a person asked for.

    Parameters
    ----------
    asked
        Values by name, ``"collar_ticks"``, or by symbol and name, ``"ZO.collar_ticks"``; None takes a symbol's own
        away, so that it follows the limit of all.

    Raises
    ------
    LimitsError
        A name or a value is none.
    """
    own = own_limits(limits)
    for key, value in asked.items():
        symbol, dot, name = str(key).rpartition(".")
        if value is None and dot:
            check_limit(name, getattr(limits, name, None), symbol=symbol)
            own.pop((symbol, name), None)
        else:
            _put(own, (symbol if dot else ALL_SYMBOLS, name), check_limit(name, value, symbol=symbol if dot else None))
    return limits_of(own)


def limits_at_opening(given: Limits, *, last_given: OwnLimits, in_force: OwnLimits) -> Limits:
    """What holds when a desk opens: the limits given, but that what was tightened since they were given stays so.

    A limit that is given otherwise than the last time was changed by the caller, and holds as it is given. One that
    is given as it was then has not been thought of again: opening the desk once more, as after a crash, must not
    loosen it. What was loosened with a reason ends with the desk for which the reason was given.

    Parameters
    ----------
    last_given, in_force
        By the journal: the limits given when a desk was last opened on it, and those that held last; empty for a
        journal without any.
    """
    own = own_limits(given)
    for key in sorted({*own, *in_force}, key=_place):
        symbol, name = key
        limit_of_all = own.get((ALL_SYMBOLS, name))
        if limit_of_all is None or own.get(key) != last_given.get(key):
            continue
        kept = in_force.get(key)
        if kept is not None and not _is_limit(name, kept, symbol=None if symbol == ALL_SYMBOLS else symbol):
            continue
        then = limit_of_all if kept is None else kept
        if BOUNDS[name].is_tighter(then, than=own.get(key, limit_of_all)):
            _put(own, key, kept)
    return limits_of(own)


def _put(own: dict[tuple[str, str], float], key: tuple[str, str], value: float | None) -> None:
    if value is None:
        own.pop(key, None)
    else:
        own[key] = value


def _is_limit(name: str, value: float, *, symbol: str | None) -> bool:
    try:
        check_limit(name, value, symbol=symbol)
    except LimitsError:
        return False
    return True


def _place(key: tuple[str, str]) -> tuple[bool, str, int]:
    """Where a limit stands in a list: those of all first, then by symbol, each in the order of `BOUNDS`."""
    symbol, name = key
    return symbol != ALL_SYMBOLS, symbol, _ORDER.get(name, len(_ORDER))


_ORDER = {name: place for place, name in enumerate(BOUNDS)}
