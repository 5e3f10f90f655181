"""Virtual environments for clients written by others, made once and kept in the user's cache."""

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

SCRIPTS = Path(__file__).parent
INSTALL_TIMEOUT_S = 120

IB_INSYNC = ("ib_insync==0.9.86",)
OLD_IBAPI = ("ibapi==9.81.1.post1",)
NEW_IBAPI = ("nautilus-ibapi==10.46.1", "protobuf>=5.29")  # the package does not name what it needs


def python_with(*requirements: str) -> Path:
    """The Python of an environment with some requirements; skips the test where they cannot be installed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = platformdirs.user_cache_path("hydra_nb") / "foreign-clients" / f"{requirements[0]}-py{version}"
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    complete = folder / "complete"
    if not complete.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_TIMEOUT_S)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        try:
            done = subprocess.run(
                [*install, *requirements], capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"pip could not install {requirements} in {INSTALL_TIMEOUT_S} s")
        if done.returncode != 0:
            pytest.skip(f"pip could not install {requirements}: {done.stderr.strip()[-300:]}")
        complete.touch()
    return python
