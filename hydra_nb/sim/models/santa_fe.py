"""Zero intelligence: limit orders, market orders and cancels that come at constant rates, and nothing else.

What it does
    The model of Daniels, Farmer, Gillemot, Iori and Smith (Phys. Rev. Lett. 90, 108102, 2003) and of Smith, Farmer,
    Gillemot and Krishnamurthy (Quantitative Finance 3, 481, 2003). Limit sells come at every price above the best bid,
    limit buys at every price below the best ask, within a window of prices, each at the same rate. Market orders come
    at a rate of their own and take the best of the other side. Each resting order is cancelled at a constant rate. All
    orders are of one size. Spread, depth, volatility and impact follow from these rates.

What it leaves out
    Nobody looks at anything but the two best prices: no fundamental value, no trend, no reaction to depth, to trades or
    to the orders of clients, but that a client's touch is a touch like any other. Prices come back after a trade more
    than real ones do. The worth of the contract is what somebody outside moves; the whole book is then moved by as many
    ticks.
"""

import datetime as dt
import math
import random
from dataclasses import dataclass

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.models.port import ALL_DAY, OTHER, SIGN
from hydra_nb.sim.records import SimSide

_NS_PER_S = 1_000_000_000
_ANY_TICKS = 1_000_000_000
"""A limit that no price comes near: what a market order has."""
_OPENING_LIVES = 3.0
"""How long the market runs by itself before the bell, in mean lives of a limit order."""
MAX_RESTING = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SantaFeParameters:
    """The rates of the model, in orders.

    Attributes
    ----------
    limit_per_s_tick : float
        α: limit orders in a second at each price of a side.
    market_per_s : float
        μ: market orders in a second, those of both sides together; each side has half.
    cancel_per_s : float
        δ: the rate at which each resting order is cancelled.
    order_lots : int
        σ: lots of every order.
    window_ticks : int
        Prices of a side at which limit orders come, counted from the best of the other side; the model of the papers
        has no end there. Four times `scale_ticks` is wide enough for the spread not to notice.
    busy : tuple of time
        Busy hours in exchange time.
    quiet : float
        All rates outside the busy hours, as a share of those within.
    """

    limit_per_s_tick: float
    market_per_s: float
    cancel_per_s: float
    window_ticks: int
    order_lots: int = 1
    busy: tuple[dt.time, dt.time] = ALL_DAY
    quiet: float = 1.0

    def __post_init__(self) -> None:
        for name in ("limit_per_s_tick", "market_per_s", "cancel_per_s", "quiet"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}: a finite number above zero is needed")
        for name in ("window_ticks", "order_lots"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value}: a whole number from 1 is needed")
        resting = 2 * self.window_ticks * self.limit_per_s_tick / self.cancel_per_s
        if resting > MAX_RESTING:
            raise ValueError(
                f"about {resting:,.0f} orders would rest, at most {MAX_RESTING:,} may: a narrower window_ticks, "
                "or a higher cancel_per_s"
            )

    @property
    def epsilon(self) -> float:
        """ε = 2δσ/μ: cancels against trades, all that the shape of the book depends on where ticks are small."""
        return 2 * self.cancel_per_s / self.market_per_s

    @property
    def scale_ticks(self) -> float:
        """μ/2α: the characteristic price, in ticks."""
        return self.market_per_s / (2 * self.limit_per_s_tick)

    @property
    def far_lots(self) -> float:
        """α/δ: mean lots at a price far from the spread, and far from the end of the window."""
        return self.order_lots * self.limit_per_s_tick / self.cancel_per_s


class SantaFe:
    """Zero intelligence on the book of one contract.

    Parameters
    ----------
    parameters
        The rates.
    dice
        A generator that nobody else draws from.
    fair_ticks
        Where the market starts.
    """

    def __init__(self, parameters: SantaFeParameters, *, dice: random.Random, fair_ticks: float) -> None:
        self.parameters = parameters
        self.fair_ticks = fair_ticks
        self.absent: SimSide | None = None
        self._dice = dice
        self._followed_ticks = fair_ticks
        floor_ticks = math.floor(fair_ticks)
        self._touch_ticks = {SimSide.BUY: floor_ticks, SimSide.SELL: floor_ticks + 1}
        # Orders that were filled stay in this list until a cancel picks them, which then is none: exact, as each order
        # that rests is still picked at its rate, and no fill by a client need be told.
        self._keys: list[int] = []
        self._last_key = 0
        self._limits_per_s = 2 * parameters.window_ticks * parameters.limit_per_s_tick
        self._arrivals_per_s = self._limits_per_s + parameters.market_per_s

    def open(self, book: Book, *, now_ns: int) -> None:  # noqa: ARG002  the rates know no time
        """Fill the book: the market runs by itself for three lives of an order, from the price where it stood."""
        self._follow(book)
        left_s = _OPENING_LIVES / self.parameters.cancel_per_s
        while (left_s := left_s - self._dice.expovariate(self._rate_per_s())) > 0:
            self._step(book)

    def close(self, book: Book) -> None:
        """Take all orders away."""
        for key in self._keys:
            book.cancel(key)
        self._keys.clear()

    def wait_ns(self, *, busy: bool) -> int:
        """Draw the time until the next act."""
        rate_per_s = self._rate_per_s() * (1.0 if busy else self.parameters.quiet)
        return 1 + int(self._dice.expovariate(rate_per_s) * _NS_PER_S)

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  of all hours alike, but in pace
        """Let one order come, or go."""
        moved = self._follow(book)
        return moved + self._step(book) if moved else self._step(book)

    def heed(self, entry: Entry, *, now_ns: int) -> None:
        """Nobody here heeds anything."""

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """Nor any trade: prices move because orders are gone."""

    def _rate_per_s(self) -> float:
        return self._arrivals_per_s + self.parameters.cancel_per_s * len(self._keys)

    def _step(self, book: Book) -> list[Entry]:
        dice = self._dice.random() * self._rate_per_s()
        if dice < self._limits_per_s:
            return self._limit(book, slot=int(dice / self.parameters.limit_per_s_tick))
        if dice < self._arrivals_per_s:
            is_buy = dice - self._limits_per_s < self.parameters.market_per_s / 2
            return self._market(book, SimSide.BUY if is_buy else SimSide.SELL)
        self._cancel(book, slot=int((dice - self._arrivals_per_s) / self.parameters.cancel_per_s))
        return []

    def _limit(self, book: Book, *, slot: int) -> list[Entry]:
        """Place an order at one of the prices of both windows, which are numbered from 0."""
        window_ticks = self.parameters.window_ticks
        side = SimSide.BUY if slot < window_ticks else SimSide.SELL
        if side is self.absent:
            return []
        best = book.best(OTHER[side])
        if best is not None:
            self._touch_ticks[OTHER[side]] = best[0]
        # Where the other side is empty, its last price stands for it.
        price_ticks = self._touch_ticks[OTHER[side]] - SIGN[side] * (1 + slot % window_ticks)
        key = self._next_key()
        self._keys.append(key)
        return [book.enter(key, owner=Owner.FLOW, side=side, price_ticks=price_ticks, lots=self.parameters.order_lots)]

    def _market(self, book: Book, side: SimSide) -> list[Entry]:
        if side is self.absent or book.best(OTHER[side]) is None:
            return []
        limit_ticks = SIGN[side] * _ANY_TICKS
        lots = self.parameters.order_lots
        key = self._next_key()
        return [book.enter(key, owner=Owner.FLOW, side=side, price_ticks=limit_ticks, lots=lots, rests=False)]

    def _cancel(self, book: Book, *, slot: int) -> None:
        last = self._keys.pop()
        key = last
        if slot < len(self._keys):
            key, self._keys[slot] = self._keys[slot], last
        book.cancel(key)

    def _follow(self, book: Book) -> list[Entry]:
        """Move the whole book by the ticks that the worth of the contract was moved by from outside."""
        by_ticks = math.floor(self.fair_ticks - self._followed_ticks + 0.5)
        if by_ticks == 0:
            return []
        self._followed_ticks += by_ticks
        for side in SimSide:
            self._touch_ticks[side] += by_ticks
        resting = [order for side in SimSide for order in book.queue(side) if order.owner is Owner.FLOW]
        terms = [(order.key, order.side, order.price_ticks + by_ticks, order.lots) for order in resting]
        for order in resting:
            book.cancel(order.key)
        return [
            book.enter(key, owner=Owner.FLOW, side=side, price_ticks=price_ticks, lots=lots)
            for key, side, price_ticks, lots in terms
        ]

    def _next_key(self) -> int:
        self._last_key -= 1
        return self._last_key
