"""Positions as the broker tells them: by itself, when all are asked for, and what an answer leaves out."""

from decimal import Decimal

import pytest

from hydra_nb.broker.connection import POSITIONS_REPLY_S
from hydra_nb.broker.holdings import Holdings
from hydra_nb.domain.events import PositionReported
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.framing import encode
from tests.broker.room import Room, bid_and_ask, in_virtual_time

ASK_POSITIONS = 61

OATS, WHEAT = 101, 102


def told(con_id: int, *, lots: int) -> PositionReported:
    """A position."""
    return PositionReported(
        time_ns=1, con_id=con_id, local_symbol=str(con_id), symbol="X", lots=lots, average_cost=Decimal(5)
    )


def whole_answer(holdings: Holdings, *held: PositionReported) -> tuple[PositionReported, ...]:
    """Ask for all positions, and be told these; gives those that count as flat now."""
    holdings.asked_anew()
    for one in held:
        holdings.set_position(one)
    return holdings.positions_complete()


def holding(*held: PositionReported) -> Holdings:
    """Positions as first told on a connection."""
    holdings = Holdings("SIM1")
    assert whole_answer(holdings, *held) == ()
    return holdings


def lots_of(holdings: Holdings) -> dict[int, int]:
    """Lots by contract, as whoever compares sees them."""
    return {one.con_id: one.lots for one in holdings.positions() or ()}


def test_what_a_whole_answer_leaves_out_differs_at_once_and_is_flat_after_the_second() -> None:
    """Whoever compares sees it right away; the gate goes on with what was told until it is told twice."""
    holdings = holding(told(OATS, lots=2), told(WHEAT, lots=-1))

    first = whole_answer(holdings, told(WHEAT, lots=-1))
    seen, for_the_gate = lots_of(holdings), holdings.position(OATS)
    second = whole_answer(holdings, told(WHEAT, lots=-1))

    assert (first, seen, for_the_gate) == ((), {WHEAT: -1}, 2)
    assert [(one.con_id, one.lots) for one in second] == [(OATS, 0)]
    assert (lots_of(holdings), holdings.position(OATS)) == ({WHEAT: -1}, 0)


def test_a_position_that_is_told_again_was_not_left_out() -> None:
    """News of it between two answers takes the doubt back."""
    holdings = holding(told(OATS, lots=2))
    whole_answer(holdings)

    holdings.set_position(told(OATS, lots=2))
    seen = lots_of(holdings)
    flat = whole_answer(holdings)

    assert seen == {OATS: 2}
    assert flat == ()
    assert holdings.position(OATS) == 2


def test_the_end_of_an_earlier_answer_concludes_nothing() -> None:
    """Of two answers that are owed the first end says nothing of what the second will name."""
    holdings = holding(told(OATS, lots=2))
    holdings.asked_anew()
    holdings.asked_anew()

    holdings.positions_complete()
    between = lots_of(holdings)
    holdings.set_position(told(OATS, lots=2))
    holdings.positions_complete()

    assert between == {OATS: 2}
    assert lots_of(holdings) == {OATS: 2}


def test_a_lost_connection_forgets_what_was_left_out() -> None:
    """The next connection tells everything anew."""
    holdings = holding(told(OATS, lots=2))
    whole_answer(holdings)

    holdings.forget()
    flat = whole_answer(holdings, told(OATS, lots=2))

    assert flat == ()
    assert lots_of(holdings) == {OATS: 2}


def test_positions_are_asked_for_anew() -> None:
    """Each time one question, and the same answer changes nothing."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=ask))
        heard = len(room.heard(PositionReported))

        for _ in range(3):
            await room.broker.refresh_positions()

        assert [one.lots for one in room.broker.positions() or ()] == [1]
        assert len(room.heard(PositionReported)) == heard
        assert len(room.core.frames(ASK_POSITIONS)) == 1 + 3

    in_virtual_time(scenario)


def test_a_broker_that_does_not_tell_its_positions_again_is_waited_for_once() -> None:
    """Some gateways might answer only the first time; what they tell by themselves is heard all the same."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        room.core.forgets = frozenset({str(ASK_POSITIONS).encode()})
        began_ns = room.clock.host_ns()

        for _ in range(3):
            await room.broker.refresh_positions()
        waited_s = (room.clock.host_ns() - began_ns) / NS_PER_S
        _, ask, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=ask))

        assert POSITIONS_REPLY_S <= waited_s < POSITIONS_REPLY_S + 1
        assert len(room.core.frames(ASK_POSITIONS)) == 1 + 1
        assert room.broker.position(contract.con_id) == 1

    in_virtual_time(scenario)


@pytest.mark.parametrize(("shares", "lots"), [("0.5", 1), ("-2.25", -3), ("3", 3)])
def test_a_fraction_of_a_share_is_held_and_counts_for_no_less(shares: str, lots: int) -> None:
    """An account may hold fractions of what is no future; a position that is not read would be none."""

    async def scenario(room: Room) -> None:
        of = ("AAPL", "STK", "", "0", "", "", "NASDAQ", "USD", "AAPL", "NMS")
        await room.say(encode([61, 3, room.core.exchange.account, 265598, *of, shares, "200.0"]))

        assert [(one.symbol, one.lots) for one in room.broker.positions() or ()] == [("AAPL", lots)]
        assert room.broker.unread == 0

    in_virtual_time(scenario)


def test_a_fraction_of_a_future_is_not_read() -> None:
    """There is none: nobody knows what the broker means by it."""

    async def scenario(room: Room) -> None:
        of = ("ZO", "FUT", "20270514", "0", "", "5000", "CBOT", "USD", "ZOK7", "ZO")
        await room.say(encode([61, 3, room.core.exchange.account, 101, *of, "0.5", "370.0"]))

        assert room.broker.unread == 1

    in_virtual_time(scenario)
