"""One connection of a client, as the gateway keeps it."""

from hydra_nb.sim import replies
from hydra_nb.sim.account_streams import AccountStream
from hydra_nb.sim.framing import FrameDecoder
from hydra_nb.sim.ticks import TickStream

StreamKey = tuple[str, int]
"""What a stream tells, and the request id it was asked for under."""


class Session:
    """One connection: what the client has said so far, and what it is still to be sent.

    Attributes
    ----------
    client_id
        None until the client has started.
    server_version
        0 until the handshake is done.
    closed
        Set when the socket is to be closed, once the output has been sent.
    was_reset
        Set with ``closed`` where the socket ends in a reset instead of an orderly close.
    """

    __slots__ = (
        "_output",
        "account_streams",
        "client_id",
        "closed",
        "decoder",
        "server_version",
        "tick_streams",
        "was_reset",
    )

    def __init__(self) -> None:
        self.client_id: int | None = None
        self.server_version = 0
        self.closed = False
        self.was_reset = False
        self.decoder = FrameDecoder(greeting=True)
        self.tick_streams: dict[int, TickStream] = {}
        self.account_streams: dict[StreamKey, AccountStream] = {}
        self._output = bytearray()

    def send(self, frames: bytes) -> None:
        """Queue whole frames for the client; the only way out of a session."""
        self._output += frames

    def error(self, req_id: int, code: int, message: str) -> None:
        """Queue an error, warning or notice."""
        self.send(replies.error(req_id, code=code, message=message, server_version=self.server_version))

    def take_output(self) -> bytes:
        """Bytes to send since the last call."""
        output = bytes(self._output)
        self._output.clear()
        return output
