"""A kernel of its own, driven over its channels as a front end drives it: cells, clicks, interrupts."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

jupyter_client = pytest.importorskip("jupyter_client", reason="install hydra_nb[test]")
pytest.importorskip("ipykernel", reason="install hydra_nb[test]")

START_TIMEOUT_S = 60.0
CELL_TIMEOUT_S = 60.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Ran:
    """What came of a cell: texts as they were shown, and the name of the error that ended it."""

    text: str = ""
    error: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)


class FrontEnd:
    """Talks to one kernel as a browser does, from the test's own thread."""

    def __init__(self, manager: Any, client: Any) -> None:
        self._manager = manager
        self._client = client

    def send(self, code: str, *, allow_stdin: bool = True) -> str:
        """Send a cell and give the id of the request, without waiting."""
        request: str = self._client.execute(code, allow_stdin=allow_stdin)
        return request

    def run(self, code: str, *, allow_stdin: bool = True, timeout_s: float = CELL_TIMEOUT_S) -> Ran:
        """Run a cell to its end, and give what it showed."""
        return self.wait(self.send(code, allow_stdin=allow_stdin), timeout_s=timeout_s)

    def wait(self, request: str, *, timeout_s: float = CELL_TIMEOUT_S) -> Ran:
        """Give what a request showed, once the kernel says that it is done with it."""
        ran, deadline_s = Ran(), time.monotonic() + timeout_s
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0.01, deadline_s - time.monotonic()))
            except Empty:
                raise TimeoutError(f"a cell ran for over {timeout_s:g} s; so far {ran.text!r}") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return ran
            _take(ran, kind, content)

    def value(self, expression: str) -> str:
        """Give the repr of an expression, awaited where it is a coroutine call written with ``await``."""
        ran = self.run(expression)
        assert ran.error is None, ran.text
        return ran.text.strip()

    def open_subshell(self) -> str | None:
        """Ask for a thread in which clicks may run beside a cell, as JupyterLab does; None where there is none."""
        message = self._client.session.msg("create_subshell_request", {})
        self._client.control_channel.send(message)
        reply = self._client.get_control_msg(timeout=CELL_TIMEOUT_S)
        subshell: str | None = reply["content"].get("subshell_id")
        return subshell

    def click(self, model_id: str, *, subshell: str | None = None) -> str:
        """Press a button, as the page does; gives the id of the message."""
        return self._say(model_id, {"method": "custom", "content": {"event": "click"}}, subshell=subshell)

    def set(self, model_id: str, *, subshell: str | None = None, **state: Any) -> str:
        """Change a field or press a toggle, as the page does; gives the id of the message."""
        return self._say(model_id, {"method": "update", "state": state, "buffer_paths": []}, subshell=subshell)

    def _say(self, model_id: str, data: dict[str, Any], *, subshell: str | None) -> str:
        message = self._client.session.msg("comm_msg", {"comm_id": model_id, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        request: str = message["header"]["msg_id"]
        return request

    def pause(self, seconds: float) -> None:
        """Do nothing for a while, as a person who reads."""
        time.sleep(seconds)

    def interrupt(self) -> None:
        """Press the stop button."""
        self._manager.interrupt_kernel()


def _take(ran: Ran, kind: str, content: dict[str, Any]) -> None:
    if kind in ("stream", "execute_result", "display_data", "error"):
        ran.outputs.append(content)
    if kind == "stream":
        ran.text += content["text"]
    elif kind in ("execute_result", "display_data"):
        ran.text += content["data"].get("text/plain", "")
    elif kind == "error":
        ran.error = content["ename"]
        ran.text += f"{content['ename']}: {content['evalue']}" + _COLOUR.sub("", "\n".join(content["traceback"]))


@contextmanager
def kernel(*, python: Path | str = sys.executable, folder: Path) -> Iterator[FrontEnd]:
    """Start a kernel of some Python in a folder; it is killed at the end."""
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = str(python)
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=START_TIMEOUT_S)
        yield FrontEnd(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
