"""The stop button ends the waiting of a cell, and nothing else; the cell says so."""

from pathlib import Path

import pytest

from tests.cells.kernels import FrontEnd, kernel

SENTENCE = "Interrupt does not stop trading; Kill all does."


def work(page: FrontEnd) -> None:
    """Send an order that rests at mid for hours."""
    ran = page.run(
        "import asyncio, hydra_nb\n"
        "desk = await hydra_nb.connect(journal=':memory:', speed=5)\n"
        "plan = await desk.preview('BUY', 3, 'ZO', strategy='limit_patience', patience=3600, duration='2h')\n"
        "execution = await desk.submit(plan)\n"
        "await asyncio.sleep(0.5)\n"
    )
    assert ran.error is None, ran.text


@pytest.mark.timeout(120)
@pytest.mark.parametrize("waiting", ["await execution", "await asyncio.gather(execution)"])
def test_an_interrupted_cell_says_that_trading_goes_on(tmp_path: Path, waiting: str) -> None:
    """The cell ends at once, its output names the way to stop, and the order works as before."""
    with kernel(folder=tmp_path) as page:
        work(page)
        before = page.value("str(execution.status), execution.working_lots + execution.filled_lots")

        request = page.send(waiting)
        page.pause(1.0)
        page.interrupt()
        ran = page.wait(request, timeout_s=10)

        after = page.value("str(execution.status), execution.working_lots + execution.filled_lots")
        closed = page.run("await desk.kill('end of the test')\nawait desk.close()\nprint(execution.status)")

    assert ran.error in ("CancelledError", "KeyboardInterrupt")
    assert SENTENCE in ran.text
    assert before == after == "('working', 3)"
    assert closed.text.startswith("cancelled")


@pytest.mark.timeout(120)
def test_a_cell_that_waits_for_nothing_of_ours_says_nothing(tmp_path: Path) -> None:
    """An order that is over is no longer anybody's concern."""
    with kernel(folder=tmp_path) as page:
        work(page)
        page.run("await execution.cancel()")
        request = page.send("await execution\nawait asyncio.sleep(30)")
        page.pause(1.0)
        page.interrupt()
        ran = page.wait(request, timeout_s=10)

    assert ran.error in ("CancelledError", "KeyboardInterrupt")
    assert SENTENCE not in ran.text
