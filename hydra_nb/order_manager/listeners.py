"""Who is told that something changed: views, soon after it and once for all that happens until then."""

from collections.abc import Callable

Listener = Callable[[], None]


class Listeners:
    """Those who listen.

    Parameters
    ----------
    soon
        Has something called at the loop's next turn.
    on_failure
        Called with what a listener raised; that one hears no more, and trading goes on.
    """

    def __init__(self, *, soon: Callable[[Listener], None], on_failure: Callable[[Exception], None]) -> None:
        self._soon = soon
        self._on_failure = on_failure
        self._listeners: list[Listener] = []
        self._is_telling = False

    def add(self, listener: Listener) -> Listener:
        """Call `listener` from now on; gives the way to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self) -> None:
        """Call all of them soon."""
        if self._listeners and not self._is_telling:
            self._is_telling = True
            self._soon(self._tell)

    def clear(self) -> None:
        """Call nobody any more."""
        self._listeners.clear()

    def _tell(self) -> None:
        self._is_telling = False
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception as error:  # noqa: BLE001  a view that fails is dropped; trading goes on
                self._listeners.remove(listener)
                self._on_failure(error)
