"""Stories that are played on a ticket, and what a person reads there."""

import asyncio
import re
from collections.abc import Callable, Coroutine
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


def state(ticket: OrderTicket) -> str:
    """The words of the state line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", ticket.state_line.value)).strip()
