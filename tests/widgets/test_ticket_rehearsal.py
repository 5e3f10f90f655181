"""Rehearse in the ticket: what it runs, what ends it, what it shows, and that Send sends what it would have sent."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pandas as pd
import pytest

from hydra_nb.errors import InvalidOrder, NotConnected, RehearsalFailed
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.widgets import OrderTicket
from hydra_nb.widgets.arming import Phase
from tests.rehearsal.made_up import drawn, outcome, refused, rehearsal

from .hand_made import COLLAR, PASSING, HandDesk, HandPlan
from .stories import run, state, words

FOUND = rehearsal(*(drawn(seed) for seed in range(200)))


@dataclass
class Rehearsals:
    """Rehearsals that end when the test says so, and note what was asked and what was cancelled."""

    found: Rehearsal = FOUND
    asked: list[tuple[str, int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def __call__(self, plan: HandPlan, n: int, *, progress: Callable[[int, int], None], **_: Any) -> Rehearsal:
        """Tell of half the paths, wait, and give what was found; ending takes a moment, as processes do."""
        self.asked.append((plan.plan_id, n))
        try:
            progress(0, n)
            progress(n // 2, n)
            self.begun.set()
            await self.go_on.wait()
            if self.error is not None:
                raise self.error
            progress(n, n)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return self.found


Story = Callable[[OrderTicket, HandDesk, Rehearsals], Coroutine[Any, Any, None]]


def rehearsing(story: Story, *, desk: HandDesk | None = None, found: Rehearsal = FOUND) -> None:
    """Play a story on a ticket whose plans are rehearsed so."""
    told = desk or HandDesk()

    async def play(ticket: OrderTicket, desk: HandDesk) -> None:
        rehearsals = Rehearsals(found=found)
        desk.rehearsing = rehearsals
        await story(ticket, desk, rehearsals)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hydra_nb.widgets.follow.REFRESH_S", 0.01)
        run(play, told)


def shown(ticket: OrderTicket) -> str:
    """What stands in the place of the schedule's picture, with its head, in words; empty where the picture stands."""
    pane = ticket.plan_pane
    if "hy-covered" not in pane._schedule._dom_classes:
        return ""
    return unescape(words(f"{pane.schedule_head.value} {pane.run_view.value}"))


def is_hidden(part: Any) -> bool:
    """Whether a widget is taken off the page."""
    return "hy-hidden" in part._dom_classes


async def begin(ticket: OrderTicket, rehearsals: Rehearsals) -> None:
    """Press Rehearse, and wait until paths come."""
    ticket.buttons.rehearse.click()
    await rehearsals.begun.wait()
    ticket.draw()


def test_without_a_plan_it_previews_first_and_rehearses_the_very_plan_that_is_shown() -> None:
    """One press: a preview, and a thousand paths of that plan, counted while they come; then the figures."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        before = ticket.buttons.rehearse.disabled, ticket.buttons.rehearse.tooltip
        await begin(ticket, rehearsals)
        running, stop = shown(ticket), is_hidden(ticket.plan_pane.stop_button)
        rehearsals.go_on.set()
        failures = await desk.settle()

        assert before == (False, "Run this plan in 1,000 simulated markets; nothing is sent")
        assert rehearsals.asked == [(ticket.plan.plan_id, 1000)]
        assert len(desk.previews) == 1
        assert "Rehearsing" in running
        assert "500 of 1,000 paths" in running
        assert not stop
        assert failures == []
        assert ticket.rehearsal is FOUND
        assert shown(ticket).startswith("Rehearsed")
        assert is_hidden(ticket.plan_pane.stop_button)
        assert "○ Planned" in state(ticket)
        assert desk.submitted == []

    rehearsing(story)


def test_the_figures_are_those_of_the_summary_with_their_errors_and_what_the_market_leaves_out() -> None:
    """Cost in ticks and cash with its range, completion and when half is done, what is left, messages, the model."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        rehearsals.go_on.set()
        found = await ticket.rehearse(200)

        summary = FOUND.summary().set_index("quantity")
        cost, cash, done = (summary.loc[name] for name in ("slippage_ticks", "all_lots_cash", "completed"))
        told = shown(ticket)
        assert found is FOUND
        assert rehearsals.asked == [(ticket.plan.plan_id, 200)]
        assert told.startswith("Rehearsed 200 paths of this very plan in simulated markets")
        assert f"{cost['mean']:+.1f} ± {cost['mean_error']:.2f}".replace("-", "−") in told
        assert f"5 – 95 %: {cost['p5']:+.1f} to {cost['p95']:+.1f}".replace("-", "−") in told
        assert f"to ${cash['p95']:,.0f}" in told
        assert f"{100 * done['mean']:.1f} % ± {100 * done['mean_error']:.1f}" in told
        minutes, seconds = divmod(round(FOUND.done_by_s(0.5)), 60)
        assert f"half of the paths: in {minutes}:{seconds:02d}" in told
        assert "Lots without a fill" in told
        assert "of 16" in told
        assert "Market: a market that was made up." in told
        assert "Everything." in told

    rehearsing(story)


def test_what_send_does_is_the_same_before_during_and_after() -> None:
    """Rehearsing neither arms nor disarms; armed meanwhile, the previewed plan is sent, once, and that ends it."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        plan = await ticket.preview()
        await begin(ticket, rehearsals)
        phases = [ticket.arming.phase]
        ticket.arm()
        phases.append(ticket.arming.phase)
        ticket.draw()
        running = shown(ticket)
        await ticket.send()
        await desk.settle()

        assert phases == [Phase.PLANNED, Phase.ARMED]
        assert "500 of 1,000 paths" in running
        assert ticket.plan is plan
        assert desk.submitted == [plan.plan_id]
        assert rehearsals.ended == ["cancelled"]
        assert ticket.rehearsal is None
        assert shown(ticket) == ""
        assert is_hidden(ticket.buttons.rehearse)

    rehearsing(story)


def test_a_result_stands_beside_an_armed_plan_that_is_sent_as_it_was_previewed() -> None:
    """Preview, Rehearse, Arm, Send: one plan all the way."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        plan = await ticket.preview()
        rehearsals.go_on.set()
        await ticket.rehearse()
        armed = ticket.arm()
        again = await ticket.rehearse()
        still = ticket.arming.phase
        await ticket.send()

        assert armed
        assert again is FOUND
        assert still is Phase.ARMED
        assert desk.submitted == [plan.plan_id]
        assert len(desk.previews) == 1
        assert ticket.rehearsal is FOUND
        assert shown(ticket).startswith("Rehearsed")

    rehearsing(story)


@pytest.mark.parametrize("previewed", [True, False])
def test_pressed_twice_it_runs_once(previewed: bool) -> None:
    """Also while the plan is still being drawn."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        if previewed:
            await ticket.preview()
        ticket.buttons.rehearse.click()
        ticket.buttons.rehearse.click()
        await rehearsals.begun.wait()
        ticket.buttons.rehearse.click()
        rehearsals.go_on.set()
        await desk.settle()

        assert len(desk.previews) == 1
        assert rehearsals.asked == [(ticket.plan.plan_id, 1000)]
        assert ticket.rehearsal is FOUND

    rehearsing(story)


@pytest.mark.parametrize("gesture", ["edit", "preview", "kill button", "kill elsewhere", "close", "retire"])
def test_what_ends_a_rehearsal_under_way(gesture: str) -> None:
    """Nothing of it is kept or shown, and its task is over."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        await ticket.preview()
        await begin(ticket, rehearsals)

        if gesture == "edit":
            ticket.fields.lots.value = 12
        elif gesture == "preview":
            await ticket.preview()
        elif gesture == "kill button":
            ticket.kill_button.click()
        elif gesture == "kill elsewhere":
            desk.killed = "in another view"
            desk.tell()
        else:
            getattr(ticket, gesture)()
        failures = await desk.settle()

        assert failures == []
        assert rehearsals.ended == ["cancelled"]
        assert ticket.rehearsal is None
        assert not ticket._run.is_running
        assert gesture == "close" or shown(ticket) == ""
        assert (ticket.plan is None) is (gesture == "edit")

    rehearsing(story)


def test_stop_keeps_the_plan_and_says_how_far_it_was_and_the_next_press_begins_anew() -> None:
    """At once, though the processes of the first take a moment to end."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        plan = await ticket.preview()
        await begin(ticket, rehearsals)

        ticket.plan_pane.stop_button.click()
        told, still = state(ticket), list(rehearsals.ended)
        ticket.buttons.rehearse.click()
        await asyncio.sleep(0.05)  # the first has ended by now
        ticket.buttons.rehearse.click()
        rehearsals.go_on.set()
        await desk.settle()

        assert "The rehearsal was stopped at 500 of 1,000 paths; nothing of it is kept. The plan is as it was." in told
        assert "○ Planned" in told
        assert still == []
        assert rehearsals.ended == ["cancelled", "done"]
        assert ticket.plan is plan
        assert ticket.rehearsal is FOUND

    rehearsing(story)


@pytest.mark.parametrize("gesture", ["send", "stop", "kill", "retire"])
def test_one_that_waits_for_the_end_of_a_stopped_one_is_ended_too(gesture: str) -> None:
    """Stop, Rehearse, and at once something that ends it: it never begins, and says nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        await ticket.preview()
        await begin(ticket, rehearsals)
        ticket.plan_pane.stop_button.click()
        ticket.buttons.rehearse.click()
        await asyncio.sleep(0)

        if gesture == "send":
            ticket.arm()
            await ticket.send()
        elif gesture == "stop":
            ticket.stop_rehearsal()
        elif gesture == "kill":
            desk.killed = "in another view"
            desk.tell()
        else:
            ticket.retire()
        await asyncio.sleep(0.05)  # the first has ended by now
        rehearsals.go_on.set()
        failures = await desk.settle()

        assert failures == []
        assert len(rehearsals.asked) == 1
        assert "Not rehearsed" not in state(ticket)
        assert ticket.rehearsal is None

    rehearsing(story)


@pytest.mark.parametrize("gesture", ["edit", "close"])
def test_what_follows_a_stop_does_not_cut_its_end_short(gesture: str) -> None:
    """Its processes are ended once, and waited for."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        await ticket.preview()
        await begin(ticket, rehearsals)
        ticket.plan_pane.stop_button.click()
        await asyncio.sleep(0)  # it begins to end

        if gesture == "edit":
            ticket.fields.lots.value = 12
        else:
            ticket.close()
        failures = await desk.settle()

        assert failures == []
        assert rehearsals.ended == ["cancelled"]

    rehearsing(story)


def test_how_many_paths_a_press_takes_can_be_set_and_is_said() -> None:
    """For a long plan: the button tells, and the count goes to that number."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        ticket.paths = 200
        await begin(ticket, rehearsals)

        assert ticket.buttons.rehearse.tooltip == "Run this plan in 200 simulated markets; nothing is sent"
        assert [n for _, n in rehearsals.asked] == [200]
        assert "100 of 200 paths" in shown(ticket)

    rehearsing(story)


def test_an_edit_after_it_takes_the_result_away_with_the_plan() -> None:
    """The figures were of another order."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        rehearsals.go_on.set()
        await ticket.rehearse()

        ticket.fields.tag.value = "hedge"

        assert ticket.plan is None
        assert ticket.rehearsal is None
        assert shown(ticket) == ""
        assert ticket.plan_pane.run_view.value == ""

    rehearsing(story)


def test_a_plan_that_is_too_old_is_drawn_anew_before_it_is_rehearsed() -> None:
    """What is rehearsed is what could be armed."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        first = await ticket.preview()
        desk.now += pd.Timedelta(seconds=301)
        ticket.draw()
        rehearsals.go_on.set()
        await ticket.rehearse()

        assert ticket.plan is not first
        assert rehearsals.asked == [(ticket.plan.plan_id, 1000)]
        assert ticket.arm()

    rehearsing(story)


@pytest.mark.parametrize(
    ("error", "told", "reported"),
    [
        (InvalidOrder("no price of ZOH7 is known"), "Not rehearsed: no price of ZOH7 is known.", False),
        (RehearsalFailed("a process died"), "Not rehearsed: a process died.", True),
        (ZeroDivisionError("secret details"), "That failed (ZeroDivisionError); orders go on.", True),
    ],
)
@pytest.mark.parametrize("armed", [True, False])
def test_an_error_is_said_in_words_reported_and_leaves_the_plan(
    error: Exception, told: str, reported: bool, armed: bool
) -> None:
    """In the ticket's own line; a bad wish ends there, what failed the desk journals; Arm and Send are as before."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        plan = await ticket.preview()
        if armed:
            ticket.arm()
        rehearsals.error = error
        rehearsals.go_on.set()
        ticket.buttons.rehearse.click()
        failures = await desk.settle()
        said = state(ticket)
        sent = await ticket.send()

        assert failures == ([error] if reported else [])
        assert told in said
        assert "secret" not in said
        assert ("◆ Armed" if armed else "○ Planned") in said
        assert ticket.plan is plan
        assert shown(ticket) == ""
        assert (sent is not None) is armed

    rehearsing(story)


def test_what_was_said_of_it_goes_when_the_ticket_itself_has_news() -> None:
    """An error of a rehearsal does not stand over a plan that has expired since."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        await ticket.preview()
        rehearsals.error = RehearsalFailed("a process died")
        rehearsals.go_on.set()
        with pytest.raises(RehearsalFailed):
            await ticket.rehearse()
        said = state(ticket)
        desk.now += pd.Timedelta(seconds=301)
        ticket.draw()

        assert "a process died" in said
        assert "○ Expired" in state(ticket)
        assert "a process died" not in state(ticket)

    rehearsing(story)


def test_a_cancelled_wait_ends_the_rehearsal_before_it_is_raised() -> None:
    """Whoever awaits it owns it: a cell that is interrupted leaves nothing running."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        waiting = asyncio.create_task(ticket.rehearse())
        await rehearsals.begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert rehearsals.ended == ["cancelled"]
        assert shown(ticket) == ""
        assert ticket.plan is not None

    rehearsing(story)


def test_neither_after_a_kill_nor_on_a_closed_desk_is_anything_rehearsed() -> None:
    """Both say what to do."""

    async def story(ticket: OrderTicket, desk: HandDesk, rehearsals: Rehearsals) -> None:
        await ticket.preview()
        desk.killed = "wrong contract"
        with pytest.raises(InvalidOrder, match="re-arm the desk first"):
            await ticket.rehearse()
        said = state(ticket)
        desk.killed = None
        ticket.retire()
        with pytest.raises(NotConnected, match="open a desk, and a new ticket"):
            await ticket.rehearse()

        assert "Not rehearsed: nothing is rehearsed after a kill; re-arm the desk first." in said
        assert rehearsals.asked == []
        assert ticket.buttons.rehearse.disabled

    rehearsing(story)


def test_without_a_side_there_is_nothing_to_rehearse() -> None:
    """Off, as Preview is; code gets the sentence."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        ticket.fields.side.value = None
        with pytest.raises(InvalidOrder, match="BUY or SELL"):
            await ticket.rehearse()

        assert ticket.buttons.rehearse.disabled
        assert rehearsals.asked == []
        assert "No side is chosen" in state(ticket)

    rehearsing(story)


def test_a_refused_plan_tells_which_check_refused_how_many_paths() -> None:
    """Also where none has a cost; it is still not to be armed."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        rehearsals.go_on.set()
        await ticket.rehearse(3)

        told = shown(ticket)
        assert "Cost a filled lot, ticks – = – 5 – 95 %: – to –" in told
        assert "half of the paths: never" in told
        assert "Max lots refused, or ended, 2 of 3 paths." in told
        assert "3 of 3 paths filled nothing, or had no mid to measure by" in told
        assert ticket.arming.phase is Phase.REFUSED
        assert not ticket.arm()

    found = rehearsal(refused(1), refused(2), outcome(3))
    rehearsing(story, desk=HandDesk(checks=[*PASSING, COLLAR]), found=found)


def test_the_table_gives_up_the_rows_that_the_figures_need_so_that_nothing_below_them_moves() -> None:
    """Five rows beside the picture; with two lines of warnings, three and one that tells of the rest."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        def rows() -> int:
            return ticket.plan_pane.schedule_view.value.count('<th scope="row"')

        def room_px() -> list[int]:
            pane = ticket.plan_pane
            sizes = (pane._picture_box.layout.height, pane._run_box.layout.min_height)
            return [int(size.removesuffix("px")) for size in sizes]

        await ticket.preview()
        before, folded_before = rows(), "Show the other" in ticket.plan_pane.schedule_view.value
        rehearsals.go_on.set()
        await ticket.rehearse()
        picture_px, figures_px = room_px()
        visible = ticket.plan_pane.schedule_view.value.partition("<details>")[0].count('<th scope="row"')

        assert (before, folded_before) == (5, False)
        assert rows() == 5
        assert visible == 3
        assert figures_px == picture_px + 23
        ticket.plan_pane.picture_button.value = True
        assert "Show the other" not in ticket.plan_pane.schedule_view.value

    found = rehearsal(refused(1), outcome(2))
    rehearsing(story, found=found)


def test_the_picture_can_be_had_back_beside_the_result() -> None:
    """A toggle: the result is kept; the next rehearsal is shown from its beginning."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        hidden = is_hidden(ticket.plan_pane.picture_button)
        rehearsals.go_on.set()
        await ticket.rehearse()
        pane = ticket.plan_pane
        rehearsed = shown(ticket)

        pane.picture_button.value = True
        covered = shown(ticket)
        pane.picture_button.value = False
        again = shown(ticket)
        pane.picture_button.value = True
        await ticket.rehearse()

        assert hidden
        assert not is_hidden(pane.picture_button)
        assert covered == ""
        assert rehearsed == again == shown(ticket) != ""

    rehearsing(story)


def test_markup_from_outside_stays_text() -> None:
    """The model's line and the name of a check are escaped."""

    async def story(ticket: OrderTicket, _: HandDesk, rehearsals: Rehearsals) -> None:
        rehearsals.go_on.set()
        await ticket.rehearse()

        html = ticket.plan_pane.run_view.value
        assert "<script" not in html
        assert html.count("&lt;script&gt;") == 3

    evil = "<script>alert(1)</script>"
    found = rehearsal(outcome(1, refused_by=evil), model=evil, leaves_out=evil)
    rehearsing(story, found=found)
