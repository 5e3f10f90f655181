"""The watchman: kills a desk whose own loop is held up by a cell.

A daemon thread with a loop of its own, one for each open desk in real time. It looks ten times a second whether another
process asked for a kill in the journal, and keeps a door on loopback for the kill button. On a kill it raises the halt
flag, asks the desk's loop to kill as ever, and waits a quarter of a second for a sign of life. Where none comes it
takes over: shuts the desk's socket, connects with the same client id, and cancels the journal's own orders by itself.

It changes nothing of ledger or journal: what it hears is told to the desk's loop, and done there once that runs again.
What it cannot do: run while a C call holds the interpreter's lock, or reach a gateway that is not there. The expiry of
every order at the broker covers both.
"""

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from hydra_nb.broker.emergency import HeardStatus, Outcome, Place, cancel_own
from hydra_nb.desk.door import KILL, LOOPBACK, Door
from hydra_nb.desk.halting import Halting, Progress
from hydra_nb.errors import JournalError
from hydra_nb.journal import Journal, JournalReader

POLL_S = 0.1
"""Seconds between two looks at the journal's requests."""
SIGN_OF_LIFE_S = 0.25
"""Seconds that the desk's loop may take to answer before the watchman takes over."""
WATCH_S = 20.0
"""Seconds for which the desk's own kill is watched, and for which a take-over is tried."""
BUTTON_REASON = "Kill all was pressed in the browser"

_START_S = 5.0
_WRITE_S = 0.3  # for a kill to be written down before it is carried out; it is then carried out all the same


class Watchman:
    """Watches one desk from `start` to `stop`.

    Parameters
    ----------
    halting
        The side of the desk that a kill reaches.
    place, own_prefix
        Where the desk is connected, and how the references of its orders begin.
    journal
        Its file; None for one in memory.
    """

    def __init__(self, halting: Halting, *, place: Place, own_prefix: str, journal: Path | None) -> None:
        self._halting = halting
        self._place = place
        self._own_prefix = own_prefix
        self._journal = journal
        self._desk_loop = asyncio.get_running_loop()
        self._token = secrets.token_urlsafe(24)
        self._door = Door(token=self._token, on_kill=self._button_pressed, status=self.status)
        self._thread = threading.Thread(target=self._run, name="hydra_nb watchman", daemon=True)
        self._ready: Future[None] = Future()
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False
        self._answered = threading.Event()
        self._reader: JournalReader | None = None
        self._is_deaf = False
        self._seen = 0
        self._unrecorded: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress: Progress | None = None
        self._outcome: Outcome | None = None
        self._is_halting = False
        self._trouble = ""

    # For the desk's thread

    def start(self) -> None:
        """Begin to watch; returns once the door is open."""
        self._thread.start()
        self._ready.result(timeout=_START_S)

    def stop(self) -> None:
        """Stop watching, and wait a moment for the end of the thread."""
        self._is_stopping = True
        if self._own_loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended already
                self._own_loop.call_soon_threadsafe(self._wake.set)
        self._thread.join(timeout=1.0)

    @property
    def address(self) -> str:
        """URL that kills on a POST; whoever knows it may kill, and nothing else."""
        return f"http://{LOOPBACK}:{self._door.port}/{self._token}/{KILL}"

    # In the thread of its own

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._watch())
        except Exception as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            logging.getLogger("hydra_nb.desk").exception("the watchman of the desk has ended")
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def _watch(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        if self._journal is not None:
            with contextlib.suppress(JournalError):  # a journal that cannot be read is told of at the first look
                self._seen = self._requests_of(self._journal).settled_kill()
        async with await self._door.open():
            self._ready.set_result(None)
            while not self._is_stopping:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_S)
                self._wake.clear()
                if self._unrecorded:
                    await self._halt(self._unrecorded.popleft(), unrecorded=True)
                elif (reason := self._asked_for()) is not None:
                    await self._halt(reason, unrecorded=False)
        if self._reader is not None:
            self._reader.close()

    def _asked_for(self) -> str | None:
        """Reason of a kill that was asked for in the journal and not seen yet.

        The desk's own loop may have carried it out between two looks: who asked waits to hear that it was seen.
        """
        if self._journal is None:
            return None
        try:
            found = self._requests_of(self._journal).newest_kill(after=self._seen)
        except JournalError as error:
            if not self._is_deaf:
                logging.getLogger("hydra_nb.desk").warning("requests of other processes are not heard: %s", error)
            self._is_deaf = True
            return None
        self._is_deaf = False
        if found is None:
            return None
        self._seen, reason = found
        return reason

    def _requests_of(self, journal: Path) -> JournalReader:
        if self._reader is None:
            self._reader = JournalReader.open(journal)
        return self._reader

    def _button_pressed(self) -> None:
        """The halt flag at once; the kill itself as soon as it is written down, or could not be."""
        self._halting.ask(BUTTON_REASON)
        self._is_halting = True
        task = asyncio.get_running_loop().create_task(self._write_down(BUTTON_REASON))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_down(self, reason: str) -> None:
        """Ask for the kill in the journal, so that it outlives this process; by way of `_asked_for` it comes back."""
        if not await self._is_written(reason):
            self._unrecorded.append(reason)
        self._wake.set()

    async def _is_written(self, reason: str) -> bool:
        if self._journal is None:
            return False
        try:
            async with asyncio.timeout(_WRITE_S):
                await asyncio.to_thread(Journal.request_kill, self._journal, reason)
        except Exception:  # noqa: BLE001  whatever keeps it from being written, the kill goes the other way
            return False
        return True

    async def _halt(self, reason: str, *, unrecorded: bool) -> None:
        """Hold back orders, have the desk kill, and take over where it does not answer."""
        asked = self._halting.ask(reason)
        self._is_halting, self._outcome, self._progress, self._trouble = True, None, None, ""
        began_s = time.monotonic()
        try:
            answers = await self._ask(lambda: self._halting.heed(reason, unrecorded=unrecorded, asked=asked))
            while answers and not self._is_stopping and not self._is_over(since_s=time.monotonic() - began_s):
                await asyncio.sleep(POLL_S)
                answers = await self._ask(self._halting.tell)
            if not answers:
                await self._take_over(began_s)
        finally:
            self._is_halting = False

    def _is_over(self, *, since_s: float) -> bool:
        """Whether the desk's own kill has nothing left to do, or as long as it is watched."""
        if self._progress is None:
            self._trouble = "the desk was closed, or armed again, meanwhile"
            return True
        confirmed, total = self._progress
        if confirmed < total and since_s > WATCH_S:
            self._trouble = f"the gateway has not confirmed the end of {total - confirmed} orders within {WATCH_S:g} s"
        return confirmed == total or bool(self._trouble)

    async def _ask(self, work: Callable[[], Progress | None]) -> bool:
        """Run something on the desk's loop; whether it ran in time. Where it did not, it runs once the loop does."""
        here = asyncio.get_running_loop()
        self._answered.clear()
        answer: asyncio.Future[Progress | None] = here.create_future()

        def settle(progress: Progress | None) -> None:
            if not answer.done():
                answer.set_result(progress)

        def on_the_desk() -> None:
            progress = None
            try:
                progress = work()
            finally:
                self._answered.set()
                with contextlib.suppress(RuntimeError):  # the watchman has left
                    here.call_soon_threadsafe(settle, progress)

        if not self._tell_desk(on_the_desk):
            return False
        try:
            self._progress = await asyncio.wait_for(answer, SIGN_OF_LIFE_S)
        except TimeoutError:
            return False
        return True

    async def _take_over(self, began_s: float) -> None:
        """Cancel beside the desk; what is heard waits for its loop."""
        self._outcome = outcome = Outcome()
        self._halting.cut()
        await cancel_own(
            self._place,
            self._own_prefix,
            outcome=outcome,
            timeout_s=WATCH_S,
            on_heard=self._heard,
            give_way=self._answered.is_set,
        )
        confirmed, total = outcome.progress
        self._trouble = outcome.trouble
        words = (
            f"the kernel was busy: killed beside it, {confirmed} of {total} own orders confirmed cancelled "
            f"{time.monotonic() - began_s:.2f} s after the kill"
        )
        words += f"; {outcome.trouble}" if outcome.trouble else ""
        logging.getLogger("hydra_nb.desk").warning("%s", words)
        self._tell_desk(lambda: self._halting.resume_connection(words))

    def _heard(self, heard: HeardStatus) -> None:
        self._tell_desk(lambda: self._halting.hear(heard))

    def _tell_desk(self, work: Callable[[], object]) -> bool:
        """Put work on the desk's loop; False where that has ended."""
        try:
            self._desk_loop.call_soon_threadsafe(work)
        except RuntimeError:
            return False
        return True

    def status(self) -> dict[str, object]:
        """How far the kill is: request seen, who does it, orders confirmed over of those found, trouble in words."""
        by_watchman = self._outcome is not None
        confirmed, total = self._outcome.progress if self._outcome is not None else self._progress or (0, 0)
        return {
            "request": self._seen,
            "halted": self._halting.flag.is_set,
            "by": "watchman" if by_watchman else "desk",
            "confirmed": confirmed,
            "total": total,
            "done": self._halting.flag.is_set and not self._is_halting,
            "trouble": self._trouble,
        }
