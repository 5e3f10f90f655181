"""Keys on the controls of a view: JupyterLab hears none of them, Escape disarms, and nothing is sent by a letter."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.browser.views import View, focused

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

VIEWS = """
import hydra_nb
desk = await hydra_nb.connect(speed=1, journal=":memory:")
ticket = desk.ticket("ZO")
ticket
"""
AT_WORK = """
plan = await desk.preview("BUY", 2, "KE", strategy="twap", slices=2, duration="30m")
execution = await desk.submit(plan)
execution.view()
"""
RUNNING = """
import hydra_nb
desk = await hydra_nb.connect(speed=20, journal=":memory:")
plan = await desk.preview("BUY", 12, "KE", strategy="twap", slices=12, duration="6h")
execution = await desk.submit(plan)
execution.view()
"""
DESK = "desk.view()"
DESK_KILLED = """
import hydra_nb
desk = await hydra_nb.connect(speed=1, journal=":memory:")
await desk.kill("drill")
desk.view()
"""
KEYS = ("a", "b", "c", "v", "x", "z", "m", "y", "r", "s", "l", "o", "h", "f", "j", "k", "1", "d", "d", "0", "0")
KEYS += ("Shift+m", "Shift+l", "Shift+a", "Shift+v", "Shift+ArrowDown", "ArrowUp", "ArrowDown", "Control+Shift+-")
"""What JupyterLab takes for commands while something in a notebook has the focus and is no field."""
PRESSES = ("Enter", "Shift+Enter", "Control+Enter", "Alt+Enter", "Space", "Shift+Space")
"""What presses a button; JupyterLab would run the cell, or scroll."""

LETTERS_OF_NOTEBOOK = """
() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const cells = notebook.widgets.map(cell => [cell.model.type, cell.model.sharedModel.getSource(),
        cell.model.executionCount, cell.inputHidden, cell.outputHidden]);
    return JSON.stringify([cells, notebook.mode, document.querySelectorAll('.jp-Dialog, .jp-mod-searchOpen').length]);
}
"""
CONTROLS = "button:enabled:visible, summary:visible, select:enabled:visible"


def test_letters_on_every_control_leave_the_notebook_as_it_was(open_notebook: Open, picture: Picture) -> None:
    """Cells, their text and their numbers, the mode, and dialogs: none changes, and nothing is sent or stopped."""
    notebook = open_notebook(VIEWS, AT_WORK, DESK)
    notebook.run_all()
    notebook.wait_idle()
    ticket = View(notebook, "ticket")
    ticket.button("SELL").click()
    ticket.fill(lots="1")
    ticket.arm()
    notebook.page.keyboard.press("Escape")
    ticket.shows("Disarmed by hand. Arm allows sending again.")
    expect(View(notebook, "desk").button("Reconcile")).to_be_enabled()
    before = notebook.page.evaluate(LETTERS_OF_NOTEBOOK)
    assert before.count('"code"') == 3
    tried = []

    for view in (ticket, View(notebook, "execution"), View(notebook, "desk")):
        controls = view.frame.locator(CONTROLS)
        number = 0
        while number < controls.count():  # a control may come or go with what happens meanwhile
            controls.nth(number).focus()
            number += 1
            tried.append(focused(notebook))
            for key in KEYS:
                notebook.page.keyboard.press(key)
            after = notebook.page.evaluate(LETTERS_OF_NOTEBOOK)
            assert after == before, f"letters on {tried[-1]!r} made of\n{before}\n{after}"

    notebook.picture(picture("letters-on-every-control"), output=0)
    assert {"Kill all", "BUY", "TWAP", "Preview", "Arm", "Pause", "Cancel order", "Reconcile"} <= set(tried)
    assert sum("Show the other" in name for name in tried) == 2, "checks that pass, and breakers"
    for key in PRESSES:
        ticket.button("Preview").focus()
        notebook.page.keyboard.press(key)
        expect(ticket.state).to_have_text("○ Planned")
        assert notebook.page.evaluate(LETTERS_OF_NOTEBOOK) == before, f"{key} on Preview"
    assert notebook.run_code("print(desk.killed, len(desk.executions()), execution.status)") == "None 1 working"


def test_a_fold_stays_open_and_keeps_the_focus_while_its_part_is_drawn_anew(open_notebook: Open) -> None:
    """Else it would shut while one reads, and the letters that one types next would go to the notebook."""
    notebook = open_notebook(RUNNING)
    notebook.run_cell(0)
    notebook.wait_idle()
    view = View(notebook, "execution")
    fold = view.frame.locator(".hy-slices summary")
    expect(fold).to_have_attribute("data-lm-suppress-shortcuts", "true")  # the guard is there
    fold.focus()
    notebook.page.keyboard.press("Enter")
    expect(view.frame.locator(".hy-slices details")).to_have_attribute("open", "")
    before = notebook.page.evaluate(LETTERS_OF_NOTEBOOK)

    for _ in range(3):
        notebook.page.evaluate("() => { document.querySelector('.hy-slices summary').isOld = true; }")
        notebook.page.wait_for_function("() => !document.querySelector('.hy-slices summary').isOld")
        assert focused(notebook).startswith("Show the other")
        expect(view.frame.locator(".hy-slices details")).to_have_attribute("open", "")
        for key in KEYS:
            notebook.page.keyboard.press(key)
    assert notebook.page.evaluate(LETTERS_OF_NOTEBOOK) == before

    fold.press("Enter")
    notebook.page.evaluate("() => { document.querySelector('.hy-slices summary').isOld = true; }")
    notebook.page.wait_for_function("() => !document.querySelector('.hy-slices summary').isOld")
    expect(view.frame.locator(".hy-slices details")).not_to_have_attribute("open", "")


def test_escape_disarms_goes_to_kill_and_sends_nothing_and_letters_after_send_reach_nobody(
    open_notebook: Open, picture: Picture
) -> None:
    """Escape in a field and on Arm; then Send is pressed twice in one instant, and once more, and letters follow."""
    notebook = open_notebook(VIEWS)
    notebook.run_cell(0)
    notebook.wait_idle()
    keys = notebook.page.keyboard
    ticket = View(notebook, "ticket")
    ticket.button("BUY").click()
    ticket.fill(lots="1")
    for place in ("Disarm", "Lots"):
        ticket.arm()
        (ticket.button(place) if place == "Disarm" else ticket.field(place)).focus()
        keys.press("Escape")
        expect(ticket.kill).to_be_focused()
        expect(ticket.frame.locator(".hy-send")).to_be_disabled()
        ticket.shows("Disarmed by hand. Arm allows sending again.")
    notebook.picture(picture("escape"), output=0)

    ticket.press("Arm")
    expect(ticket.button("Send BUY 1")).to_be_enabled()
    ticket.button("Send BUY 1").focus()
    before = notebook.page.evaluate(LETTERS_OF_NOTEBOOK)
    ticket.button("Send BUY 1").evaluate("node => { node.click(); node.click(); }")
    for key in ("Space", "Enter", "b", "d", "d", "x", "Enter", "0", "0"):
        keys.press(key)
    ticket.shows("This plan cannot be sent a second time.")

    assert notebook.page.evaluate(LETTERS_OF_NOTEBOOK) == before
    assert notebook.run_code("print(desk.killed, len(desk.executions()))") == "None 1"


SHOWN_TWICE = """
import hydra_nb
desk = await hydra_nb.connect(speed=1, journal=":memory:")
await desk.kill("drill")
view = desk.view()
view
"""


def test_a_question_takes_the_focus_in_the_view_where_it_was_asked_for_and_in_no_other(open_notebook: Open) -> None:
    """One widget stands below two cells: the field that gets the focus is that of the view that was pressed."""
    notebook = open_notebook(SHOWN_TWICE, "view")
    notebook.run_all()
    notebook.wait_idle()
    first, second = (View(notebook, "desk", output=number) for number in (0, 1))

    for here, there in ((second, first), (first, second), (second, first)):
        here.press("Re-arm …")
        field = here.frame.locator(".hy-question input")
        expect(field).to_be_focused()
        expect(there.frame.locator(".hy-question input")).to_be_visible()
        notebook.page.wait_for_timeout(1500)  # a guard looks for a second for what is to get the focus
        expect(field).to_be_focused()
        here.press("Back")
        expect(field).to_be_hidden()


BUSY_SOON = "import asyncio, time; asyncio.get_running_loop().call_later(0.5, time.sleep, 3.0); print('soon')"


def test_an_answer_that_was_typed_while_the_kernel_was_busy_arrives_whole(open_notebook: Open) -> None:
    """Letters queue up on the page, Enter overtakes them; the reason of a re-arming is journalled as it was typed."""
    notebook = open_notebook(DESK_KILLED)
    notebook.run_cell(0)
    notebook.wait_idle()
    desk = View(notebook, "desk")
    desk.press("Re-arm …")
    field = desk.frame.locator(".hy-question input")
    expect(field).to_be_focused()
    notebook.run_code(BUSY_SOON)
    field.focus()
    notebook.page.wait_for_timeout(1000)  # it is busy by now
    notebook.page.keyboard.type("wrong month, checked")
    notebook.page.keyboard.press("Enter")
    expect(desk.state).to_have_text("● Trading on")

    told = "print([one.reason for _, one in desk._rooms.journal.events() if type(one).__name__ == 'Rearmed'])"
    assert notebook.run_code(told) == "['wrong month, checked']"
    assert field.input_value() == ""
