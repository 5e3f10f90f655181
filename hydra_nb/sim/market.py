"""The running market of one contract: its book, its flow, its session, and what it printed."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.sim.book import Book, Entry
from hydra_nb.sim.calendar import Session
from hydra_nb.sim.flow import Flow, flow_parameters
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.records import DailyBar, SimSide, Top
from hydra_nb.sim.seeds import stream


@dataclass(slots=True, kw_only=True)
class _Day:
    """Prints of one trade date, in ticks and lots."""

    date: dt.date
    open_ticks: int | None = None
    high_ticks: int = 0
    low_ticks: int = 0
    last_ticks: int = 0
    lot_ticks: int = 0
    volume: int = 0
    trades: int = 0

    def add(self, *, price_ticks: int, lots: int) -> None:
        if self.open_ticks is None:
            self.open_ticks = self.high_ticks = self.low_ticks = price_ticks
        self.high_ticks = max(self.high_ticks, price_ticks)
        self.low_ticks = min(self.low_ticks, price_ticks)
        self.last_ticks = price_ticks
        self.lot_ticks += price_ticks * lots
        self.volume += lots
        self.trades += 1


def thin_flow(month: Month, *, seed: int) -> FlowModel:
    """Make the order flow of a month as the simulated market has it by itself."""
    return Flow(
        flow_parameters(month),
        dice=stream(seed, "flow", month.listing.con_id),
        fair_ticks=month.settlement_ticks,
    )


class Market:
    """One activated contract.

    Parameters
    ----------
    month
        The contract.
    seed
        Seed of the whole market; the flow draws from a stream of this seed and the contract alone.
    flow
        The order flow, in place of the thin market's own, ``Flow``.
    """

    def __init__(self, month: Month, *, seed: int, flow: FlowModel | None = None) -> None:
        self.month = month
        self.book = Book()
        self.session: Session | None = None
        self._is_stopped = False
        self.bars: dict[dt.date, DailyBar] = {}
        self._tick = month.listing.min_tick
        self._prices: dict[int, Decimal] = {}
        self._flow = thin_flow(month, seed=seed) if flow is None else flow
        self._day: _Day | None = None
        self._settlement_ticks = month.settlement_ticks
        self._last_lots = 0
        self._last_ticks: int | None = None
        self._busy_ns = (0, 0)
        self._shown: tuple[tuple[int, int] | None, tuple[int, int] | None] = (None, None)
        self._two_mids: int | None = None  # twice the last mid that showed since the last settlement, in ticks

    def open(self, session: Session, *, now_ns: int) -> None:
        """Begin a session; the flow fills the empty book before anybody else."""
        self.session = session
        self._busy_ns = self._busy_hours(session)
        if self._day is None or self._day.date != session.trade_date:
            self._day = _Day(date=session.trade_date)
        if not self._is_stopped:
            self._flow.open(self.book, now_ns=now_ns)

    @property
    def trades(self) -> bool:
        """Whether a session is under way and not stopped."""
        return self.session is not None and not self._is_stopped

    def stop(self) -> None:
        """Stop in mid-session: the flow takes its quotes away and does nothing until `resume`."""
        self._is_stopped = True
        self._flow.close(self.book)

    def resume(self, *, now_ns: int) -> None:
        """End a stop; the flow fills the book before anybody else, where the session lasts."""
        if self._is_stopped and self.session is not None:
            self._flow.open(self.book, now_ns=now_ns)
        self._is_stopped = False

    def lock(self, absent: SimSide | None) -> None:
        """Keep the flow off one side of the book, quotes and takers alike; None lets it back."""
        self._flow.absent = absent

    def close(self) -> None:
        """End the session; the last one of a trade date also settles and writes the day's bar."""
        mid = self._mid()
        self._flow.close(self.book)
        session, self.session = self.session, None
        if session is not None and session.last and self._day is not None:
            if mid is not None:
                self._settlement_ticks = int(mid / self._tick)
                self._two_mids = None
            self.bars[self._day.date] = self._bar(self._day)

    def next_act_ns(self, now_ns: int) -> int | None:
        """Draw when the flow acts next, None when that is not before the session's end."""
        if self.session is None:
            return None
        next_ns = now_ns + self._flow.wait_ns(busy=self._busy(now_ns))
        return next_ns if next_ns < self.session.close_ns else None

    def act(self, *, now_ns: int) -> list[Entry]:
        """Let the flow do its next thing; nothing while the market is stopped."""
        if self._is_stopped:
            return []
        return self._flow.act(self.book, now_ns=now_ns, busy=self._busy(now_ns))

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Let the flow hear what an order did, before its trades are printed."""
        self._flow.heed(entry, now_ns=now_ns)

    def print_trade(self, side: SimSide, *, price_ticks: int, lots: int) -> int:
        """Record a trade whose taker was on ``side``; gives the session's volume."""
        self._last_ticks, self._last_lots = price_ticks, lots
        self._flow.note_trade(side, lots=lots)
        if self._day is None:
            return 0
        self._day.add(price_ticks=price_ticks, lots=lots)
        return self._day.volume

    def top_moved(self) -> bool:
        """Tell whether price or size of the touch differ from when this was last asked."""
        shown = self.book.touch()
        if shown == self._shown:
            return False
        self._shown = shown
        bid, ask = shown
        if bid is not None and ask is not None:
            self._two_mids = bid[0] + ask[0]
        return True

    def top(self) -> Top:
        """Give the touch, the last trade, the volume of the trade date and the last settlement."""
        bid = ask = None
        if self.trades:
            bid, ask = self.book.touch()
        return Top(
            con_id=self.month.listing.con_id,
            bid=None if bid is None else self.price(bid[0]),
            bid_size=0 if bid is None else bid[1],
            ask=None if ask is None else self.price(ask[0]),
            ask_size=0 if ask is None else ask[1],
            last=None if self._last_ticks is None else self.price(self._last_ticks),
            last_size=self._last_lots,
            volume=0 if self._day is None else self._day.volume,
            close=self.price(self._settlement_ticks),
        )

    def mark(self) -> Decimal:
        """Give the price to value positions at: the mid, else the last one, else the last settlement; quoted unit."""
        mid = self._mid()
        if mid is not None:
            return mid
        return self.price(self._settlement_ticks) if self._two_mids is None else self._two_mids * self._tick / 2

    def price(self, ticks: int) -> Decimal:
        """Give a count of ticks as a price in the quoted unit."""
        known = self._prices.get(ticks)
        if known is None:
            known = self._prices[ticks] = ticks * self._tick
        return known

    def _mid(self) -> Decimal | None:
        bid, ask = self.book.touch()
        return None if bid is None or ask is None else (bid[0] + ask[0]) * self._tick / 2

    def _busy(self, now_ns: int) -> bool:
        return self._busy_ns[0] <= now_ns < self._busy_ns[1]

    def _busy_hours(self, session: Session) -> tuple[int, int]:
        busy, calendar = self._flow.parameters.busy, self.month.calendar
        if busy is None:
            return session.open_ns, session.close_ns
        start, end = busy
        return calendar.instant_ns(session.trade_date, start), calendar.instant_ns(session.trade_date, end)

    def _bar(self, day: _Day) -> DailyBar:
        close = self._settlement_ticks
        opening = close if day.open_ticks is None else day.open_ticks
        traded = day.open_ticks is not None
        return DailyBar(
            date=day.date,
            open=self.price(opening),
            high=self.price(max(close, day.high_ticks) if traded else close),
            low=self.price(min(close, day.low_ticks) if traded else close),
            close=self.price(close),
            volume=day.volume,
            average=self.price(day.lot_ticks // day.volume if traded else close),
            trades=day.trades,
        )
