"""The live view of an execution: what it shows, when it sends, what its buttons do, and how it fails."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest

from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import AlertRaised
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.widgets import ExecutionView, execution_figure, follow
from hydra_nb.widgets import execution as view_module
from hydra_nb.widgets.execution_state import TELLS_LINK

from .hand_made import HandDesk, HandExecution, order, running_fills, utc

Story = Callable[[ExecutionView, HandDesk, HandExecution], Coroutine[Any, Any, None]]


def play(story: Story, execution: HandExecution | None = None, desk: HandDesk | None = None) -> None:
    """Tell a story on the view of an execution in its fourth slice."""

    async def told() -> None:
        shown, home = execution or HandExecution(parent=order()), desk or HandDesk(now=utc("16:17:41"))
        view = ExecutionView(home, shown)
        await home.settle()
        await story(view, home, shown)
        view.close()
        await home.settle()

    asyncio.run(told())


def words(part: ipywidgets.HTML) -> str:
    """What a part says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part.value)).strip()


def shown_buttons(view: ExecutionView) -> dict[str, bool]:
    """The gestures that can be seen, and whether each can be pressed."""
    return {
        button.description: not button.disabled
        for button in view._gestures.values()
        if "hy-hidden" not in button._dom_classes
    }


def test_the_view_says_who_trades_what_how_far_it_is_and_what_it_cost() -> None:
    """Header, progress, figures, slices: the figures of the sample, in the words of the design."""

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        told = {name: words(getattr(view, name)) for name in ("header", "progress", "figures", "slice_view")}

        assert "SIM ▲ BUY 13 TWAP Oats Mar 2027 · ZOH7 · ¢/bu · tick 0.25 = $12.50 · tag roll-hedge" in told["header"]
        assert "► Working" in told["header"]
        assert "SIM•••7QF" in told["header"]
        assert "10 of 13 lots filled 1 working, 2 to come ✓ On schedule 9 due" in told["progress"]
        assert "$312.50" in told["figures"]
        assert "9 of 20" in told["figures"]
        assert "3 09:46:20 3 +1 4 4 370.875 +3.5 ●●○ step 2 ✓ filled" in told["slice_view"]
        assert "4 10:14:05 2 2 1 369.750 −1.0 ●○○ mid, step in" in told["slice_view"]

    play(story)


def test_the_bar_shows_filled_working_and_due() -> None:
    """Ten of thirteen solid, one hatched beside it, the mark at nine."""

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        bar = view.progress.value

        assert 'class="hy-filled" style="left:0;width:76.9%"' in bar
        assert 'class="hy-working" style="left:76.9%;width:7.7%"' in bar
        assert 'style="left:69.2%"><span>9 due' in bar

    play(story)


def test_what_came_of_a_gesture_is_still_there_after_the_next_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw comes within half a second where a market moves; the next gesture takes the words away."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)

    async def story(view: ExecutionView, desk: HandDesk, _execution: HandExecution) -> None:
        view.tell(InvalidOrder("this cannot be resumed"))
        desk.tell()
        await desk.settle()
        told = words(view.state_line)
        view.pause_button.click()
        desk.tell()
        await desk.settle()

        assert told == "✕ Not possible This cannot be resumed."
        assert words(view.state_line).startswith("► Working")

    play(story)


def test_a_fill_changes_the_lots_and_a_quote_alone_sends_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure is drawn on a fill or a stage; quotes wait for their five seconds."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)

    async def story(view: ExecutionView, desk: HandDesk, execution: HandExecution) -> None:
        drawn: list[object] = []
        monkeypatch.setattr(execution_figure.LiveFigure, "draw", lambda _self, shown: drawn.append(shown))

        desk.bid += 1
        desk.tell()
        await desk.settle()
        after_quote = len(drawn)
        execution.filled_lots, execution.working_lots = 11, 0
        execution.fills, execution.revision = pd.concat([execution.fills, execution.fills.tail(1)]), 2
        desk.tell()
        await desk.settle()

        assert after_quote == 0
        assert len(drawn) == 1
        assert "11 of 13 lots filled 0 working" in words(view.progress)

    play(story)


def test_quotes_are_drawn_after_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time alone brings the band and the line at now up to date."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)
    monkeypatch.setattr(view_module, "FIGURE_EVERY_S", 0.0)

    async def story(view: ExecutionView, desk: HandDesk, _execution: HandExecution) -> None:
        before = float(view.figure.data[0].x[-2])
        last = [trace.x[-1] for trace in view.figure.data if trace.name == "now"]

        desk.now = desk.now + pd.Timedelta(seconds=60)
        desk.tell()
        await desk.settle()

        now = [trace.x[-1] for trace in view.figure.data if trace.name == "now"]
        assert now[0] - last[0] == 60
        assert np.nanmax(view.figure.data[0].x) - before != 0

    play(story)


def test_nothing_changed_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal news cost the page not one message."""
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)

    async def story(view: ExecutionView, desk: HandDesk, _execution: HandExecution) -> None:
        sent: list[object] = []
        for part in (view.header, view.progress, view.figures, view.slice_view, view.log_view, view.state_line):
            part.observe(sent.append, names="value")
        for button in view._gestures.values():
            button.observe(sent.append)

        for _ in range(5):
            desk.tell()
            await desk.settle()

        assert sent == []

    play(story)


def test_the_figure_draws_the_numbers_of_the_frames() -> None:
    """Fills at their prices by stage, sizes by lots, filled lots adding up, due and open between 0 and 13."""

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        traces = {trace.name: trace for trace in view.figure.data}
        fills = running_fills()

        for stage, symbol in (("mid", "circle"), ("step", "square"), ("cross", "diamond")):
            drawn = traces[f"filled at {stage}"]
            assert list(drawn.y) == fills.loc[fills["stage"] == stage, "price"].tolist()
            assert drawn.marker.symbol == symbol
        sizes = dict(zip(traces["filled at mid"].y, traces["filled at mid"].marker.size, strict=True))
        assert sizes[370.0] > sizes[370.5]
        assert list(traces["filled"].y) == [0, 2, 3, 4, 5, 7, 9, 10, 10]
        assert (np.nanmin(traces["due to open"].y), np.nanmax(traces["due to open"].y)) == (0, 13)
        assert set(traces["working"].y[:2]) == {369.75}
        assert set(traces["arrival"].y) == {370.0}

    play(story)


def test_a_picture_holds_at_most_300_points_however_much_happened() -> None:
    """A thousand quotes, two hundred fills and twelve slices still fit."""
    times = pd.date_range("2027-01-12 15:00", periods=1000, freq="7s", tz="UTC")
    quotes = pd.DataFrame({"time": times, "bid": 369.0 + np.arange(1000) % 5, "ask": 376.0 + np.arange(1000) % 3})
    fills = pd.concat([running_fills()] * 30)
    slices = pd.concat([HandExecution(parent=order()).slices] * 3).assign(slice=range(1, 16))
    execution = HandExecution(parent=order(), quotes=quotes, fills=fills, slices=slices)

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        points = sum(len(trace.x) for trace in view.figure.data)

        assert points <= execution_figure.MOST_POINTS
        assert traces_are_reals(view)

    play(story, execution)


def traces_are_reals(view: ExecutionView) -> bool:
    """Whether all that the page gets of the data are numpy floats."""
    return all(isinstance(trace.x, np.ndarray) and trace.x.dtype == np.float64 for trace in view.figure.data)


def test_buttons_do_what_they_say() -> None:
    """Pause, Resume and Cancel reach the execution, each once."""

    async def story(view: ExecutionView, desk: HandDesk, execution: HandExecution) -> None:
        for button in (view.pause_button, view.resume_button, view.cancel_button):
            button.click()
        await desk.settle()

        assert execution.gestures == ["pause", "resume", "cancel"]

    play(story)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ParentStatus.WORKING, {"❚❚ Pause": True, "► Resume": False, "✕ Cancel order": True}),
        (ParentStatus.PAUSED, {"❚❚ Pause": False, "► Resume": True, "✕ Cancel order": True}),
        (ParentStatus.INTERRUPTED, {"❚❚ Pause": False, "► Resume": True, "✕ Cancel order": True}),
        (ParentStatus.FILLED, {"Fills": True}),
        (ParentStatus.PARTIAL, {"New plan for 3": True}),
        (ParentStatus.NEEDS_HUMAN, {"Reconcile": True}),
    ],
)
def test_each_state_offers_what_can_be_done_in_it(status: ParentStatus, expected: dict[str, bool]) -> None:
    """What makes no sense is off or gone; what reduces risk is never off while there is any."""
    execution = HandExecution(parent=order(), status=status)

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        assert shown_buttons(view) == expected

    play(story, execution)


def test_fills_take_the_place_of_the_log_and_give_it_back() -> None:
    """One press shows the newest fills with their fees, the next the log."""
    execution = HandExecution(parent=order(), status=ParentStatus.FILLED)

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        view.fills_button.click()
        fills = words(view.log_view)
        view.fills_button.click()

        assert "7 in all: execution.fills" in fills
        assert "10:16:22 4 mid 1 369.75 $2.52" in fills
        assert "What happened" in words(view.log_view)

    play(story, execution)


def test_a_view_that_fails_says_so_keeps_kill_and_the_desk_hears_it() -> None:
    """A frame that cannot be read: words on the screen, the error to the desk, and nothing raised into the notebook."""

    async def story(view: ExecutionView, desk: HandDesk, execution: HandExecution) -> None:
        execution.slices, execution.revision = execution.slices.drop(columns="status"), 2

        desk.tell()
        failures = await desk.settle()

        assert [type(failure) for failure in failures] == [KeyError]
        assert "A view failed and was closed (KeyError); trading goes on. See the journal, 10:17:41." in words(
            view.alert
        )
        assert not view.kill_button.disabled
        assert desk.listeners == []

    play(story)


def test_a_closed_view_hears_nothing_more() -> None:
    """Closing stops listening and closes every part, the figure too."""

    async def story(view: ExecutionView, desk: HandDesk, _execution: HandExecution) -> None:
        figure = view.figure

        view.close()
        view.close()

        assert desk.listeners == []
        assert figure.comm is None

    play(story)


def test_no_account_number_is_in_what_the_view_keeps() -> None:
    """Widgets are saved with the notebook: only the masked account stands in their state."""

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        kept = " ".join(part.value for part in (view.header, view.log_view, view.progress, view.state_line))

        assert "SIM0007QF" not in kept
        assert "SIM•••7QF" in kept

    play(story)


def test_a_kill_shows_in_the_header_of_an_order_that_is_not_over_yet() -> None:
    """While its cancels are under way nobody reads that it works."""

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        assert "■ Killed" in words(view.header)
        assert "► Working" not in words(view.header)

    play(story, desk=HandDesk(now=utc("16:17:41"), killed="wrong contract"))


@pytest.mark.parametrize(
    ("status", "killed", "shown"),
    [
        (ParentStatus.SCHEDULED, None, False),
        (ParentStatus.WORKING, None, False),
        (ParentStatus.PAUSED, None, False),
        (ParentStatus.INTERRUPTED, None, True),
        (ParentStatus.NEEDS_HUMAN, None, True),
        (ParentStatus.PARTIAL, None, True),
        (ParentStatus.WORKING, "wrong contract", True),
    ],
)
def test_a_lost_link_is_told_once_in_each_state(status: ParentStatus, killed: str | None, shown: bool) -> None:
    """By the state line of an order at work; where that says something else, or is hidden, by the desk's alert."""
    since_ns = int(utc("16:17:11").value)
    execution = HandExecution(
        parent=order(), status=status, connection=ConnectionState.DOWN, unlinked_since_ns=since_ns
    )
    lost = AlertRaised(
        time_ns=since_ns,
        kind=AlertKind.DISCONNECTED,
        subject="",
        severity=Severity.CRITICAL,
        local_symbol=None,
        parent_id=None,
        sentence="No link to the broker.",
    )

    async def story(view: ExecutionView, _desk: HandDesk, _execution: HandExecution) -> None:
        assert ("No link to the broker." in words(view.banner)) is shown
        assert ("✕ No link to broker" in words(view.state_line)) is (status in TELLS_LINK)

    play(story, execution, HandDesk(now=utc("16:17:41"), killed=killed, alerts_raised=(lost,)))
