"""Hands alerts on to a person's own function and command, on a thread of its own that no order ever waits for."""

import contextlib
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra_nb.domain.events import AlertCleared, AlertRaised
from hydra_nb.errors import InvalidOrder

COMMAND_S = 10.0
"""Host seconds that a command may take before it is ended."""
MOST_WAITING = 64
"""Alerts that wait for a slow command; what comes beyond is not handed on, and that is told."""
LAST_ALERTS_S = 2.0
"""Host seconds that a desk which closes waits for alerts on their way."""

Alert = AlertRaised | AlertCleared
Listener = Callable[[Alert], object]


def parse_command(command: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The words of an alert command; a string is split as a shell would, and no shell is used.

    Raises
    ------
    InvalidOrder
        It is empty, or no such program is found: an alarm that cannot sound should be known before it is needed.
    """
    if command is None:
        return None
    try:
        words = shlex.split(command, posix=os.name == "posix") if isinstance(command, str) else list(command)
    except ValueError as error:
        raise InvalidOrder(
            f"alert_command cannot be read ({error}); quote it as in a terminal, or give a list"
        ) from None
    if not words or not all(isinstance(word, str) for word in words) or not words[0].strip():
        raise InvalidOrder("alert_command is empty; give a program and its arguments, or leave it out")
    if shutil.which(words[0]) is None:
        raise InvalidOrder(f"alert_command: no program {Path(words[0]).name!r} is found; install it, or give its path")
    return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way, with what its command reads."""

    alert: Alert
    details: Mapping[str, object]


class Messenger:
    """Hands alerts on, one at a time and in order.

    Parameters
    ----------
    command
        Words of a program that gets the sentence as its last argument and the details as JSON on its standard input;
        None for none.
    on_outcome
        Called on the messenger's thread after each alert, with what went wrong in words, or None.
    """

    def __init__(
        self, command: Sequence[str] | None, *, on_outcome: Callable[[str | None], None], timeout_s: float = COMMAND_S
    ) -> None:
        self._command = command
        self._on_outcome = on_outcome
        self._timeout_s = timeout_s
        self._listeners: list[Listener] = []
        self._waiting: queue.Queue[Delivery | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def add(self, listener: Listener) -> Callable[[], None]:
        """Hand alerts to a function as well; gives what takes that back."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self, delivery: Delivery) -> str | None:
        """Hand an alert on soon; never waits. Gives what is wrong where there is no room for it."""
        if self._command is None and not self._listeners:
            return None
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="hydra_nb alerts", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(delivery)
        except queue.Full:
            return f"{MOST_WAITING} others wait for a command that is slow"
        return None

    def finish(self) -> threading.Thread | None:
        """Hand on what waits and end; gives the thread that does so, where there is one."""
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)
        return thread

    def _run(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            self._on_outcome(self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> str | None:
        troubles = []
        for listener in tuple(self._listeners):
            try:
                listener(delivery.alert)
            except Exception as error:  # noqa: BLE001  a person's own function: told, and asked again next time
                troubles.append(f"a function failed with {type(error).__name__}")
        if self._command is not None:
            trouble = run_command(
                self._command, sentence=delivery.alert.sentence, details=delivery.details, timeout_s=self._timeout_s
            )
            troubles += [] if trouble is None else [trouble]
        return "; ".join(troubles) or None


def run_command(words: Sequence[str], *, sentence: str, details: Mapping[str, object], timeout_s: float) -> str | None:
    """Run a command and wait for its end; gives what went wrong, without the places of files."""
    name = Path(words[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603  the person's own command, and no shell
            [*words, sentence],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"{name} could not be started ({type(error).__name__})"
    try:
        process.communicate(json.dumps(details).encode(), timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"{name} had not ended after {timeout_s:g} s, and was ended"
    return f"{name} ended with status {process.returncode}" if process.returncode else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it has started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
