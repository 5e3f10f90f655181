"""One desk at a time on a journal, by a lock of the operating system; and no journal on a network file system.

The lock is held on a side file, so that readers of the journal are never in its way, and ends with the
process that holds it, however that ends. Locks and durable writes of network file systems cannot be relied on:
they are refused where Linux tells the type of the file system, and not recognised elsewhere.
"""

import datetime as dt
import os
import sys
from pathlib import Path

from hydra_nb.errors import JournalLocked, JournalUnwritable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "ceph", "glusterfs", "lustre"}
    | {"fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs", "davfs", "fuse.davfs"}
)
_LOCKED_BYTE = 1 << 20  # far behind the text, so that others can read who holds the lock on Windows too


class JournalLock:
    """The lock on one journal, held from creation until `release`.

    Raises
    ------
    JournalLocked
        Another desk holds it; the message says which process, and since when.
    JournalUnwritable
        The side file cannot be made.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".lock")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalUnwritable(f"the lock {self.path} cannot be made: {error.strerror}") from error
        if not _try_lock(self._file):
            holder = _holder(self._file)
            os.close(self._file)
            raise JournalLocked(f"journal {journal} is held by {holder}; close that desk first")
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, str(os.getpid()).encode())

    def release(self) -> None:
        """Give the lock back. The side file stays: to remove it could take it from under the next holder."""
        os.close(self._file)


def is_held(journal: Path) -> bool:
    """Whether a desk, of this process or another, holds a journal now."""
    try:
        file = os.open(journal.with_name(journal.name + ".lock"), os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(file)
    finally:
        os.close(file)


def network_file_system(path: Path, *, mounts: str) -> str | None:
    """Type of the network file system that holds `path`, None where it is local or unknown.

    Parameters
    ----------
    path
        Absolute path, of a file or folder that need not exist.
    mounts
        Text in the form of ``/proc/mounts``: device, mount point, type, options.
    """
    found = "", ""
    for line in mounts.splitlines():
        words = line.split()
        if len(words) < 3:
            continue
        point = words[1].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(found[0]):
            found = point, words[2]
    return found[1] if found[1] in NETWORK_FILE_SYSTEMS else None


def refuse_network_file_system(path: Path) -> None:
    """Raise `JournalUnwritable` where Linux says that `path` lies on a network file system."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return
    kind = network_file_system(path.resolve(), mounts=mounts.read_text(encoding="utf-8", errors="replace"))
    if kind is not None:
        raise JournalUnwritable(
            f"journal {path} lies on a network file system ({kind}), which cannot promise that a write is durable; "
            "name a path on a local disk"
        )


def _try_lock(file: int) -> bool:
    """Whether the lock could be taken at once."""
    try:
        if sys.platform == "win32":
            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(file: int) -> str:
    """Who holds the lock, in words; the time is the file's own, which the holder wrote when it took the lock."""
    since = dt.datetime.fromtimestamp(os.fstat(file).st_mtime, tz=dt.UTC)
    os.lseek(file, 0, os.SEEK_SET)
    process = os.read(file, 32).decode(errors="replace").strip() or "unknown"
    whose = "this process" if process == str(os.getpid()) else "another desk"
    return f"{whose} (process {process}, since {since:%Y-%m-%d %H:%M:%S} UTC)"
