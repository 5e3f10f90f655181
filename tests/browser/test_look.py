"""How the views look: contrast in both themes, room, scroll bars, and changes of theme, of which no kernel hears."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import NARROW, WIDE, Notebook
from tests.browser.looking import faint, scroll_bars, size
from tests.browser.views import View

Open = Callable[..., Notebook]
Picture = Callable[[str], Path]

ROOT = Path(__file__).parent.parent.parent
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
ROOM_PX = 670
"""Height of what is seen of an output, 1100 px wide, in a window of 1280 × 800 with the side bar closed."""

TICKET = """
import hydra_nb
desk = await hydra_nb.connect(speed=4)
ticket = desk.ticket("ZO")
ticket
"""
DESK = """
import asyncio, hydra_nb
desk = await hydra_nb.connect(speed=60)
desk.view()
"""
ORDERS = """
plan = await desk.preview("BUY", 13, "ZO", slices=5, duration="2h", tag="roll-hedge")
execution = await desk.submit(plan)
for how in (("SELL", 4, "LBR"), ("BUY", 2, "OJ"), ("SELL", 6, "DA"), ("BUY", 60, "KE")):
    await desk.submit(await desk.preview(*how, duration="30m", slices=3))
execution.view()
"""


def check(view: View, picture: Picture, name: str, *, output: int) -> None:
    """Look at one state of a view in both themes and in both windows."""
    notebook = view.notebook
    for theme in (DARK, LIGHT):
        notebook.choose_theme(theme)
        shade = "dark" if theme == DARK else "light"
        notebook.picture(picture(f"{name}-{shade}"), output=output)
        assert faint(view.frame) == [], f"{name}, {shade}"
    assert scroll_bars(view.frame) == [], name
    assert scroll_bars(notebook.output(output)) == [], name
    height = size(view.frame)[1]
    assert height <= ROOM_PX, f"{name} is {height} px high"


def check_narrow(view: View, picture: Picture, name: str, *, output: int) -> None:
    """Look at a view in a narrow window: it may be taller, but nothing goes over its side."""
    notebook = view.notebook
    notebook.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    notebook.page.wait_for_timeout(500)
    notebook.picture(picture(f"{name}-narrow"), output=output)
    over = notebook.output(output).evaluate(
        """node => [node, ...node.querySelectorAll('*')].filter(one => one.scrollWidth > one.clientWidth + 1
            && one.clientWidth > 1 && getComputedStyle(one).overflowX !== 'visible'
            && getComputedStyle(one).textOverflow !== 'ellipsis' && !one.closest('svg') && one.checkVisibility())
            .map(one => `${one.tagName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""
    )
    ends_px = view.frame.evaluate(
        """node => ['.hy-kill', '.hy-badge', '.hy-header .hy-state']
            .map(one => node.querySelector(one).getBoundingClientRect()).map(box => box.width && box.right)"""
    )
    notebook.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    assert over == [], name
    assert scroll_bars(view.frame) == [], name
    assert all(0 < end_px < NARROW[0] for end_px in ends_px), f"{name}: {ends_px}"


LISTEN = """
() => {
    window.told = 0;
    const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
    kernel.anyMessage.connect((_, {msg, direction}) => {
        window.told += direction === 'send' && msg.header.msg_type === 'comm_msg';
    });
}
"""
INKS = """
node => ['.hy-table td', '.hy-figure .xtick text', '.hy-figure .ytick text'].map(one => {
    const style = getComputedStyle(node.querySelector(one));
    return one.endsWith('text') ? style.fill : style.color;
})
"""


def check_recolouring(view: View) -> None:
    """Switch the theme there and back: table and plot take other inks, and the page tells the kernel nothing."""
    page, inks = view.page, {}
    page.evaluate(LISTEN)
    for theme in (LIGHT, DARK, LIGHT):
        view.notebook.choose_theme(theme)
        inks[theme] = view.frame.evaluate(INKS)
    assert all(light != dark for light, dark in zip(inks[LIGHT], inks[DARK], strict=True)), inks
    assert page.evaluate("() => window.told") == 0


def test_the_ticket_is_legible_and_fits(open_notebook: Open, picture: Picture, readme_picture: Picture) -> None:
    """Empty, quoting, refused, planned, armed and sent."""
    notebook = open_notebook(TICKET)
    notebook.run_cell(0)
    notebook.wait_idle()
    ticket = View(notebook, "ticket")
    ticket.shows("Oats")
    check(ticket, picture, "look-ticket-empty", output=0)
    ticket.button("BUY").click()
    ticket.fill(lots="60", duration="2h", slices="5", limit="403.00")
    check(ticket, picture, "look-ticket-quoting", output=0)

    ticket.press("Preview")
    expect(ticket.state).to_have_text("✕ Refused")
    check(ticket, picture, "look-ticket-refused", output=0)
    ticket.frame.get_by_role("button", name="Use ").first.click()
    ticket.press("Preview")
    expect(ticket.state).to_have_text("○ Planned")
    check(ticket, picture, "look-ticket-planned", output=0)
    check_recolouring(ticket)
    check_narrow(ticket, picture, "look-ticket-planned", output=0)

    ticket.arm()
    notebook.picture(readme_picture("ticket"), of=ticket.frame)
    check(ticket, picture, "look-ticket-armed", output=0)
    ticket.arm()
    ticket.send()
    ticket.shows("This plan cannot be sent a second time.")
    check(ticket, picture, "look-ticket-sent", output=0)


def test_the_views_of_an_order_and_of_a_desk_are_legible_and_fit(
    open_notebook: Open, picture: Picture, readme_picture: Picture
) -> None:
    """At work, paused, done; several orders of which one is refused; killed."""
    notebook = open_notebook(DESK, ORDERS)
    notebook.run_all()
    notebook.wait_idle()
    view, desk = View(notebook, "execution"), View(notebook, "desk")
    check(view, picture, "look-execution-working", output=1)
    check_narrow(view, picture, "look-execution-working", output=1)
    check(desk, picture, "look-desk", output=0)
    check_narrow(desk, picture, "look-desk", output=0)

    notebook.to_top(1)
    view.press("Pause")
    expect(view.state).to_contain_text("Paused")
    check(view, picture, "look-execution-paused", output=1)
    view.press("Resume")
    expect(view.state).to_contain_text("Working")
    notebook.picture(readme_picture("execution"), of=view.frame)
    notebook.to_top(0)
    notebook.picture(readme_picture("desk"), of=desk.frame)
    desk.kill.click()
    desk.shows("Re-arming needs a reason.")
    check(desk, picture, "look-desk-killed", output=0)
    notebook.to_top(1)
    view.shows("Re-arming needs a reason.")
    check(view, picture, "look-execution-killed", output=1)


INSIDE_ANOTHER = """
import hydra_nb
desk = await hydra_nb.connect(speed=1, journal=":memory:")
plan = await desk.preview("BUY", 2, "KE", strategy="twap", slices=2, duration="30m")
execution = await desk.submit(plan)
view = desk.view()
view.chooser.value = execution.parent_id
view.open_button.click()
view
"""
FAIL_INSIDE = """
def fail(): raise ValueError("drill")
inner = view.opened.children[0]
inner.draw = fail
inner.redraw()
print("failing")
"""


def test_a_view_inside_another_tells_its_own_state(open_notebook: Open) -> None:
    """The question of the outer one hides none of its buttons; its failure shows, though the outer one is well."""
    notebook = open_notebook(INSIDE_ANOTHER)
    notebook.run_cell(0)
    notebook.wait_idle()
    inner = View(notebook, "execution")
    expect(inner.frame.locator(".hy-alert")).to_be_hidden()

    notebook.run_code("view.ask('Why', None); print('asked')")
    expect(notebook.page.locator(".hy-desk > .hy-actions > .hy-question")).to_be_visible()
    expect(inner.button("Pause")).to_be_visible()
    expect(inner.button("Cancel order")).to_be_visible()
    notebook.run_code(FAIL_INSIDE)
    expect(inner.frame.locator(".hy-alert")).to_be_visible()
    inner.shows("A view failed and was closed (ValueError); trading goes on.")
    expect(inner.frame.locator(".hy-state-line")).to_be_hidden()
    expect(notebook.page.locator(".hy-desk > .hy-actions > .hy-alert")).to_be_hidden()


ACCOUNTS = (("SIM", "SIM•••7QF"), ("PAPER", "DU•••21"), ("LIVE", "U•••67"))
OF_ACCOUNT = """
import sys; sys.path.insert(0, {root!r})
from hydra_nb import OrderTicket
from tests.widgets.hand_made import HandDesk
desk = HandDesk(badge={badge!r}, masked_account={account!r})
OrderTicket(desk, "ZO")
"""
SIGNS = """
node => {
    const badge = getComputedStyle(node.querySelector('.hy-badge'));
    const band = [...node.querySelectorAll('*')].find(one => one.offsetWidth >= node.clientWidth - 2 && one.offsetHeight
        && getComputedStyle(one).backgroundColor === 'rgb(173, 20, 87)');
    return [badge.borderTopStyle, badge.color, badge.backgroundColor, Boolean(band)];
}
"""


def test_simulated_paper_and_live_differ_at_a_glance_and_live_asks_for_four_characters(
    open_notebook: Open, picture: Picture
) -> None:
    """Badge dashed, outlined, filled; a band over the whole width of a live ticket, which fits all the same."""
    cells = [OF_ACCOUNT.format(root=str(ROOT), badge=badge, account=account) for badge, account in ACCOUNTS]
    notebook = open_notebook(*cells)
    notebook.run_all()
    notebook.wait_idle()
    tickets = [View(notebook, "ticket", output=number) for number in range(len(ACCOUNTS))]
    for number, (ticket, (badge, account)) in enumerate(zip(tickets, ACCOUNTS, strict=True)):
        notebook.to_top(number)
        ticket.button("BUY").click()
        ticket.fill(lots="13", duration="2h")
        ticket.press("Preview")
        expect(ticket.state).to_have_text("○ Planned")
        expect(ticket.frame.locator(".hy-badge").first).to_have_text(badge)
        ticket.shows(account)
        check(ticket, picture, f"look-{badge.lower()}", output=number)

    signs = [ticket.frame.evaluate(SIGNS) for ticket in tickets]
    assert [style for style, *_ in signs] == ["dashed", "solid", "solid"]
    assert len({tuple(inks) for _, *inks, _ in signs}) == len(ACCOUNTS)
    assert [has_band for *_, has_band in signs] == [False, False, True]
    live = tickets[-1]
    live.press("Arm")
    live.shows("last four characters")
    expect(live.frame.locator(".hy-send")).to_be_disabled()
    notebook.picture(picture("look-live-asks"), output=len(ACCOUNTS) - 1)
    expect(live.frame.locator(".hy-question input")).to_be_focused()
    notebook.page.keyboard.type("07QF")  # faster than the kernel hears of every letter
    notebook.page.keyboard.press("Enter")
    expect(live.frame.locator(".hy-send")).to_be_enabled()
