"""One desk at a time holds a journal, on a local disk."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_nb.errors import JournalLocked, JournalUnwritable
from hydra_nb.journal import Journal
from hydra_nb.journal.lock import network_file_system

from .conftest import ACCOUNT, START_NS

HOLD = """
import sys
from pathlib import Path
from hydra_nb.journal import Journal
journal = Journal.open(Path(sys.argv[1]), account=sys.argv[2], now_ns=1)
print("held", flush=True)
sys.stdin.read()
"""
MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/me/scratch tmpfs rw 0 0
me@far:/ /mnt/a\\040b fuse.sshfs rw 0 0
//nas/share /mnt/nas cifs rw 0 0
"""


def test_a_second_desk_is_told_who_holds_the_journal(journal: Journal, path: Path) -> None:
    """A second opening in the same process is refused and names the process and the time."""
    assert journal.healthy

    with pytest.raises(JournalLocked, match=rf"this process \(process {os.getpid()}, since \d{{4}}-"):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS)


def test_another_process_holds_it_until_it_dies(path: Path) -> None:
    """The lock of a killed process is gone with it, whatever it was doing."""
    command = [sys.executable, "-c", HOLD, str(path), ACCOUNT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(JournalLocked, match=rf"another desk \(process {holder.pid}"):
            Journal.open(path, account=ACCOUNT, now_ns=START_NS)
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    Journal.open(path, account=ACCOUNT, now_ns=START_NS).close()


def test_a_refused_opening_gives_the_lock_back(path: Path) -> None:
    """After an opening that failed behind the lock, the next one succeeds."""
    path.parent.mkdir()
    path.write_text("this is a diary, not a journal" * 100)
    with pytest.raises(Exception, match="cannot be read as a journal"):
        Journal.open(path, account=ACCOUNT, now_ns=START_NS)

    path.unlink()

    Journal.open(path, account=ACCOUNT, now_ns=START_NS).close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tmp/j.sqlite", None),  # noqa: S108, a name only
        ("/home/me/j.sqlite", "nfs4"),
        ("/home/me/scratch/j.sqlite", None),
        ("/homely/j.sqlite", None),
        ("/mnt/a b/j.sqlite", "fuse.sshfs"),
        ("/mnt/nas/deep/er/j.sqlite", "cifs"),
    ],
)
def test_network_file_systems_are_recognised(path: str, kind: str | None) -> None:
    """The innermost mount decides, with blanks in its name as the kernel writes them."""
    assert network_file_system(Path(path), mounts=MOUNTS) == kind


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A path through a file raises an error of the journal, not of the operating system."""
    (tmp_path / "file").touch()

    with pytest.raises(JournalUnwritable, match="folder"):
        Journal.open(tmp_path / "file" / "j.sqlite", account=ACCOUNT, now_ns=START_NS)
