"""Blocking calls for people who need them: opt-in, and refused while orders work.

`nest_asyncio` lets a cell run the notebook's own loop from inside; clicks and queued cells can be lost
meanwhile. So it is never applied at import, and never used while an order is in the market.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import nest_asyncio

from hydra_nb.desk.registry import busy_parents
from hydra_nb.errors import DeskBusy

T = TypeVar("T")


def enable_sync() -> None:
    """Allow `run` inside a running event loop, as a notebook's is."""
    nest_asyncio.apply()


def run(awaitable: Awaitable[T]) -> T:
    """Wait, blocking, for what would otherwise be awaited.

    Raises
    ------
    DeskBusy
        Orders are at work: a blocked loop could not look after them. Use ``await``.
    RuntimeError
        The loop is running and `enable_sync` was not called.
    """
    busy = busy_parents()
    if busy:
        raise DeskBusy(f"{busy} parent orders are at work, and a blocking call would leave them alone; use await")
    loop = _loop()
    if loop.is_running() and not hasattr(loop, "_nest_patched"):
        raise RuntimeError("the event loop is running: call hydra_nb.enable_sync() first, or use await")
    return loop.run_until_complete(_as_coroutine(awaitable))


def _loop() -> asyncio.AbstractEventLoop:
    """Give the thread's own loop, so that every call of a script meets the same desk."""
    policy = asyncio.get_event_loop_policy()
    try:
        loop = policy.get_event_loop()
    except RuntimeError:
        loop = policy.new_event_loop()
        policy.set_event_loop(loop)
    return loop


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable
