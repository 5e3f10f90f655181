"""Figures that were measured, and the table that shows them."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; `goal` None where there is none, and the figure is for information."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in words."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "missed"


@dataclass(slots=True, kw_only=True)
class Turns:
    """Times of two things that are done in turns, in seconds."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def figure(self, name: str, *, goal: float | None = None) -> Figure:
        """The ratio of the medians, with the medians and the ratio of the minima beside it."""
        ours, bare = statistics.median(self.ours), statistics.median(self.bare)
        least = min(self.ours) / min(self.bare)
        detail = f"{ours * 1e6:,.0f} µs over {bare * 1e6:,.0f} µs; of the minima {least:.2f}"
        return Figure(name=name, value=ours / bare, unit="×", goal=goal, detail=detail)


@contextmanager
def timing(times: list[float]) -> Iterator[None]:
    """Add the seconds that the block takes to `times`."""
    began = time.perf_counter()
    yield
    times.append(time.perf_counter() - began)


def timed(do: Callable[[], object], times: list[float]) -> Callable[[], None]:
    """Wrap a function so that each of its calls adds its seconds to `times`."""

    def do_timed() -> None:
        with timing(times):
            do()

    return do_timed


def lines(figures: list[Figure]) -> Iterator[str]:
    """The table as text."""
    width = max(len(figure.name) for figure in figures)
    yield f"{'':{width}}  {'measured':>11}  {'goal':>6}"
    for one in figures:
        goal = "" if one.goal is None else f"≤ {one.goal:g}"
        yield f"{one.name:{width}}  {one.value:>8.3g} {one.unit:2}  {goal:>6}  {one.verdict:6}  {one.detail}".rstrip()
