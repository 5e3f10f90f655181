"""Margin as the desk keeps it: what is asked of the gateway and when, and for how long an answer holds."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side
from hydra_nb.order_manager.margins import AGAIN_S, LIFE_S, RENEW_S, YOUNG_S, Margins
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.sim.framing import decode
from hydra_nb.sim.messages import parse
from hydra_nb.sim.requests import PlaceOrder
from tests.broker.room import Room, bid_and_ask, in_virtual_time

PLACE, SERVER_VERSION = 3, 178


@dataclass
class Desk:
    """Margins over a true broker gateway, which ask by a task of their own as the order manager does."""

    room: Room
    contract: FutureContract
    margins: Margins
    wanted: list[tuple[Side, int]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def open(cls, room: Room) -> "Desk":
        """With oats that show both sides."""
        contract = await room.quoted()
        desk = cls(room=room, contract=contract, margins=Margins(broker=room.broker, clock=room.clock))
        desk.margins.on_wanted = desk._ask
        return desk

    def _ask(self, contract: FutureContract, side: Side, lots: int) -> None:
        self.wanted.append((side, lots))
        self.tasks.append(asyncio.create_task(self.margins.ask(contract, side=side, lots=lots)))

    async def preview(self, *, side: Side = Side.BUY, lots: int = 4) -> MarginTold | None:
        """Ask as a preview does, and look."""
        await self.margins.refresh(self.contract, side=side, lots=lots)
        return self.told(side=side, lots=lots)

    def told(self, *, side: Side = Side.BUY, lots: int = 4, initial: str | None = None) -> MarginTold | None:
        """Look as a check does."""
        known = None if initial is None else Decimal(initial)
        return self.margins.told(self.contract, side=side, lots=lots, initial=known)

    def questions(self) -> list[PlaceOrder]:
        """What-ifs that reached the gateway, in order."""
        requests = [parse(decode(data), server_version=SERVER_VERSION) for data in self.room.core.frames(PLACE)]
        return [one for one in requests if isinstance(one, PlaceOrder) and one.what_if]

    async def own(self, lots: int, side: Side = Side.BUY) -> None:
        """Trade so many lots, which the gateway then tells as a position."""
        wanted = side.sign * lots + (self.room.broker.position(self.contract.con_id) or 0)
        bid, ask, _ = bid_and_ask(self.room, self.contract)
        price = ask + 20 * self.contract.tick if side is Side.BUY else bid - 20 * self.contract.tick
        await self.room.send(self.room.child(self.contract, price=price, lots=lots, side=side))
        for _ in range(1_000):
            if self.room.broker.position(self.contract.con_id) == wanted:
                return
            await asyncio.sleep(0.5)
        raise AssertionError(f"no position of {wanted} lots was told")

    async def rest(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self.tasks)


def test_a_preview_asks_at_the_far_touch_for_its_side_and_lots() -> None:
    """The answer is for exactly these, and each side has its own."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        bid, ask, _ = bid_and_ask(room, desk.contract)

        bought = await desk.preview(side=Side.BUY, lots=4)
        assert desk.told(side=Side.SELL) is None  # which asks
        await desk.rest()
        sold = await desk.preview(side=Side.SELL, lots=2)

        assert bought is not None
        assert bought.lots == 4
        assert bought.change > 0
        assert sold is not None
        questions = desk.questions()
        assert [(one.action, float(one.quantity)) for one in questions] == [("BUY", 4.0), ("SELL", 4.0)]
        assert Decimal(questions[0].limit_price) == ask
        assert Decimal(questions[1].limit_price) == bid

    in_virtual_time(scenario)


def test_a_preview_does_without_a_question_for_a_minute() -> None:
    """A person who turns a knob asks many times; other lots of the same side need no question either."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        first = await desk.preview(lots=4)
        await asyncio.sleep(YOUNG_S - 1)

        second = await desk.preview(lots=9)

        assert second == first
        assert len(desk.questions()) == 1
        await asyncio.sleep(2)
        third = await desk.preview(lots=9)
        assert third is not None
        assert third.lots == 9
        assert len(desk.questions()) == 2

    in_virtual_time(scenario)


def test_margin_in_use_is_that_of_now_and_the_change_that_of_the_answer() -> None:
    """What was filled meanwhile is in the account's own figure; where it tells none, that of the answer stands."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        first = await desk.preview()

        assert first is not None
        assert desk.told() == first
        assert desk.told(initial="12000.50") == MarginTold(lots=4, before=12_000.5, change=first.change)

    in_virtual_time(scenario)


def test_an_answer_is_renewed_while_it_is_used_and_ends_after_half_an_hour() -> None:
    """At ten minutes it is asked for anew, and holds meanwhile; where the gateway is mute by then, for thirty."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        first = await desk.preview()
        told_s = asyncio.get_running_loop().time()

        async def after(seconds: float) -> MarginTold | None:
            await asyncio.sleep(told_s + seconds - asyncio.get_running_loop().time())
            return desk.told()

        assert await after(RENEW_S - 1) == first
        assert desk.wanted == []
        room.core.forgets = frozenset({b"3"})
        assert await after(RENEW_S + 1) == first
        assert desk.wanted == [(Side.BUY, 4)]
        assert await after(LIFE_S - 1) == first
        assert await after(LIFE_S + 1) is None

        room.core.forgets = frozenset()
        await asyncio.sleep(AGAIN_S + 1)
        assert desk.told() is None
        await desk.rest()
        assert desk.told() == first

    in_virtual_time(scenario)


def test_a_gateway_that_does_not_answer_is_waited_for_five_seconds_and_changes_nothing() -> None:
    """The preview goes on without; the margin is then not known, and asked for again when it is wanted."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        room.core.forgets = frozenset({b"3"})
        began_s = asyncio.get_running_loop().time()

        told = await desk.preview()

        assert told is None
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(5, abs=0.1)
        assert desk.wanted == []  # a question every ten seconds is enough
        await asyncio.sleep(AGAIN_S - 5 + 0.1)
        assert desk.told() is None
        assert len(desk.wanted) == 1
        await desk.rest()

    in_virtual_time(scenario)


def test_no_question_is_asked_while_its_like_is_under_way() -> None:
    """However fast the market runs against the host, they do not queue for a gateway that is mute."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        room.clock._speed = 120.0  # ten seconds of the market pass in a twelfth of a second
        room.core.forgets = frozenset({b"3"})

        for _ in range(100):
            desk.told()
            await asyncio.sleep(0.1)

        assert len(desk.wanted) == len(desk.tasks)
        assert len(desk.questions()) <= 3
        assert sum(not task.done() for task in desk.tasks) <= 1
        await desk.rest()

    in_virtual_time(scenario)


def test_an_answer_for_an_order_that_opens_says_nothing_of_one_that_closes() -> None:
    """A position came about; what sells it now frees margin, and what the broker said before is not used."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        opening = await desk.preview(side=Side.SELL, lots=2)
        assert opening is not None
        assert opening.change > 0
        await desk.own(2)

        assert desk.told(side=Side.SELL, lots=2) is None
        closing = await desk.preview(side=Side.SELL, lots=2)

        assert closing is not None
        assert closing.change == pytest.approx(-opening.change, rel=0.01)
        assert closing.before > 0
        await desk.own(2, Side.SELL)
        assert desk.told(side=Side.SELL, lots=2) is None
        await desk.rest()

    in_virtual_time(scenario)


def test_without_any_price_nothing_is_asked() -> None:
    """A what-if is a limit order; one at a made-up price would be answered with a margin that is made up."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        unseen = await room.broker.contract("ZOK7")

        await desk.margins.refresh(unseen, side=Side.BUY, lots=1)

        assert desk.questions() == []
        assert desk.margins.told(unseen, side=Side.BUY, lots=1, initial=None) is None
        assert desk.wanted == []
        await desk.rest()

    in_virtual_time(scenario)


def test_a_halted_desk_asks_nothing_and_a_preview_says_so_by_an_unknown_margin() -> None:
    """The refusal to send ends the question, not the preview."""

    async def scenario(room: Room) -> None:
        desk = await Desk.open(room)
        room.broker.halt.set("drill")

        assert await desk.preview() is None

        assert desk.questions() == []

    in_virtual_time(scenario)
