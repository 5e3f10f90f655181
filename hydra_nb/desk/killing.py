"""Kills from outside: what ``hydra-nb kill`` does, for desks alive and dead.

A desk alive is asked in its journal, and its watchman tells how far it is. The orders of a desk whose process ended are
cancelled from here, with the client id that it had.
"""

import asyncio
import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra_nb.broker.emergency import Outcome, cancel_own
from hydra_nb.desk.door import KILL, STATUS
from hydra_nb.desk.open_desks import OpenDesk, known
from hydra_nb.errors import HydraError, JournalError
from hydra_nb.journal import Journal, JournalReader
from hydra_nb.journal.lock import is_held
from hydra_nb.ledger import Ledger

ANSWER_S = 25.0
"""Seconds that a living desk is given: a little more than its watchman takes to give up."""
SILENCE_S = 10.0
"""Seconds without any answer of it after which it is given up."""
CANCEL_S = 10.0
"""Seconds for cancelling what a desk whose process ended left behind."""
REFUSED_S = 2.0
"""Seconds after which a gateway where nobody listens is given up."""

_POLL_S = 0.05
_REPLY_S = 1.0
_SETTLE_S = 5.0

Say = Callable[[str], None]


def kill_desks(journal: Path | None, *, reason: str, say: Say) -> bool:
    """Kill every open desk of this user on this computer, or the one on a journal.

    Parameters
    ----------
    journal
        The journal's file; None for all desks.
    reason
        Kept with the kill, and shown.
    say
        Told in words what was done.

    Returns
    -------
    bool
        Whether it is confirmed of every one that no own order works.

    Raises
    ------
    JournalError
        There is no journal at the path, or it takes no request.
    """
    if journal is not None:
        asked = Journal.request_kill(journal, reason)
        desks = [one for one in known() if one.journal is not None and _is_same(Path(one.journal), journal)]
        if not desks:
            return _kill_unknown(journal, asked, say=say)
        return _see_through([(desks[0], asked)], say=say)
    desks = known()
    living = [one for one in desks if one.is_alive]
    requests = [(one, _ask(one, reason, say=say)) for one in living]  # first of all, as what follows may take a while
    ended = [one for one in desks if one not in living and _left_orders(one)]
    requests += [(one, _ask(one, reason, say=say)) for one in ended]
    if not requests:
        say("No desk of yours is open on this computer. A journal elsewhere can be named with --journal.")
        return True
    return _see_through(requests, say=say)


def _left_orders(desk: OpenDesk) -> bool:
    """Whether a desk whose process ended may have left orders at work; one that did not is forgotten.

    What was ever sent is in its journal, so that a journal that shows nothing open needs no look at the broker.
    """
    may_work = not desk.embedded
    if may_work and desk.journal is not None:
        ledger = Ledger()
        with contextlib.suppress(HydraError), JournalReader.open(desk.journal) as reader:
            for _, event in reader.events():
                ledger.apply(event)
            may_work = any(ledger.open_orders())
    if not may_work:
        desk.remove()
    return may_work


def _ask(desk: OpenDesk, reason: str, *, say: Say) -> int:
    """Ask a desk to halt; gives the number of the request, 0 where its watchman was asked instead."""
    if desk.journal is not None:
        try:
            return Journal.request_kill(Path(desk.journal), reason)
        except JournalError as error:
            say(f"{desk.name}: its journal takes no request: {error}")
    if desk.is_alive:
        _post(desk, KILL)
    return 0


def _see_through(asked: Sequence[tuple[OpenDesk, int]], *, say: Say) -> bool:
    """Follow the living one after the other, as they work by themselves, and cancel for the others all at once."""
    living = [(desk, number) for desk, number in asked if desk.is_alive]
    ended = [desk for desk, _ in asked if not desk.is_alive]
    confirmed = [_follow(desk, number, say=say) for desk, number in living]
    return all([*confirmed, *_cancel_for(ended, say=say)])


def _follow(desk: OpenDesk, request: int, *, say: Say) -> bool:
    """Tell how far a living desk is, until it is done."""
    say(f"{desk.name}: asked to halt")
    shown: tuple[object, object] = (0, 0)
    began_s = heard_s = time.monotonic()
    while time.monotonic() < min(began_s + ANSWER_S, heard_s + SILENCE_S):
        state = _post(desk, STATUS)
        if state is None and not desk.is_alive:
            return all(_cancel_for([desk], say=say))
        heard_s = heard_s if state is None else time.monotonic()
        if state is not None and int(str(state["request"])) >= request:
            progress = state["confirmed"], state["total"]
            if progress != shown:
                say(f"{desk.name}: {progress[0]} of {progress[1]} own orders confirmed cancelled")
                shown = progress
            if state["done"]:
                return _conclude(desk, state, say=say)
        time.sleep(_POLL_S)
    say(
        f"{desk.name}: NOT CONFIRMED, it does not answer: a C call may be holding its interpreter. It halts as soon as "
        f"it can, and every order ends by its expiry at the broker. To cancel at once, end process {desk.pid} and run "
        f"hydra-nb kill again: nobody can cancel its orders while it holds its connection."
    )
    return False


def _conclude(desk: OpenDesk, state: dict[str, object], *, say: Say) -> bool:
    if state["trouble"]:
        say(f"{desk.name}: NOT CONFIRMED: {state['trouble']}. Every order ends by its expiry at the broker.")
        return False
    how = (
        "its kernel was busy, and was killed from beside" if state["by"] == "watchman" else "killed by the desk itself"
    )
    say(f"{desk.name}: halted, no own order works ({how})")
    return True


def _cancel_for(desks: Sequence[OpenDesk], *, say: Say) -> list[bool]:
    """Cancel what desks whose processes ended left at work."""

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*[_cancel(desk, say=say) for desk in desks])

    return asyncio.run(all_at_once()) if desks else []


async def _cancel(desk: OpenDesk, *, say: Say) -> bool:
    if desk.embedded:
        say(f"{desk.name}: the process ended, and its simulated market with it: nothing works any more")
        desk.remove()
        return True
    say(
        f"{desk.name}: the process ended; connecting as client {desk.client_id} to {desk.host}:{desk.port} in its place"
    )
    outcome = await _watch_cancels(desk, say=say)
    if not outcome.is_done:
        say(f"{desk.name}: NOT CONFIRMED: {outcome.trouble}. Every order ends by its expiry at the broker.")
        return False
    confirmed, total = outcome.progress
    say(f"{desk.name}: {confirmed} of {total} own orders confirmed cancelled; no own order works")
    desk.remove()
    return True


async def _watch_cancels(desk: OpenDesk, *, say: Say) -> Outcome:
    outcome, shown = Outcome(), (0, 0)
    cancelling = cancel_own(desk.place, desk.own_prefix, outcome=outcome, timeout_s=CANCEL_S, refused_s=REFUSED_S)
    work = asyncio.create_task(cancelling)
    while not work.done():
        await asyncio.wait((work,), timeout=0.25)
        if outcome.progress != shown and not work.done():
            shown = outcome.progress
            say(f"{desk.name}: {shown[0]} of {shown[1]} own orders confirmed cancelled")
    await work
    return outcome


def _kill_unknown(journal: Path, request: int, *, say: Say) -> bool:
    """A journal that no known desk is open on: nobody holds it, or one that could not make itself known."""
    if not is_held(journal):
        say("No desk is open on this journal. Any later one opens killed.")
        return True
    deadline_s = time.monotonic() + _SETTLE_S
    with JournalReader.open(journal) as reader:
        while time.monotonic() < deadline_s:
            if reader.pending_kill(after=request - 1) is None:
                say("The desk on this journal has halted; how many of its orders still work, only it can tell.")
                return False
            time.sleep(_POLL_S)
    say("NOT CONFIRMED: the desk on this journal did not answer. Every order ends by its expiry at the broker.")
    return False


def _post(desk: OpenDesk, what: str) -> dict[str, object] | None:
    """Ask the watchman; None where it does not answer."""
    address = f"{desk.kill_address.rpartition('/')[0]}/{what}"
    if not address.startswith("http://127.0.0.1:"):
        return None
    request = urllib.request.Request(address, method="POST", data=b"")  # noqa: S310  an address of loopback
    try:
        with urllib.request.urlopen(request, timeout=_REPLY_S) as answer:  # noqa: S310  as above
            told: dict[str, object] = json.loads(answer.read(4096))
            return told
    except (OSError, ValueError):
        return None


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
