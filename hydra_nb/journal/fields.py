"""Some fields of many events, read off their JSON without making the events.

The codec writes the fields of a class in their order and without blanks. So one pattern, made of the type hints as the
codec's writer is, tells whether a text is such an event, and where in it the fields are. What it does not match, such
as text with escapes or an event from before a field was added, is decoded as any event, and raises what that raises.
"""

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any

from hydra_nb.domain.events import Event
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import invariant
from hydra_nb.journal.codec import decode_contract, decode_event

Fields = tuple[Any, ...]
ReadFields = Callable[[str], Fields]
"""Gives fields of an event from its JSON text; raises ValueError where the text is not such an event."""

_WHOLE = r"-?(?:0|[1-9]\d*)"
_REAL = rf"{_WHOLE}(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TEXT = r'[^"\\\x00-\x1f]*'
_PLAIN: dict[object, tuple[str, str, str]] = {  # what comes before, what is captured, what comes after
    int: ("", _WHOLE, ""),
    float: ("", _REAL, ""),
    bool: ("", "true|false", ""),
    str: ('"', _TEXT, '"'),
    Decimal: ('"', _REAL, '"'),
    FutureContract: ("", r"\{[^\]]*\]\}", ""),  # the list of sessions is its last field; it is decoded, once a text
}


def fields_of(kind: type[Event], *names: str) -> ReadFields:
    """Reader of some fields of one class of events.

    Parameters
    ----------
    kind
        The class.
    *names
        Which fields, in the order in which the class has them; those of an object within it by a path, ``quote.bid``.

    Returns
    -------
    ReadFields
        Gives the fields in this order: numbers, decimals and enums as their text, a contract as itself; None where the
        event has none, or no object that would hold it.
    """
    pattern = re.compile(_pattern(kind, path="", names=names), re.ASCII)
    invariant(pattern.groups == len(names), f"{kind.__name__} lacks one of {', '.join(names)}")
    match, read_each = pattern.fullmatch, [attrgetter(name) for name in names]

    def read(payload: str) -> Fields:
        found = match(payload)
        return _decoded(kind, payload, read_each) if found is None else found.groups()

    places = [place for place, name in enumerate(names) if name.rpartition(".")[2] == "contract"]
    return _with_contract(read, at=places[0]) if places else read


def whole_of(kind: type[Event]) -> ReadFields:
    """Reader that gives the event itself as its only field."""
    return lambda payload: (decode_event(kind.__name__, payload),)


def _decoded(kind: type[Event], payload: str, read_each: Sequence[Callable[[Any], Any]]) -> Fields:
    """The fields by way of the event."""
    event = decode_event(kind.__name__, payload)
    return tuple(_as_found(event, read_one) for read_one in read_each)


def _as_found(event: Event, read: Callable[[Any], Any]) -> Any:
    """A field of an event, as its pattern finds it."""
    try:
        value = read(event)
    except AttributeError:  # what would hold it is None
        return None
    return value if value is None or isinstance(value, FutureContract) else str(value)


def _with_contract(read: ReadFields, *, at: int) -> ReadFields:
    """Reader that makes the contract of its text."""

    def read_all(payload: str) -> Fields:
        found = read(payload)
        contract = found[at]
        if isinstance(contract, str):
            contract = decode_contract(contract)
        return (*found[:at], contract, *found[at + 1 :])

    return read_all


def _pattern(hint: Any, *, path: str, names: tuple[str, ...]) -> str:
    """Pattern of the JSON of values with this type hint; it has a group for each of `names` that lies in `path`."""
    arguments = typing.get_args(hint)
    if types.NoneType in arguments:
        (known,) = (one for one in arguments if one is not types.NoneType)
        return f"(?:null|{_pattern(known, path=path, names=names)})"
    if isinstance(hint, type) and issubclass(hint, Enum):
        before, within, after = '"', "|".join(re.escape(str(one.value)) for one in hint), '"'
    elif hint in _PLAIN:
        before, within, after = _PLAIN[hint]
    elif dataclasses.is_dataclass(hint):
        return _object_pattern(typing.cast("type", hint), path=path, names=names)
    else:
        raise TypeError(f"no pattern for {hint!r}")
    return f"{before}({within}){after}" if path in names else f"{before}(?:{within}){after}"


def _object_pattern(kind: type, *, path: str, names: tuple[str, ...]) -> str:
    """Pattern of an object of one dataclass; what has a default and is not asked for may be missing."""
    hints = typing.get_type_hints(kind)
    parts: list[str] = []
    for field in dataclasses.fields(kind):
        inner = f"{path}.{field.name}" if path else field.name
        comma = "," if parts else ""
        part = f'{comma}"{field.name}":{_pattern(hints[field.name], path=inner, names=names)}'
        is_asked_for = any(name == inner or name.startswith(f"{inner}.") for name in names)
        may_lack = field.default is not dataclasses.MISSING and not is_asked_for
        parts.append(f"(?:{part})?" if may_lack else part)
    return rf"\{{{''.join(parts)}\}}"
