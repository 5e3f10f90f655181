"""Events as JSON and back, exactly.

The form follows the type hints of the frozen dataclasses, resolved once a class: an object by field name,
tuples as lists, enums as their value, ``Decimal`` and dates as text, None as null. Text is written
directly, field by field, because an event is encoded on the way to every order.
"""

import dataclasses
import datetime as dt
import json
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from hydra_nb.domain.events import EVENT_TYPES, Event
from hydra_nb.domain.instrument import FutureContract

Encode = Callable[[Any], str]
Decode = Callable[[Any], Any]

_REMEMBERED = 64  # contracts
_CONTRACT_HOLDERS = {"ChildReserved": ("child",), "ParentSubmitted": ("plan", "parent")}  # kinds that hold a contract
_CONTRACT_KEY = '"contract":'  # inside a string its quotes would be escaped
_CONTRACT_END = "]}"  # the list of sessions is a contract's last field

EVENT_BY_KIND: dict[str, type[Event]] = {kind.__name__: kind for kind in EVENT_TYPES}


def encode_event(event: Event) -> str:
    """JSON text of all fields of `event`; its kind is the name of its class and not part of the text."""
    kind: Any = type(event)
    return _encoder(kind)(event)


def decode_event(kind: str, payload: str) -> Event:
    """Event from its kind and its JSON text, equal to the one encoded.

    Raises
    ------
    ValueError
        The kind is unknown, or the text is not such an event.
    """
    event_type: Any = EVENT_BY_KIND.get(kind)
    if event_type is None:
        raise ValueError(f"event kind {kind!r} is unknown")
    try:
        return typing.cast("Event", _decoder(event_type)(_parsed(kind, payload)))
    except (TypeError, KeyError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"not a {kind}: {error!r}") from error


def _parsed(kind: str, payload: str) -> Any:
    """What `json.loads` gives, but that a contract stands there as itself where its very text was read before.

    The same long text stands in every child order of a journal, so that reading it once halves the time of a replay.
    """
    holders = _CONTRACT_HOLDERS.get(kind)
    start = payload.find(_CONTRACT_KEY) + len(_CONTRACT_KEY)
    end = payload.find(_CONTRACT_END, start) + len(_CONTRACT_END)
    if holders is None or not len(_CONTRACT_KEY) <= start < end - len(_CONTRACT_END):
        return json.loads(payload)
    try:
        contract = decode_contract(payload[start:end])
        value = holder = json.loads(f"{payload[:start]}null{payload[end:]}")
    except ValueError:
        return json.loads(payload)  # the text was cut at another place than the contract's end
    for name in holders:
        holder = holder[name]
    holder["contract"] = contract
    return value


@lru_cache(maxsize=_REMEMBERED)
def decode_contract(text: str) -> FutureContract:
    """The contract of a JSON text, which is remembered.

    Raises
    ------
    ValueError
        The text is not such a contract.
    """
    try:
        return typing.cast("FutureContract", _decoder(FutureContract)(json.loads(text)))
    except (TypeError, KeyError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"not a contract: {error!r}") from error


@cache
def _encoder(hint: Any) -> Encode:
    """Writer of the JSON text of values with this type hint."""
    if hint is FutureContract:
        return _remembering(_dataclass_encoder(FutureContract))
    if dataclasses.is_dataclass(hint):
        return _dataclass_encoder(typing.cast("type", hint))
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        write = _encoder(_not_none(arguments))
        return lambda value: "null" if value is None else write(value)
    if typing.get_origin(hint) is tuple:
        write_item = _encoder(arguments[0])
        return lambda value: f"[{','.join(map(write_item, value))}]"
    if hint is bool:
        return lambda value: "true" if value else "false"
    if hint is int:
        return "{:d}".format  # of a numpy integer too, and never of a float
    if hint is float:
        return json.dumps
    if hint is Decimal:
        return lambda value: f'"{value}"'
    if hint is dt.date:
        return lambda value: f'"{value.isoformat()}"'
    if isinstance(hint, type) and issubclass(hint, str):  # text, and enums that are text
        return encode_basestring_ascii
    raise TypeError(f"no JSON form for {hint!r}")


def _dataclass_encoder(kind: type) -> Encode:
    """Writer of an object of one dataclass; the template is filled in one go."""
    hints = typing.get_type_hints(kind)
    fields = [(field.name, _encoder(hints[field.name])) for field in dataclasses.fields(kind)]
    template = "{" + ",".join(f'"{name}":%s' for name, _ in fields) + "}"
    return lambda value: template % tuple([write(getattr(value, name)) for name, write in fields])


def _remembering(write: Encode) -> Encode:
    """Writer that keeps the text of the objects it saw last, by identity.

    Contracts are large, and the same object goes into every child order. Equality would not do: equal decimals may
    have different texts, and what is written must not depend on what was written before.
    """
    texts: dict[int, tuple[Any, str]] = {}

    def write_once(value: Any) -> str:
        known = texts.get(id(value))
        if known is not None:
            return known[1]
        if len(texts) >= _REMEMBERED:
            texts.clear()
        text = write(value)
        texts[id(value)] = value, text  # with the object, so that its identity is not given to another
        return text

    return write_once


@cache
def _decoder(hint: Any) -> Decode:
    """Reader of values with this type hint from what `json.loads` gives."""
    if dataclasses.is_dataclass(hint):
        return _dataclass_decoder(typing.cast("type", hint))
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        read = _decoder(_not_none(arguments))
        return lambda value: None if value is None else read(value)
    if typing.get_origin(hint) is tuple:
        read_item = _decoder(arguments[0])
        return lambda value: tuple(map(read_item, value))
    if hint in (bool, int, float, str):
        return lambda value: value
    if hint is dt.date:
        return dt.date.fromisoformat
    if isinstance(hint, type) and issubclass(hint, Enum | Decimal):
        return hint
    raise TypeError(f"no JSON form for {hint!r}")


def _dataclass_decoder(kind: type) -> Decode:
    """Reader of an object of one dataclass; a field that the text lacks takes its default."""
    hints = typing.get_type_hints(kind)
    read = _fields_reader(kind, hints)
    # A contract may have been read already, see `_parsed`.
    return (
        (lambda value: value if isinstance(value, FutureContract) else read(value)) if kind is FutureContract else read
    )


def _fields_reader(kind: type, hints: dict[str, Any]) -> Decode:
    """Reader of an object of one dataclass, field by field."""
    plain = (bool, int, float, str, int | None, float | None, str | None)
    read_by_name = {
        field.name: _decoder(hints[field.name]) for field in dataclasses.fields(kind) if hints[field.name] not in plain
    }

    def read(value: dict[str, Any]) -> Any:
        for name, read_field in read_by_name.items():
            if name in value:
                value[name] = read_field(value[name])
        return kind(**value)

    return read


def _not_none(arguments: tuple[Any, ...]) -> Any:
    """The one type of a union that is not None."""
    (hint,) = (argument for argument in arguments if argument is not types.NoneType)
    return hint
