"""Who is let in: the account decides, before anything else is asked."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hydra_nb.domain.events import BrokerErrorReported
from hydra_nb.domain.market import ConnectionState
from hydra_nb.errors import (
    AccountRefused,
    BrokerError,
    ClientIdInUse,
    GatewayUnreachable,
    LiveNotConfirmed,
    NoReply,
)
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from tests.broker.room import SEED, RecordingCore, Room, gateway_and_clock, in_virtual_time


def open_listing(accounts: str, **how: str) -> tuple[str | BrokerError, RecordingCore]:
    """Open against a gateway that lists these accounts; gives the account or the error, and what the gateway heard."""
    core = RecordingCore(Exchange(seed=SEED))
    core.exchange.account = accounts

    async def scenario(loop: VirtualLoop) -> str | BrokerError:
        loop.attach(core)
        broker, _, _ = gateway_and_clock()
        try:
            return await broker.open(SIM_HOST, 4002, account=how.get("account"), confirm_live=how.get("confirm_live"))
        except BrokerError as error:
            return error
        finally:
            await broker.close()
            await asyncio.sleep(1)

    return run_virtual(scenario), core


@pytest.mark.parametrize("how", [{}, {"account": "U1234567"}, {"confirm_live": "4567"}])
def test_a_live_account_without_its_confirmation_is_left_at_once(how: dict[str, str]) -> None:
    """The socket is closed after the account list, nothing else having been asked."""
    result, core = open_listing("U1234567", **how)

    assert isinstance(result, LiveNotConfirmed)
    assert "U1234567" not in str(result)
    assert core.sessions == []
    messages = [data[4:].split(b"\0")[0] for data in core.received[1:]]
    assert messages == [b"71"]


def test_a_wrong_confirmation_is_none() -> None:
    """The last four characters must match."""
    result, _ = open_listing("U1234567", account="U1234567", confirm_live="1234")

    assert isinstance(result, LiveNotConfirmed)


def test_a_confirmed_live_account_opens() -> None:
    """Account and confirmation given, it is let in."""
    result, _ = open_listing("U1234567", account="U1234567", confirm_live="4567")

    assert result == "U1234567"


def test_an_account_of_an_unknown_kind_counts_as_live() -> None:
    """Everything but D… and SIM… trades real money."""
    result, _ = open_listing("F7654321")

    assert isinstance(result, LiveNotConfirmed)


def test_a_paper_account_needs_no_confirmation() -> None:
    """D… is paper."""
    result, _ = open_listing("DU1234567")

    assert result == "DU1234567"


def test_several_accounts_need_one_named() -> None:
    """They are named in the error, masked."""
    result, _ = open_listing("DU1234567,DU7654321")

    assert isinstance(result, AccountRefused)
    assert "DU•••67" in str(result)
    assert "1234567" not in str(result)


def test_an_account_that_is_not_listed_is_refused() -> None:
    """A typing error must not trade on another account."""
    result, _ = open_listing("DU1234567", account="DU1234568")

    assert isinstance(result, AccountRefused)


def test_open_answers_who_and_where() -> None:
    """The simulated account is neither paper nor live, and all is known after the start."""

    async def scenario(room: Room) -> None:
        broker = room.broker

        assert broker.account == room.core.exchange.account
        assert (broker.is_simulated, broker.is_paper, broker.is_live) == (True, False, False)
        assert broker.state is ConnectionState.UP
        assert broker.positions() == ()
        assert broker.account_state().equity == 1_000_000
        assert broker.clock_skew_s() == 0.0

    in_virtual_time(scenario)


def test_notices_before_the_start_are_kept_for_it() -> None:
    """With market time, which the clock had not when they came."""

    async def scenario(room: Room) -> None:
        notices = room.heard(BrokerErrorReported)

        assert [notice.code for notice in notices] == [2104, 2106, 2158]
        assert all(notice.time_ns >= room.core.exchange.start_ns for notice in notices)

    in_virtual_time(scenario)


def test_the_second_holder_of_a_client_id_is_told_so() -> None:
    """Not after a time-out but at once, and the first one stays."""

    async def scenario(room: Room) -> None:
        second, clock, _ = gateway_and_clock()
        before_ns = clock.host_ns()

        with pytest.raises(ClientIdInUse, match="client id 1"):
            await second.open(SIM_HOST, 4002)

        assert clock.host_ns() - before_ns < 1_000_000_000
        assert await room.broker.server_time_ns() > 0
        await second.close()

    in_virtual_time(scenario)


async def _with_server(
    behaviour: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> BrokerError:
    """The error of opening against a server on loopback that behaves so."""
    server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
    broker, _, _ = gateway_and_clock()
    try:
        with pytest.raises(BrokerError) as caught:
            await broker.open("127.0.0.1", server.sockets[0].getsockname()[1], timeout_s=0.2)
        return caught.value
    finally:
        await broker.close()
        server.close()
        await server.wait_closed()


def test_a_server_that_says_nothing_gives_no_reply() -> None:
    """It listens, but is no gateway, or waits for somebody to allow the connection."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    assert isinstance(asyncio.run(_with_server(mute)), NoReply)


def test_a_server_that_hangs_up_is_unreachable() -> None:
    """Without waiting for the time-out."""

    async def rude(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    error = asyncio.run(_with_server(rude))

    assert isinstance(error, GatewayUnreachable)
    assert "closed the connection" in str(error)


def test_nobody_listening_names_address_and_remedy(unused_port: int) -> None:
    """A person reads where it looked and what to do."""

    async def scenario() -> None:
        broker, _, _ = gateway_and_clock()
        with pytest.raises(GatewayUnreachable, match=f"127.0.0.1:{unused_port}.*start IB Gateway"):
            await broker.open("127.0.0.1", unused_port)

    asyncio.run(scenario())
