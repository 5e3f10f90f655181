"""Cancels a journal's own orders beside a client that hangs: the same client id, on a socket of its own.

It speaks the few wire messages that this takes, and knows none that could place an order. The broker cancels an order
only for the client id that placed it, and lets a client id in only once, so that the old socket must be gone first:
until then the gateway answers 326, and it is tried again.

Wire (IB API, text protocol, server versions 157 to 178): out 71 startApi, 5 and 16 open orders, 4 cancel; in 9 next
valid id, 5 open order (in all these versions its fields 1, 23 and 24 are order id, reference and client id), 3 order
status, 53 open order end, 4 error.
"""

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_VERSIONS = b"v157..178"
_CANCEL_TIME_VERSION = 169
_MAX_FRAME_BYTES = 1 << 20
_WIRE_DEAD = frozenset({"Cancelled", "ApiCancelled", "Filled"})
_CLIENT_ID_IN_USE = 326

ANSWER_S = 3.0
"""Seconds for one attempt to connect and shake hands."""
RETRY_S = 0.05
"""Seconds between two attempts to connect."""
LOOK_S = 0.2
"""Seconds without news after which the open orders are asked for again."""
CANCELS_A_SECOND = 40
"""The broker cuts off who sends more than 50 messages in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a desk is connected, and as whom."""

    host: str
    port: int
    client_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardStatus:
    """What the wire said of an order of ours, which the desk's own socket did not hear."""

    order_id: int
    perm_id: int
    status: str
    filled_lots: int
    remaining_lots: int


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How far it came.

    `own` maps the order ids found to their references, `over` are those of them that work no more. `beyond_reach` are
    references of this journal that another client id placed. `trouble` says what went wrong, empty where nothing did.
    """

    own: dict[int, str] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    beyond_reach: set[str] = field(default_factory=set)
    trouble: str = "not begun"

    @property
    def progress(self) -> tuple[int, int]:
        """Own orders confirmed over, of own orders found."""
        return len(self.over), len(self.own)

    @property
    def is_done(self) -> bool:
        """Whether the broker confirmed that no own order of this client id works."""
        return not self.trouble


class _GaveWay(Exception):
    """The desk itself is back and holds its client id again."""


class _InUse(Exception):
    """Error 326."""


async def cancel_own(
    place: Place,
    own_prefix: str,
    *,
    outcome: Outcome,
    timeout_s: float = 15.0,
    refused_s: float | None = None,
    on_heard: Callable[[HeardStatus], None] = lambda _heard: None,
    give_way: Callable[[], bool] = lambda: False,
) -> None:
    """Connect with the client id of a desk, cancel its journal's own orders, and watch until none is left.

    Parameters
    ----------
    place
        Gateway and client id.
    own_prefix
        How the references of the own orders begin; no other order is touched.
    outcome
        Kept up to date, for whoever watches.
    timeout_s
        Seconds after which it gives up; `outcome.trouble` then says how far it came.
    refused_s
        Seconds after which an address where nobody listens is given up; None tries until `timeout_s`.
    on_heard
        Told every status of an own order.
    give_way
        Whether the desk is back: where it is, and holds the client id again, it cancels by itself.
    """
    began_s = time.monotonic()
    outcome.trouble = "not connected yet"
    while time.monotonic() - began_s < timeout_s:
        left_s = timeout_s - (time.monotonic() - began_s)
        try:
            async with asyncio.timeout(left_s):
                await _Client(place, own_prefix, outcome=outcome, on_heard=on_heard).run()
        except _InUse:
            outcome.trouble = (
                f"client id {place.client_id} is in use at {place.host}:{place.port} by another connection"
            )
            if give_way():
                outcome.trouble = "the desk answers again, and cancels by itself"
                return
        except TimeoutError:
            outcome.trouble = _unconfirmed(outcome, f"the gateway at {place.host}:{place.port} did not answer in time")
        except (OSError, ValueError, LookupError, EOFError) as error:
            is_refused = isinstance(error, ConnectionRefusedError)
            words = "nobody listens there" if is_refused else str(error) or type(error).__name__
            outcome.trouble = _unconfirmed(outcome, f"the gateway at {place.host}:{place.port}: {words}")
            if is_refused and refused_s is not None and time.monotonic() - began_s > refused_s:
                return
        else:
            others = len(outcome.beyond_reach)
            outcome.trouble = (
                f"{others} orders of this journal were placed under another client id: only it, or a global cancel, can"
                " cancel them"
                if others
                else ""
            )
            return
        await asyncio.sleep(RETRY_S)


def _unconfirmed(outcome: Outcome, words: str) -> str:
    confirmed, total = outcome.progress
    return f"{words}; {confirmed} of {total} own orders confirmed cancelled" if total else words


class _Client:
    """One connection, from the greeting to the proof that nothing is left."""

    def __init__(
        self, place: Place, own_prefix: str, *, outcome: Outcome, on_heard: Callable[[HeardStatus], None]
    ) -> None:
        self._place = place
        self._own_prefix = own_prefix
        self._outcome = outcome
        self._on_heard = on_heard
        self._version = 0
        self._listed: set[int] = set()  # own orders named since open orders were last asked for
        self._ends_owed = 0
        self._cancelled_s: dict[int, float] = {}
        self._sent_s: list[float] = []

    async def run(self) -> None:
        """Cancel what is open; returns once a whole reply names no own order."""
        async with asyncio.timeout(ANSWER_S):
            self._reader, self._writer = await asyncio.open_connection(self._place.host, self._place.port)
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._shake_hands()
            await self._empty()
        finally:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def _shake_hands(self) -> None:
        self._writer.write(b"API\0" + _framed(_VERSIONS))
        self._version = int((await self._read())[0])
        self._send(71, 2, self._place.client_id, "")
        while True:
            fields = await self._read()
            self._take(fields)
            if fields[0] == "9":
                return

    async def _empty(self) -> None:
        """Ask, cancel, and ask again until nothing is left."""
        while True:
            self._ask()
            while self._ends_owed:
                self._take(await self._read())
            self._outcome.over |= self._outcome.own.keys() - self._listed
            if not self._listed:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    while self._outcome.own.keys() - self._outcome.over:
                        self._take(await self._read())

    def _ask(self) -> None:
        """Ask for the orders of all clients and for this one's own: between them they name every one.

        Client 0 asks only the first, as the second would bind orders to it that people typed by hand.
        """
        self._listed.clear()
        self._outcome.beyond_reach.clear()
        self._ends_owed = 1
        self._send(16, 1)
        if self._place.client_id:
            self._ends_owed += 1
            self._send(5, 1)

    def _take(self, fields: list[str]) -> None:
        match fields[0]:
            case "5":
                self._open_order(int(fields[1]), order_ref=fields[23], client_id=int(fields[24]))
            case "3":
                self._order_status(fields)
            case "53":
                self._ends_owed = max(0, self._ends_owed - 1)
            case "4" if int(fields[3]) == _CLIENT_ID_IN_USE:
                raise _InUse(fields[4])

    def _open_order(self, order_id: int, *, order_ref: str, client_id: int) -> None:
        """Cancel an own order, and once a second again while the broker goes on naming it."""
        if not order_ref.startswith(self._own_prefix):
            return
        if client_id != self._place.client_id:
            self._outcome.beyond_reach.add(order_ref)
            return
        self._outcome.own[order_id] = order_ref
        self._listed.add(order_id)
        self._outcome.over.discard(order_id)
        now_s = time.monotonic()
        self._sent_s = [at_s for at_s in self._sent_s if now_s - at_s < 1]
        if now_s - self._cancelled_s.get(order_id, 0) < 1 or len(self._sent_s) >= CANCELS_A_SECOND:
            return  # the next look finds it again
        self._cancelled_s[order_id] = now_s
        self._sent_s.append(now_s)
        self._send(4, 1, order_id, *([""] if self._version >= _CANCEL_TIME_VERSION else []))

    def _order_status(self, fields: list[str]) -> None:
        order_id, status = int(fields[1]), fields[2]
        if order_id not in self._outcome.own:
            return
        if status in _WIRE_DEAD:
            self._outcome.over.add(order_id)
            self._listed.discard(order_id)
        filled, remaining = (round(float(text or 0)) for text in fields[3:5])
        perm_id = int(fields[6] or 0)
        self._on_heard(
            HeardStatus(order_id=order_id, perm_id=perm_id, status=status, filled_lots=filled, remaining_lots=remaining)
        )

    def _send(self, *fields: object) -> None:
        self._writer.write(_framed("".join(f"{one}\0" for one in fields).encode()))

    async def _read(self) -> list[str]:
        (length,) = struct.unpack(">I", await self._reader.readexactly(4))
        if not 0 < length <= _MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {length} bytes is none of this protocol")
        return (await self._reader.readexactly(length)).decode(errors="backslashreplace").split("\0")[:-1] or [""]


def _framed(payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + payload
