"""The one piece of JavaScript: it guards keys and presses of a view, also while the kernel is busy."""

from collections.abc import Callable
from typing import Any

import anywidget

from hydra_nb.widgets.style import read_static


class KeyGuard(anywidget.AnyWidget):
    """Guards the view in whose frame it stands; without it the view works by Tab, Space and Enter.

    In the page it keeps JupyterLab's shortcuts off every button, tells screen readers which toggle is pressed, makes
    Esc disarm, disables what may be pressed once at the press, and asks the loopback address of the kill switch for a
    halt, which a busy kernel does not hinder. It hands the whole answer to a question over with the press that gives
    it: what is typed reaches the kernel a piece at a time, and a press overtakes the last ones.

    Parameters
    ----------
    kill_address
        Gives the loopback address; asked for once a page, and given by a message, as what is a trait would be saved
        with the notebook. None where browser and kernel do not share a host.
    on_sight
        Called with whether the view can be seen on any page, when that changes.
    on_answer
        Called with the answer that was given in the page.
    """

    _esm = read_static("keyguard.js")

    def __init__(
        self,
        *,
        kill_address: Callable[[], str | None],
        on_sight: Callable[[bool], None],
        on_answer: Callable[[str], None],
    ) -> None:
        self._kill_address = kill_address
        self._on_sight = on_sight
        self._on_answer = on_answer
        self._sights: dict[str, bool] = {}
        self._is_seen = True  # until a page says otherwise: without the guard's script views are drawn all the time
        super().__init__(_dom_classes=("hy-guard",))
        self.on_msg(self._heard)

    @property
    def is_seen(self) -> bool:
        """Whether the view can be seen on any page, as far as is known."""
        return self._is_seen

    def focus(self, selector: str) -> None:
        """Move the focus to the first element of the view that the CSS selector names."""
        self.send({"focus": selector})

    def _heard(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("ask") == "kill_address":
            self.send({"kill_address": self._kill_address()})
        if "answer" in content:
            self._on_answer(str(content["answer"]))
        if "visible" in content:
            self._note_sight(str(content.get("view")), visible=content["visible"])

    def _note_sight(self, view: str, *, visible: bool | None) -> None:
        """Note what one page tells of its view; None where that view was taken off the page."""
        if visible is None:
            self._sights.pop(view, None)
        else:
            self._sights[view] = visible
        is_seen = any(self._sights.values())
        if is_seen is not self._is_seen:
            self._is_seen = is_seen
            self._on_sight(is_seen)
