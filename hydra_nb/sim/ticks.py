"""Market data as ticks: one stream per request, sending only what has changed.

Quotes are the bulk of all traffic, so the constant part of each message is built once, as bytes.
"""

from decimal import Decimal

from hydra_nb.sim.records import Top, Traded

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME, CLOSE = 0, 1, 2, 3, 4, 5, 8, 9  # tick types of the wire
OPEN_INTEREST = 86
OPEN_INTEREST_ASKED = "588"
"""The generic tick by which a client asks for the open interest of a future."""

_CAN_EXECUTE = b"1\0"  # attribute mask of a price: it can be hit automatically
_NO_ATTRIBUTE = b"0\0"


class TickStream:
    """Turns the tops and trades of one contract into tick messages for one request.

    Parameters
    ----------
    req_id
        The client's request id, which every tick carries.
    con_id
        The contract.
    """

    __slots__ = (
        "_ask",
        "_ask_size",
        "_bid",
        "_bid_size",
        "_close",
        "_last",
        "_last_size",
        "_price_head",
        "_size_head",
        "_volume",
        "con_id",
        "req_id",
    )

    def __init__(self, *, req_id: int, con_id: int) -> None:
        self.req_id = req_id
        self.con_id = con_id
        self._price_head = {tick: b"1\x006\x00%d\x00%d\x00" % (req_id, tick) for tick in (BID, ASK, LAST, CLOSE)}
        self._size_head = {
            tick: b"2\x006\x00%d\x00%d\x00" % (req_id, tick)
            for tick in (BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME, OPEN_INTEREST)
        }
        # Sizes of -1 differ from every true size: the first top is sent whole, empty sides included.
        self._bid: Decimal | None = None
        self._ask: Decimal | None = None
        self._last: Decimal | None = None
        self._close: Decimal | None = None
        self._bid_size = self._ask_size = self._last_size = self._volume = -1

    def top_changed(self, top: Top) -> bytes:
        """Ticks for what differs from the last that was sent; an empty side has price -1 and size 0."""
        out = b""
        bid, ask = top.bid, top.ask
        if bid != self._bid or self._bid_size < 0:
            self._bid, self._bid_size = bid, top.bid_size
            out += self._price(BID, bid, top.bid_size, _CAN_EXECUTE)
        elif top.bid_size != self._bid_size:
            self._bid_size = top.bid_size
            out += self._size(BID_SIZE, top.bid_size)
        if ask != self._ask or self._ask_size < 0:
            self._ask, self._ask_size = ask, top.ask_size
            out += self._price(ASK, ask, top.ask_size, _CAN_EXECUTE)
        elif top.ask_size != self._ask_size:
            self._ask_size = top.ask_size
            out += self._size(ASK_SIZE, top.ask_size)
        if top.last is not None:
            out += self._print(top.last, top.last_size, top.volume)
        if top.close != self._close:
            self._close = top.close
            out += self._price(CLOSE, top.close, 0, _NO_ATTRIBUTE)
        return out

    def traded(self, trade: Traded) -> bytes:
        """Ticks for one print."""
        return self._print(trade.price, trade.size, trade.volume)

    def open_interest(self, lots: int) -> bytes:
        """The tick that tells the open interest; it comes once, where it was asked for."""
        return self._size(OPEN_INTEREST, lots)

    def forget(self) -> None:
        """Forget what was sent, so that the next top is sent whole."""
        self._last = self._close = None
        self._bid_size = self._ask_size = self._last_size = self._volume = -1

    def _print(self, price: Decimal, size: int, volume: int) -> bytes:
        if volume == self._volume and price == self._last and size == self._last_size:
            return b""
        out = b""
        if price != self._last:
            out += self._price(LAST, price, size, _NO_ATTRIBUTE)
        elif size != self._last_size:
            out += self._size(LAST_SIZE, size)
        if volume != self._volume:
            out += self._size(VOLUME, volume)
        self._last, self._last_size, self._volume = price, size, volume
        return out

    def _price(self, tick_type: int, price: Decimal | None, size: int, attributes: bytes) -> bytes:
        text = b"-1" if price is None else format(price, "f").encode()
        body = b"%b%b\0%d\0%b" % (self._price_head[tick_type], text, size, attributes)
        return len(body).to_bytes(4, "big") + body

    def _size(self, tick_type: int, size: int) -> bytes:
        body = b"%b%d\0" % (self._size_head[tick_type], size)
        return len(body).to_bytes(4, "big") + body
