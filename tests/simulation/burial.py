"""How a suspended coroutine of a dead process is taken down."""

import inspect
from collections.abc import Iterator
from typing import Any

_MOST_AWAITS_TO_THE_END = 50
"""Times that a coroutine of a dead process may wait although it is told to end."""


def take_down(coro: Any) -> None:
    """End a coroutine and all that it waits for, from the innermost on, whatever goes wrong in them."""
    for one in reversed(list(_awaited(coro))):
        for _ in range(_MOST_AWAITS_TO_THE_END):
            try:
                one.close()
            except BaseException:  # noqa: BLE001, S112  of a process that is dead; it waits, or fails, in a finally block
                continue
            break


def _awaited(coro: Any) -> Iterator[Any]:
    """A coroutine, those that it waits for, and those that it was given and has not begun."""
    while coro is not None and hasattr(coro, "close"):
        yield coro
        frame = getattr(coro, "cr_frame", None)
        for value in () if frame is None else frame.f_locals.values():
            if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
                yield value
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)
