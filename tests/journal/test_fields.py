"""Fields that are read off the text of events are those of the events."""

from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.domain.events import ChildReserved, Event, ExecutionReported, ParentPaused, SliceFinished
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.values import replace
from hydra_nb.errors import InvariantBroken
from hydra_nb.journal.codec import encode_event
from hydra_nb.journal.fields import fields_of

from .test_codec import objects

NAMES: dict[type[Event], tuple[str, ...]] = {
    ExecutionReported: (
        "time_ns",
        "order_ref",
        "family",
        "revision",
        "side",
        "lots",
        "price",
        "quote.bid",
        "quote.ask",
    ),
    ChildReserved: (
        "action",
        "child.order_ref",
        "child.contract",
        "child.stage",
        "quote.bid_size",
        "predictor_version",
    ),
    SliceFinished: ("slice", "status", "reason"),
}


def plainly(event: Event, name: str) -> object:
    """A field, as it is read off: text, None, or a contract."""
    parts, value = name.split("."), event
    for part in parts:
        value = None if value is None else attrgetter(part)(value)
    return value if value is None or isinstance(value, FutureContract) else str(value)


@pytest.mark.parametrize("kind", NAMES, ids=lambda kind: kind.__name__)
@settings(deadline=None)
@given(data=st.data())
def test_fields_are_those_of_the_event(kind: type[Event], data: st.DataObject) -> None:
    """Whatever text, numbers and missing objects an event holds."""
    event = data.draw(objects(kind))

    found = fields_of(kind, *NAMES[kind])(encode_event(event))

    assert found == tuple(plainly(event, name) for name in NAMES[kind])


def test_a_contract_is_read_once(reserved: ChildReserved) -> None:
    """Its long text stands in every child order; one with brackets in its name is found too."""
    read = fields_of(ChildReserved, "child.contract")
    odd = replace(reserved.child.contract, name="]} odd")

    first, second = (read(encode_event(reserved))[0] for _ in range(2))
    other = read(encode_event(replace(reserved, child=replace(reserved.child, contract=odd))))[0]

    assert first is second
    assert first == reserved.child.contract
    assert other == odd


def test_what_older_journals_do_not_tell_may_be_missing(reserved: ChildReserved) -> None:
    """A row from before decisions were sealed has the same fields."""
    text = encode_event(reserved)
    older = text.replace(',"decisions":null', "")

    read = fields_of(ChildReserved, "action", "child.slice")

    assert older != text
    assert read(older) == read(text) == ("place", "1")


@pytest.mark.parametrize(
    "payload",
    [
        '{"time_ns":1}',
        '{"time_ns":1,"parent_id":"P","more":1}',
        '{"time_ns":1,"parent_id":"P"',
        "[]",
        "",
    ],
)
def test_what_is_no_event_is_refused(payload: str) -> None:
    """Missing and strange fields and broken text raise the codec's error."""
    with pytest.raises(ValueError, match=r".+"):
        fields_of(ParentPaused, "parent_id")(payload)


def test_an_unknown_field_is_refused() -> None:
    """A mistyped name is an error, and not a column of nothing."""
    with pytest.raises(InvariantBroken, match="ParentPaused lacks one of parent"):
        fields_of(ParentPaused, "parent")
