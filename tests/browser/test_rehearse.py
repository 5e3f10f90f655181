"""Rehearse in a ticket on the page: by keyboard to the figures, and an edit that ends it and its processes."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import NARROW, WIDE, Notebook
from tests.browser.looking import faint, scroll_bars, size
from tests.browser.views import View, focused

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

TICKET = """
import hydra_nb
desk = await hydra_nb.connect(speed=1, journal=":memory:", seed=7)
ticket = desk.ticket("ZO")
ticket.paths = {paths}
ticket
"""
CHILDREN = "import multiprocessing; print(len(multiprocessing.active_children()))"
KEPT = "print(ticket.rehearsal, ticket.plan is None, ticket._run.is_running)"
ROOM_PX = 670


def below_the_top(view: View, part: str) -> float:
    """How far a part stands below the top of its view, px, wherever the notebook is scrolled to."""
    return float(
        view.frame.evaluate(
            "(node, part) => node.querySelector(part).getBoundingClientRect().y - node.getBoundingClientRect().y", part
        )
    )


def test_rehearse_by_keyboard_shows_the_figures_where_the_picture_was(open_notebook: Open, picture: Picture) -> None:
    """The focus stays on the button, the foot does not move, nothing scrolls, and the plan can be armed as before."""
    notebook = open_notebook(TICKET.format(paths=100))
    notebook.run_cell(0)
    notebook.wait_idle()
    keys, ticket = notebook.page.keyboard, View(notebook, "ticket")
    ticket.button("BUY").click()
    ticket.fill(lots="5", slices="5", duration="10m")
    ticket.press("Preview")
    expect(ticket.state).to_have_text("○ Planned")
    plan = notebook.run_code("print(ticket.plan.plan_id)")
    place_px = below_the_top(ticket, ".hy-send")

    ticket.button("Rehearse").focus()
    keys.press("Space")
    expect(ticket.frame.get_by_role("progressbar", name="Rehearsed")).to_be_visible()
    expect(ticket.button("Stop")).to_be_visible()
    notebook.picture(picture("rehearsing"), output=0)
    assert focused(notebook) == "Rehearse"
    expect(ticket.frame.locator(".hy-run-figures")).to_be_visible()

    for theme, shade in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        notebook.choose_theme(theme)
        notebook.picture(picture(f"rehearsed-{shade}"), output=0)
        assert faint(ticket.frame) == [], shade
    ticket.shows("Nobody reacts to the order but to its trades")
    expect(ticket.button("Stop")).to_be_hidden()
    assert scroll_bars(ticket.frame) == []
    assert size(ticket.frame)[1] <= ROOM_PX
    assert below_the_top(ticket, ".hy-send") == place_px
    notebook.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    notebook.page.wait_for_timeout(500)
    notebook.picture(picture("rehearsed-narrow"), output=0)
    assert scroll_bars(ticket.frame) == []
    notebook.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    ticket.press("Picture")
    expect(ticket.frame.locator(".hy-picture-box")).to_be_visible()
    ticket.press("Arm")
    expect(ticket.frame.locator(".hy-send")).to_be_enabled()
    told = "print(ticket.plan.plan_id, ticket.rehearsal.rehearsed.plan_id, len(ticket.rehearsal.seeds))"
    assert notebook.run_code(told) == f"{plan} {plan} 100"
    assert notebook.run_code(CHILDREN) == "0"


def test_an_edit_ends_a_rehearsal_and_its_processes(open_notebook: Open, picture: Picture) -> None:
    """A long one, ended by a key in a field: the plan is gone, nothing is kept, no process is left."""
    notebook = open_notebook(TICKET.format(paths=1000))
    notebook.run_cell(0)
    notebook.wait_idle()
    ticket = View(notebook, "ticket")
    ticket.button("BUY").click()
    ticket.fill(lots="20", slices="20", duration="2h")
    ticket.press("Rehearse")
    expect(ticket.state).to_have_text("○ Planned")
    expect(ticket.button("Stop")).to_be_visible()
    during = notebook.run_code(CHILDREN)

    ticket.fill(lots="19")
    ticket.shows("Preview draws the schedule and asks the risk gate. Nothing is sent.")
    notebook.picture(picture("rehearsal-ended-by-an-edit"), output=0)
    notebook.run_code("await ticket._run.ended(); print('ended')")

    assert int(during) > 0
    assert notebook.run_code(KEPT) == "None True False"
    assert notebook.run_code(CHILDREN) == "0"
