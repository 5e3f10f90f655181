"""What widgets and renderers may know of a desk, a plan and an execution."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.domain.orders import ParentOrder, ParentStatus, Strategy

if TYPE_CHECKING:
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

    def plot(self) -> "go.Figure":
        """Slices with jitter windows and stage prices on the mid."""
        ...


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
    def speed(self) -> float:
        """Seconds of market time in one second of the host."""
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

    async def rearm(self, reason: str) -> None:
        """Allow orders again."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the desk's loop, from any thread; the desk holds the task and reports its failure."""
        ...

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the desk's loop after something changed, coalesced; gives the way to stop it."""
        ...
