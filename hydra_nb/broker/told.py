"""What the broker has told so far of account, market and connection: answers without a question on the wire."""

from collections.abc import Callable

from hydra_nb.broker import access
from hydra_nb.broker.emergency import HeardStatus
from hydra_nb.broker.halt import HaltFlag
from hydra_nb.broker.inbox import Inbox
from hydra_nb.domain.events import PositionReported
from hydra_nb.domain.market import AccountState, ConnectionState, Quote


class Told:
    """What the inbox knows, in the words of `BrokerPort`; the part of `BrokerGateway` that sends nothing.

    Attributes
    ----------
    halt
        Holds back places and modifies while it is set, from whatever thread.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.halt = HaltFlag()
        self._inbox = inbox

    @property
    def account(self) -> str:
        """The account traded on; empty before `open`."""
        return self._inbox.account

    @property
    def state(self) -> ConnectionState:
        """State of the way to the broker; up once `start` is through."""
        return self._inbox.link.state

    @property
    def is_simulated(self) -> bool:
        """Whether the account is one of the simulated gateway."""
        return access.is_simulated(self.account)

    @property
    def is_paper(self) -> bool:
        """Whether the account trades on paper."""
        return access.is_paper(self.account)

    @property
    def is_live(self) -> bool:
        """Whether the account trades real money."""
        return bool(self.account) and access.is_live(self.account)

    @property
    def unread(self) -> int:
        """Messages of the gateway that could not be read, so far: nobody knows what they told."""
        return self._inbox.unread

    def hear(self, heard: HeardStatus) -> None:
        """Take in what the wire said of an order on another socket of this client id."""
        self._inbox.heard_elsewhere(heard)

    def quote(self, con_id: int) -> Quote | None:
        """The quote as of the last tick; None before the first."""
        return self._inbox.board.quote(con_id)

    def clock_bounds_s(self) -> tuple[float, float] | None:
        """Seconds by which the broker's clock is ahead of ours, at least and at most; None before the first answer."""
        return self._inbox.times.meter.bounds_s()

    def on_time_told(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each time that the broker told its time."""
        self._inbox.times.on_told = listener

    def account_state(self) -> AccountState:
        """Account values as last told, None where not told."""
        return self._inbox.holdings.account_state()

    def position(self, con_id: int) -> int | None:
        """Signed lots; None until the broker has told its positions."""
        return self._inbox.holdings.position(con_id)

    def positions(self) -> tuple[PositionReported, ...] | None:
        """Positions that are not flat, by contract id; None until the broker has told them."""
        return self._inbox.holdings.positions()
