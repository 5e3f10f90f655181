"""Cells run again, all cells run again, kernels started again: nothing stacks, and nothing is sent a second time."""

import os
from collections import Counter
from pathlib import Path

import pytest

from hydra_nb.domain.events import ChildSent, ParentSubmitted
from hydra_nb.domain.orders import Action
from hydra_nb.journal import JournalReader
from tests.cells.kernels import kernel
from tests.cells.stories import NOTEBOOKS, moved_to, of_file, run_all, speed_of, text_of
from tests.crash.processes import gateway

IS_FULL = os.environ.get("HYDRA_FULL") == "1"
RUNS = 10 if IS_FULL else 2
TICKET = "order_ticket.ipynb"


def test_a_cell_run_again_stacks_neither_desks_nor_tickets_nor_views(tmp_path: Path) -> None:
    """What it makes takes the place of what it made before, on the page and among those that hear of changes."""
    cell = (
        "import asyncio, hydra_nb\n"
        "desk = await hydra_nb.connect(journal=':memory:')\n"
        "plan = await desk.preview('BUY', 1, 'ZO', strategy='limit_patience')\n"
        "execution = await desk.submit(plan)\n"
        "ticket, view, whole = desk.ticket('ZO'), execution.view(), desk.view()\n"
        "await asyncio.sleep(0.2)"
    )
    count = (
        "import ipywidgets, threading\n"
        "VIEWS = ('OrderTicket', 'ExecutionView', 'DeskView', 'FigureWidget', 'KeyGuard')\n"
        "manager = desk._rooms.manager\n"
        "len(manager._listeners._listeners), len(manager.ledger.parents), "
        "[type(one).__name__ for one in ipywidgets.widget._instances.values() if type(one).__name__ in VIEWS], "
        "threading.active_count(), id(desk), id(execution)"
    )

    with kernel(folder=tmp_path) as page:
        assert page.run(cell).error is None
        first = page.value(count)
        again = [page.run(cell) for _ in range(4)]
        last = page.value(count)
        page.run("await desk.close()")

    assert [ran.error for ran in again] == [None] * 4
    assert all("Already sent at" in ran.text and "as P-0001; nothing was sent." in ran.text for ran in again)
    assert last == first
    assert first.count("OrderTicket") == 1


@pytest.mark.timeout(600)
def test_run_alls_in_one_kernel_send_one_order(tmp_path: Path) -> None:
    """The others do not arm the ticket, and show the order that there is."""
    told = (
        "manager = desk._rooms.manager\nlen(manager.ledger.parents), len(manager.ledger.orders), execution.filled_lots"
    )

    *seen, counts = run_all(of_file(TICKET), folder=tmp_path, times=RUNS, then=told)

    assert text_of(counts) == "(1, 1, 3)"
    assert all("orders sent: 1" in text_of(outputs) for outputs in seen)
    assert ["armed: True" in text_of(outputs) for outputs in seen] == [True] + [False] * (RUNS - 1)
    assert not [output for outputs in seen for output in outputs if output.output_type == "error"]


@pytest.mark.timeout(600)
def test_run_alls_in_fresh_kernels_send_one_order(tmp_path: Path) -> None:
    """One journal and one gateway program remember what every kernel forgets; each kernel is killed in the end."""
    journal = tmp_path / "journal.sqlite"

    with gateway(speed=speed_of(of_file(TICKET))) as port:
        seen = [run_all(moved_to(of_file(TICKET), port=port, journal=journal), folder=tmp_path)[0] for _ in range(RUNS)]

    with JournalReader.open(journal) as reader:
        events = Counter(type(event) for _, event in reader.events(kinds=[ParentSubmitted]))
        sent = [event for _, event in reader.events(kinds=[ChildSent]) if event.action is Action.PLACE]
    assert events == {ParentSubmitted: 1}
    assert len(sent) == 1
    assert ["armed: True" in text_of(outputs) for outputs in seen] == [True] + [False] * (RUNS - 1)


@pytest.mark.skipif(not IS_FULL, reason="all notebooks twice: set HYDRA_FULL=1")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))])
def test_every_notebook_runs_again_from_the_top_in_its_kernel(name: str, tmp_path: Path) -> None:
    """A person does so after every change of a cell."""
    *seen, _ = run_all(of_file(name), folder=tmp_path, times=2, then="None")

    assert not [output for outputs in seen for output in outputs if output.output_type == "error"]
