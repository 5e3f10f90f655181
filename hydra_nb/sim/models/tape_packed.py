"""A tape as bytes: it is hashed by what it holds, travels to every path in a moment, and is read row by row."""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self, overload

from hydra_nb.sim.models.tape_rows import TapeRow, TapeUnusable

_ROW = struct.Struct("<q6i")
"""Time, bid, its lots, ask, its lots, last, and lots printed since the row before."""
_NONE = -(2**31)
"""Stands for a price that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTape:
    """Rows of a tape, in order of time.

    Attributes
    ----------
    content
        32 bytes a row.
    digest
        SHA-256 of them.
    """

    content: bytes
    digest: str

    @classmethod
    def of(cls, rows: Iterable[TapeRow]) -> Self:
        """Pack rows.

        Raises
        ------
        TapeUnusable
            A price or a size is beyond what 31 bits hold.
        """
        packed = bytearray()
        for number, row in enumerate(rows):
            prices = (_NONE if price is None else price for price in (row.bid_ticks, row.ask_ticks, row.last_ticks))
            bid, ask, last = prices
            try:
                packed += _ROW.pack(row.time_ns, bid, row.bid_lots, ask, row.ask_lots, last, row.printed_lots)
            except struct.error:
                raise TapeUnusable(f"row {number} has a price or a size beyond two thousand million: {row}") from None
        return cls(content=bytes(packed), digest=hashlib.sha256(packed).hexdigest())

    def __len__(self) -> int:
        return len(self.content) // _ROW.size

    def __repr__(self) -> str:
        return f"<PackedTape of {len(self):,} rows>"

    def row(self, number: int) -> TapeRow:
        """Read one row, counted from 0."""
        time_ns, bid, bid_lots, ask, ask_lots, last, printed = _ROW.unpack_from(self.content, number * _ROW.size)
        return TapeRow(
            time_ns=time_ns,
            bid_ticks=None if bid == _NONE else bid,
            bid_lots=bid_lots,
            ask_ticks=None if ask == _NONE else ask,
            ask_lots=ask_lots,
            last_ticks=None if last == _NONE else last,
            printed_lots=printed,
        )

    def time_ns(self, number: int) -> int:
        """Read the time of one row."""
        time_ns: int = _ROW.unpack_from(self.content, number * _ROW.size)[0]
        return time_ns

    def standing_at(self, time_ns: int) -> int:
        """Number of the row that stands at a time, the last of several at once; −1 before the first."""
        return bisect_right(range(len(self)), time_ns, key=self.time_ns) - 1


class TapeFrom(Sequence[TapeRow]):
    """A tape from an instant on: first the row that stands then, as if it had come then, then all that follow.

    Parameters
    ----------
    tape
        The tape.
    begins_ns
        The instant, not before its first row.
    """

    def __init__(self, tape: PackedTape, *, begins_ns: int) -> None:
        self._tape = tape
        self._first = tape.standing_at(begins_ns)
        self._begin = replace(tape.row(self._first), time_ns=begins_ns, printed_lots=0)

    def __len__(self) -> int:
        return len(self._tape) - self._first

    @overload
    def __getitem__(self, number: int) -> TapeRow: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[TapeRow]: ...
    def __getitem__(self, number: int | slice) -> TapeRow | Sequence[TapeRow]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._tape.row(self._first + number) if number else self._begin
