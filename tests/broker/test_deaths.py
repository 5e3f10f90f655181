"""Questions that prove orders dead, shared by all who ask them at the same time."""

import asyncio

from hydra_nb.broker.deaths import SharedRounds
from hydra_nb.errors import NoReply

from .room import Room, bid_and_ask, in_virtual_time


class Rounds:
    """Rounds that last until they are told to end, numbered from 1."""

    def __init__(self) -> None:
        self.begun = 0
        self._ends: dict[int, asyncio.Future[None]] = {}

    async def ask(self) -> int:
        """Begin a round, and give its number at its end."""
        self.begun += 1
        number = self.begun
        await self._ends.setdefault(number, asyncio.get_running_loop().create_future())
        return number

    def end(self, number: int, *, error: Exception | None = None) -> None:
        """Have a round end, now or when it begins."""
        end = self._ends.setdefault(number, asyncio.get_running_loop().create_future())
        if error is None:
            end.set_result(None)
        else:
            end.set_exception(error)


async def settled() -> None:
    """Let every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def ask(rounds: SharedRounds[int], times: int) -> list[asyncio.Task[int]]:
    """So many questions at once."""

    async def one() -> int:
        return await rounds.answer()

    return [asyncio.create_task(one()) for _ in range(times)]


def test_all_who_ask_during_a_round_share_the_next() -> None:
    """A round that was under way says nothing of what was asked after it began."""

    async def scenario() -> None:
        made = Rounds()
        shared = SharedRounds(made.ask)
        first = ask(shared, 1)
        await settled()
        later = ask(shared, 100)
        await settled()

        made.end(1)
        made.end(2)
        answers = await asyncio.gather(*first, *later)

        assert answers == [1] + [2] * 100
        assert made.begun == 2

    asyncio.run(scenario())


def test_a_question_after_a_round_has_one_of_its_own() -> None:
    """What was answered is not used again."""

    async def scenario() -> None:
        made = Rounds()
        shared = SharedRounds(made.ask)
        made.end(1)
        made.end(2)

        assert [await shared.answer(), await shared.answer()] == [1, 2]

    asyncio.run(scenario())


def test_who_is_cancelled_in_the_middle_leaves_the_round_to_the_next() -> None:
    """Nobody waits for an answer that will not come."""

    async def scenario() -> None:
        made = Rounds()
        shared = SharedRounds(made.ask)
        runs, *others = ask(shared, 3)
        await settled()

        runs.cancel()
        await settled()
        made.end(2)
        await settled()

        assert runs.cancelled()
        assert [one.result() for one in others] == [2, 2]

    asyncio.run(scenario())


def test_a_failure_is_shared_and_the_next_question_asks_again() -> None:
    """A gateway that is silent is not waited for once an order, one after another."""

    async def scenario() -> None:
        made = Rounds()
        shared = SharedRounds(made.ask)
        asked = ask(shared, 3)
        await settled()
        made.end(1, error=NoReply("silent"))
        made.end(2, error=NoReply("silent still"))
        made.end(3)

        await settled()

        assert [str(one.exception()) for one in asked] == ["silent", "silent still", "silent still"]
        assert await shared.answer() == 3

    asyncio.run(scenario())


def test_many_probes_at_once_cost_two_rounds_of_questions() -> None:
    """The first by itself, the rest together; each is told of its own order."""
    open_orders, executions = 16, 7

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        bid, _, _ = bid_and_ask(room, contract)
        children = [room.child(contract, price=bid - 10 * contract.tick) for _ in range(30)]
        for child in children[:3]:
            await room.send(child)
        before = [len(room.core.frames(one)) for one in (open_orders, executions)]

        probes = await asyncio.gather(*(room.broker.probe_death(child) for child in children))

        assert [probe.order_ref for probe in probes] == [child.order_ref for child in children]
        assert [probe.still_open for probe in probes] == [True] * 3 + [False] * 27
        after = [len(room.core.frames(one)) for one in (open_orders, executions)]
        assert [now - then for now, then in zip(after, before, strict=True)] == [2, 2]

    in_virtual_time(scenario)
