"""The report of an order as its reader sees it: alone, in both themes, on a small screen, and without a script."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hydra_nb.analysis.report import write_report
from tests.analysis.report_story import told
from tests.browser.looking import faint

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Picture = Callable[[str], Path]

DRAWN = "() => [...document.querySelectorAll('.drawn')].map(node => node.querySelectorAll('svg.main-svg').length)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of an order with refusals, fills and an alert."""
    return write_report(told().journal, "P-0001", tmp_path_factory.mktemp("report") / "report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_stands_alone_and_every_word_can_be_read(
    browser: "Browser", report: Path, picture: Picture, scheme: str
) -> None:
    """Nothing is asked of any other place, nothing complained of, all figures are drawn, contrast is 4.5:1 or more."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(report.as_uri())
    page.wait_for_function(f"({DRAWN})().every(count => count > 0)")

    page.screenshot(path=picture(f"report-{scheme}"), full_page=True)
    assert asked == [report.as_uri()]
    assert complaints == []
    assert len(page.evaluate(DRAWN)) == 4
    assert faint(page.locator("body")) == []
    page.close()


def test_a_small_screen_scrolls_tables_and_not_the_page(browser: "Browser", report: Path, picture: Picture) -> None:
    """A telephone shows all of it, tables by a scroll bar of their own."""
    page = browser.new_page(viewport={"width": 390, "height": 800})

    page.goto(report.as_uri())
    page.wait_for_function(f"({DRAWN})().every(count => count > 0)")

    page.screenshot(path=picture("report-narrow"), full_page=True)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.close()


def test_tables_are_there_without_a_script(browser: "Browser", report: Path) -> None:
    """The figures say that they are not."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(report.as_uri())

    notes = page.locator("noscript p")
    assert [note.is_visible() for note in notes.all()] == [True] * 4
    assert "needs JavaScript" in notes.first.inner_text()
    assert page.get_by_role("table", name="Fills, latest corrections applied").get_by_role("row").count() == 3
    assert page.get_by_role("heading", level=1).inner_text().startswith("▲ BUY 5 ZOK6")
    context.close()
