"""The simulated gateway on TCP: for any client of the TWS protocol on this machine, in real time or faster."""

import asyncio
import datetime as dt
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from hydra_nb.sim.calendar import Holidays
from hydra_nb.sim.connection import Session
from hydra_nb.sim.driver import CHUNK_BYTES, CoreDriver, MarketClock
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults.log import FaultEntry
from hydra_nb.sim.faults.script import FaultScript
from hydra_nb.sim.session import GatewayCore

_T = TypeVar("_T")

_PAUSE_S = 0.002  # at 240 times real time the market then moves in strides of half a second
_CHUNK_PAUSE_S = 0.001
_RESET_PAUSE_S = 0.02
_BACKLOG_BYTES = 16 * 1024 * 1024  # a client that leaves more than this unread is cut off
_THREAD_TIMEOUT_S = 10.0


class SimulatedGateway:
    """A thin futures market behind a TWS socket on loopback.

    Use it as a context manager or with `start` and `stop`, which run it on a thread of its own, or await `serve`.
    One instance is one market: it can be started once.

    Parameters
    ----------
    seed
        Decides account, ids, listed months, first day and order flow.
    speed
        Market seconds in one second of real time.
    host
        A loopback address; any other is refused.
    port
        0 takes a free one, which `port` then tells.
    faults
        What goes wrong, in market time; None for a gateway that does not fail.
    first_day, holidays
        Of the market, see `Exchange`.

    Raises
    ------
    ValueError
        If the host is not loopback or the speed not positive.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultScript | None = None,
        first_day: dt.date | None = None,
        holidays: Holidays | None = None,
    ) -> None:
        if not _is_loopback(host):
            raise ValueError(f"host {host!r} is not loopback; the simulated gateway listens on 127.0.0.1 or ::1 only")
        if not 0 < speed < float("inf"):
            raise ValueError(f"speed {speed} is not a positive number; 1 is real time")
        self.seed = seed
        self.speed = speed
        self.host = host
        self.port = port
        self._exchange = Exchange(seed=seed, first_day=first_day, holidays=holidays)
        self._core = GatewayCore(self._exchange, faults=faults)
        self._clock: MarketClock | None = None
        self._driver: CoreDriver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def account(self) -> str:
        """The one account, ``SIM…``."""
        return self._exchange.account

    @property
    def exchange(self) -> Exchange:
        """The market itself, the ground truth of tests; while the gateway runs read it through `call` only."""
        return self._exchange

    @property
    def fault_log(self) -> list[FaultEntry]:
        """What went wrong so far; while the gateway runs read it through `call` only."""
        return self._core.fault_log

    def heal(self) -> None:
        """End all faults now; callable from any thread while the gateway runs, without effect before."""
        driver = self._driver
        if driver is not None:
            self.call(driver.heal)

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds; it stands at the market's start until the gateway is started."""
        return self._exchange.start_ns if self._clock is None else self._clock.now_ns()

    def start(self) -> Self:
        """Run on a daemon thread; returns once clients can connect.

        Raises
        ------
        OSError
            If the port is taken.
        RuntimeError
            If it was started before.
        """
        if self._thread is not None or self._clock is not None:
            raise RuntimeError("this gateway was started before; make a new one for a new market")
        listening: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listening,), name=f"simulated-gateway-{self.seed}", daemon=True
        )
        self._thread.start()
        listening.result(timeout=_THREAD_TIMEOUT_S)
        return self

    def stop(self) -> None:
        """Close every connection and end the thread; calling it again does nothing."""
        loop, stopping, thread = self._loop, self._stopping, self._thread
        if loop is not None and stopping is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(stopping.set)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=_THREAD_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def call(self, function: Callable[[], _T]) -> _T:
        """Run a function on the gateway's thread between two of its steps, and give back what it gives."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or thread is threading.current_thread() or not thread.is_alive():
            return function()

        async def on_the_loop() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(on_the_loop(), loop).result(timeout=_THREAD_TIMEOUT_S)

    async def serve(self, *, listening: Callable[[], None] | None = None) -> None:
        """Serve until cancelled or stopped.

        Parameters
        ----------
        listening
            Called once, when `port` is known and clients can connect.
        """
        loop = asyncio.get_running_loop()
        self._loop, self._stopping = loop, asyncio.Event()
        start_ns = self._exchange.start_ns
        clock = MarketClock(time=time.monotonic, origin_s=time.monotonic(), start_ns=start_ns, speed=self.speed)
        driver = CoreDriver(self._core, loop=loop, clock=clock, pause_s=_PAUSE_S)
        self._driver = driver
        server = await loop.create_server(lambda: _Connection(driver, loop=loop), self.host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._clock = clock
        try:
            if listening is not None:
                listening()
            await self._stopping.wait()
        finally:
            server.close()
            driver.stop()
            await server.wait_closed()

    def _run(self, listening: "Future[None]") -> None:
        main: Coroutine[Any, Any, None] = self.serve(listening=lambda: listening.set_result(None))
        try:
            asyncio.run(main)
        except OSError as error:  # the port is taken; the caller of start is waiting for this
            listening.set_exception(error)


class _Connection(asyncio.Protocol):
    """One client's socket; it writes in small pieces and holds the rest back while the socket is full."""

    def __init__(self, driver: CoreDriver, *, loop: asyncio.AbstractEventLoop) -> None:
        self._driver = driver
        self._loop = loop
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._is_full = False
        self._is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._session = self._driver.connect(self)

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._driver.receive(self._session, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  The cause makes no difference here.
        self._transport = None
        self._pending.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._session is not None:
            self._driver.disconnect(self._session)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._write()

    def deliver(self, data: bytes) -> None:
        """Send, or queue behind what waits already."""
        self._pending += data
        if len(self._pending) > _BACKLOG_BYTES:
            self.abort()
        elif self._timer is None:
            self._write()

    def close(self) -> None:
        """Close after the last piece."""
        self._is_closing = True
        if self._timer is None:
            self._write()

    def reset(self) -> None:
        """Break the connection: what was written goes out, and the client's side sees a reset."""
        if self._transport is not None:
            self._transport.write(bytes(self._pending))
            self._pending.clear()
            own_socket = self._transport.get_extra_info("socket")
            # To linger for no time is how a socket is told to end in a reset; what it still holds then goes nowhere,
            # so the reset follows a moment after the bytes.
            own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._loop.call_later(_RESET_PAUSE_S, self.abort)

    def abort(self) -> None:
        """Close, whatever is left to send."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self) -> None:
        self._timer = None
        if self._transport is None or self._is_full:
            return
        if self._pending:
            self._transport.write(bytes(self._pending[:CHUNK_BYTES]))
            del self._pending[:CHUNK_BYTES]
        if self._pending:
            self._timer = self._loop.call_later(_CHUNK_PAUSE_S, self._write)
        elif self._is_closing:
            self._transport.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
