"""What a notebook keeps: never an account number, a token, a host, or a path of a file."""

import copy
import getpass
import json
import re
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from hydra_nb.sim.gateway import SimulatedGateway
from tests.cells.stories import NOTEBOOKS, Executed, begin_executing, executed, executed_file, of_cells

WAYS_OUT = """
import hydra_nb
from IPython.display import display
desk = await hydra_nb.connect(speed=20)
plan = await desk.preview("BUY", 3, "ZO", strategy="limit_patience", patience=60, duration="150s")
execution = await desk.submit(plan)
display(desk, desk.status, plan, plan.risk, execution, desk.ticket("ZO"), desk.view(), execution.view())
again = await desk.submit(plan)
display(desk.positions(), desk.orders(), desk.executions(), desk.decisions(), desk.quotes(), desk.limits)
display(desk.alerts())
display(plan.parent.contract, await desk.reconcile(), execution.plot(), plan.plot())
"""
LAST = "await desk.kill('end')\ndisplay(desk.orders())\nawait desk.close()"

WIDGETS = "application/vnd.jupyter.widget-state+json"
PROGRAM_OF_OTHERS = 100_000
ACCOUNT = SimulatedGateway(seed=7).account

FORBIDDEN = {
    "an account number": re.compile(rf"\bSIM\d{{2,}}|\bD?U\d{{5,}}\b|{ACCOUNT}"),
    "a token or an address": re.compile(r"[?&]token=|\b127\.0\.0\.1\b|\blocalhost\b|https?://(?!www\.w3\.org|plot)"),
    "a path": re.compile(r"(?<![\w.<])/(?:home|root|tmp|usr|var|Users|private|work|mnt|opt)/\w|[A-Z]:\\\\"),
}


def shared(ran: Executed) -> dict[str, Any]:
    """What a person would share, but for programs that others wrote."""
    notebook = copy.deepcopy(ran.saved)
    for model in notebook["metadata"].get("widgets", {}).get(WIDGETS, {}).get("state", {}).values():
        if len(model["state"].get("_esm", "")) > PROGRAM_OF_OTHERS:  # the whole of Plotly, with addresses of its own
            del model["state"]["_esm"]
    return notebook


def kept_by(notebook: dict[str, Any]) -> dict[str, str]:
    """Everything of an executed notebook that no person wrote, by place."""
    outputs = {
        f"cell {number}": json.dumps([cell.get("outputs", []), cell["metadata"]], ensure_ascii=False)
        for number, cell in enumerate(notebook["cells"])
    }
    return outputs | {"metadata": json.dumps(notebook["metadata"], ensure_ascii=False)}


def secrets_in(notebook: dict[str, Any]) -> list[str]:
    """Each thing that should not be there, with its surroundings."""
    mine = {
        "this computer's name": re.compile(rf"\b{re.escape(socket.gethostname())}\b"),
        "this person's folder": re.compile(re.escape(str(Path.home())) + r"\b"),
        "the temporary folder": re.compile(re.escape(tempfile.gettempdir()) + r"\b"),
    }
    if len(getpass.getuser()) > 4:
        mine["this person's name"] = re.compile(rf"\b{re.escape(getpass.getuser())}\b")
    return [
        f"{place} holds {what}: …{text[max(0, found.start() - 60) : found.end() + 60]}…"
        for place, text in kept_by(notebook).items()
        for what, pattern in (FORBIDDEN | mine).items()
        if (found := pattern.search(text))
    ]


@pytest.mark.parametrize(
    "text",
    [
        ACCOUNT,
        "U7654321",
        "DU1234567",
        "http://hub.example.com/",
        "lab?token=abc",
        "127.0.0.1:4002",
        "/home/trader/x.py",
        "/var/ipykernel_7/1.py:3: AlreadySent",
    ],
)
def test_what_is_looked_for_is_found(text: str) -> None:
    """The scan itself sees what it should."""
    assert secrets_in({"cells": [{"metadata": {}, "outputs": [{"text": text}]}], "metadata": {}})


@pytest.mark.timeout(180)
def test_whatever_a_desk_can_show_keeps_no_secret(tmp_path: Path) -> None:
    """Every object that a cell may end with, every frame, every widget with its state."""
    notebook = shared(executed(of_cells(WAYS_OUT, LAST), folder=tmp_path))

    assert "widgets" in notebook["metadata"]
    assert "SIM•••" in json.dumps(notebook, ensure_ascii=False)
    assert secrets_in(notebook) == []


@pytest.fixture(scope="module")
def under_way(request: pytest.FixtureRequest) -> None:
    """Have the notebooks that are asked for begin to run, so that they do not wait for each other."""
    items = (item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function))
    for item in items:
        if item.originalname == "test_an_executed_notebook_keeps_no_secret":
            begin_executing(item.callspec.params["name"])


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("under_way")
@pytest.mark.parametrize("name", [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))])
def test_an_executed_notebook_keeps_no_secret(name: str) -> None:
    """Outputs, widget state and metadata of the project's notebooks, as a person would save and share them."""
    assert secrets_in(shared(executed_file(name))) == []
