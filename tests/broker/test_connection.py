"""Keeping the connection, noticing its faults, and coming back."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from hydra_nb.domain.events import BrokerErrorReported, ConnectionChanged, ExecutionReported, PositionReported
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action
from hydra_nb.errors import BrokerError, NoReply, NotConnected, SendRefused
from hydra_nb.sim import replies
from hydra_nb.sim.loop import SIM_HOST
from tests.broker.room import Room, bid_and_ask, gateway_and_clock, in_virtual_time, start_room

UP, DEGRADED, DOWN = ConnectionState.UP, ConnectionState.DEGRADED, ConnectionState.DOWN


def states(room: Room) -> list[ConnectionState]:
    """States of the connection as they were handed on."""
    return [event.state for event in room.heard(ConnectionChanged)]


def test_lost_servers_degrade_and_come_back() -> None:
    """1100, then 1102: nothing else is asked again."""

    async def scenario(room: Room) -> None:
        await room.quoted()
        await room.error(-1, 1100)
        assert room.broker.state is DEGRADED

        await room.error(-1, 1102)

        assert states(room) == [UP, DEGRADED, UP]
        assert len(room.core.frames(1)) == 1

    in_virtual_time(scenario)


@pytest.mark.parametrize("back", [1102, 2104, 2106, 2158])
def test_a_gateway_that_has_no_servers_itself_is_no_way_to_the_broker(back: int) -> None:
    """2110, as it is told to whoever signs on too early: until it has them, whichever way it says so."""

    async def scenario(room: Room) -> None:
        for _ in range(2):
            await room.error(-1, 2110)
        assert room.broker.state is DEGRADED
        await room.error(-1, 2103)
        assert room.broker.state is DEGRADED

        await room.error(-1, back)

        assert states(room) == [UP, DEGRADED, UP]

    in_virtual_time(scenario)


@pytest.mark.parametrize("codes", [(1100,), (1100, 2110), (2110, 1100)])
def test_a_loss_that_was_told_ends_with_a_restoration_that_is_told(codes: tuple[int, ...]) -> None:
    """That a farm is there again says nothing of orders, where the gateway has said that it lost its servers."""

    async def scenario(room: Room) -> None:
        for code in codes:
            await room.error(-1, code)
        await room.error(-1, 2104)
        assert room.broker.state is DEGRADED

        await room.error(-1, 1102)

        assert room.broker.state is UP

    in_virtual_time(scenario)


def test_lost_subscriptions_are_asked_for_again() -> None:
    """1101: market data, positions and account values."""

    async def scenario(room: Room) -> None:
        await room.quoted()
        await room.error(-1, 1100)

        await room.error(-1, 1101)
        await asyncio.sleep(1)

        assert states(room) == [UP, DEGRADED, UP]
        assert [len(room.core.frames(kind)) for kind in (1, 6, 61)] == [2, 2, 2]

    in_virtual_time(scenario)


def test_servers_lost_while_subscribing_again_stay_lost() -> None:
    """1100 right after 1101: the end of the subscriptions must not hide it."""

    async def scenario(room: Room) -> None:
        await room.error(-1, 1101)
        await room.error(-1, 1100)
        await asyncio.sleep(5)

        assert room.broker.state is DEGRADED

    in_virtual_time(scenario)


def test_a_gateway_that_lets_in_but_does_not_answer_is_left_and_tried_again() -> None:
    """Half a connection is closed, and a person is told why, once."""

    async def scenario(room: Room) -> None:
        room.core.forgets = frozenset({b"61"})
        room.core.sessions[0].closed = True
        await asyncio.sleep(90)
        assert room.broker.state is DOWN

        room.core.forgets = frozenset()
        await asyncio.sleep(30)

        told = [
            report.message for report in room.heard(BrokerErrorReported) if "cannot connect again" in report.message
        ]
        assert room.broker.state is UP
        assert len(told) == 1
        assert "positions" in told[0]

    in_virtual_time(scenario)


def test_opening_twice_is_refused() -> None:
    """One gateway is one connection."""

    async def scenario(room: Room) -> None:
        with pytest.raises(BrokerError, match="already connected"):
            await room.broker.open(SIM_HOST, 4002)

        assert room.broker.state is UP

    in_virtual_time(scenario)


def test_a_half_open_connection_is_noticed_within_two_heartbeats() -> None:
    """First it is degraded, then closed; when the gateway speaks again we are back."""

    async def scenario(room: Room) -> None:
        room.core.is_mute = True
        await asyncio.sleep(16)
        assert room.broker.state is DEGRADED

        await asyncio.sleep(16)
        assert room.broker.state is DOWN

        room.core.is_mute = False
        await asyncio.sleep(20)
        assert states(room) == [UP, DEGRADED, DOWN, UP]

    in_virtual_time(scenario)


def test_a_lost_connection_is_told_and_opened_again() -> None:
    """Quotes flow again, and what was missed meanwhile is fetched."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 1)
        await room.send(child)
        assert room.broker.position(contract.con_id) == size

        room.core.sessions[0].closed = True
        await asyncio.sleep(5)
        assert room.broker.state is DOWN
        assert room.broker.position(contract.con_id) is None
        with pytest.raises(NotConnected):
            room.broker.cancel(child)
        with pytest.raises(NotConnected):
            await room.broker.open_orders()
        assert room.broker.reserve_order_id() > child.order_id

        await asyncio.sleep(600)
        await room.broker.fetch_executions()
        before = len(room.quotes)
        await asyncio.sleep(600)

        assert states(room) == [UP, DOWN, UP]
        assert sum(fill.lots for fill in room.heard(ExecutionReported)) == room.broker.position(contract.con_id)
        assert len(room.quotes) > before

    in_virtual_time(scenario)


def test_a_position_that_was_closed_meanwhile_is_reported_flat() -> None:
    """The broker lists no flat positions, so that its silence must be read."""
    before = PositionReported(
        time_ns=1, con_id=99, local_symbol="ZOK6", symbol="ZO", lots=3, average_cost=Decimal(19_912)
    )

    async def scenario(room: Room) -> None:
        [report] = room.heard(PositionReported)

        assert (report.con_id, report.lots) == (99, 0)
        assert room.broker.position(99) == 0

    in_virtual_time(scenario, earlier=(before,))


def test_a_request_that_is_not_answered_raises() -> None:
    """And leaves the next one sound: a late reply does not end it half way."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)
        room.core.is_mute = True
        with pytest.raises(NoReply, match="open orders"):
            await room.broker.open_orders()
        room.core.is_mute = False

        asked = asyncio.create_task(room.broker.open_orders())
        await asyncio.sleep(0)
        room.core.sessions[0].send(replies.open_orders_end())  # the late reply, with nothing in it
        listed = await asked

        assert [report.order_ref for report in listed] == [child.order_ref]

    in_virtual_time(scenario)


def test_a_question_under_way_when_the_connection_is_lost_raises_at_once() -> None:
    """Whoever waits must not wait for a time-out."""

    async def scenario(room: Room) -> None:
        await room.quoted()
        room.core.is_mute = True
        asked = [
            asyncio.create_task(question)
            for question in (
                room.broker.open_orders(),
                room.broker.fetch_executions(),
                room.broker.server_time_ns(),
                room.broker.contracts("ZO"),
            )
        ]
        await asyncio.sleep(0.5)
        room.core.sessions[0].closed = True
        room.core.is_mute = False
        before_ns = room.clock.host_ns()

        outcomes = await asyncio.gather(*asked, return_exceptions=True)

        assert {type(outcome) for outcome in outcomes} == {NotConnected}
        assert room.clock.host_ns() - before_ns < 4_000_000_000

    in_virtual_time(scenario)


def test_ids_stay_above_every_order_id_seen() -> None:
    """Also those of other clients: the broker takes an id once."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=bid - 10 * contract.tick))
        [ours] = room.core.exchange.open_orders()
        foreign = replace(ours.terms, client_id=9, order_id=5_000, order_ref="by somebody else")
        room.core.exchange.submit(foreign, room.clock.now_ns())

        await room.broker.open_orders()

        assert room.broker.reserve_order_id() == 5_001

    in_virtual_time(scenario)


def test_a_contract_watched_while_all_is_asked_again_is_asked_for_once() -> None:
    """Two streams of one contract would count against the broker's limit."""

    async def scenario(room: Room) -> None:
        await room.quoted()
        other = await room.broker.contract("ZOK7")

        room.core.sessions[0].send(replies.error(-1, code=1101, message="lost", server_version=178))
        await room.broker.server_time_ns()
        room.broker.watch(other)
        await asyncio.sleep(5)

        assert len(room.core.frames(1)) == 3

    in_virtual_time(scenario)


def test_an_end_that_never_comes_does_not_block_for_ever() -> None:
    """After one more time-out open orders are answered again."""

    async def scenario(room: Room) -> None:
        room.core.is_mute = True
        with pytest.raises(NoReply):
            await room.broker.open_orders()
        room.core.is_mute = False
        with pytest.raises(NoReply):
            await room.broker.open_orders()

        assert await room.broker.open_orders() == ()

    in_virtual_time(scenario)


def test_a_clock_that_is_off_is_noticed() -> None:
    """By what whole seconds can prove, and no more."""

    async def scenario(room: Room) -> None:
        room.clock.anchor(room.clock.now_ns() + 10_000_000_000)

        await room.broker.server_time_ns()

        skew_s = room.broker.clock_skew_s()
        assert skew_s is not None
        assert 9.0 <= skew_s <= 10.5

    in_virtual_time(scenario)


def test_a_restart_knows_what_was_sent_and_heard_before() -> None:
    """The same reference is refused, a modify is not, and no execution is handed on twice."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 1)
        await room.send(child)
        await room.broker.close()
        broker, clock, gate = gateway_and_clock()
        await broker.open(SIM_HOST, 4002)
        clock.anchor(await broker.server_time_ns())
        again = await start_room(
            Room(broker=broker, gate=gate, clock=clock, journal=room.journal, core=room.core, gateway=room.gateway),
            next_order_id=1_000,
        )
        await again.quoted()

        approved = again.approve(child)
        with pytest.raises(SendRefused, match="sent before"):
            broker.place(approved, await again.receipt(approved))
        await broker.fetch_executions()
        probed = await broker.probe_death(child)
        await again.send(replace(child, limit_price=ask + contract.tick), action=Action.MODIFY)

        assert broker.reserve_order_id() >= 1_000
        assert probed.executed_lots == size
        assert [fill.lots for fill in again.heard(ExecutionReported)] in ([], [1])
        await broker.close()

    in_virtual_time(scenario)


def test_a_sink_that_fails_does_not_go_unheard() -> None:
    """The client library would only log what a handler raises."""

    async def scenario(room: Room) -> None:
        failures = []

        def sink(event: object) -> None:
            if type(event).__name__ != "TaskFailed":
                raise ValueError("a fault in the fold")
            failures.append(event)

        room.broker._inbox._sink = sink

        await room.error(-1, 2104)

        assert "a fault in the fold" in repr(failures)

    in_virtual_time(scenario)


def test_closing_twice_is_harmless() -> None:
    """And afterwards every question says that there is no connection."""

    async def scenario(room: Room) -> None:
        await room.broker.close()
        await room.broker.close()

        with pytest.raises(BrokerError):
            await room.broker.contracts("ZO")
        assert room.broker.state is DOWN

    in_virtual_time(scenario)


def test_one_seed_gives_one_run() -> None:
    """The same events at the same times, the same quotes and the same bytes on the wire."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 2)
        await room.send(child)
        await asyncio.sleep(900)
        room.broker.cancel(child)
        await room.broker.probe_death(child)

    first, second = in_virtual_time(scenario), in_virtual_time(scenario)

    assert first.events == second.events
    assert first.quotes == second.quotes
    assert first.core.received == second.core.received
