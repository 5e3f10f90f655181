"""Our own top of the book of each watched contract, built from the ticks of the wire.

Ticks change plain fields; a `Quote` is made at most once for each network batch. Prices become exact
multiples of the tick; a side counts only while it shows a price and a size.

Tick types: IB API, "Available Tick Types".
"""

import math
from collections.abc import Callable, Iterable
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import FeedType, Quote

_DELAYED_PRICES = {66: 1, 67: 2, 68: 4, 75: 9}
_DELAYED_SIZES = {69: 0, 70: 3, 71: 5, 74: 8}
_PRICES = {1: "bid", 2: "ask", 4: "last", 9: "settlement"}
_SIZES = {0: "bid_size", 3: "ask_size", 5: "last_size", 8: "volume"}
_SIDES = ("bid", "ask")
_HALTED = (49, 90)
_SIZE_TICKS_OF_PRICE = {1: "bid_size", 2: "ask_size", 4: "last_size"}
_FEEDS = {1: FeedType.LIVE, 2: FeedType.FROZEN, 3: FeedType.DELAYED, 4: FeedType.DELAYED_FROZEN}

_ONE = Decimal(1)
_NO_PRICE = -1.0
_LARGEST = 1e15  # beyond this a number of the wire stands for "not set"
_SNAP = Decimal("1e-9")  # a double is this close to its tick, relative to the price


def exact_price(price: float, *, tick: Decimal | None) -> Decimal:
    """The decimal that a double stands for: the nearest multiple of `tick` where one is within 1e-9."""
    value = Decimal(repr(price))
    if tick is None:
        return value
    snapped = (value / tick).to_integral_value() * tick
    return snapped if abs(snapped - value) <= _SNAP * max(abs(value), _ONE) else value


class _Line:
    """What the wire told of one contract so far, in its present subscription."""

    __slots__ = (
        "ask",
        "ask_size",
        "asked_ns",
        "bid",
        "bid_size",
        "contract",
        "feed",
        "halted",
        "heard_ns",
        "is_dirty",
        "is_refused",
        "is_told",
        "last",
        "last_size",
        "quote",
        "settlement",
        "sides_told",
        "volume",
    )

    def __init__(self, contract: FutureContract) -> None:
        self.contract = contract
        self.feed = FeedType.LIVE
        self.is_told = True
        self.quote: Quote | None = None
        self.halted = False
        self.is_dirty = self.is_refused = False
        self.settlement: Decimal | None = None
        self.asked_ns = 0
        self.heard_ns = 0
        self.clear()

    def clear(self) -> None:
        """Forget all that another feed told, but for the settlement."""
        self.bid: Decimal | None = None
        self.ask: Decimal | None = None
        self.last: Decimal | None = None
        self.bid_size = self.ask_size = self.last_size = 0
        self.volume: int | None = None
        self.sides_told: frozenset[str] = frozenset()

    def successor(self) -> "_Line":
        """A line for a new subscription, which knows no bid and no ask before they are told anew."""
        line = _Line(self.contract)
        line.quote, line.settlement = self.quote, self.settlement
        line.last, line.last_size, line.volume = self.last, self.last_size, self.volume
        return line

    @property
    def can_stand(self) -> bool:
        """Whether it can stand for the contract: it told both sides, empty or not, or that none may be traded on."""
        return len(self.sides_told) == len(_SIDES) or self.halted or self.feed is not FeedType.LIVE

    def read(self, now_ns: int) -> Quote:
        """The quote that the ticks so far make."""
        bid = self.bid if self.bid_size > 0 else None
        ask = self.ask if self.ask_size > 0 else None
        return Quote(
            con_id=self.contract.con_id,
            time_ns=now_ns,
            bid=bid,
            bid_size=0 if bid is None else self.bid_size,
            ask=ask,
            ask_size=0 if ask is None else self.ask_size,
            last=self.last,
            last_size=self.last_size,
            volume=self.volume,
            settlement=self.settlement,
            feed=self.feed,
            halted=self.halted,
        )


class QuoteBoard:
    """Quotes of the watched contracts, by the request ids that their ticks carry.

    Parameters
    ----------
    now_ns
        Market time.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._lines: dict[int, _Line] = {}
        self._by_request: dict[int, _Line] = {}
        self._changed: dict[int, _Line] = {}

    @property
    def contracts(self) -> tuple[FutureContract, ...]:
        """What is watched, in the order in which it was asked for."""
        return tuple(line.contract for line in self._lines.values())

    def watch(self, contract: FutureContract) -> None:
        """Keep a quote of a contract; harmless when it is kept already."""
        if contract.con_id not in self._lines:
            self._lines[contract.con_id] = _Line(contract)

    def subscribe(self, con_id: int, *, req_id: int) -> None:
        """From now on the ticks of a contract carry this request id; what an earlier feed told is void."""
        line = self._lines[con_id]
        self._forget_requests(con_id)
        self._by_request[req_id] = line
        line.asked_ns = self._now_ns()
        line.feed, line.is_told = FeedType.LIVE, True
        line.halted = line.is_refused = False
        line.clear()
        line.quote, line.is_dirty = None, False

    def renew(self, con_id: int, *, req_id: int) -> tuple[int, ...]:
        """From now on the ticks of a contract carry this request id; gives the ids that they carried before.

        The quote stays as it is, and grows old, until the new ticks can stand for it, or `settle` says that they do.
        """
        self.quote(con_id)
        line = self._lines[con_id].successor()
        line.asked_ns = self._now_ns()
        before = self._forget_requests(con_id)
        self._by_request[req_id] = line
        return before

    def settle(self, con_id: int) -> None:
        """Let what a renewed subscription told stand for the contract: the side that it did not name is empty."""
        for line in self._by_request.values():
            if line.contract.con_id == con_id and line is not self._lines[con_id] and line.sides_told:
                self._adopt(line)

    def asked_ns(self, con_id: int) -> int | None:
        """When the present subscription of a contract was asked for; None where there is none."""
        lines = (line for line in self._by_request.values() if line.contract.con_id == con_id)
        return next((line.asked_ns for line in lines), None)

    def is_subscribed(self, con_id: int) -> bool:
        """Whether ticks of a contract are asked for."""
        return self.asked_ns(con_id) is not None

    def refuse(self, req_id: int) -> None:
        """The broker answered a subscription with an error."""
        line = self._by_request.get(req_id)
        if line is not None:
            line.is_refused = True

    def is_refused(self, con_id: int) -> bool:
        """Whether the present subscription of a contract was answered with an error."""
        return any(line.is_refused for line in self._by_request.values() if line.contract.con_id == con_id)

    def has_told_sides(self, con_id: int) -> bool:
        """Whether both sides of a contract were told by now, be it that they are empty."""
        return len(self._lines[con_id].sides_told) == len(_SIDES)

    def unsubscribe_all(self) -> None:
        """The connection is gone: no tick belongs to anything, and the last quotes grow old."""
        self._by_request.clear()

    def contract_of(self, req_id: int) -> FutureContract | None:
        """The contract whose ticks carry a request id."""
        line = self._by_request.get(req_id)
        return None if line is None else line.contract

    def quote(self, con_id: int) -> Quote | None:
        """The quote as of the last tick, None before the first."""
        line = self._lines.get(con_id)
        if line is None:
            return None
        if line.is_dirty:
            self._read(line)
        return line.quote

    def changed(self) -> Iterable[tuple[Quote, FutureContract]]:
        """Quotes that have changed since this was last asked, one a contract."""
        if not self._changed:
            return ()
        lines, self._changed = self._changed.values(), {}
        return [(quote, line.contract) for line in lines if (quote := self.quote(line.contract.con_id)) is not None]

    def price_tick(self, req_id: int, tick_type: int, price: float, size: float) -> None:
        """A price with its size; −1, infinite and unset prices mean that there is none."""
        line = self._by_request.get(req_id)
        if line is None:
            return
        tick_type = self._live_type(line, tick_type, _DELAYED_PRICES)
        name = _PRICES.get(tick_type)
        if name is None:
            return
        is_price = math.isfinite(price) and abs(price) < _LARGEST and price != _NO_PRICE
        if name == "settlement" and price == 0:
            is_price = False  # the wire says 0 where no settlement is known
        setattr(line, name, exact_price(price, tick=line.contract.tick) if is_price else None)
        if name in _SIDES and name not in line.sides_told:
            line.sides_told |= {name}
        size_name = _SIZE_TICKS_OF_PRICE.get(tick_type)
        if size_name is not None:
            setattr(line, size_name, _whole(size) or 0)
        self._touch(line)

    def size_tick(self, req_id: int, tick_type: int, size: float) -> None:
        """A size, or the volume of the day."""
        line = self._by_request.get(req_id)
        if line is None:
            return
        name = _SIZES.get(self._live_type(line, tick_type, _DELAYED_SIZES))
        if name is None:
            return
        lots = _whole(size)
        setattr(line, name, lots if name == "volume" else lots or 0)
        self._touch(line)

    def generic_tick(self, req_id: int, tick_type: int, value: float) -> None:
        """Only the halt is read: 1 and 2 mean halted, 0 and −1 that it is not, or not known to be."""
        line = self._by_request.get(req_id)
        if line is not None and tick_type in _HALTED:
            line.halted = value > 0
            self._touch(line)

    def feed_type(self, req_id: int, feed: int) -> None:
        """The broker changes how it feeds; prices of the feed before are void."""
        line = self._by_request.get(req_id)
        if line is None:
            return
        line.is_told = True
        changed = _FEEDS.get(feed, FeedType.DELAYED_FROZEN)  # a kind we do not know is not traded on
        if changed is not line.feed:
            line.feed = changed
            line.clear()
            if line.quote is not None:
                self._touch(line)

    def _live_type(self, line: _Line, tick_type: int, delayed: dict[int, int]) -> int:
        live = delayed.get(tick_type)
        if live is None:
            if not line.is_told and tick_type in delayed.values():  # one late tick must not end the feed for good
                line.feed, line.is_told = FeedType.LIVE, True
                line.clear()
            return tick_type
        if line.feed is FeedType.LIVE:  # delayed ticks without a word of it must not pass for live ones
            line.feed, line.is_told = FeedType.DELAYED, False
            line.clear()
        return live

    def _forget_requests(self, con_id: int) -> tuple[int, ...]:
        numbers = tuple(number for number, line in self._by_request.items() if line.contract.con_id == con_id)
        for number in numbers:
            del self._by_request[number]
        return numbers

    def _touch(self, line: _Line) -> None:
        if self._lines[line.contract.con_id] is line:
            line.is_dirty = True
            self._changed[line.contract.con_id] = line
            return
        line.heard_ns = self._now_ns()
        if line.can_stand:
            self._adopt(line)

    def _adopt(self, line: _Line) -> None:
        self._lines[line.contract.con_id] = self._changed[line.contract.con_id] = line
        line.quote = line.read(line.heard_ns)

    def _read(self, line: _Line) -> None:
        line.quote = line.read(self._now_ns())
        line.is_dirty = False


def _whole(size: float) -> int | None:
    return int(size) if math.isfinite(size) and 0 <= size < _LARGEST else None
