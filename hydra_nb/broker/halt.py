"""The halt flag: read before every order that leaves, and set from any thread."""

import contextlib
import threading
from collections.abc import Iterator

from hydra_nb.errors import SendRefused


class HaltFlag:
    """While it is set no place and no modify leaves; cancels are not asked about.

    The one who sends holds a lock from the look at the flag until the frame is handed to the socket, so that once `set`
    has returned, whatever had passed the flag has left as well, and nothing will leave after it.
    """

    def __init__(self) -> None:
        self._raised = threading.Event()
        self._sending = threading.Lock()
        self._counting = threading.Lock()
        self._times = 0
        self._reason = ""

    @property
    def is_set(self) -> bool:
        """Whether orders are held back."""
        return self._raised.is_set()

    @property
    def times(self) -> int:
        """How often it was set so far."""
        return self._times

    def set(self, reason: str, *, wait_s: float = 0.1) -> int:
        """Hold all orders back from now on; an order in the middle of being sent is waited for, `wait_s` at most.

        Returns
        -------
        int
            How often it was set by now, this time counted.
        """
        with self._counting:
            self._reason = reason
            self._times = times = self._times + 1
            self._raised.set()
        if self._sending.acquire(timeout=wait_s):
            self._sending.release()
        return times

    def clear(self, *, seen: int) -> None:
        """Let orders leave again, but where it was set once more since it had been set `seen` times."""
        with self._counting:
            if self._times == seen:
                self._raised.clear()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Send inside of this.

        Raises
        ------
        SendRefused
            The flag is set; nothing was sent.
        """
        with self._sending:
            if self._raised.is_set():
                raise SendRefused(f"halted: {self._reason}; nothing but cancels is sent")
            yield
