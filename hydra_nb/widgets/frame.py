"""What ticket, execution view and desk view share: header with Kill, foot, alert, questions, and the sign of life.

A frame follows the desk and never raises into the notebook: what fails is told in words and journalled, and trading
goes on. It sends a part only where that part has changed; what only counts time runs in the page.
"""

import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Literal

import ipywidgets

from hydra_nb.domain.alerts import AlertKind
from hydra_nb.domain.ports import DeskPort
from hydra_nb.domain.units import Side
from hydra_nb.errors import OrderError
from hydra_nb.widgets import numbers
from hydra_nb.widgets.banner import banner
from hydra_nb.widgets.follow import Follower
from hydra_nb.widgets.heartbeat import Heartbeat, no_news
from hydra_nb.widgets.keyguard import KeyGuard
from hydra_nb.widgets.on_page import Sent, without_figures
from hydra_nb.widgets.parts import State, in_words, live_band, said, side_style
from hydra_nb.widgets.style import STYLE

CLOSED = State(words="○ Closed", sentence="The desk of this view was closed. Open a desk, and a new view.")
GLOBAL_CANCEL = "This also cancels orders that are not ours. Type ALL to go on."
ALL_ASKED = State(
    words="✓ Global cancel sent", sentence="The broker was asked to cancel all orders, also those that are not ours."
)

TOLD_S = 15.0
"""Host seconds for which an answer stands where the state that it was given in is another by then."""

Kind = Literal["ticket", "execution", "desk"]
Answer = Callable[[str], Awaitable[object]]


class Frame(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A view in its frame. A subclass makes its parts, calls `compose`, then `start`, and implements `draw`.

    Parameters
    ----------
    desk
        What is shown, and where gestures go.
    kind
        Names the class of the outermost box: ``hy-ticket``, ``hy-execution`` or ``hy-desk``.

    Attributes
    ----------
    header, state_line, alert, banner : ipywidgets.HTML
        The line over the view; the state in words in the foot; kill, lost link and failures in its place; alerts of the
        desk in a line on the foot.
    kill_button, rearm_button, cancel_all_button : ipywidgets.Button
        Kill is always there; the others while a kill is in force.
    alarm : State | None
        What `draw` wants told as an alert, such as a lost link; a kill goes before it.
    tells_lost_link : bool
        Whether the view itself tells a lost link now, so that the desk's alert of it would say it twice.
    time_zone : str
        Zone of the times in the frame; the subclass sets it when it knows an exchange.
    """

    _is_made = False  # a view that failed on the way has nothing to close

    def __init__(self, desk: DeskPort, *, kind: Kind) -> None:
        self._desk = desk
        self._kind = kind
        self._follower: Follower | None = None
        self._on_page: dict[ipywidgets.HTML, Sent] = {}
        self._on_answer: Answer | None = None
        self._failure: State | None = None
        self._told: State | None = None
        self._told_s = 0.0
        self._told_in = ""
        self.alarm: State | None = None
        self.tells_lost_link = kind == "desk"
        self.time_zone = "UTC"
        self.header, self.state_line, self.alert, self.banner = (ipywidgets.HTML() for _ in range(4))
        self.kill_button = ipywidgets.Button(description="■ Kill all", tooltip="Halt the desk, cancel all own orders")
        self.rearm_button = ipywidgets.Button(description="Re-arm …")
        self.cancel_all_button = ipywidgets.Button(description="Global cancel …")
        self.answer = ipywidgets.Text()
        self.answer_button = ipywidgets.Button(description="Go on")
        self.back_button = ipywidgets.Button(description="Back")
        self.question = ipywidgets.HBox((self.answer, self.answer_button, self.back_button))
        self.veil = ipywidgets.HTML(value=no_news(desk.kill_command))
        self.guard = KeyGuard(
            kill_address=lambda: desk.kill_address, on_sight=self._sight_changed, on_answer=self._answered
        )
        _name_parts(self)
        self._listen()
        super().__init__(_dom_classes=("hy", "hy-frame", f"hy-{kind}"))
        self._is_made = True

    def _listen(self) -> None:
        self.kill_button.on_click(lambda _: self.run(self._kill()))
        self.rearm_button.on_click(lambda _: self.ask("Reason for re-arming", self._rearm))
        self.cancel_all_button.on_click(lambda _: self.ask(GLOBAL_CANCEL, self._cancel_everything, placeholder="ALL"))
        self.back_button.on_click(lambda _: self.dismiss())
        self.answer_button.on_click(lambda _: self._answered(self.answer.value))
        self.answer.on_msg(self._answer_key)
        self.answer.observe(lambda _: self._letters_came(), names="value")

    # Made once

    def compose(self, *, body: Sequence[ipywidgets.Widget], foot: Sequence[ipywidgets.Widget]) -> None:
        """Arrange the frame around the body; the widgets of the foot stand right of the state line."""
        for gesture in foot:
            gesture.add_class("hy-gesture")
        style = ipywidgets.HTML(value=STYLE)
        style.add_class("hy-style")
        band = [ipywidgets.HTML(value=live_band(self._desk.badge))] if self._desk.badge == "LIVE" else []
        top = ipywidgets.HBox((self.header, self.kill_button))
        middle = ipywidgets.VBox(tuple(body))
        actions = ipywidgets.HBox(
            (self.banner, self.alert, self.state_line, self.question, *foot, self.cancel_all_button, self.rearm_button)
        )
        for box, name in ((top, "hy-top"), (middle, "hy-body"), (actions, "hy-actions")):
            box.add_class(name)
        self.children = (style, *band, top, middle, actions, self.guard, self.veil)

    def start(self) -> None:
        """Draw for the first time, then follow the desk, at most twice a second, while the view can be seen."""
        self._follower = Follower(self._desk, draw=self._bring_up_to_date)
        self.heartbeat = Heartbeat(self._desk, veil=self.veil, on_beat=self._beat_due)
        try:
            self._bring_up_to_date()
        except Exception as error:  # noqa: BLE001  the edge of a cell: shown, and handed to the desk, which journals it
            self._desk.spawn(_fail_with(error))

    def redraw(self) -> None:
        """Draw soon, after a gesture; as often as it is asked for, at most twice a second."""
        if self._follower is not None:
            self._follower.nudge()

    def draw(self) -> None:
        """Bring the parts of the view up to date; the subclass says how."""
        raise NotImplementedError

    # For the subclass

    def put(self, part: ipywidgets.HTML, html: str) -> None:
        """Show HTML in a part, sent only where it differs from what the page shows by now."""
        new = Sent.of(html, host_s=time.monotonic())
        known = self._on_page.get(part)
        if known is None or not known.shows_the_same(new):
            self._on_page[part] = new
            part.value = html

    def set_side(self, side: Side | None) -> None:
        """Give the frame its side's colour and edge."""
        wanted = side_style(side)
        for style in ("hy-buy", "hy-sell"):
            _switch(self, style, on=style == wanted)

    def say(self, state: State) -> None:
        """Show a state and its sentence in the state line."""
        self.put(self.state_line, said(state))

    def tell(self, error: Exception) -> None:
        """Show an error in words: its own sentence where it is ours, its kind where it is not; never a traceback."""
        self.tell_of(in_words(error))

    def tell_of(self, answer: State) -> None:
        """Show what came of a gesture until the next one; while an alert hides the state line, under the alert."""
        if self._follower is None:  # the view was closed, and says so
            return
        self._told, self._told_s = answer, time.monotonic()
        self.say(answer)
        self._draw_alert()

    def answered(self, words: str) -> State | None:
        """What came of the last gesture; None where nothing is to be told of it beside a state of these words.

        It stands until the next gesture, or until the state is another in words, after it could be read.
        """
        still = without_figures(words)
        if still != self._told_in and time.monotonic() - self._told_s >= TOLD_S:
            self._told = None
        if self._told is None:
            self._told_in = still
        return self._told

    def run(self, work: Coroutine[Any, Any, object], *, tells_itself: bool = False) -> None:
        """Do a gesture's work on the desk's loop; a failure is told here, and journalled by the desk."""
        self._forget_answer()
        self._desk.spawn(self._guarded(work, tells_itself=tells_itself))

    def ask(self, label: str, on_answer: Answer, *, placeholder: str = "") -> None:
        """Ask in the foot; `on_answer` gets the text when it is given, and the question goes when that has worked."""
        self._forget_answer()
        self._on_answer = on_answer
        self.answer.description, self.answer.placeholder, self.answer.value = label, placeholder, ""
        self.question.remove_class("hy-hidden")
        self.add_class("hy-asking")
        self.guard.focus(".hy-question input")

    def dismiss(self) -> None:
        """Take the question back, and what was typed, which a notebook would save: it may be of an account number."""
        self._on_answer = None
        self.answer.value = ""
        self.question.add_class("hy-hidden")
        self.remove_class("hy-asking")

    # The end

    def retire(self) -> None:
        """Leave the view on the page for reading: its desk was closed, and nothing can be pressed."""
        if self._follower is None:
            return
        self._stop()
        self.veil.add_class("hy-quiet")
        self.dismiss()
        for name in ("hy-alarmed", "hy-killed", "hy-bannered"):
            self.remove_class(name)
        for part in (self.alert, self.banner):
            self.put(part, "")
        self.say(CLOSED)
        for part in _parts(self):
            if part.has_trait("disabled"):
                part.disabled = True

    def close(self) -> None:
        """Stop listening to the desk and take the view off the page; orders go on."""
        self._stop()
        if self._is_made:
            self._is_made = False
            for part in [*_parts(self), self]:
                for look in (getattr(part, "layout", None), getattr(part, "style", None)):
                    if isinstance(look, ipywidgets.Widget):  # models of their own, which nobody else closes
                        look.close()
            for part in list(_parts(self)):
                part.close()
            super().close()

    def _stop(self) -> None:
        if self._follower is not None:
            self._follower.close()
            self._follower = None
            self.heartbeat.close()

    # Drawing

    def _bring_up_to_date(self) -> None:
        try:
            self.draw()
            self._draw_alert()
            self._draw_banner()
            if self.heartbeat.is_due:
                self.heartbeat.send()
        except Exception as error:
            self._failed(error)
            raise

    def _beat_due(self) -> None:
        """Draw, as time has passed, and let the beat go with it: the two are one update of the page."""
        if self._failure is None:
            self.redraw()
        else:
            self.heartbeat.send()

    def _failed(self, error: Exception) -> None:
        """Say that the view is drawn no more; Kill stays, and the desk journals what `error` was."""
        if self._follower is not None:
            self._follower.close()
        when = numbers.clock_time(self._desk.now_ns(), time_zone=self.time_zone)
        sentence = f"A view failed and was closed ({type(error).__name__}); trading goes on. See the journal, {when}."
        self._failure = State(words="✕ Failed", sentence=sentence, tone="bad")
        self._draw_alert()

    def _draw_alert(self) -> None:
        killed = self._killed_state()
        shown = self._failure or killed or self.alarm
        _switch(self, "hy-killed", on=killed is not None)
        _switch(self, "hy-alarmed", on=shown is not None)
        for button in (self.rearm_button, self.cancel_all_button):
            _switch(button, "hy-hidden", on=killed is None)
        told = "" if self._told is None else said(self._told)
        self.put(self.alert, "" if shown is None else said(shown, role="alert") + told)

    def _draw_banner(self) -> None:
        """Show the desk's alerts, but for what this view tells in its own words."""
        told = {AlertKind.KILL, AlertKind.DISCONNECTED} if self.tells_lost_link else {AlertKind.KILL}
        line = banner(self._desk.alerts_raised, without=told, time_zone=self.time_zone)
        _switch(self, "hy-bannered", on=bool(line))
        self.put(self.banner, line)

    def _killed_state(self) -> State | None:
        """The kill in force, and how far its cancels are; None where orders are allowed."""
        reason, progress = self._desk.killed, self._desk.kill_progress
        if reason is None:
            return None
        confirmed, total = (0, 0) if progress is None else progress
        if confirmed < total:
            sentence = f"{confirmed} of {numbers.plural(total, 'own order')} confirmed cancelled."
            return State(words="■ Halting", sentence=f"Halting: {sentence}", tone="bad")
        killed_ns = self._desk.killed_ns
        when = "" if killed_ns is None else f" {numbers.clock_time(killed_ns, time_zone=self.time_zone)}"
        cancelled = f"{numbers.plural(total, 'own order')} cancelled, 0 left. " if total else ""
        sentence = f"“{reason}”. {cancelled}Re-arming needs a reason."
        return State(words=f"■ Killed{when}", sentence=sentence, tone="bad")

    def _sight_changed(self, is_seen: bool) -> None:
        if self._follower is not None:
            self._follower.rest(hidden=not is_seen)
            self.heartbeat.rest(hidden=not is_seen)

    # Gestures

    def _forget_answer(self) -> None:
        """The answer to the last gesture was shown until this one."""
        if self._told is not None:
            self._told = None
            self.redraw()

    async def _guarded(self, work: Coroutine[Any, Any, object], *, tells_itself: bool) -> None:
        """Await a gesture's work and show its failure; a refused wish ends here, the rest the desk reports."""
        try:
            await work
        except Exception as error:
            if not tells_itself:
                self.tell(error)
            if not isinstance(error, OrderError):
                raise

    async def _kill(self) -> None:
        self.alarm = State(words="■ Halting", sentence="All own orders are being cancelled.", tone="bad")
        self._draw_alert()
        try:
            await self._desk.kill(f"Kill all was pressed in the {self._kind} view")
        finally:
            self.alarm = None
            self._draw_alert()

    async def _rearm(self, reason: str) -> None:
        await self._desk.rearm(reason)
        self._draw_alert()

    async def _cancel_everything(self, confirmation: str) -> None:
        await self._desk.cancel_everything(confirmation)
        self.tell_of(ALL_ASKED)

    def _answer_key(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("event") == "submit":  # Enter in the field
            self._answered(self.answer.value)

    def _letters_came(self) -> None:
        """Letters may come after the press that ended the question: then they are for nobody."""
        if self._on_answer is None:
            self.answer.value = ""

    def _answered(self, text: str) -> None:
        if self._on_answer is not None:
            self.run(self._hand_over(self._on_answer, text.strip()))

    async def _hand_over(self, on_answer: Answer, text: str) -> None:
        """Give the answer to who asked; the question goes first, so that its failure can be read."""
        self.dismiss()
        await on_answer(text)


def _name_parts(frame: Frame) -> None:
    """Give the parts of the frame the classes by which the style sheet and the guard know them."""
    named = {
        "hy-header": frame.header,
        "hy-state-line": frame.state_line,
        "hy-alert": frame.alert,
        "hy-banner": frame.banner,
        "hy-kill": frame.kill_button,
        "hy-rearm": frame.rearm_button,
        "hy-cancel-all": frame.cancel_all_button,
        "hy-answer": frame.answer_button,
        "hy-back": frame.back_button,
        "hy-question": frame.question,
        "hy-news": frame.veil,
    }
    for name, part in named.items():
        part.add_class(name)
    for part in (frame.question, frame.rearm_button, frame.cancel_all_button):
        part.add_class("hy-hidden")


def _switch(part: ipywidgets.DOMWidget, name: str, *, on: bool) -> None:
    if on:
        part.add_class(name)
    else:
        part.remove_class(name)


def _parts(box: ipywidgets.Box) -> Iterator[ipywidgets.Widget]:
    """All widgets inside a box, at any depth."""
    for child in box.children:
        if isinstance(child, ipywidgets.Box):
            yield from _parts(child)
        yield child


async def _fail_with(error: Exception) -> None:
    raise error
