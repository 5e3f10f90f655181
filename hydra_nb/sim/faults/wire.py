"""A connection that can fail, and messages about orders as they leave through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from hydra_nb.sim.connection import Session
from hydra_nb.sim.faults.states import Key, OrderStates
from hydra_nb.sim.framing import PREFIX_BYTES, frame

OPEN_ORDER, STATUS, EXECUTION, COMMISSION, ERROR = "5", "3", "11", "59", "4"
TICK_PRICE, TICK_SIZE = "1", "2"
NEWS_OF_FILLS = (EXECUTION, COMMISSION)
"""Messages that tell of a trade, and answer no request."""

_ORDER_ID: dict[str, Callable[[tuple[str, ...]], str]] = {
    OPEN_ORDER: lambda fields: fields[1],
    STATUS: lambda fields: fields[1],
    EXECUTION: lambda fields: fields[2] if fields[1] == "-1" else "",
    ERROR: lambda fields: fields[2],
}
"""The order id of a message by its type; empty where it belongs to a question."""
_EXEC_ID_FIELD = 14  # after message id, request id, order id and the eleven fields of the contract


class Outlet(Protocol):
    """What the frames of a connection pass through on their way out."""

    def outbound(self, session: "FaultySession", frames: bytes) -> None:
        """Let frames pass, fail or wait."""

    def draw_bytes(self, limit: int) -> int:
        """Draw a number of bytes from 1 to the limit."""

    def schedule_release(self, session: "FaultySession") -> None:
        """Let some of the held bytes out in a while."""


class FaultySession(Session):
    """A session whose two directions can be cut, whose bytes can be cut up, and whose end can be a reset.

    Attributes
    ----------
    is_deaf
        Nothing that the client sends is read.
    is_mute
        Nothing that is sent leaves.
    lag_s
        By message type, how much later it leaves; empty for at once.
    """

    __slots__ = ("_ready_bytes", "_segments", "is_deaf", "is_mute", "lag_s", "lanes", "outlet")

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self.outlet = outlet
        self.is_deaf = False
        self.is_mute = False
        self.lag_s: dict[str, float] = {}
        self.lanes: dict[str, int] = {}
        self._segments = False
        self._ready_bytes = 0

    def send(self, frames: bytes) -> None:
        """Queue whole frames, subject to faults."""
        if not self.closed:
            self.outlet.outbound(self, frames)

    def emit(self, data: bytes) -> None:
        """Queue bytes past all faults of messages."""
        if self.closed or self.is_mute:
            return
        super().send(data)
        if self._segments and not self._ready_bytes:
            self.outlet.schedule_release(self)

    def break_off(self, *, reset: bool = True) -> None:
        """End the connection from the gateway's side."""
        self.closed = True
        self.was_reset = reset

    def cut_up(self, cuts: bool) -> None:
        """Begin or end leaving in segments."""
        self._segments = cuts
        self._ready_bytes = 0

    def release(self) -> None:
        """Let some of the held bytes out, in pieces cut anywhere."""
        held = len(self._output)
        if self._segments and held:
            self._ready_bytes = self.outlet.draw_bytes(held)
            if self._ready_bytes < held:
                self.outlet.schedule_release(self)

    def take_output(self) -> bytes:
        """Bytes to send since the last call; where they are cut up, one piece."""
        if not self._segments or self.closed:
            return super().take_output()
        if not self._ready_bytes:
            return b""
        size = self.outlet.draw_bytes(self._ready_bytes)
        piece = bytes(self._output[:size])
        del self._output[:size]
        self._ready_bytes -= size
        return piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message about an order on its way to its client."""

    raw: bytes
    type: str
    fields: tuple[str, ...] = field(repr=False)
    key: Key
    exec_id: str = ""

    @property
    def shows(self) -> str:
        """What it is, for the log."""
        names = {OPEN_ORDER: "openOrder", STATUS: "orderStatus", EXECUTION: "execution", COMMISSION: "commission"}
        name = names.get(self.type, f"error {self.fields[3]}" if self.type == ERROR else self.type)
        return f"{name} of order {self.key[1]}"


def split_frames(frames: bytes) -> Iterator[bytes]:
    """Cut whole frames apart, each with its prefix."""
    start = 0
    while start < len(frames):
        end = start + PREFIX_BYTES + int.from_bytes(frames[start : start + PREFIX_BYTES], "big")
        yield frames[start:end]
        start = end


def fields_of(raw: bytes) -> tuple[str, ...]:
    """Text fields of one frame."""
    return tuple(raw[PREFIX_BYTES:].decode().split("\0")[:-1])


def frame_of(fields: tuple[str, ...]) -> bytes:
    """One frame of text fields."""
    return frame("".join(one + "\0" for one in fields).encode())


class MessageReader:
    """Tells messages about orders from all others.

    Parameters
    ----------
    states
        Knows which ids are orders.
    """

    def __init__(self, states: OrderStates) -> None:
        self._states = states
        self._keys: dict[str, Key] = {}

    def read(self, raw: bytes, client_id: int) -> Message | None:
        """Read a frame; None where it is not about an order of this client."""
        fields = fields_of(raw)
        kind = fields[0]
        if kind == COMMISSION:
            known = self._keys.get(fields[2])
            return None if known is None else Message(raw=raw, type=kind, fields=fields, key=known, exec_id=fields[2])
        number = _ORDER_ID[kind](fields) if kind in _ORDER_ID else ""
        if not number or not self._states.is_known((client_id, int(number))):
            return None
        key = client_id, int(number)
        exec_id = fields[_EXEC_ID_FIELD] if kind == EXECUTION else ""
        if exec_id:
            self._keys[exec_id] = key
        return Message(raw=raw, type=kind, fields=fields, key=key, exec_id=exec_id)
