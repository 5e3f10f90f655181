"""Every way around the gate that Python leaves, short of patching the package: each is tried, and nothing leaves."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action, ChildOrder
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import SendRefused
from hydra_nb.journal import Receipt
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Approved
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE = 3


class Floor:
    """A room with an order that was approved and recorded, and another one like it."""

    def __init__(self, room: Room, *, approved: Approved, receipt: Receipt, other: Approved, others: Receipt) -> None:
        self.room = room
        self.approved = approved
        self.receipt = receipt
        self.other = other
        self.others = others

    def set(self, of: object, **changes: Any) -> "Pair":
        """Change what is frozen, as anybody can, and go on with the true objects."""
        for name, value in changes.items():
            object.__setattr__(of, name, value)
        return self.approved, self.receipt


Pair = tuple[Any, Any]
"""What is handed to `BrokerGateway.place`."""


def made_without_init(floor: Floor) -> Pair:
    """An approval that no constructor saw."""
    forged = object.__new__(Approved)
    for name in ("child", "action", "content_hash", "decisions"):
        object.__setattr__(forged, name, getattr(floor.approved, name))
    return forged, floor.receipt


def subclassed(floor: Floor) -> Pair:
    """An approval of a class of one's own."""

    class Mine(Approved):
        __slots__ = ()

    true = floor.approved
    mine = Mine(child=true.child, action=true.action, content_hash=true.content_hash, decisions=true.decisions)
    return mine, floor.receipt


def more_lots_and_a_hash_to_match(floor: Floor) -> Pair:
    """Order and approval changed so that they agree with each other."""
    floor.set(floor.approved.child, lots=30)
    return floor.set(floor.approved, content_hash=floor.approved.child.content_hash)


def a_child_that_lies(floor: Floor) -> Pair:
    """More lots, and a class put under the order that tells the hash of before."""
    approved_hash = floor.approved.content_hash

    class Liar(ChildOrder):
        __slots__ = ()

        @property
        def content_hash(self) -> str:
            return approved_hash

    floor.set(floor.approved.child, lots=30)
    return floor.set(floor.approved.child, __class__=Liar)


def a_contract_that_lies(floor: Floor) -> Pair:
    """A contract that names itself rightly where it is checked, and another one where it is written."""
    contract, told = copy.copy(floor.approved.child.contract), []

    class Liar(FutureContract):
        __slots__ = ()

        @property
        def con_id(self) -> int:  # type: ignore[override]
            told.append(None)
            return true_id if len(told) == 1 else other_id

    true_id = contract.con_id
    other_id = true_id + 1
    object.__setattr__(contract, "__class__", Liar)
    return floor.set(floor.approved.child, contract=contract)


def roomier_gate(floor: Floor) -> Pair:
    """An approval of a gate of one's own, with limits of one's own."""
    gate = RiskGate(Limits(max_lots_per_order=10_000, max_quote_age_s=3_600, close_out_days=0, collar_ticks=1_000))
    child = floor.approved.child
    approved = gate.check(child, action=Action.PLACE, snapshot=floor.room.snapshot(child))
    return approved, floor.receipt


ATTACKS: dict[str, Callable[[Floor], Pair]] = {
    "the order itself": lambda f: (f.approved.child, f.receipt),
    "nothing": lambda f: (None, f.receipt),
    "a look-alike": lambda f: (
        SimpleNamespace(child=f.approved.child, action=Action.PLACE, content_hash=f.approved.content_hash),
        f.receipt,
    ),
    "made by hand": lambda f: (Approved(f.approved.child, Action.PLACE, f.approved.content_hash, ()), f.receipt),
    "made without init": made_without_init,
    "subclassed": subclassed,
    "replaced": lambda f: (replace(f.approved), f.receipt),
    "copied": lambda f: (copy.copy(f.approved), f.receipt),
    "copied deeply": lambda f: (copy.deepcopy(f.approved), f.receipt),
    "pickled": lambda f: (pickle.loads(pickle.dumps(f.approved)), f.receipt),  # noqa: S301  our own bytes
    "of a gate of one's own": roomier_gate,
    "more lots": lambda f: f.set(f.approved.child, lots=30),
    "another side": lambda f: f.set(f.approved.child, side=Side.SELL),
    "another price": lambda f: f.set(f.approved.child, limit_price=f.approved.child.limit_price + Decimal(10)),
    "another expiry": lambda f: f.set(f.approved.child, expires_ns=f.approved.child.expires_ns + 3_600 * NS_PER_S),
    "another account": lambda f: f.set(f.approved.child, account="DU7654321"),
    "another name": lambda f: f.set(f.approved.child, order_ref="hy:x:P-9999:1:1"),
    "another number": lambda f: f.set(f.approved.child, order_id=f.approved.child.order_id + 1),
    "another contract": lambda f: f.set(
        f.approved.child, contract=replace(f.approved.child.contract, con_id=f.approved.child.contract.con_id + 1)
    ),
    "the contract renamed": lambda f: f.set(f.approved.child.contract, con_id=1),
    "another order in its approval": lambda f: f.set(f.approved, child=f.other.child),
    "a place made a modify": lambda f: f.set(f.approved, action=Action.MODIFY),
    "more lots and a hash to match": more_lots_and_a_hash_to_match,
    "a child that lies": a_child_that_lies,
    "a contract that lies": a_contract_that_lies,
    "no receipt": lambda f: (f.approved, None),
    "the receipt of another order": lambda f: (f.approved, f.others),
    "a receipt copied": lambda f: (f.approved, copy.copy(f.receipt)),
    "a receipt copied deeply": lambda f: (f.approved, copy.deepcopy(f.receipt)),
    "the receipt of another order, renamed": lambda f: (
        f.set(f.others, content_hash=f.approved.content_hash)[0],
        f.others,
    ),
    "the hash for a receipt": lambda f: (f.approved, f.approved.content_hash),
}


async def floor_of(room: Room) -> Floor:
    """Two good orders, approved and recorded, and neither sent."""
    contract = await room.quoted()
    bid, _, _ = bid_and_ask(room, contract)
    approved, other = (room.approve(room.child(contract, price=bid)) for _ in range(2))
    return Floor(
        room,
        approved=approved,
        receipt=await room.receipt(approved),
        other=other,
        others=await room.receipt(other),
    )


@pytest.mark.parametrize("name", list(ATTACKS))
def test_no_way_around_the_gate_sends_anything(name: str) -> None:
    """Refused, not a byte of an order on the wire, and nothing at the exchange."""

    async def scenario(room: Room) -> None:
        floor = await floor_of(room)
        approved, receipt = ATTACKS[name](floor)

        with pytest.raises(SendRefused):
            room.broker.place(approved, receipt)

        await asyncio.sleep(0.5)
        assert room.core.frames(PLACE) == []
        assert list(room.core.exchange.open_orders()) == []

    in_virtual_time(scenario)


def test_what_was_approved_and_recorded_does_leave() -> None:
    """The attacks fail for what they are, not because nothing can be sent here."""

    async def scenario(room: Room) -> None:
        floor = await floor_of(room)

        room.broker.place(floor.approved, floor.receipt)

        await asyncio.sleep(0.5)
        assert len(room.core.frames(PLACE)) == 1

    in_virtual_time(scenario)
