"""The first command of the README: JupyterLab comes up and serves the tour."""

import importlib.util
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab") is None, reason="JupyterLab is not installed; pip install 'hydra_nb[lab]'"
)

MAX_LOG_LINES = 500
MAX_WAIT_S = 30.0


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


def fetch(address: str) -> bytes:
    """Get a page; the server tells its address a moment before it listens, so try for a while."""
    deadline_s = time.monotonic() + MAX_WAIT_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=MAX_WAIT_S) as reply:  # noqa: S310  our own server's address
                return bytes(reply.read())
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


@pytest.mark.timeout(120)
def test_lab_serves_the_tour(served: tuple[str, str]) -> None:
    """The page opens on the tour, and the notebook that is served is the one that we wrote."""
    address, token = served

    page = fetch(f"{address}/lab/tree/tour.ipynb?token={token}")
    notebook = json.loads(fetch(f"{address}/api/contents/tour.ipynb?token={token}"))["content"]

    assert b"JupyterLab" in page
    assert notebook["cells"][0]["source"].startswith("# A tour of hydra_nb")
