"""Reads messages of a gateway with ibapi's decoder and prints the calls it makes, one line of JSON for each message.

Run by the tests in an environment that has one generation of ibapi and nothing of this project. Standard input is a
row of records: 4 bytes of length, 2 bytes of server version, then the message without a length of its own.
"""

import json
import logging
import sys
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

from ibapi import decoder
from ibapi.comm import read_fields
from ibapi.wrapper import EWrapper

IS_NEW = hasattr(decoder.Decoder, "processProtoBuf")  # the newer generation takes the message id apart from the fields


class Recorder(EWrapper):
    """Writes down the calls that the decoder makes."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []


def _note(name: str) -> Callable[..., None]:
    return lambda self, *arguments: self.calls.append([name, [plain(argument) for argument in arguments]])


for _name in [name for name in dir(EWrapper) if not name.startswith("_")]:
    setattr(Recorder, _name, _note(_name))


def plain(value: Any) -> Any:
    """A value as JSON has it: objects become dictionaries of their attributes."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.name
    return {key: plain(item) for key, item in vars(value).items()} if hasattr(value, "__dict__") else str(value)


class Reader:
    """Decoders by server version, which cost more to make than to use."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.decoders: dict[int, Any] = {}

    def calls_of(self, message: bytes, *, server_version: int) -> list[Any]:
        """The calls that one message leads to; an exception counts as one."""
        if server_version not in self.decoders:
            self.decoders[server_version] = decoder.Decoder(self.recorder, server_version)
        reader = self.decoders[server_version]
        fields = read_fields(message)
        self.recorder.calls = []
        try:
            if IS_NEW:
                reader.interpret(fields[1:], int(fields[0]))
            else:
                reader.interpret(fields)
        except Exception as error:  # noqa: BLE001  Whatever fails is what the test wants to see.
            return [["failed", [f"{type(error).__name__}: {error}"]]]
        return self.recorder.calls


def main() -> None:
    """Read and print until the input ends."""
    logging.disable(logging.CRITICAL)
    reader = Reader()
    while head := sys.stdin.buffer.read(6):
        message = sys.stdin.buffer.read(int.from_bytes(head[:4], "big") - 2)
        print(json.dumps(reader.calls_of(message, server_version=int.from_bytes(head[4:], "big"))))


if __name__ == "__main__":
    main()
