"""Orders out and their reports in."""

import asyncio
import copy
from dataclasses import replace

import pytest

from hydra_nb.domain.events import (
    CommissionReported,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
)
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import NotConnected, SendRefused
from hydra_nb.risk.verdict import Approved
from hydra_nb.sim.framing import encode
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE, CANCEL = 3, 4


def test_the_frame_says_everything_that_must_be_said() -> None:
    """Limit, account, time in force, expiry, reference and contract id are explicit."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid, lots=2, expires_ns=1_804_003_200 * NS_PER_S)

        await room.send(child)

        [frame] = room.core.frames(PLACE)
        fields = frame.decode().split("\0")
        assert fields[1:3] == [str(child.order_id), str(contract.con_id)]
        assert fields[16:20] == ["BUY", "2", "LMT", str(float(bid))]
        assert fields[21] == "GTD"
        assert fields[23] == room.broker.account
        assert fields[26] == child.order_ref
        assert "20270302-16:00:00" in fields

    in_virtual_time(scenario)


def test_an_order_fills_in_parts_and_each_part_is_reported_once() -> None:
    """Executions carry the quote of their receipt and the broker's time, and add up to the order."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 2)

        await room.send(child)
        first = sum(fill.lots for fill in room.heard(ExecutionReported))
        while not any(report.status == "Filled" for report in room.heard(OrderStatusReported)):  # noqa: ASYNC110  virtual time
            await asyncio.sleep(10)
        await room.broker.fetch_executions()

        fills = room.heard(ExecutionReported)
        assert first == size
        assert sum(fill.lots for fill in fills) == child.lots
        assert {fill.order_ref for fill in fills} == {child.order_ref}
        assert all(fill.quote is not None and fill.executed_ns % NS_PER_S == 0 for fill in fills)
        assert all(abs(fill.executed_ns - fill.time_ns) < 2 * NS_PER_S for fill in fills)
        assert len(room.heard(CommissionReported)) == len(fills)
        assert room.heard(CommissionReported)[0].realised_pnl is None
        assert room.broker.position(contract.con_id) == child.lots

    in_virtual_time(scenario)


def test_a_modify_moves_the_price_of_the_same_order() -> None:
    """The exchange has one order, at the new price."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)

        await room.send(replace(child, limit_price=bid - 9 * contract.tick), action=Action.MODIFY)

        [order] = room.core.exchange.open_orders()
        assert order.terms.limit_price == bid - 9 * contract.tick
        assert room.heard(OpenOrderReported)[-1].limit_price == bid - 9 * contract.tick

    in_virtual_time(scenario)


def test_a_cancelled_order_is_proven_dead() -> None:
    """Before the cancel it is open, after it is not; the executions are counted."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, size = bid_and_ask(room, contract)
        child = room.child(contract, price=ask, lots=size + 5)
        await room.send(child)

        before = await room.broker.probe_death(child)
        room.broker.cancel(child)
        await asyncio.sleep(0.2)
        after = await room.broker.probe_death(child)

        assert before.still_open
        assert not after.still_open
        assert after.executed_lots == size
        assert room.heard(OrderStatusReported)[-1].status == "Cancelled"

    in_virtual_time(scenario)


def test_the_broker_is_asked_its_time_once_an_expiry_has_passed() -> None:
    """Before it nothing is proven by time; after it the broker's own clock says so, in whole seconds."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)

        before = await room.broker.probe_death(child)
        await asyncio.sleep((child.expires_ns - room.clock.now_ns()) / NS_PER_S + 2)
        after = await room.broker.probe_death(child)

        assert before.broker_ns is None
        assert after.broker_ns is not None
        assert after.broker_ns % NS_PER_S == 0
        assert child.expires_ns + NS_PER_S <= after.broker_ns <= child.expires_ns + 5 * NS_PER_S
        assert not after.still_open

    in_virtual_time(scenario)


def test_two_probes_at_once_are_both_answered() -> None:
    """They are asked one after the other, as the client library hangs the first of two."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        first, second = (room.child(contract, price=bid - 10 * contract.tick) for _ in range(2))
        await room.send(first)

        probes = await asyncio.gather(room.broker.probe_death(first), room.broker.probe_death(second))

        assert [probe.still_open for probe in probes] == [True, False]

    in_virtual_time(scenario)


async def _expect_refusal(room: Room, approved: Approved, *, match: str) -> None:
    receipt = await room.receipt(approved)
    with pytest.raises(SendRefused, match=match):
        room.broker.place(approved, receipt)
    await asyncio.sleep(0.1)
    assert room.core.frames(PLACE) == []


@pytest.mark.parametrize("forgery", ["copy", "replace", "hand-made"])
def test_a_forged_approval_sends_nothing(forgery: str) -> None:
    """Only the gate's own object counts."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid)
        approved = room.approve(child)
        forged = {
            "copy": copy.copy(approved),
            "replace": replace(approved, child=replace(child, lots=99)),
            "hand-made": Approved(child, Action.PLACE, child.content_hash, ()),
        }[forgery]

        receipt = await room.receipt(approved)
        with pytest.raises(SendRefused):
            room.broker.place(forged, receipt)

        await asyncio.sleep(0.1)
        assert room.core.frames(PLACE) == []

    in_virtual_time(scenario)


def test_an_approval_sends_once() -> None:
    """Neither approval nor receipt can be used again."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        approved = room.approve(room.child(contract, price=bid))
        receipt = await room.receipt(approved)
        room.broker.place(approved, receipt)

        with pytest.raises(SendRefused):
            room.broker.place(approved, receipt)

        await asyncio.sleep(0.1)
        assert len(room.core.frames(PLACE)) == 1

    in_virtual_time(scenario)


def test_a_receipt_for_another_order_sends_nothing() -> None:
    """The journal must know this very content."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        first, second = (room.approve(room.child(contract, price=bid)) for _ in range(2))
        other = await room.receipt(second)

        with pytest.raises(SendRefused):
            room.broker.place(first, other)

        await asyncio.sleep(0.1)
        assert room.core.frames(PLACE) == []

    in_virtual_time(scenario)


def test_an_order_for_another_account_sends_nothing() -> None:
    """Also where gate and journal have let it through."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        approved = room.approve(room.child(contract, price=bid, account="DU9999999"))

        await _expect_refusal(room, approved, match="another account")

    in_virtual_time(scenario)


def test_an_approval_expires() -> None:
    """After two seconds the market that was checked is gone."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        approved = room.approve(room.child(contract, price=bid))
        receipt = await room.receipt(approved)
        await asyncio.sleep(2.5)

        with pytest.raises(SendRefused):
            room.broker.place(approved, receipt)

        assert room.core.frames(PLACE) == []

    in_virtual_time(scenario)


def test_a_reference_is_sent_as_new_once() -> None:
    """Nor can an order id be used twice."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)

        for again in (
            replace(child, order_id=room.broker.reserve_order_id()),
            replace(child, order_ref=child.order_ref + "0"),
        ):
            approved = room.approve(again)
            receipt = await room.receipt(approved)
            with pytest.raises(SendRefused):
                room.broker.place(approved, receipt)

        assert len(room.core.frames(PLACE)) == 1

    in_virtual_time(scenario)


def test_a_modify_of_an_order_that_is_not_there_sends_nothing() -> None:
    """It would be a new order, which nobody approved."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        approved = room.approve(room.child(contract, price=bid), action=Action.MODIFY)

        await _expect_refusal(room, approved, match="not sent by this client")

    in_virtual_time(scenario)


def test_a_modify_of_a_filled_order_sends_nothing() -> None:
    """The client library would send first and complain afterwards."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        _, ask, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=ask)
        await room.send(child)
        [perm_id] = {report.perm_id for report in room.heard(OrderStatusReported)}
        await room.say(encode([3, child.order_id, "Submitted", 0, 1, 0, perm_id, 0, 0, 1, "", 0]))  # late
        approved = room.approve(replace(child, limit_price=ask + contract.tick), action=Action.MODIFY)
        receipt = await room.receipt(approved)

        with pytest.raises(SendRefused, match="is over"):
            room.broker.place(approved, receipt)

        assert len(room.core.frames(PLACE)) == 1

    in_virtual_time(scenario)


def test_nothing_new_is_sent_while_degraded_but_cancels_are() -> None:
    """After 1100 risk may only fall."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)
        approved = room.approve(room.child(contract, price=bid))
        receipt = await room.receipt(approved)
        await room.error(-1, 1100)

        with pytest.raises(NotConnected, match="degraded"):
            room.broker.place(approved, receipt)
        room.broker.cancel(child)
        await asyncio.sleep(0.2)

        assert not room.core.exchange.open_orders()

    in_virtual_time(scenario)


def test_cancels_go_out_past_a_full_pace() -> None:
    """Never more than 45 frames in a second, cancels before all else, and none is lost."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        children = [room.child(contract, price=bid - 10 * contract.tick) for _ in range(60)]
        approved = room.approve(room.child(contract, price=bid))
        receipt = await room.receipt(approved)
        for child in children:
            room.broker.cancel(child)

        assert room.broker.messages_last_second() == 45
        with pytest.raises(SendRefused, match="frames in the last second"):
            room.broker.place(approved, receipt)
        await asyncio.sleep(2)

        assert len(room.core.frames(CANCEL)) == 60

    in_virtual_time(scenario)
