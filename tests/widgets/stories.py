"""Stories that are played on a ticket, and what a person reads there."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from html import unescape
from typing import Any

from hydra_nb.widgets import OrderTicket

from .hand_made import HandDesk

Story = Callable[[OrderTicket, HandDesk], Coroutine[Any, Any, None]]


def run(story: Story, desk: HandDesk | None = None) -> None:
    """Play a story on a fresh ticket with 13 lots to buy."""

    async def play() -> None:
        told = desk or HandDesk()
        ticket = OrderTicket(told, "ZO")
        await told.settle()
        ticket.fields.side.value = "BUY"
        ticket.fields.lots.value = 13
        await story(ticket, told)
        ticket.close()
        await told.settle()

    asyncio.run(play())


def words(html: str) -> str:
    """What a person reads of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def state(ticket: OrderTicket) -> str:
    """The state in the header, the line in the foot, and the alert in its place, in words."""
    return unescape(" | ".join(words(part.value) for part in (ticket.header, ticket.state_line, ticket.alert)))
