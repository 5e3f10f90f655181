"""A second program beside the desk: on its journal, or with its client id. It is refused, and disturbs nobody."""

import contextlib
import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import hydra_nb
from hydra_nb.desk import registry
from hydra_nb.errors import ClientIdInUse, HydraError, JournalLocked
from tests.simulation.process import Killed, Process, current_process
from tests.simulation.truth import CANCEL, GLOBAL_CANCEL, PLACE, message_id

OTHER_CLIENT_ID = 2
REFUSAL = {"second desk on the journal": JournalLocked, "second desk with the client id": ClientIdInUse}
"""What a second desk meets, by the kind of the deed."""


class Rival:
    """A second program, from its start to its end.

    Parameters
    ----------
    world
        Has the first desk.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self.process = Process(world.loop, client_id=OTHER_CLIENT_ID, ears=self)

    async def connect(self, kind: str, **how: Any) -> bool:
        """Try to open a desk; gives whether it was refused as it must be, by somebody who was there to refuse it."""
        try:
            await self.process.run(self._open(how))
        except REFUSAL[kind] as error:
            if isinstance(error, JournalLocked) and f"process {os.getpid()}" not in str(error):
                self._world.checker.violate("0", "0. The second desk is told who holds the journal.", str(error))
            return True
        except (HydraError, Killed):
            return False  # the gateway is away, or the first desk is
        else:
            self._world.checker.violate("0", f"0. A {kind} is refused.", "it was opened")
            return False
        finally:
            self.process.kill()

    @staticmethod
    async def _open(how: dict[str, Any]) -> Any:
        return await hydra_nb.connect(speed="max", **how)

    # The wire of the second; called by the process

    def connected(self, _line: Any) -> None:
        """A socket is open."""

    def disconnected(self, _line: Any) -> None:
        """A socket is closed."""

    def received(self, _line: Any, _payload: bytes) -> None:
        """It heard something."""

    def sent(self, _line: Any, payload: bytes) -> None:
        """It sends something: nothing about orders."""
        if message_id(payload) in (PLACE, CANCEL, GLOBAL_CANCEL):
            self._world.checker.violate("15", "15. A second desk touches no order.", repr(payload))


class _OfProcess(MutableMapping[Any, Any]):
    """A table of which every process has its own."""

    def __init__(self) -> None:
        self._tables: dict[Process | None, dict[Any, Any]] = {}

    def _mine(self) -> dict[Any, Any]:
        return self._tables.setdefault(current_process(), {})

    def __getitem__(self, key: Any) -> Any:
        return self._mine()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._mine()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._mine()[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mine())

    def __len__(self) -> int:
        return len(self._mine())


@contextlib.contextmanager
def memories_of_their_own() -> Iterator[None]:
    """Let each process have its own table of open desks, and its own lock around it."""
    was = registry._open, registry._doors
    registry._open, registry._doors = _OfProcess(), _OfProcess()  # type: ignore[assignment]
    try:
        yield
    finally:
        registry._open, registry._doors = was
