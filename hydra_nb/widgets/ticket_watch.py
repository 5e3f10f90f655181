"""What a ticket sees of its market, and the timer by which it looks again though nothing has happened."""

import asyncio
from collections.abc import Callable

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.ports import DeskPort
from hydra_nb.widgets.arming import Sight
from hydra_nb.widgets.ticket_strip import Market

WATCH_S = 1.0
"""Host seconds between two looks at an armed plan, for what no event tells: time, and quotes that stop."""


def market_of(desk: DeskPort, contract: FutureContract, *, usual_ticks: float | None) -> Market:
    """What the desk knows of a contract's market now."""
    return Market(
        contract=contract,
        quote=desk.latest_quote(contract),
        usual_ticks=usual_ticks,
        adv_lots=desk.adv_lots(contract),
        position_lots=desk.position_lots(contract),
        now_ns=desk.now_ns(),
    )


def sight_of(desk: DeskPort, market: Market | None, *, host_s: float) -> Sight:
    """All that may speak against sending, at one look."""
    now_ns = desk.now_ns()
    quote = None if market is None else market.quote
    return Sight(
        now_ns=now_ns,
        host_s=host_s,
        mid=None if market is None else market.mid,
        quote_age_s=None if quote is None else quote.age_s(now_ns),
        connected=desk.is_connected,
        killed=desk.killed is not None,
    )


class Watch:
    """Looks every `WATCH_S` until it has seen enough; a timer of the desk's loop, no task.

    Parameters
    ----------
    look
        Looks, and tells whether to look again.
    """

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._timer: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Begin anew; on the desk's loop."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(WATCH_S, self._again)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self._timer = None
        if self._look():
            self._timer = asyncio.get_running_loop().call_later(WATCH_S, self._again)


async def later(work: Callable[[], None]) -> None:
    """Do something that is no coroutine, as one."""
    work()


async def fail_with(error: Exception) -> None:
    """Fail, where the desk journals what fails."""
    raise error
