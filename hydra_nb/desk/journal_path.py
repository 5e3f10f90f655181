"""The path of a journal, which names an account and a folder of a person: for programs, not for the page."""

import sys
from pathlib import PosixPath, WindowsPath

if sys.platform == "win32":
    _Path = WindowsPath
else:
    _Path = PosixPath


class JournalPath(_Path):
    """A path like any other, but that a cell does not show it: outputs are saved with the notebook.

    ``print(path)`` shows it where it is wanted.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Say what it is, and how to see it."""
        return "<the journal's path; print it to see where>"
