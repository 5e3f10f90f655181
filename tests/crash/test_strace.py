"""The operating system's own word: the intent is on the disk before the order is on the wire."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_nb.domain.events import ChildReserved
from hydra_nb.journal import JournalReader
from tests.crash.processes import gateway

SPEED = 60.0
TRACED = "trace=fdatasync,fsync,write,pwrite64,pwritev,writev,sendto,sendmsg"


def why_not() -> str | None:
    """Why nothing can be traced here; None where it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    probe = subprocess.run([strace, "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"tracing is not permitted: {probe.stderr.strip()[:200]}"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], str]:
    """System calls of one order's life, in order, and the order's name."""
    obstacle = why_not()
    if obstacle is not None:
        pytest.skip(obstacle)
    folder = tmp_path_factory.mktemp("strace")
    journal, output = folder / "journal.sqlite", folder / "calls"
    program = Path(__file__).with_name("one_order.py")
    with gateway(speed=SPEED) as port:
        strace = ["strace", "-f", "-y", "-s", "1000000", "-e", TRACED, "-o", str(output)]
        words = [sys.executable, str(program), str(port), str(SPEED), str(journal)]
        done = subprocess.run([*strace, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with JournalReader.open(journal) as reader:
        [first, *_] = [event for _, event in reader.events(kinds=[ChildReserved]) if isinstance(event, ChildReserved)]
    return finished_calls(output.read_text(encoding="utf-8", errors="replace")), first.child.order_ref


def finished_calls(text: str) -> list[str]:
    """One line a call, ``name(...) = result``: a write stands where it began, a sync where it ended.

    Where another thread's line came between, strace tells a call in two halves; they are put together here.
    """
    begun: dict[str, str] = {}
    calls: list[str] = []
    for line in text.splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
            if "sync(" not in call:
                calls.append(call)
        elif call.startswith("<... "):
            start = begun.pop(process, "")
            if "sync(" in start:
                calls.append(start + call.partition("resumed>")[2])
        else:
            calls.append(call)
    return calls


def is_place(call: str, order_ref: str) -> bool:
    """Whether a call writes a frame of message 3 with this name to a socket."""
    return re.match(r"(sendto|sendmsg|write|writev)\(\d+<(TCP|socket)", call) is not None and order_ref in call


def test_the_intent_is_synced_between_its_write_and_the_socket(traced: tuple[list[str], str]) -> None:
    """Write to the log with the order's name, then fdatasync of that log, then the frame with the order's name."""
    calls, order_ref = traced

    sent = next(number for number, call in enumerate(calls) if is_place(call, order_ref))
    written = [n for n, call in enumerate(calls[:sent]) if "-wal>" in call and "write" in call and order_ref in call]
    synced = [n for n, call in enumerate(calls[:sent]) if re.match(r"f(data)?sync\(\d+<[^>]*-wal>\)\s+= 0", call)]

    assert re.search(r'"[^"]{0,40}3\\0', calls[sent]), "the frame is not a placeOrder"
    assert written, "the intent was not written to the log before it was sent"
    assert synced, "the log was not synced before the order was sent"
    assert written[0] < synced[-1] < sent
    assert max(written) < max(synced), "something of the intent was written after the last sync before the send"


def test_no_frame_with_the_orders_name_left_before_its_intent_was_written(traced: tuple[list[str], str]) -> None:
    """The first thing that the outside hears of the order comes after the disk heard of it."""
    calls, order_ref = traced

    mentions = [call for call in calls if order_ref in call]

    assert "-wal>" in mentions[0]
    assert any(is_place(call, order_ref) for call in mentions)
