"""Tasks that wait for several things at once, and leave nothing behind."""

import asyncio
import contextlib

import pytest

from hydra_nb.order_manager.tasks import TaskKeeper, wait_for_all


async def endless() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


def test_what_is_late_does_not_go_on_after_the_wait() -> None:
    """Else a closed desk leaves tasks behind that nobody holds."""

    async def scenario() -> set[asyncio.Task[None]]:
        await wait_for_all([endless(), asyncio.sleep(0)], timeout_s=0.01)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == set()


def test_an_interrupted_wait_leaves_nothing_behind_either() -> None:
    """A person stops the cell in which the desk waits."""

    async def scenario() -> set[asyncio.Task[None]]:
        wait = asyncio.ensure_future(wait_for_all([endless(), endless()], timeout_s=60))
        await asyncio.sleep(0)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == set()


def test_an_interrupted_close_sees_every_task_to_its_end() -> None:
    """What goes on beyond the close would write to a journal that is closed; and last words are not cut short."""
    ends: list[str] = []

    async def work() -> None:
        try:
            await endless()
        finally:
            await asyncio.sleep(0.01)
            ends.append("last words")

    async def scenario() -> None:
        keeper = TaskKeeper(lambda *_told: None)
        keeper.start(work(), where="send")
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(keeper.close())
        await asyncio.sleep(0.001)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert ends == ["last words"]


def test_nothing_to_wait_for_is_no_wait() -> None:
    """A desk without orders closes at once."""
    asyncio.run(wait_for_all([], timeout_s=60))


@pytest.mark.parametrize("closed", [False, True])
def test_an_interrupt_that_falls_on_a_kept_task_begins_it_anew(closed: bool) -> None:
    """The person meant the cell; unless all is being closed."""
    begun: list[int] = []

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            await asyncio.sleep(0)
            raise KeyboardInterrupt
        await endless()

    async def scenario() -> None:
        keeper.append(TaskKeeper(lambda *_told: None))
        keeper[0].keep(work, where="watch")
        if closed:
            await asyncio.sleep(0)
            keeper[0]._is_closed = True
        await asyncio.sleep(0.01)

    keeper: list[TaskKeeper] = []
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        main = loop.create_task(scenario())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main)
        loop.run_until_complete(main)
        again = list(begun)
        loop.run_until_complete(keeper[0].close())

    assert again == ([0] if closed else [0, 1])
    assert begun == again
