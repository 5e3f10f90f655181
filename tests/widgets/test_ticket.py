"""The order ticket: what enables Send, what disables it, and that a plan is sent once."""

import asyncio
import time
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from hydra_nb.errors import InvalidOrder, JournalUnwritable, PlanExpired
from hydra_nb.widgets import OrderTicket
from hydra_nb.widgets.arming import Phase

from .hand_made import COLLAR, PASSING, HandDesk, check
from .stories import run, state, words

PASSED_COLLAR = check("collar_ticks", observed=13, limit=20, unit="ticks", would_pass=373.25)


def switches(ticket: OrderTicket) -> tuple[bool, bool, bool]:
    """Whether Preview, Arm and Send are on."""
    buttons = ticket.buttons
    return not buttons.preview.disabled, not buttons.arm.disabled, not buttons.send.disabled


def test_preview_passes_the_fields_on_as_they_are_meant() -> None:
    """Percent becomes a fraction, empty fields None, a limit a Decimal."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        fields = ticket.fields
        fields.limit.value, fields.duration.value, fields.strategy.value = " 376.00 ", "2h", "twap"
        fields.jitter.value, fields.slices.value = 15, 4

        plan = await ticket.preview()

        assert plan is ticket.plan is not None
        assert desk.previews == [
            {
                "side": "BUY",
                "lots": 13,
                "instrument": "ZO",
                "strategy": "twap",
                "slices": 4,
                "duration": "2h",
                "jitter": 0.15,
                "limit": Decimal("376.00"),
                "tag": None,
            }
        ]
        assert ticket.plan_pane.is_shown
        assert "10:14:05" in ticket.plan_pane.schedule_view.value

    run(story)


def test_arm_is_on_after_a_passing_preview_and_send_after_arm() -> None:
    """Nothing can be armed that was not shown, nothing sent that was not armed."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        seen = [switches(ticket)]
        nothing = await ticket.send()

        await ticket.preview()
        seen.append(switches(ticket))
        unarmed, told = await ticket.send(), state(ticket)
        ticket.arm()
        seen.append(switches(ticket))

        assert seen == [(True, False, False), (True, True, False), (True, True, True)]
        assert nothing is unarmed is None
        assert "Nothing was sent: arm the plan first." in told
        assert desk.submitted == []
        assert ticket.buttons.send.description == "▲ Send BUY 13"
        assert "◆ Armed" in state(ticket)

    run(story)


def test_two_presses_of_send_submit_once() -> None:
    """A second press, even before the first has returned, sends nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()

        ticket.buttons.send.click()
        ticket.buttons.send.click()
        failures = await desk.settle()
        told = state(ticket)
        again = await ticket.send()

        assert failures == []
        assert len(desk.submitted) == 1
        assert again is ticket.execution is desk.execution
        assert "✓ Sent 08:56:31" in told
        assert "Parent P-0001 is at work. This plan cannot be sent a second time." in told
        assert "Already sent at 08:56:31 as P-0001; nothing was sent." in state(ticket)
        assert switches(ticket) == (True, False, False)
        assert "hy-hidden" not in ticket.buttons.open._dom_classes

    run(story)


def test_the_view_of_the_order_takes_the_place_of_the_ticket_and_gives_it_back() -> None:
    """Open view shows the order; New plan closes it, and the fields are as they were."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()
        await ticket.send()

        ticket.buttons.open.click()
        await desk.settle()
        opened, shown = "hy-opened" in ticket._dom_classes, [getattr(part, "value", "") for part in ticket.children]
        ticket.buttons.new.click()

        assert opened
        assert "the view of P-0001" in shown
        assert "hy-opened" not in ticket._dom_classes
        assert "the view of P-0001" not in [getattr(part, "value", "") for part in ticket.children]
        assert ticket.fields.lots.value == 13
        assert "◌ Quoting" in state(ticket)
        assert ticket.execution is desk.execution

    run(story)


@pytest.mark.parametrize("gesture", ["arm button", "escape", "lapse", "fall"])
def test_what_takes_arming_back(gesture: str) -> None:
    """Its button, 30 s, a mid beyond its range: Send is off, and the state line says why."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "373.25"
        await ticket.preview()
        ticket.arm()
        armed = state(ticket)

        if gesture == "lapse":
            later_s = time.monotonic() + 31
            ticket._host_s = lambda: later_s
        elif gesture == "fall":
            desk.bid = Decimal("363.75")  # with 371.75 offered the mid is 367.75, the limit 22 ticks above it
        else:
            ticket.buttons.arm.value = False
        ticket.draw()
        await ticket.send()

        words = {
            "lapse": "Disarmed: 30 s passed and nothing was sent.",
            "fall": "Disarmed: mid fell to 367.75, the limit is 22 ticks above it, 20 allowed. Preview again.",
        }
        assert "a mid outside 368.25 – 375.00, disarms." in armed
        assert desk.submitted == []
        assert ticket.buttons.send.disabled
        assert ticket.buttons.arm.value is False
        if gesture in words:
            assert words[gesture] in state(ticket)
        assert ticket.buttons.arm.disabled is (gesture == "fall")

    run(story, HandDesk(checks=[*PASSING, PASSED_COLLAR]))


def test_an_armed_plan_is_watched_though_nothing_happens() -> None:
    """Quotes that stop send no event: the ticket looks by itself, and disarms."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()
        await desk.settle()

        desk.quoted = desk.now
        desk.now += pd.Timedelta(seconds=12)
        await asyncio.sleep(0.05)

        assert ticket.arming.phase is Phase.DISARMED
        assert ticket.buttons.arm.disabled
        assert "Disarmed: the quote is 12 s old, 5 s allowed. Preview again." in state(ticket)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hydra_nb.widgets.ticket_watch.WATCH_S", 0.01)
        run(story)


def test_a_press_of_arm_where_the_link_is_lost_arms_nothing() -> None:
    """The toggle goes back, and the state line says why."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        desk.is_connected = False

        ticket.buttons.arm.value = True
        await desk.settle()

        assert ticket.buttons.arm.value is False
        assert "Not armed: there is no link to the broker. Preview again." in state(ticket)

    run(story)


def test_a_live_account_is_armed_after_its_last_four_characters_only() -> None:
    """Asked once, in the foot; a wrong answer arms nothing and is told; the band is there from the first."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        band = " ".join(str(getattr(part, "value", "")) for part in ticket.children)

        ticket.buttons.arm.value = True
        await desk.settle()
        asked = "hy-hidden" not in ticket.question._dom_classes
        ticket.answer.value = "1234"
        ticket.answer_button.click()
        await desk.settle()
        refused, armed_by_a_wrong_answer = state(ticket), ticket.arming.may_send
        ticket.buttons.arm.value = True
        await desk.settle()
        ticket.answer.value = "07QF"
        ticket.answer_button.click()
        await desk.settle()

        assert "hy-live-band" in band
        assert asked
        assert not armed_by_a_wrong_answer
        assert "The account SIM•••7QF ends with other characters; not armed." in refused
        assert "1234" not in refused
        assert ticket.answer.value == ""
        assert ticket.arming.may_send
        ticket.disarm()
        assert ticket.arm()

    run(story, HandDesk(badge="LIVE"))


def test_an_edit_told_on_another_thread_disarms_before_a_later_press_of_send() -> None:
    """Some kernels handle clicks on a thread of their own: what they tell is done on the desk's loop, in order."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        loop = asyncio.get_running_loop()

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            loop.call_soon_threadsafe(lambda: desk.tasks.append(loop.create_task(work)))

        desk.spawn = spawn  # type: ignore[method-assign]
        await ticket.preview()
        ticket.arm()

        def page() -> None:
            ticket.fields.lots.value = 12
            ticket.buttons.send.click()

        await asyncio.to_thread(page)
        await asyncio.sleep(0.01)
        await desk.settle()

        assert desk.submitted == []
        assert ticket.plan is None
        assert ticket.arming.phase is Phase.QUOTING

    run(story)


def test_an_interrupted_send_says_where_to_look_and_uses_the_plan_up() -> None:
    """A cell that awaits is cancelled: whether the desk took the plan is not known here, and it is not sent again."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        async def never(_: object) -> object:
            return await asyncio.Event().wait()

        desk.submit = never  # type: ignore[assignment, method-assign]
        await ticket.preview()
        ticket.arm()

        sending = asyncio.create_task(ticket.send())
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

        assert "desk.executions() tells whether it was taken." in state(ticket)
        assert not ticket.arm()
        assert await ticket.preview() is not None

    run(story)


def test_a_value_that_would_pass_is_entered_by_its_button() -> None:
    """The price that would pass less half a spread; it is an edit like any other, and a preview passes."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "376.00"
        await ticket.preview()
        (button,) = ticket.plan_pane.use_buttons
        wrong = "hy-wrong" in ticket.fields.limit._dom_classes

        desk.checks = list(PASSING)
        button.click()
        await ticket.preview()

        assert button.description == "Use 373.25"
        assert wrong
        assert ticket.fields.limit.value == "373.25"
        assert "hy-wrong" not in ticket.fields.limit._dom_classes
        assert ticket.plan_pane.use_buttons == ()
        assert ticket.arming.may_arm

    run(story, HandDesk(checks=[*PASSING, COLLAR]))


def test_enter_in_the_last_field_previews() -> None:
    """What the page tells of the key; not before a side is chosen."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.side.value = None
        ticket.fields.tag._handle_custom_msg({"event": "submit"}, [])
        await desk.settle()
        before = len(desk.previews)

        ticket.fields.side.value = "SELL"
        ticket.fields.tag._handle_custom_msg({"event": "submit"}, [])
        await desk.settle()

        assert before == 0
        assert [asked["side"] for asked in desk.previews] == ["SELL"]

    run(story)


def test_arrows_in_the_limit_move_it_by_a_tick() -> None:
    """An empty limit begins at the mid; what the page tells of the keys reaches the field."""

    async def story(ticket: OrderTicket, _: HandDesk) -> None:
        seen = []
        for ticks in (1, 1, -1):
            ticket.guard._handle_custom_msg({"ticks": ticks, "view": "a"}, [])
            seen.append(ticket.fields.limit.value)

        assert seen == ["370.00", "370.25", "370.00"]

    run(story)


def test_a_limit_off_tick_is_explained_while_it_is_typed() -> None:
    """The nearest prices on tick stand below the field; what was typed stays."""

    async def story(ticket: OrderTicket, _: HandDesk) -> None:
        ticket.fields.limit.value = "370.10"
        explained = words(ticket.form.hint.value)

        ticket.fields.limit.value = "370.25"

        assert explained == "✕ 370.10 is off the 0.25 tick; nearest 370.00 or 370.25."
        assert ticket.form.hint.value == ""

    run(story)


def test_before_any_preview_the_ticket_tells_market_strategy_and_value() -> None:
    """As one types: spread, ADV, position after, what Auto picks and why, value, cash a tick, the most at the limit."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "376.00"

        quote, value = words(ticket.quote_view.value), words(ticket.form.value_view.value)

        for expected in ("368.25 × 3", "371.75 × 4", "370.00", "14 ticks = $175", "420 lots", "+4 → +17 lots"):
            assert expected in quote
        assert words(ticket.form.reason.value) == "Auto: TWAP, as 3.10 % of ADV is 1 % or more."
        assert "$240,500 65,000 bu: 13 lots × 5,000 bu × $3.70 One tick moves it $162.50." in value
        assert "At most $244,400, at the limit." in value
        assert desk.previews == []

    run(story)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instrument", "ZOH7"),
        ("side", "SELL"),
        ("lots", 12),
        ("limit", "375"),
        ("strategy", "twap"),
        ("duration", "1h"),
        ("slices", 3),
        ("jitter", 0),
        ("tag", "hedge"),
    ],
)
@pytest.mark.parametrize("armed", [True, False])
def test_any_edit_disarms_and_takes_the_plan_away(field: str, value: object, armed: bool) -> None:
    """The plan was drawn for another order: it is gone, and sending does nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        if armed:
            ticket.arm()

        getattr(ticket.fields, field).value = value
        await ticket.send()

        assert ticket.plan is None
        assert ticket.buttons.send.disabled
        assert ticket.buttons.arm.disabled
        assert desk.submitted == []
        assert not ticket.plan_pane.is_shown

    run(story)


def test_an_edit_while_the_plan_is_drawn_discards_the_plan() -> None:
    """A plan that arrives for fields which are no longer so is not offered."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.preview_gate = asyncio.Event()
        drawing = asyncio.create_task(ticket.preview())
        await asyncio.sleep(0)

        ticket.fields.lots.value = 2
        desk.preview_gate.set()
        plan = await drawing

        assert plan is None
        assert ticket.plan is None
        assert ticket.buttons.send.disabled
        assert "Preview again" in state(ticket)

    run(story)


def test_a_refused_plan_cannot_be_sent() -> None:
    """Send stays off, and the state line names the reason."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "376.00"
        await ticket.preview()

        ticket.arm()
        await ticket.send()

        assert switches(ticket) == (True, False, False)
        assert desk.submitted == []
        assert "✕ Refused" in state(ticket)
        told = "Arm is off: the price collar refuses a limit of 376.00. Nothing has been sent."
        assert told in state(ticket)

    run(story, HandDesk(checks=[*PASSING, COLLAR]))


def test_an_old_plan_cannot_be_sent() -> None:
    """After its validity a plan is shown as expired, and sending does nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()
        desk.now += pd.Timedelta(seconds=301)

        await ticket.send()

        assert desk.submitted == []
        assert ticket.buttons.send.disabled
        assert "○ Expired" in state(ticket)

    run(story)


def test_bad_input_is_told_in_its_own_sentence_and_is_no_failure() -> None:
    """A limit that is no price: code gets the error, a press of the button gets the sentence only."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "37x"

        with pytest.raises(InvalidOrder, match="37x"):
            await ticket.preview()
        ticket.buttons.preview.click()
        failures = await desk.settle()

        assert failures == []
        assert desk.previews == []
        assert "Limit '37x' is not a price" in state(ticket)

    run(story)


def test_without_a_side_nothing_is_previewed() -> None:
    """No side is chosen for a person: the button is off, and code gets a sentence."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.side.value = None

        with pytest.raises(InvalidOrder, match="BUY or SELL"):
            await ticket.preview()

        assert ticket.buttons.preview.disabled
        assert desk.previews == []

    run(story)


def test_an_unknown_contract_is_told_in_words() -> None:
    """The look-up's error is a sentence in the state line; the quote strip shows nothing of the old contract."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        shown_before = ticket.quote_view.value

        ticket.fields.instrument.value = "XX"
        failures = await desk.settle()

        assert "368.25" in shown_before
        assert failures == []
        assert ticket.quote_view.value == ""
        assert "No future is listed under" in state(ticket)

    run(story)


def test_a_failing_send_is_told_in_words_reported_and_not_tried_again() -> None:
    """The desk hears of the failure; the screen has its sentence; the plan is used up."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = JournalUnwritable("the disk is full; free some space")
        await ticket.preview()
        ticket.arm()

        ticket.buttons.send.click()
        failures = await desk.settle()
        told = state(ticket)
        await ticket.send()

        assert [type(failure) for failure in failures] == [JournalUnwritable]
        assert "The disk is full; free some space." in told
        assert len(desk.submitted) == 1
        assert ticket.buttons.send.disabled

    run(story)


def test_a_foreign_error_shows_its_kind_and_never_a_traceback() -> None:
    """What nobody foresaw: its kind on the screen, the error itself to the desk."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = ZeroDivisionError("secret details")
        await ticket.preview()
        ticket.arm()

        ticket.buttons.send.click()
        failures = await desk.settle()

        assert isinstance(failures[0], ZeroDivisionError)
        assert "That failed (ZeroDivisionError); orders go on." in state(ticket)
        assert "secret" not in state(ticket)

    run(story)


def test_a_desk_that_calls_the_plan_expired_is_believed() -> None:
    """The desk's own clock decides; the ticket asks for a new preview, and reports no failure."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = PlanExpired("the plan is 301 s old, 300 s allowed; preview again")
        await ticket.preview()
        ticket.arm()

        ticket.buttons.send.click()
        failures = await desk.settle()

        assert failures == []
        assert "Preview again." in state(ticket)

    run(story)


def test_kill_is_one_press_and_turns_send_off() -> None:
    """Kill asks nothing, is announced as an alert, and is never disabled itself."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()

        ticket.kill_button.click()
        armed_at_the_press = ticket.arming.may_send
        await desk.settle()
        desk.tell()
        await desk.settle()

        assert desk.killed is not None
        assert ticket.buttons.send.disabled
        assert not ticket.kill_button.disabled
        assert "■ Killed" in state(ticket)
        assert 'role="alert"' in ticket.alert.value
        assert not armed_at_the_press
        assert ticket.buttons.arm.disabled

    run(story)


def test_an_equal_order_given_back_by_the_desk_is_not_called_new() -> None:
    """A fresh plan of an equal order: the desk gives the earlier parent, and the ticket says that nothing was sent."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        ticket.arm()
        first = await ticket.send()
        desk.now += pd.Timedelta(seconds=60)

        async def same_again(_: object) -> object:
            return first

        desk.submit = same_again  # type: ignore[assignment, method-assign]
        await ticket.preview()
        ticket.arm()
        await ticket.send()

        assert "Already sent at 08:56:31 as P-0001; nothing was sent." in state(ticket)

    run(story)


def test_every_field_has_a_visible_label() -> None:
    """The description is the label that ipywidgets ties to its field."""

    async def story(ticket: OrderTicket, _: HandDesk) -> None:
        labels = [field.description for field in ticket.fields.all]

        assert all(labels)
        assert len(set(labels)) == 9

    run(story)


def test_unknown_keywords_are_type_errors() -> None:
    """A misspelt setting is not swallowed."""
    with pytest.raises(TypeError):
        OrderTicket(HandDesk(), "ZO", colour="red")  # type: ignore[call-arg]


def test_a_ticket_of_a_closed_desk_stays_to_be_read_and_can_do_nothing() -> None:
    """The plan is still on the page; every field and button is off, and the state says why."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        shown = ticket.plan_pane.schedule_view.value

        ticket.retire()
        ticket.retire()

        assert ticket.plan_pane.schedule_view.value == shown
        assert "The desk of this view was closed" in state(ticket)
        buttons = (*ticket.buttons.all, ticket.kill_button)
        assert all(control.disabled for control in (*ticket.fields.all, *buttons))
        assert desk.submitted == []

    run(story)
