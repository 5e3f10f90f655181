"""Which desks are open on this computer for this user, so that a terminal can kill them without being told where.

One small file a desk, in the user's data folder, readable by the user only. A desk writes it when it opens and takes it
away when it closes with nothing left at work. What a process that was killed left behind is how its orders are still
found; a day later they have expired, and it is cleaned away.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from hydra_nb.broker.emergency import Place
from hydra_nb.journal.lock import is_held

KEPT_S = 24 * 3600
"""Seconds for which the trace of a process that ended is kept; no order of ours lives as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDesk:
    """Where a desk is found, dead or alive.

    Attributes
    ----------
    pid
        Its process.
    account
        Masked.
    journal
        Absolute path of its file; None for one in memory.
    own_prefix
        How the references of its orders begin.
    host, port, client_id
        Its connection.
    embedded
        Whether the market runs inside of the process, and ends with it.
    kill_address
        Of its watchman.
    """

    pid: int
    account: str
    journal: str | None
    own_prefix: str
    host: str
    port: int
    client_id: int
    embedded: bool
    kill_address: str

    @property
    def place(self) -> Place:
        """Where it is connected, and as whom."""
        return Place(host=self.host, port=self.port, client_id=self.client_id)

    @property
    def name(self) -> str:
        """What to call it on a screen."""
        return f"the desk {self.account} of process {self.pid}"

    @property
    def is_alive(self) -> bool:
        """Whether its process lives; by the lock on its journal, which ends with the process, where it has a file."""
        if self.journal is not None:
            return is_held(Path(self.journal))
        if sys.platform == "win32":  # where a signal 0 is Ctrl-C
            port = int(self.kill_address.split(":")[2].partition("/")[0])
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it lives, as somebody else's
            return True
        return True

    def write(self) -> None:
        """Make it known. A folder that cannot be written costs only that terminals need the journal's path."""
        _tidy()
        path = self._path
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(dataclasses.asdict(self), file)
            part.replace(path)
        except OSError as error:
            logging.getLogger("hydra_nb.desk").warning("hydra-nb kill will need --journal: %s", error.strerror)

    def remove(self) -> None:
        """Take it away, where it is still this desk's."""
        if _read(self._path) == self:
            self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        """One a journal: the next desk on it takes the place of the last."""
        key = self.journal or f"{self.pid} {self.own_prefix}"
        return folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def folder() -> Path:
    """Where the files are."""
    return Path(platformdirs.user_data_dir("hydra_nb")) / "open"


def known() -> list[OpenDesk]:
    """All desks known, those of processes that ended too; what is too old, or cannot be read, is cleaned away."""
    _tidy()
    found = [_read(path) for path in sorted(folder().glob("*.json"))]
    return [desk for desk in found if desk is not None]


def _tidy() -> None:
    for path in folder().glob("*.json"):
        desk = _read(path)
        with contextlib.suppress(OSError):  # it was closed just now
            is_old = time.time() - path.stat().st_mtime > KEPT_S
            if desk is None or (is_old and not desk.is_alive):
                path.unlink(missing_ok=True)


def _read(path: Path) -> OpenDesk | None:
    try:
        return OpenDesk(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
