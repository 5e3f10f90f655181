"""What an order would need in margin, asked of the gateway: an answer, or none, and never an order."""

import asyncio
from decimal import Decimal

import pytest

from hydra_nb.domain.events import OpenOrderReported, OrderStatusReported
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import MarginQuestion
from hydra_nb.domain.units import Side
from hydra_nb.errors import BrokerError, SendRefused
from hydra_nb.sim import replies
from hydra_nb.sim.framing import decode
from hydra_nb.sim.messages import parse
from hydra_nb.sim.requests import PlaceOrder
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE, SERVER_VERSION = 3, 178


async def question(room: Room, *, side: Side = Side.BUY, lots: int = 3) -> MarginQuestion:
    """Some oats at the touch of the other side."""
    contract = await room.quoted()
    bid, ask, _ = bid_and_ask(room, contract)
    return MarginQuestion(contract=contract, side=side, lots=lots, limit_price=ask if side is Side.BUY else bid)


def test_the_answer_tells_margin_and_its_change_and_nothing_is_placed() -> None:
    """The frame carries the flag and no name of ours; the exchange knows no order."""

    async def scenario(room: Room) -> None:
        asked = await question(room)

        told = await room.broker.what_if(asked)

        assert told is not None
        assert (told.lots, told.before) == (3, 0.0)
        assert told.change == pytest.approx(0.08 * 3 * 5_000 * float(asked.limit_price) / 100, rel=0.05)
        [frame] = room.core.frames(PLACE)
        request = parse(decode(frame), server_version=SERVER_VERSION)
        assert isinstance(request, PlaceOrder)
        assert (request.what_if, request.order_type, request.order_ref) == (True, "LMT", "")
        assert list(room.core.exchange.open_orders()) == []
        assert room.heard(OpenOrderReported) == room.heard(OrderStatusReported) == []

    in_virtual_time(scenario)


def test_a_halted_desk_asks_nothing() -> None:
    """The frame is that of an order, and after a kill none of these leaves."""

    async def scenario(room: Room) -> None:
        asked = await question(room)
        room.broker.halt.set("drill")

        with pytest.raises(SendRefused, match="halted: drill"):
            await room.broker.what_if(asked)

        assert room.core.frames(PLACE) == []

    in_virtual_time(scenario)


def test_a_gateway_that_does_not_answer_is_given_up_after_five_seconds() -> None:
    """And one that is gone at once."""

    async def scenario(room: Room) -> None:
        asked = await question(room)
        room.core.is_mute = True
        began_s = asyncio.get_running_loop().time()

        with pytest.raises(BrokerError, match="margin"):
            await room.broker.what_if(asked)

        assert asyncio.get_running_loop().time() - began_s == pytest.approx(5, abs=0.1)

    in_virtual_time(scenario)


def test_a_refusal_of_the_broker_is_raised() -> None:
    """An account that may not trade there is told so, and no order is ended by it."""

    async def scenario(room: Room) -> None:
        asked = await question(room)
        room.core.is_mute = True
        answer = asyncio.ensure_future(room.broker.what_if(asked))
        await asyncio.sleep(0.1)
        room.core.is_mute = False
        [frame] = room.core.frames(PLACE)
        refusal = replies.error(int(decode(frame)[1]), code=201, message="no permission", server_version=SERVER_VERSION)
        room.core.sessions[0].send(refusal)

        with pytest.raises(BrokerError, match="no permission"):
            await answer

        assert room.broker.state is ConnectionState.UP

    in_virtual_time(scenario)


def test_rates_of_exchange_and_margin_are_taken_from_the_account() -> None:
    """Of an account in another currency than its contracts; they are forgotten with the connection."""

    async def scenario(room: Room) -> None:
        for tag, value, currency in (
            ("NetLiquidation", "900000", "EUR"),
            ("InitMarginReq", "12000.50", "EUR"),
            ("ExchangeRate", "0.92", "USD"),
            ("ExchangeRate", "-1", "CAD"),
        ):
            account = room.broker.account
            await room.say(replies.account_value(tag, value=value, currency=currency, account=account))

        state = room.broker.account_state()

        assert (state.currency, state.equity, state.initial_margin) == ("EUR", Decimal(900_000), Decimal("12000.50"))
        assert (state.rate("USD"), state.rate("EUR"), state.rate("CAD")) == (Decimal("0.92"), Decimal(1), None)

    in_virtual_time(scenario)
