"""Reports of orders, as the wire may send them."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from hydra_nb.domain.events import (
    AccountReported,
    BrokerErrorReported,
    CommissionReported,
    ExecutionReported,
    OrderStatusReported,
)
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim import order_replies, replies
from hydra_nb.sim.framing import decode, encode
from hydra_nb.sim.records import OrderStatus
from tests.broker.room import Room, bid_and_ask, in_virtual_time


@pytest.mark.parametrize("code", [103, 104, 105, 110, 161, 201, 388, 399, 435, 2109, 10147, 10148, 10311, 10349])
def test_an_error_code_ends_no_order(code: int) -> None:
    """It is handed on with the order's reference, and the order can still be modified and is still open."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)

        await room.error(child.order_id, code)
        await room.send(replace(child, limit_price=bid - 9 * contract.tick), action=Action.MODIFY)

        assert (room.heard(BrokerErrorReported)[-1].order_ref, room.heard(BrokerErrorReported)[-1].code) == (
            child.order_ref,
            code,
        )
        assert (await room.broker.probe_death(child)).still_open
        assert {report.status for report in room.heard(OrderStatusReported)} == {"Submitted"}

    in_virtual_time(scenario)


def test_a_market_data_error_touches_no_order() -> None:
    """Ids of requests and of orders come from one counter, but only those that we sent as orders are orders."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=bid - 10 * contract.tick))
        [request] = room.core.sessions[0].tick_streams

        await room.error(request, 354, "not subscribed")

        report = room.heard(BrokerErrorReported)[-1]
        assert report.order_ref is None
        assert report.message == "ZOH7 market data: not subscribed"

    in_virtual_time(scenario)


def test_a_correction_replaces_what_it_corrects() -> None:
    """Executed lots are those of the latest revision, whichever comes first."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size)
        await room.send(child)
        [(fill, _)] = room.core.exchange.executions()
        listing = room.core.exchange.listing(contract.con_id)
        assert listing is not None
        corrected = replace(fill, exec_id=fill.exec_id[:-2] + "02", lots=size - 1)

        for _ in range(2):
            await room.say(replies.execution(-1, fill=corrected, listing=listing, server_version=178))

        fills = room.heard(ExecutionReported)
        assert [(report.family, report.revision) for report in fills] == [
            (fill.exec_id[:-3], 1),
            (fill.exec_id[:-3], 2),
        ]
        assert (await room.broker.probe_death(child)).executed_lots == size - 1

    in_virtual_time(scenario)


def test_a_revision_that_comes_late_does_not_undo_the_later_one() -> None:
    """Messages may change places."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=ask)
        await room.send(child)
        [(fill, _)] = room.core.exchange.executions()
        listing = room.core.exchange.listing(contract.con_id)
        assert listing is not None
        for revision, lots in (("03", 0), ("02", 7)):
            told = replace(fill, exec_id=fill.exec_id[:-2] + revision, lots=lots)
            await room.say(replies.execution(-1, fill=told, listing=listing, server_version=178))

        probed = await room.broker.probe_death(child)

        assert probed.executed_lots == 0

    in_virtual_time(scenario)


def test_a_probe_hands_on_the_executions_that_were_missed() -> None:
    """Before its own answer, which counts them."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 3)
        await room.send(child)
        room.core.sessions[0].client_id = 99  # reports of our fills now go to nobody
        while len(room.core.exchange.executions()) == 1:  # noqa: ASYNC110  virtual time
            await asyncio.sleep(10)
        missed = len(room.core.exchange.executions()) - len(room.heard(ExecutionReported))

        probed = await room.broker.probe_death(child)

        assert missed > 0
        assert len(room.heard(ExecutionReported)) == len(room.core.exchange.executions())
        assert probed.executed_lots == sum(fill.lots for fill, _ in room.core.exchange.executions())

    in_virtual_time(scenario)


def test_news_while_open_orders_are_told_counts() -> None:
    """An order that the reply names and that fills before its end is not open."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=bid - 10 * contract.tick))
        [order] = room.core.exchange.open_orders()
        listing = room.core.exchange.listing(contract.con_id)
        assert listing is not None
        room.core.forgets = frozenset({b"16"})
        asked = asyncio.create_task(room.broker.open_orders())
        await asyncio.sleep(0.1)

        for status in (OrderStatus.SUBMITTED, OrderStatus.FILLED):
            told = replace(order, status=status)
            await room.say(order_replies.open_order(told, listing=listing, server_version=178))
        await room.say(replies.open_orders_end())

        assert await asked == ()

    in_virtual_time(scenario)


def test_a_fill_with_an_unreadable_time_is_not_lost() -> None:
    """The client library would drop it; the time of receipt stands in, and a person is told."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size)
        await room.send(child)
        [(fill, _)] = room.core.exchange.executions()
        listing = room.core.exchange.listing(contract.con_id)
        assert listing is not None
        other = replace(fill, exec_id="0000aaaa.11111111.00000009.01")
        fields = decode(replies.execution(-1, fill=other, listing=listing, server_version=178)[4:])
        fields[15] = "20270302 09:00:00 Mars/Olympus"

        await room.say(encode(fields))

        report = room.heard(ExecutionReported)[-1]
        assert report.exec_id == other.exec_id
        assert abs(report.executed_ns - report.time_ns) <= NS_PER_S
        assert "Mars/Olympus" in room.heard(BrokerErrorReported)[-1].message

    in_virtual_time(scenario)


def test_a_message_that_cannot_be_read_is_told() -> None:
    """The client library writes it to a log, which nobody reads."""

    async def scenario(room: Room) -> None:
        await room.say(encode([3, "nonsense", "Filled"]) + encode([11, 5]) + encode([4_711, 1]))

        told = [report.message for report in room.heard(BrokerErrorReported) if report.code == 0]
        assert len(told) == 3
        assert all("could not be read" in message for message in told)

    in_virtual_time(scenario)


def test_a_commission_before_its_execution_is_kept() -> None:
    """The client library would drop it."""

    async def scenario(room: Room) -> None:
        await room.say(encode([59, 1, "0000aaaa.1.1.01", "2.52", "USD", "-12.5", "", ""]))
        await room.say(encode([59, 1, "0000aaaa.1.1.01", "2.52", "USD", "-12.5", "", ""]))

        [report] = room.heard(CommissionReported)
        assert (report.commission, report.realised_pnl) == (Decimal("2.52"), Decimal("-12.5"))

    in_virtual_time(scenario)


def test_orders_of_others_are_listed_but_not_ours() -> None:
    """Another client's order with our order id is not our order."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)
        [ours] = room.core.exchange.open_orders()
        before = len(room.events)
        room.core.exchange.submit(replace(ours.terms, client_id=9, order_ref="by somebody else"), room.clock.now_ns())

        listed = await room.broker.open_orders()

        assert {report.order_ref for report in listed} == {child.order_ref, "by somebody else"}
        assert {getattr(event, "order_ref", None) for event in room.events[before:]} <= {child.order_ref, None}

    in_virtual_time(scenario)


def test_a_status_of_another_clients_order_is_passed_over() -> None:
    """Order ids count for each client by itself."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)
        before = len(room.heard(OrderStatusReported))

        await room.say(encode([3, child.order_id, "Cancelled", 0, 1, 0, 4_711, 0, 0, 9, "", 0]))

        assert len(room.heard(OrderStatusReported)) == before

    in_virtual_time(scenario)


def test_an_execution_in_another_account_is_not_ours() -> None:
    """A gateway may report all accounts of a login."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, _ = bid_and_ask(room, contract)
        await room.send(room.child(contract, price=ask))
        [(fill, _)] = room.core.exchange.executions()
        listing = room.core.exchange.listing(contract.con_id)
        assert listing is not None
        foreign = replace(fill, exec_id="0000aaaa.2.2.01", account="DU9999999")

        await room.say(replies.execution(-1, fill=foreign, listing=listing, server_version=178))

        assert len(room.heard(ExecutionReported)) == 1

    in_virtual_time(scenario)


def test_equity_is_told_when_it_has_moved_and_only_then() -> None:
    """Once with the opening, once a move, whatever comes with it; never of another account, nor a sentinel."""

    async def scenario(room: Room) -> None:
        account = room.broker.account

        def value(key: str, amount: str, *, of: str = account) -> bytes:
            return replies.account_value(key, value=amount, currency="USD", account=of)

        opening = [report.equity for report in room.heard(AccountReported)]
        for frames in (
            value("NetLiquidation", "999000.50") + value("RealizedPnL", "-999.50"),
            value("NetLiquidation", "999000.50"),
            value("UnrealizedPnL", "12"),
            value("NetLiquidation", "5", of="DU9999999"),
            value("NetLiquidation", "1.7976931348623157E308"),
            value("NetLiquidation", "999000.50"),
            value("NetLiquidation", "998000"),
        ):
            await room.say(frames)
            await asyncio.sleep(0.1)

        told = room.heard(AccountReported)[len(opening) :]
        assert opening == [Decimal("1000000.00")]
        assert [(report.equity, report.currency) for report in told] == [
            (Decimal("999000.50"), "USD"),
            (Decimal(998000), "USD"),
        ]
        assert told[0].realised_pnl == Decimal("-999.50")

    in_virtual_time(scenario)
