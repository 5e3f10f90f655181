"""One JupyterLab and one Chromium for all tests of the browser."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab, Notebook

PICTURES = Path(__file__).parent.parent.parent / "docs" / "images"


def missing() -> str | None:
    """Say what a browser test needs and does not find; None where all is there."""
    for module in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed: pip install 'hydra_nb[lab,test]'"
    from tests.browser.lab import chromium

    return None if chromium() else "there is no Chromium: apt-get install chromium, or name it in CHROMIUM"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder, saying why, where they cannot run."""
    here = Path(__file__).parent
    own = [item for item in items if here in item.path.parents]
    reason = missing() if own else None
    if reason is not None:
        for item in own:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Lab]":
    """Run JupyterLab."""
    from tests.browser.lab import running_lab

    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Run Chromium."""
    from tests.browser.lab import running_browser

    with running_browser() as browser:
        yield browser


@pytest.fixture
def open_notebook(lab: "Lab", browser: "Browser") -> "Iterator[Callable[..., Notebook]]":
    """Give the way to open a notebook made of cells; its kernel ends with the test."""
    from tests.browser.lab import WIDE, Notebook

    opened: list[Notebook] = []

    def open_one(*cells: str, size: tuple[int, int] = WIDE, dark: bool = False) -> Notebook:
        name = f"notebook{len(list(lab.folder.glob('*.ipynb')))}.ipynb"
        lab.write(name, cells)
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        opened.append(Notebook(page, lab=lab, name=name, dark=dark))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        notebook.page.close()


@pytest.fixture
def picture() -> Callable[[str], Path]:
    """Give where a screenshot of this name is kept."""
    return lambda name: PICTURES / f"{name}.png"
