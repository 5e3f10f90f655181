"""Notebooks as a person runs them: from top to bottom, again and again, in one kernel or in fresh ones."""

import functools
import json
import re
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="install hydra_nb[test]")
nbclient = pytest.importorskip("nbclient", reason="install hydra_nb[test]")

CELL_TIMEOUT_S = 90
NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
_CONNECT = re.compile(r"hydra_nb\.connect\(([^)]*)\)")
_SPEED = re.compile(r"speed=(\d+)")


def of_cells(*sources: str) -> Any:
    """A notebook of code cells."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A notebook that ran from top to bottom in a fresh kernel, as JupyterLab saves it, and the time that it took."""

    saved: dict[str, Any]
    took_s: float


def executed(notebook: Any, *, folder: Path) -> Executed:
    """Run a notebook, and keep what its cells showed and the state of its widgets."""
    client = nbclient.NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.store_widget_state = True
    began_s = time.monotonic()
    client.execute()
    return Executed(saved=json.loads(json.dumps(notebook)), took_s=time.monotonic() - began_s)


def executed_file(name: str) -> Executed:
    """Run a notebook of the project, once for all tests that look at what came of it."""
    return begin_executing(name).result()


@functools.cache
def begin_executing(name: str) -> "Future[Executed]":
    """Have a notebook of the project run beside others: two at a time, as much of their time is waiting."""
    return _kernels().submit(_execute_file, name)


@functools.cache
def _kernels() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="notebooks")


def _execute_file(name: str) -> Executed:
    with tempfile.TemporaryDirectory() as folder:
        return executed(of_file(name), folder=Path(folder))


def of_file(name: str) -> Any:
    """A notebook of the project."""
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def speed_of(notebook: Any) -> int:
    """The speed at which a notebook opens its desk."""
    found = _SPEED.search("".join(cell.source for cell in notebook.cells))
    return int(found[1]) if found else 1


def moved_to(notebook: Any, *, port: int, journal: Path) -> Any:
    """The same notebook on a gateway program and a journal, in place of the embedded ones."""
    speed = speed_of(notebook)
    for cell in notebook.cells:
        there = f'hydra_nb.connect("127.0.0.1:{port}", journal={str(journal)!r}, speed={speed})'
        cell.source = _CONNECT.sub(lambda _: there, cell.source)  # noqa: B023  used at once
    return notebook


def run_all(notebook: Any, *, folder: Path, times: int = 1, then: str = "None") -> list[Any]:
    """Run all cells so many times in one fresh kernel; gives the outputs of each time, those of `then` at the end."""
    client = nbclient.NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    seen = []
    last = nbformat.v4.new_code_cell(then)
    with client.setup_kernel():
        for _ in range(times):
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
            seen.append([output for cell in notebook.cells for output in cell.get("outputs", ())])
        notebook.cells.append(last)
        client.execute_cell(last, len(notebook.cells) - 1)
        notebook.cells.pop()
    return [*seen, last.outputs]


def text_of(outputs: Sequence[Any]) -> str:
    """All that outputs say in plain text; what is printed in one go may come in pieces."""
    said = [
        output["text"] if output["output_type"] == "stream" else f"{output.get('data', {}).get('text/plain', '')}\n"
        for output in outputs
    ]
    return "".join(said).strip()
