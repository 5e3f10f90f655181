"""Where in a person's own code an error comes from, in words that name no folder of theirs."""

import os
import re
import sysconfig
import traceback
from pathlib import Path, PureWindowsPath
from types import TracebackType

_OURS = Path(__file__).parents[2]
_OF_OTHERS = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_LONGEST = 500

_QUOTED = re.compile(
    r"""(?P<quote>['"])(?:~|[A-Za-z]:)?[\\/](?:(?!(?P=quote)).)*[\\/](?P<name>(?:(?!(?P=quote)).)*)(?P=quote)"""
)
_BARE = re.compile(
    r"""(?<![\w.:/\\~])(?:~|[A-Za-z]:)?[\\/](?:[^\s\\/'"<>|:;,()\[\]]+[\\/])+(?P<name>[^\s\\/'"<>|:;,()\[\]]*)"""
)
"""A path from the root of a machine, of either kind; one in quotes may hold blanks. A single name after a slash, as in
prices /bu, is none, nor is what follows the host of an address."""


def error_words(error: BaseException) -> str:
    """Type, message and the last line of the person's code: ``ValueError: no prices (signals.py, line 12)``."""
    where = _place(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename is not None:
        where = f"{_file_name(error.filename)}, line {error.lineno}"
    words = " ".join(f"{type(error).__name__}: {_message(error)}".rstrip(": ").split())
    if len(words) > _LONGEST:
        words = f"{words[:_LONGEST]}…"
    return words if where is None else f"{words} ({where})"


def without_folders(words: str) -> str:
    """Words of others in which each path of this machine is the name of its file only."""
    for folder in (Path.cwd(), Path.home()):  # these may hold blanks, which end a path that is not in quotes
        if len(folder.parts) > 1:
            words = words.replace(f"{folder}{os.sep}", f"~{os.sep}")
    words = _QUOTED.sub(lambda found: f"{found['quote']}{found['name']}{found['quote']}", words)
    return _BARE.sub(lambda found: found["name"], words)


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    if isinstance(error, OSError) and error.strerror is not None:
        names = [_name(path) for path in (error.filename, error.filename2) if path is not None]
        return ": ".join([without_folders(str(error.strerror)), *names])
    return without_folders(str(error))


def _name(path: object) -> str:
    """Name of a file in an error, which may be a number; of a path of either kind."""
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
    return PureWindowsPath(text).name


def _place(trace: TracebackType | None) -> str | None:
    """The innermost frame that is neither ours nor of an installed package; None where there is none."""
    for frame in reversed(traceback.extract_tb(trace)):
        if _is_own(frame.filename):
            return f"{_file_name(frame.filename)}, line {frame.lineno}"
    return None


def _is_own(filename: str) -> bool:
    path = Path(filename)
    if path.is_relative_to(_OURS) or filename.startswith("<frozen"):
        return False
    return not any(path.is_relative_to(folder) for folder in _OF_OTHERS)


def _file_name(filename: str) -> str:
    """Name of a file without its folder; a cell is a file of its kernel."""
    is_cell = filename.startswith("<ipython") or "ipykernel_" in filename
    return "cell" if is_cell else Path(filename).name
