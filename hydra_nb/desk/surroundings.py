"""Where this process runs: whether a person can be sitting before it, and whether others share the computer.

A live account is opened only where somebody sits before the notebook. What runs a notebook by itself, and what serves
one to the world, is told by signs that a kernel sees from inside; none of them is needed where another is there.
"""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra_nb.domain.accounts import mask_account

LIVE_HOSTS = "HYDRA_NB_LIVE_HOSTS"
"""The environment variable that lists, with commas, names of computers on which live is allowed all the same.

It is for whoever runs the computer: a notebook that is carried elsewhere does not carry it along.
"""

RUN_LIVE = "HYDRA_NB_RUN_LIVE"
"""The environment variable that lets a runner trade a live account: the last four characters of its number.

It is set where the program is started, and so by somebody who knows that nobody will be watching each order.
"""

_SERVED = (  # by the beginning of a variable's name, the most telling first
    ("BINDER_", "on Binder"),
    ("JUPYTERHUB_", "on a shared hub (JupyterHub)"),
    ("COLAB_", "on a shared hub (Colab)"),
    ("KAGGLE_", "on a shared hub (Kaggle)"),
    ("VOILA_", "under Voilà"),
)

_RUNNERS = {
    "nbconvert": "nbconvert",
    "jupyter-nbconvert": "nbconvert",
    "papermill": "papermill",
    "jupyter-execute": "jupyter execute",
    "jupyter-run": "jupyter run",
    "voila": "Voilà",
    "jupyter-voila": "Voilà",
}
_WORDS_OF_A_COMMAND = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a process sees of where it runs.

    Parameters
    ----------
    environ
        Its environment variables.
    host
        Name of the computer.
    parent_command
        The command line of the process that started this one; empty where it cannot be read.
    allows_input
        Whether the request that is being carried out comes from a front end that can ask a person; None outside a
        kernel, or where it does not say.
    """

    environ: Mapping[str, str]
    host: str
    parent_command: Sequence[str] = ()
    allows_input: bool | None = None

    @classmethod
    def of_now(cls) -> "Surroundings":
        """Look around, from inside the cell that runs."""
        return cls(
            environ=os.environ, host=socket.gethostname(), parent_command=_parent_command(), allows_input=_asks_people()
        )

    @property
    def unattended(self) -> str | None:
        """In words, by what sign nobody may be sitting here, or anybody; None where there is none."""
        for prefix, words in _SERVED:
            if any(name.startswith(prefix) and value for name, value in self.environ.items()):
                return words
        if self.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
            return "under Voilà"
        for word in self.parent_command[:_WORDS_OF_A_COMMAND]:
            runner = _RUNNERS.get(Path(word).stem if word.endswith((".exe", ".py")) else Path(word).name)
            if runner is not None:
                return f"under {runner}"
        return "without a front end that could ask a person" if self.allows_input is False else None

    @property
    def live_obstacle(self) -> str | None:
        """Why a live account is not opened here, and the remedy; None where it may be.

        It names no computer, since what a cell shows is saved.
        """
        unattended = self.unattended
        allowed = {name.strip().lower() for name in self.environ.get(LIVE_HOSTS, "").split(",")} - {""}
        if unattended is None or self.host.lower() in allowed:
            return None
        return (
            f"this notebook runs {unattended}, where a live account is not opened: run it yourself in JupyterLab on a"
            f" computer of your own, or let whoever runs this one list its name in {LIVE_HOSTS}"
        )


def runner_obstacle(account: str) -> str | None:
    """Why a runner may not trade a live account here, and the remedy; None where it may."""
    if os.environ.get(RUN_LIVE, "").strip().upper() == account[-4:].upper():
        return None
    return (
        f"a runner sends orders on {mask_account(account)} while nobody watches: besides confirm_live, set the"
        f" environment variable {RUN_LIVE} to the last four characters of the account, outside the notebook, before"
        " Jupyter or the program is started; or use dry_run=True, which sends nothing"
    )


def kernel() -> Any | None:
    """Give the IPython kernel that this process is; None in a script or a terminal."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # it is loaded already, so that this costs nothing

    return getattr(get_ipython(), "kernel", None)


def _asks_people() -> bool | None:
    """What the request that is being carried out says of asking a person; runners of notebooks say that they cannot."""
    running = kernel()
    if running is None:
        return None
    allows = running.get_parent().get("content", {}).get("allow_stdin")
    return allows if isinstance(allows, bool) else None


def _parent_command() -> tuple[str, ...]:
    """Read the command line of the parent process, where the system shows it as a file."""
    try:
        raw = Path(f"/proc/{os.getppid()}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in raw.split(b"\0") if word)
