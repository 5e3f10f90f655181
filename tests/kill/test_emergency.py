"""The client beside: it takes the client id once that is free, and cancels own orders only."""

import ast
import asyncio
import contextlib
import inspect
import time

import ib_async
import pytest

from hydra_nb.broker import emergency
from hydra_nb.broker.emergency import HeardStatus, Outcome, Place, cancel_own
from hydra_nb.sim import requests as ask
from tests.kill.floor import FOREIGN, Floor, floor

OURS, PREFIX = 4, "hy:abc:"


async def leave_orders(market: Floor, refs: list[str], *, client_id: int = OURS) -> ib_async.IB:
    """Leave orders at work, and the connection open."""
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", market.port, clientId=client_id)
    oats = (await ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT")))[0].contract
    for number, ref in enumerate(refs):
        price, account = 366.0 + number / 4, market.gateway.account
        ib.placeOrder(oats, ib_async.LimitOrder("BUY", 2, price, tif="DAY", orderRef=ref, account=account))
    async with asyncio.timeout(10):
        while not set(refs) <= set(market.at_work("")):  # noqa: ASYNC110  the exchange calls nobody
            await asyncio.sleep(0.01)
    return ib


def place(market: Floor, *, client_id: int = OURS) -> Place:
    """Where the orders were placed."""
    return Place(host="127.0.0.1", port=market.port, client_id=client_id)


def test_own_orders_are_cancelled_and_no_other() -> None:
    """Of the very client id too, orders of another journal stay, as does the stranger's."""
    refs = [f"{PREFIX}P-0001:{number}:1" for number in range(1, 8)]
    heard: list[HeardStatus] = []

    async def scenario(market: Floor) -> Outcome:
        ib = await leave_orders(market, [*refs, "hy:xyz:P-0001:1:1", "by hand"])
        ib.disconnect()
        outcome = Outcome()
        await cancel_own(place(market), PREFIX, outcome=outcome, on_heard=heard.append)
        return outcome

    with floor() as market:
        outcome = asyncio.run(scenario(market))

        assert market.at_work("") == sorted(["by hand", "hy:xyz:P-0001:1:1", FOREIGN])
    assert outcome.is_done
    assert outcome.progress == (7, 7)
    assert sorted(outcome.own.values()) == refs
    assert {one.order_id for one in heard if one.status == "Cancelled"} == set(outcome.own)
    assert all(one.perm_id and one.remaining_lots == 2 for one in heard if one.status == "Cancelled")


def test_a_client_id_that_is_still_in_use_is_waited_for() -> None:
    """326 until the old socket is gone; then all goes at once."""

    async def scenario(market: Floor) -> tuple[Outcome, float]:
        ib = await leave_orders(market, [f"{PREFIX}P-0001:1:1"])
        began_s = time.monotonic()
        asyncio.get_running_loop().call_later(0.7, ib.disconnect)
        outcome = Outcome()
        await cancel_own(place(market), PREFIX, outcome=outcome)
        return outcome, time.monotonic() - began_s

    with floor() as market:
        began_s = time.monotonic()
        outcome, took_s = asyncio.run(scenario(market))
        tries = [
            one for one in market.asked_since(began_s, ask.StartApi) if one.request == ask.StartApi(client_id=OURS)
        ]

        assert market.at_work("") == [FOREIGN]
    print(f"{len(tries)} attempts, done {took_s - 0.7:.3f} s after the old socket closed")
    assert outcome.is_done
    assert len(tries) > 5
    assert 0.7 <= took_s < 1.7


def test_it_gives_way_to_a_desk_that_is_back() -> None:
    """Where the desk holds its id again it cancels by itself, and nobody tries on beside it."""

    async def scenario(market: Floor) -> Outcome:
        ib = await leave_orders(market, [f"{PREFIX}P-0001:1:1"])
        outcome = Outcome()
        await cancel_own(place(market), PREFIX, outcome=outcome, give_way=lambda: True)
        assert ib.isConnected()
        ib.disconnect()
        return outcome

    with floor() as market:
        outcome = asyncio.run(scenario(market))

    assert not outcome.is_done
    assert "the desk answers again" in outcome.trouble


def test_orders_of_another_client_id_are_told_and_not_called_done() -> None:
    """The broker cancels an order only for the client id that placed it."""

    async def scenario(market: Floor) -> Outcome:
        (await leave_orders(market, [f"{PREFIX}P-0001:1:1"])).disconnect()
        (await leave_orders(market, [f"{PREFIX}P-0002:1:1"], client_id=5)).disconnect()
        outcome = Outcome()
        await cancel_own(place(market), PREFIX, outcome=outcome)
        return outcome

    with floor() as market:
        outcome = asyncio.run(scenario(market))

        assert market.at_work(PREFIX) == [f"{PREFIX}P-0002:1:1"]
    assert not outcome.is_done
    assert outcome.progress == (1, 1)
    assert "another client id" in outcome.trouble


def test_a_gateway_that_is_not_there_is_told() -> None:
    """It tries until its time is over, and says what stood in the way."""
    outcome = Outcome()

    began_s = time.monotonic()
    nowhere = Place(host="127.0.0.1", port=1, client_id=1)
    asyncio.run(cancel_own(nowhere, PREFIX, outcome=outcome, timeout_s=0.4))

    assert time.monotonic() - began_s < 2
    assert not outcome.is_done
    assert "127.0.0.1:1" in outcome.trouble


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x05hello", b"\0\0\0\x04178\0", b"\0\0\0\x04178\0\0\0\0\x025\0"],
)
def test_whatever_answers_it_ends_in_words(answer: bytes) -> None:
    """Silence, nonsense, a frame cut short: no exception, no endless wait."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        with contextlib.suppress(OSError):
            await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()

    async def scenario() -> Outcome:
        outcome = Outcome()
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            where = Place(host="127.0.0.1", port=port, client_id=1)
            await cancel_own(where, PREFIX, outcome=outcome, timeout_s=0.6)
        return outcome

    outcome = asyncio.run(scenario())

    assert not outcome.is_done
    assert outcome.trouble.startswith("the gateway at")


def test_it_knows_no_way_to_place_an_order() -> None:
    """It sends four kinds of message, named in its own text: 71, 5, 16 and 4; none is a place, or a global cancel."""
    source = inspect.getsource(emergency)
    sent = [
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_send"
        and isinstance(node.args[0], ast.Constant)
    ]
    calls = source.count("self._send(")

    assert sorted(sent) == [4, 5, 16, 71]
    assert calls == len(sent)  # none with a number that is made elsewhere
    assert "_framed(_VERSIONS)" in source
    assert source.count(".write(") == 2  # the greeting, and `_send`
