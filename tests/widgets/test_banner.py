"""The line of alerts in every view: what it says, what it leaves to the view, and that it costs nothing meanwhile."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import AlertRaised
from hydra_nb.widgets import follow
from hydra_nb.widgets.banner import banner
from hydra_nb.widgets.frame import Frame, Kind
from hydra_nb.widgets.style import STYLE
from hydra_nb.widgets.ticket import OrderTicket

from .hand_made import NOW, HandDesk

ZONE = "America/Chicago"


def alert(
    kind: AlertKind = AlertKind.BREAK, *, sentence: str = "ZOH7 is locked.", severity: Severity = Severity.CRITICAL
) -> AlertRaised:
    """An alert of now."""
    return AlertRaised(
        time_ns=int(NOW.value),
        kind=kind,
        subject="ZOH7",
        severity=severity,
        local_symbol="ZOH7",
        parent_id=None,
        sentence=sentence,
    )


def words(html: str) -> str:
    """What a person reads of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


class View(Frame):
    """A view of nothing."""

    def __init__(self, desk: HandDesk, *, kind: Kind = "desk") -> None:
        super().__init__(desk, kind=kind)
        self.time_zone = ZONE
        self.compose(body=(), foot=())
        self.start()

    def draw(self) -> None:
        """Nothing to draw."""


def play(story: Callable[[View, HandDesk], Coroutine[Any, Any, None]], *, kind: Kind = "desk") -> None:
    """Play a story on a fresh view."""

    async def played() -> None:
        desk = HandDesk()
        view = View(desk, kind=kind)
        await desk.settle()
        await story(view, desk)
        view.close()

    asyncio.run(played())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_has_its_sign_and_words(kind: AlertKind) -> None:
    """With the time at the exchange, and the sentence."""
    line = banner([alert(kind)], without=(), time_zone=ZONE)

    assert re.fullmatch(r"[✕▲!?■] [A-Z].* 08:56:31 ZOH7 is locked\.", words(line))
    assert 'role="alert"' in line


def test_nothing_stands_without_alerts() -> None:
    """Nor where the view tells all of them itself."""
    assert banner([], without=(), time_zone=ZONE) == ""
    assert banner([alert(AlertKind.KILL)], without=(AlertKind.KILL,), time_zone=ZONE) == ""


def test_the_first_is_told_and_the_others_are_counted() -> None:
    """All of them in words on hover."""
    several = [
        alert(),
        alert(AlertKind.CASH, sentence="Fees differ.", severity=Severity.WARNING),
        alert(AlertKind.STALE_DATA, sentence="No quote."),
    ]

    line = banner(several, without=(), time_zone=ZONE)

    assert words(line) == "✕ Locked 08:56:31 ZOH7 is locked. and 2 others"
    hover = re.search(r'title="([^"]*)"', line)
    assert hover is not None
    assert hover[1].split("\n") == ["08:56:31 ZOH7 is locked.", "08:56:31 Fees differ.", "08:56:31 No quote."]


@pytest.mark.parametrize(("severity", "tone"), [(Severity.CRITICAL, "bad"), (Severity.WARNING, "warn")])
def test_its_colour_is_that_of_the_worst(severity: Severity, tone: str) -> None:
    """Which comes first."""
    assert f"hy-banner-{tone}" in banner([alert(severity=severity)], without=(), time_zone=ZONE)


def test_words_of_others_are_escaped() -> None:
    """A broker's message is text."""
    line = banner([alert(sentence='<script>alert("x")</script>')], without=(), time_zone=ZONE)

    assert "<script>" not in line
    assert '"x"' not in line


def test_a_view_shows_what_stands_and_takes_it_off_when_it_is_over() -> None:
    """Between the two nothing is sent, however often the desk changes."""

    async def story(view: View, desk: HandDesk) -> None:
        sent: list[str] = []
        view.banner.observe(lambda change: sent.append(change["new"]), names="value")
        desk.alerts_raised = (alert(),)
        for _ in range(5):
            desk.tell()
            await desk.settle()
        shown, is_on = words(view.banner.value), "hy-bannered" in view._dom_classes

        desk.alerts_raised = ()
        desk.tell()
        await desk.settle()

        assert (shown, is_on) == ("✕ Locked 08:56:31 ZOH7 is locked.", True)
        assert [bool(value) for value in sent] == [True, False]
        assert "hy-bannered" not in view._dom_classes

    play(story)


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        ("desk", {AlertKind.KILL, AlertKind.DISCONNECTED}),
        ("execution", {AlertKind.KILL}),
        ("ticket", {AlertKind.KILL}),
    ],
)
def test_what_a_view_says_in_its_own_words_is_not_said_twice(kind: Kind, hidden: set[AlertKind]) -> None:
    """The frame tells a kill, the board of a desk its lost link; the view of an order does so while it is at work."""

    async def story(view: View, desk: HandDesk) -> None:
        for one in AlertKind:
            desk.alerts_raised = (alert(one),)
            desk.tell()
            await desk.settle()

            assert bool(view.banner.value) is (one not in hidden), one

    play(story, kind=kind)


def test_a_ticket_and_its_state_line_show_beside_the_banner() -> None:
    """An alert of the desk does not hide what the ticket says of itself."""

    async def played() -> None:
        desk = HandDesk()
        ticket = OrderTicket(desk, "ZO")
        await desk.settle()
        desk.alerts_raised = (alert(),)
        desk.tell()
        await desk.settle()

        assert "ZOH7 is locked." in words(ticket.banner.value)
        assert words(ticket.state_line.value)
        assert "hy-alarmed" not in ticket._dom_classes
        ticket.close()

    asyncio.run(played())


def test_a_view_of_a_closed_desk_shows_no_alert() -> None:
    """It is for reading, and nothing in it is of now."""

    async def story(view: View, desk: HandDesk) -> None:
        desk.alerts_raised = (alert(),)
        desk.tell()
        await desk.settle()

        view.retire()

        assert view.banner.value == ""
        assert "hy-bannered" not in view._dom_classes

    play(story)


def test_the_line_stands_in_the_room_of_the_foot() -> None:
    """It takes no height of its own: 19 px of line and 37 px for the controls are the 56 px that the foot has."""
    foot = re.search(r"\.hy-actions\.widget-box \{[^}]*min-height: (\d+)px", STYLE)
    room = re.search(
        r"\.hy-bannered > \.hy-actions\.widget-box \{[^}]*padding-top: (\d+)px; padding-bottom: (\d+)px", STYLE
    )
    line = re.search(r"\.hy-banner-line \{[^}]*height: (\d+)px", STYLE)
    control = re.search(r"\.hy-frame \.jupyter-button \{ height: (\d+)px", STYLE)

    assert foot is not None
    assert room is not None
    assert line is not None
    assert control is not None
    assert int(line[1]) == int(room[1])
    two_lines_of_state = 32
    border = 1
    assert int(room[1]) + int(room[2]) + max(int(control[1]), two_lines_of_state) + border <= int(foot[1])
    assert "position: absolute" in STYLE[STYLE.index(".hy-actions > .hy-banner") :][:120]
