r"""Frames of the TWS wire: a length prefix of 4 bytes, then text fields that end in NUL.

A client opens with the bytes ``API\0`` and one frame ``v157..178 options``; the server answers with its version and
the time, and from then on both sides send frames only. This module knows bytes and nothing of their meaning.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

GREETING = b"API\0"
PREFIX_BYTES = 4
MAX_FRAME_BYTES = 1 << 20  # a client's longest request is some 2 KB; a larger prefix is a stray stream

MIN_SERVER_VERSION = 157
MAX_SERVER_VERSION = 178  # from 201 on the wire is protobuf

_VERSIONS = re.compile(r"v([0-9]{1,4})(?:\.\.([0-9]{1,4}))?")


class WireError(Exception):
    """Bytes that are not of this protocol; the connection cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """The protocol versions that a client offers in its handshake."""

    lowest: int
    highest: int

    def agreed(self) -> int:
        """Server version to speak: the client's highest, but not above ours.

        Raises
        ------
        WireError
            If client and server have no version in common.
        """
        version = min(self.highest, MAX_SERVER_VERSION)
        if version < max(self.lowest, MIN_SERVER_VERSION):
            raise WireError(
                f"client speaks versions {self.lowest} to {self.highest}, "
                f"the gateway {MIN_SERVER_VERSION} to {MAX_SERVER_VERSION}"
            )
        return version


class FrameDecoder:
    r"""Cuts a byte stream into frames, however the segments fall.

    Parameters
    ----------
    greeting
        Whether the stream opens with ``API\0``, as a client's does.
    """

    __slots__ = ("_buffer", "_greeting")

    def __init__(self, *, greeting: bool) -> None:
        self._buffer = bytearray()
        self._greeting = greeting

    def feed(self, data: bytes) -> None:
        """Append one segment; call `next_frame` until it gives None before feeding more."""
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """The next whole frame without its prefix, or None while bytes are missing.

        Raises
        ------
        WireError
            If the greeting is wrong, or a length is 0 or above `MAX_FRAME_BYTES`.
        """
        buffer = self._buffer
        if self._greeting:
            opening = bytes(buffer[: len(GREETING)])
            if not GREETING.startswith(opening):
                raise WireError(f"a client opens with {GREETING!r}, not with {opening!r}")
            if len(opening) < len(GREETING):
                return None
            del buffer[: len(GREETING)]
            self._greeting = False
        if len(buffer) < PREFIX_BYTES:
            return None
        length = int.from_bytes(buffer[:PREFIX_BYTES], "big")
        if not 0 < length <= MAX_FRAME_BYTES:
            raise WireError(f"a frame of {length} bytes; 1 to {MAX_FRAME_BYTES} are taken")
        end = PREFIX_BYTES + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[PREFIX_BYTES:end])
        del buffer[:end]
        return payload


def frame(payload: bytes) -> bytes:
    """Put the length prefix before a payload."""
    return len(payload).to_bytes(PREFIX_BYTES, "big") + payload


def encode(fields: Iterable[object]) -> bytes:
    """One frame of text fields, each ended by NUL; ``bool`` as 1 or 0, ``None`` as the empty field."""
    return frame("".join([_text(field) + "\0" for field in fields]).encode())


def decode(payload: bytes) -> list[str]:
    """Text fields of a frame.

    Raises
    ------
    WireError
        If the last field does not end in NUL.
    """
    fields = payload.decode(errors="backslashreplace").split("\0")
    if fields.pop():
        raise WireError(f"the last field of a frame of {len(payload)} bytes is cut off")
    return fields


def parse_versions(payload: bytes) -> VersionRange:
    """Read the handshake frame ``v157..178``, or ``v157`` alone, with or without options after a blank.

    Raises
    ------
    WireError
        If the frame does not have that form.
    """
    text = payload.decode(errors="backslashreplace")
    match = _VERSIONS.fullmatch(text.partition(" ")[0])
    if match is None:
        raise WireError(f"a handshake is v<lowest>..<highest>, not {text[:40]!r}")
    return VersionRange(lowest=int(match[1]), highest=int(match[2] or match[1]))


def _text(field: object) -> str:
    if field is None:
        return ""
    if isinstance(field, bool):
        return "1" if field else "0"
    return str(field).replace("\0", "")
