"""Many parent orders whose slices come due at one instant, by the exchange's own record of what reached it."""

import asyncio
from collections import Counter

from hydra_nb.broker.pacing import CANCEL_FRAMES, ORDER_FRAMES
from hydra_nb.desk.execution import Execution
from hydra_nb.domain.events import CancelRequested
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from tests.benchmarks.many_parents import LIMITS, PATIENCE_S, SYMBOLS
from tests.whole_stack import Frame, Stack, on_a_desk

PARENTS = 60
PLACE, CANCEL = 3, 4
SOON_S = 0.05
"""Into the second in which every order at work is to be modified."""


async def start_all(stack: Stack) -> list[Execution]:
    """Submit all at one instant, in a dozen contracts, and wait until all of them are to be modified."""
    plans = [
        await stack.desk.preview(
            "BUY", 2, SYMBOLS[n % len(SYMBOLS)], strategy="limit_patience", patience=PATIENCE_S, seed=n, tag=str(n)
        )
        for n in range(PARENTS)
    ]
    executions = [await stack.desk.submit(plan) for plan in plans]
    await stack.sleep(PATIENCE_S + SOON_S)
    return executions


def busiest_second(times_ns: list[int]) -> int:
    """The most that came within any one second, wherever it begins."""
    return max(sum(at <= one < at + NS_PER_S for one in times_ns) for at in times_ns)


def cancels_on_their_way(stack: Stack) -> dict[str, tuple[int, int]]:
    """By order id, when the first cancel of each was handed over, and when it reached the exchange."""
    orders = stack.manager.ledger.orders
    handed: dict[str, int] = {}
    for event in stack.journalled(CancelRequested):
        handed.setdefault(str(orders[event.order_ref].child.order_id), event.time_ns)
    came: dict[str, int] = {}
    for frame in stack.core.heard(CANCEL):
        came.setdefault(_cancelled(frame), frame.time_ns)
    return {order_id: (handed_ns, came[order_id]) for order_id, handed_ns in handed.items()}


def test_sixty_parents_never_pass_the_budget_and_cancels_go_first() -> None:
    """Half are cancelled just as all are to be modified: no modify overtakes a cancel, no second holds 46 frames."""

    async def scenario(stack: Stack) -> None:
        executions = await start_all(stack)
        at_work = [one for one in executions if not one.status.is_over]
        await asyncio.gather(*(one.cancel("half of them") for one in at_work[::2]))
        for one in executions:
            await one

        arrivals = [frame.time_ns for frame in stack.core.frames]
        orders = sorted(frame.time_ns for kind in (PLACE, CANCEL) for frame in stack.core.heard(kind))
        assert busiest_second(arrivals) <= CANCEL_FRAMES
        assert busiest_second(orders) >= ORDER_FRAMES  # else nothing had to wait, and this would show nothing
        ways = cancels_on_their_way(stack)
        assert len(ways) >= len(at_work) // 2
        assert sum(came_ns > handed_ns for handed_ns, came_ns in ways.values()) >= 3
        overtook = [
            frame.time_ns
            for frame in stack.core.heard(PLACE)
            if any(handed_ns < frame.time_ns < came_ns for handed_ns, came_ns in ways.values())
        ]
        assert overtook == []
        for one in executions:
            missing = one.parent.lots - one.filled_lots
            assert (one.status is ParentStatus.FILLED) == (missing == 0)
            assert one.shortfall_lots == missing
            assert one.reason
        assert stack.lots_filled() == sum(one.filled_lots for one in executions)
        assert Counter(str(one.status) for one in executions)["cancelled"] == len(at_work[::2])

    on_a_desk(scenario, limits=LIMITS)


def test_a_kill_reaches_every_order_and_few_questions_prove_them_dead() -> None:
    """Some are being cancelled already: no first cancel waits behind a second one, and nothing is placed any more."""
    kinds = (16, 7)  # open orders, executions

    async def scenario(stack: Stack) -> None:
        executions = await start_all(stack)
        at_work = sum(not one.status.is_over for one in executions)
        cancels = asyncio.gather(*(one.cancel("a third of them") for one in executions[::3]))
        await asyncio.sleep(0)
        before, asked = len(stack.core.frames), [len(stack.core.heard(kind)) for kind in kinds]

        await stack.desk.kill("all of them")
        await cancels

        after = stack.core.frames[before:]
        ids = [_cancelled(frame) for frame in after if frame.message_id == CANCEL]
        again = [at for at, order_id in enumerate(ids) if order_id in ids[:at]]
        assert len(set(ids)) >= at_work - 1 >= 40
        assert again == list(range(len(set(ids)), len(ids)))
        assert len(again) >= 3
        assert not [frame for frame in after if frame.message_id == PLACE]
        assert not list(stack.manager.ledger.open_orders())
        assert all(len(stack.core.heard(kind)) - then <= 10 for kind, then in zip(kinds, asked, strict=True))

    on_a_desk(scenario, limits=LIMITS)


def _cancelled(frame: Frame) -> str:
    """Id of the order that a cancel is of; its version comes before."""
    return frame.data[4:].split(b"\0")[2].decode()
