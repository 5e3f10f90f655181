"""The fold of a journal's cycles: which days have begun, and which ids are given."""

import datetime as dt
from typing import Any

import pytest

from hydra_nb.analysis.cycles import CycleBook
from hydra_nb.domain.events import CycleBegan, CycleEnded, CycleStatus, Event

DAY = dt.date(2027, 3, 2)


class Told:
    """A journal of which only the events of cycles are read."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    def events(self, *, after: int = 0, **_: Any) -> list[tuple[int, Event]]:
        """Numbered from one."""
        return list(enumerate(self._events, start=1))[after:]


def began(cycle_id: str, name: str) -> CycleBegan:
    """A real cycle of the day."""
    return CycleBegan(time_ns=1, cycle_id=cycle_id, name=name, day=DAY, dry_run=False, due_ns=None)


def skipped(cycle_id: str) -> CycleEnded:
    """One that did not begin."""
    return CycleEnded(
        time_ns=1,
        cycle_id=cycle_id,
        name="one",
        day=DAY,
        dry_run=False,
        status=CycleStatus.SKIPPED,
        basket_id=None,
        orders=0,
        message="closed",
    )


def book_of(*events: Event) -> CycleBook:
    """The fold of these."""
    return CycleBook(Told(*events))  # type: ignore[arg-type]  the one method that it calls


@pytest.mark.parametrize(
    ("events", "ids"),
    [
        ((), ["C-0001", "C-0002"]),
        ((began("C-0001", "one"),), ["C-0002", "C-0003"]),
        ((skipped("C-0007"),), ["C-0008", "C-0009"]),  # six were given to cycles of which nothing is told
    ],
    ids=["new", "one", "gaps"],
)
def test_an_id_is_given_once(events: tuple[Event, ...], ids: list[str]) -> None:
    """Also while the journal does not tell of the cycle yet, and where it never told of some."""
    book = book_of(*events)

    given = [book.next_id() for _ in ids]

    assert given == ids


def test_a_day_that_has_begun_is_not_forgotten_for_another_of_the_same_id() -> None:
    """The first stands."""
    book = book_of(began("C-0001", "one"), began("C-0001", "other"))

    found = book.begun(DAY, name="one", dry_run=False)

    assert found is not None
