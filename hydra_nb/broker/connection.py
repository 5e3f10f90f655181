"""Opening the one connection, subscribing to what is needed, keeping it, and closing it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from hydra_nb.broker.access import choose_account
from hydra_nb.broker.asking import Requests
from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.keeper import HeldTasks, Keeper
from hydra_nb.broker.pacing import Pace
from hydra_nb.broker.skew import TimeReply
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import CLOSED_BY_US
from hydra_nb.errors import BrokerError, ClientIdInUse, GatewayUnreachable, NoReply

TIME_REPLY_S = 5.0
"""Host seconds that the broker may take to tell its time."""

POSITIONS_REPLY_S = 5.0
"""Host seconds after which a look at the positions is done with what the broker tells by itself."""

_HANG_UP_S = 2.0
_REMEDY = (
    "start IB Gateway or TWS with its API enabled, allow this address there, and check the port"
    " (4002 and 7497 paper, 4001 and 7496 live)"
)


class ConnectionWire(Protocol):
    """The socket and the subscriptions."""

    @property
    def is_open(self) -> bool:
        """Whether the handshake is through and the socket open."""
        ...

    @property
    def has_socket(self) -> bool:
        """Whether there is a socket at all."""
        ...

    @property
    def has_talked(self) -> bool:
        """Whether a byte was sent on the latest socket."""
        ...

    def on_closed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back once the socket is closed; gives what takes that back."""
        ...

    async def connect(self, host: str, port: int, *, client_id: int, timeout_s: float) -> None:
        """Open a socket and shake hands."""
        ...

    def drop(self) -> None:
        """Close the socket and fail all requests under way."""
        ...

    def accounts(self) -> list[str]:
        """Accounts that the gateway listed."""
        ...

    def next_id(self) -> int:
        """A fresh id."""
        ...

    async def account_values(self, account: str) -> None:
        """Subscribe to account values; returns when all have been told."""
        ...

    async def positions(self) -> None:
        """Subscribe to positions; returns when all have been told."""
        ...

    def send_time_request(self) -> None:
        """Ask for the time."""
        ...

    def send_market_data_request(self, req_id: int, contract: FutureContract) -> None:
        """Ask for ticks."""
        ...


class Connection:
    """The way to the broker.

    Parameters
    ----------
    wire
        The socket.
    inbox
        Where its messages go.
    pace, requests
        Hold back what is sent.
    client_id
        Ours.
    """

    def __init__(self, wire: ConnectionWire, *, inbox: Inbox, pace: Pace, requests: Requests, client_id: int) -> None:
        self._wire = wire
        self._inbox = inbox
        self._pace = pace
        self._requests = requests
        self._client_id = client_id
        self._tasks = HeldTasks(inbox)
        self._time: TimeReply | None = None
        self._tells_again = True  # whether the broker answers where its positions are asked for once more
        self._open_again: Callable[[], Awaitable[str]] | None = None
        self._keeper: Keeper | None = None

    async def open(
        self,
        host: str,
        port: int,
        *,
        account: str | None,
        confirm_live: str | None,
        live_obstacle: str | None,
        timeout_s: float,
    ) -> str:
        """Connect, and look at the account list before anything else is asked; see `BrokerGateway.open`."""
        if self._wire.is_open:
            raise BrokerError(f"already connected, as client {self._client_id}; close that connection first")
        self._inbox.link.closed()  # what was told on a connection that came to nothing says nothing about this one
        await self._shake_hands(host, port, timeout_s)
        try:
            chosen = choose_account(
                self._wire.accounts(), account=account, confirm_live=confirm_live, live_obstacle=live_obstacle
            )
        except BrokerError:
            await self._hang_up()
            raise
        self._inbox.use_account(chosen)
        self._open_again = lambda: self.open(
            host,
            port,
            account=chosen,
            confirm_live=confirm_live,
            live_obstacle=live_obstacle,
            timeout_s=timeout_s,
        )
        return chosen

    async def _shake_hands(self, host: str, port: int, timeout_s: float) -> None:
        place = f"{host}:{port}"
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def fail(error: BrokerError) -> None:
            if not failed.done():
                failed.set_exception(error)

        # The client library notices neither of these before its time-out.
        self._inbox.on_client_id_in_use = lambda message: fail(
            ClientIdInUse(f"client id {self._client_id} is in use at {place} ({message}); take another")
        )
        forget = self._wire.on_closed(
            lambda: fail(GatewayUnreachable(f"{place} closed the connection during the handshake; {_REMEDY}"))
        )
        connecting = asyncio.ensure_future(
            self._wire.connect(host, port, client_id=self._client_id, timeout_s=timeout_s)
        )
        try:
            await asyncio.wait((connecting, failed), return_when=asyncio.FIRST_COMPLETED)
            await (connecting if connecting.done() else failed)
        except BrokerError:
            raise
        except TimeoutError as error:
            if self._wire.has_talked:
                raise NoReply(f"{place} did not answer the handshake within {timeout_s:g} s; {_REMEDY}") from error
            raise GatewayUnreachable(f"{place} could not be reached within {timeout_s:g} s; {_REMEDY}") from error
        except OSError as error:
            raise GatewayUnreachable(f"nobody listens at {place} ({error}); {_REMEDY}") from error
        finally:
            forget()
            self._inbox.on_client_id_in_use = None
            failed.cancel()
            connecting.cancel()
            await asyncio.gather(connecting, failed, return_exceptions=True)
            if not self._wire.is_open:
                await self._hang_up()

    async def begin(self) -> None:
        """Subscribe to all that is needed, and keep the connection from now on."""
        await self._subscribe_all()
        self._keeper = Keeper(
            self._inbox,
            is_connected=lambda: self._wire.is_open,
            ask_time=self.ask_time,
            hang_up=self._give_up,
            connect_again=self._connect_again,
        )
        self._tasks.start(self._keeper.run, where="keeper")

    def hurry(self) -> None:
        """Look after the connection now; without effect before `begin`."""
        if self._keeper is not None:
            self._keeper.hurry()

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Run what `work` gives until `close`; `where` names it in the event of its failure."""
        self._tasks.start(work, where=where)

    async def close(self) -> None:
        """End all that runs and close the socket; harmless when it is closed already."""
        try:
            await self._tasks.stop()
        finally:
            await self._give_up(CLOSED_BY_US)

    def watch(self, contract: FutureContract) -> None:
        """Keep a live quote of a contract, from now on and after every reconnection."""
        board = self._inbox.board
        board.watch(contract)
        if self._wire.is_open and not board.is_subscribed(contract.con_id):
            self._tasks.start(lambda: self._subscribe(contract), where="quotes")

    def data_lost(self) -> None:
        """The broker dropped all subscriptions: ask again."""
        self._inbox.board.unsubscribe_all()
        self._tasks.start(self._subscribe_anew, where="subscriptions")

    def ended(self) -> None:
        """The gateway closed the connection."""
        self._pace.forget()
        self._inbox.lost("the gateway closed the connection")

    async def ask_time(self) -> TimeReply:
        """The broker's time."""
        send = self._wire.send_time_request
        self._time = await self._requests.ask("time", lambda: self._inbox.times.ask(send), timeout_s=TIME_REPLY_S)
        return self._time

    async def refresh_positions(self) -> None:
        """Have all positions told anew; once a broker has not answered that in time, it is not asked again."""
        if not self._tells_again:
            return
        try:
            await self._requests.ask("positions", self._positions_told, timeout_s=POSITIONS_REPLY_S)
        except NoReply:  # what it tells by itself goes on to be heard
            self._tells_again = False

    async def _positions_told(self) -> None:
        self._inbox.holdings.asked_anew()
        await self._wire.positions()

    @property
    def clock_skew_s(self) -> float | None:
        """Seconds by which our clock is provably off the broker's; None before the first answer."""
        return None if self._time is None else self._time.skew_s

    async def _connect_again(self) -> None:
        if self._open_again is None:
            return
        try:
            await self._open_again()
            await self._subscribe_or_give_up()
        except KeyboardInterrupt:  # whoever begins anew must not take half a connection for a whole one
            self._wire.drop()
            self._pace.forget()
            self._inbox.lost("interrupted while connecting again")
            raise

    async def _subscribe_anew(self) -> None:
        with contextlib.suppress(BrokerError):  # that the connection was given up, and why, has been told
            await self._subscribe_or_give_up()

    async def _subscribe_or_give_up(self) -> None:
        """Half a connection is worse than none: without its subscriptions it is closed, and opened anew later."""
        try:
            await self._subscribe_all()
        except BrokerError as error:
            await self._give_up(str(error))
            raise

    async def _subscribe_all(self) -> None:
        self._tells_again = True
        await self._requests.ask("account values", lambda: self._wire.account_values(self._inbox.account))
        await self._requests.ask("positions", self._positions_told)
        await self.ask_time()
        for contract in self._inbox.board.contracts:
            await self._subscribe(contract)
        if self._wire.is_open:
            changed = self._inbox.link.opened()
            self._inbox.note_link(changed=changed, message=f"connected as client {self._client_id}")

    async def _subscribe(self, contract: FutureContract) -> None:
        await self._pace.turn()
        board = self._inbox.board
        if self._wire.is_open and not board.is_subscribed(contract.con_id):
            req_id = self._wire.next_id()
            board.subscribe(contract.con_id, req_id=req_id)
            self._wire.send_market_data_request(req_id, contract)

    async def _give_up(self, reason: str) -> None:
        try:
            await self._hang_up()
        finally:  # an interrupt of a cell may end the wait: what was subscribed to is gone all the same
            self._wire.drop()
            self._pace.forget()
            self._inbox.lost(reason)

    async def _hang_up(self) -> None:
        closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        forget = self._wire.on_closed(lambda: None if closed.done() else closed.set_result(None))
        try:
            self._wire.drop()
            if self._wire.has_socket:
                await asyncio.wait((closed,), timeout=_HANG_UP_S)
        finally:
            forget()
            closed.cancel()
