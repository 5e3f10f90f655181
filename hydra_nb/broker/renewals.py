"""Asks anew for the quote of a market in which nothing happens, so that a quiet book is told from a dead feed.

A feed sends a tick only when something changes. Where nothing does, a new subscription makes the broker say what
stands now; only what it then says makes the quote younger.
"""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.pacing import Pace
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.units import NS_PER_S

QUIET_S = 10
"""Seconds of market time since the last tick after which a quote is asked for again, and between two askings."""
LOOK_S = 5.0
"""Seconds of market time between two looks at the quotes; more where all that is traded is younger than that."""
MOST_DOUBLINGS = 5
"""How often that time doubles while what is asked for is refused, or brings the same quiet book: up to 320 s."""
MOST_DOUBLINGS_OF_SILENCE = 2
"""The same where nothing at all is answered, as where the request was lost: up to 40 s."""


class SubscriptionWire(Protocol):
    """Where ticks are asked for."""

    @property
    def is_open(self) -> bool:
        """Whether the handshake is through and the socket open."""
        ...

    def next_id(self) -> int:
        """A fresh id."""
        ...

    def send_market_data_request(self, req_id: int, contract: FutureContract) -> None:
        """Ask for ticks."""
        ...

    def send_market_data_cancel(self, req_id: int) -> None:
        """Ask for no more ticks."""
        ...


class Renewals:
    """Renews the subscriptions of contracts that are traded while their books are quiet, and of those never answered.

    The old subscription is cancelled first. The gateway would answer a second one beside it from its own memory,
    which would make a quote look young though nothing came from the exchange.

    Parameters
    ----------
    wire
        Where it is asked.
    inbox
        Holds the quotes and the state of the link.
    pace
        Holds requests back so that orders and cancels have room.
    clock
        Market time.
    """

    def __init__(self, wire: SubscriptionWire, *, inbox: Inbox, pace: Pace, clock: Clock) -> None:
        self._wire = wire
        self._inbox = inbox
        self._pace = pace
        self._clock = clock
        self._unanswered: dict[int, int] = {}
        self._missed_ns: dict[int, int] = {}  # since when a contract is known to have no subscription

    async def run(self, traded: Callable[[], Iterable[FutureContract]]) -> None:
        """Look after the quotes of what `traded` gives, and of all that awaits its first tick, until cancelled."""
        wait_s = LOOK_S
        while True:
            await self._clock.sleep(wait_s)
            wait_s = LOOK_S
            # What an earlier process left is at work until its orders are over, and watched only once it is resumed.
            watched = {contract.con_id for contract in self._inbox.board.contracts}
            contracts = {contract.con_id: contract for contract in traded() if contract.con_id in watched}
            contracts |= {
                contract.con_id: contract for contract in self._inbox.board.contracts if self._waits(contract)
            }
            ages_s = [self._age_s(con_id) for con_id in contracts]
            if contracts and max(ages_s) < LOOK_S:  # markets that move need no look before they can have fallen quiet
                wait_s = QUIET_S - max(ages_s)
                continue
            for contract in contracts.values():
                await self._look(contract)
            self._inbox.batch_done()

    async def _look(self, contract: FutureContract) -> None:
        self._settle(contract)
        if self._is_due(contract):
            await self._pace.turn()
            if self._is_due(contract):  # a tick, or the end of the connection, may have come meanwhile
                self._renew(contract)

    def _waits(self, contract: FutureContract) -> bool:
        """Whether the present subscription has brought neither a tick nor a refusal: it may have been lost."""
        board, con_id = self._inbox.board, contract.con_id
        asked_ns = board.asked_ns(con_id)
        return (
            asked_ns is not None and not board.is_refused(con_id) and not self._has_answered(con_id, asked_ns=asked_ns)
        )

    def _has_answered(self, con_id: int, *, asked_ns: int) -> bool:
        """Whether the present subscription has brought a quote."""
        quote = self._inbox.board.quote(con_id)
        return quote is not None and quote.time_ns >= asked_ns

    def _age_s(self, con_id: int) -> float:
        quote = self._inbox.board.quote(con_id)
        return math.inf if quote is None else quote.age_s(self._clock.now_ns())

    def _settle(self, contract: FutureContract) -> None:
        """Take what a new subscription has told by now for all that it has to tell."""
        board, asked_ns = self._inbox.board, self._inbox.board.asked_ns(contract.con_id)
        if asked_ns is not None and self._clock.now_ns() - asked_ns >= LOOK_S * NS_PER_S:
            board.settle(contract.con_id)

    def _is_due(self, contract: FutureContract) -> bool:
        """Whether a contract is to be asked for now."""
        board, link, now_ns = self._inbox.board, self._inbox.link, self._clock.now_ns()
        asked_ns = board.asked_ns(contract.con_id)
        if not self._wire.is_open or link.state is not ConnectionState.UP:
            return False  # whoever connects again subscribes to everything
        if self._inbox.farms.are_broken or not contract.is_open(now_ns):
            return False
        quote = board.quote(contract.con_id)
        if quote is not None and (quote.feed is not FeedType.LIVE or quote.halted):
            return False  # refused whatever its age, and the present subscription will tell when that ends
        if asked_ns is None:  # an interrupt may have ended the task that was to ask
            asked_ns = self._missed_ns.setdefault(contract.con_id, now_ns)
        else:
            self._missed_ns.pop(contract.con_id, None)
        if self._has_answered(contract.con_id, asked_ns=asked_ns):
            self._unanswered.pop(contract.con_id, None)
        most = MOST_DOUBLINGS if board.is_refused(contract.con_id) else MOST_DOUBLINGS_OF_SILENCE
        wait_s = QUIET_S << min(most, self._unanswered.get(contract.con_id, 0))
        latest_ns = asked_ns if quote is None else max(asked_ns, quote.time_ns)
        return now_ns - latest_ns >= wait_s * NS_PER_S

    def _renew(self, contract: FutureContract) -> None:
        con_id, board = contract.con_id, self._inbox.board
        asked_ns = board.asked_ns(con_id)
        self._missed_ns.pop(con_id, None)
        if asked_ns is None or not self._has_answered(con_id, asked_ns=asked_ns):
            self._unanswered[con_id] = min(self._unanswered.get(con_id, 0) + 1, MOST_DOUBLINGS)
        req_id = self._wire.next_id()
        for old_id in board.renew(con_id, req_id=req_id):
            self._wire.send_market_data_cancel(old_id)
        self._wire.send_market_data_request(req_id, contract)
