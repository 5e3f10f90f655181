"""Which order the desk's view acts on: a list whose places keep their meaning, and buttons that are of one order each.

A page sends the place that was picked, and that a button was pressed, no more. Either may arrive late, and the press
before the pick, as picks wait for each other and presses do not. So neither may mean what the desk knows by then.
"""

from collections.abc import Callable, Mapping

import ipywidgets

NOTHING_CHOSEN = ("Choose an order", "")


class OrderList(ipywidgets.Dropdown):  # type: ignore[misc]  # ipywidgets ships no types
    """Orders to choose from, by place: each place is that of one order for as long as the list is on a page.

    Its value is the id of the order that is picked; empty where none is, or where that one is over.

    Parameters
    ----------
    on_pick
        Called when another order is picked.
    """

    options: tuple[tuple[str, str], ...]
    index: int | None

    def __init__(self, *, on_pick: Callable[[], None]) -> None:
        super().__init__(description="Act on", options=(NOTHING_CHOSEN,), value="")
        self._names: dict[str, str] = {}  # of every order that ever stood here, by its id, in the order of the places
        self._is_renewing = False
        self._on_pick = on_pick
        self.observe(lambda _: None if self._is_renewing else self._on_pick(), names="index")

    @property
    def picked(self) -> str:
        """The order at the place that is picked, also when it is over; empty where none is."""
        return ("", *self._names)[self.index or 0]

    def renew(self, at_work: Mapping[str, str]) -> None:
        """Name the orders at work: new ones go below all, one that is over keeps its place and chooses nothing.

        The pick stays where the person left it.

        Parameters
        ----------
        at_work
            Names by parent ids, the oldest first.
        """
        self._names |= at_work
        named = [(name, one) if one in at_work else (f"Over: {name}", "") for one, name in self._names.items()]
        options = (NOTHING_CHOSEN, *named)
        if options == self.options:
            return
        place, self._is_renewing = self.index, True
        with self.hold_sync():
            self.options = options  # which moves the pick to the first place
            self.index = place
        self._is_renewing = False


class OrderButtons:
    """What can be done with one order, and with no other, whenever the press arrives.

    Attributes
    ----------
    pause, resume, cancel, open : ipywidgets.Button
        What is pressed.
    box : ipywidgets.HBox
        Holds them.
    """

    def __init__(self) -> None:
        self.pause = ipywidgets.Button(description="❚❚ Pause")
        self.resume = ipywidgets.Button(description="► Resume")
        self.cancel = ipywidgets.Button(description="✕ Cancel order")
        self.open = ipywidgets.Button(description="Open view")
        buttons = (self.pause, self.resume, self.cancel, self.open)
        self.box = ipywidgets.HBox(buttons, _dom_classes=("hy-acts", "hy-hidden"))
