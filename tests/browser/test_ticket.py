"""Orders through the ticket, by keyboard and by mouse, on the embedded gateway."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.browser.views import View, focused

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

TICKET = """
import hydra_nb
desk = await hydra_nb.connect(speed={speed}, journal=":memory:")
ticket = desk.ticket("{symbol}")
ticket
"""
FILLS = """
await ticket.execution
ticket.execution.fills[["slice", "stage", "lots", "price", "slippage_ticks"]]
"""
IN_TAB_ORDER = ("BUY", "SELL", "Lots", "Limit, never passed", "Auto", "Patience", "TWAP", "Duration", "Slices")
IN_TAB_ORDER += ("Jitter, ± % of a gap", "Tag")
TYPED = {"Instrument": "ZO", "Lots": "4", "Duration": "10m", "Slices": "2", "Tag": "by hand"}
NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"


def test_an_order_by_keyboard_from_the_first_field_to_the_frame_of_fills(open_notebook: Open, picture: Picture) -> None:
    """Tab visits the fields in order, Enter in the last previews, Space arms and sends; the fills are a DataFrame."""
    notebook = open_notebook(TICKET.format(speed=30, symbol="KE"), FILLS)
    keys = notebook.page.keyboard
    notebook.run_cell(0)
    ticket = View(notebook, "ticket")
    ticket.shows("Pick a contract, a side and lots.")

    ticket.field("Instrument").focus()
    keys.press("Control+A")
    keys.type("ZO")
    for name in IN_TAB_ORDER:
        keys.press("Tab")
        assert focused(notebook) == name
        if name in ("BUY", "TWAP"):
            keys.press("Space")
        elif name in TYPED:
            keys.press("Control+A")
            keys.type(TYPED[name])
    ticket.shows("Oats")
    ticket.shows("Quoting")
    notebook.picture(picture("ticket-filled-in"), output=0)
    keys.press("Enter")

    expect(ticket.state).to_have_text("○ Planned")
    ticket.button("Preview").focus()
    for name in ("Rehearse", "Arm"):
        keys.press("Tab")
        assert focused(notebook) == name
    keys.press("Space")
    expect(ticket.button("Send BUY 4")).to_be_enabled()
    assert focused(notebook) == "Disarm", "the focus stays on the button that armed"
    notebook.picture(picture("ticket-armed"), output=0)
    keys.press("Tab")
    assert focused(notebook) == "Send BUY 4"
    keys.press("Space")

    expect(ticket.button("Open view")).to_be_focused()
    ticket.shows("This plan cannot be sent a second time.")
    notebook.picture(picture("ticket-sent"), output=0)
    keys.press("Enter")
    view = View(notebook, "execution")
    expect(view.state).to_contain_text("Working")
    notebook.picture(picture("ticket-order-at-work"), output=0)
    expect(view.state).to_have_text("✓ Filled 4 of 4")
    notebook.picture(picture("ticket-order-filled"), output=0)
    notebook.run_cell(1)
    lots = notebook.output(1).locator("table.dataframe tbody td:nth-child(4)")
    expect(lots.first).to_be_visible()
    assert sum(int(each) for each in lots.all_inner_texts()) == 4
    notebook.picture(picture("fills-as-a-frame"), output=1)


def test_run_all_twice_on_the_ticket_notebook_sends_one_order(open_notebook: Open, picture: Picture) -> None:
    """The second time the ticket says that there is an equal order of today, and the cells show the earlier one."""
    notebook = open_notebook(copy_of=NOTEBOOKS / "order_ticket.ipynb")
    count = notebook.cells()

    for _ in range(2):
        notebook.run_all()
        notebook.wait_idle()
    said = notebook.run_code("print(*desk.executions()['status'])")

    notebook.picture(picture("run-all-twice"))
    assert notebook.errors() == []
    assert said == "filled"
    assert notebook.cells() == count + 1


def test_running_the_cell_of_a_ticket_again_leaves_one_ticket_and_one_press_sends_one_order(
    open_notebook: Open, picture: Picture
) -> None:
    """The older ticket is gone from the page; handlers do not pile up."""
    notebook = open_notebook(TICKET.format(speed=20, symbol="ZO"))
    for _ in range(3):
        notebook.run_cell(0)
        notebook.wait_idle()
    ticket = View(notebook, "ticket")
    expect(ticket.frame).to_have_count(1)

    ticket.button("BUY").click()
    ticket.fill(lots="1")
    ticket.arm()
    ticket.send()
    ticket.shows("This plan cannot be sent a second time.")
    notebook.picture(picture("ticket-cell-run-again"), output=0)

    assert notebook.run_code("print(len(desk.executions()), len(desk.orders()))") == "1 1"


def test_a_refused_order_shows_the_failing_check_first_and_a_button_enters_what_passes(
    open_notebook: Open, picture: Picture
) -> None:
    """Sixty lots: the check that refuses comes first, Arm is off; after `Use` and a new preview all checks pass."""
    notebook = open_notebook(TICKET.format(speed=5, symbol="ZO"))
    notebook.run_cell(0)
    ticket = View(notebook, "ticket")
    ticket.button("BUY").click()
    ticket.fill(lots="60")

    ticket.press("Preview")
    expect(ticket.state).to_have_text("✕ Refused")
    notebook.picture(picture("ticket-refused"), output=0)
    use = ticket.frame.get_by_role("button", name=re.compile("^Use "))
    first = ticket.frame.locator(".hy-risk, .hy-refusal").first
    expect(first).to_contain_text("✕")
    expect(ticket.button("Arm")).to_be_disabled()
    offered = use.first.inner_text().removeprefix("Use ").split()[0]
    use.first.click()
    expect(ticket.field("Lots")).to_have_value(offered)
    expect(ticket.button("Preview")).to_be_focused()
    notebook.page.keyboard.press("Space")

    expect(ticket.state).to_have_text("○ Planned")
    notebook.picture(picture("ticket-passes"), output=0)
    expect(ticket.button("Arm")).to_be_enabled()
    assert int(offered) < 60
