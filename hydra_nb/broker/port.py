"""What the rest of the house may ask of the broker."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.broker.emergency import HeardStatus
from hydra_nb.broker.halt import HaltFlag
from hydra_nb.domain.events import DeathProbed, Event, OpenOrderReported, PositionReported
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import AccountState, ConnectionState, Glance, MarketStatistics, Quote
from hydra_nb.domain.orders import ChildOrder, MarginQuestion
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.risk.verdict import Approved

if TYPE_CHECKING:
    from hydra_nb.journal import Journal, Receipt


class OrderPort(Protocol):
    """What the way of an order asks of a broker: the account's figures, quotes, and the door for orders."""

    @property
    def account(self) -> str:
        """The account traded on; empty before it is known."""
        ...

    @property
    def client_id(self) -> int:
        """Id of this connection at the gateway."""
        ...

    @property
    def state(self) -> ConnectionState:
        """State of the way to the broker."""
        ...

    def reserve_order_id(self) -> int:
        """An id for a new order, never given twice."""
        ...

    def place(self, approved: Approved, receipt: "Receipt") -> None:
        """Send a place or a modify; what is raised was not sent."""
        ...

    def cancel(self, child: ChildOrder) -> None:
        """Send a cancel; never blocked by anything but a lost connection."""
        ...

    def quote(self, con_id: int) -> Quote | None:
        """The quote as of the last tick; None before the first."""
        ...

    def account_state(self) -> AccountState:
        """Account values as last told."""
        ...

    def position(self, con_id: int) -> int | None:
        """Signed lots; None until the broker has told its positions."""
        ...

    def positions(self) -> tuple[PositionReported, ...] | None:
        """Positions that are not flat; None until the broker has told them."""
        ...

    async def what_if(self, question: MarginQuestion) -> MarginTold | None:
        """Ask what an order would change in the account's initial margin; nothing is placed."""
        ...

    async def probe_death(self, child: ChildOrder) -> DeathProbed:
        """Ask for open orders, then for executions, and tell what they say of one order."""
        ...

    def clock_skew_s(self) -> float | None:
        """Seconds by which our clock is provably off the broker's; None before the first answer."""
        ...

    def messages_last_second(self) -> int:
        """Frames sent within the last second of host time."""
        ...


class BrokerPort(OrderPort, Protocol):
    """One connection to one account; `BrokerGateway` is the only one there is."""

    @property
    def is_live(self) -> bool:
        """Whether the account trades real money."""
        ...

    @property
    def is_paper(self) -> bool:
        """Whether the account trades on paper."""
        ...

    @property
    def is_simulated(self) -> bool:
        """Whether the account is one of the simulated gateway."""
        ...

    @property
    def server_version(self) -> int | None:
        """Version of the protocol that the gateway agreed to; None while there is no connection."""
        ...

    async def start(
        self,
        *,
        journal: "Journal",
        sink: Callable[[Event], None],
        quote_sink: Callable[[Quote, FutureContract], None],
        next_order_id: int,
    ) -> None:
        """Begin to hand events on, and wait until account values and positions are known."""
        ...

    @property
    def halt(self) -> HaltFlag:
        """Holds back places and modifies while it is set, from whatever thread."""
        ...

    def cancel_everything(self) -> None:
        """Have the broker cancel all open orders of all clients."""
        ...

    @property
    def unread(self) -> int:
        """Messages of the gateway that could not be read, so far: nobody knows what they told."""
        ...

    def cut(self) -> None:
        """Shut the socket, from any thread."""
        ...

    def connect_soon(self) -> None:
        """Connect again now, not at the next beat."""
        ...

    def hear(self, heard: HeardStatus) -> None:
        """Take in what the wire said of an order on another socket of this client id."""
        ...

    async def contracts(self, symbol: str) -> tuple[FutureContract, ...]:
        """All listed months of a symbol, nearest first."""
        ...

    async def contract(self, key: object) -> FutureContract:
        """One listed month, by contract id, local symbol, or an ib_async contract."""
        ...

    def watch(self, contract: FutureContract) -> None:
        """Keep a live quote of a contract."""
        ...

    def keep_fresh(self, traded: Callable[[], Iterable[FutureContract]]) -> None:
        """Ask anew for quiet quotes of the contracts that `traded` gives, until `close`."""
        ...

    async def glance(self, contract: FutureContract, *, wait_s: float) -> Glance:
        """Look at a contract for some market seconds at most; it is not watched for that."""
        ...

    async def statistics(self, contract: FutureContract) -> MarketStatistics:
        """Average daily volume and daily volatility."""
        ...

    async def open_orders(self) -> tuple[OpenOrderReported, ...]:
        """Open orders of all clients, as the broker tells them now."""
        ...

    async def completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        """Orders of all clients that the broker calls over; None where it does not answer."""
        ...

    async def refresh_positions(self) -> None:
        """Have the broker tell all its positions anew, where it does."""
        ...

    async def fetch_executions(self) -> None:
        """Hand on executions that were not heard of before."""
        ...

    async def server_time_ns(self) -> int:
        """The broker's time, asked for now, UTC nanoseconds, within half a second."""
        ...

    def clock_bounds_s(self) -> tuple[float, float] | None:
        """Seconds by which the broker's clock is ahead of ours, at least and at most; None before the first answer."""
        ...

    def on_time_told(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each time that the broker told its time."""
        ...

    async def close(self) -> None:
        """End the connection and everything that runs for it."""
        ...
