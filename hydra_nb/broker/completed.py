"""What the broker calls over: a witness beside executions and open orders that may hinder a proof, and gives none."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.errors import NotConnected


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrder:
    """One line of the broker's list of completed orders, of today and of whatever client.

    Attributes
    ----------
    status
        The broker's word, such as ``"Filled"`` or ``"Cancelled"``.
    filled_lots
        Lots filled, of a cancelled order too; None where the line does not say.
    expires_ns
        Good-till time, UTC nanoseconds, where the order has one that we can read.
    """

    order_ref: str
    perm_id: int
    con_id: int
    local_symbol: str
    status: str
    filled_lots: int | None
    expires_ns: int | None

    def told_lots(self, ordered: int) -> int:
        """Lots filled by this line; a mere ``Filled`` means all that were ordered."""
        if self.filled_lots is not None:
            return self.filled_lots
        return ordered if self.status == "Filled" else 0


class CompletedOrders:
    """What was told of completed orders, and the reply that is waited for.

    A line is kept as it comes, as what is over stays over; so a reply that is late, or that never ends, loses nothing
    that it told.

    Attributes
    ----------
    is_told
        Whether a whole list came since the way to the broker was last up.
    gave_up
        Whether a list was waited for in vain since then. It is not asked for again: that would hold up every look.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, int], CompletedOrder] = {}
        self._answer: asyncio.Future[None] | None = None
        self.is_told = False
        self.gave_up = False

    def lines(self) -> tuple[CompletedOrder, ...]:
        """All lines so far."""
        return tuple(self._told.values())

    def of(self, order_ref: str) -> tuple[CompletedOrder, ...]:
        """Lines of one reference: a modify during an outage can leave two permanent ids for it."""
        return tuple(line for (ref, _), line in self._told.items() if ref == order_ref)

    async def ask(self, send: Callable[[], None]) -> None:
        """Send a request and wait for the end of a reply."""
        self._answer = asyncio.get_running_loop().create_future()
        send()
        await self._answer

    def line(self, told: CompletedOrder) -> None:
        """One order of a reply."""
        self._told[told.order_ref, told.perm_id] = told

    def end(self) -> None:
        """A reply is complete."""
        self.is_told = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    def outdate(self) -> None:
        """The way to the broker's servers is broken: more may have ended by the time that it is back."""
        self.is_told = self.gave_up = False

    def lost(self) -> None:
        """The connection is gone, and with it the reply."""
        self.outdate()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotConnected("the connection was lost while asking for completed orders"))
