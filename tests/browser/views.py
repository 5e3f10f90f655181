"""A view on the page, as a person uses it: finds what it says and what can be pressed, by what stands on it."""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.lab import LONGEST_MS, Notebook

SOON_S = LONGEST_MS / 1000

_FOCUSED = """
() => {
    const node = document.activeElement;
    return node.getAttribute('aria-label') || node.labels?.[0]?.innerText || node.innerText || node.tagName;
}
"""

expect.set_options(timeout=LONGEST_MS)


class View:
    """A ticket, the view of an execution, or the view of a desk.

    Parameters
    ----------
    notebook
        Where it is.
    kind
        ``"ticket"``, ``"execution"`` or ``"desk"``.
    output
        Number of the cell that shows it; None where only one view of the kind is on the page.
    """

    def __init__(self, notebook: Notebook, kind: str, *, output: int | None = None) -> None:
        self.notebook = notebook
        self.page = notebook.page
        place = notebook.page if output is None else notebook.output(output)
        self.frame = place.locator(f".hy-frame.hy-{kind}")
        self.kill = self.frame.locator(".hy-kill").first
        self.veil = self.frame.locator(".hy-news").last

    @property
    def state(self) -> Locator:
        """What the header says of its state."""
        return self.frame.locator(".hy-header .hy-state").first

    def field(self, label: str) -> Locator:
        """The field with this label."""
        return self.frame.get_by_label(label, exact=True)

    def button(self, words: str) -> Locator:
        """The button that a screen reader calls so."""
        return self.frame.get_by_role("button", name=words, exact=True)

    def press(self, words: str) -> None:
        """Press a button with the mouse."""
        self.button(words).click()

    def shows(self, words: str) -> None:
        """Wait until the view says something."""
        expect(self.frame).to_contain_text(words)

    def fill(self, **fields: str) -> None:
        """Fill in fields, named by the first word of their label."""
        labels = {"lots": "Lots", "limit": "Limit, never passed", "duration": "Duration", "slices": "Slices"}
        for name, text in fields.items():
            field = self.field(labels[name])
            field.fill(text)
            field.press("Tab")

    def plan(self) -> str:
        """The short id of the plan that is shown; empty where there is none."""
        _, found, plan = (self.frame.locator(".hy-schedule-head").text_content() or "").rpartition("plan ")
        return plan.strip() if found else ""

    def arm(self) -> None:
        """Preview and arm: the plan that is then drawn, not one that stood there before it."""
        before = self.plan()
        self.press("Preview")
        expect(self.state).to_have_text("○ Planned")
        if before:
            expect(self.frame.locator(".hy-schedule-head")).not_to_contain_text(before)
        self.press("Arm")
        expect(self.button("Disarm")).to_be_visible()
        expect(self.frame.locator(".hy-send")).to_be_enabled()

    def send(self) -> None:
        """Press Send."""
        self.frame.locator(".hy-send").click()


def focused(notebook: Notebook) -> str:
    """What has the focus, as a screen reader names it."""
    return str(notebook.page.evaluate(_FOCUSED)).strip()


def until(condition: Callable[[], bool], *, within_s: float = SOON_S) -> float:
    """Wait for what no page tells; gives the seconds that it took."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < within_s, f"not so within {within_s:g} s"
        time.sleep(0.01)
    return time.monotonic() - began_s
