"""JupyterLab in a folder of its own, and a notebook in it as a person sees it in Chromium."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, sync_playwright

WIDE = (1280, 800)
NARROW = (1021, 800)
"""A window that leaves an output cell of 848 px, as an open side bar does in the wide one."""
MOST_LOG_LINES = 500
LONGEST_MS = 60_000

_KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
_OPENED = """
async (path) => {
    const deadline = Date.now() + 60000;
    while (Date.now() < deadline) {
        const session = window.jupyterapp?.shell?.currentWidget?.context?.sessionContext;
        if (session?.path === path && session.isReady && session.session?.kernel?.connectionStatus === 'connected'
            && session.session.kernel.status === 'idle') return true;
        await new Promise(next => setTimeout(next, 100));
    }
    return false;
}
"""
_RUN = """
([command, number]) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    if (number !== null) notebook.activeCellIndex = number; // in one step: a focus makes its cell the active one
    notebook.deselectAll();
    window.countBefore = Math.max(0, ...notebook.widgets.map(cell => cell.model.executionCount ?? 0));
    const all = window.commandsUnderWay ??= new Set();
    const begun = window.jupyterapp.commands.execute(command).finally(() => all.delete(begun));
    all.add(begun);
}
"""
_IS_IDLE = """
() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.widgets.map(cell => cell.model);
    if (panel.context.sessionContext.session.kernel.status !== 'idle') return false;
    const last = cells.findLastIndex(cell => (cell.executionCount ?? 0) > window.countBefore);
    if (cells.some((cell, at) => cell.executionState === 'running' && at > last)) return false;
    // A kernel that answers a comm while a cell ends may tell the end as that of the comm, as ipykernel 7.4 does:
    // JupyterLab then shows the cell as running for good. Cells run in order: one before another that ended is over.
    if (cells.some(cell => cell.executionState === 'running')) window.commandsUnderWay?.clear();
    return !window.commandsUnderWay?.size;
}
"""
"""Whether the cells of the last command are over."""
_QUIET = """
{"@jupyterlab/apputils-extension:notification":
    {"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true},
 "@jupyterlab/docmanager-extension:plugin": {"autosave": false}}
"""


def chromium() -> str | None:
    """Give the path of Chromium; None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A JupyterLab that runs, and the folder that it serves."""

    address: str
    folder: Path

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Write a notebook of these code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.folder / name)


@contextlib.contextmanager
def running_lab(folder: Path, *, environment: dict[str, str] | None = None) -> Iterator[Lab]:
    """Run JupyterLab without a token on a port of its own, with its settings and state in `folder`."""
    state = folder / ".jupyter"
    overrides = state / "lab-settings"
    overrides.mkdir(parents=True, exist_ok=True)
    (overrides / "overrides.json").write_text(_QUIET)
    options = ("--no-browser", "--port=0", "--IdentityProvider.token=", f"--LabApp.user_settings_dir={state / 'user'}")
    options += (f"--LabApp.workspaces_dir={state / 'spaces'}", f"--LabApp.app_settings_dir={overrides}")
    options += ("--LabApp.expose_app_in_browser=True", "--allow-root", f"--ServerApp.root_dir={folder}")
    words = [sys.executable, "-m", "jupyterlab", *options]
    variables = {**os.environ, "JUPYTER_RUNTIME_DIR": str(state / "runtime"), **(environment or {})}
    process = subprocess.Popen(words, cwd=folder, env=variables, stderr=subprocess.PIPE, text=True)
    try:
        yield Lab(address=_address(process), folder=folder)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for _ in range(MOST_LOG_LINES):
        line = process.stderr.readline()
        assert line or process.poll() is None, f"JupyterLab ended with status {process.poll()}"
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab", line)
        if found:
            log = process.stderr
            threading.Thread(target=log.read, daemon=True).start()  # a pipe that nobody reads fills, and stops it
            return found[1]
    raise AssertionError(f"no address in {MOST_LOG_LINES} lines of JupyterLab's log")


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Run headless Chromium with a profile that is thrown away."""
    path = chromium()
    assert path is not None, "no Chromium on this machine"
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
            env={**os.environ, "HOME": home},
        )
        try:
            yield browser
        finally:
            browser.close()


class Notebook:
    """A notebook that is open in the browser, and what a person does with it.

    Parameters
    ----------
    page
        A page of the browser.
    lab, name
        The server, and the notebook's name in its folder.
    dark
        Whether JupyterLab's dark theme is chosen.
    """

    def __init__(self, page: Page, *, lab: Lab, name: str, dark: bool = False) -> None:
        self.page = page
        self.name = name
        page.set_default_timeout(LONGEST_MS)
        page.goto(f"{lab.address}/doc/tree/{name}?reset")
        page.wait_for_function("() => window.jupyterapp !== undefined")
        assert page.evaluate(_OPENED, name), f"the kernel of {name} was not ready within a minute"
        if dark:
            self.choose_theme("JupyterLab Dark")

    def choose_theme(self, name: str) -> None:
        """Switch JupyterLab's theme, and wait until it is there."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def run_all(self) -> None:
        """Start Run All; does not wait for its end."""
        self.page.evaluate(_RUN, ["notebook:run-all-cells", None])

    def run_cell(self, number: int) -> None:
        """Start one cell, counted from 0; does not wait for its end."""
        self.page.evaluate(_RUN, ["notebook:run-cell", number])

    def interrupt(self) -> None:
        """Interrupt the kernel."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()"
        )

    def restart(self) -> None:
        """Restart the kernel, without the question that JupyterLab asks, and wait until it is idle."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
        )
        assert self.page.evaluate(_OPENED, self.name), "the kernel did not come back"

    def wait_idle(self) -> None:
        """Wait until no cell runs or waits."""
        self.page.wait_for_function(_IS_IDLE)

    def output(self, number: int) -> Locator:
        """Give the output of a cell, counted from 0."""
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{number}'] .jp-OutputArea").first

    def text(self, number: int) -> str:
        """Give what a cell's output says, as a person reads it."""
        return self.output(number).inner_text()

    def run_code(self, code: str) -> str:
        """Run code in a cell below all others, and give what it printed."""
        number = self.cells()
        self.page.evaluate(
            """code => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const model = notebook.model.sharedModel;
                model.insertCell(model.cells.length, {cell_type: 'code', source: code, metadata: {trusted: true}});
            }""",
            code,
        )
        self.run_cell(number)
        self.output(number).locator(".jp-OutputArea-output").first.wait_for(state="attached")
        return self.text(number).strip()

    def errors(self) -> list[str]:
        """What cells say that failed."""
        found = self.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']")
        return [str(each) for each in found.all_inner_texts()]

    def cells(self) -> int:
        """Count the cells of the notebook."""
        return int(self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length"))

    def to_top(self, number: int) -> None:
        """Scroll so that a cell's output is seen from its top."""
        self.output(number).evaluate("node => node.scrollIntoView({block: 'start'})")

    def picture(self, path: Path, *, of: Locator | None = None, output: int | None = None) -> None:
        """Save a screenshot of the window, scrolled to the output of a cell where one is named, or of a part of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if output is not None:
            self.to_top(output)
        if of is None:
            self.page.screenshot(path=path)
        else:
            of.screenshot(path=path)
