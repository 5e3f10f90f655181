"""Looks at a contract for a few seconds, beside what is watched, and lets go of it: quote, volume, open interest.

A glance has a market data line and a board of its own, so that nothing of it reaches the quotes that orders are priced
by, and no line that was watched before ends with it. The line is given back in any case.

Open interest of futures: generic tick 588, told as a size of tick type 86 ("Available Tick Types" of the IB API).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.pacing import Pace
from hydra_nb.broker.quotes import QuoteBoard
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Glance
from hydra_nb.domain.units import NS_PER_S

OPEN_INTEREST_ASKED = "588"
OPEN_INTEREST_TICK = 86
MOST_AT_ONCE = 20
"""Glances that hold a line at a time: an account has a hundred as a rule, and what is traded comes first."""
LOOK_S = 0.1
"""Market seconds between two looks at what was told."""

_LARGEST = 1e15


class GlanceWire(Protocol):
    """Where ticks are asked for."""

    @property
    def is_open(self) -> bool:
        """Whether the handshake is through and the socket open."""
        ...

    def next_id(self) -> int:
        """A fresh id."""
        ...

    def send_market_data_request(self, req_id: int, contract: FutureContract, *, generic: str = "") -> None:
        """Ask for ticks."""
        ...

    def send_market_data_cancel(self, req_id: int) -> None:
        """Ask for no more ticks."""
        ...


class GlanceBoard(QuoteBoard):
    """The quote of one contract, for one glance, and its open interest.

    Attributes
    ----------
    open_interest
        Lots, None before it is told.
    """

    def __init__(self, contract: FutureContract, *, req_id: int, now_ns: Callable[[], int]) -> None:
        super().__init__(now_ns)
        self._req_id = req_id
        self.contract = contract
        self.open_interest: int | None = None
        self.watch(contract)
        self.subscribe(contract.con_id, req_id=req_id)

    def size_tick(self, req_id: int, tick_type: int, size: float) -> None:
        """A size, a volume, or the open interest."""
        if tick_type == OPEN_INTEREST_TICK and req_id == self._req_id:
            self.open_interest = int(size) if 0 <= size < _LARGEST else None
        else:
            super().size_tick(req_id, tick_type, size)

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing more to wait for."""
        con_id = self.contract.con_id
        return self.is_refused(con_id) or (self.open_interest is not None and self.has_told_sides(con_id))


class Glances:
    """Takes glances, a few at a time.

    Parameters
    ----------
    wire
        Where it is asked.
    inbox
        Hands each tick to the board of its request.
    pace
        Holds requests back so that orders and cancels have room.
    clock
        Market time.
    """

    def __init__(self, wire: GlanceWire, *, inbox: Inbox, pace: Pace, clock: Clock) -> None:
        self._wire = wire
        self._inbox = inbox
        self._pace = pace
        self._clock = clock
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def look(self, contract: FutureContract, *, wait_s: float) -> Glance:
        """Look until all is told, at most so many market seconds; what was not told is None."""
        async with self._turns:
            await self._pace.turn()
            if not self._wire.is_open:
                return Glance(con_id=contract.con_id)
            req_id = self._wire.next_id()
            board = GlanceBoard(contract, req_id=req_id, now_ns=self._clock.now_ns)
            self._inbox.glances[req_id] = board
            try:
                self._wire.send_market_data_request(req_id, contract, generic=OPEN_INTEREST_ASKED)
                await self._until_whole(board, wait_s=wait_s)
            finally:
                del self._inbox.glances[req_id]
                if self._wire.is_open and not board.is_refused(contract.con_id):
                    self._wire.send_market_data_cancel(req_id)
        quote = board.quote(contract.con_id)
        return Glance(con_id=contract.con_id, quote=quote, open_interest=board.open_interest)

    async def _until_whole(self, board: GlanceBoard, *, wait_s: float) -> None:
        deadline_ns = self._clock.now_ns() + round(wait_s * NS_PER_S)
        while not board.is_whole and self._clock.now_ns() < deadline_ns and self._wire.is_open:
            await self._clock.sleep(LOOK_S)
