"""What the frames need to know, folded from a journal once and carried on as it grows."""

from hydra_nb.analysis.pauses import Pauses
from hydra_nb.analysis.trading import Trading
from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.journal import JournalReading
from hydra_nb.ledger import Ledger

_FOLDED = (
    ev.ParentSubmitted,
    ev.ParentBegan,
    ev.ParentRefused,
    ev.ParentFinished,
    ev.ParentPaused,
    ev.ParentResumed,
    ev.ParentInterrupted,
    ev.SliceDelayed,
    ev.SliceFinished,
    ev.ChildReserved,
    ev.ChildSent,
    ev.SendFailed,
    ev.CancelRequested,
    ev.AckTimedOut,
    ev.OrderStatusReported,
    ev.OpenOrderReported,
    ev.DeathProbed,
    ev.ExecutionReported,
    ev.CommissionReported,
    ev.PositionReported,
    ev.SliceDelayed,
    ev.ChildRefused,
    ev.ParentCancelAsked,
    ev.BrokerErrorReported,
    ev.TaskFailed,
    ev.Killed,
    ev.Rearmed,
    ev.ConnectionChanged,
    ev.ContractLocked,
    ev.LimitsOpened,
    ev.LimitsChanged,
    ev.BreakerTripped,
    ev.CalibrationChanged,
    ev.BasketSubmitted,
)

_TOLD = (
    ev.ParentSubmitted,
    ev.ParentBegan,
    ev.ParentRefused,
    ev.ParentFinished,
    ev.ParentPaused,
    ev.ParentResumed,
    ev.ParentInterrupted,
    ev.ParentCancelAsked,
    ev.SliceDelayed,
    ev.SliceFinished,
    ev.ChildReserved,
    ev.ChildRefused,
    ev.SendFailed,
    ev.AckTimedOut,
    ev.ExecutionReported,
    ev.BrokerErrorReported,
    ev.TaskFailed,
)
_TOLD_OF_ALL = (
    ev.Killed,
    ev.Rearmed,
    ev.ConnectionChanged,
    ev.ContractLocked,
    ev.LimitsChanged,
    ev.BreakerTripped,
)


class History:
    """Fold of a journal for analysis; give it in place of the journal where frames are asked for again and again.

    Attributes
    ----------
    reader
        The journal, live or at rest.
    ledger
        Orders, parents and positions.
    trading
        Parents, slices and fills, for the frames that need nothing else; a fold of its own, see there.
    arrivals
        The quote at which each parent was accepted; of one that begins later, at its start once that has come.
    contracts
        Contracts of all parents, by id.
    stories
        Of each parent what a person would be told, in order.
    common_story
        Likewise, what concerns all parents: the link, kills, locks.
    link_since_ns
        Since when there is a link to the broker and from there to its servers, or since when that is lacking, in whole
        or in part; UTC nanoseconds, None before it was told of.
    revisions
        How many facts of each parent were folded: equal numbers mean that nothing of it has changed.
    """

    def __init__(self, reader: JournalReading) -> None:
        self.reader = reader
        self.ledger = Ledger()
        self.trading = Trading(reader)
        self.arrivals: dict[str, Quote | None] = {}
        self.contracts: dict[int, FutureContract] = {}
        self.stories: dict[str, list[ev.Event]] = {}
        self.common_story: list[ev.Event] = []
        self.link_since_ns: int | None = None
        self.revisions: dict[str, int] = {}
        self._is_linked = True
        self._pauses = Pauses()
        self._parents: dict[str, str] = {}  # of own orders, by execution family
        self._last_seq = 0

    def catch_up(self) -> None:
        """Fold what was journalled since the last time."""
        for seq, event in self.reader.events(kinds=_FOLDED, after=self._last_seq):
            self.ledger.apply(event)
            self._note(event)
            self._tell(event)
            self._last_seq = seq

    def paused_before(self, parent_id: str, time_ns: int) -> int:
        """Nanoseconds by which pauses moved what was planned for `time_ns`."""
        return self._pauses.moved_ns(parent_id, time_ns)

    def standing_since_ns(self, parent_id: str) -> int | None:
        """Since when a pause or an interruption holds a parent, UTC nanoseconds; None where none does."""
        return self._pauses.standing_since_ns(parent_id)

    def _tell(self, event: ev.Event) -> None:
        """Keep what a person would be told of a parent, and count its facts."""
        if isinstance(event, _TOLD_OF_ALL):
            self.common_story.append(event)
            if isinstance(event, ev.ConnectionChanged):
                self._note_link(event)
            return
        parent_id = getattr(event, "parent_id", None)
        if isinstance(event, ev.ChildReserved):
            parent_id = event.child.parent_id
        elif isinstance(event, ev.CommissionReported):
            parent_id = self._parents.get(event.exec_id.rpartition(".")[0])
        elif parent_id is None:
            order = self.ledger.orders.get(getattr(event, "order_ref", None) or "")
            parent_id = None if order is None else order.child.parent_id
        if parent_id is None:
            return
        self.revisions[parent_id] = self.revisions.get(parent_id, 0) + 1
        if isinstance(event, _TOLD):
            self.stories.setdefault(parent_id, []).append(event)

    def _note_link(self, event: ev.ConnectionChanged) -> None:
        is_up = event.state is ConnectionState.UP
        if is_up or self._is_linked:  # a link that is lost in part and then as a whole was lost with the first
            self.link_since_ns = event.time_ns
        self._is_linked = is_up

    def _note(self, event: ev.Event) -> None:
        match event:
            case ev.ParentSubmitted():
                self.arrivals[event.parent_id] = event.quote
                contract = event.plan.parent.contract
                self.contracts[contract.con_id] = contract
            case ev.ParentBegan():
                self.arrivals[event.parent_id] = event.quote
            case ev.ParentPaused():
                self._pauses.begin(event.parent_id, event.time_ns)
            case ev.ParentInterrupted():
                self._pauses.begin(event.parent_id, event.since_ns)
            case ev.ParentFinished():
                self._pauses.finish(event.parent_id)
            case ev.ParentResumed():
                known = self.ledger.parents.get(event.parent_id)
                begins_ns = 0 if known is None else known.begins_ns
                self._pauses.resume(event.parent_id, event.time_ns, begins_ns=begins_ns)
            case ev.ExecutionReported() if event.order_ref in self.ledger.orders:
                self._parents.setdefault(event.family, self.ledger.orders[event.order_ref].child.parent_id)
