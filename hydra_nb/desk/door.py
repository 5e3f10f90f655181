"""The loopback door to a desk's watchman: for the kill button of a browser on the same computer, and for a terminal.

It answers POST on 127.0.0.1 only, to whoever names a random token. The token is in the path, so that a page may send it
without a preflight; a page of another origin can neither know it nor read an answer, as no answer allows it to. A name
that was made to lead to 127.0.0.1 (DNS rebinding) is refused by its Host header.
"""

import asyncio
import contextlib
import hmac
import json
import re
from collections.abc import Callable, Mapping

LOOPBACK = "127.0.0.1"
KILL, STATUS = "kill", "status"

_HEAD_BYTES = 8 * 1024
_BODY_BYTES = 1024
_PATIENCE_S = 2.0
_MOST_VISITORS = 16
_REQUEST = re.compile(rb"POST /([A-Za-z0-9_-]{8,128})/(kill|status) HTTP/1\.[01]")
_WORDS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed"}


class Door:
    """Serves until its server is closed.

    Parameters
    ----------
    token
        What a request must name.
    on_kill
        Called with no more ado when the button was pressed.
    status
        What is told of the kill in force.
    """

    def __init__(self, *, token: str, on_kill: Callable[[], None], status: Callable[[], Mapping[str, object]]) -> None:
        self._token = token.encode()
        self._on_kill = on_kill
        self._status = status
        self._visitors = 0
        self.port = 0

    async def open(self) -> asyncio.Server:
        """Listen on a free port of loopback."""
        server = await asyncio.start_server(self._welcome, LOOPBACK, 0, limit=_HEAD_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, within bounds of bytes, time and number."""
        self._visitors += 1
        try:
            if self._visitors <= _MOST_VISITORS:
                async with asyncio.timeout(_PATIENCE_S):
                    writer.write(self._answer(await self._request(reader)))
                    await writer.drain()
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # whoever it was gets no answer
        finally:
            self._visitors -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> list[bytes]:
        """Lines of the head; what there is of a body is read so that the answer is not lost to a reset."""
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        told = next((line for line in lines if line.lower().startswith(b"content-length:")), b"")
        length = told.partition(b":")[2].strip()
        if length.isdigit() and 0 < int(length[:6]) <= _BODY_BYTES:
            await reader.readexactly(int(length))
        return lines

    def _answer(self, lines: list[bytes]) -> bytes:
        if not lines[0].startswith(b"POST "):
            return _reply(405)
        asked = _REQUEST.fullmatch(lines[0])
        if asked is None or not hmac.compare_digest(asked[1], self._token) or not self._is_named(lines):
            return _reply(403)
        if asked[2] == KILL.encode():
            self._on_kill()
        return _reply(200, self._status())

    def _is_named(self, lines: list[bytes]) -> bool:
        """Whether the Host header, which there must be once, is loopback's own name with our port."""
        hosts = [line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"host:")]
        return len(hosts) == 1 and hosts[0] in (f"{LOOPBACK}:{self.port}".encode(), f"localhost:{self.port}".encode())


def _reply(code: int, told: Mapping[str, object] | None = None) -> bytes:
    body = b"" if told is None else json.dumps(told).encode()
    head = [
        f"HTTP/1.1 {code} {_WORDS[code]}",
        "Content-Type: application/json",
        "Cache-Control: no-store",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
