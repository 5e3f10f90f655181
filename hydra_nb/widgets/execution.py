"""The live view of one parent order: its card, drawn again while it runs."""

import ipywidgets

from hydra_nb.domain.ports import DeskPort, ExecutionPort
from hydra_nb.widgets.follow import Follower
from hydra_nb.widgets.parts import escape
from hydra_nb.widgets.render import execution_card


class ExecutionView(ipywidgets.HTML):  # type: ignore[misc]  # ipywidgets ships no types
    """An execution's card that follows the desk, at most twice a second, and sends only what has changed.

    Parameters
    ----------
    desk
        Tells of changes, the time and the account.
    execution
        The parent order that is shown.
    """

    _follower: Follower | None = None  # until it is made: a view that failed on the way has nothing to close

    def __init__(self, desk: DeskPort, execution: ExecutionPort) -> None:
        self._desk = desk
        self._execution = execution
        super().__init__(value=self._card())
        self._follower = Follower(desk, draw=self._draw)

    def close(self) -> None:
        """Stop listening to the desk and take the view off the page; the order goes on."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
            super().close()

    def _card(self) -> str:
        desk = self._desk
        return execution_card(
            self._execution, badge=desk.badge, masked_account=desk.masked_account, now_ns=desk.now_ns()
        )

    def _draw(self) -> None:
        try:
            self.value = self._card()
        except Exception as error:
            self.value = (
                f'<p role="alert">A view failed and was closed ({escape(type(error).__name__)}); '
                "trading goes on. See the journal.</p>"
            )
            if self._follower is not None:
                self._follower.close()
            raise
