"""The state of the way to the broker, from what the wire tells and what it fails to tell."""

from hydra_nb.domain.market import ConnectionState

LOST_SERVERS = 1100
RESTORED_DATA_LOST = 1101
RESTORED = 1102
NO_SERVERS = 2110
FARM_BROKEN = 2103
FARM_OK = 2104
FARM_IDLE = 2108
FARMS_BACK = frozenset({FARM_OK, 2106, 2158})
"""Quotes, history and definitions are there again: of a gateway without servers none is."""


class Link:
    """Up only while the socket is open, the gateway has its servers, and it answers.

    Every method tells whether the state changed.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._has_servers = True
        self._answers = True
        self._began_without = False

    @property
    def state(self) -> ConnectionState:
        """State as a whole."""
        if not self._is_open:
            return ConnectionState.DOWN
        return ConnectionState.UP if self._has_servers and self._answers else ConnectionState.DEGRADED

    def opened(self) -> bool:
        """The socket is open, the account one we may use, and all is subscribed; what was told meanwhile holds."""
        return self._change(is_open=True)

    def closed(self) -> bool:
        """The socket is gone, and what was told on it says nothing about the next."""
        self._began_without = False
        return self._change(is_open=False, has_servers=True, answers=True)

    def servers(self, *, present: bool) -> bool:
        """The gateway lost its servers, or has them again."""
        self._began_without = False
        return self._change(has_servers=present)

    def begins_without_servers(self) -> bool:
        """It is itself not connected yet, and says so to whoever signs on: 2110, of which no 1102 need be the end."""
        self._began_without = self._began_without or self._has_servers
        return self._change(has_servers=False)

    def is_restored_by(self, code: int) -> bool:
        """Whether a notice tells that the servers are there again: those of farms only where no loss was told."""
        return code in (RESTORED, RESTORED_DATA_LOST) or (self._began_without and code in FARMS_BACK)

    def answers(self, *, heard: bool) -> bool:
        """A time request was answered, or not."""
        return self._change(answers=heard)

    def _change(
        self, *, is_open: bool | None = None, has_servers: bool | None = None, answers: bool | None = None
    ) -> bool:
        before = self.state
        self._is_open = self._is_open if is_open is None else is_open
        self._has_servers = self._has_servers if has_servers is None else has_servers
        self._answers = self._answers if answers is None else answers
        return self.state is not before


class Farms:
    """The gateway's ways to its sources of quotes.

    Messages: IB API, "Message Codes", 2103 "Market data farm connection is broken:NAME", 2104 "... is OK:NAME", 2108
    "... is inactive but should be available upon demand.NAME"; a name may hold a dot.
    """

    def __init__(self) -> None:
        self._broken: set[str] = set()

    @property
    def are_broken(self) -> bool:
        """Whether one is told to be broken, so that a quote may come from the gateway's memory."""
        return bool(self._broken)

    def heard(self, code: int, message: str) -> None:
        """Take in a notice; those about something else change nothing."""
        name = message.rpartition(":" if ":" in message else "demand.")[2].strip()
        if code == FARM_BROKEN:
            self._broken.add(name)
        elif code in (FARM_OK, FARM_IDLE):
            self._broken.discard(name)

    def forget(self) -> None:
        """The connection is gone, and the next will tell anew."""
        self._broken.clear()
