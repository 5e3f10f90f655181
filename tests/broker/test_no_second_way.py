"""No way around the gate to an order that already rests: nothing is sent again, and nothing is changed, unapproved."""

import ast
import asyncio
import copy
import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hydra_nb
from hydra_nb.domain.orders import Action, ChildOrder
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import SendRefused
from hydra_nb.journal import Receipt
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Approved, Refused
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE = 3
PACKAGE = Path(hydra_nb.__file__).parent


@dataclass
class Resting:
    """An order of two lots in the market, and a change of its price that was approved and recorded, not sent."""

    room: Room
    child: ChildOrder
    placed: Approved
    placed_receipt: Receipt
    change: Approved
    change_receipt: Receipt

    async def recorded(self, approved: Any) -> Receipt:
        """A receipt of its own, as the journal gives one to whatever is appended."""
        return await self.room.receipt(approved)


Pair = tuple[Any, Any]
"""What is handed to `BrokerGateway.place`."""


async def resting(room: Room) -> Resting:
    """Far from the market, so that it stays."""
    contract = await room.quoted()
    bid, _, _ = bid_and_ask(room, contract)
    child = room.child(contract, price=bid - 20 * contract.tick, lots=2)
    placed = room.approve(child)
    receipt = await room.receipt(placed)
    room.broker.place(placed, receipt)
    await asyncio.sleep(0.2)
    change = room.approve(replace(child, limit_price=child.limit_price + contract.tick), action=Action.MODIFY)
    return Resting(room, child, placed, receipt, change, await room.receipt(change))


def forced(approved: Approved, **changes: Any) -> Approved:
    """Change the order of an approval in spite of its being frozen."""
    for name, value in changes.items():
        object.__setattr__(approved.child, name, value)
    return approved


async def aged(r: Resting) -> Pair:
    """A change that was approved more than two seconds ago."""
    await asyncio.sleep(2.1)
    return r.change, r.change_receipt


async def of_another_gate(r: Resting) -> Pair:
    """A gate of one's own, which sees the same market and allows more."""
    gate = RiskGate(
        Limits(
            max_lots_per_order=10_000, max_quote_age_s=3_600, close_out_days=0, collar_ticks=1_000, collar_percent=10
        )
    )
    approved = gate.check(r.change.child, action=Action.MODIFY, snapshot=r.room.snapshot(r.change.child))
    assert isinstance(approved, Approved)
    return approved, r.change_receipt


async def refused_and_made_good(r: Resting) -> Pair:
    """What the gate refused, in the clothes of an approval."""
    child = replace(r.child, lots=10_000)
    verdict = r.room.gate.check(child, action=Action.MODIFY, snapshot=r.room.snapshot(child))
    assert isinstance(verdict, Refused)
    return Approved(child, Action.MODIFY, child.content_hash, verdict.decisions), r.change_receipt


async def with_a_receipt_to_match(r: Resting) -> Pair:
    """A change of lots in approval, order and hash, and a true receipt of just that."""
    forced(r.change, lots=30)
    object.__setattr__(r.change, "content_hash", r.change.child.content_hash)
    return r.change, await r.recorded(r.change)


async def the_place_made_a_change(r: Resting) -> Pair:
    """The approval of the place, spent, as one of another price."""
    forced(r.placed, limit_price=r.child.limit_price + 8 * r.child.contract.tick)
    object.__setattr__(r.placed, "action", Action.MODIFY)
    object.__setattr__(r.placed, "content_hash", r.placed.child.content_hash)
    return r.placed, await r.recorded(r.placed)


def at_once(attack: Callable[[Resting], Pair]) -> Callable[[Resting], Awaitable[Pair]]:
    """An attack that waits for nothing."""

    async def run(r: Resting) -> Pair:
        return attack(r)

    return run


def with_new_receipt(attack: Callable[[Resting], Any]) -> Callable[[Resting], Awaitable[Pair]]:
    """An attack whose receipt is good: all hangs by the approval."""

    async def run(r: Resting) -> Pair:
        approved = attack(r)
        return approved, await r.recorded(approved)

    return run


ATTACKS: dict[str, Callable[[Resting], Awaitable[Pair]]] = {
    "the place again": at_once(lambda r: (r.placed, r.placed_receipt)),
    "the place again with a new receipt": with_new_receipt(lambda r: r.placed),
    "the place copied": with_new_receipt(lambda r: copy.copy(r.placed)),
    "the place made a change": the_place_made_a_change,
    "a change with the receipt of the place": at_once(lambda r: (r.change, r.placed_receipt)),
    "a change without an approval": at_once(lambda r: (r.change.child, r.change_receipt)),
    "a change made by hand": with_new_receipt(
        lambda r: Approved(r.change.child, Action.MODIFY, r.change.child.content_hash, ())
    ),
    "a change copied": with_new_receipt(lambda r: copy.copy(r.change)),
    "a change copied deeply": with_new_receipt(lambda r: copy.deepcopy(r.change)),
    "a change pickled": with_new_receipt(lambda r: pickle.loads(pickle.dumps(r.change))),  # noqa: S301  our own bytes
    "a change replaced": at_once(
        lambda r: (replace(r.change, child=replace(r.change.child, lots=30)), r.change_receipt)
    ),
    "a change of another gate": of_another_gate,
    "a change too old": aged,
    "a change that was refused": refused_and_made_good,
    "a change with more lots": at_once(lambda r: (forced(r.change, lots=30), r.change_receipt)),
    "a change of the other side": at_once(lambda r: (forced(r.change, side=Side.SELL), r.change_receipt)),
    "a change to another price": at_once(
        lambda r: (forced(r.change, limit_price=r.child.limit_price + Decimal(10)), r.change_receipt)
    ),
    "a change to another expiry": at_once(
        lambda r: (forced(r.change, expires_ns=r.child.expires_ns + 3_600 * NS_PER_S), r.change_receipt)
    ),
    "a change of another order": at_once(
        lambda r: (forced(r.change, order_id=r.room.broker.reserve_order_id()), r.change_receipt)
    ),
    "a change of all that matches": with_a_receipt_to_match,
}


@pytest.mark.parametrize("name", list(ATTACKS))
def test_nothing_reaches_a_resting_order_but_what_was_approved(name: str) -> None:
    """Refused; one frame was sent in all, and the exchange holds the order as it was."""

    async def scenario(room: Room) -> None:
        r = await resting(room)
        [before] = room.core.exchange.open_orders()
        approved, receipt = await ATTACKS[name](r)

        with pytest.raises(SendRefused):
            room.broker.place(approved, receipt)

        await asyncio.sleep(0.5)
        assert len(room.core.frames(PLACE)) == 1
        [after] = room.core.exchange.open_orders()
        assert after.terms == before.terms
        assert (after.terms.lots, str(after.terms.side)) == (2, str(before.terms.side))

    in_virtual_time(scenario)


def test_the_change_that_was_approved_does_leave_and_leaves_once() -> None:
    """The attacks fail for what they are; and the second time the true one fails too."""

    async def scenario(room: Room) -> None:
        r = await resting(room)

        room.broker.place(r.change, r.change_receipt)
        with pytest.raises(SendRefused):
            room.broker.place(r.change, await r.recorded(r.change))

        await asyncio.sleep(0.5)
        assert len(room.core.frames(PLACE)) == 2
        [order] = room.core.exchange.open_orders()
        assert order.terms.limit_price == r.change.child.limit_price

    in_virtual_time(scenario)


def test_an_attack_spends_the_approval_that_it_used() -> None:
    """Changed, refused, changed back: what was sealed is spent, and an honest second try needs a second check."""

    async def scenario(room: Room) -> None:
        r = await resting(room)
        true_lots = r.change.child.lots
        forced(r.change, lots=30)
        with pytest.raises(SendRefused, match="changed after the check"):
            room.broker.place(r.change, r.change_receipt)
        forced(r.change, lots=true_lots)

        with pytest.raises(SendRefused, match="redeemed before"):
            room.broker.place(r.change, r.change_receipt)

        assert len(room.core.frames(PLACE)) == 1

    in_virtual_time(scenario)


def calls(name: str) -> list[str]:
    """Where the package calls something of this name: file and function."""
    return [
        f"{path.relative_to(PACKAGE).as_posix()}:{function.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and name in {getattr(node.func, "id", None), getattr(node.func, "attr", None)}
    ]


def test_an_approval_is_made_in_one_place_and_a_frame_of_an_order_written_in_two() -> None:
    """By the gate's check alone; by the door of approved orders, and by the question that carries its flag."""
    assert calls("Approved") == ["risk/gate.py:check"]
    assert calls("placeOrder") == ["broker/gateway.py:place", "broker/gateway.py:send_what_if"]
    door, stage = (
        "broker/orders_out.py:place",
        "rehearsal/exchange_broker.py:place",
    )  # no frame is written on the latter
    assert calls("redeem") == [door, door, stage, stage]  # the gate's, the journal's
    assert "Approved" not in hydra_nb.__all__
