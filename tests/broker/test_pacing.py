"""Cancels at the pace of frames: before all else, in order, and none behind itself."""

import asyncio

from hydra_nb.broker.pacing import CANCEL_FRAMES

from .room import Room, bid_and_ask, in_virtual_time

CANCEL = 4


def test_a_cancel_that_waits_is_not_put_behind_itself() -> None:
    """A kill comes while cancels wait: each order's leaves once, in the order in which they were first asked for."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        children = [room.child(contract, price=bid - 10 * contract.tick) for _ in range(3)]
        for child in children:
            await room.send(child)
        for _ in range(CANCEL_FRAMES):
            room.broker._pace.count()

        for child in (*children[:2], *children):
            room.broker.cancel(child)
        waiting = len(room.core.frames(CANCEL))
        await asyncio.sleep(1.5)

        left = [int(frame.split(b"\0")[2]) for frame in room.core.frames(CANCEL)]
        assert waiting == 0
        assert left == [child.order_id for child in children]

    in_virtual_time(scenario)


def test_a_cancel_that_has_left_may_be_sent_again() -> None:
    """The first one may have been lost on the way."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        child = room.child(contract, price=bid - 10 * contract.tick)
        await room.send(child)

        room.broker.cancel(child)
        room.broker.cancel(child)
        await asyncio.sleep(0.2)

        assert len(room.core.frames(CANCEL)) == 2

    in_virtual_time(scenario)
