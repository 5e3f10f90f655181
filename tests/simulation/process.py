"""Processes inside one event loop: each life of a kernel can be killed between any two of its steps.

A process is a context: whatever its tasks schedule carries its mark, and once it is killed nothing that carries the
mark runs any more. No ``finally`` block, no callback, no timer: what it had in memory is gone, what it had written to
the disk or the socket stays. The market runs in a context of its own and survives.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import hydra_nb
from hydra_nb.sim.framing import FrameDecoder, WireError
from hydra_nb.sim.loop import VirtualGateway, VirtualLoop
from hydra_nb.sim.session import GatewayCore
from tests.simulation.burial import take_down

T = TypeVar("T")

_PROCESS: "ContextVar[Process | None]" = ContextVar("process", default=None)
_MARKET_ROOM = "hydra_nb.sim"
_PACKAGE = str(Path(hydra_nb.__file__).parent)
_MARKET_FOLDER = str(Path(hydra_nb.__file__).parent / "sim")


def current_process() -> "Process | None":
    """The process that runs; None for the market and the world."""
    return _PROCESS.get()


class Killed(BaseException):
    """The process in which something was to be done is dead."""


class Interrupt(KeyboardInterrupt):
    """The signal that a person sends to the program, not to the simulation."""


class WorldLoop(VirtualLoop):
    """A virtual-time loop that knows which process each callback belongs to."""

    def __init__(self) -> None:
        self._market_context = copy_context()
        self._fuse: tuple[Process, int, Callable[[], None]] | None = None
        self._standing: VirtualGateway | None = None
        self._hand: tuple[Process, int, Callable[[], None]] | None = None
        self.processes: list[Process] = []
        super().__init__()

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Schedule in the context of the process; a dead one schedules nothing."""
        context = self._context_of(callback, context)
        process = context.get(_PROCESS)
        if process is not None:
            if not process.alive:
                handle = asyncio.Handle(callback, args, self, context)
                handle.cancel()
                return handle
            if self._fuse is not None and self._fuse[0] is process:
                self._burn()
            if self._hand is not None and self._hand[0] is process and _is_step(callback):
                callback = self._reach(callback)
        return super().call_soon(callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        """Schedule in the context of the process; a dead one schedules nothing."""
        context = self._context_of(callback, context)
        process = context.get(_PROCESS)
        handle = super().call_at(when, callback, *args, context=context)
        if process is not None and not process.alive:
            handle.cancel()
        return handle

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> Any:
        """Make a task as ever; its process knows it, and has to hold it once it is dead."""
        process = _PROCESS.get() if context is None else context.get(_PROCESS)
        task = super().create_task(coro, name=name, context=context)
        if process is not None:
            process.note(task)
        return task

    def _context_of(self, callback: Any, context: Context | None) -> Context:
        callback = getattr(callback, "func", callback)
        if str(getattr(callback, "__module__", "")).startswith(_MARKET_ROOM):
            return self._market_context
        return copy_context() if context is None else context

    def stand(self, core: GatewayCore) -> VirtualGateway:
        """Put up the one gateway that every life of the desk will meet."""
        self._standing = super().attach(core)
        return self._standing

    def attach(self, core: GatewayCore, *, latency_s: float = 0.0005) -> VirtualGateway:
        """Give the gateway that stands, whatever gateway is brought along."""
        return self._standing or super().attach(core, latency_s=latency_s)

    def light_fuse(self, process: "Process", *, steps: int, kill: Callable[[], None]) -> None:
        """Kill `process` before the step that follows on so many steps of its own."""
        if self._fuse is None:
            self._fuse = (process, steps, kill)

    def _burn(self) -> None:
        process, steps, kill = self._fuse  # type: ignore[misc]  # looked at by the caller
        if steps > 0:
            self._fuse = (process, steps - 1, kill)
            return
        self._fuse = None
        # Before everything that waits already: the process gets no further than to the end of its present step.
        self._ready.appendleft(asyncio.Handle(kill, (), self, self._market_context))

    def _run_once(self) -> None:
        """Go round once; an interrupt that one task hands on to another comes out of the loop, which is run again."""
        with contextlib.suppress(Interrupt):
            super()._run_once()  # type: ignore[misc]

    def put_out_fuse(self) -> None:
        """Nobody is killed by the fuse, or interrupted, any more."""
        self._fuse = self._hand = None

    def interrupt(self, process: "Process", *, steps: int, then: Callable[[], None]) -> None:
        """Raise `KeyboardInterrupt` in the code that a task of `process` runs, so many steps of its tasks from now.

        The loop goes on, as that of a notebook's kernel does; `then` is called right afterwards.
        """
        self._hand = (process, steps, then)

    def _reach(self, step: Callable[..., None]) -> Callable[..., None]:
        """Count a step of a task; gives it back, or one in which the interrupt comes."""
        process, steps, then = self._hand  # type: ignore[misc]  # looked at by the caller
        if steps > 0:
            self._hand = (process, steps - 1, then)
            return step
        self._hand = None

        def interrupted(*args: Any) -> None:
            signal, was = _Signal(), sys.gettrace()
            sys.settrace(signal.on_call)
            try:
                step(*args)
            except Interrupt:
                pass  # it has come out of the loop, which is run again
            finally:
                sys.settrace(was)
            if signal.has_come:
                super(WorldLoop, self).call_soon(then, context=self._market_context)
            elif process.alive:
                self._hand = (process, 0, then)  # nothing of the package ran in this step

        return interrupted

    def drop_handles_of(self, process: "Process") -> None:
        """Cancel all that a process has scheduled."""
        for handle in (*self._ready, *self._scheduled):
            if not handle.cancelled() and handle._context.get(_PROCESS) is process:  # type: ignore[attr-defined]
                handle.cancel()

    def bury(self) -> list[asyncio.Task[Any]]:
        """End all processes, with nothing of them run any more; cancels all other tasks, and gives them."""
        self.set_exception_handler(lambda _loop, _context: None)
        for process in self.processes:
            process.kill()
            process.bury()
        left = [task for task in asyncio.all_tasks(self) if not task.get_loop().is_closed()]
        left = [task for task in left if not any(process.holds(task) for process in self.processes)]
        for task in left:
            task.cancel()
        return left

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        """Connect as ever, with ears on the line."""
        process = _PROCESS.get()
        if process is None:
            return await super().create_connection(protocol_factory, host, port, **options)
        protocol = protocol_factory()
        line = Line(protocol, process=process)
        transport, _ = await super().create_connection(lambda: line, host, port, **options)
        return transport, protocol


def _is_step(callback: Any) -> bool:
    """Whether a callback is a step of a task."""
    return type(callback).__name__.startswith("Task") or isinstance(getattr(callback, "__self__", None), asyncio.Task)


class _Signal:
    """Raises `KeyboardInterrupt` at the next line of the package that is run: traces, as a debugger does."""

    def __init__(self) -> None:
        self.has_come = False

    def on_call(self, frame: Any, _event: str, _arg: Any) -> Any:
        """Look at the lines of the package, and not of the market."""
        name = frame.f_code.co_filename
        is_ours = name.startswith(_PACKAGE) and not name.startswith(_MARKET_FOLDER)
        return self._on_line if is_ours and not self.has_come else None

    def _on_line(self, _frame: Any, event: str, _arg: Any) -> Any:
        if event == "line" and not self.has_come:
            self.has_come = True
            raise Interrupt
        return self._on_line


class Line(asyncio.Protocol):
    """One connection of a process, heard in both directions; the client's end of it dies with the process."""

    def __init__(self, protocol: Any, *, process: "Process") -> None:
        self._protocol = protocol
        self.process = process
        self._context = copy_context()
        self._out: FrameDecoder | None = FrameDecoder(greeting=True)
        self._in: FrameDecoder | None = FrameDecoder(greeting=False)
        self.transport: Any = None
        self.open = False

    def connection_made(self, transport: Any) -> None:
        """Listen to what is written from now on."""
        self.transport = transport
        self.open = True
        self.process.lines.append(self)
        write = transport.write

        def heard(data: bytes) -> None:
            if self.open and not transport.is_closing():
                self._out = _hear(self._out, bytes(data), tell=lambda frame: self.process.ears.sent(self, frame))
            write(data)

        transport.write = heard
        self.process.ears.connected(self)
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hand on to the client, in its own context."""
        if self.process.alive:
            self._in = _hear(self._in, data, tell=lambda frame: self.process.ears.received(self, frame))
            self._context.copy().run(self._protocol.data_received, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the client."""
        self.open = False
        if self.process.alive:
            self.process.ears.disconnected(self)
            self._context.copy().run(self._protocol.connection_lost, exc)

    def eof_received(self) -> None:
        """The other side wrote its last."""
        if self.process.alive:
            self._context.copy().run(self._protocol.eof_received)

    def cut(self) -> None:
        """The kernel of the machine closes what a dead process left open."""
        if self.open:
            self.open = False
            self.process.ears.disconnected(self)
            self.transport.abort()


def _hear(decoder: FrameDecoder | None, data: bytes, *, tell: Callable[[bytes], None]) -> FrameDecoder | None:
    """Tell the whole frames so far; a stream that is no stream of frames any more is not listened to."""
    if decoder is None:
        return None
    decoder.feed(data)
    try:
        while (payload := decoder.next_frame()) is not None:
            tell(payload)
    except WireError:
        return None
    return decoder


class Process:
    """One life of a kernel.

    Parameters
    ----------
    loop
        Where it lives.
    client_id
        With which it connects.
    ears
        Hears every frame that it sends and receives: ``connected(line)``, ``sent(line, frame)``, ``received(line,
        frame)`` and ``disconnected(line)``.
    """

    def __init__(self, loop: WorldLoop, *, client_id: int, ears: Any) -> None:
        self.alive = True
        self.client_id = client_id
        self.lines: list[Line] = []
        self.ears = ears
        self._loop = loop
        self._context = copy_context()
        self._context.run(_PROCESS.set, self)
        self.cells: list[asyncio.Task[Any]] = []
        self.died: asyncio.Future[None] = loop.create_future()
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        # Somebody has to hold them until they are buried, or Python ends each with the steps that a dead process lacks.
        self._graves: list[asyncio.Task[Any]] = []
        self._made = 0
        loop.processes.append(self)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something inside the process."""
        return self._loop.create_task(work, context=self._context.copy())

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something inside the process and wait for it, from outside; raises `Killed` where it dies before."""
        if not self.alive:
            work.close()
            raise Killed
        task = self.start(work)
        self.cells.append(task)
        task.add_done_callback(self.cells.remove)
        await asyncio.wait((task, self.died), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Killed
        return task.result()

    def kill(self) -> None:
        """End the process at once; nothing of it runs any more."""
        if not self.alive:
            return
        self.alive = False
        self._graves.extend(self._tasks)
        self._loop.drop_handles_of(self)
        for line in self.lines:
            line.cut()
        self.died.set_result(None)

    def note(self, task: "asyncio.Task[Any]") -> None:
        """Know a task that was made in the process."""
        self._made += 1
        self._tasks[task] = self._made
        if not self.alive:
            self._graves.append(task)

    def holds(self, task: "asyncio.Task[Any]") -> bool:
        """Whether a task was made in the process."""
        return task in self._tasks

    def end_tasks(self) -> list["asyncio.Task[Any]"]:
        """Cancel all tasks, as a program does that ends in good order; gives them."""
        left = sorted((task for task in self._tasks if not task.done()), key=self._tasks.__getitem__)
        for task in left:
            task.cancel()
        return left

    def bury(self) -> None:
        """Take the coroutines of a dead process down where they stand.

        Python cannot drop a suspended coroutine without running its ``finally`` blocks. So they are run here, when all
        is over: the loop takes nothing of a dead process, its files are closed, and what goes wrong is nobody's.
        """
        while self._graves:
            task = self._graves.pop()
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            if not task.done():
                self._context.copy().run(take_down, task.get_coro())


def run_world(main: Callable[[WorldLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a world to its end on a loop of its own; what is left of dead processes is buried afterwards."""
    loop = WorldLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        try:
            left = loop.bury()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=60))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
