"""The files for Binder: accepted by its own tool, and leading into the tour."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.crash.processes import Lines

ROOT = Path(__file__).parent.parent
MAX_TRIES = 100
REPO2DOCKER = shutil.which("jupyter-repo2docker")


def landing_at(address: str) -> str:
    """Where a browser ends that opens a page; the server tells its address a moment before it listens."""
    for _ in range(MAX_TRIES):
        try:
            with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310  our own server
                return str(page.geturl())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.2)
    raise AssertionError(f"nobody listens after {MAX_TRIES} tries")


@pytest.mark.skipif(
    REPO2DOCKER is None, reason="jupyter-repo2docker is not on the path; pip install jupyter-repo2docker"
)
def test_the_tool_of_binder_accepts_the_files(tmp_path: Path) -> None:
    """Without docker it says what it would build: the packages, then the package itself."""
    wanted = shutil.ignore_patterns(".git", ".*_cache", "__pycache__", "tests", "docs")
    checkout = shutil.copytree(ROOT, tmp_path / "checkout", ignore=wanted)

    command = [str(REPO2DOCKER), "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert "python=3.11" in told
    assert told.index('pip install --no-cache-dir -r "binder/requirements.txt"') < told.index("RUN ./binder/postBuild")


def test_the_build_script_is_a_program_that_the_shell_understands() -> None:
    """Binder runs it as it is."""
    script = ROOT / "binder" / "postBuild"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.timeout(120)
def test_a_newcomer_lands_in_the_tour(tmp_path: Path) -> None:
    """The root of the server leads there, with the configuration that the build script puts into place."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed; pip install 'hydra_nb[lab]'")
    place = tmp_path / "etc" / "jupyter"
    place.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "pip").chmod(0o755)
    beside = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(tmp_path)}
    subprocess.run([ROOT / "binder" / "postBuild"], cwd=ROOT, env=os.environ | beside, check=True)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--IdentityProvider.token=t"]
    environ = os.environ | {"JUPYTER_CONFIG_PATH": str(place), "JUPYTER_CONFIG_DIR": str(tmp_path / "none")}

    with subprocess.Popen(
        [*command, "--allow-root"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            lines = Lines(server.stderr)
            while not (found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/", lines.next())):
                pass
            landed = landing_at(f"{found[0]}?token=t")
        finally:
            server.kill()

    assert landed.partition("?")[0].endswith("/lab/tree/notebooks/tour.ipynb")
    assert (ROOT / "notebooks" / "tour.ipynb").exists()
