"""Many parent orders at work at once on a desk in real time, and what a wire tap and a clock beside it saw."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.orders import ChildOrder
from tests.crash.trader import ROOMY

SYMBOLS = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA", "CSC", "CB")
SEED = 7
PATIENCE_S = 40
"""Market seconds of the first stage; when they are over every order at work is to be modified, all at one instant."""
LIMITS = replace(
    ROOMY,
    max_parents_at_work=1_000,
    max_active_orders=20,
    max_lots_unknown_adv=100,
    max_adv_percent_per_parent=100,
    collar_ticks=5_000,
    collar_percent=50,
    max_spread_multiple=100,
    max_consecutive_refusals=1_000,
    max_notional_per_order=1e9,
)
BEAT_S = 0.01
PLACE, CANCEL, CANCEL_ALL = "3", "4", "58"
ORDER_MESSAGES = frozenset({PLACE, CANCEL, CANCEL_ALL})


class Frame(NamedTuple):
    """A frame as it was written to the socket: seconds of the host, number of the message, id of the order."""

    at_s: float
    kind: str
    of: str


@dataclass(slots=True, kw_only=True)
class Tap:
    """Notes frames where the client library writes them, and cancels where they are handed to the broker gateway."""

    frames: list[Frame] = field(default_factory=list)
    handed_s: dict[str, float] = field(default_factory=dict)

    def listen(self, desk: Desk) -> None:
        """Begin; what is noted goes on to where it would have gone."""
        broker = desk._rooms.broker
        wire, cancel = broker._wire._client.conn, broker.cancel  # type: ignore[attr-defined]
        write: Callable[[bytes], None] = wire.sendMsg

        def write_noted(data: bytes) -> None:
            kind, *fields = data[4:].decode().split("\0")
            # A cancel tells its version before the order's id, a place tells none.
            self.frames.append(Frame(time.monotonic(), kind, fields[1 if kind == CANCEL else 0]))
            write(data)

        def cancel_noted(child: ChildOrder) -> None:
            self.handed_s.setdefault(str(child.order_id), time.monotonic())
            cancel(child)

        wire.sendMsg = write_noted
        broker.cancel = cancel_noted  # type: ignore[method-assign]

    def orders(self) -> list[Frame]:
        """Places, modifies and cancels."""
        return [frame for frame in self.frames if frame.kind in ORDER_MESSAGES]

    def cancel_delays_s(self) -> list[float]:
        """From the handing over of each cancel until it was written."""
        written = {frame.of: frame.at_s for frame in reversed(self.frames) if frame.kind == CANCEL}
        return [written[order_id] - handed_s for order_id, handed_s in self.handed_s.items()]

    def overtaken(self) -> list[Frame]:
        """Places and modifies that were written while a cancel waited."""
        written = {frame.of: frame.at_s for frame in reversed(self.frames) if frame.kind == CANCEL}
        waits = [(handed_s, written[order_id]) for order_id, handed_s in self.handed_s.items()]
        return [
            frame
            for frame in self.frames
            if frame.kind == PLACE and any(handed_s < frame.at_s < left_s for handed_s, left_s in waits)
        ]


def busiest_second(frames: list[Frame]) -> int:
    """The most frames that were written within any one second, wherever it begins."""
    most = first = 0
    for at, frame in enumerate(frames):
        while frames[first].at_s <= frame.at_s - 1.0:
            first += 1
        most = max(most, at - first + 1)
    return most


class Beat:
    """Measures every hundredth of a second by how much the loop is late; a beat that is missed counts with its own."""

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._arm()

    def _arm(self) -> None:
        due_s = self._loop.time() + BEAT_S
        self._timer = self._loop.call_at(due_s, self._beat, due_s)

    def _beat(self, due_s: float) -> None:
        late_s = max(0.0, self._loop.time() - due_s)
        self.lags_ms += [1e3 * (late_s - n * BEAT_S) for n in range(int(late_s / BEAT_S), -1, -1)]
        self._arm()

    def stop(self) -> None:
        """End."""
        self._timer.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of so many parents.

    Attributes
    ----------
    preview_ms, submit_ms
        Host milliseconds of each preview and submission, in order.
    lags_ms
        Of the loop, from the last submission until all was proven dead.
    seconds, cpu_s
        Host seconds and those of the processor, from the first submission.
    kill_s
        From the kill until no order was open by the ledger.
    most_at_work
        Parents at work when the cancels came.
    statuses
        Of the parents at the end.
    left_over
        Parents that ended with fewer lots than were ordered, and did not say how many, and why.
    """

    parents: int
    tap: Tap
    preview_ms: list[float]
    submit_ms: list[float]
    lags_ms: list[float]
    seconds: float
    cpu_s: float
    kill_s: float
    most_at_work: int
    statuses: Counter[str]
    left_over: int


async def work(parents: int, *, speed: float) -> Seen:
    """Work so many parents; cancel half of them just as all are to be modified, and kill the rest.

    Parameters
    ----------
    parents
        How many, dealt over twelve symbols, two months each.
    speed
        Market seconds in one second of the host.
    """
    async with hydra_nb.connect(seed=SEED, speed=speed, journal=None, limits=LIMITS, fresh=True) as desk:
        preview_ms: list[float] = []
        submit_ms: list[float] = []
        months = await _months(desk, parents)
        plans = [await _timed(_preview(desk, months, number), preview_ms) for number in range(parents)]
        tap, beat = Tap(), Beat()
        tap.listen(desk)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        executions = [await _timed(desk.submit(plan), submit_ms) for plan in plans]
        await asyncio.sleep(2 * BEAT_S)
        beat.lags_ms.clear()  # how long they held the loop is told by themselves
        await asyncio.sleep(PATIENCE_S / speed + 0.1)
        at_work = len(desk.busy_parents)
        cancels = asyncio.gather(*(one.cancel("half of them") for one in executions[::2]))
        await asyncio.sleep(1.0)
        killed_s = time.monotonic()
        kill = asyncio.create_task(desk.kill("the rest"))
        while any(desk._rooms.manager.ledger.open_orders()) and time.monotonic() < killed_s + 60:  # noqa: ASYNC110  outside
            await asyncio.sleep(0.02)
        kill_s = time.monotonic() - killed_s
        await asyncio.gather(kill, cancels)
        beat.stop()
        return Seen(
            parents=parents,
            tap=tap,
            preview_ms=preview_ms,
            submit_ms=submit_ms,
            lags_ms=beat.lags_ms,
            seconds=time.monotonic() - began_s,
            cpu_s=time.process_time() - began_cpu_s,
            kill_s=kill_s,
            most_at_work=at_work,
            statuses=Counter(str(one.status) for one in executions),
            left_over=sum(_unexplained(one) for one in executions),
        )


def _unexplained(execution: Execution) -> bool:
    """Whether an order ended with fewer lots than were ordered, and neither a count nor a word of them."""
    missing = execution.parent.lots - execution.filled_lots
    return missing != execution.shortfall_lots or bool(missing and not execution.reason)


async def _months(desk: Desk, parents: int) -> list[Any]:
    """Two months of each symbol, so that few parents are in many contracts; no more of them than there are parents."""
    near = [await desk.instrument(symbol) for symbol in SYMBOLS[:parents]]
    later = []
    for first in near[: max(0, parents - len(SYMBOLS))]:
        listed = await desk._rooms.broker.contracts(first.symbol)
        later.append(next(one for one in listed if one.last_trade_date > first.last_trade_date))
    return [*near, *later]


async def _preview(desk: Desk, months: list[Any], number: int) -> Plan:
    month = months[number % len(months)]
    return await desk.preview(
        "BUY", 1, month, strategy="limit_patience", patience=PATIENCE_S, seed=number, tag=f"number {number}"
    )


async def _timed(work: Any, times_ms: list[float]) -> Any:
    began_s = time.perf_counter()
    done = await work
    times_ms.append(1e3 * (time.perf_counter() - began_s))
    return done


def quantile(values: list[float], share: float) -> float:
    """The value that so many of the values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
