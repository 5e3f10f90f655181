"""How old the quote of a quiet book would be, had `broker.renewals` asked for it anew."""

from collections.abc import Callable

from hydra_nb.broker.renewals import LOOK_S, QUIET_S
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.units import NS_PER_S

LOOK_NS = round(LOOK_S * NS_PER_S)
QUIET_NS = QUIET_S * NS_PER_S


class QuietRounds:
    """The rounds of a desk that asks anew for its quiet quotes, reckoned afterwards instead of waited for.

    The broker of a rehearsal answers at once and always, so that a round is told by the age of the quote alone.

    Parameters
    ----------
    contract
        What is watched; nothing is asked for while it is closed.
    is_traded
        Whether something of it is at work now: a quote that nobody trades on is left to grow old.
    from_ns
        Market time since which the rounds go.
    """

    def __init__(self, contract: FutureContract, *, is_traded: Callable[[], bool], from_ns: int) -> None:
        self._contract = contract
        self._is_traded = is_traded
        self._look_ns = from_ns + LOOK_NS

    def told_ns(self, quote_ns: int, *, now_ns: int) -> int:
        """When a quote of `quote_ns` was last told until now, nothing having happened in its market since."""
        if self._look_ns > now_ns:
            return quote_ns
        is_traded = self._is_traded()
        while self._look_ns <= now_ns:
            quote_ns = self._look(quote_ns, is_traded=is_traded, now_ns=now_ns)
        return quote_ns

    def _look(self, quote_ns: int, *, is_traded: bool, now_ns: int) -> int:
        look_ns = self._look_ns
        age_ns = look_ns - quote_ns
        self._look_ns += LOOK_NS
        if not self._contract.is_open(look_ns):
            self._sleep_until_open(look_ns, now_ns=now_ns)
        elif is_traded:
            if age_ns < LOOK_NS:
                self._look_ns = look_ns + QUIET_NS - age_ns
            elif age_ns >= QUIET_NS:
                return look_ns
        return quote_ns

    def _sleep_until_open(self, look_ns: int, *, now_ns: int) -> None:
        opens_ns = self._contract.opens_ns(look_ns)
        until_ns = now_ns if opens_ns is None else min(opens_ns, now_ns)
        self._look_ns += max(0, until_ns - look_ns) // LOOK_NS * LOOK_NS


def is_renewed(*, state: ConnectionState, feed: FeedType, halted: bool) -> bool:
    """Whether a desk asks for quiet quotes at all: no other quote would be traded on whatever its age."""
    return state is ConnectionState.UP and feed is FeedType.LIVE and not halted
