"""The frame of every view: kill and what follows it, questions, failures, what is sent, and the end."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hydra_nb.errors import InvalidOrder
from hydra_nb.widgets import follow, frame, heartbeat
from hydra_nb.widgets.frame import Frame
from hydra_nb.widgets.parts import State, age, clock, countdown
from hydra_nb.widgets.style import STYLE

from .hand_made import NOW, HandDesk


class View(Frame):
    """A view of one line, which a test sets."""

    def __init__(self, desk: HandDesk) -> None:
        super().__init__(desk, kind="desk")
        self.line = "<b>one</b>"
        self.failure: Exception | None = None
        self.drawn = 0
        self.compose(body=(), foot=())
        self.start()

    def draw(self) -> None:
        """Show the line, or fail."""
        self.drawn += 1
        if self.failure is not None:
            raise self.failure
        self.put(self.header, self.line)


def play(story: Callable[[View, HandDesk], Coroutine[Any, Any, None]]) -> None:
    """Play a story on a fresh view."""

    async def played() -> None:
        desk = HandDesk()
        view = View(desk)
        await desk.settle()
        await story(view, desk)
        view.close()

    asyncio.run(played())


def words(html: str) -> str:
    """What a person reads of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)


def test_kill_is_one_press_and_its_progress_is_told() -> None:
    """Kill asks nothing; until all orders are proven dead the frame says how many are, then why and what helps."""

    async def story(view: View, desk: HandDesk) -> None:
        view.kill_button.click()
        await desk.settle()
        desk.kill_progress = (2, 3)
        desk.tell()
        await desk.settle()
        halting = words(view.alert.value)

        desk.kill_progress, desk.killed_ns = (3, 3), int(NOW.value)
        view.time_zone = "America/Chicago"
        desk.tell()
        await desk.settle()

        assert halting == "■ Halting Halting: 2 of 3 own orders confirmed cancelled."
        assert words(view.alert.value) == (
            "■ Killed 08:56:31 “Kill all was pressed in the desk view”. 3 own orders cancelled, 0 left. "
            "Re-arming needs a reason."
        )
        assert 'role="alert"' in view.alert.value

    play(story)


def test_rearming_asks_for_a_reason_in_the_foot() -> None:
    """The question stands in the foot, its answer goes to the desk, and the alert is gone."""

    async def story(view: View, desk: HandDesk) -> None:
        desk.killed = "wrong contract"
        desk.tell()
        await desk.settle()
        shown = "hy-hidden" not in view.rearm_button._dom_classes

        view.rearm_button.click()
        asked = "hy-hidden" not in view.question._dom_classes
        view.answer.value = "fat finger, reviewed"
        view.answer_button.click()
        await desk.settle()

        assert (shown, asked) == (True, True)
        assert desk.killed is None
        assert view.alert.value == ""
        assert "hy-hidden" in view.question._dom_classes

    play(story)


@pytest.mark.parametrize(("typed", "times"), [("ALL", 1), ("all of them", 0), ("", 0)])
def test_the_global_cancel_wants_all_typed(typed: str, times: int) -> None:
    """It hits orders of others: anything but ALL is refused in words."""

    async def story(view: View, desk: HandDesk) -> None:
        view.cancel_all_button.click()
        question = view.answer.description
        view.answer.value = typed
        view.answer._handle_custom_msg({"event": "submit"}, [])
        await desk.settle()

        assert question == "This also cancels orders that are not ours. Type ALL to go on."
        assert desk.cancelled_everything == times
        assert ("Confirm it with ALL." in view.state_line.value) is not bool(times)

    play(story)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("all", "✕ Not possible Confirm it with ALL."),
        (
            "ALL",
            "✓ Global cancel sent The broker was asked to cancel all orders, also those that are not ours.",
        ),
    ],
)
def test_while_killed_what_came_of_a_gesture_stands_under_the_alert_until_the_next(typed: str, told: str) -> None:
    """The alert hides the state line: an answer that stood only there would leave one believing that all was done."""

    async def story(view: View, desk: HandDesk) -> None:
        desk.killed = "drill"
        desk.tell()
        await desk.settle()
        killed = words(view.alert.value)

        view.cancel_all_button.click()
        view.answer.value = typed
        view.answer_button.click()
        await desk.settle()
        desk.tell()
        await desk.settle()
        answered = words(view.alert.value)
        view.rearm_button.click()
        await desk.settle()

        assert answered == f"{killed} {told}"
        assert words(view.alert.value) == killed

    play(story)


def test_what_fails_after_the_desk_was_closed_does_not_take_the_place_of_that() -> None:
    """A gesture under way when the desk closes fails, of course; the view goes on saying that it is closed."""

    async def story(view: View, desk: HandDesk) -> None:
        desk.killed = "drill"
        view.retire()
        view.tell(InvalidOrder("the desk is closed"))

        assert "The desk of this view was closed." in view.state_line.value
        assert view.alert.value == ""

    play(story)


def test_an_answer_counts_as_it_was_typed_when_it_was_given() -> None:
    """The last letters are on their way to the kernel still: the page hands the whole answer over with the press."""

    async def story(view: View, desk: HandDesk) -> None:
        view.cancel_all_button.click()
        view.answer.value = "AL"
        view.guard._handle_custom_msg({"answer": " ALL ", "view": "a"}, [])
        await desk.settle()

        assert desk.cancelled_everything == 1

    play(story)


def test_an_answer_that_was_taken_back_stays_nowhere() -> None:
    """A notebook would save it, and it may be the end of an account number: also letters that come after Back."""

    async def story(view: View, _desk: HandDesk) -> None:
        view.cancel_all_button.click()
        view.answer.set_state({"value": "45"})
        view.back_button.click()
        taken_back = view.answer.value
        view.answer.set_state({"value": "4567"})

        assert taken_back == ""
        assert view.answer.get_state(["value"]) == {"value": ""}

    play(story)


def test_letters_of_a_question_that_stands_are_kept() -> None:
    """Without the guard's script the answer is what has arrived of them when the button is pressed."""

    async def story(view: View, desk: HandDesk) -> None:
        view.cancel_all_button.click()
        view.answer.set_state({"value": "AL"})
        view.answer.set_state({"value": "ALL"})
        view.answer_button.click()
        await desk.settle()

        assert desk.cancelled_everything == 1
        assert view.answer.value == ""

    play(story)


def test_a_failed_view_says_so_once_and_keeps_kill() -> None:
    """A view that cannot be drawn is closed in words; the desk hears the error, Kill still works."""

    async def story(view: View, desk: HandDesk) -> None:
        view.failure = ValueError("at /home/someone/secret")

        desk.tell()
        failures = await desk.settle()
        view.kill_button.click()
        await desk.settle()

        assert [type(failure) for failure in failures] == [ValueError]
        assert "A view failed and was closed (ValueError); trading goes on. See the journal, 14:56:31." in words(
            view.alert.value
        )
        assert "secret" not in view.alert.value
        assert desk.listeners == []
        assert desk.killed is not None

    play(story)


def test_a_view_that_fails_at_once_does_not_raise_into_the_cell() -> None:
    """Making a view never raises for what it shows: the failure is in the view, and handed to the desk."""

    class Broken(View):
        def draw(self) -> None:
            raise KeyError("status")

    async def played() -> None:
        desk = HandDesk()
        view = Broken(desk)
        failures = await desk.settle()

        assert [type(failure) for failure in failures] == [KeyError]
        assert "A view failed and was closed (KeyError)" in view.alert.value
        view.close()

    asyncio.run(played())


@pytest.mark.parametrize(
    ("error", "said", "journalled"),
    [
        (InvalidOrder("lots must be whole"), "✕ Not possible Lots must be whole.", 0),
        (RuntimeError("at /home/someone"), "✕ Failed That failed (RuntimeError); orders go on. See the journal.", 1),
    ],
)
def test_a_gesture_that_fails_is_told_in_words(error: Exception, said: str, journalled: int) -> None:
    """Our own errors bring their sentence, foreign ones only their kind; the latter the desk journals."""

    async def fail() -> None:
        raise error

    async def story(view: View, desk: HandDesk) -> None:
        view.run(fail())
        failures = await desk.settle()

        assert words(view.state_line.value) == said
        assert len(failures) == journalled

    play(story)


def test_a_hidden_view_is_not_drawn_and_catches_up_when_it_is_seen() -> None:
    """Two pages show the view: it rests when neither can be seen, and is brought up to date when one is again."""

    async def story(view: View, desk: HandDesk) -> None:
        for page in ("a", "b"):
            view.guard._heard(view.guard, {"view": page, "visible": True}, [])
        view.guard._heard(view.guard, {"view": "a", "visible": False}, [])
        view.guard._heard(view.guard, {"view": "b", "visible": None}, [])
        before = view.drawn

        desk.tell()
        await desk.settle()
        hidden = view.drawn - before
        view.guard._heard(view.guard, {"view": "a", "visible": True}, [])
        await desk.settle()

        assert hidden == 0
        assert view.drawn == before + 1

    play(story)


def test_what_only_counts_time_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages, countdowns and clocks run in the page: sent only where the page would show something else."""
    host_s = 100.0
    monkeypatch.setattr(frame.time, "monotonic", lambda: host_s)

    async def story(view: View, _desk: HandDesk) -> None:
        def line(seconds: int) -> str:
            now_ns = int(NOW.value) + seconds * 10**9
            return age(3 + seconds) + countdown(84 - seconds) + clock(now_ns, time_zone="America/Chicago")

        nonlocal host_s
        view.put(view.header, line(0))
        first = view.header.value

        host_s = 140.0
        view.put(view.header, line(40))
        ran_on = view.header.value
        view.put(view.header, line(48))

        assert ran_on == first
        assert view.header.value == line(48)

    play(story)


def test_the_heart_beats_by_one_class_and_stops_with_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat changes one class of the veil; after the view is closed no timer is left to change it."""
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)

    async def story(view: View, desk: HandDesk) -> None:
        seen: list[tuple[str, ...]] = []
        enough = asyncio.Event()

        def noted(change: dict[str, Any]) -> None:
            seen.append(tuple(change["new"]))
            if len(seen) >= 3:
                enough.set()

        view.veil.observe(noted, names="_dom_classes")

        await asyncio.wait_for(enough.wait(), timeout=30)
        view.close()
        await desk.settle()
        beats = len(seen)
        await asyncio.sleep(0.1)

        assert seen[0] == seen[2] != seen[1]
        assert len(seen) == beats

    play(story)


def test_an_answer_stands_until_the_next_gesture_or_until_the_state_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown at every draw; what has changed since takes its place, but not before it could be read, host time."""
    host_s = 100.0
    monkeypatch.setattr(frame.time, "monotonic", lambda: host_s)

    async def story(view: View, _desk: HandDesk) -> None:
        nonlocal host_s
        answer = State(words="✕ Not possible", sentence="This cannot be resumed.", tone="bad")
        assert view.answered(f"! Quote {age(7)} old") is None
        view.tell_of(answer)

        host_s = 3700.0
        same = view.answered(f"! Quote {age(3607)} old")
        view.tell_of(answer)
        host_s = 3714.0
        changed = view.answered("✓ Filled 13 of 13")
        host_s = 3716.0
        read = view.answered("✓ Filled 13 of 13")

        assert same == answer
        assert changed == answer
        assert read is None

    play(story)


@pytest.mark.parametrize("state", ["hy-asking", "hy-alarmed", "hy-killed", "hy-bannered", "hy-armed"])
def test_the_state_of_a_frame_speaks_for_its_own_parts_only(state: str) -> None:
    """A frame may hold another: by a rule that reaches down any depth it would hide the alert of the inner one."""
    selectors = [each.strip() for heads in re.findall(r"([^{}]+)\{", STYLE) for each in heads.split(",")]

    concerned = [each for each in selectors if f".{state}" in each]
    reached = [each.partition(f".{state}")[2] for each in concerned]

    assert concerned
    assert [each for each in reached if not re.fullmatch(r"\)?( > \S+)*", each)] == []


def test_a_lost_link_is_an_alert_until_it_is_back() -> None:
    """What `draw` calls an alarm stands in place of the state line, and goes with it."""

    async def story(view: View, desk: HandDesk) -> None:
        view.alarm = State(words="✕ No link to broker", sentence="For 14 s. Nothing new is sent.", tone="bad")
        desk.tell()
        await desk.settle()
        told = words(view.alert.value)

        view.alarm = None
        desk.tell()
        await desk.settle()

        assert told == "✕ No link to broker For 14 s. Nothing new is sent."
        assert view.alert.value == ""

    play(story)


def test_a_retired_view_can_be_read_and_not_pressed() -> None:
    """After its desk was closed everything is off, also Kill, and the veil does not call that no news."""

    async def story(view: View, desk: HandDesk) -> None:
        view.retire()
        view.retire()

        assert "The desk of this view was closed." in view.state_line.value
        assert view.kill_button.disabled
        assert "hy-quiet" in view.veil._dom_classes
        assert desk.listeners == []

    play(story)


def test_live_wears_a_band() -> None:
    """A live account's view has the band over its full width, a simulated one none."""

    async def played() -> None:
        bands = {}
        for badge in ("LIVE", "SIM"):
            desk = HandDesk(badge=badge)
            view = View(desk)
            bands[badge] = sum("hy-live-band" in getattr(part, "value", "") for part in view.children[1:])
            view.close()
            await desk.settle()

        assert bands == {"LIVE": 1, "SIM": 0}

    asyncio.run(played())
