"""The view of the order that a ticket sent, in the ticket's place, with the way back below."""

from collections.abc import Callable

import ipywidgets


class ViewPlace:
    """Puts a view where the ticket was, and takes it away again.

    Parameters
    ----------
    frame
        The ticket, whose own parts are hidden meanwhile.
    on_new
        Called when a new plan is asked for.
    """

    def __init__(self, frame: ipywidgets.Box, *, on_new: Callable[[], None]) -> None:
        self._frame = frame
        self._view: ipywidgets.DOMWidget | None = None
        back = ipywidgets.Button(description="Back to the ticket")
        again = ipywidgets.Button(description="New plan")
        back.on_click(lambda _: self.close())
        again.on_click(lambda _: on_new())
        words = ipywidgets.HTML(value='<span class="hy-muted">Sent from this ticket.</span>')
        self._bar = ipywidgets.HBox((words, back, again), _dom_classes=("hy-back-bar",))

    def open(self, view: ipywidgets.DOMWidget) -> None:
        """Show a view in the ticket's place."""
        self.close()
        self._view = view
        self._frame.children = (*self._frame.children, view, self._bar)
        self._frame.add_class("hy-opened")

    def close(self) -> None:
        """Show the ticket again; the order goes on."""
        if self._view is not None:
            self._frame.remove_class("hy-opened")
            self._frame.children = self._frame.children[:-2]
            self._view.close()
            self._view = None

    def discard(self) -> None:
        """Close the view and what stands below it for good."""
        self.close()
        for part in (*self._bar.children, self._bar):
            part.close()
