"""A journal as long as months of trading leave it: one day's events, told again under other names."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from hydra_nb.desk.connect import connect
from hydra_nb.domain.events import Event, ParentSubmitted
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import Journal
from hydra_nb.journal.codec import decode_event, encode_event
from hydra_nb.sim.loop import run_virtual

SEED = 2
DAY_NS = 86_400 * NS_PER_S
_FIRST = "P-0001"
_NUMBERS = re.compile(r'("(?:order_id|perm_id)": ?)(\d+)')
_EXECUTIONS = re.compile(r'("(?:exec_id|family)": ?")')


def day() -> tuple[str, str, list[Event]]:
    """Account, journal id and events of a TWAP of 20 lots in 20 slices over six hours."""

    async def trade() -> tuple[str, str, list[Event]]:
        async with connect(seed=SEED, speed="max", journal=":memory:") as desk:
            plan = await desk.preview("BUY", 20, "LBR", slices=20, duration="6h")
            await (await desk.submit(plan))
            journal = desk._rooms.journal
            return desk.account, journal.journal_id, [event for _, event in journal.events()]

    return run_virtual(lambda _loop: trade())


def write(path: Path, *, events: int) -> int:
    """Write a journal of so many events, which ends in the middle of a day; gives how many parents it has."""
    account, journal_id, told = day()
    journal = Journal.open(path, account=account, now_ns=told[0].time_ns, journal_id=journal_id, inline=True)
    days = (partial(_again, told, number) for number in count())
    parents = written = 0
    for again in days:
        for event in again():
            if written == events:
                break
            journal.append(event)
            written += 1
            parents += isinstance(event, ParentSubmitted)
        journal.commit_now()
        if written == events:
            break
    journal.close()
    return parents


def _again(told: list[Event], number: int) -> Iterator[Event]:
    """The events of a day as those of another, with numbers and names of their own."""
    for event in told:
        text = encode_event(event).replace(_FIRST, f"P-{number + 1:04}")
        text = _NUMBERS.sub(lambda found: f"{found[1]}{int(found[2]) + 1_000 * number}", text)
        text = _EXECUTIONS.sub(rf"\g<1>{number:04x}.", text)
        read = decode_event(type(event).__name__, text)
        yield replace(read, time_ns=event.time_ns + number * DAY_NS)
