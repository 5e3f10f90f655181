"""An event loop whose time is virtual, and the simulated gateway in memory inside it.

Nothing is patched: a client calls ``loop.create_connection`` for the made-up host `SIM_HOST` and gets a transport that
ends in a `GatewayCore`. When no callback is ready the loop jumps to its next timer, so that hours pass in milliseconds,
and one program gives one sequence of events.
"""

import asyncio
import math
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from dataclasses import replace
from typing import Any, TypeVar, TypeVarTuple, Unpack

from hydra_nb.sim.connection import Session
from hydra_nb.sim.driver import CHUNK_BYTES, CoreDriver, MarketClock
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.session import GatewayCore

SIM_HOST = "sim.invalid"

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

# A jump lands this much behind the timer: ib_async's throttle compares with ">" and re-arms at exactly one second, so
# that exact jumps would have it spin for ever.
_OVERSHOOT_S = 1e-6

_DEADLINES_KEPT = 1024  # how many are remembered before those in the past are forgotten


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop with virtual time, which starts at 0.

    Timers with equal deadlines run in the order in which they were made. While work is under way in an executor the
    clock stands still, so that a real write to disk does not look like a time-out.

    Raises
    ------
    RuntimeError
        From running it, when nothing is scheduled any more and nothing under way: it would wait for ever.
    """

    # What asyncio's loop keeps, here read only: the callbacks that are due, its heap of timers, and whether it stops.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self._asleep_s = 0.0
        self._under_way = 0
        self._deadlines: set[float] = set()
        self._deadline_limit = _DEADLINES_KEPT
        self._gateway: VirtualGateway | None = None
        self._real_io = _VirtualSelector(self)
        super().__init__(self._real_io)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def elapsed(self) -> float:
        """Virtual seconds since the loop was made, with those that the machine slept, in which its timers stood."""
        return self._virtual_s + self._asleep_s

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: the market behind `SIM_HOST` goes on, and every timer of the loop stands."""
        self._asleep_s += seconds
        if self._gateway is not None:
            self._gateway.run_ahead(seconds)

    def attach(self, core: GatewayCore, *, latency_s: float = 0.0005) -> "VirtualGateway":
        """Put a gateway behind `SIM_HOST`; its market starts now.

        Parameters
        ----------
        core
            The gateway.
        latency_s
            Virtual time that a client's bytes take on their way.
        """
        self._gateway = VirtualGateway(core, loop=self, latency_s=latency_s)
        return self._gateway

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule as asyncio does, but first come, first served among equal deadlines."""
        # asyncio's heap of timers does not keep the order of equal deadlines, so later ones move by the least step.
        while when in self._deadlines:
            when = math.nextafter(when, math.inf)
        if len(self._deadlines) >= self._deadline_limit:
            self._deadlines = {deadline for deadline in self._deadlines if deadline >= self._virtual_s}
            self._deadline_limit = max(_DEADLINES_KEPT, 2 * len(self._deadlines))
        self._deadlines.add(when)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> "asyncio.Future[_T]":
        """Run in a real thread while virtual time stands still."""
        future = super().run_in_executor(executor, func, *args)
        self._under_way += 1
        future.add_done_callback(self._one_less_under_way)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Join the executor's threads, with the clock at a stand."""
        self._under_way += 1
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._under_way -= 1

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        """Connect to the gateway in memory if the host is `SIM_HOST`, else as asyncio does."""
        if host != SIM_HOST:
            return await super().create_connection(protocol_factory, host, port, **options)
        if self._gateway is None:
            raise ConnectionRefusedError(f"no gateway is attached behind {SIM_HOST}")
        protocol = protocol_factory()
        transport = self._gateway.connect(protocol)
        protocol.connection_made(transport)
        return transport, protocol

    def is_under_way(self) -> bool:
        """Whether an executor works for this loop."""
        return self._under_way > 0

    def jump(self, seconds: float) -> None:
        """Let virtual time pass, and a touch more."""
        self._virtual_s += seconds + _OVERSHOOT_S

    def pass_until(self, when: float) -> bool:
        """Let time pass inside a callback, as a timer for `when` would; not where anything else is to come before.

        Going round the loop for every move of the market would take longer than the moves themselves.
        """
        timers = self._scheduled
        if self._ready or self._stopping or self.is_under_way() or self._real_io.is_watching:
            return False
        if timers and timers[0].when() <= when:
            return False
        if when > self._virtual_s:
            self.jump(when - self._virtual_s)
        return True

    def _one_less_under_way(self, _future: "asyncio.Future[Any]") -> None:
        self._under_way -= 1


class VirtualGateway:
    """A gateway core in the memory of a `VirtualLoop`.

    Attributes
    ----------
    core
        The gateway; ``core.exchange`` is the ground truth.
    """

    def __init__(self, core: GatewayCore, *, loop: VirtualLoop, latency_s: float) -> None:
        self.core = core
        self.latency_s = latency_s
        self._loop = loop
        clock = MarketClock(time=loop.time, origin_s=loop.time(), start_ns=core.exchange.start_ns, speed=1.0)
        self._driver = CoreDriver(core, loop=loop, clock=clock, pause_s=0.0, pass_until=loop.pass_until)

    @property
    def account(self) -> str:
        """The one account, ``SIM…``."""
        return self.core.exchange.account

    @property
    def exchange(self) -> Exchange:
        """The market itself."""
        return self.core.exchange

    def heal(self) -> None:
        """End all faults of the gateway's script, as soon as the caller waits for anything."""
        self._loop.call_soon(self._driver.heal)

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._driver.clock.now_ns()

    def run_ahead(self, seconds: float) -> None:
        """Let market time pass in which the loop's does not; what it brings comes at the next wake-up."""
        clock = self._driver.clock
        self._driver.clock = replace(clock, origin_s=clock.origin_s - seconds)

    def connect(self, protocol: asyncio.Protocol) -> "MemoryTransport":
        """Open a connection, as a client's socket would."""
        return MemoryTransport(protocol, driver=self._driver, loop=self._loop, latency_s=self.latency_s)


class MemoryTransport(asyncio.Transport):
    """A client's end of a connection in memory."""

    def __init__(self, protocol: asyncio.Protocol, *, driver: CoreDriver, loop: VirtualLoop, latency_s: float) -> None:
        super().__init__()
        self._protocol = protocol
        self._driver = driver
        self._loop = loop
        self._latency_s = latency_s
        self._is_closing = False
        self._is_lost = False
        self._session: Session = driver.connect(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes to the gateway, which reads them after the latency."""
        if not self._is_closing:
            self._loop.call_later(self._latency_s, self._driver.receive, self._session, bytes(data))

    def write_eof(self) -> None:
        """Say that nothing more will be written; the gateway takes no notice before the connection closes."""

    def can_write_eof(self) -> bool:
        """Yes, as sockets can."""
        return True

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._is_closing

    def close(self) -> None:
        """Close from either side; what was delivered still arrives."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._lose)

    def abort(self) -> None:
        """Close, as memory has nothing to flush."""
        self.close()

    def reset(self) -> None:
        """Break from the gateway's side; what was delivered still arrives."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._lose, ConnectionResetError("connection reset by the simulated gateway"))

    def deliver(self, data: bytes) -> None:
        """Bring bytes of the gateway to the client, in pieces it can swallow; the caller is no client's code."""
        if self._is_lost:
            return
        try:
            for start in range(0, len(data), CHUNK_BYTES):
                self._protocol.data_received(data[start : start + CHUNK_BYTES])
        except Exception as error:  # noqa: BLE001  a client's fault is the client's, as it is with sockets
            words = "a client could not take what it received"
            self._loop.call_exception_handler({"message": words, "exception": error, "protocol": self._protocol})

    def _lose(self, cause: Exception | None = None) -> None:
        self._is_lost = True
        self._loop.call_later(self._latency_s, self._driver.disconnect, self._session)
        self._protocol.connection_lost(cause)


def run_virtual(main: Callable[[VirtualLoop], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine to its end on a fresh `VirtualLoop`, in the calling thread.

    The loop is also set as the thread's event loop, where clients look for it. Afterwards all tasks left are cancelled
    and the loop is closed. A thread that runs a loop already (a notebook) calls this through an executor.

    Parameters
    ----------
    main
        Gets the loop and gives the coroutine.
    """
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


class _VirtualSelector(selectors.BaseSelector):
    """Looks for real I/O without waiting, and lets virtual time pass instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._real = selectors.DefaultSelector()
        self._loop = loop

    @property
    def is_watching(self) -> bool:
        """Whether there is real I/O besides the loop's own pipe, by which other threads wake it."""
        return len(self._real.get_map()) > 1

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._loop.is_under_way():
            return self._real.select(None if timeout is None or timeout > 0 else 0)
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        ready = self._real.select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("virtual time stands: nothing is scheduled and nothing under way")
            self._loop.jump(timeout)
        return ready


def _cancel_all(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
