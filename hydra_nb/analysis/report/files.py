"""Puts a page into a file, whole or not at all, and knows an earlier one by how it begins."""

import contextlib
import os
from pathlib import Path


def begins_with(path: Path, head: str) -> bool:
    """Whether a file begins as a page of the same subject does."""
    wanted = head.encode()
    with path.open("rb") as file:
        return file.read(len(wanted)) == wanted


def write_whole(path: Path, page: bytes) -> None:
    """Write beside the target and then put it in its place, so that nobody ever reads half a page.

    Raises
    ------
    OSError
        It cannot be; the error names the target, not what lay beside it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
