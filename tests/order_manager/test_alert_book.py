"""An alert is told when its matter begins and when it is over, and never twice in between."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.alert_book import CALM_S, QUIET_S, AlertBook, Key, key_of

CALM_NS = round(CALM_S[AlertKind.STALE_DATA] * NS_PER_S)
QUIET_NS = round(QUIET_S * NS_PER_S)


def never(_key: Key) -> bool:
    """Whatever is gone may come back."""
    return False


def at_once(_key: Key) -> bool:
    """Whatever is gone stays gone."""
    return True


def alert(kind: AlertKind = AlertKind.STALE_DATA, *, subject: str = "ZOH7", time_ns: int = 0) -> ev.AlertRaised:
    """An alert of a kind."""
    return ev.AlertRaised(
        time_ns=time_ns,
        kind=kind,
        subject=subject,
        severity=Severity.WARNING,
        local_symbol="ZOH7",
        parent_id=None,
        sentence="Something is the matter.",
    )


def kinds(news: Iterable[ev.Event]) -> list[type[ev.Event]]:
    """Raised or cleared."""
    return [type(event) for event in news]


def test_a_matter_that_lasts_is_told_once() -> None:
    """However often it is looked at."""
    book = AlertBook()

    told = [kinds(book.news([alert(time_ns=now)], now_ns=now, ends_at_once=never)) for now in range(5)]

    assert told == [[ev.AlertRaised], [], [], [], []]
    assert list(book.raised) == [(AlertKind.STALE_DATA, "ZOH7")]


def test_two_subjects_of_one_kind_are_two_alerts() -> None:
    """Each with its own end."""
    book = AlertBook()
    oats, wheat = alert(AlertKind.BREAK, subject="ZOH7"), alert(AlertKind.BREAK, subject="KEH7")

    first = book.news([oats, wheat], now_ns=0, ends_at_once=never)
    second = book.news([wheat], now_ns=1, ends_at_once=never)

    assert kinds(first) == [ev.AlertRaised, ev.AlertRaised]
    assert [(type(one), one.subject) for one in second] == [(ev.AlertCleared, "ZOH7")]


def test_it_is_over_when_its_matter_has_been_gone_for_long_enough_and_not_before() -> None:
    """One nanosecond decides."""
    book = AlertBook()
    book.news([alert()], now_ns=0, ends_at_once=never)
    book.news([], now_ns=10, ends_at_once=never)

    early = book.news([], now_ns=10 + CALM_NS - 1, ends_at_once=never)
    due = book.news([], now_ns=10 + CALM_NS, ends_at_once=never)
    again = book.news([], now_ns=10 + CALM_NS + 1, ends_at_once=never)

    assert (kinds(early), kinds(due), kinds(again)) == ([], [ev.AlertCleared], [])
    assert not book.raised


def test_a_matter_that_comes_and_goes_is_one_alert() -> None:
    """A quote every thirty-one seconds must not ring every thirty-one seconds."""
    book = AlertBook()
    told: list[type[ev.Event]] = []
    for second in range(600):
        stale = second % 31 == 30
        told += kinds(book.news([alert(time_ns=second)] if stale else [], now_ns=second * NS_PER_S, ends_at_once=never))

    assert told == [ev.AlertRaised]


def test_a_matter_that_cannot_come_back_is_over_without_a_wait() -> None:
    """A parent that has ended is not behind any more."""
    book = AlertBook()
    book.news([alert()], now_ns=0, ends_at_once=never)

    assert kinds(book.news([], now_ns=1, ends_at_once=at_once)) == [ev.AlertCleared]


@given(st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=80))
def test_raised_and_cleared_alternate_whatever_happens(looks: list[tuple[int, bool]]) -> None:
    """Never twice the same, and what stands is what was told last."""
    book, now_ns, told = AlertBook(), 0, []
    for seconds, is_there in looks:
        now_ns += seconds * NS_PER_S
        told += kinds(book.news([alert(time_ns=now_ns)] if is_there else [], now_ns=now_ns, ends_at_once=never))

    assert told == [ev.AlertRaised, ev.AlertCleared] * (len(told) // 2) + [ev.AlertRaised] * (len(told) % 2)
    assert bool(book.raised) is (len(told) % 2 == 1)


def test_what_happened_in_an_instant_stands_until_it_has_not_come_for_a_while() -> None:
    """Ten rejections in a row are one alert, which ends after the last of them."""
    book = AlertBook()
    told = []
    for second in range(10):
        book.note(alert(AlertKind.REJECTION, subject="P-0001", time_ns=second * NS_PER_S))
        told += kinds(book.news([], now_ns=second * NS_PER_S, ends_at_once=never))

    at_the_end = book.news([], now_ns=9 * NS_PER_S + QUIET_NS, ends_at_once=never)
    past_it = book.news([], now_ns=9 * NS_PER_S + QUIET_NS + 1, ends_at_once=never)

    assert told == [ev.AlertRaised]
    assert (kinds(at_the_end), kinds(past_it)) == ([], [ev.AlertCleared])


def test_what_an_earlier_process_told_is_not_told_again() -> None:
    """The matter lasts: it stands, and nobody is called a second time; what is gone is over at once."""
    book = AlertBook()
    book.recall(alert(AlertKind.BREAK, subject="ZOH7"))
    book.recall(alert(AlertKind.DISCONNECTED, subject=""))
    book.recall(alert(AlertKind.KILL, subject=""))
    book.recall(
        ev.AlertCleared(time_ns=3, kind=AlertKind.KILL, subject="", local_symbol="", parent_id=None, sentence="")
    )

    told = book.news([alert(AlertKind.BREAK, subject="ZOH7", time_ns=9)], now_ns=9, ends_at_once=at_once)

    assert [(type(one), one.kind) for one in told] == [(ev.AlertCleared, AlertKind.DISCONNECTED)]
    assert list(book.raised) == [key_of(alert(AlertKind.BREAK))]
