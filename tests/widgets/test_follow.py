"""Views that follow the desk: how often they are drawn, what a failure does, and how they end."""

import asyncio
from decimal import Decimal

import pytest

from hydra_nb.widgets import OrderTicket, follow

from .hand_made import HandDesk
from .stories import run, state


def test_a_burst_of_changes_is_drawn_at_once_and_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the desk changes, a view is drawn at most twice in the time between two pictures."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.01)

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        drawn: list[str] = []
        ticket.quote_view.observe(lambda change: drawn.append(change["new"]), names="value")

        for step in range(50):
            desk.bid = Decimal("360") + step * Decimal("0.25")
            desk.tell()
            await asyncio.sleep(0)
        await desk.settle()

        assert len(drawn) == 2
        assert "372.25" in drawn[-1]

    run(story)


def test_unchanged_html_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal news cost the browser nothing."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()
        await ticket.send()
        sent: list[object] = []
        for view in (ticket.quote_view, ticket.header, ticket.state_line, ticket.plan_pane.schedule_view):
            view.observe(sent.append, names="value")

        desk.tell()
        await desk.settle()

        assert sent == []

    run(story)


def test_closing_stops_listening_and_closes_every_part() -> None:
    """A ticket that was replaced hears nothing more and leaves no widget behind."""

    async def play() -> None:
        desk = HandDesk()
        ticket = OrderTicket(desk, "ZO")
        await desk.settle()

        ticket.close()
        ticket.close()

        assert desk.listeners == []
        assert ticket.fields.lots.comm is None
        assert ticket.comm is None

    asyncio.run(play())


def test_a_view_that_fails_says_so_and_the_desk_hears_it() -> None:
    """A quote that cannot be read: words on the screen, the error to the desk, Kill still on."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.latest_quote = lambda _: {}["bid"]  # type: ignore[method-assign]

        desk.tell()
        failures = await desk.settle()

        assert [type(failure) for failure in failures] == [KeyError]
        assert "A view failed and was closed (KeyError); trading goes on." in state(ticket)
        assert not ticket.kill_button.disabled

    run(story)
