"""The first command of the README: JupyterLab comes up and serves the tour."""

import importlib.util
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab") is None, reason="JupyterLab is not installed; pip install 'hydra_nb[lab]'"
)

MAX_LOG_LINES = 500


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Run ``hydra-nb lab --no-browser`` in an empty folder; gives its address and its token."""
    words = [sys.executable, "-c", "from hydra_nb.cli import main; main()", "lab", "--no-browser", "--port=0"]
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert process.stderr is not None
        for _ in range(MAX_LOG_LINES):
            line = process.stderr.readline()
            assert line or process.poll() is None, f"JupyterLab ended with status {process.poll()}"
            address = re.search(r"(http://127\.0\.0\.1:\d+)/lab/tree/tour\.ipynb\?token=(\w+)", line)
            if address:
                yield address[1], address[2]
                return
        pytest.fail(f"no address of the tour in {MAX_LOG_LINES} lines")
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.mark.timeout(120)
def test_lab_serves_the_tour(served: tuple[str, str]) -> None:
    """The page opens on the tour, and the notebook that is served is the one that we wrote."""
    address, token = served

    with urllib.request.urlopen(f"{address}/lab/tree/tour.ipynb?token={token}", timeout=30) as page:  # noqa: S310
        status = page.status
    with urllib.request.urlopen(f"{address}/api/contents/tour.ipynb?token={token}", timeout=30) as reply:  # noqa: S310
        served_notebook = json.load(reply)["content"]

    assert status == 200
    assert served_notebook["cells"][0]["source"].startswith("# A tour of hydra_nb")
