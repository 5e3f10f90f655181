"""Which circuit breakers are tripped, who re-armed them, and the figures of conduct that three of them look at."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import POSITION_BREAKERS, BreakerName, Conduct
from hydra_nb.domain.broker_codes import is_rejection
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger.conduct import SentMessages, SlippageOfDay

_DAY_NS = 86_400 * NS_PER_S
_NONE: Mapping[str, ev.BreakerTripped] = MappingProxyType({})

Key = tuple[str, int | None]
"""A breaker, and the contract where it is about one."""


class BreakerBook:
    """The part of the ledger that folds breakers.

    Parameters
    ----------
    positions
        The broker's last report of each position, by contract id, as the ledger keeps it.

    Attributes
    ----------
    tripped
        The trips in force, oldest first.
    rearmed
        The last re-arming of each breaker that had tripped, by its key.
    contracts
        Contracts of all parents, by id: those of which a position counts.
    slippage
        What the fills of the day cost; the ledger tells it each execution.
    """

    def __init__(self, positions: Mapping[int, ev.PositionReported]) -> None:
        self.tripped: dict[Key, ev.BreakerTripped] = {}
        self.rearmed: dict[Key, ev.Rearmed] = {}
        self.contracts: dict[int, FutureContract] = {}
        self.slippage = SlippageOfDay()
        self._positions = positions
        self._accepted: dict[Key, int] = {}  # positions that a person saw when re-arming, signed lots
        self._refusals = 0
        self._messages = SentMessages()
        self._conduct: Conduct | None = None
        self._good_ns = (0, 0)  # from and until: when a look at the conduct holds, if nothing happens
        self._fold: Mapping[type[ev.Event], Callable[[Any], None]] = {
            ev.ParentSubmitted: self._parent_submitted,
            ev.ParentRefused: self._parent_refused,
            ev.ChildReserved: self._approved,
            ev.ChildRefused: self._child_refused,
            ev.ChildSent: self._sent,
            ev.BrokerErrorReported: self._error,
            ev.ExecutionReported: self._changed,
            ev.PositionReported: self._position,
            ev.BreakerTripped: self._tripped,
            ev.Rearmed: self._rearmed,
        }

    def apply(self, event: ev.Event) -> None:
        """Fold one event, after the ledger has."""
        fold = self._fold.get(type(event))
        if fold is not None:
            fold(event)

    def of(self, con_id: int) -> Mapping[str, ev.BreakerTripped]:
        """Trips that concern orders of a contract, by breaker."""
        if not self.tripped:
            return _NONE
        return {one.breaker: one for one in self.tripped.values() if one.con_id in (None, con_id)}

    def is_tripped(self, breaker: str, *, con_id: int | None = None) -> bool:
        """Whether a breaker, of a contract where it is about one, waits for a person."""
        return (breaker, con_id) in self.tripped

    def has_grown(self, breaker: str, *, con_id: int) -> bool:
        """Whether a position is larger than it was when a person re-armed its breaker; so it is where nobody did."""
        lots, accepted = self._positions[con_id].lots, self._accepted.get((breaker, con_id), 0)
        return lots * accepted <= 0 or abs(lots) > abs(accepted)

    def conduct(self, now_ns: int) -> Conduct:
        """How the desk has fared until now."""
        from_ns, until_ns = self._good_ns
        if self._conduct is None or not from_ns <= now_ns < until_ns:
            messages, rejected, fewer_ns = self._messages.count(now_ns)
            fills, slippage_ticks, predicted_ticks = self.slippage.means(now_ns)
            midnight_ns = (now_ns // _DAY_NS + 1) * _DAY_NS
            self._good_ns = now_ns, midnight_ns if fewer_ns is None else min(midnight_ns, fewer_ns)
            self._conduct = Conduct(
                refusals_in_row=self._refusals,
                messages=messages,
                rejected_messages=rejected,
                fills=fills,
                slippage_ticks=slippage_ticks,
                predicted_ticks=predicted_ticks,
            )
        return self._conduct

    # What happens

    def _changed(self, _event: ev.Event) -> None:
        self._conduct = None

    def _parent_submitted(self, event: ev.ParentSubmitted) -> None:
        contract = event.plan.parent.contract
        self.contracts[contract.con_id] = contract

    def _parent_refused(self, event: ev.ParentRefused) -> None:
        self._refused(hard=event.transient is False)

    def _child_refused(self, event: ev.ChildRefused) -> None:
        self._refused(hard=not event.transient)

    def _refused(self, *, hard: bool) -> None:
        if hard:
            self._refusals += 1
            self._conduct = None

    def _approved(self, _event: ev.ChildReserved) -> None:
        if self._refusals:
            self._refusals = 0
            self._conduct = None

    def _sent(self, event: ev.ChildSent) -> None:
        self._messages.sent(event.order_ref, time_ns=event.time_ns)
        self._conduct = None

    def _error(self, event: ev.BrokerErrorReported) -> None:
        if event.order_ref is not None and is_rejection(event.code):
            self._messages.rejected(event.order_ref)
            self._conduct = None

    def _position(self, event: ev.PositionReported) -> None:
        """Let what a person accepted shrink with the position, so that it trips again when it grows anew."""
        for breaker in POSITION_BREAKERS:
            accepted = self._accepted.get((breaker, event.con_id))
            if accepted is None:
                continue
            if event.lots * accepted <= 0:
                del self._accepted[breaker, event.con_id]
            elif abs(event.lots) < abs(accepted):
                self._accepted[breaker, event.con_id] = event.lots

    def _tripped(self, event: ev.BreakerTripped) -> None:
        self.tripped.setdefault((event.breaker, event.con_id), event)

    def _rearmed(self, event: ev.Rearmed) -> None:
        wanted = event.breaker
        for key in [key for key in self.tripped if wanted in (None, key[0])]:
            del self.tripped[key]
            self.rearmed[key] = event
            if key[1] is not None and key[1] in self._positions:
                self._accepted[key] = self._positions[key[1]].lots
        if wanted in (None, BreakerName.CONSECUTIVE_REFUSALS):
            self._refusals = 0
        if wanted in (None, BreakerName.REJECT_RATE):
            self._messages.clear()
        if wanted in (None, BreakerName.SLIPPAGE_BREACH):
            self.slippage.clear(event.time_ns)
        self._conduct = None
