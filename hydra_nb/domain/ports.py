"""What widgets and renderers may know of a desk, a plan and an execution."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from hydra_nb.domain.board import Board
from hydra_nb.domain.events import AlertRaised, Event
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, MarketStatistics, Quote
from hydra_nb.domain.orders import OrderState, ParentOrder, ParentStatus, Stage, Strategy
from hydra_nb.domain.rehearsal_ports import RehearsalPort

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd
    import plotly.graph_objects as go


class PlanPort(Protocol):
    """A previewed plan: frames as in the contract, nothing sent."""

    @property
    def plan_id(self) -> str:
        """Hash of the plan's content."""
        ...

    @property
    def parent(self) -> ParentOrder:
        """What would be done."""
        ...

    @property
    def strategy(self) -> Strategy:
        """The strategy that was chosen."""
        ...

    @property
    def participation(self) -> float:
        """Lots over average daily volume."""
        ...

    @property
    def passes(self) -> bool:
        """Whether every check of the dry run allows the order."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know beside the frames, for instance that the cap stops short of the touch."""
        ...

    @property
    def quotes(self) -> "pd.DataFrame":
        """Quotes until the preview."""
        ...

    @property
    def schedule(self) -> "pd.DataFrame":
        """One row a slice."""
        ...

    @property
    def risk(self) -> "pd.DataFrame":
        """One row a check."""
        ...

    @property
    def would_pass(self) -> "pd.DataFrame":
        """One row: lots, price, time."""
        ...

    @property
    def expected_cost(self) -> "pd.DataFrame":
        """One row: the predicted slippage with its evidence."""
        ...

    @property
    def valid_until(self) -> "pd.Timestamp":
        """When the plan becomes too old to be submitted."""
        ...

    async def rehearse(
        self,
        n: int = 1000,
        *,
        executor: "Executor | None" = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> RehearsalPort:
        """Run this very plan over `n` simulated markets; nothing is sent."""
        ...

    def plot(self) -> "go.Figure":
        """Slices with jitter windows and stage prices on the mid."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """A child order that may still fill, as a screen shows it; `lots` are those that can fill in the worst case."""

    slice: int
    stage: Stage
    lots: int
    limit_price: Decimal
    expires_ns: int
    state: OrderState


class ExecutionPort(Protocol):
    """A submitted parent order as it runs."""

    @property
    def parent_id(self) -> str:
        """Id of the parent order."""
        ...

    @property
    def parent(self) -> ParentOrder:
        """What is being done."""
        ...

    @property
    def status(self) -> ParentStatus:
        """State of the parent."""
        ...

    @property
    def reason(self) -> str:
        """Why it is in that state, in words."""
        ...

    @property
    def filled_lots(self) -> int:
        """Lots booked."""
        ...

    @property
    def working_lots(self) -> int:
        """Worst-case lots in the market."""
        ...

    @property
    def due_lots(self) -> int:
        """Lots of the slices whose ladder has ended."""
        ...

    @property
    def shortfall_lots(self) -> int:
        """Lots that will not be filled any more."""
        ...

    @property
    def arrival_mid(self) -> float:
        """Mid when the parent was accepted; NaN where unknown."""
        ...

    @property
    def average_price(self) -> float:
        """Average price of the fills; NaN before the first."""
        ...

    @property
    def slippage_ticks(self) -> float:
        """Ticks a lot against arrival; positive is a cost."""
        ...

    @property
    def slippage_cash(self) -> float:
        """Cash against arrival; positive is a cost."""
        ...

    @property
    def messages_used(self) -> int:
        """Order messages sent."""
        ...

    @property
    def messages_budget(self) -> int:
        """Order messages that the plan allows."""
        ...

    @property
    def slices(self) -> "pd.DataFrame":
        """One row a slice."""
        ...

    @property
    def fills(self) -> "pd.DataFrame":
        """One row a fill."""
        ...

    @property
    def decisions(self) -> "pd.DataFrame":
        """One row a check."""
        ...

    @property
    def quotes(self) -> "pd.DataFrame":
        """Quotes of its contract from shortly before it was submitted until it ended, or now."""
        ...

    @property
    def submitted_ns(self) -> int:
        """When it was handed over, UTC nanoseconds."""
        ...

    @property
    def begins_ns(self) -> int:
        """When it began, or is to begin, but for pauses, UTC nanoseconds."""
        ...

    @property
    def finished_ns(self) -> int | None:
        """When it was over; None while it runs."""
        ...

    @property
    def standing_since_ns(self) -> int | None:
        """Since when a pause or an interruption holds it; None where none does."""
        ...

    @property
    def connection(self) -> ConnectionState:
        """State of the way to the broker, and from there on to its servers."""
        ...

    @property
    def unlinked_since_ns(self) -> int | None:
        """Since when that way is not up, in whole or in part; None while it is."""
        ...

    @property
    def quote_age_allowed_s(self) -> float:
        """Age of a quote beyond which nothing new is sent, seconds."""
        ...

    @property
    def revision(self) -> int:
        """Grows with every fact of this parent, and of what concerns all: equal numbers mean nothing has changed."""
        ...

    @property
    def story(self) -> Sequence[Event]:
        """What a person would be told of it, in order: decisions, fills, refusals, faults."""
        ...

    @property
    def slice_lots(self) -> Mapping[int, int]:
        """Lots that each slice at work, or to come, has to do, carried ones among them, by its number."""
        ...

    @property
    def resting(self) -> Sequence[RestingOrder]:
        """Its orders that may still fill."""
        ...

    def ticket_for_the_rest(self) -> Any:
        """Open a ticket for the lots that were not filled; nothing is previewed or sent."""
        ...

    def plot(self) -> "go.Figure":
        """Fills on the quotes, and lots filled against the schedule."""
        ...

    def view(self) -> Any:
        """Give the live view: a widget; a new one closes the old."""
        ...

    async def cancel(self) -> None:
        """Cancel what works and stop; returns when its orders are proven dead."""
        ...

    async def pause(self) -> None:
        """Cancel what rests and hold the schedule."""
        ...

    async def resume(self) -> None:
        """Go on after a pause or an interruption."""
        ...


class DeskPort(Protocol):
    """The desk as a widget sees it."""

    @property
    def badge(self) -> str:
        """``SIM``, ``PAPER`` or ``LIVE``."""
        ...

    @property
    def masked_account(self) -> str:
        """The account, masked."""
        ...

    @property
    def killed(self) -> str | None:
        """Reason of the kill in force; None while orders are allowed."""
        ...

    @property
    def killed_ns(self) -> int | None:
        """When the kill in force came; None while orders are allowed."""
        ...

    @property
    def kill_progress(self) -> tuple[int, int] | None:
        """Own orders confirmed cancelled since the kill, of how many; None while orders are allowed."""
        ...

    @property
    def kill_address(self) -> str | None:
        """Loopback address, with its token, that halts while a cell blocks; None where the page cannot reach it."""
        ...

    @property
    def kill_command(self) -> str:
        """What a person types in a terminal to halt."""
        ...

    @property
    def turn_to_draw(self) -> AbstractAsyncContextManager[object]:
        """Held by the view that draws, so that the loop serves others between two pictures."""
        ...

    @property
    def status(self) -> dict[str, object]:
        """State of connection, data, reconciliation, breakers, journal, and the loop's lag."""
        ...

    @property
    def alerts_raised(self) -> Sequence[AlertRaised]:
        """Alerts that stand now, the newest of the worst first."""
        ...

    @property
    def speed(self) -> float:
        """Seconds of market time in one second of the host."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether the way to the broker is up, and from there on to its servers."""
        ...

    def confirms_account(self, last_four: str) -> bool:
        """Whether these are the last four characters of the account."""
        ...

    def now_ns(self) -> int:
        """Market time."""
        ...

    def latest_quote(self, contract: FutureContract) -> Quote | None:
        """The last quote of a contract that is watched."""
        ...

    async def instrument(self, what: str) -> FutureContract:
        """Find a contract by symbol or local symbol, and watch it."""
        ...

    def known_instruments(self) -> tuple[str, ...]:
        """Names to choose from, code first: ``"ZO  Oats, CBOT"``."""
        ...

    def position_lots(self, contract: FutureContract) -> int | None:
        """The position now, signed; None where it is not known."""
        ...

    def adv_lots(self, contract: FutureContract) -> float | None:
        """The average daily volume; None before `statistics`, or where it is not known."""
        ...

    async def statistics(self, contract: FutureContract) -> MarketStatistics:
        """Ask for volume and volatility."""
        ...

    def board(self) -> Board:
        """What the desk tells a screen of itself now."""
        ...

    def execution(self, parent_id: str) -> ExecutionPort:
        """Give the execution of a parent order."""
        ...

    def ticket(self, symbol: str) -> Any:
        """Give an order ticket of a symbol; a new one closes the old of the same text."""
        ...

    async def reconcile(self) -> "pd.DataFrame":
        """Compare our ledger with the broker's account; empty is good."""
        ...

    async def preview(self, side: str, lots: int, instrument: Any, **how: Any) -> PlanPort:
        """Draw the plan; nothing is sent."""
        ...

    async def submit(self, plan: Any) -> ExecutionPort:
        """Send the plan; the same one twice sends one order."""
        ...

    async def resume(self, parent_id: str) -> ExecutionPort:
        """Go on with an interrupted parent."""
        ...

    async def kill(self, reason: str) -> None:
        """Halt all and cancel all own orders."""
        ...

    async def rearm(self, reason: str, *, breaker: str | None = None) -> None:
        """Allow orders again: all, or those that one tripped breaker holds back."""
        ...

    async def cancel_everything(self, confirmation: str) -> None:
        """Have the broker cancel all orders, also those of others; refused unless the confirmation is ``ALL``."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the desk's loop, from any thread; the desk holds the task and reports its failure."""
        ...

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the desk's loop after something changed, coalesced; gives the way to stop it."""
        ...
