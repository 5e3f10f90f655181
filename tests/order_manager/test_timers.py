"""When a loop counts as held up: by the earliest timer, however many there are."""

from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain.events import LoopStalled
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.timers import STALL_S, Timers


class Handle:
    """A timer that does not fire by itself."""

    def cancel(self) -> None:
        """Nothing is set."""


class StillClock:
    """A clock that a test moves, and timers that it fires itself."""

    speed = 1.0

    def __init__(self) -> None:
        self.now = 1_000 * NS_PER_S

    def now_ns(self) -> int:
        """Market time."""
        return self.now

    def call_at(self, _time_ns: int, _call: Callable[[], None]) -> Handle:
        """Set a timer."""
        return Handle()


class CountedTimers(dict[str, tuple[int, Handle]]):
    """Timers that count how many were looked at one by one."""

    looked_at = 0

    def values(self) -> Iterator[tuple[int, Handle]]:  # type: ignore[override]
        """Each, counted."""
        for one in super().values():
            self.looked_at += 1
            yield one


def timers(clock: StillClock) -> Timers:
    """Timers of nobody."""
    return Timers(clock, wake=lambda _parent_id: None)  # type: ignore[arg-type]


class PlainStall:
    """Who looks at every timer each time."""

    def __init__(self) -> None:
        self.due: dict[str, int] = {}
        self.told_ns = 0

    def stall(self, now_ns: int) -> int | None:
        """Since when the loop is held up; each time is told once."""
        overdue = min((one for one in self.due.values() if one > self.told_ns), default=now_ns)
        if now_ns - overdue < STALL_S * NS_PER_S:
            return None
        self.told_ns = now_ns
        return overdue


DEEDS = st.lists(
    st.tuples(st.sampled_from(["set", "take", "pass", "ask"]), st.integers(0, 4), st.integers(-3_000, 3_000)),
    max_size=60,
)


@given(DEEDS)
def test_a_stall_is_told_as_by_one_who_looks_at_every_timer(deeds: list[tuple[str, int, int]]) -> None:
    """Whatever is set, brought forward, taken, and asked in between."""
    clock, plain = StillClock(), PlainStall()
    ours = timers(clock)  # the timers under test
    for deed, number, milliseconds in deeds:
        parent_id, moved_ns = f"P-{number}", milliseconds * 1_000_000
        if deed == "set":
            due_ns = clock.now + moved_ns
            ours.wake_at(parent_id, time_ns=due_ns)
            plain.due[parent_id] = min(due_ns, plain.due.get(parent_id, due_ns))
        elif deed == "take" and parent_id in plain.due:
            assert ours.take(parent_id) == plain.due.pop(parent_id)
        elif deed == "pass":
            clock.now += abs(moved_ns)

        told = ours.stall()

        expected = plain.stall(clock.now)
        assert told == (None if expected is None else LoopStalled(time_ns=clock.now, since_ns=expected))


def test_a_thousand_timers_are_not_looked_at_for_each_event() -> None:
    """An event comes every few milliseconds; all timers are looked at about once a second."""
    clock = StillClock()
    many = timers(clock)
    many._set = counted = CountedTimers()  # type: ignore[assignment]
    for number in range(1_000):
        many.wake_at(f"P-{number}", time_ns=clock.now + (60 + number) * NS_PER_S)

    for _ in range(2_000):
        clock.now += NS_PER_S // 200
        assert many.stall() is None

    assert counted.looked_at <= 12 * 1_000
