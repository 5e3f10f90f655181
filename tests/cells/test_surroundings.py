"""Live is refused where no person sits before the notebook, or anybody may."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra_nb.desk.surroundings import LIVE_HOSTS, Surroundings
from hydra_nb.sim.gateway import SimulatedGateway
from tests.cells.kernels import kernel

nbformat = pytest.importorskip("nbformat", reason="install hydra_nb[test]")
nbclient = pytest.importorskip("nbclient", reason="install hydra_nb[test]")

LIVE_ACCOUNT = "U1234567"
OPEN_LIVE = """
import hydra_nb
try:
    async with hydra_nb.connect("127.0.0.1:{port}", account="{account}", confirm_live="4567") as desk:
        print("opened", desk.badge, desk.masked_account)
except hydra_nb.errors.BrokerError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def live_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGateway]:
    """A gateway on loopback that reports a live account, and a folder of their own for the journals of its desks."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    gateway = SimulatedGateway(seed=7)
    gateway.exchange.account = LIVE_ACCOUNT
    with gateway:
        yield gateway


def cell(gateway: SimulatedGateway) -> str:
    """A cell that opens the live account of a gateway with all that is asked for."""
    return OPEN_LIVE.format(port=gateway.port, account=LIVE_ACCOUNT)


def notebook_with(source: str) -> Any:
    """A notebook of one cell."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def looked_at(environ: dict[str, str] | None = None, **more: Any) -> Surroundings:
    """Surroundings with a little changed from those of a notebook in JupyterLab."""
    lab = {"parent_command": ("/usr/bin/python3", "/usr/bin/jupyter-lab"), "allows_input": True}
    return Surroundings(environ={"HOME": "/home/trader", **(environ or {})}, host="trading-box", **(lab | more))


def test_a_notebook_in_jupyterlab_may_open_a_live_account() -> None:
    """A person sits there; a script that somebody wrote and started may, too."""
    assert looked_at().live_obstacle is None
    assert looked_at(allows_input=None, parent_command=("/bin/bash",)).live_obstacle is None


@pytest.mark.parametrize(
    ("environ", "more", "words"),
    [
        ({"BINDER_LAUNCH_HOST": "https://mybinder.org/"}, {}, "on Binder"),
        ({"BINDER_REPO_URL": "x", "JUPYTERHUB_USER": "y"}, {}, "on Binder"),
        ({"JUPYTERHUB_API_URL": "http://hub:8081/hub/api"}, {}, "shared hub"),
        ({"COLAB_RELEASE_TAG": "release"}, {}, "shared hub"),
        ({"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, {}, "shared hub"),
        ({"SERVER_SOFTWARE": "voila/0.5.8"}, {}, "Voilà"),
        ({}, {"parent_command": ("/usr/bin/python3", "/usr/bin/jupyter-nbconvert", "--execute")}, "nbconvert"),
        ({}, {"parent_command": ("/usr/bin/python3", "-m", "nbconvert", "--execute")}, "nbconvert"),
        ({}, {"parent_command": ("/usr/bin/python3", "/opt/bin/papermill", "a.ipynb", "b.ipynb")}, "papermill"),
        ({}, {"parent_command": ("/usr/bin/python3", "/opt/bin/jupyter-execute", "a.ipynb")}, "jupyter execute"),
        ({}, {"parent_command": ("python.exe", "C:/bin/papermill.exe", "a.ipynb")}, "papermill"),
        ({}, {"parent_command": ("/usr/bin/python3", "/opt/bin/voila", "a.ipynb")}, "Voilà"),
        ({}, {"allows_input": False}, "without a front end"),
    ],
)
def test_each_sign_of_an_unattended_notebook_is_told_in_words(
    environ: dict[str, str], more: dict[str, Any], words: str
) -> None:
    """Any one sign is enough, and the remedy is said without naming the computer."""
    obstacle = looked_at(environ, **more).live_obstacle

    assert obstacle is not None
    assert words in obstacle
    assert LIVE_HOSTS in obstacle
    assert "trading-box" not in obstacle


def test_a_notebook_named_like_a_runner_is_no_runner() -> None:
    """Only the words that say what runs count, not a file that is far behind them."""
    command = ("/usr/bin/python3", "/usr/bin/jupyter-lab", "--no-browser", "--port=8888", "papermill")

    assert looked_at(parent_command=command).live_obstacle is None


@pytest.mark.parametrize("value", ["trading-box", "other, Trading-Box"])
def test_whoever_runs_a_computer_may_list_it(value: str) -> None:
    """By its name: a list that was written for another computer allows nothing here."""
    hub = {"JUPYTERHUB_USER": "x"}

    assert looked_at({LIVE_HOSTS: value, **hub}).live_obstacle is None
    assert looked_at({LIVE_HOSTS: "other", **hub}).live_obstacle is not None
    assert looked_at({LIVE_HOSTS: "", **hub}).live_obstacle is not None


@pytest.mark.timeout(120)
def test_a_person_at_a_front_end_opens_the_account_and_a_runner_in_the_same_kernel_does_not(
    live_gateway: SimulatedGateway, tmp_path: Path
) -> None:
    """The very same cell: what counts is whether the request that is carried out can ask somebody."""
    with kernel(folder=tmp_path) as page:
        attended = page.run(cell(live_gateway))
        unattended = page.run(cell(live_gateway), allow_stdin=False)

    assert attended.text.strip() == "opened LIVE U•••67"
    assert unattended.text.startswith("LiveNotAllowedHere U•••67 is a live account, and this notebook runs without")


@pytest.mark.timeout(120)
def test_nbclient_opens_no_live_account(live_gateway: SimulatedGateway, tmp_path: Path) -> None:
    """Nothing is asked of the account, whose session is over when the cell is."""
    notebook = notebook_with(cell(live_gateway))

    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()

    [output] = notebook.cells[0].outputs
    assert output.text.startswith("LiveNotAllowedHere U•••67 is a live account")
    assert LIVE_ACCOUNT not in output.text
    assert not (tmp_path / "data").exists()


@pytest.mark.timeout(120)
def test_jupyter_execute_opens_no_live_account_and_says_who_runs_it(
    live_gateway: SimulatedGateway, tmp_path: Path
) -> None:
    """The command as a person would put it into a timer; listed, the computer may."""
    path = tmp_path / "story.ipynb"
    nbformat.write(notebook_with(cell(live_gateway)), path)
    command = [Path(sys.executable).parent / "jupyter-execute", path, "--output", "done.ipynb"]

    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=100)

    [shown] = json.loads((tmp_path / "done.ipynb").read_text())["cells"][0]["outputs"]
    assert "".join(shown["text"]).startswith(
        "LiveNotAllowedHere U•••67 is a live account, and this notebook runs under"
    )


@pytest.mark.timeout(120)
def test_a_listed_computer_opens_a_live_account_unattended(
    live_gateway: SimulatedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who runs the computer has decided so, outside every notebook."""
    monkeypatch.setenv(LIVE_HOSTS, Surroundings.of_now().host)
    notebook = notebook_with(cell(live_gateway))

    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()

    assert notebook.cells[0].outputs[0].text.strip() == "opened LIVE U•••67"
