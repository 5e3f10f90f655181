"""Recorded quotes, read and checked: what a tape is made of."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from numbers import Real
from operator import index
from typing import NamedTuple, SupportsIndex, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)

TAPE_COLUMNS = ("time", "bid", "bid_size", "ask", "ask_size", "last", "last_size", "volume")
_OFF_TICK = 1e-3
"""By what part of a tick a recorded price may be off, as prices were floats on their way."""


def chosen(kind: type[Choice], value: Choice | str, *, name: str) -> Choice:
    """Give a choice that may be written as a word; a `ValueError` says which there are."""
    try:
        return kind(value)
    except ValueError:
        words = " or ".join(repr(one.value) for one in kind)
        raise ValueError(f"{name} is {value!r}: {words} is needed") from None


class TapeUnusable(ValueError):
    """Rows cannot be replayed; the message names the first that cannot, counted from 0."""


class Crossed(StrEnum):
    """What becomes of a row whose bid is at its ask or above."""

    REFUSE = "refuse"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeRow:
    """One recorded state of the touch; None where a side is empty, or a value unknown.

    ``printed_lots`` traded at ``last_ticks`` since the row before.
    """

    time_ns: int
    bid_ticks: int | None
    bid_lots: int
    ask_ticks: int | None
    ask_lots: int
    last_ticks: int | None
    printed_lots: int


def read_tape(
    rows: Iterable[Sequence[object]], *, tick: Decimal, crossed: Crossed | str = Crossed.REFUSE
) -> tuple[TapeRow, ...]:
    """Check recorded quotes of one contract, and count them in ticks and lots.

    Lots that traded are the growth of the volume. Where it falls, as at the begin of a day, they are `last_size`; where
    it is unknown too, if last price or size are not those of the row before. The first row tells of no trade, and
    neither does one without a last price.

    Parameters
    ----------
    rows
        In order of time, each with the values of `TAPE_COLUMNS`: time in UTC nanoseconds, prices in the quoted unit,
        sizes in lots; None or NaN where unknown.
    tick
        Tick size in the quoted unit.
    crossed
        ``drop`` leaves crossed and locked rows out; their trades count with the next row.

    Raises
    ------
    TapeUnusable
        There are no rows; or one has other columns, an unknown time, a time before that of the row above, a price off
        the tick, a size below zero or with a part of a lot, or a bid at its ask or above.
    ValueError
        `crossed` is no such choice.
    """
    is_dropping = chosen(Crossed, crossed, name="crossed") is Crossed.DROP
    read: list[TapeRow] = []
    before: _Trade | None = None
    for number, row in enumerate(rows):
        if len(row) != len(TAPE_COLUMNS):
            raise TapeUnusable(f"row {number} has {len(row)} values; they are to be {', '.join(TAPE_COLUMNS)}")
        time_ns = _time_ns(row[0], number=number)
        if read and time_ns < read[-1].time_ns:
            raise TapeUnusable(f"row {number}, at {time_ns} ns, lies before the row above it: sort the tape by time")
        bid, bid_size, ask, ask_size, *trade = (
            _known(value, name=name, number=number) for name, value in zip(TAPE_COLUMNS[1:], row[1:], strict=True)
        )
        if bid is not None and ask is not None and bid >= ask:
            if is_dropping:
                continue
            raise TapeUnusable(
                f"row {number} is crossed: bid {bid:g}, ask {ask:g}; crossed='drop' leaves such rows out"
            )
        now = _Trade(*trade)
        bid_ticks, bid_lots = _side(bid, bid_size, name="bid", tick=tick, number=number)
        ask_ticks, ask_lots = _side(ask, ask_size, name="ask", tick=tick, number=number)
        read.append(
            TapeRow(
                time_ns=time_ns,
                bid_ticks=bid_ticks,
                bid_lots=bid_lots,
                ask_ticks=ask_ticks,
                ask_lots=ask_lots,
                last_ticks=None if now.last is None else _ticks(now.last, name="last", tick=tick, number=number),
                printed_lots=0 if before is None else _lots(now.lots_since(before), name="volume", number=number),
            )
        )
        if before is None or now.last is not None:  # a feed that begins anew is silent about trades at first
            before = now
    if not read:
        raise TapeUnusable("a tape needs at least one row that is not crossed")
    return tuple(read)


class _Trade(NamedTuple):
    """What a row tells of trades."""

    last: float | None
    last_size: float | None
    volume: float | None

    def lots_since(self, before: "_Trade") -> float:
        """Lots that traded since an earlier row."""
        if self.last is None:
            return 0.0
        if self.volume is not None and before.volume is not None:
            grown = self.volume - before.volume
            # A volume that falls is that of a new day, whose first trade this is.
            return grown if grown >= 0 else self.last_size or 0.0
        if before.last is None:  # the first that is told: when it traded was not
            return 0.0
        is_news = (self.last, self.last_size) != (before.last, before.last_size)
        return self.last_size or 0.0 if is_news else 0.0


def _side(price: float | None, size: float | None, *, name: str, tick: Decimal, number: int) -> tuple[int | None, int]:
    """Price in ticks and lots of one side; a side without either is empty."""
    lots = _lots(size, name=f"{name}_size", number=number)
    ticks = None if price is None else _ticks(price, name=name, tick=tick, number=number)
    return (None, 0) if ticks is None or lots == 0 else (ticks, lots)


def _time_ns(value: object, *, number: int) -> int:
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        raise TapeUnusable(f"row {number} has the time {value!r}: UTC nanoseconds, a whole number, are needed")
    return index(value)


def _known(value: object, *, name: str, number: int) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (Real, Decimal)):
        raise TapeUnusable(f"{name} of row {number} is {value!r}: a number, or None, is needed")
    known = float(value)
    if math.isinf(known):
        raise TapeUnusable(f"{name} of row {number} is infinite")
    return None if math.isnan(known) else known


def _ticks(price: float, *, name: str, tick: Decimal, number: int) -> int:
    exact = price / float(tick)
    ticks = round(exact)
    if abs(exact - ticks) > _OFF_TICK:
        raise TapeUnusable(f"{name} of row {number} is {price:g}, off the tick of {tick}")
    return ticks


def _lots(size: float | None, *, name: str, number: int) -> int:
    if size is None:
        return 0
    if size < 0 or size != round(size):
        raise TapeUnusable(f"{name} of row {number} is {size:g} lots: whole lots of 0 or more are needed")
    return round(size)
