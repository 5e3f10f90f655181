"""Order flow of a thin market, from a seed: a few quoters around a latent fair value, and takers.

What it does
    A fair value walks at random, in ticks. Each side has three quoted levels of a few lots around
    it. Quotes change about once a second: sizes flicker, a side steps back or joins, emptied
    levels are refilled after some seconds. Takers come as a Poisson process and trade a few lots
    at the touch, whoever made it. Every trade moves the fair value a little its way. Outside the
    busy hours of the day all of it slows down.

What it leaves out
    Nobody reacts to the orders of clients, but through their trades: nobody undercuts them, leans
    on them, or fades them, and a better price attracts no more takers. Volatility is constant,
    flow is symmetric and has no memory; there are no auctions, limits, halts, spreads between
    months, or news. Volume is this market's own and is nobody's statistic. Fills here are no
    evidence of fills elsewhere.

Two simplifications to know when reading prices: takers never go past the touch, and a busy
market is given larger orders rather than more of them.
"""

import datetime as dt
import math
import random
from dataclasses import dataclass

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.records import SimSide

LEVELS = 3
_NS_PER_S = 1_000_000_000
_SIGN = {SimSide.BUY: 1, SimSide.SELL: -1}
_OTHER = {SimSide.BUY: SimSide.SELL, SimSide.SELL: SimSide.BUY}
_MONTH_WEIGHTS = (1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
"""Activity by months away from the liquid one."""
_QUIET_QUOTES = 0.25
_QUIET_TAKERS = 0.03
"""Activity outside the busy hours, as a share of that within."""
_REFILL_CHANCE = 0.35
_STEP_CHANCE = 0.25
OVERNIGHT_SHARE = 0.3
"""Move of the fair value over a closure, in daily volatilities."""
MAX_QUOTE_LOTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How a market behaves, in its own words: the table that the csv does not have.

    ``daily_lots`` is the simulated volume of the liquid month, ``taker_s`` the mean seconds between
    takers in its busy hours, ``busy`` these hours in exchange time, ``daily_volatility`` a fraction
    of the price.
    """

    daily_lots: int
    taker_s: float
    daily_volatility: float
    busy: tuple[dt.time, dt.time]


_DAY_GRAIN = (dt.time(8, 30), dt.time(13, 20))
_DAY_METAL = (dt.time(8), dt.time(13, 30))
_DAY_DAIRY = (dt.time(9), dt.time(12, 30))
TEMPERS = {
    "ZO": Temper(daily_lots=420, taker_s=75, daily_volatility=0.018, busy=_DAY_GRAIN),
    "ZR": Temper(daily_lots=900, taker_s=60, daily_volatility=0.014, busy=_DAY_GRAIN),
    "KE": Temper(daily_lots=20_000, taker_s=40, daily_volatility=0.016, busy=_DAY_GRAIN),
    "LBR": Temper(daily_lots=600, taker_s=70, daily_volatility=0.02, busy=(dt.time(9), dt.time(15, 5))),
    "GF": Temper(daily_lots=8_000, taker_s=45, daily_volatility=0.010, busy=(dt.time(8, 30), dt.time(13, 5))),
    "HE": Temper(daily_lots=15_000, taker_s=40, daily_volatility=0.015, busy=(dt.time(8, 30), dt.time(13, 5))),
    "OJ": Temper(daily_lots=1_000, taker_s=60, daily_volatility=0.025, busy=(dt.time(8), dt.time(14))),
    "PA": Temper(daily_lots=2_000, taker_s=50, daily_volatility=0.02, busy=_DAY_METAL),
    "PL": Temper(daily_lots=12_000, taker_s=40, daily_volatility=0.015, busy=_DAY_METAL),
    "DA": Temper(daily_lots=500, taker_s=70, daily_volatility=0.012, busy=_DAY_DAIRY),
    "CSC": Temper(daily_lots=150, taker_s=90, daily_volatility=0.015, busy=_DAY_DAIRY),
    "CB": Temper(daily_lots=110, taker_s=90, daily_volatility=0.015, busy=_DAY_DAIRY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowParameters:
    """Everything the flow of one listed month depends on, but its dice.

    Distances are in ticks, intervals are means of Poisson processes in the busy hours, in seconds; ``busy`` None calls
    all hours busy.
    ``volatility_ticks`` is the standard deviation of the fair value over one second of trading.
    """

    spread_ticks: float
    daily_ticks: float
    volatility_ticks: float
    quote_s: float
    taker_s: float
    taker_lots: float
    quote_lots: int
    daily_lots: float
    impact_ticks: float
    busy: tuple[dt.time, dt.time] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Touch that a market begins with, instead of one that is drawn; bid below ask."""

    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


def takers_a_day(month: Month) -> float:
    """Give the mean number of takers in a day of a listed month."""
    return _weight(month) * _liquid_takers(TEMPERS[month.instrument.symbol], open_s=month.calendar.open_seconds())


def _liquid_takers(temper: Temper, *, open_s: float) -> float:
    start, end = temper.busy
    busy_s = (end.hour - start.hour) * 3600.0 + (end.minute - start.minute) * 60.0
    return (busy_s + _QUIET_TAKERS * (open_s - busy_s)) / temper.taker_s


def _weight(month: Month) -> float:
    return _MONTH_WEIGHTS[min(month.rank, len(_MONTH_WEIGHTS) - 1)]


def flow_parameters(month: Month) -> FlowParameters:
    """Derive the flow of a month from its row of the table, its temper and its rank."""
    temper = TEMPERS[month.instrument.symbol]
    weight = _weight(month)
    open_s = month.calendar.open_seconds()
    takers = _liquid_takers(temper, open_s=open_s)
    # Where a few takers an hour cannot make the volume, each of them trades more.
    taker_lots = max(1.0, temper.daily_lots / takers)
    scale = max(1.0, taker_lots / 2)
    spread_ticks = month.instrument.spread_ticks * (1 + 0.25 * month.rank)
    daily_ticks = temper.daily_volatility * month.settlement_ticks
    return FlowParameters(
        spread_ticks=spread_ticks,
        daily_ticks=daily_ticks,
        volatility_ticks=daily_ticks / math.sqrt(open_s),
        quote_s=1 / math.sqrt(weight),
        taker_s=temper.taker_s / weight,
        taker_lots=taker_lots,
        quote_lots=round(MAX_QUOTE_LOTS * scale),
        daily_lots=temper.daily_lots * weight,
        impact_ticks=min(0.03 * spread_ticks, 0.02 * daily_ticks) / scale,
        busy=temper.busy,
    )


class Flow:
    """The quoters and takers of one contract, acting on its book.

    Its orders have negative keys; the keys of clients are positive.

    Parameters
    ----------
    parameters
        How it behaves.
    dice
        A generator that nobody else draws from.
    fair_ticks
        Where the fair value starts.
    opening
        What the first session begins with; None draws it, after a move of the fair value over the closure.

    Attributes
    ----------
    absent : SimSide or None
        A side on which there is neither quoter nor taker, as in a market locked at its limit.
    """

    def __init__(
        self, parameters: FlowParameters, *, dice: random.Random, fair_ticks: float, opening: Opening | None = None
    ) -> None:
        self.parameters = parameters
        self.fair_ticks = fair_ticks
        self.absent: SimSide | None = None
        self._dice = dice
        self._opening = opening
        self._centre_ticks = fair_ticks
        self._offsets: dict[SimSide, float] = {}
        self._slots: dict[SimSide, list[int]] = {side: [0] * LEVELS for side in SimSide}
        self._last_key = 0
        self._last_ns = 0
        self._band_ticks = max(0.5, 0.25 * parameters.spread_ticks)
        self._gap_ticks = max(1.0, 0.3 * parameters.spread_ticks)
        self._far_ticks = 2 * LEVELS * self._gap_ticks
        quote_rate, taker_rate = 1 / parameters.quote_s, 1 / parameters.taker_s
        quiet_quotes, quiet_takers = quote_rate * _QUIET_QUOTES, taker_rate * _QUIET_TAKERS
        self._rates = {True: quote_rate + taker_rate, False: quiet_quotes + quiet_takers}
        self._taker_shares = {
            True: taker_rate / (quote_rate + taker_rate),
            False: quiet_takers / (quiet_quotes + quiet_takers),
        }

    def open(self, book: Book, *, now_ns: int) -> None:
        """Start a session: move the fair value by what the closure brought, and fill all levels."""
        self._last_ns = now_ns
        opening, self._opening = self._opening, None
        if opening is None:
            self.fair_ticks += self._dice.gauss(0, OVERNIGHT_SHARE * self.parameters.daily_ticks)
            for side in SimSide:
                self._offsets[side] = self._draw_offset()
        else:
            self.fair_ticks = (opening.bid_ticks + opening.ask_ticks) / 2
            self._offsets = dict.fromkeys(SimSide, (opening.ask_ticks - opening.bid_ticks) / 2)
        self._centre_ticks = self.fair_ticks
        for slot in range(LEVELS):
            for side in SimSide:
                self._place(book, side, slot)
        if opening is not None:
            for side, lots in ((SimSide.BUY, opening.bid_lots), (SimSide.SELL, opening.ask_lots)):
                book.amend(self._slots[side][0], price_ticks=self._touch_ticks(side), lots=lots)

    def close(self, book: Book) -> None:
        """End a session: take all quotes away."""
        for side in SimSide:
            for slot, key in enumerate(self._slots[side]):
                book.cancel(key)
                self._slots[side][slot] = 0

    def wait_ns(self, *, busy: bool) -> int:
        """Draw the time until the next act, in nanoseconds, at least 1."""
        return 1 + int(self._dice.expovariate(self._rates[busy]) * _NS_PER_S)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:
        """Do the next thing: change a quote, or take at the touch.

        Parameters
        ----------
        book
            The book to act on.
        now_ns
            The time of the act; the fair value walks from the last one to here.
        busy
            Whether these are the busy hours.

        Returns
        -------
        list of Entry
            What each order that entered did, in order.
        """
        elapsed_s = (now_ns - self._last_ns) / _NS_PER_S
        self._last_ns = now_ns
        self.fair_ticks += self._dice.gauss(0, self.parameters.volatility_ticks) * math.sqrt(elapsed_s)
        if self._dice.random() < self._taker_shares[busy]:
            return self._take(book)
        return self._quote(book)

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Nobody here heeds the orders of clients, but through their trades."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Let the fair value follow a trade whose taker was on ``side``."""
        lots = min(lots, self.parameters.quote_lots)
        self.fair_ticks += _SIGN[side] * lots * self.parameters.impact_ticks

    def _take(self, book: Book) -> list[Entry]:
        side = SimSide.BUY if self._dice.random() < 0.5 else SimSide.SELL
        extra = self.parameters.taker_lots - 1
        lots = 1 + int(self._dice.expovariate(1.0) * extra + 0.5)
        lots = min(lots, max(3, int(3 * extra)))
        touch = book.best(_OTHER[side])
        if touch is None or side is self.absent:
            return []
        return [book.enter(self._next_key(), owner=Owner.FLOW, side=side, price_ticks=touch[0], lots=lots, rests=False)]

    def _quote(self, book: Book) -> list[Entry]:
        if abs(self.fair_ticks - self._centre_ticks) > self._band_ticks:
            self._centre_ticks = self.fair_ticks
            return self._align(book, (SimSide.BUY, SimSide.SELL))
        draw = self._dice.random
        side = SimSide.BUY if draw() < 0.5 else SimSide.SELL
        for slot, key in enumerate(self._slots[side]):
            if key not in book and draw() < _REFILL_CHANCE:
                return [self._place(book, side, slot)]
        if draw() < _STEP_CHANCE:
            self._offsets[side] = self._draw_offset()
            return self._align(book, (side,))
        # Sizes change most at the touch.
        slot = max(0, int(draw() * 2 * LEVELS) - LEVELS)
        return self._flicker(book, side, slot)

    def _align(self, book: Book, sides: tuple[SimSide, ...]) -> list[Entry]:
        """Bring the touch of sides to where it belongs, first off the way, then on it."""
        for side in sides:
            touch_ticks = self._touch_ticks(side)
            for slot, key in enumerate(self._slots[side]):
                resting = book.get(key)
                if resting is None:
                    continue
                ahead_ticks = _SIGN[side] * (resting.price_ticks - touch_ticks)
                if ahead_ticks > 0 or (slot == 0 and ahead_ticks):
                    book.cancel(key)
        return [self._place(book, side, 0) for side in sides if book.get(self._slots[side][0]) is None]

    def _flicker(self, book: Book, side: SimSide, slot: int) -> list[Entry]:
        """Give a level another size, or another price where the touch has left it far behind."""
        key = self._slots[side][slot]
        resting = book.get(key)
        if resting is None:
            return []
        behind_ticks = _SIGN[side] * (self._touch_ticks(side) - resting.price_ticks)
        if behind_ticks > self._far_ticks:
            book.cancel(key)
            return [self._place(book, side, slot)]
        return [book.amend(key, price_ticks=resting.price_ticks, lots=self._draw_lots())]

    def _place(self, book: Book, side: SimSide, slot: int) -> Entry:
        behind_ticks = slot and max(slot, round(slot * self._gap_ticks * self._dice.uniform(0.7, 1.3)))
        key = self._slots[side][slot] = self._next_key()
        if side is self.absent:
            return Entry(key=key, owner=Owner.FLOW, side=side)
        return book.enter(
            key,
            owner=Owner.FLOW,
            side=side,
            price_ticks=self._touch_ticks(side) - _SIGN[side] * behind_ticks,
            lots=self._draw_lots(),
        )

    def _touch_ticks(self, side: SimSide) -> int:
        # Half up, never half to even: a distance of one tick must stay one after rounding.
        return math.floor(self._centre_ticks - _SIGN[side] * self._offsets[side] + 0.5)

    def _draw_offset(self) -> float:
        """Draw a side's distance from the centre; its mean is half the spread, its least half a tick."""
        return max(0.5, self.parameters.spread_ticks / 2 * self._dice.uniform(0.6, 1.4))

    def _draw_lots(self) -> int:
        return 1 + int(self._dice.random() * self.parameters.quote_lots)

    def _next_key(self) -> int:
        self._last_key -= 1
        return self._last_key
