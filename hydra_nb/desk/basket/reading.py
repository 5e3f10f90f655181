"""Rows of a basket out of a DataFrame, and all that is wrong with them at once. Pure: no broker is asked."""

import datetime as dt
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.desk.arguments import MAX_LOTS, How, parse_side, plain_duration
from hydra_nb.desk.basket.errors import Faults
from hydra_nb.domain.frozen import FrozenMapping
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

MAX_ROWS = 500
"""More rows are a frame of something else: far fewer parents may be at work at once."""

ORDER_COLUMNS = ("instrument", "side", "lots", "target")
SETTINGS = tuple(one.name for one in fields(How))
"""Columns besides, each a setting of `preview`."""
COLUMNS = (*ORDER_COLUMNS, *SETTINGS)

WHOLE_COLUMNS = frozenset({"lots", "target", "slices", "seed"})
REAL_COLUMNS = frozenset({"patience", "step", "jitter", "adv", "risk_aversion"})

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}(\.0*)?")
_REAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One row as it was asked for.

    Attributes
    ----------
    number, label
        Its place in the frame, from 0, and its index label.
    instrument
        Whatever `Desk.instrument` takes; None where none can be read.
    side, lots
        Of a row that says what to do; None with a target.
    target
        The position asked for, signed; None with a side.
    how
        Settings of the row, and the defaults of all rows.
    """

    number: int
    label: str
    instrument: Any
    side: Side | None
    lots: int | None
    target: int | None
    how: Mapping[str, Any] = field(default_factory=FrozenMapping)

    @property
    def tag(self) -> str | None:
        """The tag that a person gave."""
        return self.how.get("tag")

    @property
    def is_clear(self) -> bool:
        """Whether it asks for one thing: side and lots, or a target."""
        orders = [self.side is not None, self.lots is not None]
        return not any(orders) if self.target is not None else all(orders)


def read_rows(frame: Any, *, defaults: Mapping[str, Any], faults: Faults) -> tuple[Request, ...]:
    """All rows as far as they can be read; what is wrong with the frame, or with one of them, goes to `faults`.

    Parameters
    ----------
    frame
        A DataFrame with the columns `COLUMNS`; None, NaN, NA, NaT and empty text are absent.
    defaults
        Settings of rows that have none of their own.
    faults
        Told every error.
    """
    if not isinstance(frame, pd.DataFrame):
        faults.add(None, "instrument", frame, f"a basket is a DataFrame, not {type(frame).__name__}")
        return ()
    _check_columns(frame, faults)
    if frame.empty:
        faults.add(None, "instrument", None, "the frame has no rows: say one order or target a row")
    if len(frame) > MAX_ROWS:
        faults.add(None, "instrument", None, f"{len(frame)} rows are too many, at most {MAX_ROWS}: part the frame")
        return ()
    known = [name for name in COLUMNS if list(frame.columns).count(name) == 1]
    cells = {name: frame[name].tolist() for name in known}
    repeated = not frame.index.is_unique
    return tuple(
        _request(
            number,
            f"{label} (number {number + 1})" if repeated else str(label),
            row={name: plain(cells[name][number]) for name in known},
            defaults=defaults,
            faults=faults,
        )
        for number, label in enumerate(frame.index)
    )


def plain(value: Any) -> Any:
    """A cell without numpy and pandas: text stripped, and None where it is absent."""
    if isinstance(value, str):
        return str(value).strip() or None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else pd.Timestamp(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float | Decimal) and value != value:  # NaN
        return None
    return value


def _check_columns(frame: pd.DataFrame, faults: Faults) -> None:
    names = list(frame.columns)
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            near = difflib.get_close_matches(str(name).strip().lower(), COLUMNS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(COLUMNS)}"
            faults.add(None, str(name), None, f"unknown column {str(name)!r}: {remedy}")
        elif names.count(name) > 1:
            faults.add(None, str(name), None, f"column {name!r} is there {names.count(name)} times: keep one")
    if "instrument" not in names:
        faults.add(None, "instrument", None, "column 'instrument' is missing: name a future a row, such as ZO or ZOH7")
    if "target" not in names and not {"side", "lots"} <= set(names):
        faults.add(None, "target", None, "say 'side' and 'lots', or 'target', in columns of these names")


def _request(
    number: int, label: str, *, row: Mapping[str, Any], defaults: Mapping[str, Any], faults: Faults
) -> Request:
    def take(column: str, read: Callable[[Any], Any]) -> Any:
        value = row.get(column)
        if value is None:
            return None
        try:
            return read(value)
        except InvalidOrder as error:
            faults.add(number, column, value, str(error), label=label)
            return None

    if "instrument" in row and row["instrument"] is None:
        faults.add(number, "instrument", None, "no instrument: name a future, such as ZO or ZOH7", label=label)
    instrument = take("instrument", _instrument)
    _check_what(number, label, row=row, faults=faults)
    side, lots = take("side", parse_side), take("lots", _lots)
    target = take("target", _target)
    how = dict(defaults)
    for name in SETTINGS:
        if row.get(name) is not None:
            how[name] = take(name, partial(_setting, name))
    return Request(
        number=number,
        label=label,
        instrument=instrument,
        side=side,
        lots=lots,
        target=target,
        how=FrozenMapping(how),
    )


def _check_what(number: int, label: str, *, row: Mapping[str, Any], faults: Faults) -> None:
    """Side and lots belong together, and a target stands alone."""
    side, lots, target = (row.get(name) for name in ("side", "lots", "target"))
    if target is not None:
        extra = " and ".join(name for name, value in (("side", side), ("lots", lots)) if value is not None)
        if extra:
            words = f"both target and {extra} are given: say one, a target is the whole position"
            faults.add(number, "target", target, words, label=label)
    elif side is None and lots is None:
        if {"target", "lots"} & set(row):
            column = "target" if "target" in row else "lots"
            faults.add(number, column, None, "nothing is asked for: say side and lots, or target", label=label)
    elif lots is None:
        faults.add(number, "lots", None, f"{side} how many: say lots", label=label)
    elif side is None:
        faults.add(number, "side", None, f"{lots} lots of what side: say BUY or SELL, or target", label=label)


def _setting(name: str, value: Any) -> Any:
    """A setting as `preview` takes it, held by itself against what it may be."""
    if name in WHOLE_COLUMNS:
        value = whole_number(value, what=name)
    elif name in REAL_COLUMNS:
        value = real_number(value, what=name)
    elif name == "duration":
        value = plain_duration(value)
    elif name == "start" and isinstance(value, str):
        value = _aware(value)
    elif name in ("tag", "strategy") and not isinstance(value, str):
        value = str(value)  # a column of numbers is a column of names all the same
    how = How.parse({name: value})
    if name == "duration":
        _ = how.duration_ns  # raises where it is none
    return value


def whole_number(value: Any, *, what: str) -> int:
    """A whole number: an int, a float without fraction, as pandas makes of a column with gaps, or text of one."""
    text = value.replace("−", "-") if isinstance(value, str) else ""
    if _WHOLE.fullmatch(text):
        return int(text.partition(".")[0])
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, float | Decimal) or float(value) % 1 != 0:  # infinity leaves no number
        raise InvalidOrder(f"{what} {value!r} is no whole number; write for instance 13")
    return int(value)


def real_number(value: Any, *, what: str) -> float:
    """A number, or text of one."""
    if isinstance(value, str) and _REAL.fullmatch(value):
        return float(value)
    if isinstance(value, bool | str) or not isinstance(value, int | float | Decimal):
        raise InvalidOrder(f"{what} {value!r} is no number; write for instance 300")
    return float(value)


def _instrument(value: Any) -> Any:
    if isinstance(value, bool | int | float | Decimal):
        raise InvalidOrder(f"{value!r} names no future: use its symbol, such as ZO, or a month, ZOH7")
    return value


def _lots(value: Any) -> int:
    lots = whole_number(value, what="lots")
    if lots < 1:
        raise InvalidOrder(f"lots {lots}: at least 1 is needed; a sale is side SELL, a whole position is target")
    if lots > MAX_LOTS:
        raise InvalidOrder(f"lots {lots} are too many to be meant; at most {MAX_LOTS:,}")
    return lots


def _target(value: Any) -> int:
    target = whole_number(value, what="target")
    if abs(target) > MAX_LOTS:
        raise InvalidOrder(f"target {target} is too large to be meant; at most {MAX_LOTS:,} lots")
    return target


def _aware(text: str) -> Any:
    """A time with its distance from UTC as a datetime, as a file writes one; any other text stays what it is."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if time.tzinfo is None else time
