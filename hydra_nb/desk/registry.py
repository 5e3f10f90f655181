"""The desks that are open in this process, so that a re-run cell gets the one it had.

This is the one piece of state that belongs to a process: two desks on one account in one kernel would be
two hands on one book.
"""

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk

Key = tuple[object, ...]

_open: "dict[tuple[asyncio.AbstractEventLoop, Key], Desk]" = {}
_doors: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]" = WeakKeyDictionary()


def door() -> asyncio.Lock:
    """Give the lock of the running loop under which desks are opened, one at a time."""
    return _doors.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def find(key: Key) -> "Desk | None":
    """Give the open desk of the running loop that was opened with these arguments."""
    return _open.get((asyncio.get_running_loop(), key))


def of_account(account: str) -> "Desk | None":
    """Give the open desk of the running loop on this account."""
    loop = asyncio.get_running_loop()
    return next((desk for (its_loop, _), desk in _open.items() if its_loop is loop and desk.account == account), None)


def of_connection(key: Key) -> "Desk | None":
    """Give the open desk of the running loop that holds the endpoint, account and client id of these arguments."""
    loop = asyncio.get_running_loop()
    endpoint, account, client_id = key[:3]
    for (its_loop, (its_endpoint, its_account, its_client_id, *_)), desk in _open.items():
        is_account = account in (its_account, desk.account)
        if its_loop is loop and is_account and (its_endpoint, its_client_id) == (endpoint, client_id):
            return desk
    return None


def keep(key: Key, desk: "Desk") -> None:
    """Remember a desk under the arguments it was opened with."""
    _open[asyncio.get_running_loop(), key] = desk


def forget(desk: "Desk") -> None:
    """Forget a desk that was closed."""
    for key in [key for key, open_desk in _open.items() if open_desk is desk]:
        del _open[key]


def busy_parents() -> int:
    """Count the parent orders at work on the desks of this process."""
    return sum(len(desk.busy_parents) for desk in _open.values())
