"""Where a rehearsal takes down what happens: in memory, for as long as one path lasts."""

from collections.abc import Callable, Sequence

from hydra_nb.domain.events import DecisionsSeal, Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.errors import SendRefused
from hydra_nb.journal import Receipt
from hydra_nb.risk.verdict import Decision

DecisionsHeard = Callable[[int, str, int | None, Action, Sequence[Decision]], None]
"""Called with market time, parent, slice, action, and the gate's decisions."""


class Record:
    """A `JournalPort` without a disk.

    No real journal knows a receipt of it, and no real gate an approval that is redeemed with it: nothing that a
    rehearsal holds can send an order.

    Attributes
    ----------
    events
        What happened, in order; quotes are not among it.
    on_decisions
        Hears every group of decisions; None where nobody counts them.
    """

    healthy = True

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.on_decisions: DecisionsHeard | None = None
        self._decisions = 0
        self._receipts: dict[int, tuple[Receipt, str]] = {}

    def append(self, event: Event) -> int:
        """Keep an event, and give its number."""
        self.events.append(event)
        return len(self.events)

    def append_decisions(
        self,
        decisions: Sequence[Decision],
        *,
        time_ns: int,
        parent_id: str,
        slice: int | None,  # noqa: A002, the word of the desk
        action: Action,
    ) -> DecisionsSeal:
        """Number decisions; no chain guards them, as nobody audits a rehearsal."""
        first = self._decisions + 1
        self._decisions += len(decisions)
        if self.on_decisions is not None:
            self.on_decisions(time_ns, parent_id, slice, action, decisions)
        return DecisionsSeal(first=first, last=self._decisions, digest="")

    def append_quote(self, quote: Quote, local_symbol: str) -> None:
        """Quotes are made by the market of the path itself."""

    async def commit(self) -> None:
        """Nothing waits for a disk."""

    async def seal(self, seq: int, content_hash: str) -> Receipt:
        """Give a receipt, good once in this record."""
        receipt = Receipt(seq, content_hash)
        self._receipts[id(receipt)] = receipt, content_hash
        return receipt

    def redeem(self, receipt: Receipt, content_hash: str) -> None:
        """Use up a receipt, as a journal does; `SendRefused` where it is not this record's, or for other content."""
        kept, recorded = self._receipts.pop(id(receipt), (None, ""))
        if kept is not receipt or recorded != content_hash:
            raise SendRefused("this receipt is not the record's, or is for another content")

    def pending_kill(self) -> str | None:
        """Nobody kills a rehearsal from another process."""
        return None

    def settle_kill(self) -> None:
        """Nothing to settle."""
