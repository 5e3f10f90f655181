"""Kill all, pressed on the page while a cell sleeps: what works at the exchange tells whether it was done in time."""

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from hydra_nb.sim import requests as ask
from tests.browser.lab import Notebook
from tests.browser.views import View, until
from tests.kill.floor import FOREIGN, ORDERS, floor

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

SLEEP = "import time; time.sleep(10); print('slept')"
NOTE_PRESS = "() => addEventListener('click', () => { window.pressedAtMs = Date.now(); }, {capture: true, once: true})"
LONGEST_S = 1.0
LONGEST_TO_REST_S = 60.0


def test_the_button_kills_while_a_cell_sleeps(open_notebook: Open, picture: Picture, tmp_path: Path) -> None:
    """Within a second of the press nothing of ours works; the stranger's order does, and no place came after it."""
    with floor() as market:
        orders = ORDERS.format(port=market.port).replace("journal.sqlite", str(tmp_path / "journal.sqlite"))
        notebook = open_notebook(orders.replace("print(desk.kill_address)", "desk.view()"), SLEEP)
        notebook.run_cell(0)
        desk = View(notebook, "desk")
        expect(desk.state).to_have_text("● Trading on")
        until(lambda: len(market.at_work()) == 3, within_s=LONGEST_TO_REST_S)
        notebook.wait_idle()
        notebook.to_top(0)
        notebook.run_cell(1)
        notebook.page.wait_for_timeout(1000)  # the cell sleeps by now
        assert len(market.at_work()) == 3

        desk.page.evaluate(NOTE_PRESS)
        desk.kill.click()
        market.seconds_until(lambda: not market.at_work(), at_most_s=LONGEST_S)
        ended_s = time.monotonic()
        took_s = time.time() - desk.page.evaluate("() => window.pressedAtMs") / 1000
        is_asleep = "slept" not in notebook.text(1)
        notebook.picture(picture("kill-while-a-cell-sleeps"), output=0)

        print(f"Kill all on the page, time.sleep(10): no own order {took_s:.3f} s after the press")
        assert took_s <= LONGEST_S
        assert is_asleep
        assert market.at_work(FOREIGN) == [FOREIGN]
        desk.shows("“Kill all was pressed in the browser”. 3 own orders cancelled, 0 left. Re-arming needs a reason.")
        notebook.wait_idle()
        notebook.picture(picture("killed"), output=0)
        assert market.asked_since(ended_s - took_s, ask.PlaceOrder) == []
        assert notebook.run_code("print(set(desk.orders()['state']))") == "{'dead'}"
