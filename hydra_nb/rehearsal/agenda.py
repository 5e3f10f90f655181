"""Time and waiting without an event loop: a heap of what is due, and coroutines that are run from it.

It is the clock of a rehearsal. Nothing here waits: the clock stands at the time of what was done last.
"""

from collections.abc import Callable, Coroutine, Generator
from heapq import heappop, heappush
from itertools import count
from typing import Any

from hydra_nb.domain.units import seconds_ns
from hydra_nb.errors import invariant
from hydra_nb.order_manager.tasks import Report


class Entry:
    """Something that is due; `cancel` takes it back."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Take it back; harmless when it was done."""
        self.callback = None


class Nap:
    """A wait until a market time, for a coroutine that the agenda runs."""

    __slots__ = ("until_ns",)

    def __init__(self, until_ns: int) -> None:
        self.until_ns = until_ns

    def __await__(self) -> Generator[int, None, None]:
        """Hand the time to whoever runs the coroutine."""
        yield self.until_ns


class Agenda:
    """A `Clock` whose timers are run by its owner, in order of time, equal ones in the order in which they were set.

    Parameters
    ----------
    now_ns
        Market time at which it begins, UTC nanoseconds.
    """

    speed = 1.0

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._due: list[tuple[int, int, Entry]] = []
        self._numbers = count()

    def now_ns(self) -> int:
        """Market time."""
        return self._now_ns

    def host_ns(self) -> int:
        """Market time too: no host takes part."""
        return self._now_ns

    def call_at(self, time_ns: int, callback: Callable[[], None]) -> Entry:
        """Call back at a market time, at once if it has passed."""
        entry = Entry(callback)
        heappush(self._due, (max(time_ns, self._now_ns), next(self._numbers), entry))
        return entry

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of market time."""
        await Nap(self._now_ns + seconds_ns(seconds))

    def next_ns(self) -> int | None:
        """When something is due next; None if nothing is."""
        due = self._due
        while due and due[0][2].callback is None:
            heappop(due)
        return due[0][0] if due else None

    def pass_to(self, time_ns: int) -> None:
        """Let time pass, with nothing due before."""
        self._now_ns = max(self._now_ns, time_ns)

    def do_next(self) -> None:
        """Do what `next_ns` told of."""
        time_ns, _, entry = heappop(self._due)
        self._now_ns = time_ns
        callback, entry.callback = entry.callback, None
        if callback is not None:
            callback()


class AgendaTasks:
    """Runs coroutines on an agenda; see `TaskRunner`. All that they may await is its clock.

    Parameters
    ----------
    report
        Called where one fails.
    agenda
        Whose clock they wait on.
    """

    def __init__(self, report: Report, *, agenda: Agenda) -> None:
        self._report = report
        self._agenda = agenda
        self._works: dict[Coroutine[Any, Any, None], None] = {}

    def start(self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None = None) -> None:
        """Run `work` once the present step is over."""
        self._works[work] = None
        self.soon(lambda: self._go_on(work, where=where, parent_id=parent_id))

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], *, where: str) -> None:
        """Run what `work` gives; nobody interrupts a rehearsal half way through a step."""
        self.start(work(), where=where)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back once the present step is over."""
        self._agenda.call_at(self._agenda.now_ns(), callback)

    async def close(self) -> None:
        """End what is left."""
        for work in tuple(self._works):
            work.close()
        self._works.clear()

    def _go_on(self, work: Coroutine[Any, Any, None], *, where: str, parent_id: str | None) -> None:
        if work not in self._works:
            return
        try:
            until_ns = work.send(None)
        except StopIteration:
            del self._works[work]
        except Exception as error:  # noqa: BLE001  the edge of a task: reported, never swallowed
            del self._works[work]
            self._report(parent_id, where, error)
        else:
            invariant(isinstance(until_ns, int), f"{where} waits for what no agenda brings")
            self._agenda.call_at(until_ns, lambda: self._go_on(work, where=where, parent_id=parent_id))
