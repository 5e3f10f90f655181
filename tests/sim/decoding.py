"""Messages of the gateway as ib_async's decoder reads them, in values that JSON has as well."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ib_async.decoder import Decoder

from hydra_nb.sim.framing import decode

Call = tuple[str, list[Any]]


class Recorder:
    """Stands where ib_async's decoder calls its client."""

    defaultTimezone = dt.UTC  # noqa: N815  The name is ib_async's.

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, [plain(argument) for argument in arguments]))


def plain(value: Any) -> Any:
    """Values as JSON has them: objects by their attributes, times as the wire writes them."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y%m%d %H:%M:%S UTC")
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def payloads(frames: bytes) -> Iterator[bytes]:
    """The messages without their lengths."""
    while frames:
        end = 4 + int.from_bytes(frames[:4], "big")
        yield frames[4:end]
        frames = frames[end:]


def read_by_ib_async(frames: bytes, *, version: int) -> list[Call]:
    """The calls that ib_async's decoder makes of some frames."""
    recorder = Recorder()
    decoder = Decoder(recorder, version)  # type: ignore[arg-type]
    for payload in payloads(frames):
        # The handlers are called directly, because interpret() would swallow what they cannot read.
        heard = decode(payload)
        decoder.handlers[int(heard[0])](heard)
    return recorder.calls
