"""The same over a real socket, in real time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hydra_nb.domain.events import ExecutionReported, OrderStatusReported
from hydra_nb.domain.market import ConnectionState
from hydra_nb.errors import ClientIdInUse
from hydra_nb.journal import Journal
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.gateway import SimulatedGateway
from tests.broker.room import RecordingCore, Room, bid_and_ask, gateway_and_clock, start_room


def over_tcp(scenario: Callable[[Room, SimulatedGateway], Awaitable[None]], *, speed: float = 1.0) -> None:
    """Run a scenario against a gateway on a free port."""

    async def whole(gateway: SimulatedGateway) -> None:
        broker, clock, gate = gateway_and_clock(speed=speed)
        account = await broker.open("127.0.0.1", gateway.port)
        clock.anchor(await broker.server_time_ns())
        journal = Journal.open(":memory:", account=account, now_ns=clock.now_ns())
        room = Room(
            broker=broker, gate=gate, clock=clock, journal=journal, core=RecordingCore(Exchange(seed=gateway.seed))
        )
        try:
            await start_room(room)
            await scenario(room, gateway)
        finally:
            await broker.close()
            journal.close()

    with SimulatedGateway(seed=7, speed=speed) as gateway:
        asyncio.run(whole(gateway))


def test_an_order_is_placed_filled_and_cancelled_over_tcp() -> None:
    """In part at once; the rest is cancelled and proven dead."""

    async def scenario(room: Room, _gateway: SimulatedGateway) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 5)

        await room.send(child)
        room.broker.cancel(child)
        await asyncio.sleep(0.3)
        probed = await room.broker.probe_death(child)

        assert sum(fill.lots for fill in room.heard(ExecutionReported)) == probed.executed_lots >= size
        assert not probed.still_open
        assert room.heard(OrderStatusReported)[-1].status == "Cancelled"

    over_tcp(scenario)


def test_a_fast_market_and_a_fast_clock_agree() -> None:
    """At 60 times real time the clock is not provably off."""

    async def scenario(room: Room, _gateway: SimulatedGateway) -> None:
        await asyncio.sleep(1)
        await room.broker.server_time_ns()

        assert room.broker.clock_skew_s() is not None
        assert (room.broker.clock_skew_s() or 0.0) < 2.0

    over_tcp(scenario, speed=60)


def test_a_second_connection_with_the_same_id_is_refused_over_tcp() -> None:
    """Without waiting for a time-out, and the first one stays up."""

    async def scenario(room: Room, gateway: SimulatedGateway) -> None:
        second, _, _ = gateway_and_clock()

        with pytest.raises(ClientIdInUse):
            await asyncio.wait_for(second.open("127.0.0.1", gateway.port), 2)

        assert room.broker.state is ConnectionState.UP

    over_tcp(scenario)


def test_a_gateway_that_stops_is_noticed_at_once() -> None:
    """The socket tells."""

    async def scenario(room: Room, gateway: SimulatedGateway) -> None:
        await asyncio.get_running_loop().run_in_executor(None, gateway.stop)
        await asyncio.sleep(0.1)

        assert room.broker.state is ConnectionState.DOWN

    over_tcp(scenario)
