"""Recorded quotes and trades, replayed: what the market did without us, and bounds of what we would have filled.

What it does
    The book shows the recorded touch. The first row stands when the market opens; each later one comes after it as it
    did on record. A trade on record is printed again, and fills resting orders of clients, at their price and up to its
    lots: with the fill rule ``touch`` where it printed at their price or through it, as if they stood first in the
    queue; with ``through`` only where it printed through it, as if they stood last. For one and the same order
    ``touch`` never fills less. In both, a quote of the other side that comes to an order's price, or past it, trades
    with it, up to its lots: on record nobody was left there who would have been before us. A client takes what the
    touch shows; what was taken stays gone until the recorded price of that side moves, or its recorded lots grow.

What it leaves out
    Nobody reacts to us: trades and quotes come as they came. Nothing stands behind the touch. All lots between two rows
    are printed at the last price of the later one, and nobody knows whether quotes moved before or after: prints come
    first. An order of one's own that was in the recording is in the touch. After a gap longer than `gap_s`, and so long
    after the last row, the touch is gone. Bounds hold for an order, not for a strategy: one that was filled early goes
    on to do other things.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hydra_nb.sim.book import Book, Entry, Match, Owner
from hydra_nb.sim.models.port import ALL_DAY, OTHER, SIGN
from hydra_nb.sim.models.tape_rows import TapeRow, chosen
from hydra_nb.sim.records import SimSide

_NS_PER_S = 1_000_000_000
_NEVER_NS = 2**62
_SIDES = (SimSide.BUY, SimSide.SELL)


class FillRule(StrEnum):
    """Which recorded trades fill an order of ours that rests, as our place in the queue is unknown."""

    TOUCH = "touch"
    THROUGH = "through"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeParameters:
    """How a tape is replayed.

    Attributes
    ----------
    fills : FillRule
        ``touch``, the most that may have been filled, or ``through``, the least; its word is taken for it.
    gap_s : float
        Seconds after a row from which on it is no longer believed: the touch is taken away until the next row.
    busy : tuple of time
        Of no effect: a tape keeps its own time.
    """

    fills: FillRule
    gap_s: float = 600.0
    busy: tuple[dt.time, dt.time] = ALL_DAY

    def __post_init__(self) -> None:
        # What fills compares by identity: a word that was left a word would fill by touch, whatever it says.
        object.__setattr__(self, "fills", chosen(FillRule, self.fills, name="fills"))
        if not self.gap_s > 0:
            raise ValueError(f"gap_s is {self.gap_s}: a number of seconds above zero is needed")


@dataclass(slots=True, kw_only=True)
class _Quote:
    """One side of the touch: what was recorded, and the order in the book that shows what is left of it."""

    key: int = 0
    price_ticks: int | None = None
    recorded_lots: int = 0


class Tape:
    """A tape on the book of one contract. It rolls no dice.

    Parameters
    ----------
    rows
        What was recorded.
    parameters
        How it is replayed.
    """

    def __init__(self, rows: Sequence[TapeRow], *, parameters: TapeParameters) -> None:
        self.parameters = parameters
        self.absent: SimSide | None = None
        self._rows = rows
        self._recorded_ticks = self.fair_ticks = _first_mid_ticks(rows)
        self._gap_ns = round(min(parameters.gap_s * _NS_PER_S, _NEVER_NS))
        self._next = 0
        self._ahead_ns: int | None = None
        self._now_ns = 0
        self._last_key = 0
        self._quotes = {side: _Quote() for side in _SIDES}
        self._is_open = False
        self._is_shown = False

    def open(self, book: Book, *, now_ns: int) -> None:
        """Show the first row, or, after a break, the row that stands by now; what printed meanwhile is not told."""
        self._now_ns = now_ns
        self._is_open = True
        if self._ahead_ns is None:
            self._ahead_ns = now_ns - self._rows[0].time_ns
        self._next = max(self._next, 1)
        while self._next < len(self._rows) and self._due_ns(self._next) <= now_ns:
            self._next += 1
        if now_ns < self._ends_ns():
            self._show(book, self._moved(self._rows[self._next - 1]))

    def close(self, book: Book) -> None:
        """Take the touch away; the tape runs on."""
        self._hide(book)
        self._is_open = False

    def wait_ns(self, *, busy: bool) -> int:  # noqa: ARG002  at all hours as recorded
        """Time until the next row, or until the last one is no longer believed; a second while the market stands still.

        A stop ends at any time, and nothing but the next act tells of it.
        """
        if not self._is_open:
            return _NS_PER_S
        next_ns = self._due_ns(self._next) if self._next < len(self._rows) else _NEVER_NS
        if self._is_shown:
            next_ns = min(next_ns, self._ends_ns())
        return max(1, next_ns - self._now_ns)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  at all hours as recorded
        """Print what traded and show what stands, of all rows that are due; or take an old touch away."""
        self._now_ns = now_ns
        entries: list[Entry] = []
        while self._next < len(self._rows) and self._due_ns(self._next) <= now_ns:
            row = self._moved(self._rows[self._next])
            if row.printed_lots and row.last_ticks is not None:
                entries += self._print(book, price_ticks=row.last_ticks, lots=row.printed_lots)
            entries += self._show(book, row)
            self._next += 1
        if self._is_shown and now_ns >= self._ends_ns():
            self._hide(book)
        return entries

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """What was recorded does not heed us."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Nor what it brings about."""

    def _hide(self, book: Book) -> None:
        for side in _SIDES:
            book.cancel(self._quotes[side].key)
            self._quotes[side] = _Quote()
        self._is_shown = False

    def _due_ns(self, number: int) -> int:
        return self._rows[number].time_ns + (self._ahead_ns or 0)

    def _ends_ns(self) -> int:
        return self._due_ns(self._next - 1) + self._gap_ns

    def _moved(self, row: TapeRow) -> TapeRow:
        """A row as somebody outside has moved the market: by whole ticks."""
        by_ticks = math.floor(self.fair_ticks - self._recorded_ticks + 0.5)
        if by_ticks == 0:
            return row
        return replace(
            row,
            bid_ticks=None if row.bid_ticks is None else row.bid_ticks + by_ticks,
            ask_ticks=None if row.ask_ticks is None else row.ask_ticks + by_ticks,
            last_ticks=None if row.last_ticks is None else row.last_ticks + by_ticks,
        )

    def _show(self, book: Book, row: TapeRow) -> list[Entry]:
        self._is_shown = True
        recorded = {SimSide.BUY: (row.bid_ticks, row.bid_lots), SimSide.SELL: (row.ask_ticks, row.ask_lots)}
        # First off the way, then on it, so that the old touch of one side never meets the new one of the other.
        for side, (price_ticks, _) in recorded.items():
            if self._quotes[side].price_ticks != price_ticks or side is self.absent:
                book.cancel(self._quotes[side].key)
                self._quotes[side] = _Quote(price_ticks=price_ticks)
        return [
            entry
            for side, (_, lots) in recorded.items()
            if side is not self.absent
            for entry in self._resize(book, side, lots)
        ]

    def _resize(self, book: Book, side: SimSide, recorded_lots: int) -> list[Entry]:
        """Bring a side to its recorded lots, less what was taken of them since it came to this price."""
        quote = self._quotes[side]
        resting = book.get(quote.key)
        left_lots = 0 if resting is None else resting.lots
        lots = min(recorded_lots, max(0, left_lots + recorded_lots - quote.recorded_lots))
        quote.recorded_lots = recorded_lots
        if quote.price_ticks is None or lots == left_lots:
            return []
        if resting is not None and lots:
            return [book.amend(quote.key, price_ticks=quote.price_ticks, lots=lots)]
        book.cancel(quote.key)
        if not lots:
            return []
        quote.key = self._next_key()
        return [book.enter(quote.key, owner=Owner.FLOW, side=side, price_ticks=quote.price_ticks, lots=lots)]

    def _print(self, book: Book, *, price_ticks: int, lots: int) -> list[Entry]:
        """Print a recorded trade: orders of clients first, as the rule of fills has it; the rest is the market's."""
        side = self._taker(price_ticks)
        entries: list[Entry] = []
        for taker in (side, OTHER[side]):
            if taker is not self.absent and lots:
                entry = self._hit_clients(book, taker, price_ticks=price_ticks, lots=lots)
                lots -= sum(match.lots for match in entry.matches)
                entries.append(entry)
        if lots and side is not self.absent:
            # What others traded with each other is no event of this book, in which only the touch stands.
            others = Match(resting_key=0, resting_owner=Owner.FLOW, price_ticks=price_ticks, lots=lots)
            entries.append(Entry(key=self._next_key(), owner=Owner.FLOW, side=side, matches=(others,)))
        return entries

    def _hit_clients(self, book: Book, taker: SimSide, *, price_ticks: int, lots: int) -> Entry:
        """Let a taker meet the clients' orders of the other side, and nobody else's."""
        is_through = self.parameters.fills is FillRule.THROUGH
        limit_ticks = price_ticks - SIGN[taker] if is_through else price_ticks
        quote = self._quotes[OTHER[taker]]
        shown = book.get(quote.key)
        left_lots = book.cancel(quote.key)
        entry = book.enter(
            self._next_key(), owner=Owner.FLOW, side=taker, price_ticks=limit_ticks, lots=lots, rests=False
        )
        if shown is not None:
            book.enter(quote.key, owner=Owner.FLOW, side=shown.side, price_ticks=shown.price_ticks, lots=left_lots)
        return entry

    def _taker(self, price_ticks: int) -> SimSide:
        """The side that took, by the touch before: who bought paid the mid or more."""
        bid, ask = self._quotes[SimSide.BUY].price_ticks, self._quotes[SimSide.SELL].price_ticks
        if bid is None or ask is None:
            return SimSide.SELL if bid is not None else SimSide.BUY
        return SimSide.BUY if 2 * price_ticks >= bid + ask else SimSide.SELL

    def _next_key(self) -> int:
        self._last_key -= 1
        return self._last_key


def _first_mid_ticks(rows: Sequence[TapeRow]) -> float:
    """Where a tape begins, by its first row with both sides; 0 where it has none."""
    for row in rows:
        if row.bid_ticks is not None and row.ask_ticks is not None:
            return (row.bid_ticks + row.ask_ticks) / 2
    return 0.0
