"""What the way of an order asks of the keeper of facts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from hydra_nb.domain.events import DecisionsSeal, Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.risk.verdict import Decision

if TYPE_CHECKING:
    from hydra_nb.journal.journal import Receipt


class JournalPort(Protocol):
    """Where facts are taken down in order, and intents sealed; a `Journal` says what each method promises."""

    @property
    def healthy(self) -> bool:
        """False from a write that failed until one succeeds."""
        ...

    def append(self, event: Event) -> int:
        """Take down an event; gives its sequence number."""
        ...

    def append_decisions(
        self,
        decisions: Sequence[Decision],
        *,
        time_ns: int,
        parent_id: str,
        slice: int | None,  # noqa: A002, the word of the desk
        action: Action,
    ) -> DecisionsSeal:
        """Take down the gate's decisions; what it gives belongs into the event that follows from them."""
        ...

    def append_quote(self, quote: Quote, local_symbol: str) -> None:
        """Take down a quote."""
        ...

    async def commit(self) -> None:
        """Make everything appended so far durable."""
        ...

    async def seal(self, seq: int, content_hash: str) -> "Receipt":
        """Make a reservation durable and give its receipt."""
        ...

    def pending_kill(self) -> str | None:
        """Reason of a kill that another process asked for; None where none did."""
        ...

    def settle_kill(self) -> None:
        """Take that kill for carried out."""
        ...
