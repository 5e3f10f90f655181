"""Events survive the way through JSON exactly."""

import dataclasses
import datetime as dt
import json
import math
import types
import typing
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.events import (
    EVENT_TYPES,
    ChildReserved,
    DeathProbed,
    Event,
    ParentPaused,
    ParentRefused,
    Rearmed,
)
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import ChildOrder, ParentOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.rehearsed_cost import RehearsedCost
from hydra_nb.domain.trajectory import AlmgrenChriss, LinearImpact
from hydra_nb.journal.codec import _decoder, _encoder, decode_event, encode_event

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e12"), max_value=Decimal("1e12"))
POSITIVE = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(100000), places=4)
FLOATS = st.floats(allow_nan=False)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value with this type hint."""
    if dataclasses.is_dataclass(hint):
        return objects(hint)
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        (other,) = (argument for argument in arguments if argument is not types.NoneType)
        return st.none() | values(other)
    if typing.get_origin(hint) is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return {
        int: st.integers(-(2**63), 2**63 - 1),
        float: FLOATS | st.integers(-1000, 1000),
        str: st.text(),
        bool: st.booleans(),
        Decimal: DECIMALS,
        dt.date: st.dates(),
    }[hint]


@st.composite
def objects(draw: st.DrawFn, kind: Any) -> Any:
    """Any object of a dataclass that its own checks let pass."""
    hints = typing.get_type_hints(kind)
    drawn = {field.name: draw(values(hints[field.name])) for field in dataclasses.fields(kind)}
    if kind is FutureContract:
        drawn |= {"con_id": draw(st.integers(1, 2**40)), "price_magnifier": draw(st.sampled_from([1, 100]))}
        drawn |= {"tick": draw(POSITIVE), "multiplier": draw(POSITIVE)}
    if kind is ChildOrder:
        drawn |= {"limit_price": drawn["contract"].tick * draw(st.integers(-5, 500)), "account": "SIM4AB7QF"}
        drawn |= {"lots": draw(st.integers(1, 99)), "expires_ns": draw(st.integers(1, 2**62))}
    if kind is SlippageCalibration:
        drawn |= draw(calibrated())
    if kind is RehearsedCost:
        low, high = sorted((draw(st.floats(-1e6, 1e6)), draw(st.floats(-1e6, 1e6))))
        drawn |= {"known_paths": draw(st.integers(1, 500)), "paths": draw(st.integers(500, 1000))}
        drawn |= {"low_ticks": low, "high_ticks": high, "level": 0.9, "completed": draw(st.floats(0, 1))}
    if kind is LinearImpact:
        drawn |= {name: draw(st.floats(0, 1e6)) for name in drawn} | {"permanent_cash": 0.0, "temporary_cash": 1e-5}
    if kind is AlmgrenChriss:
        drawn |= {name: draw(st.floats(1e-9, 1e6)) for name in ("risk_aversion", "horizon_s", "day_s")}
        drawn |= {"slots": draw(st.integers(1, 500))}
    if kind is ParentOrder:
        drawn |= {"lots": draw(st.integers(1, 99))}
        drawn["limit"] = draw(st.none() | st.integers(-5, 500).map(lambda ticks: drawn["contract"].tick * ticks))
    if kind is ExecutionPlan:
        slices = drawn["slices"] or (draw(objects(typing.get_args(hints["slices"])[0])),)
        drawn["slices"] = tuple(dataclasses.replace(planned, lots=1) for planned in slices)
        drawn["parent"] = dataclasses.replace(drawn["parent"], lots=len(slices))
    return kind(**drawn)


@st.composite
def calibrated(draw: st.DrawFn) -> dict[str, Any]:
    """Constants, intervals and evidence that a calibration may have."""
    figures = st.floats(0, 1e6)
    k, factor, residual = (sorted(draw(st.tuples(figures, figures, figures))) for _ in range(3))
    fitted, orders = draw(st.booleans()), draw(st.integers(1, 1_000))
    return {
        **dict(zip(("spread_factor_low", "spread_factor", "spread_factor_high"), factor, strict=True)),
        "k_low": k[0] if fitted else None,
        "k": k[1],
        "k_high": k[2] if fitted else None,
        "residual_low_ticks": -residual[2],
        "residual_high_ticks": residual[1],
        "n_orders": orders,
        "n_fills": orders + draw(st.integers(0, 1_000)),
        **{name: draw(st.floats(0.01, 0.99)) for name in ("level", "residual_level")},
    }


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_comes_back_as_it_was(kind: type[Event], data: st.DataObject) -> None:
    """Encoding and decoding give an equal event, with the same digits in every price."""
    event = data.draw(objects(kind))

    again = decode_event(kind.__name__, encode_event(event))

    assert again == event
    assert repr(again) == repr(event)


def test_text_is_json_that_others_can_read() -> None:
    """The payload is plain JSON by field name, in ASCII."""
    event = ParentRefused(time_ns=5, parent_id="P-0001", check='a "check"', message="−1 lot\n")

    text = encode_event(event)

    assert text.isascii()
    assert json.loads(text) == {
        "time_ns": 5,
        "parent_id": "P-0001",
        "check": 'a "check"',
        "message": "−1 lot\n",
        "transient": None,
    }


@pytest.mark.parametrize(
    ("kind", "payload", "event"),
    [
        (
            "ParentRefused",
            '{"time_ns":1,"parent_id":"P-0001","check":"drawdown","message":"too deep"}',
            ParentRefused(time_ns=1, parent_id="P-0001", check="drawdown", message="too deep", transient=None),
        ),
        ("Rearmed", '{"time_ns":1,"reason":"seen"}', Rearmed(time_ns=1, reason="seen", breaker=None)),
    ],
)
def test_what_older_journals_do_not_tell_takes_its_default(kind: str, payload: str, event: Event) -> None:
    """A row that was written before a field was added is still that event."""
    read = decode_event(kind, payload)

    assert read == event


def test_equal_contracts_with_other_digits_keep_their_own_text(reserved: ChildReserved) -> None:
    """The text of a contract does not depend on an equal contract that was written before."""
    texts = []

    for multiplier in (Decimal("50.0"), Decimal(50)):
        contract = dataclasses.replace(reserved.child.contract, multiplier=multiplier)
        child = dataclasses.replace(reserved.child, contract=contract)
        texts.append(encode_event(dataclasses.replace(reserved, child=child)))

    assert '"multiplier":"50.0"' in texts[0]
    assert '"multiplier":"50"' in texts[1]


def test_an_unknown_share_of_volume_stays_unknown() -> None:
    """NaN, which plans hold where the volume is not known, comes back as NaN."""
    text = _encoder(float)(math.nan)

    assert math.isnan(_decoder(float)(json.loads(text)))


def test_whole_numbers_of_numpy_are_written_and_fractions_refused() -> None:
    """A count from numpy is a count; a fraction of a lot or a nanosecond is an error, not a rounded row."""
    event = DeathProbed(time_ns=np.int64(5), order_ref="a", still_open=False, executed_lots=np.int64(3), broker_ns=None)

    assert decode_event("DeathProbed", encode_event(event)) == event
    with pytest.raises(ValueError, match="format code 'd'"):
        encode_event(dataclasses.replace(event, executed_lots=1.5))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("NoSuchEvent", "{}"),
        ("ParentPaused", "{}"),
        ("ParentPaused", '{"time_ns":1,"parent_id":"P","more":1}'),
        ("ParentPaused", "[]"),
        ("ParentPaused", "{"),
        ("AccountReported", '{"time_ns":1,"currency":"USD","equity":"x","realised_pnl":null,"unrealised_pnl":null}'),
    ],
)
def test_what_is_no_event_is_refused(kind: str, payload: str) -> None:
    """Unknown kinds, missing or strange fields and broken text raise one error."""
    assert decode_event("ParentPaused", '{"time_ns":1,"parent_id":"P"}') == ParentPaused(time_ns=1, parent_id="P")

    with pytest.raises(ValueError, match=r".+"):
        decode_event(kind, payload)


def test_equal_contracts_are_read_once(reserved: ChildReserved) -> None:
    """Their long text stands in every child order, and is not taken for a text that only looks like one."""
    text = encode_event(reserved)
    odd_contract = dataclasses.replace(reserved.child.contract, name="]} odd")
    other = dataclasses.replace(reserved, child=dataclasses.replace(reserved.child, contract=odd_contract))

    first, second, odd = (decode_event("ChildReserved", one) for one in (text, text, encode_event(other)))

    assert isinstance(first, ChildReserved)
    assert isinstance(second, ChildReserved)
    assert first == second == reserved
    assert first.child.contract is second.child.contract
    assert odd == other
