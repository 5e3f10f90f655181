"""A market that was recorded, replayed: what it did without us, and bounds of what we would have filled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S, seconds_ns
from hydra_nb.errors import InvalidFrame, InvalidOrder, must_be_one_of
from hydra_nb.rehearsal.figures import figure, must_be_contract, must_be_frame
from hydra_nb.rehearsal.market import Begun, Screen
from hydra_nb.sim.models.tape import FillRule, TapeParameters
from hydra_nb.sim.models.tape_packed import PackedTape
from hydra_nb.sim.models.tape_rows import Crossed, TapeRow, TapeUnusable, read_tape
from hydra_nb.sim.sources import Span, TapeSource

if TYPE_CHECKING:
    import pandas as pd

GAP_S = 600.0
"""Seconds after which a recorded touch is no longer believed, and the tape is taken to have paused."""

_LEAVES_OUT = (
    "Trades and quotes come as they came: nobody reacts to the order. Nothing is known of what stood behind the touch, "
    "of the place in the queue, and of when between two rows a trade was; your own orders of those days stand in the "
    "touch."
)
_BOUNDS = {
    FillRule.TOUCH: "Orders that rest fill by every trade at their price, as if first in the queue: the most.",
    FillRule.THROUGH: "Orders that rest fill by trades through their price only, as if last in the queue: the least.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a tape without a pause, UTC nanoseconds; `both_sided` is when its touch had both sides."""

    first_ns: int
    last_ns: int
    both_sided: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeMarket:
    """Recorded quotes and trades of one contract; make it with `TapeMarket.of`.

    Each path begins at an instant of the tape that its seed draws: any instant, at which both sides stood, from which
    the tape goes on without a pause for as long as the longest plan lasts. All its prices are moved by as many ticks as
    bring the first mid to the one on the screen; spread, sizes and moves are the tape's.

    Attributes
    ----------
    local_symbol
        The contract that was recorded.
    tape
        Its rows.
    stretches
        The parts of it without a pause.
    fills
        ``"touch"``, the most that an order that rests may have been filled, or ``"through"``, the least.
    gap_s
        Seconds without a row after which the tape pauses.
    """

    local_symbol: str
    tape: PackedTape
    stretches: tuple[Stretch, ...] = field(repr=False)
    fills: FillRule
    gap_s: float

    @classmethod
    def of(
        cls,
        quotes: "pd.DataFrame",
        instrument: FutureContract,
        *,
        fills: FillRule | str = FillRule.THROUGH,
        gap_s: float = GAP_S,
        crossed: Crossed | str = Crossed.REFUSE,
    ) -> Self:
        """Read recorded quotes.

        Parameters
        ----------
        quotes
            Columns of ``desk.quotes()``, in order of time; rows of other contracts are passed over. Give those of the
            hours of the day in which you mean to trade.
        instrument
            The contract.
        fills, gap_s
            See the attributes.
        crossed
            ``"refuse"``, or ``"drop"``, which leaves crossed and locked rows out.

        Raises
        ------
        InvalidFrame
            Columns are missing, no row is of the contract, or one cannot be replayed: it is named by its place among
            those of the contract, counted from 0.
        InvalidOrder
            `fills`, `gap_s` or `crossed` cannot be, or `instrument` is no contract.
        """
        from hydra_nb.analysis.replay import replay_rows

        must_be_one_of(fills, FillRule, name="fills")
        must_be_one_of(crossed, Crossed, name="crossed")
        gap_s = figure(gap_s, name="gap_s")
        must_be_contract(instrument, name="instrument")
        must_be_frame(quotes, name="quotes", give="desk.quotes()")
        try:
            rows = read_tape(
                replay_rows(quotes, local_symbol=instrument.local_symbol), tick=instrument.tick, crossed=crossed
            )
            tape = PackedTape.of(rows)
        except TapeUnusable as error:
            raise InvalidFrame(f"quotes of {instrument.local_symbol}: {error}") from error
        return cls(
            local_symbol=instrument.local_symbol,
            tape=tape,
            stretches=tuple(_stretches(rows, gap_ns=seconds_ns(gap_s))),
            fills=FillRule(fills),
            gap_s=gap_s,
        )

    def filling(self, fills: FillRule | str) -> Self:
        """Give the same tape with the other rule of fills."""
        must_be_one_of(fills, FillRule, name="fills")
        return replace(self, fills=FillRule(fills))

    def begin(self, screen: Screen) -> Begun:
        """Begin at the mid on the screen, each path at an instant of its own."""
        symbol, longest_ns = screen.contract.local_symbol, seconds_ns(screen.longest_s)
        if symbol != self.local_symbol:
            raise InvalidOrder(f"this is a tape of {self.local_symbol}; an order of {symbol} needs one of {symbol}")
        spans = tuple(span for stretch in self.stretches for span in _spans(stretch, longest_ns=longest_ns))
        if not spans:
            raise InvalidOrder(self._why_none(longest_ns))
        source = TapeSource(
            tape=self.tape,
            parameters=TapeParameters(fills=self.fills, gap_s=self.gap_s),
            spans=spans,
            fair_ticks=screen.price_ticks,
        )
        return Begun(source=source, model=self._words(longest_ns), leaves_out=f"{_BOUNDS[self.fills]} {_LEAVES_OUT}")

    def _why_none(self, needed_ns: int) -> str:
        """Why no path can begin."""
        longest_ns = max(one.last_ns - one.first_ns for one in self.stretches)
        needed = f"{needed_ns / NS_PER_S:,.0f} s without a pause of over {self.gap_s:,.0f} s"
        tape, give = f"the tape of {self.local_symbol}", "give a longer tape, a larger gap_s, or a shorter plan"
        if not any(one.both_sided for one in self.stretches):
            return f"{tape} shows both sides at no instant, and a path begins with both; give another"
        if longest_ns >= needed_ns:
            return f"{tape} shows both sides at no instant from which it goes on for {needed}; {give}"
        longest = f"its longest part has {longest_ns / NS_PER_S:,.0f} s"
        return f"{tape} is too short: {needed} are needed, {longest}; {give}"

    def _words(self, longest_ns: int) -> str:
        hours = sum(one.last_ns - one.first_ns for one in self.stretches) / NS_PER_S / 3600
        apart = sum((one.last_ns - one.first_ns) // longest_ns for one in self.stretches)
        return (
            f"recorded quotes of {self.local_symbol}, {hours:,.1f} h in {len(self.tape):,} rows, fills by "
            f"{self.fills}; paths begin at any instant of it, at the mid on the screen, and {apart:,} of them would "
            "not overlap: errors count all as independent"
        )


def _stretches(rows: Sequence[TapeRow], *, gap_ns: int) -> Iterator[Stretch]:
    """Part a tape where it pauses."""
    first = 0
    for number in range(1, len(rows) + 1):
        if number == len(rows) or rows[number].time_ns - rows[number - 1].time_ns > gap_ns:
            part = rows[first:number]
            yield Stretch(first_ns=part[0].time_ns, last_ns=part[-1].time_ns, both_sided=tuple(_both_sided(part)))
            first = number


def _both_sided(part: Sequence[TapeRow]) -> Iterator[Span]:
    """From when to when both sides stood, up to the last row."""
    since_ns: int | None = None
    for row in part:
        is_whole = row.bid_ticks is not None and row.ask_ticks is not None
        if is_whole and since_ns is None:
            since_ns = row.time_ns
        elif not is_whole and since_ns is not None:
            if row.time_ns > since_ns:
                yield since_ns, row.time_ns - 1
            since_ns = None
    if since_ns is not None:
        yield since_ns, part[-1].time_ns


def _spans(stretch: Stretch, *, longest_ns: int) -> Iterator[Span]:
    """When a path may begin that is to end within the stretch."""
    last_ns = stretch.last_ns - longest_ns
    for first_ns, until_ns in stretch.both_sided:
        if first_ns <= last_ns:
            yield first_ns, min(until_ns, last_ns)
