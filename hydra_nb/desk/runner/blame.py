"""Where in a person's own code an error comes from, in words that name no folder of theirs."""

import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

_OURS = Path(__file__).parents[2]
_OF_OTHERS = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_LONGEST = 500


def error_words(error: BaseException) -> str:
    """Type, message and the last line of the person's code: ``ValueError: no prices (signals.py, line 12)``."""
    where = _place(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename is not None:
        where = f"{_file_name(error.filename)}, line {error.lineno}"
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    words = " ".join(f"{type(error).__name__}: {message}".rstrip(": ").split())
    if len(words) > _LONGEST:
        words = f"{words[:_LONGEST]}…"
    return words if where is None else f"{words} ({where})"


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
