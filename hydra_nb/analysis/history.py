"""What the frames need to know, folded from a journal once and carried on as it grows."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.journal import JournalReading
from hydra_nb.ledger import Ledger

_FOLDED = (
    ev.ParentSubmitted,
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
)

_TOLD = (
    ev.ParentSubmitted,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution family of an own order.

    `first` is the report that came first, with what the market showed then; `latest` the highest revision. `terms` is
    the place or modify in force when `first` came, `sent_ns` when the order was placed.
    """

    first: ev.ExecutionReported
    latest: ev.ExecutionReported
    terms: ev.ChildReserved
    sent_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """The report of commission for the highest revision of an execution family."""

    revision: int
    report: ev.CommissionReported


class History:
    """Fold of a journal for analysis; give it in place of the journal where frames are asked for again and again.

    Attributes
    ----------
    reader
        The journal, live or at rest.
    ledger
        Orders, parents and positions.
    fills
        Execution families of own orders, by family, in the order in which they were first reported; busts among them.
    fees
        Commissions by execution family.
    arrivals
        The quote at which each parent was accepted.
    pauses
        Pauses of each parent that are over: from and until, UTC nanoseconds.
    limits
        Limit price last gated, by parent, slice and stage.
    contracts
        Contracts of all parents, by id.
    stories
        Of each parent what a person would be told, in order.
    common_story
        Likewise, what concerns all parents: the link, kills, locks.
    revisions
        How many facts of each parent were folded: equal numbers mean that nothing of it has changed.
    """

    def __init__(self, reader: JournalReading) -> None:
        self.reader = reader
        self.ledger = Ledger()
        self.fills: dict[str, Fill] = {}
        self.fees: dict[str, Fee] = {}
        self.arrivals: dict[str, Quote | None] = {}
        self.pauses: dict[str, list[tuple[int, int]]] = {}
        self.limits: dict[tuple[str, int, Stage], Decimal] = {}
        self.contracts: dict[int, FutureContract] = {}
        self.stories: dict[str, list[ev.Event]] = {}
        self.common_story: list[ev.Event] = []
        self.revisions: dict[str, int] = {}
        self._families: dict[str, list[str]] = {}  # of each parent
        self._last_seq = 0
        self._paused_ns: dict[str, int] = {}
        self._reserved: dict[str, ev.ChildReserved] = {}  # gated, not known to be sent
        self._in_force: dict[str, ev.ChildReserved] = {}  # gated and sent

    def catch_up(self) -> None:
        """Fold what was journalled since the last time."""
        for seq, event in self.reader.events(kinds=_FOLDED, after=self._last_seq):
            self.ledger.apply(event)
            self._note(event)
            self._tell(event)
            self._last_seq = seq

    def fills_of(self, parent_id: str) -> list[Fill]:
        """Execution families of one parent, busts among them."""
        return [self.fills[family] for family in self._families.get(parent_id, ())]

    def paused_before(self, parent_id: str, time_ns: int) -> int:
        """Nanoseconds by which pauses moved what was planned for `time_ns`."""
        moved_ns = 0
        for paused_ns, resumed_ns in self.pauses.get(parent_id, ()):
            if time_ns + moved_ns >= paused_ns:
                moved_ns += resumed_ns - paused_ns
        return moved_ns

    def standing_since_ns(self, parent_id: str) -> int | None:
        """Since when a pause or an interruption holds a parent, UTC nanoseconds; None where none does."""
        return self._paused_ns.get(parent_id)

    def _tell(self, event: ev.Event) -> None:
        """Keep what a person would be told of a parent, and count its facts."""
        if isinstance(event, _TOLD_OF_ALL):
            self.common_story.append(event)
            return
        parent_id = getattr(event, "parent_id", None)
        if isinstance(event, ev.ChildReserved):
            parent_id = event.child.parent_id
        elif isinstance(event, ev.CommissionReported):
            fill = self.fills.get(event.exec_id.rpartition(".")[0])
            parent_id = None if fill is None else fill.terms.child.parent_id
        elif parent_id is None:
            order = self.ledger.orders.get(getattr(event, "order_ref", None) or "")
            parent_id = None if order is None else order.child.parent_id
        if parent_id is None:
            return
        self.revisions[parent_id] = self.revisions.get(parent_id, 0) + 1
        if isinstance(event, _TOLD):
            self.stories.setdefault(parent_id, []).append(event)

    def _note(self, event: ev.Event) -> None:
        match event:
            case ev.ParentSubmitted():
                self.arrivals[event.parent_id] = event.quote
                contract = event.plan.parent.contract
                self.contracts[contract.con_id] = contract
            case ev.ParentPaused():
                self._paused_ns.setdefault(event.parent_id, event.time_ns)
            case ev.ParentInterrupted():
                self._paused_ns.setdefault(event.parent_id, event.since_ns)
            case ev.ParentFinished():
                self._paused_ns.pop(event.parent_id, None)
            case ev.ParentResumed():
                paused_ns = self._paused_ns.pop(event.parent_id, event.time_ns)
                self.pauses.setdefault(event.parent_id, []).append((paused_ns, event.time_ns))
            case ev.ChildReserved(child=child):
                self._reserved[child.order_ref] = event
                self.limits[child.parent_id, child.slice, child.stage] = child.limit_price
            case ev.ChildSent() if event.order_ref in self._reserved:
                self._in_force[event.order_ref] = self._reserved.pop(event.order_ref)
            case ev.SendFailed():
                self._reserved.pop(event.order_ref, None)
            case ev.ExecutionReported() if event.order_ref in self.ledger.orders:
                self._note_execution(event)
            case ev.CommissionReported():
                self._note_commission(event)

    def _note_execution(self, event: ev.ExecutionReported) -> None:
        known = self.fills.get(event.family)
        if known is None:
            # Where a crash came between the sending and its note, the reservation is all that is known of the terms.
            terms = self._in_force.get(event.order_ref) or self._reserved.get(event.order_ref)
            if terms is not None:
                sent_ns = self.ledger.orders[event.order_ref].sent_ns
                self.fills[event.family] = Fill(first=event, latest=event, terms=terms, sent_ns=sent_ns)
                self._families.setdefault(terms.child.parent_id, []).append(event.family)
        elif event.revision > known.latest.revision:
            self.fills[event.family] = Fill(first=known.first, latest=event, terms=known.terms, sent_ns=known.sent_ns)

    def _note_commission(self, event: ev.CommissionReported) -> None:
        family, _, last = event.exec_id.rpartition(".")
        revision = int(last) if last.isdigit() else 0
        known = self.fees.get(family)
        if known is None or revision >= known.revision:
            self.fees[family] = Fee(revision=revision, report=event)
