"""A kernel that is busy, or was restarted: the page says so by itself, and what it shows is dead or greyed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from hydra_nb import SimulatedGateway
from tests.browser.lab import Notebook
from tests.browser.views import View, until

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

DESK = """
import hydra_nb
desk = await hydra_nb.connect("127.0.0.1:{port}", journal={journal!r})
desk.view()
"""
ORDER = """
plan = await desk.preview("BUY", 6, "ZO", strategy="twap", slices=3, duration="45m", seed=1)
execution = await desk.submit(plan)
execution.view()
"""
SLEEP = "import time; time.sleep(15)"
NEWS_MS = 13_000
"""The page counts 10 s from the last beat; the rest is for a machine that is loaded."""
OWN = "hy:"


@pytest.fixture
def market() -> Iterator[SimulatedGateway]:
    """A gateway that outlives the kernel."""
    with SimulatedGateway(seed=7) as gateway:
        yield gateway


def at_work(market: SimulatedGateway) -> list[str]:
    """Our own orders at the exchange."""
    orders = market.call(market.exchange.open_orders)
    return [one.terms.order_ref for one in orders if one.terms.order_ref.startswith(OWN)]


def is_greyed(veil: Locator) -> bool:
    """Whether what lies below the veil cannot be hit by the mouse."""
    return bool(veil.evaluate("node => getComputedStyle(node).pointerEvents !== 'none'"))


def test_no_news_shows_while_a_cell_sleeps_and_after_a_restart_and_the_order_is_found_interrupted(
    open_notebook: Open, picture: Picture, market: SimulatedGateway, tmp_path: Path
) -> None:
    """Old views are inert after a restart; the desk that is opened again shows what became of the order."""
    connect = DESK.format(port=market.port, journal=str(tmp_path / "journal.sqlite"))
    notebook = open_notebook(connect, ORDER, SLEEP)
    notebook.run_cell(0)
    notebook.wait_idle()
    notebook.run_cell(1)
    view = View(notebook, "execution")
    expect(view.state).to_contain_text("Working")
    until(lambda: len(at_work(market)) == 1)
    notebook.wait_idle()
    notebook.to_top(1)

    notebook.run_cell(2)
    notebook.to_top(1)
    expect(view.veil).to_be_visible(timeout=NEWS_MS)
    notebook.picture(picture("no-news-while-a-cell-sleeps"), output=1)
    assert "To halt, run in a terminal: hydra-nb kill" in view.veil.inner_text()
    assert view.kill.is_enabled()
    expect(view.veil).to_be_hidden()
    notebook.wait_idle()
    expect(view.state).to_contain_text("Working")

    notebook.restart()
    notebook.to_top(1)
    expect(view.veil).to_be_visible(timeout=NEWS_MS)
    notebook.picture(picture("no-news-after-a-restart"), output=1)
    assert is_greyed(view.veil)
    view.button("Cancel order").dispatch_event("click")
    view.button("Pause").focus()
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_timeout(500)
    assert len(at_work(market)) == 1, "a dead view did something"
    notebook.run_cell(0)
    desk = View(notebook, "desk", output=0)
    desk.shows("Interrupted")
    notebook.picture(picture("desk-after-a-restart"), output=0)

    assert notebook.run_code("print(*desk.executions()['status'])") == "interrupted"
