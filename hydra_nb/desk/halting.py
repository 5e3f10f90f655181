"""What happens to a desk when it is killed, on its own loop; and what of it other threads may touch."""

import asyncio

from hydra_nb.broker.emergency import HeardStatus
from hydra_nb.broker.halt import HaltFlag
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import BrokerErrorReported, Killed
from hydra_nb.errors import JournalUnreadable

Progress = tuple[int, int]
"""Own orders confirmed over, of those that were not over when the kill came."""

RECONNECT_S = 0.25
"""Host seconds until the desk connects again: the loss must have been noticed here, and the other's end there."""

ONE_PRESS_S = 2.0
"""Host seconds after a kill within which another is the same: a button reaches the desk by kernel and by door."""

ON_ITS_WAY_S = 1.0
"""Host seconds within which a kill of another thread comes to the loop: it is written down first, in 0.3 s at most."""

_OUR_NOTICE = 0  # code of errors that we report ourselves; the broker has none such


class Halting:
    """The side of a desk that a kill reaches.

    But for `flag` and `cut`, which any thread may use, and `ask`, everything is for the desk's own loop.

    Attributes
    ----------
    flag
        Holds orders back at once.
    is_closed
        Set once the desk was closed: nothing is done about it any more.
    presses
        How many kills this loop has carried out, those among them that count as one with the one before.
    """

    def __init__(self, rooms: Rooms) -> None:
        self.flag: HaltFlag = rooms.broker.halt
        self.is_closed = False
        self.presses = 0
        self._asked = self._heeded = 0
        self._broker = rooms.broker
        self._manager = rooms.manager
        self._journal = rooms.journal
        self._clock = rooms.clock
        self._killed_s: float | None = None
        if self._manager.ledger.killed is not None:
            self.flag.set(self._manager.ledger.killed)

    @property
    def progress(self) -> Progress | None:
        """How far the kill in force is; None where there is none, or the desk was closed."""
        ledger = self._manager.ledger
        if ledger.killed is None or self.is_closed:
            return None
        killed = ledger.killed_orders
        return sum(ledger.orders[ref].state.is_over for ref in killed), len(killed)

    def ask(self, reason: str) -> int:
        """Hold orders back at once, from the watchman's thread; gives what `heed`, which follows on the loop, is told.

        It is counted before the flag is set: whoever reads first the flag's count and then `is_awaited` misses none.
        """
        self._asked = asked = self._asked + 1
        self.flag.set(reason)
        return asked

    @property
    def is_awaited(self) -> bool:
        """Whether another thread has asked for a kill that has not come to this loop."""
        return self._asked > self._heeded

    async def hear_out(self) -> None:
        """Wait a moment for what is on its way."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + ON_ITS_WAY_S
        while self.is_awaited and loop.time() < deadline_s:  # noqa: ASYNC110  it comes from another thread
            await asyncio.sleep(0.01)

    def give_up(self) -> None:
        """Await nothing more of what was asked for until now: a person was told of it."""
        self._heeded = self._asked

    def heed(self, reason: str, *, unrecorded: bool, asked: int) -> Progress | None:
        """Carry out a kill that was asked for in the journal, or, `unrecorded`, could not be written there.

        Parameters
        ----------
        asked
            What `ask` gave.
        """
        self._heeded = max(self._heeded, asked)
        if self.is_closed:
            return None
        try:
            self.heed_requests()
        except JournalUnreadable:
            unrecorded = True
        self.presses += unrecorded
        if self._manager.ledger.killed is None and unrecorded:
            self._killed_s = asyncio.get_running_loop().time()
            self.flag.set(reason)  # a re-arming may have cleared it since the button set it
            self._manager.ingest(Killed(time_ns=self._clock.now_ns(), reason=reason))
        seen = self.flag.times
        # An old request, which a person has answered by re-arming.
        if self._manager.ledger.killed is None and not self.is_awaited:
            self.flag.clear(seen=seen)
        return self.progress

    def heed_requests(self) -> None:
        """Carry out a kill that was asked for in the journal; to be called now and then."""
        reason = self._journal.pending_kill()
        if reason is None:
            return
        self.flag.set(reason)
        if self.is_pressed_again():
            self._journal.settle_kill()
            self._manager.committer.soon()
        else:
            self._manager.heed_requests()

    def is_pressed_again(self) -> bool:
        """Whether a kill that comes now is the one that came a moment ago, by the other way; else it counts as new."""
        self.presses += 1
        now_s, killed_s = asyncio.get_running_loop().time(), self._killed_s
        if self._manager.ledger.killed is not None and killed_s is not None and now_s - killed_s < ONE_PRESS_S:
            return True
        self._killed_s = now_s
        return False

    def tell(self) -> Progress | None:
        """Give the progress; that it is answered is a sign of life."""
        return self.progress

    def cut(self) -> None:
        """Shut the desk's socket, from any thread, so that the gateway lets its client id in again."""
        self._broker.cut()

    def hear(self, heard: HeardStatus) -> None:
        """Take in what was heard of an order while the desk's own socket was gone."""
        if not self.is_closed:
            self._broker.hear(heard)

    def resume_connection(self, words: str) -> None:
        """Keep what was done beside the desk in the journal, and connect again."""
        if not self.is_closed:
            now_ns = self._clock.now_ns()
            self._manager.ingest(BrokerErrorReported(time_ns=now_ns, order_ref=None, code=_OUR_NOTICE, message=words))
            asyncio.get_running_loop().call_later(RECONNECT_S, self._broker.connect_soon)
