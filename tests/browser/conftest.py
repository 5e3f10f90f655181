"""One JupyterLab and one Chromium for all tests of the browser."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab, Notebook

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
"""Where screenshots are kept for who wants to look at them; not part of the repository."""
README_PICTURES = HERE.parent.parent / "docs" / "images"
"""Where those that the README shows are kept, made anew where HYDRA_README_PICTURES is set."""


def missing() -> str | None:
    """Say what a browser test needs and does not find; None where all is there."""
    for module in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed: pip install 'hydra_nb[lab,test]'"
    from tests.browser.lab import chromium

    return None if chromium() else "there is no Chromium: apt-get install chromium, or name it in CHROMIUM"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder, saying why, where they cannot run."""
    own = [item for item in items if HERE in item.path.parents]
    reason = missing() if own else None
    if reason is not None:
        for item in own:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Lab]":
    """Run JupyterLab; its kernels keep the list of open desks, and what is typed, apart from the person's own."""
    from tests.browser.lab import running_lab

    apart = tmp_path_factory.mktemp("home")
    homes = {"XDG_DATA_HOME": str(apart / "data"), "IPYTHONDIR": str(apart / "ipython")}
    with running_lab(tmp_path_factory.mktemp("lab"), environment=homes) as lab:
        yield lab


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """Run Chromium."""
    from tests.browser.lab import running_browser

    with running_browser() as browser:
        yield browser


@pytest.fixture
def open_notebook(lab: "Lab", browser: "Browser") -> "Iterator[Callable[..., Notebook]]":
    """Give the way to open a notebook made of cells, or a copy of one; its kernel ends with the test."""
    from tests.browser.lab import WIDE, Notebook

    opened: list[Notebook] = []

    def open_one(
        *cells: str, copy_of: Path | None = None, size: tuple[int, int] = WIDE, dark: bool = False
    ) -> Notebook:
        name = f"notebook{len(list(lab.folder.glob('*.ipynb')))}.ipynb"
        if copy_of is None:
            lab.write(name, cells)
        else:
            (lab.folder / name).write_bytes(copy_of.read_bytes())
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


@pytest.fixture
def readme_picture() -> Callable[[str], Path]:
    """Give where a screenshot that the README shows is kept."""
    return lambda name: (README_PICTURES if "HYDRA_README_PICTURES" in os.environ else PICTURES) / f"{name}.png"
